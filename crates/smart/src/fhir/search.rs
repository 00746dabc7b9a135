//! Search URLs, and what a server made of them (FHIR R4, "Search").

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
