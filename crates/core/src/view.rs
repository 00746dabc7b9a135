//! The only shapes that cross from the engine to the window and to the command line.
//!
//! They hold words ready to show, never secrets, and no more health data than the place that asks
//! for them displays. The TypeScript of `ui/src/api/bindings.ts` is generated from this file.

mod access_log;
mod bulk;
mod changes;
mod clinical;
mod lookup;
mod overview;
mod people;
mod privacy;
mod schedule;
mod servers;
mod sync;
mod timeline;

pub use access_log::{AccessAct, AccessLogView};
pub use bulk::{
    BulkJobView, BulkLineErrorView, BulkOutcomeView, BulkReportView, BulkState, BulkTypeView,
    ImportReportView,
};
pub use changes::{ChangedFieldView, ChangedRecordView, ChangesView};
pub use clinical::{
    ClinicalDocumentView, ClinicalSectionView, NarrativeCell, NarrativeNode, NarrativeStyle,
};
pub use lookup::{FoundPatientView, ProvenanceAgentView, ProvenanceView};
pub use overview::{
    ChartOf, MeasuredView, MeasurementView, OverviewBlockView, OverviewKind, OverviewView,
    TrendView,
};
pub use people::{
    AlsoFromView, OriginalsView, PeopleView, PersonSourceView, PersonView, SamePersonView,
};
pub use privacy::{PrivacySettingsView, PrivacyView};
pub use schedule::{ConnectionScheduleView, ScheduleSettingsView, ScheduleView, ScheduleWait};
pub use servers::{
    Ability, AbilityView, DirectoryView, Launch, ServerCheckView, ServerView, SkippedView,
};
pub use sync::{StepOutcome, SyncProgressView, SyncReportView, SyncStepView};
pub use timeline::{TimelineFilter, YearView};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who signs in (SMART App Launch 2.2, "Apps that launch standalone"; SMART Backend Services).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A patient, or a person the patient trusts, at the patient portal: `patient/` scopes.
    Patient,
    /// A provider or staff member at the practice portal: `user/` scopes and a chosen patient.
    Provider,
    /// No person: `client_credentials` with `system/` scopes.
    Backend,
}

/// A login that was begun; the person is now in the browser.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LoginStartedView {
    /// The connection that this login belongs to.
    pub connection_id: String,
    /// The address of the portal, to open in the system browser or to copy.
    pub authorization_url: String,
    /// Name of the server.
    pub server_name: String,
    /// When the login lapses, RFC 3339.
    pub expires_at: String,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionStateView {
    /// Known, never signed in.
    New,
    /// The person is in the browser.
    Authorizing,
    /// Signed in.
    Connected,
    /// The server no longer lets us in; what is stored stays readable.
    AccessLost,
}

/// Whether the server could be reached when last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Reachability {
    /// Not asked since the app started.
    Unknown,
    /// It answered.
    Online,
    /// It did not answer.
    Offline,
}

/// One connection: a server, a role, and the person whose records it holds.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionView {
    /// Identifier made by Satchel; opaque.
    pub id: String,
    /// FHIR base URL.
    pub fhir_base: String,
    /// Name of the server.
    pub server_name: String,
    /// Who signed in.
    pub role: Role,
    /// Where it stands.
    pub state: ConnectionStateView,
    /// Why access was lost, in plain words, when it was.
    pub problem: Option<ProblemView>,
    /// Whether the server answered when last asked.
    pub reachability: Reachability,
    /// Name of the patient whose records these are, once known.
    pub patient_name: Option<String>,
    /// Scopes as granted, in plain words.
    pub granted: Vec<String>,
    /// Who signed in, where the server says so; "you are X, viewing Y".
    pub signed_in_as: Option<SignedInAsView>,
    /// How long access lasts and what was granted of what was asked for, while there is access.
    pub access: Option<AccessView>,
    /// When a sync last ended, RFC 3339.
    pub last_synced_at: Option<String>,
    /// What the last sync did.
    pub last_sync: Option<SyncReportView>,
    /// A sync is running now.
    pub syncing: bool,
    /// Records stored.
    #[ts(type = "number")]
    pub record_count: u64,
    /// Not a server but files that were imported: there is nobody to sign in to or to sync with.
    pub imported: bool,
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignedInAsView {
    /// Name, once it is known.
    pub name: Option<String>,
    /// FHIR type: Patient, Practitioner, PractitionerRole, RelatedPerson or Person.
    pub resource_type: String,
    /// They are the patient whose records these are.
    pub is_patient: bool,
}

/// An access: how long it lasts, how it is renewed, what was granted of what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccessView {
    /// When it was given, RFC 3339.
    pub obtained_at: Option<String>,
    /// When the access token ends, RFC 3339.
    pub expires_at: String,
    /// It is renewed without the person; otherwise it ends at `expires_at` for good.
    pub renewable: bool,
    /// The token lives for more than an hour: whoever gets hold of it has it for that long.
    pub long_lived: bool,
    /// Kinds of record that were asked for and not given, in plain words.
    pub not_shared: Vec<String>,
    /// The exact scopes.
    pub scopes: Vec<ScopeView>,
    /// Tokens of before that still live at the server and could not be revoked.
    pub superseded: Vec<SupersededTokenView>,
}

/// One scope, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScopeView {
    /// As it was written.
    pub scope: String,
    /// What became of it.
    pub granted: ScopeGrantView,
}

/// What became of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ScopeGrantView {
    /// Asked for and granted.
    Whole,
    /// Granted in part.
    Part,
    /// Not granted.
    Nothing,
    /// Granted in these words, which were not those that were asked for.
    Given,
}

/// A token that was replaced and still lives at the server; an administrator can ask for its end.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SupersededTokenView {
    /// SHA-256 of the token, in hex.
    pub sha256: String,
    /// When it ends, RFC 3339.
    pub expires_at: String,
}

/// What the server says when asked whether access is on.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccessCheckView {
    /// On, or not said.
    pub active: Option<bool>,
    /// When the token ends, as the server sees it, RFC 3339.
    pub expires_at: Option<String>,
}

/// A choice of how much to ask for.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScopePresetView {
    /// Its name in commands.
    pub id: String,
    /// What it is, in a few words.
    pub title: String,
    /// One sentence about it.
    pub help: String,
    /// The exact scopes that are sent to this server.
    pub scopes: Vec<String>,
}

/// A portal, or anything else that can open a link, wants Satchel to open a server that it does not
/// know. Nothing was sent there yet.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LaunchRequestView {
    /// Identifier made by Satchel; opaque.
    pub id: String,
    /// The server's host, which is what the person has to know.
    pub host: String,
    /// FHIR base URL.
    pub fhir_base: String,
    /// Who would sign in.
    pub role: Role,
    /// Whether the server is known: then there were too many such links at once.
    pub known: bool,
}

/// The sections of a chart, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Section {
    /// The person.
    Patient,
    /// Conditions and health concerns.
    Problems,
    /// Medication requests, dispenses, statements.
    Medications,
    /// Allergies and intolerances.
    Allergies,
    /// Immunizations.
    Immunizations,
    /// Laboratory results and reports.
    Labs,
    /// Vital signs.
    Vitals,
    /// Procedures.
    Procedures,
    /// Encounters.
    Encounters,
    /// Documents and notes.
    Documents,
    /// Care plans.
    CarePlans,
    /// Goals.
    Goals,
    /// Social history, surveys and other observations.
    Observations,
    /// Orders and referrals.
    Orders,
    /// Care team.
    CareTeam,
    /// Family history.
    FamilyHistory,
    /// Devices and implants.
    Devices,
    /// Coverage, claims and payments.
    Insurance,
    /// Practitioners, organizations, locations.
    PeopleAndPlaces,
    /// Everything else, and what could not be read.
    Other,
}

/// A date as the record gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordDateView {
    /// As received: `2019`, `2019-04`, `2019-04-02`, or an instant.
    pub value: String,
    /// The end of a period, as received.
    pub end: Option<String>,
}

/// High, low, abnormal, critical: the meaning of an interpretation code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Flag {
    /// Normal.
    Normal,
    /// Above the range.
    High,
    /// Below the range.
    Low,
    /// Critically high.
    CriticalHigh,
    /// Critically low.
    CriticalLow,
    /// Abnormal, direction not said.
    Abnormal,
    /// Critically abnormal, direction not said.
    CriticalAbnormal,
}

/// Which record: keys are (source, type, id).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordKey {
    /// The connection that it came from.
    pub connection_id: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// Logical id, any length.
    pub id: String,
}

/// One row of a list.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordSummaryView {
    /// Which record.
    pub key: RecordKey,
    /// Where it belongs in the chart.
    pub section: Section,
    /// What it is, in plain words: text first, codes last; never empty.
    pub title: String,
    /// A second line.
    pub subtitle: Option<String>,
    /// Status in plain words ("Active", "Completed").
    pub status: Option<String>,
    /// When; absent when the record does not say.
    pub date: Option<RecordDateView>,
    /// Value with its unit, as text.
    pub value: Option<String>,
    /// The value is a number, with its unit: how numbers look depends on the reader's language.
    pub measured: bool,
    /// Reference range with its unit, as text.
    pub range: Option<String>,
    /// High, low, …
    pub flag: Option<Flag>,
    /// Why this record could not be read; it is kept as received.
    pub malformed: Option<String>,
    /// Who says so, by the name that the record gives.
    pub performer: Option<String>,
    /// RFC 3339: since when the source no longer gives it.
    pub withdrawn_at: Option<String>,
    /// Name of the server that it came from.
    pub source: String,
    /// Records of other sources that say the same; in the lists of a person with several sources only.
    pub also_from: Vec<AlsoFromView>,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordPageView {
    /// The rows.
    pub rows: Vec<RecordSummaryView>,
    /// How many there are in all.
    #[ts(type = "number")]
    pub total: u64,
}

/// Which records to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordFilter {
    /// Only from this connection.
    pub connection_id: Option<String>,
    /// Only in this section.
    pub section: Option<Section>,
    /// Only of this FHIR type.
    pub resource_type: Option<String>,
}

/// A reference inside a record, and the name of what it points to when that is stored.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceView {
    /// The `reference` as received.
    pub reference: String,
    /// Name of the target.
    pub title: String,
    /// The target.
    pub key: RecordKey,
}

/// One record, whole.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordDetailView {
    /// Its row.
    pub summary: RecordSummaryView,
    /// Byte for byte as received.
    pub json: String,
    /// References that can be named.
    pub references: Vec<ReferenceView>,
    /// Who says so: Provenance records about this one, the newest first.
    pub provenance: Vec<ProvenanceView>,
    /// When Satchel fetched it, RFC 3339.
    pub fetched_at: String,
    /// `meta.lastUpdated`, as received.
    pub last_updated: Option<String>,
    /// The same from other sources, and what the person took apart from it.
    pub originals: OriginalsView,
}

/// A document's content, from the record itself or from a stored `Binary`.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentView {
    /// Media type.
    pub content_type: String,
    /// Title, when given.
    pub title: Option<String>,
    /// Text, when it has some: plain text, or that of C-CDA, HTML, RTF and PDF.
    pub text: Option<String>,
    /// The document itself, when it is a clinical one (HL7 CDA).
    pub clinical: Option<ClinicalDocumentView>,
    /// HTML as it came, when it is not too long: hostile until sanitised.
    pub html: Option<String>,
    /// Size in bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// Base64 for what the window can show itself (images); absent otherwise.
    pub base64: Option<String>,
    /// Why the content is not here.
    pub missing: Option<String>,
    /// It is not here because it is larger than what a sync fetches.
    pub too_large: bool,
    /// It can be asked for by itself.
    pub can_fetch: bool,
    /// The content is here, but is not what the record states.
    pub difference: Option<String>,
}

/// The person at the top of a chart.
#[derive(Clone, Debug, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PatientHeaderView {
    /// Full name.
    pub name: String,
    /// Birth date as received.
    pub birth_date: Option<String>,
    /// How old; absent of the dead.
    pub age: Option<AgeView>,
    /// Sex or gender in words.
    pub gender: Option<String>,
    /// Identifiers worth showing, label and value.
    pub identifiers: Vec<LabelledView>,
    /// Phone, mail, address; label and value.
    pub contacts: Vec<LabelledView>,
    /// Deceased, with the date when given.
    pub deceased: Option<String>,
}

/// How old somebody is: in years, of small children in months or days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AgeView {
    /// How many.
    pub number: i32,
    /// Of what.
    pub unit: AgeUnit,
    /// Only the year of birth is known.
    pub about: bool,
}

/// What an age is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum AgeUnit {
    Year,
    Month,
    Day,
}

/// A label and a value.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LabelledView {
    /// Label.
    pub label: String,
    /// Value.
    pub value: String,
}

/// One section of a chart.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartSectionView {
    /// Which.
    pub section: Section,
    /// Title in plain words.
    pub title: String,
    /// Records stored.
    #[ts(type = "number")]
    pub count: u64,
    /// How complete it is, after the last sync; absent before the first.
    pub outcome: Option<StepOutcome>,
    /// Why it is not complete; over several sources one for each that is not.
    pub notes: Vec<SectionNoteView>,
}

/// Why a section is not complete.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SectionNoteView {
    /// At which source, where there are several.
    pub source: Option<String>,
    /// What became of it.
    pub outcome: StepOutcome,
    /// Why it failed.
    pub problem: Option<ProblemView>,
    /// The same in one or two sentences of English.
    pub text: String,
}

/// A chart.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartView {
    /// Its connection; of a person with several, the oldest.
    pub connection: ConnectionView,
    /// The other connections of the person.
    pub others: Vec<ConnectionView>,
    /// The person, when the chart is over several sources.
    pub person: Option<PersonView>,
    /// The person, once the Patient record is here.
    pub patient: Option<PatientHeaderView>,
    /// Sections in order; those that a chart always shows, and any other that holds records.
    pub sections: Vec<ChartSectionView>,
}

/// One search result.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchHitView {
    /// The record.
    pub record: RecordSummaryView,
    /// Text around the match: pieces, with the matching ones marked.
    pub snippet: Vec<SnippetPart>,
    /// The words are in the record's document, and the text around the match is from there.
    pub in_document: bool,
    /// Whose record it is, where that is known.
    pub patient_name: Option<String>,
}

/// A piece of a snippet.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SnippetPart {
    /// Plain text.
    pub text: String,
    /// It matched.
    pub matched: bool,
}

/// A failure, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProblemView {
    /// Stable code, such as `login.denied`.
    pub code: String,
    /// What happened, one plain sentence.
    pub message: String,
    /// What to do, one plain sentence.
    pub advice: String,
    /// Technical detail without secrets or health data.
    pub detail: Option<String>,
    /// Trying again may help.
    pub can_retry: bool,
}

/// How the engine stands; the first thing that the window asks.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppStatusView {
    /// Ready to work.
    pub ready: bool,
    /// Why not.
    pub problem: Option<ProblemView>,
    /// It waits for the passphrase.
    pub locked: bool,
    /// When the next passphrase is taken, after several wrong ones; RFC 3339.
    pub retry_at: Option<String>,
    /// Version of Satchel.
    pub version: String,
}

/// What became stale, or how far something is. No records travel in events.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, TS)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "type"
)]
pub enum Event {
    /// The list of connections, or a state in it, changed.
    ConnectionsChanged,
    /// A login ended well.
    LoginFinished {
        /// Its connection.
        connection_id: String,
    },
    /// A login ended badly.
    LoginFailed {
        /// Its connection, when it is known.
        connection_id: Option<String>,
        /// Why.
        problem: ProblemView,
    },
    /// A launch by a portal waits for the person's yes, or waits no longer.
    LaunchesChanged,
    /// A sync moved on.
    SyncProgress(SyncProgressView),
    /// A sync ended; the report is in the connection.
    SyncFinished {
        /// Its connection.
        connection_id: String,
    },
    /// Records of this connection changed.
    RecordsChanged {
        /// Its connection.
        connection_id: String,
    },
    /// The engine became ready, or stopped being so.
    StatusChanged,
    /// There is more to see in the trace; told once until somebody looks.
    TraceChanged,
}

/// What a server holds about this app (RFC 7591 §3.2.1), for the person and for testers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationView {
    /// The server.
    pub server_name: String,
    /// `client_id`.
    pub client_id: String,
    /// Agreed on by hand; not by dynamic registration.
    pub agreed_by_hand: bool,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: String,
    /// ES384 or RS384, of this installation's key.
    pub signing_algorithm: Option<String>,
    /// Key ids of the public keys that the server holds.
    pub key_ids: Vec<String>,
    /// `client_name`, as the server shows it.
    pub client_name: Option<String>,
    /// `software_version` that was registered.
    pub software_version: Option<String>,
    /// `redirect_uris`.
    pub redirect_uris: Vec<String>,
    /// `grant_types`.
    pub grant_types: Vec<String>,
    /// `scope`: all that this app may ask for.
    pub scope: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When the secret ends, RFC 3339; none when it never does, or there is none.
    pub secret_expires_at: Option<String>,
    /// The server was asked just now; else it is as it was when it was made.
    pub read_from_server: bool,
    /// `client_id` of this installation alone, where the vendor has such.
    pub installation_client_id: Option<String>,
    /// What to know about it.
    pub notes: Vec<ProblemView>,
    /// Everything that the server said, as JSON, without secrets.
    pub held: String,
}
