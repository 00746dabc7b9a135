//! A provider looks patients up (US Core, "Searching Multiple Patients"; checklist G28): by id, by
//! identifier, by name, or by birth date and name. Each query is about one patient, because servers
//! commonly refuse lists; a few run at a time.

use crate::engine::Engine;
use crate::patient;
use crate::problem::{Problem, ProblemCode, Result};
use crate::sync::fetch::FetchError;
use crate::view::{FoundPatientView, Role};
use futures::{StreamExt, TryStreamExt};
use satchel_smart::fhir::bundle::{Entry, SearchMode, SearchPage};
use satchel_smart::fhir::client::{FhirClient, FhirError};
use satchel_smart::fhir::search::{escape, token};
use satchel_smart::http::FhirBaseUrl;
use url::Url;

/// Queries in flight at one server.
const CONCURRENCY: usize = 4;
/// Patients of one query; a name that fits more has to be said more exactly.
const LIMIT: &str = "50";

/// Whom to look for. Nothing else is ever asked: a server's whole list of patients is not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatientQuery {
    /// Logical id at the server.
    Id(String),
    /// An identifier, such as a record number.
    Identifier {
        /// Its system, where it is known.
        system: Option<String>,
        /// Its value.
        value: String,
    },
    /// The beginning of names, and a birth date to narrow it.
    Name {
        /// As it is said; each word must fit.
        name: String,
        /// `YYYY-MM-DD`.
        birth_date: Option<String>,
    },
}

impl PatientQuery {
    fn parameters(&self) -> Result<Vec<(&'static str, String)>> {
        let too_wide = || Problem::new(ProblemCode::PatientsTooWide);
        let mut parameters = match self {
            Self::Id(id) if is_id(id) => vec![("_id", id.clone())],
            Self::Identifier { system, value } if !value.trim().is_empty() => {
                vec![("identifier", token(system.as_deref(), value.trim()))]
            }
            Self::Name { name, birth_date } => {
                let mut words: Vec<_> = name
                    .split_whitespace()
                    .map(|word| ("name", escape(word)))
                    .collect();
                if words.iter().all(|(_, word)| word.chars().count() < 2) {
                    return Err(too_wide());
                }
                if let Some(date) = birth_date {
                    let date: jiff::civil::Date = date.parse().map_err(|_| too_wide())?;
                    words.push(("birthdate", date.to_string()));
                }
                words
            }
            _ => return Err(too_wide()),
        };
        parameters.push(("_count", LIMIT.to_owned()));
        Ok(parameters)
    }
}

/// FHIR R4, `id`.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

impl Engine {
    /// Looks patients up at a provider's server, one query for each; those found, each once. Nothing of it
    /// is stored.
    ///
    /// # Errors
    /// `patients.too_wide` for a query that would list everybody, before anything is asked;
    /// `access.*`, `network.*`; `sync.not_shared` where the server does not allow it.
    pub async fn patients_find(
        &self,
        connection_id: &str,
        queries: &[PatientQuery],
    ) -> Result<Vec<FoundPatientView>> {
        let row = self.connection_row(connection_id).await?;
        if Role::parse(&row.role) == Role::Patient {
            return Err(Problem::new(ProblemCode::NotShared));
        }
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let token = self.access_token(connection_id).await?;
        let fhir = self.fhir_at(&base, token.expose());
        let mut urls = Vec::new();
        for query in queries {
            let parameters = query.parameters()?;
            let parameters: Vec<(&str, &str)> = parameters
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            urls.push(fhir.search_url("Patient", &parameters));
        }
        let pages: Vec<SearchPage> = futures::stream::iter(urls)
            .map(|url| self.patients_page(connection_id, &fhir, url))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let today = self
            .now()
            .to_zoned_datetime(jiff::tz::TimeZone::system())
            .date();
        let mut found: Vec<FoundPatientView> = Vec::new();
        for entry in pages.into_iter().flat_map(|page| page.entries) {
            let Entry::Resource(record) = entry else {
                continue;
            };
            let is_patient = record.resource_type == "Patient" && record.mode == SearchMode::Match;
            if is_patient && found.iter().all(|other| other.id != record.id) {
                let header = patient::header_of(&record.json, today);
                found.push(FoundPatientView {
                    id: record.id,
                    name: header.name,
                    birth_date: header.birth_date,
                    gender: header.gender,
                    identifiers: header.identifiers,
                });
            }
        }
        Ok(found)
    }

    async fn patients_page(
        &self,
        connection_id: &str,
        fhir: &FhirClient,
        url: Url,
    ) -> Result<SearchPage> {
        let token = self.access_token(connection_id).await?;
        let page = match fhir.search_page(&url, &token).await {
            Err(FhirError::Unauthorized) => {
                let token = self.replace_token(connection_id, &token).await?;
                fhir.search_page(&url, &token).await
            }
            other => other,
        };
        page.map_err(|error| FetchError::Fhir(error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g28_a_query_names_one_patient_and_never_everybody() {
        let name = |name: &str, birth_date: Option<&str>| PatientQuery::Name {
            name: name.to_owned(),
            birth_date: birth_date.map(str::to_owned),
        };
        let asked = name("Ada Love,lace", Some("1980-02-03"))
            .parameters()
            .unwrap();
        assert_eq!(
            asked[..3],
            [
                ("name", "Ada".to_owned()),
                ("name", r"Love\,lace".to_owned()),
                ("birthdate", "1980-02-03".to_owned())
            ]
        );
        let identifier = PatientQuery::Identifier {
            system: Some("urn:mrn".into()),
            value: " 1|2 ".into(),
        };
        assert_eq!(identifier.parameters().unwrap()[0].1, r"urn:mrn|1\|2");
        for everybody in [
            name(" ", None),
            name("a", None),
            name("Ada", Some("*")),
            PatientQuery::Id("a,b".into()),
            PatientQuery::Id(String::new()),
            PatientQuery::Identifier {
                system: None,
                value: " ".into(),
            },
        ] {
            let refused = everybody.parameters().unwrap_err();
            assert_eq!(refused.code, ProblemCode::PatientsTooWide, "{everybody:?}");
        }
    }
}
