//! The searches of a step, and its pages.

use super::fetch::FetchError;
use super::plan::{Attempt, Parameters, Search, SyncStep};
use super::prepare::Preparing;
use super::run::Run;
use crate::engine::lock;
use crate::problem::{Problem, ProblemCode};
use satchel_smart::fhir::bundle::{Entry, SearchPage};
use satchel_smart::fhir::client::FhirError;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use url::Url;

/// Pages of one step that wait to be written.
const AHEAD: usize = 1;

type Done<T> = std::result::Result<T, FetchError>;

impl Run {
    /// One record, only if it is another version than the one that is here (checklist G10).
    pub(super) async fn read_one(self: &Arc<Self>, step: &SyncStep, id: &str) -> Done<()> {
        let wanted = [(step.resource_type.clone(), id.to_owned())];
        let here = self
            .engine
            .inner
            .store
            .records_find(&self.connection_id, &wanted)
            .await
            .map_err(Problem::from)?;
        let version = here.into_iter().next().and_then(|row| row.version_id);
        let read = self
            .fetch_record(&step.resource_type, id, version.as_deref())
            .await?;
        match read {
            Some(record) => {
                let page = SearchPage {
                    entries: vec![Entry::Resource(record)],
                    ..SearchPage::default()
                };
                Ok(self.save_page(step, page).await?)
            }
            None => {
                // It is there, and as it was.
                self.saw_a_part(step);
                lock(&self.tally).page(&step.key, 1, None);
                Ok(())
            }
        }
    }

    /// Asks in one way after the other until the server does not refuse (checklist G12): only what changed
    /// where that is known, with what comes along; then plainly; then narrower.
    pub(super) async fn search(self: &Arc<Self>, step: &SyncStep, search: &Search) -> Done<()> {
        let asked = self.marks.question(&self.granted.to_string(), search);
        let since = self.marks.since(&step.key, &asked, search);
        let mut refused = None;
        for attempt in search.attempts(since.as_deref()) {
            if !attempt.whole {
                self.saw_a_part(step);
            }
            match self.attempt(step, search, &attempt).await {
                Ok(began) => {
                    self.keep_mark(step, &asked, began, attempt.whole).await?;
                    return Ok(());
                }
                Err(error) if demands_more(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        // Told is what the server said to the last question.
        Err(refused.unwrap_or(FetchError::Fhir(FhirError::NotFound)))
    }

    /// All searches of a set; gives when the first page came, by the server's clock.
    async fn attempt(
        self: &Arc<Self>,
        step: &SyncStep,
        search: &Search,
        attempt: &Attempt,
    ) -> Done<Option<jiff::Timestamp>> {
        let mut began = Vec::new();
        let mut refused = None;
        for parameters in &attempt.searches {
            match self.pages(step, self.url(search, parameters)).await {
                Ok(date) => began.push(date),
                Err(error) if demands_more(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) if began.is_empty() => Err(error),
            // One part was refused: what changed in it would not be asked for again.
            Some(_) => {
                self.saw_a_part(step);
                Ok(None)
            }
            None if began.contains(&None) => Ok(None),
            None => Ok(began.into_iter().flatten().min()),
        }
    }

    fn url(&self, search: &Search, parameters: &Parameters) -> Url {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.fhir.search_url(&search.at, &parameters)
    }

    /// Follows `next` to the end; gives when the first page came. While one page is written the next is
    /// made ready and the one after it asked for.
    async fn pages(self: &Arc<Self>, step: &SyncStep, first: Url) -> Done<Option<jiff::Timestamp>> {
        let cursor = self.cursor_of(step).await?;
        if cursor.is_some() {
            self.saw_a_part(step);
        }
        let (sender, receiver) = mpsc::channel(AHEAD);
        let fetching = self.fetch_pages(step, first, cursor, sender);
        let (fetched, saved) = tokio::join!(fetching, self.save_pages(step, receiver));
        saved?;
        fetched
    }

    /// Asks for page after page, and has each made ready as it comes.
    async fn fetch_pages(
        self: &Arc<Self>,
        step: &SyncStep,
        first: Url,
        cursor: Option<Url>,
        sender: mpsc::Sender<Preparing>,
    ) -> Done<Option<jiff::Timestamp>> {
        let mut seen = HashSet::from([first.to_string()]);
        let goes_on = cursor.is_some();
        let mut page = self.fetch_page(&cursor.unwrap_or(first)).await?;
        // The first page of a run that goes on was another run's.
        let began = page.date.filter(|_| !goes_on);
        loop {
            refuse_error_only(&page)?;
            let next = page.next.clone();
            let circle = next
                .as_ref()
                .is_some_and(|next| !seen.insert(next.to_string()));
            if circle {
                page.next = None;
            }
            if sender.send(self.preparing(step, page)).await.is_err() {
                return Ok(None); // What could not be stored says why.
            }
            match next {
                Some(_) if circle => {
                    return Err(Problem::with_detail(
                        ProblemCode::BadPage,
                        "the next links go round in a circle",
                    )
                    .into());
                }
                Some(next) => page = self.fetch_page(&next).await?,
                None => return Ok(began),
            }
        }
    }

    async fn save_pages(
        self: &Arc<Self>,
        step: &SyncStep,
        mut receiver: mpsc::Receiver<Preparing>,
    ) -> Result<(), Problem> {
        while let Some(preparing) = receiver.recv().await {
            self.save_prepared(step, preparing).await?;
        }
        Ok(())
    }

    /// Where a run that was cut off had come to.
    async fn cursor_of(&self, step: &SyncStep) -> Done<Option<Url>> {
        if !self.resumed {
            return Ok(None);
        }
        let steps = self
            .engine
            .inner
            .store
            .sync_steps_get(&self.connection_id)
            .await
            .map_err(Problem::from)?;
        Ok(steps
            .into_iter()
            .find(|stored| stored.step_key == step.key && stored.state == "running")
            .and_then(|stored| stored.cursor)
            .and_then(|cursor| Url::parse(&cursor).ok()))
    }
}

/// The server knows the search but wants it narrower: a 400, or a 200 that holds only an error.
fn demands_more(error: &FetchError) -> bool {
    match error {
        FetchError::Fhir(FhirError::Outcome { status, .. }) => *status == 400 || *status == 422,
        FetchError::Fhir(FhirError::UnexpectedStatus(status)) => *status == 400 || *status == 422,
        FetchError::Problem(problem) => problem.code == ProblemCode::NotShared,
        FetchError::Fhir(_) => false,
    }
}

/// A page that holds nothing but an error is a refusal, not an empty result.
fn refuse_error_only(page: &SearchPage) -> Done<()> {
    let mut errors = Vec::new();
    for entry in &page.entries {
        match entry {
            Entry::Outcome(outcome) if outcome.is_error() => errors.push(outcome.text()),
            Entry::Outcome(_) => {}
            Entry::Resource(_) | Entry::Malformed { .. } => return Ok(()),
        }
    }
    match errors.first() {
        Some(text) => Err(Problem::with_detail(ProblemCode::NotShared, text).into()),
        None => Ok(()),
    }
}
