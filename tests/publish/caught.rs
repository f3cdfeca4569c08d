//! What is not what was reviewed: each is refused by the rule that is meant for it, and nothing is uploaded.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::publish_registry::package;
use crate::team::{AUTHOR, Member, Run, Team, VERSION};

/// The tag of the release.
const TAG: &str = "one-v0.2.0";
const LIBRARY: &str = "one/src/lib.rs";

/// Publishes, which has to be refused for these rules alone.
#[track_caller]
fn refused(team: &Team, manager: &Member, more: &[&str], rules: &[&str]) -> Run {
    let run = manager.publish_one(more).exits(1);
    assert_eq!(run.denied(), rules);
    assert_eq!(team.registry.uploads().len(), 0);
    assert_eq!(run.states(), [("one".to_owned(), "judged".to_owned())]);
    run
}

#[test]
fn file_that_was_changed_after_the_tag() {
    let team = Team::new();
    let author = team.member(AUTHOR);
    author.append(LIBRARY, "// One more line.\n");
    author.commit("after the tag");
    author.git(&["push", "--quiet", "origin", "main"]);
    let run = refused(&team, &team.manager(), &[], &["tag-mismatch"]);
    assert!(run.messages("tag-mismatch").concat().contains(TAG));
}

#[test]
fn tag_that_was_moved_here() {
    let team = Team::new();
    let manager = team.manager();
    manager.tag(TAG, "HEAD~1");
    let run = refused(&team, &manager, &[], &["tag-mismatch"]);
    assert!(run.messages("tag-mismatch").concat().starts_with("its tag"), "{:?}", run.messages("tag-mismatch"));
}

#[test]
fn tag_that_was_moved_on_the_remote_alone() {
    let team = Team::new();
    let manager = team.manager();
    let other = team.member("carl");
    other.tag(TAG, "HEAD~1");
    other.git(&["push", "--quiet", "--force", "origin", TAG]);
    let run = refused(&team, &manager, &[], &["tag-mismatch"]);
    let messages = run.messages("tag-mismatch");
    assert!(messages.concat().starts_with("the remote's tag"), "{messages:?}");
}

#[test]
fn commit_that_no_remote_has() {
    let team = Team::new();
    let manager = team.manager();
    manager.git(&["commit", "--quiet", "--allow-empty", "--message", "not pushed"]);
    manager.tag(TAG, "HEAD");
    manager.git(&["push", "--quiet", "--force", "origin", TAG]);
    // The tag brought the commit to the remote: a branch need not have it.
    manager.publish_one(&["--dry-run"]).exits(0);
    let second = team.manager();
    second.git(&["commit", "--quiet", "--allow-empty", "--message", "nor this"]);
    second.tag(TAG, "HEAD");
    refused(&team, &second, &[], &["tag-mismatch", "unpushed-commit"]);
}

#[test]
fn file_that_is_not_committed() {
    let team = Team::new();
    let manager = team.manager();
    manager.append(LIBRARY, "// Not committed.\n");
    let run = refused(&team, &manager, &[], &["crate-differs-from-commit", "dirty-tree"]);
    assert!(run.messages("dirty-tree").concat().contains(LIBRARY));
}

#[test]
fn changed_file_that_git_was_told_not_to_look_at() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let team = Team::new();
        let manager = team.manager();
        manager.git(&["update-index", flag, LIBRARY]);
        manager.append(LIBRARY, "// Hidden.\n");
        assert_eq!(manager.git(&["status", "--porcelain"]), "", "git sees nothing");
        let run = manager.publish_one(&[]).exits(1);
        assert!(run.denied().contains(&"crate-differs-from-commit".to_owned()), "{flag}: {:?}", run.denied());
        assert!(run.messages("crate-differs-from-commit").concat().contains("src/lib.rs"));
        assert_eq!(team.registry.uploads().len(), 0);
    }
}

#[test]
fn ignored_file_that_the_manifest_includes() {
    let team = Team::releasing(|author| {
        author.append(".gitignore", "generated.rs\n");
        let manifest = fs::read_to_string(author.root.join("one/Cargo.toml")).unwrap();
        let include = "readme = \"README.md\"\ninclude = [\"src/**\", \"README.md\"]";
        author.write("one/Cargo.toml", &manifest.replace("readme = \"README.md\"", include));
    });
    // Without it, nothing is wrong.
    team.manager().publish_one(&["--dry-run"]).exits(0);
    let manager = team.manager();
    manager.write("one/src/generated.rs", "// Nobody has seen this.\n");
    assert_eq!(manager.git(&["status", "--porcelain"]), "", "git sees nothing");
    let run = manager.publish_one(&[]).exits(1);
    assert!(run.denied().contains(&"crate-differs-from-commit".to_owned()), "{:?}", run.denied());
    assert!(run.messages("crate-differs-from-commit").concat().contains("src/generated.rs"));
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn file_that_was_added_to_the_crate() {
    let team = Team::new();
    let manager = team.manager();
    manager.publish_one(&["--dry-run"]).exits(0);
    let honest = fs::read(manager.archive("one")).unwrap();
    let same = team.path("same.crate");
    fs::write(&same, packed_again(&honest, None)).unwrap();
    let more = team.path("more.crate");
    fs::write(&more, packed_again(&honest, Some(("src/more.rs", "// More.\n")))).unwrap();
    let file = |path: &Path| path.to_str().unwrap().to_owned();
    let run = refused(&team, &manager, &["--crate", &file(&more)], &["crate-differs-from-commit", "dirty-tree"]);
    assert!(run.messages("crate-differs-from-commit").concat().contains("src/more.rs"));
    // How it is packed is no reason to refuse it, and it is published as it is.
    manager.publish_one(&["--crate", &file(&same)]).exits(0);
    assert!(team.registry.archive("one", VERSION).unwrap() == fs::read(&same).unwrap());
    // Nobody saw how it was made, unless the commit gives it.
    let provenance = "https://slsa.dev/provenance/v1";
    let said = |path: &Path| manager.toolbelt(&["evidence", "show", &file(path)]).exits(0).output;
    let evidence = same.with_extension("intoto.jsonl");
    assert!(!said(&evidence).contains(provenance) && said(&evidence).contains("SLSA_BUILD_LEVEL_0"));
    let other = Team::new();
    let manager = other.manager();
    manager.publish_one(&["--dry-run"]).exits(0);
    let copy = other.path("copy.crate");
    fs::copy(manager.archive("one"), &copy).unwrap();
    manager.publish_one(&["--dry-run", "--crate", &file(&copy)]).exits(0);
    let run = manager.toolbelt(&["evidence", "show", &file(&copy.with_extension("intoto.jsonl"))]).exits(0);
    assert!(run.output.contains(provenance) && run.output.contains("SLSA_BUILD_LEVEL_1"));
}

#[test]
fn crate_that_was_tampered_with() {
    let team = Team::new();
    let manager = team.manager();
    manager.publish_one(&["--dry-run"]).exits(0);
    let honest = fs::read(manager.archive("one")).unwrap();
    let commit = manager.git(&["rev-parse", "HEAD"]);
    let changes: [(&str, &str, &str); 4] = [
        (".cargo_vcs_info.json", &commit, "1111111111111111111111111111111111111111"),
        ("Cargo.toml", "https://example.com/counts", "https://example.com/others"),
        ("Cargo.lock", "version = 4", "version = 3"),
        ("src/lib.rs", "    1\n", "    2\n"),
    ];
    for (path, from, to) in changes {
        let tampered = team.path("tampered.crate");
        fs::write(&tampered, repacked(&honest, Some((path, from, to)), None)).unwrap();
        let run = manager.publish_one(&["--crate", tampered.to_str().unwrap()]).exits(1);
        assert!(run.denied().contains(&"crate-differs-from-commit".to_owned()), "{path}: {:?}", run.denied());
        assert!(run.messages("crate-differs-from-commit").concat().contains(path), "{path}");
    }
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn content_that_a_filter_of_this_machine_stands_for() {
    let team = Team::new();
    let manager = team.manager();
    manager.publish_one(&["--dry-run"]).exits(0);
    let honest = fs::read(manager.archive("one")).unwrap();
    let tampered = team.path("tampered.crate");
    fs::write(&tampered, repacked(&honest, Some(("src/lib.rs", "    1\n", "    2\n")), None)).unwrap();
    // As a build script could have done it while the package was built.
    manager.write(".git/info/attributes", &format!("{LIBRARY} filter=two\n"));
    manager.git(&["config", "filter.two.smudge", "sed 's/    1$/    2/'"]);
    manager.git(&["config", "filter.two.clean", "sed 's/    2$/    1/'"]);
    let run = manager.publish_one(&["--crate", tampered.to_str().unwrap()]).exits(1);
    assert!(run.messages("crate-differs-from-commit").concat().contains("src/lib.rs"), "{:?}", run.denied());
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn second_file_of_the_same_name() {
    let team = Team::new();
    let manager = team.manager();
    manager.publish_one(&["--dry-run"]).exits(0);
    let honest = fs::read(manager.archive("one")).unwrap();
    let twice = team.path("twice.crate");
    // Whoever unpacks it has the last one.
    fs::write(&twice, packed_again(&honest, Some(("src/lib.rs", "//! Something else.\n")))).unwrap();
    assert_ne!(manager.publish_one(&["--crate", twice.to_str().unwrap()]).code, 0);
    assert_eq!(team.registry.uploads().len(), 0);
}

/// The same files in an archive of our own, and one more.
fn packed_again(archive: &[u8], more: Option<(&str, &str)>) -> Vec<u8> {
    repacked(archive, None, more)
}

/// The files in an archive of our own, with something in one of them replaced, and one more.
fn repacked(archive: &[u8], change: Option<(&str, &str, &str)>, more: Option<(&str, &str)>) -> Vec<u8> {
    let mut made = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let (mut header, path) = (entry.header().clone(), entry.path().unwrap().into_owned());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if let Some((_, from, to)) = change.filter(|(name, ..)| path.ends_with(name)) {
            let text = String::from_utf8(content).unwrap();
            assert!(text.contains(from), "{text}");
            content = text.replace(from, to).into_bytes();
            header.set_size(content.len() as u64);
        }
        made.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    if let Some((path, content)) = more {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        made.append_data(&mut header, format!("one-{VERSION}/{path}"), content.as_bytes()).unwrap();
    }
    made.into_inner().unwrap().finish().unwrap()
}

#[test]
fn version_that_is_there_with_other_content() {
    let team = Team::new();
    let manifest = format!("[package]\nname = \"one\"\nversion = \"{VERSION}\"\nedition = \"2021\"\n");
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", "//! Something else.\n")];
    let metadata = serde_json::json!({ "name": "one", "vers": VERSION, "deps": [], "features": {} });
    team.registry.add(&metadata, &package("one", VERSION, &files));
    let run = refused(&team, &team.manager(), &[], &["version-taken"]);
    assert!(run.messages("version-taken").concat().contains("with other content"));
}

#[test]
fn version_that_goes_back() {
    let team = Team::new();
    team.registry.add_empty("one", "0.3.0");
    let run = refused(&team, &team.manager(), &[], &["version-not-increased"]);
    assert!(run.messages("version-not-increased").concat().starts_with("goes back"));
}

#[test]
fn one_package_that_is_refused_holds_the_others_back() {
    let team = Team::new();
    let manager = team.manager();
    manager.tag("three-v0.2.0", "HEAD~1");
    let run = manager.publish(&["--no-verify"]).exits(1);
    assert_eq!(run.denied(), ["tag-mismatch"]);
    assert_eq!(team.registry.uploads().len(), 0);
}
