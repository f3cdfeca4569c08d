//! Names of established crates, and what resembles them.

/// Established crates, most popular first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {}
