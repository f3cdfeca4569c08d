//! What some refs lead to and others do not: the same for a range, a push and what a server receives.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use gix::objs::Kind;

use super::changes::{Change, Comparison};
use super::commits::{Commit, Commits, Peeled};
use super::contents;
use super::gaps::Gaps;
use super::repository::GitRepository;
use super::store::{Missing, Store};
use super::{Error, Met, Visit, tree};
use crate::report::Coverage;
use crate::subject::content::{Content, ContentKind, News, ObjectId};
use crate::subject::sighting::{Exposure, Place};
use crate::subject::tree::TreeChange;

/// Tips, and what is known already.
#[derive(Debug, Default, Clone)]
pub(super) struct Outgoing {
    /// Commits, annotated tags, or whatever else a ref points to.
    pub(super) tips: Vec<ObjectId>,
    /// What others have, with all that it leads to. What is missing here is passed over.
    pub(super) hidden: Vec<ObjectId>,
    /// Refs that follow those of some remote, by name: what they lead to is with others.
    pub(super) tracked: Vec<(String, ObjectId)>,
}

/// How many blobs are gathered before they are handed out: bounds what a huge push needs.
const BATCH: usize = 4096;
/// How many refs are asked whether they lead to a commit that some remote has.
const ASKED_REFS: usize = 32;
/// How many refs are named that a commit is in.
const NAMED_REFS: usize = 8;
/// The most trees that the tree of a tip is compared with.
const BASES: usize = 16;
/// What is spent on the bases of deltas.
const CACHE_BYTES: usize = 32 << 20;

/// The commits of a set of tips, and what else they lead to.
struct Walked {
    commits: Vec<(ObjectId, Commit)>,
    others: Vec<Peeled>,
    tags: Vec<ObjectId>,
}

/// A tip, and what is different in it from what the other side has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its commit.
    pub commit: ObjectId,
    /// Files that were added, changed or removed; relative to the root, with `/`.
    pub paths: Vec<Vec<u8>>,
}

impl Walked {
    /// The trees that the new commits were made on: of parents that are not new themselves. One that is none if there is
    /// no such parent.
    fn before(&self, store: &Store) -> Vec<Option<ObjectId>> {
        let new: HashSet<ObjectId> = self.commits.iter().map(|(id, _)| *id).collect();
        let mut bases: Vec<ObjectId> = Vec::new();
        for (_, commit) in self.commits.iter().rev() {
            for parent in commit.parents.iter().filter(|parent| !new.contains(*parent)) {
                if bases.len() < BASES && !bases.contains(parent) {
                    bases.push(*parent);
                }
            }
        }
        let trees = bases.iter().filter_map(|base| super::commits::tree_of(store, *base).ok()).map(Some);
        let mut before: Vec<_> = trees.collect();
        if before.is_empty() {
            before.push(None);
        }
        before
    }
}

impl Outgoing {
    /// Hands out each commit, tag and blob that is new, the oldest commit first; a blob once, where it came first.
    ///
    /// A blob is handed out with the lines that it has in none of the parents of its commit. A blob or a tree that a ref
    /// points to directly is new as a whole.
    pub(super) fn visit(
        &self,
        repository: &GitRepository,
        visit: Visit<'_>,
        coverage: &mut Coverage,
    ) -> Result<(), Error> {
        if self.tips.is_empty() {
            return Ok(());
        }
        let store = repository.store()?.with_pack_cache(CACHE_BYTES);
        let mut gaps = Gaps::default();
        let walked = self.walk(repository, &store, &mut gaps);
        let exposures = self.exposures(repository, &store, &walked);
        let exposure = |commit: &ObjectId| exposures.get(commit).cloned().unwrap_or(Exposure::Unpushed);
        coverage.count("commits", walked.commits.len());

        let mut seen = HashSet::new();
        let mut jobs = Vec::new();
        let trees: BTreeMap<ObjectId, ObjectId> =
            walked.commits.iter().map(|(id, commit)| (*id, commit.tree)).collect();
        for (id, commit) in &walked.commits {
            let exposure = exposure(id);
            message(&store, *id, ContentKind::Commit, Some(*id), &exposure, visit, &mut gaps, coverage);
            let before = parents(&store, commit, &trees, &mut gaps);
            let changes = compare(&store, &before, commit.tree, &mut gaps);
            jobs.extend(contents::jobs(changes, &mut seen, Some(*id), &exposure));
            if jobs.len() >= BATCH {
                contents::visit(&store, &jobs, visit, &mut gaps, coverage);
                jobs.clear();
            }
        }
        for other in &walked.others {
            if other.kind == Kind::Tree {
                let changes = compare(&store, &[None], other.id, &mut gaps);
                jobs.extend(contents::jobs(changes, &mut seen, None, &Exposure::Unpushed));
            } else if seen.insert((Vec::new(), other.id)) {
                let exposure = Exposure::Unpushed;
                message(&store, other.id, ContentKind::Blob, None, &exposure, visit, &mut gaps, coverage);
            }
        }
        contents::visit(&store, &jobs, visit, &mut gaps, coverage);
        for tag in &walked.tags {
            message(&store, *tag, ContentKind::Tag, None, &Exposure::Unpushed, visit, &mut gaps, coverage);
        }
        let looked = coverage.counts.get("objects").is_some_and(|count| *count > 0);
        coverage.saw_nothing |= !looked && !gaps.is_empty();
        gaps.into_coverage(coverage);
        Ok(())
    }

    /// The tree of each tip, compared with those of the commits that its new ones were made on: one change for a tip,
    /// so that what came and went in between is not in it. `wanted` and symbolic links as in
    /// [`staged::tree`](super::staged::tree).
    pub(super) fn trees(
        &self,
        repository: &GitRepository,
        wanted: &dyn Fn(&[u8]) -> bool,
        coverage: &mut Coverage,
    ) -> Result<Vec<TreeChange>, Error> {
        let store = repository.store()?.with_pack_cache(CACHE_BYTES);
        let mut gaps = Gaps::default();
        let mut changes = Vec::new();
        let tips: BTreeSet<ObjectId> = self.tips.iter().copied().collect();
        for tip in tips {
            let one = Self { tips: vec![tip], ..self.clone() };
            let walked = one.walk(repository, &store, &mut gaps);
            let Some((id, commit)) = walked.commits.last() else { continue };
            let difference = compare(&store, &walked.before(&store), commit.tree, &mut gaps);
            let mut paths = Vec::new();
            tree::list(&store, Vec::new(), commit.tree, &mut gaps, &mut |path, mode| paths.push((path, mode)));
            let exposure = one.exposures(repository, &store, &walked).remove(id).unwrap_or(Exposure::Unpushed);
            changes.push(tree::change(&store, paths, &difference, wanted, Some(*id), exposure, &mut gaps));
        }
        gaps.into_coverage(coverage);
        Ok(changes)
    }

    /// The commits that are new, parents before their children, and the annotated tags.
    pub(super) fn objects(
        &self,
        repository: &GitRepository,
        store: &Store,
        coverage: &mut Coverage,
    ) -> (Vec<ObjectId>, Vec<ObjectId>) {
        let mut gaps = Gaps::default();
        let walked = self.walk(repository, store, &mut gaps);
        gaps.into_coverage(coverage);
        (walked.commits.into_iter().map(|(id, _)| id).collect(), walked.tags)
    }

    /// The commits that are new, each with its tree, the oldest first. What cannot be read is passed over: whoever visits
    /// it says so.
    pub(super) fn commits(&self, repository: &GitRepository) -> Result<Vec<(ObjectId, ObjectId)>, Error> {
        let store = repository.store()?.with_pack_cache(CACHE_BYTES);
        let walked = self.walk(repository, &store, &mut Gaps::default());
        Ok(walked.commits.into_iter().map(|(id, commit)| (id, commit.tree)).collect())
    }

    /// Each tip that has new commits, with the files that differ from what those were made on.
    pub(super) fn changed(&self, repository: &GitRepository, coverage: &mut Coverage) -> Result<Vec<Changed>, Error> {
        let store = repository.store()?.with_pack_cache(CACHE_BYTES);
        let mut gaps = Gaps::default();
        let mut changed = Vec::new();
        for tip in self.tips.iter().copied().collect::<BTreeSet<ObjectId>>() {
            let walked = Self { tips: vec![tip], ..self.clone() }.walk(repository, &store, &mut gaps);
            let Some((id, commit)) = walked.commits.last() else { continue };
            let difference = compare(&store, &walked.before(&store), commit.tree, &mut gaps);
            changed.push(Changed { commit: *id, paths: difference.into_iter().map(|change| change.path).collect() });
        }
        gaps.into_coverage(coverage);
        Ok(changed)
    }

    /// Finds what is new.
    fn walk(&self, repository: &GitRepository, store: &Store, gaps: &mut Gaps) -> Walked {
        let mut commits = Commits::new(repository, store);
        let mut known_tags = HashSet::new();
        let mut known_others = HashSet::new();
        let mut hidden = Vec::new();
        for id in &self.hidden {
            let Ok(peeled) = commits.peel(*id) else { continue };
            known_tags.extend(peeled.tags);
            if peeled.kind == Kind::Commit {
                hidden.push(peeled.id);
            } else {
                known_others.insert(peeled.id);
            }
        }
        let (mut tips, mut others, mut tags) = (Vec::new(), Vec::new(), Vec::new());
        for id in &self.tips {
            match commits.peel(*id) {
                Ok(peeled) => {
                    tags.extend(peeled.tags.iter().filter(|tag| known_tags.insert(**tag)));
                    if peeled.kind == Kind::Commit {
                        tips.push(peeled.id);
                    } else if known_others.insert(peeled.id) {
                        others.push(peeled);
                    }
                }
                Err(why) => gaps.add(b"", *id, &why),
            }
        }
        Walked { commits: commits.new_ones(&tips, &hidden, gaps), others, tags }
    }

    /// Which of the new commits a remote has nevertheless: another one, mostly. Some of its refs are named, or none where
    /// only others than the first [`ASKED_REFS`] lead to the commit.
    fn exposures(&self, repository: &GitRepository, store: &Store, walked: &Walked) -> BTreeMap<ObjectId, Exposure> {
        let mut refs: BTreeMap<ObjectId, Vec<String>> = BTreeMap::new();
        let mut commits = Commits::new(repository, store);
        if walked.commits.is_empty() {
            return BTreeMap::new();
        }
        let new: Vec<ObjectId> = walked.commits.iter().map(|(id, _)| *id).collect();
        let all: Vec<ObjectId> = self.tracked.iter().map(|(_, id)| *id).collect();
        let mut unaware = Gaps::default();
        let mut without = |hidden: &[ObjectId]| -> HashSet<ObjectId> {
            commits.new_ones(&new, hidden, &mut unaware).into_iter().map(|(id, _)| id).collect()
        };
        let unpushed = if all.is_empty() { new.iter().copied().collect() } else { without(&all) };
        for id in new.iter().filter(|id| !unpushed.contains(*id)) {
            refs.insert(*id, Vec::new());
        }
        // A repository can follow thousands of refs: the commits are walked again for a few of them alone.
        for (name, id) in self.tracked.iter().take(if refs.is_empty() { 0 } else { ASKED_REFS }) {
            let without = without(&[*id]);
            for (_, names) in refs.iter_mut().filter(|(id, names)| !without.contains(*id) && names.len() < NAMED_REFS) {
                names.push(name.clone());
            }
        }
        refs.into_iter().map(|(id, names)| (id, Exposure::Pushed(names))).collect()
    }
}

/// The trees that a commit was made from.
fn parents(
    store: &Store,
    commit: &Commit,
    trees: &BTreeMap<ObjectId, ObjectId>,
    gaps: &mut Gaps,
) -> Vec<Option<ObjectId>> {
    let mut before: Vec<Option<ObjectId>> = Vec::new();
    for parent in &commit.parents {
        match trees.get(parent).copied().map_or_else(|| super::commits::tree_of(store, *parent), Ok) {
            Ok(tree) => before.push(Some(tree)),
            Err(why) => gaps.add(b"", *parent, &why),
        }
    }
    if before.is_empty() {
        before.push(None);
    }
    before
}

/// Compares trees.
fn compare(store: &Store, before: &[Option<ObjectId>], after: ObjectId, gaps: &mut Gaps) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut sink = |change| changes.push(change);
    Comparison { store, gaps, sink: &mut sink }.trees(&mut Vec::new(), before, Some(after));
    changes
}

/// Hands out an object that has no path.
#[expect(clippy::too_many_arguments, reason = "what is said about it and who is told")]
fn message(
    store: &Store,
    id: ObjectId,
    kind: ContentKind,
    commit: Option<ObjectId>,
    exposure: &Exposure,
    visit: Visit<'_>,
    gaps: &mut Gaps,
    coverage: &mut Coverage,
) {
    let mut buffer = Vec::new();
    let stored = match kind {
        ContentKind::Blob => Kind::Blob,
        ContentKind::Commit => Kind::Commit,
        ContentKind::Tag => Kind::Tag,
    };
    let read: Result<&[u8], Missing> = store.read_kind(&id, stored, &mut buffer);
    match read {
        Ok(bytes) => {
            coverage.count("objects", 1);
            coverage.count("bytes", bytes.len());
            let place = Place { path: None, object: id, kind, commit, exposure: exposure.clone() };
            let content = Content { id, kind, bytes, news: News::All };
            visit(&Met { content, place: Some(&place), pack: None });
        }
        Err(missing) => gaps.add(b"", id, &missing.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::super::sandbox::{Numbers, Sandbox, Seen, gather, variables};
    use super::super::{push, range, receive};
    use super::*;

    const ORIGIN: (&str, &str) = ("origin", "https://example.com/r.git");

    fn pushed(repository: &GitRepository, input: &str) -> (Vec<Seen>, Coverage) {
        let mut coverage = Coverage::default();
        let (remote, url) = ORIGIN;
        let seen = gather(|each| push::visit(repository, remote, url, input.as_bytes(), each, &mut coverage).unwrap());
        (seen, coverage)
    }

    fn line(new: ObjectId, name: &str, old: Option<ObjectId>) -> String {
        let old = old.unwrap_or_else(|| new.kind().null());
        format!("refs/heads/{name} {new} refs/heads/{name} {old}\n")
    }

    fn blobs(seen: &[Seen]) -> Vec<(String, Vec<String>)> {
        let blobs = seen.iter().filter(|seen| seen.place.kind == ContentKind::Blob);
        blobs.map(|seen| (seen.path.clone(), seen.new.clone())).collect()
    }

    /// The objects that git would send, without trees.
    fn oracle(sandbox: &Sandbox, revisions: &[&str]) -> BTreeSet<ObjectId> {
        let listed = sandbox.git(&[&["rev-list", "--objects", "--no-object-names"], revisions].concat());
        let kinds =
            sandbox.git_with_input(&["cat-file", "--batch-check=%(objecttype) %(objectname)"], listed.as_bytes());
        let kinds = kinds.lines().filter_map(|line| line.split_once(' '));
        kinds.filter(|(kind, _)| *kind != "tree").map(|(_, id)| ObjectId::from_hex(id.as_bytes()).unwrap()).collect()
    }

    /// A history with merges, in which each commit adds lines that name it; the dates are out of order.
    fn random_history(sandbox: &Sandbox, numbers: &mut Numbers, count: usize) -> Vec<ObjectId> {
        let mut commits: Vec<ObjectId> = Vec::new();
        for number in 0..count {
            if let Some(last) = commits.len().checked_sub(1) {
                let parent = commits[last - numbers.below(commits.len().min(5))];
                sandbox.git(&["checkout", "--quiet", "--detach", "--force", &parent.to_string()]);
                if numbers.below(3) == 0 {
                    let other = commits[numbers.below(commits.len())].to_string();
                    // Conflicts are solved by taking both sides.
                    let merge = ["merge", "--quiet", "--no-commit", "--no-ff", "-s", "ort", "-X", "ours", &other];
                    let _ = sandbox.command().args(merge).output().unwrap();
                }
            }
            for _ in 0..=numbers.below(3) {
                let path = format!("{}/{}", ["a", "b/c"][numbers.below(2)], numbers.below(6));
                let old = std::fs::read_to_string(sandbox.root.join(&path)).unwrap_or_default();
                let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
                lines.insert(numbers.below(lines.len() + 1), format!("commit {number} in {path}"));
                sandbox.write(&path, lines.join("\n") + "\n");
            }
            sandbox.git(&["add", "--all"]);
            let date = format!("2026-01-{:02}T00:00:00Z", 1 + (number / 2 + numbers.below(4)) % 28);
            let message = format!("commit {number}");
            let commit = ["commit", "--quiet", "--allow-empty", "--message", &message];
            assert!(sandbox.command().env("GIT_COMMITTER_DATE", date).args(commit).output().unwrap().status.success());
            commits.push(sandbox.id("HEAD"));
        }
        commits
    }

    #[test]
    fn everything_that_git_would_send_is_looked_at() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let sandbox = Sandbox::new(options);
            let mut numbers = Numbers(11);
            let commits = random_history(&sandbox, &mut numbers, 40);
            sandbox.git(&["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
            for round in 0..12 {
                let (tip, old, base) = (numbers.below(40), numbers.below(40), numbers.below(40));
                let (tip, old, base) = (commits[tip], commits[old], commits[base]);
                sandbox.git(&["update-ref", "refs/remotes/origin/main", &base.to_string()]);
                if round == 6 {
                    sandbox.git(&["commit-graph", "write", "--reachable"]);
                    sandbox.git(&["gc", "--quiet", "--prune=never"]);
                }
                let (seen, coverage) = pushed(&sandbox.open(), &line(tip, "main", Some(old)));
                let (tip, old, base) = (tip.to_string(), format!("^{old}"), format!("^{base}"));
                let expected = oracle(&sandbox, &[&tip, &old, &base]);
                let met: BTreeSet<ObjectId> = seen.iter().map(|seen| seen.place.object).collect();
                assert!(!coverage.could_not_look, "{coverage:?}");
                assert_eq!(met.difference(&expected).next(), None, "round {round}: would not be sent");
                let listed = sandbox.git(&["rev-list", &tip, &old, &base]);
                let count = listed.lines().count();
                assert_eq!(coverage.counts["commits"], count as u64);
                let whole = sandbox.git(&["log", "--format=%s", &tip, &old, &base]);
                let mut new: BTreeSet<&str> = whole.lines().collect();
                for seen in seen.iter().filter(|seen| seen.place.kind == ContentKind::Blob) {
                    let commit = seen.place.commit.unwrap().to_string();
                    assert!(listed.contains(&commit));
                    for text in seen.new.concat().lines().filter_map(|line| line.split_once(" in ")) {
                        new.remove(text.0);
                    }
                }
                // Each new commit brought a line of its own, and each such line was met.
                assert!(new.is_empty(), "round {round}: {new:?}");
            }
        }
    }

    #[test]
    fn the_commit_that_brought_a_line_is_named() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        let base = sandbox.commit("base");
        sandbox.write("a", "one\nsecret\n");
        let first = sandbox.commit("first");
        sandbox.write("a", "one\n");
        let second = sandbox.commit("second");
        let (seen, coverage) = pushed(&sandbox.open(), &line(second, "main", Some(base)));
        assert_eq!(blobs(&seen), [("a".to_owned(), vec!["secret\n".to_owned()])]);
        let place = &seen.iter().find(|seen| seen.place.kind == ContentKind::Blob).unwrap().place;
        assert_eq!((place.commit, &place.exposure), (Some(first), &Exposure::Unpushed));
        let messages: Vec<_> =
            seen.iter().filter(|seen| seen.place.kind == ContentKind::Commit).map(|seen| seen.place.object).collect();
        assert_eq!(messages.len(), 2);
        assert!(messages.contains(&first) && messages.contains(&second));
        assert_eq!(coverage.counts["commits"], 2);
    }

    #[test]
    fn what_only_a_merge_has_is_new_and_what_came_from_a_side_is_not() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "1\n2\n3\n4\n5\n");
        sandbox.commit("base");
        sandbox.git(&["checkout", "--quiet", "-b", "side"]);
        sandbox.write("a", "1\n2\n3\n4\nside\n");
        let side = sandbox.commit("side");
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.write("a", "main\n2\n3\n4\n5\n");
        let main = sandbox.commit("main");
        sandbox.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
        sandbox.write("a", "main\n2\nevil\n4\nside\n");
        let merge = sandbox.commit("merge");
        let input = line(merge, "main", Some(main)) + &line(side, "side", Some(side));
        let (seen, _) = pushed(&sandbox.open(), &input);
        assert_eq!(blobs(&seen), [("a".to_owned(), vec!["evil\n".to_owned()])]);
    }

    #[test]
    fn tags_notes_trees_and_blobs_are_looked_at() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("dir/a", "one\n");
        let commit = sandbox.commit("base");
        sandbox.git(&["tag", "-a", "v1", "-m", "words of a tag"]);
        sandbox.git(&["tag", "-a", "v2", "-m", "tag of a tag", "v1"]);
        sandbox.git(&["notes", "add", "-m", "words of a note"]);
        let (tag, note) = (sandbox.id("v2"), sandbox.id("refs/notes/commits"));
        let (tree, blob) =
            (sandbox.id("HEAD:dir"), sandbox.git_with_input(&["hash-object", "-w", "--stdin"], b"bare\n"));
        let blob = ObjectId::from_hex(blob.as_bytes()).unwrap();
        let input: String = [tag, note, tree, blob].iter().map(|id| line(*id, "x", None)).collect();
        let (seen, coverage) = pushed(&sandbox.open(), &(input + &line(commit, "main", None)));
        let texts = seen.iter().map(|seen| seen.new.concat()).collect::<Vec<_>>().join("\n");
        for words in ["words of a tag", "tag of a tag", "words of a note", "one\n", "bare\n", "base"] {
            assert!(texts.contains(words), "{words}: {texts}");
        }
        assert!(!coverage.could_not_look);
        let known = line(tag, "x", Some(tag)) + &line(commit, "main", Some(commit));
        let (seen, coverage) = pushed(&sandbox.open(), &known);
        assert!(seen.is_empty() && !coverage.saw_nothing);
    }

    #[test]
    fn a_push_that_only_deletes_is_nothing_to_look_at() {
        let sandbox = Sandbox::new(&[]);
        let (null, id) = ("0".repeat(40), "1".repeat(40));
        let (seen, coverage) = pushed(&sandbox.open(), &format!("(delete) {null} refs/heads/x {id}\n"));
        assert!(seen.is_empty());
        assert_eq!(coverage, Coverage::default());
        for wrong in ["x\n", "refs/heads/x 12 refs/heads/x 12\n", "\n"] {
            let result = push::updates(wrong.as_bytes());
            assert!(matches!(result, Err(Error::Input { line: 1, .. })), "{wrong}");
        }
    }

    #[test]
    fn trees_that_are_nested_too_deeply_are_said() {
        for (depth, could_look) in [(500, true), (520, false)] {
            let sandbox = Sandbox::new(&[]);
            let blob = sandbox.git_with_input(&["hash-object", "-w", "--stdin"], b"deep\n");
            let path = "a/".repeat(depth) + "a";
            sandbox.git_with_input(&["update-index", "--index-info"], format!("100644 {blob}\t{path}\n").as_bytes());
            let staged = |coverage: &mut Coverage| {
                gather(|each| super::super::staged::visit(&sandbox.open(), each, coverage).unwrap()).len()
            };
            let mut coverage = Coverage::default();
            assert_eq!((staged(&mut coverage) == 1, coverage.could_not_look), (could_look, !could_look));
            sandbox.git(&["commit", "--quiet", "--message", "deep"]);
            let (seen, coverage) = pushed(&sandbox.open(), &line(sandbox.id("HEAD"), "main", None));
            assert_eq!((seen.len() == 2, coverage.could_not_look), (could_look, !could_look));
            let mut coverage = Coverage::default();
            let tips = super::super::history::tips(&sandbox.open(), false, &mut coverage).unwrap();
            let wanted = BTreeSet::from([ObjectId::from_hex(blob.as_bytes()).unwrap()]);
            let places = super::super::locate::places(&sandbox.open(), &wanted, &tips, &mut coverage).unwrap();
            let found = places.values().flatten().any(|place| place.path.as_ref() == Some(&path));
            assert!(found, "the index has it, or a commit");
            assert_eq!(coverage.could_not_look, !could_look);
        }
    }

    #[test]
    fn what_another_remote_has_is_said() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        let base = sandbox.commit("base");
        sandbox.write("a", "one\ntwo\n");
        let tip = sandbox.commit("tip");
        sandbox.git(&["update-ref", "refs/remotes/fork/main", &base.to_string()]);
        let (seen, _) = pushed(&sandbox.open(), &line(tip, "main", None));
        let exposures: BTreeMap<_, _> =
            seen.iter().map(|seen| (seen.place.commit, seen.place.exposure.clone())).collect();
        assert_eq!(exposures[&Some(base)], Exposure::Pushed(vec!["refs/remotes/fork/main".to_owned()]));
        assert_eq!(exposures[&Some(tip)], Exposure::Unpushed);
    }

    #[test]
    fn missing_objects_are_said() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        sandbox.commit("base");
        sandbox.write("a", "two\n");
        let tip = sandbox.commit("tip");
        let blob = sandbox.id("HEAD:a").to_string();
        std::fs::remove_file(sandbox.root.join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
        let (_, coverage) = pushed(&sandbox.open(), &line(tip, "main", None));
        assert!(coverage.could_not_look);
        assert!(coverage.skipped[0].what.contains(&blob), "{coverage:?}");

        // Beyond the end of a shallow clone nothing is missed.
        let url = format!("file://{}", sandbox.root.display());
        sandbox.write("a", "three\n");
        sandbox.commit("top");
        sandbox.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
        let shallow = sandbox.beside("shallow");
        shallow.write("b", "new\n");
        let tip = shallow.commit("new");
        let (seen, coverage) = pushed(&shallow.open(), &line(tip, "main", None));
        assert_eq!(blobs(&seen), [("b".to_owned(), vec!["new\n".to_owned()])]);
        assert!(!coverage.could_not_look, "{coverage:?}");
    }

    #[test]
    fn ranges_are_those_of_git() {
        for options in [&[][..], &["--ref-format=reftable"]] {
            if options.len() == 1 && !reftable_is_known() {
                continue;
            }
            let sandbox = Sandbox::new(options);
            for number in 0..5 {
                sandbox.write("a", format!("{number}\n"));
                sandbox.commit(&number.to_string());
            }
            sandbox.git(&["branch", "side", "HEAD~2"]);
            let repository = sandbox.open();
            for range in ["HEAD~2..HEAD", "HEAD~1..", "side..main", "main ^side", "side...main", "HEAD~3"] {
                let mut coverage = Coverage::default();
                let seen = gather(|each| range::visit(&repository, range, each, &mut coverage).unwrap());
                let revisions: Vec<&str> = range.split(' ').collect();
                let met: BTreeSet<ObjectId> = seen.iter().map(|seen| seen.place.object).collect();
                assert_eq!(met, oracle(&sandbox, &revisions), "{range}");
            }
            let nothing =
                gather(|each| range::visit(&repository, "HEAD..HEAD", each, &mut Coverage::default()).unwrap());
            assert!(nothing.is_empty());
            for wrong in ["nowhere..HEAD", "", "--output=x", "^HEAD"] {
                assert!(matches!(range::ends(&repository, wrong), Err(Error::Range { .. })), "{wrong}");
            }
        }
    }

    fn reftable_is_known() -> bool {
        let folder = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new("git");
        command.args(["init", "--quiet", "--ref-format=reftable"]).current_dir(folder.path());
        command.output().unwrap().status.success()
    }

    #[test]
    fn the_trees_of_a_push_are_compared_with_what_the_remote_has() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        sandbox.write("dir/b", "one\n");
        let base = sandbox.commit("base");
        sandbox.write("dir/b", "two\n");
        sandbox.commit("between");
        sandbox.write("c", "new\n");
        std::fs::remove_file(sandbox.root.join("a")).unwrap();
        let tip = sandbox.commit("tip");
        let input = line(tip, "main", Some(base)).into_bytes();
        let (remote, url) = ORIGIN;
        let mut coverage = Coverage::default();
        let trees = push::trees(&sandbox.open(), remote, url, &input, &|_| true, &mut coverage).unwrap();
        assert_eq!(trees.len(), 1);
        let entries: Vec<_> = trees[0].entries.iter().map(|entry| (entry.path.as_slice(), entry.is_new)).collect();
        assert_eq!(entries, [(&b"c"[..], true), (b"dir/b", true)]);
        let files: Vec<_> = trees[0].files.iter().map(|file| file.path.as_slice()).collect();
        assert_eq!(files, [&b"a"[..], b"c", b"dir/b"]);
        assert_eq!(trees[0].files[2].before.as_ref().unwrap().content, b"one\n");
        assert_eq!((trees[0].commit, &trees[0].exposure), (Some(tip), &Exposure::Unpushed));
    }

    fn hook(directory: &Path, name: &str, script: &str) {
        let path = directory.join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn hooks_before_a_push_are_understood() {
        let sandbox = Sandbox::new(&[]);
        sandbox.git(&["init", "--quiet", "--bare", "../server"]);
        sandbox.write("a", "one\n");
        sandbox.commit("base");
        sandbox.git(&["remote", "add", "origin", sandbox.beside("server").root.to_str().unwrap()]);
        sandbox.git(&["push", "--quiet", "origin", "main"]);
        sandbox.write("b", "two\n");
        sandbox.commit("next");
        sandbox.git(&["tag", "-a", "v1", "-m", "tagged"]);
        hook(
            &sandbox.root.join(".git"),
            "pre-push",
            "cat > .git/input; echo \"$1\" > .git/remote; echo \"$2\" > .git/url; exit 1",
        );
        let push = sandbox.command().args(["push", "origin", "main", "v1", "HEAD:refs/heads/new"]).output().unwrap();
        assert!(!push.status.success());
        let read = |name: &str| std::fs::read_to_string(sandbox.root.join(".git").join(name)).unwrap();
        let (remote, url, input) = (read("remote"), read("url"), read("input"));
        let mut coverage = Coverage::default();
        let seen = gather(|each| {
            push::visit(&sandbox.open(), remote.trim(), url.trim(), input.as_bytes(), each, &mut coverage).unwrap();
        });
        let met: BTreeSet<ObjectId> = seen.iter().map(|seen| seen.place.object).collect();
        assert_eq!(met, oracle(&sandbox, &["main", "v1", "^refs/remotes/origin/main"]));
    }

    #[test]
    fn a_server_looks_into_the_quarantine() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let sandbox = Sandbox::new(options);
            sandbox.git(&[&["init", "--quiet", "--bare", "../server"], options].concat());
            let server = sandbox.beside("server");
            sandbox.write("a", "one\n");
            sandbox.commit("base");
            sandbox.git(&["push", "--quiet", server.root.to_str().unwrap(), "main"]);
            sandbox.write("a", "one\ntwo\n");
            let tip = sandbox.commit("next");
            // The quarantine exists as long as the hook waits.
            let wait = "cat > input; env > variables.new; mv variables.new variables
                n=0; while [ ! -e go ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n+1)); done; exit 1";
            hook(&server.root, "pre-receive", wait);
            let mut push = sandbox.command().args(["push", server.root.to_str().unwrap(), "main"]).spawn().unwrap();
            let start = Instant::now();
            while !server.root.join("variables").exists() && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let variables = variables(&server.root.join("variables"));
            assert!(variables.contains_key("GIT_QUARANTINE_PATH"));
            let input = std::fs::read(server.root.join("input")).unwrap();
            let repository = server.open_with(&variables);
            let mut coverage = Coverage::default();
            let seen = gather(|each| receive::visit(&repository, &input, each, &mut coverage).unwrap());
            let trees = receive::trees(&repository, &input, &|_| true, &mut coverage).unwrap();
            std::fs::write(server.root.join("go"), "").unwrap();
            assert!(!push.wait().unwrap().success());
            assert_eq!(blobs(&seen), [("a".to_owned(), vec!["two\n".to_owned()])]);
            assert_eq!(seen.len(), 2);
            assert_eq!(trees[0].commit, Some(tip));
            assert!(!coverage.could_not_look, "{coverage:?}");
        }
    }
}
