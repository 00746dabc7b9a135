/** One person at two servers: together by their own word, the same fact once, and the way back. */
import { configure, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import { HOSPITAL } from "../dev/people";
import type { FakeEngine } from "../dev/engine";
import { NEVER, openApp } from "./support";

// The machine that builds has other things to do at the same time.
vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 10_000 });
const PATIENTLY = { timeout: 10_000 };

// jsdom lays nothing out; a list shows the rows that have room.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(92);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(640);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(400);
});

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command).map(({ args }) => args);
const first = async () => {
  const [row] = await screen.findAllByTestId("record-row");
  if (!row) throw new Error("no rows");
  return row;
};

test("whether two charts are of one person is asked, with what they have in common", async () => {
  const engine = openApp("maybe", "/chart");
  const question = await screen.findByTestId("same-person");
  expect(question).toHaveTextContent(/St\. Elsewhere.*Ada Marie Lindqvist, born .*1961.*Is this the same person\?/);
  expect(asked(engine, "person_chart")).toEqual([]);
  await userEvent.click(within(question).getByTestId("same-person-yes"));
  expect(asked(engine, "people_join")).toEqual([{ one: "c1", other: "c5" }]);
  expect(await screen.findByRole("option", { name: "Ada Marie Lindqvist – all 2 sources" })).toHaveProperty("selected", true);
  expect(screen.queryByTestId("same-person")).toBeNull();
});

test("a no is kept, and can be taken back under Connections", async () => {
  const engine = openApp("maybe", "/chart");
  await userEvent.click(await screen.findByTestId("same-person-no"));
  expect(asked(engine, "people_keep_apart")).toEqual([{ one: "c1", other: "c5" }]);
  await screen.findByTestId("nav-connections");
  await expect.poll(() => screen.queryByTestId("same-person"), PATIENTLY).toBeNull();
  await userEvent.click(screen.getByTestId("nav-connections"));
  const [join] = await screen.findAllByTestId("people-join");
  if (!join) throw new Error("no way back");
  await userEvent.click(join);
  expect(asked(engine, "people_join")).toHaveLength(1);
  const [together] = await screen.findAllByTestId("shown-together");
  expect(together).toHaveTextContent(HOSPITAL.serverName);
  await userEvent.click(within(together!).getByTestId("people-split"));
  expect(asked(engine, "people_split")).toEqual([{ connectionId: "c1" }]);
});

test("a chart starts with the person, and each row says where it is from", async () => {
  const engine = openApp("people", "/chart?section=problems");
  const row = await first();
  expect(asked(engine, "person_records")[0]).toMatchObject({ personId: "person-1" });
  expect(asked(engine, "records_list")).toEqual([]);
  expect(row).toHaveTextContent("2 sources");
  expect(row).toHaveTextContent(`Lakeside Family Clinic, ${HOSPITAL.serverName}`);
  expect(row).toHaveTextContent("Sources differ");
  const [, second] = screen.getAllByTestId("record-row");
  expect(second).not.toHaveTextContent("2 sources");
  expect(screen.getByTestId("offline-banner")).toHaveTextContent(HOSPITAL.serverName);
  expect(document.body.textContent).not.toMatch(NEVER);
});

test("as of when is said of each source, apart from a name that may be cut", async () => {
  openApp("people", "/chart?section=problems");
  await first();
  const dates = screen.getAllByText(/^as of /);
  expect(dates).toHaveLength(2);
  expect(dates[1]!.parentElement).toHaveTextContent(HOSPITAL.serverName);
});

test("each original opens beside the other, and they can be taken apart and put together", async () => {
  const engine = openApp("people", "/chart?section=problems");
  await userEvent.click(await first());
  const originals = await screen.findByTestId("originals");
  expect(originals).toHaveTextContent("2 sources say this");
  const [mine, theirs] = within(originals).getAllByTestId("original");
  expect(mine).toHaveAttribute("aria-current", "true");
  await userEvent.click(theirs!);
  expect(asked(engine, "record_get").at(-1)).toMatchObject({ key: { connectionId: "c5" } });
  const opened = await screen.findByTestId("originals");
  await expect.poll(() => within(opened).getAllByTestId("original")[1]?.getAttribute("aria-current"), PATIENTLY).toBe("true");
  expect(await first()).toHaveAttribute("aria-current", "true");
  await userEvent.click(screen.getByTestId("take-apart"));
  expect(asked(engine, "records_take_apart")[0]).toMatchObject({ key: { connectionId: "c5" } });
  const apart = await screen.findByTestId("kept-apart");
  expect(screen.queryByTestId("originals")).toBeNull();
  await userEvent.click(within(apart).getByTestId("put-together"));
  expect(await screen.findByTestId("originals")).toBeVisible();
});

test("the originals can be read by everybody", async () => {
  openApp("people", "/chart?section=problems");
  await userEvent.click(await first());
  await screen.findByTestId("originals");
  const problems = (await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } })).violations;
  expect(problems).toEqual([]);
});

test("a source alone is one choice away, without the others", async () => {
  const engine = openApp("people", "/chart?section=problems");
  await first();
  await userEvent.selectOptions(screen.getByTestId("chart-switcher"), HOSPITAL.id);
  await expect.poll(() => asked(engine, "chart_get").at(-1), PATIENTLY).toEqual({ connectionId: "c5" });
  await expect.poll(() => asked(engine, "overview_get").at(-1), PATIENTLY).toEqual({ of: { connectionId: "c5" } });
});
