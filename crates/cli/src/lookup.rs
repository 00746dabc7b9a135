//! `satchel changes` and `satchel patients`.

use crate::arguments::PatientsArguments;
use crate::output::{Output, change_lines};
use satchel_core::view::FoundPatientView;
use satchel_core::{Engine, PatientQuery, Problem, ProblemCode, Result};

pub(crate) async fn changes(engine: &Engine, connection_id: &str, output: &Output) -> Result<()> {
    let changes = engine.changes(connection_id).await?;
    output.answer(&changes, || change_lines(&changes));
    Ok(())
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
