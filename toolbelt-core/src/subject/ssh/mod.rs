//! SSH public keys, and the encoding that they share with signatures.

pub mod armoured;
pub mod wire;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};

use wire::Reader;

/// The largest encoded key: an RSA key of 16384 bits has 2 KiB, a certificate some more.
const MAX_BLOB: usize = 16 << 10;

/// Base64 as OpenSSH reads it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A public key as OpenSSH writes it: the name of its algorithm and its encoding, which repeats the name.
///
/// Keys are equal if their encodings are. Whether the numbers in it make a key of the algorithm is only seen when a
/// signature is checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    blob: Vec<u8>,
    algorithm: String,
}

/// Why something is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no SSH public key: {0}")]
pub struct NotAKey(&'static str);

/// What can be done with the keys of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `ssh-ed25519`.
    Ed25519,
    /// `ecdsa-sha2-nistp256`.
    EcdsaP256,
    /// `sk-ssh-ed25519@openssh.com`: the private half is in a FIDO token.
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`.
    SkEcdsaP256,
    /// RSA and the larger NIST curves: `ssh-keygen` signs with them and checks them.
    ByProgram,
    /// A certificate, which is a key with somebody's word for it.
    Certificate,
    /// DSA, and what is not known.
    Unsupported,
}

impl PublicKey {
    /// Takes an encoded key: the algorithm's name as an SSH string, then what that algorithm needs.
    ///
    /// # Errors
    ///
    /// [`NotAKey`] if there is no name of printable ASCII characters, nothing after it, or too much.
    pub fn from_blob(blob: &[u8]) -> Result<Self, NotAKey> {
        if blob.len() > MAX_BLOB {
            return Err(NotAKey("it is too long"));
        }
        let mut reader = Reader::new(blob);
        let name = reader.string().ok_or(NotAKey("it ends within the name of its algorithm"))?;
        if name.is_empty() || name.len() > 64 || !name.iter().all(u8::is_ascii_graphic) {
            return Err(NotAKey("the name of its algorithm is not one"));
        }
        if reader.is_empty() {
            return Err(NotAKey("it ends after the name of its algorithm"));
        }
        let algorithm = String::from_utf8_lossy(name).into_owned();
        Ok(Self { blob: blob.to_owned(), algorithm })
    }

    /// Reads `ALGORITHM BASE64`, as in a `.pub` file; what follows is a comment.
    ///
    /// # Errors
    ///
    /// [`NotAKey`] if it is not that, or the two do not name the same algorithm.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let mut words = text.split_ascii_whitespace();
        let (Some(algorithm), Some(digits)) = (words.next(), words.next()) else {
            return Err(NotAKey("expected an algorithm and a key in base64"));
        };
        if digits.len() > MAX_BLOB * 2 {
            return Err(NotAKey("it is too long"));
        }
        let blob = BASE64.decode(digits).map_err(|_| NotAKey("it is not base64"))?;
        let key = Self::from_blob(&blob)?;
        if key.algorithm != algorithm {
            return Err(NotAKey("it is of another algorithm than it says"));
        }
        Ok(key)
    }

    /// The encoded key.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The name of its algorithm: `ssh-ed25519`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// What can be done with it.
    pub fn kind(&self) -> KeyKind {
        match self.algorithm.as_str() {
            "ssh-ed25519" => KeyKind::Ed25519,
            "ecdsa-sha2-nistp256" => KeyKind::EcdsaP256,
            "sk-ssh-ed25519@openssh.com" => KeyKind::SkEd25519,
            "sk-ecdsa-sha2-nistp256@openssh.com" => KeyKind::SkEcdsaP256,
            "ssh-rsa" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => KeyKind::ByProgram,
            name if name.ends_with("-cert-v01@openssh.com") => KeyKind::Certificate,
            _ => KeyKind::Unsupported,
        }
    }

    /// Names it, as `ssh-keygen -l` does: `SHA256:` and the digest of its encoding in base64 without padding.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }
}

/// `ALGORITHM BASE64`, as in a `.pub` file.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, BASE64.encode(&self.blob))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `ssh-keygen -t ed25519`; the fingerprint is what `ssh-keygen -l` says.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDWmC1DCP87bhHh4FUcXHSvTUnU1hjE94J5Sad9qUu5";

    #[test]
    fn keys_are_written_as_they_are_read() {
        let key = PublicKey::parse(&format!("{KEY} alice@example.com\n")).unwrap();
        assert_eq!((key.to_string().as_str(), key.kind()), (KEY, KeyKind::Ed25519));
        assert_eq!(key.fingerprint(), "SHA256:kYRDqF0PjVuh3Tq8CkZqAZL+ssk6/xf2wRM/VFvThRA");
        assert_eq!(PublicKey::from_blob(key.blob()), Ok(key));
    }

    #[test]
    fn what_is_no_key_is_rejected() {
        let other_name = KEY.replacen("ssh-ed25519", "ssh-rsa", 1);
        for text in ["", "ssh-ed25519", "ssh-ed25519 ####", "ssh-ed25519 AAAA", "x AAAAAXg=", &other_name] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
        }
        assert!(PublicKey::from_blob(&[0xff; 8]).is_err());
        assert!(PublicKey::from_blob(&vec![0; MAX_BLOB + 1]).is_err());
    }

    #[test]
    fn kinds_follow_the_algorithm() {
        let of = |name: &str| {
            let mut blob = Vec::new();
            wire::put_string(&mut blob, name.as_bytes());
            wire::put_string(&mut blob, b"numbers");
            PublicKey::from_blob(&blob).unwrap().kind()
        };
        assert_eq!(of("sk-ssh-ed25519@openssh.com"), KeyKind::SkEd25519);
        assert_eq!(of("ecdsa-sha2-nistp521"), KeyKind::ByProgram);
        assert_eq!(of("ssh-ed25519-cert-v01@openssh.com"), KeyKind::Certificate);
        assert_eq!(of("ssh-dss"), KeyKind::Unsupported);
    }
}
