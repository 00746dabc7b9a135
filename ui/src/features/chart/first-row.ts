let marked = false;

/** Notes when the first row of a chart was painted: two frames after it was put in place. */
export function markFirstRow(): void {
  if (marked) return;
  marked = true;
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      performance.mark("satchel:first-row");
      document.documentElement.dataset.firstRow = String(performance.timeOrigin + performance.now());
    }),
  );
}
