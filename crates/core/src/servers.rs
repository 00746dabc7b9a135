//! Servers that can be chosen: known by name (vendors are data: `vendors/servers.json`, and whatever
//! the embedding program adds), from imported directories, or by their address; and what each can do.
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

use crate::engine::Engine;
use crate::habits::Habits;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{Ability, AbilityView, Launch, Role, ServerCheckView, ServerView};
use satchel_smart::capabilities::CapabilitySet;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::udap::udap_metadata;
use satchel_store::BrandRow;
use serde::Deserialize;
use std::time::Duration;

/// Servers that a search gives at most.
pub(crate) const SEARCH_LIMIT: u32 = 50;
/// Whether there is UDAP is good to know, and worth no long wait.
const UDAP_PATIENCE: Duration = Duration::from_secs(3);

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
    /// What this server wants otherwise than the standards say.
    #[serde(default)]
    pub habits: Option<Habits>,
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
            ..Self::default()
        }
    }
}

impl From<BrandRow> for ServerView {
    fn from(brand: BrandRow) -> Self {
        Self {
            fhir_base: brand.fhir_base,
            name: brand.name,
            place: brand.place,
            portal: brand.portal,
            has_logo: brand.logo.is_some(),
            logo_license: brand.logo_license,
            ..Self::default()
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

impl Engine {
    /// The servers known by name.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerView> {
        self.inner.servers.iter().map(ServerView::from).collect()
    }

    /// Servers by name, place, postal code or portal: those known by name first, then those of the
    /// imported directories, at most fifty. Nothing typed gives those known by name. No
    /// network is used.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn servers_search(&self, typed: &str) -> Result<Vec<ServerView>> {
        let words = search_words(typed);
        let mut found = Vec::new();
        for server in &self.inner.servers {
            if mentions(server, &words) {
                let brand = self.inner.store.brand_of(&server.fhir_base).await?;
                found.push(with_brand(server.into(), brand));
            }
        }
        let listed = self.inner.store.brands_search(&words, SEARCH_LIMIT).await?;
        for brand in listed {
            if found
                .iter()
                .all(|server| server.fhir_base != brand.fhir_base)
            {
                found.push(brand.into());
            }
        }
        found.truncate(SEARCH_LIMIT as usize);
        Ok(found)
    }

    /// Asks a server what it can do, without signing in, and learns its own brand.
    ///
    /// # Errors
    /// `server.*` and `network.*`: not a URL, not FHIR, no SMART, not reachable.
    pub async fn server_check(&self, base: &str) -> Result<ServerCheckView> {
        let work = self.check_server(base);
        self.traced(TraceKind::ServerCheck, problem_of, work).await
    }

    async fn check_server(&self, base: &str) -> Result<ServerCheckView> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let configuration = self.discover_anew(&base).await?;
        let asking = udap_metadata(&self.inner.http, &base);
        let (udap, ()) = tokio::join!(
            tokio::time::timeout(UDAP_PATIENCE, asking),
            self.learn_linked_brand(&base, &configuration),
        );
        let in_community = matches!(udap, Ok(Ok(Some(_))));
        let brand = self.inner.store.brand_of(base.as_str()).await?;
        let name = self.server_name(base.as_str()).await?;
        Ok(ServerCheckView {
            fhir_base: base.as_str().to_owned(),
            name,
            place: brand.as_ref().and_then(|brand| brand.place.clone()),
            has_logo: brand.as_ref().is_some_and(|brand| brand.logo.is_some()),
            logo_license: brand.and_then(|brand| brand.logo_license),
            can_register: configuration.registration_endpoint.is_some(),
            roles: roles_of(&configuration),
            launches: launches_of(&configuration),
            abilities: abilities_of(&configuration, in_community),
            can_manage: configuration.management_endpoint.is_some(),
            capabilities: configuration.capabilities,
        })
    }

    /// The page where the provider lets people manage the access of apps (checklist A15), to open in
    /// the browser.
    ///
    /// # Errors
    /// `record.not_found` when the server names none; otherwise as [`Engine::server_check`].
    pub async fn server_management_url(&self, base: &str) -> Result<String> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let configuration = self.discover_lately(&base).await?;
        configuration
            .management_endpoint
            .map(Into::into)
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    /// The name of a server: that of the list, else its brand's, else its host.
    pub(crate) async fn server_name(&self, fhir_base: &str) -> Result<String> {
        if let Some(name) = listed_name(&self.inner.servers, fhir_base) {
            return Ok(name);
        }
        let brand = self.inner.store.brand_of(fhir_base).await?;
        Ok(brand.map_or_else(|| host_name(fhir_base), |brand| brand.name))
    }
}

/// What was typed, without what every web address has; of a pasted address, the host.
fn search_words(typed: &str) -> String {
    let typed = typed.trim();
    let host = url::Url::parse(typed)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .and_then(|url| url.host_str().map(str::to_owned));
    let words = host.unwrap_or_else(|| {
        let looks_like_a_host = !typed.contains(char::is_whitespace) && typed.contains('.');
        let end = typed.find('/').filter(|_| looks_like_a_host);
        typed
            .get(..end.unwrap_or(typed.len()))
            .unwrap_or_default()
            .to_owned()
    });
    words.strip_prefix("www.").unwrap_or(&words).to_owned()
}

fn mentions(server: &KnownServer, words: &str) -> bool {
    let text = format!(
        "{} {} {}",
        server.name, server.description, server.fhir_base
    );
    let text = text.to_lowercase();
    words
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .all(|word| text.contains(word))
}

/// A server that ships by name keeps its name; place and picture are the brand's.
fn with_brand(server: ServerView, brand: Option<BrandRow>) -> ServerView {
    let Some(brand) = brand else {
        return server;
    };
    ServerView {
        fhir_base: server.fhir_base,
        name: server.name,
        description: server.description,
        for_testing: server.for_testing,
        ..brand.into()
    }
}

/// Who can sign in (checklist A10).
fn roles_of(configuration: &SmartConfiguration) -> Vec<Role> {
    let login = configuration.authorization_endpoint.is_some();
    [
        (Role::Patient, login && configuration.serves_patients()),
        (Role::Provider, login && configuration.serves_users()),
        (Role::Backend, configuration.serves_backends()),
    ]
    .into_iter()
    .filter_map(|(role, served)| served.then_some(role))
    .collect()
}

fn launches_of(configuration: &SmartConfiguration) -> Vec<Launch> {
    [
        (Launch::Here, configuration.launches_standalone()),
        (Launch::Portal, configuration.launches_from_ehr()),
    ]
    .into_iter()
    .filter_map(|(launch, offered)| offered.then_some(launch))
    .collect()
}

/// "This server can do …" (checklist A12).
fn abilities_of(configuration: &SmartConfiguration, in_community: bool) -> Vec<AbilityView> {
    let sets = [
        (Ability::PatientHere, CapabilitySet::PatientStandalone),
        (Ability::PatientPortal, CapabilitySet::PatientEhr),
        (Ability::ProviderHere, CapabilitySet::ClinicianStandalone),
        (Ability::ProviderEhr, CapabilitySet::ClinicianEhr),
    ];
    let sets = sets.into_iter().map(|(ability, set)| {
        let missing = set.missing(configuration);
        AbilityView {
            ability,
            offered: missing.is_empty(),
            missing: missing.into_iter().map(str::to_owned).collect(),
        }
    });
    let supports = |capability| configuration.supports(capability);
    let others = [
        (Ability::StaySignedIn, supports("permission-offline")),
        (Ability::TellWhoSignedIn, supports("sso-openid-connect")),
        (Ability::ChooseExactly, supports("permission-v2")),
        (
            Ability::RegisterItself,
            configuration.registration_endpoint.is_some(),
        ),
        (
            Ability::EndAccess,
            configuration.revocation_endpoint.is_some(),
        ),
        (
            Ability::ManageAccess,
            configuration.management_endpoint.is_some(),
        ),
        (Ability::Backend, configuration.serves_backends()),
        (Ability::TrustCommunity, in_community),
    ];
    let others = others.into_iter().map(|(ability, offered)| AbilityView {
        ability,
        offered,
        missing: Vec::new(),
    });
    sets.chain(others).collect()
}

fn listed_name(servers: &[KnownServer], fhir_base: &str) -> Option<String> {
    let trimmed = fhir_base.trim_end_matches('/');
    servers
        .iter()
        .find(|server| server.fhir_base.trim_end_matches('/') == trimmed)
        .map(|server| server.name.clone())
}

pub(crate) fn host_name(fhir_base: &str) -> String {
    let host_and_port = || {
        let url = url::Url::parse(fhir_base).ok()?;
        let host = url.host_str()?.to_owned();
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        })
    };
    host_and_port().unwrap_or_else(|| fhir_base.to_owned())
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

    #[test]
    fn a_pasted_portal_address_is_searched_by_its_host() {
        for (typed, words) in [
            (
                "https://www.mychart.example/MyChart/Login?x=1",
                "mychart.example",
            ),
            ("mychart.example/MyChart", "mychart.example"),
            ("  Lakes clinic/Ely ", "Lakes clinic/Ely"),
            ("www.lakes.example", "lakes.example"),
            ("", ""),
        ] {
            assert_eq!(search_words(typed), words, "{typed}");
        }
    }

    #[test]
    fn servers_known_by_name_are_found_by_any_of_their_words() {
        let servers = shipped_servers();
        let found = |words: &str| servers.iter().any(|server| mentions(server, words));
        assert!(
            found("")
                && found("enabledoc")
                && found("ENABLE portal")
                && found("enablemyhealth.com")
        );
        assert!(!found("lakes"));
    }
}
