//! `git toolbelt`: supply-chain checks where git users already work.

fn main() {}
