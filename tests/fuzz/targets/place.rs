//! Claims about places in a text.

use toolbelt_core::subject::malformed::Malformed;
use toolbelt_core::subject::{LineIndex, Location};

/// Text can be cut out at the location, and line and column say the same as its bytes.
pub fn is_in(text: &str, location: &Location) {
    let Some(region) = &location.region else { return };
    assert!(text.get(region.start..region.end).is_some(), "{location:?} is not in the text");
    assert_eq!(*region, LineIndex::new(text).region(region.start..region.end));
    let before = &text[..region.start];
    assert_eq!(region.line as usize, 1 + before.matches('\n').count());
    assert_eq!(region.column as usize, 1 + before.rsplit('\n').next().unwrap_or_default().chars().count());
}

/// An error is about the text it came from, and can be shown.
#[allow(dead_code, reason = "one of the targets has no such errors")]
pub fn of_error(text: &str, error: &Malformed) {
    assert!(!error.message.is_empty());
    assert!(!error.to_string().is_empty());
    assert!(error.text.is_empty() || error.text == text);
    is_in(text, &error.location);
}
