//! Repositories for tests, made by the real git with fixed authors and dates.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::repository::GitRepository;
use super::{Met, Visit};
use crate::subject::content::{Descendants, News, ObjectId};
use crate::subject::sighting::Place;

/// A folder with a repository in it.
pub(crate) struct Sandbox {
    pub(crate) root: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Sandbox {
    /// An empty repository.
    pub(crate) fn new(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("repository");
        fs::create_dir(&root).unwrap();
        let sandbox = Self { root, _folder: Some(folder) };
        sandbox.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
        sandbox
    }

    /// Another repository or work tree in the same folder.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self { root: self.root.parent().unwrap().join(name), _folder: None }
    }

    /// A git command that reads no configuration but the repository's.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("git");
        // As they are set where the tests are run by a hook.
        for name in ["DIR", "WORK_TREE", "COMMON_DIR", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES"]
        {
            command.env_remove(format!("GIT_{name}"));
        }
        for name in ["PREFIX", "QUARANTINE_PATH", "CONFIG_COUNT", "CONFIG_PARAMETERS", "NAMESPACE"] {
            command.env_remove(format!("GIT_{name}"));
        }
        command.current_dir(&self.root).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.com");
            command.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
        }
        command.args(["-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"]);
        command
    }

    /// Runs git, which has to succeed, and returns what it says.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8_lossy(&self.git_bytes(arguments)).trim_end().to_owned()
    }

    pub(crate) fn git_bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command().args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        output.stdout
    }

    /// Runs git with an input.
    pub(crate) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = self.command();
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything in the work tree.
    pub(crate) fn commit(&self, message: &str) -> ObjectId {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.id("HEAD")
    }

    /// The id that a name stands for.
    pub(crate) fn id(&self, name: &str) -> ObjectId {
        ObjectId::from_hex(self.git(&["rev-parse", name]).as_bytes()).unwrap()
    }

    pub(crate) fn open(&self) -> GitRepository {
        // The library does not read the environment, not even here: the shell says where programs are.
        let path = Command::new("sh").args(["-c", "printf %s \"$PATH\""]).output().unwrap().stdout;
        self.open_with(&BTreeMap::from([("PATH".to_owned(), String::from_utf8(path).unwrap())]))
    }

    pub(crate) fn open_with(&self, variables: &BTreeMap<String, String>) -> GitRepository {
        GitRepository::open(&self.root, variables).unwrap()
    }
}

/// What a visit met: the place, and the new parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) new: Vec<String>,
    pub(crate) whole: bool,
    pub(crate) place: Place,
}

/// Runs a visit and gathers what it met, sorted.
pub(crate) fn gather(run: impl FnOnce(Visit<'_>)) -> Vec<Seen> {
    let seen = Mutex::new(Vec::new());
    let visit = |met: &Met<'_>| {
        let text =
            |range: &std::ops::Range<usize>| String::from_utf8_lossy(&met.content.bytes[range.clone()]).into_owned();
        let (whole, new) = match met.content.news {
            News::All => (true, vec![text(&(0..met.content.bytes.len()))]),
            News::Lines(lines) => (false, lines.iter().map(text).collect()),
        };
        let place = met.place.unwrap().clone();
        let path = place.path.clone().unwrap_or_default();
        seen.lock().unwrap().push(Seen { path, new, whole, place });
        Descendants::ByNews
    };
    run(&visit);
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    seen
}

/// Numbers that look random and are the same in each run (xorshift).
pub(crate) struct Numbers(pub(super) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Where the tests of a command's variables are kept: `NAME=value` lines, as `env` writes them.
pub(crate) fn variables(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.filter(|(name, _)| name.starts_with("GIT_")).map(|(name, value)| (name.into(), value.into())).collect()
}
