//! The synthetic people, each with a chart that is made when somebody asks for it. However many there
//! are, only those asked for last are kept.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::chart::Chart;
use super::{Incoming, Stored, fields::Fields};
use crate::clock::Clock;
use crate::population::{self, changes};

/// How many bytes of charts are kept, about.
const KEPT: usize = 40 * 1024 * 1024;

/// The people of one server.
#[derive(Debug)]
pub(crate) struct People {
    seed: u64,
    count: AtomicUsize,
    removed: RwLock<HashSet<usize>>,
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    charts: HashMap<usize, KeptChart>,
    weight: usize,
    /// Counts the uses, so that the least recent is known.
    uses: u64,
}

#[derive(Debug)]
struct KeptChart {
    chart: Arc<Chart>,
    /// The day it was made for: on another day it is another chart.
    day: u32,
    weight: usize,
    used: u64,
}

impl People {
    /// `count` people from `seed`, whose charts change by `clock`.
    pub(crate) fn new(count: usize, seed: u64, clock: Clock) -> Self {
        People {
            seed,
            count: AtomicUsize::new(count),
            removed: RwLock::default(),
            clock,
            kept: Mutex::default(),
        }
    }

    /// How many numbers were given out; the people who were removed are among them.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Where the names and values come from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether there is a person of that number.
    pub(crate) fn has(&self, index: usize) -> bool {
        let removed = self.removed.read().unwrap_or_else(PoisonError::into_inner);
        index < self.count() && !removed.contains(&index)
    }

    /// One person more: the number.
    pub(crate) fn add(&self) -> usize {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a person out, with the chart.
    pub(crate) fn remove(&self, index: usize) {
        let mut removed = self.removed.write().unwrap_or_else(PoisonError::into_inner);
        removed.insert(index);
        drop(removed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(index);
    }

    /// The number of the person in whose chart a resource with this id is.
    pub(crate) fn index_of(&self, id: &str) -> Option<usize> {
        population::index_of_id(id).filter(|index| self.has(*index))
    }

    /// The person's `Patient`, which needs no chart.
    pub(crate) fn patient(&self, index: usize) -> Option<Arc<Stored>> {
        if !self.has(index) {
            return None;
        }
        let generated = population::generate_person(self.seed, index)?;
        let parsed = serde_json::from_str(&generated.json).ok()?;
        Some(Arc::new(Stored {
            resource_type: generated.resource_type,
            id: generated.id,
            fields: Fields::of(&parsed),
            json: generated.json,
        }))
    }

    /// The person's chart as it is today.
    pub(crate) fn chart(&self, index: usize) -> Option<Arc<Chart>> {
        if !self.has(index) {
            return None;
        }
        let day = self.clock.days();
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(chart) = kept.get(index, day) {
                return Some(chart);
            }
        }
        let chart = Arc::new(self.make(index, day));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(index, day, &chart);
        Some(chart)
    }

    fn make(&self, index: usize, day: u32) -> Chart {
        let record = population::generate_patient(self.seed, index);
        let changed = changes::after(
            record.resources,
            self.seed,
            index,
            self.clock.started(),
            day,
        );
        let incoming = changed.resources.into_iter().map(Incoming::from).collect();
        let (chart, warnings) = Chart::new(incoming);
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        chart.without(changed.deleted)
    }
}

impl Kept {
    fn get(&mut self, index: usize, day: u32) -> Option<Arc<Chart>> {
        self.uses += 1;
        let uses = self.uses;
        let kept = self.charts.get_mut(&index)?;
        if kept.day != day {
            return None;
        }
        kept.used = uses;
        Some(Arc::clone(&kept.chart))
    }

    fn keep(&mut self, index: usize, day: u32, chart: &Arc<Chart>) {
        self.forget(index);
        let weight = chart.weight();
        while self.weight + weight > KEPT {
            let oldest = self.charts.iter().min_by_key(|(_, kept)| kept.used);
            let Some(oldest) = oldest.map(|(index, _)| *index) else {
                break;
            };
            self.forget(oldest);
        }
        self.uses += 1;
        self.weight += weight;
        let kept = KeptChart {
            chart: Arc::clone(chart),
            day,
            weight,
            used: self.uses,
        };
        self.charts.insert(index, kept);
    }

    fn forget(&mut self, index: usize) {
        if let Some(kept) = self.charts.remove(&index) {
            self.weight -= kept.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_without_the_chart_is_the_one_of_the_chart() {
        let people = People::new(20, 1, Clock::start());
        for index in [0, 3, 7, 12] {
            let alone = people.patient(index).unwrap();
            let chart = people.chart(index).unwrap();
            assert_eq!(chart.at(0).unwrap().json, alone.json);
            assert_eq!(people.index_of(&alone.id), Some(index));
        }
        assert!(people.patient(20).is_none());
    }

    #[test]
    fn however_many_are_asked_for_memory_is_bounded() {
        let people = People::new(100_000, 1, Clock::start());
        for index in (0..100_000).step_by(700) {
            people.chart(index).unwrap();
        }
        let kept = people.kept.lock().unwrap();
        assert!(kept.weight <= KEPT);
        let weights: usize = kept.charts.values().map(|one| one.chart.weight()).sum();
        assert_eq!(weights, kept.weight);
    }

    #[test]
    fn a_chart_is_another_one_the_next_day_and_gone_when_the_person_is_removed() {
        let clock = Clock::start();
        let people = People::new(8, 1, clock.clone());
        let before = people.chart(0).unwrap();
        clock.turn(crate::clock::DAY);
        assert!(!Arc::ptr_eq(&before, &people.chart(0).unwrap()));
        people.remove(0);
        assert!(people.chart(0).is_none() && people.patient(0).is_none());
        assert_eq!(people.add(), 8);
        assert!(people.chart(8).is_some());
    }
}
