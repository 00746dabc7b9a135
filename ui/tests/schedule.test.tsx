/** Sources that are fetched by themselves: what is read of it, what is chosen, and how a time is said. */
import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import type { ConnectionScheduleView } from "../src/api/bindings";
import { whenInWords } from "../src/features/connections/when";
import { DENIED, type FakeEngine } from "../dev/engine";
import { SETTINGS } from "../dev/schedule";
import { openApp, words } from "./support";

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command).map((call) => call.args);

describe("a source", () => {
  test("says when it is fetched next, and another rhythm is one choice away", async () => {
    const engine = openApp("chart", "/connections");
    expect(await screen.findByTestId("schedule-next")).toHaveTextContent(/^Next: (today|tomorrow), about \d+:[03]0\s[AP]M\.$/);
    const every = screen.getByRole("combobox", { name: "Fetch new records by itself" });
    expect(within(every).getAllByRole("option").map((one) => one.textContent)).toEqual(["every 3 hours", "every 6 hours", "every 12 hours", "once a day", "once a week", "never"]);
    await userEvent.selectOptions(every, "never");
    expect(asked(engine, "schedule_choose")).toEqual([{ connectionId: "c1", every: "off" }]);
    await expect.poll(() => screen.queryByTestId("schedule-next")).toBeNull();
  });

  test.each<[Partial<ConnectionScheduleView>, RegExp]>([
    [{ wait: "signIn", nextAt: null }, /^Waits until you sign in\.$/],
    [{ wait: "battery", due: true }, /^Due\. Waits until this computer is plugged in\.$/],
    [{ wait: "metered", due: true }, /^Due\. Waits for a network that is not metered\.$/],
    [{ due: true }, /^Next: in a few minutes\.$/],
    [{ wait: "afterFailure", nextAt: new Date(Date.now() + 1_800_000).toISOString() }, /^The last try failed\. Next: within the hour\.$/],
  ])("says what it waits for: %j", async (change, said) => {
    const engine = openApp("chart", "/connections");
    await screen.findByTestId("schedule-next");
    const schedule = { connectionId: "c1", every: "daily", nextAt: new Date().toISOString(), due: false, wait: null, ...change };
    engine.answer("schedule_get", () => ({ settings: SETTINGS, connections: [schedule] }));
    act(() => { engine.emit({ type: "connectionsChanged" }); });
    await expect.poll(() => screen.getByTestId("schedule-next").textContent).toMatch(said);
  });

  test("that is files has no rhythm", async () => {
    openApp("many", "/connections");
    await screen.findAllByTestId("schedule-every");
    const card = screen.getAllByTestId("connection-card").find((one) => one.dataset.base?.startsWith("urn:satchel:imported:"))!;
    expect(within(card).queryByTestId("schedule-every")).toBeNull();
  });

  test("whose choice could not be kept says so", async () => {
    const engine = openApp("chart", "/connections");
    engine.answer("schedule_choose", () => { throw DENIED as unknown as Error; });
    await userEvent.selectOptions(await screen.findByTestId("schedule-every"), "once a week");
    expect(await screen.findByTestId("problem")).toHaveTextContent(DENIED.message);
  });
});

test("battery, network and notifications are set for all sources, and told in words before", async () => {
  const engine = openApp("chart", "/connections");
  await userEvent.click(await screen.findByText("Battery, network and notifications"));
  expect(screen.getByRole("checkbox", { name: /^Tell me when a source needs me to sign in/ })).toBeChecked();
  const records = screen.getByRole("checkbox", { name: /^Tell me when new records have arrived.*nothing of what they are/ });
  expect(records).not.toBeChecked();
  await userEvent.click(records);
  await userEvent.click(await screen.findByTestId("schedule-alsoOnBattery"));
  await expect.poll(() => asked(engine, "schedule_settings_set")).toEqual([
    { settings: { ...SETTINGS, notifyNewRecords: true } },
    { settings: { ...SETTINGS, notifyNewRecords: true, alsoOnBattery: true } },
  ]);
});

describe("a time to come", () => {
  const now = new Date(2026, 10, 25, 8, 40).getTime();
  test.each<[string, Date]>([
    ["in a few minutes", new Date(2026, 10, 25, 8, 41)],
    ["within the hour", new Date(2026, 10, 25, 9, 39)],
    ["today, about 9:30 PM", new Date(2026, 10, 25, 21, 17)],
    ["tomorrow, about 12:00 AM", new Date(2026, 10, 25, 23, 50)],
    ["tomorrow, about 9:00 AM", new Date(2026, 10, 26, 9, 3)],
    ["Tuesday, about 9:00 AM", new Date(2026, 11, 1, 9, 3)],
    ["December 3, 2026, about 9:00 AM", new Date(2026, 11, 3, 9, 3)],
  ])("%s", (said, at) => {
    expect(whenInWords(at.toISOString(), now, words).replace(/\s/g, " ")).toBe(said);
  });
});
