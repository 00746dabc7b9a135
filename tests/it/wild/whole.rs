//! A chart that changes at its source between two syncs, in ways that a client must not follow.

use super::{about, habits, made_of, server_with, step};
use crate::faults::chart;
use crate::world::Setting;
use satchel_core::view::{RecordKey, StepOutcome};
use satchel_store::{IndexIn, Page, RecordIn};
use serde_json::{Value, json};

/// Puts a version of a record into the file, as if the server had given it before.
async fn had(setting: &Setting, connection: &str, record: &Value) {
    let text = |pointer: &str| {
        record
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let record = RecordIn {
        resource_type: text("/resourceType").unwrap(),
        id: text("/id").unwrap(),
        version_id: text("/meta/versionId"),
        last_updated: text("/meta/lastUpdated"),
        json: record.to_string(),
        index: IndexIn {
            section: "goals".to_owned(),
            title: "Goal".to_owned(),
            ..IndexIn::default()
        },
        ..RecordIn::default()
    };
    let store = setting.store().await;
    let page = Page::of(vec![record]);
    let saved = store.save_page(connection, "planted", page, None, "2026-01-01T00:00:00Z");
    saved.await.unwrap();
    store.close().await;
}

async fn json_of(setting: &Setting, connection: &str, id: &str) -> Value {
    let key = RecordKey {
        connection_id: connection.to_owned(),
        resource_type: "Goal".to_owned(),
        id: id.to_owned(),
    };
    let detail = setting.engine.record_get(&key).await.unwrap();
    assert_eq!(detail.summary.withdrawn_at, None, "it is still given");
    serde_json::from_str(&detail.json).unwrap()
}

fn goal(id: &str, meta: Value, text: &str) -> Value {
    let mut goal = about(
        "Goal",
        id,
        json!({"lifecycleStatus": "active", "description": {"text": text}}),
    );
    goal["meta"] = meta;
    goal
}

#[tokio::test]
async fn w87_an_older_version_or_a_part_never_takes_the_place_of_what_is_here() {
    let (old, new) = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
    let part = json!({"versionId": "3", "lastUpdated": new, "tag": [{"code": "SUBSETTED"}]});
    let at = |version: &str, time: &str| json!({"versionId": version, "lastUpdated": time});
    let given = [
        goal("older", at("1", old), "older"),
        goal("number", at("9", old), "version 9"),
        goal("part", part, "a part"),
        goal("newer", at("2", new), "newer"),
        goal("whole", at("2", old), "all of it"),
    ];
    let setting = server_with(made_of(json!({})), &given).await;
    let id = setting.connect(setting.patient()).await;
    let half = json!({"versionId": "2", "lastUpdated": old, "tag": [{"code": "SUBSETTED"}]});
    for record in [
        goal("older", at("2", new), "here"),
        goal("number", at("10", old), "here"),
        goal("part", at("2", old), "here"),
        goal("newer", at("1", old), "older"),
        goal("whole", half, "half of it"),
    ] {
        had(&setting, &id, &record).await;
    }
    for _ in 0..2 {
        let report = setting.engine.sync(&id).await.unwrap();
        assert!(report.complete, "{report:#?}");
        let goals = step(&report, "Goal");
        if goals.records > 0 {
            assert!(
                goals
                    .remarks
                    .iter()
                    .any(|one| one.starts_with("3 of these")),
                "{goals:?}"
            );
        }
        let texts = ["older", "number", "part", "newer", "whole"];
        let expected = ["here", "here", "here", "newer", "all of it"];
        for (record, text) in texts.into_iter().zip(expected) {
            let found = json_of(&setting, &id, record).await;
            assert_eq!(found["description"]["text"], text, "{record}");
        }
    }
}

#[tokio::test]
async fn w85_a_chart_that_was_merged_away_says_so_and_nothing_of_it_is_lost_or_mixed() {
    for redirects in [false, true] {
        let mut records = chart::records();
        records.push(chart::plain(
            "Patient",
            "pat-2",
            json!({"name": [{"family": "Other"}]}),
        ));
        let merge =
            json!({"merge": {"from": chart::PATIENT, "into": "pat-2", "redirects": redirects}});
        let setting = server_with(made_of(merge), &records).await;
        let person = setting
            .mock
            .accounts()
            .iter()
            .find(|one| one.patient_ids == [chart::PATIENT]);
        let id = setting.connect(person.unwrap()).await;
        let report = setting.engine.sync(&id).await.unwrap();
        assert!(report.complete, "{report:#?}");
        let before = setting.engine.connection(&id).await.unwrap().record_count;
        setting.mock.turn_clock(2 * 86_400);
        let store = setting.store().await;
        for mark in store.sync_marks_get(&id).await.unwrap() {
            store.sync_mark_remove(&id, &mark.step_key).await.unwrap();
        }
        store.close().await;
        let report = setting.engine.sync(&id).await.unwrap();
        let asked = setting
            .mock
            .requests()
            .into_iter()
            .rev()
            .take(60)
            .map(|one| (one.path, one.query, one.status))
            .collect::<Vec<_>>();
        assert!(!report.complete, "{report:#?} {asked:?}");
        assert_eq!(
            report.problem.unwrap().code,
            "sync.patient_gone",
            "redirects: {redirects}"
        );
        assert_eq!(report.withdrawn_records, 0);
        let connection = setting.engine.connection(&id).await.unwrap();
        assert_eq!(connection.record_count, before);
        assert_eq!(setting.here(&id, "Patient").await, 1);
    }
}

#[tokio::test]
async fn w37_what_is_gone_at_the_source_is_found_by_asking_for_everything_and_is_kept() {
    let setting = server_with(habits("oracle"), &chart::records()).await;
    let id = setting.connect(setting.patient()).await;
    had(
        &setting,
        &id,
        &goal("ghost", json!({"versionId": "1"}), "gone"),
    )
    .await;
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(report.withdrawn_records, 1, "{report:#?}");
    assert_eq!(setting.here(&id, "Goal").await, 2);
    assert_eq!(step(&report, "Goal").outcome, StepOutcome::Complete);
}
