//! Named situations for testers, written as TOML: how the server is set up, and what goes wrong.

use serde::Deserialize;

use crate::faults::{Endpoint, FaultKind, Faults};
use crate::policy::Policy;
use crate::world::{Leniency, World};

/// The scenarios that come with the server.
const SHIPPED: &str = include_str!("../scenarios.toml");

/// A situation: a change of the [`World`], and faults planned from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called by.
    pub name: String,
    /// What a client meets in it.
    pub about: String,
    token_lifetime: Option<i64>,
    #[serde(default)]
    practice_approval: bool,
    initial_access_token: Option<String>,
    auth_methods: Option<Vec<String>>,
    policy: Option<Policy>,
    #[serde(default)]
    lenient: Vec<String>,
    #[serde(default)]
    faults: Vec<PlannedFault>,
}

impl PlannedFault {
    /// Plans it.
    pub(crate) fn plan(&self, faults: &Faults) {
        let (kind, client) = (self.fault.clone(), self.client_id.clone());
        faults.add(self.endpoint, kind, client, self.after, self.times);
    }
}

/// A fault, where, and when.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// Where it happens.
    pub endpoint: Endpoint,
    /// What happens.
    pub fault: FaultKind,
    /// Only this client meets it.
    pub client_id: Option<String>,
    /// How many fitting requests go well before.
    #[serde(default)]
    pub after: u32,
    /// How many go wrong then.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

impl Scenario {
    /// The scenarios that come with the server, in the order of the file.
    ///
    /// # Errors
    /// Never for a build that passed its tests.
    pub fn shipped() -> Result<Vec<Self>, String> {
        Self::read(SHIPPED)
    }

    /// The scenarios of a TOML file: a list of `[[scenario]]`.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        for scenario in &file.scenario {
            scenario.leniencies()?;
        }
        Ok(file.scenario)
    }

    /// Sets the world up for it; the faults are planned when the server starts.
    ///
    /// # Errors
    /// When it names a looseness that does not exist.
    pub fn apply(&self, world: &mut World) -> Result<(), String> {
        if let Some(seconds) = self.token_lifetime {
            world.token_lifetime_seconds = seconds;
        }
        world.practice_approval |= self.practice_approval;
        if let Some(token) = &self.initial_access_token {
            world.initial_access_token = Some(token.clone());
        }
        if let Some(methods) = &self.auth_methods {
            world.auth_methods.clone_from(methods);
        }
        if let Some(policy) = &self.policy {
            world.policy.clone_from(policy);
        }
        world.lenient.extend(self.leniencies()?);
        world.scenarios.push(self.clone());
        Ok(())
    }

    pub(crate) fn faults(&self) -> &[PlannedFault] {
        &self.faults
    }

    fn leniencies(&self) -> Result<Vec<Leniency>, String> {
        let find = |name: &String| {
            let known = Leniency::ALL.iter().find(|(known, _)| known == name);
            known
                .map(|(_, leniency)| *leniency)
                .ok_or_else(|| format!("{}: there is no looseness {name}", self.name))
        };
        self.lenient.iter().map(find).collect()
    }
}
