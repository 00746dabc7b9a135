//! The only place with words for errors: each failure becomes a code, one sentence that says what
//! happened, one that says what to do, and a technical detail without secrets or health data.
//!
//! How to add a problem: 1. a variant of [`ProblemCode`] with its line in the table below; 2. its words
//! there; 3. the `From` of the error that leads to it in `problem/from.rs`.

mod document;
mod from;

use crate::view::ProblemView;

/// Result of the engine's calls.
pub type Result<T> = std::result::Result<T, Problem>;

/// A failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.code.message())]
pub struct Problem {
    /// Which.
    pub code: ProblemCode,
    /// Technical detail; no secrets, no health data.
    pub detail: Option<String>,
}

impl Problem {
    /// A problem without detail.
    #[must_use]
    pub fn new(code: ProblemCode) -> Self {
        Self { code, detail: None }
    }

    /// A problem with a technical detail.
    #[must_use]
    pub fn with_detail(code: ProblemCode, detail: impl ToString) -> Self {
        Self {
            code,
            detail: Some(clip(&detail.to_string())),
        }
    }

    /// The shape that crosses to the window and the command line.
    #[must_use]
    pub fn view(&self) -> ProblemView {
        ProblemView {
            code: self.code.code().to_owned(),
            message: self.code.message().to_owned(),
            advice: self.code.advice().to_owned(),
            detail: self.detail.clone(),
            can_retry: self.code.can_retry(),
        }
    }
}

/// Details come partly from servers: plain text without control characters, at most 600 of them.
fn clip(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .take(600)
        .collect()
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $exit:literal, $retry:literal, $message:literal, $advice:literal;)*) => {
        /// Every failure that a person can meet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemCode { $($(#[$doc])* $name,)* }

        impl ProblemCode {
            /// All of them, in the order of their exit codes.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$name,)*];

            /// Stable code, such as `login.denied`.
            #[must_use]
            pub fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// Exit code of the command line, 10 to 125: shells keep what is above for themselves.
            #[must_use]
            pub fn exit_code(self) -> u8 { match self { $(Self::$name => $exit,)* } }
            /// What happened, one plain sentence.
            #[must_use]
            pub fn message(self) -> &'static str { match self { $(Self::$name => $message,)* } }
            /// What to do, one plain sentence.
            #[must_use]
            pub fn advice(self) -> &'static str { match self { $(Self::$name => $advice,)* } }
            /// Trying the same again may help.
            #[must_use]
            pub fn can_retry(self) -> bool { match self { $(Self::$name => $retry,)* } }
        }
    };
}

problems! {
    // The server's address and what it says about itself
    /// The text is no URL.
    NotAUrl = "server.not_a_url", 10, false,
        "This is not a web address.",
        "Type the address that your clinic gave you, such as https://ehr.example.org/fhir.";
    /// http where https is due.
    NotHttps = "server.not_https", 11, false,
        "This address is not protected: it starts with http instead of https.",
        "Use the https address. Satchel sends health data over protected connections only.";
    /// Nothing answers.
    Unreachable = "network.unreachable", 12, true,
        "The server could not be reached.",
        "Check the internet connection and the address, then try again. What is stored here stays readable.";
    /// The certificate or TLS version is wrong.
    NotTrusted = "network.not_trusted", 13, true,
        "The server's identity could not be verified, so Satchel did not connect.",
        "Check the address and this computer's clock. If both are right, tell the server's operator that its certificate is not valid.";
    /// Took too long.
    TimedOut = "network.timed_out", 14, true,
        "The server took too long to answer.",
        "Try again in a few minutes.";
    /// Answered, but is no FHIR server.
    NotFhir = "server.not_fhir", 15, false,
        "There is no health-record server at this address.",
        "Check the address: it is usually called FHIR base URL, FHIR endpoint or API endpoint.";
    /// A FHIR server without SMART App Launch.
    NotSmart = "server.not_smart", 16, false,
        "This server holds health records but offers no sign-in for apps.",
        "Ask the clinic for the address of its SMART on FHIR service.";
    /// The smart-configuration cannot be used.
    BadConfiguration = "server.bad_configuration", 17, true,
        "The server's description of its own sign-in is broken.",
        "This has to be repaired at the server. Send its operator the technical detail.";
    /// The configuration points at another issuer.
    IssuerMismatch = "server.issuer_mismatch", 18, false,
        "The server's sign-in service names itself as somebody else, so Satchel stopped.",
        "Do not sign in there. Tell the clinic, with the technical detail.";
    /// No S256.
    PkceMissing = "server.pkce_missing", 19, false,
        "The server does not offer the protected kind of sign-in that Satchel requires.",
        "This has to be added at the server (PKCE with S256).";
    // Registration
    /// No dynamic registration.
    RegistrationNotOffered = "registration.not_offered", 20, false,
        "This server does not let apps register themselves.",
        "Ask the clinic whether app registration (OAuth dynamic client registration) can be switched on.";
    /// Refused by policy or metadata.
    RegistrationRefused = "registration.refused", 21, true,
        "The server refused to register this installation.",
        "Ask the clinic to allow the app, or try again later. The technical detail says what the server objected to.";
    /// None of our redirect URIs is allowed.
    RegistrationRedirect = "registration.invalid_redirect_uri", 22, false,
        "The server accepts none of the ways back into the app that Satchel offers.",
        "This has to be allowed at the server: native redirect addresses of RFC 8252.";
    /// It needs a software statement, or does not like ours.
    RegistrationStatement = "registration.software_statement", 23, false,
        "The server only registers apps that its operator has approved beforehand.",
        "Ask the clinic to approve Satchel.";
    /// Registered, but not in a way that can be used.
    RegistrationUnusable = "registration.unusable", 24, false,
        "The server registered this installation in a way that cannot be used.",
        "Send the technical detail to the server's operator.";
    /// An initial access token is missing or not taken.
    RegistrationTokenNeeded = "registration.token_needed", 25, false,
        "This server only registers apps that bring a code from its operator.",
        "Ask the clinic for one (an initial access token) and give it to Satchel.";
    /// RFC 7592 is not offered.
    RegistrationUnmanaged = "registration.unmanaged", 26, false,
        "This server does not let Satchel look after its own registration.",
        "To renew it, remove the connection and connect again.";
    /// 429 or 503.
    RegistrationBusy = "registration.busy", 27, true,
        "The server takes no more registrations at the moment.",
        "Try again later; the technical detail says when, if the server said it.";
    /// Registered without the grant type `refresh_token`.
    RegistrationNoRefresh = "registration.no_refresh", 28, false,
        "This server will ask for a new sign-in each time your access ends.",
        "Nothing to do; your stored records stay readable.";
    /// `client_secret_expires_at` is missing.
    RegistrationSecretEnd = "registration.secret_end_unknown", 29, false,
        "The server did not say how long this installation's password is valid.",
        "Nothing to do; when it ends, Satchel asks you to sign in again.";
    // Login
    /// The person said no.
    LoginDenied = "login.denied", 30, true,
        "Access was not granted at the portal.",
        "Nothing was changed. Sign in again if you want to share your records with Satchel.";
    /// The server ended the login with an error.
    LoginRefused = "login.refused", 31, true,
        "The portal ended the sign-in with an error.",
        "Try again. If it happens again, the clinic may have to allow the app first.";
    /// No pending login for this answer.
    LoginUnknown = "login.unknown_state", 32, false,
        "An answer arrived that belongs to no sign-in in progress, so it was ignored.",
        "If you were signing in, start again from Satchel.";
    /// The link is no authorization response.
    LoginBadCallback = "login.bad_callback", 33, false,
        "A link was opened that Satchel cannot use, so it was ignored.",
        "If you were signing in, go back to the browser or start again.";
    /// Too late.
    LoginExpired = "login.expired", 34, true,
        "The sign-in took too long and lapsed.",
        "Start again; there are ten minutes for it.";
    /// Cancelled here.
    LoginCancelled = "login.cancelled", 35, true,
        "The sign-in was cancelled.",
        "Nothing was changed.";
    /// More than is fetched even when a person asks for it.
    DocumentTooLarge = "document.too_large", 98, false,
        "This document is too large to be fetched.",
        "Open it at the portal of the clinic.";
    /// Another server answered than the one asked.
    LoginWrongIssuer = "login.wrong_issuer", 36, false,
        "The answer came from another sign-in service than the one that was asked, so Satchel stopped.",
        "Do not sign in there again before the clinic has looked into it.";
    /// The id_token does not hold.
    LoginIdToken = "login.id_token", 37, true,
        "The server's proof of who signed in is not valid, so nothing of this sign-in was kept.",
        "Try again. If it happens again, send the technical detail to the server's operator.";
    /// The token endpoint refused.
    TokenRefused = "token.refused", 38, true,
        "The server refused to give Satchel access after the sign-in.",
        "Sign in again. If it happens again, send the technical detail to the server's operator.";
    /// The token endpoint's answer cannot be used.
    TokenBadAnswer = "token.bad_answer", 39, true,
        "The server's sign-in service gave an answer that cannot be used.",
        "Try again later. If it happens again, send the technical detail to the server's operator.";
    /// This way back is not set up.
    RedirectNotAvailable = "login.redirect_not_available", 40, false,
        "This way back into the app is not available here.",
        "Choose another one: --redirect loopback works everywhere.";
    // Access
    /// Grant ended.
    AccessEnded = "access.ended", 41, false,
        "The server no longer lets Satchel in: access was switched off in the portal, or it lapsed.",
        "Your stored records stay readable. Sign in again to get new ones.";
    /// Token lapsed, no refresh token.
    AccessExpired = "access.expired", 42, false,
        "Your sign-in has lapsed; this server asks for a new one each time.",
        "Your stored records stay readable. Sign in again to get new ones.";
    /// The client is unknown now.
    AccessRegistrationGone = "access.registration_gone", 43, false,
        "The server no longer knows this installation.",
        "Your stored records stay readable. Sign in again: Satchel will register anew.";
    /// All refused.
    AccessRefused = "access.refused", 44, false,
        "The server refuses to hand out records to Satchel, although the sign-in is valid.",
        "Your stored records stay readable. Ask the clinic whether it has approved the app.";
    /// Not signed in.
    NotConnected = "access.not_connected", 45, false,
        "This connection is not signed in.",
        "Sign in first.";
    /// Switched off.
    AccessSwitchedOff = "access.switched_off", 46, false,
        "Access for Satchel was switched off in the portal.",
        "Your stored records stay readable. Switch Satchel on again in the portal, then sign in again here.";
    /// Not approved.
    AccessNotApproved = "access.not_approved", 47, false,
        "The practice has not approved Satchel.",
        "Ask the practice to approve the app, then sign in again. What is stored stays readable.";
    /// Denied at the last sign-in.
    AccessDenied = "access.denied", 48, false,
        "Access was not granted when you last signed in.",
        "Your stored records stay readable. Sign in again and allow it to get new ones.";
    /// The answer to a refresh was lost.
    AccessAnswerLost = "access.answer_lost", 49, false,
        "The connection broke while the sign-in was being renewed, and the server does not accept the old one any more.",
        "Nobody switched Satchel off. Sign in again to get new records; what is stored stays readable.";
    // Sync
    /// Not shared.
    NotShared = "sync.not_shared", 50, false,
        "This part was not shared with Satchel.",
        "Sign in again and allow it if you want to see it here.";
    /// Not offered.
    NotOffered = "sync.not_offered", 51, false,
        "This server does not offer this kind of record.",
        "Nothing to do.";
    /// A page could not be read.
    BadPage = "sync.bad_page", 52, true,
        "The server sent a page of records that cannot be read.",
        "What came before it is stored. Try again later.";
    /// XML.
    XmlAnswer = "sync.xml_answer", 53, false,
        "The server answers in XML although JSON was asked for.",
        "This has to be repaired at the server. What came before is stored.";
    /// Server error.
    ServerError = "sync.server_error", 54, true,
        "The server failed while handing out records.",
        "What came before is stored. Try again later.";
    /// Too busy.
    ServerBusy = "sync.server_busy", 55, true,
        "The server is too busy.",
        "What came before is stored. Try again later.";
    /// next link to somewhere else.
    ForeignLink = "sync.foreign_link", 56, false,
        "The server sent Satchel to another address for the next page; it did not follow.",
        "Send the technical detail to the server's operator.";
    /// Already running.
    AlreadySyncing = "sync.already_running", 57, true,
        "Records are being fetched from this server already.",
        "Wait until that is done.";
    /// Stopped by the person.
    SyncCancelled = "sync.cancelled", 58, true,
        "Fetching was stopped.",
        "What came before is stored.";
    /// Records of somebody else were left out.
    OtherPatient = "sync.other_patient", 59, false,
        "The server sent records of another person; they were not stored.",
        "Tell the clinic, with the technical detail.";
    // This computer
    /// No keychain.
    NoKeychain = "keychain.missing", 60, true,
        "This computer has no running keychain, and Satchel keeps its keys nowhere else.",
        "Install and start one (on Debian and Ubuntu: gnome-keyring, or KWallet with its Secret Service), log in again, then try again.";
    /// Locked.
    KeychainLocked = "keychain.locked", 61, true,
        "The keychain of this computer is locked.",
        "Unlock it (it usually opens when you log in to the computer), then try again.";
    /// Failed.
    KeychainFailed = "keychain.failed", 62, true,
        "The keychain of this computer did not do what was asked.",
        "Try again; if it happens again, restart the computer.";
    /// Database there, key gone.
    KeyMissing = "store.key_missing", 63, true,
        "The key to your stored records is not in this computer's keychain.",
        "Use the keychain that they were stored with, or choose another profile folder. Nothing was changed.";
    /// Wrong key.
    WrongKey = "store.wrong_key", 64, false,
        "The key in this computer's keychain does not open your stored records.",
        "Use the keychain that they were stored with, or choose another profile folder. Nothing was changed.";
    /// Broken file.
    StoreBroken = "store.broken", 65, false,
        "The file with your stored records is damaged.",
        "Restore it from a backup, or remove it and fetch the records again.";
    /// Newer schema.
    StoreNewer = "store.newer", 66, false,
        "Your records were stored by a newer version of Satchel.",
        "Install that version or a later one. Nothing was changed.";
    /// Disk full.
    DiskFull = "store.disk_full", 67, true,
        "There is no space left on this computer's disk.",
        "Make room, then try again. What is stored stays.";
    /// Folder not writable.
    StoreReadOnly = "store.read_only", 68, true,
        "Satchel may not write to its own folder.",
        "Give yourself the right to write there, or choose another profile folder.";
    /// Any other failure of the file.
    StoreFailed = "store.failed", 69, true,
        "Your stored records could not be read or written.",
        "Try again; if it happens again, restart the computer.";
    /// Asked for something that is not stored.
    NotFound = "record.not_found", 70, false,
        "This is not stored here.",
        "It may have been removed. Go back and look again.";
    /// Files could not be written.
    ExportFailed = "export.failed", 71, true,
        "The files could not be written.",
        "Check that the folder exists, is writable and has space.";
    // More of access, and what a portal asks
    /// Renewed for somebody else.
    AccessOtherPerson = "access.other_person", 72, false,
        "The server renewed the sign-in for another person or another app, so Satchel stopped.",
        "Nothing of it was kept. Sign in again, and tell the clinic if it happens again.";
    /// The link is no launch.
    LaunchBadLink = "launch.bad_link", 73, false,
        "A link asked Satchel to open a server in a way that cannot be used, so it was ignored.",
        "Open Satchel from the portal again, or connect the server in Satchel.";
    /// No such launch waits.
    LaunchUnknown = "launch.unknown", 74, false,
        "This request to open a server is no longer waiting.",
        "Open Satchel from the portal again.";
    /// The other kind of profile.
    SeparateProfile = "access.separate_profile", 75, false,
        "A backend service and people's own records are kept apart: this profile holds the other kind.",
        "Use another profile folder for it, with --profile.";
    /// No such choice of records.
    UnknownPreset = "login.unknown_choice", 76, false,
        "There is no such choice of records to ask for.",
        "Choose everything, summary or labs-and-medications.";
    /// The embedding program's identity.
    BadIdentity = "app.bad_identity", 77, false,
        "The description of this app, which servers are shown, cannot be used.",
        "The technical detail names the member to correct.";
    /// The vendor's second step is not there.
    InstallationNotOffered = "registration.installation_not_offered", 78, false,
        "This server does not let the installation keep its own access, so the sign-in lasts for a short time only.",
        "Sign in again when it has ended; your stored records stay readable.";
    /// The vendor's second step failed.
    InstallationFailed = "registration.installation_failed", 79, true,
        "This installation could not get an access of its own, so the sign-in lasts for a short time only.",
        "It is tried again when you sign in the next time.";
    /// A registration stays at the server.
    RegistrationLeft = "registration.left_at_server", 80, false,
        "An earlier registration of this app is still listed at the server.",
        "You can delete it there, in the portal's list of apps.";
    // What a server's answer does instead of answering
    /// A redirect out of where it may lead.
    Redirected = "network.redirected", 81, false,
        "The server sent Satchel on to another address; it did not follow.",
        "Check the address. If it is right, send the technical detail to the server's operator.";
    /// More than anybody would send.
    TooLarge = "network.too_large", 82, false,
        "The server's answer was far too large, so Satchel stopped reading it.",
        "Send the technical detail to the server's operator.";
    /// The clock of this computer is wrong.
    ClockWrong = "login.clock_wrong", 83, true,
        "This computer's clock is wrong, so Satchel cannot tell whether the server's proof of who signed in is a fresh one.",
        "Set date, time and time zone of this computer, then sign in again.";
    // Bulk exports and files of records
    /// No such export.
    BulkNotOffered = "bulk.not_offered", 84, false,
        "This server does not make such an export of its records.",
        "Choose another one: of everything, of all patients, or of a group; or sync instead.";
    /// A parameter is not supported.
    BulkParameter = "bulk.parameter_refused", 85, false,
        "The server does not make the export in the way that was asked for.",
        "Start it without the part that the technical detail names (--without NAME), or let the server leave out what it does not know (--lenient).";
    /// Failed for good at the server.
    BulkFailed = "bulk.failed", 86, true,
        "The server could not make the export.",
        "Start it again later. If it happens again, send the technical detail to the server's operator.";
    /// Lapsed.
    BulkGone = "bulk.gone", 87, true,
        "The export is no longer at the server.",
        "Start it again. What was fetched of it is stored.";
    /// Location or manifest cannot be used.
    BulkBadAnswer = "bulk.bad_answer", 88, true,
        "The server's description of the export cannot be used.",
        "Start it again later. If it happens again, send the technical detail to the server's operator.";
    /// A file cannot be used.
    BulkBadFile = "bulk.bad_file", 89, true,
        "A file of the export could not be read to its end.",
        "What came of it is stored. Start the export again later.";
    /// Done, but not all of it.
    BulkIncomplete = "bulk.incomplete", 94, true,
        "The export is not complete: the report says what is missing.",
        "What came is stored. Start the export again; it fetches everything that is missing.";
    /// Must not be sent.
    BulkBadRequest = "bulk.bad_request", 95, false,
        "The export cannot be asked for like this.",
        "The technical detail says what to correct.";
    /// Not a file of records.
    ImportFailed = "import.unreadable", 97, false,
        "This file does not hold records that Satchel can read.",
        "Use a file with one FHIR resource in each line (NDJSON), as a Bulk Data export has them.";
    // Directories of servers
    /// Not a bundle of brands.
    DirectoryNotAList = "directory.not_a_list", 90, false,
        "This is not a list of health-record servers that Satchel can read.",
        "Use the address or file of a User-access Brands bundle, as health systems and vendors publish it.";
    /// Nobody in it.
    DirectoryEmpty = "directory.empty", 91, false,
        "This list names no server that Satchel can connect to.",
        "It may be for another FHIR version than R4. The technical detail says what was left out.";
    /// The file cannot be read.
    DirectoryUnreadable = "directory.unreadable", 92, true,
        "The file could not be read.",
        "Check that it exists and that you may open it.";
    /// Another origin of the token endpoint than at registration.
    ServerMoved = "server.moved", 93, false,
        "The server's sign-in service is at another address than when you connected, so Satchel sends nothing there by itself.",
        "Your stored records stay readable. If the clinic says that it moved, connect to the server again and use the new address.";
    /// A search that would list everybody.
    PatientsTooWide = "patients.too_wide", 96, false,
        "This search would list everybody.",
        "Search by record number, by a name of at least two letters, or by name and birth date (YYYY-MM-DD).";
    /// The chart is no longer there under its id.
    PatientGone = "sync.patient_gone", 102, false,
        "The server no longer has this chart under the number that you signed in for; it may have been merged into another one.",
        "Your stored records stay readable. Sign in again to go on with the chart as it is there now.";
    /// Should not happen.
    Internal = "internal", 99, true,
        "Something went wrong inside Satchel.",
        "Try again. If it happens again, please report it with the technical detail.";
    // Several sources
    /// Connections that cannot be of one person.
    PeopleDiffer = "people.differ", 100, false,
        "These records cannot be of one person, so Satchel keeps them apart.",
        "Put only your own records together: those with the same birth date, from different servers.";
    /// `Type/id` names a record of each of several sources.
    SeveralSources = "record.several_sources", 101, false,
        "Several sources have a record of this name.",
        "Say which source you mean.";
    // Locked with a passphrase
    /// The store is closed until the passphrase is given.
    Locked = "app.locked", 103, false,
        "Satchel is locked.",
        "Unlock it with your passphrase: in its window, or here in a terminal or with --passphrase-stdin.";
    /// Not the passphrase.
    WrongPassphrase = "lock.wrong_passphrase", 104, true,
        "This is not the passphrase.",
        "Type it again, and mind capital letters and the keyboard's language. Nothing was changed, and nothing will be erased.";
    /// Too many wrong ones in a row.
    UnlockTooSoon = "lock.wait", 105, true,
        "The passphrase was wrong several times, so Satchel waits before it takes another one.",
        "Wait until the time in the technical detail, then try again.";
    /// Not long enough to be one.
    PassphraseTooShort = "lock.passphrase_too_short", 106, false,
        "This passphrase is too short.",
        "Take at least eight characters; four or five words that have nothing to do with each other are better.";
    /// Asked to lock or unlock without one.
    NoPassphrase = "lock.no_passphrase", 107, false,
        "No passphrase is set, so there is nothing to lock with.",
        "Set one first: in the window under Privacy, or with satchel passphrase set.";
    /// What the keychain holds is no sealed key of ours.
    SealBroken = "lock.seal_broken", 108, false,
        "The sealed key to your records in this computer's keychain is damaged or was made by a newer version.",
        "Install the newest version of Satchel, or restore the keychain from a backup. Otherwise erase what is here and fetch your records again.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_exit_codes_are_distinct_and_words_are_sentences() {
        let codes: HashSet<_> = ProblemCode::ALL.iter().map(|p| p.code()).collect();
        let exits: HashSet<_> = ProblemCode::ALL.iter().map(|p| p.exit_code()).collect();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
        assert_eq!(exits.len(), ProblemCode::ALL.len());
        for problem in ProblemCode::ALL {
            assert!(problem.message().ends_with('.'), "{}", problem.code());
            assert!(problem.advice().ends_with('.'), "{}", problem.code());
            assert!(problem.exit_code() >= 10);
        }
    }

    #[test]
    fn h6_details_are_plain_text_of_bounded_length() {
        let problem = Problem::with_detail(ProblemCode::LoginRefused, "a\u{202e}b\nc".repeat(900));
        let detail = problem.detail.unwrap();
        assert!(detail.chars().count() <= 600);
        assert!(!detail.contains('\n') && !detail.contains('\u{202e}'));
    }
}
