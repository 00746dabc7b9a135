//! `satchel trace COMMAND …`: the same command, and on standard error what it does on the way, step by
//! step, with the number of each check.

use crate::arguments::{Arguments, Command};
use crate::output::Output;
use clap::Parser;
use satchel_core::trace::{
    TraceFlowView, TraceOutcome, TracePart, TracePartView, TraceStep, TraceStepView, TraceView,
};
use satchel_core::view::Event;
use satchel_core::{Engine, Result};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use tokio::sync::broadcast::error::RecvError;

/// What to do with the trace beside printing it.
#[derive(Debug)]
pub(crate) struct Tracing {
    har: Option<PathBuf>,
}

/// The command behind `trace`, read with the options that stand before it; any other as it is.
pub(crate) fn taken_apart(arguments: Arguments) -> (Arguments, Option<Tracing>) {
    let Command::Trace { har, command } = arguments.command else {
        return (arguments, None);
    };
    let given = |option: &str| {
        let mut words = command.iter().filter_map(|word| word.to_str());
        words.any(|word| word == option || word.starts_with(&format!("{option}=")))
    };
    let mut words: Vec<OsString> = vec!["satchel".into()];
    for (option, value) in [
        ("--profile", &arguments.profile),
        ("--trust-certificate", &arguments.trust_certificate),
    ] {
        if let (Some(value), false) = (value, given(option)) {
            words.extend([option.into(), value.into()]);
        }
    }
    if arguments.json && !given("--json") {
        words.push("--json".into());
    }
    words.extend(command);
    let inner = Arguments::parse_from(words);
    if matches!(inner.command, Command::Trace { .. }) {
        let mut program = <Arguments as clap::CommandFactory>::command();
        let twice = "a trace of a trace is not to be had";
        program
            .error(clap::error::ErrorKind::ArgumentConflict, twice)
            .exit();
    }
    (inner, Some(Tracing { har }))
}

/// Does the work and prints what it does; the archive is written however it ends.
pub(crate) async fn follow(
    tracing: &Tracing,
    engine: &Engine,
    work: impl Future<Output = Result<()>>,
    output: &Output,
) -> Result<()> {
    let mut events = engine.subscribe();
    let mut printer = Printer::default();
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            event = events.recv() => match event {
                Ok(Event::TraceChanged) | Err(RecvError::Lagged(_)) => {
                    printer.print(&engine.trace(), false, output);
                }
                _ => {}
            },
        }
    };
    printer.print(&engine.trace(), true, output);
    if let Some(file) = &tracing.har {
        engine.trace_export(file).await?;
        output.note(&format!("The trace is in {}.", file.display()));
    }
    done
}

/// Knows what was printed.
#[derive(Default)]
struct Printer {
    steps: HashMap<String, usize>,
    ended: HashMap<String, bool>,
}

impl Printer {
    /// Prints what is new. A request is printed once its answer is there, so that all stay in order.
    fn print(&mut self, trace: &TraceView, all: bool, output: &Output) {
        for flow in &trace.flows {
            let printed = self.steps.entry(flow.id.clone()).or_default();
            for step in flow.steps.iter().skip(*printed) {
                if step.outcome == TraceOutcome::Waiting && !all {
                    break;
                }
                if *printed == 0 {
                    output.note(&heading(flow));
                }
                *printed += 1;
                lines(step).iter().for_each(|line| output.note(line));
            }
            let whole = *printed == flow.steps.len();
            let ended = self.ended.entry(flow.id.clone()).or_default();
            if whole && flow.ended_at.is_some() && !*ended {
                *ended = true;
                endings(flow).iter().for_each(|line| output.note(line));
            }
        }
    }
}

fn heading(flow: &TraceFlowView) -> String {
    match &flow.server {
        Some(server) => format!("\n{}, {server}", flow.kind.title()),
        None => format!("\n{}", flow.kind.title()),
    }
}

fn endings(flow: &TraceFlowView) -> Vec<String> {
    let mut lines = Vec::new();
    if flow.left_out > 0 {
        lines.push(format!("  … and {} more steps", flow.left_out));
    }
    if let Some(problem) = &flow.problem {
        lines.push(format!("  ✗      {}: {}", problem.code, problem.message));
    }
    lines
}

fn lines(step: &TraceStepView) -> Vec<String> {
    let mark = match step.outcome {
        TraceOutcome::Passed => '✓',
        TraceOutcome::Failed => '✗',
        TraceOutcome::Waiting => '…',
    };
    match step.kind {
        TraceStep::Check => {
            let number = step.number.as_deref().unwrap_or_default();
            vec![format!("  {mark} {number:<4} {}", step.title)]
        }
        TraceStep::BrowserLeft => browser("the browser goes to", step),
        TraceStep::BrowserCameBack => browser("the browser came back to", step),
        TraceStep::Request => {
            let status = step.status.map(|status| format!(" → {status}"));
            let failure = step.failure.as_ref().map(|why| format!(" → {why}"));
            let took = step.milliseconds.map(|ms| format!(", {ms} ms"));
            let mut lines = vec![format!(
                "  {mark}      {}{}{}",
                step.title,
                status.or(failure).unwrap_or_default(),
                took.unwrap_or_default()
            )];
            // What is read is in the archive; what is traded for it is told here too.
            let traded = !step.title.starts_with("GET ") || step.outcome == TraceOutcome::Failed;
            lines.extend(step.parts.iter().filter(|_| traded).flat_map(told));
            lines
        }
    }
}

fn browser(says: &str, step: &TraceStepView) -> Vec<String> {
    let address = step.title.split('?').next().unwrap_or_default();
    let mut lines = vec![format!("  ↔      {says} {address}")];
    lines.extend(step.parts.iter().flat_map(told));
    lines
}

fn told(part: &TracePartView) -> Vec<String> {
    let label = part.label.as_deref().unwrap_or_default();
    let mut lines = match part.part {
        TracePart::RequestHeaders | TracePart::AnswerHeaders => return Vec::new(),
        TracePart::Query | TracePart::RequestBody => Vec::new(),
        TracePart::AnswerBody => vec![format!("           answer: {label}")],
        TracePart::Token => vec![format!("           {label}, decoded:")],
    };
    let fields = part.fields.iter();
    lines.extend(fields.map(|field| format!("           {}={}", field.label, field.value)));
    let text = part.text.iter().flat_map(|text| text.lines());
    lines.extend(text.map(|line| format!("           {line}")));
    lines
}
