//! Judges assignments whose name alone says that the value is a secret: `password = "…"`, `api_token: …`.

use std::ops::Range;

use super::assignment::Assignment;
use crate::subject::pattern::Pattern;

/// What was decided on an assignment or a connection string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Which of the module's `patterns()` it is.
    pub pattern: usize,
    /// The name beside the value, in the text that was given.
    pub name: Option<Range<usize>>,
    /// The value, in the text that was given.
    pub value: Range<usize>,
}

/// Parts of names that make the value worth judging, lower case. Those whose words are separated by `-` are found with `_`,
/// `-`, `.`, a blank or nothing between them: `api-key` is in `API_KEY`, `apiKey` and `my api key`.
pub const NAMES: &[&str] = &["password", "passwd", "secret", "token", "api-key"];

/// What the judgement reports; `Shape::Judged`, so that nothing else looks for them.
pub fn patterns() -> Vec<Pattern> {
    Vec::new()
}

/// Decides whether the value is a secret. `text` is the line (with the next one, if that begins with a lone `value`
/// key); a long line is a window of some kilobytes.
pub fn judge(_assignment: &Assignment, _text: &[u8]) -> Option<Judged> {
    None
}
