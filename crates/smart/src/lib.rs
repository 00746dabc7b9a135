//! SMART App Launch 2.2, OAuth, OpenID Connect, FHIR REST and Bulk Data over HTTP: the protocol side of Satchel.
//!
//! The way through, from a typed address to a page of records:
//!
//! 1. [`http::FhirBaseUrl::parse`] checks the address; [`discovery::discover`] reads what the server
//!    says about itself into a checked [`discovery::SmartConfiguration`].
//! 2. [`keys::SigningKey::generate`] makes this installation's key for that server;
//!    [`registration::register_client_with_ladder`] registers it (RFC 7591).
//! 3. [`authorization::AuthorizationRequest::start`] gives the address to open in the browser and a
//!    [`authorization::PendingAuthorization`]; `accept` of the redirect consumes that and gives an
//!    [`authorization::AuthorizationCode`], which can be had no other way; its `exchange` consumes it
//!    and gives a [`token::TokenResponse`], the id_token verified.
//! 4. [`fhir::client::FhirClient`] reads: capability statement, search pages, single resources;
//!    [`bulk::BulkClient`] has whole exports made and reads their files line by line.
//!
//! What this crate does NOT do: it stores nothing (no SQL, no keychain, no file), opens no browser,
//! listens on no port, knows no vendor, and has no words for people. Time and randomness are handed
//! in ([`Clock`], [`Random`]).

pub mod authorization;
pub mod backend;
pub mod brands;
pub mod bulk;
mod callback;
pub mod capabilities;
pub mod client_auth;
pub mod discovery;
pub mod fhir;
mod grant;
pub mod http;
pub mod id_token;
pub mod introspection;
mod issuer;
pub mod keys;
pub mod launch;
pub mod launch_context;
pub mod pkce;
pub mod registration;
pub mod scope;
pub mod secret;
mod text;
mod time;
pub mod token;
pub mod trace;
pub mod udap;

pub use time::{Clock, Random, SystemClock, SystemRandom};
