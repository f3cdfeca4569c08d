//! The `git` program, for the few things that only it can read.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use super::Error;
use super::repository::GitRepository;

/// How long a command may take; reading refs takes far less.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs a command that reads, in a repository whose owner was checked before.
///
/// It gets the variables that the repository was opened with, and neither runs hooks or a file system monitor, nor
/// fetches, nor takes locks, nor asks.
pub(super) fn git(repository: &GitRepository, arguments: &[&str]) -> Result<Output, Error> {
    git_in(repository, repository.git_dir(), arguments)
}

/// Runs a command as [`git`] does, for the work tree that has this git directory.
pub(super) fn git_in(repository: &GitRepository, git_dir: &Path, arguments: &[&str]) -> Result<Output, Error> {
    run(command(repository, git_dir, arguments), arguments)
}

/// A command that [`run`] runs; what it says of errors is dropped.
pub(super) fn command(repository: &GitRepository, git_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .envs(repository.variables())
        .env("GIT_DIR", git_dir)
        .env("GIT_COMMON_DIR", repository.common_dir())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .current_dir(git_dir)
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Runs a command to its end, or until it has taken too long.
pub(super) fn run(mut command: Command, arguments: &[&str]) -> Result<Output, Error> {
    let failed = |why: String| Error::Program { command: arguments.join(" "), why };
    let child = command.spawn().map_err(|error| failed(format!("cannot be started: {error}")))?;
    let (sender, receiver) = std::sync::mpsc::channel();
    // The thread outlives a command that hangs; the process ends it.
    thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(LIMIT) {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("took more than {} seconds", LIMIT.as_secs()))),
    }
}
