//! The `git` program as its user has it: with their configuration, which says where hooks are.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use super::Error;
use crate::source::git::repository::GitRepository;
use crate::source::program::Program;

/// Asks git something in a repository. It takes no locks, fetches nothing and does not prompt.
pub(super) fn ask(repository: &GitRepository, arguments: &[&str]) -> Result<Output, Error> {
    let variables = variables(repository);
    Ok(Program::new("git", place(repository), &variables).arguments(arguments.iter().copied()).run()?)
}

/// The variables that the repository was opened with, and those that keep git to itself.
pub(super) fn variables(repository: &GitRepository) -> BTreeMap<String, String> {
    let mut variables = repository.variables().clone();
    let quiet =
        [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_NO_LAZY_FETCH", "1"), ("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C")];
    variables.extend(quiet.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// Where git runs hooks: at the top of the work tree, or in the git directory of a bare repository.
pub(super) fn place(repository: &GitRepository) -> &Path {
    repository.root().unwrap_or_else(|| repository.git_dir())
}
