import { useState } from "react";
import type { ChartSectionView, RecordKey, RecordSummaryView, Section, YearView } from "../../../api/bindings";
import { timelinePage, useTimelineYears, type ChartOf } from "../../../api/queries";
import { EmptyState } from "../../../components/EmptyState";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { useWords } from "../../../i18n";
import { Heading } from "../Heading";
import { RowList } from "../RowList";
import { useRecordWindow } from "../useRecordWindow";
import { dayOf } from "./days";
import { Controls } from "./Controls";
import styles from "./timeline.module.css";

interface TimelineProps {
  of: ChartOf;
  sections: readonly ChartSectionView[];
  selected: RecordKey | null;
  onSelect: (key: RecordKey) => void;
  onBack: () => void;
}

/** Where the rows of a year begin. */
function placeOf(years: readonly YearView[], wanted: YearView): number {
  return years.slice(0, years.indexOf(wanted)).reduce((sum, { records }) => sum + records, 0);
}

/** Everything by date, newest first, day by day. */
export function Timeline({ of, sections, selected, onSelect, onBack }: TimelineProps) {
  const { t, intl } = useWords();
  const [section, setSection] = useState<Section | null>(null);
  const [abnormal, setAbnormal] = useState(false);
  const filter = { section, abnormal };
  const years = useTimelineYears(of, filter);
  const all = years.data ?? [];
  const expected = all.reduce((sum, { records }) => sum + records, 0);
  const list = useRecordWindow((page) => timelinePage(of, filter, page), expected);
  const { rows, total, waiting } = list;
  const headOf = (record: RecordSummaryView, index: number): string | null => {
    const before = rows.get(index - 1);
    const day = dayOf(intl, record) ?? t("timeline.undated");
    return before && (dayOf(intl, before) ?? t("timeline.undated")) === day ? null : day;
  };
  return (
    <section className={styles.timeline} aria-labelledby="section-title" data-testid="timeline">
      <Heading title={t("timeline.title")} onBack={onBack} />
      <Controls
        sections={sections}
        section={section}
        abnormal={abnormal}
        years={all}
        onSection={setSection}
        onAbnormal={setAbnormal}
        onYear={(year) => list.virtual.scrollToIndex(placeOf(all, year), { align: "start" })}
      />
      {list.problem ? <ProblemNotice problem={list.problem} /> : null}
      {total === 0 && !waiting ? (
        <EmptyState icon="chart" title={t("timeline.empty")}>
          <p>{t(section || abnormal ? "timeline.emptyFilter" : "list.emptyWhy")}</p>
        </EmptyState>
      ) : (
        <RowList list={list} selected={selected} onSelect={onSelect} headOf={headOf} />
      )}
    </section>
  );
}
