//! One request to the token or revocation endpoint, with the client's proof, and the one second try
//! that a refused proof may deserve.

use crate::client_auth::{ASSERTION_TYPE, Audience, ClientAuthentication, client_assertion};
use crate::http::{Answer, HttpClient, HttpError};
use crate::introspection::Introspection;
use crate::keys::SigningKey;
use crate::scope::Scopes;
use crate::secret::SecretString;
use crate::time::{Clock, Random};
use crate::token::{TokenError, TokenTransport, WireToken};
use jiff::SignedDuration;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
};
use oauth2::{
    AccessToken, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet,
    EndpointSet, HttpRequest, IntrospectionUrl, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RevocableToken, RevocationUrl, Scope, TokenIntrospectionResponse as _, TokenUrl,
};
use std::borrow::Cow;
use std::sync::Mutex;
use url::{Url, form_urlencoded};

/// What is traded for tokens.
pub(crate) enum Grant<'a> {
    /// `authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5).
    AuthorizationCode {
        code: &'a SecretString,
        verifier: &'a SecretString,
        redirect_uri: &'a str,
    },
    /// `refresh_token` (RFC 6749 §6).
    RefreshToken(&'a SecretString),
    /// `client_credentials` (RFC 6749 §4.4; SMART Backend Services).
    ClientCredentials { scope: &'a str },
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 §2.1), signed by the client itself.
    JwtBearer { key: &'a SigningKey },
}

impl Grant<'_> {
    fn scope(&self) -> &str {
        match self {
            Self::ClientCredentials { scope } => scope,
            _ => "",
        }
    }
}

/// The grant type of RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token or revocation endpoint, and who asks it.
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) http: &'a HttpClient,
    pub(crate) url: &'a Url,
    /// `aud` of the client's assertion: the token endpoint, wherever the request goes (SMART App
    /// Launch, "Client Authentication: Asymmetric"; RFC 7523 §3).
    pub(crate) audience: &'a Url,
    pub(crate) client_id: &'a str,
    pub(crate) authentication: &'a ClientAuthentication,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a dyn Random,
}

/// How a client's proof is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Proof {
    /// The server's clock minus ours.
    skew: SignedDuration,
    /// Form-encode name and password before base64 (RFC 6749 §2.3.1), which SMART's text leaves out.
    encode_basic: bool,
}

/// A clock that is off by more than this makes an assertion look expired or not yet valid.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

struct HintedToken<'a> {
    token: &'a SecretString,
    hint: &'a str,
}

impl RevocableToken for HintedToken<'_> {
    fn secret(&self) -> &str {
        self.token.expose()
    }

    fn type_hint(&self) -> Option<&str> {
        Some(self.hint)
    }
}

type OAuthClient<'a> = Client<
    BasicErrorResponse,
    WireToken,
    BasicTokenIntrospectionResponse,
    HintedToken<'a>,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointSet,
>;

impl TokenEndpoint<'_> {
    /// Asks for tokens.
    pub(crate) async fn request(&self, grant: &Grant<'_>) -> Result<WireToken, TokenError> {
        let (error, proof) = match self.request_once(grant, Proof::default()).await {
            Ok(token) => return Ok(token),
            Err((error, None)) => return Err(error),
            Err((error, Some(proof))) => (error, proof),
        };
        tracing::info!(%error, ?proof, "the client's proof is made once more");
        self.request_once(grant, proof)
            .await
            .map_err(|(error, _)| error)
    }

    async fn request_once(
        &self,
        grant: &Grant<'_>,
        proof: Proof,
    ) -> Result<WireToken, (TokenError, Option<Proof>)> {
        let sent_at = self.clock.now();
        let client = self.client();
        let mut transport = self.transport(proof);
        let mut extra = self.extra(proof).map_err(|error| (error, None))?;
        if let Grant::JwtBearer { key } = grant {
            transport.grant_type = Some(JWT_BEARER);
            let assertion = self
                .assertion(key, Audience::TokenEndpoint(self.audience), proof)
                .map_err(|error| (error, None))?;
            extra.push(("assertion", assertion.expose().clone()));
        }
        let answer = match grant {
            Grant::AuthorizationCode {
                code,
                verifier,
                redirect_uri,
            } => {
                let redirect = RedirectUrl::new((*redirect_uri).to_owned())
                    .map_err(|_| (TokenError::Malformed("redirect_uri".to_owned()), None))?;
                let mut request = client
                    .exchange_code(AuthorizationCode::new(code.expose().clone()))
                    .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()))
                    .set_redirect_uri(Cow::Owned(redirect));
                for (name, value) in extra {
                    request = request.add_extra_param(name, value);
                }
                request.request_async(&transport).await
            }
            Grant::RefreshToken(token) => {
                let token = RefreshToken::new(token.expose().clone());
                let mut request = client.exchange_refresh_token(&token);
                for (name, value) in extra {
                    request = request.add_extra_param(name, value);
                }
                request.request_async(&transport).await
            }
            Grant::ClientCredentials { .. } | Grant::JwtBearer { .. } => {
                let mut request = client.exchange_client_credentials();
                for scope in grant.scope().split_ascii_whitespace() {
                    request = request.add_scope(Scope::new(scope.to_owned()));
                }
                for (name, value) in extra {
                    request = request.add_extra_param(name, value);
                }
                request.request_async(&transport).await
            }
        };
        let seen = transport.take_seen();
        let date = seen.date;
        let dated = |mut token: WireToken| {
            token.servers_time = date;
            token
        };
        answer.map(dated).map_err(|error| {
            let error = crate::token::from_library(error, seen);
            let again = match grant {
                Grant::JwtBearer { .. } if error.is_invalid_grant() => other_clock(date, sent_at),
                _ if error.is_invalid_client() => self.better_proof(date, sent_at),
                _ => None,
            };
            (error, again)
        })
    }

    /// Revokes a token (RFC 7009 §2.1).
    pub(crate) async fn revoke(&self, token: &SecretString, hint: &str) -> Result<(), TokenError> {
        let proof = Proof::default();
        let client = self.client();
        let transport = self.transport(proof);
        let mut request = client
            .revoke_token(HintedToken { token, hint })
            .map_err(|_| TokenError::Malformed("revocation_endpoint".to_owned()))?;
        for (name, value) in self.extra(proof)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&transport).await;
        answer.map_err(|error| crate::token::from_library(error, transport.take_seen()))
    }

    /// Asks about a token (RFC 7662 §2.1).
    pub(crate) async fn introspect(
        &self,
        token: &SecretString,
    ) -> Result<Introspection, TokenError> {
        let proof = Proof::default();
        let client = self
            .client()
            .set_introspection_url(IntrospectionUrl::from_url(self.url.clone()));
        let transport = self.transport(proof);
        let token = AccessToken::new(token.expose().clone());
        let mut request = client.introspect(&token);
        for (name, value) in self.extra(proof)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request
            .request_async(&transport)
            .await
            .map_err(|error| crate::token::from_library(error, transport.take_seen()))?;
        Ok(introspection(&answer))
    }

    fn client<'t>(&self) -> OAuthClient<'t> {
        let client = library_client(self.client_id, self.url);
        match self.authentication {
            ClientAuthentication::ClientSecretPost(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose().clone()))
            }
            _ => client,
        }
    }

    fn transport(&self, proof: Proof) -> TokenTransport {
        let basic = match self.authentication {
            ClientAuthentication::ClientSecretBasic(secret) if proof.encode_basic => Some((
                form_encoded(self.client_id),
                SecretString::new(form_encoded(secret.expose())),
            )),
            ClientAuthentication::ClientSecretBasic(secret) => {
                Some((self.client_id.to_owned(), secret.clone()))
            }
            _ => None,
        };
        TokenTransport {
            http: self.http.clone(),
            endpoint: self.url.clone(),
            without_client_id: matches!(
                self.authentication,
                ClientAuthentication::ClientSecretBasic(_)
                    | ClientAuthentication::PrivateKeyJwt(_)
                    | ClientAuthentication::PrivateKeyJwtForIssuer { .. }
            ),
            basic,
            grant_type: None,
            seen: Mutex::default(),
        }
    }

    fn extra(&self, proof: Proof) -> Result<Vec<(&'static str, String)>, TokenError> {
        let (key, audience) = match self.authentication {
            ClientAuthentication::PrivateKeyJwt(key) => {
                (key, Audience::TokenEndpoint(self.audience))
            }
            ClientAuthentication::PrivateKeyJwtForIssuer { key, issuer } => {
                (key, Audience::Issuer(issuer))
            }
            _ => return Ok(Vec::new()),
        };
        let assertion = self.assertion(key, audience, proof)?;
        Ok(vec![
            ("client_assertion_type", ASSERTION_TYPE.to_owned()),
            ("client_assertion", assertion.expose().clone()),
        ])
    }

    fn assertion(
        &self,
        key: &SigningKey,
        audience: Audience<'_>,
        proof: Proof,
    ) -> Result<SecretString, TokenError> {
        let now = self
            .clock
            .now()
            .checked_add(proof.skew)
            .unwrap_or_else(|_| self.clock.now());
        Ok(client_assertion(
            key,
            self.client_id,
            audience,
            now,
            self.random,
        )?)
    }

    /// After `invalid_client`: the proof that may hold where the first did not. A server that refuses
    /// the client has not looked at the code or refresh token (RFC 6749 §3.2.1).
    fn better_proof(
        &self,
        date: Option<jiff::Timestamp>,
        sent_at: jiff::Timestamp,
    ) -> Option<Proof> {
        match self.authentication {
            ClientAuthentication::PrivateKeyJwt(_)
            | ClientAuthentication::PrivateKeyJwtForIssuer { .. } => other_clock(date, sent_at),
            ClientAuthentication::ClientSecretBasic(secret) => {
                let differs = |text: &str| form_encoded(text) != text;
                (differs(self.client_id) || differs(secret.expose())).then_some(Proof {
                    encode_basic: true,
                    ..Proof::default()
                })
            }
            _ => None,
        }
    }
}

fn library_client<'t>(client_id: &str, url: &Url) -> OAuthClient<'t> {
    // The library demands https here, loopback or not; the transport sends to the real address.
    let mut revocation = url.clone();
    let _ = revocation.set_scheme("https");
    Client::new(ClientId::new(client_id.to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::from_url(url.clone()))
        .set_revocation_url(RevocationUrl::from_url(revocation))
}

fn introspection(answer: &BasicTokenIntrospectionResponse) -> Introspection {
    Introspection {
        active: answer.active(),
        scope: answer.scopes().map(|scopes| {
            let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            Scopes::parse(&words.join(" "))
        }),
        expires_at: answer
            .exp()
            .and_then(|at| jiff::Timestamp::from_second(at.timestamp()).ok()),
    }
}

/// Reads the answer to a token request, as [`TokenEndpoint::request`] would.
pub(crate) fn read(answer: Answer) -> Result<WireToken, TokenError> {
    let client = library_client("", &answer.url);
    let (response, seen) = crate::token::for_library(answer, true);
    client
        .exchange_client_credentials()
        .request(&|_: HttpRequest| Ok::<_, HttpError>(response.clone()))
        .map_err(|error| crate::token::from_library(error, seen))
}

/// Reads the answer to an introspection, as [`TokenEndpoint::introspect`] would.
pub(crate) fn read_introspection(answer: Answer) -> Result<Introspection, TokenError> {
    let client = library_client("", &answer.url)
        .set_introspection_url(IntrospectionUrl::from_url(answer.url.clone()));
    let (response, seen) = crate::token::for_library(answer, true);
    let token = AccessToken::new(String::new());
    client
        .introspect(&token)
        .request(&|_: HttpRequest| Ok::<_, HttpError>(response.clone()))
        .map(|answer| introspection(&answer))
        .map_err(|error| crate::token::from_library(error, seen))
}

/// A proof by the server's clock, where that is not ours.
fn other_clock(date: Option<jiff::Timestamp>, sent_at: jiff::Timestamp) -> Option<Proof> {
    let skew = date?.duration_since(sent_at);
    (skew.abs() > SKEW).then_some(Proof {
        skew,
        ..Proof::default()
    })
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
