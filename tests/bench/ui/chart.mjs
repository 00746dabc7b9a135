/** A person's chart of many records over forty years, as lines of NDJSON. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";

const LABS = [
  ["2951-2", "Sodium", "mmol/L", 136, 145],
  ["2823-3", "Potassium", "mmol/L", 3.5, 5.1],
  ["2160-0", "Creatinine", "mg/dL", 0.6, 1.2],
  ["4548-4", "Hemoglobin A1c", "%", 4, 5.6],
  ["718-7", "Hemoglobin", "g/dL", 12, 16],
  ["2093-3", "Cholesterol", "mg/dL", 100, 199],
  ["3016-3", "Thyrotropin", "mIU/L", 0.4, 4],
  ["2345-7", "Glucose", "mg/dL", 70, 99],
];
const OTHERS = ["Encounter", "MedicationRequest", "Condition", "Immunization", "Procedure"];
const patient = { reference: "Patient/bench" };
const category = (code) => [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code }] }];

function lab(number, day) {
  const [code, display, unit, low, high] = LABS[number % LABS.length];
  const value = Number((low + ((number * 37) % 100) / 70 * (high - low)).toFixed(2));
  return {
    resourceType: "Observation", id: `lab-${number}`, status: "final", category: category("laboratory"),
    code: { coding: [{ system: "http://loinc.org", code, display }] }, subject: patient, effectiveDateTime: day,
    valueQuantity: { value, unit, system: "http://unitsofmeasure.org", code: unit },
    referenceRange: [{ low: { value: low, unit }, high: { value: high, unit } }],
    ...(value > high ? { interpretation: [{ coding: [{ code: "H" }] }] } : {}),
  };
}

function other(number, day) {
  const resourceType = OTHERS[number % OTHERS.length];
  const base = { resourceType, id: `other-${number}`, subject: patient };
  switch (resourceType) {
    case "Encounter": return { ...base, status: "finished", class: { code: "AMB" }, type: [{ text: "Office visit" }], period: { start: day, end: day } };
    case "MedicationRequest": return { ...base, status: number % 3 ? "completed" : "active", intent: "order", medicationCodeableConcept: { text: "Metformin 500 MG Oral Tablet" }, authoredOn: day };
    case "Condition": return { ...base, clinicalStatus: { coding: [{ code: number % 4 ? "resolved" : "active" }] }, code: { text: "Type 2 diabetes mellitus" }, onsetDateTime: day };
    case "Immunization": return { resourceType, id: base.id, patient, status: "completed", vaccineCode: { text: "Influenza, seasonal" }, occurrenceDateTime: day };
    default: return { ...base, status: "completed", code: { text: "Colonoscopy" }, performedDateTime: day };
  }
}

/** Writes a Patient and `count` records of theirs. */
export async function writeChart(path, count) {
  const file = createWriteStream(path);
  const first = Date.UTC(1986, 0, 1);
  const apart = (Date.UTC(2026, 0, 1) - first) / count;
  file.write(`${JSON.stringify({ resourceType: "Patient", id: "bench", name: [{ given: ["Ada"], family: "Bench" }], birthDate: "1960-05-01", gender: "female" })}\n`);
  for (let number = 0; number < count; number += 1) {
    const day = new Date(first + number * apart).toISOString().slice(0, 10);
    const record = number % 5 === 4 ? other(Math.floor(number / 5), day) : lab(number, day);
    if (!file.write(`${JSON.stringify(record)}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}
