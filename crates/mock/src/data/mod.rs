//! All resources, as the bytes they came in: what was loaded, what everybody shares, and a chart for each
//! synthetic person.

mod chart;
pub(crate) mod dates;
pub(crate) mod fields;
mod load;
mod people;

use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use chart::{Chart, Row};
pub(crate) use fields::{Fields, Token};
pub(crate) use load::read_directory;
pub(crate) use people::People;

use crate::population::{self, Generated};

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

/// The number of a chart: 0 is what was loaded and what everybody shares, n is that of person n - 1.
pub(crate) type ChartNumber = u32;

/// A resource's place in [`Data`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) chart: ChartNumber,
    row: Row,
}

/// Every resource of the server.
#[derive(Debug)]
pub(crate) struct Data {
    shared: Arc<Chart>,
    people: People,
}

/// How many people's charts are looked into to know the types.
const TYPICAL: usize = 8;

impl Data {
    /// What was loaded or is shared, beside the people. What is wrong with it is the second result.
    pub(crate) fn new(shared: Vec<Incoming>, people: People) -> (Data, Vec<String>) {
        let (shared, warnings) = Chart::new(shared);
        let data = Data {
            shared: Arc::new(shared),
            people,
        };
        (data, warnings)
    }

    /// The synthetic people.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// How many charts there are, that of everybody among them.
    pub(crate) fn charts(&self) -> ChartNumber {
        ChartNumber::try_from(self.people.count()).map_or(ChartNumber::MAX, |count| count + 1)
    }

    /// Whether there are too many charts to look into each.
    pub(crate) fn is_large(&self) -> bool {
        self.people.count() > 64
    }

    fn chart(&self, number: ChartNumber) -> Option<Arc<Chart>> {
        match person(number) {
            None => Some(Arc::clone(&self.shared)),
            Some(index) => self.people.chart(index),
        }
    }

    /// The resource at a place.
    pub(crate) fn at(&self, place: Place) -> Option<Arc<Stored>> {
        match (person(place.chart), place.row) {
            (Some(index), 0) => self.people.patient(index),
            _ => self.chart(place.chart)?.at(place.row).cloned(),
        }
    }

    /// Where `Type/id` is.
    pub(crate) fn place(&self, key: &str) -> Option<Place> {
        if let Some(row) = self.shared.row(key) {
            return Some(Place { chart: 0, row });
        }
        let (kind, id) = key.split_once('/')?;
        let index = self.people.index_of(id)?;
        let chart = number(index)?;
        if kind == "Patient" {
            let own = population::patient_id(index) == id;
            return own.then_some(Place { chart, row: 0 });
        }
        let row = self.people.chart(index)?.row(key)?;
        Some(Place { chart, row })
    }

    /// The resource `Type/id`.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<Stored>> {
        self.at(self.place(key)?)
    }

    /// Whether `Type/id` was here once.
    pub(crate) fn was_deleted(&self, key: &str) -> bool {
        let id = key.split_once('/').map(|(_, id)| id);
        let index = id.and_then(|id| self.people.index_of(id));
        let chart = index.and_then(|index| self.people.chart(index));
        chart.is_some_and(|chart| chart.deleted().iter().any(|(gone, _)| gone == key))
    }

    /// What was deleted from a chart: `Type/id`, and the second in which it was.
    pub(crate) fn deleted(&self, number: ChartNumber) -> Vec<(String, i64)> {
        let chart = self.chart(number);
        chart.map_or_else(Vec::new, |chart| chart.deleted().to_vec())
    }

    /// All of a type in one chart, in order.
    pub(crate) fn in_chart(&self, number: ChartNumber, kind: &str) -> Vec<Place> {
        if kind == "Patient" && person(number).is_some_and(|index| self.people.has(index)) {
            return vec![Place {
                chart: number,
                row: 0,
            }];
        }
        let chart = self.chart(number);
        chart.map_or_else(Vec::new, |chart| places(number, chart.of_type(kind)))
    }

    /// All of a type, chart by chart. Not for large populations.
    pub(crate) fn of_type(&self, kind: &str) -> impl Iterator<Item = Place> {
        (0..self.charts()).flat_map(move |chart| self.in_chart(chart, kind))
    }

    /// The charts in which something of this patient may be.
    fn charts_of(&self, patient: &str) -> impl Iterator<Item = (ChartNumber, Arc<Chart>)> {
        let own = self.people.index_of(patient).and_then(number);
        let numbers = own.into_iter().chain([0]);
        numbers.filter_map(|number| Some((number, self.chart(number)?)))
    }

    /// All of a type in a patient's compartment, in order.
    pub(crate) fn of_patient(&self, patient: &str, kind: &str) -> Vec<Place> {
        self.charts_of(patient)
            .flat_map(|(number, chart)| places(number, chart.of_patient(patient, kind)))
            .collect()
    }

    /// Every type in a patient's compartment with its places, by name of the type.
    pub(crate) fn compartment(&self, patient: &str) -> BTreeMap<String, Vec<Place>> {
        let mut found: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for (number, chart) in self.charts_of(patient) {
            for (kind, rows) in chart.compartment(patient) {
                let of_kind = found.entry(kind.to_owned()).or_default();
                of_kind.extend(places(number, rows));
            }
        }
        found
    }

    /// The provenances that name `Type/id` as target; they are in the same chart.
    pub(crate) fn provenance_of(&self, place: Place, key: &str) -> Vec<Place> {
        let chart = self.chart(place.chart);
        chart.map_or_else(Vec::new, |chart| {
            places(place.chart, chart.provenance_of(key))
        })
    }

    /// The types that are here.
    pub(crate) fn types(&self) -> BTreeSet<String> {
        let some = (0..self.charts()).take(TYPICAL + 1);
        some.filter_map(|number| self.chart(number))
            .flat_map(|chart| {
                let kinds = chart.types().map(|(kind, _)| kind.to_owned());
                kinds.collect::<Vec<_>>()
            })
            .collect()
    }

    /// Whether anything of this type was loaded or is shared. What the people have is of US Core's types.
    pub(crate) fn has_type(&self, kind: &str) -> bool {
        !self.shared.of_type(kind).is_empty()
    }

    /// How many there are of each type; `None` when there are too many people to count.
    pub(crate) fn counts(&self) -> Option<BTreeMap<String, usize>> {
        if self.people.count() > 1000 {
            return None;
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for chart in (0..self.charts()).filter_map(|number| self.chart(number)) {
            for (kind, count) in chart.types() {
                *counts.entry(kind.to_owned()).or_default() += count;
            }
        }
        Some(counts)
    }

    /// The patients who were loaded, with their names.
    pub(crate) fn loaded_patients(&self) -> Vec<(String, String)> {
        let rows = self.shared.of_type("Patient").iter();
        rows.filter_map(|row| self.shared.at(*row))
            .map(|patient| (patient.id.clone(), display_name(patient)))
            .collect()
    }

    /// The name of a patient.
    pub(crate) fn name_of(&self, patient: &str) -> Option<String> {
        if let Some(index) = self.people.index_of(patient) {
            return Some(population::display_name(self.people.seed(), index));
        }
        let found = self.find(&format!("Patient/{patient}"))?;
        Some(display_name(&found))
    }

    /// The id of a patient's latest visit, and `DiagnosticReport/id` of the latest report.
    pub(crate) fn latest(&self, patient: &str) -> (Option<String>, Option<String>) {
        let last = |kind: &str| {
            let places = self.of_patient(patient, kind).into_iter();
            let resources = places.filter_map(|place| self.at(place));
            resources
                .max_by_key(|one| one.fields.date.map(|date| date.start))
                .map(|one| one.id.clone())
        };
        let report = last("DiagnosticReport");
        (
            last("Encounter"),
            report.map(|id| format!("DiagnosticReport/{id}")),
        )
    }
}

fn person(chart: ChartNumber) -> Option<usize> {
    usize::try_from(chart.checked_sub(1)?).ok()
}

fn number(index: usize) -> Option<ChartNumber> {
    ChartNumber::try_from(index).ok()?.checked_add(1)
}

fn places(chart: ChartNumber, rows: &[Row]) -> Vec<Place> {
    rows.iter().map(|row| Place { chart, row: *row }).collect()
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
