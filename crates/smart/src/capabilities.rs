//! What a server says it can do (SMART App Launch 2.2, "Capabilities" and "Capability Sets").

use crate::discovery::SmartConfiguration;

/// A set of capabilities that together let a kind of app work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CapabilitySet {
    /// "Patient Access for Standalone Apps".
    PatientStandalone,
    /// "Patient Access for EHR Launch (i.e., from Portal)".
    PatientEhr,
    /// "Clinician Access for Standalone".
    ClinicianStandalone,
    /// "Clinician Access for EHR Launch".
    ClinicianEhr,
}

/// Any one of these lets an app prove itself, or do without. The sets were written for the first
/// two; a server that takes asymmetric clients only serves us as well.
const CLIENTS: [&str; 3] = [
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
];

impl CapabilitySet {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::PatientStandalone,
        Self::PatientEhr,
        Self::ClinicianStandalone,
        Self::ClinicianEhr,
    ];

    /// The capabilities that have to be there, beside one for the kind of client.
    #[must_use]
    pub fn required(self) -> &'static [&'static str] {
        match self {
            Self::PatientStandalone => &[
                "launch-standalone",
                "context-standalone-patient",
                "permission-patient",
            ],
            Self::PatientEhr => &["launch-ehr", "context-ehr-patient", "permission-patient"],
            Self::ClinicianStandalone => {
                &["launch-standalone", "permission-user", "permission-patient"]
            }
            Self::ClinicianEhr => &[
                "launch-ehr",
                "context-ehr-patient",
                "context-ehr-encounter",
                "permission-user",
                "permission-patient",
            ],
        }
    }

    /// What the server does not list of it; empty when it has the whole set.
    #[must_use]
    pub fn missing(self, server: &SmartConfiguration) -> Vec<&'static str> {
        let mut missing: Vec<&str> = self
            .required()
            .iter()
            .copied()
            .filter(|capability| !server.supports(capability))
            .collect();
        if !CLIENTS.iter().any(|client| server.supports(client)) {
            missing.push("client-public");
        }
        missing
    }
}

impl SmartConfiguration {
    /// Whether a login can begin here, without the portal. A server that names no kind of launch at
    /// all is taken at its authorization endpoint.
    #[must_use]
    pub fn launches_standalone(&self) -> bool {
        self.authorization_endpoint.is_some()
            && (self.supports("launch-standalone") || !self.supports("launch-ehr"))
    }

    /// Whether the portal or EHR can start us.
    #[must_use]
    pub fn launches_from_ehr(&self) -> bool {
        self.authorization_endpoint.is_some() && self.supports("launch-ehr")
    }

    /// Whether patients can sign in: unless the server gives permissions to its users only.
    #[must_use]
    pub fn serves_patients(&self) -> bool {
        self.supports("permission-patient")
            || self.supports("context-standalone-patient")
            || !self.supports("permission-user")
    }

    /// Whether providers and staff can sign in; a server that lists nothing may be tried.
    #[must_use]
    pub fn serves_users(&self) -> bool {
        self.capabilities.is_empty() || self.supports("permission-user")
    }

    /// Whether backend services get tokens (SMART Backend Services, "Discovery").
    #[must_use]
    pub fn serves_backends(&self) -> bool {
        self.grant_types
            .iter()
            .any(|grant| grant == "client_credentials")
    }
}
