//! OperationOutcome: what a server says about a request (FHIR R4, OperationOutcome).

use crate::text::{DESCRIPTION, plain};
use serde_json::Value;

/// An OperationOutcome, read with tolerance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationOutcome {
    /// Its issues, in order.
    pub issues: Vec<OutcomeIssue>,
}

/// One issue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeIssue {
    /// `fatal`, `error`, `warning` or `information`.
    pub severity: String,
    /// The issue type, such as `forbidden`.
    pub code: String,
    /// `details.text`, or a coding's display, or `diagnostics`: plain text, at most 500 characters.
    pub text: Option<String>,
}

impl OperationOutcome {
    /// Reads an OperationOutcome; `None` when it is something else.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        Self::from_value(&value)
    }

    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        if value.get("resourceType")? != "OperationOutcome" {
            return None;
        }
        let issues = value.get("issue").and_then(Value::as_array);
        Some(Self {
            issues: issues
                .into_iter()
                .flatten()
                .map(OutcomeIssue::read)
                .collect(),
        })
    }

    /// Whether any issue is an error or worse.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.issues
            .iter()
            .any(|issue| issue.severity == "error" || issue.severity == "fatal")
    }

    /// All issues in one line, for a report.
    #[must_use]
    pub fn text(&self) -> String {
        let words = |issue: &OutcomeIssue| match &issue.text {
            Some(text) => format!("{} {}: {text}", issue.severity, issue.code),
            None => format!("{} {}", issue.severity, issue.code),
        };
        self.issues.iter().map(words).collect::<Vec<_>>().join("; ")
    }
}

impl OutcomeIssue {
    fn read(value: &Value) -> Self {
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
        };
        let short = |pointer: &str| text(pointer).map(|t| plain(t, 100)).unwrap_or_default();
        Self {
            severity: short("/severity"),
            code: short("/code"),
            text: text("/details/text")
                .or_else(|| text("/details/coding/0/display"))
                .or_else(|| text("/diagnostics"))
                .map(|t| plain(t, DESCRIPTION)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_servers_put_them() {
        let outcome = OperationOutcome::parse(
            r#"{"resourceType":"OperationOutcome","issue":[
                {"severity":"error","code":"invalid","details":{"text":"Bad\nword"}},
                {"severity":"warning","code":"informational","diagnostics":"Unknown parameter"},
                {"severity":"fatal","code":"exception"}, 7]}"#,
        )
        .unwrap();
        assert!(outcome.is_error());
        assert_eq!(
            outcome.text(),
            "error invalid: Bad word; warning informational: Unknown parameter; fatal exception;  "
        );
        assert_eq!(
            OperationOutcome::parse(r#"{"resourceType":"Bundle"}"#),
            None
        );
        assert_eq!(OperationOutcome::parse("<html>"), None);
    }
}
