//! The records of an export, and its files, put together chart by chart.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use futures::stream;
use serde_json::{Value, json};

use super::bulk_errors::{self, Note};
use super::bulk_request::Wanted;
use super::habits;
use super::seen::Viewer;
use crate::auth::scopes::Access;
use crate::data::{ChartNumber, Data, Stored};
use crate::state::App;

/// How many charts are made ahead of what is sent.
const AHEAD: usize = 4;

/// Which records an export has.
pub(super) struct Selection {
    pub(super) viewer: Viewer,
    pub(super) whose: Whose,
    pub(super) wanted: Wanted,
}

/// Whose records.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    Everything,
    Patients,
}

/// Whether the token may read every record of a type.
pub(super) fn exports(viewer: &Viewer, kind: &str) -> bool {
    let reach = viewer.access(kind, 'r').unwrap_or_default();
    reach.iter().any(|one| one.access == Access::All)
}

impl Selection {
    /// The charts in which something of it may be.
    pub(super) fn charts(&self, data: &Data) -> Vec<ChartNumber> {
        if self.wanted.patients.is_empty() {
            return (0..data.charts()).collect();
        }
        let keys = self
            .wanted
            .patients
            .iter()
            .map(|id| format!("Patient/{id}"));
        let own = keys
            .filter_map(|key| data.place(&key))
            .map(|place| place.chart);
        own.chain([0])
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Its records of a type in one chart.
    pub(super) fn find(&self, data: &Data, chart: ChartNumber, kind: &str) -> Vec<Arc<Stored>> {
        let reach = self.viewer.access(kind, 'r').unwrap_or_default();
        let wanted = &self.wanted;
        let fits = |resource: &Arc<Stored>| {
            let owners = &resource.fields.patients;
            let whose = match self.whose {
                Whose::Everything => true,
                Whose::Patients => !owners.is_empty(),
            };
            let asked = wanted.patients.is_empty()
                || owners.iter().any(|owner| wanted.patients.contains(owner));
            let kinds = wanted.by_kind.get(kind).is_none_or(|lists| {
                lists
                    .iter()
                    .any(|list| list.iter().all(|filter| filter.accepts(resource)))
            });
            whose
                && asked
                && kinds
                && self.viewer.sees(&reach, resource)
                && wanted.always.iter().all(|filter| filter.accepts(resource))
        };
        let places = data.in_chart(chart, kind).into_iter();
        places
            .filter_map(|place| data.at(place))
            .filter(fits)
            .collect()
    }

    /// What was deleted from one chart since the asker last looked, as a transaction that says so (Bulk
    /// Data, "Complete Status").
    pub(super) fn deleted(&self, data: &Data, chart: ChartNumber) -> Option<String> {
        let since = self.wanted.since?;
        let kinds = &self.wanted.kinds;
        let meant = |key: &str| {
            let kind = key.split('/').next().unwrap_or_default();
            exports(&self.viewer, kind) && (kinds.is_empty() || kinds.iter().any(|one| one == kind))
        };
        let entries: Vec<Value> = data
            .deleted(chart)
            .into_iter()
            .filter(|(key, at)| *at >= since && meant(key))
            .map(|(key, _)| json!({"request": {"method": "DELETE", "url": key}}))
            .collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        (!entries.is_empty()).then(|| bundle.to_string())
    }

    /// The lines of a file that one chart gives.
    fn lines(&self, app: &App, chart: ChartNumber, file: &File) -> Bytes {
        let data = &app.data;
        let mut text = String::new();
        match file {
            File::Errors(notes) => text.push_str(&bulk_errors::file(notes)),
            File::Deleted => text.extend(self.deleted(data, chart).map(|line| line + "\n")),
            File::Of(kind) => {
                for resource in self.find(data, chart, kind) {
                    text.push_str(&one_line(&habits::told(app, &resource)));
                    text.push('\n');
                }
            }
        }
        Bytes::from(text)
    }
}

/// A file of an export.
pub(super) enum File {
    Of(String),
    Deleted,
    Errors(Vec<Note>),
}

/// The file, chart by chart; the next charts are made while one is sent, and none when nobody reads on.
pub(super) fn streamed(
    app: App,
    selection: Arc<Selection>,
    file: File,
) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        for chart in selection.charts(&app.data) {
            let lines = selection.lines(&app, chart, &file);
            if !lines.is_empty() && sender.blocking_send(lines).is_err() {
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        let lines = receiver.recv().await?;
        Some((Ok(lines), receiver))
    })
}

/// A resource that was loaded from a file may be spread over lines.
fn one_line(json: &str) -> String {
    if !json.contains(['\n', '\r']) {
        return json.to_owned();
    }
    // Line breaks stand between the parts of JSON only; inside text they are escaped.
    json.replace(['\n', '\r'], " ")
}
