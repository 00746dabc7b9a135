/** Which FHIR datatype a piece of JSON is, told by its element's name and its shape. */
import { parseFhirDate } from "./dates";
import { decimal, isObject, list, type Json, type JsonObject } from "./json";

export type Datatype =
  | "Address"
  | "Annotation"
  | "Attachment"
  | "Backbone"
  | "CodeableConcept"
  | "Coding"
  | "ContactPoint"
  | "Dosage"
  | "Extension"
  | "HumanName"
  | "Identifier"
  | "Money"
  | "Narrative"
  | "Period"
  | "Primitive"
  | "Quantity"
  | "Range"
  | "Ratio"
  | "Reference"
  | "Resource"
  | "SampledData"
  | "Timing";

const CONTACT_SYSTEMS = new Set(["phone", "fax", "email", "pager", "url", "sms", "other"]);

function hasOnly(value: JsonObject, names: readonly string[]): boolean {
  const allowed = new Set([...names, "id", "extension"]);
  return Object.keys(value).every((name) => allowed.has(name.replace(/^_/, "")));
}

interface Shape {
  type: Datatype;
  fits: (value: JsonObject, name: string) => boolean;
}

/** In order: the first that fits is it. */
const SHAPES: Shape[] = [
  { type: "Resource", fits: (v) => typeof v.resourceType === "string" },
  { type: "Narrative", fits: (v) => typeof v.div === "string" && hasOnly(v, ["status", "div"]) },
  { type: "Attachment", fits: (v, name) => "contentType" in v || name === "valueAttachment" || (name === "photo" && "url" in v) },
  { type: "Timing", fits: (v, name) => "repeat" in v || ("event" in v && /timing/i.test(name)) || /timing$/i.test(name) },
  { type: "Dosage", fits: (v, name) => /^dosage(Instruction)?$/.test(name) || "doseAndRate" in v },
  { type: "SampledData", fits: (v) => "origin" in v && "dimensions" in v },
  { type: "Ratio", fits: (v) => ("numerator" in v || "denominator" in v) && hasOnly(v, ["numerator", "denominator"]) },
  { type: "Range", fits: (v) => (isObject(v.low) || isObject(v.high)) && hasOnly(v, ["low", "high"]) },
  { type: "Period", fits: (v) => ("start" in v || "end" in v) && hasOnly(v, ["start", "end"]) && [v.start, v.end].every((x) => x === undefined || typeof x === "string") },
  { type: "Money", fits: (v) => "currency" in v && hasOnly(v, ["value", "currency"]) },
  { type: "CodeableConcept", fits: (v) => Array.isArray(v.coding) },
  { type: "Annotation", fits: (v, name) => typeof v.text === "string" && (name === "note" || "time" in v || "authorString" in v || "authorReference" in v) },
  { type: "CodeableConcept", fits: (v) => hasOnly(v, ["text"]) && "text" in v },
  { type: "ContactPoint", fits: (v) => typeof v.system === "string" && CONTACT_SYSTEMS.has(v.system) && hasOnly(v, ["system", "value", "use", "rank", "period"]) },
  { type: "Quantity", fits: (v, name) => hasOnly(v, ["value", "comparator", "unit", "system", "code"]) && (/(quantity|age|duration|count|distance)$/i.test(name) || (decimal(v.value) !== undefined && typeof v.value === "number") || "unit" in v) },
  { type: "Reference", fits: (v) => (typeof v.reference === "string" || typeof v.display === "string") && hasOnly(v, ["reference", "type", "identifier", "display"]) },
  { type: "Reference", fits: (v) => isObject(v.identifier) && hasOnly(v, ["type", "identifier", "display"]) },
  { type: "Coding", fits: (v) => ("code" in v || "display" in v) && typeof v.code !== "object" && hasOnly(v, ["system", "version", "code", "display", "userSelected"]) },
  { type: "Identifier", fits: (v, name) => /identifier$/i.test(name) || ("value" in v && typeof v.value !== "object" && ("system" in v || "assigner" in v) && hasOnly(v, ["use", "type", "system", "value", "period", "assigner"])) },
  { type: "HumanName", fits: (v) => ("family" in v || "given" in v) && hasOnly(v, ["use", "text", "family", "given", "prefix", "suffix", "period"]) },
  { type: "Address", fits: (v) => ("line" in v || "city" in v || "postalCode" in v || "state" in v || "country" in v) && hasOnly(v, ["use", "type", "text", "line", "city", "district", "state", "postalCode", "country", "period"]) },
];

export function datatypeOf(name: string, value: Json): Datatype {
  const sample = list(value).find((item) => item !== null);
  if (!isObject(sample)) return "Primitive";
  if (name === "extension" || name === "modifierExtension") return "Extension";
  return SHAPES.find(({ fits }) => fits(sample, name))?.type ?? "Backbone";
}

/** Deeper parts are left to the JSON. */
export const MAX_DEPTH = 10;

const DATE_NAME = /(date|datetime|instant|issued|authored|authoredOn|sent|received|created|time|lastUpdated|start|end|event|onset|abatement|recorded|performed|effective)$/i;

/** A primitive string that is a date: by its element's name, or because nothing else looks so. */
export function isDateLike(name: string, value: string): boolean {
  if (!parseFhirDate(value)) return false;
  return value.length > 7 || DATE_NAME.test(name);
}

/** Elements for machines: addresses of definitions, versions, raw data. */
export const TECHNICAL = new Set(["url", "instantiatesCanonical", "instantiatesUri", "implicitRules", "fullUrl", "questionnaire", "profile", "versionId", "linkId", "definition", "definitionUri", "definitionCanonical"]);
