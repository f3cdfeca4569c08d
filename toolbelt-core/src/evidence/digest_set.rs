//! Digests of one thing under several algorithms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An in-toto [DigestSet](https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md): the name of an
/// algorithm and its digits.
///
/// Not empty. The digits of algorithms that are known are lower-case hexadecimal and as many as they have to be; of others
/// they are printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct DigestSet(BTreeMap<String, String>);

/// Why something is no set of digests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It has none.
    #[error("there is no digest")]
    Empty,
    /// It has more than a thing can honestly have.
    #[error("there are more than {MAX_DIGESTS} digests of one thing")]
    TooMany,
    /// The name of an algorithm is not one.
    #[error("{name:?} is no name of a digest's algorithm")]
    Name {
        /// What stands for a name.
        name: String,
    },
    /// The digits are not those of such an algorithm.
    #[error("the digest `{name}` is not {expected}")]
    Digits {
        /// The algorithm.
        name: String,
        /// What its digits are.
        expected: &'static str,
    },
}

/// The most digests of one thing.
const MAX_DIGESTS: usize = 32;
/// The longest digits of an algorithm that is not known.
const MAX_DIGITS: usize = 1024;

/// The algorithms that are known, by the specification's names, and how long their digits may be.
const KNOWN: [(&str, &[usize], &str); 19] = [
    ("sha256", &[64], "64 lower-case hexadecimal digits"),
    ("sha512", &[128], "128 lower-case hexadecimal digits"),
    ("gitCommit", &[40, 64], "40 or 64 lower-case hexadecimal digits"),
    ("gitTree", &[40, 64], "40 or 64 lower-case hexadecimal digits"),
    ("gitBlob", &[40, 64], "40 or 64 lower-case hexadecimal digits"),
    ("gitTag", &[40, 64], "40 or 64 lower-case hexadecimal digits"),
    ("sha1", &[40], "40 lower-case hexadecimal digits"),
    ("sha224", &[56], "56 lower-case hexadecimal digits"),
    ("sha384", &[96], "96 lower-case hexadecimal digits"),
    ("sha512_224", &[56], "56 lower-case hexadecimal digits"),
    ("sha512_256", &[64], "64 lower-case hexadecimal digits"),
    ("sha3_224", &[56], "56 lower-case hexadecimal digits"),
    ("sha3_256", &[64], "64 lower-case hexadecimal digits"),
    ("sha3_384", &[96], "96 lower-case hexadecimal digits"),
    ("sha3_512", &[128], "128 lower-case hexadecimal digits"),
    ("blake2b", &[128], "128 lower-case hexadecimal digits"),
    ("blake2s", &[64], "64 lower-case hexadecimal digits"),
    ("md5", &[32], "32 lower-case hexadecimal digits"),
    ("ripemd160", &[40], "40 lower-case hexadecimal digits"),
];

impl DigestSet {
    /// One digest.
    ///
    /// # Errors
    ///
    /// [`Error`] if these are not the digits of such an algorithm.
    pub fn one(algorithm: &str, digits: &str) -> Result<Self, Error> {
        BTreeMap::from([(algorithm.to_owned(), digits.to_owned())]).try_into()
    }

    /// Algorithms and digits, sorted by algorithm.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, digits)| (name.as_str(), digits.as_str()))
    }

    /// The digits under one algorithm.
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        self.0.get(algorithm).map(String::as_str)
    }
}

impl TryFrom<BTreeMap<String, String>> for DigestSet {
    type Error = Error;

    fn try_from(digests: BTreeMap<String, String>) -> Result<Self, Error> {
        if digests.is_empty() {
            return Err(Error::Empty);
        }
        if digests.len() > MAX_DIGESTS {
            return Err(Error::TooMany);
        }
        for (name, digits) in &digests {
            check(name, digits)?;
        }
        Ok(Self(digests))
    }
}

impl From<DigestSet> for BTreeMap<String, String> {
    fn from(set: DigestSet) -> Self {
        set.0
    }
}

fn check(name: &str, digits: &str) -> Result<(), Error> {
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Name { name: name.chars().take(64).collect() });
    }
    let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    let (is_right, expected) = if let Some((_, lengths, expected)) = KNOWN.iter().find(|(known, _, _)| *known == name) {
        (lengths.contains(&digits.len()) && digits.bytes().all(is_hex), *expected)
    } else {
        let is_printable = digits.bytes().all(|byte| byte.is_ascii_graphic());
        (!digits.is_empty() && digits.len() <= MAX_DIGITS && is_printable, "printable and of moderate length")
    };
    if is_right { Ok(()) } else { Err(Error::Digits { name: name.to_owned(), expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_to_be_those_of_the_algorithm() {
        assert!(DigestSet::one("sha256", &"0a".repeat(32)).is_ok());
        assert!(DigestSet::one("gitCommit", &"0a".repeat(20)).is_ok());
        assert!(DigestSet::one("gitCommit", &"0a".repeat(32)).is_ok());
        assert!(DigestSet::one("dirHash", "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=").is_ok());
        for (name, digits) in [
            ("sha256", "0A".repeat(32)),
            ("sha256", "0a".repeat(31)),
            ("sha256", "0g".repeat(32)),
            ("gitTree", "0a".repeat(21)),
            ("dirHash", String::new()),
            ("dirHash", "a b".to_owned()),
            ("dirHash", "a".repeat(1025)),
            ("", "a".to_owned()),
            ("sha 256", "a".to_owned()),
        ] {
            assert!(DigestSet::one(name, &digits).is_err(), "{name} {digits}");
        }
    }

    #[test]
    fn sets_are_neither_empty_nor_huge() {
        assert_eq!(DigestSet::try_from(BTreeMap::new()), Err(Error::Empty));
        let many = (0..33).map(|number| (format!("hash{number}"), "0".to_owned())).collect::<BTreeMap<_, _>>();
        assert_eq!(DigestSet::try_from(many), Err(Error::TooMany));
    }
}
