//! Reading FHIR R4 over HTTP. Resources are kept byte for byte as they came; only what is needed to
//! file them is read out.

pub mod binary;
pub mod bundle;
pub mod capability;
pub mod client;
pub mod outcome;
pub mod search;
