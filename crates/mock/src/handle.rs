//! The tester's controls from Rust: all that the HTTP control API under `/_mock` offers, in the same
//! words. Both go through [`Shared`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::accounts::{NewPerson, Practice};
use crate::log::RequestLogEntry;
use crate::population::{Account, PRACTICE};
use crate::scenario::{PlannedFault, Scenario};
use crate::server::MockServer;
use crate::state::Shared;

/// How many of the synthetic people are listed.
const LISTED: usize = 50;

impl Shared {
    /// The first people, and whoever works here or was made.
    pub(crate) fn people(&self) -> Vec<Account> {
        self.auth.accounts().listed(LISTED)
    }

    /// Removes somebody, with the chart if it is theirs alone; what they granted ends.
    pub(crate) fn remove_person(&self, username: &str) -> bool {
        let gone = self.auth.accounts().remove(username);
        if let Some(number) = gone {
            self.auth.forget_accounts(&[number]);
        }
        gone.is_some()
    }

    /// Closes a practice, with its staff and its patients; the first stays.
    pub(crate) fn remove_practice(&self, id: &str) -> bool {
        let accounts = self.auth.accounts();
        if id == PRACTICE || !accounts.practices().iter().any(|one| one.id == id) {
            return false;
        }
        let gone = accounts.remove_practice(id);
        self.auth.forget_accounts(&gone);
        true
    }

    /// Switches one app off or on at one practice, the first if none is named.
    pub(crate) fn set_app_access(
        &self,
        client_id: &str,
        practice: Option<&str>,
        enabled: bool,
    ) -> bool {
        let practice = practice.unwrap_or(PRACTICE);
        self.auth.decide(client_id, practice, enabled)
    }

    /// Plans the faults of a scenario that comes with the server.
    pub(crate) fn plan_scenario(&self, name: &str) -> bool {
        let shipped = Scenario::shipped().unwrap_or_default();
        let found = shipped.iter().find(|one| one.name == name);
        for planned in found.iter().flat_map(|scenario| scenario.faults()) {
            planned.plan(&self.faults);
        }
        found.is_some()
    }
}

impl MockServer {
    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLogEntry> {
        self.app.log.all()
    }

    /// How many requests for records were under way at a time, at most.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.app.busy.most()
    }

    /// Resources per type; `None` when there are too many people to count.
    #[must_use]
    pub fn counts(&self) -> Option<BTreeMap<String, usize>> {
        self.app.data.counts()
    }

    /// Every access and refresh token given out, to search for leaks.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.app.auth.all_tokens()
    }

    /// Plans what goes wrong: where, for whom, after how many requests, how often.
    pub fn plan(&self, fault: &PlannedFault) {
        fault.plan(&self.app.faults);
    }

    /// Plans the faults of a scenario that comes with the server; `false` when there is none of that
    /// name.
    pub fn plan_scenario(&self, name: &str) -> bool {
        self.app.plan_scenario(name)
    }

    /// What is planned, a line each.
    #[must_use]
    pub fn planned(&self) -> Vec<String> {
        self.app.faults.describe()
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// The switch for everybody: off ends every grant, on lets people sign in again.
    pub fn set_access(&self, enabled: bool) {
        self.app.auth.set_access(enabled);
    }

    /// Switches one app off or on for the people of one practice (the first, if none is named); `false`
    /// when there is no such client.
    pub fn set_app_access(&self, client_id: &str, practice: Option<&str>, enabled: bool) -> bool {
        self.app.set_app_access(client_id, practice, enabled)
    }

    /// The registered apps, without their secrets.
    #[must_use]
    pub fn clients(&self) -> Vec<Value> {
        self.app.auth.clients()
    }

    /// Takes in a client that was agreed on by hand, as RFC 7591 describes it with `client_id` and
    /// `client_secret`; gives its id.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn add_client(&self, client: &Value) -> Result<String, String> {
        self.app.auth.register_by_hand(client)
    }

    /// Removes an app with everything it was granted; `false` when there is none.
    pub fn remove_client(&self, client_id: &str) -> bool {
        self.app.auth.remove_client(client_id)
    }

    /// Who may sign in now: the first fifty of the synthetic people, and everybody else.
    #[must_use]
    pub fn people(&self) -> Vec<Account> {
        self.app.people()
    }

    /// Makes somebody: a patient with a new chart, a trusted person, somebody at a practice.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn add_person(&self, new: NewPerson) -> Result<Account, String> {
        self.app.auth.accounts().make(new)
    }

    /// Removes somebody, a synthetic patient with the chart; `false` when there is nobody of that name.
    pub fn remove_person(&self, username: &str) -> bool {
        self.app.remove_person(username)
    }

    /// The practices.
    #[must_use]
    pub fn practices(&self) -> Vec<Practice> {
        self.app.auth.accounts().practices()
    }

    /// Opens a practice; `false` when there is one of that id.
    pub fn add_practice(&self, id: &str, name: &str) -> bool {
        self.app.auth.accounts().add_practice(id, name)
    }

    /// Closes a practice with its staff and patients; `false` for the first, and when there is none.
    pub fn remove_practice(&self, id: &str) -> bool {
        self.app.remove_practice(id)
    }

    /// New signing keys; the old ones are no longer published. `false` when the machine cannot make keys.
    pub fn rotate_keys(&self) -> bool {
        self.app.auth.rotate_keys()
    }

    /// The server's time, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.app.auth.now()
    }

    /// Turns the server's clock by so many seconds, on or back: codes, tokens and sign-ins age.
    pub fn turn_clock(&self, seconds: i64) {
        self.app.auth.turn_clock(seconds);
    }

    /// The description of the control API (OpenAPI 3.1), in JSON.
    #[must_use]
    pub fn openapi() -> &'static str {
        include_str!("../openapi.json")
    }
}
