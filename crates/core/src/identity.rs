//! Who this app is to a server: the client metadata of RFC 7591 that an embedder replaces by data.
//!
//! An embedder keeps it in a JSON file, in the words of RFC 7591 §2 where there are any; what the file
//! leaves out is as Satchel has it, a member that does not exist is refused:
//!
//! ```
//! let identity = satchel_core::AppIdentity::from_json(r#"{
//!     "client_name": "Example Records",
//!     "client_uri": "https://records.example.org",
//!     "contacts": ["apps@records.example.org"],
//!     "software_id": "0b6a3c1e-3a55-4f0f-8f0e-5d1c9f5a7d11",
//!     "software_version": "2.1.0",
//!     "redirect_scheme": "org.example.records",
//!     "https_redirect": "https://records.example.org/app",
//!     "keychain_service": "org.example.records"
//! }"#)?;
//! assert_eq!(identity.name, "Example Records");
//! # Ok::<(), satchel_core::IdentityError>(())
//! ```

use serde::{Deserialize, Serialize};
use url::Url;

/// Name, contacts and redirect URIs with which an installation registers itself (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppIdentity {
    /// `client_name`, shown at consent.
    #[serde(rename = "client_name")]
    pub name: String,
    /// `client_uri`: the publisher's page.
    pub client_uri: Option<String>,
    /// `logo_uri`.
    pub logo_uri: Option<String>,
    /// `policy_uri`: how the publisher treats data.
    pub policy_uri: Option<String>,
    /// `tos_uri`: terms of service.
    pub tos_uri: Option<String>,
    /// `contacts`: the publisher's addresses, never the patient's.
    pub contacts: Vec<String>,
    /// `software_id`: the same for all installations and versions.
    pub software_id: String,
    /// `software_version`: another one with each release.
    pub software_version: String,
    /// `software_statement` (§2.3): a JWT that somebody whom servers trust has signed for the publisher.
    /// It is sent as it is, and says more than the members above.
    pub software_statement: Option<String>,
    /// `initiate_login_uri` (OpenID Connect Dynamic Registration §2): the claimed https address at which
    /// portals open the app, without the part that names the role; else it is the private-use scheme's.
    pub initiate_login_uri: Option<String>,
    /// `jwks_uri` of backend services: where the organisation hosts what `satchel keys public` gives, in
    /// place of keys by value. People's installations have no such place (checklist E7, B4).
    pub jwks_uri: Option<String>,
    /// Private-use URI scheme, the reverse of a domain that the publisher controls (RFC 8252 §7.1).
    pub redirect_scheme: String,
    /// Claimed https redirect (RFC 8252 §7.2), without the part that names the server, when the
    /// publisher hosts one.
    pub https_redirect: Option<String>,
    /// Service name of the keychain entries.
    pub keychain_service: String,
}

/// What is wrong with an identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It is no JSON, or has a member that does not exist.
    #[error("the app's identity cannot be read")]
    Json(#[from] serde_json::Error),
    /// A required member is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// An address that is not https.
    #[error("{0} is not an https address")]
    NotHttps(&'static str),
    /// The scheme is no reversed domain name (RFC 8252 §7.1).
    #[error("redirect_scheme must be a reversed domain name, such as org.example.app")]
    Scheme,
    /// The statement is no JWT in compact form.
    #[error("software_statement is not a signed JWT")]
    Statement,
}

impl Default for AppIdentity {
    fn default() -> Self {
        Self {
            name: "Satchel".into(),
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            software_id: "6c1a1f0e-6f0b-4d43-9d0c-6f3f5a0f6f5e".into(),
            software_version: env!("CARGO_PKG_VERSION").into(),
            software_statement: None,
            initiate_login_uri: None,
            jwks_uri: None,
            redirect_scheme: "org.satchel.app".into(),
            https_redirect: None,
            keychain_service: "org.satchel.desktop".into(),
        }
    }
}

/// How the authorization response comes back (RFC 8252 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// Private-use URI scheme, by the operating system's deep link (§7.1).
    Scheme,
    /// Claimed https URL (§7.2).
    Https,
    /// Loopback interface (§7.3).
    Loopback,
}

impl AppIdentity {
    /// Reads an identity from JSON and checks it.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn from_json(text: &str) -> Result<Self, IdentityError> {
        let identity: Self = serde_json::from_str(text)?;
        identity.check()?;
        Ok(identity)
    }

    /// Whether servers can be expected to take it (RFC 7591 §2, RFC 8252 §7 and §8.4).
    ///
    /// # Errors
    /// [`IdentityError`] names the first member that does not hold.
    pub fn check(&self) -> Result<(), IdentityError> {
        for (member, value) in [
            ("client_name", &self.name),
            ("software_id", &self.software_id),
            ("software_version", &self.software_version),
            ("keychain_service", &self.keychain_service),
        ] {
            if value.trim().is_empty() {
                return Err(IdentityError::Empty(member));
            }
        }
        for (member, address) in [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
            ("https_redirect", &self.https_redirect),
            ("initiate_login_uri", &self.initiate_login_uri),
        ] {
            let https = |text: &String| {
                Url::parse(text)
                    .is_ok_and(|url| url.scheme() == "https" && url.fragment().is_none())
            };
            if !address.as_ref().is_none_or(https) {
                return Err(IdentityError::NotHttps(member));
            }
        }
        // A server on this machine may fetch them from this machine.
        let hosted = |text: &String| {
            Url::parse(text).is_ok_and(|url| {
                let here = url.scheme() == "http" && url.host_str() == Some("127.0.0.1");
                (url.scheme() == "https" || here) && url.fragment().is_none()
            })
        };
        if !self.jwks_uri.as_ref().is_none_or(hosted) {
            return Err(IdentityError::NotHttps("jwks_uri"));
        }
        if !is_reversed_domain(&self.redirect_scheme) {
            return Err(IdentityError::Scheme);
        }
        let compact = |jwt: &String| jwt.split('.').filter(|part| !part.is_empty()).count() == 3;
        if self.software_statement.as_ref().is_none_or(compact) {
            Ok(())
        } else {
            Err(IdentityError::Statement)
        }
    }

    /// The part of each redirect URI that is distinct per authorization server (RFC 8252 §8.10).
    pub(crate) fn callback_path(fhir_base: &str) -> String {
        format!(
            "callback/{}",
            crate::digest::short_hex(fhir_base.as_bytes())
        )
    }

    /// Every redirect URI that this installation registers with one server.
    #[must_use]
    pub fn redirect_uris(&self, fhir_base: &str) -> Vec<String> {
        let path = Self::callback_path(fhir_base);
        let mut uris = vec![
            format!("{}:/{path}", self.redirect_scheme),
            self.loopback_redirect_uri(fhir_base),
        ];
        if let Some(https) = &self.https_redirect {
            uris.push(format!("{}/{path}", https.trim_end_matches('/')));
        }
        uris
    }

    /// The loopback redirect URI as it is registered: without a port (RFC 8252 §7.3).
    pub(crate) fn loopback_redirect_uri(&self, fhir_base: &str) -> String {
        format!("http://127.0.0.1/{}", Self::callback_path(fhir_base))
    }

    /// The redirect URI of one kind; `port` is the loopback listener's.
    #[must_use]
    pub fn redirect_uri(
        &self,
        kind: RedirectKind,
        fhir_base: &str,
        port: Option<u16>,
    ) -> Option<String> {
        let path = Self::callback_path(fhir_base);
        match kind {
            RedirectKind::Scheme => Some(format!("{}:/{path}", self.redirect_scheme)),
            RedirectKind::Loopback => port.map(|port| format!("http://127.0.0.1:{port}/{path}")),
            RedirectKind::Https => self
                .https_redirect
                .as_ref()
                .map(|base| format!("{}/{path}", base.trim_end_matches('/'))),
        }
    }
}

/// Letters, digits and hyphens with at least one period between: a scheme that nobody else has by chance.
fn is_reversed_domain(scheme: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.contains('.')
        && scheme.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b8_an_embedder_replaces_the_identity_by_data() {
        let identity = AppIdentity::from_json(
            r#"{"client_name": "Other", "logo_uri": "https://o.example/l.png", "tos_uri": "https://o.example/t",
                "redirect_scheme": "org.other.app", "contacts": ["apps@o.example"]}"#,
        )
        .unwrap();
        assert_eq!(identity.name, "Other");
        assert_eq!(identity.tos_uri.as_deref(), Some("https://o.example/t"));
        assert_eq!(
            identity.software_version,
            env!("CARGO_PKG_VERSION"),
            "what is left out stays"
        );
        let json = serde_json::to_string(&identity).unwrap();
        assert_eq!(AppIdentity::from_json(&json).unwrap(), identity);
        assert!(AppIdentity::default().check().is_ok());
    }

    #[test]
    fn b8_an_identity_that_servers_would_refuse_is_refused_here() {
        for (json, member) in [
            (r#"{"clientname": "x"}"#, "cannot be read"),
            (r#"{"client_name": " "}"#, "client_name"),
            (r#"{"software_id": ""}"#, "software_id"),
            (r#"{"logo_uri": "http://o.example/l.png"}"#, "logo_uri"),
            (
                r#"{"https_redirect": "https://o.example/#x"}"#,
                "https_redirect",
            ),
            (r#"{"redirect_scheme": "myapp"}"#, "redirect_scheme"),
            (r#"{"redirect_scheme": "org..app"}"#, "redirect_scheme"),
            (r#"{"redirect_scheme": "org.app:/x"}"#, "redirect_scheme"),
            (r#"{"software_statement": "no jwt"}"#, "software_statement"),
        ] {
            let error = AppIdentity::from_json(json).unwrap_err().to_string();
            assert!(error.contains(member), "{json}: {error}");
        }
    }

    #[test]
    fn c29_the_private_use_scheme_is_reverse_dns_with_a_single_slash() {
        let uri = AppIdentity::default()
            .redirect_uri(RedirectKind::Scheme, "https://ehr.example/fhir", None)
            .unwrap();
        assert!(uri.starts_with("org.satchel.app:/callback/"), "{uri}");
        assert!(!uri.contains("://"));
    }

    #[test]
    fn c33_the_redirect_path_is_distinct_per_server() {
        let identity = AppIdentity::default();
        assert_ne!(
            identity.redirect_uris("https://a.example/fhir"),
            identity.redirect_uris("https://b.example/fhir")
        );
    }
}
