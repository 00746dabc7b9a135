//! Prints the synthetic people of a mock server as NDJSON, one resource per line:
//! `cargo run -p satchel-mock --example population -- PEOPLE SEED`.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use satchel_mock::population::generate;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: u64| {
        let given = arguments.next();
        given.map_or(Some(otherwise), |text| text.parse().ok())
    };
    let (Some(people), Some(seed)) = (number(8), number(1)) else {
        eprintln!("usage: population [PEOPLE] [SEED]");
        std::process::exit(64);
    };
    let Ok(people) = usize::try_from(people) else {
        eprintln!("population: that many people do not fit");
        std::process::exit(64);
    };
    for one in &generate(people, seed).resources {
        println!("{}", one.json);
    }
}
