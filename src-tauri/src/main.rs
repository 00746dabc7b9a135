//! Starts Satchel.
fn main() {}
