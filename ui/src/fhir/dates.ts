/** FHIR dates keep the precision that they were given with; one that cannot be read stays as text. */
import type { IntlShape } from "react-intl";
import { clean } from "./json";

export interface FhirDate {
  precision: "year" | "month" | "day" | "time";
  /** Wall-clock moment, as UTC, so that no time zone moves it. */
  wall: Date;
  /** Minutes east of Greenwich, when the record says so. */
  offset?: number;
}

const PATTERN = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (zone === "Z") return 0;
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Reads a date, dateTime or instant; nothing when it is none. */
export function parseFhirDate(value: string): FhirDate | undefined {
  const match = PATTERN.exec(value.trim());
  if (!match) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => (part ? Number(part) : undefined));
  const wall = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  wall.setUTCFullYear(year, month - 1, day);
  const real = wall.getUTCMonth() === month - 1 && wall.getUTCDate() === day && hour < 24 && minute < 60 && second < 61;
  if (!real || year === 0) return undefined;
  const precision = match[4] ? "time" : match[3] ? "day" : match[2] ? "month" : "year";
  return { precision, wall, offset: offsetOf(match[7]) };
}

const DAY = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit" } as const;

/** What is not a moment at midnight Zulu is shown by the clock of the place where it was written. */
function formatTime(intl: IntlShape, date: FhirDate): string {
  const moment = new Date(date.wall.getTime() - (date.offset ?? 0) * 60_000);
  if (date.offset === 0) return intl.formatDate(moment, { ...DAY, ...CLOCK, timeZone: undefined });
  const here = -moment.getTimezoneOffset();
  const shown = intl.formatDate(date.wall, { ...DAY, ...CLOCK });
  if (date.offset === undefined || date.offset === here) return shown;
  const sign = date.offset < 0 ? "−" : "+";
  const hours = Math.floor(Math.abs(date.offset) / 60);
  const minutes = Math.abs(date.offset) % 60;
  return `${shown} (UTC${sign}${hours}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""})`;
}

/** What should have been a date may be a book. */
function inShort(said: string): string {
  return said.length <= 100 ? said : `${said.slice(0, 100)}…`;
}

/** A FHIR date in the reader's language, or the text as received. */
export function formatFhirDate(intl: IntlShape, value: string): string {
  const date = parseFhirDate(value);
  if (!date) return inShort(clean(value));
  if (date.precision === "year") return String(date.wall.getUTCFullYear());
  if (date.precision === "month") return intl.formatDate(date.wall, { month: "short", year: "numeric", timeZone: "UTC" });
  if (date.precision === "day") return intl.formatDate(date.wall, DAY);
  return formatTime(intl, date);
}

/** Only the day, for narrow rows. */
export function formatFhirDay(intl: IntlShape, value: string): string {
  const date = parseFhirDate(value);
  if (date?.precision !== "time") return formatFhirDate(intl, value);
  const moment = date.offset === 0 ? new Date(date.wall.getTime()) : date.wall;
  return intl.formatDate(moment, { ...DAY, timeZone: date.offset === 0 ? undefined : "UTC" });
}

/** From … to …, with what is missing said by `words`. */
export function formatFhirPeriod(
  intl: IntlShape,
  start: string | undefined,
  end: string | undefined,
  words: { since: (date: string) => string; until: (date: string) => string },
  format: (intl: IntlShape, value: string) => string = formatFhirDate,
): string | undefined {
  if (start && end) {
    const from = format(intl, start);
    const to = format(intl, end);
    return from === to ? from : `${from} – ${to}`;
  }
  if (start) return words.since(format(intl, start));
  return end ? words.until(format(intl, end)) : undefined;
}
