//! What an export is asked for, and how that is written (Bulk Data Access, "Query Parameters").

use crate::http::FhirBaseUrl;
use crate::text::is_fhir_id;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded;

/// Whose records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportLevel {
    /// Everything: `[base]/$export`.
    System,
    /// All patients: `[base]/Patient/$export`.
    Patient,
    /// The members of a group: `[base]/Group/[id]/$export`.
    Group(String),
}

/// A FHIR instant, kept as it was written: what a server gave as `transactionTime` goes back to it
/// unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instant(String);

impl Instant {
    /// Checks it: date, time to the second, and offset.
    ///
    /// # Errors
    /// [`RequestError::NotAnInstant`].
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let moment = text.parse::<jiff::Timestamp>();
        let whole = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
        if moment.is_err() || !whole {
            return Err(RequestError::NotAnInstant);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A search that narrows one type: `Observation?category=laboratory` (checklist F5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeFilter(String);

/// What changes the answer rather than narrowing it.
const NOT_IN_A_FILTER: [&str; 7] = [
    "_sort",
    "_include",
    "_revinclude",
    "_elements",
    "_summary",
    "_count",
    "_format",
];

impl TypeFilter {
    /// Checks it: one type, and parameters that only narrow.
    ///
    /// # Errors
    /// [`RequestError::NotATypeFilter`].
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let (kind, query) = text.split_once('?').ok_or(RequestError::NotATypeFilter)?;
        let mut pairs = form_urlencoded::parse(query.as_bytes()).peekable();
        let narrows = pairs.peek().is_some()
            && pairs.all(|(name, value)| {
                let bare = name.split(':').next().unwrap_or_default();
                !bare.is_empty() && !value.is_empty() && !NOT_IN_A_FILTER.contains(&bare)
            });
        if is_type(kind) && narrows {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequestError::NotATypeFilter)
        }
    }

    /// The type that it narrows.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }
}

/// A request that must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not an instant.
    #[error("an instant has a date, a time to the second and an offset")]
    NotAnInstant,
    /// Not a type filter.
    #[error(
        "a type filter is one resource type and search parameters that narrow it, such as Observation?category=laboratory"
    )]
    NotATypeFilter,
    /// Not the name of a resource type.
    #[error("not the name of a resource type")]
    NotAType,
    /// Not an id.
    #[error("not the id of a patient or group")]
    NotAnId,
}

/// What is wanted. Lists are joined by commas, as up to version 3 of the standard, unless
/// `repeat_lists` says that the server wants each value by itself (version 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// Whose records.
    pub level: ExportLevel,
    /// `_outputFormat`.
    pub output_format: Option<String>,
    /// `_since`.
    pub since: Option<Instant>,
    /// `_until`.
    pub until: Option<Instant>,
    /// `_type`.
    pub types: Vec<String>,
    /// `_typeFilter`.
    pub type_filters: Vec<TypeFilter>,
    /// `_elements`.
    pub elements: Vec<String>,
    /// `patient`: ids. They are only ever sent in a body.
    pub patients: Vec<String>,
    /// `includeAssociatedData`.
    pub associated_data: Vec<String>,
    /// `organizeOutputBy`.
    pub organize_by: Option<String>,
    /// `allowPartialManifests`.
    pub partial_manifests: bool,
    /// `Prefer: handling=lenient`: the server may leave out what it does not know (checklist F7).
    pub lenient: bool,
    /// `Prefer: separate-export-status` (checklist F2).
    pub separate_status: bool,
    /// Each value of a list by itself.
    pub repeat_lists: bool,
}

enum Kind {
    Text,
    Instant,
    Reference,
    Boolean,
}

impl ExportRequest {
    /// Everything at this level.
    #[must_use]
    pub fn new(level: ExportLevel) -> Self {
        Self {
            level,
            output_format: None,
            since: None,
            until: None,
            types: Vec::new(),
            type_filters: Vec::new(),
            elements: Vec::new(),
            patients: Vec::new(),
            associated_data: Vec::new(),
            organize_by: None,
            partial_manifests: false,
            lenient: false,
            separate_status: false,
            repeat_lists: false,
        }
    }

    /// Whether it can be sent.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn check(&self) -> Result<(), RequestError> {
        let group_is_id = match &self.level {
            ExportLevel::Group(id) => is_fhir_id(id),
            ExportLevel::System | ExportLevel::Patient => true,
        };
        if !group_is_id || !self.patients.iter().all(|id| is_fhir_id(id)) {
            return Err(RequestError::NotAnId);
        }
        if self.types.iter().all(|kind| is_type(kind)) {
            Ok(())
        } else {
            Err(RequestError::NotAType)
        }
    }

    /// The same without the parameters of these names.
    #[must_use]
    pub fn without(mut self, names: &[String]) -> Self {
        for name in names {
            match name.as_str() {
                "_outputFormat" => self.output_format = None,
                "_since" => self.since = None,
                "_until" => self.until = None,
                "_type" => self.types.clear(),
                "_typeFilter" => self.type_filters.clear(),
                "_elements" => self.elements.clear(),
                "patient" => self.patients.clear(),
                "includeAssociatedData" => self.associated_data.clear(),
                "organizeOutputBy" => self.organize_by = None,
                "allowPartialManifests" => self.partial_manifests = false,
                _ => {}
            }
        }
        self
    }

    /// The names of the parameters that it has.
    #[must_use]
    pub fn parameter_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.parameters().into_iter().map(|one| one.0).collect();
        names.dedup();
        names
    }

    /// Whether it has to be posted: what names patients does not belong into an address.
    pub(crate) fn must_be_posted(&self) -> bool {
        !self.patients.is_empty()
    }

    /// The address of the operation, without parameters.
    pub(crate) fn operation(&self, base: &FhirBaseUrl) -> Url {
        match &self.level {
            ExportLevel::System => base.join("$export"),
            ExportLevel::Patient => base.join("Patient/$export"),
            ExportLevel::Group(id) => base.join(&format!("Group/{id}/$export")),
        }
    }

    /// The address of a GET: values percent-encoded, the `+` of an offset too.
    pub(crate) fn address(&self, base: &FhirBaseUrl) -> Url {
        let mut url = self.operation(base);
        let parameters = self.parameters();
        if !parameters.is_empty() {
            let pairs = parameters.iter().map(|(name, value, _)| (name, value));
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url
    }

    /// The body of a POST: a Parameters resource.
    pub(crate) fn body(&self) -> Vec<u8> {
        let parameter = |(name, value, kind): (&str, String, Kind)| match kind {
            Kind::Text => json!({"name": name, "valueString": value}),
            Kind::Instant => json!({"name": name, "valueInstant": value}),
            Kind::Reference => json!({"name": name, "valueReference": {"reference": value}}),
            Kind::Boolean => json!({"name": name, "valueBoolean": value == "true"}),
        };
        let parameters: Vec<Value> = self.parameters().into_iter().map(parameter).collect();
        json!({"resourceType": "Parameters", "parameter": parameters})
            .to_string()
            .into_bytes()
    }

    fn parameters(&self) -> Vec<(&'static str, String, Kind)> {
        let mut all = Vec::new();
        let mut one = |name, value: Option<String>, kind| {
            all.extend(value.map(|value| (name, value, kind)));
        };
        one("_outputFormat", self.output_format.clone(), Kind::Text);
        let instant = |instant: &Option<Instant>| instant.as_ref().map(|i| i.0.clone());
        one("_since", instant(&self.since), Kind::Instant);
        one("_until", instant(&self.until), Kind::Instant);
        one("organizeOutputBy", self.organize_by.clone(), Kind::Text);
        let partial = self.partial_manifests.then(|| "true".to_owned());
        one("allowPartialManifests", partial, Kind::Boolean);
        for (name, list) in [
            ("_type", self.types.clone()),
            ("_typeFilter", self.filters()),
            ("_elements", self.elements.clone()),
            ("includeAssociatedData", self.associated_data.clone()),
        ] {
            if self.repeat_lists {
                all.extend(list.into_iter().map(|value| (name, value, Kind::Text)));
            } else if !list.is_empty() {
                all.push((name, list.join(","), Kind::Text));
            }
        }
        let patients = self.patients.iter().map(|id| format!("Patient/{id}"));
        all.extend(patients.map(|reference| ("patient", reference, Kind::Reference)));
        all
    }

    /// In a comma list a filter's own commas are encoded once more, so that it can be taken apart.
    fn filters(&self) -> Vec<String> {
        let several = self.type_filters.len() > 1 && !self.repeat_lists;
        let text = |filter: &TypeFilter| match several {
            true => filter.0.replace(',', "%2C"),
            false => filter.0.clone(),
        };
        self.type_filters.iter().map(text).collect()
    }
}

/// Whether it looks like the name of a resource type.
pub(crate) fn is_type(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpPolicy;

    fn base() -> FhirBaseUrl {
        FhirBaseUrl::parse("https://ehr.example/fhir", &HttpPolicy::default()).unwrap()
    }

    #[test]
    fn f1_the_levels_have_their_addresses() {
        let at = |level| ExportRequest::new(level).address(&base()).to_string();
        assert_eq!(at(ExportLevel::System), "https://ehr.example/fhir/$export");
        assert_eq!(
            at(ExportLevel::Patient),
            "https://ehr.example/fhir/Patient/$export"
        );
        assert_eq!(
            at(ExportLevel::Group("g.1".into())),
            "https://ehr.example/fhir/Group/g.1/$export"
        );
        let bad = ExportRequest::new(ExportLevel::Group("../Patient".into()));
        assert_eq!(bad.check(), Err(RequestError::NotAnId));
    }

    #[test]
    fn f4_lists_have_commas_or_are_repeated_and_the_plus_of_an_instant_is_encoded() {
        let mut request = ExportRequest::new(ExportLevel::System);
        request.since = Some(Instant::parse("2026-01-02T03:04:05.678+02:00").unwrap());
        request.types = vec!["Patient".into(), "Observation".into()];
        request.elements = vec!["id".into(), "Patient.name".into()];
        let filter = |text| TypeFilter::parse(text).unwrap();
        request.type_filters = vec![
            filter("Observation?category=laboratory,vital-signs"),
            filter("Condition?clinical-status=active"),
        ];
        let query = request.address(&base()).query().unwrap().to_owned();
        assert!(query.contains("_since=2026-01-02T03%3A04%3A05.678%2B02%3A00"));
        assert!(query.contains("_type=Patient%2CObservation"), "{query}");
        assert!(query.contains("laboratory%252Cvital-signs%2CCondition"));
        request.repeat_lists = true;
        let query = request.address(&base()).query().unwrap().to_owned();
        assert!(query.contains("_type=Patient&_type=Observation"), "{query}");
        assert_eq!(
            request.parameter_names(),
            ["_since", "_type", "_typeFilter", "_elements"]
        );
        let bare = request.without(&["_since".into(), "_typeFilter".into()]);
        assert_eq!(bare.parameter_names(), ["_type", "_elements"]);
        for bad in ["2026-01-02", "2026-01-02T03:04:05", "2026", "yesterday", ""] {
            assert!(Instant::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn f5_a_filter_is_one_type_and_only_narrows() {
        let good = TypeFilter::parse("Observation?category=laboratory&date=ge2020").unwrap();
        assert_eq!(good.resource_type(), "Observation");
        for bad in [
            "Observation",
            "Observation?",
            "?code=1",
            "observation?code=1",
            "Observation?_sort=date",
            "Observation?code=1&_include=Observation:subject",
            "Observation?_elements=id",
            "Observation?_include:iterate=x",
            "Observation?code=",
        ] {
            assert_eq!(
                TypeFilter::parse(bad),
                Err(RequestError::NotATypeFilter),
                "{bad}"
            );
        }
    }

    #[test]
    fn f3_f4_patients_stand_in_a_body_and_never_in_an_address() {
        let mut request = ExportRequest::new(ExportLevel::Patient);
        request.since = Some(Instant::parse("2026-01-02T03:04:05Z").unwrap());
        request.patients = vec!["p1".into(), "p2".into()];
        assert!(request.must_be_posted());
        let body: Value = serde_json::from_slice(&request.body()).unwrap();
        assert_eq!(
            body,
            json!({"resourceType": "Parameters", "parameter": [
                {"name": "_since", "valueInstant": "2026-01-02T03:04:05Z"},
                {"name": "patient", "valueReference": {"reference": "Patient/p1"}},
                {"name": "patient", "valueReference": {"reference": "Patient/p2"}}]})
        );
    }
}
