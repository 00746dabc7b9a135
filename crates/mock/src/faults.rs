//! What the server does wrong on purpose, and how often.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::context;

/// The part of the server that misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `{fhir}/.well-known/smart-configuration`.
    SmartConfiguration,
    /// `{issuer}/.well-known/openid-configuration`.
    OpenIdConfiguration,
    /// The server's public keys.
    Jwks,
    /// Dynamic client registration, including the client's own management address.
    Register,
    /// The authorization endpoint and its sign-in pages.
    Authorize,
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revoke,
    /// Everything under the FHIR base that is not metadata.
    Fhir,
    /// `{fhir}/metadata`.
    Metadata,
    /// The status address of a bulk export.
    BulkStatus,
    /// The files of a bulk export.
    BulkFile,
}

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Answer with this status and body and do nothing else.
    Status {
        /// The HTTP status.
        status: u16,
        /// The body.
        #[serde(default)]
        body: String,
        /// The `Content-Type`; empty for none.
        #[serde(default)]
        content_type: String,
    },
    /// A maintenance page in HTML with status 200.
    NotJson,
    /// The right answer, cut off in the middle, `Content-Length` still right for the half.
    Truncated,
    /// The right answer, later.
    Delay {
        /// By how much.
        ms: u64,
    },
    /// Close the connection without any answer; nothing was done.
    Drop,
    /// Do what was asked, then close the connection without an answer: the client cannot know.
    LostAnswer,
    /// The right answer, in small pieces with a wait before each.
    Drip {
        /// The wait.
        ms: u64,
    },
    /// The right answer under another `Content-Type`.
    WrongContentType {
        /// The one that is said.
        content_type: String,
    },
    /// The right answer with so many megabytes of blanks behind it, which JSON allows.
    Huge {
        /// How many.
        megabytes: u32,
    },
    /// Registration refuses with this `error` (RFC 7591, 3.2.2).
    RegisterError {
        /// The error code.
        error: String,
    },
    /// The token endpoint refuses with this `error` (RFC 6749, 5.2).
    TokenError {
        /// The error code.
        error: String,
        /// The HTTP status, 400 by the standard.
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// The id token is wrong.
    IdToken(IdTokenFault),
    /// A search answers with a single resource in place of the bundle.
    NotABundle,
    /// One entry of the bundle has no id, another is no resource at all.
    MalformedEntry,
    /// The discovery document names another issuer.
    OtherIssuer,
    /// The discovery document lacks `token_endpoint`.
    MissingTokenEndpoint,
    /// The authorization response carries another `iss` (RFC 9207).
    WrongIss,
    /// The authorization response carries no `iss`, although the server says that it does.
    MissingIss,
    /// The authorization response carries another `state`.
    WrongState,
    /// The authorization response carries no `state`.
    MissingState,
    /// The authorization response goes to another path of the same address.
    OtherRedirect,
    /// The authorization response carries a code that was used before.
    CodeReplayed,
    /// The authorization response carries a code that has expired.
    ExpiredCode,
    /// The authorization response carries a code of some 4,000 letters, which is good.
    LongCode,
    /// The authorization response carries parameters that nobody asked for.
    ExtraParameters,
    /// The authorization response is in the fragment of the address.
    FragmentResponse,
    /// The access token that the request brings ends before its time: 401 `invalid_token`.
    ExpiredToken,
    /// What the person granted ends with the access token that the request brings: 401
    /// `invalid_token`, and a refresh is refused too.
    RevokedToken,
    /// The answer sends the client to another origin.
    RedirectElsewhere {
        /// 301, 302, 303, 307 or 308.
        #[serde(default = "temporary_redirect")]
        status: u16,
        /// The other origin.
        #[serde(default = "elsewhere")]
        origin: String,
    },
    /// 429.
    TooManyRequests {
        /// The seconds of `Retry-After`; none for no such header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// FHIR in XML although JSON was asked for.
    XmlAnswer,
    /// The `next` link leads back to the page it is on.
    LoopingNext,
    /// The `next` link leads to another origin.
    ForeignNext,
    /// The bundle contains a resource of another patient.
    OtherPatient,
    /// Half of the answer, then the connection is cut.
    Disconnect,
    /// A bulk export's status is an error with the code `transient`: the client asks again.
    TransientError,
    /// A bulk export fails for good.
    FileGenerationFailed,
    /// A file of a bulk export could not be made: the manifest has an error file in its place.
    SomeFileGenerationFailed,
    /// A file of a bulk export is gone while the export is still there.
    FileExpired,
}

/// What is wrong with the id token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum IdTokenFault {
    /// `aud` is another client.
    WrongAudience,
    /// `iss` is another server.
    WrongIssuer,
    /// `nonce` is not the one of the request.
    WrongNonce,
    /// Not signed at all.
    AlgNone,
    /// `exp` has passed.
    Expired,
    /// There is no `nonce`.
    NoNonce,
    /// `kid` names a key that is not published.
    UnknownKey,
    /// Signed with HS256, the public key as the secret.
    PublicKeyAsSecret,
    /// The signature is that of other claims.
    WrongSignature,
    /// `sub` is somebody else than at the last sign-in.
    WrongSubject,
    /// There is no `sub`.
    NoSubject,
    /// `sub` has 256 letters, one more than OpenID Connect Core §2 allows.
    LongSubject,
    /// `aud` has several clients, and `azp` is another one of them.
    WrongAzp,
    /// `iat` lies an hour ahead.
    IatInFuture,
    /// There is no `exp`.
    NoExp,
    /// The header has no `kid`, and the key set has several keys that would fit.
    NoKid,
    /// `fhirUser` is at another origin.
    ForeignFhirUser,
    /// Signed with a key that was replaced meanwhile and is no longer published.
    RotatedKey,
    /// Signed with a new key that is published only later.
    UnpublishedKey {
        /// How much later, by the server's clock.
        #[serde(default = "a_minute")]
        seconds: i64,
    },
}

fn bad_request() -> u16 {
    400
}

fn temporary_redirect() -> u16 {
    307
}

fn elsewhere() -> String {
    "https://elsewhere.example".to_owned()
}

fn a_minute() -> i64 {
    60
}

#[derive(Debug)]
struct Planned {
    endpoint: Endpoint,
    kind: FaultKind,
    /// Only requests of this client.
    client_id: Option<String>,
    /// Fitting requests that still go well.
    spared: u32,
    left: u32,
}

/// The planned faults, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Mutex<Vec<Planned>>,
}

impl Faults {
    /// Let `times` requests at `endpoint` go wrong, after the next `spared` of them went well; with a
    /// client only its own.
    pub(crate) fn add(
        &self,
        endpoint: Endpoint,
        kind: FaultKind,
        client_id: Option<String>,
        spared: u32,
        times: u32,
    ) {
        if times > 0 {
            self.lock().push(Planned {
                endpoint,
                kind,
                client_id,
                spared,
                left: times,
            });
        }
    }

    /// What is planned, a line each.
    pub(crate) fn describe(&self) -> Vec<String> {
        let planned = self.lock();
        let line = |fault: &Planned| {
            let kind = serde_json::to_string(&fault.kind).unwrap_or_default();
            let endpoint = serde_json::to_string(&fault.endpoint).unwrap_or_default();
            let spared = match fault.spared {
                0 => String::new(),
                spared => format!(" after {spared}"),
            };
            let client = fault.client_id.as_ref();
            let client = client.map_or_else(String::new, |client| format!(" of {client}"));
            format!(
                "{}{client}{spared} × {}: {kind}",
                endpoint.trim_matches('"'),
                fault.left
            )
        };
        planned.iter().map(line).collect()
    }

    /// Forget all planned faults.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The oldest planned fault of `endpoint` that `wanted` accepts; using it up by one.
    pub(crate) fn take_if(
        &self,
        endpoint: Endpoint,
        wanted: impl Fn(&FaultKind) -> bool,
    ) -> Option<FaultKind> {
        let client = context::client_id();
        let mut planned = self.lock();
        let position = planned.iter().position(|fault| {
            let meant = fault.client_id.is_none() || fault.client_id == client;
            fault.endpoint == endpoint && meant && wanted(&fault.kind)
        })?;
        let fault = planned.get_mut(position)?;
        if fault.spared > 0 {
            fault.spared -= 1;
            return None;
        }
        fault.left -= 1;
        let kind = fault.kind.clone();
        if fault.left == 0 {
            planned.remove(position);
        }
        Some(kind)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_used_up_after_its_number_of_times_and_only_at_its_endpoint() {
        let faults = Faults::default();
        faults.add(Endpoint::Token, FaultKind::Drop, None, 0, 2);
        assert_eq!(faults.take_if(Endpoint::Fhir, |_| true), None);
        assert_eq!(
            faults.take_if(Endpoint::Token, |kind| *kind == FaultKind::NotJson),
            None
        );
        let any = |_: &FaultKind| true;
        assert_eq!(faults.take_if(Endpoint::Token, any), Some(FaultKind::Drop));
        assert_eq!(faults.take_if(Endpoint::Token, any), Some(FaultKind::Drop));
        assert_eq!(faults.take_if(Endpoint::Token, any), None);
    }

    #[tokio::test]
    async fn a_fault_can_be_for_one_client() {
        let faults = Faults::default();
        faults.add(
            Endpoint::Token,
            FaultKind::Drop,
            Some("one".to_owned()),
            0,
            1,
        );
        let seen_by = async |client: &str| {
            let context = context::Context::of(Some(client.to_owned()));
            let ask = async { faults.take_if(Endpoint::Token, |_| true) };
            context.during(ask).await
        };
        assert_eq!(seen_by("other").await, None);
        assert_eq!(seen_by("one").await, Some(FaultKind::Drop));
    }

    #[test]
    fn the_first_requests_can_be_spared() {
        let faults = Faults::default();
        faults.add(Endpoint::Token, FaultKind::Drop, None, 2, 1);
        let any = |_: &FaultKind| true;
        let seen: Vec<_> = (0..4)
            .map(|_| faults.take_if(Endpoint::Token, any))
            .collect();
        assert_eq!(seen, [None, None, Some(FaultKind::Drop), None]);
    }

    #[test]
    fn faults_are_written_as_the_readme_says() {
        let parsed: FaultKind =
            serde_json::from_str(r#"{"kind":"id_token","fault":"wrong_nonce"}"#).unwrap();
        assert_eq!(parsed, FaultKind::IdToken(IdTokenFault::WrongNonce));
        let parsed: FaultKind =
            serde_json::from_str(r#"{"kind":"token_error","error":"invalid_grant"}"#).unwrap();
        assert_eq!(
            parsed,
            FaultKind::TokenError {
                error: "invalid_grant".into(),
                status: 400
            }
        );
    }
}
