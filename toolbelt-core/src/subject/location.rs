//! Where something is in a file.

use std::ops::Range;

/// A place in a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Relative to the repository root, with `/`.
    pub path: String,
    /// The first character, where the place is within the file.
    pub region: Option<Region>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// Line of the first character, counted from 1.
    pub line: u32,
    /// Column of the first character in Unicode scalar values, counted from 1.
    pub column: u32,
    /// Bytes into the file as read, end exclusive.
    pub start: usize,
    /// See `start`.
    pub end: usize,
}

impl Location {
    /// A file as a whole.
    pub fn whole_file(path: impl Into<String>) -> Self {
        Self { path: path.into(), region: None }
    }

    /// A part of a file.
    pub fn within(path: impl Into<String>, region: Region) -> Self {
        Self { path: path.into(), region: Some(region) }
    }
}

/// Finds lines and columns in one text.
#[derive(Debug)]
pub struct LineIndex<'a> {
    text: &'a str,
    /// Byte offset of the first character of each line, ascending.
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    /// Reads the text once.
    pub fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Returns the region of a byte range; one past the end is moved to the end.
    pub fn region(&self, span: Range<usize>) -> Region {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.floor_char_boundary(span.end).max(start);
        let line = self.starts.partition_point(|&first| first <= start);
        let column = self.text[self.starts[line - 1]..start].chars().count() + 1;
        let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Region { line: count(line), column: count(column), start, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_from_one() {
        let lines = LineIndex::new("a\näöx\n");
        assert_eq!(lines.region(0..1), Region { line: 1, column: 1, start: 0, end: 1 });
        assert_eq!(lines.region(6..7), Region { line: 2, column: 3, start: 6, end: 7 });
    }

    #[test]
    fn ranges_outside_the_text_end_with_it() {
        assert_eq!(LineIndex::new("ab").region(7..9), Region { line: 1, column: 3, start: 2, end: 2 });
        assert_eq!(LineIndex::new("").region(0..0), Region { line: 1, column: 1, start: 0, end: 0 });
    }
}
