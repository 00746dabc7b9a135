//! For whom this installation's assertions are, server by server (checklist D9): the token endpoint, as
//! SMART wants it, unless the person or an administrator says that this server follows rfc7523bis.

use crate::engine::Engine;
use crate::problem::Result;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_store::ClientRow;

/// The audience of a client assertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The token endpoint (SMART App Launch 2.2).
    #[default]
    TokenEndpoint,
    /// The issuer (rfc7523bis).
    Issuer,
}

fn setting_name(fhir_base: &str) -> String {
    format!("assertion_audience {fhir_base}")
}

impl Engine {
    /// Sets for whom assertions to one server are, from its next request on.
    ///
    /// # Errors
    /// `server.*` when the address is none; `store.*`.
    pub async fn set_assertion_audience(
        &self,
        base: &str,
        audience: AssertionAudience,
    ) -> Result<()> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let word = match audience {
            AssertionAudience::TokenEndpoint => "token_endpoint",
            AssertionAudience::Issuer => "issuer",
        };
        let name = setting_name(base.as_str());
        Ok(self.inner.store.setting_set(&name, word).await?)
    }

    pub(crate) async fn authentication_at(
        &self,
        client: &ClientRow,
        configuration: &SmartConfiguration,
    ) -> Result<ClientAuthentication> {
        self.authentication_for(client, configuration.issuer.as_deref())
            .await
    }

    /// How this installation proves itself, to the audience that is set for the server.
    pub(crate) async fn authentication_for(
        &self,
        client: &ClientRow,
        issuer: Option<&str>,
    ) -> Result<ClientAuthentication> {
        let authentication = self.client_authentication(client).await?;
        let name = setting_name(&client.fhir_base);
        let set = self.inner.store.setting_get(&name).await?;
        Ok(match (authentication, issuer) {
            (ClientAuthentication::PrivateKeyJwt(key), Some(issuer))
                if set.as_deref() == Some("issuer") =>
            {
                ClientAuthentication::PrivateKeyJwtForIssuer {
                    key,
                    issuer: issuer.to_owned(),
                }
            }
            (authentication, _) => authentication,
        })
    }
}
