//! Files with keys, as OpenSSH keeps them.

use std::path::{Path, PathBuf};

use ssh_key::PrivateKey;

use super::Error;
use crate::source::file;
use crate::subject::ssh::wire::put_string;
use crate::subject::ssh::{KeyKind, PublicKey};

/// The largest file; one with an RSA key of 16384 bits has some 13 KB.
const MAX_BYTES: u64 = 64 << 10;

/// A key as a file has it.
pub(super) struct KeyFile {
    pub(super) public: PublicKey,
    /// The private half, if it can be used as it is.
    pub(super) private: Option<PrivateKey>,
    /// What to name to `ssh-keygen`.
    pub(super) path: Option<PathBuf>,
}

impl KeyFile {
    /// Reads the file with the private half, or the one with the public half: then the private one is looked for beside it.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = file::read_text(path, MAX_BYTES)?;
        if text.trim_start().starts_with("-----BEGIN ") {
            return Self::private(path, &text);
        }
        let public = PublicKey::parse(&text)
            .map_err(|error| Error::NotAKey { path: path.to_owned(), why: format!("it {error}") })?;
        if path.extension().is_some_and(|extension| extension == "pub") {
            let beside = path.with_extension("");
            let private = file::read_text(&beside, MAX_BYTES).ok().and_then(|text| Self::private(&beside, &text).ok());
            if let Some(both) = private.filter(|both| both.public == public) {
                return Ok(both);
            }
        }
        Ok(Self { public, private: None, path: Some(path.to_owned()) })
    }

    fn private(path: &Path, text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::NotAKey { path: path.to_owned(), why };
        let path_of = Some(path.to_owned());
        let private = match PrivateKey::from_openssh(text) {
            Ok(private) => private,
            // Of other forms, and of keys that are not known here, the public half may lie beside.
            Err(error) => {
                let public =
                    file::read_text(&with_pub(path), MAX_BYTES).ok().and_then(|text| PublicKey::parse(&text).ok());
                let public = public.ok_or_else(|| wrong(error.to_string()))?;
                return Ok(Self { public, private: None, path: path_of });
            }
        };
        let blob = private.public_key().to_bytes().map_err(|error| wrong(error.to_string()))?;
        let public = PublicKey::from_blob(&blob).map_err(|error| wrong(format!("it {error}")))?;
        let can_sign = !private.is_encrypted() && matches!(public.kind(), KeyKind::Ed25519 | KeyKind::EcdsaP256);
        Ok(Self { public, private: can_sign.then_some(private), path: path_of })
    }
}

fn with_pub(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

/// Signs bytes as they are: an encoded signature.
pub(super) fn sign(key: &PrivateKey, data: &[u8]) -> Result<Vec<u8>, Error> {
    let signature = signature_of(key, data).map_err(Error::Key)?;
    let mut blob = Vec::new();
    put_string(&mut blob, signature.algorithm().as_str().as_bytes());
    put_string(&mut blob, signature.as_bytes());
    Ok(blob)
}

/// The trait that signs is known by its bound alone.
fn signature_of<K: ssh_key::SigningKey>(key: &K, data: &[u8]) -> Result<ssh_key::Signature, String> {
    key.try_sign(data).map_err(|error| error.to_string())
}
