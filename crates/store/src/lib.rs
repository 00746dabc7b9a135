//! One encrypted SQLite file (SQLCipher): connections, tokens, pending logins, records, search.
//!
//! The story: [`Store::open`] makes or opens the file with the key from the keychain and migrates it.
//! A login leaves a [`PendingRow`], which [`Store::pending_take`] gives out exactly once; its tokens
//! commit together with the connection's state in [`Store::connection_connected`]. A sync stores page
//! by page ([`Page`]) with [`Store::save_page`]: records, their index, their search text and the cursor in one
//! transaction. [`Store::records_list`], [`Store::record_get`] and [`Store::search`] read.
//!
//! What is absent here: HTTP, FHIR. Rows come ready-made, and the JSON is bytes to keep.

mod access_log;
mod attachments;
mod bound;
mod bulk;
mod connections;
mod directories;
mod error;
mod facts;
mod history;
mod marks;
mod measurements;
mod names;
mod open;
mod pack;
mod page;
mod pending;
mod people;
mod provenance;
mod read;
mod registrations;
mod rows;
mod schedules;
mod search;
mod settings;
mod side_by_side;
mod sync;
mod timeline;
mod write;

pub use access_log::AccessLogRow;
pub use attachments::{AttachmentIn, DocumentIn, MissingRow};
pub use bulk::{BulkFileRow, BulkJobRow};
pub use directories::{BrandIn, BrandRow, DirectoryRow, LogoRow, OriginsRow};
pub use error::StoreError;
pub use facts::{FactIn, FactRow, Identity, UnreadFactRow};
pub use marks::SyncMarkRow;
pub use open::{DatabaseKey, Store};
pub use page::{Meeting, Page};
pub use people::PersonRow;
pub use provenance::ToReadRow;
pub use rows::{
    ClientRow, ConnectionRow, IndexIn, InstallationRow, LooseRegistrationRow, PendingRow,
    RecordFilter, RecordIn, RecordRow, RecordVersionRow, RecordsPage, SavedPage, SavedType,
    SearchHit, SyncStepRow, TokenRow,
};
pub use schedules::ScheduleRow;
pub use side_by_side::{GroupRow, GroupsPage};
pub use timeline::{TimelineFilter, YearRow};
