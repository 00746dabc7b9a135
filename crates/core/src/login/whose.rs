//! Whose records a sign-in opened, where the token's answer does not say it: Medicare's Blue Button names
//! no patient, so the records are asked.

use crate::engine::Engine;
use crate::problem::Result;
use crate::sync::references::local_target;
use crate::view::Role;
use satchel_smart::fhir::bundle::{Entry, SearchPage};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::token::TokenResponse;
use satchel_store::ConnectionRow;
use serde_json::Value;
use std::collections::BTreeSet;

/// Types whose records name the patient, and the member that does; the patient's own record comes first.
const NAMED_BY: [(&str, &str); 3] = [
    ("Patient", ""),
    ("Coverage", "beneficiary"),
    ("ExplanationOfBenefit", "patient"),
];

impl Engine {
    /// The tokens with the patient whose records they open: as the server said, else the only one that
    /// the records name. Where that does not come out either, nobody is named.
    pub(super) async fn with_patient(
        &self,
        connection: &ConnectionRow,
        mut tokens: TokenResponse,
    ) -> Result<TokenResponse> {
        let said = tokens.launch_context.patient.is_some();
        if said || Role::parse(&connection.role) != Role::Patient {
            return Ok(tokens);
        }
        let base = FhirBaseUrl::parse(&connection.fhir_base, &self.inner.policy)?;
        tokens.launch_context.patient = self.patient_in_records(&base, &tokens).await;
        Ok(tokens)
    }

    async fn patient_in_records(
        &self,
        base: &FhirBaseUrl,
        tokens: &TokenResponse,
    ) -> Option<String> {
        let fhir = self.fhir_at(base, tokens.access_token.expose());
        for (kind, member) in NAMED_BY {
            if !tokens.scope.allows_read(kind) {
                continue;
            }
            let url = fhir.search_url(kind, &[("_count", "10")]);
            let Ok(page) = fhir.search_page(&url, &tokens.access_token).await else {
                continue;
            };
            let mut named = patients_in(&page, kind, member, base).into_iter();
            if let (Some(one), None) = (named.next(), named.next()) {
                return Some(one);
            }
        }
        None
    }
}

/// The patients that the records of a page are about.
fn patients_in(
    page: &SearchPage,
    kind: &str,
    member: &str,
    base: &FhirBaseUrl,
) -> BTreeSet<String> {
    let about = |entry: &Entry| {
        let Entry::Resource(record) = entry else {
            return None;
        };
        if record.resource_type != kind {
            return None;
        }
        let reference = if member.is_empty() {
            format!("Patient/{}", record.id)
        } else {
            let value: Value = serde_json::from_str(&record.json).ok()?;
            value.get(member)?.get("reference")?.as_str()?.to_owned()
        };
        match local_target(&reference, base.as_str())? {
            (kind, id) if kind == "Patient" => Some(id),
            _ => None,
        }
    };
    page.entries.iter().filter_map(about).collect()
}
