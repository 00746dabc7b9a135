//! What is known of an access beside its tokens: what was asked for, who signed in, how long it lasts
//! and how it is renewed; and what of that people see.

use crate::connection::ConnectionState;
use crate::digest;
use crate::engine::{Engine, lock};
use crate::login::state_of;
use crate::patient;
use crate::problem::{Problem, ProblemCode, Result};
use crate::sync::report::step_name;
use crate::trace::{TraceKind, problem_of};
use crate::view::{
    AccessAct, AccessCheckView, AccessView, Role, ScopeGrantView, ScopeView, SignedInAsView,
    SupersededTokenView,
};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::id_token::IdTokenClaims;
use satchel_smart::introspection::introspect_token;
use satchel_smart::launch_context::FhirUser;
use satchel_smart::scope::{Granted, Scopes};
use satchel_store::{ConnectionRow, TokenRow};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// SMART tells servers to let access tokens live for an hour at most; longer ones are marked.
const LONG_LIVED_SECONDS: i64 = 3_600;

/// Stored as JSON beside the connection. Holds no token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AccessRecord {
    /// The scopes that were asked for.
    pub(crate) asked: String,
    /// The choice behind them (`presets.json`).
    pub(crate) preset: Option<String>,
    /// When the access token came, seconds since 1970 by this machine's clock.
    pub(crate) obtained_at: i64,
    /// `iss` and `sub` of the verified id_token.
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    /// Name of who signed in, once it was read.
    pub(crate) user_name: Option<String>,
    /// Whether the server gives a new refresh token with each answer; unknown before the first.
    pub(crate) refresh_rotates: Option<bool>,
    /// How often the refresh token was sent without an answer that came back.
    pub(crate) refresh_unanswered: u32,
    /// Tokens that were replaced while they still lived, and could not be revoked (checklist E11).
    pub(crate) superseded: Vec<Superseded>,
}

/// A token that still lives at the server although it is used no more: its hash, never itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Superseded {
    pub(crate) sha256: String,
    pub(crate) expires_at: String,
}

impl AccessRecord {
    pub(crate) fn of(row: &ConnectionRow) -> Self {
        let stored = row.access.as_deref();
        stored
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }

    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))
    }

    /// The person of the sign-in, as its id_token said.
    pub(crate) fn person(&self) -> Option<IdTokenClaims> {
        Some(IdTokenClaims {
            issuer: self.issuer.clone()?,
            subject: self.subject.clone()?,
            fhir_user: None,
        })
    }

    /// Notes a token that is replaced while it still lives; forgets those that have ended.
    pub(crate) fn supersede(&mut self, old: &TokenRow, now: jiff::Timestamp) {
        let lives = |expires_at: &str| {
            expires_at
                .parse::<jiff::Timestamp>()
                .is_ok_and(|end| end > now)
        };
        self.superseded.retain(|one| lives(&one.expires_at));
        if lives(&old.expires_at) {
            self.superseded.push(Superseded {
                sha256: digest::hex(old.access_token.as_bytes()),
                expires_at: old.expires_at.clone(),
            });
        }
    }
}

/// The end of a token by a clock that nobody can turn, for the life of this process.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    token_sha256: String,
    until: Duration,
    /// When it came, if it came in place of one that was refused.
    replaced_at: Option<Duration>,
}

/// For so long a token that replaced a refused one is not replaced again.
const REPLACED: Duration = Duration::from_secs(60);

impl Engine {
    /// Remembers when a token that came just now ends, by the clock that nobody can turn.
    pub(crate) fn note_fresh(&self, connection_id: &str, tokens: &TokenRow) {
        let end: Option<jiff::Timestamp> = tokens.expires_at.parse().ok();
        let left = end.map_or(0, |end| end.as_second() - self.now().as_second());
        let fresh = Fresh {
            token_sha256: digest::hex(tokens.access_token.as_bytes()),
            until: self.inner.clock.elapsed()
                + Duration::from_secs(u64::try_from(left).unwrap_or_default()),
            replaced_at: None,
        };
        lock(&self.inner.fresh).insert(connection_id.to_owned(), fresh);
    }

    /// Remembers that the token of this connection came in place of one that was refused.
    pub(crate) fn note_replaced(&self, connection_id: &str) {
        if let Some(fresh) = lock(&self.inner.fresh).get_mut(connection_id) {
            fresh.replaced_at = Some(self.inner.clock.elapsed());
        }
    }

    /// A new piece of work may have a refused token replaced once more, however lately that was done.
    pub(crate) fn forget_replaced(&self, connection_id: &str) {
        if let Some(fresh) = lock(&self.inner.fresh).get_mut(connection_id) {
            fresh.replaced_at = None;
        }
    }

    /// Whether a token came a moment ago in place of one that was refused.
    pub(crate) fn was_replaced_just_now(&self, connection_id: &str, access_token: &str) -> bool {
        let elapsed = self.inner.clock.elapsed();
        lock(&self.inner.fresh)
            .get(connection_id)
            .is_some_and(|fresh| {
                let age = fresh.replaced_at.map(|at| elapsed.saturating_sub(at));
                age.is_some_and(|age| age < REPLACED)
                    && fresh.token_sha256 == digest::hex(access_token.as_bytes())
            })
    }

    /// Seconds that a token has left by the clock that nobody can turn; `None` for one that came in
    /// another process' life.
    pub(crate) fn monotonic_left(&self, connection_id: &str, access_token: &str) -> Option<i64> {
        let fresh = lock(&self.inner.fresh).get(connection_id).cloned()?;
        let elapsed = self.inner.clock.elapsed();
        (fresh.token_sha256 == digest::hex(access_token.as_bytes())).then(|| {
            let left = fresh.until.saturating_sub(elapsed);
            // A second that has begun is left, as for the wall clock.
            let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            i64::try_from(seconds).unwrap_or(i64::MAX)
        })
    }

    /// Asks the server whether a connection's access is still on: by introspection where that is
    /// offered. A token that is said to be off is then renewed, which tells why when that fails, and
    /// brings the connection into the state that is true.
    ///
    /// # Errors
    /// `access.*` when access has ended; `network.*` and others when the server could not be asked.
    pub async fn access_check(&self, connection_id: &str) -> Result<AccessCheckView> {
        let work = self.check_access(connection_id);
        let told = self.traced(TraceKind::Access, problem_of, work).await;
        let end = told.as_ref().map(drop).map_err(Problem::clone);
        self.log_access_of(connection_id, AccessAct::Checked, &end)
            .await;
        told
    }

    async fn check_access(&self, connection_id: &str) -> Result<AccessCheckView> {
        let token = self.access_token(connection_id).await?;
        let row = self.connection_row(connection_id).await?;
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let configuration = self.discover_lately(&base).await?;
        let client = self
            .inner
            .store
            .registration_get(&row.fhir_base, &row.role)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))?;
        let unknown = AccessCheckView {
            active: None,
            expires_at: None,
        };
        let Some(endpoint) = &configuration.introspection_endpoint else {
            return Ok(unknown);
        };
        let authentication = self.authentication_at(&client, &configuration).await?;
        let told = introspect_token(
            &self.inner.http,
            endpoint,
            &configuration.token_endpoint,
            &client.client_id,
            &authentication,
            &token,
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await;
        match told {
            Ok(told) if told.active => Ok(AccessCheckView {
                active: Some(true),
                expires_at: told.expires_at.map(|at| at.to_string()),
            }),
            Ok(_) => {
                self.replace_token(connection_id, &token).await?;
                Ok(AccessCheckView {
                    active: Some(true),
                    expires_at: None,
                })
            }
            // A refusal here is about the question, not about the token (checklist D36).
            Err(error) => {
                tracing::info!(%error, "the server does not say whether access is on");
                Ok(unknown)
            }
        }
    }

    /// Reads the name of who signed in, once, after a sync: from what is stored, else from the server
    /// (one read). `fhirUser` at another origin is not fetched: our token is not for that server
    /// (checklist D32). Failing is no problem worth a word: only the name is missing then.
    pub(crate) async fn learn_user(&self, connection_id: &str) {
        if let Err(problem) = self.try_learn_user(connection_id).await {
            tracing::info!(
                code = problem.code.code(),
                "who signed in could not be read"
            );
        }
    }

    async fn try_learn_user(&self, connection_id: &str) -> Result<()> {
        let row = self.connection_row(connection_id).await?;
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let user = row
            .fhir_user
            .as_deref()
            .and_then(|text| FhirUser::parse(text, &base))
            .filter(|user| user.at_this_server);
        let (Some(user), None) = (user, AccessRecord::of(&row).user_name) else {
            return Ok(());
        };
        let stored = self
            .inner
            .store
            .record_get(&row.id, &user.resource_type, &user.id)
            .await?;
        let json = match stored {
            Some((_, json)) => json,
            None => {
                let token = self.access_token(&row.id).await?;
                let fhir = self.fhir_at(&base, token.expose());
                let read = fhir.read(&user.resource_type, &user.id, &token).await?;
                read.json
            }
        };
        let Some(name) = patient::name_in(&json) else {
            return Ok(());
        };
        let mut access = AccessRecord::of(&self.connection_row(&row.id).await?);
        access.user_name = Some(name);
        self.inner
            .store
            .connection_access_set(&row.id, &access.to_json()?)
            .await?;
        Ok(())
    }
}

/// "You are X, viewing Y" (checklist D33).
pub(crate) fn signed_in_as(row: &ConnectionRow, patient: Option<&str>) -> Option<SignedInAsView> {
    let reference = row.fhir_user.as_deref()?;
    let mut parts = reference.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    // Relative, or absolute at this very server; elsewhere the same id is somebody else.
    let here = !reference.contains(':') || reference.starts_with(&format!("{}/", row.fhir_base));
    let is_patient = here && kind == "Patient" && row.patient_id.as_deref() == Some(id);
    let name = match AccessRecord::of(row).user_name {
        Some(name) => Some(name),
        None if is_patient => patient.map(str::to_owned),
        None => None,
    };
    Some(SignedInAsView {
        name,
        resource_type: kind.to_owned(),
        is_patient,
    })
}

/// What is shown of an access while it is there.
pub(crate) fn view_of(row: &ConnectionRow, tokens: &TokenRow) -> Option<AccessView> {
    if matches!(state_of(row), ConnectionState::AccessLost { .. }) {
        return None;
    }
    let record = AccessRecord::of(row);
    let (asked, granted) = (Scopes::parse(&record.asked), Scopes::parse(&tokens.scope));
    let mut scopes: Vec<ScopeView> = asked
        .iter()
        .map(|scope| ScopeView {
            scope: scope.as_str().to_owned(),
            granted: match granted.granted(scope) {
                // Epic gives a refresh token and leaves `offline_access` out of what it says that it
                // granted. The token decides: to believe the list would have the person sign in again
                // every hour, and to believe the token costs a refused refresh at worst.
                Granted::Nothing
                    if scope.as_str() == "offline_access" && tokens.refresh_token.is_some() =>
                {
                    ScopeGrantView::Whole
                }
                Granted::Whole => ScopeGrantView::Whole,
                Granted::Part => ScopeGrantView::Part,
                Granted::Nothing => ScopeGrantView::Nothing,
            },
        })
        .collect();
    let unasked = granted
        .iter()
        .filter(|scope| !asked.contains(scope.as_str()));
    scopes.extend(unasked.map(|scope| ScopeView {
        scope: scope.as_str().to_owned(),
        granted: ScopeGrantView::Given,
    }));
    let end: Option<jiff::Timestamp> = tokens.expires_at.parse().ok();
    let lifetime = end.map_or(0, |end| end.as_second() - record.obtained_at);
    Some(AccessView {
        obtained_at: jiff::Timestamp::from_second(record.obtained_at)
            .ok()
            .filter(|_| record.obtained_at > 0)
            .map(|at| at.to_string()),
        expires_at: tokens.expires_at.clone(),
        renewable: tokens.refresh_token.is_some() || row.role == Role::Backend.as_str(),
        long_lived: record.obtained_at > 0 && lifetime > LONG_LIVED_SECONDS,
        not_shared: not_shared(&asked, &granted),
        scopes,
        superseded: record
            .superseded
            .into_iter()
            .map(|one| SupersededTokenView {
                sha256: one.sha256,
                expires_at: one.expires_at,
            })
            .collect(),
    })
}

/// The kinds of record that were asked for and not given, in words.
fn not_shared(asked: &Scopes, granted: &Scopes) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for resource_type in crate::sync::kinds::patient_types() {
        let name = step_name(resource_type).to_owned();
        if asked.allows_read(resource_type)
            && !granted.allows_read(resource_type)
            && !words.contains(&name)
        {
            words.push(name);
        }
    }
    words
}
