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
        assert_eq!(revision(&project.release()).signed_by, None);
        project.git(&["commit", "--quiet", "--allow-empty", "--gpg-sign", "--message", "signed"]);
        assert_eq!(revision(&project.release()).signed_by, Some(fingerprint), "{kind:?}");
        project.git(&["tag", "--sign", "--message", "signed", "v1.0.0"]);
        assert!(tag(&project).is_signed);
    }
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
