//! What the person or the script sees: answers on standard output, everything else on standard error.

use satchel_core::Problem;
use satchel_core::view::{ChangesView, Event, RecordSummaryView, SyncReportView};
use serde::Serialize;
use serde_json::json;
use std::cell::Cell;
use std::io::{IsTerminal, Write};

/// Writes either words or one JSON value.
pub(crate) struct Output {
    json: bool,
    terminal: bool,
    /// The one answer was given.
    answered: Cell<bool>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            terminal: std::io::stderr().is_terminal(),
            answered: Cell::new(false),
        }
    }

    /// The answer of a command: the value as JSON, or the lines for people.
    pub(crate) fn answer<T: Serialize>(&self, value: &T, lines: impl FnOnce() -> Vec<String>) {
        self.answered.set(true);
        let mut out = std::io::stdout().lock();
        let written = if self.json {
            match serde_json::to_string(value) {
                Ok(text) => writeln!(out, "{text}"),
                Err(error) => Err(error.into()),
            }
        } else {
            lines()
                .into_iter()
                .try_for_each(|line| writeln!(out, "{}", safe(&line)))
        };
        // A reader that went away is no error of ours.
        drop(written);
    }

    /// Something on the way to the answer.
    pub(crate) fn note(&self, text: &str) {
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }

    /// How a command failed: in words on standard error; as JSON too, unless an answer that tells of
    /// it (a sync's report) is there already.
    pub(crate) fn problem(&self, problem: &Problem) {
        let view = problem.view();
        if self.json && !self.answered.get() {
            self.answer(&json!({ "problem": view }), Vec::new);
        }
        self.note(&format!("{}\n{}", view.message, view.advice));
        if let Some(detail) = view.detail {
            self.note(&format!("({}: {detail})", view.code));
        }
    }

    /// A line that replaces itself on a terminal, and nothing but the end elsewhere.
    pub(crate) fn progress(&self, event: &Event) {
        if let (Event::SyncProgress(progress), true) = (event, self.terminal) {
            drop(write!(
                std::io::stderr().lock(),
                "\r\x1b[2K{:3.0} %  {} records  {}",
                progress.fraction * 100.0,
                progress.records,
                progress.step
            ));
        }
    }

    pub(crate) fn end_progress(&self) {
        if self.terminal {
            drop(write!(std::io::stderr().lock(), "\r\x1b[2K"));
        }
    }
}

/// Records come from servers: control characters must not reach the terminal.
fn safe(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c.is_control() && c != '\t' && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// One line of a list.
pub(crate) fn record_line(record: &RecordSummaryView) -> String {
    let date = record
        .date
        .as_ref()
        .map_or("date not given", |date| date.value.as_str());
    let mut line = format!("{date}\t{}", record.title);
    for part in [&record.value, &record.status].into_iter().flatten() {
        line.push('\t');
        line.push_str(part);
    }
    if record.withdrawn_at.is_some() {
        line.push_str("\tno longer given by the source");
    }
    line.push_str(&format!("\t{}/{}", record.key.resource_type, record.key.id));
    line
}

/// A sync in words.
pub(crate) fn report_lines(report: &SyncReportView) -> Vec<String> {
    let mut lines = vec![format!(
        "{} new, {} changed, {} no longer given, {} unreadable",
        report.new_records,
        report.changed_records,
        report.withdrawn_records,
        report.unreadable_records
    )];
    for step in &report.steps {
        let outcome = serde_json::to_value(step.outcome).ok();
        let outcome = outcome
            .as_ref()
            .and_then(|value| value.as_str())
            .unwrap_or_default();
        lines.push(format!("  {}\t{}\t{outcome}", step.name, step.records));
        lines.extend(
            step.remarks
                .iter()
                .map(|said| format!("    the server said: {said}")),
        );
    }
    if let Some(problem) = &report.problem {
        lines.push(problem.message.clone());
    }
    lines
}

/// What a sync changed, in words.
pub(crate) fn change_lines(changes: &ChangesView) -> Vec<String> {
    let mut lines = Vec::new();
    for record in &changes.new {
        lines.push(format!("new\t{}", record_line(record)));
    }
    for changed in &changes.changed {
        lines.push(format!("changed\t{}", record_line(&changed.record)));
        for field in &changed.fields {
            let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            let (before, after) = (said(&field.before), said(&field.after));
            lines.push(format!("  {}: {before} → {after}", field.path));
        }
    }
    for record in &changes.withdrawn {
        lines.push(format!("no longer given\t{}", record_line(record)));
    }
    if lines.is_empty() {
        lines.push("The last sync changed nothing.".to_owned());
    }
    lines
}
