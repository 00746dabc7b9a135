/** The hostile records, made from the lists beside this file: each with a name, a number and an id. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DOCUMENTS } from "./documents.mjs";
import { MARKUP } from "./markup.mjs";
import { AMOUNTS, NAMES, NUMBERS, PLACES, SHAPES, TEXTS } from "./records.mjs";

const PATIENT = "hostile";
const SUBJECT = { reference: `Patient/${PATIENT}` };

/** The script and the address by which case `number` reports itself, in place of RUN, URL, HOST and NAME. */
export function arm(text, number, origins) {
  const origin = origins[number % origins.length];
  return text
    .replaceAll("RUN", `(top.ran=top.ran||[]).push(${number})`)
    .replaceAll("URL", `${origin}/${number}`)
    .replaceAll("HOST", new URL(origin).host)
    .replaceAll("NAME", String(number));
}

function narrative(div, kind) {
  return { resourceType: "Procedure", status: "completed", code: { text: kind }, text: { status: "generated", div } };
}

/** The content as a Binary of its own or in the record, by turns. */
function document(name, [contentType, text], number, armed) {
  const data = Buffer.from(armed(text)).toString("base64");
  const at = `doc-${number}`;
  const inside = number % 2 === 0;
  const attachment = inside ? { contentType, data } : { contentType, url: `Binary/${at}` };
  return {
    record: { resourceType: "DocumentReference", status: "current", description: name, content: [{ attachment: { title: name, ...attachment } }] },
    beside: inside ? [] : [{ resourceType: "Binary", id: at, contentType: armed(contentType), data }],
  };
}

/** [kind, name, what makes it], for all of them. */
function* blueprints() {
  for (const [name, markup] of Object.entries(MARKUP)) yield ["narrative", name, () => ({ record: narrative(markup, name) })];
  for (const [name, record] of Object.entries(PLACES)) yield ["text", name, () => ({ record })];
  for (const [name, content] of Object.entries(DOCUMENTS)) yield ["document", name, (number, armed) => document(name, content, number, armed)];
  for (const [kind, list] of Object.entries({ amount: AMOUNTS, letters: TEXTS, name: NAMES, number: NUMBERS, shape: SHAPES })) {
    for (const [name, make] of Object.entries(list)) yield [kind, name, () => ({ record: make() })];
  }
  for (const [name, markup] of Object.entries(MARKUP)) yield ["page", name, (number, armed) => document(`${name}, as a page`, ["text/html", `<!doctype html><html><body><h1>Readable</h1>${markup}</body></html>`], number, armed)];
}

/** All cases: { number, kind, name, type, id, json, beside }. */
export function corpus(origins) {
  return [...blueprints()].map(([kind, name, make], number) => {
    const armed = (text) => arm(text, number, origins);
    const { record, beside = [] } = make(number, armed);
    const id = armed(record.id ?? `case-${number}`);
    const json = typeof record === "string"
      ? armed(record.replaceAll("ID", id).replaceAll("SUBJECT", JSON.stringify(SUBJECT)))
      : armed(JSON.stringify({ ...record, id, subject: record.subject ?? SUBJECT }));
    const type = /"resourceType":"(\w+)"/.exec(json)[1];
    return { number, kind, name, type, id, json, beside: beside.map((one) => JSON.stringify(one)) };
  });
}

/** The person whose chart it is: hostile too. Numbered behind the cases. */
function patient(number, origins) {
  const evil = arm(`Mallory<script>RUN</script><img src=URL onerror=RUN>\u202e`, number, origins);
  return JSON.stringify({
    resourceType: "Patient", id: PATIENT, name: [{ family: evil, given: ["Eve", evil] }], gender: evil, birthDate: "2024-13-45",
    identifier: [{ type: { text: evil }, value: evil }], telecom: [{ system: "url", value: "javascript:alert(1)" }],
    address: [{ text: evil }], photo: [{ contentType: "image/png", url: `${origins[0]}/${number}` }],
    text: { status: "generated", div: `<div><img src="${origins[0]}/${number}">${evil}</div>` },
  });
}

/** Who says so, with a hostile name, about the first case. */
function provenance({ type, id }, number, origins) {
  const display = arm(`<img src=URL onerror=RUN>`, number, origins);
  return JSON.stringify({
    resourceType: "Provenance", id: "provenance", target: [{ reference: `${type}/${id}` }], recorded: display,
    agent: [{ type: { text: display }, who: { display }, onBehalfOf: { display } }],
  });
}

/** Writes the cases for `satchel-mock --load`. */
export function writeCorpus(folder, cases, origins) {
  const lines = [patient(cases.length, origins), provenance(cases[0], cases.length + 1, origins)];
  for (const { json, beside } of cases) lines.push(json, ...beside);
  writeFileSync(join(folder, "hostile.ndjson"), `${lines.join("\n")}\n`);
}
