//! Everything that a repository keeps: where a walk over all of its history begins.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::changes::Change;
use super::changes::Comparison;
use super::gaps::Gaps;
use super::refs::Refs;
use super::repository::GitRepository;
use super::staged::read_index_at;
use super::{Error, program, tree};
use crate::report::Coverage;
use crate::source::file;
use crate::subject::content::ObjectId;
use crate::subject::sighting::Exposure;
use crate::subject::tree::TreeChange;

/// Where a walk over all of history begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tips {
    /// Refs and what else keeps an object, sorted by name; an object can have several.
    pub tips: Vec<Tip>,
    /// The blobs in the index of each work tree, with their paths, sorted: they may never have been committed.
    pub staged: Vec<(Vec<u8>, ObjectId)>,
}

/// Something that keeps an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tip {
    /// The full name of a ref; for files of the git directory and their logs the path in it (`HEAD`,
    /// `worktrees/x/HEAD`, `logs/refs/stash`).
    pub name: String,
    /// What it keeps: mostly a commit or an annotated tag.
    pub id: ObjectId,
    /// What it is.
    pub kind: TipKind,
}

/// What keeps an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TipKind {
    /// An entry of a log, or a file that git does not keep up to date (`ORIG_HEAD`, `FETCH_HEAD`).
    Log,
    /// A ref, `HEAD`, or something that git is in the middle of.
    Ref,
    /// A ref that follows one of a remote.
    Remote,
}

/// The most that is read of a log.
const LOG_BYTES: u64 = 256 << 20;
/// The most files that are looked for in a folder of refs or logs.
const MAX_FILES: usize = 1 << 20;
/// How deep the folders of refs and logs are nested at most.
const MAX_DEPTH: usize = 64;

/// Files beside `HEAD` that hold ids in the middle of a merge, rebase, cherry-pick or revert.
const UNDERWAY: [&str; 11] = [
    "HEAD",
    "MERGE_HEAD",
    "MERGE_AUTOSTASH",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "BISECT_HEAD",
    "rebase-merge/autostash",
    "rebase-merge/orig-head",
    "rebase-apply/autostash",
    "rebase-apply/orig-head",
];

/// Files that tell what was, and of which nothing depends.
const PAST: [&str; 3] = ["ORIG_HEAD", "FETCH_HEAD", "AUTO_MERGE"];

/// Finds everything that keeps objects: all refs (stash, notes, remotes and tags included) and those of each work tree,
/// what each `HEAD` stands for, what an unfinished merge or rebase needs, each index, and all stashes, which are kept in
/// a log. With `with_logs`, all other logs as well.
///
/// # Errors
///
/// [`Error`] if refs cannot be read at all. Single ones that cannot are said in the coverage.
pub fn tips(repository: &GitRepository, with_logs: bool, coverage: &mut Coverage) -> Result<Tips, Error> {
    let mut tips = BTreeSet::new();
    for (name, id) in Refs::shared(repository).all(coverage)? {
        let kind = if name.starts_with("refs/remotes/") { TipKind::Remote } else { TipKind::Ref };
        tips.insert(Tip { name, id, kind });
    }
    let common = repository.common_dir();
    let mut staged = BTreeSet::new();
    for git_dir in git_dirs(repository) {
        let within = git_dir.strip_prefix(common).unwrap_or(&git_dir).to_owned();
        let mut add = |path: PathBuf, kind: TipKind, ids: Vec<ObjectId>| {
            let name = within.join(path).to_string_lossy().into_owned();
            tips.extend(ids.into_iter().map(|id| Tip { name: name.clone(), id, kind }));
        };
        if repository.has_reftable() {
            add(
                "HEAD".into(),
                TipKind::Ref,
                asked(repository, &git_dir, &["rev-parse", "--verify", "--quiet", "HEAD"]),
            );
            let stash = ["log", "-g", "--format=%H", "refs/stash", "--"];
            add("logs/refs/stash".into(), TipKind::Ref, asked(repository, &git_dir, &stash));
            if with_logs {
                add("logs".into(), TipKind::Log, asked(repository, &git_dir, &["rev-list", "--reflog", "--no-walk"]));
            }
        }
        let names = UNDERWAY.map(|name| (name, TipKind::Ref)).into_iter();
        for (name, kind) in names.chain(PAST.map(|name| (name, TipKind::Log)).into_iter().filter(|_| with_logs)) {
            add(name.into(), kind, file_ids(&git_dir.join(name)));
        }
        if git_dir != common {
            for path in files(&git_dir.join("refs")) {
                add(Path::new("refs").join(&path), TipKind::Ref, file_ids(&git_dir.join("refs").join(&path)));
            }
        }
        let logs = git_dir.join("logs");
        for path in files(&logs) {
            let is_stash = path == Path::new("refs/stash");
            if with_logs || is_stash {
                let kind = if is_stash { TipKind::Ref } else { TipKind::Log };
                add(Path::new("logs").join(&path), kind, log_ids(&logs.join(&path), coverage));
            }
        }
        let path =
            if git_dir == repository.git_dir() { repository.index_path().to_owned() } else { git_dir.join("index") };
        match read_index_at(&path, repository) {
            Ok(index) => {
                for entry in index.entries() {
                    if !entry.mode.is_submodule() && !entry.mode.is_sparse() {
                        staged.insert((entry.path(&index).to_vec(), entry.id));
                    }
                }
            }
            Err(error) => coverage.could_not_look(format!("`{}`", path.display()), error.to_string()),
        }
    }
    tips.retain(|tip| !tip.id.is_null());
    Ok(Tips { tips: tips.into_iter().collect(), staged: staged.into_iter().collect() })
}

/// The tree of `HEAD`, in which everything is new; none on an unborn branch. `wanted` and symbolic links as in
/// [`staged::tree`](super::staged::tree).
///
/// # Errors
///
/// [`Error`] if `HEAD` cannot be read. What is missing besides is said in the coverage.
pub fn tree(
    repository: &GitRepository,
    wanted: &dyn Fn(&[u8]) -> bool,
    coverage: &mut Coverage,
) -> Result<Option<TreeChange>, Error> {
    let Some(head) = Refs::open(repository).head()? else { return Ok(None) };
    let store = repository.store()?;
    let mut gaps = Gaps::default();
    let mut changes: Vec<Change> = Vec::new();
    match super::commits::tree_of(&store, head) {
        Ok(tree) => {
            let mut sink = |change| changes.push(change);
            let mut comparison = Comparison { store: &store, gaps: &mut gaps, sink: &mut sink };
            comparison.trees(&mut Vec::new(), &[None], Some(tree));
        }
        Err(why) => gaps.add(b"", head, &why),
    }
    let paths = changes.iter().filter_map(|change| Some((change.path.clone(), change.after?.mode))).collect();
    let change = tree::change(&store, paths, &changes, wanted, Some(head), Exposure::Unpushed, &mut gaps);
    gaps.into_coverage(coverage);
    Ok(Some(change))
}

/// The git directories of all work trees, the common one first.
fn git_dirs(repository: &GitRepository) -> Vec<PathBuf> {
    let common = repository.common_dir();
    let linked = fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
    let mut linked: Vec<PathBuf> =
        linked.map(|entry| entry.path()).filter(|path| path.join("HEAD").is_file()).collect();
    linked.sort();
    std::iter::once(common.to_owned()).chain(linked).collect()
}

/// The files below a folder, relative to it; symbolic links are not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![(PathBuf::new(), 0)];
    while let Some((within, depth)) = left.pop() {
        for entry in fs::read_dir(folder.join(&within)).into_iter().flatten().flatten() {
            let path = within.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => left.push((path, depth + 1)),
                Ok(kind) if kind.is_file() && found.len() < MAX_FILES => found.push(path),
                _ => {}
            }
        }
    }
    found
}

/// The ids that lines of a file begin with; none of a symbolic ref, whose target is a ref itself.
fn file_ids(path: &Path) -> Vec<ObjectId> {
    let text = file::read(path, 1 << 20).unwrap_or_default();
    text.split(|byte| *byte == b'\n').filter_map(first_id).collect()
}

fn first_id(line: &[u8]) -> Option<ObjectId> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    ObjectId::from_hex(&line[..end]).ok()
}

/// The ids of a log, each once: `<old id> <new id> <who and when>` lines.
fn log_ids(path: &Path, coverage: &mut Coverage) -> Vec<ObjectId> {
    let mut ids = BTreeSet::new();
    match file::read(path, LOG_BYTES) {
        Ok(text) => {
            for line in text.split(|byte| *byte == b'\n') {
                ids.extend(first_id(line));
                ids.extend(line.splitn(3, |byte| *byte == b' ').nth(1).and_then(first_id));
            }
        }
        Err(error) => coverage.could_not_look(format!("`{}`", path.display()), error.to_string()),
    }
    ids.into_iter().collect()
}

/// Ids from the `git` program, as one work tree sees them.
fn asked(repository: &GitRepository, git_dir: &Path, arguments: &[&str]) -> Vec<ObjectId> {
    let output = program::git_in(repository, git_dir, arguments).map(|output| output.stdout).unwrap_or_default();
    output.split(|byte| *byte == b'\n').filter_map(first_id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::sandbox::Sandbox;
    use super::*;

    fn names(tips: &Tips) -> BTreeMap<&str, ObjectId> {
        tips.tips.iter().map(|tip| (tip.name.as_str(), tip.id)).collect()
    }

    #[test]
    fn every_ref_of_every_work_tree_is_a_tip() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let sandbox = Sandbox::new(options);
            sandbox.write("a", "one\n");
            let first = sandbox.commit("first");
            sandbox.git(&["tag", "-a", "v1", "-m", "tag"]);
            sandbox.git(&["notes", "add", "-m", "note"]);
            sandbox.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
            sandbox.git(&["update-ref", "refs/odd/name", "HEAD:a"]);
            sandbox.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
            sandbox.git(&["pack-refs", "--all"]);
            for text in ["stashed", "stashed again"] {
                sandbox.write("a", text);
                sandbox.git(&["stash", "--quiet"]);
            }
            sandbox.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
            let linked = sandbox.beside("linked");
            linked.write("b", "linked\n");
            let detached = linked.commit("detached");
            linked.git(&["update-ref", "refs/bisect/bad", "HEAD"]);
            linked.write("c", "only staged\n");
            linked.git(&["add", "c"]);
            let only_staged = linked.id(":c");

            let mut coverage = Coverage::default();
            let found = tips(&sandbox.open(), false, &mut coverage).unwrap();
            assert_eq!(coverage, Coverage::default());
            let names = names(&found);
            let listed = sandbox.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
            for (name, id) in listed.lines().filter_map(|line| line.split_once(' ')) {
                if name != "refs/remotes/origin/HEAD" {
                    assert_eq!(names[name].to_string(), id, "{name}");
                }
            }
            assert_eq!(names["worktrees/linked/HEAD"], detached);
            assert_eq!(names["worktrees/linked/refs/bisect/bad"], detached);
            let stashes: BTreeSet<_> =
                found.tips.iter().filter(|tip| tip.name == "logs/refs/stash").map(|tip| tip.id).collect();
            assert_eq!(stashes, BTreeSet::from([sandbox.id("stash@{0}"), sandbox.id("stash@{1}")]));
            assert!(found.staged.contains(&(b"c".to_vec(), only_staged)));
            let kind = |name: &str| found.tips.iter().find(|tip| tip.name == name).unwrap().kind;
            assert_eq!((kind("refs/remotes/origin/main"), kind("refs/tags/v1")), (TipKind::Remote, TipKind::Ref));

            linked.git(&["checkout", "--quiet", "--detach", &first.to_string()]);
            linked.git(&["update-ref", "-d", "refs/bisect/bad"]);
            let is_kept = |with_logs| {
                let found = tips(&sandbox.open(), with_logs, &mut Coverage::default()).unwrap();
                found.tips.iter().any(|tip| tip.id == detached)
            };
            assert_eq!((is_kept(false), is_kept(true)), (false, true));
        }
    }

    #[test]
    fn everything_in_head_is_new_to_a_look_at_history() {
        let sandbox = Sandbox::new(&[]);
        assert!(tree(&sandbox.open(), &|_| true, &mut Coverage::default()).unwrap().is_none());
        sandbox.write("dir/a", "one\n");
        let head = sandbox.commit("first");
        let change = tree(&sandbox.open(), &|_| true, &mut Coverage::default()).unwrap().unwrap();
        assert_eq!((change.entries.len(), change.entries[0].is_new, change.commit), (1, true, Some(head)));
        assert_eq!(change.files[0].after.as_ref().unwrap().content, b"one\n");
    }
}
