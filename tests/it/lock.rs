//! The lock, over a real encrypted file and a real keychain: what is closed, what opens it again, and what is
//! left when the program is killed while a passphrase is set, changed or taken away.

use crate::crash::killed;
use crate::world::{Setting, TurnedClock, code, setting, setting_with_clock};
use rstest::rstest;
use satchel_core::view::{AccessAct, PrivacySettingsView, RecordFilter};
use satchel_core::{Engine, EngineOptions, Passphrase, ProblemCode};
use satchel_mock::{Endpoint, FaultKind, World};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const OLD: &str = "old words that nobody guesses";
pub(crate) const NEW: &str = "new words that nobody guesses";

pub(crate) fn words(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn options(setting: &Setting) -> EngineOptions {
    EngineOptions::new(setting.profile())
}

/// Sets a passphrase that is asked for at start.
async fn set(engine: &Engine, current: Option<&str>, new: &str) {
    let current = current.map(words);
    let new = words(new);
    let done = engine.passphrase_set(current.as_ref(), &new, true).await;
    done.unwrap();
}

async fn entry(setting: &Setting, name: &str) -> Option<Vec<u8>> {
    let held = setting.keychain().get(name).await.unwrap();
    held.map(|secret| secret.to_vec())
}

async fn connected() -> (Setting, String) {
    let setting = setting().await;
    let id = setting.connect(&setting.patient().clone()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    (setting, id)
}

/// What opens it: nothing but the keychain, the old words, the new ones.
async fn opens(setting: &Setting) -> (bool, bool, bool) {
    let mut opened = [false; 3];
    let plain = Engine::open(options(setting)).await;
    let ways = [
        plain,
        Engine::unlock(options(setting), &words(OLD)).await,
        Engine::unlock(options(setting), &words(NEW)).await,
    ];
    for (opened, way) in opened.iter_mut().zip(ways) {
        match way {
            Ok(engine) => {
                assert_eq!(engine.connections().await.unwrap().len(), 1);
                engine.close().await;
                *opened = true;
            }
            Err(problem) => assert!(
                matches!(
                    problem.code,
                    ProblemCode::Locked | ProblemCode::WrongPassphrase | ProblemCode::NoPassphrase
                ),
                "{problem:?}"
            ),
        }
    }
    (opened[0], opened[1], opened[2])
}

#[tokio::test]
async fn what_is_locked_answers_nothing_and_only_the_passphrase_opens_it_again() {
    let (setting, id) = connected().await;
    let engine = &setting.engine;
    let chart = engine.chart(&id).await.unwrap();
    assert_eq!(code(engine.lock().await), "lock.no_passphrase");
    let short = engine.passphrase_set(None, &words("secret7"), true).await;
    assert_eq!(code(short), "lock.passphrase_too_short");
    let key = entry(&setting, "database-key").await.unwrap();
    set(engine, None, OLD).await;
    assert_eq!(entry(&setting, "database-key").await, None);
    let sealed = entry(&setting, "database-key-sealed").await.unwrap();
    assert!(
        !sealed
            .windows(8)
            .any(|part| key.windows(8).any(|of_key| of_key == part))
    );
    assert_eq!(entry(&setting, "database-key-sealed-next").await, None);
    let standing = engine.lock_standing().await.unwrap();
    assert!(standing.passphrase && standing.at_start);
    assert!(
        engine.chart(&id).await.is_ok(),
        "it works on until it is locked"
    );

    engine.lock().await.unwrap();
    let everything = RecordFilter {
        connection_id: None,
        section: None,
        resource_type: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let refused = [
        code(engine.chart(&id).await),
        code(engine.connections().await),
        code(engine.records_list(&everything, 0, 10).await),
        code(engine.search("a", &Default::default(), 10).await),
        code(engine.sync(&id).await),
        code(engine.access_log(10).await),
        code(
            engine
                .export(None, satchel_core::ExportFormat::Ndjson, folder.path())
                .await,
        ),
        code(
            engine
                .privacy_settings_set(&PrivacySettingsView::default())
                .await,
        ),
        code(Engine::open(options(&setting)).await),
    ];
    assert_eq!(refused, ["app.locked"; 9]);
    let wrong = Engine::unlock(options(&setting), &words(NEW)).await;
    assert_eq!(code(wrong), "lock.wrong_passphrase");

    let again = Engine::unlock(options(&setting), &words(OLD))
        .await
        .unwrap();
    let shown = again.chart(&id).await.unwrap();
    assert_eq!(
        format!("{:?}", shown.patient),
        format!("{:?}", chart.patient)
    );
    let log = again.access_log(10).await.unwrap();
    let acts: Vec<AccessAct> = log.iter().map(|entry| entry.act).take(4).collect();
    use AccessAct as A;
    assert_eq!(
        acts,
        [A::Unlocked, A::UnlockFailed, A::Locked, A::LockChanged]
    );
    assert!(
        again.sync(&id).await.unwrap().complete,
        "its tokens are there"
    );
    again.close().await;
}

#[tokio::test]
async fn without_lock_at_start_the_keychain_opens_it_and_with_it_no_more() {
    let (setting, _) = connected().await;
    let engine = &setting.engine;
    engine
        .passphrase_set(None, &words(OLD), false)
        .await
        .unwrap();
    let standing = engine.lock_standing().await.unwrap();
    assert!(standing.passphrase && !standing.at_start);
    assert_eq!(opens(&setting).await, (true, true, false));
    let wrong = engine.lock_at_start(&words(NEW), true).await;
    assert_eq!(code(wrong), "lock.wrong_passphrase");
    assert_eq!(opens(&setting).await, (true, true, false));
    engine.lock_at_start(&words(OLD), true).await.unwrap();
    assert_eq!(opens(&setting).await, (false, true, false));
    engine.lock_at_start(&words(OLD), false).await.unwrap();
    assert_eq!(opens(&setting).await, (true, true, false));
}

#[tokio::test]
async fn a_passphrase_is_changed_and_taken_away_by_who_knows_it() {
    let (setting, _) = connected().await;
    let engine = &setting.engine;
    set(engine, None, OLD).await;
    let refused = [
        code(engine.passphrase_set(None, &words(NEW), true).await),
        code(
            engine
                .passphrase_set(Some(&words(NEW)), &words(NEW), true)
                .await,
        ),
        code(engine.passphrase_remove(&words(NEW)).await),
    ];
    assert_eq!(refused[..2], ["lock.wrong_passphrase"; 2]);
    assert_eq!(opens(&setting).await, (false, true, false));
    set(engine, Some(OLD), NEW).await;
    assert_eq!(opens(&setting).await, (false, false, true));
    engine.passphrase_remove(&words(NEW)).await.unwrap();
    assert_eq!(opens(&setting).await, (true, false, false));
    assert_eq!(entry(&setting, "database-key-sealed").await, None);
}

#[tokio::test]
async fn wrong_passphrases_wait_longer_and_longer_and_nothing_is_erased() {
    let (setting, clock) = setting_with_clock(World::default()).await;
    let engine = &setting.engine;
    set(engine, None, OLD).await;
    engine.lock().await.unwrap();
    let before = std::fs::read(setting.profile().join("satchel.db")).unwrap();
    let with = |clock: &Arc<TurnedClock>| {
        let mut options = options(&setting);
        options.clock = Arc::<TurnedClock>::clone(clock);
        options
    };
    for _ in 0..3 {
        let wrong = Engine::unlock(with(&clock), &words(NEW)).await;
        assert_eq!(code(wrong), "lock.wrong_passphrase");
    }
    let right = Engine::unlock(with(&clock), &words(OLD)).await;
    assert_eq!(code(right), "lock.wait", "not looked at");
    let standing = Engine::lock_standing_of(&with(&clock)).await.unwrap();
    assert!(standing.retry_at.is_some());
    clock.pass(6);
    let wrong = Engine::unlock(with(&clock), &words(NEW)).await;
    assert_eq!(code(wrong), "lock.wrong_passphrase");
    clock.pass(6);
    let waits = Engine::unlock(with(&clock), &words(OLD)).await;
    assert_eq!(code(waits), "lock.wait", "ten seconds by now");
    assert_eq!(
        before,
        std::fs::read(setting.profile().join("satchel.db")).unwrap()
    );
    clock.pass(6);
    let opened = Engine::unlock(with(&clock), &words(OLD)).await.unwrap();
    let log = opened.access_log(20).await.unwrap();
    let failed = log.iter().filter(|one| one.act == AccessAct::UnlockFailed);
    assert_eq!(failed.count(), 4);
    opened.lock().await.unwrap();
    let first = Engine::unlock(with(&clock), &words(NEW)).await;
    assert_eq!(code(first), "lock.wrong_passphrase", "the count began anew");
}

#[tokio::test]
async fn a_sync_that_is_locked_away_goes_on_after_the_unlock_and_loses_nothing() {
    let setting = setting().await;
    let id = setting.connect(&setting.patient().clone()).await;
    let engine = setting.engine.clone();
    set(&engine, None, OLD).await;
    setting
        .mock
        .fault(Endpoint::Fhir, FaultKind::Delay { ms: 200 }, 1000);
    let syncing = tokio::spawn({
        let (engine, id) = (engine.clone(), id.clone());
        async move { engine.sync(&id).await }
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    engine.lock().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), syncing).await;
    assert!(
        !ended
            .expect("it ends")
            .unwrap()
            .is_ok_and(|report| report.complete)
    );
    setting.mock.clear_faults();
    let again = Engine::unlock(options(&setting), &words(OLD))
        .await
        .unwrap();
    assert!(again.sync(&id).await.unwrap().complete);
    assert!(again.connection(&id).await.unwrap().record_count > 100);
    again.close().await;
}

/// Killed after each write to the keychain; what opens it then, in the order of [`opens`].
#[rstest]
#[case::set_first("set", "lock.next_kept", (true, false, false))]
#[case::set_second("set", "lock.sealed_kept", (true, false, true))]
#[case::set_third("set", "lock.next_gone", (true, false, true))]
#[case::set_last("set", "lock.plain_gone", (false, false, true))]
#[case::change_first("change", "lock.next_kept", (false, true, false))]
#[case::change_second("change", "lock.sealed_kept", (false, false, true))]
#[case::change_third("change", "lock.next_gone", (false, false, true))]
#[case::remove_first("remove", "lock.plain_kept", (true, true, false))]
#[case::remove_second("remove", "lock.sealed_gone", (true, false, false))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_write_the_old_way_opens_it_or_the_new_one(
    #[case] act: &'static str,
    #[case] step: &'static str,
    #[case] opened: (bool, bool, bool),
) {
    let setting = setting().await;
    setting.connect(&setting.patient().clone()).await;
    if act != "set" {
        set(&setting.engine, None, OLD).await;
    }
    setting.engine.close().await;
    killed(&setting, step, 1, Some(act)).await;
    assert_eq!(opens(&setting).await, opened);
    // And it stays so: whichever opened it has put the other one away.
    assert_eq!(opens(&setting).await, opened);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_cut_off_is_also_finished_by_who_uses_the_new_words_first() {
    let setting = setting().await;
    setting.connect(&setting.patient().clone()).await;
    set(&setting.engine, None, OLD).await;
    setting.engine.close().await;
    killed(&setting, "lock.next_kept", 1, Some("change")).await;
    let new = Engine::unlock(options(&setting), &words(NEW)).await;
    new.unwrap().close().await;
    assert_eq!(opens(&setting).await, (false, false, true));
}

#[tokio::test]
async fn who_forgot_the_passphrase_erases_and_begins_anew() {
    let (setting, _) = connected().await;
    set(&setting.engine, None, OLD).await;
    setting.engine.lock().await.unwrap();
    std::fs::write(setting.profile().join("notes.txt"), "mine").unwrap();
    let wrong = Engine::erase(options(&setting), Some(&words(NEW))).await;
    assert_eq!(code(wrong), "lock.wrong_passphrase");
    let report = Engine::erase(options(&setting), None).await.unwrap();
    assert!(report.unread);
    for name in [
        "database-key",
        "database-key-sealed",
        "database-key-sealed-next",
    ] {
        assert_eq!(entry(&setting, name).await, None, "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(setting.profile())
        .unwrap()
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["notes.txt"]);
    let anew = Engine::open(options(&setting)).await.unwrap();
    assert!(anew.connections().await.unwrap().is_empty());
    anew.close().await;
}

#[tokio::test]
async fn a_sealed_key_that_was_damaged_says_so_and_nothing_is_erased() {
    let (setting, _) = connected().await;
    set(&setting.engine, None, OLD).await;
    setting.engine.lock().await.unwrap();
    let keychain = setting.keychain();
    let sealed = entry(&setting, "database-key-sealed").await.unwrap();
    let half = zeroize::Zeroizing::new(sealed[..100].to_vec());
    keychain.set("database-key-sealed", half).await.unwrap();
    let damaged = Engine::unlock(options(&setting), &words(OLD)).await;
    assert_eq!(code(damaged), "lock.seal_broken");
    let whole = zeroize::Zeroizing::new(sealed);
    keychain.set("database-key-sealed", whole).await.unwrap();
    assert_eq!(opens(&setting).await, (false, true, false));
}

/// Looks through this process's own memory, as a program that may do so would.
#[cfg(target_os = "linux")]
mod memory {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    /// Where in memory `hidden` stands, each byte of it turned round so that this does not find itself.
    pub(super) fn find(hidden: &[u8]) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut found = 0;
        let mut buffer = vec![0_u8; 1 << 20];
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
            let (mut at, to) = (number(from), number(to));
            while at < to {
                let size = usize::try_from((to - at).min(1 << 20)).unwrap();
                let Ok(read) = memory.read_at(&mut buffer[..size], at) else {
                    break;
                };
                let here = buffer[..read]
                    .windows(hidden.len())
                    .filter(|part| part.iter().zip(hidden).all(|(one, other)| *one == !*other));
                found += here.count();
                // Not left where the next look would find it.
                buffer.fill(0);
                at += u64::try_from(read.max(1)).unwrap();
            }
        }
        found
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn neither_the_key_nor_its_text_is_in_memory_once_it_is_locked() {
    let (setting, id) = connected().await;
    let turned = |bytes: &[u8]| bytes.iter().map(|byte| !byte).collect::<Vec<u8>>();
    let (raw, text) = {
        let key = setting
            .keychain()
            .get("database-key")
            .await
            .unwrap()
            .unwrap();
        let hex = |byte: &u8| format!("{byte:02x}").into_bytes();
        let text = zeroize::Zeroizing::new(key.iter().flat_map(hex).collect::<Vec<u8>>());
        (turned(&key), turned(&text))
    };
    assert!(setting.engine.chart(&id).await.is_ok());
    assert!(memory::find(&raw) > 0, "it is found while it is there");
    set(&setting.engine, None, OLD).await;
    setting.engine.lock().await.unwrap();
    assert_eq!((memory::find(&raw), memory::find(&text)), (0, 0));
    // The first engine is still held, as by a window that has not heard of it; another one comes and goes.
    let again = Engine::unlock(options(&setting), &words(OLD))
        .await
        .unwrap();
    assert!(again.chart(&id).await.is_ok() && memory::find(&raw) > 0);
    again.lock().await.unwrap();
    assert_eq!((memory::find(&raw), memory::find(&text)), (0, 0));
}
