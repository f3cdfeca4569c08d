//! What people and programs get to see: one report, several formats.
//!
//! JSON and SARIF are public: they have structs of their own, so that renaming something in the report cannot change
//! them. Every format writes the same bytes for the same report, and none lets a stranger's text reach a terminal, a
//! table or a page as anything but text.

pub mod baseline;
mod content_id;
pub mod cyclonedx;
pub mod data;
pub mod escape;
pub mod evidence;
mod excerpt;
pub mod hook;
pub mod human;
pub mod identity;
pub mod json;
pub mod markdown;
pub mod patterns;
mod plain;
pub mod policy;
pub mod protect;
pub mod publish;
pub mod rules;
pub mod sarif;
pub mod spdx;
mod summary;
pub mod why;
mod wrap;

#[cfg(test)]
mod bill_example;
#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod hostile;
