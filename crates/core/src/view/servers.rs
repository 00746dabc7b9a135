//! Servers as they are chosen: by name, and by what they can do.

use super::Role;
use serde::Serialize;
use ts_rs::TS;

/// A server that can be chosen: known by name, or from a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerView {
    /// FHIR base URL.
    pub fhir_base: String,
    /// Name to show.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// True for the mock server: its people are synthetic.
    pub for_testing: bool,
    /// Where it is, to tell similar names apart.
    pub place: Option<String>,
    /// The portal as its patients know it.
    pub portal: Option<String>,
    /// Whether there may be a logo to ask for.
    pub has_logo: bool,
    /// Terms of the logo, to show beside it.
    pub logo_license: Option<String>,
}

/// How a sign-in can begin (SMART App Launch 2.2, "Launching").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Launch {
    /// Here: `launch-standalone`.
    Here,
    /// In the portal or EHR, which opens Satchel: `launch-ehr`.
    Portal,
}

/// Something that a server can do, or cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Ability {
    /// Capability set "Patient Access for Standalone Apps".
    PatientHere,
    /// Capability set "Patient Access for EHR Launch (i.e., from Portal)".
    PatientPortal,
    /// Capability set "Clinician Access for Standalone".
    ProviderHere,
    /// Capability set "Clinician Access for EHR Launch".
    ProviderEhr,
    /// `permission-offline`.
    StaySignedIn,
    /// `sso-openid-connect`.
    TellWhoSignedIn,
    /// `permission-v2`.
    ChooseExactly,
    /// `registration_endpoint`.
    RegisterItself,
    /// `revocation_endpoint`.
    EndAccess,
    /// `management_endpoint`.
    ManageAccess,
    /// `client_credentials`.
    Backend,
    /// UDAP metadata.
    TrustCommunity,
}

/// An ability, and what is missing for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AbilityView {
    /// Which.
    pub ability: Ability,
    /// Whether the server has it.
    pub offered: bool,
    /// Capabilities that the server does not list although a whole set needs them.
    pub missing: Vec<String>,
}

/// What discovery found at a FHIR base URL, before anybody signs in.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerCheckView {
    /// The FHIR base URL as Satchel will use it.
    pub fhir_base: String,
    /// Name to show (the host when the server gives none).
    pub name: String,
    /// Where it is.
    pub place: Option<String>,
    /// Whether there may be a logo to ask for.
    pub has_logo: bool,
    /// Terms of the logo, to show beside it.
    pub logo_license: Option<String>,
    /// Whether the server lets an installation register itself (RFC 7591).
    pub can_register: bool,
    /// Roles that the server's capabilities allow.
    pub roles: Vec<Role>,
    /// How a sign-in can begin.
    pub launches: Vec<Launch>,
    /// What it can do, and what not.
    pub abilities: Vec<AbilityView>,
    /// The capabilities exactly as the server lists them.
    pub capabilities: Vec<String>,
    /// Whether the provider has a page where access is managed.
    pub can_manage: bool,
}

/// A directory of servers that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryView {
    /// Identifier made by Satchel; opaque.
    pub id: String,
    /// URL or file name that it came from.
    pub source: String,
    /// When it was published, as it says.
    pub published: Option<String>,
    /// When it was last read, RFC 3339.
    pub imported_at: String,
    /// Servers in it.
    #[ts(type = "number")]
    pub servers: u64,
    /// Entries that were left out.
    #[ts(type = "number")]
    pub skipped: u64,
    /// Why they were left out, most often first.
    pub reasons: Vec<SkippedView>,
}

/// Entries left out of a directory, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SkippedView {
    /// Short name of the reason.
    pub reason: String,
    /// How many.
    #[ts(type = "number")]
    pub count: u64,
}
