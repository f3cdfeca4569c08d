//! What the refs of remotes were: a log in the common git directory, each line of which has the digest of the one before.
//!
//! The digest of the last line is in a file beside it, so that lines cannot be taken off the end unnoticed. Who can write both
//! files can write others: the log is for noticing what comes from elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::finding::Unknown;
use crate::source::file;
use crate::subject::content::ObjectId;
use crate::subject::digest::hex;

/// The largest log that is read.
const MAX_BYTES: u64 = 16 << 20;
/// From this size on, the next line begins a new log with all that is known; the old one is kept beside it, once.
const ROTATE_BYTES: u64 = 4 << 20;
/// How often, and how long apart, a log that another process holds is tried.
const TRIES: u32 = 50;
const WAIT: Duration = Duration::from_millis(20);
/// What a log's first line has in place of the digest of the line before.
const NOTHING: &str = "";
/// The format of the lines.
const VERSION: u32 = 1;

/// The log of one repository, which no other process changes meanwhile.
#[derive(Debug)]
pub struct RefLogFile {
    folder: PathBuf,
    _lock: File,
}

/// What is known of one ref of a remote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// What it was when it was last seen, and when that was, in seconds since 1970.
    pub noted: Option<(ObjectId, i64)>,
    /// What the ref that follows it here was when that was last looked at.
    pub tracked: Option<ObjectId>,
    /// What was pushed to it since then.
    pub sent: BTreeSet<ObjectId>,
}

/// Refs of one remote by their full names.
pub type Refs = BTreeMap<String, ObjectId>;

/// What a log says: remote, ref, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// By remote and full name.
    pub refs: BTreeMap<(String, String), Known>,
    /// The first line that does not follow from the one before it, from 1; `Some(None)` if lines are missing at the end.
    pub tampered: Option<Option<usize>>,
    last: String,
    bytes: u64,
}

/// One line: what one run saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    version: u32,
    previous: String,
    time: i64,
    /// The remote's name or URL.
    remote: String,
    /// What refs that follow the remote's were.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tracked: BTreeMap<String, String>,
    /// What the remote itself said that its refs were.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<String, String>,
    /// What is being pushed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sent: BTreeMap<String, String>,
}

impl Entry {
    /// A line about this remote, at this time in seconds since 1970.
    pub fn new(remote: &str, time: i64, tracked: &Refs, told: &Refs, sent: &Refs) -> Self {
        let text = |refs: &Refs| refs.iter().map(|(name, id)| (name.clone(), id.to_string())).collect();
        Self {
            version: VERSION,
            previous: String::new(),
            time,
            remote: remote.to_owned(),
            tracked: text(tracked),
            told: text(told),
            sent: text(sent),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.tracked.is_empty() && self.told.is_empty() && self.sent.is_empty()
    }
}

impl RefLogFile {
    /// Takes hold of the log below this common git directory.
    ///
    /// # Errors
    ///
    /// Why it cannot be had: the directory may not be written to, or another process does not let go of it.
    pub fn open(common_dir: &Path) -> Result<Self, Unknown> {
        let folder = common_dir.join("toolbelt");
        let failed = |error: io::Error| Unknown::new(format!("the log of what refs were cannot be opened: {error}"));
        fs::create_dir_all(&folder).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("refs.lock"));
        let lock = lock.map_err(failed)?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder, _lock: lock }),
                Err(TryLockError::WouldBlock) => thread::sleep(WAIT),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(Unknown::new("the log of what refs were is held by another process"))
    }

    fn log(&self) -> PathBuf {
        self.folder.join("refs.log")
    }

    fn head(&self) -> PathBuf {
        self.folder.join("refs.head")
    }

    /// Reads the log; one that is not there is empty.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read(&self) -> Result<Contents, Unknown> {
        let head = match file::read_text(&self.head(), 4096) {
            Ok(text) => Some(text.trim_end().to_owned()),
            Err(file::Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some("what cannot be read".to_owned()),
        };
        let bytes = match file::read(&self.log(), MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(file::Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let tampered = head.is_some().then_some(None);
                return Ok(Contents { tampered, ..Contents::default() });
            }
            Err(error) => {
                let why = format!("the log of what refs were cannot be read: {error}");
                return Err(Unknown::new(why).hint("git toolbelt verify --accept-rewritten"));
            }
        };
        Ok(Contents::parse(&bytes, head.as_deref()))
    }

    /// Adds a line.
    ///
    /// # Errors
    ///
    /// If it cannot be written; the log is then as it was, or has the whole line.
    pub fn append(&self, contents: &mut Contents, mut entry: Entry) -> io::Result<()> {
        if contents.bytes > ROTATE_BYTES {
            self.begin_anew(contents)?;
        }
        entry.previous.clone_from(&contents.last);
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let mut file = File::options().create(true).truncate(false).write(true).open(self.log())?;
        // What a killed process left behind the last whole line goes.
        file.set_len(contents.bytes)?;
        file.seek(SeekFrom::Start(contents.bytes))?;
        file.write_all(&line)?;
        file.sync_data()?;
        contents.bytes += line.len() as u64;
        contents.last = digest(&line);
        contents.apply(&entry);
        self.write_head(&contents.last)
    }

    /// Puts the log aside and begins another one with what is known; what was tampered with is then forgotten.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn begin_anew(&self, contents: &mut Contents) -> io::Result<()> {
        let mut lines = Vec::new();
        let mut last = NOTHING.to_owned();
        for entry in contents.entries() {
            let mut line = serde_json::to_vec(&Entry { previous: last, ..entry })?;
            line.push(b'\n');
            last = digest(&line);
            lines.extend(line);
        }
        let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
        new.write_all(&lines)?;
        new.as_file().sync_data()?;
        match fs::rename(self.log(), self.folder.join("refs.log.old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        new.persist(self.log()).map_err(|error| error.error)?;
        contents.bytes = lines.len() as u64;
        contents.last = last;
        contents.tampered = None;
        self.write_head(&contents.last)
    }

    fn write_head(&self, digest: &str) -> io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
        writeln!(new, "{digest}")?;
        new.as_file().sync_data()?;
        new.persist(self.head()).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Contents {
    /// What stands for a log that cannot be read and is to be begun anew.
    pub fn unreadable() -> Self {
        Self { tampered: Some(None), ..Self::default() }
    }

    /// Reads lines up to the first that does not follow from the one before it; `head` is the digest of the last one.
    pub fn parse(bytes: &[u8], head: Option<&str>) -> Self {
        let mut contents = Self { last: NOTHING.to_owned(), ..Self::default() };
        let mut is_at_head = head == Some(NOTHING);
        let mut count = 0;
        // What follows the last line's end was being written when the process was killed.
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            count += 1;
            let entry = serde_json::from_slice::<Entry>(line).ok();
            let entry = entry.filter(|entry| entry.version == VERSION && entry.previous == contents.last);
            let Some(entry) = entry else {
                contents.tampered = Some(Some(count));
                return contents;
            };
            contents.apply(&entry);
            contents.last = digest(line);
            contents.bytes += line.len() as u64;
            is_at_head |= head == Some(&contents.last);
        }
        // The first line is there before anything is beside it.
        let is_first = head.is_none() && count <= 1;
        if !is_at_head && !is_first {
            contents.tampered = Some(None);
        }
        contents
    }

    /// What a line adds.
    fn apply(&mut self, entry: &Entry) {
        let parsed = |refs: &BTreeMap<String, String>| -> Vec<(String, ObjectId)> {
            let pairs = refs.iter().map(|(name, id)| (name.clone(), ObjectId::from_hex(id.as_bytes())));
            pairs.filter_map(|(name, id)| Some((name, id.ok()?))).collect()
        };
        for (name, id) in parsed(&entry.tracked) {
            let known = self.refs.entry((entry.remote.clone(), name)).or_default();
            known.tracked = Some(id);
            known.note(id, entry.time);
        }
        for (name, id) in parsed(&entry.told) {
            self.refs.entry((entry.remote.clone(), name)).or_default().note(id, entry.time);
        }
        for (name, id) in parsed(&entry.sent) {
            self.refs.entry((entry.remote.clone(), name)).or_default().sent.insert(id);
        }
    }

    /// Lines that say the same, as few as possible.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = BTreeMap::<(&str, i64), [Refs; 2]>::new();
        for ((remote, name), known) in &self.refs {
            let Some((noted, time)) = known.noted else { continue };
            let [tracked, told] = entries.entry((remote, time)).or_default();
            tracked.extend(known.tracked.map(|id| (name.clone(), id)));
            if known.tracked != Some(noted) {
                told.insert(name.clone(), noted);
            }
        }
        let lines = entries.into_iter();
        let lines =
            lines.map(|((remote, time), [tracked, told])| Entry::new(remote, time, &tracked, &told, &Refs::new()));
        // What was sent counts from the line on that it comes after.
        let sent = self.refs.iter().flat_map(|((remote, name), known)| {
            let time = known.noted.map_or(0, |(_, time)| time);
            let none = Refs::new();
            let lines = known
                .sent
                .iter()
                .map(move |id| Entry::new(remote, time, &none, &none, &Refs::from([(name.clone(), *id)])));
            lines.collect::<Vec<_>>()
        });
        lines.chain(sent).collect()
    }
}

impl Known {
    fn note(&mut self, id: ObjectId, time: i64) {
        if self.noted.is_none_or(|(known, _)| known != id) {
            self.sent.clear();
        }
        self.noted = Some((id, time));
    }
}

fn digest(line: &[u8]) -> String {
    hex(&Sha256::digest(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn refs(name: &str, digit: char) -> Refs {
        Refs::from([(name.to_owned(), id(digit))])
    }

    fn add(folder: &Path, time: i64, digit: char) {
        let file = RefLogFile::open(folder).unwrap();
        let mut contents = file.read().unwrap();
        assert_eq!(contents.tampered, None);
        let entry = Entry::new("origin", time, &refs("refs/heads/main", digit), &Refs::new(), &Refs::new());
        file.append(&mut contents, entry).unwrap();
    }

    fn read(folder: &Path) -> Contents {
        RefLogFile::open(folder).unwrap().read().unwrap()
    }

    fn main(contents: &Contents) -> Known {
        contents.refs[&("origin".to_owned(), "refs/heads/main".to_owned())].clone()
    }

    #[test]
    fn what_is_noted_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Contents::default());
        add(folder.path(), 1, 'a');
        add(folder.path(), 2, 'b');
        let contents = read(folder.path());
        assert_eq!(main(&contents), Known { noted: Some((id('b'), 2)), tracked: Some(id('b')), ..Known::default() });
    }

    #[test]
    fn what_was_sent_is_known_until_the_ref_is_seen_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        add(folder.path(), 1, 'a');
        let file = RefLogFile::open(folder.path()).unwrap();
        let mut contents = file.read().unwrap();
        let (none, name) = (Refs::new(), "refs/heads/main");
        file.append(&mut contents, Entry::new("origin", 2, &none, &refs(name, 'a'), &refs(name, 'b'))).unwrap();
        assert_eq!(main(&contents).sent, BTreeSet::from([id('b')]));
        file.append(&mut contents, Entry::new("origin", 3, &refs(name, 'b'), &none, &none)).unwrap();
        assert!(main(&contents).sent.is_empty());
        assert_eq!(file.read().unwrap(), contents);
    }

    #[test]
    fn a_change_to_any_line_shows() {
        let folder = tempfile::tempdir().unwrap();
        for (time, digit) in [(1, 'a'), (2, 'b'), (3, 'c')] {
            add(folder.path(), time, digit);
        }
        let path = folder.path().join("toolbelt/refs.log");
        let whole = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let tampered = |text: &str| {
            fs::write(&path, text).unwrap();
            read(folder.path()).tampered
        };
        assert_eq!(tampered(&whole), None);
        assert_eq!(tampered(&whole.replace('b', "d")), Some(Some(2)));
        assert_eq!(tampered(&whole.replace('a', "d")), Some(Some(1)));
        assert_eq!(tampered(&lines[1..].concat()), Some(Some(1)));
        assert_eq!(tampered(&[lines[0], lines[2]].concat()), Some(Some(2)));
        assert_eq!(tampered(&lines[..2].concat()), Some(None));
        assert_eq!(tampered(""), Some(None));
        assert_eq!(tampered("{}\n"), Some(Some(1)));
        fs::remove_file(&path).unwrap();
        assert_eq!(read(folder.path()).tampered, Some(None));
    }

    #[test]
    fn a_process_that_was_killed_did_not_tamper() {
        let folder = tempfile::tempdir().unwrap();
        add(folder.path(), 1, 'a');
        let (log, head) = (folder.path().join("toolbelt/refs.log"), folder.path().join("toolbelt/refs.head"));
        // Half a line.
        let before = fs::read(&log).unwrap();
        fs::write(&log, [&before[..], b"{\"version\":1,\"prev"].concat()).unwrap();
        add(folder.path(), 2, 'b');
        assert_eq!(main(&read(folder.path())).noted, Some((id('b'), 2)));
        // A whole line, without the digest beside it.
        let old = fs::read(&head).unwrap();
        add(folder.path(), 3, 'c');
        fs::write(&head, old).unwrap();
        add(folder.path(), 4, 'd');
        assert_eq!(read(folder.path()).tampered, None);
        // The first line, before there was anything beside it.
        fs::write(&log, &before).unwrap();
        fs::remove_file(&head).unwrap();
        add(folder.path(), 2, 'b');
    }

    #[test]
    fn a_new_log_knows_what_the_old_one_did() {
        let folder = tempfile::tempdir().unwrap();
        for (time, digit) in [(1, 'a'), (2, 'b')] {
            add(folder.path(), time, digit);
        }
        let file = RefLogFile::open(folder.path()).unwrap();
        let mut contents = file.read().unwrap();
        let none = Refs::new();
        for digit in ['c', 'd'] {
            let entry = Entry::new("origin", 3, &none, &none, &refs("refs/heads/main", digit));
            file.append(&mut contents, entry).unwrap();
        }
        let known = contents.refs.clone();
        file.begin_anew(&mut contents).unwrap();
        let after = file.read().unwrap();
        assert_eq!((&after.refs, after.tampered), (&known, None));
        assert!(folder.path().join("toolbelt/refs.log.old").is_file());
        drop(file);
        add(folder.path(), 3, 'c');
    }

    #[test]
    fn concurrent_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for number in 0..8 {
                let folder = folder.path();
                scope.spawn(move || {
                    let file = RefLogFile::open(folder).unwrap();
                    let mut contents = file.read().unwrap();
                    let name = format!("refs/heads/{number}");
                    let entry = Entry::new("origin", 1, &refs(&name, 'a'), &Refs::new(), &Refs::new());
                    file.append(&mut contents, entry).unwrap();
                });
            }
        });
        let contents = read(folder.path());
        assert_eq!((contents.refs.len(), contents.tampered), (8, None));
    }
}
