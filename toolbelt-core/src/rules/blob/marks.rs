//! What can be seen in a content without knowing what it is for: characters that mislead, markers of merges that were
//! not finished, machine code, and size.
//!
//! Every mark but those of a content as a whole depends on one line alone: whoever looks at new lines finds in them what
//! whoever looks at everything finds there.

use std::ops::Range;

use memchr::memmem;

use super::{characters, large_file, machine_code};
use crate::rules::options::Options;
use crate::subject::sighting::Observation;

/// From what on something is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A content with more bytes is large.
    pub large: u64,
}

impl Limits {
    /// What the policy says; `large_file` are the options of the rule `large-file`.
    pub fn new(large_file: &Options) -> Self {
        Self { large: large_file::most_bytes(large_file) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(&Options::default())
    }
}

/// Something seen at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Bytes into the content, end exclusive; none for the content as a whole.
    pub span: Option<Range<usize>>,
    /// What was seen.
    pub observation: Observation,
}

/// Adds what is seen in `parts` of a content: ranges of whole lines, ascending, as [`Content::parts`] has them.
///
/// Size and machine code are those of the content as a whole, whatever its parts.
///
/// [`Content::parts`]: crate::subject::content::Content::parts
pub fn marks(bytes: &[u8], parts: &[Range<usize>], limits: Limits, found: &mut Vec<Mark>) {
    if bytes.len() as u64 > limits.large {
        found.push(Mark { span: None, observation: Observation::Large(bytes.len() as u64) });
    }
    if let Some(kind) = machine_code::kind(bytes) {
        // Nobody reads the characters of a program.
        found.push(Mark { span: None, observation: Observation::Executable(kind) });
        return;
    }
    for part in parts {
        let end = part.end.min(bytes.len());
        let part = part.start.min(end)..end;
        conflict_markers(bytes, part.clone(), found);
        characters::mark(bytes, part, found);
    }
}

/// What git writes at the start of a line that it leaves to be resolved; a label follows. `=======` alone also underlines
/// headings.
const MARKERS: [(&str, u8); 3] = [("<<<<<<< ", b'<'), (">>>>>>> ", b'>'), ("||||||| ", b'|')];

fn conflict_markers(bytes: &[u8], part: Range<usize>, found: &mut Vec<Mark>) {
    let text = &bytes[part.clone()];
    let first = found.len();
    for (marker, _) in MARKERS {
        for at in memmem::find_iter(text, marker) {
            let begins_line = at == 0 || text[at - 1] == b'\n';
            let label = text.get(at + marker.len()).copied().unwrap_or(b'\n');
            if begins_line && label.is_ascii_graphic() && !b"<>|=".contains(&label) {
                let start = part.start + at;
                let span = Some(start..start + marker.len() - 1);
                found.push(Mark { span, observation: Observation::ConflictMarker(marker.trim_end()) });
            }
        }
    }
    found[first..].sort_by_key(|mark| mark.span.as_ref().map(|span| span.start));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Mark> {
        let mut found = Vec::new();
        marks(bytes, std::slice::from_ref(&(0..bytes.len())), Limits::default(), &mut found);
        found
    }

    #[test]
    fn a_conflict_marker_begins_its_line_and_has_a_label() {
        let text = b"a\n<<<<<<< HEAD\nb\n||||||| 1234567\nc\n=======\nd\n>>>>>>> topic\n";
        let found = all(text);
        let spans: Vec<&[u8]> = found.iter().map(|mark| &text[mark.span.clone().unwrap()]).collect();
        assert_eq!(spans, [b"<<<<<<<", b"|||||||", b">>>>>>>"]);
        for quiet in [
            "Title\n=======\n",
            " <<<<<<< HEAD\n",
            "<<<<<<<\n",
            "<<<<<<< \n",
            "<<<<<<<< x\n",
            "||||||| | |\n",
            "x <<<<<<< y",
        ] {
            assert_eq!(all(quiet.as_bytes()), [], "{quiet:?}");
        }
        assert_eq!(all(b"<<<<<<< x").len(), 1);
    }

    #[test]
    fn lines_outside_of_the_parts_are_not_looked_at() {
        let text = "<<<<<<< a\nx\u{202E}\nz\u{200B}\n<<<<<<< b\n".as_bytes();
        let everything = all(text);
        let mut by_line = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            marks(text, std::slice::from_ref(&(start..start + line.len())), Limits::default(), &mut by_line);
            start += line.len();
        }
        by_line.sort_by_key(|mark| mark.span.clone().map(|span| span.start));
        let mut sorted = everything.clone();
        sorted.sort_by_key(|mark| mark.span.clone().map(|span| span.start));
        assert_eq!(by_line, sorted);
        assert_eq!(everything.len(), 4);
        let mut none = Vec::new();
        marks(text, &[], Limits::default(), &mut none);
        marks(text, std::slice::from_ref(&(500..600)), Limits::default(), &mut none);
        assert_eq!(none, []);
    }

    #[test]
    fn size_is_that_of_the_whole() {
        let mut found = Vec::new();
        marks(b"abcd", &[], Limits { large: 3 }, &mut found);
        assert_eq!(found, [Mark { span: None, observation: Observation::Large(4) }]);
        found.clear();
        marks(b"abcd", &[], Limits { large: 4 }, &mut found);
        assert_eq!(found, []);
    }
}
