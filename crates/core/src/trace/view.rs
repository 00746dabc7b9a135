//! A trace as it is shown: in the window and on the command line.

use super::Flow;
use crate::view::{LabelledView, ProblemView};
use satchel_smart::trace::{Body, Content, Exchange, Field, Outcome, Step, StepEvent};
use serde::Serialize;
use ts_rs::TS;

/// What was traced.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TraceView {
    /// Tracing is on.
    pub on: bool,
    /// Pieces of work, the oldest first.
    pub flows: Vec<TraceFlowView>,
}

/// One piece of work.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TraceFlowView {
    /// Identifier within this run of the program.
    pub id: String,
    /// What it was.
    pub kind: TraceKind,
    /// The server that was asked first.
    pub server: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; absent while it goes on, and when it was given up.
    pub ended_at: Option<String>,
    /// How it failed, if it did.
    pub problem: Option<ProblemView>,
    /// Steps in their order.
    pub steps: Vec<TraceStepView>,
    /// Further steps that were not kept.
    pub left_out: u32,
}

/// What a piece of work was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TraceKind {
    /// Asking a server what it can do.
    ServerCheck,
    /// A sign-in up to the browser.
    SignIn,
    /// The browser's way back, and the tokens.
    SignInEnd,
    /// A backend service's sign-in.
    Backend,
    /// A sync.
    Sync,
    /// A bulk export.
    Bulk,
    /// Removing a connection.
    Remove,
    /// Whether a server is there.
    Probe,
    /// Access that waits to be ended at its server.
    Revocation,
    /// Looking at a registration, or renewing its keys.
    Registration,
    /// Asking whether access is on.
    Access,
    /// Fetching a list of servers.
    Directory,
}

impl TraceKind {
    /// In plain words, for the archive and the command line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ServerCheck => "Asking a server what it can do",
            Self::SignIn => "Sign-in: to the portal",
            Self::SignInEnd => "Sign-in: back from the portal",
            Self::Backend => "Sign-in of a backend service",
            Self::Sync => "Sync",
            Self::Bulk => "Bulk export",
            Self::Remove => "Removing a connection",
            Self::Probe => "Is the server there?",
            Self::Revocation => "Ending access that waited for its server",
            Self::Registration => "Looking after a registration",
            Self::Access => "Is access on?",
            Self::Directory => "Fetching a list of servers",
        }
    }
}

/// A step.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TraceStepView {
    /// RFC 3339.
    pub at: String,
    /// What kind.
    pub kind: TraceStep,
    /// The request's method and address, or what was checked.
    pub title: String,
    /// A check's number in the protocol checklist.
    pub number: Option<String>,
    /// How it ended.
    pub outcome: TraceOutcome,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// From the request to the end of the answer.
    pub milliseconds: Option<u32>,
    /// Why no answer came.
    pub failure: Option<String>,
    /// What can be looked at.
    pub parts: Vec<TracePartView>,
}

/// Kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TraceStep {
    /// A request with its answer.
    Request,
    /// The browser was sent to the portal.
    BrowserLeft,
    /// The browser came back.
    BrowserCameBack,
    /// A check.
    Check,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TraceOutcome {
    /// Well.
    Passed,
    /// Badly.
    Failed,
    /// Not yet, or never.
    Waiting,
}

/// A part of a step.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TracePartView {
    /// Which part.
    pub part: TracePart,
    /// The name of the member that a token was in, or a body's media type.
    pub label: Option<String>,
    /// Bytes of a body.
    pub size: Option<u32>,
    /// Names and values.
    pub fields: Vec<LabelledView>,
    /// JSON, over several lines.
    pub text: Option<String>,
}

/// Parts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TracePart {
    /// The query of the address.
    Query,
    /// Request headers.
    RequestHeaders,
    /// Request body.
    RequestBody,
    /// Answer headers.
    AnswerHeaders,
    /// Answer body.
    AnswerBody,
    /// A JSON Web Token, decoded without its signature.
    Token,
}

pub(super) fn flow(flow: &Flow) -> TraceFlowView {
    let steps = flow.trace.steps();
    let server = steps.iter().find_map(|step| match &step.event {
        StepEvent::Exchange(exchange) => origin(&exchange.url.url),
        _ => None,
    });
    TraceFlowView {
        id: flow.id.to_string(),
        kind: flow.kind,
        server,
        started_at: flow.started.to_string(),
        ended_at: flow.ended.map(|at| at.to_string()),
        problem: flow.problem.clone(),
        steps: steps.iter().map(step).collect(),
        left_out: u32::try_from(flow.trace.left_out()).unwrap_or(u32::MAX),
    }
}

fn origin(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn step(step: &Step) -> TraceStepView {
    let plain = |kind, title: &str| TraceStepView {
        at: step.at.to_string(),
        kind,
        title: title.to_owned(),
        number: None,
        outcome: TraceOutcome::Passed,
        status: None,
        milliseconds: None,
        failure: None,
        parts: Vec::new(),
    };
    match &step.event {
        StepEvent::Check(check) => TraceStepView {
            number: Some(check.number.to_owned()),
            outcome: if check.passed {
                TraceOutcome::Passed
            } else {
                TraceOutcome::Failed
            },
            ..plain(TraceStep::Check, check.says)
        },
        StepEvent::BrowserLeft(url) => TraceStepView {
            parts: part(TracePart::Query, &url.query).into_iter().collect(),
            ..plain(TraceStep::BrowserLeft, &url.url)
        },
        StepEvent::BrowserCameBack(url) => TraceStepView {
            parts: part(TracePart::Query, &url.query).into_iter().collect(),
            ..plain(TraceStep::BrowserCameBack, &url.url)
        },
        StepEvent::Exchange(exchange) => {
            let title = format!("{} {}", exchange.method, exchange.url.url);
            ended(plain(TraceStep::Request, &title), exchange)
        }
    }
}

fn ended(mut step: TraceStepView, exchange: &Exchange) -> TraceStepView {
    step.parts
        .extend(part(TracePart::Query, &exchange.url.query));
    step.parts
        .extend(part(TracePart::RequestHeaders, &exchange.headers));
    if let Some(sent) = &exchange.body {
        body(TracePart::RequestBody, sent, &mut step.parts);
    }
    let took = |milliseconds: i64| u32::try_from(milliseconds).ok();
    match &exchange.outcome {
        Outcome::Waiting => step.outcome = TraceOutcome::Waiting,
        Outcome::Failed { why, milliseconds } => {
            step.outcome = TraceOutcome::Failed;
            step.failure = Some((*why).to_owned());
            step.milliseconds = took(*milliseconds);
        }
        Outcome::Answered {
            status,
            headers,
            body: came,
            milliseconds,
        } => {
            if *status >= 400 {
                step.outcome = TraceOutcome::Failed;
            }
            step.status = Some(*status);
            step.milliseconds = took(*milliseconds);
            step.parts.extend(part(TracePart::AnswerHeaders, headers));
            body(TracePart::AnswerBody, came, &mut step.parts);
        }
    }
    step
}

fn part(part: TracePart, fields: &[Field]) -> Option<TracePartView> {
    (!fields.is_empty()).then(|| TracePartView {
        part,
        label: None,
        size: None,
        fields: fields.iter().map(labelled).collect(),
        text: None,
    })
}

fn labelled(field: &Field) -> LabelledView {
    LabelledView {
        label: field.name.clone(),
        value: field.value.clone(),
    }
}

fn body(which: TracePart, body: &Body, parts: &mut Vec<TracePartView>) {
    let (fields, text) = match &body.content {
        Content::Form(fields) => (fields.iter().map(labelled).collect(), None),
        Content::Json(value) => (Vec::new(), serde_json::to_string_pretty(value).ok()),
        Content::Fhir {
            resource_type,
            total,
        } => {
            let total = total.map(|total| ("total", total.to_string()));
            let fields = [Some(("resourceType", resource_type.clone())), total];
            let labelled = |(label, value): (&str, String)| LabelledView {
                label: label.to_owned(),
                value,
            };
            (fields.into_iter().flatten().map(labelled).collect(), None)
        }
        Content::Hidden => (Vec::new(), None),
    };
    parts.push(TracePartView {
        part: which,
        label: Some(body.content_type.clone()).filter(|kind| !kind.is_empty()),
        size: u32::try_from(body.size).ok(),
        fields,
        text,
    });
    parts.extend(body.tokens.iter().map(|(name, token)| TracePartView {
        part: TracePart::Token,
        label: Some(name.clone()),
        size: None,
        fields: Vec::new(),
        text: serde_json::to_string_pretty(token).ok(),
    }));
}
