//! A bundle over HTTP, asked for only when it changed (SMART App Launch 2.2, "Brand Bundle: caching").

use super::{BrandBundle, BrandsError, MAX_BUNDLE_BYTES};
use crate::http::{Get, HttpClient, Reach};
use http::header;
use url::Url;

/// What came back.
#[derive(Debug)]
pub enum BundleAnswer {
    /// As it was when the `ETag` was given (RFC 9110 §15.4.5).
    NotModified,
    /// A new one.
    Fresh {
        /// The brands.
        bundle: BrandBundle,
        /// `ETag`, to send next time.
        etag: Option<String>,
    },
}

/// GETs a bundle; `etag` is that of the copy that is kept already.
///
/// # Errors
/// [`BrandsError`]: the network, a status other than 200 and 304, or no Bundle.
pub async fn fetch_bundle(
    http: &HttpClient,
    url: &Url,
    etag: Option<&str>,
    reach: Reach,
) -> Result<BundleAnswer, BrandsError> {
    let http = http.with_limit(MAX_BUNDLE_BYTES);
    let answer = http
        .get(Get {
            accept: "application/fhir+json, application/json;q=0.9",
            if_none_match: etag,
            ..Get::json(url)
        })
        .await?;
    if answer.status == 304 && etag.is_some() {
        return Ok(BundleAnswer::NotModified);
    }
    if !answer.is_success() {
        return Err(answer.status_error().into());
    }
    let etag = answer
        .header(header::ETAG)
        .filter(|tag| tag.len() <= 200)
        .map(str::to_owned);
    let bundle = BrandBundle::read(&answer.body, &http, reach)?;
    Ok(BundleAnswer::Fresh { bundle, etag })
}
