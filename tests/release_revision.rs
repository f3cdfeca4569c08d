//! The commit of a release as real git makes it: tags, signatures and remotes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it could not look at"
)]

#[path = "support/project.rs"]
mod project;

use std::fs;
use std::process::Command;

use project::{Project, known, revision};
use semver::Version;
use toolbelt_core::finding::Fact;
use toolbelt_core::source::git::repository::GitRepository;
use toolbelt_core::source::git::tags::{self, TagPattern};
use toolbelt_core::subject::content::ObjectId;
use toolbelt_core::subject::release::{ReleaseTag, Remotes};

/// The tag of the package `one`.
fn tag(project: &Project) -> ReleaseTag {
    known(&revision(&project.release()).tag).clone()
}

fn remotes(project: &Project) -> Remotes {
    known(&revision(&project.release()).remotes).clone()
}

/// A project with a remote that has its first commit.
fn pushed() -> Project {
    let project = Project::new();
    project.git(&["init", "--quiet", "--bare", "--initial-branch=main", "../remote"]);
    project.git(&["remote", "add", "origin", "../remote"]);
    project.git(&["push", "--quiet", "origin", "main"]);
    project
}

/// Makes a key and has git sign with it; none, and a word about it, without ssh-keygen. Returns its fingerprint.
fn sign_with(project: &Project, kind: &[&str]) -> Option<String> {
    let key = project.root.parent().unwrap().join("key");
    let make = Command::new("ssh-keygen").args(["-q", "-N", "", "-C", "ann", "-f"]).arg(&key).args(kind).status();
    if !make.is_ok_and(|status| status.success()) {
        return None;
    }
    project.git(&["config", "gpg.format", "ssh"]);
    project.git(&["config", "user.signingKey", key.to_str().unwrap()]);
    let said = Command::new("ssh-keygen").arg("-lf").arg(&key).output().unwrap().stdout;
    Some(String::from_utf8(said).unwrap().split(' ').nth(1).unwrap().to_owned())
}

#[test]
fn tags_of_every_kind_lead_to_their_commit() {
    let project = Project::new();
    let head = project.git(&["rev-parse", "HEAD"]);
    let absent = tag(&project);
    assert_eq!((absent.name.as_str(), absent.commit, absent.is_signed), ("v1.0.0", None, false));
    project.git(&["tag", "v1.0.0"]);
    assert_eq!(tag(&project).commit.as_ref(), Some(&head));
    project.git(&["tag", "--force", "--annotate", "--message", "one", "v1.0.0"]);
    let annotated = tag(&project);
    assert_eq!((annotated.commit.as_ref(), annotated.is_signed), (Some(&head), false));
    project.commit("more");
    assert_eq!(tag(&project).commit.as_ref(), Some(&head), "it stays where it is");
    project.git(&["checkout", "--quiet", "--detach", "v1.0.0"]);
    assert_eq!(revision(&project.release()).commit, head);
}

#[test]
fn signatures_of_ssh_name_their_key() {
    for kind in [["-t", "ed25519"].as_slice(), &["-t", "ecdsa"], &["-t", "rsa", "-b", "2048"]] {
        let project = Project::new();
        let Some(fingerprint) = sign_with(&project, kind) else {
            return eprintln!("skipped: there is no ssh-keygen");
        };
        assert_eq!(*known(&revision(&project.release()).signed_by), None);
        project.git(&["commit", "--quiet", "--allow-empty", "--gpg-sign", "--message", "signed"]);
        assert_eq!(known(&revision(&project.release()).signed_by).as_ref(), Some(&fingerprint), "{kind:?}");
        project.git(&["tag", "--sign", "--message", "signed", "v1.0.0"]);
        assert!(tag(&project).is_signed);
    }
}

/// Puts other lines of signatures into the last commit.
fn with_signature(project: &Project, change: impl Fn(&str) -> String) {
    let commit = project.git(&["cat-file", "commit", "HEAD"]);
    let (head, message) = commit.split_once("\n\n").unwrap();
    let (head, signature) = head.split_once("\ngpgsig ").unwrap();
    let changed = format!("{head}\n{}\n\n{message}\n", change(&signature.replace("\n ", "\n")));
    project.write(".git/commit", changed);
    let id = project.git(&["hash-object", "-t", "commit", "-w", ".git/commit"]);
    project.git(&["reset", "--quiet", "--hard", &id]);
}

#[test]
fn whoever_signed_does_not_become_nobody_by_the_form_of_the_signature() {
    let project = Project::new();
    let Some(fingerprint) = sign_with(&project, &["-t", "ed25519"]) else {
        return eprintln!("skipped: there is no ssh-keygen");
    };
    project.git(&["commit", "--quiet", "--allow-empty", "--gpg-sign", "--message", "signed"]);
    let header = |lines: &str| format!("gpgsig {}", lines.replace('\n', "\n "));
    for width in [7, 64, 76, 1000] {
        with_signature(&project, |armour| {
            let lines: Vec<&str> = armour.lines().collect();
            let digits = lines[1..lines.len() - 1].concat();
            let wrapped = digits.as_bytes().chunks(width).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
            header(&format!("{}\n{wrapped}\n{}", lines[0], lines[lines.len() - 1]))
        });
        assert_eq!(known(&revision(&project.release()).signed_by).as_ref(), Some(&fingerprint), "{width}");
    }
    let why = |project: &Project| match &revision(&project.release()).signed_by {
        Fact::Known(known) => format!("{known:?}"),
        Fact::Unknown(unknown) => unknown.reason.clone(),
    };
    with_signature(&project, |armour| header(&armour.replacen('\n', "\nAAAA", 1)));
    assert!(why(&project).starts_with("it is not known who signed the commit: its signature is no SSH signature"));
    with_signature(&project, |armour| format!("{}\n{}", header(armour), header(armour)));
    assert_eq!(why(&project), "it is not known who signed the commit: it has several signatures");
    with_signature(&project, |_| header("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----"));
    assert_eq!(why(&project), "None", "other forms have no key of SSH");
}

#[test]
fn the_remote_has_what_was_pushed() {
    let project = pushed();
    let expected = |having: &[&str], asked| Remotes {
        configured: vec!["origin".to_owned()],
        having: having.iter().map(|name| (*name).to_owned()).collect(),
        asked,
    };
    assert_eq!(remotes(&project), expected(&["origin"], true));
    project.commit("two");
    assert_eq!(remotes(&project), expected(&[], true));
    project.git(&["push", "--quiet", "origin", "main"]);
    fs::rename(project.root.join("../remote"), project.root.join("../gone")).unwrap();
    assert_eq!(remotes(&project), expected(&["origin"], false), "what the last push left");
    let remote_commit = tag(&project).remote_commit;
    assert!(matches!(&remote_commit, Fact::Unknown(unknown) if unknown.reason.contains("`origin` did not say")));
}

#[test]
fn commits_of_submodules_are_looked_for_at_their_own_remotes() {
    let inner = Project::empty();
    inner.write("data.txt", "inner\n");
    inner.commit("inner");
    let project = Project::new();
    project.git(&["submodule", "--quiet", "add", inner.root.to_str().unwrap(), "src/inner"]);
    project.commit("submodule");
    let remotes = |project: &Project| {
        let release = project.release();
        let [submodule] = known(&revision(&release).submodules).as_slice() else { panic!("there is one") };
        assert_eq!(submodule.path, "src/inner");
        match &submodule.remotes {
            Fact::Known(remotes) => remotes.join(" "),
            Fact::Unknown(unknown) => unknown.reason.clone(),
        }
    };
    assert_eq!(remotes(&project), "origin");
    let submodule = project.beside("repository/src/inner");
    submodule.write("data.txt", "only here\n");
    submodule.git(&["add", "--all"]);
    submodule.git(&["commit", "--quiet", "--message", "only here"]);
    project.commit("local");
    assert_eq!(remotes(&project), "");
    submodule.git(&["tag", "local"]);
    let why = "the submodule `src/inner` has the commit by a tag alone, and it is not known whose tag that is";
    assert_eq!(remotes(&project), why);
}

#[test]
fn the_remote_may_have_another_tag_of_this_name() {
    let project = pushed();
    let first = project.git(&["rev-parse", "HEAD"]);
    let remote_commit = |project: &Project| known(&tag(project).remote_commit).clone();
    assert_eq!(remote_commit(&project), None);
    project.git(&["tag", "--annotate", "--message", "one", "v1.0.0"]);
    project.git(&["push", "--quiet", "origin", "v1.0.0"]);
    assert_eq!(remote_commit(&project).as_ref(), Some(&first));
    let second = project.commit("two");
    project.git(&["tag", "--force", "v1.0.0"]);
    let moved = tag(&project);
    assert_eq!((moved.commit, known(&moved.remote_commit).clone()), (Some(second), Some(first)));
}

#[test]
fn a_shallow_clone_does_not_say_that_a_remote_lacks_a_commit() {
    let project = pushed();
    let url = format!("file://{}", project.root.join("../remote").display());
    project.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    let shallow = project.beside("shallow");
    assert_eq!(remotes(&shallow).having, ["origin"]);
    shallow.commit("local");
    assert!(revision(&shallow.release()).remotes.known().is_none());
}

#[test]
fn the_release_itself_is_not_among_earlier_ones() {
    let project = Project::new();
    project.git(&["tag", "--annotate", "--message", "one", "v0.9.0"]);
    let base = project.git(&["rev-parse", "HEAD"]);
    let head = project.commit("release");
    project.git(&["tag", "v1.0.0"]);
    let repository = GitRepository::open(&project.root, &project.variables).unwrap();
    let head = ObjectId::from_hex(head.as_bytes()).unwrap();
    let found = tags::previous(&repository, "one", &Version::new(2, 0, 0), head, &TagPattern::usual(false));
    let found = found.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.commit.to_string()), ("v0.9.0", base));
}
