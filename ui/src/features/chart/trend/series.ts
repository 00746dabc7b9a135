/** From measurements to lines: numbers of one unit and of one part belong together, and no others. */
import type { MeasuredView, MeasurementView } from "../../../api/bindings";

interface Point {
  at: number;
  measured: MeasuredView;
}

interface Line {
  /** Which part, in words; none for the value itself. */
  part: string | null;
  points: Point[];
}

/** One plot: everything in it has one unit. */
export interface Panel {
  unit: string | null;
  lines: Line[];
}

/** Plots, the one with most points first; numbers of different units never share one. */
export function panelsOf(points: readonly MeasurementView[]): Panel[] {
  const panels = new Map<string, Map<string, Line>>();
  const words = new Map<string, string | null>();
  for (const { at, values } of points) {
    for (const measured of values) {
      const unit = measured.unit ?? "";
      words.set(unit, measured.unitWords ?? measured.unit);
      const lines = panels.get(unit) ?? new Map<string, Line>();
      panels.set(unit, lines);
      const line = lines.get(measured.part ?? "") ?? { part: measured.part, points: [] };
      lines.set(measured.part ?? "", line);
      line.points.push({ at, measured });
    }
  }
  const size = ({ lines }: Panel) => lines.reduce((sum, line) => sum + line.points.length, 0);
  return [...panels.entries()].map(([unit, lines]) => ({ unit: words.get(unit) ?? null, lines: [...lines.values()] })).sort((one, other) => size(other) - size(one));
}

/** The columns of a plot: the times, then for each line both ends of its range, and its values over them. */
export function columnsOf({ lines }: Panel): (number | null)[][] {
  const times = [...new Set(lines.flatMap(({ points }) => points.map(({ at }) => at)))].sort((one, other) => one - other);
  const places = new Map(times.map((at, place) => [at, place]));
  const columns = lines.flatMap(({ points }) => {
    const [values, low, high] = [0, 0, 0].map(() => new Array<number | null>(times.length).fill(null)) as [(number | null)[], (number | null)[], (number | null)[]];
    for (const { at, measured } of points) {
      const place = places.get(at) ?? 0;
      values[place] = measured.number;
      low[place] = measured.low;
      high[place] = measured.high;
    }
    return [low, high, values];
  });
  return [times.map((at) => at / 1000), ...columns];
}

/** Smallest and largest number of a panel with their words. */
export function extremesOf({ lines }: Panel): { least: MeasuredView; most: MeasuredView; last: MeasuredView } | null {
  const all = lines.flatMap(({ points }) => points).sort((one, other) => one.at - other.at);
  const last = all.at(-1);
  if (!last) return null;
  const pick = (better: (one: number, other: number) => boolean) => all.reduce((best, point) => (better(point.measured.number, best.measured.number) ? point : best)).measured;
  return { least: pick((one, other) => one < other), most: pick((one, other) => one > other), last: last.measured };
}
