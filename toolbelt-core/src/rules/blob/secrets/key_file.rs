//! Contents that are a private key as a whole: containers in binary, which no line of text gives away.

use std::sync::{Arc, LazyLock};

use super::Match;
use super::proof::private_key::file;
use crate::subject::pattern::{Pattern, ProofKind, SecretKind, Shape};
use crate::subject::sighting::{Candidate, SecretValue};

/// The kinds of such contents, as patterns.
pub static PATTERNS: LazyLock<Vec<Arc<Pattern>>> = LazyLock::new(|| {
    let pattern = |(id, name): &(&str, &str)| Pattern {
        id: (*id).to_owned(),
        name: (*name).to_owned(),
        provider: "private key".to_owned(),
        rule: SecretKind::PrivateKey,
        shape: Shape::Judged,
        proof: Some(ProofKind::PrivateKey),
        entropy: 0,
        spans_lines: true,
        revoke: Some(REVOKE.to_owned()),
    };
    file::KINDS.iter().map(|kind| Arc::new(pattern(kind))).collect()
});

/// How a key is made worthless.
const REVOKE: &str = "make a new key, and take the old one out of wherever it is trusted";
/// The longest content that is looked at: key stores hold certificates, too.
const LONGEST: usize = 4 << 20;

/// What a whole content is, if it is a private key or a store of them. Nearly nothing is: the first byte tells.
pub fn look(bytes: &[u8]) -> Option<Match> {
    if bytes.len() > LONGEST {
        return None;
    }
    let (id, _, proof) = file::look(bytes)?;
    let pattern = PATTERNS.iter().find(|pattern| pattern.id == id)?.clone();
    let candidate =
        Candidate { pattern, value: SecretValue::new(bytes), name: None, proof, surroundings: String::new() };
    Some(Match { candidate, span: 0..bytes.len(), layers: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::sighting::Proof;

    #[test]
    fn a_file_that_is_a_key_is_a_match() {
        let key = [&b"== ed25519v1-secret: type0 ==\0\0\0"[..], &[7; 64]].concat();
        let found = look(&key).unwrap();
        assert_eq!((found.candidate.pattern.id.as_str(), found.span), ("tor-hidden-service-key", 0..96));
        assert!(matches!(found.candidate.proof, Proof::Holds(_)));
        assert!(look(b"fn main() {}\n").is_none());
        assert!(look(b"").is_none());
    }
}
