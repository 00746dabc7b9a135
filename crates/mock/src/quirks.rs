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
    /// FHIR is XML where JSON is not asked for by name.
    pub(crate) xml_unless_json: bool,
    /// Every refusal of the FHIR server looks like this in place of an `OperationOutcome`.
    pub(crate) errors: Option<ErrorShape>,
    /// Searches of these types are a 500 with an `OperationOutcome`.
    pub(crate) failing_searches: Vec<String>,
    /// A search that the scopes do not allow is a 200: a bundle with nothing but the reason.
    pub(crate) outcome_for_refused_scope: bool,
    /// `_id` goes with no other parameter.
    pub(crate) id_stands_alone: bool,
    /// `_lastUpdated` does not go with `date`.
    pub(crate) last_updated_without_date: bool,
    /// `_lastUpdated` needs a time of day.
    pub(crate) last_updated_needs_time: bool,
    pub(crate) no_everything: bool,
    /// The first page of a search of these types has as many entries as the server likes.
    pub(crate) count_ignored_at_first: Vec<String>,
    /// The relation of the link to the page before.
    pub(crate) previous_link: Option<String>,
    pub(crate) last_page_links_to_itself: bool,
    /// `total` is the number of the page's own matches.
    pub(crate) total_of_page: bool,
    /// So many seconds after it was given a page link is gone.
    pub(crate) pages_live: Option<i64>,
    /// More requests of one app are a 429 with `X-RateLimit-Reset`.
    pub(crate) requests_per_minute: Option<u32>,
    /// A `Binary` is sent as itself, whatever is asked for.
    pub(crate) raw_binaries: bool,
    /// A medication stands inside the resource that is about it.
    pub(crate) contained_medications: bool,
    pub(crate) absolute_references: bool,
    /// Notes are HTML, and every resource has a narrative.
    pub(crate) html_in_text: bool,
    /// Ids are longer than 64 letters, those of patients apart.
    pub(crate) long_ids: bool,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) token_without_patient: bool,
    /// There is no registration endpoint.
    pub(crate) no_registration: bool,
    /// What the authorization endpoint makes of `aud`.
    pub(crate) aud: Audience,
    /// Which scopes may be asked for.
    pub(crate) scopes: ScopeHabits,
    /// Access tokens are JWTs with the claim `ah_practice`, and each request for records has to repeat
    /// it as a parameter.
    pub(crate) practice_parameter: bool,
    /// These types are refused, whatever was granted.
    pub(crate) refused_types: Vec<String>,
    /// The server knows no other types.
    pub(crate) only_types: Vec<String>,
    /// Reads of these (`Binary/1`) are a 500.
    pub(crate) failing_reads: Vec<String>,
    /// A search that finds nothing has an `OperationOutcome` that says so.
    pub(crate) outcome_when_empty: bool,
    /// The only prefixes that `_lastUpdated` takes.
    pub(crate) last_updated_prefixes: Vec<String>,
    /// A `Binary` is a 406 where FHIR is asked for.
    pub(crate) binary_refuses_fhir: bool,
    /// `fullUrl` is an id alone, or another server's.
    pub(crate) sloppy_full_urls: bool,
    /// A day after the start the chart of a patient is merged into another's.
    pub(crate) merge: Option<Merge>,
    /// While an export is being prepared its client starts no other.
    pub(crate) one_export_at_a_time: bool,
}

/// How a server refuses that has no `OperationOutcome` for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorShape {
    Html,
    Empty,
}

/// What a server makes of `aud` (SMART App Launch, "Obtain authorization code").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Audience {
    /// It is the FHIR base, as SMART says.
    #[default]
    Demanded,
    /// A request that has it is refused.
    Refused,
    /// It is the FHIR base with a slash behind it.
    WithSlash,
}

/// Which scopes may be asked for; any other list is `invalid_scope`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScopeHabits {
    /// None of these, letter for letter; `*` stands for every wildcard.
    pub(crate) refused: Vec<String>,
    /// Each of these.
    pub(crate) demanded: Vec<String>,
    /// Only `.read` (1), or only letters (2).
    pub(crate) version: Option<u8>,
    /// What `scopes_supported` says in place of what is supported.
    pub(crate) listed: Vec<String>,
}

impl ScopeHabits {
    /// Why a list is refused, if it is.
    pub(crate) fn refuses(&self, asked: &[String]) -> Option<&'static str> {
        let has = |word: &String| asked.contains(word);
        let wildcard = asked.iter().any(|scope| scope.contains("/*."));
        if self.refused.iter().any(has) || (wildcard && self.refused.iter().any(|word| word == "*"))
        {
            return Some("a scope is not allowed for apps");
        }
        if !self.demanded.iter().all(has) {
            return Some("a scope is missing");
        }
        let of_data = || {
            asked
                .iter()
                .filter(|scope| scope.contains('/') && scope.contains('.'))
        };
        let first = |scope: &&String| scope.ends_with(".read") || scope.ends_with(".*");
        match self.version {
            Some(1) if !of_data().all(|scope| first(&scope)) => Some("only scopes of version 1"),
            Some(2) if of_data().any(|scope| first(&scope)) => Some("only scopes of version 2"),
            _ => None,
        }
    }
}

/// Two charts that become one (FHIR R4, Patient.link).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    /// The patient whose chart goes.
    pub(crate) from: String,
    /// Where it goes.
    pub(crate) into: String,
    /// Reads are sent there; else they are a 404.
    pub(crate) redirects: bool,
}

/// A change of the resources of a type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rewrite {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// About one of so many is changed.
    pub(crate) every: u32,
    /// Only those that have these members.
    #[serde(default)]
    pub(crate) where_present: Vec<String>,
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    #[serde(default)]
    pub(crate) set: BTreeMap<String, serde_json::Value>,
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

    /// Whether resources are sent in another way than they are kept.
    pub(crate) fn changes_records(&self) -> bool {
        self.contained_medications
            || self.absolute_references
            || self.html_in_text
            || self.long_ids
            || !self.rewrites.is_empty()
    }

    /// Why a search by these parameters is refused, if it is.
    pub(crate) fn refuses(
        &self,
        kind: &str,
        parameters: &[(&str, &str)],
        known: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let has = |wanted: &str| parameters.iter().any(|(name, _)| *name == wanted);
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
        if self.id_stands_alone && has("_id") && parameters.len() > 1 {
            return Some("_id is combined with no other parameter".to_owned());
        }
        let prefixes = &self.last_updated_prefixes;
        let other_prefix = parameters.iter().any(|(name, value)| {
            *name == "_lastUpdated" && !prefixes.iter().any(|one| value.starts_with(one.as_str()))
        });
        if !prefixes.is_empty() && other_prefix {
            return Some("_lastUpdated takes ge and le".to_owned());
        }
        if self.last_updated_without_date && has("_lastUpdated") && has("date") {
            return Some("_lastUpdated is not combined with date".to_owned());
        }
        let mut pairs = parameters.iter();
        if self.last_updated_needs_time
            && pairs.any(|(name, value)| *name == "_lastUpdated" && !value.contains('T'))
        {
            return Some("_lastUpdated needs a time of day".to_owned());
        }
        let unknown = parameters.iter().find(|(name, _)| {
            let last_updated = self.no_last_updated && *name == "_lastUpdated";
            last_updated || (self.refuses_unknown_parameters && !known(name))
        });
        unknown.map(|(name, _)| format!("the parameter {name} is not supported"))
    }
}
