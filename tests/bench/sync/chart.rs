//! One person's chart of any size, as a folder for `satchel-mock --load`: a synthetic person, whose
//! observations are repeated under new ids until the size is reached.

use satchel_mock::population::{Generated, generate};
use std::io::{BufWriter, Write};
use tempfile::TempDir;

pub(crate) struct Chart {
    pub(crate) folder: TempDir,
    pub(crate) patient: String,
}

impl Chart {
    pub(crate) fn write(resources: usize) -> Self {
        let people = generate(1, 1);
        let patient = people.accounts[0].patient_ids[0].clone();
        let folder = TempDir::new().expect("a folder");
        let file = std::fs::File::create(folder.path().join("chart.ndjson")).expect("a file");
        let mut file = BufWriter::new(file);
        let own = people.resources.iter().filter(|one| one.patient.is_some());
        let missing = resources.saturating_sub(own.count());
        let observations: Vec<&Generated> = people
            .resources
            .iter()
            .filter(|one| one.resource_type == "Observation")
            .collect();
        for one in &people.resources {
            writeln!(file, "{}", one.json).expect("written");
        }
        for (number, one) in observations.iter().cycle().take(missing).enumerate() {
            let id = format!("\"id\":\"{}\"", one.id);
            assert!(
                one.json.contains(&id),
                "ids stand in the JSON without spaces"
            );
            let copy = one
                .json
                .replacen(&id, &format!("\"id\":\"{}-{number}\"", one.id), 1);
            writeln!(file, "{copy}").expect("written");
        }
        file.flush().expect("written");
        Self { folder, patient }
    }
}
