//! What to ask the server for: pure, and sorted. The scopes as granted and the CapabilityStatement
//! decide (US Core, "Searches a patient-access client should issue").

use super::kinds::{Extra, INCLUDES, INTENTS, PATIENT_TYPES};
use satchel_smart::fhir::capability::CapabilityStatement;
use satchel_smart::scope::Scopes;

/// Records per page to ask for; a server may give fewer (checklist G5).
pub(crate) const PAGE_SIZE: &str = "500";

const PROVENANCE: &str = "Provenance:target";

/// One part of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStep {
    /// Stable key, under which the cursor is stored.
    pub key: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// How to get it.
    pub request: StepRequest,
}

/// How a step gets its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepRequest {
    /// One read.
    Read {
        /// Logical id.
        id: String,
    },
    /// A search.
    Search(Search),
    /// Reads of what other records refer to and of documents' content.
    References,
    /// Known beforehand to give nothing.
    Skip(SkipReason),
}

/// Name and value, not yet percent-encoded.
pub type Parameters = Vec<(String, String)>;

/// A search, and what to ask instead where the server refuses it (400).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// A type, or an operation on one, below the FHIR base.
    pub at: String,
    /// What is asked.
    pub parameters: Parameters,
    /// What is asked to come along, and given up where that is refused.
    pub extras: Parameters,
    /// Each a set of searches that together cover the same records, tried one after the other.
    pub otherwise: Vec<Vec<Parameters>>,
    /// The server can say what changed since a time (`_lastUpdated`).
    pub by_change: bool,
}

impl Search {
    /// The sets of searches in the order in which they are tried; the first that is not refused counts.
    /// `since` goes with the extras: without them everything is asked for.
    #[must_use]
    pub fn attempts(&self, since: Option<&str>) -> Vec<Attempt> {
        let mut extras = self.extras.clone();
        extras.extend(since.map(|since| ("_lastUpdated".to_owned(), format!("ge{since}"))));
        let set = |searches: &[Parameters], extras: &Parameters| Attempt {
            searches: searches
                .iter()
                .map(|parameters| {
                    // An operation's parameters are its own.
                    let count = (!self.at.contains('$'))
                        .then(|| ("_count".to_owned(), PAGE_SIZE.to_owned()));
                    parameters
                        .iter()
                        .chain(extras)
                        .cloned()
                        .chain(count)
                        .collect()
                })
                .collect(),
            whole: since.is_none() || extras.is_empty(),
            narrower: false,
        };
        let narrower = |searches: &[Parameters], extras: &Parameters| Attempt {
            narrower: true,
            ..set(searches, extras)
        };
        let first = std::slice::from_ref(&self.parameters);
        let none = Parameters::new();
        let mut attempts = vec![set(first, &extras)];
        if !extras.is_empty() {
            attempts.push(set(first, &none));
        }
        attempts.extend(
            self.otherwise
                .iter()
                .map(|searches| narrower(searches, &extras)),
        );
        if !extras.is_empty() {
            attempts.extend(
                self.otherwise
                    .iter()
                    .map(|searches| narrower(searches, &none)),
            );
        }
        attempts
    }
}

/// Searches that together cover a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The parameters of each.
    pub searches: Vec<Parameters>,
    /// Everything is asked for, not only what changed.
    pub whole: bool,
    /// In place of a question that was refused: what none of these covers is not asked for.
    pub narrower: bool,
}

/// Why a step is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The granted scopes leave it out.
    NotShared,
    /// The CapabilityStatement does not name it.
    NotOffered,
}

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// In the order in which they are begun.
    pub steps: Vec<SyncStep>,
}

impl SyncPlan {
    /// The plan for one patient's chart, or, without a patient (backend service), for everything
    /// that the server lists.
    #[must_use]
    pub fn new(granted: &Scopes, capability: &CapabilityStatement, patient: Option<&str>) -> Self {
        let mut steps = match patient {
            Some(patient) => patient_steps(granted, capability, patient),
            None => whole_server_steps(granted, capability),
        };
        if patient.is_some() {
            steps.push(SyncStep {
                key: "references".into(),
                resource_type: "Practitioner".into(),
                request: StepRequest::References,
            });
        }
        Self { steps }
    }
}

fn patient_steps(
    granted: &Scopes,
    capability: &CapabilityStatement,
    patient: &str,
) -> Vec<SyncStep> {
    let read = SyncStep {
        key: "Patient".into(),
        resource_type: "Patient".into(),
        request: StepRequest::Read {
            id: patient.to_owned(),
        },
    };
    let mut steps = vec![read];
    for (resource_type, extra) in PATIENT_TYPES {
        let request = if !offers(capability, resource_type) {
            StepRequest::Skip(SkipReason::NotOffered)
        } else if !granted.allows_read(resource_type) {
            StepRequest::Skip(SkipReason::NotShared)
        } else {
            patient_search(granted, capability, resource_type, *extra, patient)
        };
        steps.push(SyncStep {
            key: (*resource_type).to_owned(),
            resource_type: (*resource_type).to_owned(),
            request,
        });
    }
    steps.extend(summary_document(granted, capability, patient));
    steps
}

/// An empty statement says nothing; then everything is tried (checklist G1).
fn offers(capability: &CapabilityStatement, resource_type: &str) -> bool {
    capability.resources.is_empty() || capability.resource(resource_type).is_some()
}

fn patient_search(
    granted: &Scopes,
    capability: &CapabilityStatement,
    resource_type: &str,
    extra: Extra,
    patient: &str,
) -> StepRequest {
    let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let parameters = one("patient", patient);
    let with = |name: &str, value: &str| {
        let mut parameters = parameters.clone();
        parameters.extend(one(name, value));
        parameters
    };
    let each = |name: &str, values: &[&str]| values.iter().map(|value| with(name, value)).collect();
    let otherwise = match extra {
        Extra::None => Vec::new(),
        Extra::Categories(all) => vec![each("category", all)],
        Extra::Statuses(list) => vec![vec![with("status", list)]],
        // In one list, and one by one where a server takes no list (checklist G20).
        Extra::Intents => vec![
            vec![with("intent", &INTENTS.join(","))],
            each("intent", INTENTS),
        ],
    };
    StepRequest::Search(Search {
        at: resource_type.to_owned(),
        extras: companions(granted, capability, resource_type),
        parameters,
        otherwise,
        by_change: capability
            .resource(resource_type)
            .is_some_and(|listed| listed.lists_search("_lastUpdated")),
    })
}

/// What comes along: what the server lists, of types that the scopes reach (checklist G17, G19).
fn companions(
    granted: &Scopes,
    capability: &CapabilityStatement,
    resource_type: &str,
) -> Parameters {
    let Some(listed) = capability.resource(resource_type) else {
        return Parameters::new();
    };
    let includes = INCLUDES
        .iter()
        .filter(|(of, include, brings)| {
            *of == resource_type
                && listed.includes.iter().any(|one| one == include)
                && granted.allows_read(brings)
        })
        .map(|(_, include, _)| ("_include".to_owned(), (*include).to_owned()));
    let provenance = listed.rev_includes.iter().any(|one| one == PROVENANCE)
        && granted.allows_read("Provenance");
    let provenance = provenance.then(|| ("_revinclude".to_owned(), PROVENANCE.to_owned()));
    includes.chain(provenance).collect()
}

/// The summary document that a server writes when it is asked (US Core, `$docref`; checklist G22): no
/// further parameters mean the current one.
fn summary_document(
    granted: &Scopes,
    capability: &CapabilityStatement,
    patient: &str,
) -> Option<SyncStep> {
    let listed = capability.resource("DocumentReference")?;
    if !listed.offers("docref") || !granted.allows_read("DocumentReference") {
        return None;
    }
    Some(SyncStep {
        key: "docref".into(),
        resource_type: "DocumentReference".into(),
        request: StepRequest::Search(Search {
            at: "DocumentReference/$docref".into(),
            parameters: vec![("patient".into(), patient.into())],
            ..Search::default()
        }),
    })
}

/// Without a patient: each type that the server can search (SMART Backend Services).
fn whole_server_steps(granted: &Scopes, capability: &CapabilityStatement) -> Vec<SyncStep> {
    let mut types: Vec<&str> = capability
        .resources
        .iter()
        .filter(|resource| resource.can_search())
        .map(|resource| resource.resource_type.as_str())
        .collect();
    types.sort_unstable();
    types
        .into_iter()
        .map(|resource_type| SyncStep {
            key: resource_type.to_owned(),
            resource_type: resource_type.to_owned(),
            request: if granted.allows_read(resource_type) {
                StepRequest::Search(Search {
                    at: resource_type.to_owned(),
                    ..Search::default()
                })
            } else {
                StepRequest::Skip(SkipReason::NotShared)
            },
        })
        .collect()
}

#[cfg(test)]
mod tests;
