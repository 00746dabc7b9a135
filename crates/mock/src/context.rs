//! What is known of the request being answered, for whoever needs it on the way: which app sent it, and
//! which rules of the standards it has passed.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

tokio::task_local! {
    static CURRENT: Context;
}

/// The request being answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    client_id: Option<String>,
    passed: Arc<Mutex<Vec<&'static str>>>,
}

/// A JSON Web Token as people read it; the signature is left out, so that it is good for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecodedJwt {
    /// The parameter or member it was in.
    pub found_in: String,
    /// Its header.
    pub header: Value,
    /// Its claims.
    pub claims: Value,
}

impl Context {
    /// The context of a request by this client.
    pub(crate) fn of(client_id: Option<String>) -> Self {
        Context {
            client_id,
            passed: Arc::default(),
        }
    }

    /// Does `work` in this context.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// The rules that were passed, in order.
    pub(crate) fn passed(&self) -> Vec<&'static str> {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.clone()
    }
}

/// Takes down that the request passed a rule, by standard and section.
pub(crate) fn passed(rule: &'static str) {
    // Outside of a request (a unit test) nobody listens.
    let _ = CURRENT.try_with(|context| {
        let mut passed = context
            .passed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !passed.contains(&rule) {
            passed.push(rule);
        }
    });
}

/// Which app sent the request, as far as it says so.
pub(crate) fn client_id() -> Option<String> {
    CURRENT
        .try_with(|context| context.client_id.clone())
        .ok()
        .flatten()
}

/// The parameters of a form.
pub(crate) fn form(headers: &HeaderMap, body: &Bytes) -> Vec<(String, String)> {
    let kind = headers.get(header::CONTENT_TYPE);
    let is_form = kind.is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if is_form {
        form_urlencoded::parse(body).into_owned().collect()
    } else {
        Vec::new()
    }
}

/// The client that a request names: by parameter, by Basic authentication or as the subject of an assertion.
pub(crate) fn named_client(headers: &HeaderMap, parameters: &[(String, String)]) -> Option<String> {
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let by_assertion = || {
        let token = parameter("client_assertion").or_else(|| parameter("assertion"))?;
        let claims = decoded("", &token)?.claims;
        claims["sub"].as_str().map(str::to_owned)
    };
    let by_basic = || {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = value.split_once(' ')?;
        let bytes = STANDARD.decode(credentials.trim()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (name, _) = text.split_once(':')?;
        scheme
            .eq_ignore_ascii_case("basic")
            .then(|| name.to_owned())
    };
    parameter("client_id")
        .or_else(by_assertion)
        .or_else(by_basic)
}

/// The tokens among parameters or in the members of an answer.
pub(crate) fn tokens_in(values: impl IntoIterator<Item = (String, String)>) -> Vec<DecodedJwt> {
    let known = [
        "client_assertion",
        "assertion",
        "id_token",
        "id_token_hint",
        "software_statement",
    ];
    let values = values.into_iter();
    values
        .filter(|(name, _)| known.contains(&name.as_str()))
        .filter_map(|(name, token)| decoded(&name, &token))
        .collect()
}

fn decoded(found_in: &str, token: &str) -> Option<DecodedJwt> {
    let mut parts = token.split('.');
    let mut part = || -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    Some(DecodedJwt {
        found_in: found_in.to_owned(),
        header: part()?,
        claims: part()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rules_are_taken_down_during_the_request_only() {
        let context = Context::of(Some("app".to_owned()));
        passed("nobody hears this");
        context
            .during(async {
                passed("one");
                passed("one");
                assert_eq!(client_id().as_deref(), Some("app"));
            })
            .await;
        assert_eq!(context.passed(), ["one"]);
        assert_eq!(client_id(), None);
    }

    #[test]
    fn a_token_is_read_without_its_signature() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!(
            "{}.{}.c2lnbmF0dXJl",
            part(r#"{"alg":"ES384"}"#),
            part(r#"{"sub":"app"}"#)
        );
        let parameters = vec![("client_assertion".to_owned(), token)];
        assert_eq!(
            named_client(&HeaderMap::new(), &parameters).as_deref(),
            Some("app")
        );
        let read = tokens_in(parameters);
        assert_eq!(read[0].header["alg"], "ES384");
        assert!(
            !serde_json::to_string(&read)
                .unwrap()
                .contains("c2lnbmF0dXJl")
        );
        assert!(tokens_in(vec![("assertion".to_owned(), "a.b".to_owned())]).is_empty());
    }
}
