//! Who this app is to a server: the client metadata of RFC 7591 that an embedder replaces by data.

/// Name, contacts and redirect URIs with which an installation registers itself (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppIdentity {
    /// `client_name`, shown at consent.
    pub name: String,
    /// `client_uri`: the publisher's page.
    pub client_uri: Option<String>,
    /// `logo_uri`.
    pub logo_uri: Option<String>,
    /// `contacts`: the publisher's addresses, never the patient's.
    pub contacts: Vec<String>,
    /// `software_id`: the same for all installations and versions.
    pub software_id: String,
    /// `software_version`.
    pub software_version: String,
    /// Private-use URI scheme, the reverse of a domain that the publisher controls (RFC 8252 §7.1).
    pub redirect_scheme: String,
    /// Claimed https redirect (RFC 8252 §7.2), without the part that names the server, when the
    /// publisher hosts one.
    pub https_redirect: Option<String>,
    /// Service name of the keychain entries.
    pub keychain_service: String,
}

impl Default for AppIdentity {
    fn default() -> Self {
        Self {
            name: "Satchel".into(),
            client_uri: None,
            logo_uri: None,
            contacts: Vec::new(),
            software_id: "6c1a1f0e-6f0b-4d43-9d0c-6f3f5a0f6f5e".into(),
            software_version: env!("CARGO_PKG_VERSION").into(),
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

#[cfg(test)]
mod tests {
    use super::*;

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
