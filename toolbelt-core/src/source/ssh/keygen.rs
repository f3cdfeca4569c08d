//! The `ssh-keygen` program, for keys that nothing here can use.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::Error;
use crate::finding::Unknown;
use crate::source::file;
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
    let mut command = Command::new(program);
    command.args(["-Y", "sign", "-n", namespace, "-f"]).arg(key.unwrap_or(&named)).arg(&file);
    // Its questions, and what it says when it fails, are for whoever sits there.
    command.env_clear().envs(variables).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let child = command.spawn().map_err(|error| failed(format!("cannot be started: {error}; {INSTALL}")))?;
    let status = wait(child, PATIENCE).map_err(|error| failed(error.to_string()))?;
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
    fs::write(path("message"), message).map_err(io)?;
    fs::write(path("signature"), armour).map_err(io)?;
    // Whose key it is was asked before; here only this one counts.
    fs::write(path("signers"), format!("signer {key}\n")).map_err(io)?;
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "verify", "-I", "signer", "-n", namespace]);
    command.arg("-f").arg(path("signers")).arg("-s").arg(path("signature"));
    command.env_clear().envs(variables).env("LC_ALL", "C").stdin(File::open(path("message")).map_err(io)?);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child =
        child.map_err(|error| Unknown::new(format!("`ssh-keygen` cannot be started: {error}")).hint(INSTALL))?;
    match wait(child, LIMIT).map(|status| status.code()) {
        Ok(Some(0)) => Ok(true),
        Ok(Some(WRONG)) => Ok(false),
        Ok(_) => Err(Unknown::new("`ssh-keygen` does not know `-Y verify`").hint(INSTALL)),
        Err(error) => Err(Unknown::new(format!("`ssh-keygen` {error}"))),
    }
}

/// Waits for a program to end; one that does not is ended.
fn wait(mut child: Child, limit: Duration) -> io::Result<ExitStatus> {
    let mut left = limit;
    // Short at first, since most of the time nobody is asked anything.
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if left.is_zero() {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other(format!("took more than {} seconds", limit.as_secs())));
        }
        let rest = pause.min(left);
        thread::sleep(rest);
        left -= rest;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let error = wait(child, Duration::from_millis(20)).unwrap_err();
        assert!(error.to_string().contains("took more than"), "{error}");
    }
}
