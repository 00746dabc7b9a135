//! Which records of one person say the same.
//!
//! A group has one record of each source at most, and every two of its records agree. Where that is not
//! clear, because a source has two records that one of another source agrees with, or because two that
//! agree with a third do not agree with each other, there is no group: all stay side by side.

use super::fact::Fact;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A record, by its place in the store, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// Key in the store.
    pub(crate) key: i64,
    /// Its source.
    pub(crate) source: i64,
    /// What it says.
    pub(crate) fact: Fact,
    /// When its source last changed it, milliseconds since 1970, where it says so.
    pub(crate) changed: Option<i64>,
}

/// Pairs of records, by their keys, the lower first, that the person keeps apart.
pub(crate) type Apart = HashSet<(i64, i64)>;

/// With which record of a source another agrees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Agrees {
    With(usize),
    WithSeveral,
}

/// `(record, source)`: that record agrees with one or several of that source.
type Links = BTreeMap<(usize, i64), Agrees>;

/// The groups, each by the keys of its records, the one that stands for it first. The same records in any
/// order give the same groups.
pub(crate) fn groups(statements: &[Statement], apart: &Apart) -> Vec<Vec<i64>> {
    let links = links_of(statements);
    let mut groups = Vec::new();
    for members in connected(&links) {
        if is_clear(&members, statements, &links, apart) {
            let mut members: Vec<&Statement> = members.iter().map(|at| &statements[*at]).collect();
            members.sort_by(|one, other| {
                rank(other)
                    .cmp(&rank(one))
                    .then_with(|| one.key.cmp(&other.key))
            });
            groups.push(members.iter().map(|member| member.key).collect());
        }
    }
    groups.sort();
    groups
}

/// The newest stands for its group, then the one whose date says most, then the one that came first.
fn rank(statement: &Statement) -> (Option<i64>, usize) {
    (statement.changed, statement.fact.date.precision())
}

fn links_of(statements: &[Statement]) -> Links {
    let mut by_key: Vec<(u128, usize)> = statements
        .iter()
        .enumerate()
        .flat_map(|(at, statement)| statement.fact.keys.iter().map(move |key| (*key, at)))
        .collect();
    by_key.sort_unstable();
    let mut links = Links::new();
    for run in by_key.chunk_by(|one, other| one.0 == other.0) {
        let members: Vec<usize> = run.iter().map(|(_, at)| *at).collect();
        let source = statements[members[0]].source;
        if members.iter().any(|at| statements[*at].source != source) {
            link_by_date(&members, statements, &mut links);
        }
    }
    links
}

/// Records of one source at a date; of more than two it is enough to know that they are several.
#[derive(Default)]
struct AtDate(BTreeMap<i64, Vec<usize>>);

impl AtDate {
    fn add(&mut self, source: i64, at: usize) {
        let there = self.0.entry(source).or_default();
        if there.len() < 2 {
            there.push(at);
        }
    }
}

/// Those with a code (and value) in common agree when their dates do: one is the other, or the same at
/// the other's coarser precision.
fn link_by_date(members: &[usize], statements: &[Statement], links: &mut Links) {
    let mut exactly: HashMap<&str, AtDate> = HashMap::new();
    let mut within: HashMap<&str, AtDate> = HashMap::new();
    for at in members {
        let Statement { source, fact, .. } = &statements[*at];
        exactly
            .entry(fact.date.own())
            .or_default()
            .add(*source, *at);
        for date in fact.date.coarser() {
            within.entry(date).or_default().add(*source, *at);
        }
    }
    for at in members {
        let Statement { source, fact, .. } = &statements[*at];
        let own = fact.date.own();
        let agreeing = [exactly.get(own), within.get(own)];
        let coarser = fact.date.coarser().map(|date| exactly.get(date));
        for found in agreeing.into_iter().chain(coarser).flatten() {
            for (other_source, others) in &found.0 {
                if other_source != source {
                    for other in others {
                        link(links, (*at, *other_source), *other);
                    }
                }
            }
        }
    }
}

fn link(links: &mut Links, from: (usize, i64), to: usize) {
    let found = links.entry(from).or_insert(Agrees::With(to));
    if *found != Agrees::With(to) {
        *found = Agrees::WithSeveral;
    }
}

/// Records that agree, over others too.
fn connected(links: &Links) -> Vec<Vec<usize>> {
    let mut around: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for ((from, _), agrees) in links {
        let to = around.entry(*from).or_default();
        if let Agrees::With(other) = agrees {
            to.push(*other);
            around.entry(*other).or_default().push(*from);
        }
    }
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for start in around.keys() {
        let mut members = Vec::new();
        let mut next = vec![*start];
        while let Some(at) = next.pop() {
            if seen.insert(at) {
                members.push(at);
                next.extend(around.get(&at).into_iter().flatten());
            }
        }
        if !members.is_empty() {
            members.sort_unstable();
            all.push(members);
        }
    }
    all
}

/// Every two agree, each source has one, and the person keeps no two apart.
fn is_clear(members: &[usize], statements: &[Statement], links: &Links, apart: &Apart) -> bool {
    let sources: HashSet<i64> = members.iter().map(|at| statements[*at].source).collect();
    if members.len() < 2 || sources.len() < members.len() {
        return false;
    }
    members.iter().all(|one| {
        let agrees_with = links
            .range((*one, i64::MIN)..=(*one, i64::MAX))
            .filter(|(_, agrees)| **agrees != Agrees::WithSeveral)
            .count();
        let several = links
            .range((*one, i64::MIN)..=(*one, i64::MAX))
            .any(|(_, agrees)| *agrees == Agrees::WithSeveral);
        let kept_apart = members.iter().any(|other| {
            let (one, other) = (statements[*one].key, statements[*other].key);
            apart.contains(&(one.min(other), one.max(other)))
        });
        !several && !kept_apart && agrees_with == members.len() - 1
    })
}

#[cfg(test)]
mod tests;
