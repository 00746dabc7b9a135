//! Searches with pages left to read: what the opaque `next` links lead to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::query::Filter;
use crate::data::{ChartNumber, Place};

/// How many links are kept; the oldest are forgotten.
const KEPT: usize = 20_000;

/// A page still to be read. It stays readable: the same link gives the same page.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    /// Whose search it is; nobody else may use the link.
    pub(crate) grant_id: u64,
    pub(crate) resource_type: String,
    /// What the search found.
    pub(crate) found: Found,
    pub(crate) count: usize,
    pub(crate) includes: Arc<Includes>,
    /// How many entries the pages after this one have, where that is another number.
    pub(crate) later: Option<usize>,
    /// The page before.
    pub(crate) previous: Option<String>,
    /// When the link is forgotten.
    pub(crate) expires: Option<i64>,
    /// The `_format` of the search, which its links keep.
    pub(crate) format: Option<Arc<str>>,
    /// The fault [`crate::FaultKind::LoopingNext`]: the page's next page is itself.
    pub(crate) loops: bool,
}

impl Cursor {
    /// The first page of what was found.
    pub(crate) fn new(grant_id: u64, kind: &str, found: Found, count: usize) -> Self {
        Cursor {
            grant_id,
            resource_type: kind.to_owned(),
            found,
            count,
            includes: Arc::default(),
            later: None,
            previous: None,
            expires: None,
            format: None,
            loops: false,
        }
    }
}

/// What a search found, from where a page begins.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// Everything, at the time of the search.
    All {
        places: Arc<Vec<Place>>,
        position: usize,
    },
    /// Among too many people to look into each chart at once: what fits is looked for page by page.
    Sought {
        filters: Arc<Vec<Filter>>,
        /// The chart to look into next.
        chart: ChartNumber,
        /// How many of that chart's matches were on earlier pages.
        skip: usize,
    },
}

/// What a search wants beside the matches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Includes {
    /// `Type:parameter` of `_include`.
    pub(crate) forward: Vec<String>,
    /// `_revinclude=Provenance:target`.
    pub(crate) provenance: bool,
}

/// The cursors by their links' tokens.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    inner: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_token: HashMap<String, Cursor>,
    order: VecDeque<String>,
}

impl Cursors {
    /// Keeps the cursor and names it.
    pub(crate) fn add(&self, cursor: Cursor) -> String {
        let token = format!("{:032x}", rand::random::<u128>());
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.by_token.insert(token.clone(), cursor);
        inner.order.push_back(token.clone());
        if inner.order.len() > KEPT
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.by_token.remove(&oldest);
        }
        token
    }

    /// The cursor of that name, if it belongs to the grant.
    pub(crate) fn get(&self, token: &str, grant_id: u64) -> Option<Cursor> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let cursor = inner.by_token.get(token)?;
        (cursor.grant_id == grant_id).then(|| cursor.clone())
    }
}
