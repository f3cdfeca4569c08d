//! Runs the hook that was there before ours, as git would have.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use super::write::is_executable;

/// What the system says of a file without `#!`; git then asks the shell.
#[cfg(unix)]
const NO_FORMAT: i32 = 8;

/// Runs a hook with the arguments and the input that git gave us; none if git would not run it either, since it is not
/// there or not executable. It has no time limit, as git has none.
///
/// Returns its exit code; 128 and the signal if it was killed, as shells say.
///
/// # Errors
///
/// If it cannot be started.
pub fn run(path: &Path, arguments: &[OsString], input: Option<&[u8]>) -> io::Result<Option<u8>> {
    if path.as_os_str().is_empty() || !is_executable(path) {
        return Ok(None);
    }
    let status = match start(Command::new(path).args(arguments), input) {
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(NO_FORMAT) => {
            start(Command::new("sh").arg(path).args(arguments), input)
        }
        started => started,
    }?;
    Ok(Some(code(status)))
}

fn start(command: &mut Command, input: Option<&[u8]>) -> io::Result<ExitStatus> {
    let Some(input) = input else { return command.status() };
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        match pipe.write_all(input) {
            // Not every hook reads what it is told.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written?,
        }
    }
    child.wait()
}

#[cfg(unix)]
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> u8 {
    // A code that does not fit is no success either.
    status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1))
}
