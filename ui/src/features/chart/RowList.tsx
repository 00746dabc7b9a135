import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { RecordKey, RecordSummaryView } from "../../api/bindings";
import { markFirstRow } from "./first-row";
import { RecordRow } from "./RecordRow";
import type { RecordWindow } from "./useRecordWindow";
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

interface RowListProps {
  list: RecordWindow;
  selected: RecordKey | null;
  onSelect: (key: RecordKey) => void;
  /** What stands above a row, where something does. */
  headOf?: (record: RecordSummaryView, index: number) => string | null;
}

/** Rows of a list of any length; only what is on screen exists. */
export function RowList({ list, selected, onSelect, headOf }: RowListProps) {
  const { scroller, virtual, items, rows, total } = list;
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
    // The list is one stop of the Tab key; arrow keys move inside.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys act on the rows, which are buttons
    <div ref={scroller} className={styles.scroller} onKeyDown={move}>
      <ul className={styles.list} style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const record = rows.get(index);
          const head = record && headOf?.(record, index);
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
              {head ? <p className={styles.day}>{head}</p> : null}
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
  );
}
