//! The authorization request as a form, for scope lists that are too long for a URL (SMART App Launch
//! 2.2, "Scope size"; capability `authorize-post`).

use super::OURS;
use crate::discovery::SmartConfiguration;
use std::fmt;
use url::Url;

/// A URL of more than this is cut or refused by some browsers, proxies and servers on the way.
const LONGEST_URL: usize = 2_000;

/// An authorization request to be sent by POST. It holds `state` and `launch`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationForm {
    /// The authorization endpoint, with its own query where it has one.
    pub action: Url,
    /// The parameters, in the order of the request.
    pub fields: Vec<(String, String)>,
}

impl fmt::Debug for AuthorizationForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationForm({}, [secret])", self.action.path())
    }
}

impl AuthorizationForm {
    /// The form of an authorization URL, only where the URL is too long and the server lists
    /// `authorize-post`.
    #[must_use]
    pub fn of(url: &Url, configuration: &SmartConfiguration) -> Option<Self> {
        if url.as_str().len() <= LONGEST_URL || !configuration.supports("authorize-post") {
            return None;
        }
        let (fields, own): (Vec<_>, Vec<_>) = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .partition(|(name, _)| OURS.contains(&name.as_str()));
        let mut action = url.clone();
        action.set_query(None);
        if !own.is_empty() {
            action.query_pairs_mut().extend_pairs(own);
        }
        Some(Self { action, fields })
    }
}
