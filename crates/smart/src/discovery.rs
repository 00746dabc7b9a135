//! What a server says about itself: `{base}/.well-known/smart-configuration` (SMART App Launch 2.2,
//! "Conformance", section "Using well-known"), checked before anything in it is used.

use crate::brands::BrandLink;
use crate::fhir::capability::CapabilityStatement;
use crate::http::{FhirBaseUrl, Get, HttpClient, HttpError, HttpPolicy, Reach, is_loopback};
use crate::issuer;
use crate::trace;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// Associated endpoints beyond this many are left out.
const MAX_ASSOCIATED: usize = 50;

/// A checked SMART configuration: every endpoint is an absolute https URL (http only on loopback, by
/// the client's policy), S256 is offered wherever there is a login, and the issuer, where there is
/// one, was confirmed by its own metadata.
///
/// It serialises, so that a pending login can be stored with the configuration that it began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartConfiguration {
    /// `issuer` of OpenID Connect, exactly as written.
    pub issuer: Option<String>,
    /// `jwks_uri`: the server's public keys.
    pub jwks_uri: Option<Url>,
    /// `authorization_endpoint`; absent on a server for backend services only.
    pub authorization_endpoint: Option<Url>,
    /// `token_endpoint`.
    pub token_endpoint: Url,
    /// `registration_endpoint` (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// `revocation_endpoint` (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// `introspection_endpoint` (RFC 7662).
    pub introspection_endpoint: Option<Url>,
    /// `end_session_endpoint` (OpenID Connect RP-Initiated Logout §2.1): where a person is signed out.
    #[serde(default)]
    pub end_session_endpoint: Option<Url>,
    /// `management_endpoint`: where a person sees and ends the access of apps.
    pub management_endpoint: Option<Url>,
    /// `user_access_brand_bundle` and `user_access_brand_identifier`: who is behind the server.
    #[serde(default)]
    pub brand: Option<BrandLink>,
    /// `associated_endpoints` (experimental): other FHIR servers that one sign-in may serve.
    #[serde(default)]
    pub associated_endpoints: Vec<AssociatedEndpoint>,
    /// `scopes_supported`; not exhaustive.
    pub scopes_supported: Vec<String>,
    /// `capabilities`; unknown ones are kept.
    pub capabilities: Vec<String>,
    /// `token_endpoint_auth_methods_supported`.
    pub token_endpoint_auth_methods: Vec<String>,
    /// `token_endpoint_auth_signing_alg_values_supported`.
    pub token_endpoint_auth_signing_algs: Vec<String>,
    /// `grant_types_supported`.
    pub grant_types: Vec<String>,
    /// `code_challenge_methods_supported`.
    pub code_challenge_methods: Vec<String>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3).
    pub iss_parameter_supported: bool,
    /// The document as it came.
    pub raw: String,
}

/// A FHIR server beside this one (SMART App Launch 2.2, "Metadata": `associated_endpoints`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatedEndpoint {
    /// Its FHIR base URL.
    pub url: Url,
    /// What it can do, as its own `capabilities`.
    pub capabilities: Vec<String>,
}

impl SmartConfiguration {
    /// Reads a smart-configuration that was found below `base`, without asking its issuer.
    ///
    /// # Errors
    /// [`DiscoveryError`] of the document.
    pub fn read(
        policy: &HttpPolicy,
        base: &FhirBaseUrl,
        document: &[u8],
    ) -> Result<Self, DiscoveryError> {
        from_document(policy, base, document)
    }

    /// Reads the endpoints that a server of SMART 1 names in its capability statement (extension
    /// `oauth-uris`). `None` when `statement` is a FHIR resource without them.
    ///
    /// # Errors
    /// [`DiscoveryError::NotFhir`], and those of the endpoints.
    pub fn read_statement(
        policy: &HttpPolicy,
        base: &FhirBaseUrl,
        statement: &[u8],
    ) -> Result<Option<Self>, DiscoveryError> {
        from_statement(policy, base, statement)
    }

    /// Holds the issuer against the metadata that was found at it (`metadata`; `None` when there was
    /// none), and takes from there what the smart-configuration leaves out. A configuration without
    /// an issuer has nothing to confirm.
    ///
    /// # Errors
    /// [`DiscoveryError::IssuerMismatch`] when the metadata names another issuer, or the issuer
    /// belongs to another origin and does not vouch for this server (OpenID Connect Discovery §4.3,
    /// RFC 8414 §3.3).
    pub fn confirm_issuer(
        &mut self,
        policy: &HttpPolicy,
        base: &FhirBaseUrl,
        metadata: Option<&[u8]>,
    ) -> Result<(), DiscoveryError> {
        let metadata = metadata.and_then(|bytes| serde_json::from_slice(bytes).ok());
        issuer::hold_against(policy, base, self, metadata)
    }

    fn is_read_from(&self, body: &[u8]) -> bool {
        text_of(body) == Some(&self.raw)
    }

    /// Whether the server lists a capability, such as `permission-v2`.
    #[must_use]
    pub fn supports(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|listed| listed == capability)
    }

    /// Whether PKCE with S256 is offered (RFC 7636; required by SMART App Launch 2).
    #[must_use]
    pub fn offers_s256(&self) -> bool {
        self.code_challenge_methods
            .iter()
            .any(|method| method == "S256")
    }
}

/// Why there is no configuration to work with.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Something answers, but it is no FHIR server.
    #[error("there is no FHIR server at this address")]
    NotFhir,
    /// A FHIR server without SMART App Launch.
    #[error("the FHIR server offers no SMART configuration (HTTP status {status})")]
    NotSmart {
        /// Status of the well-known document.
        status: u16,
    },
    /// The smart-configuration is not a JSON object.
    #[error("the smart-configuration is not a JSON object")]
    NotJson,
    /// A required endpoint is missing.
    #[error("the smart-configuration lacks {name}")]
    MissingEndpoint {
        /// Its member name.
        name: &'static str,
    },
    /// An endpoint is not a URL.
    #[error("the smart-configuration's {name} is not a usable URL: {found}")]
    InvalidEndpoint {
        /// Its member name.
        name: &'static str,
        /// What is there instead.
        found: String,
    },
    /// An endpoint that is not https.
    #[error("the smart-configuration's {name} is not protected by https: {found}")]
    InsecureEndpoint {
        /// Its member name.
        name: &'static str,
        /// What is there instead.
        found: String,
    },
    /// An endpoint on this machine or in its own network, named by a server out in the world.
    #[error("the smart-configuration's {name} is not a public address: {found}")]
    PrivateEndpoint {
        /// Its member name.
        name: &'static str,
        /// What is there instead.
        found: String,
    },
    /// The issuer is not who it should be: its own metadata names another one, or it belongs to
    /// another origin that does not vouch for this server.
    #[error("the issuer {found} is not the expected {expected}")]
    IssuerMismatch {
        /// The issuer, or origin, that was expected.
        expected: String,
        /// The one that was found.
        found: String,
    },
    /// No PKCE with S256, without which there is no login.
    #[error("the server does not offer PKCE with S256")]
    PkceS256NotSupported,
    /// The network.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Reads and checks what the server says about itself.
///
/// Where there is no well-known document, the capability statement is read: to tell a FHIR server
/// without SMART from something else, and for the endpoints of SMART 1 servers.
///
/// # Errors
/// [`DiscoveryError`]; nothing of a document that failed a check is used.
pub async fn discover(
    http: &HttpClient,
    base: &FhirBaseUrl,
) -> Result<SmartConfiguration, DiscoveryError> {
    discover_beside(http, base, None).await
}

/// As [`discover`], where the server is known from before: a smart-configuration that is the same to the
/// byte as `known` was confirmed by its issuer then, who is not asked again. Not for a sign-in.
///
/// # Errors
/// As [`discover`].
pub async fn discover_again(
    http: &HttpClient,
    base: &FhirBaseUrl,
    known: &SmartConfiguration,
) -> Result<SmartConfiguration, DiscoveryError> {
    discover_beside(http, base, Some(known)).await
}

async fn discover_beside(
    http: &HttpClient,
    base: &FhirBaseUrl,
    known: Option<&SmartConfiguration>,
) -> Result<SmartConfiguration, DiscoveryError> {
    let url = base.join(".well-known/smart-configuration");
    let answer = http.for_documents().get(Get::json(&url)).await?;
    if let Some(known) =
        known.filter(|known| answer.is_success() && known.is_read_from(&answer.body))
    {
        trace::check("A23", "The server describes itself as before", true);
        return Ok(known.clone());
    }
    let mut configuration = match answer.status {
        200..=299 => trace::checked(
            "A8",
            "The smart-configuration is JSON, its endpoints are protected",
            from_document(http.policy(), base, &answer.body),
        )?,
        // Absent, or refused as such: an old server, or none (section "Declaring support").
        400 | 401 | 403 | 404 | 405 | 406 | 410 | 501 => {
            let url = base.join("metadata");
            let get = Get {
                accept: "application/fhir+json",
                ..Get::json(&url)
            };
            let statement = http.get(get).await?;
            from_statement(http.policy(), base, &statement.body)?.ok_or(
                DiscoveryError::NotSmart {
                    status: answer.status,
                },
            )?
        }
        _ => return Err(answer.status_error().into()),
    };
    issuer::confirm(http, base, &mut configuration).await?;
    trace::check(
        "A6",
        "Sign-in, where there is one, offers PKCE with S256",
        configuration.authorization_endpoint.is_none() || configuration.offers_s256(),
    );
    if configuration.authorization_endpoint.is_some() && !configuration.offers_s256() {
        return Err(DiscoveryError::PkceS256NotSupported);
    }
    Ok(configuration)
}

fn text_of(body: &[u8]) -> Option<&str> {
    Some(
        std::str::from_utf8(body)
            .ok()?
            .trim_start_matches('\u{feff}'),
    )
}

fn from_document(
    policy: &HttpPolicy,
    base: &FhirBaseUrl,
    body: &[u8],
) -> Result<SmartConfiguration, DiscoveryError> {
    let raw = text_of(body).ok_or(DiscoveryError::NotJson)?;
    let members: Map<String, Value> =
        serde_json::from_str(raw).map_err(|_| DiscoveryError::NotJson)?;
    let endpoint = |name| endpoint(&members, name, policy, base);
    let list = |name| strings(&members, name);
    let capabilities = list("capabilities");
    let authorization_endpoint = endpoint("authorization_endpoint")?;
    let launches = |c: &String| c == "launch-standalone" || c == "launch-ehr";
    if authorization_endpoint.is_none() && capabilities.iter().any(launches) {
        return Err(DiscoveryError::MissingEndpoint {
            name: "authorization_endpoint",
        });
    }
    // The issuer is compared code point for code point, so its text is kept; that it is a protected
    // URL is checked all the same.
    endpoint("issuer")?;
    Ok(SmartConfiguration {
        issuer: members
            .get("issuer")
            .and_then(Value::as_str)
            .filter(|i| !i.is_empty())
            .map(str::to_owned),
        jwks_uri: endpoint("jwks_uri")?,
        authorization_endpoint,
        token_endpoint: endpoint("token_endpoint")?.ok_or(DiscoveryError::MissingEndpoint {
            name: "token_endpoint",
        })?,
        registration_endpoint: endpoint("registration_endpoint")?,
        revocation_endpoint: endpoint("revocation_endpoint")?,
        introspection_endpoint: endpoint("introspection_endpoint")?,
        end_session_endpoint: endpoint("end_session_endpoint")?,
        management_endpoint: endpoint("management_endpoint")?,
        brand: BrandLink::read(&members, policy, base),
        associated_endpoints: associated(&members, policy, base),
        scopes_supported: list("scopes_supported"),
        capabilities,
        token_endpoint_auth_methods: list("token_endpoint_auth_methods_supported"),
        token_endpoint_auth_signing_algs: list("token_endpoint_auth_signing_alg_values_supported"),
        grant_types: list("grant_types_supported"),
        code_challenge_methods: list("code_challenge_methods_supported"),
        iss_parameter_supported: issuer::announces_iss_parameter(&members),
        raw: raw.to_owned(),
    })
}

/// The way of SMART 1: endpoints in the capability statement's `oauth-uris` extension.
fn from_statement(
    policy: &HttpPolicy,
    base: &FhirBaseUrl,
    body: &[u8],
) -> Result<Option<SmartConfiguration>, DiscoveryError> {
    let Some(statement) = statement_of(body)? else {
        return Ok(None);
    };
    let mut members = Map::new();
    for (extension, name) in [
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("register", "registration_endpoint"),
        ("manage", "management_endpoint"),
        ("introspect", "introspection_endpoint"),
        ("revoke", "revocation_endpoint"),
    ] {
        if let Some(uri) = statement.oauth_uri(extension) {
            members.insert(name.to_owned(), Value::String(uri));
        }
    }
    if !members.contains_key("token_endpoint") {
        return Ok(None);
    }
    let document = Value::Object(members).to_string();
    from_document(policy, base, document.as_bytes()).map(Some)
}

/// The capability statement; `None` when another FHIR resource came, such as an OperationOutcome
/// that asks for a login.
fn statement_of(body: &[u8]) -> Result<Option<CapabilityStatement>, DiscoveryError> {
    let text = std::str::from_utf8(body).map_err(|_| DiscoveryError::NotFhir)?;
    if let Ok(statement) = CapabilityStatement::parse(text) {
        return Ok(Some(statement));
    }
    let json: Value = serde_json::from_str(text).map_err(|_| DiscoveryError::NotFhir)?;
    match json.get("resourceType") {
        Some(Value::String(_)) => Ok(None),
        _ => Err(DiscoveryError::NotFhir),
    }
}

/// An endpoint: absolute, or relative to the FHIR base as old servers write it; then held against
/// the client's policy.
fn endpoint(
    members: &Map<String, Value>,
    name: &'static str,
    policy: &HttpPolicy,
    base: &FhirBaseUrl,
) -> Result<Option<Url>, DiscoveryError> {
    let text = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim(),
        Some(other) => return Err(invalid(name, &other.to_string())),
    };
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let mut folder = base.url().clone();
            folder.set_path(&format!("{}/", folder.path().trim_end_matches('/')));
            folder.join(text).map_err(|_| invalid(name, text))?
        }
        Err(_) => return Err(invalid(name, text)),
    };
    let insecure = !(is_loopback(&url) && policy.allow_http_on_loopback);
    match url.scheme() {
        "https" => {}
        "http" if insecure => {
            return Err(DiscoveryError::InsecureEndpoint {
                name,
                found: crate::http::printable(&url),
            });
        }
        "http" => {}
        _ => return Err(invalid(name, text)),
    }
    if !Reach::from_source(base.url()).covers(&url) {
        return Err(DiscoveryError::PrivateEndpoint {
            name,
            found: crate::http::printable(&url),
        });
    }
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain {
        Ok(Some(url))
    } else {
        Err(invalid(name, text))
    }
}

/// The associated endpoints that can be used; what is no such thing is left out.
fn associated(
    members: &Map<String, Value>,
    policy: &HttpPolicy,
    base: &FhirBaseUrl,
) -> Vec<AssociatedEndpoint> {
    let list = members
        .get("associated_endpoints")
        .and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .filter_map(|one| {
            Some(AssociatedEndpoint {
                url: endpoint(one, "url", policy, base).ok()??,
                capabilities: strings(one, "capabilities"),
            })
        })
        .take(MAX_ASSOCIATED)
        .collect()
}

fn invalid(name: &'static str, found: &str) -> DiscoveryError {
    DiscoveryError::InvalidEndpoint {
        name,
        found: crate::text::plain(found, 200),
    }
}

/// The strings of an array; members of another kind are skipped.
pub(crate) fn strings(members: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = members.get(name).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
