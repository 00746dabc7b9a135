/** Made-up schedules for looking at the screens. */
import type { ConnectionScheduleView, ConnectionView, Every, ScheduleSettingsView } from "../src/api/bindings";

const HOUR = 3_600_000;

export const SETTINGS: ScheduleSettingsView = { alsoOnBattery: false, alsoOnMetered: false, notifySignIn: true, notifyNewRecords: false };

const HOURS: Record<Every, number | null> = { "3h": 3, "6h": 6, "12h": 12, daily: 22, weekly: 150, off: null };

/** Signed out: it waits. Offline: it is tried again. Else by its rhythm. */
export function scheduleOf({ id, state, reachability }: ConnectionView, every: Every = "daily"): ConnectionScheduleView {
  const hours = reachability === "offline" && every !== "off" ? 0.5 : HOURS[every];
  const nextAt = hours === null || state !== "connected" ? null : new Date(Date.now() + hours * HOUR).toISOString();
  if (state !== "connected") return { connectionId: id, every, nextAt, due: false, wait: every === "off" ? null : "signIn" };
  return { connectionId: id, every, nextAt, due: false, wait: nextAt && reachability === "offline" ? "afterFailure" : null };
}
