//! Search URLs, values in them, and what a server made of them (FHIR R4, "Search").

use crate::http::FhirBaseUrl;
use std::collections::BTreeSet;
use url::Url;

/// `{base}/{type}?name=value&...`; values are percent-encoded.
pub(crate) fn search_url(
    base: &FhirBaseUrl,
    resource_type: &str,
    parameters: &[(&str, &str)],
) -> Url {
    let mut url = base.join(resource_type);
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url
}

/// A value in which nothing has a meaning of its own: `\\`, `,`, `|` and `$` are escaped (R4 "Search",
/// "Escaping Search Parameters"). Percent-encoding is [`super::client::FhirClient::search_url`]'s.
#[must_use]
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | ',' | '|' | '$') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A token: `system|code`, or `code` alone when the system is not known (R4 "Search", "token").
#[must_use]
pub fn token(system: Option<&str>, code: &str) -> String {
    match system {
        Some(system) => format!("{}|{}", escape(system), escape(code)),
        None => escape(code),
    }
}

/// The parameters of the request that are missing in the `self` link, which says what the server did
/// (R4 "Search", section "Server conformance"): it ignored them, so the answer holds more than was
/// asked for.
pub(crate) fn ignored_parameters(asked: &Url, done: &Url) -> Vec<String> {
    let names = |url: &Url| -> BTreeSet<String> {
        url.query_pairs()
            .map(|(name, _)| name.into_owned())
            .collect()
    };
    let done = names(done);
    let about_form = |name: &String| name == "_count" || name == "_format" || name == "_total";
    if done.is_empty() {
        return Vec::new();
    }
    names(asked)
        .into_iter()
        .filter(|name| !about_form(name) && !done.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpPolicy;

    #[test]
    fn g25_values_are_escaped_and_what_separates_is_not() {
        assert_eq!(escape(r"O'Neil, $5|a\b"), r"O'Neil\, \$5\|a\\b");
        assert_eq!(token(None, "a|b"), r"a\|b");
        assert_eq!(
            token(Some("http://loinc.org"), "4548-4"),
            "http://loinc.org|4548-4"
        );
        let base = FhirBaseUrl::parse("https://ehr.example/fhir", &HttpPolicy::default()).unwrap();
        let code = token(Some("http://loinc.org"), "4548-4");
        let since = "gt2026-05-01T10:00:00+02:00";
        let url = search_url(&base, "Observation", &[("code", &code), ("date", since)]);
        assert_eq!(
            url.as_str(),
            "https://ehr.example/fhir/Observation?code=http%3A%2F%2Floinc.org%7C4548-4\
             &date=gt2026-05-01T10%3A00%3A00%2B02%3A00",
            "a plus is no blank"
        );
    }
}
