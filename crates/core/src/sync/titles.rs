//! Names of medications that are records of their own (checklist G20): the order only refers to them, so
//! its row gets its name when both are here.

use super::fetch::FetchError;
use super::references::local_target;
use super::run::Run;
use crate::problem::Problem;
use crate::summary::{self, plain_name, read};
use satchel_store::RecordFilter;
use serde_json::Value;

const ORDERS: &[&str] = &[
    "MedicationRequest",
    "MedicationDispense",
    "MedicationStatement",
    "MedicationAdministration",
];
const PAGE: u64 = 500;

impl Run {
    pub(super) async fn name_medications(&self) -> Result<(), FetchError> {
        for resource_type in ORDERS {
            let mut offset = 0;
            loop {
                let filter = RecordFilter {
                    connection_id: Some(self.connection_id.clone()),
                    resource_type: Some((*resource_type).to_owned()),
                    ..RecordFilter::default()
                };
                let store = &self.engine.inner.store;
                let page = store
                    .records_list(&filter, offset, PAGE)
                    .await
                    .map_err(Problem::from)?;
                let seen = page.rows.len() as u64;
                for row in page.rows {
                    if row.title == plain_name(resource_type) {
                        self.name_medication(resource_type, &row.id).await?;
                    }
                }
                offset += seen;
                if seen < PAGE {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn name_medication(&self, resource_type: &str, id: &str) -> Result<(), Problem> {
        let store = &self.engine.inner.store;
        let Some((_, json)) = store
            .record_get(&self.connection_id, resource_type, id)
            .await?
        else {
            return Ok(());
        };
        let value: Value = serde_json::from_str(&json).unwrap_or(Value::Null);
        let target = read::first(&value, "medicationReference")
            .and_then(|reference| read::string(reference, "reference"))
            .and_then(|reference| local_target(reference, self.base.as_str()));
        let Some(target) = target else {
            return Ok(());
        };
        let found = store.records_find(&self.connection_id, &[target]).await?;
        if let Some(medication) = found.first() {
            let text = format!(
                "{} {}",
                medication.title,
                summary::of(resource_type, &json).text
            );
            store
                .record_name(
                    &self.connection_id,
                    (resource_type, id),
                    &medication.title,
                    &text,
                )
                .await?;
        }
        Ok(())
    }
}
