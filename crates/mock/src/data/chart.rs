//! Resources that belong together, with the indexes that searches use: a person's chart, or what was
//! loaded and what everybody shares.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Incoming, SHARED_TYPES, Stored, fields::Fields};

/// What a resource costs in memory beside its bytes, about.
const OVERHEAD: usize = 2560;

/// A resource's place in its chart.
pub(crate) type Row = u32;

/// Resources by type, owner and name.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    resources: Vec<Arc<Stored>>,
    rows: HashMap<String, Row>,
    by_type: BTreeMap<String, Vec<Row>>,
    by_patient: HashMap<String, BTreeMap<String, Vec<Row>>>,
    provenance: HashMap<String, Vec<Row>>,
    /// `Type/id` of what was deleted, with the second in which it was.
    deleted: Vec<(String, i64)>,
}

impl Chart {
    /// Indexes the resources. Those without type or id are skipped, of two with the same the first stays;
    /// the messages about that are the second result.
    pub(crate) fn new(incoming: Vec<Incoming>) -> (Chart, Vec<String>) {
        let mut chart = Chart::default();
        let mut warnings = Vec::new();
        for item in incoming {
            if let Err(warning) = chart.add(item) {
                warnings.push(warning);
            }
        }
        chart.find_owners();
        chart.index();
        (chart, warnings)
    }

    /// As it is after these deletions: what was deleted is out of the indexes, all else keeps its place.
    pub(crate) fn without(mut self, deleted: Vec<(String, i64)>) -> Self {
        for (key, _) in &deleted {
            let Some(row) = self.rows.remove(key) else {
                continue;
            };
            for rows in self
                .by_type
                .values_mut()
                .chain(self.provenance.values_mut())
            {
                rows.retain(|one| *one != row);
            }
            for rows in self.by_patient.values_mut().flat_map(BTreeMap::values_mut) {
                rows.retain(|one| *one != row);
            }
        }
        self.deleted = deleted;
        self
    }

    fn add(&mut self, item: Incoming) -> Result<(), String> {
        let parsed = read(&item.json)
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
        let row = Row::try_from(self.resources.len()).map_err(|error| error.to_string())?;
        let key = format!("{kind}/{id}");
        if self.rows.contains_key(&key) {
            return Err(format!("skipped a second {key}"));
        }
        self.rows.insert(key, row);
        self.resources.push(Arc::new(Stored {
            resource_type: kind.to_owned(),
            id: id.to_owned(),
            json: item.json,
            fields,
        }));
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
        let mut found: Vec<(Row, Vec<String>)> = Vec::new();
        for (row, resource) in (0..).zip(&self.resources) {
            for binary in &resource.fields.binaries {
                if let Some(binary) = self.rows.get(&format!("Binary/{binary}")) {
                    found.push((*binary, resource.fields.patients.clone()));
                }
            }
            for target in &resource.fields.targets {
                if let Some(target) = self.find(target) {
                    found.push((row, target.fields.patients.clone()));
                }
            }
        }
        for (row, owners) in found {
            let resource = self.resources.get_mut(row as usize);
            let Some(resource) = resource.and_then(Arc::get_mut) else {
                continue;
            };
            for owner in owners {
                if !resource.fields.patients.contains(&owner) {
                    resource.fields.patients.push(owner);
                }
            }
        }
        for resource in self.resources.iter_mut().filter_map(Arc::get_mut) {
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
        for (row, resource) in (0..).zip(&self.resources) {
            let kind = &resource.resource_type;
            self.by_type.entry(kind.clone()).or_default().push(row);
            for owner in &resource.fields.patients {
                let of_owner = self.by_patient.entry(owner.clone()).or_default();
                of_owner.entry(kind.clone()).or_default().push(row);
            }
            for target in &resource.fields.targets {
                self.provenance.entry(target.clone()).or_default().push(row);
            }
        }
    }

    /// About how many bytes of memory this takes.
    pub(crate) fn weight(&self) -> usize {
        let bytes = self.resources.iter().map(|one| one.json.len() + OVERHEAD);
        bytes.sum()
    }

    /// The resource at a place.
    pub(crate) fn at(&self, row: Row) -> Option<&Arc<Stored>> {
        self.resources.get(row as usize)
    }

    /// Where `Type/id` is.
    pub(crate) fn row(&self, key: &str) -> Option<Row> {
        self.rows.get(key).copied()
    }

    fn find(&self, key: &str) -> Option<&Arc<Stored>> {
        self.at(self.row(key)?)
    }

    /// All of a type, in the order of loading.
    pub(crate) fn of_type(&self, kind: &str) -> &[Row] {
        self.by_type.get(kind).map_or(&[], Vec::as_slice)
    }

    /// All of a type in a patient's compartment, in the order of loading.
    pub(crate) fn of_patient(&self, patient: &str, kind: &str) -> &[Row] {
        let of_owner = self.by_patient.get(patient);
        of_owner
            .and_then(|kinds| kinds.get(kind))
            .map_or(&[], Vec::as_slice)
    }

    /// Every type in a patient's compartment with its places, by name of the type.
    pub(crate) fn compartment(&self, patient: &str) -> impl Iterator<Item = (&str, &[Row])> {
        let kinds = self.by_patient.get(patient).into_iter().flatten();
        kinds.map(|(kind, rows)| (kind.as_str(), rows.as_slice()))
    }

    /// The provenances that name `Type/id` as target.
    pub(crate) fn provenance_of(&self, key: &str) -> &[Row] {
        self.provenance.get(key).map_or(&[], Vec::as_slice)
    }

    /// The types that are here, by name, with how many of each.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, usize)> {
        let kinds = self.by_type.iter();
        kinds
            .map(|(kind, rows)| (kind.as_str(), rows.len()))
            .filter(|(_, count)| *count > 0)
    }

    /// `Type/id` of what was deleted, with the second in which it was.
    pub(crate) fn deleted(&self) -> &[(String, i64)] {
        &self.deleted
    }
}

/// What a resource is filed by. It may hold what this server cannot take in (a number beyond measure, a
/// broken escape, a nest without end): those members are not searched by, and are sent like all others.
fn read(json: &str) -> Result<Value, serde_json::Error> {
    let whole = serde_json::from_str(json);
    if whole.is_ok() {
        return whole;
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
    let members = members.into_iter();
    let readable = members.filter_map(|(name, part)| {
        let value = serde_json::from_str::<Value>(part.get());
        value.ok().map(|value| (name, value))
    });
    Ok(Value::Object(readable.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(resources: &[&str]) -> (Chart, Vec<String>) {
        let incoming = resources.iter().map(|json| Incoming {
            json: (*json).to_owned(),
            patient: None,
        });
        Chart::new(incoming.collect())
    }

    #[test]
    fn bytes_stay_as_they_came() {
        let odd = "{ \"id\":\"p\",\t\"resourceType\" : \"Patient\", \"x\":1.50 }";
        let (chart, warnings) = chart(&[odd]);
        assert!(warnings.is_empty());
        assert_eq!(chart.find("Patient/p").unwrap().json, odd);
    }

    #[test]
    fn what_cannot_be_taken_in_is_sent_all_the_same() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for odd in ["1e999", r#""\ud800""#, &deep] {
            let json = format!(r#"{{"resourceType":"Patient","id":"p","x":{odd}}}"#);
            let (chart, warnings) = chart(&[&json]);
            assert!(warnings.is_empty(), "{warnings:?}");
            assert_eq!(chart.find("Patient/p").unwrap().json, json);
        }
    }

    #[test]
    fn binaries_and_provenances_belong_to_whom_they_are_about() {
        let (chart, _) = chart(&[
            r#"{"resourceType":"Patient","id":"p1"}"#,
            r#"{"resourceType":"Patient","id":"p2"}"#,
            r#"{"resourceType":"Binary","id":"b"}"#,
            r#"{"resourceType":"Binary","id":"free"}"#,
            r#"{"resourceType":"Provenance","id":"v","target":[{"reference":"DocumentReference/d"}]}"#,
            r#"{"resourceType":"DocumentReference","id":"d","subject":{"reference":"urn:uuid:p1"},"content":[{"attachment":{"url":"Binary/b"}}]}"#,
        ]);
        for key in ["Binary/b", "Provenance/v", "DocumentReference/d"] {
            assert!(chart.find(key).unwrap().is_visible_to("p1"), "{key}");
            assert!(!chart.find(key).unwrap().is_visible_to("p2"), "{key}");
        }
        assert!(chart.find("Binary/free").unwrap().is_visible_to("p2"));
        assert_eq!(chart.of_patient("p1", "Binary").len(), 1);
        assert_eq!(chart.provenance_of("DocumentReference/d").len(), 1);
    }

    #[test]
    fn nameless_and_double_resources_are_reported() {
        let (chart, warnings) = chart(&[
            r#"{"resourceType":"Patient"}"#,
            r#"{"resourceType":"Patient","id":"p","a":1}"#,
            r#"{"resourceType":"Patient","id":"p","a":2}"#,
        ]);
        assert_eq!(warnings.len(), 2);
        assert!(chart.find("Patient/p").unwrap().json.contains("\"a\":1"));
    }

    #[test]
    fn what_was_deleted_leaves_the_others_where_they_are() {
        let (chart, _) = chart(&[
            r#"{"resourceType":"Patient","id":"p"}"#,
            r#"{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/p"}}"#,
            r#"{"resourceType":"Observation","id":"b","subject":{"reference":"Patient/p"}}"#,
        ]);
        let chart = chart.without(vec![("Observation/a".to_owned(), 7)]);
        assert!(chart.find("Observation/a").is_none());
        assert_eq!(chart.row("Observation/b"), Some(2));
        assert_eq!(chart.of_patient("p", "Observation"), [2]);
        assert_eq!(chart.deleted(), [("Observation/a".to_owned(), 7)]);
    }
}
