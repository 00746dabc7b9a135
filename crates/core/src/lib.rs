//! The embeddable engine of Satchel: everything but the window.
//!
//! A program that embeds it opens an [`Engine`] on a profile folder, begins a login with
//! [`Engine::login_start`], opens the browser, hands the callback to [`Engine::login_finish`], pulls
//! the chart with [`Engine::sync`] and reads it, offline too, with [`Engine::chart`],
//! [`Engine::records_list`], [`Engine::record_get`] and [`Engine::search`].
//! [`Engine::subscribe`] tells what became stale. All words for errors are in [`problem`].
//!
//! ```no_run
//! use satchel_core::{Engine, EngineOptions, LoopbackListener, RedirectKind, view::Role};
//!
//! # fn open_browser(_: &str) {}
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::open(EngineOptions::new("/path/to/profile")).await?;
//! let listener = LoopbackListener::bind().await?;
//! let base = "https://ehr.example.org/fhir";
//! let login = engine
//!     .login_start(base, Role::Patient, RedirectKind::Loopback, Some(listener.port()))
//!     .await?;
//! open_browser(&login.view.authorization_url);
//! let connection = engine.login_finish(&listener.wait(&login).await?).await?;
//! let report = engine.sync(&connection).await?;
//! # drop(report);
//! # Ok(())
//! # }
//! ```
//!
//! What is absent here: Tauri, axum, clap, printing, SQL, HTTP requests by hand.

mod access;
mod access_log;
mod assertion;
pub mod attachments;
mod backend;
mod bulk;
mod changes;
mod chart;
pub mod connection;
mod digest;
mod directory;
mod discovery_cache;
pub mod document;
mod engine;
mod erase;
mod export;
mod folders;
mod habits;
mod identity;
mod keychain;
mod launch;
mod lockfile;
mod login;
mod loopback;
mod overview;
mod passphrase;
pub mod patient;
mod patients;
mod people;
mod presets;
mod privacy;
pub mod problem;
mod provenance;
mod refusals;
mod registration;
mod removal;
mod revocation;
pub mod schedule;
mod search;
mod servers;
mod session;
mod sources;
pub mod summary;
pub mod sync;
mod timeline;
pub mod trace;
mod trend;
pub mod view;
pub mod wording;

pub use assertion::AssertionAudience;
pub use bulk::{BulkLevel, BulkOptions, BulkSince};
pub use engine::{Engine, EngineOptions};
pub use erase::EraseReport;
pub use export::{ExportFormat, ExportReport};
pub use folders::default_data_dir;
pub use habits::{Aud, Habits, RepeatedClaim, ScopeHabits};
pub use identity::{AppIdentity, IdentityError, RedirectKind};
pub use keychain::{Keychain, KeychainError};
pub use launch::LaunchReceived;
pub use login::{LoginOptions, StartedLogin};
pub use loopback::LoopbackListener;
pub use passphrase::{LockStanding, Passphrase};
pub use patients::PatientQuery;
pub use problem::{Problem, ProblemCode, Result};
pub use satchel_smart::authorization::AuthorizationForm;
pub use satchel_smart::{Clock, Random, SystemClock, SystemRandom};
pub use servers::{ClientProfile, InstallationProfile, KnownServer, shipped_servers};
