//! What happens to a chart as days go by: results come in, are amended, turn out to be wrong, are deleted.
//!
//! One thing a day and person, in turn, so that a synchronisation after each day has something of
//! every kind to find among a few people. All of it follows from seed, person and day; only the time
//! stamps depend on when the server was started.

use super::Generated;
use super::person::{FIRST_CHANGE, base};
use super::rng::Rng;

/// Days after which nothing new happens.
const MOST_DAYS: u32 = 900;

const DAY: i64 = 86_400;

/// A chart that has been changing.
pub(crate) struct Changed {
    /// In the order of the chart as it began, what is new behind it.
    pub(crate) resources: Vec<Generated>,
    /// `Type/id` of what was deleted, with the second in which it was; it is still among the resources.
    pub(crate) deleted: Vec<(String, i64)>,
}

/// The chart of person number `index` after so many days, which began at second `started`.
pub(crate) fn after(
    resources: Vec<Generated>,
    seed: u64,
    index: usize,
    started: i64,
    days: u32,
) -> Changed {
    let mut chart = Changed {
        resources,
        deleted: Vec::new(),
    };
    let open = open_results(&chart.resources);
    if open.is_empty() {
        return chart;
    }
    for day in 1..=days.min(MOST_DAYS) {
        let mut rng = Rng::new(seed, index, &format!("day {day}"));
        let at = started.saturating_add(i64::from(day).saturating_mul(DAY));
        let turn = (index + day as usize) % 4;
        if turn == 0 {
            let like = *rng.pick(&open);
            let number = base(index) + FIRST_CHANGE + day as usize;
            chart.resources.extend(
                chart
                    .resources
                    .get(like)
                    .map(|one| new_result(one, number, at, &mut rng)),
            );
            continue;
        }
        // What was deleted or called wrong stays so.
        let Some(chosen) = choose(&chart, &open, &mut rng) else {
            continue;
        };
        let Some(resource) = chart.resources.get_mut(chosen) else {
            continue;
        };
        match turn {
            1 => amend(resource, at, &mut rng),
            2 => call_wrong(resource, at, day % 8 < 4),
            _ => {
                let key = format!("{}/{}", resource.resource_type, resource.id);
                chart.deleted.push((key, at));
            }
        }
    }
    chart
}

/// The form of `meta.lastUpdated`.
fn utc_of_second(second: i64) -> String {
    let time = jiff::Timestamp::from_second(second);
    time.map_or_else(
        |_| "9999-12-31T00:00:00.000Z".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
    )
}

/// Where the laboratory results with a number are.
fn open_results(resources: &[Generated]) -> Vec<usize> {
    let fits = |one: &Generated| {
        one.resource_type == "Observation"
            && one.json.contains("\"code\":\"laboratory\"")
            && one.json.contains("\"valueQuantity\":{")
            && one.json.contains("\"status\":\"final\"")
    };
    let places = resources.iter().enumerate();
    places
        .filter(|(_, one)| fits(one))
        .map(|(place, _)| place)
        .collect()
}

fn choose(chart: &Changed, open: &[usize], rng: &mut Rng) -> Option<usize> {
    (0..20).map(|_| *rng.pick(open)).find(|place| {
        chart.resources.get(*place).is_some_and(|one| {
            let key = format!("{}/{}", one.resource_type, one.id);
            !one.json.contains("\"status\":\"entered-in-error\"")
                && !chart.deleted.iter().any(|(gone, _)| *gone == key)
        })
    })
}

fn new_result(like: &Generated, number: usize, at: i64, rng: &mut Rng) -> Generated {
    let id = format!("obs-{number}");
    let time = utc_of_second(at);
    let mut json = with_text(&like.json, "id", &id);
    for member in ["lastUpdated", "effectiveDateTime", "issued"] {
        json = with_text(&json, member, &time);
    }
    json = with_other_value(&with_text(&json, "versionId", "1"), rng);
    Generated {
        id,
        json,
        last_updated: time,
        ..like.clone()
    }
}

fn amend(resource: &mut Generated, at: i64, rng: &mut Rng) {
    let json = with_text(&resource.json, "status", "amended");
    resource.json = with_other_value(&json, rng);
    new_version(resource, at);
}

/// A record that should never have been: with its old content, or stripped down to what says so (US
/// Core, "Representing Entered in Error Information").
fn call_wrong(resource: &mut Generated, at: i64, stripped: bool) {
    resource.json = with_text(&resource.json, "status", "entered-in-error");
    new_version(resource, at);
    if stripped {
        let (version, time) = (version(&resource.json), &resource.last_updated);
        let patient = resource.patient.clone().unwrap_or_default();
        resource.json = format!(
            r#"{{"resourceType":"Observation","id":"{}","meta":{{"lastUpdated":"{time}","versionId":"{version}"}},"status":"entered-in-error","code":{{"text":"Entered in error"}},"subject":{{"reference":"Patient/{patient}"}}}}"#,
            resource.id
        );
    }
}

fn new_version(resource: &mut Generated, at: i64) {
    let next = version(&resource.json) + 1;
    resource.last_updated = utc_of_second(at);
    let json = with_text(&resource.json, "versionId", &next.to_string());
    resource.json = with_text(&json, "lastUpdated", &resource.last_updated);
}

fn version(json: &str) -> u32 {
    span(json, "\"versionId\":\"", "\"")
        .and_then(|(from, to)| json.get(from..to)?.parse().ok())
        .unwrap_or(1)
}

/// From where to where the first text between `before` and `after` goes.
fn span(json: &str, before: &str, after: &str) -> Option<(usize, usize)> {
    let from = json.find(before)? + before.len();
    let to = from + json.get(from..)?.find(after)?;
    Some((from, to))
}

/// The JSON with another text in the first member of that name. The texts here need no escaping, and
/// the rest stays as it is written, with every digit.
fn with_text(json: &str, member: &str, text: &str) -> String {
    let mut changed = json.to_owned();
    if let Some((from, to)) = span(json, &format!("\"{member}\":\""), "\"") {
        changed.replace_range(from..to, text);
    }
    changed
}

/// The JSON with another last digit in `valueQuantity`, of the same precision.
fn with_other_value(json: &str, rng: &mut Rng) -> String {
    let mut changed = json.to_owned();
    let Some((from, to)) = span(json, "\"valueQuantity\":{", "}") else {
        return changed;
    };
    let quantity = json.get(from..to).unwrap_or_default();
    let Some(value) = quantity.find("\"value\":").map(|at| from + at + 8) else {
        return changed;
    };
    let digits = json.get(value..).unwrap_or_default();
    let length = digits
        .find(|one: char| !one.is_ascii_digit() && one != '.' && one != '-')
        .unwrap_or(0);
    if length == 0 {
        return changed;
    }
    let last = value + length - 1;
    let old = json
        .get(last..=last)
        .and_then(|one| one.parse::<i64>().ok());
    let new = (old.unwrap_or(0) + rng.between(0, 7)) % 9 + 1;
    changed.replace_range(last..=last, &new.to_string());
    changed
}

#[cfg(test)]
mod tests {
    use super::super::generate_patient;
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    const START: i64 = 1_800_000_000;

    fn chart(index: usize, days: u32) -> Changed {
        after(generate_patient(1, index).resources, 1, index, START, days)
    }

    fn versions(chart: &Changed) -> BTreeMap<String, String> {
        let all = chart.resources.iter();
        all.map(|one| {
            (
                format!("{}/{}", one.resource_type, one.id),
                one.json.clone(),
            )
        })
        .collect()
    }

    #[test]
    fn four_days_bring_a_new_an_amended_a_wrong_and_a_deleted_result() {
        let (before, after) = (versions(&chart(0, 0)), chart(0, 4));
        let new = versions(&after);
        let added: Vec<_> = new
            .keys()
            .filter(|key| !before.contains_key(*key))
            .collect();
        let changed: Vec<Value> = new
            .iter()
            .filter(|(key, json)| before.get(*key).is_some_and(|old| old != *json))
            .map(|(_, json)| serde_json::from_str(json).unwrap())
            .collect();
        let mut status: Vec<&str> = changed
            .iter()
            .filter_map(|one| one["status"].as_str())
            .collect();
        status.sort_unstable();
        assert_eq!(added.len(), 1);
        assert_eq!(status, ["amended", "entered-in-error"]);
        assert_eq!(after.deleted.len(), 1);
        for one in changed {
            assert_eq!(one["meta"]["versionId"], "2");
            assert!(one["meta"]["lastUpdated"].as_str().unwrap() > "2027");
        }
    }

    #[test]
    fn the_same_days_bring_the_same() {
        assert_eq!(versions(&chart(3, 40)), versions(&chart(3, 40)));
        assert_ne!(versions(&chart(3, 40)), versions(&chart(3, 41)));
    }

    #[test]
    fn whatever_happens_it_stays_json_and_ids_stay_unique() {
        for index in 0..12 {
            let chart = chart(index, 120);
            let unique = versions(&chart);
            assert_eq!(unique.len(), chart.resources.len());
            for json in unique.values() {
                serde_json::from_str::<Value>(json).unwrap();
            }
        }
    }
}
