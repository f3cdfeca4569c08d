//! Signatures as SSH encodes them, and as DSSE verifiers expect them.

use signature::Verifier as _;
use ssh_key::public::KeyData;

use crate::subject::ssh::wire::{Reader, put_string};
use crate::subject::ssh::{KeyKind, PublicKey};

/// The largest signature: one of an RSA key of 16384 bits has 2 KiB.
const MAX_BYTES: usize = 16 << 10;

/// A signature: the name of its algorithm and its encoding, which for FIDO tokens includes what they vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSignature {
    algorithm: String,
    data: Vec<u8>,
    token: Option<Token>,
}

/// What a FIDO token says of a signature, [in its flags](https://www.w3.org/TR/webauthn-2/#authdata-flags).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Presence {
    /// Somebody touched the token.
    pub touched: bool,
    /// Somebody gave its PIN, or a fingerprint.
    pub verified: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    flags: u8,
    counter: u32,
}

/// What came of checking a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is right.
    Good,
    /// It is wrong.
    Bad,
    /// Only `ssh-keygen` can tell.
    ByProgram,
    /// Nobody here can tell.
    Unsupported,
}

impl SshSignature {
    /// Reads an encoded signature; none if it is not one, is too large, or something follows it.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        if blob.len() > MAX_BYTES {
            return None;
        }
        let mut reader = Reader::new(blob);
        let algorithm = String::from_utf8(reader.string()?.to_owned()).ok()?;
        let data = reader.string()?.to_owned();
        let token = match algorithm.as_str() {
            "sk-ssh-ed25519@openssh.com" | "sk-ecdsa-sha2-nistp256@openssh.com" => {
                Some(Token { flags: reader.byte()?, counter: reader.number()? })
            }
            _ => None,
        };
        let is_whole = reader.is_empty() || algorithm.starts_with("webauthn-");
        is_whole.then_some(Self { algorithm, data, token })
    }

    /// What the FIDO token says that made it; none for other keys.
    pub fn presence(&self) -> Option<Presence> {
        self.token.map(|token| Presence { touched: token.flags & 0x01 != 0, verified: token.flags & 0x04 != 0 })
    }

    /// Checks it against a key and what was signed.
    pub fn check(&self, key: &PublicKey, message: &[u8]) -> Checked {
        match key.kind() {
            // A browser's signature with such a key has another form.
            KeyKind::SkEcdsaP256 if self.algorithm.starts_with("webauthn-") => Checked::ByProgram,
            KeyKind::Ed25519 | KeyKind::EcdsaP256 | KeyKind::SkEd25519 | KeyKind::SkEcdsaP256 => {
                if self.is_by(key, message).is_some() { Checked::Good } else { Checked::Bad }
            }
            KeyKind::ByProgram => Checked::ByProgram,
            KeyKind::Certificate | KeyKind::Unsupported => Checked::Unsupported,
        }
    }

    /// Something if it is right.
    fn is_by(&self, key: &PublicKey, message: &[u8]) -> Option<()> {
        if self.algorithm != key.algorithm() {
            return None;
        }
        let mut data = self.data.clone();
        if let Some(token) = self.token {
            data.push(token.flags);
            data.extend(token.counter.to_be_bytes());
        }
        let parsed = ssh_key::PublicKey::from_bytes(key.blob()).ok()?;
        let signature = ssh_key::Signature::new(parsed.algorithm(), data).ok()?;
        let key: &KeyData = parsed.key_data();
        key.verify(message, &signature).ok()
    }

    /// The form that any DSSE verifier knows: 64 bytes for Ed25519, the DER of RFC 3279 for ECDSA with P-256.
    ///
    /// None for other keys: those of FIDO tokens do not sign the message itself.
    pub fn to_raw(&self) -> Option<Vec<u8>> {
        match self.algorithm.as_str() {
            "ssh-ed25519" => Some(self.data.clone()),
            "ecdsa-sha2-nistp256" => {
                let mut reader = Reader::new(&self.data);
                der(reader.string()?, reader.string()?)
            }
            _ => None,
        }
    }

    /// Reads the form that any DSSE verifier knows; none if it is not that of such a key.
    pub fn from_raw(kind: KeyKind, raw: &[u8]) -> Option<Self> {
        let (algorithm, data) = match kind {
            KeyKind::Ed25519 => ("ssh-ed25519", (raw.len() == 64).then(|| raw.to_owned())?),
            KeyKind::EcdsaP256 => {
                let (r, s) = numbers(raw)?;
                let mut data = Vec::new();
                put_string(&mut data, r);
                put_string(&mut data, s);
                ("ecdsa-sha2-nistp256", data)
            }
            KeyKind::SkEd25519
            | KeyKind::SkEcdsaP256
            | KeyKind::ByProgram
            | KeyKind::Certificate
            | KeyKind::Unsupported => return None,
        };
        Some(Self { algorithm: algorithm.to_owned(), data, token: None })
    }
}

/// A sequence of two numbers in DER. The numbers of SSH and of DER are written alike; two of P-256 fit a short length.
fn der(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0x30, u8::try_from(r.len() + s.len() + 4).ok().filter(|length| *length < 0x80)?];
    for number in [r, s] {
        out.extend([0x02, u8::try_from(number.len()).ok()?]);
        out.extend(number);
    }
    Some(out)
}

/// The two numbers of a sequence in DER; none if there is anything else, or one is not as short as it can be.
fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(der);
    let (tag, length) = (reader.byte()?, usize::from(reader.byte()?));
    if tag != 0x30 || length >= 0x80 || length + 2 != der.len() {
        return None;
    }
    let both = (number(&mut reader)?, number(&mut reader)?);
    reader.is_empty().then_some(both)
}

fn number<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let tag = reader.byte()?;
    let length = reader.byte().filter(|length| (1..0x80).contains(length))?;
    let number = reader.take(length.into())?;
    let is_shortest = number[0] != 0 || number.get(1).is_some_and(|next| next & 0x80 != 0);
    (tag == 0x02 && number[0] & 0x80 == 0 && is_shortest).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_der_are_read_as_they_are_written() {
        let (r, s) = (&[0x00, 0x80, 1][..], &[0x7f][..]);
        let written = der(r, s).unwrap();
        assert_eq!(written, [0x30, 8, 2, 3, 0, 0x80, 1, 2, 1, 0x7f]);
        assert_eq!(numbers(&written), Some((r, s)));
    }

    #[test]
    fn der_has_one_form() {
        for wrong in [
            &[][..],
            &[0x30, 6, 2, 1, 1, 2, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 3, 1, 1, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1],
            &[0x30, 5, 2, 0, 2, 1, 1],
        ] {
            assert_eq!(numbers(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_signature_is_whole_and_of_moderate_size() {
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-ed25519");
        put_string(&mut blob, &[0; 64]);
        assert!(SshSignature::from_blob(&blob).is_some());
        assert!(SshSignature::from_blob(&blob[..blob.len() - 1]).is_none());
        blob.push(0);
        assert!(SshSignature::from_blob(&blob).is_none());
        assert!(SshSignature::from_blob(&vec![0; MAX_BYTES + 1]).is_none());
    }

    #[test]
    fn tokens_say_whether_somebody_was_there() {
        let with = |flags: u8| {
            let mut blob = Vec::new();
            put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
            put_string(&mut blob, &[0; 64]);
            blob.extend([flags, 0, 0, 0, 9]);
            SshSignature::from_blob(&blob).unwrap().presence().unwrap()
        };
        assert_eq!(with(0x01), Presence { touched: true, verified: false });
        assert_eq!(with(0x05), Presence { touched: true, verified: true });
        assert_eq!(with(0x80), Presence { touched: false, verified: false });
    }
}
