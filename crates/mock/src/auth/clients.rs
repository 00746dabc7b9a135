//! Registered clients, and which redirect addresses they may have (RFC 8252 §7, §8).

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::{Host, Url};

use super::key_sets::KeySet;
use super::state::Unusable;
use crate::population::PRACTICE;

/// How a client proves who it is (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// It does not.
    None,
    /// A secret in the `Authorization` header.
    Basic,
    /// A secret in the form.
    Post,
    /// An assertion signed with its key.
    PrivateKeyJwt,
}

impl Method {
    /// From the registered name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "client_secret_basic" => Some(Self::Basic),
            "client_secret_post" => Some(Self::Post),
            "private_key_jwt" => Some(Self::PrivateKeyJwt),
            _ => None,
        }
    }
}

/// What the practice says of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Practice {
    Approved,
    Waiting,
    Refused,
    SwitchedOff,
    /// As [`Practice::SwitchedOff`], and the app itself is unknown from now on: `invalid_client`.
    Blocked,
}

impl Practice {
    /// Whether people may use the app.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn permits(self) -> Result<(), &'static str> {
        match self {
            Self::Approved => Ok(()),
            Self::Waiting => Err("the practice has not approved the app yet"),
            Self::Refused => Err("the practice has refused the app"),
            Self::SwitchedOff => Err("the practice has switched the app off"),
            Self::Blocked => Err("the practice has blocked the app"),
        }
    }
}

/// What each practice says of an app.
#[derive(Clone, Debug)]
pub(super) struct Decisions {
    /// What counts until a practice decides.
    first: Practice,
    decided: BTreeMap<String, Practice>,
}

impl Decisions {
    /// Nobody has decided yet.
    pub(super) fn new(first: Practice) -> Self {
        Decisions {
            first,
            decided: BTreeMap::new(),
        }
    }

    /// What this practice says.
    pub(super) fn of(&self, practice: &str) -> Practice {
        self.decided.get(practice).copied().unwrap_or(self.first)
    }

    /// Takes down what a practice says.
    pub(super) fn decide(&mut self, practice: &str, says: Practice) {
        self.decided.insert(practice.to_owned(), says);
    }

    /// Whether there is a practice whose people may use the app.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn any_permits(&self) -> Result<(), &'static str> {
        let mut said = self.decided.values();
        if said.any(|says| says.permits().is_ok()) {
            return Ok(());
        }
        // The first practice is there always, and speaks where nobody else has.
        self.of(PRACTICE).permits()
    }
}

/// A registered client.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) method: Method,
    pub(super) secret: Option<String>,
    /// When the secret ends, in seconds since 1970; 0 is never (RFC 7591 §3.2.1).
    pub(super) secret_expires_at: i64,
    /// Public keys, as registered.
    pub(super) keys: Vec<Value>,
    /// Where it publishes its keys itself.
    pub(super) key_set: Option<KeySet>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: Vec<String>,
    /// The scopes it registered; `None` if it named none, which leaves every scope open.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) name: String,
    /// Where a portal opens it (`initiate_login_uri`).
    pub(super) launch_url: Option<String>,
    pub(super) practice: Decisions,
    /// The grant under which this installation was registered: what its JWT-bearer grant gives.
    pub(super) signed_in: Option<u64>,
    /// The token for reading and deleting the registration (RFC 7592).
    pub(super) registration_token: String,
    /// The answer to the registration.
    pub(super) metadata: Map<String, Value>,
}

impl Client {
    /// Whether `uri` is registered: compared letter by letter, save for the port of a loopback
    /// address, which a native app learns only when it listens (RFC 8252 §7.3).
    pub(super) fn may_redirect_to(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|registered| registered == uri || differs_in_loopback_port_only(registered, uri))
    }

    /// Whether the people of a practice may use it.
    ///
    /// # Errors
    /// Why not; a blocked app is told that it is unknown.
    pub(super) fn permitted_at(&self, practice: &str) -> Result<(), Unusable> {
        let says = self.practice.of(practice);
        says.permits().map_err(|reason| match says {
            Practice::Blocked => Unusable::Client(reason),
            _ => Unusable::Grant(reason),
        })
    }

    /// Whether it registered the grant type.
    pub(super) fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|known| known == grant_type)
    }
}

/// Cuts `http://127.0.0.1:8080/path` into host and path; `None` for any other kind of address.
fn loopback_parts(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"]
        .into_iter()
        .find(|host| rest.starts_with(host))?;
    let rest = &rest[host.len()..];
    let (port, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let number = port.strip_prefix(':');
    let fits = port.is_empty() || number.is_some_and(|number| number.parse::<u16>().is_ok());
    fits.then_some((host, path))
}

fn differs_in_loopback_port_only(registered: &str, asked: &str) -> bool {
    matches!(
        (loopback_parts(registered), loopback_parts(asked)),
        (Some(registered), Some(asked)) if registered == asked
    )
}

/// Whether a client may register `uri`: https; plain http to a loopback address literal; or a
/// private-use scheme with a period, one slash and no authority (RFC 8252 §7.1).
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn check_redirect_uri(uri: &str) -> Result<(), &'static str> {
    if uri.contains('*') {
        return Err("a redirect address must not have a wildcard");
    }
    if uri.contains('#') {
        return Err("a redirect address must not have a fragment");
    }
    if uri
        .chars()
        .any(|letter| letter.is_whitespace() || letter.is_control())
    {
        return Err("a redirect address must not have blanks");
    }
    let url = Url::parse(uri).map_err(|_| "the redirect address is not an absolute URI")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a redirect address must not name a user");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" => match url.host() {
            Some(Host::Ipv4(ip)) if ip == std::net::Ipv4Addr::LOCALHOST => Ok(()),
            Some(Host::Ipv6(ip)) if ip == std::net::Ipv6Addr::LOCALHOST => Ok(()),
            _ => Err("plain http is for 127.0.0.1 and [::1] only"),
        },
        scheme if !scheme.contains('.') => {
            Err("a private-use scheme must be a reversed domain name, with a period")
        }
        scheme => {
            let rest = &uri[scheme.len() + 1..];
            if rest.starts_with('/') && !rest.starts_with("//") {
                Ok(())
            } else {
                Err("a private-use scheme is followed by one slash and a path")
            }
        }
    }
}

/// Whether a redirect belongs to the host of `client_uri`: an https address to the host or one below
/// it, a private-use scheme to its reversed name (RFC 8252 §7.1, §8.4). Loopback belongs to everybody.
///
/// # Errors
/// What does not fit, in words.
pub(super) fn check_belongs(uri: &str, client_uri: Option<&str>) -> Result<(), &'static str> {
    let url = Url::parse(uri).map_err(|_| "the redirect address is not an absolute URI")?;
    if url.scheme() == "http" {
        return Ok(());
    }
    let home = client_uri.and_then(|uri| Url::parse(uri).ok());
    let home = home.as_ref().and_then(Url::host_str);
    let home = home.ok_or("without client_uri nobody can say whose redirect address this is")?;
    let belongs = if url.scheme() == "https" {
        let host = url.host_str().unwrap_or_default();
        host == home || host.ends_with(&format!(".{home}"))
    } else {
        let reversed: Vec<&str> = home.rsplit('.').collect();
        let reversed = reversed.join(".");
        url.scheme() == reversed || url.scheme().starts_with(&format!("{reversed}."))
    };
    belongs
        .then_some(())
        .ok_or("the redirect address does not belong to the host of client_uri")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://app.example/callback", true)]
    #[case("http://127.0.0.1/callback", true)]
    #[case("http://127.0.0.1:4711/callback", true)]
    #[case("http://[::1]:4711/callback", true)]
    #[case("org.example.app:/callback", true)]
    #[case("http://localhost/callback", false)]
    #[case("http://127.0.0.2/callback", false)]
    #[case("http://app.example/callback", false)]
    #[case("http://127.0.0.1.evil.example/callback", false)]
    #[case("myapp:/callback", false)]
    #[case("org.example.app://callback", false)]
    #[case("org.example.app:callback", false)]
    #[case("javascript:alert(1)", false)]
    #[case("data:text/html,x", false)]
    #[case("file:///etc/hosts", false)]
    #[case("https://app.example/callback#part", false)]
    #[case("https://*.example/callback", false)]
    #[case("https://user@app.example/callback", false)]
    #[case("https://app.example/call back", false)]
    #[case("/callback", false)]
    #[case("", false)]
    fn redirect_rules(#[case] uri: &str, #[case] allowed: bool) {
        assert_eq!(check_redirect_uri(uri).is_ok(), allowed, "{uri}");
    }

    #[rstest]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:9/cb", true)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:9/cb", true)]
    #[case("http://[::1]:1/cb", "http://[::1]:9/cb", true)]
    #[case("http://127.0.0.1:1/cb", "http://[::1]:1/cb", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:1/other", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:1@evil.example/cb", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1.evil.example/cb", false)]
    #[case("https://app.example/cb", "https://app.example:444/cb", false)]
    #[case("https://app.example/cb", "https://app.example/cb/", false)]
    #[case("https://app.example/cb", "https://app.example/cb", true)]
    #[case("org.example.app:/cb", "org.example.app:/cb", true)]
    #[case("org.example.app:/cb", "org.example.app:/CB", false)]
    fn redirect_comparison(#[case] registered: &str, #[case] asked: &str, #[case] same: bool) {
        let client = Client {
            method: Method::None,
            secret: None,
            secret_expires_at: 0,
            keys: Vec::new(),
            key_set: None,
            redirect_uris: vec![registered.to_owned()],
            grant_types: Vec::new(),
            scopes: None,
            name: String::new(),
            launch_url: None,
            practice: Decisions::new(Practice::Approved),
            signed_in: None,
            registration_token: String::new(),
            metadata: Map::new(),
        };
        assert_eq!(client.may_redirect_to(asked), same);
    }
}
