//! Lists as one bound value, for `json_each`.

use crate::error::{Result, StoreError};
use serde::Serialize;

pub(crate) fn as_json(list: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(list).map_err(|error| StoreError::Corrupt(error.to_string()))
}
