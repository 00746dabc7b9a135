//! A deterministic synthetic population: people who never lived, with charts that look lived in.
//!
//! [`generate`] builds organizations, clinicians and places ([`shared_resources`]), then one person
//! after the other ([`generate_patient`]). A person is drawn first (`person`: name, birth,
//! illnesses), then the visits of the life (`visits`), then everything that hangs on a visit: vital
//! signs, laboratory, questionnaires, prescriptions, notes. The `Chart` hands out ids from the
//! person's own range and signs what was added with a `Provenance`.
//!
//! Nothing here asks the clock, the time zone or the operating system's randomness, and no result of
//! a library function that differs between platforms goes into the text: same arguments, same bytes.
//!
//! To add a kind of resource: write it with `Chart::add` in the file of its theme, call that from
//! [`generate_patient`], and name its id prefix in `chart`.

mod accounts;
mod allergies;
mod analytes;
mod calendar;
mod care;
mod ccda;
pub(crate) mod changes;
mod chart;
mod documents;
mod illness;
mod immunizations;
mod json;
mod lab_results;
mod labs;
mod medications;
mod names;
mod patient;
mod pdf;
mod person;
mod png;
mod procedures;
mod registry;
mod rng;
mod surveys;
#[cfg(test)]
mod tests;
mod visits;
mod vitals;

use chart::Chart;
use person::Person;
use rng::Rng;
use visits::Visit;

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
    /// The id of the practice that this person goes to or works at.
    pub practice: String,
}

/// The id of the practice of all synthetic people.
pub const PRACTICE: &str = "riverbend";

/// What kind of person an [`Account`] belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRole {
    /// A patient, or somebody who may read for patients (a parent, a trusted person).
    #[default]
    Patient,
    /// A clinician who may read every chart of the practice.
    Provider,
    /// Somebody else at the practice who may read every chart (a nurse, the front desk).
    Staff,
    /// Somebody at the practice who decides on apps, and reads no chart.
    Administrator,
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
///
/// The first eight people are the same persons in every population (their values differ by seed):
/// a woman with diabetes, a mother and her child, a man who has died, and so on. Every one has an
/// account of the own name, the mother's opens the child's chart too; `dr.chen` and `nurse.haddad` open
/// all, `admin` decides on apps; the password is always `demo`.
#[must_use]
pub fn generate(patients: usize, seed: u64) -> Population {
    let mut resources = shared_resources();
    for index in 0..patients {
        resources.extend(generate_patient(seed, index).resources);
    }
    Population {
        resources,
        accounts: generate_accounts(patients, seed),
    }
}

/// The accounts of the population of `patients` people from `seed`, the first person's first. A child
/// may be opened by its parent, if both are in the population.
#[must_use]
pub fn generate_accounts(patients: usize, seed: u64) -> Vec<Account> {
    let mut accounts: Vec<Account> = (0..patients)
        .map(|index| account(seed, index, patients))
        .collect();
    let ids: Vec<String> = (0..patients).map(patient_id).collect();
    accounts.extend(staff(&ids));
    accounts
}

/// The account of person number `index` of `patients`.
#[must_use]
pub fn account(seed: u64, index: usize, patients: usize) -> Account {
    let mut account = accounts::of_person(seed, &person::person(seed, index));
    let here = |id: &String| person::index_of(id).is_some_and(|index| index < patients);
    account.patient_ids.retain(here);
    account
}

/// The accounts of those who work at the practice; the doctor and the nurse list `patients` by name.
pub(crate) fn staff(patients: &[String]) -> [Account; 3] {
    accounts::of_staff(patients)
}

/// The number of the person whose account is called `username`, whatever its case.
pub(crate) fn index_of_username(seed: u64, username: &str) -> Option<usize> {
    let is = |index: &usize| {
        accounts::username(&person::person(seed, *index)).eq_ignore_ascii_case(username)
    };
    (0..person::known())
        .chain(accounts::index_of(username))
        .find(is)
}

/// The number of the person in whose chart a resource with this id would be.
pub(crate) fn index_of_id(id: &str) -> Option<usize> {
    person::index_of(id)
}

/// The logical id of person number `index`.
pub(crate) fn patient_id(index: usize) -> String {
    person::patient_id(index)
}

/// The name of person number `index` in plain reading order.
pub(crate) fn display_name(seed: u64, index: usize) -> String {
    person::person(seed, index).display_name()
}

/// The `Patient` of person number `index`, without the chart.
pub(crate) fn generate_person(seed: u64, index: usize) -> Option<Generated> {
    let person = person::person(seed, index);
    let mut chart = Chart::new(&person, seed);
    patient::write(&mut chart);
    chart.into_resources().into_iter().next()
}

/// What all people of every population share: organizations, places, clinicians, medications.
#[must_use]
pub fn shared_resources() -> Vec<Generated> {
    registry::shared()
}

/// The chart of person number `index` (from 0), independent of all others.
#[must_use]
pub fn generate_patient(seed: u64, index: usize) -> PatientRecord {
    let person = person::person(seed, index);
    let parent = person.parent.map(|parent| person::person(seed, parent));
    let mut chart = Chart::new(&person, seed);
    let mut visits = visits::plan(&person, &mut Rng::new(seed, index, "visits"));
    write_background(&mut chart, parent.as_ref(), &mut visits);
    PatientRecord {
        id: person.id.clone(),
        display_name: person.display_name(),
        resources: chart.into_resources(),
    }
}

/// The order in which a chart is written.
fn write_background(chart: &mut Chart<'_>, parent: Option<&Person>, visits: &mut [Visit]) {
    let doctor = patient::general_practitioner(chart.person);
    patient::write(chart);
    let relative = patient::write_relative(chart, parent);
    patient::write_coverage(chart, &relative.0);
    let problems = illness::write_problems(chart, doctor);
    allergies::write(chart, doctor);
    immunizations::write(chart, doctor);
    let signed = chart.person.end().plus(-2).at(1_020);
    chart.sign(doctor, signed);
    let count = visits.len();
    for (position, visit) in visits.iter_mut().enumerate() {
        write_visit(chart, visit, position + 1 == count);
    }
    medications::write_lasting(chart, doctor);
    chart.sign(doctor, signed);
    procedures::write_events(chart, visits);
    chart.sign(doctor, signed);
    // The family doctor sums up, whoever saw the person last.
    let closing = visits.last().map(|visit| Visit {
        doctor,
        ..visit.clone()
    });
    if let Some(last) = &closing {
        let hungry = surveys::is_hungry(chart.person);
        let need = illness::write_concerns(chart, last, hungry);
        medications::write_others(chart, last);
        procedures::write_orders(chart, last, hungry);
        let goals = care::write_goals(chart, last, &problems, need.as_deref());
        let team = care::write_team(chart, last, &relative);
        care::write_plans(chart, last, &problems, &goals, &team);
        care::write_family(chart, last);
        chart.sign(last.doctor, last.at.plus(100));
    }
    documents::write(chart, visits);
}

/// Everything that happens at one visit.
fn write_visit(chart: &mut Chart<'_>, visit: &mut Visit, last: bool) {
    visits::write_encounter(chart, visit);
    illness::write_encounter_diagnosis(chart, visit);
    vitals::write(chart, visit);
    labs::write(chart, visit);
    surveys::write(chart, visit, last);
    surveys::pregnancy(chart, visit, last);
    medications::write_acute(chart, visit);
    procedures::write_at_visit(chart, visit);
    if last {
        vitals::write_pain(chart, visit);
        procedures::write_findings(chart, visit);
        labs::write_odd(chart, visit);
    }
    chart.sign(visit.doctor, visits::end_of(visit).plus(20));
}
