//! The deltas of a pack as a forest: each entry below the one that it is a difference to.
//!
//! Entries are numbered in the order in which they stand in the pack. Everything is an array over these numbers, and no
//! step recurses: a hostile pack may have one chain of all its entries.

use gix::ObjectId;
use gix::hash;
use gix::odb::pack::FileData;

use super::pack::{Form, Kind, Pack, header};

/// No entry.
const NONE: u32 = u32::MAX;
/// What an entry costs beside its bytes, in the same measure.
const OVERHEAD: u64 = 64;

/// The entries of a pack and how they hang together.
#[derive(Debug, Default)]
pub struct Forest {
    /// Where each entry starts, ascending; then where the last one ends.
    offsets: Vec<u64>,
    /// The place of each entry's object in the index.
    positions: Vec<u32>,
    /// The base of each entry, if it is in this pack.
    parents: Vec<u32>,
    /// Where the children of each entry start in `children`; then where those of the last one end.
    first: Vec<u32>,
    /// The children of every entry that lead to something wanted: of each entry together, the heaviest last.
    children: Vec<u32>,
    /// How many of its `children` each entry has.
    count: Vec<u32>,
    /// Whether the object of each entry is to be visited here.
    wanted: Vec<bool>,
    /// What there is to do below each entry, in bytes of the pack; nothing if nothing is wanted there.
    weights: Vec<u64>,
    /// Objects from which all others are reached, with something wanted below; no trees. Ascending.
    pub roots: Vec<u32>,
    /// Entries whose base is not in this pack, with its id.
    pub borrowed: Vec<(u32, ObjectId)>,
    /// Entries that cannot be read, or that hang on such, or on each other in a circle; and why.
    pub lost: Vec<(u32, &'static str)>,
    /// How many trees there are that are in no pack before this one.
    pub trees: u64,
    /// How many of the other objects are not wanted here.
    pub repeated: u64,
}

impl Forest {
    /// Builds the forest of a pack. An object is left out if `repeated` is true at its position in the index; positions
    /// beyond its end are not repeated.
    pub fn grow<T: FileData + Send + Sync>(pack: &Pack<T>, kind: hash::Kind, repeated: &[bool]) -> Self {
        let mut forest = Self::default();
        let kinds = forest.read(pack, kind);
        let is_repeated = |position: &u32| repeated.get(*position as usize).copied().unwrap_or_default();
        forest.wanted = forest.positions.iter().map(|position| !is_repeated(position)).collect();
        let order = forest.order(&kinds);
        forest.weigh(&order);
        forest
    }

    /// The bytes of an entry: up to the next one, so nothing is read that belongs to another.
    pub fn entry<'a>(&self, bytes: &'a [u8], entry: u32) -> &'a [u8] {
        let at = |number: usize| self.offsets.get(number).and_then(|&offset| usize::try_from(offset).ok());
        let number = entry as usize;
        at(number).zip(at(number + 1)).and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default()
    }

    /// The place of an entry's object in the index.
    pub fn position(&self, entry: u32) -> u32 {
        self.positions[entry as usize]
    }

    /// The entries below this one that lead to something wanted, the heaviest last.
    pub fn children(&self, entry: u32) -> &[u32] {
        let first = self.first[entry as usize] as usize;
        &self.children[first..first + self.count[entry as usize] as usize]
    }

    /// Whether the object is to be visited here.
    pub fn is_wanted(&self, entry: u32) -> bool {
        self.wanted[entry as usize]
    }

    /// What there is to do at this entry and below.
    pub fn weight(&self, entry: u32) -> u64 {
        self.weights[entry as usize]
    }

    /// How many objects are wanted at this entry and below.
    pub fn wanted_below(&self, entry: u32) -> u64 {
        let (mut rest, mut sum) = (vec![entry], 0);
        while let Some(entry) = rest.pop() {
            sum += u64::from(self.is_wanted(entry));
            rest.extend(self.children(entry));
        }
        sum
    }

    /// Reads every header. Returns the kind of each entry that is no delta.
    fn read<T: FileData + Send + Sync>(&mut self, pack: &Pack<T>, kind: hash::Kind) -> Vec<Option<Kind>> {
        let bytes = pack.bytes();
        let end = bytes.len() as u64;
        let mut entries: Vec<(u64, u32)> = pack.offsets().zip(0..).collect();
        entries.sort_unstable();
        // Of two objects at one place (no honest index says so) the first is taken: it is what the bytes are.
        entries.dedup_by_key(|entry| entry.0);
        self.offsets.extend(entries.iter().map(|entry| entry.0.min(end)).chain([end]));
        self.positions.extend(entries.iter().map(|entry| entry.1));
        self.parents.resize(entries.len(), NONE);

        let mut named = Vec::new();
        let mut kinds = vec![None; entries.len()];
        for (entry, &(offset, _)) in (0..).zip(&entries) {
            match header(self.entry(bytes, entry), kind) {
                Err(_) => self.lost.push((entry, "its header is damaged, or it lies outside the pack")),
                Ok(header) => match header.form {
                    Form::Object(kind) => kinds[entry as usize] = Some(kind),
                    Form::Before(distance) => {
                        let base = offset.checked_sub(distance);
                        let before = &self.offsets[..entry as usize];
                        match base.and_then(|base| before.binary_search(&base).ok()) {
                            Some(base) => self.parents[entry as usize] = u32::try_from(base).unwrap_or(NONE),
                            None => self.lost.push((entry, "its base is no object of the pack")),
                        }
                    }
                    Form::Named(id) => named.push((entry, id)),
                },
            }
        }
        if !named.is_empty() {
            let mut places = vec![NONE; pack.listed() as usize];
            for (entry, &(_, position)) in (0..).zip(&entries) {
                places[position as usize] = entry;
            }
            for (entry, id) in named {
                match pack.position(&id).map(|position| places[position as usize]) {
                    Some(base) if base != NONE => self.parents[entry as usize] = base,
                    Some(_) | None => self.borrowed.push((entry, id)),
                }
            }
        }
        kinds
    }

    /// Hangs children below their bases and returns what is reached from the objects that are no trees, bases first.
    fn order(&mut self, kinds: &[Option<Kind>]) -> Vec<u32> {
        let entries = self.parents.len();
        self.count = vec![0; entries];
        for &parent in self.parents.iter().filter(|&&parent| parent != NONE) {
            self.count[parent as usize] += 1;
        }
        self.first = Vec::with_capacity(entries);
        let mut sum = 0;
        for &count in &self.count {
            self.first.push(sum);
            sum += count;
        }
        self.children = vec![NONE; sum as usize];
        let mut next = self.first.clone();
        for (entry, &parent) in (0..).zip(&self.parents) {
            if parent != NONE {
                let place = &mut next[parent as usize];
                self.children[*place as usize] = entry;
                *place += 1;
            }
        }

        let mut reached = vec![false; entries];
        let spread = |from: Vec<u32>, reached: &mut Vec<bool>| {
            let mut order = from;
            let mut at = 0;
            while let Some(&entry) = order.get(at) {
                at += 1;
                reached[entry as usize] = true;
                order.extend(self.children(entry));
            }
            order
        };
        let of_kind = |wanted: fn(Kind) -> bool| -> Vec<u32> {
            (0..).zip(kinds).filter(|(_, kind)| kind.is_some_and(wanted)).map(|(entry, _)| entry).collect()
        };
        let trees = of_kind(|kind| kind == Kind::Tree);
        let roots = of_kind(|kind| kind != Kind::Tree);
        let trees = spread(trees, &mut reached);
        let mut starts = roots.clone();
        starts.extend(self.borrowed.iter().map(|(entry, _)| *entry));
        let order = spread(starts, &mut reached);
        let broken = spread(self.lost.iter().map(|(entry, _)| *entry).collect(), &mut reached);
        let known = self.lost.len();
        let circle = (0..).zip(&reached).filter(|(_, reached)| !**reached).map(|(entry, _)| entry);
        let circle: Vec<u32> = circle.collect();
        self.lost.extend(broken[known..].iter().map(|&entry| (entry, "its base is damaged")));
        self.lost.extend(circle.iter().map(|&entry| (entry, "it is a difference to itself")));
        self.trees = trees.iter().filter(|&&tree| self.wanted[tree as usize]).count() as u64;
        self.roots = roots;
        order
    }

    /// Finds out what is wanted, and puts children in order.
    fn weigh(&mut self, order: &[u32]) {
        self.weights = vec![0; self.parents.len()];
        for &entry in order.iter().rev() {
            let number = entry as usize;
            let wanted = self.wanted[number];
            self.repeated += u64::from(!wanted);
            // Below a wanted entry was summed up already, since bases come first in `order`.
            if wanted || self.weights[number] > 0 {
                self.weights[number] += self.offsets[number + 1] - self.offsets[number] + OVERHEAD;
                let parent = self.parents[number];
                if parent != NONE {
                    self.weights[parent as usize] += self.weights[number];
                }
            }
        }
        for &entry in order {
            let number = entry as usize;
            let first = self.first[number] as usize;
            let children = &mut self.children[first..first + self.count[number] as usize];
            if children.is_empty() {
                continue;
            }
            children.sort_by_key(|&child| (std::cmp::Reverse(self.weights[child as usize]), child));
            let idle = children.partition_point(|&child| self.weights[child as usize] > 0);
            children[..idle].reverse();
            self.count[number] = u32::try_from(idle).unwrap_or_default();
        }
        let weights = &self.weights;
        self.roots.retain(|&root| weights[root as usize] > 0);
        self.borrowed.retain(|(entry, _)| weights[*entry as usize] > 0);
        // What is lost is missed only where it is not found elsewhere.
        let wanted = &self.wanted;
        self.lost.retain(|(entry, _)| wanted[*entry as usize]);
    }
}
