//! What was done with the records, as the person reads it (checklist H14).

use crate::portal::Decision;
use crate::world::{setting, setting_in, setting_with_clock};
use satchel_core::ExportFormat;
use satchel_core::view::{AccessAct, AccessLogView, ChartOf};
use satchel_mock::{Endpoint, FaultKind, World};

fn acts(log: &[AccessLogView]) -> Vec<AccessAct> {
    log.iter().rev().map(|entry| entry.act).collect()
}

#[tokio::test]
async fn h14_each_act_is_told_with_server_types_and_counts_and_stays_without_a_name() {
    let mut setting = setting().await;
    let id = setting.connect(&setting.patient().clone()).await;
    let report = setting.engine.sync(&id).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let engine = setting.engine.clone();
    let exported = engine
        .export(Some(&id), ExportFormat::Ndjson, folder.path())
        .await
        .unwrap();
    engine.access_check(&id).await.unwrap();
    engine.registration_rotate_key(&id).await.unwrap();
    let connection = engine.connection(&id).await.unwrap();
    let client = engine.registration_read(&id).await.unwrap().client_id;
    engine.remove(&id).await.unwrap();
    setting.restart().await;

    let log = setting.engine.access_log(100).await.unwrap();
    assert_eq!(
        acts(&log),
        [
            AccessAct::Registered,
            AccessAct::SignedIn,
            AccessAct::Synced,
            AccessAct::Exported,
            AccessAct::Checked,
            AccessAct::KeyExchanged,
            AccessAct::Revoked,
            AccessAct::Removed,
        ]
    );
    let of = |act| log.iter().find(|entry| entry.act == act).unwrap();
    let received: u64 = report.steps.iter().map(|step| step.records).sum();
    let synced = of(AccessAct::Synced);
    assert_eq!(synced.records, received);
    assert!(synced.resource_types.contains(&"Condition".to_owned()));
    let written: u64 = exported.resources.values().sum();
    assert_eq!(of(AccessAct::Exported).records, written);
    assert_eq!(
        of(AccessAct::Exported).resource_types,
        exported.resources.keys().cloned().collect::<Vec<_>>()
    );
    assert_eq!(of(AccessAct::Removed).records, connection.record_count);
    let host = setting.mock.fhir_base().split('/').nth(2).unwrap();
    for entry in &log {
        assert_eq!(entry.host.as_deref(), Some(host));
        assert_eq!(entry.server_name.as_deref(), Some(&*connection.server_name));
        assert!(entry.complete && entry.problem.is_none(), "{entry:?}");
        assert!(entry.at.parse::<jiff::Timestamp>().is_ok() && !entry.title.is_empty());
    }
    let told = serde_json::to_string(&log).unwrap();
    let name = connection.patient_name.unwrap();
    let mut hidden: Vec<&str> = name.split(' ').filter(|word| word.len() > 3).collect();
    let tokens = setting.mock.tokens();
    hidden.extend(tokens.iter().map(String::as_str));
    hidden.extend([id.as_str(), client.as_str()]);
    hidden.extend(setting.patient().patient_ids.iter().map(String::as_str));
    for word in hidden {
        assert!(!told.contains(word), "{word}");
    }
}

#[tokio::test]
async fn h14_what_went_wrong_is_told_and_what_was_not_received_is_not_counted() {
    let setting = setting_in(World {
        patients: 1,
        ..World::default()
    })
    .await;
    let person = setting.patient().clone();
    let denied = setting.callback_of(&person, Decision::Deny).await;
    setting.engine.login_finish(&denied).await.unwrap_err();
    let id = setting.connect(&person).await;
    setting.engine.sync(&id).await.unwrap();
    setting.mock.fault(Endpoint::Metadata, FaultKind::Drop, 20);
    let report = setting.engine.sync(&id).await.unwrap();
    let problem = report.problem.expect("the server is out of order");

    let log = setting.engine.access_log(100).await.unwrap();
    let newest = &log[0];
    assert_eq!((newest.act, newest.records), (AccessAct::Synced, 0));
    assert!(newest.resource_types.is_empty(), "{newest:?}");
    assert_eq!(newest.problem.as_ref().unwrap().code, problem.code);
    assert!(!newest.complete && log[1].records > 0);
    let first = log.iter().rev().find(|one| one.act == AccessAct::SignedIn);
    assert_eq!(
        first.unwrap().problem.as_ref().unwrap().code,
        "login.denied"
    );
    assert_eq!(setting.engine.access_log(2).await.unwrap(), log[..2]);
}

#[tokio::test]
async fn h14_a_renewal_is_told_and_after_two_years_nothing_is() {
    let (setting, clock) = setting_with_clock(World {
        patients: 1,
        ..World::default()
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    setting.pass(&clock, 4_000);
    setting.engine.sync(&id).await.unwrap();
    let log = setting.engine.access_log(100).await.unwrap();
    assert!(acts(&log).contains(&AccessAct::Renewed), "{log:?}");
    let before = log.len();
    clock.pass(363 * 86_400);
    clock.pass(363 * 86_400);
    assert_eq!(setting.engine.access_log(100).await.unwrap().len(), before);
    clock.pass(6 * 86_400);
    assert_eq!(setting.engine.access_log(100).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_printed_or_saved_is_written_down_and_its_name_says_nothing_of_the_person() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let of = ChartOf::Connection {
        connection_id: id.clone(),
    };
    setting.engine.printed(&of, 12).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let saved = setting
        .engine
        .export_into(&of, ExportFormat::Bundle, folder.path())
        .await
        .unwrap();
    let files: Vec<_> = std::fs::read_dir(&saved).unwrap().collect();
    assert_eq!(files.len(), 1);
    let name = saved.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("satchel-records-2"), "{name}");
    assert_eq!(name.len(), "satchel-records-2026-11-25-101500".len());

    let log = setting.engine.access_log(2).await.unwrap();
    assert_eq!(acts(&log), [AccessAct::Printed, AccessAct::Exported]);
    assert_eq!(log[1].records, 12);
}
