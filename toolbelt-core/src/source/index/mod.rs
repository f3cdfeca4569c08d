//! What registries say of crates: cargo's index cache, our own, and the sparse protocol.

pub mod cache_file;
pub mod entry;
