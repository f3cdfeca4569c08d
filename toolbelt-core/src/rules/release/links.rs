//! Links of a text in Markdown that lead to other files of a repository.
//!
//! This is no Markdown parser: it leaves out what may be code, and takes the rest for a link where it has the form of
//! one. Time and memory are proportional to the text.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::{memchr, memmem};

/// A longer destination is none that anybody wrote.
const LONGEST: usize = 1024;
/// A longer tag is none.
const LONGEST_TAG: usize = 4096;

/// A link to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Where it leads to, without query and fragment, percent-decoded: `docs/guide.md`, `/LICENSE`.
    pub(super) target: String,
    /// Where it is written: bytes into the text.
    pub(super) span: Range<usize>,
}

/// The links of a text that are relative to its folder, or to the root where they begin with `/`, in order.
pub(super) fn relative(text: &str) -> Vec<Link> {
    let prose = without_code(text);
    let mut spans = inline(&prose);
    spans.extend(definitions(&prose));
    spans.extend(attributes(&prose));
    spans.sort_by_key(|span| (span.start, span.end));
    spans.into_iter().filter_map(|span| Some(Link { target: target(text.get(span.clone())?)?, span })).collect()
}

/// Where a path leads to from a folder, both with `/` and relative to the root; none if that is above the root.
pub(super) fn resolve(folder: &str, target: &str) -> Option<String> {
    let base = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The file that a destination names; none if it is no path.
fn target(destination: &str) -> Option<String> {
    let path = destination.split(['#', '?']).next().unwrap_or_default();
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|sign: char| sign.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-_".contains(&byte))
    };
    // `crate::Name`, `Name` and `struct@Name` are for rustdoc, which knows what they are.
    let is_item = !path.contains(['/', '.']) && path.contains(char::is_lowercase);
    if path.is_empty()
        || is_item
        || path.starts_with("//")
        || path.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme))
    {
        return None;
    }
    Some(decoded(&unescaped(path)))
}

/// Without the backslashes that keep punctuation from being read as Markdown.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, signs.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => plain.extend(signs.next()),
            _ => plain.push(sign),
        }
    }
    plain.replace("&amp;", "&")
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let value = value.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(value.unwrap_or(*byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// The text with blanks for everything that is code or a comment, byte for byte.
fn without_code(text: &str) -> Vec<u8> {
    let mut prose = text.as_bytes().to_vec();
    blank_blocks(&mut prose);
    blank_comments(&mut prose);
    blank_spans(&mut prose);
    prose
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// Lines with where they begin, each with its line break.
fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let line = |line: &[u8]| {
        let range = start..start + line.len();
        start = range.end;
        range
    };
    text.split_inclusive(|byte| *byte == b'\n').map(line).collect()
}

/// Blanks fenced code, and what is indented by four columns after an empty line.
fn blank_blocks(text: &mut [u8]) {
    let mut fence: Option<(u8, usize)> = None;
    let mut may_begin = true;
    for range in lines(text) {
        let line = &mut text[range];
        let content = line.trim_ascii();
        let sign = content.first().copied().filter(|sign| b"`~".contains(sign));
        let length = sign.map_or(0, |sign| content.iter().take_while(|byte| **byte == sign).count());
        let is_indented = line.starts_with(b"    ") || line.starts_with(b"\t");
        match (fence, sign) {
            (Some((open, least)), _) => {
                if sign == Some(open) && length >= least && content.len() == length {
                    fence = None;
                }
                blank(line);
                may_begin = true;
            }
            // What follows backticks in its line makes them a span.
            (None, Some(sign)) if length >= 3 && !(sign == b'`' && content[length..].contains(&b'`')) => {
                fence = Some((sign, length));
                blank(line);
            }
            (None, _) => {
                let is_empty = content.is_empty();
                if is_indented && may_begin {
                    blank(line);
                } else {
                    may_begin = is_empty;
                }
            }
        }
    }
}

fn blank_comments(text: &mut [u8]) {
    let mut at = 0;
    while let Some(start) = memmem::find(&text[at..], b"<!--").map(|found| at + found) {
        let end = memmem::find(&text[start..], b"-->").map_or(text.len(), |found| start + found + 3);
        blank(&mut text[start..end]);
        at = end;
    }
}

/// Blanks what stands between runs of backticks of one length, within a paragraph.
fn blank_spans(text: &mut [u8]) {
    let mut start = 0;
    for range in lines(text) {
        if text[range.clone()].trim_ascii().is_empty() {
            blank_spans_of(&mut text[start..range.start]);
            start = range.end;
        }
    }
    blank_spans_of(&mut text[start..]);
}

fn blank_spans_of(paragraph: &mut [u8]) {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in paragraph.iter().enumerate().filter(|(_, byte)| **byte == b'`') {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    // For each run the next one of its length.
    let mut later: BTreeMap<usize, usize> = BTreeMap::new();
    let mut closes: Vec<Option<usize>> =
        runs.iter().enumerate().rev().map(|(at, run)| later.insert(run.len(), at)).collect();
    closes.reverse();
    let mut at = 0;
    while at < runs.len() {
        match closes[at] {
            Some(close) => {
                blank(&mut paragraph[runs[at].start..runs[close].end]);
                at = close + 1;
            }
            None => at += 1,
        }
    }
}

/// Destinations of `[text](destination)` and of images.
fn inline(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = memmem::find(&text[at..], b"](").map(|open| at + open + 2) {
        let start = open + text[open..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let span = destination(text, start);
        // Where so much has no blank, nobody wrote a link.
        at = span.as_ref().map_or(text.len().min(start + LONGEST), |span| span.end);
        found.extend(span);
    }
    found
}

/// A destination that begins here: in angle brackets, or up to a blank or the parenthesis that is not its own.
fn destination(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = text.len().min(start + LONGEST);
    let rest = text.get(start..end)?;
    if let Some(bracketed) = rest.strip_prefix(b"<") {
        let length = memchr(b'>', bracketed).filter(|length| !bracketed[..*length].contains(&b'\n'))?;
        return Some(start + 1..start + 1 + length);
    }
    let mut depth = 0_usize;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(start..start + at),
            b')' => depth -= 1,
            byte if byte.is_ascii_whitespace() => return Some(start..start + at),
            _ => {}
        }
    }
    None
}

/// Destinations of `[label]: destination`.
fn definitions(text: &[u8]) -> Vec<Range<usize>> {
    lines(text).into_iter().filter_map(|range| definition(&text[range.clone()], range.start)).collect()
}

fn definition(line: &[u8], offset: usize) -> Option<Range<usize>> {
    let indent = line.iter().take_while(|byte| **byte == b' ').count();
    let rest = line.get(indent..).filter(|rest| rest.starts_with(b"[") && !rest.starts_with(b"[^"))?;
    let label = memmem::find(rest, b"]:")?;
    // A label has no bracket of its own.
    if rest[1..label].contains(&b'[') {
        return None;
    }
    let after = indent + label + 2;
    let start = after + line[after..].iter().take_while(|byte| b" \t".contains(byte)).count();
    let length = line[start..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let (start, end) = (start, start + length);
    let is_bracketed = length > 2 && line[start] == b'<' && line[end - 1] == b'>';
    let (start, end) = if is_bracketed { (start + 1, end - 1) } else { (start, end) };
    (length > 0 && length <= LONGEST).then_some(offset + start..offset + end)
}

/// Values of `href` and `src` in tags of HTML.
fn attributes(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(end) = memchr(b'>', &text[at..]).map(|end| at + end) {
        // The last `<` before it: what came between was text.
        if let Some(start) = text[at..end].iter().rposition(|byte| *byte == b'<').map(|start| at + start)
            && end - start <= LONGEST_TAG
            && text.get(start + 1).is_some_and(u8::is_ascii_alphabetic)
        {
            let tag = &text[start..end];
            found.extend(values(tag).into_iter().map(|span| start + span.start..start + span.end));
        }
        at = end + 1;
    }
    found
}

fn values(tag: &[u8]) -> Vec<Range<usize>> {
    let lower = tag.to_ascii_lowercase();
    let mut found = Vec::new();
    for name in [&b"href="[..], b"src="] {
        for at in memmem::find_iter(&lower, name) {
            let start = at + name.len() + 1;
            let quote = tag.get(start - 1).copied().filter(|quote| b"\"'".contains(quote));
            let begins = at.checked_sub(1).is_some_and(|before| tag[before].is_ascii_whitespace());
            let length = quote.filter(|_| begins).and_then(|quote| memchr(quote, &tag[start..]));
            found.extend(length.map(|length| start..start + length));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn targets(text: &str) -> Vec<String> {
        relative(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn links_are_found_in_each_of_their_forms() {
        for (text, expected) in [
            ("see [a](docs/a.md) and [b](docs/b.md#part)", &["docs/a.md", "docs/b.md"][..]),
            ("[![x](img/x.svg)](docs/ci.md)", &["img/x.svg", "docs/ci.md"]),
            ("[a]( <docs/a b.md> \"title\")", &["docs/a b.md"]),
            ("[a](docs/a%20b.md)", &["docs/a b.md"]),
            ("[a](docs/(a).md)", &["docs/(a).md"]),
            ("[a](docs/a.md \"title\")", &["docs/a.md"]),
            ("[a](a\\_b.md)", &["a_b.md"]),
            ("[a]: docs/a.md\n [b]: <b.md> 'x'\n", &["docs/a.md", "b.md"]),
            ("<img alt='x' SRC=\"img/a.png\"><a\n href='b.md'>", &["img/a.png", "b.md"]),
            ("[a](/LICENSE)", &["/LICENSE"]),
            ("* [a](docs/a.md)\n    * [b](docs/b.md)\n", &["docs/a.md", "docs/b.md"]),
        ] {
            assert_eq!(targets(text), expected, "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_or_is_code_is_no_link() {
        for text in [
            "[a](https://example.org/a) [b](//example.org) [c](mailto:a@example.org) [d](#part)",
            "[a](crate::Thing) [b](Type::method) [c]() [d](Thing) [e](prim@slice)",
            "`[a](b.md)` and ``[a](`b.md)``",
            "```\n[a](b.md)\n```\n",
            "~~~~ text\n[a](b.md)\n```\n~~~\n~~~~\n",
            "text\n\n    [a](b.md)\n\n\t[a](b.md)\n",
            "<!-- [a](b.md)\n -->",
            "[^1]: note",
            "data-src='x' <b>src='x'</b> <x data-src='x'>",
            "if a[0](b) {",
        ] {
            assert_eq!(targets(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_code_span_ends_with_its_paragraph() {
        assert_eq!(targets("a ` b\n\n[a](b.md) ` c"), ["b.md"]);
        assert_eq!(targets("```rust\nlet a = 1;\n```\n[a](b.md)"), ["b.md"]);
    }

    #[test]
    fn the_span_is_where_it_is_written() {
        let text = "# ä\n[a](docs/a.md#x)\n";
        assert_eq!(&text[relative(text)[0].span.clone()], "docs/a.md#x");
    }

    #[test]
    fn paths_are_resolved_within_the_root() {
        for (folder, target, expected) in [
            ("", "a.md", Some("a.md")),
            ("crates/one", "./docs/a.md", Some("crates/one/docs/a.md")),
            ("crates/one", "../../LICENSE", Some("LICENSE")),
            ("crates/one", "/LICENSE", Some("LICENSE")),
            ("crates/one", "..", Some("crates")),
            ("", "../../issues", None),
        ] {
            assert_eq!(resolve(folder, target).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn strange_texts_do_not_take_long_and_do_not_panic() {
        for part in
            ["](", "](<", "<a href='", "`", "[", "]:", "[a]:", "<!--", "%", "\\", "``` ", "<", ">", "[a](%c3)", "~~~\n"]
        {
            let text = part.repeat(20_000);
            relative(&text);
            relative(&text[..text.len() - 1]);
        }
    }

    proptest! {
        #[test]
        fn every_link_is_where_the_text_has_it(text in "([\\[\\]()<>`~:!\\\\\"'#?%/. \n\tab]|href=|```|<!--|-->|\u{e4}){0,60}") {
            for link in relative(&text) {
                prop_assert!(text.get(link.span.clone()).is_some_and(|written| !written.is_empty()), "{link:?}");
                prop_assert!(!link.target.is_empty());
            }
        }
    }
}
