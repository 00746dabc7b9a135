//! What happened, step by step, for testers: each request with its answer, each trip of the browser,
//! each check with its number in the protocol checklist.
//!
//! A [`Trace`] is handed in around a piece of work with [`Trace::scope`]; everything that the work
//! does on the way is written down in it, masked before it is kept (`mask`). Without one, nothing is
//! written and nothing is computed. Work that is moved into a task of its own takes its trace along
//! with [`carry`].

mod har;
mod mask;
mod names;
mod step;

pub use har::{HarPage, to_har};
pub use mask::{Content, Field};
use step::weight;
pub use step::{Body, Check, Exchange, MaskedUrl, Outcome, Step, StepEvent};

use crate::http::{Answer, HttpError};
use crate::time::{Clock, Random};
use ::http::header;
use mask::Mask;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

tokio::task_local! {
    static CURRENT: Trace;
}

/// Steps of one trace; more are counted, not kept.
const MAX_STEPS: usize = 2_000;
/// About as many bytes of one trace.
const MAX_BYTES: usize = 1024 * 1024;

/// A record of one piece of work, in memory; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Trace {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    mask: Mask,
    recorded: Mutex<Recorded>,
    grown: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Recorded {
    steps: Vec<Step>,
    bytes: usize,
    left_out: usize,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").finish_non_exhaustive()
    }
}

/// The key with which hidden values are named: equal values have equal names under one key, and
/// nobody can try values against a name without it. It never leaves the process.
#[derive(Clone)]
pub struct MaskKey(Mask);

impl std::fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaskKey([secret])")
    }
}

impl MaskKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Mask::new(random))
    }
}

impl Trace {
    /// An empty trace. `grown` is called after each new step; it must not block.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        key: &MaskKey,
        grown: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                mask: key.0.clone(),
                recorded: Mutex::default(),
                grown: Box::new(grown),
            }),
        }
    }

    /// Does the work, and writes down what it does on the way.
    pub async fn scope<F: Future>(&self, work: F) -> F::Output {
        CURRENT.scope(self.clone(), work).await
    }

    /// The steps so far, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        self.recorded().steps.clone()
    }

    /// How many steps were not kept because there were too many.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.recorded().left_out
    }

    /// About how many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.recorded().bytes
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.inner
            .recorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the place of the step, when it was kept.
    fn push(&self, event: StepEvent) -> Option<usize> {
        let at = self.inner.clock.now();
        let size = weight(&event);
        let place = {
            let mut recorded = self.recorded();
            if recorded.steps.len() >= MAX_STEPS || recorded.bytes + size > MAX_BYTES {
                recorded.left_out += 1;
                None
            } else {
                recorded.bytes += size;
                recorded.steps.push(Step { at, event });
                Some(recorded.steps.len() - 1)
            }
        };
        (self.inner.grown)();
        place
    }
}

/// Takes the trace of the present work along into a task of its own.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let trace = CURRENT.try_with(Clone::clone).ok();
    async move {
        match trace {
            Some(trace) => trace.scope(work).await,
            None => work.await,
        }
    }
}

/// Whether the present work is traced.
#[must_use]
pub fn is_traced() -> bool {
    CURRENT.try_with(|_| ()).is_ok()
}

fn note(event: impl FnOnce(&Trace) -> StepEvent) {
    // Nobody traces: nothing to do.
    let _ = CURRENT.try_with(|trace| trace.push(event(trace)));
}

/// Writes a check down: its number in the checklist, what has to be so, and whether it is.
pub fn check(number: &'static str, says: &'static str, passed: bool) {
    note(|_| {
        StepEvent::Check(Check {
            number,
            says,
            passed,
        })
    });
}

/// Writes a check down whose outcome is a result, and gives the result on.
///
/// # Errors
/// Those of the result.
pub fn checked<T, E>(
    number: &'static str,
    says: &'static str,
    result: Result<T, E>,
) -> Result<T, E> {
    check(number, says, result.is_ok());
    result
}

/// The browser was sent to this address.
pub fn browser_left(url: &str) {
    note(|trace| StepEvent::BrowserLeft(trace.inner.mask.url_text(url)));
}

/// This is what came back.
pub fn browser_came_back(callback: &str) {
    note(|trace| StepEvent::BrowserCameBack(trace.inner.mask.url_text(callback)));
}

/// A request on its way. Dropped without an end, it stays in the trace as unanswered.
pub(crate) struct Open {
    trace: Trace,
    place: usize,
    begun: jiff::Timestamp,
}

/// Writes a request down; nothing when nobody traces.
pub(crate) fn begin(request: &reqwest::Request) -> Option<Open> {
    let trace = CURRENT.try_with(Clone::clone).ok()?;
    let mask = &trace.inner.mask;
    let body = request.body().and_then(reqwest::Body::as_bytes);
    let content_type = |headers: &::http::HeaderMap| {
        headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let exchange = Exchange {
        method: request.method().to_string(),
        url: mask.url(request.url()),
        headers: mask.headers(request.headers()),
        body: body.map(|bytes| mask.body(&content_type(request.headers()), bytes)),
        outcome: Outcome::Waiting,
    };
    let begun = trace.inner.clock.now();
    let place = trace.push(StepEvent::Exchange(Box::new(exchange)))?;
    Some(Open {
        trace,
        place,
        begun,
    })
}

impl Open {
    /// Writes the answer, or its failure, beside the request.
    pub(crate) fn end(self, answer: Result<&Answer, &HttpError>) {
        let inner = &self.trace.inner;
        let elapsed = inner.clock.now().duration_since(self.begun);
        let milliseconds = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let mut outcome = match answer {
            Ok(answer) => Outcome::Answered {
                status: answer.status,
                headers: inner.mask.headers(&answer.headers),
                body: inner
                    .mask
                    .body(&answer.content_type().unwrap_or_default(), &answer.body),
                milliseconds,
            },
            Err(error) => Outcome::Failed {
                why: reason(error),
                milliseconds,
            },
        };
        {
            let mut recorded = self.trace.recorded();
            if let Outcome::Answered { body, .. } = &mut outcome {
                if recorded.bytes + body.weight() > MAX_BYTES {
                    // Too much to keep: its size is told, its content is not.
                    body.content = Content::Hidden;
                    body.tokens.clear();
                }
                recorded.bytes += body.weight() + 256;
            }
            if let Some(Step {
                event: StepEvent::Exchange(exchange),
                ..
            }) = recorded.steps.get_mut(self.place)
            {
                exchange.outcome = outcome;
            }
        }
        (inner.grown)();
    }
}

fn reason(error: &HttpError) -> &'static str {
    match error {
        HttpError::Setup(_) | HttpError::InvalidUrl { .. } => "not sent",
        HttpError::NotHttps { .. } => "not protected by https",
        HttpError::PrivateHost { .. } => "not a public address",
        HttpError::Connect { .. } => "no connection",
        HttpError::Tls { .. } => "TLS failed",
        HttpError::Timeout { .. } => "too slow",
        HttpError::TooLarge { .. } => "too large",
        HttpError::Status { .. } => "unexpected status",
        HttpError::Redirect { .. } => "redirect refused",
        HttpError::Interrupted { .. } => "cut short",
    }
}

impl Mask {
    fn url_text(&self, text: &str) -> MaskedUrl {
        match Url::parse(text.trim()) {
            Ok(url) => self.url(&url),
            Err(_) => MaskedUrl {
                url: self.hide(text),
                query: Vec::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
