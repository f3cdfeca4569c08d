//! `cargo toolbelt`: supply-chain checks where cargo users already work.

fn main() {}
