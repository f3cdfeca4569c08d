//! What sort of key it is, and how it is kept.

use super::{Identity, SETUP, State};
use crate::ops::Environment;
use crate::source::ssh::custody::{Custody, custody, is_readable_by_others};
use crate::source::ssh::{Error, Named, SigningKey};
use crate::subject::ssh::wire::Reader;
use crate::subject::ssh::{KeyKind, PublicKey};

/// Fewer bits than this are broken, or nearly so.
const WEAK: usize = 2048;
/// Fewer bits than this are [not enough after 2030](https://doi.org/10.6028/NIST.SP.800-57pt1r5).
const SHORT: usize = 3072;

/// Looks at the key that git is told to sign with.
pub(super) fn look(named: &Named, environment: &Environment, identity: &mut Identity) {
    let found = match SigningKey::find(named, "ssh-keygen", &environment.variables) {
        Ok(found) => found,
        Err(Error::Unsupported { algorithm }) => {
            let message = format!("is of type `{algorithm}`, with which nothing here can sign");
            identity.advise("user.signingkey", State::Wrong, message, SETUP);
            return;
        }
        Err(error) => {
            identity.advise("user.signingkey", State::Wrong, error.to_string(), SETUP);
            return;
        }
    };
    let key = found.public();
    identity.key = Some(key.to_string());
    identity.fingerprint = Some(key.fingerprint());
    let (state, words) = strength(key);
    let message = format!("{} is {words}", key.fingerprint());
    match state {
        State::Good => identity.say("user.signingkey", state, message),
        State::Noted | State::Unknown | State::Wrong => {
            identity.advise("user.signingkey", state, message, "ssh-keygen -t ed25519");
        }
    }
    kept(&custody(named, key, &environment.variables), identity);
}

/// How the private half is kept.
fn kept(custody: &Custody, identity: &mut Identity) {
    match custody {
        Custody::Token => {
            let hint = "`git toolbelt identity --test` tells whether it wants to be touched, and its PIN";
            identity.advise("private key", State::Good, "is in a FIDO token", hint);
        }
        Custody::Agent => identity.say("private key", State::Good, "is with the SSH agent"),
        Custody::Encrypted(path) => {
            identity.say("private key", State::Good, format!("`{}` needs a passphrase", path.display()));
        }
        Custody::Plain(path) if is_readable_by_others(path) => {
            let message = format!("`{}` can be read by others", path.display());
            identity.advise("private key", State::Wrong, message, format!("chmod 600 {}", path.display()));
        }
        Custody::Plain(path) => {
            let message = format!("`{}` needs no passphrase: who can read it can sign", path.display());
            identity.advise("private key", State::Noted, message, format!("ssh-keygen -p -f {}", path.display()));
        }
        Custody::Unknown(path) => {
            identity.say("private key", State::Noted, format!("`{}` is of an older form", path.display()));
        }
        Custody::Nowhere => {
            let message = "is neither beside the public one nor with the SSH agent";
            identity.advise("private key", State::Wrong, message, "ssh-add FILE".to_owned());
        }
    }
}

/// Whether a key is strong, in words that follow "is".
pub(super) fn strength(key: &PublicKey) -> (State, String) {
    match key.kind() {
        KeyKind::Ed25519 => (State::Good, "an Ed25519 key".to_owned()),
        KeyKind::EcdsaP256 => (State::Good, "an ECDSA key (P-256)".to_owned()),
        KeyKind::SkEd25519 => (State::Good, "an Ed25519 key in a FIDO token".to_owned()),
        KeyKind::SkEcdsaP256 => (State::Good, "an ECDSA key in a FIDO token".to_owned()),
        KeyKind::ByProgram => match bits(key) {
            Some(bits) if bits < WEAK => (State::Wrong, format!("an RSA key of {bits} bits, which is too weak")),
            Some(bits) if bits < SHORT => (State::Noted, format!("an RSA key of {bits} bits, which is short")),
            Some(bits) => (State::Good, format!("an RSA key of {bits} bits")),
            None => (State::Good, format!("a key of type `{}`", key.algorithm())),
        },
        KeyKind::Certificate | KeyKind::Unsupported => {
            (State::Wrong, format!("of type `{}`, which is not supported", key.algorithm()))
        }
    }
}

/// The bits of an RSA key's modulus; none for other keys.
fn bits(key: &PublicKey) -> Option<usize> {
    let mut reader = Reader::new(key.blob());
    if reader.string()? != b"ssh-rsa" {
        return None;
    }
    reader.string()?;
    let modulus = reader.string()?;
    let digits = &modulus[modulus.iter().position(|byte| *byte != 0)?..];
    let zeros = digits.first()?.leading_zeros();
    Some(digits.len() * 8 - usize::try_from(zeros).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::ssh::wire::put_string;

    fn rsa(modulus: &[u8]) -> PublicKey {
        let mut blob = Vec::new();
        for part in [b"ssh-rsa".as_slice(), &[1, 0, 1], modulus] {
            put_string(&mut blob, part);
        }
        PublicKey::from_blob(&blob).unwrap()
    }

    #[test]
    fn bits_of_rsa_keys_are_counted_without_leading_zeros() {
        let of = |bytes: usize, first: u8| {
            let mut modulus = vec![0xff; bytes];
            modulus[0] = first;
            strength(&rsa(&[&[0], &modulus[..]].concat()))
        };
        assert_eq!(of(128, 0xff), (State::Wrong, "an RSA key of 1024 bits, which is too weak".to_owned()));
        assert_eq!(of(256, 0x7f).0, State::Wrong);
        assert_eq!(of(256, 0x80).0, State::Noted);
        assert_eq!(of(384, 0x80), (State::Good, "an RSA key of 3072 bits".to_owned()));
        assert_eq!(strength(&rsa(&[])).0, State::Good, "what is no number is not counted");
    }
}
