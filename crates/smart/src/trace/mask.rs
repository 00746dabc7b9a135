//! What a trace may show. The rule: shown is what is known to be harmless; everything else becomes
//! `hidden-` and eight digits, equal for equal values, so that a tester can see that the code which
//! came back is the code that was sent on.

use super::names::{
    HEADERS, SEARCH, Shown, is_camel, is_interaction, is_known_word, is_type, is_word, manner,
};
use super::{Body, MaskedUrl};
use crate::text::plain;
use crate::time::Random;
use ::http::{HeaderMap, header};
use aws_lc_rs::hmac;
use base64::Engine as _;
use serde_json::{Map, Value};
use std::sync::Arc;
use url::{Url, form_urlencoded};

/// The longest value that is shown.
const LONGEST: usize = 2_000;
/// Members of an object, or of a list, that are shown.
const MOST: usize = 200;
/// A body above this size is not taken apart.
const LARGEST: usize = 8 * 1024 * 1024;

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value, or what stands for it.
    pub value: String,
}

/// What may be seen of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A form, masked.
    Form(Vec<Field>),
    /// A JSON object of the protocol, masked.
    Json(Value),
    /// FHIR: never its content.
    Fhir {
        /// `resourceType`.
        resource_type: String,
        /// `Bundle.total`.
        total: Option<u64>,
    },
    /// Anything else: nothing.
    Hidden,
}

/// Masks under one key.
#[derive(Clone)]
pub(super) struct Mask {
    key: Arc<hmac::Key>,
}

impl Mask {
    pub(super) fn new(random: &dyn Random) -> Self {
        let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
        random.fill(bytes.as_mut());
        Self {
            key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref())),
        }
    }

    /// The name of a hidden value; nothing stays nothing.
    pub(super) fn hide(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let tag = hmac::sign(&self.key, text.as_bytes());
        let digits: String = tag
            .as_ref()
            .iter()
            .take(4)
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("hidden-{digits}")
    }

    /// A value under its name.
    fn value(&self, name: &str, text: &str) -> String {
        match manner(name) {
            Shown::Plainly => plain(text, LONGEST),
            Shown::AsUrl => self.url_or_name(text),
            Shown::AsWords => self.words(text),
            Shown::AsReference => self.reference(text),
            Shown::AsToken | Shown::AsKeys | Shown::Not => self.hide(text),
        }
    }

    /// Without user information and fragment; path segments that are no plain words, and values of
    /// the query that are not known to be harmless, are hidden.
    pub(super) fn url(&self, url: &Url) -> MaskedUrl {
        let query: Vec<Field> = url
            .query_pairs()
            .take(MOST)
            .map(|(name, value)| Field {
                value: if SEARCH.contains(&name.as_ref()) {
                    plain(&value, LONGEST)
                } else {
                    self.value(&name, &value)
                },
                name: self.name(&name),
            })
            .collect();
        let path = match url.path_segments() {
            Some(segments) => self.segments(segments),
            None => self.hide(url.path()),
        };
        let mut text = format!("{}:", url.scheme());
        if let Some(host) = url.host_str() {
            text.push_str("//");
            text.push_str(host);
            if let Some(port) = url.port() {
                text.push_str(&format!(":{port}"));
            }
        }
        if url.path().starts_with('/') {
            text.push('/');
        }
        text.push_str(&path);
        if !query.is_empty() {
            let pairs = query.iter().map(|field| (&field.name, &field.value));
            text.push('?');
            text.push_str(
                &form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(pairs)
                    .finish(),
            );
        }
        MaskedUrl { url: text, query }
    }

    fn segments<'s>(&self, segments: impl Iterator<Item = &'s str>) -> String {
        let mut shown: Vec<String> = Vec::new();
        let mut after_type = false;
        for segment in segments {
            // Behind a type stands an id, and behind an id nothing that is known to be harmless.
            let hidden = !is_word(segment) || (after_type && !is_interaction(segment));
            shown.push(if hidden {
                self.hide(segment)
            } else {
                segment.to_owned()
            });
            after_type |= is_type(segment);
        }
        shown.join("/")
    }

    /// A URL, a relative reference (`Patient/1`), or a bare name such as an audience that is a
    /// `client_id`.
    fn url_or_name(&self, text: &str) -> String {
        if let Ok(url) = Url::parse(text) {
            let shown = self.url(&url).url;
            // An issuer is compared code point for code point: no slash is added.
            return match shown.strip_suffix('/') {
                Some(bare) if bare == text => bare.to_owned(),
                _ => shown,
            };
        }
        if text.contains(['/', '?', '#']) {
            let path = text.split(['?', '#']).next().unwrap_or_default();
            return self.segments(path.split('/'));
        }
        plain(text, LONGEST)
    }

    /// Who somebody is in FHIR: the type is told. Any other address of a person is hidden as a whole.
    fn reference(&self, text: &str) -> String {
        let mut segments = text.rsplit('/');
        let (id, kind) = (segments.next(), segments.next());
        match (id, kind) {
            (Some(_), Some(kind)) if is_type(kind) => self.url_or_name(text),
            _ => self.hide(text),
        }
    }

    /// Where a redirect leads; a relative one is hidden.
    fn location(&self, text: &str) -> String {
        match Url::parse(text) {
            Ok(url) => self.url(&url).url,
            Err(_) => self.hide(text),
        }
    }

    fn words(&self, text: &str) -> String {
        let shown = |word: &str| {
            // Names of parameters are words joined by underscores.
            if word.split('_').all(is_known_word) {
                plain(word, 40)
            } else {
                "…".to_owned()
            }
        };
        let words: Vec<String> = text.split_whitespace().take(60).map(shown).collect();
        words.join(" ")
    }

    fn name(&self, name: &str) -> String {
        let fair = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b':');
        if name.len() <= 60 && name.bytes().all(fair) {
            name.to_owned()
        } else {
            self.hide(name)
        }
    }

    /// The harmless ones, in their order.
    pub(super) fn headers(&self, headers: &HeaderMap) -> Vec<Field> {
        let shown = |name: &header::HeaderName, value: &str| -> Option<String> {
            Some(match *name {
                header::AUTHORIZATION => {
                    let (scheme, secret) = value.split_once(' ').unwrap_or_default();
                    format!("{} {}", plain(scheme, 20), self.hide(secret))
                }
                header::LOCATION | header::CONTENT_LOCATION => self.location(value),
                header::WWW_AUTHENTICATE => {
                    let scheme = value.split([' ', ',']).next().unwrap_or_default();
                    if is_word(scheme) {
                        scheme.to_owned()
                    } else {
                        self.hide(scheme)
                    }
                }
                _ if HEADERS.contains(name) => plain(value, 200),
                _ => return None,
            })
        };
        headers
            .iter()
            .filter_map(|(name, value)| {
                Some(Field {
                    name: name.to_string(),
                    value: shown(name, value.to_str().ok()?)?,
                })
            })
            .take(MOST)
            .collect()
    }

    /// A body by its media type.
    pub(super) fn body(&self, content_type: &str, bytes: &[u8]) -> Body {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let mut tokens = Vec::new();
        let content = if bytes.len() > LARGEST {
            Content::Hidden
        } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let pairs: Vec<_> = form_urlencoded::parse(bytes).take(MOST).collect();
            let fields = pairs.iter().map(|(name, value)| Field {
                name: self.name(name),
                value: self.value(name, value),
            });
            tokens.extend(pairs.iter().filter_map(|(n, v)| self.token(n, v)));
            Content::Form(fields.collect())
        } else {
            self.json(bytes, &mut tokens)
        };
        Body {
            content_type: plain(media_type, 100),
            size: bytes.len(),
            content,
            tokens,
        }
    }

    fn json(&self, bytes: &[u8], tokens: &mut Vec<(String, Value)>) -> Content {
        #[derive(serde::Deserialize)]
        struct Head {
            #[serde(rename = "resourceType")]
            resource_type: String,
            total: Option<u64>,
        }
        if let Ok(head) = serde_json::from_slice::<Head>(bytes) {
            let resource_type = if is_camel(&head.resource_type) {
                head.resource_type
            } else {
                self.hide(&head.resource_type)
            };
            return Content::Fhir {
                resource_type,
                total: head.total,
            };
        }
        let Ok(members) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
            return Content::Hidden;
        };
        // What calls itself a resource in an unreadable way is one all the same.
        if members.contains_key("resourceType") {
            return Content::Hidden;
        }
        tokens.extend(
            members
                .iter()
                .filter_map(|(name, value)| self.token(name, value.as_str()?)),
        );
        Content::Json(self.object(&members))
    }

    fn object(&self, members: &Map<String, Value>) -> Value {
        let shown = members.iter().take(MOST);
        Value::Object(
            shown
                .map(|(name, value)| (self.name(name), self.member(name, value)))
                .collect(),
        )
    }

    fn member(&self, name: &str, value: &Value) -> Value {
        match (manner(name), value) {
            (_, Value::Null) => Value::Null,
            (_, Value::String(text)) => Value::String(self.value(name, text)),
            (Shown::Plainly, Value::Bool(_) | Value::Number(_)) => value.clone(),
            (Shown::Plainly | Shown::AsUrl, Value::Array(list)) => {
                let flat = list.iter().take(MOST).filter(|one| one.is_string());
                Value::Array(flat.map(|one| self.member(name, one)).collect())
            }
            (Shown::AsKeys, Value::Object(inner)) => self.object(inner),
            (Shown::AsKeys, Value::Array(keys)) => {
                Value::Array(keys.iter().take(MOST).map(|key| self.key(key)).collect())
            }
            _ => Value::String(self.hide(&value.to_string())),
        }
    }

    /// A public key (RFC 7517): the members that are public by definition.
    fn key(&self, key: &Value) -> Value {
        let public = |name: &str| {
            matches!(
                name,
                "kty" | "kid" | "use" | "alg" | "crv" | "x" | "y" | "n" | "e" | "key_ops"
            )
        };
        let members = key.as_object().into_iter().flatten().take(MOST);
        // A shared key has no public half: all of it is hidden.
        let shared = key.get("kty").and_then(Value::as_str) == Some("oct");
        let shown = |name: &str, value: &Value| match value {
            Value::String(text) if public(name) && !shared => Value::String(plain(text, LONGEST)),
            _ => Value::String(self.hide(&value.to_string())),
        };
        Value::Object(
            members
                .map(|(name, value)| (self.name(name), shown(name, value)))
                .collect(),
        )
    }

    /// A JSON Web Token, decoded without its signature (RFC 7515 §7.1).
    fn token(&self, name: &str, text: &str) -> Option<(String, Value)> {
        if !matches!(manner(name), Shown::AsToken) {
            return None;
        }
        let part = |text: &str| -> Option<Map<String, Value>> {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(text)
                .ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        let mut parts = text.split('.');
        let (header, claims) = (part(parts.next()?)?, part(parts.next()?)?);
        let mut shown = self.object(&claims);
        // In a client's assertion `sub` is the client; elsewhere it is a person.
        if let (Some(sub), true) = (shown.get_mut("sub"), claims.get("sub") == claims.get("iss")) {
            *sub = claims.get("iss").cloned().unwrap_or_default();
        }
        Some((
            name.to_owned(),
            serde_json::json!({ "header": self.object(&header), "claims": shown }),
        ))
    }
}
