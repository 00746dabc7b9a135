import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import type { RecordSummaryView } from "../../api/bindings";
import { PAGE_SIZE, type recordsPage } from "../../api/queries";

const ROW_HEIGHT = 92;

function pagesOf(indices: readonly number[]): number[] {
  return [...new Set([0, ...indices.map((index) => Math.floor(index / PAGE_SIZE))])];
}

/** The rows that are on screen, out of a list of any length; only the pages that they lie on are asked for. */
export function useRecordWindow(pageOf: (page: number) => ReturnType<typeof recordsPage>, expected: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const [count, setCount] = useState(expected);
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    initialRect: { width: 400, height: 640 },
  });
  const items = virtual.getVirtualItems();
  const pages = pagesOf(items.map(({ index }) => index));
  const answers = useQueries({ queries: pages.map(pageOf) });

  const rows = new Map<number, RecordSummaryView>();
  answers.forEach((answer, position) => {
    const first = (pages[position] ?? 0) * PAGE_SIZE;
    answer.data?.rows.forEach((row, index) => rows.set(first + index, row));
  });
  const total = answers.find(({ data }) => data !== undefined)?.data?.total;
  if (total !== undefined && total !== count) setCount(total);
  return {
    scroller,
    virtual,
    items,
    rows,
    total: count,
    waiting: answers[0]?.isPending ?? true,
    problem: answers.find(({ error }) => error !== null)?.error ?? null,
  };
}

/** A list of any length, as far as it is on screen. */
export type RecordWindow = ReturnType<typeof useRecordWindow>;
