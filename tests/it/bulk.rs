//! Bulk exports from the first request to the last record, against the mock server; and files of records.

use crate::world::{Setting, code, setting, setting_in, setting_with_clock};
use satchel_core::view::{AccessAct, BulkJobView, BulkState, RecordFilter};
use satchel_core::{BulkLevel, BulkOptions, BulkSince};
use satchel_mock::{Endpoint, FaultKind, PlannedFault, World};

pub(crate) fn world() -> World {
    World {
        patients: 2,
        token_lifetime_seconds: 300,
        ..World::default()
    }
}

pub(crate) async fn service() -> (Setting, String) {
    let setting = setting_in(world()).await;
    let id = connect(&setting).await;
    (setting, id)
}

pub(crate) async fn connect(setting: &Setting) -> String {
    let base = setting.mock.fhir_base();
    setting.engine.connect_backend(base).await.unwrap()
}

/// Few types, so that tests are quick.
pub(crate) fn few() -> BulkOptions {
    BulkOptions {
        types: vec!["Patient".into(), "Condition".into(), "Immunization".into()],
        ..BulkOptions::default()
    }
}

pub(crate) async fn export(setting: &Setting, id: &str, options: &BulkOptions) -> BulkJobView {
    let job = setting.engine.bulk_start(id, options).await.unwrap();
    setting.engine.bulk_resume(&job.id).await.unwrap()
}

pub(crate) fn received(job: &BulkJobView) -> u64 {
    job.report.types.iter().map(|one| one.received).sum()
}

pub(crate) fn asked(
    setting: &Setting,
    method: &str,
    beginning: &str,
) -> Vec<satchel_mock::RequestLogEntry> {
    let requests = setting.mock.requests().into_iter();
    let ours = |one: &satchel_mock::RequestLogEntry| {
        one.method == method && one.path.starts_with(beginning)
    };
    requests.filter(ours).collect()
}

pub(crate) async fn stored(setting: &Setting, id: &str, kind: Option<&str>) -> u64 {
    let filter = RecordFilter {
        connection_id: Some(id.to_owned()),
        resource_type: kind.map(str::to_owned),
        section: None,
    };
    setting
        .engine
        .records_list(&filter, 0, 1)
        .await
        .unwrap()
        .total
}

#[tokio::test]
async fn f1_f6_f8_f12_f23_an_export_is_fetched_whole_and_then_given_back() {
    let (setting, id) = service().await;
    let job = export(&setting, &id, &BulkOptions::default()).await;
    assert_eq!(job.state, BulkState::Done, "{job:?}");
    assert!(job.complete && job.level == "patient" && job.since.is_none());
    assert!(received(&job) > 200, "{job:?}");
    let patients = job
        .report
        .types
        .iter()
        .find(|one| one.resource_type == "Patient");
    assert_eq!(patients.unwrap().new_records, 2);
    assert!(stored(&setting, &id, None).await >= received(&job));
    let polls = asked(&setting, "GET", "/bulk/jobs/");
    assert_eq!(
        polls.iter().map(|one| one.status).collect::<Vec<_>>(),
        [202, 200]
    );
    let given_back = asked(&setting, "DELETE", "/bulk/jobs/");
    assert_eq!(given_back.len(), 1);
    assert_eq!(given_back[0].status, 202);
    assert!(given_back[0].path == polls[0].path);
}

#[tokio::test]
async fn f20_the_next_export_begins_at_the_servers_own_time_of_the_last_one() {
    let (setting, clock) = setting_with_clock(world()).await;
    let id = connect(&setting).await;
    // This machine's clock is wrong by an hour; what counts is the server's.
    clock.turn(3600);
    let first = export(&setting, &id, &few()).await;
    assert!(first.complete && first.since.is_none());
    let second = export(&setting, &id, &few()).await;
    let since: jiff::Timestamp = second.since.clone().unwrap().parse().unwrap();
    assert!(
        (since.as_second() - setting.mock.now()).abs() < 120,
        "{since}"
    );
    assert!(second.complete && received(&second) < received(&first));
    let kick_offs = asked(&setting, "GET", "/fhir/Patient/$export");
    assert!(!kick_offs[0].query.contains("_since"));
    assert!(kick_offs[1].query.contains("_since"));
    // Another kind of export does not follow this one, and neither does one that is to be whole.
    let mut other = few();
    other.types.pop();
    assert_eq!(export(&setting, &id, &other).await.since, None);
    let mut whole = few();
    whole.since = BulkSince::Beginning;
    let whole = export(&setting, &id, &whole).await;
    assert_eq!(
        (whole.since.as_deref(), received(&whole)),
        (None, received(&first))
    );
    assert!(whole.report.types.iter().all(|one| one.new_records == 0));
}

#[tokio::test]
async fn f11_a_restart_goes_on_with_what_is_not_fetched_yet() {
    let (mut setting, id) = service().await;
    let job = setting.engine.bulk_start(&id, &few()).await.unwrap();
    setting.restart().await;
    let known = setting.engine.bulk_jobs(Some(&id)).await.unwrap();
    assert_eq!((known.len(), known[0].state), (1, BulkState::Exporting));
    // The first file comes, then the network is gone.
    setting.mock.plan(&PlannedFault {
        endpoint: Endpoint::BulkFile,
        fault: FaultKind::TooManyRequests {
            retry_after: Some(90),
        },
        client_id: None,
        after: 1,
        times: 2,
    });
    let stopped = tokio::time::timeout(
        std::time::Duration::from_secs(8),
        setting.engine.bulk_resume(&job.id),
    );
    assert!(stopped.await.is_err(), "it waits for the server");
    setting.mock.clear_faults();
    setting.restart().await;
    let known = setting.engine.bulk_jobs(Some(&id)).await.unwrap().remove(0);
    assert_eq!(known.state, BulkState::Downloading);
    assert_eq!((known.files_done, known.files_total), (1, 3));
    let done = setting.engine.bulk_resume(&job.id).await.unwrap();
    assert!(done.complete, "{done:?}");
    assert_eq!(done.report.types.len(), 3);
    assert_eq!(asked(&setting, "GET", "/fhir/Patient/$export").len(), 1);
    let fetched = asked(&setting, "GET", "/bulk/files/").into_iter();
    let good: Vec<_> = fetched.filter(|one| one.status == 200).collect();
    assert_eq!(good.len(), 3, "each file once");
}

#[tokio::test]
async fn f11_where_an_export_is_is_in_no_view_and_no_file() {
    let (setting, id) = service().await;
    setting.engine.trace_switch(true);
    let job = setting.engine.bulk_start(&id, &few()).await.unwrap();
    let running = setting.engine.bulk_jobs(None).await.unwrap();
    let done = setting.engine.bulk_resume(&job.id).await.unwrap();
    for view in [&running[0], &done] {
        let json = serde_json::to_string(view).unwrap();
        assert!(!json.contains("/bulk/"), "{json}");
    }
    let secret = asked(&setting, "GET", "/bulk/jobs/")[0].path.clone();
    let secret = secret.rsplit('/').next().unwrap().to_owned();
    let trace = setting.engine.trace();
    assert!(trace.flows.len() >= 2 && trace.flows.iter().all(|flow| flow.steps.len() > 1));
    assert!(!serde_json::to_string(&trace).unwrap().contains(&secret));
    for file in std::fs::read_dir(setting.profile()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&secret));
    }
}

#[tokio::test]
async fn f18_what_was_deleted_is_marked_and_kept() {
    let (setting, clock) = setting_with_clock(World {
        patients: 3,
        token_lifetime_seconds: 300,
        ..World::default()
    })
    .await;
    let id = connect(&setting).await;
    let system = BulkOptions {
        level: Some(BulkLevel::System),
        no_attachments: true,
        ..BulkOptions::default()
    };
    let first = export(&setting, &id, &system).await;
    assert!(first.complete, "{first:?}");
    let before = stored(&setting, &id, None).await;
    setting.pass(&clock, 4 * 86_400);
    let second = export(&setting, &id, &system).await;
    assert!(second.complete && second.since.is_some());
    assert_eq!(second.report.deleted_records, 3, "{second:?}");
    let filter = RecordFilter {
        connection_id: Some(id.clone()),
        resource_type: None,
        section: None,
    };
    let all = setting
        .engine
        .records_list(&filter, 0, 10_000)
        .await
        .unwrap();
    assert!(all.total >= before, "nothing went away");
    let marked = all.rows.iter().filter(|row| row.withdrawn_at.is_some());
    assert_eq!(marked.count(), 3);
}

#[tokio::test]
async fn h14_an_export_is_in_the_access_log_with_its_types_and_how_it_ended() {
    let (setting, id) = service().await;
    let done = export(&setting, &id, &few()).await;
    let newest = setting.engine.access_log(1).await.unwrap().remove(0);
    assert_eq!((newest.act, newest.complete), (AccessAct::Synced, true));
    assert!(newest.records > 0);
    assert_eq!(newest.records, received(&done));
    let mut types: Vec<_> = done
        .report
        .types
        .iter()
        .map(|one| &one.resource_type)
        .collect();
    types.sort();
    assert_eq!(newest.resource_types.iter().collect::<Vec<_>>(), types);
    let fault = FaultKind::FileGenerationFailed;
    setting.mock.fault(Endpoint::BulkStatus, fault, 1);
    export(&setting, &id, &few()).await;
    let failed = setting.engine.access_log(1).await.unwrap().remove(0);
    assert_eq!(failed.problem.unwrap().code, "bulk.failed");
}

#[tokio::test]
async fn f21_who_is_new_in_a_group_comes_with_everything() {
    let (setting, clock) = setting_with_clock(world()).await;
    let id = connect(&setting).await;
    let mut group = few();
    group.level = Some(BulkLevel::Group("everyone".into()));
    let first = export(&setting, &id, &group).await;
    assert!(
        first.complete && first.level == "group everyone",
        "{first:?}"
    );
    setting.pass(&clock, 60);
    let person = serde_json::from_str(r#"{"username":"newcomer"}"#).unwrap();
    let newcomer = setting.mock.add_person(person).unwrap();
    setting.pass(&clock, 60);
    let second = export(&setting, &id, &group).await;
    assert!(second.complete && second.since.is_some(), "{second:?}");
    assert_eq!(stored(&setting, &id, Some("Patient")).await, 3);
    let patients = second
        .report
        .types
        .iter()
        .find(|one| one.resource_type == "Patient");
    assert_eq!(patients.unwrap().new_records, 1);
    let by_post = asked(&setting, "POST", "/fhir/Group/everyone/$export");
    assert_eq!(by_post.len(), 1, "only for who is new");
    assert_eq!(by_post[0].query, "", "who it is stands in no address");
    assert_eq!(newcomer.patient_ids.len(), 1);
    let third = export(&setting, &id, &group).await;
    assert!(third.complete);
    assert_eq!(
        asked(&setting, "POST", "/fhir/Group/everyone/$export").len(),
        1
    );
}

#[tokio::test]
async fn f3_f4_f5_types_filters_and_patients_narrow_it() {
    let (setting, id) = service().await;
    let options = BulkOptions {
        types: vec!["Observation".into()],
        type_filters: vec!["Observation?category=laboratory".into()],
        ..BulkOptions::default()
    };
    let labs = export(&setting, &id, &options).await;
    assert!(labs.complete && labs.report.types.len() == 1);
    let all = BulkOptions {
        types: vec!["Observation".into()],
        ..BulkOptions::default()
    };
    assert!(received(&export(&setting, &id, &all).await) > received(&labs));
    let one = BulkOptions {
        patients: vec![setting.mock.accounts()[0].patient_ids[0].clone()],
        ..few()
    };
    let one = export(&setting, &id, &one).await;
    let of = |kind: &str| {
        let found = one
            .report
            .types
            .iter()
            .find(|one| one.resource_type == kind);
        found.map(|found| found.received)
    };
    assert_eq!(of("Patient"), Some(1));
    for bad in ["Observation?_sort=date", "nothing"] {
        let options = BulkOptions {
            type_filters: vec![bad.into()],
            ..BulkOptions::default()
        };
        let refused = setting.engine.bulk_start(&id, &options).await;
        assert_eq!(code(refused), "bulk.bad_request");
    }
}

#[tokio::test]
async fn f23_a_cancelled_export_is_deleted_at_the_server_and_stays_cancelled() {
    let (setting, id) = service().await;
    let job = setting.engine.bulk_start(&id, &few()).await.unwrap();
    let following = {
        let (engine, job) = (setting.engine.clone(), job.id.clone());
        tokio::spawn(async move { engine.bulk_resume(&job).await })
    };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let cancelled = setting.engine.bulk_cancel(&job.id).await.unwrap();
    assert_eq!(cancelled.state, BulkState::Cancelled);
    assert_eq!(code(following.await.unwrap()), "sync.cancelled");
    let deleted = asked(&setting, "DELETE", "/bulk/jobs/");
    assert_eq!((deleted.len(), deleted[0].status), (1, 202));
    let later = setting.engine.bulk_resume(&job.id).await.unwrap();
    assert_eq!(later.state, BulkState::Cancelled);
    assert!(!later.complete);
}

#[tokio::test]
async fn f23_with_its_connection_an_export_goes_at_the_server_too() {
    let (setting, id) = service().await;
    setting.engine.bulk_start(&id, &few()).await.unwrap();
    setting.engine.remove(&id).await.unwrap();
    assert_eq!(asked(&setting, "DELETE", "/bulk/jobs/").len(), 1);
    assert!(setting.engine.bulk_jobs(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn f26_a_patients_own_scopes_do_not_reach_an_export() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let refused = setting
        .engine
        .bulk_start(&id, &BulkOptions::default())
        .await;
    assert_eq!(code(refused), "sync.not_shared");
}

#[tokio::test]
async fn f1_a_provider_exports_the_chosen_patient_where_that_is_allowed() {
    let setting = setting().await;
    let provider = setting.mock.accounts().iter();
    let mut provider =
        provider.filter(|one| one.role == satchel_mock::population::AccountRole::Provider);
    let id = setting.connect(provider.next().unwrap()).await;
    let started = setting.engine.bulk_start(&id, &few()).await;
    let Ok(job) = started else {
        panic!("{started:?}");
    };
    let job = setting.engine.bulk_resume(&job.id).await.unwrap();
    assert!(job.complete, "{job:?}");
    let patients = job
        .report
        .types
        .iter()
        .find(|one| one.resource_type == "Patient");
    assert_eq!(patients.unwrap().received, 1);
}
