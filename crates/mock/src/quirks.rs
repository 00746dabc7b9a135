//! What real vendors' servers do that a client must bear: data, read from `quirks.toml`, obeyed where it
//! matters, never asked for by name.

use std::collections::BTreeMap;

use serde::Deserialize;

const SHIPPED: &str = include_str!("../quirks.toml");

/// The habits of one server. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// What a client meets.
    pub about: String,
    pub(crate) token_lifetime: Option<i64>,
    /// A search of the type without any of these parameters is a 400.
    pub(crate) search_needs: Vec<Need>,
    /// A search of the type by the parameter is a 400.
    pub(crate) refused_searches: Vec<Refused>,
    pub(crate) refuses_unknown_parameters: bool,
    pub(crate) no_last_updated: bool,
    /// No page has more entries, whatever `_count` says.
    pub(crate) most_entries: Option<usize>,
    /// The last entry of a page stands first on the next.
    pub(crate) duplicate_entries: bool,
    /// Each page has an `OperationOutcome` with a warning among its entries.
    pub(crate) outcome_entry: bool,
    /// After the last entries comes a page without any.
    pub(crate) empty_last_page: bool,
    pub(crate) next_on_other_path: bool,
    pub(crate) no_total: bool,
    pub(crate) content_type: Option<String>,
    /// A 400 has a line of text in place of an `OperationOutcome`.
    pub(crate) plain_text_errors: bool,
    pub(crate) no_refresh_token: bool,
    /// A refresh token is given, but `offline_access` is not among the granted scopes.
    pub(crate) hides_offline_access: bool,
    pub(crate) refresh_without_patient: bool,
    pub(crate) relative_fhir_user: bool,
    pub(crate) expires_in_as_text: bool,
}

/// Parameters of which a search needs one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Need {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) one_of: Vec<String>,
}

/// A parameter by which a type cannot be searched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) parameter: String,
}

impl Quirks {
    /// The profiles that come with the server, by name.
    ///
    /// # Errors
    /// Never for a build that passed its tests.
    pub fn shipped() -> Result<BTreeMap<String, Self>, String> {
        toml::from_str(SHIPPED).map_err(|error| error.to_string())
    }

    /// Why a search by these parameters is refused, if it is.
    pub(crate) fn refuses(
        &self,
        kind: &str,
        parameters: &[&str],
        known: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let has = |wanted: &str| parameters.contains(&wanted);
        let needed = self
            .search_needs
            .iter()
            .find(|need| need.kind == kind && !need.one_of.iter().any(|name| has(name)));
        if let Some(need) = needed {
            return Some(format!(
                "{kind} needs one of the parameters {}",
                need.one_of.join(", ")
            ));
        }
        let refused = self
            .refused_searches
            .iter()
            .find(|one| one.kind == kind && has(&one.parameter));
        if let Some(refused) = refused {
            return Some(format!("{kind} is not searched by {}", refused.parameter));
        }
        let unknown = parameters.iter().find(|name| {
            let last_updated = self.no_last_updated && **name == "_lastUpdated";
            last_updated || (self.refuses_unknown_parameters && !known(name))
        });
        unknown.map(|name| format!("the parameter {name} is not supported"))
    }
}
