/** Codes → words. Text first, then a name that travels with the code, then the catalogue; never a bare code. */
import type { Words } from "../i18n";
import { isObject, list, object, objects, text, type Json, type JsonObject } from "./json";

/** "onsetAge" → "Onset age", "entered-in-error" → "Entered in error". */
export function humanise(name: string): string {
  const spaced = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/[-_.]+/g, " ")
    .trim()
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Codes that are words already, as FHIR writes them: "entered-in-error", "vital-signs". */
const WORDLIKE = /^[a-z][a-z]+([-_ ][a-z]+)*$|^[a-z]+([A-Z][a-z]+)+$/;

/** Words for a code of a FHIR element or of an HL7 code system. */
export function codeWords(words: Words, code: string): string | undefined {
  return words.find(`code.${code}`) ?? (WORDLIKE.test(code) ? humanise(code) : undefined);
}

const SYSTEMS: [RegExp, string][] = [
  [/loinc\.org/, "LOINC"],
  [/snomed\.info/, "SNOMED CT"],
  [/rxnorm/i, "RxNorm"],
  [/icd-10-cm|6\.90$/, "ICD-10-CM"],
  [/icd-10/, "ICD-10"],
  [/icd-9/, "ICD-9-CM"],
  [/\/cvx/, "CVX"],
  [/\/mvx/, "MVX"],
  [/\/ndc/, "NDC"],
  [/ama-assn\.org/, "CPT"],
  [/unitsofmeasure/, "UCUM"],
  [/HCPCS/i, "HCPCS"],
  [/nucc/, "NUCC"],
  [/CodeSystem-hcpcs|cms\.gov/i, "CMS"],
  [/\bgmdn\b/i, "GMDN"],
  [/cdcrec|2\.16\.840\.1\.113883\.6\.238/, "CDC Race and Ethnicity"],
  [/terminology\.hl7\.org|hl7\.org/, "HL7"],
];

/** The name of a code system. */
function systemName(words: Words, system: string | undefined): string {
  if (!system) return words.t("code.noSystem");
  return SYSTEMS.find(([pattern]) => pattern.test(system))?.[1] ?? words.t("code.localSystem");
}

/** A status as the engine keeps it, "Entered in error", by its code. */
export function statusWords(words: Words, status: string): string {
  return words.find(`code.${status.toLowerCase().replaceAll(" ", "-")}`) ?? status;
}

/** Code systems in which short codes have a meaning of their own. */
const OWN_WORDS: [RegExp, string][] = [
  [/ObservationInterpretation|v2-0078/, "interpretation"],
  [/MaritalStatus/, "marital"],
];

function ownWords(words: Words, system: string | undefined, code: string): string | undefined {
  const own = OWN_WORDS.find(([pattern]) => system && pattern.test(system))?.[1];
  return own && words.find(`code.${own}.${code}`);
}

/** A Coding in words. */
export function codingWords(words: Words, coding: JsonObject): string | undefined {
  const code = text(coding.code);
  const display = text(coding.display);
  if (display && display !== code) return display;
  if (!code) return undefined;
  const known = ownWords(words, text(coding.system), code) ?? codeWords(words, code);
  if (known) return known;
  if (display && /[a-z]{3}/i.test(display)) return display;
  return words.t("code.unnamed", { system: systemName(words, text(coding.system)), code });
}

/** A CodeableConcept in words. */
export function conceptWords(words: Words, concept: Json | undefined): string | undefined {
  if (!isObject(concept)) return text(concept);
  const said = text(concept.text);
  if (said) return WORDLIKE.test(said) ? humanise(said) : said;
  const codings = objects(concept.coding);
  const named = codings.find((coding) => text(coding.display)) ?? codings[0];
  return named && codingWords(words, named);
}

/** Every concept of a list, in words. */
export function conceptsWords(words: Words, value: Json | undefined): string[] {
  return list(value).flatMap((item) => conceptWords(words, item) ?? []);
}

const CHOICE = /^(.+?)(CodeableConcept|Quantity|DateTime|Period|Range|Ratio|Boolean|Integer|SampledData|Timing|Age|Duration|Instant|Money|Attachment|Coding|HumanName|ContactPoint|Signature|Annotation|BackboneElement|UsageContext|UnsignedInt|PositiveInt|Markdown|Decimal|Url|Uri)$/;
const CHOICE_SHORT = /^(value|onset|abatement|effective|performed|occurrence|deceased|medication|reported|scheduled|serviced|located|location|procedure|diagnosis|product|collected|born|answer|due|start|entity|subject|target|content|definition|fixed|pattern|defaultValue|allowed|detail|topic|asNeeded|initial)(Date|Time|String|Reference|Code|Identifier|Address|Canonical|Id|Oid|Base64Binary|Expression)$/;

/** The element's own name, without the type that a choice element carries: valueQuantity → value. */
export function baseName(name: string): string {
  return (CHOICE_SHORT.exec(name) ?? CHOICE.exec(name))?.[1] ?? name;
}

/** The label of an element. */
export function fieldLabel(words: Words, name: string): string {
  const base = baseName(name);
  return words.find(`field.${name}`) ?? words.find(`field.${base}`) ?? humanise(base);
}

/** What a resource type is called by people. */
export function typeWords(words: Words, type: string | undefined): string {
  if (!type) return words.t("type.unknown");
  return words.find(`type.${type}`) ?? humanise(type);
}

const TITLE_FIELDS = ["code", "vaccineCode", "medicationCodeableConcept", "type", "description", "title", "content", "deviceName", "category"];

/** A short name of any resource: for contained ones, and for entries of a Bundle. */
export function resourceTitle(words: Words, resource: JsonObject): string {
  const name = object(resource.name);
  const person = name && (text(name.text) ?? [...list(name.given), name.family].flatMap((part) => text(part) ?? []).join(" "));
  const said = person || text(resource.name);
  if (said) return said;
  for (const field of TITLE_FIELDS) {
    const found = conceptsWords(words, resource[field])[0];
    if (found) return found;
  }
  return typeWords(words, text(resource.resourceType));
}

export interface FoundCode {
  where: string;
  meaning: string | undefined;
  system: string;
  code: string;
}

/** Every coding inside a resource, for the list of codes at the end. */
export function collectCodes(words: Words, value: Json | undefined, where = "", depth = 0, found: FoundCode[] = []): FoundCode[] {
  if (depth > 14 || found.length >= 200) return found;
  for (const item of list(value)) {
    if (!isObject(item)) continue;
    const code = text(item.code);
    if (code && text(item.system) && where && !("value" in item)) {
      const entry = { where, meaning: text(item.display), system: systemName(words, text(item.system)), code };
      if (!found.some((other) => other.system === entry.system && other.code === code)) found.push(entry);
    }
    for (const [name, child] of Object.entries(item)) {
      if (name === "meta" || name === "text") continue;
      collectCodes(words, child, name === "coding" || name === "extension" ? where || fieldLabel(words, name) : fieldLabel(words, name), depth + 1, found);
    }
  }
  return found;
}
