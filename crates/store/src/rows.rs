//! The rows that go in and come out.

use zeroize::Zeroizing;

/// A server, a role, and the person whose records it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct ConnectionRow {
    /// Opaque identifier.
    pub id: String,
    /// FHIR base URL.
    pub fhir_base: String,
    /// Name to show.
    pub server_name: String,
    /// `patient`, `provider` or `backend`.
    pub role: String,
    /// Short name of the state.
    pub state: String,
    /// The state as JSON.
    pub state_detail: Option<String>,
    /// The patient in context, as the token answer gave it.
    pub patient_id: Option<String>,
    /// `fhirUser`, as verified.
    pub fhir_user: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub last_synced_at: Option<String>,
    /// Report of the last sync, JSON.
    pub last_sync: Option<String>,
    /// What is known of the access beside its tokens, JSON. Written with [`TokenRow::access`] or
    /// [`crate::Store::connection_access_set`] only.
    pub access: Option<String>,
}

/// This installation's registration with one server in one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientRow {
    /// FHIR base URL.
    pub fhir_base: String,
    /// `patient`, `provider` or `backend`.
    pub role: String,
    /// `client_id`.
    pub client_id: String,
    /// `token_endpoint_auth_method`.
    pub auth_method: String,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Name of the keychain entry; never the secret.
    pub key_name: Option<String>,
    /// `ES384` or `RS384`.
    pub key_alg: Option<String>,
    /// Epoch seconds; 0 is never.
    pub secret_expires_at: Option<i64>,
    /// RFC 7592.
    pub registration_client_uri: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// Agreed on by hand (`static`), not by dynamic registration.
    pub is_static: bool,
    /// JSON: what the server said that it holds, without secrets.
    pub registered: Option<String>,
    /// HTTP status with which the server refused to manage it.
    pub unmanaged: Option<u16>,
    /// JSON: how far the exchange of the key has come.
    pub rotation: Option<String>,
    /// RFC 3339: when the secret in use was given, once it was renewed.
    pub secret_since: Option<String>,
}

/// A registration at a server without a row of its own.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LooseRegistrationRow {
    /// Name of the keychain entry.
    pub key_name: String,
    /// FHIR base URL.
    pub fhir_base: String,
    /// `patient`, `provider` or `backend`.
    pub role: String,
    /// `client_id`, where the answer came.
    pub client_id: Option<String>,
    /// `asking`, `unwanted` or `left`.
    pub state: String,
    /// RFC 3339.
    pub since: String,
}

/// The client of this installation alone, for one connection.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InstallationRow {
    /// `client_id`; none when the server refused.
    pub client_id: Option<String>,
    /// Name of the keychain entry.
    pub key_name: Option<String>,
    /// `ES384` or `RS384`.
    pub key_alg: Option<String>,
    /// Why there is none.
    pub problem_code: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

/// Tokens of a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The access token.
    pub access_token: Zeroizing<String>,
    /// The refresh token, when the server gave one.
    pub refresh_token: Option<Zeroizing<String>>,
    /// RFC 3339.
    pub expires_at: String,
    /// As granted.
    pub scope: String,
    /// The connection's `access`, to be written in the same transaction; `None` leaves it as it is,
    /// and is what comes back when tokens are read.
    pub access: Option<String>,
}

impl std::fmt::Debug for TokenRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenRow")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A login that waits for its answer.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingRow {
    /// SHA-256 of `state`, hex.
    pub state_hash: String,
    /// The connection that it belongs to.
    pub connection_id: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// The address to open in the browser.
    pub authorization_url: Zeroizing<String>,
    /// What is needed to accept the answer.
    pub payload: Zeroizing<String>,
}

impl std::fmt::Debug for PendingRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingRow")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A step of the last sync.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SyncStepRow {
    /// The run that it belongs to.
    pub run_id: String,
    /// Which step.
    pub step_key: String,
    /// `running`, `done` or `failed`.
    pub state: String,
    /// Where the next page is, after the last one that was stored.
    pub cursor: Option<String>,
    /// Records stored.
    #[sqlx(try_from = "i64")]
    pub records: u64,
}

/// What a list and the index need of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexIn {
    /// Section of the chart.
    pub section: String,
    /// What it is, in words.
    pub title: String,
    /// `system|code`.
    pub code: Option<String>,
    /// Second line.
    pub subtitle: Option<String>,
    /// Status in words.
    pub status: Option<String>,
    /// As received.
    pub date_start: Option<String>,
    /// As received.
    pub date_end: Option<String>,
    /// Milliseconds since 1970; `None` when unknown.
    pub date_sort: Option<i64>,
    /// Precision of the date.
    pub date_precision: Option<String>,
    /// Value with unit.
    pub value_text: Option<String>,
    /// Numeric value.
    pub value_number: Option<f64>,
    /// Unit.
    pub unit: Option<String>,
    /// Reference range.
    pub range_text: Option<String>,
    /// Interpretation.
    pub flag: Option<String>,
    /// Whose record it is.
    pub subject: Option<String>,
    /// Who says so, in words.
    pub performer: Option<String>,
    /// Text for the full-text search.
    pub text: String,
    /// `Type/id` of the records that this one is about (Provenance).
    pub about: Vec<String>,
    /// It has attachments, to be read for the search.
    pub has_attachments: bool,
}

/// A record to store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordIn {
    /// FHIR type.
    pub resource_type: String,
    /// Logical id, of any length.
    pub id: String,
    /// `meta.versionId`.
    pub version_id: Option<String>,
    /// `meta.lastUpdated`.
    pub last_updated: Option<String>,
    /// Byte for byte as received.
    pub json: String,
    /// Why it could not be read.
    pub malformed: Option<String>,
    /// Its index.
    pub index: IndexIn,
}

/// What storing a page did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedPage {
    /// Records that were not there.
    pub inserted: u64,
    /// Records whose bytes changed.
    pub updated: u64,
    /// Records with the same bytes.
    pub unchanged: u64,
    /// The same of each FHIR type that anything was stored of.
    pub types: Vec<SavedType>,
    /// The records of the page, by their keys in the file: with those of the other pages it tells which
    /// records a source no longer gives ([`crate::Store::withdraw_all_but`]).
    pub keys: Vec<i64>,
}

/// What storing a page did to the records of one FHIR type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedType {
    /// FHIR type.
    pub resource_type: String,
    /// Records that were not there.
    pub inserted: u64,
    /// Records whose bytes changed.
    pub updated: u64,
    /// Records that stayed as they were, for what is here is better ([`crate::Page::unless`]).
    pub kept: u64,
}

impl SavedPage {
    pub(crate) fn of_type(&mut self, resource_type: &str) -> &mut SavedType {
        // A page has few types.
        let known = self
            .types
            .iter()
            .position(|one| one.resource_type == resource_type);
        let place = known.unwrap_or_else(|| {
            self.types.push(SavedType {
                resource_type: resource_type.to_owned(),
                ..SavedType::default()
            });
            self.types.len() - 1
        });
        &mut self.types[place]
    }
}

/// Which records to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only of this connection.
    pub connection_id: Option<String>,
    /// Only in these sections; empty means all.
    pub sections: Vec<String>,
    /// Only of this FHIR type.
    pub resource_type: Option<String>,
}

/// A stored record without its JSON.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct RecordRow {
    /// The connection that it came from.
    pub connection_id: String,
    /// FHIR type.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// `meta.versionId`.
    pub version_id: Option<String>,
    /// `meta.lastUpdated`.
    pub last_updated: Option<String>,
    /// RFC 3339.
    pub fetched_at: String,
    /// Why it could not be read.
    pub malformed: Option<String>,
    /// Section of the chart.
    pub section: String,
    /// What it is, in words.
    pub title: String,
    /// `system|code`.
    pub code: Option<String>,
    /// Second line.
    pub subtitle: Option<String>,
    /// Status in words.
    pub status: Option<String>,
    /// As received.
    pub date_start: Option<String>,
    /// As received.
    pub date_end: Option<String>,
    /// Milliseconds since 1970.
    pub date_sort: Option<i64>,
    /// Precision of the date.
    pub date_precision: Option<String>,
    /// Value with unit.
    pub value_text: Option<String>,
    /// Numeric value.
    pub value_number: Option<f64>,
    /// Unit.
    pub unit: Option<String>,
    /// Reference range.
    pub range_text: Option<String>,
    /// Interpretation.
    pub flag: Option<String>,
    /// Who says so, in words.
    pub performer: Option<String>,
    /// RFC 3339: when the source was found to give it no longer.
    pub withdrawn_at: Option<String>,
}

/// A version of a record that its source has replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordVersionRow {
    /// `meta.versionId`.
    pub version_id: Option<String>,
    /// `meta.lastUpdated`.
    pub last_updated: Option<String>,
    /// RFC 3339: when it came from the source.
    pub fetched_at: String,
    /// RFC 3339: when the next one came.
    pub replaced_at: String,
    /// Byte for byte as received.
    pub json: String,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordsPage {
    /// The rows.
    pub rows: Vec<RecordRow>,
    /// How many there are in all.
    pub total: u64,
}

/// A search result.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    /// The record.
    pub row: RecordRow,
    /// Byte for byte as received.
    pub json: String,
    /// Not all words stand in the record itself: they are in its document.
    pub in_document: bool,
}
