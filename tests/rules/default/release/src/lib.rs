//! Counts to one.

/// The number.
pub const ONE: u32 = 1;
