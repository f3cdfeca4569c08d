//! Signatures as `ssh-keygen -Y sign` makes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};

use super::signature::SshSignature;
use crate::subject::ssh::PublicKey;
use crate::subject::ssh::armoured::{Armoured, END, MAGIC, VERSION};
pub use crate::subject::ssh::armoured::{BEGIN, HashName, MAX_BYTES, NotASignature};
use crate::subject::ssh::wire::put_string;

/// A signature with its key, by [PROTOCOL.sshsig](https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig).
///
/// That it can be read says nothing of whether it is right, or whether its key is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSig {
    key: PublicKey,
    namespace: String,
    hash: HashName,
    /// The encoded signature, as it is in the armour.
    blob: Vec<u8>,
    signature: SshSignature,
}

/// How many characters of base64 `ssh-keygen` puts on a line.
const LINE: usize = 70;

impl SshSig {
    /// Puts a signature of [`signed_data`] with SHA-512 together with its key.
    ///
    /// # Errors
    ///
    /// [`NotASignature`] if `blob` is no encoded signature.
    pub fn new(key: PublicKey, namespace: &str, blob: Vec<u8>) -> Result<Self, NotASignature> {
        let signature = SshSignature::from_blob(&blob).ok_or(NotASignature("its signature cannot be read"))?;
        Ok(Self { key, namespace: namespace.to_owned(), hash: HashName::Sha512, blob, signature })
    }

    /// Reads the armour.
    ///
    /// # Errors
    ///
    /// [`NotASignature`] if it is not whole, of another version, or too large.
    pub fn parse(armour: &str) -> Result<Self, NotASignature> {
        Self::of(Armoured::parse(armour)?)
    }

    fn of(Armoured { key, namespace, hash, blob }: Armoured) -> Result<Self, NotASignature> {
        let signature = SshSignature::from_blob(&blob).ok_or(NotASignature("its signature cannot be read"))?;
        Ok(Self { key, namespace, hash, blob, signature })
    }

    /// The key that it says made it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What it is for.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The signature itself.
    pub fn signature(&self) -> &SshSignature {
        &self.signature
    }

    /// What its key had to sign for this message.
    pub fn signed_data(&self, message: &[u8]) -> Vec<u8> {
        signed_data(&self.namespace, self.hash, message)
    }

    /// Writes the armour as `ssh-keygen` does.
    pub fn armour(&self) -> String {
        let mut bytes = MAGIC.to_owned();
        bytes.extend(VERSION.to_be_bytes());
        for part in [self.key.blob(), self.namespace.as_bytes(), b"", self.hash.as_str().as_bytes(), &self.blob] {
            put_string(&mut bytes, part);
        }
        let digits = STANDARD.encode(bytes);
        let mut armour = format!("{BEGIN}\n");
        let mut rest = digits.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(LINE));
            armour.push_str(line);
            armour.push('\n');
            rest = more;
        }
        armour.push_str(END);
        armour.push('\n');
        armour
    }
}

/// What a key signs in place of a message, so that its signature is of no use for anything else.
pub fn signed_data(namespace: &str, hash: HashName, message: &[u8]) -> Vec<u8> {
    let digest = match hash {
        HashName::Sha256 => Sha256::digest(message).to_vec(),
        HashName::Sha512 => Sha512::digest(message).to_vec(),
    };
    let mut data = MAGIC.to_owned();
    for part in [namespace.as_bytes(), b"", hash.as_str().as_bytes(), &digest] {
        put_string(&mut data, part);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::signature::Checked;

    const MESSAGE: &[u8] = b"hello\n";

    /// Made by `ssh-keygen -Y sign -n toolbelt` of OpenSSH 9.2.
    const ED25519: &str = include_str!("testdata/hello.ed25519.sig");
    const P256_SHA256: &str = include_str!("testdata/hello.p256-sha256.sig");
    const RSA: &str = include_str!("testdata/hello.rsa.sig");
    const P384: &str = include_str!("testdata/hello.p384.sig");

    fn from_bytes(bytes: &[u8]) -> Result<SshSig, NotASignature> {
        SshSig::of(Armoured::from_bytes(bytes)?)
    }

    fn checked(armour: &str, message: &[u8]) -> Checked {
        let parsed = SshSig::parse(armour).unwrap();
        parsed.signature().check(parsed.key(), &parsed.signed_data(message))
    }

    #[test]
    fn signatures_of_ssh_keygen_are_checked() {
        for armour in [ED25519, P256_SHA256] {
            assert_eq!(checked(armour, MESSAGE), Checked::Good);
            assert_eq!(checked(armour, b"hello"), Checked::Bad);
        }
        for armour in [RSA, P384] {
            assert_eq!(checked(armour, MESSAGE), Checked::ByProgram);
        }
    }

    #[test]
    fn armour_is_written_as_ssh_keygen_writes_it() {
        for armour in [ED25519, P256_SHA256, RSA, P384] {
            assert_eq!(SshSig::parse(armour).unwrap().armour(), armour);
        }
        let windows = ED25519.replace('\n', "\r\n");
        assert_eq!(SshSig::parse(&windows).unwrap().armour(), ED25519);
    }

    #[test]
    fn a_signature_in_another_namespace_signs_something_else() {
        let parsed = SshSig::parse(ED25519).unwrap();
        let other = signed_data("git", HashName::Sha512, MESSAGE);
        assert_eq!(parsed.namespace(), "toolbelt");
        assert_eq!(parsed.signature().check(parsed.key(), &other), Checked::Bad);
    }

    #[test]
    fn what_is_no_signature_is_rejected() {
        let bytes = STANDARD.decode(ED25519.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
        for end in 0..bytes.len() {
            assert!(from_bytes(&bytes[..end]).is_err(), "cut after {end}");
        }
        assert!(from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        for (old, new) in [("BEGIN SSH", "BEGIN PGP"), ("SSHSIG", ""), ("-----END SSH SIGNATURE-----", "")] {
            assert!(SshSig::parse(&ED25519.replace(old, new)).is_err() || old == "SSHSIG");
        }
        let changed = |from: &[u8], to: &[u8]| {
            let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
            from_bytes(&[&bytes[..at], to, &bytes[at + from.len()..]].concat())
        };
        assert!(changed(b"SSHSIG\0\0\0\x01", b"SSHSIG\0\0\0\x02").is_err());
        assert!(changed(b"sha512", b"sha500").is_err());
        assert!(changed(b"\0\0\0\x08toolbelt", b"\0\0\0\0").is_err());
        assert!(changed(b"toolbelt", b"tool\0elt").is_err());
        assert!(SshSig::parse(&format!("{BEGIN}\n{}\n{END}", "A".repeat(MAX_BYTES))).is_err());
    }
}
