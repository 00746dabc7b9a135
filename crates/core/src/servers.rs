//! Servers that are known by name. Vendors are data: `vendors/servers.json`, and whatever the
//! embedding program adds.

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
