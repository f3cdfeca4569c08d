//! Sources: the only code that opens files, sockets and processes. What they read becomes subjects.

pub mod cache;
pub mod file;
pub mod lockfile;
pub mod manifest;
pub mod repository;
