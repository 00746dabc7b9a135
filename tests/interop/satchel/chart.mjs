/** A small chart of somebody who never lived: enough laboratory results for several pages. */
export const PATIENT = "interop-1";

const subject = { reference: `Patient/${PATIENT}` };
const coded = (system, code, display) => ({ coding: [{ system, code, display }], text: display });
const CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category";
const status = (kind, code) => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${kind}`, code }] });

export const CHART = [
  { resourceType: "Patient", id: PATIENT, name: [{ family: "Interop", given: ["Ida"] }], gender: "female", birthDate: "1980-02-29" },
  ...Array.from({ length: 45 }, (_, index) => ({
    resourceType: "Observation", id: `lab-${index}`, status: "final", subject,
    category: [coded(CATEGORY, "laboratory", "Laboratory")],
    code: coded("http://loinc.org", "4548-4", "Hemoglobin A1c"),
    effectiveDateTime: `20${String(10 + (index % 15)).padStart(2, "0")}-03-0${1 + (index % 9)}`,
    valueQuantity: { value: 5 + index / 10, unit: "%", system: "http://unitsofmeasure.org", code: "%" },
  })),
  ...["Hypertension", "Asthma"].map((name, index) => ({
    resourceType: "Condition", id: `problem-${index}`, subject,
    clinicalStatus: status("condition-clinical", "active"),
    category: [coded("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item", "Problem List Item")],
    code: { text: name },
  })),
  { resourceType: "AllergyIntolerance", id: "allergy-1", patient: subject, clinicalStatus: status("allergyintolerance-clinical", "active"), code: { text: "Penicillin" } },
];
