//! The searches of a step, and its pages.

use super::fetch::FetchError;
use super::plan::{Attempt, Parameters, Search, SyncStep};
use super::prepare::{Preparing, gather};
use super::run::Run;
use crate::engine::lock;
use crate::problem::{Problem, ProblemCode};
use satchel_smart::fhir::bundle::{Entry, SearchMode, SearchPage};
use satchel_smart::fhir::client::FhirError;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tokio::sync::mpsc;
use url::Url;

/// Said of a kind that the server gives by part only.
pub(super) const NARROWED: &str =
    "the server gives these by category or kind only; what has none is not here";
/// Pages of one step that wait to be written.
const AHEAD: usize = 8;

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
        let was_here = !here.is_empty();
        let version = here.into_iter().next().and_then(|row| row.version_id);
        let read = self
            .fetch_record(&step.resource_type, id, version.as_deref())
            .await;
        match read {
            Err(FetchError::Fhir(error @ (FhirError::NotFound | FhirError::Gone))) if was_here => {
                Err(Problem::with_detail(ProblemCode::PatientGone, error).into())
            }
            Err(error) => Err(error),
            Ok(Some(record)) => {
                if record.id != id {
                    let detail = "the server answered with another patient";
                    return Err(Problem::with_detail(ProblemCode::PatientGone, detail).into());
                }
                let replaced = was_replaced(&record.json);
                let page = SearchPage {
                    entries: vec![Entry::Resource(record)],
                    ..SearchPage::default()
                };
                self.save_page(step, page).await?;
                if replaced {
                    let detail = "the record names the one that replaced it";
                    return Err(Problem::with_detail(ProblemCode::PatientGone, detail).into());
                }
                Ok(())
            }
            Ok(None) => {
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
                    let (mut began, mut whole) = (began, attempt.whole);
                    if attempt.narrower
                        && let Some(answered) = self.plainly_after_all(step, search).await?
                    {
                        (began, whole) = (answered, true);
                    }
                    self.keep_mark(step, &asked, began, whole).await?;
                    return Ok(());
                }
                Err(error) if demands_more(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        // Told is what the server said to the last question.
        Err(refused.unwrap_or(FetchError::Fhir(FhirError::NotFound)))
    }

    /// The plain question once more, after it was refused and narrower ones were answered: was it not
    /// understood, or not this time? `None` where it is refused again, which is said beside the records.
    async fn plainly_after_all(
        self: &Arc<Self>,
        step: &SyncStep,
        search: &Search,
    ) -> Done<Option<Option<jiff::Timestamp>>> {
        if !self.last.was_narrowed(&step.resource_type) {
            let plain = Search {
                extras: Parameters::new(),
                otherwise: Vec::new(),
                ..search.clone()
            };
            for attempt in plain.attempts(None) {
                match self.attempt(step, search, &attempt).await {
                    Ok(began) => return Ok(Some(began)),
                    Err(error) if demands_more(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        lock(&self.tally).remark(&step.key, vec![NARROWED.to_owned()]);
        Ok(None)
    }

    /// All searches of a set; gives when the first page came, by the server's clock.
    async fn attempt(
        self: &Arc<Self>,
        step: &SyncStep,
        search: &Search,
        attempt: &Attempt,
    ) -> Done<Option<jiff::Timestamp>> {
        let mut began = Vec::new();
        let mut refused = Vec::new();
        for parameters in &attempt.searches {
            match self.pages(step, self.url(search, parameters)).await {
                Ok(date) => began.push(date),
                Err(error) if demands_more(&error) => refused.push((parameters, error)),
                Err(error) => return Err(error),
            }
        }
        if began.is_empty() {
            let last = refused.pop().map(|(_, error)| error);
            return Err(last.unwrap_or(FetchError::Fhir(FhirError::NotFound)));
        }
        let mut left_out = false;
        for (parameters, _) in refused {
            // The others were answered: was this one not understood, or not this time?
            match self.pages(step, self.url(search, parameters)).await {
                Ok(date) => began.push(date),
                Err(error) if demands_more(&error) => {
                    left_out = true;
                    self.note_left_out(step, parameters);
                }
                Err(error) => return Err(error),
            }
        }
        if left_out {
            // What changed in it would not be asked for again.
            self.saw_a_part(step);
            return Ok(None);
        }
        match began.contains(&None) {
            true => Ok(None),
            false => Ok(began.into_iter().flatten().min()),
        }
    }

    /// A part of a step that the server does not know is told by the word that it did not take.
    fn note_left_out(&self, step: &SyncStep, parameters: &Parameters) {
        let narrow = ["category", "intent", "status"];
        let words = parameters
            .iter()
            .filter(|(name, _)| narrow.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}={value}"));
        let remark = format!(
            "the server does not answer to {}",
            words.collect::<Vec<_>>().join(" ")
        );
        lock(&self.tally).remark(&step.key, vec![remark]);
    }

    fn url(&self, search: &Search, parameters: &Parameters) -> Url {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.fhir.search_url(&search.at, &parameters)
    }

    /// Follows `next` to the end; gives when the first page came. While some pages are written the next
    /// ones are made ready and those after them asked for.
    async fn pages(self: &Arc<Self>, step: &SyncStep, first: Url) -> Done<Option<jiff::Timestamp>> {
        let cursor = self.cursor_of(step).await?;
        if cursor.is_some() {
            self.saw_a_part(step);
        }
        match self.pages_from(step, first.clone(), cursor).await {
            // Links to pages lapse, and sessions at servers end: once, it is begun anew.
            Err(FetchError::Lapsed(_)) => {
                lock(&self.tally).begin_again(&step.key);
                self.pages_from(step, first, None).await
            }
            ended => ended,
        }
    }

    async fn pages_from(
        self: &Arc<Self>,
        step: &SyncStep,
        first: Url,
        cursor: Option<Url>,
    ) -> Done<Option<jiff::Timestamp>> {
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
        let mut page = match cursor {
            Some(cursor) => self.later_page(&cursor).await?,
            None => self.first_page(&first).await?,
        };
        // The first page of a run that goes on was another run's.
        let began = page.date.filter(|_| !goes_on);
        let mut matches = HashSet::new();
        loop {
            if page.next.is_some() || !matches.is_empty() {
                matches.extend(matches_of(&page));
            }
            let next = page.next.clone();
            let circle = next
                .as_ref()
                .is_some_and(|next| !seen.insert(next.to_string()));
            // The last page of some servers leads to itself: all is here where they counted so many.
            let counted = page.total.and_then(|total| usize::try_from(total).ok());
            let is_all = !goes_on && counted.is_some_and(|total| matches.len() >= total);
            if circle {
                page.next = None;
            }
            let newer = self.newer(step, page).await?;
            if sender.send(self.preparing(step, newer)).await.is_err() {
                return Ok(None); // What could not be stored says why.
            }
            match next {
                Some(_) if circle && is_all => return Ok(began),
                Some(_) if circle => {
                    return Err(Problem::with_detail(
                        ProblemCode::BadPage,
                        "the next links go round in a circle",
                    )
                    .into());
                }
                Some(next) => page = self.later_page(&next).await?,
                None => return Ok(began),
            }
        }
    }

    async fn first_page(&self, url: &Url) -> Done<SearchPage> {
        let page = self.fetch_page(url).await?;
        refuse_error_only(&page)?;
        Ok(page)
    }

    async fn later_page(&self, url: &Url) -> Done<SearchPage> {
        let page = self.first_page(url).await;
        page.map_err(FetchError::of_a_later_page)
    }

    async fn save_pages(
        self: &Arc<Self>,
        step: &SyncStep,
        mut receiver: mpsc::Receiver<Preparing>,
    ) -> Result<(), Problem> {
        while let Some(first) = receiver.recv().await {
            let pages = gather(first, &mut receiver).await?;
            self.save_prepared(step, pages).await?;
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

/// What tells the matches of a page from others.
fn matches_of(page: &SearchPage) -> impl Iterator<Item = u64> {
    let is_match = |entry: &Entry| match entry {
        Entry::Resource(record) if record.mode == SearchMode::Match => {
            let mut hasher = DefaultHasher::new();
            (&record.resource_type, &record.id).hash(&mut hasher);
            Some(hasher.finish())
        }
        Entry::Resource(_) | Entry::Malformed { .. } | Entry::Outcome(_) => None,
    };
    page.entries.iter().filter_map(is_match)
}

/// The server knows the search but wants it narrower: a 400, or a 200 that holds only an error.
fn demands_more(error: &FetchError) -> bool {
    match error {
        FetchError::Fhir(FhirError::Outcome { status, .. }) => matches!(status, 200 | 400 | 422),
        FetchError::Fhir(FhirError::UnexpectedStatus(status)) => *status == 400 || *status == 422,
        FetchError::Problem(problem) => problem.code == ProblemCode::NotShared,
        FetchError::Fhir(_) | FetchError::Lapsed(_) => false,
    }
}

/// Whether a Patient says that another one took its place (FHIR R4, Patient.link).
fn was_replaced(json: &str) -> bool {
    let patient: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let links = patient.get("link").and_then(serde_json::Value::as_array);
    links
        .into_iter()
        .flatten()
        .any(|link| link.get("type").and_then(serde_json::Value::as_str) == Some("replaced-by"))
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
