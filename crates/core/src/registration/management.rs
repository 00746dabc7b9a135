//! Looking after a registration at the server (RFC 7592), and showing what the server holds.

use super::credential::algorithm;
use super::step;
use crate::connection::{AccessLostReason, ConnectionState};
use crate::engine::Engine;
use crate::login::state_of;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{ProblemView, RegistrationView, Role};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::registration::{
    ClientInformation, RegistrationError, read_registration, update_registration,
};
use satchel_smart::secret::Secret;
use satchel_store::{ClientRow, ConnectionRow};
use url::Url;
use zeroize::Zeroizing;

/// The status under which a registration is noted that the server no longer knows.
const GONE: u16 = 401;

impl Engine {
    /// What the server holds about this app, asked anew where the server lets us; else as it was when
    /// the registration was made.
    ///
    /// # Errors
    /// `record.not_found` when there is no such connection or no registration;
    /// `access.registration_gone` when the server no longer knows it; `network.*`, `keychain.*`,
    /// `store.*`.
    pub async fn registration_read(&self, connection_id: &str) -> Result<RegistrationView> {
        let work = self.read_registration_of(connection_id);
        self.traced(TraceKind::Registration, problem_of, work).await
    }

    async fn read_registration_of(&self, connection_id: &str) -> Result<RegistrationView> {
        let connection = self.connection_row(connection_id).await?;
        let _alone = self.alone().await?;
        let row = self.registration_of(&connection).await?;
        let (row, read_from_server) = match self.read_at_server(row.clone()).await {
            Ok(row) => (row, true),
            Err(problem) if problem.code == ProblemCode::RegistrationUnmanaged => {
                (self.registration_of(&connection).await?, false)
            }
            Err(problem) => return Err(problem),
        };
        self.registration_view(&connection, &row, read_from_server)
            .await
    }

    /// What the person should know about a registration, from what is stored here; nobody is asked.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn registration_notes(&self, connection_id: &str) -> Result<Vec<ProblemView>> {
        let connection = self.connection_row(connection_id).await?;
        let row = self.registration_of(&connection).await?;
        let view = self.registration_view(&connection, &row, false).await?;
        Ok(view.notes)
    }

    pub(super) async fn registration_of(&self, connection: &ConnectionRow) -> Result<ClientRow> {
        self.inner
            .store
            .registration_get(&connection.fhir_base, &connection.role)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    async fn registration_view(
        &self,
        connection: &ConnectionRow,
        row: &ClientRow,
        read_from_server: bool,
    ) -> Result<RegistrationView> {
        let held = row.registered.as_deref();
        let information = ClientInformation {
            registered: held
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
            ..ClientInformation::default()
        };
        let installation = self.inner.store.installation_get(&connection.id).await?;
        let text = |name: &str| {
            let value = information.registered.get(name);
            value.and_then(|value| value.as_str()).map(str::to_owned)
        };
        let list = |name: &str| -> Vec<String> {
            let values = information.registered.get(name).and_then(|v| v.as_array());
            let values = values.into_iter().flatten().filter_map(|v| v.as_str());
            values.map(str::to_owned).collect()
        };
        let mut notes = notes_of(row, &list("grant_types"));
        let loose = self.inner.store.loose_list().await?;
        if loose
            .iter()
            .any(|one| one.fhir_base == row.fhir_base && one.state == "left")
        {
            notes.push(ProblemCode::RegistrationLeft);
        }
        let problem = installation
            .as_ref()
            .and_then(|i| i.problem_code.as_deref());
        notes.extend(ProblemCode::ALL.iter().find(|c| Some(c.code()) == problem));
        Ok(RegistrationView {
            server_name: connection.server_name.clone(),
            client_id: row.client_id.clone(),
            agreed_by_hand: row.is_static,
            token_endpoint_auth_method: row.auth_method.clone(),
            signing_algorithm: row.key_alg.clone(),
            key_ids: information.key_ids(),
            client_name: text("client_name"),
            software_version: text("software_version"),
            redirect_uris: row.redirect_uris.clone(),
            grant_types: list("grant_types"),
            scope: text("scope"),
            created_at: row.created_at.clone(),
            secret_expires_at: row
                .secret_expires_at
                .filter(|at| *at != 0)
                .and_then(|at| jiff::Timestamp::from_second(at).ok())
                .map(|at| at.to_string()),
            read_from_server,
            installation_client_id: installation.and_then(|i| i.client_id),
            notes: notes
                .into_iter()
                .map(|code| Problem::new(code).view())
                .collect(),
            held: held.unwrap_or("{}").to_owned(),
        })
    }

    /// What is known of a registration that the server lets us manage.
    pub(super) async fn known(&self, row: &ClientRow) -> Result<ClientInformation> {
        let unmanaged = || Problem::new(ProblemCode::RegistrationUnmanaged);
        let name = row.key_name.as_deref().ok_or_else(unmanaged)?;
        let (uri, token) = self
            .management(name, row.registration_client_uri.as_deref())
            .await?
            .ok_or_else(unmanaged)?;
        let client_secret = if row.auth_method.starts_with("client_secret") {
            let secret = self.inner.keychain.get(name).await?;
            let text = secret.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
            text.map(Secret::new)
        } else {
            None
        };
        let registered = row.registered.as_deref();
        Ok(ClientInformation {
            client_id: row.client_id.clone(),
            client_secret,
            client_secret_expires_at: row.secret_expires_at,
            token_endpoint_auth_method: row.auth_method.clone(),
            redirect_uris: row.redirect_uris.clone(),
            registration_client_uri: Some(uri),
            registration_access_token: Some(token),
            registered: registered
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
            ..ClientInformation::default()
        })
    }

    /// Reads the registration at the server (RFC 7592 §2.1), and keeps what is new in it.
    pub(super) async fn read_at_server(&self, row: ClientRow) -> Result<ClientRow> {
        let known = self.known(&row).await?;
        self.refuse_managing_where_it_moved(&row).await?;
        let answer = read_registration(&self.inner.http, &known).await;
        self.keep_answer(row, answer).await
    }

    /// Replaces the registration at the server (RFC 7592 §2.2), with `keys` in place of its `jwks` when
    /// given, and keeps what is new in the answer.
    pub(super) async fn update_at_server(
        &self,
        row: ClientRow,
        keys: Option<Vec<serde_json::Value>>,
    ) -> Result<ClientRow> {
        let mut wanted = self.known(&row).await?;
        self.refuse_managing_where_it_moved(&row).await?;
        if let Some(keys) = keys {
            let jwks = serde_json::json!({ "keys": keys });
            wanted.registered.insert("jwks".to_owned(), jwks);
        }
        let answer = update_registration(&self.inner.http, &wanted).await;
        step("registration.updated");
        self.keep_answer(row, answer).await
    }

    /// A server whose sign-in moved gets no registration token by itself either (checklist A23). One that
    /// does not say where its sign-in is cannot have said that it moved.
    async fn refuse_managing_where_it_moved(&self, row: &ClientRow) -> Result<()> {
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        match self.discover_lately(&base).await {
            Err(problem) if problem.code == ProblemCode::ServerMoved => Err(problem),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// A new secret and a new registration access token replace the old ones at once (checklist B26):
    /// keychain, then row. A refusal is noted (B30).
    async fn keep_answer(
        &self,
        mut row: ClientRow,
        answer: std::result::Result<ClientInformation, RegistrationError>,
    ) -> Result<ClientRow> {
        let now = match answer {
            Ok(now) => now,
            Err(error) => {
                row.unmanaged = match error {
                    RegistrationError::Gone => Some(GONE),
                    RegistrationError::NotOffered { status } => Some(status),
                    _ => return Err(error.into()),
                };
                self.inner.store.registration_put(&row).await?;
                return Err(match error {
                    RegistrationError::NotOffered { status } => Problem::with_detail(
                        ProblemCode::RegistrationUnmanaged,
                        format!("HTTP status {status}"),
                    ),
                    other => other.into(),
                });
            }
        };
        let name = row.key_name.clone().unwrap_or_default();
        self.put_management(&name, &now).await?;
        if let Some(secret) = &now.client_secret
            && row.auth_method.starts_with("client_secret")
        {
            let bytes = Zeroizing::new(secret.expose().as_bytes().to_vec());
            self.inner.keychain.set(&name, bytes).await?;
            if row.secret_expires_at != now.client_secret_expires_at {
                row.secret_since = Some(self.now().to_string());
            }
            row.secret_expires_at = now.client_secret_expires_at;
        }
        row.registration_client_uri = now.registration_client_uri.as_ref().map(Url::to_string);
        row.redirect_uris.clone_from(&now.redirect_uris);
        row.registered = serde_json::to_string(&now.registered).ok();
        row.unmanaged = None;
        self.inner.store.registration_put(&row).await?;
        Ok(row)
    }

    /// Before the person signs in again: a registration that the server no longer knows is forgotten, so
    /// that one new one is made (checklist B34). One that was agreed on by hand stays; it is all there is.
    pub(crate) async fn forget_if_gone(&self, connection: &ConnectionRow) -> Result<()> {
        let Ok(row) = self.registration_of(connection).await else {
            return Ok(());
        };
        let lost = ConnectionState::AccessLost {
            reason: AccessLostReason::RegistrationGone,
        };
        let gone = state_of(connection) == lost || row.unmanaged == Some(GONE);
        if gone && !row.is_static {
            let role = Role::parse(&connection.role);
            self.forget_registration(&connection.fhir_base, role)
                .await?;
            // Nothing of it is left at the server, so nothing is to be deleted there.
            if let Some(name) = &row.key_name {
                self.forget_management(name).await?;
                self.inner.store.loose_delete(name).await?;
            }
        }
        Ok(())
    }

    /// The public keys with which this profile's registrations prove themselves, as a JWK Set (RFC 7517)
    /// for an organisation to host at its `jwks_uri` (checklist E7).
    ///
    /// # Errors
    /// `keychain.*`, `store.*`.
    pub async fn public_keys(&self) -> Result<String> {
        let mut keys = Vec::new();
        for row in self.inner.store.registrations_list().await? {
            if row.auth_method == "private_key_jwt" && row.key_name.is_some() {
                keys.push(self.key_of(&row).await?.public_jwk());
            }
        }
        Ok(serde_json::json!({ "keys": keys }).to_string())
    }

    /// The signing key of a registration.
    pub(super) async fn key_of(&self, row: &ClientRow) -> Result<satchel_smart::keys::SigningKey> {
        let name = row.key_name.as_deref().unwrap_or_default();
        self.stored_key(name, algorithm(row.key_alg.as_deref()))
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))
    }
}

/// What the person should know about a registration.
fn notes_of(row: &ClientRow, grant_types: &[String]) -> Vec<ProblemCode> {
    let mut notes = Vec::new();
    let by_person = grant_types
        .iter()
        .any(|grant| grant == "authorization_code");
    if by_person && !grant_types.iter().any(|grant| grant == "refresh_token") {
        notes.push(ProblemCode::RegistrationNoRefresh);
    }
    if row.auth_method.starts_with("client_secret")
        && !row.is_static
        && row.secret_expires_at.is_none()
    {
        notes.push(ProblemCode::RegistrationSecretEnd);
    }
    let managed = row.registration_client_uri.is_some() && row.unmanaged.is_none();
    if !managed && !row.is_static {
        notes.push(ProblemCode::RegistrationUnmanaged);
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ClientRow {
        ClientRow {
            auth_method: "client_secret_basic".to_owned(),
            registration_client_uri: Some("https://ehr.example/register/1".to_owned()),
            secret_expires_at: Some(0),
            ..ClientRow::default()
        }
    }

    #[test]
    fn b20_b21_b30_what_a_registration_lacks_is_said() {
        let all = ["authorization_code".to_owned(), "refresh_token".to_owned()];
        assert_eq!(notes_of(&row(), &all), []);
        assert_eq!(
            notes_of(&row(), &all[..1]),
            [ProblemCode::RegistrationNoRefresh]
        );
        let unknown_end = ClientRow {
            secret_expires_at: None,
            ..row()
        };
        assert_eq!(
            notes_of(&unknown_end, &all),
            [ProblemCode::RegistrationSecretEnd]
        );
        for unmanaged in [
            ClientRow {
                unmanaged: Some(403),
                ..row()
            },
            ClientRow {
                registration_client_uri: None,
                ..row()
            },
        ] {
            assert_eq!(
                notes_of(&unmanaged, &all),
                [ProblemCode::RegistrationUnmanaged]
            );
        }
    }
}
