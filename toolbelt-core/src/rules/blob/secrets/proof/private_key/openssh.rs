//! Reads OpenSSH's own format (`PROTOCOL.key` in its source), and the older one of SSH2.

use super::{PASSPHRASE, Told, UNREADABLE};

/// What is in a key of OpenSSH.
pub(super) fn tell(bytes: &[u8]) -> Told {
    read(bytes).unwrap_or(UNREADABLE)
}

fn read(bytes: &[u8]) -> Option<Told> {
    let mut fields = Fields(bytes.strip_prefix(b"openssh-key-v1\0")?);
    let cipher = fields.string()?;
    let (_derivation, _options) = (fields.string()?, fields.string()?);
    let count = fields.u32()?;
    let public = fields.string()?;
    let private = fields.string()?;
    if count != 1 {
        return None;
    }
    if cipher != b"none" {
        return Some(PASSPHRASE);
    }
    let mut private = Fields(private);
    // The two are equal where decryption was right, or was not needed.
    if private.u32()? != private.u32()? {
        return Some(Told::Broken("its check numbers differ"));
    }
    let kind = private.string()?;
    if Fields(public).string()? != kind {
        return Some(Told::Broken("its public part is of another kind"));
    }
    let what = match kind {
        b"ssh-rsa" => {
            let n = private.string()?;
            let (_e, _d, _inverse) = (private.string()?, private.string()?, private.string()?);
            let (p, q) = (private.string()?, private.string()?);
            if !super::der::is_product(n, p, q) {
                return Some(Told::Broken("its numbers do not fit together"));
            }
            "an RSA key"
        }
        b"ssh-ed25519" => {
            let public = private.string()?;
            let both = private.string()?;
            if public.len() != 32 || both.len() != 64 || !both.ends_with(public) {
                return Some(Told::Broken("its public and its private part do not fit together"));
            }
            "an Ed25519 key"
        }
        b"ssh-dss" => "a DSA key",
        _ if kind.starts_with(b"ecdsa-sha2-") => "an ECDSA key",
        _ if kind.starts_with(b"sk-") => return Some(Told::Guarded("the hardware key that it names keeps the key")),
        _ => "a key",
    };
    private.string()?;
    Some(Told::Plain(what.to_owned()))
}

/// What is in a key of the SSH2 format: a magic number, the length, the kind and the cipher.
pub(super) fn tell_ssh2(bytes: &[u8]) -> Told {
    let mut fields = Fields(bytes);
    let mut read = || {
        let magic = fields.u32()?;
        let _length = fields.u32()?;
        let _kind = fields.string()?;
        let cipher = fields.string()?;
        (magic == 0x3f6f_f9eb && !fields.string()?.is_empty()).then_some(cipher)
    };
    match read() {
        Some(b"none") => Told::Plain("an SSH2 key".to_owned()),
        Some(_) => PASSPHRASE,
        None => UNREADABLE,
    }
}

/// Big-endian lengths and what they count ([RFC 4251](https://www.rfc-editor.org/rfc/rfc4251), 5).
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        let (string, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    fn ed25519(cipher: &[u8], second: u32) -> Vec<u8> {
        let public = [string(b"ssh-ed25519"), string(&[5; 32])].concat();
        let head = [7_u32.to_be_bytes(), second.to_be_bytes()].concat();
        let private = [head, public.clone(), string(&[5; 64]), string(b"me")].concat();
        let start = [b"openssh-key-v1\0".to_vec(), string(cipher), string(b"none"), string(b"")].concat();
        [start, 1_u32.to_be_bytes().to_vec(), string(&public), string(&private)].concat()
    }

    #[test]
    fn the_cipher_says_whether_a_passphrase_protects_it() {
        assert_eq!(tell(&ed25519(b"none", 7)), Told::Plain("an Ed25519 key".to_owned()));
        assert_eq!(tell(&ed25519(b"aes256-ctr", 8)), PASSPHRASE);
        assert_eq!(tell(&ed25519(b"none", 8)), Told::Broken("its check numbers differ"));
        let whole = ed25519(b"none", 7);
        for end in 0..whole.len() {
            assert_eq!(tell(&whole[..end]), UNREADABLE);
        }
    }
}
