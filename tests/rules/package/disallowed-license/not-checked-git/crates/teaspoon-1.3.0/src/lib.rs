//! Cuts paper.
