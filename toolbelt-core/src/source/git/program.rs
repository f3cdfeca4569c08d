//! The `git` program, for the few things that only it can read or write.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use super::Error;
use super::repository::GitRepository;
use crate::source::program::{self, Program};

/// How long a command may take; reading refs takes far less.
const LIMIT: Duration = Duration::from_secs(20);

/// Nothing fetches, asks, or takes a lock that it could do without; messages are those of the manual.
const OURS: [(&str, &str); 5] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];

/// A command of git.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// Its arguments.
    pub(super) arguments: &'a [&'a str],
    /// What it reads.
    pub(super) input: Vec<u8>,
    /// How long it may take.
    pub(super) limit: Duration,
    /// Whether it looks at the files of the work tree, and not only at what git keeps.
    pub(super) in_work_tree: bool,
    /// Variables besides those that every command gets.
    pub(super) variables: &'a [(&'a str, &'a str)],
}

impl<'a> Call<'a> {
    pub(super) fn new(arguments: &'a [&'a str]) -> Self {
        Self { arguments, input: Vec::new(), limit: LIMIT, in_work_tree: false, variables: &[] }
    }

    /// Runs it in a repository whose owner was checked before.
    ///
    /// It gets the variables that the repository was opened with, and neither runs hooks or a file system monitor, nor
    /// fetches, nor takes locks, nor asks.
    pub(super) fn run(self, repository: &GitRepository) -> Result<Output, Error> {
        let work_tree = if self.in_work_tree { repository.root() } else { None };
        let mut variables = variables(repository, repository.git_dir());
        if let Some(root) = work_tree {
            variables.insert("GIT_WORK_TREE".to_owned(), root.to_string_lossy().into_owned());
        }
        variables.extend(self.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut program = reading(work_tree.unwrap_or(repository.git_dir()), &variables, self.arguments);
        program.input = self.input;
        program.limit = self.limit;
        run(program, self.arguments)
    }

    /// Runs it, and returns what it wrote if it succeeded.
    pub(super) fn succeed(self, repository: &GitRepository) -> Result<Vec<u8>, Error> {
        let arguments = self.arguments;
        let output = self.run(repository)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let why = match program::last_lines(&output.stderr, 6) {
            said if said.is_empty() => "failed".to_owned(),
            said => format!("said: {}", said.replace('\n', "; ")),
        };
        Err(Error::Program { command: arguments.join(" "), why })
    }
}

/// Runs a command as [`Call::run`] does.
pub(crate) fn git(repository: &GitRepository, arguments: &[&str]) -> Result<Output, Error> {
    Call::new(arguments).run(repository)
}

/// Runs a command as [`git`] does, and gives it something to read.
pub(crate) fn git_with_input(repository: &GitRepository, arguments: &[&str], input: &[u8]) -> Result<Output, Error> {
    Call { input: input.to_owned(), ..Call::new(arguments) }.run(repository)
}

/// Runs a command as [`git`] does, for the work tree that has this git directory.
pub(super) fn git_in(repository: &GitRepository, git_dir: &Path, arguments: &[&str]) -> Result<Output, Error> {
    let variables = variables(repository, git_dir);
    run(reading(git_dir, &variables, arguments), arguments)
}

/// Runs a command in a directory, which may be in a repository or not: git looks for one itself.
pub(super) fn git_at(
    directory: &Path,
    variables: &BTreeMap<String, String>,
    arguments: &[&str],
) -> Result<Output, Error> {
    let mut variables = variables.clone();
    variables.extend(OURS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    run(reading(directory, &variables, arguments), arguments)
}

/// Runs a command where nothing but these variables and what is in the directory counts.
pub(super) fn git_outside(
    directory: &Path,
    variables: &BTreeMap<String, String>,
    arguments: &[&str],
    input: &[u8],
    limit: Duration,
) -> Result<Output, Error> {
    run(Program { limit, input: input.to_owned(), ..reading(directory, variables, arguments) }, arguments)
}

fn variables(repository: &GitRepository, git_dir: &Path) -> BTreeMap<String, String> {
    let mut variables = repository.variables().clone();
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let places = [("GIT_DIR", path(git_dir)), ("GIT_COMMON_DIR", path(repository.common_dir()))];
    variables.extend(places.map(|(name, value)| (name.to_owned(), value)));
    variables.extend(OURS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

fn reading<'a>(directory: &'a Path, variables: &'a BTreeMap<String, String>, arguments: &[&str]) -> Program<'a> {
    let mut program = Program::new("git", directory, variables)
        .arguments(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager"])
        .arguments(arguments.iter().copied());
    program.limit = LIMIT;
    program
}

fn run(program: Program<'_>, arguments: &[&str]) -> Result<Output, Error> {
    program.run().map_err(|error| Error::Program { command: arguments.join(" "), why: why(&error) })
}

/// What happened, to follow the command's name.
fn why(error: &program::Error) -> String {
    match error {
        program::Error::Missing { .. } => "cannot be started: git is not installed".to_owned(),
        program::Error::Start { source, .. } => format!("cannot be started: {source}"),
        program::Error::TooLong { limit, .. } => format!("took more than {} seconds", limit.as_secs()),
        program::Error::TooMuch { most, .. } => format!("wrote more than {most} bytes"),
    }
}
