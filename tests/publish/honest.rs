//! An honest release: published in order, signed, and verified by somebody else.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::publish_registry::read_upload;
use crate::team::{AUTHOR, Member, PACKAGES, STRANGER, Team, VERSION};

#[test]
fn workspace_is_published_in_order_as_it_was_judged_and_verified_in_another_clone() {
    let team = Team::new();
    let manager = team.manager();
    let run = manager.publish(&[]).exits(0);
    assert_eq!(run.states(), PACKAGES.map(|name| (name.to_owned(), "published".to_owned())));
    let uploads = team.registry.uploads();
    assert_eq!(uploads.len(), PACKAGES.len());
    for (at, name) in PACKAGES.into_iter().enumerate() {
        let release = &run.json()["releases"][at];
        let (metadata, archive) = read_upload(&uploads[at]).unwrap();
        assert_eq!((metadata["name"].as_str(), metadata["vers"].as_str()), (Some(name), Some(VERSION)));
        let digest = format!("{:x}", Sha256::digest(&archive));
        assert_eq!(release["sha256"], digest);
        assert!(team.registry.archive(name, VERSION).unwrap() == archive, "{name}");
        assert!(fs::read(manager.archive(name)).unwrap() == archive, "{name}");
        for end in ["cdx.json", "spdx.json", "intoto.jsonl"] {
            let beside = manager.archive(name).with_file_name(format!("{name}-{VERSION}.{end}"));
            assert!(fs::metadata(&beside).unwrap().len() > 0, "{}", beside.display());
        }
    }
    let stranger = team.member(STRANGER);
    for name in PACKAGES {
        verify_elsewhere(&team, &stranger, name, &manager.archive(name));
    }
}

/// Sees that what the registry serves is vouched for by the one who published, and by nobody else.
fn verify_elsewhere(team: &Team, stranger: &Member, name: &str, published: &Path) {
    let file = format!("{name}-{VERSION}.crate");
    let archive = team.registry.archive(name, VERSION).unwrap();
    fs::write(stranger.root.join(&file), &archive).unwrap();
    let evidence = format!("{name}-{VERSION}.intoto.jsonl");
    fs::copy(published.with_file_name(&evidence), stranger.root.join(&evidence)).unwrap();
    let all = team.write("lists/manager", &team.signer("manager"));
    let others = ["bob", STRANGER].map(|name| team.signer(name)).concat();
    let others = team.write("lists/others", &others);
    let verify = |list: &Path| {
        stranger.toolbelt(&[
            "evidence",
            "verify",
            &file,
            "--allowed-signers",
            list.to_str().unwrap(),
            "--format",
            "json",
        ])
    };
    let verified = verify(&all).exits(0);
    assert!(verified.output.contains("manager@example.com"), "{}", verified.output);
    verify(&others).exits(1);
    // One byte more is another `.crate`, of which nothing is said.
    fs::write(stranger.root.join(&file), [archive.as_slice(), b"\0"].concat()).unwrap();
    assert_ne!(verify(&all).code, 0);
}

#[test]
fn second_run_uploads_nothing() {
    let team = Team::new();
    let manager = team.manager();
    manager.publish_one(&[]).exits(0);
    assert_eq!(team.registry.uploads().len(), 1);
    let run = manager.publish_one(&[]).exits(0);
    assert_eq!(run.states(), [("one".to_owned(), "already-there".to_owned())]);
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn dry_run_uploads_nothing() {
    let team = Team::new();
    let run = team.manager().publish_one(&["--dry-run"]).exits(0);
    assert_eq!(run.states(), [("one".to_owned(), "judged".to_owned())]);
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn dry_run_without_a_tag_is_a_rehearsal() {
    let team = Team::new();
    let author = team.member(AUTHOR);
    author.write_packages("0.3.0");
    author.commit("0.3.0");
    let rehearsal = author.publish_one(&["--dry-run"]).exits(0);
    let tag = rehearsal.messages("tag-mismatch");
    assert_eq!(tag.len(), 1, "{tag:?}");
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn offline_is_incomplete() {
    let team = Team::new();
    for more in [&["--offline"][..], &["--offline", "--dry-run"]] {
        let run = team.manager().publish_one(more).exits(3);
        assert_eq!(run.json()["verdict"], "incomplete");
    }
    assert_eq!(team.registry.uploads().len(), 0);
}
