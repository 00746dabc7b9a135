/** The first page of a chart, and one measurement over time. */
import { configure, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { makeConnection } from "../dev/people";
import type { MeasuredView, MeasurementView, OverviewView } from "../src/api/bindings";
import { ensureLanguage } from "../src/app/language";
import { columnsOf, extremesOf, panelsOf } from "../src/features/chart/trend/series";
import { openApp } from "./support";

vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 10_000 });

const NOTHING: OverviewView = {
  blocks: [
    { kind: "allergies", section: "allergies", rows: [], more: 0 },
    { kind: "problems", section: "problems", rows: [], more: 0 },
    { kind: "careTeam", section: "careTeam", rows: [], more: 0 },
  ],
};

test("a chart opens with what is true now, and each line leads to its record", async () => {
  const engine = openApp("chart", "/chart");
  const allergies = await screen.findByTestId("summary-allergies");
  expect(allergies).toHaveTextContent("Penicillin");
  expect(allergies).toHaveTextContent("High risk");
  expect(screen.getByTestId("summary-medications")).toHaveTextContent("Prescribed by Dr. Samuel Okafor, MD");
  expect(screen.getByTestId("summary-problems")).not.toHaveTextContent("Broken left wrist");
  expect(screen.getByTestId("section-summary")).toHaveAttribute("aria-current", "true");
  await userEvent.click(within(allergies).getByTestId("summary-row"));
  expect(await screen.findByTestId("record-detail")).toHaveTextContent("Penicillin");
  expect(engine.calls.find(({ command }) => command === "overview_get")?.args).toEqual({ of: { connectionId: "c1" } });
});

test("all of a section is one click away", async () => {
  openApp("chart", "/chart");
  await userEvent.click(await screen.findByRole("button", { name: /Laboratory results: all 401/ }));
  expect(await screen.findByTestId("chart-section-title")).toHaveTextContent("Laboratory results");
});

test("a person with several sources has one summary over all of them", async () => {
  const engine = openApp("people", "/chart");
  await screen.findByTestId("summary-problems");
  expect(engine.calls.find(({ command }) => command === "overview_get")?.args).toEqual({ of: { personId: "person-1" } });
});

test("that nothing is recorded is said, and is not said to mean that there is nothing", async () => {
  const engine = openApp("chart", "/connections");
  engine.answer("overview_get", () => NOTHING);
  engine.answer("chart_get", () => ({ connection: makeConnection(), others: [], person: null, patient: null, sections: [] }));
  await userEvent.click(await screen.findByTestId("nav-chart"));
  const allergies = await screen.findByTestId("summary-allergies");
  expect(allergies).toHaveTextContent("Nothing is recorded.");
  expect(allergies).toHaveTextContent("does not mean that there is none");
  expect(screen.queryByTestId("summary-careTeam")).toBeNull();
});

test("a measurement is shown over time, as a plot in words and as a table", async () => {
  openApp("chart", "/chart?section=labs&type=Observation&id=lab0");
  const plot = await screen.findByTestId("trend-plot");
  expect(plot).toHaveAccessibleName(/Haemoglobin A1c: 30 values, from .* to .* %, the last one .* %\. The table has every value\./);
  await userEvent.click(screen.getByTestId("trend-switch"));
  const table = screen.getByRole("table", { name: "Haemoglobin A1c" });
  expect(within(table).getAllByRole("row")).toHaveLength(31);
  expect(within(table).getAllByText("4 – 5.6")[0]).toBeVisible();
});

test("what is no observation has no trend, and is not asked for", async () => {
  const engine = openApp("chart", "/chart?section=problems&type=Condition&id=k1");
  await screen.findByTestId("record-detail");
  expect(engine.calls.some(({ command }) => command === "trend_get")).toBe(false);
});

function measured(number: number, unit: string, more: Partial<MeasuredView> = {}): MeasuredView {
  return { part: null, number, text: `${number} ${unit}`, comparator: null, unit, unitWords: unit, low: null, high: null, flag: null, ...more };
}

function at(day: number, ...values: MeasuredView[]): MeasurementView {
  return { key: { connectionId: "c1", resourceType: "Observation", id: `o${day}` }, date: { value: `2026-05-0${day}`, end: null }, at: day * 86_400_000, values, text: null, source: "s" };
}

test("numbers of different units never share a plot", () => {
  const panels = panelsOf([at(1, measured(5.5, "mmol/L")), at(2, measured(99, "mg/dL")), at(3, measured(104, "mg/dL"))]);
  expect(panels.map(({ unit, lines }) => [unit, lines[0]?.points.length])).toEqual([["mg/dL", 2], ["mmol/L", 1]]);
});

test("a blood pressure is two lines of one plot, and each point has the range of its own day", () => {
  const pressure = (high: number, low: number, limit: number) => [measured(high, "mmHg", { part: "Systolic", high: limit }), measured(low, "mmHg", { part: "Diastolic" })];
  const [panel, none] = panelsOf([at(1, ...pressure(148, 84, 140)), at(2, ...pressure(131, 79, 130))]);
  expect(none).toBeUndefined();
  expect(panel?.lines.map(({ part }) => part)).toEqual(["Systolic", "Diastolic"]);
  expect(columnsOf(panel!)).toEqual([[86_400, 172_800], [null, null], [140, 130], [148, 131], [null, null], [null, null], [84, 79]]);
  expect(extremesOf(panel!)?.most.text).toBe("148 mmHg");
});

test("the summary is printed by the system's dialog, and how many records were on it is told to the log", async () => {
  const engine = openApp("chart", "/chart");
  await userEvent.click(await screen.findByTestId("summary-print"));
  const { args } = engine.calls.find(({ command }) => command === "page_print") ?? {};
  expect(args).toEqual({ of: { connectionId: "c1" }, records: screen.getAllByTestId("summary-row").length });
});

test("the summary is saved for another app, and the results for a spreadsheet", async () => {
  const engine = openApp("chart", "/chart");
  for (const format of ["ips", "results"]) {
    await userEvent.click(await screen.findByTestId(`export-${format}`));
    expect(await screen.findByText(/^Saved in \/home\/ada\/Downloads/)).toBeVisible();
    expect(engine.calls.findLast(({ command }) => command === "records_export")?.args).toEqual({ of: { connectionId: "c1" }, format });
  }
});

test("what was done with the records can be read, and a copy of them saved", async () => {
  const engine = openApp("chart", "/connections");
  await userEvent.click(await screen.findByText("What was done with your records"));
  const log = await screen.findByTestId("access-log");
  expect(within(log).getAllByRole("listitem").map((entry) => entry.textContent)).toEqual([
    expect.stringMatching(/^A wrong passphrase was given.*This computer$/),
    expect.stringMatching(/^Records were received.*Lakeside Family Clinic \(fhir\.lakeside\.example\).*216 records/),
    expect.stringMatching(/^Sign-in.*Access was not granted at the portal\./),
    expect.stringMatching(/^Records were written to files.*All servers.*1 record.*Not all of it/),
  ]);
  await userEvent.click(screen.getByText("Save a copy of these records"));
  expect(screen.getByText(/These files are not encrypted/)).toBeVisible();
  await userEvent.click(screen.getByTestId("export-bundle"));
  expect(await screen.findByText(/^Saved in \/home\/ada\/Downloads/)).toBeVisible();
  expect(engine.calls.find(({ command }) => command === "records_export")?.args).toEqual({ of: { connectionId: "c1" }, format: "bundle" });
});

test("a system that calls its language C gets English numbers, and one with a language keeps it", () => {
  const language = vi.spyOn(navigator, "language", "get").mockReturnValue("C");
  ensureLanguage();
  expect(() => new Intl.NumberFormat(navigator.language)).not.toThrow();
  expect(navigator.language).toBe("en");
  language.mockRestore();
  Reflect.deleteProperty(navigator, "language");
  const own = navigator.language;
  ensureLanguage();
  expect(navigator.language).toBe(own);
});
