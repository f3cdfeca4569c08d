//! What is known here of the refs of remotes.

use std::collections::BTreeMap;

use super::refs::Refs;
use super::repository::GitRepository;
use super::{Error, push};
use crate::report::Coverage;
use crate::subject::content::ObjectId;

/// The refs of one remote by their full names there, as the last fetch or push left them.
pub type RemoteRefs = BTreeMap<String, ObjectId>;

/// The names of the remotes that are configured, sorted.
pub fn names(repository: &GitRepository) -> Vec<String> {
    let sections = repository.config().sections_by_name("remote").into_iter().flatten();
    let names = sections.filter_map(|section| Some(section.header().subsection_name()?.to_string()));
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// What the refs of a remote are, as far as they are followed here.
///
/// # Errors
///
/// [`Error`] if refs cannot be read at all.
pub fn refs(repository: &GitRepository, remote: &str, coverage: &mut Coverage) -> Result<RemoteRefs, Error> {
    let patterns = push::followed(repository, remote, remote);
    let mut found = RemoteRefs::new();
    for (name, id) in Refs::open(repository).all(coverage)? {
        found.extend(patterns.iter().find_map(|pattern| pattern.followed(&name)).map(|there| (there, id)));
    }
    Ok(found)
}

/// The tags of this repository by their full names.
///
/// # Errors
///
/// [`Error`] if refs cannot be read at all.
pub fn tags(repository: &GitRepository, coverage: &mut Coverage) -> Result<RemoteRefs, Error> {
    let all = Refs::open(repository).all(coverage)?;
    Ok(all.into_iter().filter(|(name, _)| crate::subject::ref_update::is_tag(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn refs_have_the_names_that_they_have_on_the_remote() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "0");
        let tip = sandbox.commit("base");
        sandbox.git(&["branch", "a/b"]);
        sandbox.git(&["tag", "v1"]);
        sandbox.git(&["clone", "--quiet", "--origin=up/stream", ".", "../clone"]);
        let clone = sandbox.beside("clone").open();
        let mut coverage = Coverage::default();
        assert_eq!(names(&clone), ["up/stream"]);
        let expected = [("refs/heads/a/b".to_owned(), tip), ("refs/heads/main".to_owned(), tip)];
        assert_eq!(refs(&clone, "up/stream", &mut coverage).unwrap(), expected.into());
        assert_eq!(tags(&clone, &mut coverage).unwrap(), [("refs/tags/v1".to_owned(), tip)].into());
        assert!(refs(&clone, "origin", &mut coverage).unwrap().is_empty());
    }
}
