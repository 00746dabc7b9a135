//! `satchel changes`, `satchel patients`, `satchel document`, and the lines of a search.

use crate::arguments::PatientsArguments;
use crate::output::{Output, change_lines, record_line};
use satchel_core::view::{AttachmentView, FoundPatientView, SearchHitView};
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

pub(crate) async fn search(engine: &Engine, words: &[String], output: &Output) -> Result<()> {
    let hits = engine
        .search(
            &words.join(" "),
            &satchel_core::view::RecordFilter::default(),
            100,
        )
        .await?;
    output.answer(&hits, || hits.iter().map(hit_line).collect());
    Ok(())
}

fn hit_line(hit: &SearchHitView) -> String {
    let line = record_line(&hit.record);
    if hit.in_document {
        format!("{line}\tfound in the document")
    } else {
        line
    }
}

pub(crate) async fn document(
    engine: &Engine,
    record: &str,
    fetch: bool,
    output: &Output,
) -> Result<()> {
    let (resource_type, id) = record
        .split_once('/')
        .ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let key = engine.record_find(resource_type, id).await?.summary.key;
    let mut contents = engine.attachments(&key).await?;
    if fetch {
        for (position, content) in contents.iter().enumerate() {
            if content.can_fetch {
                engine.attachment_fetch(&key, position).await?;
            }
        }
        contents = engine.attachments(&key).await?;
    }
    output.answer(&contents, || contents.iter().map(content_lines).collect());
    Ok(())
}

fn content_lines(content: &AttachmentView) -> String {
    let title = content.title.as_deref().unwrap_or("Document");
    let head = format!("{title}\t{}\t{} bytes", content.content_type, content.size);
    let body = content.missing.as_deref().or(content.text.as_deref());
    body.map_or(head.clone(), |body| format!("{head}\n{body}"))
}

pub(crate) async fn document_limit(
    engine: &Engine,
    megabytes: Option<u64>,
    output: &Output,
) -> Result<()> {
    if let Some(megabytes) = megabytes {
        let bytes = megabytes.saturating_mul(1024 * 1024);
        engine.document_limit_set(bytes).await?;
    }
    let bytes = engine.document_limit().await?;
    output.answer(&bytes, || vec![format!("{} MB", bytes / (1024 * 1024))]);
    Ok(())
}
