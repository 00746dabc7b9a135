//! Logos: pictures from strangers. Only https and data URLs, of bounded size, of kinds that browsers
//! show as pictures; an SVG with anything in it that could act or load is refused (checklist A27).

use crate::http::{Get, HttpClient, HttpError};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use url::Url;

/// The largest picture that is taken.
const MAX_LOGO_BYTES: usize = 512 * 1024;
/// The longest data URL that is kept.
const MAX_DATA_URL: usize = 4 * MAX_LOGO_BYTES / 3 + 100;

/// Where a logo is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoSource {
    /// To be fetched.
    Remote(Url),
    /// In the bundle itself, as a data URL.
    Inline(String),
}

impl LogoSource {
    /// Reads a logo's URL; `None` when it is of no allowed kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_DATA_URL {
            return None;
        }
        let url = Url::parse(text.trim()).ok()?;
        match url.scheme() {
            "data" => Some(Self::Inline(text.trim().to_owned())),
            "https" | "http" => Some(Self::Remote(url)),
            _ => None,
        }
    }

    /// As a text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Remote(url) => url.as_str(),
            Self::Inline(text) => text,
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// The network.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// None of the kinds that are shown.
    #[error("the logo is not a picture of a known kind")]
    NotAPicture,
    /// An SVG with parts that could act or load.
    #[error("the logo holds {0}, which a picture must not")]
    Active(&'static str),
}

/// A picture that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoImage {
    /// `image/png`, `image/jpeg`, `image/gif`, `image/webp` or `image/svg+xml`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl LogoImage {
    /// Checks bytes: the kind is told by what they are, not by what a server calls them.
    ///
    /// # Errors
    /// [`LogoError::NotAPicture`], [`LogoError::Active`].
    pub fn check(bytes: Vec<u8>) -> Result<Self, LogoError> {
        let media_type = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'G', b'I', b'F', b'8', ..] => "image/gif",
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => "image/webp",
            other => {
                check_svg(other)?;
                "image/svg+xml"
            }
        };
        if bytes.len() > MAX_LOGO_BYTES {
            return Err(LogoError::NotAPicture);
        }
        Ok(Self { media_type, bytes })
    }

    /// As a `data:` URL for an `<img>`, where scripts do not run.
    #[must_use]
    pub fn data_url(&self) -> String {
        format!(
            "data:{};base64,{}",
            self.media_type,
            STANDARD.encode(&self.bytes)
        )
    }
}

/// Gets a logo. `http` is a client whose policy fits where the bundle came from.
///
/// # Errors
/// [`LogoError`].
pub async fn fetch_logo(http: &HttpClient, source: &LogoSource) -> Result<LogoImage, LogoError> {
    let bytes = match source {
        LogoSource::Inline(text) => decode_data_url(text).ok_or(LogoError::NotAPicture)?,
        LogoSource::Remote(url) => {
            let get = Get {
                accept: "image/png, image/svg+xml, image/webp, image/jpeg, image/gif",
                ..Get::json(url)
            };
            let answer = http.with_limit(MAX_LOGO_BYTES).get(get).await?;
            if !answer.is_success() {
                return Err(answer.status_error().into());
            }
            answer.body
        }
    };
    LogoImage::check(bytes)
}

/// The bytes of a data URL (RFC 2397).
fn decode_data_url(text: &str) -> Option<Vec<u8>> {
    let (head, data) = text.get(5..)?.split_once(',')?;
    let plain: Vec<u8> = percent_decode(data);
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return Some(plain);
    }
    let packed: Vec<u8> = plain
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
        .collect();
    STANDARD_NO_PAD.decode(packed).ok()
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escape.unwrap_or(byte));
        at += if escape.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Parts of an SVG that could act, load or frame something. An `<img>` runs and loads nothing, so
/// this is the second lock, not the first.
const ACTIVE: [(&str, &str); 9] = [
    ("<script", "a script"),
    ("<foreignobject", "a foreignObject"),
    ("<iframe", "a frame"),
    ("<embed", "an embedded object"),
    ("<object", "an embedded object"),
    ("<!entity", "an entity"),
    ("<?xml-stylesheet", "an outside style sheet"),
    ("@import", "an outside style sheet"),
    ("javascript:", "a script"),
];

fn check_svg(bytes: &[u8]) -> Result<(), LogoError> {
    let text = std::str::from_utf8(bytes).map_err(|_| LogoError::NotAPicture)?;
    let lower = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    let starts_well = lower.starts_with('<') && !lower.starts_with("<!doctype html");
    if !starts_well || !lower.contains("<svg") || lower.contains("<html") {
        return Err(LogoError::NotAPicture);
    }
    // Prefixed elements and letters written as references would slip past a plain search.
    let unprefixed = without_prefixes(&lower);
    for (mark, what) in ACTIVE {
        if unprefixed.contains(mark) {
            return Err(LogoError::Active(what));
        }
    }
    attributes(&lower)
}

/// `<svg:script` as `<script`.
fn without_prefixes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (index, part) in text.split('<').enumerate() {
        if index > 0 {
            plain.push('<');
        }
        let name_end = part
            .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .unwrap_or(part.len());
        let (name, rest) = part.split_at(name_end);
        plain.push_str(name.rsplit_once(':').map_or(name, |(_, local)| local));
        plain.push_str(rest);
    }
    plain
}

/// Event handlers and references that lead out of the picture.
fn attributes(lower: &str) -> Result<(), LogoError> {
    // Up to the next tag, not to '>', which may stand in a value.
    for tag in lower.split('<').skip(1) {
        let mut rest = tag;
        while let Some(at) = rest.find('=') {
            let name = rest
                .get(..at)
                .unwrap_or_default()
                .trim_end()
                .rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/' | '>'))
                .next()
                .unwrap_or_default();
            let value = rest
                .get(at + 1..)
                .unwrap_or_default()
                .trim_start()
                .trim_start_matches(['"', '\'']);
            let local = name.rsplit(':').next().unwrap_or_default();
            if local.starts_with("on") {
                return Err(LogoError::Active("an event handler"));
            }
            let inside = value.starts_with('#') || value.starts_with("data:image/");
            if (local == "href" || local == "src") && !inside {
                return Err(LogoError::Active("a reference to somewhere else"));
            }
            rest = rest.get(at + 1..).unwrap_or_default();
        }
    }
    let outside = lower.split("url(").skip(1).any(|target| {
        let target = target.trim_start().trim_start_matches(['"', '\'']);
        !target.starts_with('#') && !target.starts_with("data:image/")
    });
    if outside {
        return Err(LogoError::Active("a reference to somewhere else"));
    }
    Ok(())
}
