//! Cuts paper.
pub fn more() {}
