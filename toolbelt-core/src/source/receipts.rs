//! Receipts: which trees a hook has looked at before they were committed.
//!
//! A trace, never a proof: whoever can commit can write one. A commit whose tree has none was made with `--no-verify`, or
//! by `git rebase`, `cherry-pick` or `revert`, which run no hook, or elsewhere.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;

use super::file;
use super::git::repository::GitRepository;
use crate::report::Verdict;
use crate::subject::content::ObjectId;
use crate::subject::hook::Hook;

/// The receipts of a repository, which all its work trees share: one a line, the oldest first.
#[derive(Debug, Clone)]
pub struct Receipts {
    path: PathBuf,
}

/// What a hook said of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// The tree that is about to be committed.
    pub tree: ObjectId,
    /// The hook.
    pub hook: Hook,
    /// What it said.
    pub verdict: Verdict,
    /// When.
    pub time: Timestamp,
    /// Binary and version.
    pub tool: &'a str,
}

/// The format of a line, its first word.
const VERSION: &str = "1";
/// The file is cut to its newer half when it is larger: about ten thousand receipts.
const MAX_BYTES: u64 = 1 << 20;

impl Receipts {
    /// Those under `toolbelt/` in the git directory that work trees share.
    pub fn of(repository: &GitRepository) -> Self {
        Self { path: repository.common_dir().join("toolbelt").join("receipts") }
    }

    /// Adds one.
    ///
    /// A line is appended in one write, so that two that are written at the same time are both kept. It is not flushed to
    /// disk: what a crash loses is a trace.
    ///
    /// # Errors
    ///
    /// If the git directory cannot be written to.
    pub fn add(&self, receipt: &Receipt<'_>) -> io::Result<()> {
        let Receipt { tree, hook, verdict, time, tool } = receipt;
        let tool = tool.replace(char::is_whitespace, "/");
        let line = format!("{VERSION} {tree} {} {} {time} {tool}\n", hook.as_str(), verdict.as_str());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        file.write_all(line.as_bytes())?;
        if file.metadata()?.len() > MAX_BYTES { self.cut() } else { Ok(()) }
    }

    /// The trees that have one; none where they cannot be read.
    pub fn trees(&self) -> HashSet<ObjectId> {
        // More than was ever written is not ours.
        let bytes = file::read(&self.path, 4 * MAX_BYTES).unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        let trees = lines.filter_map(|line| {
            let mut words = line.split(|byte| *byte == b' ');
            let (version, tree) = (words.next()?, words.next()?);
            // A line without its end was not written to it.
            words.next().filter(|_| version == VERSION.as_bytes())?;
            ObjectId::from_hex(tree).ok()
        });
        trees.collect()
    }

    /// Keeps the newer half.
    fn cut(&self) -> io::Result<()> {
        let bytes = fs::read(&self.path)?;
        let middle = bytes.len() / 2;
        let start = memchr::memchr(b'\n', &bytes[middle..]).map_or(bytes.len(), |at| middle + at + 1);
        let folder = self.path.parent().unwrap_or(&self.path);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&bytes[start..])?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipts(folder: &tempfile::TempDir) -> Receipts {
        Receipts { path: folder.path().join("toolbelt/receipts") }
    }

    fn receipt(number: u32) -> Receipt<'static> {
        Receipt {
            tree: ObjectId::from_hex(format!("{number:040x}").as_bytes()).unwrap(),
            hook: Hook::PreCommit,
            verdict: Verdict::Pass,
            time: Timestamp::UNIX_EPOCH,
            tool: "git-toolbelt 0.1.0",
        }
    }

    #[test]
    fn what_was_added_is_there_and_what_is_broken_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let receipts = receipts(&folder);
        assert!(receipts.trees().is_empty());
        receipts.add(&receipt(1)).unwrap();
        let text = fs::read_to_string(&receipts.path).unwrap();
        let line =
            "1 0000000000000000000000000000000000000001 pre-commit pass 1970-01-01T00:00:00Z git-toolbelt/0.1.0\n";
        assert_eq!(text, line);
        fs::write(&receipts.path, format!("{line}2 {}\nnonsense\n\u{0}\n1 {}", line.trim(), &line[2..42])).unwrap();
        assert_eq!(receipts.trees(), HashSet::from([receipt(1).tree]));
    }

    #[test]
    fn the_file_does_not_grow_without_end_and_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let receipts = receipts(&folder);
        receipts.add(&receipt(1)).unwrap();
        let line = fs::read(&receipts.path).unwrap();
        let many = line.repeat(usize::try_from(MAX_BYTES).unwrap() / line.len() + 1);
        fs::write(&receipts.path, many).unwrap();
        receipts.add(&receipt(2)).unwrap();
        assert!(fs::metadata(&receipts.path).unwrap().len() < MAX_BYTES / 2 + 200);
        assert_eq!(receipts.trees(), HashSet::from([receipt(1).tree, receipt(2).tree]));
    }
}
