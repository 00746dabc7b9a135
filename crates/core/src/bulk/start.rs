//! Asking for an export: what for, since when, and, of a group, in which parts.

use super::job::{Detail, Job, Part};
use super::options::{BulkOptions, BulkSince};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{BulkJobView, BulkReportView, Role};
use satchel_smart::bulk::{
    BulkClient, BulkError, ExportJob, ExportLevel, ExportOffers, ExportRequest, Instant, TokenRule,
};
use satchel_smart::fhir::client::FhirClient;
use satchel_smart::http::FhirBaseUrl;
use satchel_store::{BulkJobRow, ConnectionRow};

impl Engine {
    /// Asks the server for an export and writes it down; [`Engine::bulk_resume`] follows it.
    ///
    /// # Errors
    /// `bulk.not_offered`; `bulk.parameter_refused`, to which the answer may be the same request with
    /// [`BulkOptions::without`] or [`BulkOptions::lenient`]; `bulk.bad_request`, `sync.server_busy` when the
    /// server makes one already; `access.*`, `network.*`, `store.*`.
    pub async fn bulk_start(
        &self,
        connection_id: &str,
        options: &BulkOptions,
    ) -> Result<BulkJobView> {
        let work = self.ask_for_export(connection_id, options);
        self.traced(TraceKind::Bulk, problem_of, work).await
    }

    async fn ask_for_export(
        &self,
        connection_id: &str,
        options: &BulkOptions,
    ) -> Result<BulkJobView> {
        let connection = self.connection_row(connection_id).await?;
        let token = self.access_token(connection_id).await?;
        let base = FhirBaseUrl::parse(&connection.fhir_base, &self.inner.policy)?;
        let fhir = FhirClient::new(self.inner.http.clone(), base);
        let offers = ExportOffers::of(&fhir.capability(Some(&token)).await?);
        let patient = match Role::parse(&connection.role) {
            Role::Backend => None,
            Role::Patient | Role::Provider => connection.patient_id.as_deref(),
        };
        let request = options.request(offers, patient)?;
        let scope = serde_json::to_string(&request)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        let mut detail = self.planned(&connection, options, request, &scope).await?;
        let client = self.bulk_client(&connection)?;
        let started = self.kick_off(&client, &connection.id, &mut detail).await?;
        let now = self.now();
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let job = Job {
            row: BulkJobRow {
                id: id.to_string(),
                connection_id: connection.id,
                scope,
                state: "exporting".to_owned(),
                status_url: Some(started.status_url.expose().to_string()),
                created_at: now.to_string(),
                ..BulkJobRow::default()
            },
            detail,
        };
        self.inner.store.bulk_job_insert(&job.to_row(now)?).await?;
        self.job_view(&job.row.id).await
    }

    /// The parts in their order. `_since` is the `transactionTime` of the last export of the same scope
    /// that was done wholly (checklist F20).
    async fn planned(
        &self,
        connection: &ConnectionRow,
        options: &BulkOptions,
        mut main: ExportRequest,
        scope: &str,
    ) -> Result<Detail> {
        let since_allowed = !options.without.iter().any(|name| name == "_since");
        let store = &self.inner.store;
        let last = match options.since {
            BulkSince::Last if since_allowed => store.bulk_job_last(&connection.id, scope).await?,
            _ => None,
        };
        let last = last.map(Job::read).transpose()?;
        main.since = match (&options.since, &last) {
            (BulkSince::At(text), _) if since_allowed => Some(Instant::parse(text)?),
            (_, Some(last)) => last
                .row
                .transaction_time
                .as_deref()
                .map(Instant::parse)
                .transpose()?,
            _ => None,
        };
        let is_group = matches!(main.level, ExportLevel::Group(_));
        let mut parts = Vec::new();
        if is_group && main.since.is_some() && last.is_some() {
            let mut members = ExportRequest::new(main.level.clone());
            members.types = vec!["Patient".to_owned()];
            members.elements = vec!["id".to_owned()];
            members.repeat_lists = main.repeat_lists;
            parts.push((Part::Members, members));
        }
        parts.push((Part::Main, main));
        Ok(Detail {
            parts,
            part: 0,
            separate_status: false,
            token: TokenRule::NotSaid,
            organized: false,
            attachments: !options.no_attachments,
            progress: None,
            members_before: last.and_then(|last| last.detail.members),
            members: None,
            report: BulkReportView::default(),
            problem: None,
        })
    }

    pub(super) fn bulk_client(&self, connection: &ConnectionRow) -> Result<BulkClient> {
        let base = FhirBaseUrl::parse(&connection.fhir_base, &self.inner.policy)?;
        Ok(BulkClient::new(self.inner.http.clone(), base)?)
    }

    /// Asks for the part that is due.
    pub(super) async fn kick_off(
        &self,
        client: &BulkClient,
        connection_id: &str,
        detail: &mut Detail,
    ) -> Result<ExportJob> {
        let Some((part, request)) = detail.parts.get_mut(detail.part) else {
            return Err(Problem::with_detail(ProblemCode::Internal, "no such part"));
        };
        let mut token = self.access_token(connection_id).await?;
        let mut renewed = false;
        loop {
            match client.kick_off(request, &token).await {
                Ok(started) => {
                    detail.separate_status = started.separate_status;
                    return Ok(started);
                }
                Err(BulkError::Unauthorized) if !renewed => {
                    renewed = true;
                    token = self.replace_token(connection_id, &token).await?;
                }
                // Only to spare the server work, and our own idea: it can do without.
                Err(BulkError::ParameterRefused { .. })
                    if *part == Part::Members && !request.elements.is_empty() =>
                {
                    request.elements.clear();
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The server may throw the export away (checklist F23).
    pub(super) async fn tell_not_needed(&self, connection_id: &str, job: &ExportJob) -> Result<()> {
        let connection = self.connection_row(connection_id).await?;
        let client = self.bulk_client(&connection)?;
        let token = self.access_token(connection_id).await?;
        match client.delete(job, &token).await {
            Err(BulkError::Unauthorized) => {
                let token = self.replace_token(connection_id, &token).await?;
                Ok(client.delete(job, &token).await?)
            }
            done => Ok(done?),
        }
    }
}
