//! Answers of the token, introspection and registration endpoints. Two parts: status and headers, a
//! line each, and the body.

use super::{answer, assert_plain, assert_protected, now, parts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use satchel_smart::http::Answer;
use satchel_smart::id_token::IdTokenClaims;
use satchel_smart::introspection::read_introspection_answer;
use satchel_smart::registration::{
    ClientInformation, ClientMetadata, RegistrationError, check_registration,
    read_management_answer, read_registration_answer,
};
use satchel_smart::secret::SecretString;
use satchel_smart::token::{TokenError, TokenResponse, read_refresh_answer, read_token_answer};
use serde_json::{Map, Value};
use url::Url;

const TOKEN: &str = "https://ehr.example/auth/token";
const REGISTER: &str = "https://ehr.example/auth/register";
const MANAGE: &str = "https://ehr.example/auth/register/client-1";
/// Stands in every secret of a planted answer.
const PLANTED: &str = "hush-4b1d-";
const SECRETS: [&str; 5] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "registration_access_token",
];

pub(crate) fn run(data: &[u8]) -> bool {
    let [head, body] = parts::<2>(data);
    let taken = read_all(head, body, false);
    // Once more with something in each secret that can be told from everything else.
    let has_mark = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("hush");
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(body)
        && !has_mark(data)
        && !has_mark(Value::Object(members.clone()).to_string().as_bytes())
    {
        for name in SECRETS {
            if let Some(Value::String(text)) = members.get_mut(name) {
                text.insert_str(0, PLANTED);
            }
        }
        read_all(head, Value::Object(members).to_string().as_bytes(), true);
    }
    taken
}

fn read_all(head: &[u8], body: &[u8], planted: bool) -> bool {
    let at = |url: &str| answer(url, head, body);
    let members: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
    let hidden = |shown: String| {
        if planted {
            assert!(!shown.contains(PLANTED), "a secret is shown: {shown}");
        }
    };

    let tokens = read_token_answer(at(TOKEN), Some("patient/*.rs"), now());
    hidden(format!("{tokens:?}"));
    assert_tokens(&at(TOKEN), members.as_ref(), &tokens);

    let who = who();
    let refreshed = read_refresh_answer(at(TOKEN), Some(&who), "client-1", now());
    hidden(format!("{refreshed:?}"));
    assert_tokens(&at(TOKEN), members.as_ref(), &refreshed);
    if refreshed.is_ok() {
        assert_same_person(members.as_ref());
    }

    let introspected = read_introspection_answer(at(TOKEN));
    hidden(format!("{introspected:?}"));
    if let (Ok(found), Some(members)) = (&introspected, &members) {
        assert!((200..300).contains(&at(TOKEN).status));
        assert_eq!(members.get("active"), Some(&Value::Bool(found.active)));
    }

    let (endpoint, asked) = (Url::parse(REGISTER).unwrap(), asked());
    let registered = read_registration_answer(&at(REGISTER), &endpoint, &asked);
    hidden(format!("{registered:?}"));
    assert_registered(&at(REGISTER), members.as_ref(), &registered);
    if let Ok(granted) = &registered
        && check_registration(granted, &asked).is_ok()
    {
        let method = granted.token_endpoint_auth_method.as_str();
        let secret = granted.client_secret.is_some();
        match method {
            "none" | "private_key_jwt" => {}
            "client_secret_basic" | "client_secret_post" => assert!(secret),
            other => panic!("{other} cannot be done"),
        }
        assert!(granted.redirect_uris.contains(&asked.redirect_uris[0]));
    }

    let known = known();
    let managed = read_management_answer(&at(MANAGE), &known);
    hidden(format!("{managed:?}"));
    assert_registered(&at(MANAGE), members.as_ref(), &managed);
    if let Ok(now) = &managed {
        assert_eq!(now.client_id, known.client_id, "another client");
        assert!(now.client_secret.is_some(), "the secret is forgotten");
        assert!(now.registration_access_token.is_some() && now.registration_client_uri.is_some());
    }
    tokens.is_ok() || refreshed.is_ok() || introspected.is_ok() || registered.is_ok()
}

fn who() -> IdTokenClaims {
    IdTokenClaims {
        issuer: "https://ehr.example".to_owned(),
        subject: "ana".to_owned(),
        fhir_user: None,
    }
}

fn asked() -> ClientMetadata {
    ClientMetadata {
        redirect_uris: vec!["org.satchel.app:/callback/abc".to_owned()],
        client_name: "Satchel".to_owned(),
        grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
        response_types: vec!["code".to_owned()],
        token_endpoint_auth_method: "private_key_jwt".to_owned(),
        jwks: Some(serde_json::json!({"keys": []})),
        ..ClientMetadata::default()
    }
}

fn known() -> ClientInformation {
    ClientInformation {
        client_id: "client-1".to_owned(),
        client_secret: Some(SecretString::new("known-secret".to_owned())),
        token_endpoint_auth_method: "client_secret_basic".to_owned(),
        registration_client_uri: Url::parse(MANAGE).ok(),
        registration_access_token: Some(SecretString::new("known-token".to_owned())),
        ..ClientInformation::default()
    }
}

fn assert_tokens(
    answer: &Answer,
    members: Option<&Map<String, Value>>,
    found: &Result<TokenResponse, TokenError>,
) {
    let tokens = match found {
        Ok(tokens) => tokens,
        Err(TokenError::OAuth { description, .. }) => {
            // Some servers refuse with a success; then nothing else is said.
            let refuses = members.is_some_and(|members| {
                members.get("error").is_some_and(Value::is_string)
                    && !members.contains_key("access_token")
            });
            let success = (200..300).contains(&answer.status);
            assert!(!success || refuses, "a success is refused");
            return assert_plain(description.as_deref().unwrap_or_default(), 500);
        }
        Err(TokenError::Malformed(place)) => return assert_plain(place, 200),
        Err(_) => return,
    };
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    let token = tokens.access_token.expose();
    assert!(!token.is_empty() && token.bytes().all(|byte| byte > b' ' && byte < 0x7f));
    assert!(tokens.token_type.eq_ignore_ascii_case("Bearer"));
    assert!(tokens.expires_at >= now(), "it ended before it began");
    let ten_years = jiff::SignedDuration::from_hours(10 * 366 * 24);
    assert!(tokens.expires_at.duration_since(now()) <= ten_years);
    assert!(
        tokens
            .refresh_token
            .as_ref()
            .is_none_or(|token| !token.expose().is_empty())
    );
    assert!(tokens.id_token_claims.is_none(), "nobody verified it");
    let context = &tokens.launch_context;
    for id in [&context.patient, &context.encounter].into_iter().flatten() {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        assert!(!id.is_empty() && id.len() <= 64 && id.chars().all(letter));
        assert!(!id.trim_matches('.').is_empty(), "{id} leads upwards");
    }
    if let Some(style) = &context.smart_style_url {
        assert_eq!(style.scheme(), "https");
    }
    for words in [&context.fhir_user, &context.intent, &context.tenant] {
        assert_plain(words.as_deref().unwrap_or_default(), 500);
    }
    if let Some(members) = members {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        assert_eq!(text("access_token"), Some(token.as_str()));
        assert_eq!(tokens.scope_omitted, text("scope").is_none());
        let patient = context.patient.as_deref();
        assert_eq!(patient, text("patient"), "another patient");
        let refresh = tokens.refresh_token.as_ref().map(|t| t.expose().as_str());
        assert_eq!(
            refresh,
            text("refresh_token").filter(|token| !token.is_empty())
        );
    }
}

/// An id_token that can be read names the person of the sign-in, or nobody.
fn assert_same_person(members: Option<&Map<String, Value>>) {
    let payload = members
        .and_then(|members| members.get("id_token")?.as_str())
        .filter(|token| token.split('.').count() == 3)
        .and_then(|token| URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok())
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(Value::Object(claims)) = payload else {
        return;
    };
    let readable = ["iss", "sub", "aud"]
        .into_iter()
        .all(|name| matches!(claims.get(name), None | Some(Value::String(_))));
    if readable {
        let who = who();
        for (name, known) in [
            ("sub", who.subject.as_str()),
            ("iss", who.issuer.as_str()),
            ("aud", "client-1"),
        ] {
            let said = claims.get(name).and_then(Value::as_str);
            assert!(said.is_none_or(|said| said == known), "another {name}");
        }
    }
}

fn assert_registered(
    answer: &Answer,
    members: Option<&Map<String, Value>>,
    found: &Result<ClientInformation, RegistrationError>,
) {
    let client = match found {
        Ok(client) => client,
        Err(RegistrationError::Refused { description, .. }) => {
            return assert_plain(description.as_deref().unwrap_or_default(), 500);
        }
        Err(_) => return,
    };
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    assert!(!client.client_id.is_empty());
    if let Some(members) = members {
        assert_eq!(members["client_id"], client.client_id.as_str());
    }
    // The token will be sent there.
    if let Some(uri) = &client.registration_client_uri {
        assert_protected("registration_client_uri", uri, false);
        assert_eq!(uri.host_str(), Some("ehr.example"));
        assert_eq!(uri.port_or_known_default(), Some(443));
        assert!(client.registration_access_token.is_some());
    }
    for secret in [
        "client_secret",
        "registration_access_token",
        "registration_client_uri",
        "access_token",
    ] {
        assert!(!client.registered.contains_key(secret), "{secret} is kept");
    }
}
