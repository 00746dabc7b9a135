//! Starts Satchel.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use satchel_core::attachments::{READ_DOCUMENT, read_document_here};

fn main() -> std::process::ExitCode {
    // The engine calls this program again to read a document apart from everything else.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == READ_DOCUMENT)
    {
        return read_document_here();
    }
    satchel_desktop::run()
}
