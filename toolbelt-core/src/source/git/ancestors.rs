//! Commits and all that they lead to.

use super::Error;
use super::commits::Commits;
use super::gaps::Gaps;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// Commits and all that they lead to, each with its parents, which come before it.
///
/// # Errors
///
/// [`Error::Commit`] if one of them is not here or is damaged, or the history ends early in this clone.
pub fn parents_first(repository: &GitRepository, tips: &[ObjectId]) -> Result<Vec<(ObjectId, Vec<ObjectId>)>, Error> {
    let store = repository.store()?;
    let mut commits = Commits::new(repository, &store);
    let mut gaps = Gaps::default();
    let found = commits.all(tips.iter().copied(), &mut gaps, &mut |_| {});
    if let Some((id, _)) = found.iter().find(|(id, _)| commits.is_cut(id)) {
        return Err(Error::Commit { id: *id, why: "the history of this clone ends there".to_owned() });
    }
    match (gaps.first(), tips.first()) {
        (Some(why), Some(id)) => {
            Err(Error::Commit { id: *id, why: format!("what it leads to is not all here: {why}") })
        }
        _ => Ok(found.into_iter().map(|(id, commit)| (id, commit.parents)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn everything_comes_after_its_parents() {
        let sandbox = Sandbox::new(&[]);
        let first = sandbox.commit("first");
        sandbox.git(&["checkout", "--quiet", "-b", "side"]);
        let side = sandbox.commit("side");
        sandbox.git(&["checkout", "--quiet", "main"]);
        let second = sandbox.commit("second");
        sandbox.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "side"]);
        let merge = sandbox.id("HEAD");
        let found = parents_first(&sandbox.open(), &[merge]).unwrap();
        assert_eq!((&found[0], found.len()), (&(first, vec![]), 4));
        assert_eq!(found[3], (merge, vec![second, side]));
    }

    #[test]
    fn a_history_that_ends_early_is_an_error() {
        let sandbox = Sandbox::new(&[]);
        sandbox.commit("first");
        let second = sandbox.commit("second");
        let url = format!("file://{}", sandbox.root.display());
        sandbox.git(&["clone", "--quiet", "--depth", "1", &url, "../shallow"]);
        let error = parents_first(&sandbox.beside("shallow").open(), &[second]).unwrap_err();
        assert!(error.to_string().contains("ends there"), "{error}");
    }
}
