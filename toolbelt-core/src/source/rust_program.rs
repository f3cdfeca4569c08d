//! The programs `cargo` and `rustc`: with a time limit, and without credentials.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::program::{self, Program};
use super::registry::clean_environment::clean_environment;

/// Cargo may wait for another cargo, and download; 753 packages give an answer of 4 MiB.
const LIMITS: Limits = Limits { time: Duration::from_mins(2), bytes: 256 << 20 };

/// What a program may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    time: Duration,
    /// Of standard output.
    bytes: u64,
}

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
        source: program::Error,
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
    run_within(LIMITS, program, variables, directory, arguments)
}

fn run_within(
    limits: Limits,
    program: RustProgram,
    variables: &BTreeMap<String, String>,
    directory: &Path,
    arguments: &[String],
) -> Result<Vec<u8>, Error> {
    let path = variables.get(program.variable()).filter(|path| !path.is_empty()).map_or(program.name(), String::as_str);
    let first = arguments.first().map(|first| format!(" {first}")).unwrap_or_default();
    let name = || format!("{}{first}", program.name());
    // Cargo runs programs that the workspace names: a compiler, its wrapper.
    let variables = clean_environment(variables);
    let mut program = Program::new(path, directory, &variables).arguments(arguments);
    (program.limit, program.most) = (limits.time, limits.bytes);
    match program.run() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(Error::Failed { command: name(), message: reason(&String::from_utf8_lossy(&output.stderr)) }),
        Err(program::Error::TooLong { limit, .. }) => {
            Err(Error::TimedOut { command: name(), seconds: limit.as_secs() })
        }
        Err(program::Error::TooMuch { most, .. }) => Err(Error::TooLarge { command: name(), limit: most }),
        Err(source @ (program::Error::Missing { .. } | program::Error::Start { .. })) => {
            Err(Error::NotStarted { program: path.to_owned(), source })
        }
    }
}

/// What cargo says in one line, without what it says of its progress.
fn reason(complaint: &str) -> String {
    let from = complaint.find("error: ").map_or(complaint, |at| &complaint[at + "error: ".len()..]);
    let lines = from.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "Caused by:");
    let reason = lines.collect::<Vec<_>>().join("; ");
    if reason.is_empty() { "it gave no reason".to_owned() } else { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let variables = BTreeMap::from([("CARGO".to_owned(), "/no/such/cargo".to_owned())]);
        let error = run(RustProgram::Cargo, &variables, Path::new("."), &[]).unwrap_err();
        assert_eq!(error.to_string(), "`/no/such/cargo` cannot be started");
        assert!(error.hint().is_some());
    }

    #[test]
    #[cfg(unix)]
    fn a_program_that_hangs_or_never_stops_talking_is_ended() {
        let run = |program: &str, argument: &str, time| {
            let variables = BTreeMap::from([("CARGO".to_owned(), program.to_owned())]);
            let limits = Limits { time, bytes: 1000 };
            run_within(limits, RustProgram::Cargo, &variables, Path::new("."), &[argument.to_owned()])
        };
        let error = run("/bin/sleep", "1000", Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.to_string(), "`cargo 1000` took more than 0 seconds");
        let error = run("/usr/bin/yes", "y", Duration::from_mins(5)).unwrap_err();
        assert_eq!(error.to_string(), "`cargo y` printed more than 1000 bytes");
    }

    #[test]
    fn what_cargo_says_of_a_failure_is_one_line() {
        let said = "    Updating index\nerror: cannot update the lock file\n\nCaused by:\n  because\n";
        assert_eq!(reason(said), "cannot update the lock file; because");
        assert_eq!(reason(""), "it gave no reason");
    }
}
