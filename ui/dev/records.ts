/** Made-up records for looking at the screens. */
import type { RecordSummaryView, Section } from "../src/api/bindings";

export interface Fixture {
  summary: RecordSummaryView;
  json: string;
  references: { reference: string; title: string; type: string; id: string }[];
}

type Row = Partial<Omit<RecordSummaryView, "key" | "section" | "title">>;

function make(section: Section, title: string, resource: Record<string, unknown>, row: Row = {}, references: Fixture["references"] = []): Fixture {
  const { resourceType, id } = resource as { resourceType: string; id: string };
  return {
    json: JSON.stringify(resource),
    references,
    summary: {
      key: { connectionId: "c1", resourceType, id },
      section,
      title,
      subtitle: null,
      status: null,
      date: null,
      value: null,
      measured: false,
      range: null,
      flag: null,
      malformed: null,
      performer: null,
      withdrawnAt: null,
      source: "Lakeside Family Clinic",
      alsoFrom: [],
      ...row,
    },
  };
}

const subject = { reference: "Patient/p1", display: "Ada Marie Lindqvist" };
const DOCTOR = { reference: "Practitioner/d1" };
const DOCTOR_NAMED = [{ reference: "Practitioner/d1", title: "Dr. Samuel Okafor, MD", type: "Practitioner", id: "d1" }];

const HAND_MADE: Fixture[] = [
  make("patient", "Ada Marie Lindqvist", {
    resourceType: "Patient", id: "p1", meta: { lastUpdated: "2026-11-20T08:00:00Z" },
    text: { status: "generated", div: '<div xmlns="http://www.w3.org/1999/xhtml"><p><b>Ada Marie Lindqvist</b>, born <i>14 March 1961</i></p><script>alert(1)</script><img src="https://evil.example/x.png" onerror="alert(2)"/></div>' },
    extension: [
      { url: "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", extension: [{ url: "ombCategory", valueCoding: { system: "urn:oid:2.16.840.1.113883.6.238", code: "2106-3", display: "White" } }, { url: "text", valueString: "White" }] },
      { url: "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", valueCode: "F" },
    ],
    identifier: [{ type: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/v2-0203", code: "MR" }] }, value: "MRN-204-551-83", system: "urn:lakeside:mrn" }],
    name: [{ use: "official", given: ["Ada", "Marie"], family: "Lindqvist" }, { use: "maiden", family: "Berg", given: ["Ada"] }],
    gender: "female", birthDate: "1961-03-14", active: true,
    telecom: [{ system: "phone", value: "+1 218 555 0148", use: "home" }],
    address: [{ line: ["12 Harbour Road"], city: "Duluth", state: "MN", postalCode: "55802", country: "USA" }],
    communication: [{ language: { coding: [{ system: "urn:ietf:bcp:47", code: "en-US" }] }, preferred: true }],
    generalPractitioner: [DOCTOR],
  }, { subtitle: "65 years, female" }, DOCTOR_NAMED),
  make("problems", "High blood pressure", {
    resourceType: "Condition", id: "k1", clinicalStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }] },
    verificationStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-ver-status", code: "confirmed" }] },
    code: { coding: [{ system: "http://snomed.info/sct", code: "59621000", display: "Essential hypertension" }], text: "High blood pressure" },
    onsetDateTime: "2019-04", recordedDate: "2019-04-02", subject, recorder: DOCTOR, note: [{ text: "Home readings are better than those in the clinic.", time: "2026-06-02T09:12:00-05:00" }],
  }, { status: "Active", date: { value: "2019-04", end: null }, subtitle: "Recorded by Dr. Samuel Okafor, MD" }, DOCTOR_NAMED),
  make("problems", "Type 2 diabetes without complications", { resourceType: "Condition", id: "k2", code: { text: "Type 2 diabetes without complications" }, subject, onsetDateTime: "2021" }, { status: "Active", date: { value: "2021", end: null }, withdrawnAt: "2026-11-24T10:32:00Z" }),
  make("problems", "Broken left wrist", { resourceType: "Condition", id: "k3", code: { text: "Broken left wrist" }, subject, onsetDateTime: "2015-01-09", abatementDateTime: "2015-03-20" }, { status: "Resolved", date: { value: "2015-01-09", end: "2015-03-20" } }),
  make("problems", "Something noted without a date and with a very long name that goes on over more than one line because the clinic wrote a whole sentence into the name of the problem", { resourceType: "Condition", id: "k4", code: { text: "Something noted" }, subject }, { status: "Entered in error" }),
  make("medications", "Lisinopril 10 mg tablet", {
    resourceType: "MedicationRequest", id: "m1", status: "active", intent: "order", subject, authoredOn: "2026-05-02", requester: DOCTOR,
    medicationCodeableConcept: { coding: [{ system: "http://www.nlm.nih.gov/research/umls/rxnorm", code: "314076", display: "lisinopril 10 MG Oral Tablet" }], text: "Lisinopril 10 mg tablet" },
    dosageInstruction: [{ timing: { repeat: { frequency: 1, period: 1, periodUnit: "d", when: ["MORN"] } }, route: { text: "by mouth" }, doseAndRate: [{ doseQuantity: { value: 1, unit: "tablet" } }] }],
    dispenseRequest: { numberOfRepeatsAllowed: 3, quantity: { value: 90, unit: "tablets" }, expectedSupplyDuration: { value: 90, unit: "days", code: "d" } },
  }, { status: "Active", date: { value: "2026-05-02", end: null }, subtitle: "1 tablet by mouth every morning" }, DOCTOR_NAMED),
  make("allergies", "Penicillin", { resourceType: "AllergyIntolerance", id: "a1", code: { text: "Penicillin" }, criticality: "high", clinicalStatus: { coding: [{ code: "active" }] }, patient: subject, reaction: [{ manifestation: [{ text: "Hives" }, { text: "Swollen lips" }], severity: "moderate", onset: "1988" }] }, { status: "Active", flag: "criticalAbnormal", subtitle: "Hives, swollen lips" }),
  make("immunizations", "Influenza vaccine 2026/27", { resourceType: "Immunization", id: "i1", status: "completed", vaccineCode: { text: "Influenza vaccine" }, patient: subject, occurrenceDateTime: "2026-10-12", lotNumber: "FL-2231", primarySource: true }, { status: "Completed", date: { value: "2026-10-12", end: null } }),
  make("vitals", "Blood pressure", {
    resourceType: "Observation", id: "v1", status: "final", code: { coding: [{ system: "http://loinc.org", code: "85354-9", display: "Blood pressure panel" }], text: "Blood pressure" }, subject, effectiveDateTime: "2026-11-20T09:41:00-06:00",
    component: [
      { code: { text: "Systolic" }, valueQuantity: { value: 148, unit: "mmHg" }, interpretation: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", code: "H" }] }], referenceRange: [{ high: { value: 130, unit: "mmHg" } }] },
      { code: { text: "Diastolic" }, valueQuantity: { value: 84, unit: "mmHg" } },
    ],
  }, { status: "Final", value: "148/84 mmHg", flag: "high", date: { value: "2026-11-20T09:41:00-06:00", end: null } }),
  make("procedures", "Colonoscopy", { resourceType: "Procedure", id: "pr1", status: "completed", code: { text: "Colonoscopy" }, subject, performedPeriod: { start: "2024-02-11T08:00:00-06:00", end: "2024-02-11T08:40:00-06:00" } }, { status: "Completed", date: { value: "2024-02-11T08:00:00-06:00", end: "2024-02-11T08:40:00-06:00" } }),
  make("encounters", "Annual check-up", { resourceType: "Encounter", id: "e1", status: "finished", class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "AMB" }, type: [{ text: "Annual check-up" }], subject, period: { start: "2026-11-20T09:30:00-06:00", end: "2026-11-20T10:10:00-06:00" }, participant: [{ individual: DOCTOR }] }, { status: "Finished", date: { value: "2026-11-20T09:30:00-06:00", end: "2026-11-20T10:10:00-06:00" } }, DOCTOR_NAMED),
  make("documents", "Progress note", { resourceType: "DocumentReference", id: "doc1", status: "current", type: { text: "Progress note" }, subject, date: "2026-11-20T15:04:00Z", author: [DOCTOR], content: [{ attachment: { contentType: "text/plain", url: "Binary/b1", title: "Progress note" } }] }, { status: "Current", date: { value: "2026-11-20T15:04:00Z", end: null } }, DOCTOR_NAMED),
  make("documents", "Scanned letter", { resourceType: "DocumentReference", id: "doc2", status: "current", type: { text: "Scanned letter" }, subject, content: [{ attachment: { contentType: "application/pdf", url: "Binary/b2" } }] }, { status: "Current" }),
  make("documents", "Continuity of Care Document", { resourceType: "DocumentReference", id: "doc3", status: "current", type: { text: "Continuity of Care Document" }, subject, date: "2026-11-19T15:10:00Z", content: [{ attachment: { contentType: "application/xml", url: "Binary/b3" } }] }, { status: "Current", date: { value: "2026-11-19T15:10:00Z", end: null } }),
  make("documents", "Letter of referral", { resourceType: "DocumentReference", id: "doc4", status: "current", type: { text: "Letter of referral" }, subject, date: "2026-06-02", content: [{ attachment: { contentType: "text/html", url: "Binary/b4" } }] }, { status: "Current", date: { value: "2026-06-02", end: null } }),
  make("carePlans", "Living with high blood pressure", { resourceType: "CarePlan", id: "cp1", status: "active", intent: "plan", title: "Living with high blood pressure", subject, activity: [{ detail: { kind: "ServiceRequest", code: { text: "Walk 30 minutes" }, status: "in-progress" } }] }, { status: "Active" }),
  make("labs", "Result in a form that cannot be read", { resourceType: "Observation", id: "bad1", status: "final", valueQuantity: "twelve" }, { malformed: "value is a text where a quantity is due" }),
];

const ANALYTES = [
  { title: "Haemoglobin A1c", unit: "%", low: 4, high: 5.6, base: 6.4, digits: 1, loinc: "4548-4" },
  { title: "Creatinine [Mass/volume] in Serum or Plasma", unit: "mg/dL", low: 0.6, high: 1.1, base: 0.9, digits: 2, loinc: "2160-0" },
  { title: "Potassium", unit: "mmol/L", low: 3.5, high: 5.1, base: 4.4, digits: 1, loinc: "2823-3" },
  { title: "Cholesterol in LDL", unit: "mg/dL", low: 0, high: 100, base: 118, digits: 0, loinc: "13457-7" },
];

function lab(index: number): Fixture {
  const analyte = ANALYTES[index % ANALYTES.length]!;
  const swing = Math.sin(index * 1.7) * analyte.base * 0.22;
  const value = (analyte.base + swing).toFixed(analyte.digits);
  const flag = Number(value) > analyte.high * 1.2 ? "criticalHigh" : Number(value) > analyte.high ? "high" : Number(value) < analyte.low ? "low" : "normal";
  const month = 11 - (Math.floor(index / 4) % 12);
  const date = `${2026 - Math.floor(index / 48)}-${String(Math.max(month, 1)).padStart(2, "0")}-0${1 + (index % 9)}T07:30:00-06:00`;
  return make("labs", analyte.title, {
    resourceType: "Observation", id: `lab${index}`, status: "final", subject, effectiveDateTime: date,
    code: { coding: [{ system: "http://loinc.org", code: analyte.loinc, display: analyte.title }] },
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "laboratory" }] }],
    valueQuantity: { value: Number(value), unit: analyte.unit, system: "http://unitsofmeasure.org", code: analyte.unit },
    referenceRange: [{ low: { value: analyte.low, unit: analyte.unit }, high: { value: analyte.high, unit: analyte.unit } }],
  }, { status: "Final", date: { value: date, end: null }, value: `${value} ${analyte.unit}`, measured: true, range: `${analyte.low} – ${analyte.high} ${analyte.unit}`, flag });
}

export const RECORDS: Fixture[] = [...HAND_MADE, ...Array.from({ length: 400 }, (_, index) => lab(index))];
