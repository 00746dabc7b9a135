//! Who the authorization server is: its own metadata has to say so too (OpenID Connect Discovery
//! §4.3, RFC 8414 §3.3). This is what keeps one server from speaking in another one's name.

use crate::discovery::{DiscoveryError, SmartConfiguration};
use crate::http::{FhirBaseUrl, Follow, Get, HttpClient, HttpError, HttpPolicy, Reach};
use crate::trace;
use serde_json::{Map, Value};
use url::{Origin, Url};

/// Whether metadata promises the `iss` response parameter (RFC 9207 §3).
pub(crate) fn announces_iss_parameter(members: &Map<String, Value>) -> bool {
    members.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true))
}

/// Confirms the issuer and takes from its metadata what the smart-configuration leaves out.
///
/// The metadata found at the issuer must name that issuer, code point for code point. An issuer at
/// the origin of the FHIR base or of the token endpoint needs no more; one at another origin has to
/// vouch for this server: its metadata must name a token endpoint at the origin of ours.
pub(crate) async fn confirm(
    http: &HttpClient,
    base: &FhirBaseUrl,
    configuration: &mut SmartConfiguration,
) -> Result<(), DiscoveryError> {
    let Some(issuer) = &configuration.issuer else {
        return Ok(());
    };
    let url = url_of(issuer)?;
    let metadata = match metadata_of(http, issuer, &url).await {
        Ok(metadata) => metadata,
        // Nobody there vouches for this server: a foreign issuer is refused for that.
        Err(error) => {
            tracing::debug!(%error, "the issuer's metadata could not be read");
            None
        }
    };
    hold_against(http.policy(), base, configuration, metadata)
}

fn url_of(issuer: &str) -> Result<Url, DiscoveryError> {
    Url::parse(issuer).map_err(|_| DiscoveryError::InvalidEndpoint {
        name: "issuer",
        found: crate::text::plain(issuer, 200),
    })
}

/// The part of [`confirm`] that asks nobody.
pub(crate) fn hold_against(
    policy: &HttpPolicy,
    base: &FhirBaseUrl,
    configuration: &mut SmartConfiguration,
    metadata: Option<Map<String, Value>>,
) -> Result<(), DiscoveryError> {
    let Some(issuer) = configuration.issuer.clone() else {
        return Ok(());
    };
    let url = url_of(&issuer)?;
    let token_origin = configuration.token_endpoint.origin();
    let foreign = url.origin() != base.url().origin() && url.origin() != token_origin;
    let mismatch = |expected: String, found: &str| DiscoveryError::IssuerMismatch {
        expected,
        found: crate::text::plain(found, 200),
    };
    let Some(metadata) = metadata else {
        trace::check(
            "A20",
            "The issuer is at this server, or vouches for it",
            !foreign,
        );
        let expected = base.url().origin().ascii_serialization();
        return if foreign {
            Err(mismatch(expected, &issuer))
        } else {
            Ok(())
        };
    };
    let named = metadata
        .get("issuer")
        .and_then(Value::as_str)
        .unwrap_or_default();
    trace::check(
        "A19",
        "The issuer's own metadata names this issuer",
        named == issuer,
    );
    if named != issuer {
        return Err(mismatch(issuer, named));
    }
    let vouched = !foreign || origin_of(&metadata, "token_endpoint") == Some(token_origin.clone());
    trace::check(
        "A20",
        "The issuer is at this server, or vouches for it",
        vouched,
    );
    if !vouched {
        return Err(mismatch(token_origin.ascii_serialization(), &issuer));
    }
    configuration.iss_parameter_supported |= announces_iss_parameter(&metadata);
    let listed = |name: &str| {
        metadata
            .get(name)
            .and_then(Value::as_str)
            .and_then(|text| Url::parse(text).ok())
            .filter(|url| policy.check(url).is_ok() && url.fragment().is_none())
            .filter(|url| Reach::from_source(base.url()).covers(url))
    };
    if configuration.jwks_uri.is_none() {
        configuration.jwks_uri = listed("jwks_uri");
    }
    if configuration.end_session_endpoint.is_none() {
        configuration.end_session_endpoint = listed("end_session_endpoint");
    }
    Ok(())
}

fn origin_of(metadata: &Map<String, Value>, name: &str) -> Option<Origin> {
    let text = metadata.get(name)?.as_str()?;
    Url::parse(text).ok().map(|url| url.origin())
}

/// `{issuer}/.well-known/openid-configuration`; where that is not there, the form of RFC 8414 §3.1,
/// which puts the well-known part before the path.
async fn metadata_of(
    http: &HttpClient,
    issuer: &str,
    url: &Url,
) -> Result<Option<Map<String, Value>>, HttpError> {
    let appended = format!(
        "{}/.well-known/openid-configuration",
        issuer.strip_suffix('/').unwrap_or(issuer)
    );
    let mut inserted = url.clone();
    let path = format!(
        "/.well-known/oauth-authorization-server{}",
        url.path().trim_end_matches('/')
    );
    inserted.set_path(&path);
    inserted.set_query(None);
    for candidate in [Url::parse(&appended).ok(), Some(inserted)]
        .into_iter()
        .flatten()
    {
        let answer = http
            .for_documents()
            .get(Get {
                follow: Follow::SameOrigin,
                ..Get::json(&candidate)
            })
            .await?;
        if !answer.is_success() {
            continue;
        }
        if let Ok(members) = serde_json::from_slice(&answer.body) {
            return Ok(Some(members));
        }
    }
    Ok(None)
}
