//! Names of medications that are records of their own (checklist G20): the order only refers to them, so
//! its row gets its name when both are here.

use super::fetch::FetchError;
use super::references::local_target;
use super::run::Run;
use crate::problem::Problem;
use crate::summary::{self, plain_name, read};

const ORDERS: &[&str] = &[
    "MedicationRequest",
    "MedicationDispense",
    "MedicationStatement",
    "MedicationAdministration",
];

impl Run {
    pub(super) async fn name_medications(&self) -> Result<(), FetchError> {
        let store = &self.engine.inner.store;
        for resource_type in ORDERS {
            let nameless = store
                .records_titled(
                    &self.connection_id,
                    resource_type,
                    plain_name(resource_type),
                )
                .await
                .map_err(Problem::from)?;
            for id in nameless {
                self.name_medication(resource_type, &id).await?;
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
        let value = read::value_of(&json);
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
