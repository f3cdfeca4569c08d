//! The `ssh-keygen` program, for keys that nothing here can use.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::Error;
use crate::finding::Unknown;
use crate::source::file;
use crate::source::program::Program;
use crate::subject::ssh::PublicKey;

/// How long somebody has to give a passphrase or to touch a token, which itself waits for up to a minute.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long checking a signature may take.
const LIMIT: Duration = Duration::from_secs(20);
/// The largest signature that is read.
const MAX_ARMOUR: u64 = 64 << 10;
/// What `ssh-keygen -Y verify` exits with when a signature is wrong.
const WRONG: i32 = 255;
/// How a machine gets the program.
const INSTALL: &str =
    "install OpenSSH: `apt install openssh-client`, `dnf install openssh-clients`, `brew install openssh`";

/// Signs a message with the key in a file, or the one that the agent has; the armour.
pub(super) fn sign(
    program: &str,
    key: Option<&Path>,
    public: &PublicKey,
    namespace: &str,
    message: &[u8],
    variables: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let folder = tempfile::tempdir().map_err(Error::Temporary)?;
    let file = folder.path().join("message");
    fs::write(&file, message).map_err(Error::Temporary)?;
    let named = folder.path().join("key.pub");
    fs::write(&named, format!("{public}\n")).map_err(Error::Temporary)?;
    let failed = |why: String| Error::Program { program: program.to_owned(), why };
    let signing = Program::new(program, Path::new("."), variables)
        .arguments(["-Y", "sign", "-n", namespace, "-f"])
        .arguments([key.unwrap_or(&named), &file]);
    // Its questions, and what it says when it fails, are for whoever sits there.
    let signing = Program { limit: PATIENCE, is_interactive: true, ..signing };
    let status = signing.run().map_err(|error| failed(format!("did not sign: {error}; {INSTALL}")))?.status;
    if !status.success() {
        return Err(failed(format!("did not sign with {}: {status}", public.fingerprint())));
    }
    Ok(file::read_text(&folder.path().join("message.sig"), MAX_ARMOUR)?)
}

/// Whether a signature of a message was made with this key in this namespace, as `ssh-keygen -Y verify` sees it.
///
/// # Errors
///
/// Why that cannot be told: the program is not there, too old, or does not end.
pub fn verify(
    armour: &str,
    message: &[u8],
    key: &PublicKey,
    namespace: &str,
    variables: &BTreeMap<String, String>,
) -> Result<bool, Unknown> {
    let io = |error: io::Error| Unknown::new(format!("cannot write a temporary file: {error}"));
    let folder = tempfile::tempdir().map_err(io)?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("signature"), armour).map_err(io)?;
    // Whose key it is was asked before; here only this one counts.
    fs::write(path("signers"), format!("signer {key}\n")).map_err(io)?;
    let mut variables = variables.clone();
    variables.insert("LC_ALL".to_owned(), "C".to_owned());
    let checking = Program::new("ssh-keygen", folder.path(), &variables)
        .arguments(["-q", "-Y", "verify", "-I", "signer", "-n", namespace])
        .arguments(["-f", "signers", "-s", "signature"]);
    let checking = Program { input: message.to_owned(), limit: LIMIT, ..checking };
    match checking.run().map(|output| output.status.code()) {
        Ok(Some(0)) => Ok(true),
        Ok(Some(WRONG)) => Ok(false),
        Ok(_) => Err(Unknown::new("`ssh-keygen` does not know `-Y verify`").hint(INSTALL)),
        Err(error) => Err(Unknown::new(error.to_string()).hint(INSTALL)),
    }
}
