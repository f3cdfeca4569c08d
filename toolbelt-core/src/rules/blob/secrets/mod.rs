//! Finds values that look like secrets: the patterns, the engine that looks for them, and what can be proven offline.
//!
//! Patterns are data (`patterns-*.toml`); the four rules over secrets judge what the engine found.

pub mod assignment;
mod boundary;
pub mod connection;
pub mod credential;
mod encoded;
pub mod engine;
pub mod entropy;
pub mod examples;
mod expression;
pub mod key_file;
mod keywords;
pub mod pattern_file;
mod patterns;
pub mod placeholder;
pub mod proof;
mod visit;
pub mod wording;

use std::ops::Range;

use crate::subject::sighting::Candidate;

/// A candidate and its place in a content.
#[derive(Debug, Clone)]
pub struct Match {
    /// What was found.
    pub candidate: Candidate,
    /// Bytes into the content that was given; of something encoded, the encoded part.
    pub span: Range<usize>,
    /// What had to be decoded, outermost first: `base64`.
    pub layers: Vec<String>,
}
