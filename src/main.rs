//! `transload`: see `transload help`.

fn main() {}
