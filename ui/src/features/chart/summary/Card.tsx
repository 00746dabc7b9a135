import { useEffect } from "react";
import type { ChartSectionView, OverviewBlockView, RecordKey } from "../../../api/bindings";
import { Button } from "../../../components/Button";
import { useWords } from "../../../i18n";
import { markFirstRow } from "../first-row";
import { sectionNote, sectionTitle } from "../sections";
import { Row } from "./Row";
import styles from "./summary.module.css";

interface CardProps {
  block: OverviewBlockView;
  /** What is known of the section that it is from. */
  section: ChartSectionView | undefined;
  syncing: boolean;
  onOpen: (key: RecordKey) => void;
  onAll: () => void;
}

/** Why there is nothing: said by the section where it is not whole, else that nothing is recorded. */
function Nothing({ block, section, syncing }: Pick<CardProps, "block" | "section" | "syncing">) {
  const words = useWords();
  const { t } = words;
  const note = sectionNote(words, section);
  if (syncing) return <p className={styles.nothing}>{t("list.emptySyncing")}</p>;
  if (note) return <p className={styles.nothing}>{note}</p>;
  const past = (section?.count ?? 0) > 0;
  return (
    <>
      <p className={styles.nothing}>{t(past ? "summary.noneNow" : "summary.none")}</p>
      {block.kind === "allergies" && !past ? <p className={styles.help}>{t("summary.noAllergies")}</p> : null}
    </>
  );
}

/** One block of the summary: what matters most of it, and the way to all of it. */
export function Card({ block, section, syncing, onOpen, onAll }: CardProps) {
  const words = useWords();
  const { t } = words;
  const { kind, rows, more } = block;
  const title = t(`summary.${kind}`);
  const count = section?.count ?? 0;
  const shown = rows.length > 0;
  const note = sectionNote(words, section);

  useEffect(() => {
    if (shown) markFirstRow();
  }, [shown]);

  return (
    <section className={styles.card} aria-labelledby={`summary-${kind}`} data-testid={`summary-${kind}`}>
      <header className={styles.head}>
        <h3 id={`summary-${kind}`}>{title}</h3>
        {count > 0 ? (
          <Button kind="quiet" size="small" onClick={onAll} aria-label={t("summary.allOf", { section: section ? sectionTitle(words, section) : title, count })}>
            {t("summary.all", { count })}
          </Button>
        ) : null}
      </header>
      {shown ? (
        <ul className={styles.rows}>
          {rows.map((record) => (
            <li key={`${record.key.connectionId} ${record.key.resourceType} ${record.key.id}`}>
              <Row record={record} kind={kind} onOpen={() => onOpen(record.key)} />
            </li>
          ))}
        </ul>
      ) : (
        <Nothing block={block} section={section} syncing={syncing} />
      )}
      {more > 0 ? <p className={styles.help}>{t("summary.more", { count: more })}</p> : null}
      {shown && note ? <p className={styles.help}>{note}</p> : null}
    </section>
  );
}
