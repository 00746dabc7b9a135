//! The checked address of a FHIR server.

use super::{HttpPolicy, is_loopback};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;
use url::{Host, Url};

/// A FHIR base URL: https (or http on loopback where the policy allows it), without user
/// information, query and fragment, and without a slash at its end, so that two spellings of one
/// server are one value. It is sent as `aud` exactly as [`FhirBaseUrl::as_str`] gives it (SMART App
/// Launch 2.2, "Obtain authorization code").
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FhirBaseUrl {
    url: Url,
    text: String,
}

/// Why a text is no FHIR base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FhirBaseUrlError {
    /// Nothing was typed.
    #[error("the address is empty")]
    Empty,
    /// Not a URL with a host.
    #[error("the address is not a URL")]
    NotAUrl,
    /// Another scheme than https, or http on a host that is not this machine.
    #[error("the address does not start with https://")]
    NotHttps,
    /// A user name or password in the address.
    #[error("the address contains a user name or password")]
    UserInfo,
    /// A query or fragment.
    #[error("the address contains a query or fragment")]
    QueryOrFragment,
}

/// What people copy from a browser's address bar although it is below the base.
const BELOW_THE_BASE: [&str; 2] = ["/.well-known/smart-configuration", "/metadata"];

impl FhirBaseUrl {
    /// Checks what a person typed. `example.org/fhir` is taken as https; an address that ends in
    /// `/metadata` or `/.well-known/smart-configuration` is taken as the base above it.
    ///
    /// # Errors
    /// [`FhirBaseUrlError`]: not a URL, not https, user information, query or fragment.
    pub fn parse(text: &str, policy: &HttpPolicy) -> Result<Self, FhirBaseUrlError> {
        let typed = text.trim();
        if typed.is_empty() {
            return Err(FhirBaseUrlError::Empty);
        }
        if typed.len() > 2048 || typed.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(FhirBaseUrlError::NotAUrl);
        }
        // What browsers forgive (three slashes, backslashes) is a slip of the pen here.
        if typed.contains('\\') || typed.contains(":///") {
            return Err(FhirBaseUrlError::NotAUrl);
        }
        let url = if typed.contains("://") {
            Url::parse(typed).map_err(|_| FhirBaseUrlError::NotAUrl)?
        } else {
            without_scheme(typed)?
        };
        Self::check(url, policy)
    }

    fn check(mut url: Url, policy: &HttpPolicy) -> Result<Self, FhirBaseUrlError> {
        match url.scheme() {
            "https" => {}
            "http" if policy.allow_http_on_loopback && is_loopback(&url) => {}
            _ => return Err(FhirBaseUrlError::NotHttps),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(FhirBaseUrlError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FhirBaseUrlError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(FhirBaseUrlError::QueryOrFragment);
        }
        let mut path = url.path().trim_end_matches('/').to_owned();
        if let Some(shorter) = BELOW_THE_BASE
            .iter()
            .find_map(|tail| path.strip_suffix(tail))
        {
            path = shorter.trim_end_matches('/').to_owned();
        }
        url.set_path(&path);
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// The base, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A URL below the base: segments are percent-encoded, so that no id can leave the base. A
    /// relative reference with slashes is taken segment by segment.
    #[must_use]
    pub fn join(&self, relative: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(relative.split('/').filter(|part| !part.is_empty()));
        }
        url
    }

    /// Whether `url` is at this base: same origin, and the base's path or below it. Only there may a
    /// token of this server be sent (checklist G3; SMART App Launch 2.2, "Access FHIR API").
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let base_path = self.url.path().trim_end_matches('/');
        let below = url.path().strip_prefix(base_path);
        url.origin() == self.url.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

/// `example.org/fhir` or `localhost:8080/fhir`: something that is plainly meant as a host.
fn without_scheme(typed: &str) -> Result<Url, FhirBaseUrlError> {
    let url = Url::parse(&format!("https://{typed}")).map_err(|_| FhirBaseUrlError::NotAUrl)?;
    let plausible = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') || name == "localhost",
        Some(_) => typed.contains('.') || typed.starts_with('['),
        None => false,
    };
    if plausible && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(FhirBaseUrlError::NotAUrl)
    }
}

impl fmt::Debug for FhirBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FhirBaseUrl({})", self.text)
    }
}

impl fmt::Display for FhirBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for FhirBaseUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for FhirBaseUrl {
    /// Reads back what was checked before it was stored. Every request is checked against the
    /// client's own policy once more.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let stored = HttpPolicy {
            allow_http_on_loopback: true,
            extra_root_certificates: Vec::new(),
            timeout: Duration::ZERO,
            max_body_bytes: 0,
            public_hosts_only: false,
        };
        Self::parse(&text, &stored).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow_http_on_loopback: bool) -> HttpPolicy {
        HttpPolicy {
            allow_http_on_loopback,
            ..HttpPolicy::default()
        }
    }

    #[test]
    fn a1_two_spellings_of_one_server_are_one_base() {
        for text in [
            "https://ehr.example/fhir",
            "https://ehr.example/fhir/",
            " https://EHR.example:443/fhir// ",
            "ehr.example/fhir",
            "https://ehr.example/fhir/metadata",
            "https://ehr.example/fhir/.well-known/smart-configuration",
        ] {
            let base = FhirBaseUrl::parse(text, &policy(false)).unwrap();
            assert_eq!(base.as_str(), "https://ehr.example/fhir", "{text}");
        }
        assert_eq!(
            FhirBaseUrl::parse("https://a.example/", &policy(false))
                .unwrap()
                .as_str(),
            "https://a.example"
        );
    }

    #[test]
    fn what_is_not_a_url_is_refused() {
        for text in [
            "hello",
            "hello world",
            "https://",
            "https:///fhir",
            "javascript:alert(1)",
            "mailto:a@b.example",
            "42",
            "http//x",
            "https://a b.example/",
            "data:text/html,x",
            "https://ex ample.org",
        ] {
            assert_eq!(
                FhirBaseUrl::parse(text, &policy(true)),
                Err(FhirBaseUrlError::NotAUrl),
                "{text}"
            );
        }
        assert_eq!(
            FhirBaseUrl::parse("  ", &policy(true)),
            Err(FhirBaseUrlError::Empty)
        );
    }

    #[test]
    fn a8_h11_http_is_refused_except_on_loopback_where_allowed() {
        for text in [
            "http://ehr.example/fhir",
            "ftp://ehr.example/fhir",
            "file://etc/passwd",
            "http://127.0.0.1.example/",
        ] {
            assert_eq!(
                FhirBaseUrl::parse(text, &policy(true)),
                Err(FhirBaseUrlError::NotHttps),
                "{text}"
            );
        }
        for text in [
            "http://127.0.0.1:8080/fhir",
            "http://[::1]:8080/fhir",
            "http://localhost/fhir",
        ] {
            assert!(FhirBaseUrl::parse(text, &policy(true)).is_ok(), "{text}");
            assert_eq!(
                FhirBaseUrl::parse(text, &policy(false)),
                Err(FhirBaseUrlError::NotHttps),
                "{text}"
            );
        }
    }

    #[test]
    fn a8_user_information_query_and_fragment_are_refused() {
        assert_eq!(
            FhirBaseUrl::parse("https://u:p@ehr.example/fhir", &policy(true)),
            Err(FhirBaseUrlError::UserInfo)
        );
        for text in ["https://ehr.example/fhir?x=1", "https://ehr.example/fhir#x"] {
            assert_eq!(
                FhirBaseUrl::parse(text, &policy(true)),
                Err(FhirBaseUrlError::QueryOrFragment),
                "{text}"
            );
        }
    }

    #[test]
    fn g3_the_base_covers_itself_and_what_is_below() {
        let base = FhirBaseUrl::parse("https://ehr.example/fhir", &policy(false)).unwrap();
        for (text, covered) in [
            ("https://ehr.example/fhir", true),
            ("https://ehr.example/fhir?_getpages=1", true),
            ("https://ehr.example/fhir/Patient/1", true),
            ("https://ehr.example/fhirx/Patient/1", false),
            ("https://ehr.example/fhir/../admin", false),
            ("https://ehr.example:8443/fhir/Patient/1", false),
            ("http://ehr.example/fhir/Patient/1", false),
            ("https://evil.example/fhir/Patient/1", false),
            ("https://u@ehr.example/fhir/Patient/1", false),
        ] {
            assert_eq!(base.covers(&Url::parse(text).unwrap()), covered, "{text}");
        }
    }

    #[test]
    fn an_id_cannot_leave_the_base() {
        let base = FhirBaseUrl::parse("https://ehr.example/fhir", &policy(false)).unwrap();
        assert_eq!(
            base.join("Patient/1").as_str(),
            "https://ehr.example/fhir/Patient/1"
        );
        assert!(base.covers(&base.join("Patient/../../admin")));
        assert!(base.covers(&base.join("Patient/1?x#y")));
        assert_eq!(base.join("Patient/1?x#y").query(), None);
    }
}
