//! HTTP with the house's rules: TLS 1.2 or later with verified certificates, http only on loopback
//! and only where that is allowed, bodies of bounded size, redirects that never leave their origin.

mod base_url;
mod client;
mod error;
mod reach;
mod stream;

pub use base_url::{FhirBaseUrl, FhirBaseUrlError};
pub use client::{Answer, HttpClient, HttpPolicy};
pub(crate) use client::{Follow, Get, json_headers};
pub use error::HttpError;
pub use reach::Reach;
pub(crate) use stream::{Stream, StreamGet};

use url::{Host, Url};

/// Whether the host is this machine by definition: a loopback address, or `localhost` (RFC 6761).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// The URL as it may be printed: without query, fragment and user information.
pub(crate) fn printable(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // A URL that cannot carry user information carries none to hide.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}
