//! Whom an allowed signers file trusts, compared with what `ssh-keygen` says of the same file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use toolbelt_core::evidence::allowed_signers::AllowedSigners;
use toolbelt_core::subject::ssh::PublicKey;

/// Files, where `KEY` is the key that signed and `OTHER` another one. `|` ends a line.
const FILES: &[&str] = &[
    "alice KEY",
    "alice OTHER",
    "alice@example.com,bob@example.com KEY",
    "*@example.com KEY",
    "*@example.com,!bob@example.com KEY",
    "!bob@example.com,*@example.com KEY",
    "!alice@example.com KEY",
    "alice,!alice KEY",
    "a?ice KEY",
    "* KEY",
    "ali,,ce KEY",
    "\"alice\" KEY",
    "\"alice bob\" KEY",
    "ali\"ce\" KEY",
    "\"alice KEY",
    "\"alice\"KEY",
    "  \talice \t KEY   a comment",
    "#alice KEY",
    " # alice KEY|alice KEY",
    "alice KEY # not a comment of the file",
    "alice",
    "alice KE",
    "alice ssh-ed25519",
    "alice ssh-ed25519 AAAA",
    "alice ssh-rsa KEY",
    "|\t|alice KEY|",
    "alice KEY\r",
    "alice namespaces=\"toolbelt\" KEY",
    "alice namespaces=\"git\" KEY",
    "alice namespaces=\"git,toolbelt\" KEY",
    "alice namespaces=\"tool*\" KEY",
    "alice namespaces=\"*,!toolbelt\" KEY",
    "alice namespaces=\"\" KEY",
    "alice NameSpaces=\"toolbelt\" KEY",
    "alice namespaces=toolbelt KEY",
    "alice namespaces=\"toolbelt KEY",
    "alice namespaces=\"a b\",namespaces=\"toolbelt\" KEY",
    "alice namespaces=\"toolbelt\"  KEY",
    "alice namespaces=\"tool\\\"belt,toolbelt\" KEY",
    "alice namespaces=\"toolbelt\",valid-after=\"20260101\" KEY",
    "alice ,namespaces=\"toolbelt\" KEY",
    "alice namespaces=\"toolbelt\", KEY",
    "alice namespaces=\"toolbelt\";valid-after=\"20260101\" KEY",
    "alice valid-after=\"20260101\" KEY",
    "alice valid-after=\"20261122\" KEY",
    "alice valid-after=\"20261123\" KEY",
    "alice valid-after=\"202611221000\" KEY",
    "alice valid-after=\"202611221001\" KEY",
    "alice valid-after=\"20261122100000Z\" KEY",
    "alice valid-after=\"20261122100001Z\" KEY",
    "alice valid-before=\"20261122100000Z\" KEY",
    "alice valid-before=\"20261122095959Z\" KEY",
    "alice valid-before=\"20261122100001utc\" KEY",
    "alice valid-before=\"20261121\" KEY",
    "alice valid-before=\"20261031Z\" KEY",
    "alice valid-before=\"20261131Z\" KEY",
    "alice valid-before=\"20261132Z\" KEY",
    "alice valid-before=\"20261301Z\" KEY",
    "alice valid-before=\"2026\" KEY",
    "alice valid-before=\"tomorrow\" KEY",
    "alice valid-before=20271101 KEY",
    "alice valid-before=\"20270101\",valid-after=\"20260101\" KEY",
    "alice valid-before=\"20260101\",valid-after=\"20270101\" KEY",
    "alice valid-before=\"20270101\",valid-before=\"20270102\" KEY",
    "alice valid-after=\"19700101Z\" KEY",
    "alice valid-after=\"19691231Z\" KEY",
    "alice cert-authority KEY",
    "alice Cert-Authority,namespaces=\"toolbelt\" KEY",
    "alice no-touch-required KEY",
    "alice verify-required,namespaces=\"toolbelt\" KEY",
    "alice restrict KEY",
    "alice no-touch-required KEY|alice KEY",
    "nonsense|alice KEY",
    "alice OTHER|alice KEY",
    "alice namespaces=\"git\" KEY|alice KEY",
    "alice valid-before=\"20200101\" KEY|alice valid-after=\"20200101\" KEY",
    "alice KEY|bob@example.com KEY",
];

const PRINCIPALS: [&str; 5] = ["alice", "alice@example.com", "bob@example.com", "alice bob", "ce"];

struct Scene {
    folder: tempfile::TempDir,
    key: PublicKey,
    other: PublicKey,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let make = |name: &str| {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(path(name));
            assert!(command.status().unwrap().success(), "this test needs OpenSSH");
            PublicKey::parse(&fs::read_to_string(path(name).with_extension("pub")).unwrap()).unwrap()
        };
        let (key, other) = (make("key"), make("other"));
        fs::write(path("message"), "hello").unwrap();
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-Y", "sign", "-n", "toolbelt", "-f"]).arg(path("key")).arg(path("message"));
        assert!(sign.stderr(Stdio::null()).status().unwrap().success());
        Self { folder, key, other }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the file and returns its text.
    fn write(&self, file: &str) -> String {
        let text = file.replace("KEY", &self.key.to_string()).replace("OTHER", &self.other.to_string());
        let text = format!("{}\n", text.replace('|', "\n"));
        fs::write(self.path("signers"), &text).unwrap();
        text
    }

    /// What `ssh-keygen` prints, if it succeeds.
    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("ssh-keygen");
        command.arg("-Y").args(arguments).arg("-f").arg(self.path("signers"));
        if arguments[0] != "match-principals" {
            command.arg("-s").arg(self.path("message.sig")).arg("-Overify-time=20261122100000Z");
        }
        // Times without a zone are those of the machine, which is taken to be UTC.
        command.env("TZ", "UTC").stdin(fs::File::open(self.path("message")).unwrap());
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

#[test]
fn the_same_principals_are_allowed_as_ssh_keygen_allows() {
    let scene = Scene::new();
    let mut allowed = 0;
    for file in FILES {
        let signers = AllowedSigners::parse("signers", &scene.write(file)).unwrap();
        for principal in PRINCIPALS {
            let theirs = scene.ask(&["verify", "-n", "toolbelt", "-I", principal]).is_some();
            let ours = signers.permits(principal, &scene.key, "toolbelt", now());
            assert_eq!(ours, theirs, "{file:?} for {principal}: {:?}", signers.problems());
            allowed += usize::from(ours);
        }
    }
    assert!(allowed > 30, "{allowed}: the table should hold both");
}

#[test]
fn the_names_of_a_key_are_those_that_git_would_find() {
    let scene = Scene::new();
    let mut found = 0;
    for file in FILES {
        let signers = AllowedSigners::parse("signers", &scene.write(file)).unwrap();
        let ours = signers.find(&scene.key, "toolbelt", now());
        // As git does: the names of the first line with the key, of which each has to pass.
        let printed = scene.ask(&["find-principals"]).unwrap_or_default();
        // A negated pattern passes if another one is like it, but it is nobody's name.
        let passes =
            |name: &&str| !name.starts_with('!') && scene.ask(&["verify", "-n", "toolbelt", "-I", name]).is_some();
        let theirs: Vec<&str> = printed.lines().filter(passes).collect();
        // It prints no name after an empty one.
        let prints_all = file.matches("KEY").count() == 1 && !file.contains(",,");
        for name in &theirs {
            assert!(ours.iter().any(|ours| ours == name), "{file:?}: {name} is not among {ours:?}");
        }
        for name in &ours {
            assert!(passes(&name.as_str()), "{file:?}: {name} does not pass");
            assert!(!prints_all || theirs.contains(&name.as_str()), "{file:?}: {name} is not among {theirs:?}");
        }
        found += ours.len();
    }
    assert!(found > 20, "{found}: the table should hold both");
}

#[test]
fn patterns_are_matched_as_ssh_keygen_matches_them() {
    let scene = Scene::new();
    // Lines that nothing but the principals restricts.
    for file in FILES.iter().filter(|file| !file.contains('=') && !file.contains('-') && !file.contains("OTHER")) {
        let signers = AllowedSigners::parse("signers", &scene.write(file)).unwrap();
        for principal in PRINCIPALS {
            let theirs = scene.ask(&["match-principals", "-I", principal]).is_some();
            let ours = signers.permits(principal, &scene.key, "toolbelt", now());
            assert_eq!(ours, theirs, "{file:?} for {principal}");
        }
    }
}

#[test]
fn lines_that_are_not_understood_are_told_with_their_place() {
    let scene = Scene::new();
    let text = scene.write("alice KEY|bob restrict KEY|carol cert-authority KEY|dave|");
    let signers = AllowedSigners::parse("signers", &text).unwrap();
    let told: Vec<String> = signers.problems().iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("signers:2:1: unknown option \"restrict\""), "{told:?}");
    assert!(told[1].starts_with("signers:3:1: keys through certificates"), "{told:?}");
    assert!(told[2].starts_with("signers:4:1: expected principals, then a key"), "{told:?}");
    assert_eq!(signers.find(&scene.key, "toolbelt", now()), ["alice"]);
}
