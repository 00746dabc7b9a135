//! What single servers want otherwise than the standards say: data (`vendors/habits.json`, by host, and
//! whatever the embedding program knows of a server of its own). Without an entry a server is treated as
//! SMART App Launch says.
//!
//! How to add one: an entry in that file with `hosts` and one or more of `aud`, `scopes`, `practice`.

use crate::engine::Engine;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use satchel_smart::authorization::Audience;
use satchel_smart::fhir::client::FhirClient;
use satchel_smart::http::FhirBaseUrl;
use serde::Deserialize;
use std::collections::HashMap;

/// The habits of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Habits {
    /// How `aud` is sent.
    pub aud: Aud,
    /// What becomes of the scopes that would be asked for.
    pub scopes: ScopeHabits,
    /// A claim of the access token that every request for records repeats.
    pub repeats: Option<RepeatedClaim>,
}

/// How `aud` is sent at sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Aud {
    /// The FHIR base, as SMART says.
    #[default]
    Base,
    /// With a slash behind it.
    WithSlash,
    /// Not at all: the server refuses a request that has it.
    Omitted,
}

/// What becomes of the scopes that would be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScopeHabits {
    /// Left out.
    pub without: Vec<String>,
    /// Asked for beside the others.
    pub with: Vec<String>,
    /// Written otherwise: `fhirUser` as `fhiruser`.
    pub spelt: HashMap<String, String>,
    /// 1 for `.read`, 2 for `.rs`, whatever the server says that it knows.
    pub version: Option<u8>,
}

/// A claim of the access token that every request for records repeats as a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepeatedClaim {
    /// The claim of the access token, a JWT.
    pub claim: String,
    /// The parameter's name.
    pub parameter: String,
    /// What stands before the claim's value.
    pub prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    hosts: Vec<String>,
    habits: Habits,
}

impl Aud {
    pub(crate) fn audience(self) -> Audience {
        match self {
            Self::Base => Audience::Base,
            Self::WithSlash => Audience::BaseWithSlash,
            Self::Omitted => Audience::OmittedAgainstSmart,
        }
    }
}

impl ScopeHabits {
    /// The list as this server takes it.
    pub(crate) fn apply(&self, scopes: &str) -> String {
        let mut list: Vec<String> = Vec::new();
        let kept = scopes
            .split(' ')
            .filter(|scope| !self.without.iter().any(|left_out| left_out == scope))
            .map(|scope| self.written(scope));
        for scope in kept.chain(self.with.iter().cloned()) {
            if !list.contains(&scope) {
                list.push(scope);
            }
        }
        list.join(" ")
    }

    fn written(&self, scope: &str) -> String {
        if let Some(spelt) = self.spelt.get(scope) {
            return spelt.clone();
        }
        let (from, to) = match self.version {
            Some(1) => (".rs", ".read"),
            Some(2) => (".read", ".rs"),
            _ => return scope.to_owned(),
        };
        match scope.strip_suffix(from) {
            Some(stem) if scope.contains('/') => format!("{stem}{to}"),
            _ => scope.to_owned(),
        }
    }
}

impl RepeatedClaim {
    /// The parameter for a token; `None` when the token is no JWT or says nothing of it. The token is
    /// not verified: it comes from the server that gets the parameter.
    pub(crate) fn parameter(&self, access_token: &str) -> Option<(String, String)> {
        let claims = access_token.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        let value = claims.get(&self.claim)?.as_str()?;
        let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let short = !value.is_empty() && value.len() <= 100;
        (short && value.chars().all(harmless))
            .then(|| (self.parameter.clone(), format!("{}{value}", self.prefix)))
    }
}

fn shipped() -> Vec<Listed> {
    serde_json::from_str(include_str!("vendors/habits.json")).unwrap_or_default()
}

/// By host: `example.org` is that host and every one below it.
fn of_host(host: &str) -> Option<Habits> {
    let is_of = |known: &String| {
        host.strip_suffix(known.as_str())
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let mut fitting = shipped()
        .into_iter()
        .filter(|listed| listed.hosts.iter().any(is_of));
    fitting.next().map(|listed| listed.habits)
}

impl Engine {
    /// What is known of the server at `fhir_base`.
    pub(crate) fn habits_of(&self, fhir_base: &str) -> Habits {
        let trimmed = fhir_base.trim_end_matches('/');
        let mut same = self
            .inner
            .servers
            .iter()
            .filter(|server| server.fhir_base.trim_end_matches('/') == trimmed);
        if let Some(habits) = same.find_map(|server| server.habits.clone()) {
            return habits;
        }
        let url = url::Url::parse(fhir_base).ok();
        let host = url.as_ref().and_then(|url| url.host_str());
        host.and_then(of_host).unwrap_or_default()
    }

    /// A reader of the server at `base`, for whoever has this token.
    pub(crate) fn fhir_at(&self, base: &FhirBaseUrl, access_token: &str) -> FhirClient {
        let fhir = FhirClient::new(self.inner.http.clone(), base.clone());
        let repeated = self.habits_of(base.as_str()).repeats;
        match repeated.and_then(|claim| claim.parameter(access_token)) {
            Some((name, value)) => fhir.with_parameter(&name, &value),
            None => fhir,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_habits_read_and_are_found_by_host() {
        assert!(shipped().len() >= 3);
        assert_eq!(of_host("api.va.gov").unwrap().aud, Aud::Omitted);
        assert_eq!(of_host("sandbox-api.va.gov").unwrap().aud, Aud::Omitted);
        assert_eq!(of_host("notapi.va.gov.example"), None);
        assert_eq!(of_host("evilva.gov"), None);
    }

    #[test]
    fn scopes_are_written_as_the_server_wants_them() {
        let habits = ScopeHabits {
            without: vec!["offline_access".into()],
            with: vec!["sandbox".into()],
            spelt: HashMap::from([("fhirUser".into(), "fhiruser".into())]),
            version: Some(1),
        };
        assert_eq!(
            habits.apply("openid fhirUser offline_access patient/Goal.rs launch/patient"),
            "openid fhiruser patient/Goal.read launch/patient sandbox"
        );
    }

    #[test]
    fn a_claim_is_repeated_only_when_it_is_harmless() {
        let claim = RepeatedClaim {
            claim: "ah_practice".into(),
            parameter: "ah-practice".into(),
            prefix: "Organization/".into(),
        };
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        let good = claim.parameter(&token(r#"{"ah_practice":"a-1.Practice-7"}"#));
        let good = good.map(|(name, value)| format!("{name}={value}"));
        assert_eq!(
            good.as_deref(),
            Some("ah-practice=Organization/a-1.Practice-7")
        );
        for other in [
            token(r#"{"ah_practice":"a&patient=2"}"#),
            token("{}"),
            "opaque".into(),
            "a.b.c".into(),
        ] {
            assert_eq!(claim.parameter(&other), None, "{other}");
        }
    }
}
