//! What one thread does: takes a family of deltas, or a loose object, and visits what is in it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gix::odb::pack::FileData;
use gix::{ObjectId, hash, oid};

use super::delta::{self, Lines};
use super::forest::Forest;
use super::inflate::Inflater;
use super::loose::{self, Loose};
use super::pack::{Form, Kind, Pack, header};
use super::room::{Limits, Room};
use super::{Damage, Fault, Skip, Visited};
use crate::source::git::{Met, Visit};
use crate::subject::content::{Content, ContentKind, Descendants, News};

/// Buffers larger than this are not kept for the next object, in bytes.
const LARGEST_SPARE: usize = 4 << 20;
/// How many buffers are kept.
const SPARES: usize = 16;
/// The longest chain that is followed to a base in another pack.
const LONGEST_CHAIN: usize = 10_000;
/// How much of the damage each thread remembers in words; all of it is counted.
const MOST_DAMAGE: usize = 100;

/// A pack that is walked.
pub(super) struct Tree<T> {
    pub(super) pack: Pack<T>,
    pub(super) forest: Forest,
    /// Whether something of it was not looked at.
    pub(super) incomplete: AtomicBool,
}

/// Something to do.
#[derive(Debug)]
pub(super) enum Task {
    /// All below a root.
    Family { pack: usize, root: u32 },
    /// All below an object whose base is in another pack, or loose.
    Borrowed { pack: usize, root: u32, base: ObjectId },
    /// Some loose objects.
    Loose(Range<usize>),
}

/// What all threads share.
pub(super) struct Shared<'a, T> {
    pub(super) kind: hash::Kind,
    pub(super) trees: &'a [Tree<T>],
    /// Packs that were walked before, or need not be: bases may still be in them.
    pub(super) others: &'a [Pack<T>],
    pub(super) directories: &'a [PathBuf],
    pub(super) loose: &'a [Loose],
    pub(super) tasks: &'a [Task],
    pub(super) next: AtomicUsize,
    pub(super) limits: Limits,
    pub(super) stop: Option<&'a AtomicBool>,
    pub(super) visit: Visit<'a>,
}

/// One thread.
pub(super) struct Walker<'a, T> {
    shared: &'a Shared<'a, T>,
    inflater: Inflater,
    delta: Vec<u8>,
    lines: Lines,
    spare: Vec<Vec<u8>>,
    room: Room<'a>,
    seen: Visited,
    gone: u64,
}

/// An object whose children are being visited.
struct Base {
    entry: u32,
    bytes: Vec<u8>,
    /// How its children may be looked at.
    descendants: Descendants,
    /// How many of them are done.
    done: usize,
}

impl<'a, T: FileData + Send + Sync> Walker<'a, T> {
    pub(super) fn new(shared: &'a Shared<'a, T>) -> Self {
        Self {
            shared,
            inflater: Inflater::default(),
            delta: Vec::new(),
            lines: Lines::default(),
            spare: Vec::new(),
            room: Room::new(&shared.limits),
            seen: Visited::default(),
            gone: 0,
        }
    }

    /// Does tasks until there are none. Returns what was seen, and how many loose objects were gone.
    pub(super) fn run(mut self) -> (Visited, u64) {
        while let Some(task) = self.shared.tasks.get(self.shared.next.fetch_add(1, Ordering::Relaxed)) {
            match task {
                Task::Family { pack, root } => self.family(&self.shared.trees[*pack], *root),
                Task::Borrowed { pack, root, base } => self.borrowed(&self.shared.trees[*pack], *root, base),
                Task::Loose(range) => {
                    for loose in &self.shared.loose[range.clone()] {
                        self.loose(loose);
                    }
                }
            }
            self.room.clear();
        }
        (self.seen, self.gone)
    }

    fn is_stopped(&self) -> bool {
        self.shared.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST_SPARE && self.spare.len() < SPARES {
            self.spare.push(buffer);
        }
    }

    /// Visits a root and all below it.
    fn family(&mut self, tree: &Tree<T>, root: u32) {
        if self.is_stopped() {
            return self.skip(tree, root, Fault::Skipped(Skip::Stopped));
        }
        let mut buffer = self.buffer();
        match self.object(tree, root, &mut buffer) {
            Ok(kind) => self.begin(tree, root, kind, buffer),
            Err(fault) => {
                self.skip(tree, root, fault);
                self.recycle(buffer);
            }
        }
    }

    /// Visits an object, as a whole, and all below it.
    fn begin(&mut self, tree: &Tree<T>, root: u32, kind: ContentKind, bytes: Vec<u8>) {
        let descendants = self.meet(tree, root, kind, &bytes, None);
        let mut stack = Vec::new();
        self.descend(tree, root, bytes, descendants, &mut stack);
        self.grow(tree, kind, stack);
    }

    /// Visits what is below the objects of the stack, each right after its base.
    ///
    /// Of a branch all but the last child are visited while the base is held; it is let go before the last one, the
    /// heaviest, is descended into. So a chain holds two objects however long it is, and branching adds one for each
    /// halving of what is left.
    fn grow(&mut self, tree: &Tree<T>, kind: ContentKind, mut stack: Vec<Base>) {
        while let Some(mut base) = stack.pop() {
            let children = tree.forest.children(base.entry);
            let Some(&child) = children.get(base.done) else {
                self.let_go(base.bytes);
                continue;
            };
            base.done += 1;
            if self.is_stopped() {
                self.skip(tree, child, Fault::Skipped(Skip::Stopped));
                stack.push(base);
                continue;
            }
            let mut lines = std::mem::take(&mut self.lines);
            let mut buffer = self.buffer();
            let news = (base.descendants == Descendants::ByNews).then_some(&mut lines);
            let made = self.difference(tree, child, &base.bytes, news, &mut buffer);
            if base.done < children.len() {
                stack.push(base);
            } else {
                self.let_go(base.bytes);
            }
            match made {
                Err(fault) => {
                    self.skip(tree, child, fault);
                    self.recycle(buffer);
                }
                Ok(by_news) => {
                    let news = by_news.then(|| lines.get()).flatten();
                    let descendants = self.meet(tree, child, kind, &buffer, news);
                    self.descend(tree, child, buffer, descendants, &mut stack);
                }
            }
            self.lines = lines;
        }
    }

    /// Puts an object on the stack if it has children.
    fn descend(&mut self, tree: &Tree<T>, entry: u32, bytes: Vec<u8>, descendants: Descendants, stack: &mut Vec<Base>) {
        if tree.forest.children(entry).is_empty() {
            self.recycle(bytes);
        } else {
            self.room.hold(bytes.capacity());
            stack.push(Base { entry, bytes, descendants, done: 0 });
        }
    }

    fn let_go(&mut self, bytes: Vec<u8>) {
        self.room.let_go(bytes.capacity());
        self.recycle(bytes);
    }

    /// Inflates an object that is no delta.
    fn object(&mut self, tree: &Tree<T>, entry: u32, buffer: &mut Vec<u8>) -> Result<ContentKind, Fault> {
        let bytes = tree.forest.entry(tree.pack.bytes(), entry);
        let header = header(bytes, self.shared.kind)?;
        let Form::Object(Kind::Content(kind)) = header.form else { return Err(Fault::Header("has changed")) };
        let size = self.room.admit(header.size)?;
        self.inflater.inflate(&bytes[header.length..], size, buffer)?;
        Ok(kind)
    }

    /// Inflates a delta and applies it. Returns whether `lines` tells the news.
    fn difference(
        &mut self,
        tree: &Tree<T>,
        entry: u32,
        base: &[u8],
        lines: Option<&mut Lines>,
        buffer: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let bytes = tree.forest.entry(tree.pack.bytes(), entry);
        let header = header(bytes, self.shared.kind)?;
        let size = self.room.admit(header.size)?;
        self.inflater.inflate(&bytes[header.length..], size, &mut self.delta)?;
        let most = self.room.admit(delta::size(base, &self.delta)?)?;
        let by_news = lines.is_some();
        let done = delta::apply(base, &self.delta, most, buffer, lines);
        if self.delta.capacity() > LARGEST_SPARE {
            self.delta = Vec::new();
        }
        done.map(|()| by_news)
    }

    /// Shows an object to the visitor, unless it is not wanted here. Returns how its children may be looked at.
    fn meet(
        &mut self,
        tree: &Tree<T>,
        entry: u32,
        kind: ContentKind,
        bytes: &[u8],
        lines: Option<&[Range<usize>]>,
    ) -> Descendants {
        if !tree.forest.is_wanted(entry) {
            // It is visited elsewhere, maybe later: what it may be a base for is not known here.
            return Descendants::Whole;
        }
        let id = tree.pack.id(tree.forest.position(entry)).to_owned();
        let news = lines.map_or(News::All, News::Lines);
        self.show(Content { id, kind, bytes, news }, Some(&tree.pack.checksum))
    }

    fn show(&mut self, content: Content<'_>, pack: Option<&str>) -> Descendants {
        let news = match content.news {
            News::All => content.bytes.len(),
            News::Lines(lines) => lines.iter().map(Range::len).sum(),
        };
        match content.kind {
            ContentKind::Blob => self.seen.blobs += 1,
            ContentKind::Commit => self.seen.commits += 1,
            ContentKind::Tag => self.seen.tags += 1,
        }
        self.seen.bytes += content.bytes.len() as u64;
        self.seen.news += news as u64;
        (self.shared.visit)(&Met { content, place: None, pack })
    }

    /// Counts an object that was not looked at, and all below it, which cannot be looked at without it.
    fn skip(&mut self, tree: &Tree<T>, entry: u32, fault: Fault) {
        tree.incomplete.store(true, Ordering::Relaxed);
        *self.seen.skipped.entry(fault.skip()).or_default() += tree.forest.wanted_below(entry);
        if fault.skip() == Skip::Damaged && self.seen.damage.len() < MOST_DAMAGE {
            let object = Some(tree.pack.id(tree.forest.position(entry)).to_owned());
            self.seen.damage.push(Damage { path: tree.pack.path.clone(), object, why: fault.to_string() });
        }
    }

    /// Visits all below an object whose base is not in its pack.
    fn borrowed(&mut self, tree: &Tree<T>, root: u32, base: &oid) {
        if self.is_stopped() {
            return self.skip(tree, root, Fault::Skipped(Skip::Stopped));
        }
        match self.fetch(base) {
            Err(fault) => self.skip(tree, root, fault),
            // Directories are only kept as differences to directories.
            Ok((Kind::Tree, _)) => self.seen.trees += tree.forest.wanted_below(root),
            Ok((Kind::Content(kind), base)) => {
                self.room.hold(base.capacity());
                let mut buffer = self.buffer();
                if let Err(fault) = self.difference(tree, root, &base, None, &mut buffer) {
                    self.skip(tree, root, fault);
                    return self.recycle(buffer);
                }
                self.let_go(base);
                self.begin(tree, root, kind, buffer);
            }
        }
    }

    /// The object with this id, wherever it is. Its chain is followed within one pack: git writes no other packs, the base
    /// of a base is not looked for in a third one.
    fn fetch(&mut self, id: &oid) -> Result<(Kind, Vec<u8>), Fault> {
        let packs = self.shared.trees.iter().map(|tree| &tree.pack).chain(self.shared.others);
        for pack in packs {
            if let Some(position) = pack.position(id) {
                return self.fetch_packed(pack, position);
            }
        }
        for directory in 0..self.shared.directories.len() {
            let path = Loose { id: id.to_owned(), directory }.path(self.shared.directories);
            let (mut file, mut buffer) = (Vec::new(), Vec::new());
            match loose::read(&path, &mut self.inflater, &mut file, &mut buffer, &mut self.room)? {
                loose::Found::Gone => {}
                loose::Found::Object(kind, start) => {
                    buffer.drain(..start);
                    return Ok((kind, buffer));
                }
            }
        }
        Err(Fault::Base("is nowhere"))
    }

    fn fetch_packed(&mut self, pack: &Pack<T>, position: u32) -> Result<(Kind, Vec<u8>), Fault> {
        let bytes = pack.bytes();
        let mut chain = Vec::new();
        let mut offset = pack.offset(position);
        let (kind, mut object) = loop {
            let entry = usize::try_from(offset).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
            let header = header(entry, self.shared.kind)?;
            let data = (&entry[header.length..], header.size);
            let base = match header.form {
                Form::Object(kind) => {
                    let size = self.room.admit(header.size)?;
                    let mut object = Vec::new();
                    self.inflater.inflate(data.0, size, &mut object)?;
                    break (kind, object);
                }
                Form::Before(distance) => offset.checked_sub(distance).filter(|_| distance > 0),
                Form::Named(id) => pack.position(&id).map(|position| pack.offset(position)),
            };
            offset = base.ok_or(Fault::Base("has no base itself"))?;
            chain.push(data);
            if chain.len() > LONGEST_CHAIN {
                return Err(Fault::Base("is a difference to itself, or to too many others"));
            }
        };
        for (data, size) in chain.into_iter().rev() {
            let size = self.room.admit(size)?;
            self.inflater.inflate(data, size, &mut self.delta)?;
            let most = self.room.admit(delta::size(&object, &self.delta)?)?;
            let mut buffer = Vec::new();
            delta::apply(&object, &self.delta, most, &mut buffer, None)?;
            object = buffer;
        }
        Ok((kind, object))
    }

    /// Visits a loose object.
    fn loose(&mut self, loose: &Loose) {
        let path = loose.path(self.shared.directories);
        let (mut file, mut buffer) = (std::mem::take(&mut self.delta), self.buffer());
        let read = if self.is_stopped() {
            Err(Fault::Skipped(Skip::Stopped))
        } else {
            loose::read(&path, &mut self.inflater, &mut file, &mut buffer, &mut self.room)
        };
        match read {
            Ok(loose::Found::Object(Kind::Content(kind), start)) => {
                self.show(Content { id: loose.id, kind, bytes: &buffer[start..], news: News::All }, None);
            }
            Ok(loose::Found::Object(Kind::Tree, _)) => self.seen.trees += 1,
            Ok(loose::Found::Gone) => self.gone += 1,
            Err(fault) => {
                *self.seen.skipped.entry(fault.skip()).or_default() += 1;
                if fault.skip() == Skip::Damaged && self.seen.damage.len() < MOST_DAMAGE {
                    self.seen.damage.push(Damage { path, object: Some(loose.id), why: fault.to_string() });
                }
            }
        }
        self.recycle(buffer);
        if file.capacity() <= LARGEST_SPARE {
            self.delta = file;
        }
        self.room.clear();
    }
}
