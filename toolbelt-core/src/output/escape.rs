//! Making visible what a terminal, a browser or an editor would obey or hide.
//!
//! Names, messages and source lines come from strangers. A control character can move the cursor or recolour what was
//! printed before, a bidirectional override shows text in another order than it is read
//! ([CVE-2021-42574](https://nvd.nist.gov/vuln/detail/CVE-2021-42574)), and an invisible character makes two names look
//! alike.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

/// Whether a character is obeyed or not shown, rather than shown.
///
/// Control characters (Cc), format characters (Cf), line and paragraph separators, variation selectors, and letters and
/// symbols without a glyph.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}'
            | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Writes hidden characters as Rust does in string literals (`\n`, `\u{202e}`); the result is one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    Cow::Owned(shown)
}

/// The same for a text of several lines: they stay lines, and those after the first are indented, so that none of them can
/// be taken for a line of ours.
pub fn visible_lines(text: &str) -> String {
    let indented = |line: &str| if line.is_empty() { String::new() } else { format!("  {}", visible(line)) };
    let mut lines = text.trim_end_matches('\n').split('\n');
    let first = lines.next().map(|line| visible(line).into_owned());
    first.into_iter().chain(lines.map(indented)).collect::<Vec<_>>().join("\n")
}

/// Adds one character as [`visible`] writes it.
pub fn push_visible(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        _ if is_hidden(character) => shown.extend(character.escape_unicode()),
        _ => shown.push(character),
    }
}

/// Writes indented JSON, ended by a newline, in which hidden characters are `\uXXXX`.
///
/// To a JSON reader it is the same; printed to a terminal it is harmless.
pub(crate) fn write_json(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, VisibleJson(PrettyFormatter::new()));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Indented JSON with hidden characters escaped.
struct VisibleJson(PrettyFormatter<'static>);

impl Formatter for VisibleJson {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, hidden)) = rest.char_indices().find(|(_, character)| is_hidden(*character)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut escaped = String::new();
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").map_err(io::Error::other)?;
            }
            writer.write_all(escaped.as_bytes())?;
            rest = &rest[at + hidden.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_as_rust_does() {
        assert_eq!(visible("a\u{1b}[31m\nb\u{202e}c\u{9b}"), "a\\u{1b}[31m\\nb\\u{202e}c\\u{9b}");
        assert!(matches!(visible("`naïve` — 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn several_lines_stay_lines_and_nothing_else_is_obeyed() {
        let said = "`cargo package` failed:\n   Compiling a\u{1b}[31m\r\n\nhint: \u{202e}x\n";
        assert_eq!(
            visible_lines(said),
            "`cargo package` failed:\n     Compiling a\\u{1b}[31m\\r\n\n  hint: \\u{202e}x"
        );
    }

    #[test]
    fn json_hides_nothing_and_reads_back_the_same() {
        let text = "a\u{9b}\u{202e}b\u{e0041}\n\u{7f}\"\\";
        let mut written = Vec::new();
        write_json(&text, &mut written).unwrap();
        assert_eq!(
            String::from_utf8(written.clone()).unwrap(),
            "\"a\\u009b\\u202eb\\udb40\\udc41\\n\\u007f\\\"\\\\\"\n"
        );
        assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
    }
}
