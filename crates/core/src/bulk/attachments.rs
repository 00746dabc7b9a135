//! The contents of documents in exported files (checklist F24): their addresses are absolute, and the
//! token goes along only where files need one, and only to the server itself.

use super::follow::{Follow, is_network};
use super::report::FileReport;
use crate::digest;
use crate::problem::{Problem, Result};
use crate::sync::references::local_target;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use satchel_smart::bulk::{Attachment, BulkError, CapabilityUrl, TokenRule};
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchMode, SearchPage};
use serde_json::json;
use std::collections::BTreeSet;

/// Contents that are fetched at a time.
const AT_A_TIME: usize = 3;
/// Contents above this are left where they are.
const LARGEST: usize = 64 * 1024 * 1024;

/// Under which id the content of this address is stored: its own, where it is a Binary of the server.
pub(crate) fn content_id(url: &str, base: &str) -> String {
    match local_target(url, base) {
        Some((kind, id)) if kind == "Binary" => id,
        _ => format!("content-{}", digest::short_hex(url.as_bytes())),
    }
}

impl Follow {
    /// Fetches those that are not stored. One that cannot be had fails only itself.
    pub(super) async fn fetch_documents(
        &self,
        urls: BTreeSet<String>,
        rule: TokenRule,
        report: &mut FileReport,
    ) -> Result<()> {
        let urls: Vec<String> = urls.into_iter().collect();
        for some in urls.chunks(100) {
            let wanted: Vec<(String, String)> = some
                .iter()
                .map(|url| ("Binary".to_owned(), content_id(url, &self.fhir_base)))
                .collect();
            let store = &self.engine.inner.store;
            let stored = store.records_find(&self.connection_id, &wanted).await?;
            let here: BTreeSet<&str> = stored.iter().map(|row| row.id.as_str()).collect();
            let missing: Vec<(String, String)> = some
                .iter()
                .zip(&wanted)
                .filter(|(_, (_, id))| !here.contains(id.as_str()))
                .map(|(url, (_, id))| (url.clone(), id.clone()))
                .collect();
            let mut fetched = futures::stream::iter(missing)
                .map(|(url, id)| async move { (id, self.content(&url, rule).await) })
                .buffer_unordered(AT_A_TIME);
            while let Some((id, content)) = fetched.next().await {
                match content {
                    Ok(content) => {
                        self.keep_content(&id, content).await?;
                        report.report.attachments += 1;
                    }
                    Err(error) => {
                        let problem = Problem::from(error);
                        if is_network(problem.code) {
                            tracing::debug!("the content of a document could not be reached");
                        }
                        report.report.attachments_missing += 1;
                    }
                }
            }
        }
        Ok(())
    }

    async fn content(
        &self,
        url: &str,
        rule: TokenRule,
    ) -> std::result::Result<Attachment, BulkError> {
        let base = format!("{}/", self.fhir_base.trim_end_matches('/'));
        let absolute = url::Url::parse(url)
            .or_else(|_| url::Url::parse(&base).and_then(|base| base.join(url)))
            .map_err(|_| BulkError::Gone)?;
        let token = self.token().await.map_err(|_| BulkError::Unauthorized)?;
        let url = CapabilityUrl::new(absolute);
        self.client.attachment(&url, rule, &token, LARGEST).await
    }

    async fn keep_content(&self, id: &str, content: Attachment) -> Result<()> {
        let json = match content.resource {
            Some(json) => json,
            None => json!({"resourceType": "Binary", "id": id,
                "contentType": content.content_type, "data": STANDARD.encode(&content.bytes)})
            .to_string(),
        };
        let resource = RawResource {
            json,
            resource_type: "Binary".to_owned(),
            id: id.to_owned(),
            version_id: None,
            last_updated: None,
            full_url: None,
            mode: SearchMode::Include,
        };
        let page = SearchPage {
            entries: vec![Entry::Resource(resource)],
            ..SearchPage::default()
        };
        let step = (self.connection_id.as_str(), "bulk");
        self.engine.save_records(step, page, "Binary", None).await?;
        Ok(())
    }
}
