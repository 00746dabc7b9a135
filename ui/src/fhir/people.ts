/** HumanName, Address, ContactPoint and Identifier as text. */
import type { Words } from "../i18n";
import { codeWords, conceptWords } from "./codes";
import { isObject, object, text, texts, type Json, type JsonObject } from "./json";
import { periodWords } from "./dosing";

export function nameWords(name: JsonObject): string | undefined {
  const parts = [...texts(name.prefix), ...texts(name.given), text(name.family), ...texts(name.suffix)].filter(Boolean);
  return text(name.text) ?? (parts.join(" ") || undefined);
}

export function addressWords(address: JsonObject): string | undefined {
  const town = [text(address.city), [text(address.state), text(address.postalCode)].filter(Boolean).join(" ")].filter(Boolean).join(", ");
  const parts = [...texts(address.line), town, text(address.district), text(address.country)].filter(Boolean);
  return parts.length > 0 ? parts.join("\n") : text(address.text);
}

/** What it is used for, when that is worth saying: "Work", "Old, until 2019". */
export function useWordsOf(words: Words, thing: JsonObject): string | undefined {
  const use = text(thing.use);
  const said = use && use !== "official" && use !== "usual" ? codeWords(words, use) : undefined;
  return words.facts([said, periodWords(words, thing.period)]) || undefined;
}

const NAMED_SYSTEMS: [RegExp, string][] = [
  [/us-ssn/, "identifier.ssn"],
  [/us-npi/, "identifier.npi"],
  [/us-mbi/, "identifier.mbi"],
  [/us-dl|driver/, "identifier.dl"],
  [/bene_id/, "identifier.beneficiary"],
  [/clia/i, "identifier.clia"],
];

export function identifierLabel(words: Words, identifier: JsonObject): string {
  const type = object(identifier.type);
  const said = type && conceptWords(words, type);
  if (said) return said;
  const system = text(identifier.system);
  const known = NAMED_SYSTEMS.find(([pattern]) => system && pattern.test(system))?.[1];
  return (known && words.find(known)) ?? words.t("field.identifier");
}

export function contactLabel(words: Words, contact: JsonObject): string {
  const system = text(contact.system);
  return (system && (words.find(`contact.${system}`) ?? codeWords(words, system))) ?? words.t("contact.other");
}

/** Words for a data-absent-reason, or a null flavour, wherever it stands. */
export function absentWords(words: Words, reason: Json | undefined): string {
  const coded = isObject(reason) ? (text(object(reason.coding)?.code) ?? text(reason.code)) : text(reason);
  const known = coded && words.find(`absent.${coded}`);
  return known ?? (isObject(reason) ? conceptWords(words, reason) : undefined) ?? words.t("absent.unknown");
}
