//! What is known to be harmless, by name: members, parameters, headers, words, path segments.

use ::http::header;

/// How a value of this name is shown.
pub(super) enum Shown {
    Plainly,
    AsUrl,
    AsToken,
    AsKeys,
    AsWords,
    AsReference,
    Not,
}

pub(super) fn manner(name: &str) -> Shown {
    match name {
        "response_type"
        | "client_id"
        | "scope"
        | "code_challenge"
        | "code_challenge_method"
        | "response_mode"
        | "prompt"
        | "grant_type"
        | "token_type_hint"
        | "client_assertion_type"
        | "error"
        | "token_type"
        | "expires_in"
        | "need_patient_banner"
        | "client_name"
        | "software_id"
        | "software_version"
        | "contacts"
        | "grant_types"
        | "response_types"
        | "token_endpoint_auth_method"
        | "token_endpoint_auth_signing_alg"
        | "application_type"
        | "client_id_issued_at"
        | "client_secret_expires_at"
        | "capabilities"
        | "active"
        | "exp"
        | "iat"
        | "nbf"
        | "auth_time"
        | "acr"
        | "amr"
        | "azp"
        | "alg"
        | "kid"
        | "typ" => Shown::Plainly,
        "issuer"
        | "iss"
        | "aud"
        | "resource"
        | "redirect_uri"
        | "redirect_uris"
        | "client_uri"
        | "logo_uri"
        | "policy_uri"
        | "tos_uri"
        | "jwks_uri"
        | "jku"
        | "authorization_endpoint"
        | "token_endpoint"
        | "registration_endpoint"
        | "revocation_endpoint"
        | "introspection_endpoint"
        | "management_endpoint"
        | "userinfo_endpoint"
        | "end_session_endpoint"
        | "user_access_brand_bundle"
        | "registration_client_uri"
        | "smart_style_url"
        | "error_uri"
        | "initiate_login_uri" => Shown::AsUrl,
        "client_assertion" | "assertion" | "id_token" | "software_statement" => Shown::AsToken,
        "jwks" | "keys" => Shown::AsKeys,
        "fhirUser" | "profile" => Shown::AsReference,
        "error_description" => Shown::AsWords,
        name if name.ends_with("_supported") => Shown::Plainly,
        _ => Shown::Not,
    }
}

/// Search parameters whose values are codes and page sizes, never a person's.
pub(super) const SEARCH: [&str; 14] = [
    "_count",
    "_include",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
    "_elements",
    "_format",
    "_lastUpdated",
    "_type",
    "_since",
    "category",
    "clinical-status",
    "intent",
];

/// Headers that are shown; `authorization`, `location` and `www-authenticate` masked.
pub(super) const HEADERS: [header::HeaderName; 8] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CACHE_CONTROL,
    header::PRAGMA,
    header::DATE,
    header::EXPIRES,
    header::RETRY_AFTER,
];

/// Words that descriptions of OAuth errors are made of; others are hidden.
const WORDS: &str = " a access already an and another are assertion at audience authorization be been \
    before belongs but by can cannot challenge client code credentials description different disabled \
    does endpoint ended error expired failed for format from future grant granted has have here id in \
    invalid is issued issuer it key keys known lapsed later lifetime long longer malformed match method \
    missing must never no not of off on once one only or other parameter past pkce public redirect \
    refresh refused registered registration repeated replayed request required revoked scope scopes \
    secret server signature signed since statement supported switched than that the this to token twice \
    type unknown unsupported uri url used user valid value verifier was wrong ";

/// Whether a word of a description of an error is one of those that are shown.
pub(super) fn is_known_word(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    bare.is_empty() || WORDS.contains(&format!(" {} ", bare.to_ascii_lowercase()))
}

/// Path segments that look like the name of a FHIR type and are none.
const PLACES: [&str; 14] = [
    "Api",
    "Auth",
    "Authorize",
    "Connect",
    "Fhir",
    "Identity",
    "Interconnect",
    "Login",
    "OAuth",
    "OAuth2",
    "Open",
    "Portal",
    "Server",
    "Token",
];

/// Whether what follows this segment names a person's record.
pub(super) fn is_type(segment: &str) -> bool {
    is_camel(segment) && !PLACES.contains(&segment)
}

/// Parts of the FHIR interface that may follow a type.
pub(super) fn is_interaction(segment: &str) -> bool {
    matches!(segment, "_history" | "_search") || (segment.starts_with('$') && is_word(segment))
}

/// A path segment that says where, not who: words and versions such as `oauth2`, `R4`, `.well-known`.
pub(super) fn is_word(segment: &str) -> bool {
    let bare = segment.trim_start_matches(['.', '$', '_']);
    PLACES.contains(&segment)
        || segment.len() <= 48
            && bare.split(['-', '_', '.']).all(|word| {
                let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
                let digits = word.len() - letters.len();
                let lower = letters.len() <= 20 && letters.bytes().all(|b| b.is_ascii_lowercase());
                let upper = letters.len() <= 6 && letters.bytes().all(|b| b.is_ascii_uppercase());
                let version = digits == 0 || (digits <= 2 && letters.len() <= 5);
                version && (lower || upper || is_camel(letters))
            })
}

/// A name like that of a FHIR type: each hump of three letters or more.
pub(super) fn is_camel(text: &str) -> bool {
    let humps = text.bytes().filter(u8::is_ascii_uppercase).count();
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    let rest = text.split(|c: char| c.is_ascii_uppercase()).skip(1);
    starts
        && humps <= 4
        && text.len() <= 40
        && rest
            .into_iter()
            .all(|hump| hump.len() >= 2 && hump.bytes().all(|b| b.is_ascii_lowercase()))
}
