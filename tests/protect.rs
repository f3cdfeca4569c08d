//! Hooks in real repositories, on every git of the machine.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "protect/commits.rs"]
mod commits;
#[path = "support/hooks.rs"]
#[expect(clippy::print_stdout, reason = "says which git is tried")]
mod hooks;
#[path = "protect/install.rs"]
mod install;
