//! An honest release: published in order, signed, and verified by somebody else.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use toolbelt_core::evidence::envelope::Envelope;

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

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";
const RELEASE: &str = "https://in-toto.io/attestation/release/v0.2";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SPDX: &str = "https://spdx.dev/Document";

/// The kinds of statements beside a `.crate`, in their order.
fn said_of(archive: &Path) -> Vec<String> {
    statements(archive).iter().map(|statement| statement["predicateType"].as_str().unwrap().to_owned()).collect()
}

/// What the envelopes beside a `.crate` hold.
fn statements(archive: &Path) -> Vec<Value> {
    let text = fs::read_to_string(archive.with_extension("intoto.jsonl")).unwrap();
    let statement = |line: &str| {
        let envelope = Envelope::parse(line.as_bytes()).unwrap();
        serde_json::from_slice(envelope.payload()).unwrap()
    };
    text.lines().map(statement).collect()
}

#[test]
fn only_a_release_is_said_to_have_passed_and_only_a_published_one_to_be_released() {
    let team = Team::new();
    let manager = team.manager();
    let archive = manager.archive("one");
    manager.publish_one(&["--dry-run"]).exits(0);
    assert_eq!(said_of(&archive), [PROVENANCE, CYCLONEDX, SPDX, SUMMARY]);
    let policy = team.write("elsewhere/strict.toml", "version = 1\n");
    manager.publish_one(&["--policy", policy.to_str().unwrap()]).exits(0);
    assert_eq!(said_of(&archive), [PROVENANCE, CYCLONEDX, SPDX, RELEASE, SUMMARY]);
    let summary = statements(&archive).pop().unwrap();
    let digest = format!("{:x}", Sha256::digest("version = 1\n"));
    assert_eq!(summary["predicate"]["policy"], json!({ "uri": "strict.toml", "digest": { "sha256": digest } }));
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
    assert_eq!(rehearsal.states(), [("one".to_owned(), "rehearsed".to_owned())]);
    assert_eq!(said_of(&author.root.join("target/package/one-0.3.0.crate")), [PROVENANCE, CYCLONEDX, SPDX]);
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
