import type { ChartView, ConnectionView, OverviewBlockView, RecordKey, Section } from "../../../api/bindings";
import { usePrintPage } from "../../../api/people";
import { useOverview, type ChartOf } from "../../../api/queries";
import { Button } from "../../../components/Button";
import { Icon } from "../../../components/Icon";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { SaveCopy } from "../../../components/SaveCopy";
import { Waiting } from "../../../components/Waiting";
import { useWords } from "../../../i18n";
import { Card } from "./Card";
import { News } from "./News";
import styles from "./summary.module.css";

/** Blocks that are shown when they hold nothing too: that nothing is known of them is to be said. */
const ALWAYS: ReadonlySet<OverviewBlockView["kind"]> = new Set(["allergies", "problems", "medications", "labs", "vitals", "immunizations"]);

/** What stands in the first of two columns, and before all others where there is one. */
const FIRST: ReadonlySet<OverviewBlockView["kind"]> = new Set(["allergies", "problems", "medications", "plans", "careTeam", "insurance"]);

interface SummaryProps {
  of: ChartOf;
  chart: ChartView;
  sources: readonly ConnectionView[];
  onOpen: (key: RecordKey) => void;
  onSection: (section: Section) => void;
  /** Back to the parts, where only one thing fits. */
  onBack: () => void;
}

/** The first page of a chart: what is true of the person now, in the order of the International Patient Summary. */
export function Summary({ of, chart, sources, onOpen, onSection, onBack }: SummaryProps) {
  const { t } = useWords();
  const overview = useOverview(of);
  const print = usePrintPage();
  const syncing = sources.some((source) => source.syncing);
  const shown = overview.data?.blocks.filter(({ kind, rows }) => ALWAYS.has(kind) || rows.length > 0) ?? [];
  return (
    <section className={styles.summary} aria-labelledby="summary-title" data-testid="summary">
      <div className={styles.heading}>
        <Button kind="quiet" size="small" className={styles.back} onClick={onBack} aria-label={t("chart.backToSections")}>
          <Icon name="back" />
        </Button>
        <h2 id="summary-title" data-testid="chart-section-title">
          {t("summary.title")}
        </h2>
        {overview.data ? (
          <Button size="small" className={styles.print} data-testid="summary-print" busy={print.isPending} onClick={() => print.mutate({ of, records: shown.reduce((sum, { rows }) => sum + rows.length, 0) })}>
            {t("summary.print")}
          </Button>
        ) : null}
      </div>
      {print.error ? <ProblemNotice problem={print.error} /> : null}
      {overview.error ? <ProblemNotice problem={overview.error} /> : null}
      {overview.isPending ? <Waiting label={t("waiting.summary")} /> : null}
      {overview.data ? (
        <>
          <News sources={sources} onOpen={onOpen} />
          <div className={styles.cards}>
            {[true, false].map((first) => (
              <div key={String(first)} className={styles.column}>
                {shown
                  .filter(({ kind }) => FIRST.has(kind) === first)
                  .map((block) => (
                    <Card
                      key={block.kind}
                      block={block}
                      section={chart.sections.find(({ section }) => section === block.section)}
                      syncing={syncing}
                      onOpen={onOpen}
                      onAll={() => onSection(block.section)}
                    />
                  ))}
              </div>
            ))}
          </div>
          <section className={`${styles.card} ${styles.takeAlong}`} aria-labelledby="take-along-title">
            <h3 id="take-along-title">{t("export.summaryTitle")}</h3>
            <SaveCopy of={of} formats={["ips", "results"]} help={t("export.summaryHelp")} />
          </section>
          <p className={styles.caveat}>{t("summary.caveat")}</p>
        </>
      ) : null}
    </section>
  );
}
