//! The whole matrix of faults: each alone at several moments, and each two of them.

use crate::faults::kinds::Case;
use crate::faults::play::Ended;
use crate::faults::{Stage, alone, pairs};
use crate::number;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
struct Figures {
    recovered: u64,
    reported: u64,
    wrong: u64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.recovered += other.recovered;
        self.reported += other.reported;
        self.wrong += other.wrong;
    }
}

/// Whether nothing was wrong. `ONLY=words` plays those cases whose names hold the words.
pub(crate) async fn play(seed: u64) -> bool {
    let only = std::env::var("ONLY").unwrap_or_default();
    let chosen = |cases: Vec<Case>| -> Vec<Case> {
        let wanted = |case: &Case| only.split(',').all(|words| case.name().contains(words));
        cases.into_iter().filter(wanted).collect()
    };
    let alone = chosen(alone());
    let pairs = chosen(pairs(&mut StdRng::seed_from_u64(seed)));
    println!(
        "{} runs with one fault, {} with two; seed {seed}",
        alone.len(),
        pairs.len()
    );
    let cases: Arc<Vec<Case>> = Arc::new(alone.iter().chain(&pairs).cloned().collect());
    let next = Arc::new(AtomicUsize::new(0));
    let players: Vec<_> = (0..number("PLAYERS", 4))
        .map(|_| tokio::spawn(play_all(Arc::clone(&cases), Arc::clone(&next))))
        .collect();
    let mut figures = Figures::default();
    for player in players {
        figures += player.await.expect("a player");
    }
    println!(
        "{}",
        json!({
            "bench": "torture-faults",
            "machine": {
                "os": std::env::consts::OS,
                "cores": std::thread::available_parallelism().map_or(0, usize::from),
            },
            "metrics": {
                "faults": alone.len(),
                "pairs": pairs.len(),
                "recovered": figures.recovered,
                "reported": figures.reported,
                "wrong": figures.wrong,
                "seed": seed,
            }
        })
    );
    figures.wrong == 0
}

/// Plays case after case at a server of its own. Most of a run is waiting, so several play at once.
async fn play_all(cases: Arc<Vec<Case>>, next: Arc<AtomicUsize>) -> Figures {
    let stage = Stage::new().await;
    let mut figures = Figures::default();
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let Some(case) = cases.get(number) else {
            return figures;
        };
        match stage.play(case).await {
            Ok(Ended::Recovered) => figures.recovered += 1,
            Ok(Ended::Reported) => figures.reported += 1,
            Err(reason) => {
                figures.wrong += 1;
                println!("run {number}: {}: {reason}", case.name());
            }
        }
        if (number + 1).is_multiple_of(100) {
            println!("{} of {} played", number + 1, cases.len());
        }
    }
}
