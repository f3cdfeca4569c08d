//! The walk against git itself, on histories that are made up, and against packs that git would never write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::source::git::Met;
use crate::subject::content::{ContentKind, Descendants};

/// A repository in a temporary directory.
struct Repository {
    root: tempfile::TempDir,
    kind: hash::Kind,
}

impl Repository {
    fn new(kind: hash::Kind) -> Self {
        let repository = Self { root: tempfile::tempdir().unwrap(), kind };
        repository.git(&["init", "-q", "--bare", &format!("--object-format={kind}"), "."], b"");
        repository
    }

    fn git(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = Command::new("git");
        // Set when the tests run in a hook.
        for name in ["DIR", "WORK_TREE", "COMMON_DIR", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES"]
        {
            command.env_remove(format!("GIT_{name}"));
        }
        let mut child = command
            .args(["-c", "gc.auto=0", "-c", "core.fsync=none", "-c", "fastimport.unpackLimit=300"])
            .args(arguments)
            .current_dir(self.root.path())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "A"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
            .envs([("GIT_AUTHOR_DATE", "1700000000 +0000"), ("GIT_COMMITTER_DATE", "1700000000 +0000")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || pipe.write_all(input));
            child.wait_with_output().unwrap()
        });
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        output.stdout
    }

    fn objects(&self) -> PathBuf {
        self.root.path().join("objects")
    }

    fn directories(&self) -> Directories {
        Directories::find(self.root.path(), self.root.path(), &BTreeMap::new())
    }

    /// Adds commits with changed files to the branch `main`, by `git fast-import`: into a pack of its own if there are
    /// enough of them.
    fn commit(&self, chance: &mut Chance, files: &mut BTreeMap<usize, Vec<String>>, commits: usize) {
        let mut stream = Vec::new();
        let from = self.git(&["for-each-ref", "refs/heads/main"], b"");
        for commit in 0..commits {
            stream.extend(b"commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\n");
            let message = format!("commit {}\n", chance.below(1_000_000));
            stream.extend(format!("data {}\n{message}", message.len()).bytes());
            if commit == 0 && !from.is_empty() {
                stream.extend(b"from refs/heads/main^0\n");
            }
            for _ in 0..=chance.below(2) {
                let number = chance.below(6);
                let file = files.entry(number).or_default();
                chance.edit(file);
                let mut text = file.join("\n");
                if chance.below(3) > 0 {
                    text.push('\n');
                }
                stream.extend(format!("M 644 inline d{}/f{number}\ndata {}\n", number % 2, text.len()).bytes());
                stream.extend(text.bytes());
                stream.push(b'\n');
            }
        }
        let message = "a tag\n";
        let name = chance.below(1_000_000);
        stream.extend(format!("tag t{name}\nfrom refs/heads/main\n").bytes());
        stream.extend(b"tagger A <a@example.com> 1700000000 +0000\n");
        stream.extend(format!("data {}\n{message}", message.len()).bytes());
        self.git(&["fast-import", "--quiet", "--force"], &stream);
    }

    /// Each object that is no tree, with its kind, as git lists them.
    fn expected(&self) -> BTreeMap<ObjectId, String> {
        let format = "--batch-check=%(objectname) %(objecttype)";
        let text = String::from_utf8(self.git(&["cat-file", "--batch-all-objects", format], b"")).unwrap();
        let pairs = text.lines().filter_map(|line| line.split_once(' ')).filter(|(_, kind)| *kind != "tree");
        pairs.map(|(id, kind)| (ObjectId::from_hex(id.as_bytes()).unwrap(), kind.to_owned())).collect()
    }
}

/// Numbers that look random and are always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap() % limit
    }

    fn line(&mut self) -> String {
        let mark = if self.below(40) == 0 { "MARK" } else { "" };
        let words = (0..self.below(8)).map(|_| format!("w{}", self.below(50)));
        format!("{mark}{}", words.collect::<Vec<_>>().join(" "))
    }

    /// Inserts, removes, changes and moves some lines.
    fn edit(&mut self, lines: &mut Vec<String>) {
        if lines.is_empty() {
            *lines = (0..200).map(|_| self.line()).collect();
        }
        for _ in 0..=self.below(4) {
            let at = self.below(lines.len().max(1));
            match self.below(6) {
                0 | 1 => lines.insert(at.min(lines.len()), self.line()),
                2 if at < lines.len() => lines[at].push_str("tail"),
                3 if lines.len() > 60 => drop(lines.drain(at..lines.len().min(at + 30))),
                4 if at < lines.len() => {
                    let tail = lines.split_off(at);
                    lines.splice(0..0, tail);
                }
                _ if at < lines.len() => lines[at] = self.line(),
                _ => {}
            }
        }
    }
}

/// What a visitor saw of one object.
struct Seen {
    kind: ContentKind,
    bytes: Vec<u8>,
    parts: Vec<std::ops::Range<usize>>,
    whole: bool,
}

/// Visits everything. What holds `whole` is answered to be looked at as a whole with its descendants.
fn see(directories: &Directories, kind: hash::Kind, whole: &str) -> (Vec<(ObjectId, Seen)>, Visited) {
    let seen = Mutex::new(Vec::new());
    let visited = visit(directories, kind, Options::default(), &|met: &Met<'_>| {
        let content = met.content;
        let seen_now = Seen {
            kind: content.kind,
            bytes: content.bytes.to_vec(),
            parts: content.parts(),
            whole: matches!(content.news, crate::subject::content::News::All),
        };
        seen.lock().unwrap().push((content.id, seen_now));
        let answer = memchr::memmem::find(content.bytes, whole.as_bytes()).is_some();
        if answer { Descendants::Whole } else { Descendants::ByNews }
    });
    (seen.into_inner().unwrap(), visited.unwrap())
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}

/// Holds the walk to what git lists, and the news to what they promise.
#[track_caller]
fn check(repository: &Repository) -> Visited {
    let directories = repository.directories();
    let expected = repository.expected();
    let (seen, visited) = see(&directories, repository.kind, "never there");
    assert_eq!(visited.damage, []);
    assert_eq!(visited.skipped, BTreeMap::new());
    assert_eq!(seen.len(), expected.len(), "each object once");
    let (mut told, mut all, mut marked, mut expected_marks) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (id, object) in &seen {
        let (word, hashed) = match object.kind {
            ContentKind::Blob => ("blob", gix::objs::Kind::Blob),
            ContentKind::Commit => ("commit", gix::objs::Kind::Commit),
            ContentKind::Tag => ("tag", gix::objs::Kind::Tag),
        };
        assert_eq!(expected.get(id).map(String::as_str), Some(word));
        assert_eq!(gix::objs::compute_hash(repository.kind, hashed, &object.bytes).unwrap(), *id);
        for line in lines(&object.bytes) {
            all.insert(line);
            if line.starts_with(b"MARK") {
                expected_marks.insert(line);
            }
        }
        for part in &object.parts {
            assert!(object.whole || !part.is_empty());
            assert!(part.start == 0 || object.bytes[part.start - 1] == b'\n');
            assert!(part.end == object.bytes.len() || object.bytes[part.end - 1] == b'\n');
            for line in lines(&object.bytes[part.clone()]) {
                told.insert(line);
                if line.starts_with(b"MARK") {
                    marked.insert(line);
                }
            }
        }
    }
    assert_eq!(told, all, "each line of each object was handed out in some object");
    assert_eq!(marked, expected_marks);

    // Whatever descends from a marked object is looked at as a whole, so every marked line is seen in every object.
    let (by_answer, _) = see(&directories, repository.kind, "MARK");
    for (id, object) in by_answer {
        let in_parts: usize = object.parts.iter().map(|part| marks(&object.bytes[part.clone()])).sum();
        let has_more = marks(&object.bytes) - in_parts;
        assert!(object.whole || has_more == 0, "{id}");
    }
    visited
}

fn marks(bytes: &[u8]) -> usize {
    lines(bytes).filter(|line| line.starts_with(b"MARK")).count()
}

#[test]
fn an_empty_repository_has_nothing_to_visit() {
    let visited = check(&Repository::new(hash::Kind::Sha1));
    assert_eq!(visited, Visited::default());
    let nowhere = Directories::of([PathBuf::from("/not/there")]);
    assert!(visit(&nowhere, hash::Kind::Sha1, Options::default(), &|_| Descendants::ByNews).is_err());
}

#[test]
fn every_line_of_a_packed_history_is_news_somewhere() {
    for seed in 1..4 {
        let repository = Repository::new(hash::Kind::Sha1);
        repository.commit(&mut Chance(seed), &mut BTreeMap::new(), 110);
        repository.git(&["repack", "-adfq", "--depth=50", "--window=50"], b"");
        let visited = check(&repository);
        assert!(visited.news * 3 < visited.bytes, "{visited:?}");
        assert_eq!((visited.complete.len(), visited.tags), (1, 1));
    }
}

#[test]
fn bases_that_are_named_by_their_ids_are_found_wherever_they_stand() {
    let repository = Repository::new(hash::Kind::Sha1);
    repository.commit(&mut Chance(7), &mut BTreeMap::new(), 110);
    repository.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50", "--window=50"], b"");
    let visited = check(&repository);
    assert!(visited.news * 3 < visited.bytes, "{visited:?}");
}

#[test]
fn repositories_with_sha256_are_walked_alike() {
    let repository = Repository::new(hash::Kind::Sha256);
    repository.commit(&mut Chance(8), &mut BTreeMap::new(), 120);
    check(&repository);
    repository.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50", "--window=50"], b"");
    check(&repository);
    repository.git(&["repack", "-adfq", "--depth=50", "--window=50"], b"");
    check(&repository);
}

#[test]
fn loose_objects_are_visited_unless_they_are_packed_too() {
    let repository = Repository::new(hash::Kind::Sha1);
    let (mut chance, mut files) = (Chance(9), BTreeMap::new());
    repository.commit(&mut chance, &mut files, 40);
    let visited = check(&repository);
    assert_eq!(visited.complete.len(), 0, "fast-import unpacks what is small");
    repository.git(&["repack", "-q"], b"");
    assert_eq!((check(&repository).objects(), check(&repository).complete.len()), (visited.objects(), 1));
    repository.commit(&mut chance, &mut files, 40);
    check(&repository);
    repository.git(&["repack", "-dq"], b"");
    check(&repository);
    // Every object in two packs: the old ones stay.
    repository.git(&["repack", "-afq"], b"");
    let visited = check(&repository);
    assert_eq!(visited.complete.len(), 3);
    assert!(visited.repeated > 0);
    repository.git(&["multi-pack-index", "write"], b"");
    check(&repository);
    // Each other commit goes into a pack of what nothing needs.
    repository.git(&["update-ref", "refs/heads/main", "refs/heads/main~20"], b"");
    repository.git(&["repack", "--cruft", "-dq"], b"");
    check(&repository);
}

#[test]
fn packs_that_were_thin_when_they_came_are_walked() {
    let (source, target) = (Repository::new(hash::Kind::Sha1), Repository::new(hash::Kind::Sha1));
    let (mut chance, mut files) = (Chance(10), BTreeMap::new());
    let mut known = String::new();
    for _ in 0..4 {
        source.commit(&mut chance, &mut files, 30);
        let wanted = format!("refs/heads/main\n{known}");
        let options = ["pack-objects", "--revs", "--thin", "--stdout", "-q"];
        let thin = source.git(&options, wanted.as_bytes());
        target.git(&["index-pack", "--stdin", "--fix-thin"], &thin);
        let id = String::from_utf8(source.git(&["rev-parse", "refs/heads/main"], b"")).unwrap();
        known = format!("^{id}");
    }
    let visited = check(&target);
    assert_eq!(visited.complete.len(), 4);
    assert!(visited.repeated > 0, "bases were added from packs before");
}

#[test]
fn objects_that_are_borrowed_are_visited_too() {
    let (lender, borrower) = (Repository::new(hash::Kind::Sha1), Repository::new(hash::Kind::Sha1));
    lender.commit(&mut Chance(11), &mut BTreeMap::new(), 120);
    let path = format!("{}\n", lender.objects().display());
    fs::write(borrower.objects().join("info/alternates"), path).unwrap();
    borrower.commit(&mut Chance(12), &mut BTreeMap::new(), 20);
    assert!(check(&borrower).objects() > check(&lender).objects());
}

#[test]
fn a_known_pack_is_left_out_with_all_that_is_in_it() {
    let repository = Repository::new(hash::Kind::Sha1);
    let (mut chance, mut files) = (Chance(13), BTreeMap::new());
    repository.commit(&mut chance, &mut files, 40);
    repository.git(&["repack", "-adq"], b"");
    // What no commit has is in no pack.
    repository.git(&["prune", "--expire=now"], b"");
    let first = check(&repository);
    repository.commit(&mut chance, &mut files, 40);
    repository.git(&["repack", "-q"], b"");
    repository.git(&["prune", "--expire=now"], b"");
    let both = check(&repository);
    let is_known = |checksum: &str| first.complete.contains(checksum);
    let options = Options { is_known: &is_known, ..Options::default() };
    let second = visit(&repository.directories(), repository.kind, options, &|_| Descendants::ByNews).unwrap();
    assert_eq!(second.objects() + first.objects(), both.objects());
    assert_eq!(second.known, first.objects() + first.trees);
    assert_eq!(second.complete.len(), 2, "the known pack is complete, too");
}

#[test]
fn a_visit_can_be_ended() {
    let repository = Repository::new(hash::Kind::Sha1);
    repository.commit(&mut Chance(14), &mut BTreeMap::new(), 120);
    repository.git(&["repack", "-adfq"], b"");
    let all = check(&repository).objects();
    let stop = AtomicBool::new(false);
    let options = Options { stop: Some(&stop), threads: NonZero::new(1), ..Options::default() };
    let ended = visit(&repository.directories(), repository.kind, options, &|_| {
        stop.store(true, Ordering::Relaxed);
        Descendants::ByNews
    });
    let ended = ended.unwrap();
    assert_eq!((ended.objects(), ended.skipped[&Skip::Stopped]), (1, all - 1));
    assert_eq!(ended.complete.len(), 0);
}

#[test]
fn what_is_packed_meanwhile_is_found_in_its_new_place() {
    let repository = Repository::new(hash::Kind::Sha1);
    repository.commit(&mut Chance(15), &mut BTreeMap::new(), 30);
    let expected = repository.expected();
    let (packed, seen) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    let options = Options { threads: NonZero::new(1), ..Options::default() };
    let visited = visit(&repository.directories(), repository.kind, options, &|met| {
        if !packed.swap(true, Ordering::Relaxed) {
            repository.git(&["repack", "-adq"], b"");
            repository.git(&["prune-packed", "-q"], b"");
        }
        seen.lock().unwrap().insert(met.content.id);
        Descendants::ByNews
    });
    assert_eq!(seen.into_inner().unwrap(), expected.into_keys().collect());
    assert_eq!((visited.as_ref().unwrap().skipped.len(), visited.unwrap().damage.len()), (0, 0));
}

#[test]
fn what_cannot_be_read_is_told() {
    let repository = Repository::new(hash::Kind::Sha1);
    repository.commit(&mut Chance(16), &mut BTreeMap::new(), 30);
    let loose = fs::read_dir(repository.objects()).unwrap().flatten().find(|entry| entry.file_name().len() == 2);
    let folder = loose.unwrap().path();
    fs::write(folder.join("0".repeat(38)), b"nonsense").unwrap();
    fs::write(folder.join("not an object"), b"nonsense").unwrap();
    let pack = repository.objects().join("pack");
    fs::write(pack.join("pack-1.pack"), b"PACK").unwrap();
    fs::write(pack.join("pack-2.pack"), b"PACK").unwrap();
    fs::write(pack.join("pack-2.idx"), b"nonsense").unwrap();
    fs::write(pack.join("pack-3.idx"), b"nonsense").unwrap();
    fs::write(pack.join("tmp_pack_1"), b"PACK").unwrap();
    fs::write(repository.objects().join("info/alternates"), "/not/there\n").unwrap();
    let (_, visited) = see(&repository.directories(), repository.kind, "");
    let names: Vec<_> = visited.damage.iter().filter_map(|damage| damage.path.file_name()).collect();
    let zeros = "0".repeat(38);
    let told: BTreeSet<&str> = names.iter().filter_map(|name| name.to_str()).collect();
    assert_eq!(told, BTreeSet::from(["there", "pack-1.pack", "pack-2.pack", "pack-3.pack", &zeros]));
    assert_eq!(visited.skipped, BTreeMap::from([(Skip::Damaged, 1)]));
}

/// A pack that git would not write, and its index.
struct Forged {
    pack: Vec<u8>,
    entries: Vec<(Vec<u8>, u32)>,
}

impl Forged {
    fn new() -> Self {
        Self { pack: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), entries: Vec::new() }
    }

    fn id(number: u32) -> Vec<u8> {
        [&number.to_be_bytes()[..], &[0; 16]].concat()
    }

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    /// Adds an entry: `base` stands between header and data.
    fn add(&mut self, form: u8, base: &[u8], bytes: &[u8]) -> usize {
        let at = self.pack.len();
        let number = u32::try_from(self.entries.len()).unwrap();
        self.entries.push((Self::id(number), u32::try_from(at).unwrap()));
        let mut size = bytes.len();
        let mut byte = form << 4 | u8::try_from(size & 15).unwrap();
        size >>= 4;
        while size > 0 {
            self.pack.push(byte | 0x80);
            byte = u8::try_from(size & 0x7f).unwrap();
            size >>= 7;
        }
        self.pack.push(byte);
        self.pack.extend(base);
        self.pack.extend(Self::deflated(bytes));
        at
    }

    /// Adds a delta to the entry that starts `before` bytes before.
    fn before(&mut self, before: usize, delta: &[u8]) -> usize {
        let mut distance = vec![u8::try_from(before & 0x7f).unwrap()];
        let mut rest = before >> 7;
        while rest > 0 {
            rest -= 1;
            distance.insert(0, u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        self.add(6, &distance, delta)
    }

    fn files(mut self) -> (Vec<u8>, Vec<u8>) {
        let count = u32::try_from(self.entries.len()).unwrap();
        self.pack[8..12].copy_from_slice(&count.to_be_bytes());
        self.pack.extend([7; 20]);
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for byte in 0..=255_u8 {
            let below = self.entries.iter().filter(|(id, _)| id[0] <= byte).count();
            index.extend(u32::try_from(below).unwrap().to_be_bytes());
        }
        for (id, _) in &self.entries {
            index.extend(id);
        }
        index.extend(vec![0; 4 * self.entries.len()]);
        for (_, offset) in &self.entries {
            index.extend(offset.to_be_bytes());
        }
        index.extend([7; 20]);
        index.extend([8; 20]);
        (self.pack, index)
    }

    fn walk(self, options: Options<'_>) -> Visited {
        let (pack, index) = self.files();
        visit_pack(&pack, &index, hash::Kind::Sha1, options, &|_| Descendants::ByNews).unwrap()
    }
}

#[test]
fn a_chain_of_all_entries_needs_no_stack() {
    let mut forged = Forged::new();
    let mut last = forged.add(3, b"", b"text\n");
    for _ in 0..30_000 {
        let before = forged.pack.len() - last;
        last = forged.before(before, &[5, 5, 0x90, 5]);
    }
    let visited = forged.walk(Options::default());
    assert_eq!((visited.blobs, visited.skipped.len(), visited.news), (30_001, 0, 5));
}

#[test]
fn circles_are_damage_and_so_is_what_hangs_on_them() {
    let mut forged = Forged::new();
    forged.add(3, b"", b"text\n");
    for base in [2, 1, 1, 4] {
        forged.add(7, &Forged::id(base), &[5, 5, 0x90, 5]);
    }
    let visited = forged.walk(Options::default());
    assert_eq!((visited.blobs, &visited.skipped), (1, &BTreeMap::from([(Skip::Damaged, 4)])));
    assert_eq!(visited.damage.len(), 4);
    assert_eq!(visited.complete.len(), 0);
}

#[test]
fn what_hangs_on_damage_is_counted() {
    let mut forged = Forged::new();
    let damaged = forged.add(3, b"", b"text\n");
    let before = forged.pack.len() - damaged;
    let child = forged.before(before, &[5, 5, 0x90, 5]);
    let before = forged.pack.len() - child;
    forged.before(before, &[5, 5, 0x90, 5]);
    forged.pack[damaged + 4] ^= 0xff;
    forged.before(3, &[5, 5, 0x90, 5]);
    forged.add(7, &Forged::id(1000), &[5, 5, 0x90, 5]);
    forged.add(5, b"", b"no such kind");
    let visited = forged.walk(Options::default());
    assert_eq!((visited.blobs, visited.skipped), (0, BTreeMap::from([(Skip::Damaged, 6)])));
}

#[test]
fn what_is_too_large_is_not_made() {
    let mut forged = Forged::new();
    let large = forged.add(3, b"", &[b'x'; 5000]);
    let before = forged.pack.len() - large;
    forged.before(before, &[0x88, 0x27, 1, 0x90, 1]);
    let small = forged.add(3, b"", b"text\n");
    let before = forged.pack.len() - small;
    // Says that it makes 2^42 bytes.
    forged.before(before, &[5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0x90, 5]);
    // Deflated data cannot grow that much.
    forged.add(3, b"", b"text\n");
    let visited = forged.walk(Options { largest: 4000, ..Options::default() });
    assert_eq!((visited.blobs, visited.skipped), (2, BTreeMap::from([(Skip::TooLarge, 3)])));
}

#[test]
fn gigabytes_of_a_few_bytes_use_up_the_budget() {
    let mut forged = Forged::new();
    let root = forged.add(3, b"", &vec![b'x'; 60_000]);
    // Each copies its base 1,000 times.
    let mut delta = vec![0xe0, 0xd4, 3, 0x80, 0x8e, 0xce, 0x1c];
    delta.extend([0xb0, 0x60, 0xea].repeat(1000));
    for _ in 0..400 {
        let before = forged.pack.len() - root;
        forged.before(before, &delta);
    }
    let stored = forged.pack.len() as u64;
    let limits = Limits::with(256 << 20, 1 << 30);
    let (pack, index) = forged.files();
    let pack = Pack::from_bytes(PathBuf::new(), &pack[..], &index[..], hash::Kind::Sha1).unwrap();
    let walk =
        Walk { directories: &[], kind: hash::Kind::Sha1, options: Options::default(), visit: &|_| Descendants::ByNews };
    let (visited, _) = walk.walk_within(&mut vec![pack], &[], &mut Vec::new(), limits);
    assert!(stored < 100_000);
    assert_eq!((visited.blobs, visited.skipped[&Skip::Budget]), (18, 383));
}

#[test]
fn an_index_that_points_outside_of_its_pack_is_damage() {
    let mut forged = Forged::new();
    forged.add(3, b"", b"text\n");
    forged.add(3, b"", b"more\n");
    forged.add(3, b"", b"last\n");
    forged.entries[1].1 = 5000;
    forged.entries[2].1 = 3;
    let visited = forged.walk(Options::default());
    assert_eq!((visited.blobs, visited.skipped), (1, BTreeMap::from([(Skip::Damaged, 2)])));
}

#[test]
fn no_damage_to_a_pack_or_its_index_is_more_than_damage() {
    let repository = Repository::new(hash::Kind::Sha1);
    let mut chance = Chance(17);
    repository.commit(&mut chance, &mut BTreeMap::new(), 20);
    repository.git(&["repack", "-adfq", "--depth=50", "--window=50"], b"");
    let files = |extension: &str| {
        let entries = fs::read_dir(repository.objects().join("pack")).unwrap().flatten();
        let found = entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == extension));
        fs::read(found.unwrap()).unwrap()
    };
    let (pack, index) = (files("pack"), files("idx"));
    let walk = |pack: &[u8], index: &[u8]| {
        let options = Options { threads: NonZero::new(1), largest: 1 << 20, ..Options::default() };
        visit_pack(pack, index, hash::Kind::Sha1, options, &|_| Descendants::ByNews)
    };
    let all = walk(&pack, &index).unwrap();
    assert_eq!(all.skipped.len(), 0);
    for round in 0..400 {
        let (mut pack, mut index) = (pack.clone(), index.clone());
        match round % 4 {
            0 => {
                let at = chance.below(pack.len());
                pack[at] ^= 1 << chance.below(8);
            }
            1 => {
                let at = chance.below(index.len());
                index[at] ^= 1 << chance.below(8);
            }
            2 => {
                // Cut in the middle, with the end in place that makes index and pack fit.
                let at = 12 + chance.below(pack.len() - 40);
                let end = pack.split_off(pack.len() - 20);
                pack.truncate(at);
                pack.extend(end);
            }
            _ => {
                let (at, length) = (12 + chance.below(pack.len() - 200), chance.below(100));
                for byte in &mut pack[at..at + length] {
                    *byte = u8::try_from(chance.below(256)).unwrap();
                }
            }
        }
        if let Ok(visited) = walk(&pack, &index) {
            let skipped: u64 = visited.skipped.values().sum();
            assert!(visited.objects() <= all.objects() + all.trees);
            assert!(visited.objects() + visited.trees + visited.repeated + skipped <= all.objects() + all.trees);
        }
    }
}

#[test]
fn a_base_in_another_pack_or_loose_is_fetched() {
    let (source, target) = (Repository::new(hash::Kind::Sha1), Repository::new(hash::Kind::Sha1));
    let text = |change: &str| "a line that does not change\n".repeat(40) + change;
    let blob = |repository: &Repository, text: &str| {
        let id = repository.git(&["hash-object", "-w", "--stdin"], text.as_bytes());
        String::from_utf8(id).unwrap().trim().to_owned()
    };
    let base = blob(&target, &text(""));
    for in_pack in [false, true] {
        if in_pack {
            target.git(&["pack-objects", "-q", "objects/pack/pack"], format!("{base}\n").as_bytes());
            target.git(&["prune-packed", "-q"], b"");
        }
        blob(&source, &text(""));
        let text = text(&format!("MARK {in_pack}\n"));
        let id = blob(&source, &text);
        // A pack that needs what it does not have: git completes such packs when they come, this one was not.
        let mut forged = Forged::new();
        let tail = format!("MARK {in_pack}\n");
        let (old, new) = (text.len() - tail.len(), text.len());
        let varint = |size: usize| [u8::try_from(size & 0x7f).unwrap() | 0x80, u8::try_from(size >> 7).unwrap()];
        let size = [u8::try_from(old & 0xff).unwrap(), u8::try_from(old >> 8).unwrap()];
        let length = u8::try_from(tail.len()).unwrap();
        let delta = [&varint(old), &varint(new), &[0xb0][..], &size, &[length], tail.as_bytes()].concat();
        forged.add(7, ObjectId::from_hex(base.as_bytes()).unwrap().as_bytes(), &delta);
        forged.entries[0].0 = ObjectId::from_hex(id.as_bytes()).unwrap().as_bytes().to_vec();
        let (pack, index) = forged.files();
        fs::write(target.objects().join("pack/pack-x.pack"), pack).unwrap();
        fs::write(target.objects().join("pack/pack-x.idx"), index).unwrap();
        let (seen, visited) = see(&target.directories(), target.kind, "never there");
        assert_eq!(visited.damage, []);
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().any(|(_, object)| object.whole && object.bytes == text.as_bytes()));
    }
    fs::remove_file(target.objects().join("pack/pack-x.idx")).unwrap();
    fs::remove_file(target.objects().join("pack/pack-x.pack")).unwrap();
}
