//! The programs `cargo` and `rustc`: with a time limit, and without credentials.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a program may take: cargo may wait for another cargo, and download.
const LIMIT: Duration = Duration::from_mins(2);
/// The longest answer that is read; 753 packages give 4 MiB.
const MAX_ANSWER: u64 = 256 << 20;
/// How much of what cargo says of a failure is kept.
const MAX_COMPLAINT: u64 = 16 << 10;

/// Parts of the names of variables that hold credentials, such as `CARGO_REGISTRY_TOKEN`.
///
/// Looking at a workspace needs none, and cargo runs programs that the workspace names: a compiler, its wrapper.
const CREDENTIALS: [&str; 4] = ["TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

/// A program of the Rust toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RustProgram {
    /// `cargo`, the one that runs us if there is one.
    Cargo,
    /// `rustc`.
    Rustc,
}

impl RustProgram {
    /// The variable that says where it is, as cargo sets and reads it.
    const fn variable(self) -> &'static str {
        match self {
            Self::Cargo => "CARGO",
            Self::Rustc => "RUSTC",
        }
    }

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Rustc => "rustc",
        }
    }
}

/// Why a program did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not there, or may not be run.
    #[error("`{program}` cannot be started")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It took too long.
    #[error("`{command}` took more than {seconds} seconds")]
    TimedOut {
        /// Program and first argument.
        command: String,
        /// The limit.
        seconds: u64,
    },
    /// It says that it cannot.
    #[error("`{command}` failed: {message}")]
    Failed {
        /// Program and first argument.
        command: String,
        /// What it said on standard error.
        message: String,
    },
    /// It said more than any answer needs.
    #[error("`{command}` printed more than {limit} bytes")]
    TooLarge {
        /// Program and first argument.
        command: String,
        /// The limit.
        limit: u64,
    },
}

impl Error {
    /// What the reader can do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotStarted { .. } => Some("cargo and rustc come with Rust: https://rustup.rs"),
            Self::TimedOut { .. } => {
                Some("another cargo may hold its lock; `cargo fetch --locked` downloads what is missing")
            }
            // What cargo says when `--locked` or `--offline` forbids what it would do.
            Self::Failed { message, .. } if message.contains("--locked") => {
                Some("`cargo generate-lockfile` writes a lock file, `cargo update --workspace` brings one up to date")
            }
            Self::Failed { message, .. } if message.contains("--offline") => {
                Some("`cargo fetch --locked` downloads what is missing")
            }
            Self::Failed { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// Runs a program and returns what it writes to standard output.
///
/// # Errors
///
/// [`Error`] if it does not end well, in time and within bounds.
pub fn run(
    program: RustProgram,
    variables: &BTreeMap<String, String>,
    directory: &Path,
    arguments: &[String],
) -> Result<Vec<u8>, Error> {
    let path = variables.get(program.variable()).filter(|path| !path.is_empty()).map_or(program.name(), String::as_str);
    let first = arguments.first().map(|first| format!(" {first}")).unwrap_or_default();
    let name = || format!("{}{first}", program.name());
    let mut command = Command::new(path);
    command
        .env_clear()
        .envs(variables.iter().filter(|(name, _)| !is_credential(name)))
        .current_dir(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| Error::NotStarted { program: path.to_owned(), source })?;
    let answer = answer(&mut child);
    if answer.is_none() {
        // It may have ended by itself, then there is nothing to end.
        let _ = child.kill();
    }
    let status = child.wait();
    let Some((said, complaint)) = answer else {
        return Err(Error::TimedOut { command: name(), seconds: LIMIT.as_secs() });
    };
    if said.len() as u64 > MAX_ANSWER {
        return Err(Error::TooLarge { command: name(), limit: MAX_ANSWER });
    }
    match status {
        Ok(status) if status.success() => Ok(said),
        Ok(_) | Err(_) => Err(Error::Failed { command: name(), message: reason(&String::from_utf8_lossy(&complaint)) }),
    }
}

/// What it writes to standard output and standard error; none if that takes too long.
fn answer(child: &mut Child) -> Option<(Vec<u8>, Vec<u8>)> {
    let said = read(child.stdout.take(), MAX_ANSWER + 1);
    let complaint = read(child.stderr.take(), MAX_COMPLAINT);
    let said = said.recv_timeout(LIMIT).ok()?;
    // Whoever has closed one has closed the other; a process that it left behind is not waited for.
    Some((said, complaint.recv_timeout(Duration::from_secs(1)).unwrap_or_default()))
}

/// Reads in a thread, which outlives us if the other end is never closed.
fn read(from: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // What was read before an error counts; cargo's exit code says whether it is whole.
            let _ = from.by_ref().take(limit).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
            // Whoever writes into a closed pipe fails for another reason than the one that it had.
            let _ = io::copy(&mut from, &mut io::sink());
        }
    });
    receiver
}

/// What cargo says in one line, without what it says of its progress.
fn reason(complaint: &str) -> String {
    let from = complaint.find("error: ").map_or(complaint, |at| &complaint[at + "error: ".len()..]);
    let lines = from.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "Caused by:");
    let reason = lines.collect::<Vec<_>>().join("; ");
    if reason.is_empty() { "it gave no reason".to_owned() } else { reason }
}

fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    CREDENTIALS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_handed_on() {
        for name in ["CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_OURS_TOKEN", "GITHUB_TOKEN", "aws_secret_access_key"] {
            assert!(is_credential(name), "{name}");
        }
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN", "CARGO_NET_OFFLINE", "HTTPS_PROXY"] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let variables = BTreeMap::from([("CARGO".to_owned(), "/no/such/cargo".to_owned())]);
        let error = run(RustProgram::Cargo, &variables, Path::new("."), &[]).unwrap_err();
        assert_eq!(error.to_string(), "`/no/such/cargo` cannot be started");
        assert!(error.hint().is_some());
    }

    #[test]
    fn what_cargo_says_of_a_failure_is_one_line() {
        let said = "    Updating index\nerror: cannot update the lock file\n\nCaused by:\n  because\n";
        assert_eq!(reason(said), "cannot update the lock file; because");
        assert_eq!(reason(""), "it gave no reason");
    }
}
