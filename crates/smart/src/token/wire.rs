//! A token response as it comes over the wire, read with the tolerance that real servers need.

use super::{TokenError, TokenResponse};
use crate::launch_context::LaunchContext;
use crate::scope::Scopes;
use crate::secret::SecretString;
use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// Assumed life of an access token when the server does not say.
const ASSUMED_SECONDS: u64 = 300;
/// The longest life that is written down: ten years.
const LONGEST_SECONDS: u64 = 10 * 365 * 86_400;

/// RFC 6749 §5.1 with SMART's members. The OAuth library requires `Serialize` of a response type;
/// nothing here ever serialises one.
#[derive(Deserialize, Serialize)]
pub(crate) struct WireToken {
    access_token: AccessToken,
    token_type: String,
    #[serde(skip, default = "bearer")]
    kind: BasicTokenType,
    #[serde(default, deserialize_with = "lenient_seconds")]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    id_token: Option<String>,
    /// The `Date` of the answer.
    #[serde(skip)]
    pub(crate) servers_time: Option<jiff::Timestamp>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// A number, a number as text, a fraction: all are met. Anything else counts as not said.
fn lenient_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(from)?;
    let number = match &value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped before"
    )]
    Ok(number
        .filter(|n| n.is_finite())
        .map(|n| n.clamp(0.0, LONGEST_SECONDS as f64) as u64))
}

impl std::fmt::Debug for WireToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WireToken([secret])")
    }
}

impl oauth2::TokenResponse for WireToken {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.kind
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// Granular scopes are kept as one text; see [`WireToken::into_response`].
    fn scopes(&self) -> Option<&Vec<oauth2::Scope>> {
        None
    }
}

impl WireToken {
    /// The id_token, not verified.
    pub(crate) fn take_id_token(&mut self) -> Option<SecretString> {
        self.id_token
            .take()
            .filter(|token| !token.is_empty())
            .map(SecretString::new)
    }

    /// Whether the server says that it granted this scope.
    pub(crate) fn says_granted(&self, scope: &str) -> bool {
        self.scope
            .as_deref()
            .is_some_and(|granted| Scopes::parse(granted).contains(scope))
    }

    /// Checks and converts; `asked` are the scopes that a silent server is taken to have granted.
    pub(crate) fn into_response(
        self,
        now: jiff::Timestamp,
        asked: Option<&str>,
    ) -> Result<TokenResponse, TokenError> {
        if !self.token_type.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Malformed("token_type is not Bearer".to_owned()));
        }
        if !is_token(self.access_token.secret()) {
            return Err(TokenError::Malformed(
                "access_token holds characters that no token has".to_owned(),
            ));
        }
        let refresh_token = self
            .refresh_token
            .filter(|token| !token.secret().is_empty());
        let launch_context = LaunchContext::read(&self.others)
            .map_err(|member| TokenError::Malformed(format!("{member} is not a FHIR id")))?;
        let seconds = self
            .expires_in
            .unwrap_or(ASSUMED_SECONDS)
            .min(LONGEST_SECONDS);
        let life = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
        let scope_omitted = self.scope.is_none();
        Ok(TokenResponse {
            access_token: SecretString::new(self.access_token.into_secret()),
            token_type: self.token_type,
            expires_at: now.checked_add(life).unwrap_or(jiff::Timestamp::MAX),
            refresh_token: refresh_token.map(|token| SecretString::new(token.into_secret())),
            scope: Scopes::parse(self.scope.as_deref().or(asked).unwrap_or_default()),
            scope_omitted,
            launch_context,
            id_token_claims: None,
        })
    }
}

/// Visible ASCII without spaces: what fits into a header (RFC 6750 §2.1 is narrower, servers are not).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<TokenResponse, TokenError> {
        let wire: WireToken = serde_json::from_str(json).unwrap();
        wire.into_response(
            jiff::Timestamp::from_second(1_000).unwrap(),
            Some("patient/*.rs"),
        )
    }

    fn lifetime(expires_in: &str) -> i64 {
        let json =
            format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{expires_in}}}"#);
        read(&json).unwrap().expires_at.as_second() - 1_000
    }

    #[test]
    fn d12_expires_in_may_be_text_a_fraction_or_absent() {
        for (written, seconds) in [
            ("3600", 3600),
            ("\"3600\"", 3600),
            ("3599.9", 3599),
            ("null", 300),
            ("\"soon\"", 300),
            ("-5", 0),
            ("1e300", 315_360_000),
            ("31536000", 31_536_000),
        ] {
            assert_eq!(lifetime(written), seconds, "{written}");
        }
        let absent = read(r#"{"access_token":"a","token_type":"Bearer"}"#).unwrap();
        assert_eq!(absent.expires_at.as_second(), 1_300);
    }

    #[test]
    fn d12_a_missing_scope_is_what_was_asked_for() {
        let omitted = read(r#"{"access_token":"a","token_type":"BEARER"}"#).unwrap();
        assert!(omitted.scope_omitted && omitted.scope.allows_read("Goal"));
        let empty = read(r#"{"access_token":"a","token_type":"bearer","scope":""}"#).unwrap();
        assert!(!empty.scope_omitted && empty.scope.is_empty());
    }

    #[test]
    fn d12_other_token_types_and_impossible_tokens_are_refused() {
        for json in [
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":"a\r\nX: y","token_type":"Bearer"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"Bearer","patient":"../x"}"#,
        ] {
            assert!(
                matches!(read(json), Err(TokenError::Malformed(_))),
                "{json}"
            );
        }
    }

    #[test]
    fn a_token_response_is_never_printed_in_clear() {
        let json = r#"{"access_token":"hush-a","refresh_token":"hush-r","id_token":"hush-i","token_type":"Bearer"}"#;
        let wire: WireToken = serde_json::from_str(json).unwrap();
        assert!(!format!("{wire:?}").contains("hush"));
        assert!(!format!("{:?}", read(json).unwrap()).contains("hush"));
    }
}
