//! Sources: the only code that opens files, sockets and processes. What they read becomes subjects.
//!
//! Each source reads one kind of thing and returns subjects, with the date and digest of what it read where that
//! matters. What it reads was written by strangers: everything is bounded, and a file that is not what it should be gives
//! one error with path, line and what was expected.

pub mod advisories;
pub mod cache;
pub mod cargo_config;
pub mod cargo_metadata;
pub mod compiler;
pub mod content;
pub mod crate_archive;
pub mod file;
pub mod file_digest;
pub mod git;
pub mod hooks;
pub mod http;
pub mod index;
pub mod lockfile;
pub mod manifest;
pub mod names;
pub mod program;
pub mod receipts;
pub mod registry;
pub mod release;
pub mod repository;
mod resolver;
pub mod rust_program;
pub mod ssh;
mod zip;
