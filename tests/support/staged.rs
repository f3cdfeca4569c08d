//! Git repositories for cases: what was committed, and what is staged on top of it.
//!
//! Everything is put into the index by git itself, from a list and not from files, so that a case may hold what a file
//! system cannot: two paths that differ in case, links to anywhere, characters that nobody sees.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a case adds to one of its folders, by path; TOML has escapes for what should not be in a file.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Entries {
    /// Files with their content.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Files with their content in hexadecimal digits; blanks and line breaks are left out.
    #[serde(default)]
    pub bytes: BTreeMap<String, String>,
    /// Files of so many zeros.
    #[serde(default)]
    pub zeros: BTreeMap<String, usize>,
    /// Symbolic links with what they point to.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Submodules with the ids of their commits.
    #[serde(default)]
    pub submodules: BTreeMap<String, String>,
    /// Which of the files may be executed.
    #[serde(default)]
    pub executable: Vec<String>,
    /// What is there no more; a path that ends in `/` stands for all below it. For `staged`.
    #[serde(default)]
    pub removed: Vec<String>,
}

/// By path: mode and object id, as git writes them.
type Index = BTreeMap<String, (&'static str, String)>;

/// Makes a repository in `folder`, commits `base/` of the case, and stages `staged/` over it.
pub(crate) fn build(case: &Path, base: &Entries, staged: &Entries, folder: &Path) {
    let git = Git { folder };
    fs::create_dir_all(folder).unwrap();
    git.run(&["init", "-q", "-b", "main"], b"");
    let mut index = Index::new();
    git.add(&case.join("base"), base, &mut index);
    git.write(&index);
    let tree = git.run(&["write-tree"], b"");
    let commit = git.run(&["commit-tree", "-m", "Begin", tree.trim()], b"");
    git.run(&["update-ref", "refs/heads/main", commit.trim()], b"");
    git.add(&case.join("staged"), staged, &mut index);
    git.write(&index);
}

struct Git<'a> {
    folder: &'a Path,
}

impl Git<'_> {
    /// Adds what a folder and the case's description hold; what is in the folder is in the work tree too.
    fn add(&self, folder: &Path, entries: &Entries, index: &mut Index) {
        index.retain(|path, _| {
            !entries.removed.iter().any(|gone| path == gone || gone.ends_with('/') && path.starts_with(gone))
        });
        for (path, content) in files(folder, "") {
            let to = self.folder.join(&path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, &content).unwrap();
            index.insert(path, self.blob("100644", &content));
        }
        for (path, content) in &entries.files {
            index.insert(path.clone(), self.blob("100644", content.as_bytes()));
        }
        for (path, digits) in &entries.bytes {
            index.insert(path.clone(), self.blob("100644", &from_hex(digits)));
        }
        for (path, size) in &entries.zeros {
            index.insert(path.clone(), self.blob("100644", &vec![0; *size]));
        }
        for (path, target) in &entries.links {
            index.insert(path.clone(), self.blob("120000", target.as_bytes()));
        }
        for (path, commit) in &entries.submodules {
            index.insert(path.clone(), ("160000", commit.clone()));
        }
        for path in &entries.executable {
            index.get_mut(path).unwrap().0 = "100755";
        }
    }

    fn blob(&self, mode: &'static str, content: &[u8]) -> (&'static str, String) {
        (mode, self.run(&["hash-object", "-w", "--no-filters", "--stdin"], content).trim().to_owned())
    }

    /// Makes the index hold this and nothing else.
    fn write(&self, index: &Index) {
        self.run(&["read-tree", "--empty"], b"");
        let lines =
            index.iter().map(|(path, (mode, id))| format!("{mode} {id}\t{path}\0")).collect::<Vec<_>>().concat();
        self.run(&["update-index", "-z", "--index-info"], lines.as_bytes());
        let count = self.run(&["ls-files", "-z"], b"").matches('\0').count();
        assert_eq!(count, index.len(), "git took other paths than {:?}", index.keys());
    }

    /// Runs git as if nobody had configured it, on a fixed day.
    fn run(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            // Paths that git would not take are what some rules are about.
            .args(["-c", "core.protectNTFS=false", "-c", "core.protectHFS=false", "-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" })
            .envs([
                ("GIT_AUTHOR_NAME", "A"),
                ("GIT_AUTHOR_EMAIL", "a@example.org"),
                ("GIT_AUTHOR_DATE", "1767225600 +0000"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "A"),
                ("GIT_COMMITTER_EMAIL", "a@example.org"),
                ("GIT_COMMITTER_DATE", "1767225600 +0000"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // An error shows in the status; a pipe that closes early is part of it.
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?} in {}", self.folder.display());
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The bytes that hexadecimal digits stand for; blanks and line breaks are left out.
pub(crate) fn from_hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Every file below a folder, if there is one, by its path from there.
fn files(folder: &Path, at: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let path = format!("{at}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), &format!("{path}/")));
        } else {
            found.push((path, fs::read(entry.path()).unwrap()));
        }
    }
    found.sort();
    found
}
