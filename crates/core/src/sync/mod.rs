//! Sync: one loop, no callbacks upward.
//!
//! [`plan`] says what to ask for (pure), `begin` finds out what the server can do, `run` takes the steps,
//! `search` asks page by page: a page's records and the cursor behind it commit together, so that a crash
//! repeats a page and loses none. `marks` knows up to when each step is complete, `references` reads what
//! records refer to, `newer` keeps an older version from taking the place of a newer one, `report` keeps the truth about completeness and the progress.

mod before;
mod begin;
mod ending;
pub(crate) mod fetch;
pub(crate) mod kinds;
mod marks;
pub(crate) mod newer;
pub mod plan;
pub(crate) mod prepare;
pub(crate) mod references;
pub(crate) mod report;
pub(crate) mod run;
mod search;
mod titles;
