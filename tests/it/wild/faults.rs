//! A part of the matrix of faults, the same each time.

use crate::faults::{Stage, alone, pairs};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use std::time::{Duration, Instant};

/// After this long no further run is begun.
const LONGEST: Duration = Duration::from_secs(60);

#[tokio::test]
async fn w88_whatever_goes_wrong_a_sync_never_says_complete_wrongly_and_the_next_one_heals() {
    let mut random = StdRng::seed_from_u64(5);
    let stage = Stage::new().await;
    let all = [alone(), pairs(&mut random)];
    let numbers = [12, 40];
    let begun = Instant::now();
    let mut played = 0;
    let mut wrong = Vec::new();
    for (cases, number) in all.iter().zip(numbers) {
        for case in cases.choose_multiple(&mut random, number) {
            if begun.elapsed() > LONGEST {
                break;
            }
            played += 1;
            if let Err(reason) = stage.play(case).await {
                wrong.push(format!("{}: {reason}", case.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(played >= 12, "a machine this slow tells nothing");
}
