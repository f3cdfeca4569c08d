//! Hooks in real repositories, on every git of the machine.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it skips")]

#[path = "protect/commits.rs"]
mod commits;
#[path = "support/hooks.rs"]
mod hooks;
#[path = "protect/install.rs"]
mod install;
