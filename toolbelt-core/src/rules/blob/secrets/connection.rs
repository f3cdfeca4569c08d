//! Judges connection strings with passwords: `postgres://user:…@host/db`.

use std::ops::Range;

use super::credential::Judged;
use crate::subject::pattern::Pattern;

/// Literals at which [`judge`] is called: lower case, compared without case, at least three bytes.
pub const KEYWORDS: &[&str] = &[];

/// What the judgement reports; `Shape::Judged`.
pub fn patterns() -> Vec<Pattern> {
    Vec::new()
}

/// Decides whether a secret stands around the keyword. `text` is the line; a long line is a window around the keyword.
pub fn judge(_text: &[u8], _keyword: Range<usize>) -> Option<Judged> {
    None
}
