//! Approvals: two others look at the very bytes in their own clones, and whatever else is signed does not count.

use serde_json::Value;

use crate::team::{AUTHOR, Member, STRANGER, Team};

/// The commit of the release, whose note has the approvals.
const COMMIT: &str = "one-v0.2.0^{commit}";
/// A release between the first one and that which is published.
const BETWEEN: &str = "one-v0.1.5";
/// The bytes of something else.
const OTHER: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// What the release is packaged to.
fn digest(team: &Team) -> String {
    team.manager().publish_one(&["--dry-run"]).exits(0).digest()
}

/// Publishes with so many approvals, which has to be refused for want of them; returns why.
#[track_caller]
fn refused(team: &Team, manager: &Member, approvals: &str) -> String {
    let run = manager.publish_one(&["--approvals", approvals]).exits(1);
    assert_eq!(run.denied(), ["missing-approval"]);
    assert_eq!(team.registry.uploads().len(), 0);
    run.messages("missing-approval").concat()
}

#[test]
fn two_others_approve_in_their_clones() {
    let team = Team::new();
    let digest = digest(&team);
    team.member("bob").approve(&digest);
    let message = refused(&team, &team.manager(), "2");
    assert_eq!(message, "is approved by 1 of 2: bob@example.com");
    team.member("carl").approve(&digest);
    let run = team.manager().publish_one(&["--approvals", "2"]).exits(0);
    assert_eq!(run.states(), [("one".to_owned(), "published".to_owned())]);
}

#[test]
fn author_does_not_approve() {
    let team = Team::new();
    team.member(AUTHOR).approve(&digest(&team));
    let message = refused(&team, &team.manager(), "1");
    assert_eq!(message, "is approved by none of 1; the author does not count (author@example.com)");
}

#[test]
fn digest_that_the_commit_is_not_packaged_to_is_not_signed() {
    let team = Team::new();
    let bob = team.member("bob");
    let run = bob.toolbelt(&["publish", "approve", OTHER, "--package", "one"]).exits(2);
    assert!(run.errors.contains(&format!("not to {OTHER}")), "{}", run.errors);
    assert_eq!(bob.git(&["for-each-ref", "refs/notes"]), "");
}

#[test]
fn what_is_not_committed_is_not_approved() {
    let team = Team::new();
    let committed = digest(&team);
    let bob = team.member("bob");
    bob.append("one/src/lib.rs", "// Not committed.\n");
    bob.write("one/src/new.rs", "// Not even added.\n");
    let dirty = bob.publish_one(&["--dry-run"]).digest();
    assert_ne!(dirty, committed);
    let run = bob.toolbelt(&["publish", "approve", &dirty, "--package", "one"]).exits(2);
    assert!(
        run.errors.contains(&format!("this commit is packaged to one 0.2.0 with sha256:{committed}, not to {dirty}"))
    );
    assert!(run.errors.contains("what is not committed does not count"), "{}", run.errors);
    assert_eq!(bob.git(&["for-each-ref", "refs/notes"]), "");
    bob.toolbelt(&["publish", "approve", &committed, "--package", "one"]).exits(0);
}

#[test]
fn approval_of_another_digest_does_not_count() {
    let team = Team::new();
    let bob = team.member("bob");
    bob.toolbelt(&["publish", "approve", OTHER, "--no-rebuild", "--package", "one"]).exits(0);
    bob.git(&["push", "--quiet", "origin", "refs/notes/toolbelt"]);
    let message = refused(&team, &team.manager(), "1");
    assert!(message.starts_with("is approved by none of 1; 1 approval is not of"), "{message}");
}

#[test]
fn signer_who_is_added_in_the_release_itself_does_not_count() {
    let team = Team::with_keys(|team, author| {
        author.append(".toolbelt/allowed_signers", &team.signer(STRANGER));
    });
    let digest = digest(&team);
    team.member(STRANGER).approve(&digest);
    let message = refused(&team, &team.manager(), "1");
    assert!(message.starts_with("is approved by none of 1; not counted:"), "{message}");
    // It is the list alone that is in the way: whoever names the new one believes it.
    let list = team.write("lists/new", &team.signer(STRANGER));
    let named = ["--approvals", "1", "--dry-run", "--allowed-signers", list.to_str().unwrap()];
    team.manager().publish_one(&named).exits(0);
}

/// A release whose list of allowed signers has a stranger, tagged as a release of its own before the real one.
fn with_tag_between(tag: impl FnOnce(&Team, &Member)) -> Team {
    Team::with_keys(|team, author| {
        author.append(".toolbelt/allowed_signers", &team.signer(STRANGER));
        author.commit("somebody new");
        tag(team, author);
        author.git(&["push", "--quiet", "--tags", "origin"]);
    })
}

/// Sees that a stranger's approval counts for nothing, since it is not known whose does; returns what was said.
#[track_caller]
fn assert_unknown(team: &Team, why: &str) {
    team.member(STRANGER).approve(&digest(team));
    let run = team.manager().publish_one(&["--approvals", "1"]).exits(3);
    assert_eq!(team.registry.uploads().len(), 0);
    assert!(run.output.contains(why), "{}{}", run.output, run.errors);
}

#[test]
fn tag_that_nobody_trusted_has_signed_makes_nobody_an_approver() {
    let bare = |_: &Team, author: &Member| drop(author.git(&["tag", BETWEEN]));
    let of_another_name = |_: &Team, author: &Member| drop(author.git(&["tag", "nightly"]));
    let by_stranger = |team: &Team, author: &Member| {
        let key = format!("user.signingkey={}", team.path(&format!("keys/{STRANGER}")).display());
        author.git(&["-c", &key, "tag", "--sign", "--message", BETWEEN, BETWEEN]);
    };
    // A good signature of somebody else's tag, under another name.
    let renamed = |_: &Team, author: &Member| {
        author.tag("another", "HEAD");
        author.git(&["update-ref", &format!("refs/tags/{BETWEEN}"), "refs/tags/another"]);
        author.git(&["tag", "--delete", "another"]);
    };
    let merged = |_: &Team, author: &Member| {
        author.git(&["tag", BETWEEN]);
        author.git(&["checkout", "--quiet", "-B", "main", "HEAD~"]);
        author.git(&["merge", "--quiet", "--no-ff", "--message", "merge", BETWEEN]);
    };
    for (make, why) in [
        (&bare as &dyn Fn(&Team, &Member), "it is no annotated tag"),
        (&of_another_name, "it is no annotated tag"),
        (&by_stranger, "no trusted key signed it"),
        (&renamed, "it calls itself otherwise"),
        (&merged, "it is no annotated tag"),
    ] {
        assert_unknown(&with_tag_between(make), why);
    }
}

#[test]
fn where_two_lists_come_first_none_counts() {
    let begin = |team: &Team, author: &Member| {
        author.git(&["checkout", "--quiet", "--orphan", "other"]);
        author.git(&["rm", "--quiet", "-r", "--force", "."]);
        author.write(".toolbelt/allowed_signers", &team.signer(STRANGER));
        author.write(".gitignore", "/target\n");
        author.commit("a list of its own");
        author.git(&["tag", "one-v0.0.5"]);
    };
    // A history of its own, which becomes the line of first parents.
    let merged = |team: &Team, author: &Member| {
        begin(team, author);
        author.git(&["merge", "--quiet", "--allow-unrelated-histories", "-X", "ours", "--message", "merge", "main"]);
        author.git(&["checkout", "--quiet", "-B", "main"]);
    };
    // One that leads to no tag of anybody else.
    let apart = |team: &Team, author: &Member| {
        begin(team, author);
        author.write_packages("0.2.0");
        author.commit("0.2.0");
        author.git(&["checkout", "--quiet", "-B", "main"]);
        author.git(&["push", "--quiet", "--force", "origin", "main"]);
    };
    for make in [&merged as &dyn Fn(&Team, &Member), &apart] {
        assert_unknown(&with_tag_between(make), "have different first lists");
    }
}

#[test]
fn build_script_does_not_say_whose_approval_counts() {
    let team = Team::with_keys(|team, author| {
        let list = team.write("lists/stranger", &team.signer(STRANGER));
        let script = format!(
            "fn main() {{\n    let package = std::path::PathBuf::from(std::env::var(\"CARGO_MANIFEST_DIR\").unwrap());\n    \
             let root = package.ancestors().nth(3).unwrap();\n    let git = |arguments: &[&str]| \
             std::process::Command::new(\"git\").current_dir(root).args(arguments).status();\n    \
             git(&[\"config\", \"toolbelt.allowedSigners\", {:?}]).unwrap();\n}}\n",
            list.display().to_string()
        );
        author.write("one/build.rs", &script);
    });
    team.member(STRANGER).approve(&digest(&team));
    let manager = team.manager();
    let run = manager.publish(&["--package", "one", "--approvals", "1"]).exits(1);
    assert_eq!(run.denied(), ["missing-approval"]);
    assert!(manager.git(&["config", "toolbelt.allowedSigners"]).ends_with("stranger"), "the script ran");
}

#[test]
fn list_of_the_release_itself_cannot_be_named() {
    let team = Team::with_keys(|team, author| author.append(".toolbelt/allowed_signers", &team.signer(STRANGER)));
    let named = ["--approvals", "1", "--allowed-signers", ".toolbelt/allowed_signers"];
    let run = team.manager().publish_one(&named).exits(2);
    assert!(run.errors.contains("is itself part of what is released"), "{}", run.errors);
}

#[test]
fn tag_that_somebody_trusted_has_signed_hands_the_list_on() {
    let team = with_tag_between(|_, author| author.tag(BETWEEN, "HEAD"));
    team.member(STRANGER).approve(&digest(&team));
    team.manager().publish_one(&["--approvals", "1"]).exits(0);
}

#[test]
fn what_the_command_line_asks_for_the_policy_cannot_take_back() {
    let level = |_: &Member| "rules.missing-approval = \"allow\"\n".to_owned();
    let number = |_: &Member| "rules.missing-approval = { level = \"warn\", approvals = 0 }\n".to_owned();
    let exemption = |author: &Member| {
        author.commit("before the policy");
        let report = author.publish_one(&["--dry-run", "--approvals", "1"]).json();
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["rule"] == "missing-approval").unwrap();
        let subject = &finding["subject"]["purl"];
        format!(
            "[[exemption]]\nrule = \"missing-approval\"\nsubject = {subject}\nreason = \"hurry\"\nowner = \"me\"\nuntil = 2026-12-31\n"
        )
    };
    for policy in [&level as &dyn Fn(&Member) -> String, &number, &exemption] {
        let team = Team::releasing(|author| {
            let policy = policy(author);
            author.write("toolbelt.toml", &format!("version = 1\n{policy}"));
        });
        assert_eq!(refused(&team, &team.manager(), "1"), "is approved by none of 1");
    }
}

#[test]
fn policy_of_the_commit_counts_and_not_what_lies_around() {
    let policy = "version = 1\nrules.missing-approval = { level = \"deny\", approvals = 1 }\n";
    let team = Team::releasing(|author| author.write("toolbelt.toml", policy));
    let manager = team.manager();
    manager.write("toolbelt.toml", "version = 1\n");
    let run = manager.publish_one(&[]).exits(1);
    assert_eq!(run.denied(), ["missing-approval"]);
    assert!(run.output.contains("the policy of the work tree"), "{}", run.output);
}

#[test]
fn release_is_no_base_of_its_own() {
    let team = Team::with_keys(|team, author| author.append(".toolbelt/allowed_signers", &team.signer(STRANGER)));
    team.member(STRANGER).approve(&digest(&team));
    for base in ["HEAD", "one-v0.2.0"] {
        let run = team.manager().publish_one(&["--approvals", "1", "--base", base]).exits(2);
        assert!(run.errors.contains("is itself what is released"), "{}", run.errors);
    }
    let run = team.manager().publish_one(&["--approvals", "1", "--base", "nowhere"]).exits(2);
    assert!(run.errors.contains("`nowhere` is no commit of this repository"), "{}", run.errors);
}

#[test]
fn output_says_who_approved_and_by_whose_list() {
    let team = Team::new();
    team.member("bob").approve(&digest(&team));
    let release = team.manager().publish_one(&["--approvals", "1", "--dry-run"]).exits(0).json()["releases"][0].clone();
    assert_eq!(release["approved_by"], serde_json::json!(["bob@example.com"]));
    let list = release["allowed_signers"].as_str().unwrap();
    assert!(list.starts_with(".toolbelt/allowed_signers of refs/tags/") && list.ends_with("-v0.1.0"), "{list}");
}

#[test]
fn key_that_has_ended_does_not_count_whatever_the_environment_calls_now() {
    let team = Team::new();
    team.member("bob").approve(&digest(&team));
    let ended = team.signer("bob").replacen(' ', " valid-before=\"20200101Z\" ", 1);
    let list = team.write("lists/ended", &ended);
    let mut manager = team.manager();
    // Before the key ended.
    manager.variables.insert("SOURCE_DATE_EPOCH".to_owned(), "1500000000".to_owned());
    let named = ["--approvals", "1", "--allowed-signers", list.to_str().unwrap()];
    assert_eq!(manager.publish_one(&named).exits(1).denied(), ["missing-approval"]);
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn two_keys_of_one_person_count_once() {
    let team = Team::new();
    let key = team.make_key("bob-at-home");
    let list = team.write("lists/both", &(team.signer("bob") + &team.signer_as("bob-at-home", "bob")));
    let digest = digest(&team);
    let bob = team.member("bob");
    bob.approve(&digest);
    bob.toolbelt(&["publish", "approve", &digest, "--package", "one", "--key", key.to_str().unwrap()]).exits(0);
    bob.git(&["push", "--quiet", "origin", "refs/notes/toolbelt"]);
    let manager = team.manager();
    assert_eq!(envelopes(&manager).len(), 2);
    let with = |approvals| ["--approvals", approvals, "--allowed-signers", list.to_str().unwrap()];
    let run = manager.publish_one(&with("2")).exits(1);
    assert_eq!(run.denied(), ["missing-approval"]);
    assert_eq!(run.messages("missing-approval"), ["is approved by 1 of 2: bob@example.com"]);
    assert_eq!(team.registry.uploads().len(), 0);
    manager.publish_one(&with("1")).exits(0);
}

#[test]
fn envelope_with_one_bad_signature_does_not_count() {
    let team = Team::new();
    let digest = digest(&team);
    team.member("bob").approve(&digest);
    let good = envelopes(&team.manager()).remove(0);
    let signatures = good["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 2, "{good}");
    // Bob's key made the one that is put in, over something else.
    let file = team.path("other.intoto.jsonl");
    let other = ["publish", "approve", OTHER, "--no-rebuild", "--package", "one", "--output", file.to_str().unwrap()];
    team.member("bob").toolbelt(&other).exits(0);
    let other: Value = serde_json::from_str(std::fs::read_to_string(&file).unwrap().trim_end()).unwrap();
    for at in 0..signatures.len() {
        let mut bad = good.clone();
        bad["signatures"][at]["sig"] = other["signatures"][at]["sig"].clone();
        let manager = team.manager();
        manager.git(&["notes", "--ref", "toolbelt", "add", "--force", "--message", &bad.to_string(), COMMIT]);
        let message = refused(&team, &manager, "1");
        assert!(message.starts_with("is approved by none of 1; not counted:"), "{message}");
    }
    // And as it was, it counts.
    team.manager().publish_one(&["--approvals", "1"]).exits(0);
}

#[test]
fn approval_lies_beside_the_crate_as_well() {
    let team = Team::new();
    let manager = team.manager();
    let digest = manager.publish_one(&["--dry-run"]).exits(0).digest();
    let file = team.path("bob.intoto.jsonl");
    let approve = ["publish", "approve", &digest, "--package", "one", "--output", file.to_str().unwrap()];
    team.member("bob").toolbelt(&approve).exits(0);
    refused(&team, &manager, "1");
    let beside = manager.archive("one").with_extension("intoto.jsonl");
    let mut evidence = std::fs::read(&beside).unwrap();
    evidence.extend(std::fs::read(&file).unwrap());
    std::fs::write(&beside, evidence).unwrap();
    manager.publish_one(&["--approvals", "1"]).exits(0);
}

/// The envelopes in the note of the release's commit.
fn envelopes(member: &Member) -> Vec<Value> {
    let note = member.git(&["notes", "--ref", "toolbelt", "show", COMMIT]);
    note.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
