//! The line of first parents: what a branch was, one commit after the other, without what was merged into it.

use super::Error;
use super::commits::Commits;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// A commit, its first parent, the first parent of that, and so on to the first commit.
///
/// # Errors
///
/// [`Error::Commit`] if one of them is not here or is damaged, or the history ends early in this clone.
pub fn mainline(repository: &GitRepository, commit: ObjectId) -> Result<Vec<ObjectId>, Error> {
    let store = repository.store()?;
    let mut commits = Commits::new(repository, &store);
    let mut line = Vec::new();
    let mut next = Some(commit);
    while let Some(id) = next {
        let found = commits.get(id).map_err(|why| Error::Commit { id, why })?;
        line.push(id);
        next = found.parents.first().copied();
    }
    match line.last() {
        Some(id) if commits.is_cut(id) => {
            Err(Error::Commit { id: *id, why: "the history of this clone ends there".to_owned() })
        }
        _ => Ok(line),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn what_was_merged_is_not_on_the_line() {
        let sandbox = Sandbox::new(&[]);
        let first = sandbox.commit("first");
        sandbox.git(&["checkout", "--quiet", "-b", "side"]);
        sandbox.commit("side");
        sandbox.git(&["checkout", "--quiet", "main"]);
        let second = sandbox.commit("second");
        sandbox.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "side"]);
        let merge = sandbox.id("HEAD");
        assert_eq!(mainline(&sandbox.open(), merge).unwrap(), [merge, second, first]);
        // The commit-graph says the same.
        sandbox.git(&["commit-graph", "write", "--reachable"]);
        assert_eq!(mainline(&sandbox.open(), merge).unwrap(), [merge, second, first]);
    }

    #[test]
    fn a_shallow_clone_has_no_whole_line() {
        let sandbox = Sandbox::new(&[]);
        sandbox.commit("first");
        sandbox.commit("second");
        let url = format!("file://{}", sandbox.root.display());
        sandbox.git(&["clone", "--quiet", "--depth", "1", &url, "../shallow"]);
        let shallow = sandbox.beside("shallow");
        let error = mainline(&shallow.open(), shallow.id("HEAD")).unwrap_err();
        assert!(error.to_string().contains("ends there"), "{error}");
    }
}
