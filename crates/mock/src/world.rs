//! What kind of server to start, and why starting can fail.

use std::path::PathBuf;

use crate::policy::Policy;
use crate::quirks::Quirks;
use crate::scenario::Scenario;

/// The settings of one mock server.
#[derive(Debug, Clone)]
pub struct World {
    /// How many synthetic people to make.
    pub patients: usize,
    /// The seed of the synthetic people: the same seed gives the same bytes.
    pub seed: u64,
    /// A directory of FHIR files (`*.json`, `*.ndjson`) to serve in addition.
    pub load: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 lets the system pick one.
    pub port: u16,
    /// Serve HTTPS with a certificate of its own authority instead of plain HTTP.
    pub tls: Option<TlsOptions>,
    /// How long an access token lives.
    pub token_lifetime_seconds: i64,
    /// How long a refresh token lives.
    pub refresh_lifetime_seconds: i64,
    /// Nobody can register: the endpoint is not there.
    pub registration_closed: bool,
    /// Client secrets have letters that need encoding in a Basic header (RFC 6749 §2.3.1).
    pub odd_secrets: bool,
    /// Where to listen beside 127.0.0.1: for other machines of a test network, never for real data.
    pub listen: Option<std::net::IpAddr>,
    /// Under which name other machines find it; the address it listens on, if not said.
    pub host: Option<String>,
    /// The password of everybody, in place of the well-known one.
    pub password: Option<String>,
    /// How many entries a search page has when the client does not say.
    pub page_size_default: usize,
    /// The `token_endpoint_auth_methods_supported` to advertise and to accept.
    pub auth_methods: Vec<String>,
    /// Clients that were agreed on by hand: RFC 7591 metadata with `client_id`, and `client_secret`
    /// where the method has one.
    pub clients: Vec<serde_json::Value>,
    /// The habits of a vendor to imitate.
    pub quirks: Quirks,
    /// Scenarios whose faults are planned from the start.
    pub scenarios: Vec<Scenario>,
    /// What is taken although a standard says otherwise.
    pub lenient: Vec<Leniency>,
    /// The private-use scheme to which the callback page under `/app/` hands over.
    pub app_scheme: String,
    /// Whether an app waits for the practice's approval before anybody may use it.
    pub practice_approval: bool,
    /// The initial access token without which nobody registers (RFC 7591 §3); `None` leaves it open.
    pub initial_access_token: Option<String>,
    /// JWKs of those whose software statements count (RFC 7591 §2.3).
    pub software_statement_keys: Vec<serde_json::Value>,
    /// What the standards leave to the server.
    pub policy: Policy,
}

/// A looseness that real clients need: strict unless it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leniency {
    /// A public client refreshes without saying who it is (RFC 6749 §6 wants `client_id`; the npm
    /// package `fhirclient` sends none).
    RefreshWithoutClientId,
    /// An assertion may name the issuer as its audience (rfc7523bis) beside the token endpoint (SMART).
    AssertionForIssuer,
    /// `aud` may have a slash behind the FHIR base (the Python package `fhirclient` sends one).
    AudWithSlash,
    /// A request without `code_challenge` is taken (RFC 7636; SMART demands it). A verifier that comes
    /// for such a code is refused all the same (RFC 9700 §4.8.2).
    PkceOptional,
}

impl Leniency {
    /// All of them, by the name that the command line takes.
    pub const ALL: [(&'static str, Self); 4] = [
        ("refresh-without-client-id", Self::RefreshWithoutClientId),
        ("assertion-for-issuer", Self::AssertionForIssuer),
        ("aud-with-slash", Self::AudWithSlash),
        ("pkce-optional", Self::PkceOptional),
    ];
}

/// How to serve HTTPS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Where to write the authority's certificate (PEM), for clients to trust.
    pub ca_out: Option<PathBuf>,
    /// What is wrong with the server's own certificate.
    pub fault: Option<TlsFault>,
}

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// It ended in 2020.
    Expired,
    /// It is for another host.
    WrongHost,
    /// The authority that signed it is not the one whose certificate was written out.
    UnknownAuthority,
    /// The certificate is right, but the server speaks TLS 1.1 only.
    Tls11Only,
}

impl TlsFault {
    /// All of them, by the name that the command line takes.
    pub const ALL: [(&'static str, Self); 4] = [
        ("expired", Self::Expired),
        ("wrong-host", Self::WrongHost),
        ("unknown-authority", Self::UnknownAuthority),
        ("tls-1.1-only", Self::Tls11Only),
    ];
}

impl Default for World {
    fn default() -> Self {
        let methods = [
            "private_key_jwt",
            "client_secret_basic",
            "client_secret_post",
            "none",
        ];
        World {
            patients: 8,
            seed: 1,
            load: None,
            port: 0,
            tls: None,
            token_lifetime_seconds: 3600,
            refresh_lifetime_seconds: 365 * 86_400,
            registration_closed: false,
            odd_secrets: false,
            listen: None,
            host: None,
            password: None,
            page_size_default: 50,
            auth_methods: methods.map(str::to_owned).to_vec(),
            clients: Vec::new(),
            quirks: Quirks::default(),
            scenarios: Vec::new(),
            lenient: Vec::new(),
            app_scheme: "org.satchel.app".to_owned(),
            practice_approval: false,
            initial_access_token: None,
            software_statement_keys: Vec::new(),
            policy: Policy::default(),
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The port is taken, or the system refused the listener.
    #[error("cannot listen on {address}:{port}")]
    Listen {
        /// The address asked for.
        address: std::net::IpAddr,
        /// The port asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Other machines would be let in with the password that everybody knows.
    #[error("listening for other machines needs a password of your own")]
    WellKnownPassword,
    /// A client that was agreed on by hand does not fit.
    #[error("a client cannot be taken in: {0}")]
    Client(String),
    /// A file or directory of the data to load cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file to load is no JSON.
    #[error("{path} is not JSON")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        #[source]
        source: serde_json::Error,
    },
    /// The authority's certificate cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The certificates could not be made.
    #[error("cannot make the certificates: {0}")]
    Certificates(String),
}
