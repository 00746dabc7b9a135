//! From the errors of the protocol, the store and the keychain to problems. One `match` each; the
//! rich error inside becomes the technical detail.

use super::{Problem, ProblemCode as P};
use crate::identity::IdentityError;
use crate::keychain::KeychainError;
use satchel_smart::authorization::{AuthorizationError, CallbackError};
use satchel_smart::bulk::{BulkError, RequestError};
use satchel_smart::discovery::DiscoveryError;
use satchel_smart::fhir::client::FhirError;
use satchel_smart::http::{FhirBaseUrlError, HttpError};
use satchel_smart::id_token::IdTokenError;
use satchel_smart::keys::KeyError;
use satchel_smart::launch::LaunchError;
use satchel_smart::registration::{RegistrationError, RegistrationErrorCode};
use satchel_smart::token::TokenError;
use satchel_store::StoreError;

/// An error and its sources, one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = inner.source();
    }
    text
}

impl From<HttpError> for Problem {
    fn from(error: HttpError) -> Self {
        Self::from(&error)
    }
}

impl From<&HttpError> for Problem {
    fn from(error: &HttpError) -> Self {
        let code = match error {
            HttpError::InvalidUrl { .. } => P::NotAUrl,
            HttpError::NotHttps { .. } => P::NotHttps,
            HttpError::Tls { .. } => P::NotTrusted,
            HttpError::Timeout { .. } => P::TimedOut,
            HttpError::Connect { .. } => P::Unreachable,
            HttpError::Redirect { .. } => P::Redirected,
            HttpError::TooLarge { .. } => P::TooLarge,
            _ => P::Unreachable,
        };
        Self::with_detail(code, chain(error))
    }
}

impl From<FhirBaseUrlError> for Problem {
    fn from(error: FhirBaseUrlError) -> Self {
        let code = match &error {
            FhirBaseUrlError::NotHttps => P::NotHttps,
            _ => P::NotAUrl,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<DiscoveryError> for Problem {
    fn from(error: DiscoveryError) -> Self {
        let code = match error {
            DiscoveryError::Http(error) => return error.into(),
            DiscoveryError::NotFhir => P::NotFhir,
            DiscoveryError::NotSmart { .. } => P::NotSmart,
            DiscoveryError::IssuerMismatch { .. } => P::IssuerMismatch,
            DiscoveryError::PkceS256NotSupported => P::PkceMissing,
            _ => P::BadConfiguration,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::with_detail(P::Internal, chain(&error))
    }
}

impl From<RegistrationError> for Problem {
    fn from(error: RegistrationError) -> Self {
        let code = match error {
            RegistrationError::Http(error) => return error.into(),
            RegistrationError::NotOffered { .. } => P::RegistrationNotOffered,
            RegistrationError::Refused { ref error, .. } => match error {
                RegistrationErrorCode::InvalidRedirectUri => P::RegistrationRedirect,
                RegistrationErrorCode::InvalidSoftwareStatement
                | RegistrationErrorCode::UnapprovedSoftwareStatement => P::RegistrationStatement,
                _ => P::RegistrationRefused,
            },
            RegistrationError::InitialAccessTokenNeeded => P::RegistrationTokenNeeded,
            RegistrationError::TooManyRequests { retry_after } => {
                let wait = retry_after.map(|wait| format!("wait {} seconds", wait.as_secs()));
                return Self {
                    code: P::RegistrationBusy,
                    detail: wait,
                };
            }
            RegistrationError::Gone => P::AccessRegistrationGone,
            RegistrationError::RedirectUrisNotGranted => P::RegistrationRedirect,
            RegistrationError::MissingClientId
            | RegistrationError::NotJson
            | RegistrationError::ClientIdChanged
            | RegistrationError::SoftwareStatementChanged
            | RegistrationError::UnsupportedAuthMethod(_) => P::RegistrationUnusable,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        Self::with_detail(P::BadIdentity, chain(&error))
    }
}

impl From<AuthorizationError> for Problem {
    fn from(error: AuthorizationError) -> Self {
        Self::with_detail(P::BadConfiguration, chain(&error))
    }
}

impl From<LaunchError> for Problem {
    fn from(error: LaunchError) -> Self {
        Self::with_detail(P::LaunchBadLink, chain(&error))
    }
}

impl From<CallbackError> for Problem {
    fn from(error: CallbackError) -> Self {
        let code = match &error {
            CallbackError::Denied { .. } => P::LoginDenied,
            CallbackError::ServerError { .. } => P::LoginRefused,
            CallbackError::Expired => P::LoginExpired,
            CallbackError::StateMismatch => P::LoginUnknown,
            CallbackError::IssuerMismatch { .. } => P::LoginWrongIssuer,
            _ => P::LoginBadCallback,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Http(error) => return error.into(),
            TokenError::OAuth { .. } => P::TokenRefused,
            TokenError::IdToken(IdTokenError::ClockWrong(_)) => P::ClockWrong,
            TokenError::IdToken(_) => P::LoginIdToken,
            _ => P::TokenBadAnswer,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<FhirError> for Problem {
    fn from(error: FhirError) -> Self {
        let code = match error {
            FhirError::Http(ref inner) => match inner {
                HttpError::Redirect { .. } => P::ForeignLink,
                HttpError::TooLarge { .. } => P::BadPage,
                _ => return inner.into(),
            },
            FhirError::Unauthorized => P::AccessRefused,
            FhirError::Forbidden { .. } => P::NotShared,
            FhirError::NotFound | FhirError::Gone => P::NotOffered,
            FhirError::TooManyRequests { .. } => P::ServerBusy,
            FhirError::NotJson { xml: true, .. } => P::XmlAnswer,
            FhirError::NotJson { .. } | FhirError::Truncated | FhirError::NotABundle { .. } => {
                P::BadPage
            }
            FhirError::ForeignNextLink { .. } => P::ForeignLink,
            _ => P::ServerError,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        Self::with_detail(P::BulkBadRequest, error)
    }
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        let code = match error {
            BulkError::Http(error) => return error.into(),
            BulkError::Unauthorized => P::AccessRefused,
            BulkError::Forbidden { .. } => P::NotShared,
            BulkError::NotOffered => P::BulkNotOffered,
            BulkError::ParameterRefused { .. } => P::BulkParameter,
            BulkError::Refused { .. } | BulkError::Failed { .. } => P::BulkFailed,
            BulkError::Busy { .. } => P::ServerBusy,
            BulkError::NoStatusUrl | BulkError::BadManifest(_) => P::BulkBadAnswer,
            BulkError::Gone => P::BulkGone,
            BulkError::Truncated
            | BulkError::NotNdjson
            | BulkError::UnknownEncoding
            | BulkError::TooLarge
            | BulkError::FileRefused { .. } => P::BulkBadFile,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::WrongKey => P::WrongKey,
            StoreError::NotADatabase | StoreError::Corrupt(_) => P::StoreBroken,
            StoreError::NewerSchema { .. } => P::StoreNewer,
            StoreError::DiskFull => P::DiskFull,
            StoreError::ReadOnly => P::StoreReadOnly,
            StoreError::Closed => P::Locked,
            _ => P::StoreFailed,
        };
        Self::with_detail(code, chain(&error))
    }
}

impl From<KeychainError> for Problem {
    fn from(error: KeychainError) -> Self {
        let code = match &error {
            KeychainError::Missing(_) => P::NoKeychain,
            KeychainError::Locked(_) => P::KeychainLocked,
            KeychainError::Failed(_) | KeychainError::Interrupted => P::KeychainFailed,
        };
        Self::with_detail(code, chain(&error))
    }
}
