//! Breaking text into lines.

/// Breaks text between words so that lines have at most `width` characters; a longer word keeps a line of its own.
///
/// The first line starts after `first`, the others after `rest`, both counted in the width. The result ends with a
/// newline. White space between words becomes one space.
pub(super) fn wrap(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut wrapped = first.to_owned();
    let mut column = first.chars().count();
    let mut fresh = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !fresh && column + 1 + length > width {
            wrapped.push('\n');
            wrapped.push_str(rest);
            column = rest.chars().count();
            fresh = true;
        }
        if !fresh {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
        fresh = false;
    }
    wrapped.push('\n');
    wrapped
}

/// Cuts text to at most `limit` characters, the last of which says that something is missing.
pub(super) fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_before_the_width() {
        assert_eq!(wrap("one two three four", "- ", "  ", 9), "- one two\n  three\n  four\n");
        assert_eq!(wrap("incomprehensibilities it is", "", "  ", 8), "incomprehensibilities\n  it is\n");
        assert_eq!(wrap("", "- ", "  ", 8), "- \n");
    }

    #[test]
    fn cut_text_says_so() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
    }
}
