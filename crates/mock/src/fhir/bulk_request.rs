//! What a client asks to be exported (Bulk Data Access, "Query Parameters").

use std::collections::HashMap;

use serde_json::Value;

use super::bulk_errors::Note;
use super::query::{Filter, Query};

/// Formats that a client may name, all of them NDJSON.
const FORMATS: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];

const UNDERSTOOD: [&str; 6] = [
    "_outputFormat",
    "_since",
    "_until",
    "_type",
    "_typeFilter",
    "patient",
];

/// The parameters of the address, or of a posted `Parameters` resource.
pub(super) fn parameters(raw: Option<String>, body: &[u8]) -> Result<Query, &'static str> {
    if body.is_empty() {
        return Ok(Query::parse(&raw.unwrap_or_default()));
    }
    let posted: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    if posted["resourceType"] != "Parameters" {
        return Err("the body is not a Parameters resource");
    }
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for parameter in posted["parameter"].as_array().into_iter().flatten() {
        let name = parameter["name"]
            .as_str()
            .ok_or("a parameter has no name")?;
        let value = parameter
            .as_object()
            .into_iter()
            .flatten()
            .find_map(|(member, value)| {
                let reference = || value["reference"].as_str();
                member
                    .starts_with("value")
                    .then(|| value.as_str().or_else(reference))
                    .flatten()
            });
        text.append_pair(name, value.ok_or("a parameter has no value")?);
    }
    Ok(Query::parse(&text.finish()))
}

/// What a client wants exported.
pub(super) struct Wanted {
    /// Empty: all that its scopes reach.
    pub(super) kinds: Vec<String>,
    /// Conditions that every resource fulfils.
    pub(super) always: Vec<Filter>,
    /// By type: of these lists of conditions one must be fulfilled.
    pub(super) by_kind: HashMap<String, Vec<Vec<Filter>>>,
    pub(super) patients: Vec<String>,
    /// Of what was deleted: from which second on. Without it nobody asks for that.
    pub(super) since: Option<i64>,
    /// What is left out or not understood is said in the manifest, not refused.
    pub(super) lenient: bool,
    /// What was left out so far.
    pub(super) notes: Vec<Note>,
}

/// Reads what is asked for. Under `Prefer: handling=lenient` what is not understood is noted.
pub(super) fn wanted(query: &Query, lenient: bool) -> Result<Wanted, String> {
    let mut notes = Vec::new();
    let mut leave_out = |reason: String| {
        if lenient {
            notes.push(Note::left_out(&reason));
            return Ok(());
        }
        Err(reason)
    };
    for name in query.names().filter(|name| !UNDERSTOOD.contains(name)) {
        leave_out(format!("the parameter {name} is not supported"))?;
    }
    if let Some(format) = query.first("_outputFormat")
        && !FORMATS.contains(&format)
    {
        return Err("_outputFormat is one of NDJSON's names".to_owned());
    }
    let since = query.first("_since").and_then(crate::data::dates::range);
    let mut always = Vec::new();
    for (name, prefix) in [("_since", "ge"), ("_until", "le")] {
        if let Some(instant) = query.first(name) {
            let query = Query::of(&[("_lastUpdated", &format!("{prefix}{instant}"))]);
            let filters = query.filters("");
            always.extend(filters.map_err(|_| format!("{name} is an instant"))?);
        }
    }
    let mut by_kind: HashMap<String, Vec<Vec<Filter>>> = HashMap::new();
    for one in query.all("_typeFilter") {
        match type_filter(one) {
            Ok((kind, filters)) => by_kind.entry(kind).or_default().push(filters),
            Err(reason) => leave_out(reason)?,
        }
    }
    let patients = list(query, "patient");
    let ids = patients
        .iter()
        .map(|one| one.trim_start_matches("Patient/").to_owned());
    Ok(Wanted {
        kinds: list(query, "_type"),
        always,
        by_kind,
        patients: ids.collect(),
        since: since.map(|range| range.start / 1000),
        lenient,
        notes,
    })
}

fn list(query: &Query, name: &str) -> Vec<String> {
    query
        .all(name)
        .flat_map(|value| value.split(','))
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A `_typeFilter`: a type, and the conditions of a search for it.
fn type_filter(text: &str) -> Result<(String, Vec<Filter>), String> {
    let (kind, conditions) = text
        .split_once('?')
        .ok_or_else(|| "_typeFilter is a search: Type?parameters".to_owned())?;
    let query = Query::parse(conditions);
    if let Some(name) = query.names().find(|name| !Query::knows(kind, name)) {
        return Err(format!(
            "the parameter {name} in _typeFilter is not supported"
        ));
    }
    let filters = query
        .filters(kind)
        .map_err(|name| format!("the value of {name} in _typeFilter is none for this parameter"))?;
    Ok((kind.to_owned(), filters))
}
