//! Repositories with real hooks, for every git on the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use toolbelt_core::source::hooks::GitVersion;

const BINARY: &str = env!("CARGO_BIN_EXE_git-toolbelt");

/// Runs a test with each git of the machine that takes hooks from files alone.
pub(crate) fn with_each_older_git(test: impl Fn(&World)) {
    with_each_git(|world| {
        if world.version() < GitVersion::WITH_CONFIGURED_HOOKS {
            test(world);
        } else {
            println!("skipped: it takes hooks from its configuration");
        }
    });
}

/// Runs a test with each git of the machine; each version once.
pub(crate) fn with_each_git(test: impl Fn(&World)) {
    let mut tried = BTreeMap::new();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()).chain(["/usr/bin".into()]) {
        let git = folder.join("git");
        let Ok(output) = Command::new(&git).arg("version").output() else { continue };
        let version = String::from_utf8(output.stdout).unwrap();
        if tried.insert(version.clone(), git.clone()).is_none() {
            println!("{} is {}", git.display(), version.trim());
            test(&World::new(&git));
        }
    }
    assert!(!tried.is_empty(), "no git");
}

/// A folder with a home of its own.
pub(crate) struct World {
    folder: tempfile::TempDir,
    git: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl World {
    fn new(git: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder, git: git.to_owned() };
        world.use_git(git);
        world.set_toolbelt(true);
        fs::write(
            world.path("gitconfig"),
            "[user]\n\tname = A\n\temail = a@example.com\n[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\
             \tallow = always\n[advice]\n\tdetachedHead = false\n",
        )
        .unwrap();
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(name)
    }

    /// The version of the git of this world.
    pub(crate) fn version(&self) -> GitVersion {
        let output = Command::new(&self.git).arg("version").output().unwrap();
        GitVersion::parse(&String::from_utf8(output.stdout).unwrap()).unwrap()
    }

    /// Puts a git on the path.
    pub(crate) fn use_git(&self, git: &Path) {
        let _ = fs::remove_file(self.path("bin/git"));
        fs::create_dir_all(self.path("bin")).unwrap();
        symlink(git, self.path("bin/git")).unwrap();
    }

    /// The real git of this world.
    pub(crate) fn git_program(&self) -> &Path {
        &self.git
    }

    /// Whether git-toolbelt is on the path.
    pub(crate) fn set_toolbelt(&self, is_there: bool) {
        let _ = fs::remove_file(self.path("bin/git-toolbelt"));
        if is_there {
            symlink(BINARY, self.path("bin/git-toolbelt")).unwrap();
        }
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path(""))
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("TOOLBELT_CACHE", self.path("cache"))
            .env("CARGO_HOME", self.path("cargo-home"))
            .current_dir(folder)
            .stdin(Stdio::null());
        command
    }

    #[expect(clippy::unused_self, reason = "a command is run in a place, whatever it looks at")]
    pub(crate) fn run(&self, mut command: Command, input: &[u8]) -> Said {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        Said::of(&child.wait_with_output().unwrap())
    }

    /// A repository with a first commit and hooks.
    pub(crate) fn repository(&self, name: &str) -> Repository<'_> {
        let repository = self.plain_repository(name);
        repository.write("readme", "first\n");
        repository.git("add readme").done();
        repository.git("commit -qm first").done();
        repository.git("toolbelt protect install").done();
        repository
    }

    /// A repository without commits or hooks.
    pub(crate) fn plain_repository(&self, name: &str) -> Repository<'_> {
        fs::create_dir_all(self.path(name)).unwrap();
        let repository = self.at(name);
        repository.git("init -q").done();
        repository
    }

    /// A bare repository.
    pub(crate) fn bare(&self, name: &str) -> Repository<'_> {
        fs::create_dir_all(self.path(name)).unwrap();
        let repository = self.at(name);
        repository.git("init -q --bare").done();
        repository
    }

    pub(crate) fn at(&self, name: &str) -> Repository<'_> {
        Repository { world: self, folder: self.path(name) }
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        Self { code: output.status.code().unwrap_or(-1), text }
    }

    /// It has to have succeeded; gives back what was said, without the last line end.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{}", self.text);
        self.text.trim_end().to_owned()
    }

    /// It has to have been stopped, with these words.
    #[track_caller]
    pub(crate) fn stopped(self, words: &str) {
        assert_ne!(self.code, 0, "{}", self.text);
        assert!(self.text.contains(words), "{}", self.text);
        assert!(self.text.lines().count() <= 24, "more than a screen:\n{}", self.text);
    }
}

/// One work tree or bare repository.
pub(crate) struct Repository<'a> {
    pub(crate) world: &'a World,
    pub(crate) folder: PathBuf,
}

impl Repository<'_> {
    /// Runs git; the words are separated by blanks.
    pub(crate) fn git(&self, words: &str) -> Said {
        self.git_with(&words.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn git_with(&self, arguments: &[&str]) -> Said {
        let mut command = self.world.command("git", &self.folder);
        command.args(arguments);
        Said::of(&command.output().unwrap())
    }

    /// Runs `git-toolbelt` without git, which would put itself in front of the git on the path.
    pub(crate) fn toolbelt(&self, words: &str) -> Said {
        let mut command = self.world.command(BINARY, &self.folder);
        command.args(words.split(' '));
        self.world.run(command, b"")
    }

    /// Runs `git toolbelt hook …` as a hook with an input.
    pub(crate) fn hook(&self, words: &str, input: &[u8]) -> Said {
        let mut command = self.world.command(BINARY, &self.folder);
        command.arg("hook").args(words.split(' '));
        self.world.run(command, input)
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a file that may be executed.
    pub(crate) fn script(&self, path: &str, content: &str) {
        self.write(path, content);
        fs::set_permissions(self.folder.join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap_or_default()
    }

    /// Commits a file with this content.
    pub(crate) fn commit(&self, path: &str, content: &str) -> Said {
        self.write(path, content);
        self.git_with(&["add", "--", path]).done();
        self.git_with(&["commit", "-q", "-m", &format!("change {path}")])
    }

    /// Commits a file without any hook.
    pub(crate) fn commit_unseen(&self, path: &str, content: &str) {
        self.write(path, content);
        self.git_with(&["add", "--", path]).done();
        self.git_with(&["commit", "-q", "--no-verify", "-m", &format!("change {path}")]).done();
    }

    pub(crate) fn id(&self, revision: &str) -> String {
        self.git_with(&["rev-parse", revision]).done()
    }
}

/// A token of GitHub with right check digits, which nobody ever had; put together here so that it is in no file.
pub(crate) fn token() -> String {
    let random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5";
    let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let mut sum = random.bytes().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    sum = !sum;
    let mut digits = String::new();
    for _ in 0..6 {
        digits.insert(0, alphabet[(sum % 62) as usize]);
        sum /= 62;
    }
    format!("ghp{}{random}{digits}", '_')
}

/// A line with that token.
pub(crate) fn bait() -> String {
    format!("token = \"{}\"\n", token())
}

/// Two snapshots have to be the same.
#[track_caller]
pub(crate) fn assert_same(before: &Snapshot, after: &Snapshot) {
    let shown = |snapshot: &Snapshot, path: &PathBuf| {
        let state = snapshot.get(path);
        state.map_or("not there".to_owned(), |(mode, content)| {
            format!("{mode:o} {:?}", String::from_utf8_lossy(content))
        })
    };
    let paths: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    let different: Vec<String> = paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| format!("{}: {} was {}", path.display(), shown(after, path), shown(before, path)))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Path, then kind and mode, and what it holds or points to.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Every file below a folder: path, kind and mode, and what it holds or points to.
pub(crate) fn snapshot(folder: &Path) -> Snapshot {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let content = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if metadata.is_dir() {
                left.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(path, (metadata.mode(), content));
        }
    }
    found
}
