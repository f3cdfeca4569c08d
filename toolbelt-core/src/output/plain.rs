//! Markdown as plain text: enough of it for the explanations of rules, which we write ourselves.

use super::escape::visible;
use super::wrap::wrap;

/// Shows Markdown as text in lines of at most `width` characters.
///
/// Headings stand alone, code is indented and not wrapped, links are followed by their address, and tables stay as they
/// are.
pub(super) fn plain(markdown: &str, width: usize) -> String {
    let mut shown = String::new();
    let mut paragraph = Paragraph::default();
    let mut in_code = false;
    for line in markdown.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            paragraph.end(&mut shown, width);
            in_code = !in_code;
        } else if in_code {
            shown.push_str("    ");
            shown.push_str(&visible(line));
            shown.push('\n');
        } else if trimmed.is_empty() {
            paragraph.end(&mut shown, width);
            if !shown.is_empty() && !shown.ends_with("\n\n") {
                shown.push('\n');
            }
        } else if trimmed.starts_with('#') {
            paragraph.end(&mut shown, width);
            shown.push_str(&inline(trimmed.trim_start_matches('#').trim()));
            shown.push('\n');
        } else if trimmed.starts_with('|') {
            paragraph.end(&mut shown, width);
            shown.push_str(&visible(trimmed));
            shown.push('\n');
        } else {
            if let Some(marker) = list_marker(trimmed) {
                paragraph.end(&mut shown, width);
                let indent = line.len() - line.trim_start().len();
                paragraph.first = format!("{}{marker}", " ".repeat(indent));
                paragraph.text.push_str(&trimmed[marker.len()..]);
            } else {
                paragraph.text.push_str(trimmed);
            }
            paragraph.text.push(' ');
        }
    }
    paragraph.end(&mut shown, width);
    format!("{}\n", shown.trim_end())
}

/// The first paragraph that is not a heading, on one line.
pub(super) fn first_paragraph(markdown: &str) -> String {
    let blocks = markdown.split("\n\n").map(str::trim);
    let text = blocks.map(|block| match block.split_once('\n') {
        Some((heading, text)) if heading.starts_with('#') => text,
        _ => block,
    });
    let paragraph = text.into_iter().find(|text| !text.is_empty() && !text.starts_with(['#', '`', '|']));
    paragraph.map(|text| plain(text, usize::MAX).trim_end().replace('\n', " ")).unwrap_or_default()
}

/// Lines that are being put together.
#[derive(Default)]
struct Paragraph {
    /// A list item's marker with its indentation.
    first: String,
    text: String,
}

impl Paragraph {
    fn end(&mut self, shown: &mut String, width: usize) {
        if !self.text.is_empty() {
            let rest = " ".repeat(self.first.chars().count());
            shown.push_str(&wrap(&inline(&self.text), &self.first, &rest, width));
        }
        *self = Self::default();
    }
}

/// `- `, `* ` or `1. ` at the beginning of a line.
fn list_marker(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let length = match line.as_bytes() {
        [b'-' | b'*', b' ', ..] => 2,
        bytes if digits > 0 && bytes.get(digits..digits + 2) == Some(b". ") => digits + 2,
        _ => return None,
    };
    line.get(..length)
}

/// Writes links as `text <address>` and drops the marks of strong text, except inside code.
fn inline(text: &str) -> String {
    let mut shown = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number > 0 {
            shown.push('`');
        }
        if number % 2 == 1 {
            shown.push_str(part);
        } else {
            shown.push_str(&part.replace("**", ""));
        }
    }
    links(&visible(&shown))
}

fn links(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (Some(open), Some(close)) = (rest[..middle].rfind('['), rest[middle..].find(')')) else { break };
        let (label, address) = (&rest[open + 1..middle], &rest[middle + 2..middle + close]);
        shown.push_str(&rest[..open]);
        shown.push_str(label);
        if label != address {
            shown.push_str(" <");
            shown.push_str(address);
            shown.push('>');
        }
        rest = &rest[middle + close + 1..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_read_well_as_text() {
        let markdown = "## What it detects\n\nA version that is **withdrawn**,\nsee [the book](https://doc.example/yank).\n\n\
            - one long item of a list\n- `a**b`\n  - nested\n\n```sh\ncargo   update -p a-long-name\n```\n\n| a | b |\n|---|---|\n";
        assert_eq!(
            plain(markdown, 30),
            "What it detects\n\nA version that is withdrawn,\nsee the book\n<https://doc.example/yank>.\n\n\
             - one long item of a list\n- `a**b`\n  - nested\n\n    cargo   update -p a-long-name\n\n| a | b |\n|---|---|\n"
        );
    }

    #[test]
    fn first_paragraph_is_not_a_heading() {
        assert_eq!(first_paragraph("## What\n\nOne\ntwo `x`.\n\nThree"), "One two `x`.");
        assert_eq!(first_paragraph("## What\nOne\n"), "One");
        assert_eq!(first_paragraph(""), "");
    }

    #[test]
    fn broken_markdown_is_shown_as_it_is() {
        for text in ["[x](", "](y)", "``", "```", "[x](y", "1.", "-"] {
            let _ = plain(text, 10);
        }
        assert_eq!(plain("a [x](y", 10), "a [x](y\n");
    }
}
