//! What is known to be wrong with versions of packages.

/// Every advisory that could be read, by package.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Advisories {}
