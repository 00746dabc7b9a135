//! What a trace is made of.

use super::{Content, Field};

/// One step: when, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it began.
    pub at: jiff::Timestamp,
    /// What it was.
    pub event: StepEvent,
}

/// What a step was.
#[derive(Clone, Debug, PartialEq)]
pub enum StepEvent {
    /// A request of ours, with its answer once it is there.
    Exchange(Box<Exchange>),
    /// The person's browser was sent to the portal.
    BrowserLeft(MaskedUrl),
    /// The browser came back, or something that says so.
    BrowserCameBack(MaskedUrl),
    /// A check.
    Check(Check),
}

/// A URL without anything that has to stay hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedUrl {
    /// The whole of it.
    pub url: String,
    /// Its query, taken apart.
    pub query: Vec<Field>,
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// `GET`, `POST`, …
    pub method: String,
    /// Where to.
    pub url: MaskedUrl,
    /// Request headers that are known to be harmless, or masked.
    pub headers: Vec<Field>,
    /// What was sent.
    pub body: Option<Body>,
    /// What came back.
    pub outcome: Outcome,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Not yet.
    Waiting,
    /// An answer.
    Answered {
        /// HTTP status.
        status: u16,
        /// Headers that are known to be harmless, or masked.
        headers: Vec<Field>,
        /// The body.
        body: Body,
        /// Milliseconds from the request to the end of the answer.
        milliseconds: i64,
    },
    /// No usable answer; why, in a word.
    Failed {
        /// Why.
        why: &'static str,
        /// Milliseconds from the request.
        milliseconds: i64,
    },
}

/// A body: its kind and size, and of its content what may be seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Media type.
    pub content_type: String,
    /// Bytes as they came, decompressed.
    pub size: usize,
    /// What may be seen.
    pub content: Content,
    /// JSON Web Tokens in it, decoded without their signature and masked: the member's name, header
    /// and claims.
    pub tokens: Vec<(String, serde_json::Value)>,
}

/// A check of the protocol checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its number, such as `C34`.
    pub number: &'static str,
    /// What has to be so, one plain sentence.
    pub says: &'static str,
    /// It is so.
    pub passed: bool,
}

/// About what a step weighs.
pub(super) fn weight(event: &StepEvent) -> usize {
    let fields = |list: &[Field]| -> usize {
        list.iter()
            .map(|field| field.name.len() + field.value.len() + 48)
            .sum()
    };
    let url = |url: &MaskedUrl| url.url.len() + fields(&url.query);
    128 + match event {
        StepEvent::Exchange(exchange) => {
            let body = exchange.body.as_ref().map_or(0, Body::weight);
            url(&exchange.url) + fields(&exchange.headers) + body
        }
        StepEvent::BrowserLeft(to) | StepEvent::BrowserCameBack(to) => url(to),
        StepEvent::Check(_) => 0,
    }
}

impl Body {
    pub(super) fn weight(&self) -> usize {
        let tokens: usize = self.tokens.iter().map(|(_, t)| t.to_string().len()).sum();
        tokens
            + match &self.content {
                Content::Form(fields) => fields.iter().map(|f| f.name.len() + f.value.len()).sum(),
                Content::Json(value) => value.to_string().len(),
                Content::Fhir { .. } | Content::Hidden => 64,
            }
    }
}
