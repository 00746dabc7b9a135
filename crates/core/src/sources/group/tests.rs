use super::*;
use crate::sources::fact::fact_of;
use proptest::prelude::*;
use serde_json::json;

/// Statements of a condition: `source` and onset; keys count from 1.
fn said(rows: &[(i64, &str, &str)]) -> Vec<Statement> {
    rows.iter()
        .zip(1..)
        .map(|((source, text, onset), key)| {
            let mut record = json!({"resourceType": "Condition", "code": {"text": text}});
            if !onset.is_empty() {
                record["onsetDateTime"] = json!(onset);
            }
            Statement {
                key,
                source: *source,
                fact: fact_of("Condition", &record, None).unwrap(),
                changed: None,
            }
        })
        .collect()
}

fn found(rows: &[(i64, &str, &str)]) -> Vec<Vec<i64>> {
    groups(&said(rows), &Apart::new())
}

#[test]
fn two_sources_that_say_the_same_are_a_group_and_one_source_never_is() {
    assert_eq!(found(&[(1, "Gout", "2019"), (2, "gout", "2019")]), [[1, 2]]);
    assert!(found(&[(1, "Gout", "2019"), (1, "Gout", "2019")]).is_empty());
    assert!(found(&[(1, "Gout", "2019"), (2, "Gout", "2020")]).is_empty());
    assert!(found(&[(1, "Gout", "2019"), (2, "Asthma", "2019")]).is_empty());
}

#[test]
fn dates_agree_at_the_coarser_precision_and_the_one_that_says_most_stands() {
    assert_eq!(
        found(&[(1, "Gout", "2019"), (2, "Gout", "2019-04-02")]),
        [[2, 1]]
    );
    assert_eq!(found(&[(1, "Gout", ""), (2, "Gout", "2019-04")]), [[2, 1]]);
    assert!(found(&[(1, "Gout", "2019-05"), (2, "Gout", "2019-04-02")]).is_empty());
    assert_eq!(
        found(&[
            (1, "Gout", "2019-04-02"),
            (2, "Gout", "2019-04-02T10:00:00Z")
        ]),
        [[2, 1]]
    );
    let instants = [
        (1, "Gout", "2019-04-02T10:00:00Z"),
        (2, "Gout", "2019-04-02T12:00:00+02:00"),
    ];
    assert_eq!(found(&instants), [[1, 2]]);
    let others = [
        (1, "Gout", "2019-04-02T10:00:00Z"),
        (2, "Gout", "2019-04-02T10:00:01Z"),
    ];
    assert!(found(&others).is_empty());
}

#[test]
fn what_is_not_clear_stays_side_by_side() {
    let twice = [
        (1, "Gout", "2019"),
        (2, "Gout", "2019-04"),
        (2, "Gout", "2019-05"),
    ];
    assert!(found(&twice).is_empty(), "two of one source fit");
    let three = [(1, "Gout", ""), (2, "Gout", "2019"), (3, "Gout", "2020")];
    assert!(found(&three).is_empty(), "two of them do not agree");
    let clear = [(1, "Gout", ""), (2, "Gout", "2019"), (3, "Gout", "2019-01")];
    assert_eq!(found(&clear), [[3, 2, 1]]);
    // A third source that is not clear takes the others with it: nobody can say which is meant.
    let many = [
        (1, "Gout", "2019"),
        (2, "Gout", "2019"),
        (3, "Gout", "2019"),
        (3, "Gout", "2019"),
    ];
    assert!(found(&many).is_empty());
}

#[test]
fn the_newest_stands_for_the_others_and_the_person_decides() {
    let mut rows = said(&[(1, "Gout", "2019-04"), (2, "Gout", "2019")]);
    rows[0].changed = Some(1);
    rows[1].changed = Some(2);
    assert_eq!(groups(&rows, &Apart::new()), [[2, 1]]);
    assert!(groups(&rows, &Apart::from([(1, 2)])).is_empty());
    assert_eq!(groups(&rows, &Apart::from([(1, 3)])).len(), 1);
}

const TEXTS: [&str; 2] = ["Gout", "Asthma"];
const ONSETS: [&str; 6] = ["", "2019", "2019-04", "2019-04-02", "2019-05", "2020"];

/// The rule as it is written in the documentation, record by record and without any index.
fn by_the_book(rows: &[Statement]) -> Vec<Vec<i64>> {
    let agree = |one: &Statement, other: &Statement| {
        let date = |of: &Statement| {
            let coarser: Vec<String> = of.fact.date.coarser().map(str::to_owned).collect();
            (of.fact.date.own().to_owned(), coarser)
        };
        let ((one_own, one_coarser), (other_own, other_coarser)) = (date(one), date(other));
        one.source != other.source
            && one
                .fact
                .keys
                .iter()
                .any(|key| other.fact.keys.contains(key))
            && (one_own == other_own
                || one_coarser.contains(&other_own)
                || other_coarser.contains(&one_own))
    };
    let mut left: Vec<usize> = (0..rows.len()).collect();
    let mut found = Vec::new();
    while let Some(start) = left.pop() {
        let mut members = vec![start];
        while let Some(at) = left
            .iter()
            .position(|at| members.iter().any(|one| agree(&rows[*one], &rows[*at])))
        {
            members.push(left.remove(at));
        }
        let sources: HashSet<i64> = members.iter().map(|at| rows[*at].source).collect();
        let clear = members.iter().all(|one| {
            members
                .iter()
                .all(|other| one == other || agree(&rows[*one], &rows[*other]))
        });
        if members.len() > 1 && sources.len() == members.len() && clear {
            let mut keys: Vec<i64> = members.iter().map(|at| rows[*at].key).collect();
            keys.sort_unstable();
            found.push(keys);
        }
    }
    found.sort();
    found
}

fn sorted(groups: Vec<Vec<i64>>) -> Vec<Vec<i64>> {
    let mut groups: Vec<Vec<i64>> = groups
        .into_iter()
        .map(|mut keys| {
            keys.sort_unstable();
            keys
        })
        .collect();
    groups.sort();
    groups
}

proptest! {
    #[test]
    fn the_groups_are_those_of_the_written_rule_in_any_order(
        rows in prop::collection::vec((1_i64..4, 0_usize..2, 0_usize..6), 0..14),
        turned in 0_usize..14,
    ) {
        let rows: Vec<_> = rows.iter().map(|(s, t, o)| (*s, TEXTS[*t], ONSETS[*o])).collect();
        let mut statements = said(&rows);
        let found = groups(&statements, &Apart::new());
        prop_assert_eq!(sorted(found.clone()), by_the_book(&statements));
        let turn = turned % statements.len().max(1);
        statements.rotate_left(turn);
        statements.reverse();
        prop_assert_eq!(groups(&statements, &Apart::new()), found);
    }
}
