//! Which lines of a content are new, compared with what it was made from.

use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, InternedInput, sources};

/// The part of a content that none of the earlier versions has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewLines {
    /// All of it: there is no earlier version, or it is not text.
    All,
    /// These lines, as in [`News::Lines`](crate::subject::content::News::Lines); none if nothing is new.
    Some(Vec<Range<usize>>),
}

/// Finds the lines of `after` that are in none of the versions `before`, in the order in which those have them.
///
/// What is new is what `git diff` would mark with `+` against every one of them. Text that is not new keeps its order:
/// a line that was moved is new where it is now. Content that git takes for binary (a NUL among the first 8,000 bytes)
/// is new as a whole, whatever `.gitattributes` say.
///
/// The two lines beside lines that were only removed are not new, though they were not neighbours before.
pub fn new_lines(before: &[&[u8]], after: &[u8]) -> NewLines {
    if before.is_empty() || is_binary(after) {
        return NewLines::All;
    }
    // Most versions differ in a few lines: what they share at the ends needs no algorithm.
    let mut new: Option<Vec<Range<usize>>> = None;
    for version in before {
        let added = added(version, after);
        new = Some(match new {
            None => added,
            Some(ranges) => intersection(&ranges, &added),
        });
        if new.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    NewLines::Some(new.unwrap_or_default())
}

/// Whether git would take it for binary: `buffer_is_binary` in its sources looks at as much.
pub(super) fn is_binary(content: &[u8]) -> bool {
    memchr::memchr(0, &content[..content.len().min(8000)]).is_some()
}

/// The lines of `after` that are not in `before`.
fn added(before: &[u8], after: &[u8]) -> Vec<Range<usize>> {
    let start = common_start(before, after);
    let end = common_end(&before[start..], &after[start..]);
    let (before, middle) = (&before[start..before.len() - end], &after[start..after.len() - end]);
    if middle.is_empty() {
        return Vec::new();
    }
    if before.is_empty() {
        return std::iter::once(start..start + middle.len()).collect();
    }
    let input = InternedInput::new(sources::byte_lines(before), sources::byte_lines(middle));
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut at = start;
    for (number, line) in (0..).zip(&input.after) {
        let next = at + input.interner[*line].len();
        if diff.is_added(number) {
            match ranges.last_mut() {
                Some(last) if last.end == at => last.end = next,
                _ => ranges.push(at..next),
            }
        }
        at = next;
    }
    ranges
}

/// How many bytes two texts share at the start, in whole lines.
fn common_start(left: &[u8], right: &[u8]) -> usize {
    let same = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    if same == left.len() && same == right.len() {
        return same;
    }
    memchr::memrchr(b'\n', &left[..same]).map_or(0, |newline| newline + 1)
}

/// How many bytes two texts share at the end, in whole lines.
fn common_end(left: &[u8], right: &[u8]) -> usize {
    let same = left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count();
    let starts_line = |text: &[u8]| same == text.len() || text[text.len() - same - 1] == b'\n';
    if starts_line(left) && starts_line(right) {
        return same;
    }
    memchr::memchr(b'\n', &left[left.len() - same..]).map_or(0, |newline| same - newline - 1)
}

/// What two ascending lists of ranges share.
fn intersection(left: &[Range<usize>], right: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut shared = Vec::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let range = one.start.max(other.start)..one.end.min(other.end);
        if range.start < range.end {
            shared.push(range);
        }
        if one.end < other.end {
            left.next()
        } else {
            right.next()
        };
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(before: &[&str], after: &'a str) -> Vec<&'a str> {
        let before: Vec<&[u8]> = before.iter().map(|text| text.as_bytes()).collect();
        match new_lines(&before, after.as_bytes()) {
            NewLines::All => vec![after],
            NewLines::Some(ranges) => ranges.into_iter().map(|range| &after[range]).collect(),
        }
    }

    #[test]
    fn added_and_changed_lines_are_new() {
        assert_eq!(texts(&["a\nb\nc\n"], "a\nx\nb\ny\nz\nc\n"), ["x\n", "y\nz\n"]);
        assert_eq!(texts(&["a\nb\nc\n"], "a\nbb\nc\n"), ["bb\n"]);
        assert_eq!(texts(&["a\nb\nc\n"], "a\nc\n"), [""; 0]);
        assert_eq!(texts(&["a\nb\n"], "a\nb\n"), [""; 0]);
        assert_eq!(texts(&["a\na\n"], "a\na\na\n"), ["a\n"]);
        assert_eq!(texts(&[""], "a\n"), ["a\n"]);
        assert_eq!(texts(&[], "a\n"), ["a\n"]);
    }

    #[test]
    fn a_line_without_its_end_is_another_line() {
        assert_eq!(texts(&["a\nb"], "a\nb\n"), ["b\n"]);
        assert_eq!(texts(&["a\nb\n"], "a\nb"), ["b"]);
        assert_eq!(texts(&["xb"], "b"), ["b"]);
        assert_eq!(texts(&["b"], "xb"), ["xb"]);
        assert_eq!(texts(&["a\r\n"], "a\n"), ["a\n"]);
    }

    #[test]
    fn lines_of_any_parent_are_not_new() {
        assert_eq!(texts(&["a\nb\nc\n", "a\nc\nd\n"], "a\nb\nc\nd\ne\n"), ["e\n"]);
        assert_eq!(texts(&["ours\n", "theirs\n"], "ours\nmerged\ntheirs\n"), ["merged\n"]);
    }

    #[test]
    fn binary_content_is_new_as_a_whole() {
        assert_eq!(texts(&["a\0\nb\n"], "a\0\nb\nc\n"), ["a\0\nb\nc\n"]);
    }

    proptest::proptest! {
        /// Without the new lines the text is a subsequence of the old one, and ranges are whole lines.
        #[test]
        fn the_rest_was_there_before(before in "[ab\\n]{0,40}", after in "[ab\\n]{0,40}") {
            let NewLines::Some(ranges) = new_lines(&[before.as_bytes()], after.as_bytes()) else { unreachable!() };
            let mut rest = Vec::new();
            let mut at = 0;
            for range in &ranges {
                assert!(range.start < range.end && range.start >= at);
                assert!(range.start == 0 || after.as_bytes()[range.start - 1] == b'\n');
                assert!(range.end == after.len() || after.as_bytes()[range.end - 1] == b'\n');
                rest.extend(after[at..range.start].split_inclusive('\n'));
                at = range.end;
            }
            rest.extend(after[at..].split_inclusive('\n'));
            let mut old = before.split_inclusive('\n');
            assert!(rest.iter().all(|line| old.any(|other| other == *line)));
        }
    }
}
