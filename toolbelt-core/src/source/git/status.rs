//! What of the work tree and the index is not as the checked-out commit has it.

use std::time::Duration;

use super::Error;
use super::program::Call;
use super::repository::GitRepository;

/// How long git may take: it reads every file whose date changed.
const LIMIT: Duration = Duration::from_mins(2);

/// A tracked path that is not as the commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Whether it is gone.
    pub is_deleted: bool,
}

/// Tracked paths at or below `paths` (relative to the root; an empty one is all) that are not as `HEAD` has them.
///
/// Git is told in its index not to look at some files (`assume-unchanged`, `skip-worktree`), and does not: who must know
/// compares contents. What is not tracked is not listed.
///
/// # Errors
///
/// [`Error::Program`] if git cannot tell.
pub fn changed(repository: &GitRepository, paths: &[String]) -> Result<Vec<Changed>, Error> {
    let mut arguments = vec![
        "--literal-pathspecs",
        "status",
        "--porcelain=v2",
        "-z",
        "--no-renames",
        "--untracked-files=no",
        "--ignore-submodules=none",
        "--",
    ];
    if !paths.iter().any(String::is_empty) {
        arguments.extend(paths.iter().map(String::as_str));
    }
    let output = Call { limit: LIMIT, in_work_tree: true, ..Call::new(&arguments) }.succeed(repository)?;
    let entries = output.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    entries.map(|entry| parse(&String::from_utf8_lossy(entry))).collect::<Option<_>>().ok_or_else(|| Error::Program {
        command: "status --porcelain=v2".to_owned(),
        why: "said something unknown".to_owned(),
    })
}

/// Reads an entry of [format 2](https://git-scm.com/docs/git-status#_porcelain_format_version_2).
fn parse(entry: &str) -> Option<Changed> {
    let fields = match entry.split(' ').next()? {
        "1" => 9,
        "u" => 11,
        _ => return None,
    };
    let mut fields = entry.splitn(fields, ' ').skip(1);
    let state = fields.next()?;
    let path = fields.last()?.to_owned();
    Some(Changed { path, is_deleted: state.contains('D') })
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    fn listed(sandbox: &Sandbox, paths: &[&str]) -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mark = |changed: Changed| format!("{}{}", changed.path, if changed.is_deleted { " D" } else { "" });
        let mut listed: Vec<String> = changed(&sandbox.open(), &paths).unwrap().into_iter().map(mark).collect();
        listed.sort();
        listed
    }

    #[test]
    fn staged_changed_and_deleted_files_are_listed() {
        let sandbox = Sandbox::new(&[]);
        for path in ["a/same", "a/changed", "a/staged", "a/deleted file", "b/changed", "*"] {
            sandbox.write(path, path);
        }
        sandbox.commit("one");
        assert_eq!(listed(&sandbox, &[""]), [""; 0]);
        for path in ["a/changed", "a/staged", "b/changed", "a/untracked"] {
            sandbox.write(path, "other");
        }
        sandbox.git(&["add", "a/staged"]);
        std::fs::remove_file(sandbox.root.join("a/deleted file")).unwrap();
        assert_eq!(listed(&sandbox, &["a"]), ["a/changed", "a/deleted file D", "a/staged"]);
        assert_eq!(listed(&sandbox, &["a", ""]), ["a/changed", "a/deleted file D", "a/staged", "b/changed"]);
        assert_eq!(listed(&sandbox, &["*"]), [""; 0], "a path, and no pattern");
    }

    #[test]
    fn a_linked_work_tree_has_a_state_of_its_own() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one");
        sandbox.commit("one");
        sandbox.git(&["worktree", "add", "--quiet", "../linked"]);
        sandbox.write("a", "two");
        assert_eq!(listed(&sandbox, &[""]), ["a"]);
        let linked = sandbox.beside("linked");
        assert_eq!(listed(&linked, &[""]), [""; 0]);
        linked.write("a", "three");
        assert_eq!(listed(&linked, &["a"]), ["a"]);
    }

    #[test]
    fn merges_that_are_not_finished_are_listed() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one");
        sandbox.commit("one");
        sandbox.git(&["checkout", "--quiet", "-b", "side"]);
        sandbox.write("a", "two");
        sandbox.commit("two");
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.write("a", "three");
        sandbox.commit("three");
        assert!(!sandbox.command().args(["merge", "side"]).output().unwrap().status.success());
        assert_eq!(listed(&sandbox, &[""]), ["a"]);
    }
}
