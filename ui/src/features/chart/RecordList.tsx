import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { ChartSectionView, RecordKey, RecordSummaryView } from "../../api/bindings";
import type { ChartOf } from "../../api/queries";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import { markFirstRow } from "./first-row";
import { RecordRow } from "./RecordRow";
import { useRecordWindow } from "./useRecordWindow";
import styles from "./rows.module.css";

const JUMP = 8;

/** Where a key leads in a list of `total` rows, from row `from`. */
function nextRow(key: string, from: number, total: number): number | undefined {
  const moves: Partial<Record<string, number>> = { ArrowDown: from + 1, ArrowUp: from - 1, PageDown: from + JUMP, PageUp: from - JUMP, Home: 0, End: total - 1 };
  const to = moves[key];
  return to === undefined ? undefined : Math.min(Math.max(to, 0), total - 1);
}

/** The record is open, or another source's that says the same. */
function isOpen({ key, alsoFrom }: RecordSummaryView, open: RecordKey | null): boolean {
  const keys = [key, ...alsoFrom.map((also) => also.key)];
  return keys.some(({ connectionId, resourceType, id }) => open?.connectionId === connectionId && open.resourceType === resourceType && open.id === id);
}

interface RecordListProps {
  of: ChartOf;
  section: ChartSectionView;
  selected: RecordKey | null;
  syncing: boolean;
  onSelect: (key: RecordKey) => void;
  onBack: () => void;
}

/** The records of a section; of a long list only what is on screen exists. */
export function RecordList({ of, section, selected, syncing, onSelect, onBack }: RecordListProps) {
  const { t } = useWords();
  const { scroller, virtual, items, rows, total, waiting, problem } = useRecordWindow(of, section.section, section.count);
  const [active, setActive] = useState(0);
  const wanted = useRef<number | null>(null);
  const shown = rows.size > 0;

  useEffect(() => {
    if (shown) markFirstRow();
  }, [shown]);

  function move(event: KeyboardEvent) {
    const to = nextRow(event.key, active, total);
    if (to === undefined) return;
    event.preventDefault();
    wanted.current = to;
    setActive(to);
    virtual.scrollToIndex(to);
    scroller.current?.querySelector<HTMLButtonElement>(`[data-index="${to}"] button`)?.focus();
  }

  return (
    <section className={styles.panel} aria-labelledby="section-title">
      <div className={styles.heading}>
        <Button kind="quiet" size="small" className={styles.back} onClick={onBack} aria-label={t("chart.backToSections")}>
          <Icon name="back" />
        </Button>
        <h2 id="section-title" data-testid="chart-section-title">
          {section.title}
        </h2>
      </div>
      {section.note ? <p className={styles.note}>{section.note}</p> : null}
      {problem ? <ProblemNotice problem={problem} /> : null}
      {total === 0 && !waiting ? (
        <EmptyState icon="chart" title={t("list.empty", { section: section.title })}>
          <p>{t(syncing ? "list.emptySyncing" : "list.emptyWhy")}</p>
        </EmptyState>
      ) : (
        // The list is one stop of the Tab key; arrow keys move inside.
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys act on the rows, which are buttons
        <div ref={scroller} className={styles.scroller} onKeyDown={move}>
          <ul className={styles.list} style={{ height: virtual.getTotalSize() }}>
            {items.map(({ index, start }) => {
              const record = rows.get(index);
              return (
                <li
                  key={index}
                  ref={virtual.measureElement}
                  data-index={index}
                  className={styles.item}
                  style={{ transform: `translateY(${start}px)` }}
                  aria-setsize={total}
                  aria-posinset={index + 1}
                >
                  {record ? (
                    <RecordRow
                      ref={(row) => {
                        if (row && wanted.current === index) {
                          wanted.current = null;
                          row.focus({ preventScroll: true });
                        }
                      }}
                      record={record}
                      selected={isOpen(record, selected)}
                      tabbable={index === Math.min(active, total - 1)}
                      onSelect={() => onSelect(record.key)}
                      onFocus={() => setActive(index)}
                    />
                  ) : (
                    <div className={styles.placeholder} aria-busy="true" />
                  )}
                </li>
              );
            })}
          </ul>
        </div>
      )}
    </section>
  );
}
