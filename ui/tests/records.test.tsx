/** Every resource in plain words: the made-up ones, and all of the real ones where the folder is present. */
import { render } from "@testing-library/react";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { RECORDS } from "../dev/records";
import { conceptWords } from "../src/fhir/codes";
import { decimal, isObject, objects, readResource, text, type Json, type JsonObject } from "../src/fhir/json";
import { ResourceView } from "../src/fhir/ResourceView";
import { WordsProvider } from "../src/i18n";
import { NEVER, words } from "./support";

const FOLDER = process.env.SATCHEL_SHARED_DATA ?? resolve(import.meta.dirname, "../../../shared/data");
/** Of each long file, evenly spread. */
const SAMPLE = 12;

interface Shown {
  all: string;
  /** Without the codes at the end, and without the source's own narrative. */
  own: string;
}

function show(resource: JsonObject): Shown {
  const { container, unmount } = render(
    <WordsProvider>
      <ResourceView resource={resource} />
    </WordsProvider>,
  );
  const all = container.textContent;
  container.querySelectorAll("details, .narrative").forEach((part) => { part.remove(); });
  const own = container.textContent;
  unmount();
  return { all, own };
}

/**
 * Shown in words of our own (kinds of identifiers, race and ethnicity, addresses, the way of taking beside
 * the prescriber's sentence), in the header (whose record it is), or one click away.
 */
const OTHERWISE = new Set(["meta", "contained", "identifier", "subject", "patient", "beneficiary", "extension", "address", "route", "basedOn", "partOf"]);
const UNKNOWN = /data-absent-reason|NullFlavor/;

/** What the record says to people: a concept by its text or else by its first name, and free text. */
function sentences(value: Json | undefined, name = ""): string[] {
  if (OTHERWISE.has(name)) return [];
  if (typeof value === "string") return (name === "display" || name === "text") && /[a-z]{3}/.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => sentences(item, name));
  if (!isObject(value) || "div" in value) return [];
  if (!Array.isArray(value.coding)) return Object.entries(value).flatMap(([key, item]) => sentences(item, key));
  if (objects(value.coding).some(({ system }) => UNKNOWN.test(text(system) ?? ""))) return [];
  return [conceptWords(words, value)].flatMap((said) => said ?? []);
}

const bare = (said: string) => said.replace(/[\s\u200b-\u200f\u202a-\u202e]+/g, " ").trim().toLowerCase();

function check(resource: JsonObject) {
  const { all, own } = show(resource);
  expect(all).not.toMatch(NEVER);
  expect(all, "no extension's address is read to a person").not.toMatch(/StructureDefinition\//);
  const title = conceptWords(words, resource.code);
  if (title) expect(bare(all)).toContain(bare(title));
  const quantity = resource.valueQuantity;
  if (isObject(quantity) && decimal(quantity.value)) {
    const digits = String(decimal(quantity.value)).replace(/\D/g, "");
    expect(own.replace(/\D/g, ""), "the value is shown, to its last digit").toContain(digits);
  }
  const status = text(resource.status);
  if (status === "entered-in-error") expect(own.toLowerCase()).toContain("error");
  return { all, missing: sentences(resource).filter((said) => !bare(all).includes(bare(said).slice(0, 60))) };
}

describe("made-up records", () => {
  test.each(RECORDS.map(({ summary, json }) => [`${summary.key.resourceType}/${summary.key.id}`, json] as const))("%s", (_name, json) => {
    const resource = readResource(json);
    expect(resource).toBeDefined();
    if (resource) check(resource);
  });
});

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return /\.(json|ndjson)$/.test(entry.name) ? [path] : [];
  });
}

function resourcesOf(path: string): JsonObject[] {
  const content = readFileSync(path, "utf8");
  const lines = path.endsWith(".ndjson") ? content.split("\n").filter((line) => line.trim()) : [content];
  const every = Math.max(1, Math.floor(lines.length / SAMPLE));
  return lines
    .filter((_, index) => index % every === 0)
    .map((line) => readResource(line) ?? {})
    .flatMap((one) => (one.resourceType === "Bundle" ? objects(one.entry).flatMap((entry) => objects(entry.resource)) : [one]))
    .filter((one) => typeof one.resourceType === "string");
}

describe.skipIf(!existsSync(FOLDER))("real records of the shared folder", () => {
  const files = existsSync(FOLDER) ? filesUnder(FOLDER) : [];

  test("there are many", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  test.each(files.map((path) => [path.slice(FOLDER.length + 1), path] as const))("%s", (_name, path) => {
    for (const resource of resourcesOf(path)) {
      const { missing } = check(resource);
      expect(missing, "what the record says to people is shown").toEqual([]);
    }
  });
});
