//! Asking for the contents that are not here. Each is asked for by itself: what goes wrong with one says
//! nothing about the others, is told by the name of its document, and is tried again by the next sync; one
//! that the server does not have or does not give, three times in all.

use super::text::Kind;
use super::{LARGEST_ASKED, Missing};
use crate::document::{attachments_of, binary_of, binary_record};
use crate::engine::{Engine, lock};
use crate::problem::{Problem, ProblemCode, Result};
use crate::sync::fetch::FetchError;
use crate::sync::plan::SyncStep;
use crate::sync::references::local_target;
use crate::sync::run::Run;
use crate::view::RecordKey;
use futures::StreamExt;
use satchel_smart::fhir::binary::BinaryContent;
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage};
use satchel_smart::fhir::client::{FhirClient, FhirError};
use satchel_smart::http::{FhirBaseUrl, HttpError};
use satchel_store::MissingRow;
use std::sync::Arc;

/// Contents in flight: few, for each may be large.
const AT_A_TIME: usize = 3;
/// Bytes of contents that are written together.
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// How often in all a server is asked for what it refused.
const TRIES: u32 = 3;
/// So many answers that never came, and the server is left alone.
const SILENCES: usize = 3;

/// Contents that came and are not stored yet.
#[derive(Default)]
struct Came {
    records: Vec<RawResource>,
    bytes: usize,
}

impl Run {
    /// Fetches the contents of documents, and reads them for the index. Gives why the first of those
    /// failed that may go well the next time.
    pub(crate) async fn follow_documents(
        self: &Arc<Self>,
        step: &SyncStep,
    ) -> std::result::Result<Option<FetchError>, FetchError> {
        let engine = &self.engine;
        let (id, base) = (&self.connection_id, self.base.as_str());
        engine.read_documents(id, base).await?;
        if !self.granted.allows_read("Binary") {
            return Ok(None);
        }
        let store = &engine.inner.store;
        let referred = self.contents_met();
        store
            .contents_wanted(id, &referred)
            .await
            .map_err(Problem::from)?;
        let largest = engine.document_limit().await?;
        let due = store.contents_due(id, largest, TRIES).await;
        let missed = self
            .fetch_contents(step, due.map_err(Problem::from)?, largest)
            .await;
        engine.read_documents(id, base).await?;
        missed
    }

    /// Contents that any record of this run refers to.
    fn contents_met(&self) -> Vec<String> {
        let met = lock(&self.met);
        let targets = met
            .iter()
            .filter_map(|reference| local_target(reference, self.base.as_str()));
        targets
            .filter(|(kind, _)| kind == "Binary")
            .map(|(_, id)| id)
            .collect()
    }

    async fn fetch_contents(
        self: &Arc<Self>,
        step: &SyncStep,
        due: Vec<MissingRow>,
        largest: u64,
    ) -> std::result::Result<Option<FetchError>, FetchError> {
        let (total, mut done, mut silences) = (due.len(), 0, 0);
        let mut missed = None;
        let mut came = Came::default();
        let mut answers = futures::stream::iter(due)
            .map(|missing| async move {
                let answer = self.fetch_within(&missing, largest).await;
                (missing, answer)
            })
            .buffer_unordered(AT_A_TIME);
        while let Some((missing, answer)) = answers.next().await {
            done += 1;
            match answer {
                Ok(record) => {
                    came.bytes += record.json.len();
                    came.records.push(record);
                }
                Err(error) => {
                    silences += usize::from(is_silence(&error));
                    let why = why(&error).map(|why| because(why, &missing, largest));
                    let Some(why) = why.filter(|_| silences < SILENCES) else {
                        self.keep_contents(step, &mut came).await?;
                        return Err(error);
                    };
                    self.note_missing(step, &missing, why, &error).await?;
                    if why == Missing::Failed {
                        missed.get_or_insert(error);
                    }
                }
            }
            if came.bytes >= BATCH_BYTES {
                self.keep_contents(step, &mut came).await?;
            }
            lock(&self.tally).share(&step.key, done, total);
        }
        self.keep_contents(step, &mut came).await?;
        Ok(missed)
    }

    async fn fetch_within(
        &self,
        missing: &MissingRow,
        largest: u64,
    ) -> std::result::Result<RawResource, FetchError> {
        let stated = missing.size.and_then(|size| u64::try_from(size).ok());
        if stated.is_some_and(|size| size > largest) {
            return Err(FetchError::Fhir(FhirError::Http(HttpError::TooLarge {
                url: "Binary".to_owned(),
                limit: usize::try_from(largest).unwrap_or(usize::MAX),
            })));
        }
        let record = self.fetch_content(&missing.id, largest).await?;
        // Nothing else tells that content which comes as itself was cut short. Shorter once more, and it is
        // what the server has: shown, and said to be other than stated (checklist G23).
        let is_short = |size: u64| {
            binary_of(&record.json).is_some_and(|(_, bytes)| (bytes.len() as u64) < size)
        };
        if missing.tries == 0 && stated.is_some_and(is_short) {
            return Err(FetchError::Fhir(FhirError::Truncated));
        }
        Ok(record)
    }

    async fn keep_contents(self: &Arc<Self>, step: &SyncStep, came: &mut Came) -> Result<()> {
        let came = std::mem::take(came);
        if came.records.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = came
            .records
            .iter()
            .map(|record| record.id.clone())
            .collect();
        let entries = came.records.into_iter().map(Entry::Resource).collect();
        let page = SearchPage {
            entries,
            ..SearchPage::default()
        };
        self.save_page(step, page).await?;
        let store = &self.engine.inner.store;
        Ok(store.contents_came(&self.connection_id, &ids).await?)
    }

    async fn note_missing(
        &self,
        step: &SyncStep,
        missing: &MissingRow,
        why: Missing,
        error: &FetchError,
    ) -> Result<()> {
        let size = match (why, error) {
            // Larger than the limit; by how much, the server did not say.
            (
                Missing::TooLarge,
                FetchError::Fhir(FhirError::Http(HttpError::TooLarge { limit, .. })),
            ) if missing.size.is_none() => Some(*limit as u64 + 1),
            _ => None,
        };
        let store = &self.engine.inner.store;
        store
            .content_failed(&self.connection_id, &missing.id, why.word(), size)
            .await?;
        let name = missing.title.as_deref().unwrap_or("A document");
        let remark = format!("{name}: {}", why.sentence());
        lock(&self.tally).remark(&step.key, vec![remark]);
        Ok(())
    }
}

impl Engine {
    /// Fetches one content of a record, also one that is larger than syncs fetch.
    ///
    /// # Errors
    /// `record.not_found`; `document.too_large` above 128 MB; those of access and of the server.
    pub async fn attachment_fetch(&self, key: &RecordKey, position: usize) -> Result<()> {
        let row = self.connection_row(&key.connection_id).await?;
        let store = &self.inner.store;
        let stored = store
            .record_get(&key.connection_id, &key.resource_type, &key.id)
            .await?;
        let attachment =
            stored.and_then(|(_, json)| attachments_of(&json).into_iter().nth(position));
        let target = attachment
            .and_then(|attachment| local_target(&attachment.url?, &row.fhir_base))
            .filter(|(kind, _)| kind == "Binary");
        let (_, id) = target.ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let token = self.access_token(&row.id).await?;
        let fhir = self.fhir_at(&base, token.expose());
        let record = match read_content(&fhir, &id, LARGEST_ASKED, &token).await {
            Err(FhirError::Unauthorized) => {
                let token = self.replace_token(&row.id, &token).await?;
                read_content(&fhir, &id, LARGEST_ASKED, &token).await
            }
            answer => answer,
        };
        let record = record.map_err(|error| match error {
            FhirError::Http(HttpError::TooLarge { .. }) => {
                Problem::new(ProblemCode::DocumentTooLarge)
            }
            error => error.into(),
        })?;
        let page = SearchPage {
            entries: vec![Entry::Resource(record.record)],
            ..SearchPage::default()
        };
        self.save_records((&row.id, "attachment"), page, "Binary", None)
            .await?;
        store.contents_came(&row.id, &[id]).await?;
        self.read_documents(&row.id, &row.fhir_base).await?;
        self.emit(crate::view::Event::RecordsChanged {
            connection_id: row.id,
        });
        Ok(())
    }
}

/// A content as a record.
pub(crate) struct Content {
    pub(crate) record: RawResource,
    /// The media type under which it came as itself, without a resource around it.
    pub(crate) as_itself: Option<String>,
}

/// One content as a record, of at most `largest` bytes.
pub(crate) async fn read_content(
    fhir: &FhirClient,
    id: &str,
    largest: u64,
    token: &satchel_smart::secret::SecretString,
) -> std::result::Result<Content, FhirError> {
    let limit = usize::try_from(largest).unwrap_or(usize::MAX);
    let too_large = || {
        FhirError::Http(HttpError::TooLarge {
            url: "Binary".to_owned(),
            limit,
        })
    };
    // Some servers give the content itself, some the resource around it (checklist G23).
    match fhir.read_binary(id, token, limit).await {
        Ok(BinaryContent::Resource(record)) => match binary_of(&record.json) {
            Some((_, bytes)) if bytes.len() > limit => Err(too_large()),
            _ => Ok(Content {
                record,
                as_itself: None,
            }),
        },
        Ok(BinaryContent::Native { bytes, .. }) if bytes.len() > limit => Err(too_large()),
        Ok(BinaryContent::Native {
            content_type,
            bytes,
        }) => {
            if is_a_page_instead(&content_type, &bytes) {
                return Err(FhirError::NotJson {
                    content_type: Some(content_type),
                    xml: false,
                });
            }
            Ok(Content {
                record: binary_record(id, &content_type, &bytes),
                as_itself: Some(content_type),
            })
        }
        Err(FhirError::Http(HttpError::TooLarge { .. })) => Err(too_large()),
        Err(error) => Err(error),
    }
}

/// A page of a portal or proxy under the media type of a document.
fn is_a_page_instead(content_type: &str, bytes: &[u8]) -> bool {
    let stated = Kind::stated(content_type);
    Kind::seen(bytes) == Some(Kind::Html) && matches!(stated, Kind::Pdf | Kind::Image | Kind::Rtf)
}

fn is_silence(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Fhir(FhirError::Http(HttpError::Timeout { .. }))
    )
}

/// An answer that is larger than allowed although the document states a small one is a server that is ill,
/// and no large document.
fn because(why: Missing, missing: &MissingRow, largest: u64) -> Missing {
    let stated = missing.size.and_then(|size| u64::try_from(size).ok());
    match why {
        Missing::TooLarge if stated.is_some_and(|size| size <= largest) => Missing::Failed,
        why => why,
    }
}

/// Why this content is not here; `None` where the error says something about all of them.
fn why(error: &FetchError) -> Option<Missing> {
    let FetchError::Fhir(error) = error else {
        return None;
    };
    Some(match error {
        FhirError::NotFound | FhirError::Gone => Missing::Gone,
        FhirError::Forbidden { .. } => Missing::Refused,
        FhirError::Http(HttpError::TooLarge { .. }) => Missing::TooLarge,
        FhirError::UnexpectedResource { .. } | FhirError::NotJson { .. } => Missing::Wrong,
        FhirError::Outcome { status, .. } | FhirError::UnexpectedStatus(status)
            if (400..500).contains(status) =>
        {
            Missing::Refused
        }
        FhirError::Outcome { .. }
        | FhirError::UnexpectedStatus(_)
        | FhirError::Truncated
        | FhirError::Http(HttpError::Timeout { .. } | HttpError::Redirect { .. }) => {
            Missing::Failed
        }
        _ => return None,
    })
}
