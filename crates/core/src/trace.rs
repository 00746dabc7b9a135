//! What the engine did, step by step, for testers. Off until it is switched on; the last pieces of
//! work are kept in memory, masked, and go to a file only when the person exports them.

mod view;

pub use view::{
    TraceFlowView, TraceKind, TraceOutcome, TracePart, TracePartView, TraceStep, TraceStepView,
    TraceView,
};

use crate::engine::{Engine, lock};
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{Event, ProblemView};
use satchel_smart::trace::{HarPage, MaskKey, Trace, is_traced, to_har};
use satchel_smart::{Clock, Random};
use std::collections::VecDeque;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// Pieces of work that are kept.
const MOST_FLOWS: usize = 40;
/// About as many bytes of them, without the newest.
const MOST_BYTES: usize = 6 * 1024 * 1024;

/// Keeps what happened, when that is wanted.
pub(crate) struct Tracer {
    on: AtomicBool,
    key: MaskKey,
    flows: Mutex<Flows>,
    /// The window was told of something new and has not looked since.
    announced: Arc<AtomicBool>,
}

#[derive(Default)]
struct Flows {
    begun: u64,
    list: VecDeque<Flow>,
}

/// One piece of work: a sign-in, a sync.
struct Flow {
    id: u64,
    kind: TraceKind,
    started: jiff::Timestamp,
    ended: Option<jiff::Timestamp>,
    problem: Option<ProblemView>,
    trace: Trace,
}

impl Tracer {
    pub(crate) fn new(on: bool, random: &dyn Random) -> Self {
        Self {
            on: AtomicBool::new(on),
            key: MaskKey::generate(random),
            flows: Mutex::default(),
            announced: Arc::default(),
        }
    }

    /// Forgets what was traced.
    pub(crate) fn forget(&self) {
        lock(&self.flows).list.clear();
    }

    fn begin(
        &self,
        kind: TraceKind,
        clock: Arc<dyn Clock>,
        events: broadcast::Sender<Event>,
    ) -> (u64, Trace) {
        let announced = Arc::clone(&self.announced);
        let started = clock.now();
        let trace = Trace::new(clock, &self.key, move || {
            // Once until somebody looks: a sync has hundreds of steps.
            if !announced.swap(true, Ordering::AcqRel) {
                let _ = events.send(Event::TraceChanged);
            }
        });
        let mut flows = lock(&self.flows);
        flows.begun += 1;
        let id = flows.begun;
        while flows.list.len() >= MOST_FLOWS
            || flows
                .list
                .iter()
                .map(|flow| flow.trace.bytes())
                .sum::<usize>()
                > MOST_BYTES
        {
            flows.list.pop_front();
        }
        flows.list.push_back(Flow {
            id,
            kind,
            started,
            ended: None,
            problem: None,
            trace: trace.clone(),
        });
        (id, trace)
    }

    fn end(&self, id: u64, at: jiff::Timestamp, problem: Option<ProblemView>) {
        if let Some(flow) = lock(&self.flows).list.iter_mut().find(|flow| flow.id == id) {
            flow.ended = Some(at);
            // A detail may hold a server's own words: they are not for a file that is passed on.
            flow.problem = problem.map(|problem| ProblemView {
                detail: None,
                ..problem
            });
        }
    }
}

/// The problem of a result, for the end of a piece of work.
pub(crate) fn problem_of<T>(result: &Result<T>) -> Option<ProblemView> {
    result.as_ref().err().map(Problem::view)
}

impl Engine {
    /// Does a piece of work; what it does is written down when tracing is on. Work inside other
    /// traced work belongs to that.
    pub(crate) async fn traced<T>(
        &self,
        kind: TraceKind,
        problem: impl FnOnce(&T) -> Option<ProblemView>,
        work: impl Future<Output = T>,
    ) -> T {
        let tracer = &self.inner.tracer;
        if !tracer.on.load(Ordering::Acquire) || is_traced() {
            return work.await;
        }
        let (id, trace) = tracer.begin(kind, Arc::clone(&self.inner.clock), self.events());
        let done = trace.scope(work).await;
        tracer.end(id, self.now(), problem(&done));
        self.emit(Event::TraceChanged);
        done
    }

    /// Switches tracing on or off; what was traced before stays until it is cleared.
    pub fn trace_switch(&self, on: bool) {
        self.inner.tracer.on.store(on, Ordering::Release);
        self.emit(Event::TraceChanged);
    }

    /// Forgets everything that was traced.
    pub fn trace_clear(&self) {
        self.inner.tracer.forget();
        self.emit(Event::TraceChanged);
    }

    /// What was traced, the oldest first.
    #[must_use]
    pub fn trace(&self) -> TraceView {
        let tracer = &self.inner.tracer;
        // Before looking: what comes from now on is announced anew.
        tracer.announced.store(false, Ordering::Release);
        TraceView {
            on: tracer.on.load(Ordering::Acquire),
            flows: lock(&tracer.flows).list.iter().map(view::flow).collect(),
        }
    }

    /// What was traced as an HTTP Archive (HAR 1.2), without secrets.
    #[must_use]
    pub fn trace_har(&self) -> String {
        let pages: Vec<HarPage> = lock(&self.inner.tracer.flows)
            .list
            .iter()
            .map(|flow| HarPage {
                id: format!("flow_{}", flow.id),
                title: flow.kind.title().to_owned(),
                started: flow.started,
                steps: flow.trace.steps(),
            })
            .collect();
        let version = &self.inner.identity.software_version;
        to_har(&pages, &self.inner.identity.name, version).to_string()
    }

    /// Writes the archive to a file that only its owner may read.
    ///
    /// # Errors
    /// `export.failed`.
    pub async fn trace_export(&self, file: &Path) -> Result<()> {
        crate::export::write_private(file, self.trace_har().as_bytes()).await
    }

    /// Writes the archive into a folder, under a name of its own.
    ///
    /// # Errors
    /// `export.failed`.
    pub async fn trace_export_into(&self, folder: &Path) -> Result<PathBuf> {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| Problem::with_detail(ProblemCode::ExportFailed, error.kind()))?;
        let file = folder.join(format!(
            "satchel-trace-{}.har",
            self.now().strftime("%Y%m%d-%H%M%S")
        ));
        self.trace_export(&file).await?;
        Ok(file)
    }
}
