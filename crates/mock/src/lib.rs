//! An imitation SMART on FHIR server for testers: portal, authorization server, FHIR, synthetic people.
//!
//! Start one with [`MockServer::start`] (or the binary `satchel-mock`), sign in with one of
//! [`MockServer::accounts`], and break it on purpose with [`MockServer::fault`] or [`MockServer::plan`].
//! [`MockServer`] offers all that the HTTP control API does. It keeps everything
//! in memory and must never hold a real person's data.

mod accounts;
mod auth;
mod clock;
mod context;
mod control;
mod data;
mod faults;
mod fhir;
mod handle;
mod log;
mod misbehave;
mod policy;
pub mod population;
mod quirks;
mod scenario;
mod server;
mod state;
mod tls;
mod ui;
mod world;

pub use accounts::{NewPerson, Practice};
pub use context::DecodedJwt;
pub use faults::{Endpoint, FaultKind, IdTokenFault};
pub use log::RequestLogEntry;
pub use policy::{AssertionAudience, BasicEncoding, Management, Policy, RefreshExpiry};
pub use quirks::Quirks;
pub use scenario::{PlannedFault, Scenario};
pub use server::MockServer;
pub use world::{Leniency, MockError, TlsFault, TlsOptions, World};
