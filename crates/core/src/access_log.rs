//! The list of what was fetched from where, for the person (checklist H14): when, which server, which
//! kinds of records and how many; no name, no identifier, no value. It outlives a connection, until the
//! person clears it.

use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{AccessLogView, Role, SyncReportView, TypeCountView};
use satchel_store::{AccessLogRow, ConnectionRow};
use std::collections::BTreeMap;

/// What happened, in one word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happened {
    SignIn,
    Sync,
    Remove,
}

impl Happened {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Sync => "sync",
            Self::Remove => "remove",
        }
    }
}

impl Engine {
    /// The last entries of the list, newest first.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn access_log(&self, limit: u32) -> Result<Vec<AccessLogView>> {
        let rows = self.inner.store.access_log_get(limit).await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// Forgets the list.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn access_log_clear(&self) -> Result<()> {
        Ok(self.inner.store.access_log_clear().await?)
    }

    pub(crate) async fn log_access(
        &self,
        connection: &ConnectionRow,
        what: Happened,
        report: Option<&SyncReportView>,
    ) -> Result<()> {
        let mut types: BTreeMap<&str, u64> = BTreeMap::new();
        // A sync that did not get as far as asking shows what was known before.
        let asked = report.filter(|report| report.problem.is_none() || report.changes() > 0);
        for step in asked.iter().flat_map(|report| &report.steps) {
            if step.records > 0 {
                *types.entry(&step.resource_type).or_default() += step.records;
            }
        }
        let records = types.values().sum::<u64>();
        let json = serde_json::to_string(&types)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        let entry = AccessLogRow {
            at: self.now().to_string(),
            fhir_base: connection.fhir_base.clone(),
            role: connection.role.clone(),
            what: what.as_str().to_owned(),
            types: json,
            records: i64::try_from(records).unwrap_or(i64::MAX),
            problem: report
                .and_then(|report| report.problem.as_ref())
                .map(|problem| problem.code.clone()),
        };
        Ok(self.inner.store.access_log_add(&entry).await?)
    }
}

fn view(row: AccessLogRow) -> AccessLogView {
    let types: BTreeMap<String, u64> = serde_json::from_str(&row.types).unwrap_or_default();
    AccessLogView {
        at: row.at,
        fhir_base: row.fhir_base,
        role: Role::parse(&row.role),
        what: row.what,
        types: types
            .into_iter()
            .map(|(resource_type, records)| TypeCountView {
                resource_type,
                records,
            })
            .collect(),
        records: u64::try_from(row.records).unwrap_or(0),
        problem: row.problem,
    }
}
