//! The words that the command line takes.

use crate::bulk::{BulkCommand, Import};
use crate::passphrase::PassphraseCommand;
use crate::people::PeopleCommand;
use crate::registration::Agreed;
use crate::schedule::Schedule;
use crate::servers::ServersCommand;
use clap::{Parser, Subcommand, ValueEnum};
use satchel_core::view::Role;
use satchel_core::{ExportFormat, RedirectKind};
use std::ffi::OsString;
use std::path::PathBuf;

/// Health records on your own computer: connect to a SMART on FHIR server, pull the chart, read it
/// offline.
///
/// Exit codes: 0 for success, 2 for a wrong command line, 10 to 125 for a problem, one each: see
/// `satchel problems`.
#[derive(Debug, Parser)]
#[command(name = "satchel", version)]
pub(crate) struct Arguments {
    /// Folder of the database; keychain entries are named after it
    #[arg(long, global = true, value_name = "DIR", env = "SATCHEL_PROFILE")]
    pub(crate) profile: Option<PathBuf>,
    /// One JSON value on standard output; progress goes to standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// A certificate authority (PEM or DER) to trust besides the system's
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SATCHEL_TRUST_CERTIFICATE"
    )]
    pub(crate) trust_certificate: Option<PathBuf>,
    /// Who this app is to servers: JSON in the words of RFC 7591 (client_name, contacts, ...), in place of
    /// Satchel's own
    #[arg(long, global = true, value_name = "FILE", env = "SATCHEL_IDENTITY")]
    pub(crate) identity: Option<PathBuf>,
    /// Read the passphrase of a locked profile from the first line of standard input
    #[arg(long, global = true)]
    pub(crate) passphrase_stdin: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register with a server, sign in through the browser, and pull the chart
    Connect {
        /// FHIR base URL
        fhir_base: String,
        /// Who signs in
        #[arg(long, value_enum, default_value = "patient")]
        role: RoleArgument,
        /// How the browser comes back
        #[arg(long, value_enum, default_value = "loopback")]
        redirect: RedirectArgument,
        /// How much to ask for: a name that `satchel scopes` lists
        #[arg(long, value_name = "CHOICE")]
        scopes: Option<String>,
        /// Only print the address; somebody else opens it
        #[arg(long)]
        no_browser: bool,
        /// Sign in only, pull nothing yet
        #[arg(long)]
        no_sync: bool,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Take the link by which a portal opens Satchel, sign in through the browser, and pull the chart
    Launch {
        /// The link, as in org.satchel.app:/launch?iss=…&launch=…; "-" reads it from standard input
        link: String,
        /// The server was looked at and is the right one: do not ask
        #[arg(long)]
        yes: bool,
        /// Only print the address; somebody else opens it
        #[arg(long)]
        no_browser: bool,
        /// Sign in only, pull nothing yet
        #[arg(long)]
        no_sync: bool,
    },
    /// List how much can be asked of a server, with the exact scopes
    Scopes {
        /// FHIR base URL
        fhir_base: String,
        /// Who signs in
        #[arg(long, value_enum, default_value = "patient")]
        role: RoleArgument,
    },
    /// Ask a server whether access is still on
    Access {
        /// Identifier of a connection; its beginning is enough
        connection: String,
    },
    /// Show, set or remove the passphrase that locks this profile
    Passphrase {
        #[command(subcommand)]
        command: Option<PassphraseCommand>,
    },
    /// End a login begun with --redirect scheme or https: reads the callback URL from standard input
    Callback,
    /// List the connections
    Connections,
    /// Pull what is new, of one connection or of all
    Sync {
        /// Identifier of a connection; its beginning is enough
        #[arg(conflicts_with = "due")]
        connection: Option<String>,
        /// Only what is due by its schedule, for a timer; says what it did
        #[arg(long)]
        due: bool,
    },
    /// Show or set when sources are synced by themselves
    Schedule(Schedule),
    /// Show what the last sync changed: new records, changed ones member by member, those no longer given
    Changes {
        /// Identifier of a connection; its beginning is enough
        connection: String,
    },
    /// Have a server make an export of many people's records (Bulk Data), and fetch it
    Bulk {
        #[command(subcommand)]
        command: BulkCommand,
    },
    /// Read records from files with one FHIR resource in each line (NDJSON)
    Import(Import),
    /// List stored records
    List(ListArguments),
    /// Show one record
    Show {
        /// TYPE/ID
        record: String,
        /// Of this connection, where several have such a record
        #[arg(long)]
        connection: Option<String>,
    },
    /// Show the contents of a document: its text, or why it is not here
    Document {
        /// TYPE/ID
        record: String,
        /// Fetch what is not here, also what is larger than a sync fetches
        #[arg(long)]
        fetch: bool,
    },
    /// Show or set how large a document may be for a sync to fetch it
    DocumentLimit {
        /// Megabytes
        megabytes: Option<u64>,
    },
    /// People whose records come from several connections, and connections that may be of one person
    People {
        #[command(subcommand)]
        command: Option<PeopleCommand>,
    },
    /// This record and those of other sources that are shown as one with it are not the same
    Apart(RecordArgument),
    /// What was taken apart from this record may be shown as one with it again
    Together(RecordArgument),
    /// Search the records
    Search {
        /// Words; each must begin a word of the record or of its documents
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Write the records to files; several connections get a folder each
    Export {
        /// Shape of the files
        #[arg(long, value_enum, default_value = "ndjson")]
        format: FormatArgument,
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Only of this connection
        #[arg(long)]
        connection: Option<String>,
    },
    /// Show what the server holds about this app: its registration, asked anew where the server allows it
    Registration {
        /// Identifier of a connection; its beginning is enough
        connection: String,
    },
    /// This installation's keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Remove a connection: revoke its access, delete its keys and its records
    Remove {
        /// Identifier of a connection; its beginning is enough
        connection: String,
        /// Sign out at the portal too, in the browser, where the portal offers that
        #[arg(long)]
        sign_out: bool,
    },
    /// Show what was done with the records: when, at which server, which types, how many
    Log {
        /// How many entries at most, the newest first
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Erase everything: end each access, delete the keys, then the database. Close the app before
    Erase {
        /// Yes, all of it
        #[arg(long, required = true)]
        yes: bool,
    },
    /// Look patients up, on a provider's connection; nothing is stored
    Patients(PatientsArguments),
    /// Find servers: import lists of them, and search
    Servers {
        #[command(subcommand)]
        command: ServersCommand,
    },
    /// For testers: any other command, with every request and check that it makes on the way
    ///
    /// Steps go to standard error, the command's own answer to standard output. Secrets and what may
    /// tell of a person are replaced by names that are equal for equal values.
    Trace {
        /// Write an HTTP Archive (HAR 1.2) too, without secrets
        #[arg(long, value_name = "FILE")]
        har: Option<PathBuf>,
        /// The command and its options, such as `connect FHIR_BASE`
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        command: Vec<OsString>,
    },
    /// List every problem with its code, its exit code and its words
    Problems,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArguments {
    /// Only this FHIR type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) resource_type: Option<String>,
    /// Only of this connection
    #[arg(long)]
    pub(crate) connection: Option<String>,
    /// Of this person, over all their sources: the same fact from several is one line
    #[arg(long, conflicts_with = "connection")]
    pub(crate) person: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecordArgument {
    /// TYPE/ID
    record: String,
    /// Of this connection, where several have such a record
    #[arg(long)]
    connection: Option<String>,
}

impl RecordArgument {
    pub(crate) fn named(&self) -> (&str, Option<&str>) {
        (&self.record, self.connection.as_deref())
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct PatientsArguments {
    /// Identifier of a connection; its beginning is enough
    pub(crate) connection: String,
    /// Logical ids at the server; each is asked for by itself
    #[arg(long, value_name = "ID")]
    pub(crate) id: Vec<String>,
    /// Identifiers, such as a record number: SYSTEM|VALUE, or VALUE
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) identifier: Vec<String>,
    /// The beginning of the names
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Birth date beside the name
    #[arg(long, value_name = "YYYY-MM-DD", requires = "name")]
    pub(crate) birthdate: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print the public keys of this profile as a JWK Set, for an organisation to host at its jwks_uri
    Public,
    /// Exchange the key with which this installation proves itself to a server
    Rotate {
        /// Identifier of a connection; its beginning is enough
        connection: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleArgument {
    Patient,
    Provider,
    Backend,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Patient => Self::Patient,
            RoleArgument::Provider => Self::Provider,
            RoleArgument::Backend => Self::Backend,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RedirectArgument {
    Loopback,
    Scheme,
    Https,
}

impl From<RedirectArgument> for RedirectKind {
    fn from(redirect: RedirectArgument) -> Self {
        match redirect {
            RedirectArgument::Loopback => Self::Loopback,
            RedirectArgument::Scheme => Self::Scheme,
            RedirectArgument::Https => Self::Https,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArgument {
    /// Every record, one per line, a file for each type
    Ndjson,
    /// Every record, in one Bundle
    Bundle,
    /// The summary, as an International Patient Summary
    Ips,
    /// Laboratory results and vital signs as a table (CSV)
    Results,
}

impl From<FormatArgument> for ExportFormat {
    fn from(format: FormatArgument) -> Self {
        match format {
            FormatArgument::Ndjson => Self::Ndjson,
            FormatArgument::Bundle => Self::Bundle,
            FormatArgument::Ips => Self::Ips,
            FormatArgument::Results => Self::Results,
        }
    }
}
