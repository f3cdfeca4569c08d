//! Where evidence is kept: with the commits that it is about, or beside the file.
//!
//! Both places hold JSON Lines, one envelope a line, so that two versions are merged by joining their lines.

pub mod notes;
pub mod sidecar;

use crate::evidence::envelope::{self, Envelope};
use crate::subject::malformed::Malformed;

/// The most that is read from one place.
pub const MAX_BYTES: usize = 64 << 20;
/// The most envelopes in one place.
const MAX_LINES: usize = 1000;

/// What one place holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The envelopes, in their order.
    pub envelopes: Vec<Kept>,
    /// Lines that are none; the others count nevertheless.
    pub broken: Vec<Malformed>,
}

/// An envelope, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file, or the ref and the object.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// What is there.
    pub envelope: Envelope,
}

impl Stored {
    /// Reads lines; `path` is what errors call the place. Empty lines are left out.
    pub fn parse(path: &str, content: &[u8]) -> Self {
        let mut stored = Self::default();
        if content.len() > MAX_BYTES {
            stored.broken.push(Malformed::whole(path, format!("it is longer than {MAX_BYTES} bytes")));
            return stored;
        }
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            if line.is_empty() {
                continue;
            }
            if stored.envelopes.len() + stored.broken.len() == MAX_LINES {
                stored.broken.push(Malformed::whole(path, format!("it has more than {MAX_LINES} lines")));
                break;
            }
            match Envelope::parse(line) {
                Ok(envelope) => stored.envelopes.push(Kept { path: path.to_owned(), line: number, envelope }),
                Err(error) => stored.broken.push(broken(path, number, line, &error)),
            }
        }
        stored
    }

    /// Adds what another place holds.
    pub fn extend(&mut self, other: Self) {
        self.envelopes.extend(other.envelopes);
        self.broken.extend(other.broken);
    }
}

/// A line that is no envelope. It is not shown, as it may be long.
fn broken(path: &str, number: u32, line: &[u8], error: &envelope::Error) -> Malformed {
    let is_bundle = line.windows(BUNDLE.len()).take(4096).any(|window| window == BUNDLE);
    let what = if is_bundle { "it is a Sigstore bundle, not an envelope".to_owned() } else { error.to_string() };
    Malformed::whole(path, format!("line {number}: {what}"))
}

/// How the media type of Sigstore's bundles begins.
const BUNDLE: &[u8] = b"application/vnd.dev.sigstore.bundle";

/// Adds the lines to a content that are not there yet; none if there are no such lines.
fn appended(content: &[u8], envelopes: &[Envelope]) -> Option<Vec<u8>> {
    let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let new: Vec<String> = envelopes.iter().map(Envelope::to_json).collect();
    let before = lines.len();
    for line in &new {
        if !lines.contains(&line.as_bytes()) {
            lines.push(line.as_bytes());
        }
    }
    (lines.len() > before).then(|| [&lines.join(&b'\n')[..], b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn envelope(payload: &str) -> Envelope {
        let text =
            format!(r#"{{"payload":"{payload}","payloadType":"x","signatures":[{{"keyid":"a","sig":"AQ=="}}]}}"#);
        Envelope::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_broken_line_is_named_and_the_others_are_read() {
        let one = envelope("AQ==").to_json();
        let text = format!(
            "{one}\n\nnonsense\r\n{one}\r\n{{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"}}"
        );
        let stored = Stored::parse("foo.intoto.jsonl", text.as_bytes());
        assert_eq!(stored.envelopes.iter().map(|kept| kept.line).collect::<Vec<_>>(), [1, 4]);
        let messages: Vec<String> = stored.broken.iter().map(ToString::to_string).collect();
        assert!(messages[0].starts_with("foo.intoto.jsonl: line 3: the envelope is not JSON"), "{messages:?}");
        assert_eq!(messages[1], "foo.intoto.jsonl: line 5: it is a Sigstore bundle, not an envelope");
    }

    #[test]
    fn size_and_count_are_bounded() {
        let many = format!("{}\n", envelope("AQ==").to_json()).repeat(1001);
        let stored = Stored::parse("x", many.as_bytes());
        assert_eq!((stored.envelopes.len(), stored.broken.len()), (1000, 1));
        let stored = Stored::parse("x", &vec![b'\n'; MAX_BYTES + 1]);
        assert_eq!((stored.envelopes.len(), stored.broken.len()), (0, 1));
    }

    #[test]
    fn lines_are_added_once() {
        let (one, two) = (envelope("AQ=="), envelope("Ag=="));
        let first = appended(b"", std::slice::from_ref(&one)).unwrap();
        assert_eq!(first, format!("{}\n", one.to_json()).into_bytes());
        assert_eq!(appended(&first, std::slice::from_ref(&one)), None);
        let both = appended(first.trim_ascii_end(), &[one.clone(), two.clone(), two.clone()]).unwrap();
        assert_eq!(both, format!("{}\n{}\n", one.to_json(), two.to_json()).into_bytes());
    }
}
