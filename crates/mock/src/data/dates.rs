//! FHIR's partial dates as spans of milliseconds, and how a search compares them (FHIR R4, search.html#date).

use jiff::civil::Date;
use jiff::{Span, Timestamp};

/// From the first millisecond to the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// Reads `2020`, `2020-03`, `2020-03-01` or an instant; dates without a time zone count as UTC.
pub(crate) fn range(text: &str) -> Option<Range> {
    if let Some((_, time)) = text.split_once('T') {
        return instant(text, time);
    }
    let (first, length) = match text.len() {
        4 => (format!("{text}-01-01"), Span::new().years(1)),
        7 => (format!("{text}-01"), Span::new().months(1)),
        10 => (text.to_owned(), Span::new().days(1)),
        _ => return None,
    };
    let first: Date = first.parse().ok()?;
    Some(Range {
        start: midnight(first)?,
        end: midnight(first.checked_add(length).ok()?)?,
    })
}

fn instant(text: &str, time: &str) -> Option<Range> {
    let zoned = time.ends_with('Z') || time.contains(['+', '-']);
    let start = if zoned {
        text.parse::<Timestamp>().ok()?
    } else {
        format!("{text}Z").parse::<Timestamp>().ok()?
    }
    .as_millisecond();
    let clock = time.split(['Z', '+', '-']).next().unwrap_or_default();
    let length = match (clock.len(), clock.contains('.')) {
        (_, true) => 1,
        (5, _) => 60_000,
        _ => 1_000,
    };
    Some(Range {
        start,
        end: start + length,
    })
}

fn midnight(date: Date) -> Option<i64> {
    let zoned = date.in_tz("UTC").ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// One condition such as `ge2020-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    prefix: Prefix,
    range: Range,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    After,
    Before,
}

impl Condition {
    /// Reads the value of a date parameter; `None` when it is no date.
    pub(crate) fn parse(text: &str) -> Option<Condition> {
        let known = [
            ("eq", Prefix::Equal),
            ("ne", Prefix::NotEqual),
            ("gt", Prefix::Greater),
            ("ge", Prefix::GreaterOrEqual),
            ("lt", Prefix::Less),
            ("le", Prefix::LessOrEqual),
            ("sa", Prefix::After),
            ("eb", Prefix::Before),
        ];
        let prefixed = known
            .iter()
            .find_map(|(name, prefix)| Some((*prefix, text.strip_prefix(name)?)));
        let (prefix, date) = prefixed.unwrap_or((Prefix::Equal, text));
        Some(Condition {
            prefix,
            range: range(date)?,
        })
    }

    /// Whether a resource dated `value` fulfils the condition.
    pub(crate) fn holds(self, value: Range) -> bool {
        let asked = self.range;
        let within = asked.start <= value.start && value.end <= asked.end;
        match self.prefix {
            Prefix::Equal => within,
            Prefix::NotEqual => !within,
            Prefix::Greater => value.end > asked.end,
            Prefix::GreaterOrEqual => within || value.end > asked.end,
            Prefix::Less => value.start < asked.start,
            Prefix::LessOrEqual => within || value.start < asked.start,
            Prefix::After => value.start >= asked.end,
            Prefix::Before => value.end <= asked.start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2020", "2020-05-17", true)]
    #[case("2020-05", "2020-05-31T23:59:59Z", true)]
    #[case("2020-05", "2020-05-31T23:59:59-02:00", false)]
    #[case("ge2020-05-17", "2020-05-17T00:00:00Z", true)]
    #[case("gt2020-05-17", "2020-05-17T23:59:59Z", false)]
    #[case("gt2020-05-17", "2020-05-18", true)]
    #[case("le2020-05-17", "2020-05-17T23:59:59Z", true)]
    #[case("lt2020-05-17", "2020-05-17", false)]
    #[case("lt2020-05-17", "2020-05-16", true)]
    #[case("ge2020-06", "2020", true)]
    #[case("ne2020", "2021-01-01", true)]
    #[case("gt2020-05-17T10:00:00.500Z", "2020-05-17T10:00:00.500Z", false)]
    #[case("gt2020-05-17T10:00:00.500Z", "2020-05-17T10:00:00.501Z", true)]
    fn dates_compare_as_spans(#[case] condition: &str, #[case] value: &str, #[case] holds: bool) {
        let condition = Condition::parse(condition).unwrap();
        assert_eq!(condition.holds(range(value).unwrap()), holds);
    }

    #[rstest]
    #[case("")]
    #[case("yesterday")]
    #[case("2020-13")]
    #[case("20-1-1")]
    #[case("ge")]
    fn nonsense_is_no_date(#[case] text: &str) {
        assert_eq!(Condition::parse(text), None);
    }
}
