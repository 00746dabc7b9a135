// Generated from crates/core/src/view.rs; do not edit. To write it anew:
// UPDATE_BINDINGS=1 cargo test -p satchel-core --test bindings

export type Role = "patient" | "provider" | "backend";

export type ServerView = { 
/**
 * FHIR base URL.
 */
fhirBase: string, 
/**
 * Name to show.
 */
name: string, 
/**
 * One line about it.
 */
description: string, 
/**
 * True for the mock server: its people are synthetic.
 */
forTesting: boolean, 
/**
 * Where it is, to tell similar names apart.
 */
place: string | null, 
/**
 * The portal as its patients know it.
 */
portal: string | null, 
/**
 * Whether there may be a logo to ask for.
 */
hasLogo: boolean, 
/**
 * Terms of the logo, to show beside it.
 */
logoLicense: string | null, };

export type Launch = "here" | "portal";

export type Ability = "patientHere" | "patientPortal" | "providerHere" | "providerEhr" | "staySignedIn" | "tellWhoSignedIn" | "chooseExactly" | "registerItself" | "endAccess" | "manageAccess" | "backend" | "trustCommunity";

export type AbilityView = { 
/**
 * Which.
 */
ability: Ability, 
/**
 * Whether the server has it.
 */
offered: boolean, 
/**
 * Capabilities that the server does not list although a whole set needs them.
 */
missing: Array<string>, };

export type ServerCheckView = { 
/**
 * The FHIR base URL as Satchel will use it.
 */
fhirBase: string, 
/**
 * Name to show (the host when the server gives none).
 */
name: string, 
/**
 * Where it is.
 */
place: string | null, 
/**
 * Whether there may be a logo to ask for.
 */
hasLogo: boolean, 
/**
 * Terms of the logo, to show beside it.
 */
logoLicense: string | null, 
/**
 * Whether the server lets an installation register itself (RFC 7591).
 */
canRegister: boolean, 
/**
 * Roles that the server's capabilities allow.
 */
roles: Array<Role>, 
/**
 * How a sign-in can begin.
 */
launches: Array<Launch>, 
/**
 * What it can do, and what not.
 */
abilities: Array<AbilityView>, 
/**
 * The capabilities exactly as the server lists them.
 */
capabilities: Array<string>, 
/**
 * Whether the provider has a page where access is managed.
 */
canManage: boolean, };

export type SkippedView = { 
/**
 * Short name of the reason.
 */
reason: string, 
/**
 * How many.
 */
count: number, };

export type DirectoryView = { 
/**
 * Identifier made by Satchel; opaque.
 */
id: string, 
/**
 * URL or file name that it came from.
 */
source: string, 
/**
 * When it was published, as it says.
 */
published: string | null, 
/**
 * When it was last read, RFC 3339.
 */
importedAt: string, 
/**
 * Servers in it.
 */
servers: number, 
/**
 * Entries that were left out.
 */
skipped: number, 
/**
 * Why they were left out, most often first.
 */
reasons: Array<SkippedView>, };

export type LoginStartedView = { 
/**
 * The connection that this login belongs to.
 */
connectionId: string, 
/**
 * The address of the portal, to open in the system browser or to copy.
 */
authorizationUrl: string, 
/**
 * Name of the server.
 */
serverName: string, 
/**
 * When the login lapses, RFC 3339.
 */
expiresAt: string, };

export type ConnectionStateView = "new" | "authorizing" | "connected" | "accessLost";

export type Reachability = "unknown" | "online" | "offline";

export type SignedInAsView = { 
/**
 * Name, once it is known.
 */
name: string | null, 
/**
 * FHIR type: Patient, Practitioner, PractitionerRole, RelatedPerson or Person.
 */
resourceType: string, 
/**
 * They are the patient whose records these are.
 */
isPatient: boolean, };

export type ScopeGrantView = "whole" | "part" | "nothing" | "given";

export type ScopeView = { 
/**
 * As it was written.
 */
scope: string, 
/**
 * What became of it.
 */
granted: ScopeGrantView, };

export type SupersededTokenView = { 
/**
 * SHA-256 of the token, in hex.
 */
sha256: string, 
/**
 * When it ends, RFC 3339.
 */
expiresAt: string, };

export type AccessView = { 
/**
 * When it was given, RFC 3339.
 */
obtainedAt: string | null, 
/**
 * When the access token ends, RFC 3339.
 */
expiresAt: string, 
/**
 * It is renewed without the person; otherwise it ends at `expires_at` for good.
 */
renewable: boolean, 
/**
 * The token lives for more than an hour: whoever gets hold of it has it for that long.
 */
longLived: boolean, 
/**
 * Kinds of record that were asked for and not given, in plain words.
 */
notShared: Array<string>, 
/**
 * The exact scopes.
 */
scopes: Array<ScopeView>, 
/**
 * Tokens of before that still live at the server and could not be revoked.
 */
superseded: Array<SupersededTokenView>, };

export type AccessCheckView = { 
/**
 * On, or not said.
 */
active: boolean | null, 
/**
 * When the token ends, as the server sees it, RFC 3339.
 */
expiresAt: string | null, };

export type ScopePresetView = { 
/**
 * Its name in commands.
 */
id: string, 
/**
 * What it is, in a few words.
 */
title: string, 
/**
 * One sentence about it.
 */
help: string, 
/**
 * The exact scopes that are sent to this server.
 */
scopes: Array<string>, };

export type LaunchRequestView = { 
/**
 * Identifier made by Satchel; opaque.
 */
id: string, 
/**
 * The server's host, which is what the person has to know.
 */
host: string, 
/**
 * FHIR base URL.
 */
fhirBase: string, 
/**
 * Who would sign in.
 */
role: Role, 
/**
 * Whether the server is known: then there were too many such links at once.
 */
known: boolean, };

export type ConnectionView = { 
/**
 * Identifier made by Satchel; opaque.
 */
id: string, 
/**
 * FHIR base URL.
 */
fhirBase: string, 
/**
 * Name of the server.
 */
serverName: string, 
/**
 * Who signed in.
 */
role: Role, 
/**
 * Where it stands.
 */
state: ConnectionStateView, 
/**
 * Why access was lost, in plain words, when it was.
 */
problem: ProblemView | null, 
/**
 * Whether the server answered when last asked.
 */
reachability: Reachability, 
/**
 * Name of the patient whose records these are, once known.
 */
patientName: string | null, 
/**
 * Scopes as granted, in plain words.
 */
granted: Array<string>, 
/**
 * Who signed in, where the server says so; "you are X, viewing Y".
 */
signedInAs: SignedInAsView | null, 
/**
 * How long access lasts and what was granted of what was asked for, while there is access.
 */
access: AccessView | null, 
/**
 * When a sync last ended, RFC 3339.
 */
lastSyncedAt: string | null, 
/**
 * What the last sync did.
 */
lastSync: SyncReportView | null, 
/**
 * A sync is running now.
 */
syncing: boolean, 
/**
 * Records stored.
 */
recordCount: number, 
/**
 * Not a server but files that were imported: there is nobody to sign in to or to sync with.
 */
imported: boolean, };

export type StepOutcome = "complete" | "empty" | "notOffered" | "notShared" | "failed" | "cutOff";

export type SyncStepView = { 
/**
 * What was asked for, in plain words ("Laboratory results").
 */
name: string, 
/**
 * FHIR resource type.
 */
resourceType: string, 
/**
 * How it ended.
 */
outcome: StepOutcome, 
/**
 * Records received.
 */
records: number, 
/**
 * The problem, when there is one.
 */
problem: ProblemView | null, 
/**
 * What the server said beside the records: warnings, parameters that it ignored.
 */
remarks: Array<string>, };

export type SyncReportView = { 
/**
 * RFC 3339.
 */
startedAt: string, 
/**
 * RFC 3339.
 */
finishedAt: string, 
/**
 * True when no part failed, was cut off, or was refused for the first time although it was granted.
 */
complete: boolean, 
/**
 * Records new to this computer.
 */
newRecords: number, 
/**
 * Records that changed.
 */
changedRecords: number, 
/**
 * Records that the source no longer gives; they are kept, and say so.
 */
withdrawnRecords: number, 
/**
 * Records received that cannot be read as FHIR; they are kept as received.
 */
unreadableRecords: number, 
/**
 * Part by part.
 */
steps: Array<SyncStepView>, 
/**
 * What stopped the whole sync, if anything did.
 */
problem: ProblemView | null, 
/**
 * There were records of this connection before: what is new can be told from what was there.
 */
hadRecords: boolean, };

export type SyncProgressView = { 
/**
 * The connection.
 */
connectionId: string, 
/**
 * What is being fetched, in plain words.
 */
step: string, 
/**
 * Parts done.
 */
stepsDone: number, 
/**
 * Parts in all.
 */
stepsTotal: number, 
/**
 * Records received so far.
 */
records: number, 
/**
 * From 0 to 1.
 */
fraction: number, };

export type BulkState = "exporting" | "downloading" | "done" | "partial" | "failed" | "cancelled";

export type BulkTypeView = { 
/**
 * FHIR type.
 */
resourceType: string, 
/**
 * Records that came.
 */
received: number, 
/**
 * Of them not known before.
 */
newRecords: number, 
/**
 * Of them changed.
 */
changedRecords: number, 
/**
 * Of them not stored, because what is here is newer or more complete.
 */
leftAsTheyWere: number, };

export type BulkLineErrorView = { 
/**
 * The file: its type, and its place among those of the export; or its name.
 */
file: string, 
/**
 * The line, from 1; none when it is about the file as a whole.
 */
line: number | null, 
/**
 * Why, in plain words.
 */
reason: string, };

export type BulkOutcomeView = { 
/**
 * `fatal`, `error`, `warning` or `information`.
 */
severity: string, 
/**
 * The issue type.
 */
code: string, 
/**
 * Plain text.
 */
text: string, };

export type BulkReportView = { 
/**
 * By type.
 */
types: Array<BulkTypeView>, 
/**
 * Lines and files that were not as they should be; the first hundred.
 */
errors: Array<BulkLineErrorView>, 
/**
 * How many there were.
 */
errorCount: number, 
/**
 * Files that could not be fetched to their end.
 */
failedFiles: number, 
/**
 * What the server says; the first hundred.
 */
outcomes: Array<BulkOutcomeView>, 
/**
 * How much of what it says are errors: then something is missing.
 */
outcomeErrors: number, 
/**
 * Records that the server says were deleted, of those that are stored.
 */
deletedRecords: number, 
/**
 * Contents of documents that were fetched.
 */
attachments: number, 
/**
 * Contents of documents that could not be fetched.
 */
attachmentsMissing: number, 
/**
 * What was odd about the server's answers.
 */
warnings: Array<string>, };

export type BulkJobView = { 
/**
 * Identifier made by Satchel; opaque.
 */
id: string, 
/**
 * Its connection.
 */
connectionId: string, 
/**
 * Where it stands.
 */
state: BulkState, 
/**
 * All that was asked for is stored, and nothing of it was missing or unreadable.
 */
complete: boolean, 
/**
 * Whose records: `system`, `patient`, or `group` and its id.
 */
level: string, 
/**
 * Only what changed since then, RFC 3339; none for all.
 */
since: string | null, 
/**
 * What the server says of how far it is.
 */
progress: string | null, 
/**
 * Files that were fetched, of the part that is under way.
 */
filesDone: number, 
/**
 * Files of the part that is under way.
 */
filesTotal: number, 
/**
 * What was in it.
 */
report: BulkReportView, 
/**
 * Why it failed.
 */
problem: ProblemView | null, 
/**
 * When it was asked for, RFC 3339.
 */
startedAt: string, 
/**
 * When it last moved on, RFC 3339.
 */
changedAt: string, };

export type ImportReportView = { 
/**
 * The source to which the records belong now.
 */
connectionId: string, 
/**
 * Everything in the files is stored as a record.
 */
complete: boolean, 
/**
 * What was in them.
 */
report: BulkReportView, };

export type Section = "patient" | "problems" | "medications" | "allergies" | "immunizations" | "labs" | "vitals" | "procedures" | "encounters" | "documents" | "carePlans" | "goals" | "observations" | "orders" | "careTeam" | "familyHistory" | "devices" | "insurance" | "peopleAndPlaces" | "other";

export type RecordDateView = { 
/**
 * As received: `2019`, `2019-04`, `2019-04-02`, or an instant.
 */
value: string, 
/**
 * The end of a period, as received.
 */
end: string | null, };

export type Flag = "normal" | "high" | "low" | "criticalHigh" | "criticalLow" | "abnormal" | "criticalAbnormal";

export type RecordKey = { 
/**
 * The connection that it came from.
 */
connectionId: string, 
/**
 * FHIR resource type.
 */
resourceType: string, 
/**
 * Logical id, any length.
 */
id: string, };

export type AlsoFromView = { 
/**
 * Which record.
 */
key: RecordKey, 
/**
 * Name of the server that it came from.
 */
source: string, 
/**
 * It is the same fact, but status, dose, wording or interpretation are different.
 */
differs: boolean, };

export type RecordSummaryView = { 
/**
 * Which record.
 */
key: RecordKey, 
/**
 * Where it belongs in the chart.
 */
section: Section, 
/**
 * What it is, in plain words: text first, codes last; never empty.
 */
title: string, 
/**
 * A second line.
 */
subtitle: string | null, 
/**
 * Status in plain words ("Active", "Completed").
 */
status: string | null, 
/**
 * When; absent when the record does not say.
 */
date: RecordDateView | null, 
/**
 * Value with its unit, as text.
 */
value: string | null, 
/**
 * The value is a number, with its unit: how numbers look depends on the reader's language.
 */
measured: boolean, 
/**
 * Reference range with its unit, as text.
 */
range: string | null, 
/**
 * High, low, …
 */
flag: Flag | null, 
/**
 * Why this record could not be read; it is kept as received.
 */
malformed: string | null, 
/**
 * Who says so, by the name that the record gives.
 */
performer: string | null, 
/**
 * RFC 3339: since when the source no longer gives it.
 */
withdrawnAt: string | null, 
/**
 * Name of the server that it came from.
 */
source: string, 
/**
 * Records of other sources that say the same; in the lists of a person with several sources only.
 */
alsoFrom: Array<AlsoFromView>, };

export type RecordPageView = { 
/**
 * The rows.
 */
rows: Array<RecordSummaryView>, 
/**
 * How many there are in all.
 */
total: number, };

export type ChangedFieldView = { 
/**
 * Where in the record, as FHIR names it: `valueQuantity.value`.
 */
path: string, 
/**
 * What stood there, at most 200 letters.
 */
before: string | null, 
/**
 * What stands there now.
 */
after: string | null, };

export type ChangedRecordView = { 
/**
 * The record as it is now.
 */
record: RecordSummaryView, 
/**
 * What is different: at most 40 members; version and narrative do not count.
 */
fields: Array<ChangedFieldView>, };

export type ChangesView = { 
/**
 * RFC 3339: when that sync began; none when there is nothing to compare with.
 */
since: string | null, 
/**
 * Records that were not there before; at most 200.
 */
new: Array<RecordSummaryView>, 
/**
 * Records that the source changed; at most 200.
 */
changed: Array<ChangedRecordView>, 
/**
 * Records that the source no longer gives; at most 200.
 */
withdrawn: Array<RecordSummaryView>, };

export type RecordFilter = { 
/**
 * Only from this connection.
 */
connectionId: string | null, 
/**
 * Only in this section.
 */
section: Section | null, 
/**
 * Only of this FHIR type.
 */
resourceType: string | null, };

export type ReferenceView = { 
/**
 * The `reference` as received.
 */
reference: string, 
/**
 * Name of the target.
 */
title: string, 
/**
 * The target.
 */
key: RecordKey, };

export type ProvenanceAgentView = { 
/**
 * As what: "Author", "Transmitter".
 */
role: string | null, 
/**
 * Who.
 */
who: string, 
/**
 * The organization behind them.
 */
onBehalfOf: string | null, };

export type ProvenanceView = { 
/**
 * When it was recorded, as received.
 */
recorded: string | null, 
/**
 * Authors, transmitters and others, in words.
 */
agents: Array<ProvenanceAgentView>, };

export type OriginalsView = { 
/**
 * All that say the same, this one included, by source; empty for a record that stands alone.
 */
same: Array<RecordSummaryView>, 
/**
 * Those that would be shown as the same, had the person not taken them apart.
 */
apart: Array<RecordSummaryView>, };

export type RecordDetailView = { 
/**
 * Its row.
 */
summary: RecordSummaryView, 
/**
 * Byte for byte as received.
 */
json: string, 
/**
 * References that can be named.
 */
references: Array<ReferenceView>, 
/**
 * Who says so: Provenance records about this one, the newest first.
 */
provenance: Array<ProvenanceView>, 
/**
 * When Satchel fetched it, RFC 3339.
 */
fetchedAt: string, 
/**
 * `meta.lastUpdated`, as received.
 */
lastUpdated: string | null, 
/**
 * The same from other sources, and what the person took apart from it.
 */
originals: OriginalsView, };

export type NarrativeStyle = "bold" | "italics" | "underline" | "struck" | "sub" | "sup";

export type NarrativeNode = { "kind": "text", 
/**
 * The text.
 */
text: string, } | { "kind": "break" } | { "kind": "styled", 
/**
 * How.
 */
style: NarrativeStyle, 
/**
 * What.
 */
children: Array<NarrativeNode>, } | { "kind": "paragraph", 
/**
 * What it holds.
 */
children: Array<NarrativeNode>, } | { "kind": "group", 
/**
 * The blocks.
 */
children: Array<NarrativeNode>, } | { "kind": "list", 
/**
 * It is numbered.
 */
ordered: boolean, 
/**
 * What is written above it.
 */
caption: Array<NarrativeNode>, 
/**
 * Its items.
 */
items: Array<Array<NarrativeNode>>, } | { "kind": "table", 
/**
 * What is written above it.
 */
caption: Array<NarrativeNode>, 
/**
 * The rows of its head.
 */
head: Array<Array<NarrativeCell>>, 
/**
 * The other rows.
 */
body: Array<Array<NarrativeCell>>, } | { "kind": "media", 
/**
 * What is written below it.
 */
caption: Array<NarrativeNode>, };

export type NarrativeCell = { 
/**
 * It names a row or a column.
 */
heading: boolean, 
/**
 * How many columns it covers.
 */
columns: number, 
/**
 * How many rows it covers.
 */
rows: number, 
/**
 * What it holds.
 */
children: Array<NarrativeNode>, };

export type ClinicalSectionView = { 
/**
 * What it is called.
 */
title: string | null, 
/**
 * Why it holds nothing, in words, where the document says so.
 */
absent: string | null, 
/**
 * What was written for people.
 */
content: Array<NarrativeNode>, 
/**
 * Sections inside of it.
 */
sections: Array<ClinicalSectionView>, };

export type ClinicalDocumentView = { 
/**
 * What it is called.
 */
title: string | null, 
/**
 * When it was written, as FHIR writes dates; as received, when it is none.
 */
date: string | null, 
/**
 * Whom it is about.
 */
patient: string | null, 
/**
 * Who wrote it: people, organizations, programs.
 */
authors: Array<string>, 
/**
 * Who keeps it.
 */
custodian: string | null, 
/**
 * Its sections, in its own order.
 */
sections: Array<ClinicalSectionView>, 
/**
 * There is more than is handed over.
 */
cut: boolean, };

export type AttachmentView = { 
/**
 * Media type.
 */
contentType: string, 
/**
 * Title, when given.
 */
title: string | null, 
/**
 * Text, when it has some: plain text, or that of C-CDA, HTML, RTF and PDF.
 */
text: string | null, 
/**
 * The document itself, when it is a clinical one (HL7 CDA).
 */
clinical: ClinicalDocumentView | null, 
/**
 * HTML as it came, when it is not too long: hostile until sanitised.
 */
html: string | null, 
/**
 * Size in bytes.
 */
size: number, 
/**
 * Base64 for what the window can show itself (images); absent otherwise.
 */
base64: string | null, 
/**
 * Why the content is not here.
 */
missing: string | null, 
/**
 * It is not here because it is larger than what a sync fetches.
 */
tooLarge: boolean, 
/**
 * It can be asked for by itself.
 */
canFetch: boolean, 
/**
 * The content is here, but is not what the record states.
 */
difference: string | null, };

export type AgeUnit = "year" | "month" | "day";

export type AgeView = { 
/**
 * How many.
 */
number: number, 
/**
 * Of what.
 */
unit: AgeUnit, 
/**
 * Only the year of birth is known.
 */
about: boolean, };

export type LabelledView = { 
/**
 * Label.
 */
label: string, 
/**
 * Value.
 */
value: string, };

export type PatientHeaderView = { 
/**
 * Full name.
 */
name: string, 
/**
 * Birth date as received.
 */
birthDate: string | null, 
/**
 * How old; absent of the dead.
 */
age: AgeView | null, 
/**
 * Sex or gender in words.
 */
gender: string | null, 
/**
 * Identifiers worth showing, label and value.
 */
identifiers: Array<LabelledView>, 
/**
 * Phone, mail, address; label and value.
 */
contacts: Array<LabelledView>, 
/**
 * Deceased, with the date when given.
 */
deceased: string | null, };

export type SectionNoteView = { 
/**
 * At which source, where there are several.
 */
source: string | null, 
/**
 * What became of it.
 */
outcome: StepOutcome, 
/**
 * Why it failed.
 */
problem: ProblemView | null, 
/**
 * The same in one or two sentences of English.
 */
text: string, };

export type ChartSectionView = { 
/**
 * Which.
 */
section: Section, 
/**
 * Title in plain words.
 */
title: string, 
/**
 * Records stored.
 */
count: number, 
/**
 * How complete it is, after the last sync; absent before the first.
 */
outcome: StepOutcome | null, 
/**
 * Why it is not complete; over several sources one for each that is not.
 */
notes: Array<SectionNoteView>, };

export type PersonSourceView = { 
/**
 * The connection.
 */
connectionId: string, 
/**
 * Name of its server.
 */
source: string, 
/**
 * Name of the patient there.
 */
patientName: string, 
/**
 * Birth date there, as received.
 */
birthDate: string | null, 
/**
 * Sex or gender there, in words.
 */
gender: string | null, };

export type PersonView = { 
/**
 * Identifier made by Satchel; opaque.
 */
id: string, 
/**
 * Name, as one of the sources gives it.
 */
name: string, 
/**
 * Where the records come from, two at least, the oldest connection first.
 */
sources: Array<PersonSourceView>, };

export type SamePersonView = { 
/**
 * The older connection.
 */
one: PersonSourceView, 
/**
 * The other one.
 */
other: PersonSourceView, 
/**
 * The person said that they are not the same; it is not asked again.
 */
refused: boolean, };

export type PeopleView = { 
/**
 * Those whom the person put together.
 */
people: Array<PersonView>, 
/**
 * Connections that may be of one person.
 */
suggested: Array<SamePersonView>, };

export type ChartView = { 
/**
 * Its connection; of a person with several, the oldest.
 */
connection: ConnectionView, 
/**
 * The other connections of the person.
 */
others: Array<ConnectionView>, 
/**
 * The person, when the chart is over several sources.
 */
person: PersonView | null, 
/**
 * The person, once the Patient record is here.
 */
patient: PatientHeaderView | null, 
/**
 * Sections in order; those that a chart always shows, and any other that holds records.
 */
sections: Array<ChartSectionView>, };

export type ChartOf = { 
/**
 * Which.
 */
connectionId: string, } | { 
/**
 * Which.
 */
personId: string, };

export type OverviewKind = "allergies" | "problems" | "medications" | "upcoming" | "labs" | "vitals" | "immunizations" | "procedures" | "visits" | "plans" | "careTeam" | "insurance";

export type OverviewBlockView = { 
/**
 * What it holds.
 */
kind: OverviewKind, 
/**
 * The section of the chart that has all of them.
 */
section: Section, 
/**
 * What matters most of it.
 */
rows: Array<RecordSummaryView>, 
/**
 * How many more there are of the same kind, among the newest 500 records of the section.
 */
more: number, };

export type OverviewView = { 
/**
 * Its blocks, in order; those without anything too: that nothing is known is to be said.
 */
blocks: Array<OverviewBlockView>, };

export type MeasuredView = { 
/**
 * Which part, in words; none for the value itself.
 */
part: string | null, 
/**
 * The number, to place the point; what is shown is `text`.
 */
number: number, 
/**
 * Number and unit as received, comparator included: `< 0.5 mg/dL`.
 */
text: string, 
/**
 * `<`, `<=`, `>=` or `>`: the true value is on that side of the number.
 */
comparator: string | null, 
/**
 * Unit, to keep numbers of different units apart: the UCUM code where there is one.
 */
unit: string | null, 
/**
 * The unit as it is shown.
 */
unitWords: string | null, 
/**
 * Lower end of the reference range of this point, in the same unit.
 */
low: number | null, 
/**
 * Upper end of it.
 */
high: number | null, 
/**
 * What the source says of it.
 */
flag: Flag | null, };

export type MeasurementView = { 
/**
 * The record.
 */
key: RecordKey, 
/**
 * When, as received.
 */
date: RecordDateView, 
/**
 * The same in milliseconds since 1970, to place the point only.
 */
at: number, 
/**
 * What was measured; more than one number where there are components.
 */
values: Array<MeasuredView>, 
/**
 * The value in words, of those that are no numbers too.
 */
text: string | null, 
/**
 * Name of the server that it came from.
 */
source: string, };

export type TrendView = { 
/**
 * What is measured.
 */
title: string, 
/**
 * The measurements, the oldest first.
 */
points: Array<MeasurementView>, 
/**
 * There are more, older ones.
 */
cut: boolean, };

export type TimelineFilter = { 
/**
 * Only in this section.
 */
section: Section | null, 
/**
 * Only what its source says stands out: high, low, abnormal.
 */
abnormal: boolean, };

export type YearView = { 
/**
 * The year; none of what has no date, which comes last.
 */
year: number | null, 
/**
 * How many rows.
 */
records: number, };

export type SnippetPart = { 
/**
 * Plain text.
 */
text: string, 
/**
 * It matched.
 */
matched: boolean, };

export type SearchHitView = { 
/**
 * The record.
 */
record: RecordSummaryView, 
/**
 * Text around the match: pieces, with the matching ones marked.
 */
snippet: Array<SnippetPart>, 
/**
 * The words are in the record's document, and the text around the match is from there.
 */
inDocument: boolean, 
/**
 * Whose record it is, where that is known.
 */
patientName: string | null, };

export type ProblemView = { 
/**
 * Stable code, such as `login.denied`.
 */
code: string, 
/**
 * What happened, one plain sentence.
 */
message: string, 
/**
 * What to do, one plain sentence.
 */
advice: string, 
/**
 * Technical detail without secrets or health data.
 */
detail: string | null, 
/**
 * Trying again may help.
 */
canRetry: boolean, };

export type AccessAct = "registered" | "signedIn" | "renewed" | "checked" | "synced" | "imported" | "exported" | "printed" | "keyExchanged" | "revoked" | "removed" | "locked" | "unlocked" | "unlockFailed" | "lockChanged" | "other";

export type AccessLogView = { 
/**
 * When, RFC 3339.
 */
at: string, 
/**
 * Which server, as it was named then; none when it was all of them.
 */
serverName: string | null, 
/**
 * Its host.
 */
host: string | null, 
/**
 * What was done.
 */
act: AccessAct, 
/**
 * The same in plain words.
 */
title: string, 
/**
 * FHIR types of the records.
 */
resourceTypes: Array<string>, 
/**
 * How many records were received, written or removed.
 */
records: number, 
/**
 * It went well, and wholly.
 */
complete: boolean, 
/**
 * The problem, when it did not go well.
 */
problem: ProblemView | null, };

export type ExportFormat = "ndjson" | "bundle" | "ips" | "results";

export type Every = "off" | "3h" | "6h" | "12h" | "daily" | "weekly";

export type PrivacySettingsView = { 
/**
 * Locked after so many minutes without a key or the mouse; none: never.
 */
lockAfterMinutes: number | null, 
/**
 * Locked when the computer's screen is locked, or before it sleeps.
 */
lockWithSystem: boolean, 
/**
 * The window is blurred while another one is in front.
 */
blurWhenAway: boolean, 
/**
 * What was copied is taken out of the clipboard after half a minute.
 */
clearClipboard: boolean, };

export type PrivacyView = { 
/**
 * There is a passphrase.
 */
passphrase: boolean, 
/**
 * It is asked for when Satchel is started.
 */
atStart: boolean, 
/**
 * This program hears of the computer's lock and sleep.
 */
hearsSystem: boolean, 
/**
 * What was chosen.
 */
settings: PrivacySettingsView, };

export type ScheduleSettingsView = { 
/**
 * Sync on battery too.
 */
alsoOnBattery: boolean, 
/**
 * Sync on metered networks too.
 */
alsoOnMetered: boolean, 
/**
 * A notification when a source needs the person to sign in.
 */
notifySignIn: boolean, 
/**
 * A notification when new records have arrived.
 */
notifyNewRecords: boolean, };

export type ScheduleWait = "signIn" | "battery" | "metered" | "afterFailure";

export type ConnectionScheduleView = { 
/**
 * The connection.
 */
connectionId: string, 
/**
 * How often.
 */
every: Every, 
/**
 * When it is due, RFC 3339; none while it is off or waits for the person.
 */
nextAt: string | null, 
/**
 * It is due now.
 */
due: boolean, 
/**
 * What it waits for.
 */
wait: ScheduleWait | null, };

export type ScheduleView = { 
/**
 * What holds for all.
 */
settings: ScheduleSettingsView, 
/**
 * Each source that can be synced.
 */
connections: Array<ConnectionScheduleView>, };

export type AppStatusView = { 
/**
 * Ready to work.
 */
ready: boolean, 
/**
 * Why not.
 */
problem: ProblemView | null, 
/**
 * It waits for the passphrase.
 */
locked: boolean, 
/**
 * When the next passphrase is taken, after several wrong ones; RFC 3339.
 */
retryAt: string | null, 
/**
 * Version of Satchel.
 */
version: string, };

export type Event = { "type": "connectionsChanged" } | { "type": "loginFinished", 
/**
 * Its connection.
 */
connectionId: string, } | { "type": "loginFailed", 
/**
 * Its connection, when it is known.
 */
connectionId: string | null, 
/**
 * Why.
 */
problem: ProblemView, } | { "type": "launchesChanged" } | { "type": "syncProgress" } & SyncProgressView | { "type": "syncFinished", 
/**
 * Its connection.
 */
connectionId: string, } | { "type": "recordsChanged", 
/**
 * Its connection.
 */
connectionId: string, } | { "type": "statusChanged" } | { "type": "traceChanged" };

export type TraceKind = "serverCheck" | "signIn" | "signInEnd" | "backend" | "sync" | "bulk" | "remove" | "probe" | "revocation" | "registration" | "access" | "directory";

export type TraceStep = "request" | "browserLeft" | "browserCameBack" | "check";

export type TraceOutcome = "passed" | "failed" | "waiting";

export type TracePart = "query" | "requestHeaders" | "requestBody" | "answerHeaders" | "answerBody" | "token";

export type TracePartView = { 
/**
 * Which part.
 */
part: TracePart, 
/**
 * The name of the member that a token was in, or a body's media type.
 */
label: string | null, 
/**
 * Bytes of a body.
 */
size: number | null, 
/**
 * Names and values.
 */
fields: Array<LabelledView>, 
/**
 * JSON, over several lines.
 */
text: string | null, };

export type TraceStepView = { 
/**
 * RFC 3339.
 */
at: string, 
/**
 * What kind.
 */
kind: TraceStep, 
/**
 * The request's method and address, or what was checked.
 */
title: string, 
/**
 * A check's number in the protocol checklist.
 */
number: string | null, 
/**
 * How it ended.
 */
outcome: TraceOutcome, 
/**
 * HTTP status of the answer.
 */
status: number | null, 
/**
 * From the request to the end of the answer.
 */
milliseconds: number | null, 
/**
 * Why no answer came.
 */
failure: string | null, 
/**
 * What can be looked at.
 */
parts: Array<TracePartView>, };

export type TraceFlowView = { 
/**
 * Identifier within this run of the program.
 */
id: string, 
/**
 * What it was.
 */
kind: TraceKind, 
/**
 * The server that was asked first.
 */
server: string | null, 
/**
 * RFC 3339.
 */
startedAt: string, 
/**
 * RFC 3339; absent while it goes on, and when it was given up.
 */
endedAt: string | null, 
/**
 * How it failed, if it did.
 */
problem: ProblemView | null, 
/**
 * Steps in their order.
 */
steps: Array<TraceStepView>, 
/**
 * Further steps that were not kept.
 */
leftOut: number, };

export type TraceView = { 
/**
 * Tracing is on.
 */
on: boolean, 
/**
 * Pieces of work, the oldest first.
 */
flows: Array<TraceFlowView>, };
