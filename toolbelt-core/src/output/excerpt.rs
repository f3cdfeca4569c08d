//! The lines around a place, as they can be shown.

use std::ops::Range;

use super::escape;
use crate::subject::Region;

/// Characters shown before the place on its line.
const BEFORE: usize = 100;
/// Characters shown of a line.
const LINE: usize = 200;
/// Lines shown of a place.
const LINES: usize = 4;

/// Source text without hidden characters, cut to what is worth showing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// At most four lines.
    pub(super) source: String,
    /// The place, as bytes of `source`.
    pub(super) span: Range<usize>,
}

/// Cuts the lines of a place out of a text; looks at a few thousand characters at most, however long the lines are.
pub(super) fn excerpt(text: &str, region: &Region) -> Excerpt {
    let start = text.floor_char_boundary(region.start);
    let end = text.floor_char_boundary(region.end).max(start);
    let mut source = String::new();
    let line: Vec<char> =
        text[..start].chars().rev().take(BEFORE + 1).take_while(|character| *character != '\n').collect();
    if line.len() > BEFORE {
        source.push('…');
    }
    for character in line.iter().take(BEFORE).rev() {
        push(&mut source, *character);
    }
    let mut span = source.len()..source.len();
    let (mut lines, mut length) = (1, line.len().min(BEFORE));
    for (at, character) in text[start..].char_indices().take(LINES * LINE * 4) {
        let at = start + at;
        if character == '\n' {
            if at + 1 >= end || lines == LINES {
                break;
            }
            lines += 1;
            length = 0;
            source.push('\n');
            continue;
        }
        length += 1;
        if length < LINE {
            push(&mut source, character);
        } else if length == LINE {
            source.push('…');
        } else if at >= end {
            break;
        }
        if at < end {
            span.end = source.len();
        }
    }
    Excerpt { source, span }
}

fn push(source: &mut String, character: char) {
    match character {
        '\t' => source.push_str("    "),
        // What is left of a line's end.
        '\r' => {}
        _ => escape::push_visible(source, character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::LineIndex;

    fn of(text: &str, span: Range<usize>) -> (String, String) {
        let Excerpt { source, span } = excerpt(text, &LineIndex::new(text).region(span));
        let marked = source[span].to_owned();
        (source, marked)
    }

    #[test]
    fn whole_lines_are_shown() {
        assert_eq!(of("one\ntwo three\r\nfour", 8..13), ("two three".into(), "three".into()));
        assert_eq!(of("a\nb\nc\nd\ne\nf", 2..12), ("b\nc\nd\ne".into(), "b\nc\nd\ne".into()));
        assert_eq!(of("a\nb\n", 0..2), ("a".into(), "a".into()));
        assert_eq!(of("", 0..0), (String::new(), String::new()));
    }

    #[test]
    fn hidden_characters_are_shown_and_the_place_moves_along() {
        assert_eq!(of("\u{1b}[0m\u{202e}x", 7..8), ("\\u{1b}[0m\\u{202e}x".into(), "x".into()));
    }

    #[test]
    fn long_lines_are_cut_on_both_sides() {
        let text = format!("{}here{}", "a".repeat(5000), "b".repeat(5000));
        let (source, marked) = of(&text, 5000..5004);
        assert_eq!(marked, "here");
        assert!(source.starts_with("…aaa") && source.ends_with("bbb…"));
        assert_eq!(source.chars().count(), LINE + 1);
    }
}
