//! Clients that were agreed on by hand, for servers without registration (checklist A16): from the
//! profile of the server, or typed in by the person.

use super::method::{AuthMethod, choose_auth_method};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Role;
use satchel_store::ClientRow;
use zeroize::Zeroizing;

impl Engine {
    /// Takes the `client_id` that a server's operator gave out for this app, with or without a secret.
    /// The next login in this role uses it; the operator has to know the redirect URIs that
    /// [`AppIdentity::redirect_uris`](crate::AppIdentity::redirect_uris) gives for the server.
    ///
    /// # Errors
    /// `server.*` and `network.*` when the server's configuration cannot be read;
    /// `registration.unusable` for a `client_id` that is none, and for a backend service, which has a
    /// key; `keychain.*`, `store.*`.
    pub async fn registration_set_client(
        &self,
        base: &str,
        role: Role,
        client_id: &str,
        client_secret: Option<Zeroizing<String>>,
    ) -> Result<()> {
        let client_id = client_id.trim();
        // RFC 6749 Appendix A.1: visible characters and spaces.
        let visible = client_id.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if client_id.is_empty() || !visible || role == Role::Backend {
            return Err(Problem::with_detail(
                ProblemCode::RegistrationUnusable,
                "not a client_id that can be used",
            ));
        }
        let (base, configuration) = self.discover(base).await?;
        let _alone = self.alone().await?;
        let Some(secret) = client_secret else {
            return self
                .keep_static(base.as_str(), role, client_id)
                .await
                .map(drop);
        };
        // The first of the two that the server lists; basic is every server's duty (RFC 6749 §2.3.1).
        let method = match choose_auth_method(&configuration) {
            AuthMethod::ClientSecretPost => AuthMethod::ClientSecretPost,
            AuthMethod::PrivateKeyJwt(_) if lists_post_only(&configuration) => {
                AuthMethod::ClientSecretPost
            }
            _ => AuthMethod::ClientSecretBasic,
        };
        let name = self.new_credential_name(base.as_str(), role);
        let bytes = Zeroizing::new(secret.trim().as_bytes().to_vec());
        self.inner.keychain.set(&name, bytes).await?;
        let row = ClientRow {
            auth_method: method.as_str().to_owned(),
            key_name: Some(name),
            ..self.static_row(base.as_str(), role, client_id)
        };
        self.replace_registration(&row).await
    }

    /// Keeps a public client.
    pub(super) async fn keep_static(
        &self,
        fhir_base: &str,
        role: Role,
        client_id: &str,
    ) -> Result<ClientRow> {
        let row = self.static_row(fhir_base, role, client_id);
        self.replace_registration(&row).await?;
        Ok(row)
    }

    fn static_row(&self, fhir_base: &str, role: Role, client_id: &str) -> ClientRow {
        ClientRow {
            fhir_base: fhir_base.to_owned(),
            role: role.as_str().to_owned(),
            client_id: client_id.to_owned(),
            auth_method: AuthMethod::None.as_str().to_owned(),
            redirect_uris: self.inner.identity.redirect_uris(fhir_base),
            created_at: self.now().to_string(),
            is_static: true,
            ..ClientRow::default()
        }
    }
}

fn lists_post_only(configuration: &satchel_smart::discovery::SmartConfiguration) -> bool {
    let lists = |method: &str| {
        let methods = &configuration.token_endpoint_auth_methods;
        methods.iter().any(|listed| listed == method)
    };
    lists("client_secret_post") && !lists("client_secret_basic")
}
