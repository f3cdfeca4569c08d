//! Reads PuTTY's format (appendix C of its manual), versions 1 to 3.

use super::{PASSPHRASE, Told, UNREADABLE, pem};

/// What is in a key of PuTTY: lines of `Name: value`, and base64 behind those that count lines.
pub(super) fn tell(value: &[u8]) -> Told {
    let text = String::from_utf8_lossy(value).replace("\\r", "").replace("\\n", "\n");
    let mut lines = text.lines().map(str::trim);
    let (mut kind, mut encryption, mut private) = (None, None, None);
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        match name {
            "Encryption" => encryption = Some(value),
            "Private-Lines" => {
                let count = value.parse().unwrap_or(0usize).min(1000);
                private = pem::decode(lines.by_ref().take(count).collect::<String>().as_bytes());
            }
            _ if name.starts_with("PuTTY-User-Key-File-") => kind = Some(value),
            _ => {}
        }
    }
    match (kind, encryption, private) {
        (Some(kind), Some("none"), Some(private)) if private.len() >= 16 => Told::Plain(
            match kind {
                "ssh-rsa" => "an RSA key",
                "ssh-ed25519" => "an Ed25519 key",
                "ssh-dss" => "a DSA key",
                _ => "an SSH key",
            }
            .to_owned(),
        ),
        (Some(_), Some(cipher), Some(_)) if cipher != "none" => PASSPHRASE,
        _ => UNREADABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encryption_is_named() {
        let key = |encryption: &str| {
            format!(
                "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: {encryption}\r\nComment: me\r\nPublic-Lines: 1\r\nAAAA\r\n\
                 Private-Lines: 1\r\n{}\r\nPrivate-MAC: 00",
                "A".repeat(48)
            )
        };
        assert_eq!(tell(key("none").as_bytes()), Told::Plain("an Ed25519 key".to_owned()));
        assert_eq!(tell(key("aes256-cbc").as_bytes()), PASSPHRASE);
        assert_eq!(tell(key("none").replace("Private-Lines: 1", "").as_bytes()), UNREADABLE);
    }
}
