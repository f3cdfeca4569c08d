//! What `cargo toolbelt` and `git toolbelt` share: how they look around, write results and errors, and show progress,
//! and the commands that both have.
//!
//! The library `toolbelt_core` neither prints nor knows of a command line, so this is where both programs meet.

pub mod attest;
pub mod completions;
pub mod environment;
pub mod explain;
pub mod global;
pub mod man;
pub mod progress;
pub mod ui;
