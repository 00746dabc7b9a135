//! The access log as people read it.

use super::ProblemView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A kind of act in the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum AccessAct {
    /// This installation was registered at a server.
    Registered,
    /// A person signed in, or a service got its access.
    SignedIn,
    /// The access was renewed without the person.
    Renewed,
    /// The server was asked whether access is still on.
    Checked,
    /// Records were received.
    Synced,
    /// Records were read from files.
    Imported,
    /// Records were written to files.
    Exported,
    /// Records were printed, or saved as PDF from the print dialog.
    Printed,
    /// The key with which this installation proves itself was exchanged.
    KeyExchanged,
    /// The access was ended at the server.
    Revoked,
    /// The connection was removed from this computer, with its records.
    Removed,
    /// Satchel was locked.
    Locked,
    /// It was unlocked with the passphrase.
    Unlocked,
    /// A wrong passphrase was given.
    UnlockFailed,
    /// The passphrase, or when it is asked for, was changed.
    LockChanged,
    /// An act of a newer version.
    #[serde(other)]
    Other,
}

impl AccessAct {
    /// It was done on this computer, and no server had to do with it.
    #[must_use]
    pub fn is_local(self) -> bool {
        use AccessAct as A;
        matches!(
            self,
            A::Locked | A::Unlocked | A::UnlockFailed | A::LockChanged
        )
    }
}

/// An entry of the access log. It holds no value of a record and no name of a person.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccessLogView {
    /// When, RFC 3339.
    pub at: String,
    /// Which server, as it was named then; none when it was all of them.
    pub server_name: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// What was done.
    pub act: AccessAct,
    /// The same in plain words.
    pub title: String,
    /// FHIR types of the records.
    pub resource_types: Vec<String>,
    /// How many records were received, written or removed.
    #[ts(type = "number")]
    pub records: u64,
    /// It went well, and wholly.
    pub complete: bool,
    /// The problem, when it did not go well.
    pub problem: Option<ProblemView>,
}
