//! Schedules: what was chosen and what was tried stand side by side, and go with their connection.

use crate::kit::Kit;
use satchel_store::ScheduleRow;

#[tokio::test]
async fn a_choice_and_attempts_do_not_disturb_each_other() {
    let kit = Kit::new().await;
    assert_eq!(kit.store.schedules_list().await.unwrap(), []);
    let tried = async |at: &str, failed: bool, wait: i64| {
        let noted = kit.store.schedule_attempted("ana", at, failed, wait).await;
        noted.unwrap();
        kit.store.schedules_list().await.unwrap().remove(0)
    };
    assert_eq!(tried("t1", true, 60).await.failures, 1);
    kit.store.schedule_choose("ana", "weekly").await.unwrap();
    let wanted = ScheduleRow {
        connection_id: "ana".into(),
        every: Some("weekly".into()),
        attempted_at: Some("t2".into()),
        failures: 2,
        asked_to_wait: 0,
    };
    assert_eq!(tried("t2", true, 0).await, wanted);
    let after = tried("t3", false, 0).await;
    assert_eq!(
        (after.failures, after.every.as_deref()),
        (0, Some("weekly"))
    );
    kit.store.connection_remove("ana").await.unwrap();
    assert_eq!(kit.store.schedules_list().await.unwrap(), []);
}
