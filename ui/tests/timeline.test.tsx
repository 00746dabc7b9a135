/** Everything by date: days, years to jump to, and what is left when only some of it is wanted. */
import { configure, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { openApp } from "./support";

vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 10_000 });

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(92);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(640);
});

const shown = async () => within(await screen.findByTestId("timeline"));

test("each day is said once, above its records", async () => {
  openApp("chart", "/chart?section=timeline");
  const timeline = await shown();
  await timeline.findAllByTestId("record-row");
  expect(timeline.getAllByText("Nov 20, 2026", { selector: "p" })).toHaveLength(1);
  expect(timeline.getByTestId("chart-section-title")).toHaveTextContent("Timeline");
});

test("only what stands out, and only of one kind", async () => {
  const engine = openApp("chart", "/chart?section=timeline");
  const timeline = await shown();
  const abnormal = timeline.getByTestId("timeline-abnormal");
  await userEvent.click(abnormal);
  expect(abnormal).toHaveAttribute("aria-pressed", "true");
  await userEvent.selectOptions(timeline.getByTestId("timeline-kind"), "vitals");
  const wanted = () => engine.calls.filter(({ command }) => command === "timeline_list").at(-1)?.args;
  await expect.poll(wanted).toMatchObject({ of: { connectionId: "c1" }, filter: { section: "vitals", abnormal: true } });
  await expect.poll(() => timeline.getAllByTestId("record-row").map((row) => row.textContent)).toEqual([expect.stringContaining("Blood pressure")]);
  await userEvent.selectOptions(timeline.getByTestId("timeline-kind"), "procedures");
  expect(await timeline.findByText("No record is of this kind.")).toBeVisible();
});

test("the years are there to jump to, each with how much it has", async () => {
  openApp("chart", "/chart?section=timeline");
  const timeline = await shown();
  await timeline.findAllByTestId("record-row");
  const years = within(timeline.getByTestId("timeline-year")).getAllByRole("option").map((option) => option.textContent);
  expect(years[1]).toMatch(/^2026 \(\d+\)$/);
  expect(years.at(-1)).toMatch(/^No date given \(\d+\)$/);
});

test("a record opens beside the timeline", async () => {
  openApp("chart", "/chart?section=timeline");
  const [row] = await (await shown()).findAllByTestId("record-row");
  await userEvent.click(row!);
  expect(await screen.findByTestId("record-detail")).toHaveTextContent("Progress note");
  expect(screen.getByTestId("timeline")).toBeVisible();
});
