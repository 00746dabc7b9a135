//! What comes with a token: the patient and more (SMART App Launch 2.2, "Launch context arrives with
//! your access token").

use crate::http::FhirBaseUrl;
use crate::text::{is_fhir_id, plain};
use serde_json::{Map, Value};
use url::Url;

/// Launch context of a token response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchContext {
    /// Logical id of the patient in context; has the form of a FHIR id.
    pub patient: Option<String>,
    /// Logical id of the encounter in context; has the form of a FHIR id.
    pub encounter: Option<String>,
    /// Whether the app has to show whose record it is.
    pub need_patient_banner: Option<bool>,
    /// `fhirUser`: who signed in, as the server wrote it; see [`FhirUser::parse`].
    pub fhir_user: Option<String>,
    /// `intent`; unknown ones mean the default view.
    pub intent: Option<String>,
    /// `tenant`.
    pub tenant: Option<String>,
    /// `smart_style_url`, never fetched with a token.
    pub smart_style_url: Option<Url>,
    /// `fhirContext`, as it came.
    pub fhir_context: Vec<Value>,
}

impl LaunchContext {
    /// Reads the context out of a token response. Ids will become part of URLs, so one that is no
    /// FHIR id spoils the response: the name of the bad member is the error.
    pub(crate) fn read(members: &Map<String, Value>) -> Result<Self, &'static str> {
        let text = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .map(|t| plain(t, 500))
        };
        Ok(Self {
            patient: id(members, "patient")?,
            encounter: id(members, "encounter")?,
            need_patient_banner: members.get("need_patient_banner").and_then(Value::as_bool),
            fhir_user: text("fhirUser"),
            intent: text("intent"),
            tenant: text("tenant"),
            smart_style_url: text("smart_style_url")
                .and_then(|url| Url::parse(&url).ok())
                .filter(|url| url.scheme() == "https"),
            fhir_context: members
                .get("fhirContext")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
        })
    }
}

fn id(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, &'static str> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_fhir_id(text) => Ok(Some(text.clone())),
        Some(_) => Err(name),
    }
}

/// The resource that stands for who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirUser {
    /// Patient, Practitioner, PractitionerRole, RelatedPerson or Person.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// Whether it lives at the server of the token; otherwise the token must not be sent there.
    pub at_this_server: bool,
}

impl FhirUser {
    /// Reads a `fhirUser` claim, absolute or relative to the FHIR base (SMART App Launch 2.2,
    /// "Scopes for requesting identity data"). `None` when it is no such reference.
    #[must_use]
    pub fn parse(reference: &str, base: &FhirBaseUrl) -> Option<Self> {
        let (path, at_this_server) = match Url::parse(reference) {
            Ok(url) => (url.path().to_owned(), base.covers(&url)),
            Err(_) => (reference.to_owned(), true),
        };
        let mut parts = path.rsplit('/');
        let id = parts.next()?;
        let resource_type = parts.next()?;
        let known = [
            "Patient",
            "Practitioner",
            "PractitionerRole",
            "RelatedPerson",
            "Person",
        ];
        (known.contains(&resource_type) && is_fhir_id(id)).then(|| Self {
            resource_type: resource_type.to_owned(),
            id: id.to_owned(),
            at_this_server,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpPolicy;
    use serde_json::json;

    fn read(value: Value) -> Result<LaunchContext, &'static str> {
        LaunchContext::read(value.as_object().unwrap())
    }

    #[test]
    fn d13_context_is_read_and_unknown_things_are_tolerated() {
        let context = read(json!({
            "patient": "p-1", "encounter": null, "need_patient_banner": true, "intent": "summary",
            "tenant": "t", "smart_style_url": "http://plain.example/style.json",
            "fhirContext": [{"reference": "ImagingStudy/1"}], "vendor": [1]
        }))
        .unwrap();
        assert_eq!(context.patient.as_deref(), Some("p-1"));
        assert_eq!(
            (context.encounter, context.need_patient_banner),
            (None, Some(true))
        );
        assert_eq!(context.smart_style_url, None);
        assert_eq!(context.fhir_context.len(), 1);
    }

    #[test]
    fn d14_a_patient_that_is_no_fhir_id_spoils_the_response() {
        for bad in [
            json!("../admin"),
            json!("a/b"),
            json!(""),
            json!(17),
            json!(["p"]),
        ] {
            assert_eq!(read(json!({"patient": bad})), Err("patient"));
        }
        assert_eq!(read(json!({"encounter": "?"})), Err("encounter"));
    }

    #[test]
    fn d32_fhir_user_is_absolute_or_relative_and_of_five_types() {
        let base = FhirBaseUrl::parse("https://ehr.example/fhir", &HttpPolicy::default()).unwrap();
        let parse = |text: &str| {
            FhirUser::parse(text, &base).map(|u| (u.resource_type, u.id, u.at_this_server))
        };
        let practitioner = |here| Some(("Practitioner".to_owned(), "7".to_owned(), here));
        assert_eq!(parse("Practitioner/7"), practitioner(true));
        assert_eq!(
            parse("https://ehr.example/fhir/Practitioner/7"),
            practitioner(true)
        );
        assert_eq!(
            parse("https://evil.example/fhir/Practitioner/7"),
            practitioner(false)
        );
        for none in [
            "Device/7",
            "Practitioner",
            "",
            "Practitioner/",
            "Practitioner/a b",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
