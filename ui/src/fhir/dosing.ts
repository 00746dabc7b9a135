/** Timing and Dosage in words. */
import type { Words } from "../i18n";
import { quantityWords, rangeWords, ratioWords, numberWords } from "./amounts";
import { codeWords, conceptsWords, conceptWords } from "./codes";
import { formatFhirDate, formatFhirPeriod } from "./dates";
import { decimal, isObject, object, objects, text, texts, type Json, type JsonObject } from "./json";

export function periodWords(words: Words, period: Json | undefined): string | undefined {
  if (!isObject(period)) return undefined;
  return formatFhirPeriod(words.intl, text(period.start), text(period.end), {
    since: (date) => words.t("period.since", { date }),
    until: (date) => words.t("period.until", { date }),
  });
}

function span(words: Words, amount: Json | undefined, max: Json | undefined): string | undefined {
  const low = numberWords(words, amount);
  const high = numberWords(words, max);
  return high && low ? `${low}–${high}` : (low ?? high);
}

function howOften(words: Words, repeat: JsonObject): string | undefined {
  const unit = text(repeat.periodUnit);
  const period = decimal(repeat.period) ?? "1";
  if (!unit) return undefined;
  const every = words.find(`every.${unit}`, { n: Number(period) });
  if (!every) return undefined;
  const frequency = decimal(repeat.frequency);
  if (repeat.frequencyMax !== undefined) {
    return words.t("timing.timesEvery", { times: span(words, repeat.frequency, repeat.frequencyMax) ?? "", every });
  }
  if (frequency === undefined || (frequency === "1" && period !== "1")) return every;
  return words.t("timing.often", { frequency: Number(frequency), every });
}

export function timingWords(words: Words, timing: Json | undefined): string | undefined {
  if (!isObject(timing)) return undefined;
  const repeat = object(timing.repeat) ?? {};
  const bounds = object(repeat.boundsPeriod);
  const parts = [
    howOften(words, repeat),
    words.list(texts(repeat.dayOfWeek).map((day) => words.find(`day.${day}`) ?? day)),
    words.list(texts(repeat.timeOfDay).map((time) => time.slice(0, 5))),
    words.list(texts(repeat.when).flatMap((when) => words.find(`when.${when}`) ?? codeWords(words, when) ?? [])),
    bounds && periodWords(words, bounds),
    repeat.boundsDuration && words.t("timing.for", { duration: quantityWords(words, repeat.boundsDuration) ?? "" }),
    rangeWords(words, repeat.boundsRange),
    decimal(repeat.count) && words.t("timing.count", { count: Number(decimal(repeat.count)) }),
    words.list(texts(timing.event).map((event) => formatFhirDate(words.intl, event))),
  ].filter((part): part is string => typeof part === "string" && part !== "");
  return parts.length > 0 ? words.facts(parts) : conceptWords(words, timing.code);
}

function doseWords(words: Words, rate: JsonObject): string | undefined {
  const dose = quantityWords(words, rate.doseQuantity) ?? rangeWords(words, rate.doseRange);
  const speed = ratioWords(words, rate.rateRatio) ?? rangeWords(words, rate.rateRange) ?? quantityWords(words, rate.rateQuantity);
  return words.facts([dose, speed && words.t("dosage.rate", { rate: speed })]) || undefined;
}

/** How to take it: the prescriber's own words when there are any. */
export function dosageWords(words: Words, dosage: JsonObject): string | undefined {
  const own = text(dosage.text) ?? text(dosage.patientInstruction);
  if (own) return own;
  const needed = dosage.asNeededBoolean === true ? words.t("dosage.asNeeded") : undefined;
  const reason = conceptWords(words, dosage.asNeededCodeableConcept);
  const limit = ratioWords(words, dosage.maxDosePerPeriod);
  const parts = [
    ...objects(dosage.doseAndRate).map((rate) => doseWords(words, rate)),
    conceptWords(words, dosage.method),
    conceptWords(words, dosage.route),
    conceptWords(words, dosage.site),
    timingWords(words, dosage.timing),
    reason ? words.t("dosage.asNeededFor", { reason }) : needed,
    ...conceptsWords(words, dosage.additionalInstruction),
    limit && words.t("dosage.atMost", { limit }),
  ];
  return words.facts(parts) || undefined;
}
