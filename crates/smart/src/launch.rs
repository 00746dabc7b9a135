//! An EHR or portal opens the app: the launch URL (SMART App Launch 2.2, "Launch from EHR").
//!
//! Any program and any web page can open such a link, so it is hostile until the person, or an
//! earlier sign-in at the same server, says otherwise. Reading one sends nothing.

use crate::http::{FhirBaseUrl, FhirBaseUrlError, HttpPolicy};
use crate::secret::SecretString;
use url::Url;

/// Longer than any honest launch URL.
const MAX_LENGTH: usize = 8 * 1024;
/// Longer than any honest `launch` value; it becomes part of the authorization URL.
const MAX_LAUNCH: usize = 4 * 1024;

/// What the EHR handed over.
#[derive(Clone, Debug)]
pub struct LaunchRequest {
    /// `iss`: the FHIR base of the server that opened us.
    pub fhir_base: FhirBaseUrl,
    /// `launch`: to be handed back unchanged.
    pub launch: SecretString,
}

/// Why a launch URL was not accepted. Holds no part of `launch`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// More than 8 KiB, or a `launch` of more than 4.
    #[error("the launch link is too long")]
    TooLong,
    /// Not a URL.
    #[error("the launch link is not a URL")]
    NotAUrl,
    /// A parameter that has to be there once is missing or empty.
    #[error("the launch link has no {0}")]
    Missing(&'static str),
    /// A parameter is there twice.
    #[error("the launch link has {0} twice")]
    DuplicateParameter(&'static str),
    /// `launch` has control characters.
    #[error("the launch value has characters that none has")]
    InvalidLaunch,
    /// `iss` is no FHIR base URL that may be used.
    #[error("the launch link's iss cannot be used")]
    InvalidIss(#[source] FhirBaseUrlError),
}

impl LaunchRequest {
    /// Reads a launch URL: `iss` and `launch`, each exactly once; others are ignored, above all
    /// anything that would say where to go next.
    ///
    /// # Errors
    /// [`LaunchError`].
    pub fn parse(url: &str, policy: &HttpPolicy) -> Result<Self, LaunchError> {
        if url.len() > MAX_LENGTH {
            return Err(LaunchError::TooLong);
        }
        let url = Url::parse(url.trim()).map_err(|_| LaunchError::NotAUrl)?;
        let (mut iss, mut launch) = (None, None);
        for (name, value) in url.query_pairs() {
            let (name, slot) = match name.as_ref() {
                "iss" => ("iss", &mut iss),
                "launch" => ("launch", &mut launch),
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(LaunchError::DuplicateParameter(name));
            }
        }
        let given = |value: Option<String>, name| {
            value
                .filter(|text| !text.is_empty())
                .ok_or(LaunchError::Missing(name))
        };
        let (iss, launch) = (given(iss, "iss")?, given(launch, "launch")?);
        if launch.len() > MAX_LAUNCH {
            return Err(LaunchError::TooLong);
        }
        if launch.chars().any(char::is_control) {
            return Err(LaunchError::InvalidLaunch);
        }
        Ok(Self {
            fhir_base: FhirBaseUrl::parse(&iss, policy).map_err(LaunchError::InvalidIss)?,
            launch: SecretString::new(launch),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<(String, String), LaunchError> {
        LaunchRequest::parse(url, &HttpPolicy::default()).map(|found| {
            (
                found.fhir_base.as_str().to_owned(),
                found.launch.expose().clone(),
            )
        })
    }

    #[test]
    fn c10_iss_and_launch_are_read_and_launch_is_kept_as_it_is() {
        let found = parse(
            "org.satchel.app:/launch/patient?launch=a%2Bb+%3D%26%C3%A9&iss=https%3A%2F%2Fehr.example%2Ffhir&next=https://evil.example",
        );
        assert_eq!(
            found.unwrap(),
            ("https://ehr.example/fhir".to_owned(), "a+b =&é".to_owned())
        );
    }

    #[test]
    fn c11_lengths_are_capped_and_each_parameter_comes_once() {
        let base = "org.satchel.app:/launch?iss=https://ehr.example/fhir";
        assert_eq!(
            parse(&format!("{base}&launch={}", "x".repeat(4097))),
            Err(LaunchError::TooLong)
        );
        assert_eq!(
            parse(&format!("{base}&launch={}", "x".repeat(9000))),
            Err(LaunchError::TooLong)
        );
        assert!(parse(&format!("{base}&launch={}", "x".repeat(4096))).is_ok());
        for (rest, expected) in [
            (
                "&launch=a&launch=a",
                LaunchError::DuplicateParameter("launch"),
            ),
            (
                "&launch=a&iss=https://ehr.example/fhir",
                LaunchError::DuplicateParameter("iss"),
            ),
            ("&launch=", LaunchError::Missing("launch")),
            ("", LaunchError::Missing("launch")),
            ("&launch=a%0Ab", LaunchError::InvalidLaunch),
            ("&launch=a%00", LaunchError::InvalidLaunch),
        ] {
            assert_eq!(parse(&format!("{base}{rest}")), Err(expected), "{rest}");
        }
        assert_eq!(
            parse("org.satchel.app:/launch?launch=a"),
            Err(LaunchError::Missing("iss"))
        );
        assert_eq!(parse("launch"), Err(LaunchError::NotAUrl));
    }

    #[test]
    fn c11_an_iss_that_no_person_could_have_connected_is_refused() {
        for iss in [
            "http://ehr.example/fhir",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://user:pw@ehr.example/fhir",
            "ehr",
        ] {
            let found = parse(&format!("org.satchel.app:/launch?launch=a&iss={iss}"));
            assert!(
                matches!(found, Err(LaunchError::InvalidIss(_))),
                "{iss}: {found:?}"
            );
        }
    }
}
