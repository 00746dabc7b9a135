//! Starts Satchel.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    satchel_desktop::run()
}
