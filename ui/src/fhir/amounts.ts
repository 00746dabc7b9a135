/** Quantity, Range, Ratio, Money and SampledData as text. */
import type { RecordSummaryView } from "../api/bindings";
import type { Words } from "../i18n";
import { decimal, isObject, object, text, type Json, type JsonObject } from "./json";

/** More digits than JavaScript calculates with: the reader's number format would round them, or say "infinite". */
const TOO_LONG = 15;

/** A decimal with the digits that it was given with, in the reader's number format. */
export function numberWords(words: Words, value: Json | undefined): string | undefined {
  const written = decimal(value);
  if (written === undefined) return undefined;
  if (/e/i.test(written) || written.replace(/^-?0*\.?0*|\D/g, "").length > TOO_LONG) return written;
  const digits = written.split(".")[1]?.length ?? 0;
  return words.intl.formatNumber(Number(written), { minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 0) });
}

/** A unit as people write it; UCUM codes only where nothing else was given. */
function unitWords(words: Words, quantity: JsonObject): string | undefined {
  const unit = text(quantity.unit) ?? text(quantity.code);
  if (!unit || unit === "1") return undefined;
  return words.find(`unit.${unit}`) ?? unit.replace(/[{}]/g, "").replace(/\[([^\]]*)\]/g, "$1");
}

export function quantityWords(words: Words, quantity: Json | undefined): string | undefined {
  if (!isObject(quantity)) return numberWords(words, quantity);
  const amount = numberWords(words, quantity.value) ?? text(quantity.value);
  const unit = unitWords(words, quantity);
  if (amount === undefined) return unit;
  const compared = [text(quantity.comparator), amount].filter(Boolean).join(" ");
  return unit ? (unit === "%" ? `${compared}%` : `${compared} ${unit}`) : compared;
}

/** "3.5 – 5.1 mmol/L": the unit is said once. */
export function rangeWords(words: Words, range: Json | undefined): string | undefined {
  const low = isObject(range) ? object(range.low) : undefined;
  const high = isObject(range) ? object(range.high) : undefined;
  if (low && high) {
    const same = unitWords(words, low) === unitWords(words, high);
    const from = same ? numberWords(words, low.value) : quantityWords(words, low);
    return [from, quantityWords(words, high)].filter(Boolean).join(" – ") || undefined;
  }
  if (low) return words.t("range.atLeast", { value: quantityWords(words, low) ?? "" });
  return high && words.t("range.atMost", { value: quantityWords(words, high) ?? "" });
}

export function ratioWords(words: Words, ratio: Json | undefined): string | undefined {
  if (!isObject(ratio)) return undefined;
  const top = quantityWords(words, ratio.numerator);
  const denominator = object(ratio.denominator);
  const bottom = quantityWords(words, denominator);
  if (!top || !bottom) return top ?? bottom;
  const bare = denominator && !unitWords(words, denominator);
  return bare ? (decimal(denominator.value) === "1" ? top : `${top} : ${bottom}`) : words.t("ratio.per", { top, bottom: bottom.replace(/^1 /, "") });
}

export function moneyWords(words: Words, money: Json | undefined): string | undefined {
  if (!isObject(money)) return undefined;
  const amount = decimal(money.value);
  if (amount === undefined) return text(money.currency);
  const currency = text(money.currency);
  if (!currency || !/^[A-Z]{3}$/.test(currency)) return numberWords(words, money.value);
  return words.intl.formatNumber(Number(amount), { style: "currency", currency });
}

export function sampledWords(words: Words, sampled: JsonObject): string {
  const points = text(sampled.data)?.split(/\s+/).length ?? 0;
  return words.t("sampled.points", { points });
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

export function sizeWords(words: Words, bytes: number): string {
  const step = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 0), SIZES.length - 1);
  const unit = SIZES[step] ?? "byte";
  return words.intl.formatNumber(bytes / 1000 ** step, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 });
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
const AMOUNT = new RegExp(`^((?:[<>≤≥] )?)(${NUMBER})((?: \\S.*)?)$`);
const BETWEEN = new RegExp(`^(${NUMBER}) to (${NUMBER}(?: \\S.*)?)$`);
const AT_LEAST = new RegExp(`^(${NUMBER}(?: \\S.*)?) or more$`);
const UP_TO = new RegExp(`^up to (${NUMBER}(?: \\S.*)?)$`);

/** A number with its unit as the engine keeps it: with all of its digits, and the reader's decimal sign. */
export function amountSaid(words: Words, said: string): string {
  const [, before = "", number, behind = ""] = AMOUNT.exec(said) ?? [];
  if (!number?.includes(".")) return said;
  const sign = words.intl.formatNumberToParts(1.5).find(({ type }) => type === "decimal")?.value ?? ".";
  return `${before}${number.replace(".", sign)}${behind}`;
}

/** A range as the engine keeps it, "3.5 to 5.1 mmol/L", or as the source says it. */
export function rangeSaid(words: Words, said: string): string {
  const [, low, high] = BETWEEN.exec(said) ?? [];
  if (low && high) return words.t("range.between", { low: amountSaid(words, low), high: amountSaid(words, high) });
  const least = AT_LEAST.exec(said)?.[1];
  if (least) return words.t("range.atLeast", { value: amountSaid(words, least) });
  const most = UP_TO.exec(said)?.[1];
  return most ? words.t("range.upTo", { value: amountSaid(words, most) }) : said;
}

/** The value of a row: what was measured as a number of the reader's language, the engine's words in it, and the source's own as they are. */
export function valueSaid(words: Words, { value, measured }: Pick<RecordSummaryView, "value" | "measured">): string {
  if (value === null) return "";
  return measured ? amountSaid(words, value) : words.said(value);
}
