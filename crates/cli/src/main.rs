//! satchel: the command line over the same engine.
fn main() {}
