//! The summary as a document that other systems read (HL7 FHIR International Patient Summary, "Bundle" and
//! "Composition"): what is true now, with the records that say so, byte for byte as they were received.

use crate::engine::Engine;
use crate::overview::choose;
use crate::problem::{Problem, ProblemCode, Result};
use crate::summary;
use crate::sync::references::local_target;
use crate::view::{ChartOf, OverviewKind, RecordKey, RecordSummaryView, Section};
use satchel_store::RecordFilter;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a section of the Composition holds, its LOINC code, its title, and whether it stands there empty too.
const SECTIONS: &[(OverviewKind, Section, &str, &str, bool)] = {
    use OverviewKind as K;
    &[
        (
            K::Medications,
            Section::Medications,
            "10160-0",
            "Medications",
            true,
        ),
        (
            K::Allergies,
            Section::Allergies,
            "48765-2",
            "Allergies and intolerances",
            true,
        ),
        (K::Problems, Section::Problems, "11450-4", "Problems", true),
        (
            K::Immunizations,
            Section::Immunizations,
            "11369-6",
            "Immunizations",
            false,
        ),
        (
            K::Procedures,
            Section::Procedures,
            "47519-4",
            "Procedures",
            false,
        ),
        (K::Labs, Section::Labs, "30954-2", "Results", false),
        (K::Vitals, Section::Vitals, "8716-3", "Vital signs", false),
        (K::Plans, Section::Goals, "18776-5", "Plan of care", false),
    ]
};

/// What records refer to that belongs into the document, and how far that is followed.
const FOLLOWED: &[&str] = &[
    "Location",
    "Medication",
    "Organization",
    "Practitioner",
    "PractitionerRole",
];
const DEPTH: u8 = 2;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    resource_type: &'static str,
    identifier: Value,
    r#type: &'static str,
    timestamp: String,
    entry: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    full_url: String,
    resource: Box<RawValue>,
}

/// A document while it is made.
#[derive(Default)]
struct Document {
    entries: Vec<Entry>,
    known: HashSet<String>,
    counts: BTreeMap<String, u64>,
    /// The FHIR base URL of each source.
    bases: HashMap<String, String>,
    /// References that are to be followed: from which source, and how deep.
    to_follow: Vec<(RecordKey, u8)>,
}

impl Engine {
    /// The document as JSON, and how many records of which type are in it.
    ///
    /// # Errors
    /// `export.failed` where the chart is not of one person.
    pub(super) async fn summary_document(
        &self,
        of: &ChartOf,
    ) -> Result<(String, BTreeMap<String, u64>)> {
        let mut document = Document::default();
        let subject = self.subject_of(of, &mut document).await?;
        let names = self.server_names().await?;
        let now = self.now();
        let mut sections = Vec::new();
        for (kind, section, code, title, always) in SECTIONS {
            let listed = self.newest(of, *section, &names).await?;
            let mut rows = Vec::new();
            for one in choose(*kind, listed, now.as_millisecond()) {
                let row = crate::chart::summary_view(one.row, &names);
                if let Some(url) = self.put(&mut document, &row.key, 0).await? {
                    rows.push((row, url));
                }
            }
            if *always || !rows.is_empty() {
                sections.push(section_of(code, title, &rows));
            }
        }
        self.follow(&mut document).await?;
        let author = format!("urn:uuid:{}", self.new_uuid());
        let composition = json!({
            "resourceType": "Composition",
            "status": "final",
            "type": {"coding": [{"system": "http://loinc.org", "code": "60591-5",
                "display": "Patient summary Document"}]},
            "subject": {"reference": subject},
            "date": now.to_string(),
            "author": [{"reference": author, "display": "Satchel"}],
            "title": "Patient summary",
            "section": sections,
        });
        let device = json!({
            "resourceType": "Device",
            "deviceName": [{"name": "Satchel", "type": "user-friendly-name"}],
            "version": [{"value": env!("CARGO_PKG_VERSION")}],
        });
        let first = Entry {
            full_url: format!("urn:uuid:{}", self.new_uuid()),
            resource: raw(&composition)?,
        };
        let last = Entry {
            full_url: author,
            resource: raw(&device)?,
        };
        let bundle = Bundle {
            resource_type: "Bundle",
            identifier: json!({"system": "urn:ietf:rfc:3986",
                "value": format!("urn:uuid:{}", self.new_uuid())}),
            r#type: "document",
            timestamp: now.to_string(),
            entry: std::iter::once(first)
                .chain(document.entries)
                .chain([last])
                .collect(),
        };
        let json = serde_json::to_string(&bundle);
        let json = json.map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        Ok((json, document.counts))
    }

    /// Puts the person into the document, as each source has them; the first of these is its subject.
    async fn subject_of(&self, of: &ChartOf, document: &mut Document) -> Result<String> {
        let mut patients = Vec::new();
        for connection_id in self.connections_of(of).await? {
            let row = self.connection_row(&connection_id).await?;
            document.bases.insert(connection_id.clone(), row.fhir_base);
            let id = match row.patient_id {
                Some(id) => Some(id),
                None => self.only_patient(&connection_id).await?,
            };
            patients.extend(id.map(|id| (connection_id, id)));
        }
        let mut subject = None;
        for (connection_id, id) in patients {
            let key = RecordKey {
                connection_id,
                resource_type: "Patient".to_owned(),
                id,
            };
            let url = self.put(document, &key, 0).await?;
            subject = subject.or(url);
        }
        let reason = "a summary is of one person, and this source does not say of whom it is";
        subject.ok_or_else(|| Problem::with_detail(ProblemCode::ExportFailed, reason))
    }

    /// The patient of files that were imported, where they are of one.
    async fn only_patient(&self, connection_id: &str) -> Result<Option<String>> {
        let filter = RecordFilter {
            connection_id: Some(connection_id.to_owned()),
            resource_type: Some("Patient".to_owned()),
            ..RecordFilter::default()
        };
        let mut page = self.inner.store.records_list(&filter, 0, 1).await?;
        Ok(page
            .rows
            .pop()
            .filter(|_| page.total == 1)
            .map(|row| row.id))
    }

    /// Puts a record into the document, once; gives its address there. What is no JSON stays out.
    async fn put(
        &self,
        document: &mut Document,
        key: &RecordKey,
        depth: u8,
    ) -> Result<Option<String>> {
        let Some(base) = document.bases.get(&key.connection_id) else {
            return Ok(None);
        };
        let source = address_of(base, &key.connection_id);
        let url = format!("{source}/{}/{}", key.resource_type, key.id);
        if document.known.contains(&url) {
            return Ok(Some(url));
        }
        let store = &self.inner.store;
        let stored = store
            .record_get(&key.connection_id, &key.resource_type, &key.id)
            .await?;
        let Some(resource) = stored.and_then(|(_, json)| RawValue::from_string(json).ok()) else {
            return Ok(None);
        };
        if depth < DEPTH {
            let references = summary::of(&key.resource_type, resource.get()).references;
            let targets = references
                .iter()
                .filter_map(|reference| local_target(reference, base))
                .filter(|(kind, _)| FOLLOWED.contains(&kind.as_str()));
            let keys = targets.map(|(resource_type, id)| RecordKey {
                connection_id: key.connection_id.clone(),
                resource_type,
                id,
            });
            document.to_follow.extend(keys.map(|key| (key, depth + 1)));
        }
        document.known.insert(url.clone());
        *document
            .counts
            .entry(key.resource_type.clone())
            .or_default() += 1;
        document.entries.push(Entry {
            full_url: url.clone(),
            resource,
        });
        Ok(Some(url))
    }

    async fn follow(&self, document: &mut Document) -> Result<()> {
        while let Some((key, depth)) = document.to_follow.pop() {
            self.put(document, &key, depth).await?;
        }
        Ok(())
    }

    fn new_uuid(&self) -> uuid::Uuid {
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Below which address the records of a source stand: its own. What was imported has none; there it is one
/// that leads nowhere (RFC 2606), so that references within the document still find each other.
fn address_of(base: &str, connection_id: &str) -> String {
    if base.starts_with("http") {
        return base.trim_end_matches('/').to_owned();
    }
    format!("https://{connection_id}.invalid")
}

fn section_of(code: &str, title: &str, rows: &[(RecordSummaryView, String)]) -> Value {
    let mut section = json!({
        "title": title,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "text": {"status": "generated", "div": narrative(rows)},
    });
    if rows.is_empty() {
        // That nothing is known is not that there is nothing.
        section["emptyReason"] = json!({"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": "unavailable", "display": "Unavailable"}]});
    } else {
        let entries = rows.iter().map(|(_, url)| json!({"reference": url}));
        section["entry"] = entries.collect();
    }
    section
}

fn narrative(rows: &[(RecordSummaryView, String)]) -> String {
    let mut div = "<div xmlns=\"http://www.w3.org/1999/xhtml\">".to_owned();
    if rows.is_empty() {
        div.push_str("<p>No records are known.</p>");
    } else {
        div.push_str("<ul>");
        for (row, _) in rows {
            let date = row.date.as_ref().map(|date| date.value.as_str());
            let parts = [Some(row.title.as_str()), row.value.as_deref(), date];
            let said: Vec<&str> = parts.into_iter().flatten().collect();
            div.push_str("<li>");
            div.push_str(&quick_xml::escape::escape(said.join(", ")));
            div.push_str("</li>");
        }
        div.push_str("</ul>");
    }
    div.push_str("</div>");
    div
}

fn raw(value: &Value) -> Result<Box<RawValue>> {
    to_raw_value(value).map_err(|error| Problem::with_detail(ProblemCode::Internal, error))
}
