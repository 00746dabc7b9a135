//! `satchel schedule` and `satchel sync --due`: when sources are synced by themselves.

use crate::commands::{connection_id, failed, sync_one};
use crate::output::Output;
use clap::ValueEnum;
use satchel_core::schedule::Every;
use satchel_core::view::{
    ConnectionScheduleView, ConnectionView, ProblemView, ScheduleView, ScheduleWait, SyncReportView,
};
use satchel_core::{Engine, ProblemCode, Result};
use serde::Serialize;

/// What to set; nothing shows it.
#[derive(Debug, clap::Args)]
pub(crate) struct Schedule {
    /// Identifier of a connection; its beginning is enough
    #[arg(requires = "every")]
    connection: Option<String>,
    /// How often that connection is synced by itself
    #[arg(long, value_enum, requires = "connection")]
    every: Option<EveryArgument>,
    /// Whether on battery too
    #[arg(long, value_enum, value_name = "YES/NO")]
    on_battery: Option<YesNo>,
    /// Whether on metered networks too
    #[arg(long, value_enum, value_name = "YES/NO")]
    on_metered: Option<YesNo>,
    /// Whether the app tells that a source needs you to sign in
    #[arg(long, value_enum, value_name = "YES/NO")]
    notify_sign_in: Option<YesNo>,
    /// Whether the app tells that new records have arrived
    #[arg(long, value_enum, value_name = "YES/NO")]
    notify_new_records: Option<YesNo>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

/// The engine's choices, by their words.
#[derive(Clone, Copy, Debug)]
struct EveryArgument(Every);

impl ValueEnum for EveryArgument {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [EveryArgument; Every::ALL.len()] = {
            let mut all = [EveryArgument(Every::Off); Every::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = EveryArgument(Every::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.word()))
    }
}

pub(crate) async fn run(engine: &Engine, wanted: &Schedule, output: &Output) -> Result<()> {
    if let (Some(beginning), Some(every)) = (&wanted.connection, wanted.every) {
        let id = connection_id(engine, beginning).await?;
        engine.schedule_choose(&id, every.0).await?;
    }
    let before = engine.schedule_settings().await?;
    let mut settings = before;
    for (choice, place) in [
        (wanted.on_battery, &mut settings.also_on_battery),
        (wanted.on_metered, &mut settings.also_on_metered),
        (wanted.notify_sign_in, &mut settings.notify_sign_in),
        (wanted.notify_new_records, &mut settings.notify_new_records),
    ] {
        *place = choice.map_or(*place, |choice| choice == YesNo::Yes);
    }
    if settings != before {
        engine.schedule_settings_set(&settings).await?;
    }
    let schedule = engine.schedule().await?;
    let connections = engine.connections().await?;
    output.answer(&schedule, || lines(&schedule, &connections));
    Ok(())
}

fn lines(schedule: &ScheduleView, connections: &[ConnectionView]) -> Vec<String> {
    let mut lines: Vec<String> = schedule
        .connections
        .iter()
        .map(|one| format!("{}\t{}", line_of(one, connections), standing(one)))
        .collect();
    let word = |yes: bool| if yes { "yes" } else { "no" };
    let settings = &schedule.settings;
    lines.push(format!(
        "On battery too: {}",
        word(settings.also_on_battery)
    ));
    lines.push(format!(
        "On metered networks too: {}",
        word(settings.also_on_metered)
    ));
    lines.push(format!(
        "The app tells when you need to sign in: {}; when new records have arrived: {}",
        word(settings.notify_sign_in),
        word(settings.notify_new_records)
    ));
    lines
}

fn line_of(one: &ConnectionScheduleView, connections: &[ConnectionView]) -> String {
    let named = connections.iter().find(|view| view.id == one.connection_id);
    let name = named.map_or("", |view| view.server_name.as_str());
    format!("{}\t{name}\t{}", one.connection_id, one.every.word())
}

/// Where a source stands, in words.
fn standing(one: &ConnectionScheduleView) -> String {
    match (one.wait, one.due, &one.next_at) {
        (Some(ScheduleWait::SignIn), ..) => "waits for you to sign in".to_owned(),
        (Some(ScheduleWait::Battery), ..) => "due; waits for a plug".to_owned(),
        (Some(ScheduleWait::Metered), ..) => {
            "due; waits for a network that is not metered".to_owned()
        }
        (_, true, _) => "due now".to_owned(),
        (Some(ScheduleWait::AfterFailure), _, Some(at)) => format!("tried again at {at}"),
        (_, _, Some(at)) => format!("next at {at}"),
        (_, _, None) => "not by itself".to_owned(),
    }
}

/// What `sync --due` did with one source.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Visited {
    #[serde(flatten)]
    schedule: ConnectionScheduleView,
    /// The sync, when it was due.
    report: Option<SyncReportView>,
    /// Why it did not begin although it was due.
    problem: Option<ProblemView>,
}

/// Syncs what is due. A source that another process syncs just now is left to it.
pub(crate) async fn sync_due(engine: &Engine, output: &Output) -> Result<()> {
    let due = engine.due().await?;
    let mut visited = Vec::new();
    for schedule in engine.schedule().await?.connections {
        let (mut report, mut problem) = (None, None);
        if due.contains(&schedule.connection_id) {
            match sync_one(engine, &schedule.connection_id, output).await {
                Ok(done) => report = Some(done),
                Err(busy) if busy.code == ProblemCode::AlreadySyncing => {
                    problem = Some(busy.view());
                }
                Err(other) => return Err(other),
            }
        }
        visited.push(Visited {
            schedule,
            report,
            problem,
        });
    }
    let connections = engine.connections().await?;
    output.answer(&visited, || {
        let line = |one: &Visited| {
            let named = line_of(&one.schedule, &connections);
            format!("{named}\t{}", one.in_words())
        };
        visited.iter().map(line).collect()
    });
    let reports: Vec<SyncReportView> = visited.into_iter().filter_map(|one| one.report).collect();
    failed(&reports)
}

impl Visited {
    fn in_words(&self) -> String {
        match (&self.report, &self.problem) {
            (Some(report), _) => match &report.problem {
                Some(problem) => problem.message.clone(),
                None => format!(
                    "synced: {} new, {} changed, {} no longer given",
                    report.new_records, report.changed_records, report.withdrawn_records
                ),
            },
            (None, Some(problem)) => problem.message.clone(),
            (None, None) => standing(&self.schedule),
        }
    }
}
