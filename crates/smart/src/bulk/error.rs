//! Why an export gave nothing. No address of an export or file is in any of these.

use crate::fhir::outcome::OperationOutcome;
use crate::http::HttpError;
use std::time::Duration;

/// A step of an export that went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// 401.
    #[error("the server does not accept the access token")]
    Unauthorized,
    /// 403.
    #[error("the server refuses this export")]
    Forbidden {
        /// What it says about it.
        outcome: Option<OperationOutcome>,
    },
    /// 404, 405 or 501 for the kick-off.
    #[error("the server has no such export")]
    NotOffered,
    /// The kick-off was refused, and it had parameters that may be why (checklist F7).
    #[error("the server does not support {}{}", parameters.join(", "), said(outcome.as_ref()))]
    ParameterRefused {
        /// Those that the server names, or all, when it names none.
        parameters: Vec<String>,
        /// What it says.
        outcome: Option<OperationOutcome>,
    },
    /// Any other refusal of the kick-off.
    #[error("the server answered {status}{}", said(outcome.as_ref()))]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        outcome: Option<OperationOutcome>,
    },
    /// 429, or 503 with a time to wait.
    #[error("the server is busy with another export")]
    Busy {
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The kick-off went well, but nobody says where its state can be asked for.
    #[error("the server did not say where the export can be followed")]
    NoStatusUrl,
    /// The export failed for good (checklist F10).
    #[error("the export failed at the server with {status}{}", said(outcome.as_ref()))]
    Failed {
        /// HTTP status.
        status: u16,
        /// What it says.
        outcome: Option<OperationOutcome>,
    },
    /// 404 or 410: the export, or one of its files, is no longer there.
    #[error("this is no longer at the server")]
    Gone,
    /// The manifest cannot be used.
    #[error("the list of the export's files cannot be used: {0}")]
    BadManifest(&'static str),
    /// A file ends too early.
    #[error("a file was cut short")]
    Truncated,
    /// What came is not NDJSON.
    #[error("a file is not NDJSON")]
    NotNdjson,
    /// Compressed in another way than was asked for.
    #[error("a file is encoded in a way that was not asked for")]
    UnknownEncoding,
    /// It grows without measure when it is decompressed (checklist F15).
    #[error("a file is compressed beyond all measure")]
    TooLarge,
    /// A file was refused with a status that has no meaning here.
    #[error("the server answered {status} for a file{}", said(outcome.as_ref()))]
    FileRefused {
        /// HTTP status.
        status: u16,
        /// What it says.
        outcome: Option<OperationOutcome>,
    },
    /// The network; of addresses only the origin is told.
    #[error(transparent)]
    Http(HttpError),
}

impl From<HttpError> for BulkError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Interrupted { .. } => Self::Truncated,
            other => Self::Http(other.with_origin_only()),
        }
    }
}

fn said(outcome: Option<&OperationOutcome>) -> String {
    outcome
        .map(|outcome| format!(": {}", outcome.text()))
        .unwrap_or_default()
}
