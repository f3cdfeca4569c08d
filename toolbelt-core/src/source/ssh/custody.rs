//! Where the private half of a key is, and how it is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ssh_key::PrivateKey;

use super::{Named, agent};
use crate::source::file;
use crate::subject::ssh::{KeyKind, PublicKey};

/// The largest file with a key.
const MAX_BYTES: u64 = 64 << 10;

/// Where the private half of a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Custody {
    /// In a FIDO token.
    Token,
    /// An agent has it.
    Agent,
    /// In a file that needs a passphrase.
    Encrypted(PathBuf),
    /// In a file that anybody can use who can read it.
    Plain(PathBuf),
    /// In a file that cannot be read here.
    Unknown(PathBuf),
    /// Nowhere that is known.
    Nowhere,
}

/// Finds the private half of a key; `variables` are those of the environment.
pub fn custody(named: &Named, key: &PublicKey, variables: &BTreeMap<String, String>) -> Custody {
    match key.kind() {
        KeyKind::SkEd25519 | KeyKind::SkEcdsaP256 => return Custody::Token,
        KeyKind::Ed25519 | KeyKind::EcdsaP256 | KeyKind::ByProgram | KeyKind::Certificate | KeyKind::Unsupported => {}
    }
    let in_file = match named {
        Named::File(path) => in_file(path),
        Named::Literal(_) => None,
    };
    let socket = variables.get("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
    let in_agent = || socket.is_some_and(|socket| agent::keys(Path::new(socket)).is_ok_and(|keys| keys.contains(key)));
    match in_file {
        // A file that anybody can use is worth telling, also where an agent has it too.
        Some(plain @ Custody::Plain(_)) => plain,
        _ if in_agent() => Custody::Agent,
        Some(found) => found,
        None => Custody::Nowhere,
    }
}

/// How a file keeps a key; none if there is no private half in it or beside it.
fn in_file(path: &Path) -> Option<Custody> {
    let is_public = path.extension().is_some_and(|extension| extension == "pub");
    let path = if is_public { path.with_extension("") } else { path.to_owned() };
    let text = file::read_text(&path, MAX_BYTES).ok()?;
    if !text.trim_start().starts_with("-----BEGIN ") {
        return None;
    }
    Some(match PrivateKey::from_openssh(&text) {
        Ok(key) if key.is_encrypted() => Custody::Encrypted(path),
        Ok(_) => Custody::Plain(path),
        // Older forms say so themselves.
        Err(_) if text.contains("ENCRYPTED") => Custody::Encrypted(path),
        Err(_) => Custody::Unknown(path),
    })
}

/// Whether others than its owner may read a file; not known on systems that say it in another way.
#[cfg(unix)]
pub fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Whether others than its owner may read a file; not known on systems that say it in another way.
#[cfg(not(unix))]
pub fn is_readable_by_others(_: &Path) -> bool {
    false
}
