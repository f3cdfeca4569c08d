//! A text that could not be understood.

use std::ops::Range;

use super::{LineIndex, Location};

/// Why a text could not be understood: what is wrong with it, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", place(location))]
pub struct Malformed {
    /// The file, and the place in it.
    pub location: Location,
    /// What is wrong and what was expected: lower case, without a full stop.
    pub message: String,
    /// What the reader can do.
    pub hint: Option<String>,
    /// The file's whole text, for showing the place; empty if it is no text.
    pub text: String,
}

impl Malformed {
    /// Something wrong at a byte range of a text.
    pub fn at(path: &str, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let region = LineIndex::new(text).region(span);
        Self { location: Location::within(path, region), message: message.into(), hint: None, text: text.to_owned() }
    }

    /// Something wrong with a file as a whole.
    pub fn whole(path: &str, message: impl Into<String>) -> Self {
        Self { location: Location::whole_file(path), message: message.into(), hint: None, text: String::new() }
    }

    /// What the TOML parser says.
    pub fn toml(path: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        match error.span() {
            Some(span) => Self::at(path, text, span, message),
            None => Self { text: text.to_owned(), ..Self::whole(path, message) },
        }
    }

    /// The same, at another byte range of the text.
    #[must_use]
    pub fn moved_to(self, span: Range<usize>) -> Self {
        let region = LineIndex::new(&self.text).region(span);
        Self { location: Location::within(self.location.path, region), ..self }
    }

    /// Adds what the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn place(location: &Location) -> String {
    match &location.region {
        Some(region) => format!("{}:{}:{}", location.path, region.line, region.column),
        None => location.path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_path_line_and_column() {
        let error = Malformed::at("toolbelt.toml", "version = 1\nrulez = 2\n", 12..17, "unknown key `rulez`");
        assert_eq!(error.to_string(), "toolbelt.toml:2:1: unknown key `rulez`");
    }
}
