//! Commits and annotated tags, as far as a walk has to understand them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs;

use gix::commitgraph::Graph;
use gix::hashtable::{HashMap, HashSet};
use gix::objs::commit::ref_iter::Token;
use gix::objs::{CommitRefIter, Kind, TagRefIter};

use super::gaps::Gaps;
use super::repository::GitRepository;
use super::store::Store;
use crate::subject::content::ObjectId;

/// What a walk needs of a commit.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// Seconds since 1970, as the committer says: for order alone.
    pub(super) time: i64,
}

/// The commits of a repository.
///
/// Its commit-graph is used if it has one. In a shallow clone, the commits at its end have no parents, as with git.
pub(super) struct Commits<'a> {
    store: &'a Store,
    graph: Option<Graph>,
    shallow: HashSet<ObjectId>,
    buffer: Vec<u8>,
}

/// What a ref, in the end, points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peeled {
    /// The annotated tags on the way, outermost first.
    pub(super) tags: Vec<ObjectId>,
    pub(super) id: ObjectId,
    pub(super) kind: Kind,
}

/// Why there is nothing before the last commits of a shallow clone.
const ENDS_EARLY: &str = "the history of this clone ends early: `git fetch --unshallow` brings the rest";
/// How many tags may tag one another.
const TAG_DEPTH: usize = 100;

impl<'a> Commits<'a> {
    /// Opens the commits.
    pub(super) fn new(repository: &GitRepository, store: &'a Store) -> Self {
        let text = fs::read_to_string(repository.common_dir().join("shallow")).unwrap_or_default();
        let shallow: HashSet<_> = text.lines().filter_map(|line| ObjectId::from_hex(line.as_bytes()).ok()).collect();
        // Like git, which knows that a graph may have been written before the history was cut.
        let info = repository.common_dir().join("objects/info");
        let graph = if shallow.is_empty() { Graph::at(&info, repository.hash(), Some(1 << 30)).ok() } else { None };
        Self { store, graph, shallow, buffer: Vec::new() }
    }

    /// Reads a commit.
    pub(super) fn get(&mut self, id: ObjectId) -> Result<Commit, String> {
        if let Some(commit) = self.in_graph(id) {
            return Ok(commit);
        }
        let data = self.store.read_kind(&id, Kind::Commit, &mut self.buffer).map_err(|missing| missing.to_string())?;
        let mut commit = parse(data, self.store).ok_or("is a damaged commit")?;
        if self.shallow.contains(&id) {
            commit.parents.clear();
        }
        Ok(commit)
    }

    /// Whether the history of this clone ends at a commit although that has parents.
    pub(super) fn is_cut(&self, id: &ObjectId) -> bool {
        self.shallow.contains(id)
    }

    /// What the commit-graph says about a commit.
    fn in_graph(&self, id: ObjectId) -> Option<Commit> {
        let graph = self.graph.as_ref()?;
        let commit = graph.commit_by_id(id)?;
        let parents = commit.iter_parents().map(|parent| parent.ok().map(|at| graph.id_at(at).to_owned()));
        let parents = parents.collect::<Option<_>>()?;
        let time = i64::try_from(commit.committer_timestamp()).ok()?;
        Some(Commit { tree: commit.root_tree_id().to_owned(), parents, time })
    }

    /// Follows annotated tags to what they are about.
    pub(super) fn peel(&mut self, mut id: ObjectId) -> Result<Peeled, String> {
        let mut tags = Vec::new();
        loop {
            if self.in_graph(id).is_some() {
                return Ok(Peeled { tags, id, kind: Kind::Commit });
            }
            let data = self.store.read(&id, &mut self.buffer).map_err(|missing| missing.to_string())?;
            if data.kind != Kind::Tag {
                return Ok(Peeled { tags, id, kind: data.kind });
            }
            let target = TagRefIter::from_bytes(data.data, self.store.hash()).target_id();
            tags.push(id);
            id = target.map_err(|_| "is a damaged tag")?;
            if tags.len() > TAG_DEPTH {
                return Err("is tagged too many times".to_owned());
            }
        }
    }

    /// All commits that tips lead to, sorted as [`parents_first`] does; each is handed out when it is met.
    pub(super) fn all(
        &mut self,
        tips: impl IntoIterator<Item = ObjectId>,
        gaps: &mut Gaps,
        each: &mut dyn FnMut(&Commit),
    ) -> Vec<(ObjectId, Commit)> {
        let mut met: HashMap<ObjectId, Commit> = HashMap::default();
        let mut left: Vec<ObjectId> = tips.into_iter().collect();
        while let Some(id) = left.pop() {
            if met.contains_key(&id) {
                continue;
            }
            match self.get(id) {
                Ok(commit) => {
                    each(&commit);
                    left.extend(commit.parents.iter().copied());
                    met.insert(id, commit);
                }
                Err(why) => gaps.add(b"", id, &why),
            }
        }
        parents_first(met)
    }

    /// The commits that `tips` lead to and `hidden` do not, parents before their children, else the oldest first.
    ///
    /// Where dates are wrong, a commit that `hidden` lead to may be among them; none is ever left out.
    pub(super) fn new_ones(
        &mut self,
        tips: &[ObjectId],
        hidden: &[ObjectId],
        gaps: &mut Gaps,
    ) -> Vec<(ObjectId, Commit)> {
        let mut walk = Walk::default();
        // What is hidden may be missing without anything being missed.
        for id in hidden {
            walk.add(*id, true, self.get(*id).ok());
        }
        for id in tips {
            if !walk.met.contains_key(id) {
                let commit = self.get(*id).map_err(|why| gaps.add(b"", *id, &why)).ok();
                walk.add(*id, false, commit);
            }
        }
        while let Some(id) = walk.next() {
            let is_hidden = walk.hidden.contains(&id);
            let parents = walk.met.get(&id).map(|commit| commit.parents.clone()).unwrap_or_default();
            for parent in parents {
                if walk.met.contains_key(&parent) {
                    if is_hidden {
                        walk.hide(parent);
                    }
                    continue;
                }
                let commit = self.get(parent);
                if let (Err(why), false) = (&commit, is_hidden) {
                    gaps.add(b"", parent, why);
                }
                walk.add(parent, is_hidden, commit.ok());
            }
        }
        walk.met.retain(|id, _| !walk.hidden.contains(id));
        let commits = parents_first(walk.met);
        for (id, _) in commits.iter().filter(|(id, _)| self.is_cut(id)) {
            gaps.note(format!("what came before commit {id}"), ENDS_EARLY);
        }
        commits
    }
}

/// A walk from two sides, the newest commits first.
#[derive(Default)]
struct Walk {
    met: HashMap<ObjectId, Commit>,
    hidden: HashSet<ObjectId>,
    queue: BinaryHeap<(i64, ObjectId)>,
    /// How many in the queue were not hidden when they came there and are not now.
    left: usize,
    /// The earliest time of a commit that was taken and not hidden.
    oldest: Option<i64>,
    /// How many were taken since everything in the queue is hidden.
    idle: usize,
}

/// How far to look behind the last commit for dates that are wrong; git looks 5 commits.
const SLOP: usize = 32;

impl Walk {
    fn add(&mut self, id: ObjectId, hidden: bool, commit: Option<Commit>) {
        let Some(commit) = commit else { return };
        self.queue.push((commit.time, id));
        self.met.insert(id, commit);
        if hidden {
            self.hidden.insert(id);
        } else {
            self.left += 1;
        }
    }

    /// The next commit to follow; none when nothing more can be hidden.
    fn next(&mut self) -> Option<ObjectId> {
        if self.left == 0 {
            let (time, _) = self.queue.peek()?;
            let could_matter = self.oldest.is_some_and(|oldest| *time >= oldest);
            self.idle = if could_matter { 0 } else { self.idle + 1 };
            if self.oldest.is_none() || self.idle > SLOP {
                return None;
            }
        }
        let (time, id) = self.queue.pop()?;
        if !self.hidden.contains(&id) {
            self.left -= 1;
            self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        }
        Some(id)
    }

    /// Hides a commit that was met before, and what it leads to.
    fn hide(&mut self, id: ObjectId) {
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            let Some(commit) = self.met.get(&id) else { continue };
            if self.hidden.insert(id) {
                // Whether it waits in the queue is known by whether its parents were met.
                next.extend(commit.parents.iter().copied());
            }
        }
        self.left = self.queue.iter().filter(|(_, id)| !self.hidden.contains(id)).count();
    }
}

/// Sorts commits so that each comes after its parents, and else by time and id.
pub(super) fn parents_first(commits: HashMap<ObjectId, Commit>) -> Vec<(ObjectId, Commit)> {
    let commits: Vec<(ObjectId, Commit)> = commits.into_iter().collect();
    let at: HashMap<ObjectId, usize> = commits.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let parents = |number: usize| {
        let parents = commits.get(number).map_or(&[][..], |(_, commit)| &commit.parents);
        parents.iter().filter_map(|parent| at.get(parent).copied())
    };
    // The children of each are neighbours in one list, as history is long.
    let mut starts = vec![0; commits.len() + 1];
    let mut waiting = vec![0; commits.len()];
    for (number, waiting) in waiting.iter_mut().enumerate() {
        for parent in parents(number) {
            *waiting += 1;
            starts[parent + 1] += 1;
        }
    }
    for number in 0..commits.len() {
        starts[number + 1] += starts[number];
    }
    let mut children = vec![0; starts[commits.len()]];
    let mut next = starts.clone();
    for number in 0..commits.len() {
        for parent in parents(number) {
            children[next[parent]] = number;
            next[parent] += 1;
        }
    }
    let key = |number: usize| Reverse((commits[number].1.time, commits[number].0, number));
    let mut ready: BinaryHeap<_> = (0..commits.len()).filter(|number| waiting[*number] == 0).map(key).collect();
    let mut sorted = Vec::with_capacity(commits.len());
    while let Some(Reverse((_, _, number))) = ready.pop() {
        sorted.push(number);
        for child in &children[starts[number]..starts[number + 1]] {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                ready.push(key(*child));
            }
        }
    }
    let mut commits: Vec<Option<(ObjectId, Commit)>> = commits.into_iter().map(Some).collect();
    sorted.into_iter().filter_map(|number| commits[number].take()).collect()
}

/// Reads tree, parents and date of a commit.
fn parse(data: &[u8], store: &Store) -> Option<Commit> {
    let mut tree = None;
    let mut parents = Vec::new();
    let mut time = 0;
    for token in CommitRefIter::from_bytes(data, store.hash()) {
        match token {
            Ok(Token::Tree { id }) => tree = Some(id),
            Ok(Token::Parent { id }) => parents.push(id),
            Ok(Token::Author { .. }) => {}
            Ok(Token::Committer { signature }) => {
                time = signature.time().map_or(0, |time| time.seconds);
                break;
            }
            // A commit whose author or committer cannot be parsed still has a tree.
            _ => break,
        }
    }
    Some(Commit { tree: tree?, parents, time })
}

/// The tree of a commit.
pub(super) fn tree_of(store: &Store, commit: ObjectId) -> Result<ObjectId, String> {
    let mut buffer = Vec::new();
    let data = store.read_kind(&commit, Kind::Commit, &mut buffer).map_err(|missing| missing.to_string())?;
    let tree = CommitRefIter::from_bytes(data, store.hash()).tree_id();
    tree.map_err(|error| format!("is a damaged commit: {error}"))
}
