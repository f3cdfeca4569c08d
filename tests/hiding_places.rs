//! Where secrets hide: one tiny repository for each place that a scan could miss, made by git itself, and the program
//! as people run it.
//!
//! Each place holds a token with right check digits, so the scan has to fail, and to name the place; or it has to say
//! that it was told not to.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking and says what it skips")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use toolbelt_core::rules::blob::secrets::examples::expand;

const BINARY: &str = env!("CARGO_BIN_EXE_git-toolbelt");

/// A token that nobody issued, with check digits that are right; not written out, so that this file holds none.
fn token() -> String {
    expand("hiding place", "{base62-crc32:ghp_:30}")
}

/// A line of source that holds the token.
fn line() -> String {
    format!("let client = connect(\"{}\");\n", token())
}

/// A repository in a folder of its own.
struct Repository {
    folder: TempDir,
    path: PathBuf,
}

impl Repository {
    /// A repository with one commit that holds nothing.
    fn new() -> Self {
        Self::with(&["init", "--quiet", "--initial-branch=main", "."])
    }

    fn with(init: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap().join("repository");
        fs::create_dir(&path).unwrap();
        let repository = Self { folder, path };
        repository.git(init);
        repository.write("README", "nothing\n");
        repository.commit("begin");
        repository
    }

    /// The same repository, seen from another folder of it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.path).env_clear().envs(variables(self.folder.path()));
        command
    }

    /// Runs git, which has to succeed; what it wrote, without the end of the line.
    fn git(&self, arguments: &[&str]) -> String {
        let output = self.command("git").args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Commits a file, and another commit that removes it.
    fn commit_and_remove(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        self.commit("add");
        fs::remove_file(self.path.join(path)).unwrap();
        self.commit("remove");
    }

    fn scan(&self, arguments: &[&str]) -> Scan {
        Scan::of(&self.command(BINARY).args(["scan", "--format", "json"]).args(arguments).output().unwrap())
    }

    fn scan_with_input(&self, arguments: &[&str], input: &str) -> Scan {
        let mut command = self.command(BINARY);
        command.args(["scan", "--format", "json"]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Scan::of(&child.wait_with_output().unwrap())
    }
}

/// What git and toolbelt may know of the machine.
fn variables(home: &Path) -> Vec<(String, String)> {
    let variables = [
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("HOME", home.display().to_string()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("TOOLBELT_CACHE", home.join("cache").display().to_string()),
        ("TOOLBELT_TEST_NOW", "1795341600".to_owned()),
    ];
    let mut variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
    for (name, value) in [("NAME", "A"), ("EMAIL", "a@a.example"), ("DATE", "2026-11-22T10:00:00Z")] {
        variables.push((format!("GIT_AUTHOR_{name}"), value.to_owned()));
        variables.push((format!("GIT_COMMITTER_{name}"), value.to_owned()));
    }
    variables
}

/// What one run said.
struct Scan {
    code: Option<i32>,
    report: Value,
    text: String,
}

impl Scan {
    fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        Self { code: output.status.code(), report, text }
    }

    /// The tokens that were found, as `path` or `kind name`.
    fn places(&self) -> Vec<String> {
        let findings = self.report["findings"].as_array().into_iter().flatten();
        let tokens = findings.filter(|finding| finding["rule"] == "exposed-token" && finding["level"] == "deny");
        let mut places = tokens
            .map(|finding| match finding["subject"]["kind"].as_str() {
                Some("blob") => finding["subject"]["name"].as_str().unwrap_or_default().to_owned(),
                kind => kind.unwrap_or_default().to_owned(),
            })
            .collect::<Vec<_>>();
        places.sort();
        places
    }

    /// The token was found there and nowhere else, the run failed, and the value is told nowhere.
    #[track_caller]
    fn finds(&self, place: &str) {
        assert_eq!(self.places(), [place], "{}", self.text);
        assert_eq!(self.code, Some(1), "{}", self.text);
        assert!(!self.text.contains(&token()), "the token is told: {}", self.text);
    }

    #[track_caller]
    fn passes(&self) {
        assert_eq!((self.places(), self.code), (Vec::new(), Some(0)), "{}", self.text);
    }
}

#[test]
fn in_a_file_that_is_there() {
    let repository = Repository::new();
    repository.write("src/main.rs", line());
    repository.scan(&[]).finds("src/main.rs");
    repository.scan(&["src"]).finds("src/main.rs");
    repository.scan(&["README"]).passes();
    repository.scan(&["--history"]).passes();
}

#[test]
fn in_an_ignored_file_that_is_named() {
    let repository = Repository::new();
    repository.write(".gitignore", "*.local\n");
    repository.write("a.local", line());
    repository.scan(&[]).passes();
    repository.scan(&["a.local"]).finds("a.local");
}

#[test]
fn in_an_earlier_commit() {
    let repository = Repository::new();
    repository.commit_and_remove("old.rs", line());
    repository.scan(&[]).passes();
    repository.scan(&["--history"]).finds("old.rs");
    repository.scan(&["--range", "HEAD~2..HEAD"]).finds("old.rs");
}

#[test]
fn in_an_earlier_version_of_a_file_that_is_packed_as_a_difference() {
    let repository = Repository::new();
    let text = |middle: &str| {
        let lines = (0..400).map(|number| format!("fn number_{number}() {{ call({number}); }}\n"));
        let mut lines = lines.collect::<Vec<_>>();
        lines.insert(200, middle.to_owned());
        lines.concat()
    };
    for middle in ["// one\n", "// two\n", &line(), "// three\n", "// four\n"] {
        repository.write("long.rs", text(middle));
        repository.commit("change");
    }
    repository.git(&["repack", "-a", "-d", "-f", "--quiet", "--depth=50", "--window=50"]);
    repository.scan(&["--history"]).finds("long.rs");
    for _ in 0..3 {
        let again = repository.scan(&["--history"]);
        again.finds("long.rs");
        assert!(again.report["coverage"]["objects-remembered"].as_u64() > Some(0), "{}", again.text);
    }
    repository.scan(&["--history", "--no-cache"]).finds("long.rs");
}

#[test]
fn in_the_index_and_no_longer_in_the_work_tree() {
    let repository = Repository::new();
    repository.write("a.rs", line());
    repository.git(&["add", "a.rs"]);
    repository.write("a.rs", "clean\n");
    repository.scan(&[]).passes();
    repository.scan(&["--staged"]).finds("a.rs");
    repository.scan(&["--history"]).finds("a.rs");
}

#[test]
fn in_the_index_of_a_linked_work_tree() {
    let repository = Repository::new();
    repository.git(&["worktree", "add", "--quiet", "../linked"]);
    let linked = repository.path.parent().unwrap().join("linked");
    fs::write(linked.join("a.rs"), line()).unwrap();
    repository.git(&["-C", "../linked", "add", "a.rs"]);
    repository.scan(&["--history"]).finds("a.rs");
}

#[test]
fn in_a_detached_head_of_a_linked_work_tree() {
    let repository = Repository::new();
    repository.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
    let linked = repository.path.parent().unwrap().join("linked");
    fs::write(linked.join("a.rs"), line()).unwrap();
    repository.git(&["-C", "../linked", "add", "a.rs"]);
    repository.git(&["-C", "../linked", "commit", "--quiet", "--message", "detached"]);
    repository.scan(&["--history"]).finds("a.rs");
}

#[test]
fn in_a_stash_and_in_its_untracked_files() {
    let repository = Repository::new();
    repository.write("README", line());
    repository.git(&["stash", "--quiet"]);
    repository.scan(&["--history"]).finds("README");
    let repository = Repository::new();
    repository.write("new.rs", line());
    repository.git(&["stash", "--quiet", "--include-untracked"]);
    repository.scan(&["--history"]).finds("new.rs");
    repository.write("other", "x");
    repository.git(&["stash", "--quiet", "--include-untracked"]);
    repository.scan(&["--history"]).finds("new.rs");
}

#[test]
fn in_a_note() {
    let repository = Repository::new();
    repository.git(&["notes", "add", "--message", &line()]);
    let scan = repository.scan(&["--history"]);
    assert_eq!((scan.places().len(), scan.code), (1, Some(1)), "{}", scan.text);
}

#[test]
fn in_messages() {
    let repository = Repository::new();
    repository.commit(&format!("use {}", token()));
    repository.scan(&["--history"]).finds("commit");
    repository.scan(&["--range", "HEAD~..HEAD"]).finds("commit");
    let repository = Repository::new();
    repository.git(&["tag", "--annotate", "v1", "--message", &line()]);
    repository.scan(&["--history"]).finds("ref");
}

#[test]
fn in_the_name_of_an_author() {
    let repository = Repository::new();
    repository.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "m",
        "--author",
        &format!("{} <a@a.example>", token()),
    ]);
    repository.scan(&["--history"]).finds("commit");
}

#[test]
fn behind_other_refs_and_tags_of_blobs() {
    let repository = Repository::new();
    repository.write("a.rs", line());
    repository.commit("hidden");
    repository.git(&["update-ref", "refs/hidden/place", "HEAD"]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~"]);
    repository.scan(&["--history"]).finds("a.rs");
    let repository = Repository::new();
    repository.write("../blob", line());
    let blob = repository.git(&["hash-object", "-w", "../blob"]);
    repository.git(&["tag", "blob", &blob]);
    let scan = repository.scan(&["--history"]);
    assert_eq!((scan.places().len(), scan.code), (1, Some(1)), "{}", scan.text);
}

#[test]
fn on_an_unrelated_branch() {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.write("a.rs", line());
    repository.commit("unrelated");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.scan(&["--history"]).finds("a.rs");
}

#[test]
fn in_an_amended_commit() {
    let repository = Repository::new();
    repository.write("a.rs", line());
    repository.commit("first");
    fs::remove_file(repository.path.join("a.rs")).unwrap();
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--amend", "--allow-empty", "--message", "second"]);
    let scan = repository.scan(&["--history"]);
    scan.passes();
    assert!(scan.text.contains("no ref leads to"), "what is not told is counted: {}", scan.text);
    repository.scan(&["--history", "--reflog"]).finds("a.rs");
}

#[test]
fn in_an_object_that_nothing_leads_to() {
    let repository = Repository::new();
    repository.write("../blob", line());
    repository.git(&["hash-object", "-w", "../blob"]);
    let scan = repository.scan(&["--history", "--reflog"]);
    assert_eq!((scan.places().len(), scan.code), (1, Some(1)), "{}", scan.text);
}

#[test]
fn in_a_change_that_only_the_merge_made() {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.write("topic", "a\n");
    repository.commit("topic");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("main", "b\n");
    repository.commit("main");
    repository.git(&["merge", "--quiet", "--no-commit", "--no-ff", "topic"]);
    repository.write("main", format!("b\n{}", line()));
    repository.git(&["add", "main"]);
    repository.scan(&["--staged"]).finds("main");
    repository.git(&["commit", "--quiet", "--message", "merge"]);
    repository.scan(&["--range", "HEAD~..HEAD"]).finds("main");
    repository.scan(&["--history"]).finds("main");
}

#[test]
fn in_files_that_attributes_take_out_of_diffs() {
    for attribute in ["-diff", "binary", "-text linguist-generated", "diff=nothing"] {
        let repository = Repository::new();
        repository.write(".gitattributes", format!("*.txt {attribute}\n"));
        repository.commit("attributes");
        repository.write("a.txt", line());
        repository.git(&["add", "a.txt"]);
        repository.scan(&["--staged"]).finds("a.txt");
        repository.commit("add");
        repository.scan(&["--range", "HEAD~..HEAD"]).finds("a.txt");
        repository.scan(&["--history"]).finds("a.txt");
    }
}

#[test]
fn in_folders_and_files_that_nobody_reads() {
    for path in
        ["node_modules/a/index.js", "package-lock.json", "Cargo.lock", "vendor/x.min.js", "a.svg", "target/x.bin"]
    {
        let repository = Repository::new();
        repository.write(path, line());
        repository.git(&["add", "--force", path]);
        repository.scan(&["--staged"]).finds(path);
        repository.commit("add");
        repository.scan(&["--history"]).finds(path);
        repository.scan(&[]).finds(path);
    }
}

#[test]
fn in_other_encodings() {
    let utf16 = |order: fn(u16) -> [u8; 2], mark: bool| {
        let text = format!("{}{}", if mark { "\u{feff}" } else { "" }, line());
        text.encode_utf16().flat_map(order).collect::<Vec<u8>>()
    };
    let contents: [(&str, Vec<u8>); 6] = [
        ("UTF-16LE with a mark", utf16(u16::to_le_bytes, true)),
        ("UTF-16BE with a mark", utf16(u16::to_be_bytes, true)),
        ("UTF-16LE", utf16(u16::to_le_bytes, false)),
        ("UTF-16BE", utf16(u16::to_be_bytes, false)),
        ("NUL bytes", [b"\0\x01\x02\0".as_slice(), line().as_bytes(), b"\0\0"].concat()),
        ("Latin-1", [b"caf\xe9 ".as_slice(), line().as_bytes()].concat()),
    ];
    for (what, content) in contents {
        let repository = Repository::new();
        repository.commit_and_remove("a.txt", &content);
        let scan = repository.scan(&["--history"]);
        assert_eq!(scan.places(), ["a.txt"], "{what}: {}", scan.text);
        repository.scan(&["--range", "HEAD~2..HEAD"]).finds("a.txt");
    }
}

#[test]
fn in_a_very_long_line() {
    let repository = Repository::new();
    let filler = "var a=0;".repeat(1 << 18);
    repository.commit_and_remove("a.min.js", format!("{filler}x=\"{}\";{filler}", token()));
    repository.scan(&["--history"]).finds("a.min.js");
}

#[test]
fn in_base64() {
    let repository = Repository::new();
    repository.write("../plain", format!("user: someone\ntoken: {}\n", token()));
    let encoded = repository.command("base64").args(["-w0", "../plain"]).output();
    let Ok(encoded) = encoded else {
        println!("skipped: there is no base64 program");
        return;
    };
    repository.commit_and_remove("values.yaml", [b"data: ".as_slice(), &encoded.stdout, b"\n"].concat());
    repository.scan(&["--history"]).finds("values.yaml");
}

#[test]
fn in_archives() {
    let repository = Repository::new();
    repository.write("../in/deep/a.txt", line());
    let made = |program: &str, arguments: &[&str], file: &str| {
        let output =
            repository.command(program).current_dir(repository.path.parent().unwrap()).args(arguments).output();
        let is_made = output.is_ok_and(|output| output.status.success());
        if !is_made {
            println!("skipped: {program} could not make {file}");
        }
        is_made.then(|| fs::read(repository.path.parent().unwrap().join(file)).unwrap())
    };
    let archives = [
        ("a.tar", made("tar", &["-cf", "a.tar", "in"], "a.tar")),
        ("a.tar.gz", made("tar", &["-czf", "a.tar.gz", "in"], "a.tar.gz")),
        ("a.txt.gz", made("sh", &["-c", "gzip -c in/deep/a.txt > a.txt.gz"], "a.txt.gz")),
        ("a.zip", made("python3", &["-m", "zipfile", "-c", "a.zip", "in"], "a.zip")),
        ("nested.tgz", made("tar", &["-czf", "nested.tgz", "a.zip"], "nested.tgz")),
    ];
    for (name, content) in archives {
        let Some(content) = content else { continue };
        repository.commit_and_remove(name, content);
        let scan = repository.scan(&["--range", "HEAD~2..HEAD"]);
        scan.finds(name);
    }
}

#[test]
fn in_what_a_link_points_to() {
    let repository = Repository::new();
    if std::env::consts::FAMILY != "unix" {
        println!("skipped: no symbolic links");
        return;
    }
    let status = repository.command("ln").args(["-s", &format!("https://{}@a.example/", token()), "link"]).status();
    assert!(status.unwrap().success());
    repository.git(&["add", "link"]);
    repository.scan(&["--staged"]).finds("link");
}

#[test]
fn behind_a_replaced_object() {
    let repository = Repository::new();
    repository.write("a.rs", line());
    repository.commit("add");
    let blob = repository.git(&["rev-parse", "HEAD:a.rs"]);
    repository.write("../clean", "clean\n");
    let clean = repository.git(&["hash-object", "-w", "../clean"]);
    repository.git(&["replace", &blob, &clean]);
    repository.scan(&["--history"]).finds("a.rs");
    repository.scan(&["--range", "HEAD~..HEAD"]).finds("a.rs");
}

#[test]
fn in_objects_of_another_repository() {
    let lender = Repository::new();
    lender.write("a.rs", line());
    lender.commit("add");
    let borrower = Repository::new();
    borrower.git(&["clone", "--quiet", "--shared", lender.path.to_str().unwrap(), "../borrower"]);
    let scan = borrower.scan(&["--history"]);
    scan.passes();
    let moved = Repository { path: borrower.path.parent().unwrap().join("borrower"), folder: borrower.folder };
    moved.scan(&["--history"]).finds("a.rs");
}

#[test]
fn in_a_repository_with_sha256() {
    let repository = Repository::with(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "."]);
    repository.write("a.rs", line());
    repository.git(&["add", "a.rs"]);
    repository.scan(&["--staged"]).finds("a.rs");
    repository.commit("add");
    repository.git(&["gc", "--quiet"]);
    repository.scan(&["--history"]).finds("a.rs");
    repository.scan(&["--range", "HEAD~..HEAD"]).finds("a.rs");
}

#[test]
fn in_what_is_pushed() {
    let zero = "0".repeat(40);
    let repository = Repository::new();
    let begin = repository.git(&["rev-parse", "HEAD"]);
    repository.commit_and_remove("a.rs", line());
    let tip = repository.git(&["rev-parse", "HEAD"]);
    let push = |input: &str| repository.scan_with_input(&["--push", "origin", "https://a.example/r"], input);
    push(&format!("refs/heads/main {tip} refs/heads/main {begin}\n")).finds("a.rs");
    push(&format!("refs/heads/main {tip} refs/heads/new {zero}\n")).finds("a.rs");
    push(&format!("(delete) {zero} refs/heads/main {begin}\n")).passes();
    repository.git(&["tag", "--annotate", "v1", "--message", &line(), &begin]);
    let tag = repository.git(&["rev-parse", "v1"]);
    push(&format!("refs/tags/v1 {tag} refs/tags/v1 {zero}\n")).finds("ref");
    let broken = push("nonsense\n");
    assert_eq!(broken.code, Some(2), "{}", broken.text);
    repository.git(&["reset", "--quiet", "--hard", &begin]);
    repository.write("b.rs", line());
    repository.commit("other");
    let other = repository.git(&["rev-parse", "HEAD"]);
    push(&format!("refs/heads/main {other} refs/heads/main {tip}\n")).finds("b.rs");
}

#[cfg(unix)]
#[test]
fn in_the_index_that_a_commit_makes_for_itself() {
    use std::os::unix::fs::PermissionsExt as _;
    for arguments in [["commit", "--all", "--message", "m"], ["commit", "README", "--message", "m"]] {
        let repository = Repository::new();
        let hook = format!(
            "#!/bin/sh\n'{BINARY}' scan --staged --format json > '{}'\n",
            repository.path.join("../said").display()
        );
        repository.write(".git/hooks/pre-commit", hook);
        fs::set_permissions(repository.path.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755)).unwrap();
        repository.write("README", line());
        let status = repository.command("git").args(arguments).output().unwrap().status;
        assert!(!status.success(), "the hook stops the commit");
        let said = fs::read_to_string(repository.path.join("../said")).unwrap();
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(report["findings"][0]["subject"]["name"], "README", "{said}");
    }
}

#[cfg(unix)]
#[test]
fn in_the_quarantine_of_a_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let repository = Repository::new();
    repository.git(&["init", "--quiet", "--bare", "../server.git"]);
    repository.git(&["push", "--quiet", "../server.git", "main"]);
    let server = repository.path.parent().unwrap().join("server.git");
    let hook = format!("#!/bin/sh\n'{BINARY}' scan --receive --format json > '{}'\n", server.join("../said").display());
    fs::write(server.join("hooks/pre-receive"), hook).unwrap();
    fs::set_permissions(server.join("hooks/pre-receive"), fs::Permissions::from_mode(0o755)).unwrap();
    repository.commit_and_remove("a.rs", line());
    let status = repository.command("git").args(["push", "--quiet", "../server.git", "main"]).output().unwrap().status;
    assert!(!status.success(), "the hook refuses the push");
    let said = fs::read_to_string(server.join("../said")).unwrap();
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["findings"][0]["subject"]["name"], "a.rs", "{said}");
}

#[test]
fn in_a_tree_that_a_ref_or_a_tag_names() {
    let repository = Repository::new();
    repository.write("d/f", line());
    repository.git(&["add", "d/f"]);
    let tree = repository.git(&["write-tree"]);
    repository.git(&["rm", "--quiet", "--cached", "d/f"]);
    repository.git(&["tag", "--annotate", "tree", "--message", "t", &tree]);
    repository.scan(&["--history"]).finds("d/f");
}

#[test]
fn in_a_copy_of_a_file_that_is_excluded() {
    let repository = Repository::new();
    repository.write("toolbelt.toml", "version = 1\nscan.exclude = ['bait/**']\n");
    repository.write("bait/f", line());
    repository.commit("bait");
    repository.write("src/f", line());
    repository.git(&["add", "src/f"]);
    repository.scan(&["--staged"]).finds("src/f");
    repository.commit("copy");
    repository.scan(&["--range", "HEAD~..HEAD"]).finds("src/f");
    repository.scan(&["--history"]).finds("src/f");
    repository.git(&["mv", "bait/f", "moved"]);
    repository.scan(&["--staged"]).finds("moved");
}

#[test]
fn behind_a_thousand_others_that_prove_nothing() {
    let repository = Repository::new();
    let decoys = (0..1500).map(|number| expand(&format!("decoy {number}"), "a = ghp_{alnum:30}000000\n"));
    repository.write("a.txt", decoys.collect::<String>() + &line());
    repository.git(&["add", "a.txt"]);
    repository.scan(&["--staged"]).finds("a.txt");
}

#[test]
fn in_a_push_whose_own_policy_allows_it_to_a_remote_that_nobody_knows() {
    let repository = Repository::new();
    repository.write("toolbelt.toml", "version = 1\nrules.exposed-token = 'allow'\n");
    repository.write("a.rs", line());
    repository.commit("allow");
    let (tip, zero) = (repository.git(&["rev-parse", "HEAD"]), "0".repeat(40));
    let input = format!("refs/heads/new {tip} refs/heads/new {zero}\n");
    repository.scan_with_input(&["--push", "https://a.example/r", "https://a.example/r"], &input).finds("a.rs");
}

#[test]
fn too_deep_to_be_looked_at_is_said() {
    let repository = Repository::new();
    repository.write("../a", line());
    let made = repository.command("sh").args(["-c", "gzip -c ../a | gzip -c | gzip -c | gzip -c > a.gz"]).status();
    assert!(made.unwrap().success());
    let scan = repository.scan(&[]);
    assert_eq!(scan.code, Some(3), "{}", scan.text);
}

/// A policy of the repository's own that looks away is obeyed on the developer's machine, and said; a base is not fooled.
#[test]
fn behind_a_policy_that_looks_away() {
    let repository = Repository::new();
    let begin = repository.git(&["rev-parse", "HEAD"]);
    repository.write("a.rs", line());
    repository.write("toolbelt.toml", "version = 1\n[scan]\nexclude = [\"**\"]\n[rules]\nexposed-token = \"allow\"\n");
    repository.commit("look away");
    let scan = repository.scan(&["--history"]);
    assert!(scan.text.contains("excluded by the policy"), "{}", scan.text);
    repository.scan(&["--range", &format!("{begin}..HEAD")]).finds("a.rs");
    repository.scan(&["--base", &begin]).finds("a.rs");
}

#[test]
fn behind_a_marker_on_the_line() {
    let repository = Repository::new();
    for marker in ["toolbelt:allow exposed-token for a test", "gitleaks:allow", "pragma: allowlist secret"] {
        repository.write("a.rs", format!("{} // {marker}\n", line().trim_end()));
        let scan = repository.scan(&[]);
        scan.passes();
        assert_eq!(scan.report["exempted"][0]["by"], "inline", "{}", scan.text);
        repository.scan(&["--no-inline"]).finds("a.rs");
    }
}

#[test]
fn behind_the_lists_of_other_tools() {
    for (file, text) in [
        (".gitleaksignore", "a.rs:some-rule:1\n".to_owned()),
        (".gitleaks.toml", "[allowlist]\npaths = ['^a']\n".to_owned()),
    ] {
        let repository = Repository::new();
        let begin = repository.git(&["rev-parse", "HEAD"]);
        repository.write("a.rs", line());
        repository.write("b.rs", line());
        repository.write(file, text);
        let scan = repository.scan(&[]);
        scan.finds("b.rs");
        assert_eq!(scan.report["exempted"][0]["finding"]["subject"]["name"], "a.rs", "{}", scan.text);
        repository.commit("accept");
        let scan = repository.scan(&["--range", &format!("{begin}..HEAD")]);
        assert_eq!(scan.report["exempted"][0]["self"], true, "{}", scan.text);
    }
}

#[test]
fn behind_a_baseline_that_knows_other_secrets_alone() {
    let repository = Repository::new();
    repository.write("a.rs", line());
    let written = repository.command(BINARY).args(["scan", "baseline"]).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let scan = repository.scan(&[]);
    scan.passes();
    assert_eq!(scan.report["exempted"][0]["by"], "baseline", "{}", scan.text);
    let other = expand("another secret", "{base62-crc32:ghp_:30}");
    repository.write("a.rs", format!("// moved\n\n{}let other = \"{other}\";\n", line()));
    repository.scan(&[]).finds("a.rs");
}

#[test]
fn in_a_shallow_clone_as_far_as_it_goes() {
    let repository = Repository::new();
    repository.write("a.rs", line());
    repository.commit("add");
    repository.write("b.rs", "clean\n");
    repository.commit("more");
    let url = format!("file://{}", repository.path.display());
    repository.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    let shallow = Repository { path: repository.path.parent().unwrap().join("shallow"), folder: repository.folder };
    shallow.scan(&["--history"]).finds("a.rs");
}
