//! How much to ask for: a few understandable choices (`presets.json`, data), negotiated into scopes
//! that the server knows; the exact list is one click away.
//!
//! How to add a choice: one more entry in `presets.json`. `types` are FHIR types, with a finer limit
//! after `?` where one is meant; `null` is the whole chart.

use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{Role, ScopePresetView};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::scope::{Wanted, choose_scopes_for};
use serde::Deserialize;

/// The choice when none is made.
pub(crate) const EVERYTHING: &str = "everything";

#[derive(Debug, Deserialize)]
struct Preset {
    id: String,
    title: String,
    help: String,
    types: Option<Vec<String>>,
}

impl Preset {
    fn wanted(&self) -> Option<Vec<Wanted>> {
        let types = self.types.as_ref()?;
        let wanted = types.iter().map(|text| match text.split_once('?') {
            Some((resource_type, query)) => Wanted {
                resource_type: resource_type.to_owned(),
                query: Some(query.to_owned()),
            },
            None => Wanted {
                resource_type: text.clone(),
                query: None,
            },
        });
        Some(wanted.collect())
    }

    fn scopes(&self, role: Role, configuration: &SmartConfiguration, launched: bool) -> String {
        let wanted = self.wanted();
        choose_scopes_for(
            role.scope_role(),
            configuration,
            wanted.as_deref(),
            launched,
        )
    }
}

fn shipped() -> Vec<Preset> {
    serde_json::from_str(include_str!("presets.json")).unwrap_or_default()
}

/// The words of each choice: its name, what it is called, what is in it.
pub(crate) fn words() -> impl Iterator<Item = (String, String, String)> {
    let presets = shipped().into_iter();
    presets.map(|preset| (preset.id, preset.title, preset.help))
}

/// The scopes of a choice at a server.
pub(crate) fn scopes_of(
    preset: &str,
    role: Role,
    configuration: &SmartConfiguration,
    launched: bool,
) -> Result<String> {
    shipped()
        .into_iter()
        .find(|known| known.id == preset)
        .map(|known| known.scopes(role, configuration, launched))
        .ok_or_else(|| Problem::new(ProblemCode::UnknownPreset))
}

impl Engine {
    /// The choices of how much to ask a server for, each with the exact scopes that would be sent.
    ///
    /// # Errors
    /// `server.*` and `network.*`, as the server is asked what it supports.
    pub async fn scope_presets(&self, base: &str, role: Role) -> Result<Vec<ScopePresetView>> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let configuration = self.discover_lately(&base).await?;
        let habits = self.habits_of(base.as_str()).scopes;
        Ok(shipped()
            .iter()
            .map(|preset| ScopePresetView {
                id: preset.id.clone(),
                title: preset.title.clone(),
                help: preset.help.clone(),
                scopes: habits
                    .apply(&preset.scopes(role, &configuration, false))
                    .split(' ')
                    .map(str::to_owned)
                    .collect(),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c16_the_shipped_choices_read_and_the_first_is_everything() {
        let presets = shipped();
        assert_eq!(presets[0].id, EVERYTHING);
        assert!(presets[0].wanted().is_none() && presets.len() >= 3);
        for preset in &presets[1..] {
            let wanted = preset.wanted().unwrap();
            assert!(
                wanted.iter().any(|one| one.resource_type == "Patient"),
                "{}",
                preset.id
            );
            assert!(
                wanted
                    .iter()
                    .all(|one| !one.resource_type.contains(['?', '*']))
            );
        }
    }
}
