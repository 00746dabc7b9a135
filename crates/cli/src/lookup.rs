//! `satchel log` and `satchel patients`.

use crate::arguments::PatientsArguments;
use crate::output::Output;
use satchel_core::view::{AccessLogView, FoundPatientView};
use satchel_core::{Engine, PatientQuery, Problem, ProblemCode, Result};
use serde_json::json;

pub(crate) async fn log(engine: &Engine, limit: u32, clear: bool, output: &Output) -> Result<()> {
    if clear {
        engine.access_log_clear().await?;
        output.answer(&json!({ "cleared": true }), || vec!["Cleared.".to_owned()]);
        return Ok(());
    }
    let entries = engine.access_log(limit).await?;
    output.answer(&entries, || entries.iter().map(entry_line).collect());
    Ok(())
}

fn entry_line(entry: &AccessLogView) -> String {
    let kinds: Vec<String> = entry
        .types
        .iter()
        .map(|kind| format!("{} {}", kind.resource_type, kind.records))
        .collect();
    let mut line = format!(
        "{}\t{}\t{}\t{} records",
        entry.at, entry.what, entry.fhir_base, entry.records
    );
    for part in [kinds.join(", "), entry.problem.clone().unwrap_or_default()] {
        if !part.is_empty() {
            line.push('\t');
            line.push_str(&part);
        }
    }
    line
}

pub(crate) async fn patients(
    engine: &Engine,
    connection_id: &str,
    wanted: &PatientsArguments,
    output: &Output,
) -> Result<()> {
    let identifiers = wanted.identifier.iter().map(|text| {
        let (system, value) = match text.rsplit_once('|') {
            Some((system, value)) => (Some(system.to_owned()), value.to_owned()),
            None => (None, text.clone()),
        };
        PatientQuery::Identifier { system, value }
    });
    let name = wanted.name.iter().map(|name| PatientQuery::Name {
        name: name.clone(),
        birth_date: wanted.birthdate.clone(),
    });
    let queries: Vec<PatientQuery> = wanted
        .id
        .iter()
        .cloned()
        .map(PatientQuery::Id)
        .chain(identifiers)
        .chain(name)
        .collect();
    if queries.is_empty() {
        return Err(Problem::new(ProblemCode::PatientsTooWide));
    }
    let found = engine.patients_find(connection_id, &queries).await?;
    output.answer(&found, || found.iter().map(patient_line).collect());
    Ok(())
}

fn patient_line(patient: &FoundPatientView) -> String {
    let born = patient.birth_date.as_deref().unwrap_or("not given");
    format!("{}\t{}\tborn {born}", patient.id, patient.name)
}
