//! The redirect URL as it comes back: input from anybody, since any program may open a deep link.

use url::Url;

/// Longer than any honest answer.
const MAX_LENGTH: usize = 8 * 1024;

/// Why a callback was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// More than 8 KiB.
    #[error("the callback is too long")]
    TooLong,
    /// Not a URL, or without what an authorization response has.
    #[error("the callback is malformed: {0}")]
    Malformed(&'static str),
    /// Not at the redirect URI of this login.
    #[error("the callback came to another address than the login's")]
    WrongRedirect,
    /// A parameter is there twice.
    #[error("the callback has {0} twice")]
    DuplicateParameter(&'static str),
    /// No `state`.
    #[error("the callback has no state")]
    MissingState,
    /// Another login's `state`.
    #[error("the callback belongs to another login")]
    StateMismatch,
    /// More than ten minutes after the login began.
    #[error("the callback came too late")]
    Expired,
    /// `iss` is not the server that was asked (RFC 9207 §2.4), or it promised `iss` and left it out.
    #[error("the callback is from {} instead of {}", who(found), who(expected))]
    IssuerMismatch {
        /// The issuer of the login.
        expected: Option<String>,
        /// What came.
        found: Option<String>,
    },
    /// The person said no, or the server says so in that way (`access_denied`).
    #[error("access was denied")]
    Denied {
        /// The server's own words.
        description: Option<String>,
    },
    /// Any other error of the authorization endpoint (RFC 6749 §4.1.2.1, OpenID Connect §3.1.2.6).
    #[error("the authorization endpoint answered {code}{}", said(description))]
    ServerError {
        /// Its code.
        code: String,
        /// The server's own words.
        description: Option<String>,
    },
}

/// The server's own words behind a sentence about it.
fn said(description: &Option<String>) -> String {
    let words = description.as_deref().filter(|words| !words.is_empty());
    words.map(|words| format!(": {words}")).unwrap_or_default()
}

fn who(issuer: &Option<String>) -> &str {
    issuer
        .as_deref()
        .unwrap_or("a server that does not say who it is")
}

/// The parameters of an authorization response, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) error_description: Option<String>,
}

/// Takes a callback apart. Gives its address without query and fragment, and its parameters; others
/// than ours are ignored (RFC 6749 §4.1.2).
pub(crate) fn read(callback: &str) -> Result<(Url, Parameters), CallbackError> {
    if callback.len() > MAX_LENGTH {
        return Err(CallbackError::TooLong);
    }
    let mut url = Url::parse(callback.trim()).map_err(|_| CallbackError::Malformed("not a URL"))?;
    let mut parameters = Parameters::default();
    for (name, value) in url.query_pairs() {
        let (name, slot) = match name.as_ref() {
            "code" => ("code", &mut parameters.code),
            "state" => ("state", &mut parameters.state),
            "iss" => ("iss", &mut parameters.iss),
            "error" => ("error", &mut parameters.error),
            "error_description" => ("error_description", &mut parameters.error_description),
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(CallbackError::DuplicateParameter(name));
        }
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok((url, parameters))
}

/// The `state` of a callback, read with the same care as everything else, so that the pending login
/// can be taken by it. Nothing else about the callback has been checked then.
///
/// # Errors
/// [`CallbackError`] when it is too long, not a URL, has a parameter twice, or has no state.
pub fn callback_state(callback: &str) -> Result<String, CallbackError> {
    let (_, parameters) = read(callback)?;
    parameters
        .state
        .filter(|state| !state.is_empty())
        .ok_or(CallbackError::MissingState)
}
