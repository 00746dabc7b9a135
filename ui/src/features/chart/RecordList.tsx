import type { ChartSectionView, RecordKey } from "../../api/bindings";
import { recordsPage, type ChartOf } from "../../api/queries";
import { EmptyState } from "../../components/EmptyState";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import { Heading } from "./Heading";
import { RowList } from "./RowList";
import { sectionNote, sectionTitle } from "./sections";
import { useRecordWindow } from "./useRecordWindow";
import styles from "./rows.module.css";

interface RecordListProps {
  of: ChartOf;
  section: ChartSectionView;
  selected: RecordKey | null;
  syncing: boolean;
  onSelect: (key: RecordKey) => void;
  onBack: () => void;
}

/** The records of a section. */
export function RecordList({ of, section, selected, syncing, onSelect, onBack }: RecordListProps) {
  const words = useWords();
  const { t } = words;
  const title = sectionTitle(words, section);
  const note = sectionNote(words, section);
  const list = useRecordWindow((page) => recordsPage(of, section.section, page), section.count);
  return (
    <section className={styles.panel} aria-labelledby="section-title">
      <Heading title={title} onBack={onBack} />
      {note ? <p className={styles.note}>{note}</p> : null}
      {list.problem ? <ProblemNotice problem={list.problem} /> : null}
      {list.total === 0 && !list.waiting ? (
        <EmptyState icon="chart" title={t("list.empty", { section: title })}>
          <p>{t(syncing ? "list.emptySyncing" : "list.emptyWhy")}</p>
        </EmptyState>
      ) : (
        <RowList list={list} selected={selected} onSelect={onSelect} />
      )}
    </section>
  );
}
