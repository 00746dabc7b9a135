//! All resources, as the bytes they came in, with the indexes that searches use.

pub(crate) mod dates;
pub(crate) mod fields;
mod load;

use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

pub(crate) use fields::{Fields, Token};
pub(crate) use load::read_directory;

use crate::population::{Account, AccountRole, Generated};

/// The types all patients share; a patient's token may read them.
const SHARED_TYPES: [&str; 7] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Medication",
    "HealthcareService",
    "Questionnaire",
];

/// A resource before it is indexed.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) json: String,
    /// The owner, where the resource itself does not tell.
    pub(crate) patient: Option<String>,
}

impl From<Generated> for Incoming {
    fn from(generated: Generated) -> Self {
        Incoming {
            json: generated.json,
            patient: generated.patient,
        }
    }
}

/// One resource.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) resource_type: String,
    pub(crate) id: String,
    /// The bytes to send, never changed.
    pub(crate) json: String,
    pub(crate) fields: Fields,
}

impl Stored {
    /// The weak entity tag: `meta.versionId`, or else a sum of the bytes (FHIR R4, http.html#versioning).
    pub(crate) fn etag(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Head {
            meta: Option<Meta>,
        }
        #[derive(serde::Deserialize)]
        struct Meta {
            #[serde(rename = "versionId")]
            version_id: Option<String>,
        }
        let head = serde_json::from_str::<Head>(&self.json).ok();
        let version = head
            .and_then(|head| head.meta)
            .and_then(|meta| meta.version_id);
        let version = version.unwrap_or_else(|| {
            let sum = Sha256::digest(self.json.as_bytes());
            sum.iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect()
        });
        format!("W/\"{version}\"")
    }

    /// Whether somebody who may see only `patient` may see this.
    pub(crate) fn is_visible_to(&self, patient: &str) -> bool {
        if self.fields.patients.is_empty() {
            return self.resource_type == "Binary"
                || SHARED_TYPES.contains(&self.resource_type.as_str());
        }
        self.fields.patients.iter().any(|owner| owner == patient)
    }
}

/// A resource's place in [`Data`].
pub(crate) type Place = u32;

/// Every resource of the server.
#[derive(Debug, Default)]
pub(crate) struct Data {
    resources: Vec<Stored>,
    places: HashMap<String, Place>,
    by_type: HashMap<String, Vec<Place>>,
    by_patient: HashMap<String, HashMap<String, Vec<Place>>>,
    provenance: HashMap<String, Vec<Place>>,
}

impl Data {
    /// Indexes the resources. Those without type or id are skipped, of two with the same the first stays;
    /// the messages about that are the second result.
    pub(crate) fn new(incoming: Vec<Incoming>) -> (Data, Vec<String>) {
        let mut data = Data::default();
        let mut warnings = Vec::new();
        for item in incoming {
            if let Err(warning) = data.add(item) {
                warnings.push(warning);
            }
        }
        data.find_owners();
        data.index();
        (data, warnings)
    }

    fn add(&mut self, item: Incoming) -> Result<(), String> {
        let parsed: Value = serde_json::from_str(&item.json)
            .map_err(|error| format!("skipped a resource that is no JSON: {error}"))?;
        let text = |key: &str| parsed.get(key).and_then(Value::as_str);
        let kind = text("resourceType").ok_or("skipped something without resourceType")?;
        let id = text("id").ok_or_else(|| format!("skipped a {kind} without id"))?;
        let mut fields = Fields::of(&parsed);
        if let Some(owner) = item.patient
            && !fields.patients.contains(&owner)
        {
            fields.patients.push(owner);
        }
        let place = Place::try_from(self.resources.len()).map_err(|error| error.to_string())?;
        let key = format!("{kind}/{id}");
        if self.places.contains_key(&key) {
            return Err(format!("skipped a second {key}"));
        }
        self.places.insert(key, place);
        self.resources.push(Stored {
            resource_type: kind.to_owned(),
            id: id.to_owned(),
            json: item.json,
            fields,
        });
        Ok(())
    }

    /// Gives provenances and binaries the owners of what they belong to, and takes away owners that
    /// turned out to be no patients.
    fn find_owners(&mut self) {
        let known: HashSet<String> = self
            .resources
            .iter()
            .filter(|resource| resource.resource_type == "Patient")
            .map(|resource| resource.id.clone())
            .collect();
        let mut found: Vec<(Place, Vec<String>)> = Vec::new();
        for (place, resource) in (0..).zip(&self.resources) {
            for binary in &resource.fields.binaries {
                if let Some(binary) = self.places.get(&format!("Binary/{binary}")) {
                    found.push((*binary, resource.fields.patients.clone()));
                }
            }
            for target in &resource.fields.targets {
                if let Some(target) = self.find(target) {
                    found.push((place, target.fields.patients.clone()));
                }
            }
        }
        for (place, owners) in found {
            let Some(resource) = self.resources.get_mut(place as usize) else {
                continue;
            };
            for owner in owners {
                if !resource.fields.patients.contains(&owner) {
                    resource.fields.patients.push(owner);
                }
            }
        }
        for resource in &mut self.resources {
            // An owner who is not here keeps the resource hidden, unless the type is shared anyway.
            if SHARED_TYPES.contains(&resource.resource_type.as_str()) {
                resource
                    .fields
                    .patients
                    .retain(|owner| known.contains(owner));
            }
        }
    }

    fn index(&mut self) {
        for (place, resource) in (0..).zip(&self.resources) {
            let kind = &resource.resource_type;
            self.by_type.entry(kind.clone()).or_default().push(place);
            for owner in &resource.fields.patients {
                let of_owner = self.by_patient.entry(owner.clone()).or_default();
                of_owner.entry(kind.clone()).or_default().push(place);
            }
            for target in &resource.fields.targets {
                self.provenance
                    .entry(target.clone())
                    .or_default()
                    .push(place);
            }
        }
    }

    /// The resource at a place.
    pub(crate) fn at(&self, place: Place) -> Option<&Stored> {
        self.resources.get(place as usize)
    }

    /// Where `Type/id` is.
    pub(crate) fn place(&self, key: &str) -> Option<Place> {
        self.places.get(key).copied()
    }

    /// The resource `Type/id`.
    pub(crate) fn find(&self, key: &str) -> Option<&Stored> {
        self.at(self.place(key)?)
    }

    /// All of a type, in the order of loading.
    pub(crate) fn of_type(&self, kind: &str) -> &[Place] {
        self.by_type.get(kind).map_or(&[], Vec::as_slice)
    }

    /// All of a type in a patient's compartment, in the order of loading.
    pub(crate) fn of_patient(&self, patient: &str, kind: &str) -> &[Place] {
        let of_owner = self.by_patient.get(patient);
        of_owner
            .and_then(|kinds| kinds.get(kind))
            .map_or(&[], Vec::as_slice)
    }

    /// Every type in a patient's compartment with its places, by name of the type.
    pub(crate) fn compartment(&self, patient: &str) -> BTreeMap<&str, &[Place]> {
        let kinds = self.by_patient.get(patient).into_iter().flatten();
        kinds
            .map(|(kind, places)| (kind.as_str(), places.as_slice()))
            .collect()
    }

    /// The provenances that name `Type/id` as target.
    pub(crate) fn provenance_of(&self, key: &str) -> &[Place] {
        self.provenance.get(key).map_or(&[], Vec::as_slice)
    }

    /// The types that are here.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        self.by_type.keys().map(String::as_str)
    }

    /// Id and display name of every patient.
    pub(crate) fn patient_names(&self) -> Vec<(String, String)> {
        let patients = self.of_type("Patient").iter();
        patients
            .filter_map(|place| self.at(*place))
            .map(|patient| (patient.id.clone(), display_name(patient)))
            .collect()
    }

    /// By patient: the id of the latest visit, and `DiagnosticReport/id` of the latest report.
    pub(crate) fn latest(&self) -> HashMap<String, (Option<String>, Option<String>)> {
        let last = |patient: &str, kind: &str| {
            let places = self.of_patient(patient, kind).iter();
            let resources = places.filter_map(|place| self.at(*place));
            resources
                .max_by_key(|one| one.fields.date.map(|date| date.start))
                .map(|one| one.id.clone())
        };
        let patients = self.patient_names().into_iter();
        patients
            .map(|(patient, _)| {
                let report = last(&patient, "DiagnosticReport");
                let latest = (
                    last(&patient, "Encounter"),
                    report.map(|id| format!("DiagnosticReport/{id}")),
                );
                (patient, latest)
            })
            .collect()
    }

    /// Accounts for the patients nobody has one for: the patient's own, named like the id, and all of
    /// them for `dr.chen`. The password is `demo`.
    pub(crate) fn complete_accounts(&self, accounts: &mut Vec<Account>) {
        let named = self.patient_names();
        let new: Vec<_> = named
            .into_iter()
            .filter(|(id, _)| !accounts.iter().any(|known| known.patient_ids.contains(id)))
            .collect();
        if new.is_empty() {
            return;
        }
        if !accounts.iter().any(|known| known.username == "dr.chen") {
            accounts.push(doctor());
        }
        for (id, name) in new {
            for known in &mut *accounts {
                if known.role == AccountRole::Provider {
                    known.patient_ids.push(id.clone());
                }
            }
            accounts.insert(
                accounts.len() - 1,
                Account {
                    username: id.clone(),
                    password: "demo".to_owned(),
                    role: AccountRole::Patient,
                    display_name: name,
                    fhir_user: format!("Patient/{id}"),
                    patient_ids: vec![id],
                },
            );
        }
    }
}

fn doctor() -> Account {
    Account {
        username: "dr.chen".to_owned(),
        password: "demo".to_owned(),
        role: AccountRole::Provider,
        patient_ids: Vec::new(),
        display_name: "Dr. Chen".to_owned(),
        fhir_user: "Practitioner/dr-chen".to_owned(),
    }
}

/// The first name of the patient, or the id.
fn display_name(patient: &Stored) -> String {
    let parsed: Value = serde_json::from_str(&patient.json).unwrap_or_default();
    let name = parsed.pointer("/name/0").cloned().unwrap_or_default();
    if let Some(text) = name.get("text").and_then(Value::as_str) {
        return text.to_owned();
    }
    let given = name.pointer("/given/0").and_then(Value::as_str);
    let family = name.get("family").and_then(Value::as_str);
    let parts: Vec<&str> = given.into_iter().chain(family).collect();
    if parts.is_empty() {
        patient.id.clone()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(resources: &[&str]) -> (Data, Vec<String>) {
        let incoming = resources.iter().map(|json| Incoming {
            json: (*json).to_owned(),
            patient: None,
        });
        Data::new(incoming.collect())
    }

    #[test]
    fn bytes_stay_as_they_came() {
        let odd = "{ \"id\":\"p\",\t\"resourceType\" : \"Patient\", \"x\":1.50 }";
        let (data, warnings) = data(&[odd]);
        assert!(warnings.is_empty());
        assert_eq!(data.find("Patient/p").unwrap().json, odd);
    }

    #[test]
    fn binaries_and_provenances_belong_to_whom_they_are_about() {
        let (data, _) = data(&[
            r#"{"resourceType":"Patient","id":"p1"}"#,
            r#"{"resourceType":"Patient","id":"p2"}"#,
            r#"{"resourceType":"Binary","id":"b"}"#,
            r#"{"resourceType":"Binary","id":"free"}"#,
            r#"{"resourceType":"Provenance","id":"v","target":[{"reference":"DocumentReference/d"}]}"#,
            r#"{"resourceType":"DocumentReference","id":"d","subject":{"reference":"urn:uuid:p1"},"content":[{"attachment":{"url":"Binary/b"}}]}"#,
        ]);
        for key in ["Binary/b", "Provenance/v", "DocumentReference/d"] {
            assert!(data.find(key).unwrap().is_visible_to("p1"), "{key}");
            assert!(!data.find(key).unwrap().is_visible_to("p2"), "{key}");
        }
        assert!(data.find("Binary/free").unwrap().is_visible_to("p2"));
        assert_eq!(data.of_patient("p1", "Binary").len(), 1);
        assert_eq!(data.provenance_of("DocumentReference/d").len(), 1);
    }

    #[test]
    fn nameless_and_double_resources_are_reported() {
        let (data, warnings) = data(&[
            r#"{"resourceType":"Patient"}"#,
            r#"{"resourceType":"Patient","id":"p","a":1}"#,
            r#"{"resourceType":"Patient","id":"p","a":2}"#,
        ]);
        assert_eq!(warnings.len(), 2);
        assert!(data.find("Patient/p").unwrap().json.contains("\"a\":1"));
    }

    #[test]
    fn every_patient_gets_an_account() {
        let (data, _) = data(&[
            r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Doe","given":["Jo"]}]}"#,
            r#"{"resourceType":"Patient","id":"p2"}"#,
        ]);
        let mut accounts = Vec::new();
        data.complete_accounts(&mut accounts);
        let names: Vec<&str> = accounts.iter().map(|a| a.username.as_str()).collect();
        assert_eq!(names, ["p1", "p2", "dr.chen"]);
        assert_eq!(accounts[0].display_name, "Jo Doe");
        assert_eq!(accounts[2].patient_ids, ["p1", "p2"]);
    }
}
