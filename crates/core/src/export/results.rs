//! Results as a table for a spreadsheet (RFC 4180), one row per result.

use super::{create, failed};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{ChartOf, RecordSummaryView, Section};
use satchel_store::RecordRow;
use std::path::Path;
use tokio::io::AsyncWriteExt;

/// Rows that are read at a time.
const ROWS: u64 = 1000;
const COLUMNS: [&str; 15] = [
    "Date",
    "Test",
    "Result",
    "Number",
    "Unit",
    "Reference range",
    "Flag",
    "Status",
    "No longer given since",
    "Performed by",
    "Source",
    "Code system",
    "Code",
    "Record type",
    "Record id",
];

impl Engine {
    /// Writes the laboratory results and vital signs of a chart, newest first; gives how many.
    pub(super) async fn write_results(&self, of: &ChartOf, path: &Path) -> Result<u64> {
        let names = self.server_names().await?;
        let mut file = create(path).await?;
        // Spreadsheets take a file without this mark for one of an old code page.
        file.write_all("\u{feff}".as_bytes())
            .await
            .map_err(failed)?;
        let head = table([COLUMNS.map(str::to_owned)])?;
        file.write_all(&head).await.map_err(failed)?;
        let mut written = 0;
        for section in [Section::Labs, Section::Vitals] {
            let mut offset = 0;
            loop {
                let rows = self.listed(of, section, (offset, ROWS), &names).await?;
                if rows.is_empty() {
                    break;
                }
                offset += rows.len() as u64;
                let rows = rows.into_iter().map(|listed| listed.row);
                let results: Vec<RecordRow> = rows.filter(is_result).collect();
                written += results.len() as u64;
                let lines = results.into_iter().map(|row| cells(row, &names));
                file.write_all(&table(lines)?).await.map_err(failed)?;
            }
        }
        file.flush().await.map_err(failed)?;
        Ok(written)
    }
}

/// Reports have no value of their own: their results are rows.
fn is_result(row: &RecordRow) -> bool {
    row.resource_type == "Observation" && row.malformed.is_none()
}

fn cells(row: RecordRow, names: &[(String, String)]) -> [String; COLUMNS.len()] {
    let code = row.code.clone().unwrap_or_default();
    let (system, code) = code.split_once('|').unwrap_or(("", code.as_str()));
    let number = exact(row.value_text.as_deref(), row.value_number);
    let (unit, flag) = (row.unit.clone(), row.flag.clone());
    let shown: RecordSummaryView = crate::chart::summary_view(row, names);
    let date = shown.date.map(|date| date.value);
    [
        text(date),
        text(Some(shown.title)),
        text(shown.value),
        number,
        text(unit),
        text(shown.range),
        text(flag.as_deref().map(in_words)),
        text(shown.status),
        text(shown.withdrawn_at),
        text(shown.performer),
        text(Some(shown.source)),
        text(Some(system.to_owned())),
        text(Some(code.to_owned())),
        text(Some(shown.key.resource_type)),
        text(Some(shown.key.id)),
    ]
}

/// The number to reckon with: "> 90" is none.
fn exact(shown: Option<&str>, number: Option<f64>) -> String {
    let is_bound = shown.is_some_and(|shown| shown.starts_with(['<', '>', '≤', '≥']));
    let number = number.filter(|_| !is_bound);
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// `criticalHigh` as "critical high".
fn in_words(flag: &str) -> String {
    let mut words = String::with_capacity(flag.len() + 1);
    for letter in flag.chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// What a server wrote must not be taken for a formula by the program that opens the file (OWASP, "CSV
/// Injection").
fn text(cell: Option<String>) -> String {
    let cell = cell.unwrap_or_default();
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{cell}");
    }
    cell
}

fn table(rows: impl IntoIterator<Item = [String; COLUMNS.len()]>) -> Result<Vec<u8>> {
    let broken = |error: &dyn std::fmt::Display| Problem::with_detail(ProblemCode::Internal, error);
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        table.write_record(&row).map_err(|error| broken(&error))?;
    }
    table.into_inner().map_err(|error| broken(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_text() {
        for formula in ["=HYPERLINK(\"//x\")", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(text(Some(formula.to_owned())), format!("'{formula}"));
        }
        assert_eq!(text(Some("140 mmol/L".to_owned())), "140 mmol/L");
        assert_eq!(text(None), "");
    }

    #[test]
    fn a_bound_is_no_number_to_reckon_with() {
        assert_eq!(exact(Some("> 90 mL/min"), Some(90.0)), "");
        assert_eq!(exact(Some("<0.1"), Some(0.1)), "");
        assert_eq!(exact(Some("-1.5 g/L"), Some(-1.5)), "-1.5");
        assert_eq!(exact(Some("Positive"), None), "");
    }

    #[test]
    fn flags_are_words() {
        assert_eq!(in_words("criticalHigh"), "critical high");
        assert_eq!(in_words("low"), "low");
    }
}
