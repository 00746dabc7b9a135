//! Ending access at the server when a connection is removed (RFC 7009), also when it cannot be reached
//! just now (checklist D38): then the tokens wait in the keychain, and nowhere else, until it can; the
//! connection with its records is gone from this computer at once.

use crate::access_log::LogEntry;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{AccessAct, Role};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::secret::Secret;
use satchel_smart::token::{TokenError, revoke_token};
use satchel_store::{ClientRow, TokenRow};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const QUEUE: &str = "revocations";
/// Windows' keychain takes 2,560 bytes.
const LONGEST_TOKEN: usize = 2_500;

/// A token that waits to be revoked. The token itself is in the keychain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Queued {
    /// Name of its keychain entry.
    name: String,
    /// `refresh_token` or `access_token`.
    hint: String,
    fhir_base: String,
    role: String,
    /// When it ends by itself, so that nothing waits for ever.
    until: String,
}

impl Engine {
    /// Ends a connection's access at its server, or queues that. Gives whether it was done.
    pub(crate) async fn end_access(&self, connection_id: &str) -> Result<bool> {
        let row = self.connection_row(connection_id).await?;
        let Some(tokens) = self.inner.store.tokens_get(connection_id).await? else {
            return Ok(true);
        };
        let registered = self
            .inner
            .store
            .registration_get(&row.fhir_base, &row.role)
            .await?;
        let Some(client) = registered else {
            return Ok(true);
        };
        let done = self.revoke_all(&client, &both(&tokens)).await;
        if !matches!(done, Ok(false)) {
            let entry = LogEntry::at(&row, AccessAct::Revoked).ended(&done);
            self.log_access(entry).await;
        }
        match done {
            Ok(_) => Ok(true),
            Err(problem) if problem.code.can_retry() => {
                tracing::info!(
                    code = problem.code.code(),
                    "access could not be revoked now; it is done later"
                );
                self.queue(connection_id, &client, &tokens).await?;
                Ok(false)
            }
            Err(problem) => {
                tracing::info!(
                    code = problem.code.code(),
                    "the server does not revoke; access ends when its tokens lapse"
                );
                Ok(true)
            }
        }
    }

    /// Gives whether a token was revoked: not every server has a place for it.
    async fn revoke_all(&self, client: &ClientRow, tokens: &[(String, &str)]) -> Result<bool> {
        let base = FhirBaseUrl::parse(&client.fhir_base, &self.inner.policy)?;
        let configuration = self.discover_lately(&base).await?;
        let mut any = false;
        for (token, hint) in tokens {
            any |= self.revoke_one(client, &configuration, token, hint).await?;
        }
        Ok(any)
    }

    async fn revoke_one(
        &self,
        client: &ClientRow,
        configuration: &SmartConfiguration,
        token: &str,
        hint: &str,
    ) -> Result<bool> {
        let Some(endpoint) = &configuration.revocation_endpoint else {
            return Ok(false);
        };
        let authentication = self.authentication_at(client, configuration).await?;
        let answer = revoke_token(
            &self.inner.http,
            endpoint,
            &configuration.token_endpoint,
            &client.client_id,
            &authentication,
            &Secret::new(token.to_owned()),
            hint,
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await;
        match answer {
            // A server that refuses to, such as `unsupported_token_type`, will refuse tomorrow as
            // well: the other token is tried, and this one ends by itself (RFC 7009 §2.2.1).
            Err(error @ TokenError::OAuth { .. }) => {
                tracing::info!(%error, hint, "a token cannot be revoked");
                Ok(false)
            }
            other => {
                other?;
                Ok(true)
            }
        }
    }

    async fn queue(
        &self,
        connection_id: &str,
        client: &ClientRow,
        tokens: &TokenRow,
    ) -> Result<()> {
        let mut queue = self.queued().await?;
        for (token, hint) in both(tokens) {
            // One that the keychain does not take ends by itself.
            if token.len() > LONGEST_TOKEN {
                continue;
            }
            let name = format!("revoke/{connection_id}/{hint}");
            self.inner
                .keychain
                .set(&name, Zeroizing::new(token.into_bytes()))
                .await?;
            let until = match hint {
                "access_token" => tokens.expires_at.clone(),
                _ => self.in_a_year(),
            };
            queue.push(Queued {
                name,
                hint: hint.to_owned(),
                fhir_base: client.fhir_base.clone(),
                role: client.role.clone(),
                until,
            });
        }
        self.keep_queue(&queue).await
    }

    fn in_a_year(&self) -> String {
        let now = self.now();
        now.checked_add(jiff::SignedDuration::from_hours(24 * 366))
            .unwrap_or(now)
            .to_string()
    }

    async fn queued(&self) -> Result<Vec<Queued>> {
        let stored = self.inner.store.setting_get(QUEUE).await?;
        Ok(stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }

    async fn keep_queue(&self, queue: &[Queued]) -> Result<()> {
        let json = serde_json::to_string(queue)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        Ok(self.inner.store.setting_set(QUEUE, &json).await?)
    }

    /// Whether something waits to be revoked with this registration, which is kept for that long.
    pub(crate) async fn revocations_wait(&self, fhir_base: &str, role: &str) -> Result<bool> {
        let queue = self.queued().await?;
        Ok(queue
            .iter()
            .any(|one| one.fhir_base == fhir_base && one.role == role))
    }

    /// Tries again to end the accesses whose server could not be reached when they were removed.
    /// Gives how many still wait. Call it when the network is back, and now and then.
    ///
    /// # Errors
    /// `keychain.*`, `store.*`; a server that cannot be reached is no error.
    pub async fn revocations_retry(&self) -> Result<usize> {
        let one_at_a_time = self.inner.registering.lock().await;
        let queue = self.queued().await?;
        let mut waiting = Vec::new();
        let mut servers = Vec::new();
        for one in queue {
            let work = self.try_queued(&one);
            if self.traced(TraceKind::Revocation, problem_of, work).await? {
                self.inner.keychain.delete(&one.name).await?;
                servers.push((one.fhir_base, one.role));
            } else {
                waiting.push(one);
            }
        }
        self.keep_queue(&waiting).await?;
        // Forgetting a registration takes the same lock.
        drop(one_at_a_time);
        servers.dedup();
        for (fhir_base, role) in servers {
            self.forget_unused_registration(&fhir_base, &role, "")
                .await?;
        }
        Ok(waiting.len())
    }

    /// Nothing waits any longer: the tokens that could not be revoked lapse by themselves.
    pub(crate) async fn forget_queued(&self) -> Result<()> {
        for one in self.queued().await? {
            self.inner.keychain.delete(&one.name).await?;
        }
        self.keep_queue(&[]).await
    }

    /// Whether nothing is left to do about a queued token.
    async fn try_queued(&self, one: &Queued) -> Result<bool> {
        let ended = one
            .until
            .parse::<jiff::Timestamp>()
            .is_ok_and(|end| end <= self.now());
        let token = self.inner.keychain.get(&one.name).await?;
        let client = self
            .inner
            .store
            .registration_get(&one.fhir_base, &one.role)
            .await?;
        let (Some(token), Some(client), false) = (token, client, ended) else {
            return Ok(true);
        };
        let token = String::from_utf8_lossy(&token).into_owned();
        match self.revoke_all(&client, &[(token, &one.hint)]).await {
            Ok(revoked) => {
                if revoked {
                    self.log_access_at(&one.fhir_base, AccessAct::Revoked).await;
                }
                Ok(true)
            }
            Err(problem) => Ok(!problem.code.can_retry()),
        }
    }

    /// A registration that no connection but `leaving` uses and nothing waits for is deleted, here and there.
    pub(crate) async fn forget_unused_registration(
        &self,
        fhir_base: &str,
        role: &str,
        leaving: &str,
    ) -> Result<()> {
        let connections = self.inner.store.connections_list().await?;
        let used = connections
            .iter()
            .any(|row| row.id != leaving && row.fhir_base == fhir_base && row.role == role);
        if used || self.revocations_wait(fhir_base, role).await? {
            return Ok(());
        }
        self.forget_registration(fhir_base, Role::parse(role)).await
    }
}

/// The refresh token first: with it the whole grant usually goes.
fn both(tokens: &TokenRow) -> Vec<(String, &'static str)> {
    let refresh = tokens
        .refresh_token
        .as_ref()
        .map(|token| (token.to_string(), "refresh_token"));
    let access = Some((tokens.access_token.to_string(), "access_token"));
    refresh.into_iter().chain(access).collect()
}
