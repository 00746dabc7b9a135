//! Bulk exports that do not go smoothly, against the mock server's faults.

use crate::bulk::{asked, connect, export, few, received, service, stored, world};
use crate::world::{code, setting_in};
use satchel_core::BulkSince;
use satchel_core::view::BulkState;
use satchel_mock::{Endpoint, FaultKind, Quirks};

#[tokio::test]
async fn f10_a_transient_error_passes_and_one_for_good_ends_the_export() {
    let (setting, id) = service().await;
    setting
        .mock
        .fault(Endpoint::BulkStatus, FaultKind::TransientError, 1);
    assert!(export(&setting, &id, &few()).await.complete);
    setting
        .mock
        .fault(Endpoint::BulkStatus, FaultKind::FileGenerationFailed, 1);
    let mut again = few();
    again.since = BulkSince::Beginning;
    let failed = export(&setting, &id, &again).await;
    assert_eq!(failed.state, BulkState::Failed);
    let problem = failed.problem.unwrap();
    assert_eq!(problem.code, "bulk.failed");
    assert!(problem.detail.unwrap().contains("could not be made"));
    assert!(!failed.complete);
}

#[tokio::test]
async fn f8_a_storm_of_429_slows_down_and_ends_nothing() {
    let (setting, id) = service().await;
    assert!(setting.mock.plan_scenario("bulk-status-storm"));
    let begun = std::time::Instant::now();
    assert!(export(&setting, &id, &few()).await.complete);
    assert!(begun.elapsed().as_secs() >= 5, "each was waited for");
    let polls = asked(&setting, "GET", "/bulk/jobs/");
    assert_eq!(polls.iter().filter(|one| one.status == 429).count(), 5);
    assert_eq!(polls.len(), 7);
}

#[tokio::test]
async fn f6_f8_a_second_export_at_a_server_that_makes_one_at_a_time_is_for_later() {
    let mut world = world();
    world.quirks = Quirks::shipped().unwrap().remove("one-export").unwrap();
    let setting = setting_in(world).await;
    let id = connect(&setting).await;
    let first = setting.engine.bulk_start(&id, &few()).await.unwrap();
    assert_eq!(
        code(setting.engine.bulk_start(&id, &few()).await),
        "sync.server_busy"
    );
    assert!(
        setting
            .engine
            .bulk_resume(&first.id)
            .await
            .unwrap()
            .complete
    );
}

#[tokio::test]
async fn f17_a_file_that_is_gone_or_cut_off_is_asked_for_again_at_its_new_address() {
    for fault in [
        FaultKind::FileExpired,
        FaultKind::Disconnect,
        FaultKind::Truncated,
    ] {
        let (setting, id) = service().await;
        setting.mock.fault(Endpoint::BulkFile, fault.clone(), 1);
        let job = export(&setting, &id, &few()).await;
        assert!(job.complete, "{fault:?}: {job:?}");
        let polls = asked(&setting, "GET", "/bulk/jobs/");
        assert_eq!(polls.len(), 3, "{fault:?}: the manifest was read once more");
        assert_eq!(
            asked(&setting, "GET", "/bulk/files/").len(),
            4,
            "only that one again"
        );
        assert_eq!(
            stored(&setting, &id, None).await,
            received(&job),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn f17_f19_a_file_that_stays_away_makes_it_partial_and_the_next_one_starts_over() {
    let (setting, id) = service().await;
    setting
        .mock
        .fault(Endpoint::BulkFile, FaultKind::FileExpired, 4);
    let job = export(&setting, &id, &few()).await;
    assert_eq!(job.state, BulkState::Partial, "{job:?}");
    assert!(job.report.failed_files >= 1 && !job.complete);
    assert!(job.report.errors[0].reason.contains("no longer"), "{job:?}");
    let next = export(&setting, &id, &few()).await;
    assert!(next.complete && next.since.is_none());
}

#[tokio::test]
async fn f19_f20_what_the_server_could_not_make_is_told_and_is_no_success() {
    let (setting, id) = service().await;
    setting
        .mock
        .fault(Endpoint::BulkStatus, FaultKind::SomeFileGenerationFailed, 9);
    let job = export(&setting, &id, &few()).await;
    assert_eq!(job.state, BulkState::Partial);
    let outcome = &job.report.outcomes[0];
    assert_eq!(
        (outcome.severity.as_str(), outcome.code.as_str()),
        ("error", "exception")
    );
    assert!(outcome.text.contains("Patient"), "{outcome:?}");
    setting.mock.clear_faults();
    assert_eq!(export(&setting, &id, &few()).await.since, None);
}

#[tokio::test]
async fn f15_f16_files_that_trickle_or_say_another_type_are_read_all_the_same() {
    let (setting, id) = service().await;
    assert!(setting.mock.plan_scenario("bulk-file-of-another-type"));
    assert!(export(&setting, &id, &few()).await.complete);
    setting.mock.clear_faults();
    assert!(setting.mock.plan_scenario("bulk-file-trickles"));
    let mut again = few();
    again.since = BulkSince::Beginning;
    assert!(export(&setting, &id, &again).await.complete);
}

#[tokio::test]
async fn f7_what_is_not_supported_is_a_question_and_leniency_a_choice() {
    let (setting, id) = service().await;
    let mut options = few();
    options.elements = vec!["id".into()];
    let refused = setting.engine.bulk_start(&id, &options).await.unwrap_err();
    assert_eq!(refused.code.code(), "bulk.parameter_refused");
    assert!(refused.detail.unwrap().contains("_elements"));
    assert!(setting.engine.bulk_jobs(None).await.unwrap().is_empty());
    let mut without = options.clone();
    without.without = vec!["_elements".into()];
    assert!(export(&setting, &id, &without).await.complete);
    options.lenient = true;
    let lenient = export(&setting, &id, &options).await;
    assert!(lenient.complete, "{lenient:?}");
    let said = &lenient.report.outcomes[0];
    assert_eq!(said.severity, "information");
    assert!(said.text.contains("_elements"));
}
