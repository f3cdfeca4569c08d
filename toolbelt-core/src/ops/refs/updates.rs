//! Which protected refs would move, and how.

use globset::GlobBuilder;

use super::Error;
use crate::ops::scan::Target;
use crate::report::Coverage;
use crate::source::git::repository::GitRepository;
use crate::source::git::{ancestry, default_branch, push, receive};
use crate::subject::content::ObjectId;
use crate::subject::ref_update::{Protection, RefUpdate, is_tag};

/// The protected refs that would move.
pub(super) fn of(
    repository: &GitRepository,
    target: &Target,
    globs: &[String],
    coverage: &mut Coverage,
) -> Result<Vec<RefUpdate>, Error> {
    let moves: Vec<(String, Option<ObjectId>, Option<ObjectId>)> = match target {
        Target::Push { refs, .. } => {
            let updates = push::updates(refs.as_bytes())?.into_iter();
            updates.map(|update| (update.remote, update.old, update.new)).collect()
        }
        Target::Receive(refs) => {
            let updates = receive::updates(refs.as_bytes())?.into_iter();
            updates.map(|update| (receive::meant(repository, &update.name), update.old, update.new)).collect()
        }
        Target::Range(_) | Target::Staged | Target::Message(_) | Target::History { .. } | Target::Paths(_) => {
            return Ok(Vec::new());
        }
    };
    coverage.count("refs", moves.len());
    let protected = Protected::of(repository, target, globs);
    let mut updates = Vec::new();
    for (name, old, new) in moves {
        let Some(protection) = protected.protection(&name) else { continue };
        let movement = ancestry::movement(repository, old, new)?;
        updates.push(RefUpdate { name, old, new, movement, protection });
    }
    Ok(updates)
}

/// The refs that must not be moved at will.
pub(super) struct Protected<'a> {
    /// Full names.
    default_branches: Vec<String>,
    globs: &'a [String],
}

impl<'a> Protected<'a> {
    /// Those of the side that has the refs.
    pub(super) fn of(repository: &GitRepository, target: &Target, globs: &'a [String]) -> Self {
        match target {
            Target::Push { remote, url, .. } => Self::of_remote(repository, remote, url, globs),
            Target::Receive(_)
            | Target::Range(_)
            | Target::Staged
            | Target::Message(_)
            | Target::History { .. }
            | Target::Paths(_) => Self { default_branches: default_branch::of_repository(repository), globs },
        }
    }

    /// Those of a remote.
    pub(super) fn of_remote(repository: &GitRepository, remote: &str, url: &str, globs: &'a [String]) -> Self {
        Self { default_branches: default_branch::of_remote(repository, remote, url), globs }
    }

    /// Why a ref is protected; none if it is not.
    pub(super) fn protection(&self, name: &str) -> Option<Protection> {
        if self.default_branches.iter().any(|one| one == name) {
            Some(Protection::DefaultBranch)
        } else if self.globs.iter().any(|glob| covers(glob, name)) {
            Some(Protection::Policy)
        } else {
            is_tag(name).then_some(Protection::Tag)
        }
    }
}

/// Whether a glob of the policy is for the ref of this full name.
fn covers(glob: &str, name: &str) -> bool {
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_over_full_names() {
        for (glob, name, expected) in [
            ("refs/heads/release/*", "refs/heads/release/1", true),
            ("refs/heads/release/*", "refs/heads/release/1/x", false),
            ("refs/heads/release/**", "refs/heads/release/1/x", true),
            ("**/release/*", "refs/tags/release/1", true),
            ("refs/notes/*", "refs/notes/toolbelt", true),
            ("refs/heads/main", "refs/heads/main", true),
            ("main", "refs/heads/main", false),
            ("[", "refs/heads/[", false),
        ] {
            assert_eq!(covers(glob, name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn the_default_branch_and_tags_need_no_glob() {
        let globs = ["refs/heads/v*".to_owned()];
        let protected = Protected { default_branches: vec!["refs/heads/main".to_owned()], globs: &globs };
        assert_eq!(protected.protection("refs/heads/main"), Some(Protection::DefaultBranch));
        assert_eq!(protected.protection("refs/tags/v1"), Some(Protection::Tag));
        assert_eq!(protected.protection("refs/heads/v1"), Some(Protection::Policy));
        assert_eq!(protected.protection("refs/heads/topic"), None);
        assert_eq!(protected.protection("refs/heads/main/\u{202e}"), None);
    }
}
