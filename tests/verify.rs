//! Who vouches for commits and tags: what is said of signatures by real keys, compared with what git and OpenSSH say.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says when it could not run"
)]

#[path = "support/signing.rs"]
mod signing;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use signing::{DAY, Maker, World};
use toolbelt_core::ops::refs::{Error, Rewrites};
use toolbelt_core::ops::verify::{self, Request, Signatures};
use toolbelt_core::report::{Report, Verdict};

/// A repository with a first commit that names alice and bob.
fn world() -> World {
    let world = World::new();
    for name in ["alice", "bob", "eve"] {
        world.key(name, &["ed25519"]);
    }
    begin(&world, "work", &[]);
    world
}

fn begin(world: &World, name: &str, options: &[&str]) {
    fs::create_dir(world.path(name)).unwrap();
    world.git(name, &[&["init", "--quiet", "--initial-branch=main"], options].concat());
    let signers = format!(
        "alice@example.com namespaces=\"git\" {}\nbob@example.com {}\n",
        world.public("alice"),
        world.public("bob")
    );
    world.write(&format!("{name}/.toolbelt/allowed_signers"), &signers);
    world.commit(name, Maker::signing("alice"), "begin");
}

fn request(world: &World, range: &str) -> Request {
    Request {
        environment: world.environment("work"),
        range: range.to_owned(),
        base: Some(range.split("..").next().unwrap().to_owned()),
        policy: None,
        allowed_signers: None,
        signatures: Signatures::ByPolicy,
        rewrites: Rewrites::Told,
    }
}

fn verify(world: &World, range: &str) -> Report {
    verify::run(&request(world, range)).unwrap()
}

/// `rule: message` of each finding, then `rule? reason` of what was not checked.
fn said(report: &Report) -> Vec<String> {
    let findings = report.findings.iter().map(|judged| format!("{}: {}", judged.rule.id, judged.finding.message));
    let gaps = report.not_checked.iter().map(|gap| format!("{}? {}", gap.rule.id, gap.not_checked.reason.reason));
    findings.chain(gaps).collect()
}

#[track_caller]
fn assert_one(report: &Report, start: &str) {
    let said = said(report);
    assert!(said.len() == 1 && said[0].starts_with(start), "{said:?}");
}

/// Whether git itself, with OpenSSH, trusts a commit by the first list.
fn git_trusts(world: &World, id: &str) -> bool {
    let list = world.path("work/.toolbelt/allowed_signers");
    let setting = format!("gpg.ssh.allowedSignersFile={}", list.display());
    let mut command = world.command("work", Maker::not_signing("nobody"));
    command.args(["-c", &setting, "verify-commit", id]).output().unwrap().status.success()
}

#[test]
fn trusted_keys_vouch_for_their_own_commits() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    let tip = world.commit("work", Maker::signing("bob"), "two");
    world.git_as("work", Maker::signing("bob"), &["tag", "--sign", "-m", "release", "v1"]);
    let report = verify(&world, "HEAD~2..v1");
    assert_eq!((report.verdict, said(&report)), (Verdict::Pass, Vec::<String>::new()));
    assert_eq!(report.coverage.counts["signed"], 3);
    assert_eq!(report.sources.len(), 1);
    assert!(git_trusts(&world, &tip));
}

#[test]
fn a_key_that_nobody_named_is_not_trusted() {
    let world = world();
    let tip = world.commit("work", Maker { key: Some("eve"), ..Maker::not_signing("alice") }, "one");
    let report = verify(&world, "HEAD~1..HEAD");
    assert_eq!(report.verdict, Verdict::Fail);
    assert_one(&report, "untrusted-signer: is signed, but its SSH key is not in .toolbelt/allowed_signers of the base");
    assert!(!git_trusts(&world, &tip));
}

#[test]
fn a_commit_that_was_changed_has_a_bad_signature() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    let whole = world.git("work", &["cat-file", "commit", "HEAD"]) + "\n";
    for changed in [
        whole.replace("\n\none", "\n\nother"),
        whole.replacen("author alice", "author mallory", 1),
        whole.replacen("\ngpgsig ", "\nx-header y\ngpgsig ", 1),
    ] {
        assert_ne!(whole, changed);
        let id = world.object("work", "commit", changed.as_bytes());
        let report = verify(&world, &format!("HEAD~1..{id}"));
        assert_one(&report, "untrusted-signer: has a bad signature: it is not one of what it stands in");
        assert!(!git_trusts(&world, &id));
    }
}

#[test]
fn signatures_that_cannot_be_read_or_are_for_something_else_are_bad() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    let whole = world.git("work", &["cat-file", "commit", "HEAD"]) + "\n";
    let start = whole.find("gpgsig ").unwrap();
    let end = whole.find("-----END SSH SIGNATURE-----\n").unwrap() + "-----END SSH SIGNATURE-----\n".len();
    let with = |armour: &str| {
        let header = armour.trim_end().replace('\n', "\n ");
        format!("{}gpgsig {header}\n{}", &whole[..start], &whole[end..])
    };
    let unsigned = [&whole[..start], &whole[end..]].concat();
    fs::write(world.path("payload"), &unsigned).unwrap();
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "file", "-f"]).arg(world.path("alice")).arg(world.path("payload"));
    assert!(sign.status().unwrap().success());
    let other_namespace = with(&fs::read_to_string(world.path("payload.sig")).unwrap());
    let twice = whole.replacen("gpgsig ", &format!("{}gpgsig ", &whole[start..end]), 1);
    for (changed, expected) in [
        (other_namespace, "it was made for `file`, not for git"),
        (twice, "there is more than one"),
        (with("-----BEGIN SSH SIGNATURE-----\n\nAAAA\n-----END SSH SIGNATURE-----"), "it is no SSH signature"),
        (with("hello"), "it is of no kind that git knows"),
    ] {
        let id = world.object("work", "commit", changed.as_bytes());
        let report = verify(&world, &format!("HEAD~1..{id}"));
        assert_one(&report, &format!("untrusted-signer: has a bad signature: {expected}"));
        // git hands both to OpenSSH, which looks at the first alone.
        assert!(!git_trusts(&world, &id) || expected == "there is more than one");
    }
}

#[test]
fn keys_count_at_the_committers_date() {
    let world = world();
    let list =
        format!("alice@example.com valid-after=\"20260101Z\",valid-before=\"20260201Z\" {}\n", world.public("alice"));
    world.write("work/.toolbelt/allowed_signers", &list);
    world.commit("work", Maker::signing("bob"), "list");
    let january = 1_767_225_600;
    for (date, expected) in [
        (january, None),
        (january - 1, Some("untrusted-signer: is signed, but its SSH key is not trusted before 2026-01-01")),
        (january + 31 * 86_400, None),
        (
            january + 31 * 86_400 + 1,
            Some("untrusted-signer: is signed, but its SSH key is not trusted after 2026-02-01"),
        ),
    ] {
        let tip = world.commit("work", Maker::signing("alice").at(date), "one");
        let report = verify(&world, "HEAD~1..HEAD");
        match expected {
            None => assert_eq!(said(&report), Vec::<String>::new(), "{date}"),
            Some(expected) => assert_one(&report, expected),
        }
        assert_eq!(git_trusts(&world, &tip), expected.is_none(), "{date}");
    }
}

#[test]
fn a_date_in_the_future_is_not_believed() {
    let world = world();
    world.commit("work", Maker::signing("alice").at(1_800_000_000), "one");
    let report = verify(&world, "HEAD~1..HEAD");
    assert_one(&report, "untrusted-signer: is signed, but its SSH key would have to count at 2027-01-15");
}

#[test]
fn lines_that_are_not_understood_trust_nobody_and_are_told() {
    let world = world();
    let list = format!(
        "alice@example.com no-such-option {}\nbob@example.com {}\n",
        world.public("alice"),
        world.public("bob")
    );
    world.write("work/.toolbelt/allowed_signers", &list);
    world.commit("work", Maker::signing("bob"), "list");
    let tip = world.commit("work", Maker::signing("alice"), "one");
    let report = verify(&world, "HEAD~1..HEAD");
    assert_one(&report, "untrusted-signer: ");
    assert!(report.coverage.skipped.iter().any(|skipped| skipped.what.starts_with("line 1 of")));
    assert!(!git_trusts(&world, &tip));
}

#[test]
fn author_and_committer_have_to_be_whose_key_it_is() {
    let world = world();
    let as_alice = Maker { key: Some("bob"), ..Maker::not_signing("alice") };
    world.commit("work", as_alice, "impersonated");
    let report = verify(&world, "HEAD~1..HEAD");
    assert_eq!(report.verdict, Verdict::Fail);
    assert_one(&report, "identity-mismatch: says that `alice@example.com` is the committer");
    // A patch that somebody else wrote.
    world.commit("work", Maker { author: "carol", ..Maker::signing("bob") }, "applied");
    let report = verify(&world, "HEAD~1..HEAD");
    assert_eq!(report.verdict, Verdict::Pass);
    assert_one(&report, "identity-mismatch: says that `carol@example.com` is the author");
    world.git_as("work", as_alice, &["tag", "--sign", "-m", "x", "v1"]);
    assert_one(&verify(&world, "HEAD..v1"), "identity-mismatch: says that `alice@example.com` is the tagger");
}

#[test]
fn a_key_of_two_principals_counts_for_both() {
    let world = world();
    let key = world.public("alice");
    let list = format!("alice@example.com {key}\nalice@work.example,*@bots.example {key}\n");
    world.write("work/.toolbelt/allowed_signers", &list);
    world.commit("work", Maker::signing("alice"), "list");
    for name in ["alice", "alice@work.example", "ci@bots.example"] {
        world.commit("work", Maker { key: Some("alice"), ..Maker::not_signing(name) }, name);
        assert_eq!(said(&verify(&world, "HEAD~1..HEAD")), Vec::<String>::new(), "{name}");
    }
    world.commit("work", Maker { key: Some("alice"), ..Maker::not_signing("bob") }, "bob");
    assert_one(&verify(&world, "HEAD~1..HEAD"), "identity-mismatch: ");
}

#[test]
fn without_a_trust_root_nothing_passes() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    let report = verify::run(&Request { base: None, ..request(&world, "HEAD~1..HEAD") }).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_one(&report, "untrusted-signer? nothing says whose keys are trusted");
    // Nor does it where the policy does not want to know.
    world.write("policy.toml", "version = 1\nrules.untrusted-signer = \"allow\"\n");
    let policy = Some(world.path("policy.toml"));
    let report = verify::run(&Request { base: None, policy, ..request(&world, "HEAD~1..HEAD") }).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
}

#[test]
fn what_is_verified_does_not_say_whom_to_trust() {
    let world = world();
    world.write("work/.toolbelt/allowed_signers", &format!("eve@example.com {}\n", world.public("eve")));
    world.commit("work", Maker::signing("eve"), "let me in");
    world.commit("work", Maker::signing("eve"), "two");
    let range = "HEAD~2..HEAD";
    // The change's own list is not looked at.
    assert_eq!(said(&verify(&world, range)).len(), 2);
    // Not even if somebody names it.
    let named = |path: &str| Some(PathBuf::from(path));
    for asked in [
        Request { allowed_signers: named(".toolbelt/allowed_signers"), ..request(&world, range) },
        Request {
            allowed_signers: Some(world.path("work/.toolbelt/../.toolbelt/allowed_signers")),
            ..request(&world, range)
        },
        Request { base: Some("HEAD~1".to_owned()), ..request(&world, range) },
    ] {
        let report = verify::run(&asked).unwrap();
        assert_eq!(report.verdict, Verdict::Incomplete);
        assert!(said(&report)[0].contains("itself under judgement"), "{:?}", said(&report));
    }
    // Nor from another end of the range, or another work tree.
    world.git("work", &["worktree", "add", "--quiet", "--detach", "../linked", "HEAD"]);
    let linked = world.path("linked/.toolbelt/allowed_signers");
    for (range, list) in [
        ("HEAD~2...HEAD", ".toolbelt/allowed_signers".into()),
        ("HEAD~2 HEAD", ".toolbelt/allowed_signers".into()),
        (range, linked),
    ] {
        let report =
            verify::run(&Request { allowed_signers: Some(list), base: None, ..request(&world, range) }).unwrap();
        assert!(said(&report)[0].contains("itself under judgement"), "{range}: {:?}", said(&report));
    }
    world.git(
        "work",
        &["config", "toolbelt.allowedSigners", &world.path("work/.toolbelt/allowed_signers").display().to_string()],
    );
    assert!(said(&verify(&world, range))[0].contains("itself under judgement"));
}

#[test]
fn the_policy_at_the_start_of_a_range_counts_only_as_the_base() {
    let world = world();
    world.write(
        "work/toolbelt.toml",
        "version = 1\nrules.untrusted-signer = \"allow\"\nrules.unsigned-commit = \"allow\"\n",
    );
    world.commit("work", Maker::signing("eve"), "nobody looks");
    world.commit("work", Maker::signing("eve"), "two");
    world.write("signers", &format!("alice@example.com {}\n", world.public("alice")));
    let asked = Request {
        allowed_signers: Some(world.path("signers")),
        base: None,
        signatures: Signatures::Required,
        ..request(&world, "HEAD~1..HEAD")
    };
    assert_one(&verify::run(&asked).unwrap(), "untrusted-signer: ");
    let asked = Request { base: Some("HEAD~1".to_owned()), ..asked };
    assert_eq!(said(&verify::run(&asked).unwrap()), Vec::<String>::new());
}

#[test]
fn what_the_policy_says_of_tags_says_nothing_of_commits() {
    let world = world();
    world.commit("work", Maker::not_signing("alice"), "one");
    world.write("policy.toml", "version = 1\nrules.unsigned-tag = \"deny\"\n");
    let asked = Request { policy: Some(world.path("policy.toml")), ..request(&world, "HEAD~1..HEAD") };
    let report = verify::run(&asked).unwrap();
    assert_eq!((report.verdict, said(&report).len()), (Verdict::Incomplete, 0));
    assert!(report.coverage.skipped.iter().any(|skip| skip.what == "commits"), "{:?}", report.coverage);
}

/// A commit with this content, signed by a key; its id.
fn signed(world: &World, key: &str, content: &str) -> String {
    world.write("content", content);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", "git", "-f"]).arg(world.path(key)).arg(world.path("content"));
    assert!(command.status().unwrap().success());
    let signature = fs::read_to_string(world.path("content.sig")).unwrap();
    fs::remove_file(world.path("content.sig")).unwrap();
    let header = format!("\ngpgsig {}\n\n", signature.trim_end().replace('\n', "\n "));
    world.object("work", "commit", content.replacen("\n\n", &header, 1).as_bytes())
}

#[test]
fn who_is_named_twice_is_nobody() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    let whole = world.git("work", &["cat-file", "commit", "HEAD"]) + "\n";
    let header = |name: &str| whole.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let (author, committer) = (header("author"), header("committer"));
    let unsigned: String = {
        let (before, rest) = whole.split_once("gpgsig ").unwrap();
        let (_, after) = rest.split_once("-----END SSH SIGNATURE-----\n").unwrap();
        format!("{before}{}", after.trim_start_matches(" \n"))
    };
    let forged = |line: &str| line.replace("alice", "bob");
    for changed in [
        unsigned.replace(&committer, &format!("{committer}\n{}", forged(&committer))),
        unsigned.replace(&committer, &format!("committer Bob <bob@example.com>\n{committer}")),
        unsigned.replace(&author, &format!("{author}\n{}", forged(&author))),
    ] {
        assert_ne!(unsigned, changed);
        // On top of it is one that is as it should be.
        let id = signed(&world, "alice", &changed);
        let parent = whole.lines().find(|line| line.starts_with("parent")).unwrap();
        let tip = signed(&world, "alice", &unsigned.replace(parent, &format!("parent {id}")));
        let report = verify(&world, &format!("HEAD~1..{tip}"));
        assert_eq!(said(&report).len(), 1, "{changed}: {:?}", said(&report));
        assert!(
            said(&report)[0].contains("cannot be read") || said(&report)[0].contains("says it twice"),
            "{report:?}"
        );
    }
    let id = signed(&world, "alice", &unsigned);
    assert_eq!(said(&verify(&world, &format!("HEAD~1..{id}"))), Vec::<String>::new());
}

#[test]
fn a_list_outside_is_named_or_pinned() {
    let world = world();
    world.commit("work", Maker::signing("eve"), "one");
    world.write("signers", &format!("eve@example.com {}\n", world.public("eve")));
    let named = Some(PathBuf::from("../signers"));
    let asked = Request { allowed_signers: named, base: None, ..request(&world, "HEAD~1..HEAD") };
    assert_eq!(verify::run(&asked).unwrap().verdict, Verdict::Pass);
    world.git("work", &["config", "toolbelt.allowedSigners", &world.path("signers").display().to_string()]);
    let asked = Request { base: None, ..request(&world, "HEAD~1..HEAD") };
    assert_eq!(verify::run(&asked).unwrap().verdict, Verdict::Pass);
    let named = Some(PathBuf::from("../nothing"));
    let asked = Request { allowed_signers: named, ..request(&world, "HEAD~1..HEAD") };
    assert!(matches!(verify::run(&asked), Err(Error::File(_))));
}

#[test]
fn nothing_signed_is_nothing_verified() {
    let world = world();
    world.commit("work", Maker::not_signing("alice"), "one");
    world.git("work", &["tag", "light"]);
    world.git("work", &["tag", "-a", "-m", "x", "annotated"]);
    let report = verify(&world, "HEAD~1..HEAD");
    assert_eq!((report.verdict, said(&report).len()), (Verdict::Incomplete, 0));
    // Nor is a part that is signed, unless the policy says that this is enough.
    world.commit("work", Maker::signing("alice"), "two");
    assert_eq!(verify(&world, "HEAD~2..HEAD").verdict, Verdict::Incomplete);
    world.write("policy.toml", "version = 1\nrules.unsigned-commit = \"allow\"\n");
    let policy = Some(world.path("policy.toml"));
    let allowed =
        |range: &str| verify::run(&Request { policy: policy.clone(), ..request(&world, range) }).unwrap().verdict;
    assert_eq!((allowed("HEAD~2..HEAD"), allowed("HEAD~2..HEAD~1")), (Verdict::Pass, Verdict::Incomplete));
    world.git("work", &["reset", "--quiet", "--hard", "HEAD~1"]);
    let signed = |range: &str| {
        let report = verify::run(&Request { signatures: Signatures::Required, ..request(&world, range) }).unwrap();
        assert_eq!(report.verdict, Verdict::Fail);
        said(&report)
    };
    assert_eq!(signed("HEAD~1..HEAD"), ["unsigned-commit: is not signed"]);
    assert_eq!(signed("HEAD..annotated"), ["unsigned-tag: is not signed"]);
    assert_eq!(signed("HEAD..light"), ["unsigned-tag: is a name alone, which cannot be signed"]);
    assert_eq!(verify(&world, "HEAD..HEAD").verdict, Verdict::Pass, "there is nothing in it");
}

#[test]
fn a_signed_tag_has_the_name_that_was_signed() {
    let world = world();
    world.git_as("work", Maker::signing("alice"), &["tag", "--sign", "-m", "x", "v1"]);
    world.git("work", &["update-ref", "refs/tags/v2", &world.id("work", "refs/tags/v1")]);
    assert_eq!(said(&verify(&world, "HEAD..v1")), Vec::<String>::new());
    for spelt in ["v2", "tags/v2", "refs/tags/v2", "v2^{tag}", "tags/v2^{object}"] {
        let report = verify(&world, &format!("HEAD..{spelt}"));
        assert_eq!(said(&report).len(), 1, "{spelt}");
        assert_one(&report, "untrusted-signer: leads to a tag that was signed as `v1`");
    }
    world.git("work", &["tag", "light"]);
    for spelt in ["light", "tags/light", "refs/tags/light"] {
        let asked = Request { signatures: Signatures::Required, ..request(&world, &format!("HEAD..{spelt}")) };
        assert_one(&verify::run(&asked).unwrap(), "unsigned-tag: is a name alone");
    }
    assert_eq!(said(&verify(&world, "HEAD..v2^{commit}")), Vec::<String>::new());
    assert_eq!(verify(&world, "v1...v2^{}").verdict, Verdict::Pass, "tags lead to commits");
    // What holds no commit and no tag has nobody to vouch for it.
    let asked = Request { base: Some("HEAD".to_owned()), ..request(&world, "HEAD^{tree}") };
    assert!(matches!(verify::run(&asked), Err(Error::Repository(_))));
}

#[test]
fn keys_of_other_types_are_asked_about() {
    let world = World::new();
    for (name, kind) in [("alice", &["rsa", "-b", "2048"][..]), ("bob", &["ecdsa", "-b", "384"]), ("eve", &["rsa"])] {
        world.key(name, kind);
    }
    begin(&world, "work", &[]);
    world.commit("work", Maker::signing("alice"), "one");
    world.commit("work", Maker::signing("bob"), "two");
    assert_eq!(said(&verify(&world, "HEAD~2..HEAD")), Vec::<String>::new());
    let whole = world.git("work", &["cat-file", "commit", "HEAD"]).replace("\n\ntwo", "\n\nother") + "\n";
    let id = world.object("work", "commit", whole.as_bytes());
    assert_one(&verify(&world, &format!("HEAD~1..{id}")), "untrusted-signer: has a bad signature");
    world.commit("work", Maker::signing("eve"), "three");
    assert_one(&verify(&world, "HEAD~1..HEAD"), "untrusted-signer: is signed, but its SSH key is not in");
    // Without the program it is not known.
    let mut asked = request(&world, "HEAD~3..HEAD~1");
    asked.environment.variables.insert("PATH".to_owned(), only(&world, &["git"]));
    let report = verify::run(&asked).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_one(&report, "untrusted-signer? `ssh-keygen` is not installed");
}

/// A search path with these programs alone.
fn only(world: &World, programs: &[&str]) -> String {
    let folder = world.path("programs");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    for program in programs {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        std::os::unix::fs::symlink(found.trim(), folder.join(program)).unwrap();
    }
    folder.display().to_string()
}

#[test]
fn merges_by_a_forge_are_made_anew() {
    let world = world();
    world.key("forge", &["ed25519"]);
    let list = format!("alice@example.com {}\nforge@example.com {}\n", world.public("alice"), world.public("forge"));
    world.write("work/.toolbelt/allowed_signers", &list);
    world.write(
        "work/toolbelt.toml",
        "version = 1\nrules.identity-mismatch.forge-principals = [\"forge@example.com\"]\n",
    );
    let base = world.commit("work", Maker::signing("alice"), "list");
    world.git("work", &["checkout", "--quiet", "-b", "topic"]);
    world.write("work/a", "a\n");
    world.commit("work", Maker::signing("alice"), "topic");
    world.git("work", &["checkout", "--quiet", "main"]);
    world.write("work/b", "b\n");
    world.commit("work", Maker::signing("alice"), "main");
    let forge = Maker { author: "alice", committer: "noreply@forge.example", key: Some("forge"), date: DAY };
    world.git_as("work", forge, &["merge", "--quiet", "--no-edit", "--no-ff", "topic"]);
    let range = format!("{base}..HEAD");
    if said(&verify(&world, &range)).iter().any(|said| said.contains("git cannot make a merge anew")) {
        return eprintln!("skipped: this git is older than 2.38");
    }
    assert_eq!(said(&verify(&world, &range)), Vec::<String>::new());
    // An evil merge, and a commit that is none.
    world.write("work/b", "evil\n");
    world.git_as("work", forge, &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    assert_one(&verify(&world, &range), "identity-mismatch: is a merge by a forge that is not what its parents give");
    world.git("work", &["reset", "--quiet", "--hard", "HEAD~1"]);
    world.write("work/b", "edit\n");
    world.commit("work", forge, "edited in the browser");
    assert_one(&verify(&world, &range), "identity-mismatch: says that `noreply@forge.example` is the committer");
}

#[test]
fn repositories_with_another_hash_function_and_tables_of_refs() {
    for options in [&["--object-format=sha256"][..], &["--ref-format=reftable"]] {
        let world = World::new();
        for name in ["alice", "bob", "eve"] {
            world.key(name, &["ed25519"]);
        }
        fs::create_dir(world.path("probe")).unwrap();
        let mut probe = world.command("probe", Maker::not_signing("nobody"));
        if !probe.args(["init", "--quiet"]).args(options).output().unwrap().status.success() {
            eprintln!("skipped: this git does not know {options:?}");
            continue;
        }
        begin(&world, "work", options);
        world.commit("work", Maker::signing("alice"), "one");
        world.git_as("work", Maker::signing("bob"), &["tag", "--sign", "-m", "x", "v1"]);
        let report = verify(&world, "HEAD~1..v1");
        assert_eq!((said(&report), report.coverage.counts["signed"]), (Vec::new(), 2));
        world.commit("work", Maker::signing("eve"), "two");
        world.git_as("work", Maker::signing("eve"), &["tag", "--sign", "-m", "x", "v2"]);
        assert_eq!(said(&verify(&world, "HEAD~1..v2")).len(), 2);
    }
}

#[test]
fn histories_that_end_early() {
    let world = world();
    for number in 0..4 {
        world.commit("work", Maker::signing("alice"), &number.to_string());
    }
    world.write("signers", &format!("alice@example.com {}\n", world.public("alice")));
    let url = format!("file://{}", world.path("work").display());
    world.git("", &["clone", "--quiet", "--depth=2", &url, "shallow"]);
    let asked = Request {
        environment: world.environment("shallow"),
        base: None,
        allowed_signers: Some(world.path("signers")),
        ..request(&world, "HEAD")
    };
    let report = verify::run(&asked).unwrap();
    assert_eq!((report.coverage.counts["signed"], report.verdict), (2, Verdict::Incomplete));
    assert!(report.coverage.skipped.iter().any(|skip| skip.why.contains("ends early")), "{:?}", report.coverage);
    // Nobody asks for what came before the start of a range that is there.
    let report = verify::run(&Request { range: "HEAD~1..HEAD".to_owned(), ..asked }).unwrap();
    assert_eq!((report.coverage.counts["signed"], report.verdict), (1, Verdict::Pass));
    // A commit that is not there is not verified.
    let missing = world.id("work", "HEAD~1");
    let path = world.path("work/.git/objects").join(&missing[..2]).join(&missing[2..]);
    fs::remove_file(path).unwrap();
    let asked = Request { allowed_signers: Some(world.path("signers")), base: None, ..request(&world, "HEAD") };
    let report = verify::run(&asked).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(report.coverage.could_not_look);
}

#[test]
fn keys_of_openpgp_are_named_by_the_policy() {
    let world = world();
    let gnupg = world.path("gnupg");
    fs::create_dir(&gnupg).unwrap();
    fs::set_permissions(&gnupg, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        command.env_clear().envs(world.variables()).args(["--batch", "--quiet", "--passphrase", ""]).args(arguments);
        command.output().ok().filter(|output| output.status.success())
    };
    if gpg(&["--quick-generate-key", "Alice <alice@example.com>", "ed25519", "sign", "never"]).is_none() {
        return eprintln!("skipped: there is no gpg that makes a key");
    }
    let listed = gpg(&["--with-colons", "--list-keys"]).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap();
    let fingerprint = fingerprint.trim_matches(':').to_owned();
    let mut sign = world.command("work", Maker::not_signing("alice"));
    let key = format!("--gpg-sign={fingerprint}");
    let arguments = ["-c", "gpg.format=openpgp", "commit", "--quiet", "--allow-empty", "-m", "one", &key];
    assert!(sign.args(arguments).status().unwrap().success());
    let asked = |keys: &str| {
        world.write("policy.toml", &format!("version = 1\nrules.untrusted-signer.keys = [{keys}]\n"));
        Request { policy: Some(world.path("policy.toml")), ..request(&world, "HEAD~1..HEAD") }
    };
    let with = |keys: &str| verify::run(&asked(keys)).unwrap();
    assert_eq!(said(&with(&format!("\"{fingerprint} alice@example.com\""))), Vec::<String>::new());
    let none = "untrusted-signer: is signed, but its OpenPGP key is none that the policy names";
    assert_one(&with(""), none);
    assert_one(&with("\"0123456789ABCDEF0123456789ABCDEF01234567 alice@example.com\""), none);
    assert_one(&with(&format!("\"{fingerprint} bob@example.com\"")), "identity-mismatch: ");
    // A program that the repository names is not run.
    let evil = world.path("evil");
    fs::write(&evil, format!("#!/bin/sh\ntouch {}\n", world.path("ran").display())).unwrap();
    fs::set_permissions(&evil, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    world.git("work", &["config", "gpg.program", &evil.display().to_string()]);
    assert_eq!(said(&with(&format!("\"{fingerprint} alice@example.com\""))), Vec::<String>::new());
    assert!(!world.path("ran").exists());
    let whole = world.git("work", &["cat-file", "commit", "HEAD"]).replace("\n\none", "\n\nother") + "\n";
    let id = world.object("work", "commit", whole.as_bytes());
    let mut changed = asked(&format!("\"{fingerprint} alice@example.com\""));
    changed.range = format!("HEAD~1..{id}");
    assert_one(&verify::run(&changed).unwrap(), "untrusted-signer: has a bad signature");
    let mut without = asked(&format!("\"{fingerprint} alice@example.com\""));
    without.environment.variables.insert("PATH".to_owned(), only(&world, &["git", "ssh-keygen"]));
    let report = verify::run(&without).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_one(&report, "untrusted-signer? `gpg` could not be run");
}

#[test]
fn a_range_that_names_nothing_is_an_error() {
    let world = world();
    for range in ["nothing..HEAD", "--all", "HEAD..", "\u{202e}", ""] {
        let asked = Request { base: None, ..request(&world, range) };
        let is_empty_range = range == "HEAD..";
        assert_eq!(verify::run(&asked).is_err(), !is_empty_range, "{range}");
    }
}
