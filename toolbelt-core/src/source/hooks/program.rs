//! The `git` program as its user has it: with their configuration, which says where hooks are.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Error;
use crate::source::git;
use crate::source::git::repository::GitRepository;

/// How long a question may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks git something in a repository. It takes no locks, fetches nothing and does not prompt.
pub(super) fn ask(repository: &GitRepository, arguments: &[&str]) -> Result<Output, Error> {
    let mut command = command(repository, OsStr::new("git"));
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    run(command, &[], LIMIT, &arguments.join(" "))
}

/// A program in the folder in which git runs hooks, with the variables that the repository was opened with.
pub(super) fn command(repository: &GitRepository, program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(repository.variables())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .current_dir(place(repository));
    command
}

/// Where git runs hooks: at the top of the work tree, or in the git directory of a bare repository.
pub(super) fn place(repository: &GitRepository) -> &Path {
    repository.root().unwrap_or_else(|| repository.git_dir())
}

/// Runs a command to its end with an input, and kills it at the limit.
pub(super) fn run(mut command: Command, input: &[u8], limit: Duration, name: &str) -> Result<Output, Error> {
    let failed = |why: String| Error::Repository(git::Error::Program { command: name.to_owned(), why });
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(format!("cannot be started: {error}")))?;
    if let Some(mut pipe) = child.stdin.take() {
        let input = input.to_vec();
        // A command that does not read must not keep us waiting; what it does not read is its own affair.
        thread::spawn(move || std::io::Write::write_all(&mut pipe, &input));
    }
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(limit) {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(failed(error.to_string())),
        // The thread holds the child: it outlives a command that hangs, and ends with this process.
        Err(_) => Err(failed(format!("took more than {} seconds (process {id})", limit.as_secs()))),
    }
}
