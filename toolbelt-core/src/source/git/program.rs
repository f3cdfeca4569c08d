//! The `git` program, for the few things that only it can read or write.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use super::Error;
use super::repository::GitRepository;

/// How long a command may take; reading refs takes far less.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs a command in a repository whose owner was checked before.
///
/// It gets the variables that the repository was opened with, and neither runs hooks or a file system monitor, nor
/// fetches, nor takes locks that it could do without, nor asks.
pub(crate) fn git(repository: &GitRepository, arguments: &[&str]) -> Result<Output, Error> {
    git_in(repository, repository.git_dir(), arguments)
}

/// Runs a command as [`git`] does, for the work tree that has this git directory.
pub(super) fn git_in(repository: &GitRepository, git_dir: &Path, arguments: &[&str]) -> Result<Output, Error> {
    run(in_repository(repository, git_dir), arguments, None)
}

/// Runs a command as [`git`] does, and gives it something to read.
pub(crate) fn git_with_input(repository: &GitRepository, arguments: &[&str], input: &[u8]) -> Result<Output, Error> {
    run(in_repository(repository, repository.git_dir()), arguments, Some(input.to_owned()))
}

/// Runs a command in a directory, which may be in a repository or not: git looks for one itself.
pub(super) fn git_at(
    directory: &Path,
    variables: &BTreeMap<String, String>,
    arguments: &[&str],
) -> Result<Output, Error> {
    let mut command = Command::new("git");
    command.env_clear().envs(variables).current_dir(directory);
    run(command, arguments, None)
}

/// A command in a repository, that [`run`] runs.
pub(super) fn in_repository(repository: &GitRepository, git_dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .envs(repository.variables())
        .env("GIT_DIR", git_dir)
        .env("GIT_COMMON_DIR", repository.common_dir())
        .current_dir(git_dir);
    command
}

/// Runs a command to its end, or until it has taken too long.
pub(super) fn run(mut command: Command, arguments: &[&str], input: Option<Vec<u8>>) -> Result<Output, Error> {
    let failed = |why: String| Error::Program { command: arguments.join(" "), why };
    command
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager"])
        .args(arguments)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(format!("cannot be started: {error}")))?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // A command that does not read to the end says so itself, by its exit code.
        thread::spawn(move || pipe.write_all(&input));
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    // The thread outlives a command that hangs; the process ends it.
    thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(LIMIT) {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("took more than {} seconds", LIMIT.as_secs()))),
    }
}
