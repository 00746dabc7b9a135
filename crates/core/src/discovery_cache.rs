//! What servers said about themselves, for a short while; and whether their sign-in is still where it
//! was when this installation registered (checklist A23).
//!
//! A login or registration always asks anew. A refresh in between takes what was read in the last
//! minutes. A sign-in service that moved to another origin gets no token from us by itself: that may
//! be a move, or somebody who took over the server's description; the person decides.

use crate::engine::{Engine, lock};
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Role;
use jiff::Timestamp;
use satchel_smart::discovery::{SmartConfiguration, discover, discover_again};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::trace;
use satchel_store::OriginsRow;
use std::collections::HashMap;
use std::sync::Mutex;

/// How long a description counts, in seconds.
const MAX_AGE: i64 = 600;
/// Descriptions kept; the oldest goes first.
const MAX_ENTRIES: usize = 64;

/// Descriptions by FHIR base URL.
#[derive(Default)]
pub(crate) struct DiscoveryCache(Mutex<HashMap<String, (Timestamp, SmartConfiguration)>>);

impl DiscoveryCache {
    /// What was read, and whether that was a short while ago.
    fn get(&self, base: &str, now: Timestamp) -> Option<(SmartConfiguration, bool)> {
        let entries = lock(&self.0);
        let (read_at, configuration) = entries.get(base)?;
        let age = now.as_second().saturating_sub(read_at.as_second());
        Some((configuration.clone(), (0..MAX_AGE).contains(&age)))
    }

    fn put(&self, base: &str, now: Timestamp, configuration: &SmartConfiguration) {
        let mut entries = lock(&self.0);
        if entries.len() >= MAX_ENTRIES && !entries.contains_key(base) {
            let oldest = entries
                .iter()
                .min_by_key(|(_, (at, _))| *at)
                .map(|(base, _)| base.clone());
            entries.remove(&oldest.unwrap_or_default());
        }
        entries.insert(base.to_owned(), (now, configuration.clone()));
    }
}

impl Engine {
    /// Asks the server anew, and keeps the answer for a while.
    pub(crate) async fn discover_anew(&self, base: &FhirBaseUrl) -> Result<SmartConfiguration> {
        let configuration = discover(&self.inner.http, base).await?;
        self.keep_discovered(base, &configuration);
        Ok(configuration)
    }

    fn keep_discovered(&self, base: &FhirBaseUrl, configuration: &SmartConfiguration) {
        let now = self.now();
        self.inner.discovered.put(base.as_str(), now, configuration);
    }

    /// Before a login or registration: asked anew, and where it was.
    pub(crate) async fn discover_for_login(
        &self,
        base: &FhirBaseUrl,
    ) -> Result<SmartConfiguration> {
        let configuration = self.discover_anew(base).await?;
        self.refuse_moved(base, &configuration).await?;
        Ok(configuration)
    }

    /// For everything beside a login or registration: as read a short while ago, else anew; and where
    /// it was. A description that did not change is not confirmed by its issuer again.
    pub(crate) async fn discover_lately(&self, base: &FhirBaseUrl) -> Result<SmartConfiguration> {
        let configuration = match self.inner.discovered.get(base.as_str(), self.now()) {
            Some((configuration, true)) => configuration,
            Some((known, false)) => {
                let configuration = discover_again(&self.inner.http, base, &known).await?;
                self.keep_discovered(base, &configuration);
                configuration
            }
            None => self.discover_anew(base).await?,
        };
        self.refuse_moved(base, &configuration).await?;
        Ok(configuration)
    }

    async fn refuse_moved(
        &self,
        base: &FhirBaseUrl,
        configuration: &SmartConfiguration,
    ) -> Result<()> {
        let now = origins_of(configuration);
        let known = self.inner.store.origins_get(base.as_str()).await?;
        if known.as_ref() == Some(&now) {
            trace::check("A23", "Its sign-in is where it was", true);
            return Ok(());
        }
        let detail = known.as_ref().and_then(|known| moved(known, &now));
        match detail {
            // Nothing that could be given away before there is a registration.
            Some(detail) if self.is_registered(base.as_str()).await? => {
                trace::check("A23", "Its sign-in is where it was", false);
                Err(Problem::with_detail(ProblemCode::ServerMoved, detail))
            }
            _ => Ok(self.inner.store.origins_put(base.as_str(), &now).await?),
        }
    }

    async fn is_registered(&self, base: &str) -> Result<bool> {
        for role in ROLES {
            let row = self
                .inner
                .store
                .registration_get(base, role.as_str())
                .await?;
            if row.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The person has looked at it: the server's sign-in is at another address now. The old
    /// registration is given up, so that nothing that proves us there is shown to the new place; the
    /// next sign-in registers anew.
    ///
    /// # Errors
    /// `server.*`, `network.*`, `keychain.*`, `store.*`.
    pub async fn server_accept_move(&self, base: &str) -> Result<()> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let configuration = self.discover_anew(&base).await?;
        for role in ROLES {
            self.forget_registration(base.as_str(), role).await?;
        }
        let now = origins_of(&configuration);
        self.inner.store.origins_put(base.as_str(), &now).await?;
        Ok(())
    }
}

const ROLES: [Role; 3] = [Role::Patient, Role::Provider, Role::Backend];

fn origins_of(configuration: &SmartConfiguration) -> OriginsRow {
    let origin = |url: &url::Url| url.origin().ascii_serialization();
    OriginsRow {
        token: origin(&configuration.token_endpoint),
        registration: configuration.registration_endpoint.as_ref().map(origin),
    }
}

/// What moved, in words for the technical detail. A registration endpoint that came or went did not
/// move.
fn moved(known: &OriginsRow, now: &OriginsRow) -> Option<String> {
    if known.token != now.token {
        return Some(format!(
            "the token endpoint was at {}, and is at {} now",
            known.token, now.token
        ));
    }
    let (before, after) = (known.registration.as_ref()?, now.registration.as_ref()?);
    (before != after)
        .then(|| format!("the registration endpoint was at {before}, and is at {after} now"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(token: &str, registration: Option<&str>) -> OriginsRow {
        OriginsRow {
            token: token.to_owned(),
            registration: registration.map(str::to_owned),
        }
    }

    #[test]
    fn a23_another_origin_is_a_move_and_another_path_is_none() {
        let known = origins("https://a.example", Some("https://a.example"));
        for (token, registration, expected) in [
            ("https://a.example", Some("https://a.example"), None),
            ("https://a.example", None, None),
            (
                "https://a.example:8443",
                Some("https://a.example"),
                Some("token"),
            ),
            ("http://a.example", Some("https://a.example"), Some("token")),
            (
                "https://a.example",
                Some("https://b.example"),
                Some("registration"),
            ),
        ] {
            let found = moved(&known, &origins(token, registration));
            assert_eq!(
                found
                    .as_deref()
                    .map(|text| text.split(' ').nth(1).unwrap_or_default()),
                expected,
                "{token} {registration:?}"
            );
        }
        assert_eq!(
            moved(&origins("https://a.example", None), &known),
            None,
            "registration that was opened later"
        );
    }

    #[test]
    fn a23_a_description_counts_for_ten_minutes() {
        let cache = DiscoveryCache::default();
        let at = |seconds: i64| Timestamp::from_second(1_767_225_600 + seconds).unwrap_or_default();
        let configuration: SmartConfiguration = serde_json::from_str(
            r#"{"issuer": null, "jwks_uri": null, "authorization_endpoint": null,
                "token_endpoint": "https://a.example/token", "registration_endpoint": null,
                "revocation_endpoint": null, "introspection_endpoint": null,
                "management_endpoint": null, "scopes_supported": [], "capabilities": [],
                "token_endpoint_auth_methods": [], "token_endpoint_auth_signing_algs": [],
                "grant_types": [], "code_challenge_methods": [], "iss_parameter_supported": false,
                "raw": ""}"#,
        )
        .unwrap();
        cache.put("https://a.example", at(0), &configuration);
        let counts = |at| cache.get("https://a.example", at).map(|(_, counts)| counts);
        assert_eq!(counts(at(599)), Some(true));
        assert_eq!(counts(at(600)), Some(false));
        assert_eq!(counts(at(-1)), Some(false), "the clock went back");
        assert!(cache.get("https://b.example", at(0)).is_none());
        for index in 0..200 {
            cache.put(
                &format!("https://{index}.example"),
                at(index),
                &configuration,
            );
        }
        assert!(lock(&cache.0).len() <= MAX_ENTRIES);
        assert!(cache.get("https://199.example", at(200)).is_some());
    }
}
