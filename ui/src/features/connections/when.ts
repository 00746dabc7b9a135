import type { Words } from "../../i18n";

const MINUTE = 60_000;
const HALF_HOUR = 30 * MINUTE;
const DAY = 24 * 60 * MINUTE;

function dayOf(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** A time to come, as exact as it is meant: "tomorrow, about 9:00 AM". */
export function whenInWords(at: string, now: number, { t, intl }: Words): string {
  const exact = new Date(at).getTime();
  if (exact - now < 2 * MINUTE) return t("schedule.soon");
  if (exact - now < 60 * MINUTE) return t("schedule.withinTheHour");
  const about = Math.round(exact / HALF_HOUR) * HALF_HOUR;
  const time = intl.formatTime(about, { timeStyle: "short" });
  // Days differ by an hour where clocks are changed.
  const days = Math.round((dayOf(about) - dayOf(now)) / DAY);
  if (days === 0) return t("schedule.today", { time });
  if (days === 1) return t("schedule.tomorrow", { time });
  const day = days < 7 ? intl.formatDate(about, { weekday: "long" }) : intl.formatDate(about, { dateStyle: "long" });
  return t("schedule.onDay", { day, time });
}
