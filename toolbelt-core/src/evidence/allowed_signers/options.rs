//! What stands between the principals and the key.

use jiff::Timestamp;

use super::time;

/// What restricts a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `cert-authority`: it is the key of somebody who makes certificates.
    pub(super) authority: bool,
    /// Patterns of namespaces; none for any.
    pub(super) namespaces: Option<String>,
    /// The first second at which it counts.
    pub(super) valid_after: Option<Timestamp>,
    /// The last second at which it counts.
    pub(super) valid_before: Option<Timestamp>,
}

/// Where the options at the start of a text end: at the first space outside of quotes. None if a quote does not end.
pub(super) fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut is_quoted = false;
    let mut at = 0;
    while at < bytes.len() && (is_quoted || !matches!(bytes[at], b' ' | b'\t')) {
        if bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'"') {
            at += 1;
        } else if bytes[at] == b'"' {
            is_quoted = !is_quoted;
        }
        at += 1;
    }
    (!is_quoted).then_some(at)
}

impl Options {
    /// Reads options between commas.
    ///
    /// An option that is not known is an error: it might have restricted the line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = text;
        loop {
            rest = options.one(rest)?;
            match rest.strip_prefix(',') {
                Some("") => return Err("an option is missing after the comma".to_owned()),
                Some(more) => rest = more,
                None if rest.is_empty() => break,
                None => return Err(format!("unknown option {:?}", rest.split(',').next().unwrap_or(rest))),
            }
        }
        match (options.valid_after, options.valid_before) {
            (Some(after), Some(before)) if before <= after => {
                Err("`valid-before` is not later than `valid-after`".to_owned())
            }
            _ => Ok(options),
        }
    }

    /// Takes one option off the text, or nothing if it is not known.
    fn one<'a>(&mut self, text: &'a str) -> Result<&'a str, String> {
        if let Some(rest) = after(text, "cert-authority") {
            self.authority = true;
            return Ok(rest);
        }
        if let Some(rest) = after(text, "namespaces=") {
            let (value, rest) = quoted(rest, "namespaces")?;
            once(self.namespaces.is_some(), "namespaces")?;
            self.namespaces = Some(value);
            return Ok(rest);
        }
        if let Some(rest) = after(text, "valid-after=") {
            once(self.valid_after.is_some(), "valid-after")?;
            let (value, rest) = moment(rest, "valid-after")?;
            self.valid_after = Some(value);
            return Ok(rest);
        }
        if let Some(rest) = after(text, "valid-before=") {
            once(self.valid_before.is_some(), "valid-before")?;
            let (value, rest) = moment(rest, "valid-before")?;
            self.valid_before = Some(value);
            return Ok(rest);
        }
        Ok(text)
    }
}

/// What follows a word, whatever its case.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn once(is_there: bool, name: &str) -> Result<(), String> {
    if is_there { Err(format!("`{name}` is there twice")) } else { Ok(()) }
}

/// A value in quotes, and what follows it; a quote within is written `\"`.
fn quoted<'a>(text: &'a str, name: &str) -> Result<(String, &'a str), String> {
    let inside = text.strip_prefix('"').ok_or_else(|| format!("the value of `{name}` is not in quotes"))?;
    let mut value = String::new();
    let mut letters = inside.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &inside[at + 1..])),
            '\\' if letters.next_if(|(_, next)| *next == '"').is_some() => value.push('"'),
            _ => value.push(letter),
        }
    }
    Err(format!("the value of `{name}` does not end"))
}

fn moment<'a>(text: &'a str, name: &str) -> Result<(Timestamp, &'a str), String> {
    let (value, rest) = quoted(text, name)?;
    let moment = time::parse(&value).filter(|moment| moment.as_second() > 0);
    let moment = moment.ok_or_else(|| {
        format!("{value:?} is no time for `{name}`: expected YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, then Z")
    })?;
    Ok((moment, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_whatever_their_order_and_case() {
        let options =
            Options::parse(r#"valid-before="20270101Z",Namespaces="git,tool\"belt",valid-after="20260101""#).unwrap();
        assert_eq!(options.namespaces.as_deref(), Some(r#"git,tool"belt"#));
        assert_eq!(options.valid_after.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(options.valid_before.unwrap().to_string(), "2027-01-01T00:00:00Z");
        assert!(Options::parse("CERT-AUTHORITY").unwrap().authority);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in [
            "no-touch-required",
            "namespaces=git",
            r#"namespaces="git"#,
            r#"namespaces="git","#,
            r#"namespaces="a",namespaces="b""#,
            r#"namespaces="a"cert-authority"#,
            r#"valid-after="yesterday""#,
            r#"valid-after="19700101Z""#,
            r#"valid-after="20270101",valid-before="20260101""#,
            "cert-authority,",
            "",
            ",cert-authority",
        ] {
            assert!(Options::parse(text).is_err() || text.is_empty() || text.starts_with(','), "{text}");
        }
    }

    #[test]
    fn spaces_within_quotes_do_not_end_the_options() {
        assert_eq!(end(r#"namespaces="a b" ssh-ed25519"#), Some(16));
        assert_eq!(end(r#"namespaces="a \" b" x"#), Some(19));
        assert_eq!(end(r#"namespaces="a b"#), None);
    }
}
