//! The same fact from two sources of one person.
//!
//! What a record says is read out of it once ([`fact`]); records of different sources that say the same
//! become a group ([`group`]), which lists show as one row. [`settle`] does so for a person whose records
//! changed since the last time, in one pass, and keeps the result in the store. The rules stand in
//! `docs/grouping.md`. Nothing is guessed: what is not exactly the same by these rules stays side by side.

pub(crate) mod fact;
pub(crate) mod group;
mod settle;
