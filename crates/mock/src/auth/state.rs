//! What the authorization server knows: clients, sign-ins under way, grants and tokens. All of it
//! in memory, gone when the server stops.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use super::answer::OAuthError;
use super::chance;
use super::clients::{Client, Practice};
use super::jwks::{KeyRing, Keys};
use super::limits::Guesses;
use crate::accounts::{AccountNumber, Accounts};
use crate::clock::Clock;
use crate::policy::{Policy, RefreshExpiry};
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
    pub(crate) accounts: Accounts,
    /// The server's time.
    pub(crate) clock: Clock,
    /// What the standards leave to the server.
    pub(crate) policy: Policy,
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
    /// How long a refresh token lives.
    pub(crate) refresh_lifetime_seconds: i64,
    /// Whether nobody can register.
    pub(crate) registration_closed: bool,
    /// Whether client secrets have letters that need encoding.
    pub(crate) odd_secrets: bool,
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
    /// For somebody at a practice: whose patients these are.
    pub(crate) practice: Option<String>,
}

/// A valid authorization request (RFC 6749 §4.1.1, RFC 7636, SMART).
#[derive(Clone)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) state: String,
    pub(super) nonce: Option<String>,
    /// None only where PKCE may be left out.
    pub(super) challenge: Option<String>,
    /// The launch from a portal that this answers.
    pub(super) launch: Option<Launch>,
}

/// An app that was opened from a portal, with what was open there (SMART, "EHR launch").
#[derive(Clone)]
pub(super) struct Launch {
    pub(super) client_id: String,
    /// Who opened it.
    pub(super) account: AccountNumber,
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
    /// A portal opened the app, and tells it how to look (`smart_style_url`).
    pub(super) styled: bool,
}

/// Somebody who is signed in at a portal.
#[derive(Clone)]
pub(super) struct Login {
    /// Who it is.
    pub(super) account: AccountNumber,
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
    /// Who it is, once signed in.
    pub(super) account: Option<AccountNumber>,
    /// The chosen patient.
    pub(super) patient: Option<String>,
}

/// What somebody, or a service for itself, has been granted.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) patient: Option<String>,
    pub(super) account: Option<AccountNumber>,
    /// The practice that decides whether the app may be used.
    pub(super) practice: String,
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
    pub(super) challenge: Option<String>,
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
    pub(super) expires: i64,
    pub(super) used: bool,
}

/// Why a grant is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It was withdrawn or switched off.
    Grant(&'static str),
    /// The app itself is blocked.
    Client(&'static str),
}

impl From<Unusable> for OAuthError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Grant(reason) => Self::invalid_grant(reason),
            Unusable::Client(reason) => Self::invalid_client(reason),
        }
    }
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
    pub(super) guesses: Guesses,
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
    pub(super) fn usable_grant(&self, grant_id: u64) -> Result<Grant, Unusable> {
        let withdrawn = Unusable::Grant("the token is unknown or was withdrawn");
        let grant = self.grants.get(&grant_id).ok_or(withdrawn)?;
        if !grant.alive {
            return Err(withdrawn);
        }
        if grant.suspended {
            return Err(Unusable::Grant("the app was switched off in the portal"));
        }
        let client = self.clients.get(&grant.client_id).ok_or(withdrawn)?;
        client.permitted_at(&grant.practice)?;
        Ok(grant.clone())
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
        self.new_access_named(grant_id, scopes, expires, |secret| secret)
    }

    /// Makes an access token out of a secret.
    pub(super) fn new_access_named(
        &mut self,
        grant_id: u64,
        scopes: &[String],
        expires: i64,
        named: impl FnOnce(String) -> String,
    ) -> String {
        let token = named(chance::secret());
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
    fn new_refresh(&mut self, grant_id: u64, expires: i64) -> String {
        let token = chance::secret();
        self.issued.push(token.clone());
        let entry = RefreshToken {
            grant_id,
            expires,
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
    pub(super) ring: RwLock<KeyRing>,
    inner: Mutex<Inner>,
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
            ring: RwLock::new(KeyRing::new(
                Keys::generate().expect("the cryptography library makes keys"),
            )),
            inner: Mutex::default(),
        }
    }

    /// Who may sign in.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.config.accounts
    }

    /// Seconds since 1970 by this server's clock, which testers may turn.
    pub(crate) fn now(&self) -> i64 {
        self.config.clock.now()
    }

    /// Whole days since the start.
    pub(crate) fn days(&self) -> u32 {
        self.config.clock.days()
    }

    /// Turns the clock by so many seconds, on or back.
    pub(crate) fn turn_clock(&self, seconds: i64) {
        self.config.clock.turn(seconds);
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
        let practice = account
            .as_ref()
            .filter(|account| account.role != AccountRole::Patient)
            .map(|account| account.practice.clone());
        let (scopes, patient) = match account {
            Some(account) if account.role == AccountRole::Patient => {
                own_records_only(&scopes, grant.patient, &account)
            }
            _ => (scopes, grant.patient),
        };
        Some(AccessGrant {
            grant_id,
            client_id: grant.client_id,
            scopes,
            patient,
            practice,
        })
    }

    /// The client to which an access token was issued, whatever has become of it.
    pub(crate) fn client_of(&self, token: &str) -> Option<String> {
        let inner = self.lock();
        let grant_id = inner.access.get(token)?.grant_id;
        let grant = inner.grants.get(&grant_id)?;
        Some(grant.client_id.clone())
    }

    /// The access token ends before its time.
    pub(crate) fn expire(&self, token: &str) {
        let now = self.now();
        if let Some(found) = self.lock().access.get_mut(token) {
            found.expires = found.expires.min(now);
        }
    }

    /// What the person granted ends, and every token of it.
    pub(crate) fn withdraw(&self, token: &str) {
        let mut inner = self.lock();
        if let Some(grant_id) = inner.access.get(token).map(|found| found.grant_id) {
            inner.kill_grant(grant_id);
        }
    }

    /// The registered clients: id, name and method of authentication.
    pub(crate) fn clients(&self) -> Vec<serde_json::Value> {
        let inner = self.lock();
        let mut clients: Vec<serde_json::Value> = inner
            .clients
            .values()
            .map(|client| {
                let mut metadata = client.metadata.clone();
                for secret in ["client_secret", "registration_access_token"] {
                    metadata.remove(secret);
                }
                metadata.into()
            })
            .collect();
        clients.sort_by_key(|client| client["client_id"].to_string());
        clients
    }

    /// Removes a client with everything it was granted; `false` when there is none.
    pub(crate) fn remove_client(&self, client_id: &str) -> bool {
        let mut inner = self.lock();
        let known = inner.clients.contains_key(client_id);
        inner.remove_client(client_id);
        known
    }

    /// Switches an app off or on for a practice, as its administrator may.
    pub(crate) fn decide(&self, client_id: &str, practice: &str, enabled: bool) -> bool {
        let says = if enabled {
            Practice::Approved
        } else {
            Practice::SwitchedOff
        };
        let mut inner = self.lock();
        let client = inner.clients.get_mut(client_id);
        let known = client.is_some();
        if let Some(client) = client {
            client.practice.decide(practice, says);
        }
        known
    }

    /// Ends everything that these accounts have granted, and signs them out.
    pub(crate) fn forget_accounts(&self, gone: &[AccountNumber]) {
        let mut inner = self.lock();
        let is_gone = |number: Option<AccountNumber>| number.is_some_and(|one| gone.contains(&one));
        inner
            .logins
            .retain(|_, login| !is_gone(Some(login.account)));
        inner
            .sessions
            .retain(|_, session| !is_gone(session.account));
        for grant in inner.grants.values_mut().filter(|one| is_gone(one.account)) {
            grant.alive = false;
        }
    }

    /// Makes a refresh token for a grant of that moment. It ends after its lifetime, or when nobody
    /// uses it for long, whichever comes first.
    pub(super) fn new_refresh(&self, inner: &mut Inner, grant_id: u64, granted_at: i64) -> String {
        let now = self.now();
        let from = match self.config.policy.refresh_expiry {
            RefreshExpiry::Sliding => now,
            RefreshExpiry::Absolute => granted_at,
        };
        let ends = from.saturating_add(self.config.refresh_lifetime_seconds);
        let idle = self.config.policy.refresh_idle;
        let idle = idle.map_or(i64::MAX, |seconds| now.saturating_add(seconds));
        inner.new_refresh(grant_id, ends.min(idle))
    }

    /// A secret for a client: with letters that need encoding, where the tester wants that.
    pub(super) fn new_client_secret(&self) -> String {
        let secret = chance::secret();
        if self.config.odd_secrets {
            return format!("{}:+%/ {}", &secret[..20], &secret[20..]);
        }
        secret
    }

    /// When a client secret ends that is made now; 0 is never (RFC 7591 §3.2.1).
    pub(super) fn secret_expires_at(&self) -> i64 {
        let lifetime = self.config.policy.secret_lifetime;
        lifetime.map_or(0, |seconds| self.now().saturating_add(seconds))
    }

    /// Whether a looseness was switched on.
    pub(super) fn tolerates(&self, leniency: Leniency) -> bool {
        self.config.lenient.contains(&leniency)
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
