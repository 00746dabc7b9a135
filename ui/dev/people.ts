/** Made-up connections, servers and people for looking at the screens. */
import type { AccessView, ChartSectionView, ConnectionView, PatientHeaderView, PersonView, SectionNoteView, ServerView, StepOutcome, SyncReportView } from "../src/api/bindings";

const LONG =
  "Maximiliana-Theodora Wilhelmina Konstantinopolitanska-Featherstonehaugh of the Very Long Family Name, Countess of Llanfairpwllgwyngyll";

export const SERVERS: ServerView[] = [
  { fhirBase: "https://ehr.lakeside.example/fhir/r4", name: "Lakeside Family Clinic", description: "Family medicine and paediatrics", forTesting: false, place: "Duluth, MN", portal: "MyLakeside · my.lakeside.example", hasLogo: true, logoLicense: "https://lakeside.example/logo-terms" },
  { fhirBase: "http://127.0.0.1:4010/fhir", name: "Mock server", description: "Made-up people, on this computer", forTesting: true, place: null, portal: null, hasLogo: false, logoLicense: null },
];

function report(problem: boolean): SyncReportView {
  const failed = {
    code: "sync.server_error",
    message: "The server failed while handing out records.",
    advice: "What came before is stored. Try again later.",
    detail: "GET Encounter: 500",
    canRetry: true,
  };
  return {
    startedAt: "2026-11-24T10:30:00Z",
    finishedAt: "2026-11-24T10:32:00Z",
    complete: !problem,
    newRecords: 212,
    changedRecords: 3,
    withdrawnRecords: 1,
    hadRecords: true,
    unreadableRecords: 1,
    problem: null,
    steps: [
      { name: "Personal details", resourceType: "Patient", outcome: "complete", records: 1, problem: null, remarks: [] },
      { name: "Problems", resourceType: "Condition", outcome: "complete", records: 4, problem: null, remarks: [] },
      { name: "Results, vital signs and observations", resourceType: "Observation", outcome: problem ? "cutOff" : "complete", records: 402, problem: null, remarks: [] },
      { name: "Allergies", resourceType: "AllergyIntolerance", outcome: "empty", records: 0, problem: null, remarks: [] },
      { name: "Documents", resourceType: "DocumentReference", outcome: "notShared", records: 0, problem: null, remarks: [] },
      { name: "Visits", resourceType: "Encounter", outcome: problem ? "failed" : "complete", records: 2, problem: problem ? failed : null, remarks: [] },
      { name: "Goals", resourceType: "Goal", outcome: "notOffered", records: 0, problem: null, remarks: [] },
    ],
  };
}

const GRANTED = ["Personal details", "Problems", "Results, vital signs and observations", "Documents"];

export const ACCESS: AccessView = {
  obtainedAt: "2026-11-24T10:30:00Z",
  expiresAt: "2026-11-24T11:30:00Z",
  renewable: true,
  longLived: false,
  notShared: [],
  scopes: [
    { scope: "patient/Condition.rs", granted: "whole" },
    { scope: "patient/Observation.rs", granted: "whole" },
  ],
  superseded: [],
};

export function makeConnection(change: Partial<ConnectionView> = {}): ConnectionView {
  return {
    id: "c1",
    fhirBase: "https://ehr.lakeside.example/fhir/r4",
    serverName: "Lakeside Family Clinic",
    role: "patient",
    state: "connected",
    problem: null,
    reachability: "online",
    patientName: "Ada Marie Lindqvist",
    granted: GRANTED,
    signedInAs: { name: "Ada Marie Lindqvist", resourceType: "Patient", isPatient: true },
    access: ACCESS,
    lastSyncedAt: "2026-11-24T10:32:00Z",
    lastSync: report(false),
    syncing: false,
    recordCount: 431,
    imported: false,
    ...change,
  };
}

export const LOST = {
  code: "access.expired",
  message: "Your sign-in has lapsed; this server asks for a new one each time.",
  advice: "Your stored records stay readable. Sign in again to get new ones.",
  detail: null,
  canRetry: false,
};

export const MANY: ConnectionView[] = [
  makeConnection(),
  makeConnection({
    id: "c2",
    serverName: "St. Elsewhere Regional University Teaching Hospital and Outpatient Surgical Center of the Greater Northern Lakes Area",
    fhirBase: "https://fhir.elsewhere.example/api/FHIR/R4/tenant/3f1c0d6e-3a34-4c8f-a3a5-0d6e3a344c8f",
    state: "accessLost",
    problem: LOST,
    patientName: LONG,
    lastSync: report(true),
    lastSyncedAt: "2026-10-02T08:05:00Z",
  }),
  makeConnection({ id: "c3", serverName: "Mock server", role: "provider", state: "new", patientName: null, granted: [], signedInAs: null, access: null, lastSyncedAt: null, lastSync: null, recordCount: 0 }),
  makeConnection({ id: "c4", serverName: "Files of the old clinic", fhirBase: "urn:satchel:imported:Files+of+the+old+clinic", state: "new", patientName: null, granted: [], signedInAs: null, access: null, lastSyncedAt: null, lastSync: null, recordCount: 57, imported: true }),
];

export const HOSPITAL = makeConnection({
  id: "c5",
  serverName: "St. Elsewhere Regional University Teaching Hospital and Outpatient Surgical Center of the Greater Northern Lakes Area",
  fhirBase: "https://fhir.elsewhere.example/api/FHIR/R4",
  reachability: "offline",
});

/** One person at two servers. */
export const PERSON: PersonView = {
  id: "person-1",
  name: "Ada Marie Lindqvist",
  sources: [makeConnection(), HOSPITAL].map(({ id, serverName, patientName }) => ({
    connectionId: id,
    source: serverName,
    patientName: patientName ?? "",
    birthDate: "1961-03-14",
    gender: "Female",
  })),
};

export function makePatient(long: boolean): PatientHeaderView {
  return {
    name: long ? LONG : "Ada Marie Lindqvist",
    birthDate: "1961-03-14",
    age: { number: 65, unit: "year", about: false },
    gender: "Female",
    identifiers: [
      { label: "Medical record number", value: "MRN-204-551-83" },
      { label: "Social Security number", value: "***-**-4417" },
      ...(long ? [{ label: "Identification number of the regional association of statutory insurers", value: "0123456789012345678901234567890123456789" }] : []),
    ],
    contacts: [{ label: "Phone", value: "+1 218 555 0148" }],
    deceased: null,
  };
}

const TITLES: [ChartSectionView["section"], string][] = [
  ["patient", "Person"],
  ["problems", "Problems"],
  ["medications", "Medications"],
  ["allergies", "Allergies"],
  ["immunizations", "Immunizations"],
  ["labs", "Laboratory results"],
  ["vitals", "Vital signs"],
  ["procedures", "Procedures"],
  ["encounters", "Visits"],
  ["documents", "Documents and notes"],
  ["carePlans", "Care plans"],
  ["goals", "Goals"],
];

const note = (outcome: StepOutcome, text: string): SectionNoteView => ({ source: null, outcome, problem: null, text });

export function makeSections(counts: Map<string, number>, incomplete: boolean): ChartSectionView[] {
  return TITLES.map(([section, title]) => {
    const cut = incomplete && section === "labs";
    const hidden = section === "goals";
    return {
      section,
      title,
      count: counts.get(section) ?? 0,
      outcome: cut ? "cutOff" : hidden ? "notShared" : "complete",
      notes: cut ? [note("cutOff", "Fetching was cut off; there may be more.")] : hidden ? [note("notShared", "Not shared with Satchel.")] : [],
    };
  });
}
