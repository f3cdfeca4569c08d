//! What is about to be committed: the index, compared with what `HEAD` has.

use std::collections::HashSet;
use std::fs;
use std::ops::Range;

use gix::bstr::ByteSlice as _;
use gix::index::entry::{Flags, Mode as IndexMode, Stage};
use gix::index::extension::Tree as CachedTree;
use gix::index::{File as Index, decode};

use super::changes::{Change, Comparison, Version, is_too_deep};
use super::contents;
use super::gaps::Gaps;
use super::refs::Refs;
use super::repository::GitRepository;
use super::store::Store;
use super::{Error, Visit, tree};
use crate::report::Coverage;
use crate::subject::content::ObjectId;
use crate::subject::sighting::Exposure;
use crate::subject::tree::{Mode, TreeChange};

/// Hands out each blob that a commit of the index would add, with the lines of it that are new.
///
/// The index is the one that `GIT_INDEX_FILE` names. It is compared with `HEAD`; while a merge is going on, with the
/// commits that are merged as well, so that what came from one of them is not new and what only the merge says is. On
/// an unborn branch everything is new. A blob that `HEAD` has under another path is new at this one. Of a conflict, both sides
/// are looked at. Paths that are only meant to be added have no content yet, and submodules none of ours.
///
/// # Errors
///
/// [`Error`] if the index or `HEAD` cannot be read. What is missing besides is said in the coverage.
pub fn visit(repository: &GitRepository, visit: Visit<'_>, coverage: &mut Coverage) -> Result<(), Error> {
    let store = repository.store()?;
    let mut gaps = Gaps::default();
    let (_, changes) = changes(repository, &store, &mut gaps)?;
    let jobs = contents::jobs(changes, &mut HashSet::new(), None, &Exposure::Staged);
    coverage.count("files", jobs.len());
    contents::visit(&store, &jobs, visit, &mut gaps, coverage);
    gaps.into_coverage(coverage);
    Ok(())
}

/// The tree that a commit of the index would have, and what it changes; content only of files for which `wanted` says
/// so and of symbolic links.
///
/// # Errors
///
/// [`Error`] if the index or `HEAD` cannot be read. What is missing besides is said in the coverage.
pub fn tree(
    repository: &GitRepository,
    wanted: &dyn Fn(&[u8]) -> bool,
    coverage: &mut Coverage,
) -> Result<TreeChange, Error> {
    let store = repository.store()?;
    let mut gaps = Gaps::default();
    let (index, changes) = changes(repository, &store, &mut gaps)?;
    let mut paths: Vec<(Vec<u8>, Mode)> = Vec::with_capacity(index.entries().len());
    for entry in index.entries() {
        let path = entry.path(&index).as_bytes();
        if entry.mode.is_sparse() {
            tree::list(&store, path.to_vec(), entry.id, &mut gaps, &mut |path, mode| paths.push((path, mode)));
        } else if let Some(mode) = mode(entry.mode)
            && !entry.flags.contains(Flags::INTENT_TO_ADD)
            && matches!(entry.stage(), Stage::Unconflicted | Stage::Ours | Stage::Theirs)
        {
            paths.push((path.to_vec(), mode));
        }
    }
    let change = tree::change(&store, paths, &changes, wanted, None, Exposure::Staged, &mut gaps);
    gaps.into_coverage(coverage);
    Ok(change)
}

/// The id of the tree that a commit of the index would have; none while there are conflicts.
///
/// Nothing is written. Where git has worked out a tree already, as it does before it runs a hook, that is taken.
///
/// # Errors
///
/// [`Error`] if the index cannot be read.
pub fn tree_id(repository: &GitRepository) -> Result<Option<ObjectId>, Error> {
    let index = read_index(repository)?;
    let end = index.entries().len();
    let is_resolved = index.entries().iter().all(|entry| entry.stage() == Stage::Unconflicted);
    if !is_resolved {
        return Ok(None);
    }
    let id = assemble(&index, repository.hash(), &mut Vec::new(), index.tree(), 0..end);
    Ok(Some(id.unwrap_or_else(|| ObjectId::empty_tree(repository.hash()))))
}

/// The id of the tree with the entries in a range, which are those below `path`; none if it is empty or too deep.
///
/// The order of the index is that of trees: both sort a folder as if its name ended in a slash.
fn assemble(
    index: &Index,
    hash: gix::hash::Kind,
    path: &mut Vec<u8>,
    cached: Option<&CachedTree>,
    range: Range<usize>,
) -> Option<ObjectId> {
    let known = cached.filter(|cached| cached.num_entries.is_some_and(|count| count as usize == range.len()));
    if let Some(known) = known.filter(|_| !range.is_empty()) {
        return Some(known.id);
    }
    if is_too_deep(path) {
        return None;
    }
    let mut tree = Vec::new();
    let mut add = |mode: &[u8], name: &[u8], id: ObjectId| {
        tree.extend_from_slice(mode);
        tree.push(b' ');
        tree.extend_from_slice(name);
        tree.push(0);
        tree.extend_from_slice(id.as_bytes());
    };
    let mut at = range.start;
    while at < range.end {
        let entry = index.entry(at);
        let rest = entry.path(index).get(path.len()..).unwrap_or_default();
        let slash = memchr::memchr(b'/', rest).filter(|_| !entry.mode.is_sparse());
        let Some(slash) = slash else {
            let name = rest.strip_suffix(b"/").unwrap_or(rest);
            if !entry.flags.contains(Flags::INTENT_TO_ADD) {
                add(bytes_of(entry.mode), name, entry.id);
            }
            at += 1;
            continue;
        };
        let (name, length) = (&rest[..slash], path.len());
        path.extend_from_slice(&rest[..=slash]);
        let below = cached.and_then(|cached| cached.children.iter().find(|child| child.name[..] == *name));
        let next = end_of(index, path, at, range.end, below);
        if let Some(id) = assemble(index, hash, path, below, at..next) {
            add(b"40000", name, id);
        }
        path.truncate(length);
        at = next;
    }
    let id = || gix::objs::compute_hash(hash, gix::objs::Kind::Tree, &tree).ok();
    (!tree.is_empty()).then(id).flatten()
}

/// The mode of an entry as trees write it.
fn bytes_of(mode: IndexMode) -> &'static [u8] {
    match mode {
        IndexMode::FILE_EXECUTABLE => b"100755",
        IndexMode::SYMLINK => b"120000",
        IndexMode::COMMIT => b"160000",
        IndexMode::DIR => b"40000",
        _ => b"100644",
    }
}

/// Where the entries below `path` end.
fn end_of(index: &Index, path: &[u8], start: usize, end: usize, cached: Option<&CachedTree>) -> usize {
    let is_below = |at: usize| index.entry(at).path(index).starts_with(path);
    if let Some(count) = cached.and_then(|cached| cached.num_entries).map(|count| count as usize)
        && let Some(next) = start.checked_add(count).filter(|next| count > 0 && *next <= end)
        && is_below(next - 1)
        && (next == end || !is_below(next))
    {
        return next;
    }
    (start..end).find(|at| !is_below(*at)).unwrap_or(end)
}

/// The index, and how it differs from what it would be committed on.
fn changes(repository: &GitRepository, store: &Store, gaps: &mut Gaps) -> Result<(Index, Vec<Change>), Error> {
    let index = read_index(repository)?;
    let mut trees = Vec::new();
    for parent in parents(repository)? {
        match super::commits::tree_of(store, parent) {
            Ok(tree) => trees.push(Some(tree)),
            Err(why) => gaps.add(b"", parent, &why),
        }
    }
    if trees.is_empty() {
        trees.push(None);
    }
    let mut changes = Vec::new();
    let mut sink = |change| changes.push(change);
    let mut walk = Walk { index: &index, comparison: Comparison { store, gaps, sink: &mut sink } };
    let end = index.entries().len();
    walk.directory(&mut Vec::new(), &trees, index.tree(), 0, end);
    Ok((index, changes))
}

/// Reads the index; an empty one if there is none, as in a repository without a first `git add`.
pub(super) fn read_index(repository: &GitRepository) -> Result<Index, Error> {
    read_index_at(repository.index_path(), repository)
}

/// Reads an index. Like git, it does not check the checksum, which takes longer than everything else.
pub(super) fn read_index_at(path: &std::path::Path, repository: &GitRepository) -> Result<Index, Error> {
    let options = decode::Options { thread_limit: Some(1), alloc_limit_bytes: Some(1 << 30), ..Default::default() };
    Index::at_or_default(path, repository.hash(), true, options)
        .map_err(|error| Error::Index { path: path.to_owned(), why: error.to_string() })
}

/// The commits that the next one would have as parents.
fn parents(repository: &GitRepository) -> Result<Vec<ObjectId>, Error> {
    let mut parents: Vec<ObjectId> = Refs::open(repository).head()?.into_iter().collect();
    // Written by `git merge` while it waits for the commit: one id a line.
    if let Ok(text) = fs::read_to_string(repository.git_dir().join("MERGE_HEAD")) {
        parents.extend(text.lines().take(1000).filter_map(|line| ObjectId::from_hex(line.trim().as_bytes()).ok()));
    } else {
        // Before it runs `pre-merge-commit`, git has told only its merge strategies, by variables.
        let merged = repository.variables().keys().filter_map(|name| name.strip_prefix("GITHEAD_"));
        parents.extend(merged.filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()));
    }
    Ok(parents)
}

/// What an entry of the index is; none for a directory.
fn mode(mode: IndexMode) -> Option<Mode> {
    Some(match mode {
        IndexMode::FILE_EXECUTABLE => Mode::Executable,
        IndexMode::SYMLINK => Mode::Link,
        IndexMode::COMMIT => Mode::Submodule,
        IndexMode::DIR => return None,
        _ => Mode::File,
    })
}

/// Walks the index beside the trees of the parents.
struct Walk<'a> {
    index: &'a Index,
    comparison: Comparison<'a>,
}

impl Walk<'_> {
    /// Compares the entries from `start` to `end`, which are those below `path`, with directories of the parents.
    fn directory(
        &mut self,
        path: &mut Vec<u8>,
        before: &[Option<ObjectId>],
        cached: Option<&CachedTree>,
        start: usize,
        end: usize,
    ) {
        // What git would write as the tree without looking further is what the commit would hold.
        let cached_id = cached.filter(|cached| cached.num_entries.is_some_and(|count| count as usize == end - start));
        if cached_id.is_some_and(|cached| before.contains(&Some(cached.id))) {
            return;
        }
        if is_too_deep(path) {
            return self.comparison.gaps.note(String::from_utf8_lossy(path).into_owned(), "is nested too deeply");
        }
        let index = self.index;
        let mut parents = self.comparison.parents(path, before);
        let mut at = start;
        while at < end {
            let entry = index.entry(at);
            let full = entry.path(index).as_bytes();
            let rest = full.get(path.len()..).unwrap_or_default();
            let Some(slash) = memchr::memchr(b'/', rest) else {
                let there = parents.take(rest, false);
                at = self.file(full, at, end, &there);
                continue;
            };
            let name = &rest[..slash];
            let there = parents.take(name, true);
            let before: Vec<_> = there.iter().map(|there| there.map(|(_, id)| id)).collect();
            let length = path.len();
            path.extend_from_slice(&rest[..=slash]);
            if entry.mode.is_sparse() {
                self.comparison.trees(path, &before, Some(entry.id));
                at += 1;
            } else {
                let below = cached.and_then(|cached| cached.children.iter().find(|child| child.name[..] == *name));
                let next = end_of(index, path, at, end, below);
                self.directory(path, &before, below, at, next);
                at = next;
            }
            path.truncate(length);
        }
        self.comparison.removed(path, parents);
    }

    /// Compares a file, in all stages that it has, and says where the next one is.
    fn file(&mut self, path: &[u8], start: usize, end: usize, there: &[super::changes::There]) -> usize {
        let mut at = start;
        while at < end {
            let entry = self.index.entry(at);
            if at > start && entry.path(self.index).as_bytes() != path {
                break;
            }
            let content = !entry.flags.contains(Flags::INTENT_TO_ADD)
                && matches!(entry.stage(), Stage::Unconflicted | Stage::Ours | Stage::Theirs);
            if let Some(mode) = mode(entry.mode).filter(|_| content) {
                self.comparison.file(path, Version { mode, id: entry.id }, there);
            }
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::sandbox::{Numbers, Sandbox, Seen, gather, variables};
    use super::*;

    fn staged(repository: &GitRepository) -> (Vec<Seen>, Coverage) {
        let mut coverage = Coverage::default();
        let seen = gather(|each| visit(repository, each, &mut coverage).unwrap());
        (seen, coverage)
    }

    fn news(repository: &GitRepository) -> Vec<(String, Vec<String>)> {
        staged(repository).0.into_iter().map(|seen| (seen.path, seen.new)).collect()
    }

    /// The added lines of each path, as git tells them.
    fn oracle(sandbox: &Sandbox) -> BTreeMap<String, Vec<String>> {
        let diff = sandbox.git_bytes(&[
            "-c",
            "core.quotePath=false",
            "diff",
            "--cached",
            "-U0",
            "--text",
            "--no-renames",
            "--diff-algorithm=histogram",
        ]);
        let mut added = BTreeMap::<String, Vec<String>>::new();
        let mut path = String::new();
        for line in String::from_utf8(diff).unwrap().lines() {
            if let Some(name) = line.strip_prefix("+++ ") {
                path = name.strip_prefix("b/").unwrap_or(name).to_owned();
            } else if let Some(text) = line.strip_prefix('+') {
                added.entry(path.clone()).or_default().push(text.to_owned());
            }
        }
        added
    }

    #[test]
    fn the_tree_of_the_index_is_the_one_that_git_writes() {
        for options in [[].as_slice(), &["--object-format=sha256"]] {
            let sandbox = Sandbox::new(options);
            let id = |sandbox: &Sandbox| tree_id(&sandbox.open()).unwrap().unwrap().to_string();
            assert_eq!(id(&sandbox), sandbox.git(&["write-tree"]), "of an empty index");
            for path in ["a-b/c", "a/b/c", "a/b.c", "a.b", "a0", "z/y/x/w", "z/y.x"] {
                sandbox.write(path, path);
            }
            sandbox.git(&["add", "--all"]);
            assert_eq!(id(&sandbox), sandbox.git(&["write-tree"]));
            // The trees of what did not change are in the index now.
            sandbox.write("a/b/d", "new");
            std::fs::remove_file(sandbox.root.join("z/y.x")).unwrap();
            sandbox.git(&["add", "--all"]);
            sandbox.write("z/new/later", "x");
            sandbox.git(&["add", "--intent-to-add", "z/new/later"]);
            let ours = id(&sandbox);
            assert_eq!(ours, sandbox.git(&["write-tree"]));
        }
    }

    #[test]
    fn random_edits_have_the_added_lines_of_git_diff() {
        let sandbox = Sandbox::new(&[]);
        let mut numbers = Numbers(7);
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut line = 0;
        for round in 0..12 {
            for file in 0..20 {
                let path = ["a", "b/c", "b-d", "b/e/f"][file % 4].to_owned() + "/" + &file.to_string();
                let lines = files.entry(path.clone()).or_default();
                for _ in 0..numbers.below(4) {
                    line += 1;
                    let at = numbers.below(lines.len() + 1);
                    match numbers.below(3) {
                        0 if at < lines.len() => drop(lines.remove(at)),
                        1 if at < lines.len() => lines[at] = format!("changed {round} {line}"),
                        _ => lines.insert(at, format!("added {round} {line}")),
                    }
                }
                sandbox.write(&path, format!("{path}\n{}\n", lines.join("\n")));
            }
            sandbox.git(&["add", "--all"]);
            let (seen, _) = staged(&sandbox.open());
            let mut ours = BTreeMap::<String, Vec<String>>::new();
            for Seen { path, new, .. } in seen {
                ours.entry(path).or_default().extend(new.concat().lines().map(str::to_owned));
            }
            assert_eq!(ours, oracle(&sandbox), "round {round}");
            sandbox.git(&["commit", "--quiet", "--message", "round"]);
            assert!(news(&sandbox.open()).is_empty());
        }
    }

    #[test]
    fn on_an_unborn_branch_everything_is_new() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let sandbox = Sandbox::new(options);
            sandbox.write("a", "one\n");
            assert!(news(&sandbox.open()).is_empty());
            sandbox.git(&["add", "a"]);
            assert_eq!(news(&sandbox.open()), [("a".to_owned(), vec!["one\n".to_owned()])]);
            sandbox.commit("a");
            assert!(news(&sandbox.open()).is_empty());
        }
    }

    #[test]
    fn what_the_index_holds_counts_and_not_the_work_tree() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        sandbox.commit("a");
        sandbox.write("a", "one\nsecret\n");
        sandbox.git(&["add", "a"]);
        sandbox.write("a", "one\n");
        let (seen, coverage) = staged(&sandbox.open());
        assert_eq!(seen[0].new, ["secret\n"]);
        assert_eq!(seen[0].place.exposure, Exposure::Staged);
        assert_eq!(coverage.counts["bytes"], 7);
    }

    #[test]
    fn moved_and_copied_blobs_are_new_where_they_come_to() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a/x.rs", "one\ntwo\n");
        sandbox.write("a/y.rs", "three\nfour\n");
        sandbox.write("b/x.rs", "other\n");
        sandbox.commit("a");
        sandbox.git(&["mv", "a", "c"]);
        sandbox.write("copy", "other\n");
        sandbox.git(&["add", "copy"]);
        let mut paths = news(&sandbox.open()).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        paths.sort();
        // Nobody may have looked at the other paths.
        assert_eq!(paths, ["c/x.rs", "c/y.rs", "copy"]);
    }

    #[test]
    fn only_what_the_merge_adds_is_new() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "1\n2\n3\n4\n5\n");
        sandbox.commit("base");
        sandbox.git(&["checkout", "--quiet", "-b", "side"]);
        sandbox.write("a", "1\n2\n3\n4\nside\n");
        sandbox.write("only-side", "side\n");
        sandbox.commit("side");
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.write("a", "main\n2\n3\n4\n5\n");
        sandbox.commit("main");
        sandbox.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
        assert!(news(&sandbox.open()).is_empty());
        sandbox.write("a", "main\n2\nevil\n4\nside\n");
        sandbox.git(&["add", "a"]);
        assert_eq!(news(&sandbox.open()), [("a".to_owned(), vec!["evil\n".to_owned()])]);
    }

    #[test]
    fn both_sides_of_a_conflict_are_looked_at() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "base\n");
        sandbox.commit("base");
        sandbox.write("a", "stashed\n");
        sandbox.git(&["stash", "--quiet"]);
        sandbox.write("a", "main\n");
        sandbox.commit("main");
        let output = sandbox.command().args(["stash", "pop"]).output().unwrap();
        assert!(!output.status.success());
        assert_eq!(news(&sandbox.open()), [("a".to_owned(), vec!["stashed\n".to_owned()])]);
    }

    #[test]
    fn intent_to_add_modes_submodules_and_links() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        let commit = sandbox.commit("a");
        sandbox.write("later", "not yet\n");
        sandbox.git(&["add", "--intent-to-add", "later"]);
        sandbox.git(&["update-index", "--chmod=+x", "a"]);
        sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},module")]);
        std::os::unix::fs::symlink("../target", sandbox.root.join("link")).unwrap();
        sandbox.git(&["add", "link"]);
        assert_eq!(news(&sandbox.open()), [("link".to_owned(), vec!["../target".to_owned()])]);
        let change = super::tree(&sandbox.open(), &|_| false, &mut Coverage::default()).unwrap();
        let entries: Vec<_> = change
            .entries
            .iter()
            .map(|entry| (entry.path.to_str_lossy().into_owned(), entry.mode, entry.is_new))
            .collect();
        let expected = [("a", Mode::Executable, true), ("link", Mode::Link, true), ("module", Mode::Submodule, true)];
        assert_eq!(entries, expected.map(|(path, mode, new)| (path.to_owned(), mode, new)));
        assert_eq!(change.files.len(), 1);
        assert_eq!(change.files[0].after.as_ref().unwrap().content, b"../target");
    }

    #[test]
    fn a_sparse_index_and_a_split_one_are_read() {
        let sandbox = Sandbox::new(&[]);
        for path in ["in/a", "out/b", "out/deep/c"] {
            sandbox.write(path, path);
        }
        sandbox.commit("all");
        sandbox.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
        assert!(news(&sandbox.open()).is_empty());
        let change = super::tree(&sandbox.open(), &|_| true, &mut Coverage::default()).unwrap();
        assert_eq!(change.entries.len(), 3);
        sandbox.write("in/new", "new\n");
        sandbox.git(&["add", "in/new"]);
        assert_eq!(news(&sandbox.open()), [("in/new".to_owned(), vec!["new\n".to_owned()])]);
        sandbox.git(&["sparse-checkout", "disable"]);
        sandbox.git(&["update-index", "--split-index"]);
        sandbox.write("in/new", "newer\n");
        sandbox.git(&["add", "in/new"]);
        assert_eq!(news(&sandbox.open()), [("in/new".to_owned(), vec!["newer\n".to_owned()])]);
    }

    #[test]
    fn removed_files_are_in_the_tree_change() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("dir/toolbelt.toml", "version = 1\n");
        sandbox.write("other", "x\n");
        sandbox.commit("all");
        sandbox.git(&["rm", "--quiet", "-r", "dir"]);
        let mut coverage = Coverage::default();
        let change = super::tree(&sandbox.open(), &|path| path.ends_with(b"toolbelt.toml"), &mut coverage).unwrap();
        assert_eq!(change.entries.len(), 1);
        assert_eq!(change.files[0].path, b"dir/toolbelt.toml");
        assert!(change.files[0].after.is_none());
        assert_eq!(change.files[0].before.as_ref().unwrap().content, b"version = 1\n");
    }

    #[test]
    fn replaced_objects_do_not_hide_anything() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "secret\n");
        sandbox.git(&["add", "a"]);
        let honest = sandbox.git_with_input(&["hash-object", "-w", "--stdin"], b"nothing\n");
        sandbox.git(&["replace", &sandbox.id(":a").to_string(), &honest]);
        assert_eq!(news(&sandbox.open()), [("a".to_owned(), vec!["secret\n".to_owned()])]);
    }

    #[test]
    fn a_missing_blob_is_said() {
        let sandbox = Sandbox::new(&[]);
        sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},a", "1".repeat(40))]);
        let (seen, coverage) = staged(&sandbox.open());
        assert!(seen.is_empty() && coverage.could_not_look);
        assert!(coverage.skipped[0].what.contains("`a`"), "{coverage:?}");
    }

    #[test]
    fn paths_may_be_of_any_bytes() {
        let sandbox = Sandbox::new(&[]);
        let blob = sandbox.git_with_input(&["hash-object", "-w", "--stdin"], b"text\n");
        let mut line = format!("100644 {blob}\t").into_bytes();
        line.extend_from_slice(b"a\xff\n\x1b/b\0");
        sandbox.git_with_input(&["update-index", "-z", "--index-info"], &line);
        assert_eq!(news(&sandbox.open()), [("a\u{fffd}\n\u{1b}/b".to_owned(), vec!["text\n".to_owned()])]);
    }

    #[test]
    fn hooks_see_the_index_that_is_being_committed() {
        use std::os::unix::fs::PermissionsExt as _;
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        sandbox.write("b", "one\n");
        sandbox.commit("all");
        let dump = sandbox.root.join(".git/dump");
        let hook = sandbox.root.join(".git/hooks/pre-commit");
        // The index of the command is gone when it ends, so the hook keeps a copy.
        let script = format!(
            "#!/bin/sh\nenv > '{0}'\npwd > '{0}.pwd'\ncp \"$GIT_INDEX_FILE\" '{0}.index'\nexit 1\n",
            dump.display()
        );
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, script).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
        for (arguments, expected) in
            [(&["commit", "-a", "-m", "x"][..], &["a", "b"][..]), (&["commit", "-m", "x", "b"], &["b"])]
        {
            sandbox.write("a", "one\ntwo\n");
            sandbox.write("b", "one\nthree\n");
            assert!(!sandbox.command().args(arguments).output().unwrap().status.success());
            let mut variables = variables(&dump);
            assert!(variables["GIT_INDEX_FILE"].contains("index"));
            let copy = format!("{}.index", dump.display());
            variables.insert("GIT_INDEX_FILE".to_owned(), copy);
            let directory = std::fs::read_to_string(format!("{}.pwd", dump.display())).unwrap();
            let repository = GitRepository::open(directory.trim().as_ref(), &variables).unwrap();
            assert_eq!(repository.root(), Some(sandbox.root.as_path()));
            let paths: Vec<String> = news(&repository).into_iter().map(|(path, _)| path).collect();
            assert_eq!(paths, expected, "{arguments:?}");
        }
    }
}
