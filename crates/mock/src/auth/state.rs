//! What the authorization server knows: clients, sign-ins under way, grants and tokens. All of it
//! in memory, gone when the server stops.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::answer::Params;
use super::chance;
use super::clients::Client;
use super::jwks::Keys;
use crate::population::{Account, AccountRole};
use crate::quirks::Quirks;
use crate::world::Leniency;

/// What the authorization server is told at its start.
pub(crate) struct AuthConfig {
    /// The issuer, which is the origin.
    pub(crate) issuer: String,
    /// The FHIR base URL, without a trailing slash.
    pub(crate) fhir_base: String,
    /// Who may sign in.
    pub(crate) accounts: Vec<Account>,
    /// Display names by patient id, for the picker.
    pub(crate) patient_names: HashMap<String, String>,
    /// By patient id: the id of the latest visit, and `DiagnosticReport/id` of the latest report.
    pub(crate) latest: HashMap<String, (Option<String>, Option<String>)>,
    /// The habits of a vendor.
    pub(crate) quirks: Quirks,
    /// What is taken although a standard says otherwise.
    pub(crate) lenient: Vec<Leniency>,
    /// The private-use scheme to which the callback page hands over.
    pub(crate) app_scheme: String,
    /// Whether an app waits for the practice before anybody may use it.
    pub(crate) practice_approval: bool,
    /// How long an access token lives.
    pub(crate) token_lifetime_seconds: i64,
    /// The client authentication methods on offer.
    pub(crate) auth_methods: Vec<String>,
    /// The token without which nobody registers.
    pub(crate) initial_access_token: Option<String>,
    /// JWKs of those whose software statements count.
    pub(crate) software_statement_keys: Vec<serde_json::Value>,
}

/// What a valid access token permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessGrant {
    /// The grant it comes from.
    pub(crate) grant_id: u64,
    /// The client it was issued to.
    pub(crate) client_id: String,
    /// The granted scopes as they take effect: for a patient's account `user/` reads `patient/`.
    pub(crate) scopes: Vec<String>,
    /// The patient in context.
    pub(crate) patient: Option<String>,
}

/// A valid authorization request (RFC 6749 §4.1.1, RFC 7636, SMART).
#[derive(Clone)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) state: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    /// The launch from a portal that this answers.
    pub(super) launch: Option<Launch>,
}

/// An app that was opened from a portal, with what was open there (SMART, "EHR launch").
#[derive(Clone)]
pub(super) struct Launch {
    pub(super) client_id: String,
    /// Position in the accounts: who opened it.
    pub(super) account: usize,
    pub(super) patient: String,
    pub(super) context: LaunchContext,
    pub(super) expires: i64,
}

/// What an app is told beside the patient.
#[derive(Clone, Default)]
pub(super) struct LaunchContext {
    pub(super) encounter: Option<String>,
    /// `DiagnosticReport/id`, for `fhirContext`.
    pub(super) report: Option<String>,
    pub(super) intent: Option<String>,
    /// The portal shows the patient's name above the app, so the app need not.
    pub(super) banner_shown: bool,
}

/// Somebody who is signed in at a portal.
#[derive(Clone)]
pub(super) struct Login {
    /// Position in the accounts.
    pub(super) account: usize,
    pub(super) csrf: String,
    pub(super) expires: i64,
}

/// A sign-in under way. Bound to one browser by the cookie, to one page by the CSRF token.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) cookie: String,
    pub(super) csrf: String,
    pub(super) expires: i64,
    pub(super) request: AuthorizationRequest,
    /// Position in the accounts, once signed in.
    pub(super) account: Option<usize>,
    /// The chosen patient.
    pub(super) patient: Option<String>,
}

/// What somebody, or a service for itself, has been granted.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) patient: Option<String>,
    pub(super) account: Option<usize>,
    pub(super) context: LaunchContext,
    pub(super) alive: bool,
    /// Switched off in the portal, until it is switched on again.
    pub(super) suspended: bool,
    pub(super) granted_at: i64,
    pub(super) last_used: Option<i64>,
}

/// An authorization code. Used ones stay, so that a second use is noticed.
pub(super) struct Code {
    pub(super) grant_id: u64,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) expires: i64,
    pub(super) used: bool,
}

/// An access token.
pub(super) struct AccessToken {
    pub(super) grant_id: u64,
    pub(super) scopes: Vec<String>,
    pub(super) expires: i64,
}

/// A refresh token. Used ones stay, so that a second use is noticed.
pub(super) struct RefreshToken {
    pub(super) grant_id: u64,
    pub(super) used: bool,
}

/// Everything that changes.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) closed: bool,
    pub(super) clients: HashMap<String, Client>,
    pub(super) sessions: HashMap<String, Session>,
    /// By cookie.
    pub(super) logins: HashMap<String, Login>,
    /// By the value of `launch`.
    pub(super) launches: HashMap<String, Launch>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) grants: HashMap<u64, Grant>,
    pub(super) access: HashMap<String, AccessToken>,
    pub(super) refresh: HashMap<String, RefreshToken>,
    /// Seen assertion ids, with the moment they may be forgotten.
    pub(super) seen_assertions: HashMap<String, i64>,
    issued: Vec<String>,
    last_grant: u64,
}

impl Inner {
    /// Records a grant and gives its number.
    pub(super) fn add_grant(&mut self, grant: Grant) -> u64 {
        self.last_grant += 1;
        self.grants.insert(self.last_grant, grant);
        self.last_grant
    }

    /// The grant, if nobody has withdrawn it or switched it off.
    ///
    /// # Errors
    /// Who stands in the way, in words.
    pub(super) fn usable_grant(&self, grant_id: u64) -> Result<Grant, &'static str> {
        let withdrawn = "the token is unknown or was withdrawn";
        let grant = self.grants.get(&grant_id).ok_or(withdrawn)?;
        if !grant.alive {
            return Err(withdrawn);
        }
        if grant.suspended {
            return Err("the app was switched off in the portal");
        }
        match self.clients.get(&grant.client_id) {
            Some(client) => client.practice.permits().map(|()| grant.clone()),
            None => Err(withdrawn),
        }
    }

    /// As [`Inner::usable_grant`], without the reason.
    pub(super) fn living_grant(&self, grant_id: u64) -> Option<Grant> {
        self.usable_grant(grant_id).ok()
    }

    /// Withdraws the grant: every token of it is worthless from now on.
    pub(super) fn kill_grant(&mut self, grant_id: u64) {
        if let Some(grant) = self.grants.get_mut(&grant_id) {
            grant.alive = false;
        }
    }

    /// Makes an access token.
    pub(super) fn new_access(&mut self, grant_id: u64, scopes: &[String], expires: i64) -> String {
        let token = chance::secret();
        self.issued.push(token.clone());
        let entry = AccessToken {
            grant_id,
            scopes: scopes.to_vec(),
            expires,
        };
        self.access.insert(token.clone(), entry);
        token
    }

    /// Makes a refresh token.
    pub(super) fn new_refresh(&mut self, grant_id: u64) -> String {
        let token = chance::secret();
        self.issued.push(token.clone());
        let entry = RefreshToken {
            grant_id,
            used: false,
        };
        self.refresh.insert(token.clone(), entry);
        token
    }

    /// Removes the client and everything it was granted.
    pub(super) fn remove_client(&mut self, client_id: &str) {
        self.clients.remove(client_id);
        for grant in self.grants.values_mut() {
            if grant.client_id == client_id {
                grant.alive = false;
            }
        }
    }
}

/// What a patient's account may see is one chart, whatever the scope says: `user/` counts as
/// `patient/`, and without a chosen person the chart is the account's own.
fn own_records_only(
    scopes: &[String],
    patient: Option<String>,
    account: &Account,
) -> (Vec<String>, Option<String>) {
    let scopes = scopes
        .iter()
        .map(|scope| match scope.strip_prefix("user/") {
            Some(rest) => format!("patient/{rest}"),
            None => scope.clone(),
        })
        .collect();
    (
        scopes,
        patient.or_else(|| account.patient_ids.first().cloned()),
    )
}

/// The authorization server.
pub(crate) struct AuthState {
    pub(super) config: AuthConfig,
    keys: RwLock<Arc<Keys>>,
    inner: Mutex<Inner>,
    /// Seconds by which the clock was turned.
    turned: AtomicI64,
}

impl AuthState {
    /// Makes the keys and starts with no client and no grant.
    #[expect(
        clippy::expect_used,
        reason = "an authorization server without keys cannot serve anybody"
    )]
    pub(crate) fn new(config: AuthConfig) -> Self {
        Self {
            config,
            keys: RwLock::new(Arc::new(
                Keys::generate().expect("the cryptography library makes keys"),
            )),
            inner: Mutex::default(),
            turned: AtomicI64::new(0),
        }
    }

    /// Who may sign in.
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.config.accounts
    }

    /// Seconds since 1970 by this server's clock, which testers may turn.
    pub(crate) fn now(&self) -> i64 {
        chance::now().saturating_add(self.turned.load(Ordering::Relaxed))
    }

    /// Turns the clock by so many seconds, on or back.
    pub(crate) fn turn_clock(&self, seconds: i64) {
        self.turned.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Everything that changes, for the length of one step.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `token` permits; `None` when it is unknown, expired or withdrawn.
    pub(crate) fn check_bearer(&self, token: &str) -> Option<AccessGrant> {
        let now = self.now();
        let mut inner = self.lock();
        let found = inner.access.get(token)?;
        if now >= found.expires {
            return None;
        }
        let (grant_id, scopes) = (found.grant_id, found.scopes.clone());
        let grant = inner.living_grant(grant_id)?;
        if let Some(used) = inner.grants.get_mut(&grant_id) {
            used.last_used = Some(now);
        }
        let account = grant
            .account
            .and_then(|place| self.config.accounts.get(place));
        let (scopes, patient) = match account {
            Some(account) if account.role == AccountRole::Patient => {
                own_records_only(&scopes, grant.patient, account)
            }
            _ => (scopes, grant.patient),
        };
        Some(AccessGrant {
            grant_id,
            client_id: grant.client_id,
            scopes,
            patient,
        })
    }

    /// The signing keys as they are now.
    pub(super) fn keys(&self) -> Arc<Keys> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }

    /// Makes new signing keys and forgets the old ones; `false` when the machine cannot make keys.
    pub(crate) fn rotate_keys(&self) -> bool {
        let Some(new) = Keys::generate() else {
            return false;
        };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        true
    }

    /// Whether a looseness was switched on.
    pub(super) fn tolerates(&self, leniency: Leniency) -> bool {
        self.config.lenient.contains(&leniency)
    }

    /// The account whose name and password a form brings: its position.
    pub(super) fn account(&self, form: &Params) -> Option<usize> {
        let username = form.get("username").unwrap_or_default().trim();
        let password = form.get("password").unwrap_or_default();
        self.config.accounts.iter().position(|account| {
            account.username.eq_ignore_ascii_case(username)
                && chance::same_secret(&account.password, password)
        })
    }

    /// Takes a client in that was agreed on by hand.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn register_by_hand(&self, client: &serde_json::Value) -> Result<String, String> {
        super::register::register_by_hand(self, client)
            .map_err(|error| format!("{}: {}", error.error, error.description))
    }

    /// Switches access off (every grant ends, sign-in ends with `access_denied`) or on again.
    pub(crate) fn set_access(&self, enabled: bool) {
        let mut inner = self.lock();
        inner.closed = !enabled;
        if !enabled {
            for grant in inner.grants.values_mut() {
                grant.alive = false;
            }
        }
    }

    /// Every access and refresh token ever issued, in the order of issue.
    pub(crate) fn all_tokens(&self) -> Vec<String> {
        self.lock().issued.clone()
    }

    /// The URL of `path` on this server.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.issuer)
    }

    /// The token endpoint, which client assertions name as their audience.
    pub(super) fn token_endpoint(&self) -> String {
        self.url("/auth/token")
    }
}
