//! A deterministic synthetic population: people who never lived, with charts that look lived in.

/// The people of one mock server: their resources and the accounts that may read them.
#[derive(Debug, Clone)]
pub struct Population {
    /// Every resource, the shared ones (organizations, practitioners, ...) first, then person by person.
    pub resources: Vec<Generated>,
    /// Who may sign in at the portal.
    pub accounts: Vec<Account>,
}

/// One FHIR R4 resource as the server will send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// `resourceType` of the JSON.
    pub resource_type: String,
    /// Logical id, unique per type in the whole population.
    pub id: String,
    /// Logical id of the `Patient` whose compartment this is in; `None` for what all people share.
    pub patient: Option<String>,
    /// The bytes to send.
    pub json: String,
    /// `meta.lastUpdated` of the JSON: RFC 3339, UTC, milliseconds.
    pub last_updated: String,
}

/// A sign-in at the portal. The password is for testers; it protects nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What is typed into the field `username`.
    pub username: String,
    /// What is typed into the field `password`.
    pub password: String,
    /// What kind of person signs in.
    pub role: AccountRole,
    /// Logical ids of the patients whose charts this account may open.
    pub patient_ids: Vec<String>,
    /// The name to show after sign-in.
    pub display_name: String,
    /// Relative reference for the `fhirUser` claim, for example `Patient/pt-10000`.
    pub fhir_user: String,
}

/// What kind of person an [`Account`] belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRole {
    /// A patient, or somebody who may read for patients (a parent).
    Patient,
    /// A clinician who may read every chart.
    Provider,
}

/// One person's chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientRecord {
    /// Logical id of the `Patient`.
    pub id: String,
    /// The name in plain reading order.
    pub display_name: String,
    /// Everything in this person's compartment, the `Patient` first.
    pub resources: Vec<Generated>,
}

/// The whole population: `patients` people from `seed`. Same arguments, same bytes, on every platform.
#[must_use]
pub fn generate(patients: usize, seed: u64) -> Population {
    let mut resources = Vec::new();
    let mut accounts = Vec::new();
    for index in 0..patients {
        let record = generate_patient(seed, index);
        if index == 0 {
            accounts.push(Account {
                username: "amina.diallo".into(),
                password: "demo".into(),
                role: AccountRole::Patient,
                patient_ids: vec![record.id.clone()],
                display_name: record.display_name.clone(),
                fhir_user: format!("Patient/{}", record.id),
            });
        }
        resources.extend(record.resources);
    }
    Population {
        resources,
        accounts,
    }
}

/// The chart of person number `index` (from 0), independent of all others.
#[must_use]
pub fn generate_patient(_seed: u64, index: usize) -> PatientRecord {
    let id = format!("pt-{}", (index + 1) * 10_000);
    let last_updated = "2026-06-01T12:00:00.000Z".to_owned();
    let json = format!(
        r#"{{"resourceType":"Patient","id":"{id}","meta":{{"lastUpdated":"{last_updated}"}},"name":[{{"family":"Diallo","given":["Amina"]}}],"gender":"female","birthDate":"1979-04-12"}}"#
    );
    let patient = Generated {
        resource_type: "Patient".into(),
        id: id.clone(),
        patient: Some(id.clone()),
        json,
        last_updated,
    };
    PatientRecord {
        id,
        display_name: "Amina Diallo".into(),
        resources: vec![patient],
    }
}
