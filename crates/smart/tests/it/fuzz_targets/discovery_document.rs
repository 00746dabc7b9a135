//! What a server says about itself: smart-configuration, its issuer's metadata, and the capability
//! statement of a SMART 1 server. Two parts: the document, and the metadata found at the issuer.

use super::{assert_plain, assert_protected, base, parts, policy};
use satchel_smart::discovery::{DiscoveryError, SmartConfiguration};
use satchel_smart::fhir::capability::CapabilityStatement;
use satchel_smart::http::FhirBaseUrl;
use serde_json::Value;
use url::{Host, Url};

pub(crate) fn run(data: &[u8]) -> bool {
    let mut taken = false;
    let [document, metadata] = parts::<2>(data);
    let on_this_machine = FhirBaseUrl::parse("http://127.0.0.1:8080/fhir", &policy(true)).unwrap();
    for (base, http_on_loopback) in [(base(), false), (base(), true), (on_this_machine, true)] {
        let place = Place {
            base,
            http_on_loopback,
        };
        let policy = policy(http_on_loopback);
        match SmartConfiguration::read(&policy, &place.base, document) {
            Ok(configuration) => taken |= place.confirm(configuration, metadata),
            Err(error) => assert_refused(&error),
        }
        match SmartConfiguration::read_statement(&policy, &place.base, document) {
            Ok(Some(configuration)) => {
                assert!(configuration.issuer.is_none() && configuration.jwks_uri.is_none());
                taken |= place.confirm(configuration, metadata);
            }
            Ok(None) => {}
            Err(error) => assert_refused(&error),
        }
    }
    if let Ok(statement) = std::str::from_utf8(document)
        .map_err(drop)
        .and_then(|text| CapabilityStatement::parse(text).map_err(drop))
    {
        assert_eq!(statement.raw.as_bytes(), document, "kept as it came");
    }
    taken
}

/// Where a document was found.
struct Place {
    base: FhirBaseUrl,
    http_on_loopback: bool,
}

impl Place {
    fn confirm(&self, configuration: SmartConfiguration, metadata: &[u8]) -> bool {
        let mut taken = false;
        self.assert_endpoints(&configuration);
        assert_stored_as_it_is(&configuration);
        for metadata in [None, Some(metadata)] {
            let mut confirmed = configuration.clone();
            let policy = policy(self.http_on_loopback);
            if let Err(error) = confirmed.confirm_issuer(&policy, &self.base, metadata) {
                assert_refused(&error);
                continue;
            }
            taken = true;
            self.assert_endpoints(&confirmed);
            self.assert_confirmed(&confirmed, metadata);
            // Nothing but keys and the promise of `iss` comes from the issuer.
            if configuration.jwks_uri.is_some() {
                assert_eq!(confirmed.jwks_uri, configuration.jwks_uri);
            }
            confirmed.jwks_uri.clone_from(&configuration.jwks_uri);
            assert!(confirmed.iss_parameter_supported >= configuration.iss_parameter_supported);
            confirmed.iss_parameter_supported = configuration.iss_parameter_supported;
            assert_eq!(confirmed, configuration);
        }
        taken
    }

    fn assert_endpoints(&self, configuration: &SmartConfiguration) {
        let named = [
            ("jwks_uri", &configuration.jwks_uri),
            (
                "authorization_endpoint",
                &configuration.authorization_endpoint,
            ),
            (
                "registration_endpoint",
                &configuration.registration_endpoint,
            ),
            ("revocation_endpoint", &configuration.revocation_endpoint),
            (
                "introspection_endpoint",
                &configuration.introspection_endpoint,
            ),
            ("management_endpoint", &configuration.management_endpoint),
        ];
        let named = named
            .iter()
            .filter_map(|(name, url)| Some((*name, url.as_ref()?)));
        let associated = configuration.associated_endpoints.iter();
        let associated = associated.map(|one| ("associated_endpoints", &one.url));
        let token = ("token_endpoint", &configuration.token_endpoint);
        for (name, url) in named.chain(associated).chain([token]) {
            assert_protected(name, url, self.http_on_loopback);
            self.assert_within_reach(name, url);
        }
        if let Some(brand) = &configuration.brand {
            self.assert_within_reach("user_access_brand_bundle", &brand.bundle);
        }
        // A relative issuer is refused when it is confirmed.
        if let Some(issuer) = configuration.issuer.as_deref().map(Url::parse) {
            assert!(configuration.issuer.as_deref() != Some(""));
            if let Ok(issuer) = issuer {
                assert_protected("issuer", &issuer, self.http_on_loopback);
            }
        }
        assert!(configuration.associated_endpoints.len() <= 50);
        let capabilities = &configuration.capabilities;
        assert!(
            configuration.authorization_endpoint.is_some()
                || !capabilities.iter().any(|c| c == "launch-standalone"),
            "a launch without a place to go to"
        );
    }

    /// A server out in the world names nothing in the network of this machine.
    fn assert_within_reach(&self, name: &str, url: &Url) {
        if self.base.as_str().starts_with("http://127.") {
            return;
        }
        let private = match url.host() {
            Some(Host::Ipv4(address)) => {
                let [a, b, ..] = address.octets();
                matches!(a, 0 | 10 | 127)
                    || (a, b) == (169, 254)
                    || (a, b) == (192, 168)
                    || (a == 172 && b & 0xf0 == 16)
            }
            Some(Host::Ipv6(address)) => {
                let first = address.segments()[0];
                address.segments()[..7] == [0; 7]
                    || first & 0xfe00 == 0xfc00
                    || first & 0xffc0 == 0xfe80
            }
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => true,
        };
        assert!(!private, "{name} leads into the own network: {url}");
    }

    fn assert_confirmed(&self, confirmed: &SmartConfiguration, metadata: Option<&[u8]>) {
        let Some(issuer) = &confirmed.issuer else {
            return;
        };
        let url = Url::parse(issuer).unwrap();
        let base = Url::parse(self.base.as_str()).unwrap();
        let at_home = same_origin(&url, &base) || same_origin(&url, &confirmed.token_endpoint);
        let metadata = metadata.and_then(|bytes| serde_json::from_slice(bytes).ok());
        match metadata {
            Some(Value::Object(metadata)) => {
                assert_eq!(
                    metadata.get("issuer").and_then(Value::as_str),
                    Some(issuer.as_str()),
                    "the issuer's own metadata names another"
                );
                let token = metadata.get("token_endpoint").and_then(Value::as_str);
                let vouched = token
                    .and_then(|token| Url::parse(token).ok())
                    .is_some_and(|token| same_origin(&token, &confirmed.token_endpoint));
                assert!(at_home || vouched, "a foreign issuer vouches for nobody");
            }
            _ => assert!(at_home, "nobody vouches for this server"),
        }
    }
}

fn same_origin(one: &Url, other: &Url) -> bool {
    let of = |url: &Url| {
        let host = url.host_str().map(str::to_owned);
        (url.scheme().to_owned(), host, url.port_or_known_default())
    };
    of(one) == of(other)
}

/// A pending login is stored with its configuration, and read back after a restart.
fn assert_stored_as_it_is(configuration: &SmartConfiguration) {
    let stored = serde_json::to_string(configuration).unwrap();
    let back: SmartConfiguration = serde_json::from_str(&stored).unwrap();
    assert_eq!(&back, configuration);
}

fn assert_refused(error: &DiscoveryError) {
    match error {
        DiscoveryError::InvalidEndpoint { found, .. }
        | DiscoveryError::IssuerMismatch { found, .. } => assert_plain(found, 200),
        DiscoveryError::InsecureEndpoint { found, .. }
        | DiscoveryError::PrivateEndpoint { found, .. } => {
            let authority = found.split('/').nth(2).unwrap_or_default();
            assert!(
                !authority.contains('@') && !found.contains(['?', '#']),
                "{found}"
            );
        }
        _ => {}
    }
}
