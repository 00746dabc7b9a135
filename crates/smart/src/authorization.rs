//! The authorization request and its answer (SMART App Launch 2.2, "Obtain authorization code"; RFC
//! 6749 §4.1, RFC 7636, RFC 9207).
//!
//! [`AuthorizationRequest::start`] gives the address for the browser and a [`PendingAuthorization`].
//! Its `accept` consumes it and gives an [`AuthorizationCode`], the only way to one; `exchange`
//! consumes that. A callback can so be used once, and a code only with the login that it belongs to.

mod form;
mod pending;

pub use crate::callback::{CallbackError, callback_state};
pub use form::AuthorizationForm;
pub use pending::{AuthorizationCode, PendingAuthorization, StoredPending};

use crate::discovery::SmartConfiguration;
use crate::http::FhirBaseUrl;
use crate::pkce;
use crate::scope::is_well_formed;
use crate::secret::SecretString;
use crate::time::{Clock, Random, random_text};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope};
use pending::Transaction;
use url::Url;

/// A login to begin.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The server, as discovered just now.
    pub configuration: SmartConfiguration,
    /// Whose data: sent as `aud`.
    pub fhir_base: FhirBaseUrl,
    /// How `aud` is written.
    pub audience: Audience,
    /// This installation's `client_id`.
    pub client_id: String,
    /// One of the registered redirect URIs; loopback with the port in use (RFC 8252 §7.3).
    pub redirect_uri: String,
    /// Space-separated scopes.
    pub scope: String,
    /// The `launch` value of an EHR launch, passed on unchanged.
    pub launch: Option<String>,
    /// `prompt`, when something has to be asked anew.
    pub prompt: Option<Prompt>,
}

/// How `aud` is written (SMART App Launch 2.2, "Obtain authorization code"). Anything but the base is for
/// servers of which it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// The FHIR base, without a slash at its end.
    #[default]
    Base,
    /// The FHIR base with a slash at its end.
    BaseWithSlash,
    /// Not sent, against SMART: the server refuses a request that has it. Without it a rogue server could
    /// be sent a token of another one, so the tokens of this login go to `fhir_base` alone.
    OmittedAgainstSmart,
}

/// What the server has to ask the person again (OpenID Connect Core §3.1.2.1). `max_age` is never
/// sent: SMART forbids it towards servers that do not support it, and nothing here needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// `login`: somebody else wants to sign in.
    Login,
    /// `consent`: strict OpenID providers give `offline_access` only with it (§11).
    Consent,
}

impl Prompt {
    /// The wire value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Consent => "consent",
        }
    }

    /// `consent`, where `offline_access` is asked of a server that says it knows the word
    /// (`prompt_values_supported`, OpenID Connect Prompt Create 1.0 §4). Others are not sent what
    /// they may not know.
    #[must_use]
    pub fn for_offline_access(scope: &str, configuration: &SmartConfiguration) -> Option<Self> {
        let asks = scope.split(' ').any(|one| one == "offline_access");
        let document: serde_json::Value = serde_json::from_str(&configuration.raw).ok()?;
        let knows = document
            .get("prompt_values_supported")
            .and_then(serde_json::Value::as_array)
            .is_some_and(|values| values.iter().any(|value| value == "consent"));
        (asks && knows).then_some(Self::Consent)
    }
}

/// Why a login cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The server has no authorization endpoint.
    #[error("the server has no authorization endpoint")]
    NoAuthorizationEndpoint,
    /// The server does not offer PKCE with S256, without which there is no login.
    #[error("the server does not offer PKCE with S256")]
    PkceS256NotSupported,
    /// A scope with characters that no scope has (RFC 6749 §3.3).
    #[error("the scopes contain characters that are not allowed")]
    InvalidScope,
    /// The redirect URI is no URL.
    #[error("the redirect URI is not a URL")]
    InvalidRedirectUri,
    /// The authorization endpoint's own query has one of our parameters.
    #[error("the authorization endpoint already has the parameter {0}")]
    EndpointHasParameter(String),
    /// A stored login that cannot be read back.
    #[error("the stored login cannot be read")]
    UnreadablePending,
}

/// What we write into the authorization URL.
const OURS: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "launch",
    "nonce",
    "prompt",
    "code_challenge",
    "code_challenge_method",
];

impl AuthorizationRequest {
    /// Makes the address to open in the browser, and what has to be kept until the answer comes:
    /// `state` and `nonce` of 256 random bits each, PKCE with S256 always.
    ///
    /// # Errors
    /// [`AuthorizationError`]; nothing has been sent then.
    pub fn start(
        self,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<(Url, PendingAuthorization), AuthorizationError> {
        let endpoint = self.checked_endpoint()?;
        let verifier = pkce::new_verifier(random);
        let challenge =
            pkce::challenge(&verifier).ok_or(AuthorizationError::PkceS256NotSupported)?;
        let state = random_text(random, 32);
        let nonce = self
            .scope
            .split_ascii_whitespace()
            .any(|s| s == "openid")
            .then(|| random_text(random, 32));
        let redirect = RedirectUrl::new(self.redirect_uri.clone())
            .map_err(|_| AuthorizationError::InvalidRedirectUri)?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(endpoint))
            .set_redirect_uri(redirect);
        let scopes = self
            .scope
            .split_ascii_whitespace()
            .map(|scope| Scope::new(scope.to_owned()));
        let mut request = client
            .authorize_url(|| CsrfToken::new(state.clone()))
            .add_scopes(scopes)
            .set_pkce_challenge(challenge);
        request = match self.audience {
            Audience::Base => request.add_extra_param("aud", self.fhir_base.as_str()),
            Audience::BaseWithSlash => {
                request.add_extra_param("aud", format!("{}/", self.fhir_base.as_str()))
            }
            Audience::OmittedAgainstSmart => request,
        };
        if let Some(nonce) = &nonce {
            request = request.add_extra_param("nonce", nonce);
        }
        if let Some(launch) = &self.launch {
            request = request.add_extra_param("launch", launch);
        }
        if let Some(prompt) = self.prompt {
            request = request.add_extra_param("prompt", prompt.as_str());
        }
        let (url, _) = request.url();
        let transaction = Transaction {
            state: SecretString::new(state),
            verifier,
            nonce: nonce.map(SecretString::new),
            created_at: clock.now(),
            client_id: self.client_id,
            redirect_uri: self.redirect_uri,
            scope: self.scope,
            fhir_base: self.fhir_base,
            configuration: self.configuration,
        };
        Ok((url, PendingAuthorization::new(transaction)))
    }

    fn checked_endpoint(&self) -> Result<Url, AuthorizationError> {
        let endpoint = self
            .configuration
            .authorization_endpoint
            .clone()
            .ok_or(AuthorizationError::NoAuthorizationEndpoint)?;
        if !self.configuration.offers_s256() {
            return Err(AuthorizationError::PkceS256NotSupported);
        }
        if !is_well_formed(&self.scope) {
            return Err(AuthorizationError::InvalidScope);
        }
        if let Some((name, _)) = endpoint
            .query_pairs()
            .find(|(name, _)| OURS.contains(&name.as_ref()))
        {
            return Err(AuthorizationError::EndpointHasParameter(name.into_owned()));
        }
        Ok(endpoint)
    }
}
