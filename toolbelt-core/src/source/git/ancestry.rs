//! Whether what a ref pointed to is a part of what it points to now.

use gix::hashtable::HashSet;
use gix::objs::Kind;

use super::Error;
use super::commits::Commits;
use super::gaps::Gaps;
use super::repository::GitRepository;
use crate::finding::{Fact, Unknown};
use crate::subject::content::ObjectId;
use crate::subject::ref_update::Movement;

/// How a ref moves from one object to another.
///
/// # Errors
///
/// [`Error`] if objects cannot be read at all.
pub fn movement(repository: &GitRepository, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<Movement, Error> {
    let (old, new) = match (old, new) {
        (None, None) => return Ok(Movement::Unchanged),
        (None, Some(_)) => return Ok(Movement::Created),
        (Some(_), None) => return Ok(Movement::Deleted),
        (Some(old), Some(new)) if old == new => return Ok(Movement::Unchanged),
        (Some(old), Some(new)) => (old, new),
    };
    let store = repository.store()?;
    let mut commits = Commits::new(repository, &store);
    let ends_early = repository.is_shallow() || repository.is_partial();
    let unknown = |why: &str| Ok(Movement::Unknown(Unknown::new(why)));
    let new = match commits.peel(new) {
        Ok(peeled) if peeled.kind == Kind::Commit => peeled.id,
        Ok(_) => return unknown("what the ref would point to is no commit"),
        Err(why) => return unknown(&format!("what the ref would point to {why}")),
    };
    let old = match commits.peel(old) {
        Ok(peeled) if peeled.kind == Kind::Commit => peeled.id,
        Ok(_) => return unknown("what the ref points to is no commit"),
        // All that the new commit leads to is here, so the old one is not among it.
        Err(why) if !store.has(&old) && !ends_early => {
            return Ok(Movement::Forced { lost: Fact::Unknown(Unknown::new(why)) });
        }
        Err(_) => {
            let why = Unknown::new("what the ref points to is not here, and the history ends early in this clone");
            return Ok(Movement::Unknown(why.hint("git fetch --unshallow")));
        }
    };
    let mut gaps = Gaps::default();
    let lost = lost(&mut commits, old, new, &mut gaps);
    match lost {
        0 => Ok(Movement::Forward),
        _ if repository.is_shallow() || !gaps.is_empty() => {
            let why = Unknown::new("the history ends early in this clone, maybe before what the ref points to");
            Ok(Movement::Unknown(why.hint("git fetch --unshallow")))
        }
        lost => Ok(Movement::Forced { lost: Fact::Known(lost) }),
    }
}

/// How many commits `old` leads to and `new` does not.
fn lost(commits: &mut Commits<'_>, old: ObjectId, new: ObjectId, gaps: &mut Gaps) -> usize {
    let candidates = commits.new_ones(&[old], &[new], gaps);
    if candidates.is_empty() {
        return 0;
    }
    // Where dates are wrong, some of these are kept: only the whole history tells.
    let kept: HashSet<ObjectId> = commits.all([new], gaps, &mut |_| {}).into_iter().map(|(id, _)| id).collect();
    candidates.into_iter().filter(|(id, _)| !kept.contains(id)).count()
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn commits_that_are_lost_are_counted_whatever_their_dates() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let sandbox = Sandbox::new(options);
            sandbox.write("a", "0");
            let base = sandbox.commit("base");
            let mut tip = base;
            for number in 0..40 {
                // Each is older than its parent.
                let date = format!("{} +0000", 1_700_000_000 - number * 1000);
                let mut command = sandbox.command();
                command.env("GIT_COMMITTER_DATE", date).args(["commit", "--quiet", "--allow-empty", "-m", "x"]);
                assert!(command.status().unwrap().success());
                tip = sandbox.id("HEAD");
            }
            sandbox.git(&["checkout", "--quiet", "-b", "side", &base.to_string()]);
            let side = sandbox.commit("side");
            let repository = sandbox.open();
            let moves = |old, new| movement(&repository, Some(old), Some(new)).unwrap();
            assert_eq!(moves(base, tip), Movement::Forward);
            assert_eq!(moves(tip, base), Movement::Forced { lost: Fact::Known(40) });
            assert_eq!(moves(side, tip), Movement::Forced { lost: Fact::Known(1) });
            assert_eq!(moves(tip, tip), Movement::Unchanged);
            assert_eq!(movement(&repository, None, Some(tip)).unwrap(), Movement::Created);
            assert_eq!(movement(&repository, Some(tip), None).unwrap(), Movement::Deleted);
        }
    }

    #[test]
    fn what_is_not_here_is_lost_unless_the_history_ends_early() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "0");
        let base = sandbox.commit("base");
        sandbox.write("a", "1");
        let tip = sandbox.commit("tip");
        let elsewhere = ObjectId::from_hex(b"1111111111111111111111111111111111111111").unwrap();
        let moves = |sandbox: &Sandbox, old, new| movement(&sandbox.open(), Some(old), Some(new)).unwrap();
        assert!(matches!(moves(&sandbox, elsewhere, tip), Movement::Forced { lost: Fact::Unknown(_) }));
        assert!(matches!(moves(&sandbox, tip, elsewhere), Movement::Unknown(_)));
        let url = format!("file://{}", sandbox.root.display());
        sandbox.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
        let shallow = sandbox.beside("shallow");
        assert!(matches!(moves(&shallow, base, tip), Movement::Unknown(_)));
        assert!(matches!(moves(&shallow, elsewhere, tip), Movement::Unknown(_)));
    }

    #[test]
    fn unrelated_histories_lose_everything() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "0");
        let one = sandbox.commit("one");
        sandbox.git(&["checkout", "--quiet", "--orphan", "other"]);
        let other = sandbox.commit("other");
        let movement = movement(&sandbox.open(), Some(one), Some(other)).unwrap();
        assert_eq!(movement, Movement::Forced { lost: Fact::Known(1) });
    }
}
