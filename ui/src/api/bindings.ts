// The shapes that cross from the engine to the window. Generated from crates/core/src/view.rs.

export type Role = "patient" | "provider" | "backend";

export type ServerView = { fhirBase: string; name: string; description: string; forTesting: boolean };

export type ServerCheckView = { fhirBase: string; name: string; canRegister: boolean; roles: Array<Role> };

export type LoginStartedView = { connectionId: string; authorizationUrl: string; serverName: string; expiresAt: string };

export type ConnectionStateView = "new" | "authorizing" | "connected" | "accessLost";

export type Reachability = "unknown" | "online" | "offline";

export type ConnectionView = {
  id: string;
  fhirBase: string;
  serverName: string;
  role: Role;
  state: ConnectionStateView;
  problem: ProblemView | null;
  reachability: Reachability;
  patientName: string | null;
  granted: Array<string>;
  lastSyncedAt: string | null;
  lastSync: SyncReportView | null;
  syncing: boolean;
  recordCount: number;
};

export type StepOutcome = "complete" | "empty" | "notOffered" | "notShared" | "failed" | "cutOff";

export type SyncStepView = {
  name: string;
  resourceType: string;
  outcome: StepOutcome;
  records: number;
  problem: ProblemView | null;
};

export type SyncReportView = {
  startedAt: string;
  finishedAt: string;
  complete: boolean;
  newRecords: number;
  changedRecords: number;
  unreadableRecords: number;
  steps: Array<SyncStepView>;
  problem: ProblemView | null;
};

export type SyncProgressView = {
  connectionId: string;
  step: string;
  stepsDone: number;
  stepsTotal: number;
  records: number;
  fraction: number;
};

export type Section =
  | "patient"
  | "problems"
  | "medications"
  | "allergies"
  | "immunizations"
  | "labs"
  | "vitals"
  | "procedures"
  | "encounters"
  | "documents"
  | "carePlans"
  | "goals"
  | "observations"
  | "orders"
  | "careTeam"
  | "familyHistory"
  | "devices"
  | "insurance"
  | "peopleAndPlaces"
  | "other";

export type RecordDateView = { value: string; end: string | null };

export type Flag = "normal" | "high" | "low" | "criticalHigh" | "criticalLow" | "abnormal" | "criticalAbnormal";

export type RecordKey = { connectionId: string; resourceType: string; id: string };

export type RecordSummaryView = {
  key: RecordKey;
  section: Section;
  title: string;
  subtitle: string | null;
  status: string | null;
  date: RecordDateView | null;
  value: string | null;
  range: string | null;
  flag: Flag | null;
  malformed: string | null;
  source: string;
};

export type RecordPageView = { rows: Array<RecordSummaryView>; total: number };

export type RecordFilter = { connectionId: string | null; section: Section | null; resourceType: string | null };

export type ReferenceView = { reference: string; title: string; key: RecordKey };

export type RecordDetailView = {
  summary: RecordSummaryView;
  json: string;
  references: Array<ReferenceView>;
  fetchedAt: string;
  lastUpdated: string | null;
};

export type AttachmentView = {
  contentType: string;
  title: string | null;
  text: string | null;
  size: number;
  base64: string | null;
  missing: string | null;
};

export type PatientHeaderView = {
  name: string;
  birthDate: string | null;
  age: string | null;
  gender: string | null;
  identifiers: Array<LabelledView>;
  contacts: Array<LabelledView>;
  deceased: string | null;
};

export type LabelledView = { label: string; value: string };

export type ChartSectionView = {
  section: Section;
  title: string;
  count: number;
  outcome: StepOutcome | null;
  note: string | null;
};

export type ChartView = { connection: ConnectionView; patient: PatientHeaderView | null; sections: Array<ChartSectionView> };

export type SearchHitView = { record: RecordSummaryView; snippet: Array<SnippetPart> };

export type SnippetPart = { text: string; matched: boolean };

export type ProblemView = { code: string; message: string; advice: string; detail: string | null; canRetry: boolean };

export type AppStatusView = { ready: boolean; problem: ProblemView | null; version: string };

export type Event =
  | { type: "connectionsChanged" }
  | { type: "loginFinished"; connectionId: string }
  | { type: "loginFailed"; connectionId: string | null; problem: ProblemView }
  | ({ type: "syncProgress" } & SyncProgressView)
  | { type: "syncFinished"; connectionId: string }
  | { type: "recordsChanged"; connectionId: string }
  | { type: "statusChanged" };
