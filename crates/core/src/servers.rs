//! Servers that are known by name. Vendors are data: `vendors/servers.json`, and whatever the
//! embedding program adds.
//!
//! How to add one: an entry in that file, with `fhirBase`, `name` and `description`. A server at which
//! the publisher has registered the app by hand gets a `client`; one whose installations register
//! themselves after the sign-in (Epic's two steps) says so in it:
//!
//! ```json
//! {
//!   "fhirBase": "https://ehr.example.org/api/FHIR/R4", "name": "Example Health", "description": "...",
//!   "client": {
//!     "clientId": "the client_id of the app, no secret",
//!     "installation": { "endpoint": "register", "algorithm": "RS384" }
//!   }
//! }
//! ```
//!
//! `endpoint` is relative to the authorization endpoint.

use crate::view::ServerView;
use serde::Deserialize;

/// A server that the Connect screen offers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownServer {
    /// FHIR base URL.
    pub fhir_base: String,
    /// Name to show.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// A server with synthetic people only.
    #[serde(default)]
    pub for_testing: bool,
    /// What was agreed on with this server beforehand; without it the installation registers itself.
    #[serde(default)]
    pub client: Option<ClientProfile>,
}

/// A client that the publisher registered by hand (checklist A16). It has no secret: what ships with
/// every copy of an app is none (RFC 8252 §8.5).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientProfile {
    /// `client_id`, the same for all installations.
    pub client_id: String,
    /// After the sign-in this installation registers a key of its own, and uses the JWT-bearer grant
    /// from then on (checklist B35 to B39).
    #[serde(default)]
    pub installation: Option<InstallationProfile>,
}

/// Where and how an installation registers its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstallationProfile {
    /// Relative to the authorization endpoint, such as `register`; without it the registration endpoint
    /// of the server's own configuration is used.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// `ES384` or `RS384`.
    pub algorithm: String,
}

impl From<&KnownServer> for ServerView {
    fn from(server: &KnownServer) -> Self {
        Self {
            fhir_base: server.fhir_base.clone(),
            name: server.name.clone(),
            description: server.description.clone(),
            for_testing: server.for_testing,
        }
    }
}

/// The servers that ship with Satchel.
#[must_use]
pub fn shipped_servers() -> Vec<KnownServer> {
    serde_json::from_str(include_str!("vendors/servers.json")).unwrap_or_default()
}

/// What was agreed on with the server at `fhir_base`.
pub(crate) fn client_of<'a>(
    servers: &'a [KnownServer],
    fhir_base: &str,
) -> Option<&'a ClientProfile> {
    let trimmed = fhir_base.trim_end_matches('/');
    let mut same = servers
        .iter()
        .filter(|server| server.fhir_base.trim_end_matches('/') == trimmed);
    same.find_map(|server| server.client.as_ref())
}

/// The name of the server at `fhir_base`: that of the list, else the host.
pub(crate) fn name_of(servers: &[KnownServer], fhir_base: &str) -> String {
    let trimmed = fhir_base.trim_end_matches('/');
    servers
        .iter()
        .find(|server| server.fhir_base.trim_end_matches('/') == trimmed)
        .map(|server| server.name.clone())
        .or_else(|| {
            let url = url::Url::parse(fhir_base).ok()?;
            let host = url.host_str()?.to_owned();
            Some(
                url.port()
                    .map_or(host.clone(), |port| format!("{host}:{port}")),
            )
        })
        .unwrap_or_else(|| fhir_base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b35_a_vendors_two_steps_are_data() {
        let server: KnownServer = serde_json::from_str(
            r#"{"fhirBase": "https://ehr.example/fhir/", "name": "n", "description": "d",
                "client": {"clientId": "static-1", "installation": {"endpoint": "register", "algorithm": "RS384"}}}"#,
        )
        .unwrap();
        let servers = [server];
        let client = client_of(&servers, "https://ehr.example/fhir").unwrap();
        assert_eq!(client.client_id, "static-1");
        assert_eq!(client.installation.as_ref().unwrap().algorithm, "RS384");
        assert!(client_of(&servers, "https://other.example/fhir").is_none());
        let secret = r#"{"clientId": "static-1", "clientSecret": "hush"}"#;
        assert!(
            serde_json::from_str::<ClientProfile>(secret).is_err(),
            "no secret ships"
        );
    }

    #[test]
    fn the_shipped_list_reads_and_holds_the_first_vendor() {
        let servers = shipped_servers();
        assert!(
            servers
                .iter()
                .any(|s| s.fhir_base == "https://api.enablemyhealth.com/api/R4")
        );
        assert!(servers.iter().all(|s| s.fhir_base.starts_with("https://")));
    }
}
