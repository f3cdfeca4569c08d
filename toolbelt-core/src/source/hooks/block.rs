//! Lines of ours in somebody else's file, between two comments. They are put in as whole lines, so that taking them out
//! gives back every byte of the file, whatever was changed around them meanwhile.

use std::ops::Range;

/// The comment that begins them.
const BEGIN: &str = "# toolbelt begin: `git toolbelt protect uninstall` takes these lines out";
/// The comment that ends them.
const END: &str = "# toolbelt end";

/// Puts lines into a text, at the start of the line that begins at `at`, or at its end; `indent` is in front of each.
///
/// Lines end as those of the text do.
pub(super) fn insert(text: &str, at: usize, indent: &str, lines: &[String]) -> String {
    let end = line_end(text);
    let mut block = String::new();
    let begin = std::iter::once(BEGIN);
    for line in begin.chain(lines.iter().map(String::as_str)).chain([END]) {
        block.push_str(indent);
        block.push_str(line);
        block.push_str(end);
    }
    let (before, after) = text.split_at(at);
    if after.is_empty() && !before.is_empty() && !before.ends_with('\n') {
        // The text does not end its last line, and neither do we: the line end in front of the block is part of it.
        let block = block.strip_suffix(end).unwrap_or(&block);
        return format!("{before}{end}{block}");
    }
    format!("{before}{block}{after}")
}

/// The text without our lines; none if there are none, or if the end of them is missing.
pub(super) fn remove(text: &str) -> Option<String> {
    let mut rest = text.to_owned();
    let mut found = false;
    while let Some(range) = find(&rest) {
        rest.replace_range(range, "");
        found = true;
    }
    found.then_some(rest)
}

/// Whether these words are in a line of ours.
pub(super) fn has(text: &str, words: &str) -> bool {
    lines(text).iter().any(|line| line.contains(words))
}

/// Whether a text has all lines of ours that another one has, in their order. Where they stand does not matter, nor what
/// somebody has put between them.
pub(super) fn covers(text: &str, wanted: &str) -> bool {
    let mut there = lines(text).into_iter();
    lines(wanted).into_iter().all(|wanted| there.any(|line| line == wanted))
}

/// The lines of ours, without those around them and without what they are indented by.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut rest = text.to_owned();
    let mut found = Vec::new();
    while let Some(range) = find(&rest) {
        let ours = rest[range.clone()].lines().map(str::trim).filter(|line| !line.is_empty());
        found.extend(ours.filter(|line| !is_mark(line)).map(str::to_owned));
        rest.replace_range(range, "");
    }
    found
}

/// Whether a line is one of those around ours.
pub(super) fn is_mark(line: &str) -> bool {
    line == BEGIN || line == END
}

/// From the start of the first line to the end of the last, its line end included.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let begin = text.find(BEGIN)?;
    let start = text[..begin].rfind('\n').map_or(0, |end| end + 1);
    let end = begin + text[begin..].find(END)? + END.len();
    if let Some(next) = text[end..].find('\n') {
        return Some(start..end + next + 1);
    }
    // Without a line end behind it, the one in front is ours.
    let before = text[..start].strip_suffix('\n').map_or(start, str::len);
    let before = text[..before].strip_suffix('\r').map_or(before, str::len);
    Some(before..text.len())
}

/// How the lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_taken_out_to_the_byte() {
        let ours = ["a: 1".to_owned(), "  b: 2".to_owned()];
        for text in ["", "x", "x\n", "x\r\n", "x\r\ny", "x\n\ny\n", "\n", "x\ny\n\n\n", "é\r\n\r\n"] {
            let starts = text.match_indices('\n').map(|(at, _)| at + 1).chain([0, text.len()]);
            for at in starts {
                for indent in ["", "    "] {
                    let with = insert(text, at, indent, &ours);
                    assert!(with.contains(&format!("{indent}a: 1{}{indent}  b: 2", line_end(text))), "{with:?}");
                    assert_eq!(remove(&with).unwrap(), text, "{with:?}");
                    let elsewhere = format!("new{}{with}", line_end(text));
                    assert_eq!(remove(&elsewhere).unwrap(), format!("new{}{text}", line_end(text)), "{with:?}");
                }
            }
            assert_eq!(remove(text), None);
        }
    }

    #[test]
    fn ours_are_all_there_wherever_they_stand() {
        let wanted = insert("x\n", 2, "  ", &["a".to_owned(), "b".to_owned()]);
        let moved = insert("x\r\ny\r\n", 0, "", &["a".to_owned(), "new".to_owned(), "b".to_owned()]);
        assert!(covers(&moved, &wanted) && !covers(&wanted, &moved));
        assert!(!covers("a\nb\n", &wanted) && !covers(&insert("", 0, "", &["b".to_owned(), "a".to_owned()]), &wanted));
    }

    #[test]
    fn lines_end_as_those_around_them() {
        let with = insert("a\r\nb\r\n", 3, "", &["c".to_owned()]);
        assert!(!with.replace("\r\n", "").contains('\n'), "{with:?}");
    }

    #[test]
    fn a_beginning_without_an_end_is_left_alone() {
        assert_eq!(remove(&format!("a\n{BEGIN}\nb\n")), None);
    }
}
