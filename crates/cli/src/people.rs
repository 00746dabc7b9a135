//! `satchel people`, `satchel apart` and `satchel together`: one person's records from several sources.

use crate::commands::connection_id;
use crate::output::{Output, record_line};
use clap::Subcommand;
use satchel_core::view::{
    ChartSectionView, PersonSourceView, PersonView, RecordDetailView, RecordFilter, RecordKey,
    RecordSummaryView, SectionNoteView,
};
use satchel_core::{Engine, Problem, ProblemCode, Result};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Show the chart of a person over all sources: sections, counts, how complete each is
    Chart {
        /// Identifier of a person; its beginning is enough
        person: String,
    },
    /// Two connections hold records of the same person: show them side by side from now on
    Join {
        /// Identifier of a connection; its beginning is enough
        one: String,
        /// Identifier of the other
        other: String,
    },
    /// A connection holds records of somebody else: it stands by itself again
    Split {
        /// Identifier of a connection; its beginning is enough
        connection: String,
    },
    /// Two connections are not of one person: do not propose it again
    KeepApart {
        /// Identifier of a connection; its beginning is enough
        one: String,
        /// Identifier of the other
        other: String,
    },
}

pub(crate) async fn run(
    engine: &Engine,
    command: Option<&PeopleCommand>,
    output: &Output,
) -> Result<()> {
    match command {
        None => list(engine, output).await,
        Some(PeopleCommand::Chart { person }) => chart(engine, person, output).await,
        Some(PeopleCommand::Join { one, other }) => {
            let (one, other) = both(engine, one, other).await?;
            let person = engine.people_join(&one, &other).await?;
            output.answer(&person, || person_lines(&person));
            Ok(())
        }
        Some(PeopleCommand::Split { connection }) => {
            let id = connection_id(engine, connection).await?;
            engine.people_split(&id).await?;
            output.answer(&json!({ "split": id }), || {
                vec!["It stands by itself again.".to_owned()]
            });
            Ok(())
        }
        Some(PeopleCommand::KeepApart { one, other }) => {
            let (one, other) = both(engine, one, other).await?;
            engine.people_keep_apart(&one, &other).await?;
            output.answer(&json!({ "keptApart": [one, other] }), || {
                vec!["They are kept apart.".to_owned()]
            });
            Ok(())
        }
    }
}

async fn both(engine: &Engine, one: &str, other: &str) -> Result<(String, String)> {
    let one = connection_id(engine, one).await?;
    Ok((one, connection_id(engine, other).await?))
}

async fn list(engine: &Engine, output: &Output) -> Result<()> {
    let people = engine.people().await?;
    output.answer(&people, || {
        let mut lines: Vec<String> = people.people.iter().flat_map(person_lines).collect();
        for pair in people.suggested.iter().filter(|pair| !pair.refused) {
            lines.push("Perhaps the same person; satchel people join, or keep-apart:".to_owned());
            lines.extend([source_line(&pair.one), source_line(&pair.other)]);
        }
        lines
    });
    Ok(())
}

async fn chart(engine: &Engine, person: &str, output: &Output) -> Result<()> {
    let id = person_id(engine, person).await?;
    let chart = engine.person_chart(&id).await?;
    output.answer(&chart, || {
        let mut lines: Vec<String> = chart.person.iter().flat_map(person_lines).collect();
        lines.extend(chart.sections.iter().map(section_line));
        lines
    });
    Ok(())
}

/// The records of a person over all sources, one line for each group.
pub(crate) async fn records(
    engine: &Engine,
    person: &str,
    filter: &RecordFilter,
    limit: u64,
    output: &Output,
) -> Result<()> {
    let id = person_id(engine, person).await?;
    let page = engine.person_records(&id, filter, 0, limit).await?;
    output.answer(&page, || page.rows.iter().map(sourced_line).collect());
    Ok(())
}

/// Takes the group of a record apart, or lets it be one again.
pub(crate) async fn group(
    engine: &Engine,
    (record, connection): (&str, Option<&str>),
    apart: bool,
    output: &Output,
) -> Result<()> {
    let key = record_of(engine, record, connection).await?.summary.key;
    if apart {
        engine.records_take_apart(&key).await?;
    } else {
        engine.records_put_together(&key).await?;
    }
    let originals = engine.record_get(&key).await?.originals;
    output.answer(&originals, || {
        let all = originals.same.iter().chain(&originals.apart);
        all.map(sourced_line).collect()
    });
    Ok(())
}

/// A record by `TYPE/ID`; of one connection, where several have it.
pub(crate) async fn record_of(
    engine: &Engine,
    record: &str,
    connection: Option<&str>,
) -> Result<RecordDetailView> {
    let (resource_type, id) = record
        .split_once('/')
        .ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let Some(connection) = connection else {
        return engine.record_find(resource_type, id).await;
    };
    let key = RecordKey {
        connection_id: connection_id(engine, connection).await?,
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
    };
    engine.record_get(&key).await
}

async fn person_id(engine: &Engine, beginning: &str) -> Result<String> {
    let people = engine.people().await?.people;
    let mut fitting = people
        .iter()
        .filter(|person| person.id.starts_with(beginning));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.id.clone()),
        (Some(_), Some(_)) => Err(Problem::with_detail(
            ProblemCode::NotFound,
            "several people begin like this",
        )),
        (None, _) => Err(Problem::new(ProblemCode::NotFound)),
    }
}

fn person_lines(person: &PersonView) -> Vec<String> {
    let mut lines = vec![format!("{}\t{}", person.id, person.name)];
    lines.extend(person.sources.iter().map(source_line));
    lines
}

fn source_line(source: &PersonSourceView) -> String {
    let not_given = "not given";
    format!(
        "    {}\t{}\t{}\tborn {}\t{}",
        source.connection_id,
        source.source,
        source.patient_name,
        source.birth_date.as_deref().unwrap_or(not_given),
        source.gender.as_deref().unwrap_or(not_given)
    )
}

fn section_line(section: &ChartSectionView) -> String {
    let note = |note: &SectionNoteView| match &note.source {
        Some(source) => format!("{source}: {}", note.text),
        None => note.text.clone(),
    };
    let notes: Vec<String> = section.notes.iter().map(note).collect();
    format!("{}\t{}\t{}", section.title, section.count, notes.join(" "))
}

fn sourced_line(record: &RecordSummaryView) -> String {
    let mut line = format!("{}\t{}", record_line(record), record.source);
    for also in &record.also_from {
        let said = if also.differs {
            " (sources differ)"
        } else {
            ""
        };
        let (kind, id) = (&also.key.resource_type, &also.key.id);
        line.push_str(&format!("\talso from {}{said}: {kind}/{id}", also.source));
    }
    line
}
