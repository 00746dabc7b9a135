//! A login between the browser's departure and its return.

use super::AuthorizationError;
use crate::callback::{self, CallbackError, Parameters};
use crate::client_auth::ClientAuthentication;
use crate::discovery::SmartConfiguration;
use crate::grant::{Grant, TokenEndpoint};
use crate::http::{FhirBaseUrl, HttpClient};
use crate::id_token::{self, IdTokenClaims, IdTokenError};
use crate::secret::{SecretString, for_encrypted_store};
use crate::text::{DESCRIPTION, plain};
use crate::time::{Clock, Random};
use crate::token::{TokenError, TokenResponse, WireToken};
use crate::trace;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::pin::pin;
use url::Url;

/// How long the person has in the browser.
const LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Everything that belongs to one login.
#[derive(Clone)]
pub(super) struct Transaction {
    pub(super) state: SecretString,
    pub(super) verifier: SecretString,
    pub(super) nonce: Option<SecretString>,
    pub(super) created_at: jiff::Timestamp,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) fhir_base: FhirBaseUrl,
    pub(super) configuration: SmartConfiguration,
}

/// A login that waits for its answer. It is consumed by [`PendingAuthorization::accept`].
pub struct PendingAuthorization {
    transaction: Transaction,
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingAuthorization({})", self.transaction.fhir_base)
    }
}

/// A pending login in the form in which it is stored, so that it survives a restart of the app. It
/// holds the PKCE verifier: it belongs into an encrypted store and nowhere else.
#[derive(Serialize, Deserialize)]
pub struct StoredPending {
    #[serde(with = "for_encrypted_store")]
    state: SecretString,
    #[serde(with = "for_encrypted_store")]
    verifier: SecretString,
    nonce: Option<StoredSecret>,
    created_at: jiff::Timestamp,
    client_id: String,
    redirect_uri: String,
    scope: String,
    fhir_base: FhirBaseUrl,
    configuration: SmartConfiguration,
}

#[derive(Serialize, Deserialize)]
struct StoredSecret(#[serde(with = "for_encrypted_store")] SecretString);

impl StoredPending {
    /// The server as it was when the login began.
    #[must_use]
    pub fn configuration(&self) -> &SmartConfiguration {
        &self.configuration
    }
}

impl fmt::Debug for StoredPending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredPending({}, [secret])", self.fhir_base)
    }
}

impl PendingAuthorization {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self { transaction }
    }

    /// The `state` that was sent: the name under which the login is stored. It is as secret as the
    /// login is pending; store a hash of it.
    #[must_use]
    pub fn state(&self) -> &str {
        self.transaction.state.expose()
    }

    /// When the login began.
    #[must_use]
    pub fn created_at(&self) -> jiff::Timestamp {
        self.transaction.created_at
    }

    /// The redirect URI that was sent.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.transaction.redirect_uri
    }

    /// The form for the encrypted store.
    #[must_use]
    pub fn to_stored(&self) -> StoredPending {
        let transaction = self.transaction.clone();
        StoredPending {
            state: transaction.state,
            verifier: transaction.verifier,
            nonce: transaction.nonce.map(StoredSecret),
            created_at: transaction.created_at,
            client_id: transaction.client_id,
            redirect_uri: transaction.redirect_uri,
            scope: transaction.scope,
            fhir_base: transaction.fhir_base,
            configuration: transaction.configuration,
        }
    }

    /// Back from the store.
    ///
    /// # Errors
    /// [`AuthorizationError::UnreadablePending`] when it was not made by
    /// [`PendingAuthorization::to_stored`].
    pub fn from_stored(stored: StoredPending) -> Result<Self, AuthorizationError> {
        let whole =
            !stored.state.expose().is_empty() && crate::pkce::challenge(&stored.verifier).is_some();
        if !whole {
            return Err(AuthorizationError::UnreadablePending);
        }
        Ok(Self::new(Transaction {
            state: stored.state,
            verifier: stored.verifier,
            nonce: stored.nonce.map(|StoredSecret(nonce)| nonce),
            created_at: stored.created_at,
            client_id: stored.client_id,
            redirect_uri: stored.redirect_uri,
            scope: stored.scope,
            fhir_base: stored.fhir_base,
            configuration: stored.configuration,
        }))
    }

    /// Holds a callback against this login. Consumes the login: there is no second try.
    ///
    /// Checked in this order: length and form, the exact redirect URI, `state`, ten minutes, `iss`
    /// (RFC 9207), and only then what the answer says.
    ///
    /// # Errors
    /// [`CallbackError`].
    pub fn accept(
        self,
        callback: &str,
        clock: &dyn Clock,
    ) -> Result<AuthorizationCode, CallbackError> {
        let (address, parameters) = trace::checked(
            "C31",
            "The callback is a short URL with each parameter once",
            callback::read(callback),
        )?;
        let transaction = self.transaction;
        trace::check(
            "C33",
            "It came to the very redirect URI of this sign-in",
            is_at(&address, &transaction.redirect_uri),
        );
        if !is_at(&address, &transaction.redirect_uri) {
            return Err(CallbackError::WrongRedirect);
        }
        let state = parameters
            .state
            .as_deref()
            .ok_or(CallbackError::MissingState)?;
        trace::checked(
            "C4",
            "Its state is the one that was sent",
            verify_slices_are_equal(state.as_bytes(), transaction.state.expose().as_bytes()),
        )
        .map_err(|_| CallbackError::StateMismatch)?;
        trace::check(
            "C4",
            "It came within ten minutes",
            clock.now().duration_since(transaction.created_at) <= LIFETIME,
        );
        if clock.now().duration_since(transaction.created_at) > LIFETIME {
            return Err(CallbackError::Expired);
        }
        trace::checked(
            "C34",
            "It comes from the issuer that was asked",
            check_issuer(&transaction, parameters.iss.as_deref()),
        )?;
        let code = trace::checked("C36", "It brings a code and no error", outcome(parameters))?;
        Ok(AuthorizationCode { code, transaction })
    }
}

/// The very redirect URI of the login, query and fragment of the answer aside.
fn is_at(address: &Url, redirect_uri: &str) -> bool {
    Url::parse(redirect_uri).is_ok_and(|mut expected| {
        expected.set_query(None);
        expected.set_fragment(None);
        expected == *address
    })
}

/// RFC 9207 §2.4: where `iss` is given it must be the issuer; where it was promised it must be given.
/// A server that names no issuer and promises nothing may give one of its own origins all the same; one
/// of elsewhere says that somebody else answers.
fn check_issuer(transaction: &Transaction, iss: Option<&str>) -> Result<(), CallbackError> {
    let configuration = &transaction.configuration;
    let expected = configuration.issuer.as_deref();
    let holds = match (expected, iss) {
        (Some(expected), Some(iss)) => expected == iss,
        (_, None) => !configuration.iss_parameter_supported,
        (None, Some(iss)) => !configuration.iss_parameter_supported && transaction.is_own(iss),
    };
    if holds {
        return Ok(());
    }
    let base = || transaction.fhir_base.as_str();
    Err(CallbackError::IssuerMismatch {
        expected: Some(expected.unwrap_or_else(base).to_owned()),
        found: iss.map(|iss| plain(iss, 200)),
    })
}

/// An error where there is one, even beside a code; else the code.
fn outcome(parameters: Parameters) -> Result<SecretString, CallbackError> {
    let description = parameters
        .error_description
        .map(|words| plain(&words, DESCRIPTION));
    match (parameters.error, parameters.code) {
        (Some(error), _) if error == "access_denied" => Err(CallbackError::Denied { description }),
        (Some(error), _) => Err(CallbackError::ServerError {
            code: plain(&error, 100),
            description,
        }),
        (None, Some(code))
            if !code.is_empty() && code.bytes().all(|b| (0x20..=0x7e).contains(&b)) =>
        {
            Ok(SecretString::new(code))
        }
        (None, Some(_)) => Err(CallbackError::Malformed(
            "the code has characters that no code has",
        )),
        (None, None) => Err(CallbackError::Malformed("neither code nor error")),
    }
}

/// An authorization code together with the login that it belongs to. There is no other way to one
/// than [`PendingAuthorization::accept`], and [`AuthorizationCode::exchange`] consumes it.
pub struct AuthorizationCode {
    code: SecretString,
    transaction: Transaction,
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AuthorizationCode({}, [secret])",
            self.transaction.fhir_base
        )
    }
}

impl AuthorizationCode {
    /// Trades the code for tokens at the token endpoint that the login began with (RFC 6749 §4.1.3,
    /// RFC 7636 §4.5), and verifies the id_token.
    ///
    /// # Errors
    /// [`TokenError`]. When the id_token does not hold, all tokens of the response are dropped.
    pub async fn exchange(
        self,
        http: &HttpClient,
        authentication: &ClientAuthentication,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<TokenResponse, TokenError> {
        let transaction = &self.transaction;
        let endpoint = TokenEndpoint {
            http,
            url: &transaction.configuration.token_endpoint,
            audience: &transaction.configuration.token_endpoint,
            client_id: &transaction.client_id,
            authentication,
            clock,
            random,
        };
        let grant = Grant::AuthorizationCode {
            code: &self.code,
            verifier: &transaction.verifier,
            redirect_uri: &transaction.redirect_uri,
        };
        // Both are known to be needed, and neither needs the other: the keys come while the token is
        // on its way. A token that is refused does not wait for them.
        let mut keys = pin!(transaction.keys(http));
        let mut early = None;
        let mut request = pin!(endpoint.request(&grant));
        let answer = loop {
            tokio::select! {
                // The code goes out first, so that a trace tells it in this order.
                biased;
                answer = &mut request => break answer,
                answer = &mut keys, if early.is_none() => early = Some(answer),
            }
        };
        let mut wire = trace::checked(
            "D11",
            "The token endpoint gives tokens for the code",
            answer,
        )?;
        let keys = async {
            match early {
                Some(keys) => keys,
                None => keys.await,
            }
        };
        let claims = transaction
            .verify_id_token(http, keys, &mut wire, clock.now())
            .await?;
        let mut response = trace::checked(
            "D12",
            "The token is a bearer token, its context well-formed",
            wire.into_response(clock.now(), Some(&transaction.scope)),
        )?;
        if let Some(user) = claims.as_ref().and_then(|claims| claims.fhir_user.clone()) {
            response.launch_context.fhir_user = Some(user);
        }
        response.id_token_claims = claims;
        Ok(response)
    }
}

impl Transaction {
    /// Whether a URL is at the server that was asked: where its records, its sign-in or its tokens are.
    fn is_own(&self, text: &str) -> bool {
        let configuration = &self.configuration;
        let own = [
            Some(self.fhir_base.url()),
            configuration.authorization_endpoint.as_ref(),
            Some(&configuration.token_endpoint),
        ];
        let origin = Url::parse(text).map(|url| url.origin());
        origin.is_ok_and(|origin| own.into_iter().flatten().any(|url| url.origin() == origin))
    }

    /// The issuer's keys, where an id_token was asked for.
    async fn keys(&self, http: &HttpClient) -> Result<Vec<u8>, IdTokenError> {
        match &self.nonce {
            Some(_) => id_token::fetch_keys(http, self.configuration.jwks_uri.as_ref()).await,
            None => Err(IdTokenError::Missing),
        }
    }

    /// Where `openid` was asked for, an id_token that comes must hold, and one must come if the
    /// server says that it granted `openid`.
    async fn verify_id_token(
        &self,
        http: &HttpClient,
        keys: impl Future<Output = Result<Vec<u8>, IdTokenError>>,
        wire: &mut WireToken,
        now: jiff::Timestamp,
    ) -> Result<Option<IdTokenClaims>, IdTokenError> {
        let servers_time = wire.servers_time;
        let Some(nonce) = &self.nonce else {
            return Ok(None);
        };
        let Some(id_token) = wire.take_id_token() else {
            trace::check(
                "D30",
                "An id_token comes where openid was granted",
                !wire.says_granted("openid"),
            );
            return if wire.says_granted("openid") {
                Err(IdTokenError::Missing)
            } else {
                Ok(None)
            };
        };
        let expected = id_token::Expected {
            issuer: self.configuration.issuer.as_deref(),
            client_id: &self.client_id,
            nonce: nonce.expose(),
            now,
            servers_time,
        };
        let jwks_uri = self.configuration.jwks_uri.as_ref();
        id_token::verify(http, jwks_uri, keys, &expected, &id_token)
            .await
            .map(Some)
    }
}
