//! Dates at the precision given. Unknown stays unknown.

use jiff::civil::Date;
use serde_json::Value;

/// How precise a FHIR date is (FHIR R4, datatypes, `dateTime`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `2019`
    Year,
    /// `2019-04`
    Month,
    /// `2019-04-02`
    Day,
    /// `2019-04-02T10:00:00+02:00`
    Instant,
}

impl Precision {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Instant => "instant",
        }
    }
}

/// A date or the period of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDate {
    /// As received.
    pub start: String,
    /// As received.
    pub end: Option<String>,
    /// Milliseconds since 1970-01-01T00:00Z; for sorting only. Absent when the text is no date.
    pub sort_ms: Option<i64>,
    /// Precision of `start`.
    pub precision: Precision,
}

impl RecordDate {
    /// From the text of a `date`, `dateTime` or `instant`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let (sort_ms, precision) = sort_of(text);
        Some(Self {
            start: text.to_owned(),
            end: None,
            sort_ms,
            precision,
        })
    }

    /// From a `Period`; one with only an end sorts by it.
    #[must_use]
    pub fn of_period(period: &Value) -> Option<Self> {
        let member = |name: &str| super::read::string(period, name);
        match (member("start"), member("end")) {
            (Some(start), end) => Self::parse(start).map(|date| Self {
                end: end.map(str::to_owned),
                ..date
            }),
            (None, Some(end)) => Self::parse(end),
            (None, None) => None,
        }
    }
}

fn sort_of(text: &str) -> (Option<i64>, Precision) {
    let day = |text: &str| -> Option<i64> {
        let date: Date = text.parse().ok()?;
        Some(date.in_tz("UTC").ok()?.timestamp().as_millisecond())
    };
    match text.len() {
        4 => (day(&format!("{text}-01-01")), Precision::Year),
        7 => (day(&format!("{text}-01")), Precision::Month),
        10 => (day(text), Precision::Day),
        _ => {
            let instant = text
                .parse::<jiff::Timestamp>()
                .ok()
                .map(jiff::Timestamp::as_millisecond)
                // Without an offset: not allowed, but seen; sorted as if it were UTC.
                .or_else(|| {
                    let civil: jiff::civil::DateTime = text.parse().ok()?;
                    Some(civil.in_tz("UTC").ok()?.timestamp().as_millisecond())
                });
            (instant, Precision::Instant)
        }
    }
}

/// The first of these members that holds a date or a period.
pub(crate) fn first_of(value: &Value, members: &[&str]) -> Option<RecordDate> {
    members.iter().find_map(|name| match value.get(*name)? {
        Value::String(text) => RecordDate::parse(text),
        period @ Value::Object(_) => RecordDate::of_period(period),
        _ => None,
    })
}
