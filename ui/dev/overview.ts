/** The first page and the trends of the made-up records. */
import type { MeasurementView, OverviewBlockView, OverviewKind, OverviewView, RecordKey, RecordSummaryView, Section, TimelineFilter, TrendView, YearView } from "../src/api/bindings";
import type { Fixture } from "./records";

const BLOCKS: [OverviewKind, Section, number][] = [
  ["allergies", "allergies", 8],
  ["problems", "problems", 8],
  ["medications", "medications", 10],
  ["upcoming", "encounters", 0],
  ["labs", "labs", 8],
  ["vitals", "vitals", 8],
  ["immunizations", "immunizations", 6],
  ["procedures", "procedures", 4],
  ["visits", "encounters", 4],
  ["plans", "goals", 4],
  ["careTeam", "careTeam", 3],
  ["insurance", "insurance", 3],
];

export function overviewOf(records: readonly Fixture[]): OverviewView {
  const blocks = BLOCKS.map(([kind, section, most]): OverviewBlockView => {
    const titles = new Set<string>();
    const current = ({ status, malformed, title }: RecordSummaryView) => !/resolved|error/i.test(status ?? "") && malformed === null && !titles.has(title) && titles.add(title);
    const rows = records.map(({ summary }) => summary).filter((summary) => summary.section === section).filter(current);
    const shown = rows.slice(0, most).map((row) => (kind === "allergies" ? { ...row, value: "High risk" } : kind === "medications" ? { ...row, performer: "Dr. Samuel Okafor, MD" } : row));
    return { kind, section, rows: shown, more: rows.length - shown.length };
  });
  return { blocks };
}

interface Quantity {
  value: number;
  unit: string;
}

interface Measured {
  code?: { text?: string };
  effectiveDateTime: string;
  valueQuantity?: Quantity;
  component?: { code: { text: string }; valueQuantity: Quantity }[];
  referenceRange?: { low?: Quantity; high?: Quantity }[];
}

export function trendOf(records: readonly Fixture[], key: RecordKey): TrendView {
  const title = records.find(({ summary }) => summary.key.id === key.id)?.summary.title ?? "";
  const points = records
    .filter(({ summary }) => summary.title === title && summary.date)
    .map(({ summary, json }, index): MeasurementView => {
      const record = JSON.parse(json) as Measured;
      const range = record.referenceRange?.[0];
      const parts = record.valueQuantity ? [{ part: null, quantity: record.valueQuantity }] : (record.component ?? []).map(({ code, valueQuantity }) => ({ part: code.text, quantity: valueQuantity }));
      const values = parts.map(({ part, quantity }) => ({
        part,
        number: quantity.value,
        text: `${quantity.value} ${quantity.unit}`,
        comparator: index === 3 ? "<" : null,
        unit: quantity.unit,
        unitWords: quantity.unit,
        low: range?.low?.value ?? null,
        high: range?.high?.value ?? null,
        flag: summary.flag,
      }));
      return { key: summary.key, date: summary.date ?? { value: "", end: null }, at: Date.parse(record.effectiveDateTime), values, text: summary.value, source: summary.source };
    });
  return { title, points: points.sort((one, other) => one.at - other.at).slice(-30), cut: points.length > 30 };
}

export function timelineOf(records: readonly Fixture[], { section, abnormal }: TimelineFilter): RecordSummaryView[] {
  const rows = records.map(({ summary }) => summary).filter((row) => (section === null || row.section === section) && (!abnormal || (row.flag !== null && row.flag !== "normal")));
  return rows.sort((one, other) => (other.date?.value ?? "").localeCompare(one.date?.value ?? ""));
}

export function yearsOf(rows: readonly RecordSummaryView[]): YearView[] {
  const years = new Map<number | null, number>();
  for (const { date } of rows) {
    const year = date ? Number(date.value.slice(0, 4)) : null;
    years.set(year, (years.get(year) ?? 0) + 1);
  }
  return [...years].map(([year, records]) => ({ year, records }));
}
