//! Private keys: whether the key in the container can be read, and whether a passphrase protects it.
//!
//! Nothing here computes with a key beyond what tells a real one from a made-up one.

mod checks;
mod der;
pub(in crate::rules::blob::secrets) mod file;
mod openpgp;
mod openssh;
mod pem;
mod published;
mod putty;

use crate::subject::sighting::Proof;

/// What can be told of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// It can be used as it is: what it is, with an article.
    Plain(String),
    /// What keeps it from being used as it is, as a sentence.
    Guarded(&'static str),
    /// It is no key: why, as a sentence.
    Broken(&'static str),
    /// There is nothing to check.
    Nothing,
}

const PASSPHRASE: Told = Told::Guarded("it is protected by a passphrase");
const UNREADABLE: Told = Told::Broken("there is no key in it that can be read");

impl From<Told> for Proof {
    fn from(told: Told) -> Self {
        match told {
            Told::Plain(what) => Self::Holds(format!("it is {what} that nothing protects")),
            Told::Guarded(words) | Told::Broken(words) => Self::Fails(words.to_owned()),
            Told::Nothing => Self::None,
        }
    }
}

/// What a value proves: the container is known by how it begins.
pub(in crate::rules::blob::secrets) fn prove(value: &[u8]) -> Proof {
    tell(value).into()
}

fn tell(value: &[u8]) -> Told {
    let starts = |mark: &str| value.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark.as_bytes()));
    if starts("-----BEGIN") || starts("---- BEGIN") {
        pem::tell(value)
    } else if starts("PuTTY-User-Key-File-") {
        putty::tell(value)
    } else if starts("AGE-SECRET-KEY-") || starts("nsec1") {
        checks::bech32(value)
    } else if starts("AGE-PLUGIN-") {
        match checks::bech32(value) {
            Told::Plain(_) => Told::Guarded("the plugin that it names keeps the key, or a part of it"),
            other => other,
        }
    } else if value.get(1..4) == Some(b"prv") {
        checks::extended(value)
    } else if starts("RW") && value.len() > 100 {
        checks::minisign(value)
    } else if starts("Private-key-format:") {
        Told::Plain("a DNSSEC key".to_owned())
    } else if memchr::memchr(b'"', value).is_some() {
        checks::jwk(value)
    } else {
        checks::short(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sentences() {
        let plain = Told::Plain("an RSA key of 2048 bits".to_owned());
        assert_eq!(Proof::from(plain), Proof::Holds("it is an RSA key of 2048 bits that nothing protects".to_owned()));
        assert_eq!(Proof::from(PASSPHRASE), Proof::Fails("it is protected by a passphrase".to_owned()));
    }

    #[test]
    fn anything_is_survived() {
        for value in
            [&b""[..], b"-----BEGIN", b"AGE-SECRET-KEY-", b"xprv", b"RW", b"\"", b"---- BEGIN SSH2", b"\xff\xfe"]
        {
            assert!(!matches!(prove(value), Proof::Holds(_)), "{value:?}");
        }
    }
}
