//! An empty Tauri window: what `make bench-start` holds Satchel's own start against.
//!
//! Its page notes, as Satchel's does for the first row of a chart, when it was first painted.

fn main() -> tauri::Result<()> {
    tauri::Builder::default().run(tauri::generate_context!(
        "src-tauri/examples/empty_window/tauri.conf.json"
    ))
}
