//! What a push would do to refs, before it, on the server and over a range: with real repositories on both sides.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/signing.rs"]
mod signing;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use signing::{DAY, Maker, World};
use toolbelt_core::ops::refs::{self, Observed, Request, Rewrites};

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A bare server, and a clone of it, with a first commit that names alice and bob.
fn world() -> World {
    let world = World::new();
    for name in ["alice", "bob", "eve"] {
        world.key(name, &["ed25519"]);
    }
    world.git("", &["init", "--quiet", "--bare", "--initial-branch=main", "server"]);
    world.git("", &["init", "--quiet", "--initial-branch=main", "first"]);
    let signers = format!(
        "alice@example.com,lead@example.com namespaces=\"git\" {}\nbob@example.com valid-before=\"20260701Z\" {}\nci@example.com {}\n",
        world.public("alice"),
        world.public("bob"),
        world.public("alice"),
    );
    world.write("first/.toolbelt/allowed_signers", &signers);
    let policy = "version = 1\n[rules]\nunsigned-commit = \"deny\"\nunsigned-tag = \"warn\"\n[protect]\nrefs = [\"refs/heads/release/*\"]\n";
    world.write("first/toolbelt.toml", policy);
    world.commit("first", Maker::signing("alice"), "begin");
    world.git("first", &["push", "--quiet", "../server", "main"]);
    world.git("", &["clone", "--quiet", &server(&world), "work"]);
    world
}

fn server(world: &World) -> String {
    world.path("server").display().to_string()
}

fn request(world: &World, repository: &str) -> Request {
    Request {
        environment: world.environment(repository),
        policy: None,
        base: None,
        allowed_signers: None,
        required: &[],
    }
}

/// What the hook before a push is told, from names of refs with what they are to be; empty for a deletion.
fn pushed(world: &World, moves: &[(&str, &str)]) -> String {
    let line = |(name, new): &(&str, &str)| {
        let old = there(world, name);
        let (local, new) = if new.is_empty() { ("(delete)", ZERO) } else { (*name, *new) };
        format!("{local} {new} {name} {old}\n")
    };
    moves.iter().map(line).collect()
}

fn there(world: &World, name: &str) -> String {
    let output = world.git("server", &["for-each-ref", "--format=%(objectname)", name]);
    output.lines().next().unwrap_or(ZERO).to_owned()
}

fn push(world: &World, moves: &[(&str, &str)]) -> Observed {
    refs::judge_push(&request(world, "work"), "origin", &server(world), &pushed(world, moves)).unwrap()
}

/// Judges on the server, which gets the objects before.
fn receive(world: &World, moves: &[(&str, &str)]) -> Observed {
    let mut lines = String::new();
    for (name, new) in moves {
        if !new.is_empty() {
            world.git("work", &["push", "--quiet", &server(world), &format!("{new}:refs/tmp/x")]);
            world.git("server", &["update-ref", "-d", "refs/tmp/x"]);
        }
        let new = if new.is_empty() { ZERO } else { new };
        writeln!(lines, "{} {new} {name}", there(world, name)).unwrap();
    }
    refs::judge_receive(&request(world, "server"), &lines).unwrap()
}

/// `rule: message` of each finding, `rule? reason` of what was not checked, sorted.
fn said(observed: &Observed) -> Vec<String> {
    let mut said = BTreeSet::new();
    for (rule, outcome) in &observed.outcomes {
        said.extend(outcome.findings.iter().map(|finding| format!("{}: {}", rule.id, finding.message)));
        said.extend(outcome.not_checked.iter().map(|gap| format!("{}? {}", rule.id, gap.reason.reason)));
    }
    said.into_iter().collect()
}

/// The same on both sides.
#[track_caller]
fn both(world: &World, moves: &[(&str, &str)]) -> Vec<String> {
    let before = said(&push(world, moves));
    assert_eq!(before, said(&receive(world, moves)));
    before
}

const MAIN: &str = "refs/heads/main";

#[test]
fn protected_branches_lose_nothing_and_stay() {
    let world = world();
    let base = world.id("work", "HEAD");
    let next = world.commit("work", Maker::signing("alice"), "next");
    world.git("work", &["push", "--quiet", "origin", "main", "main:release/1", "main:topic"]);
    world.git("work", &["checkout", "--quiet", "--detach", &base]);
    let other = world.commit("work", Maker::signing("alice").at(DAY + 1), "other");
    let lost = |name: &str| vec![format!("forced-update: would take 1 commit off the branch `{name}`")];
    assert_eq!(both(&world, &[(MAIN, &other)]), lost("main"));
    assert_eq!(both(&world, &[(MAIN, &base)]), lost("main"));
    assert_eq!(both(&world, &[("refs/heads/release/1", &other)]), lost("release/1"));
    assert!(both(&world, &[("refs/heads/topic", &other), ("refs/heads/new", &other)]).is_empty());
    assert!(both(&world, &[("refs/heads/topic", "")]).is_empty());
    assert_eq!(both(&world, &[(MAIN, "")]), ["protected-ref-deleted: would delete the branch `main`"]);
    world.git("work", &["checkout", "--quiet", "--detach", &next]);
    let forward = world.commit("work", Maker::signing("alice"), "forward");
    assert!(both(&world, &[(MAIN, &forward)]).is_empty());
}

#[test]
fn tags_stay_what_they_are() {
    let world = world();
    world.git_as("work", Maker::signing("alice"), &["tag", "--sign", "-m", "x", "v1"]);
    let base = world.id("work", "refs/tags/v1");
    world.git("work", &["push", "--quiet", "origin", "v1"]);
    world.commit("work", Maker::signing("alice"), "next");
    world.git_as("work", Maker::signing("alice"), &["tag", "--force", "--sign", "-m", "x", "v1"]);
    let moved = world.id("work", "refs/tags/v1");
    assert_ne!(base, moved);
    let name = "refs/tags/v1";
    let expected = ["forced-update: would move the tag `v1`, which others may have"];
    assert_eq!(both(&world, &[(name, &moved)]), expected);
    assert!(both(&world, &[("refs/tags/v2", &world.id("work", "HEAD"))])[0].starts_with("unsigned-tag: "));
    let observed = push(&world, &[(name, "")]);
    let (_, outcome) = observed.outcomes.iter().find(|(_, outcome)| !outcome.findings.is_empty()).unwrap();
    assert!(outcome.findings[0].weaker);
}

#[test]
fn commits_that_the_remote_has_and_we_do_not_are_lost() {
    let world = world();
    world.git("", &["clone", "--quiet", &server(&world), "elsewhere"]);
    world.commit("elsewhere", Maker::signing("bob"), "theirs");
    world.git("elsewhere", &["push", "--quiet", "origin", "main"]);
    let ours = world.commit("work", Maker::signing("alice"), "ours");
    let expected = "forced-update: would take commits that are not here off the branch `main`";
    assert_eq!(said(&push(&world, &[(MAIN, &ours)])), [expected]);
    let on_server = "forced-update: would take 1 commit off the branch `main`";
    assert_eq!(said(&receive(&world, &[(MAIN, &ours)])), [on_server]);
    // In a clone that has not all, it is not known.
    let url = format!("file://{}", server(&world));
    world.git("", &["clone", "--quiet", "--depth=1", "--branch=main", &url, "shallow"]);
    let tip = world.commit("shallow", Maker::signing("alice"), "x");
    let line = format!("{MAIN} {tip} {MAIN} {}\n", world.id("work", "HEAD~1"));
    let observed = refs::judge_push(&request(&world, "shallow"), "origin", &url, &line).unwrap();
    assert!(said(&observed)[0].starts_with("forced-update? "), "{:?}", said(&observed));
}

#[test]
fn the_base_says_whom_to_trust_and_not_the_change() {
    let world = world();
    let list = format!("eve@example.com {}\n", world.public("eve"));
    world.write("work/.toolbelt/allowed_signers", &list);
    world.write("work/toolbelt.toml", "version = 1\n");
    let tip = world.commit("work", Maker::signing("eve"), "let me in");
    let said = both(&world, &[(MAIN, &tip)]);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("untrusted-signer: is signed, but its SSH key is not in"));
    let unsigned = world.commit("work", Maker::not_signing("eve"), "unsigned");
    assert!(both(&world, &[(MAIN, &unsigned)]).contains(&"unsigned-commit: is not signed".to_owned()));
}

#[test]
fn without_a_list_nothing_is_said_unless_the_policy_asks() {
    let world = world();
    world.git("work", &["rm", "--quiet", "-r", ".toolbelt", "toolbelt.toml"]);
    let base = world.commit("work", Maker::not_signing("alice"), "no list");
    world.git("work", &["push", "--quiet", "origin", "main"]);
    let tip = world.commit("work", Maker::signing("eve"), "signed");
    assert!(both(&world, &[(MAIN, &tip)]).is_empty());
    // A wrong signature is wrong whomever one trusts.
    let changed = world.git("work", &["cat-file", "commit", &tip]).replace("\n\nsigned", "\n\nother") + "\n";
    let changed = world.object("work", "commit", changed.as_bytes());
    assert!(both(&world, &[(MAIN, &changed)])[0].starts_with("untrusted-signer: has a bad signature"));
    world.git("work", &["reset", "--quiet", "--hard", &base]);
    world.write("work/toolbelt.toml", "version = 1\nrules.untrusted-signer = \"deny\"\n");
    world.commit("work", Maker::not_signing("alice"), "policy");
    world.git("work", &["push", "--quiet", "origin", "main"]);
    let tip = world.commit("work", Maker::signing("eve"), "signed");
    assert!(
        both(&world, &[(MAIN, &tip)])[0].starts_with("untrusted-signer? the base has no `.toolbelt/allowed_signers`")
    );
}

#[test]
fn hostile_names_are_only_names() {
    let world = world();
    let tip = world.id("work", "HEAD");
    for name in ["refs/heads/\u{202e}main", "refs/heads/-f", "refs/tags/../../x", "refs/heads/main\u{7f}", "HEAD", "x"]
    {
        let line = format!("{name} {tip} {name} {ZERO}\n");
        refs::judge_push(&request(&world, "work"), "origin", &server(&world), &line).unwrap();
        refs::judge_receive(&request(&world, "server"), &format!("{ZERO} {tip} {name}\n")).unwrap();
    }
    for input in ["x", "a b c d\n", &format!("{tip} {tip}\n")] {
        assert!(refs::judge_push(&request(&world, "work"), "origin", "", input).is_err());
        assert!(refs::judge_receive(&request(&world, "server"), input).is_err());
    }
    let observed = refs::judge_push(&request(&world, "work"), "", "", "").unwrap();
    assert!(said(&observed).is_empty());
    let nothing = "1111111111111111111111111111111111111111";
    let observed = push(&world, &[(MAIN, nothing)]);
    assert!(observed.coverage.could_not_look, "an object that is not there was not looked at");
}

/// Numbers that look random and are the same in each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64)]
    }
}

/// Grows a history of commits, merges and tags by several hands; the tags.
fn grow(world: &World, numbers: &mut Numbers) -> Vec<String> {
    let mut tips = vec![world.id("work", "HEAD")];
    let mut tags = Vec::new();
    for step in 0..12 {
        let person = ["alice", "bob", "eve", "lead", "ci"];
        let maker = Maker {
            author: numbers.one(&person),
            committer: numbers.one(&person),
            key: numbers.one(&[Some("alice"), Some("alice"), Some("bob"), Some("eve"), None]),
            // Some after bob's key ended, some before what they follow, some far in the future.
            date: DAY + numbers.one(&[0, 100, -86_400, 40 * 86_400, 400 * 86_400]),
        };
        let tip = numbers.one(&tips.iter().map(String::as_str).collect::<Vec<_>>()).to_owned();
        world.git("work", &["checkout", "--quiet", "--detach", &tip]);
        match numbers.below(5) {
            0 if tips.len() > 1 => {
                let other = numbers.one(&tips.iter().map(String::as_str).collect::<Vec<_>>()).to_owned();
                let _ = world.command("work", maker).args(["merge", "-q", "--no-ff", "-m", "merge", &other]).output();
                tips.push(world.id("work", "HEAD"));
            }
            1 => {
                let name = format!("v{step}");
                let kind = if maker.key.is_some() { "--sign" } else { "--annotate" };
                match numbers.below(4) {
                    0 => world.git("work", &["tag", &name]),
                    _ => world.git_as("work", maker, &["tag", kind, "-m", "x", &name]),
                };
                tags.push(name);
            }
            _ => {
                world.write(&format!("work/{step}"), "x\n");
                tips.push(world.commit("work", maker, &step.to_string()));
            }
        }
    }
    // One commit that has everything.
    let all = tips.iter().map(String::as_str).collect::<Vec<_>>();
    world.git("work", &["checkout", "--quiet", "--detach", all[0]]);
    let merge = ["merge", "--quiet", "--no-ff", "-s", "ours", "-m", "all"];
    let _ = world.command("work", Maker::signing("alice")).args(merge).args(&all[1..]).output();
    tags
}

/// What rules over commits and tags say: rule, subject, message, whether it is the weaker form.
fn over_objects(observed: &Observed) -> Vec<String> {
    let rules = ["unsigned-commit", "unsigned-tag", "untrusted-signer", "identity-mismatch"];
    let mut said = Vec::new();
    for (rule, outcome) in observed.outcomes.iter().filter(|(rule, _)| rules.contains(&rule.id)) {
        let findings = outcome.findings.iter();
        said.extend(findings.map(|one| format!("{} {} {} {}", rule.id, one.subject.name, one.message, one.weaker)));
        said.extend(outcome.not_checked.iter().map(|gap| format!("{} {:?}", rule.id, gap)));
    }
    said.sort();
    said
}

#[test]
fn the_same_is_said_before_a_push_on_the_server_and_of_the_range() {
    let mut all = BTreeSet::new();
    for seed in 1..=6 {
        let world = world();
        let base = world.id("work", "HEAD");
        let tags = grow(&world, &mut Numbers(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed)));
        let tip = world.id("work", "HEAD");
        let names: Vec<String> = tags.iter().map(|tag| format!("refs/tags/{tag}")).collect();
        let ids: Vec<String> = names.iter().map(|name| world.id("work", name)).collect();
        let mut moves: Vec<(&str, &str)> = vec![(MAIN, &tip)];
        moves.extend(names.iter().map(String::as_str).zip(ids.iter().map(String::as_str)));
        let pushed = over_objects(&push(&world, &moves));
        let received = over_objects(&receive(&world, &moves));
        let range = format!("{base}..{tip} {}", tags.join(" "));
        let asked = Request { base: Some(base.clone()), ..request(&world, "work") };
        let ranged = over_objects(&refs::judge_range(&asked, &range, Rewrites::Told).unwrap());
        assert_eq!(pushed, received, "seed {seed}");
        assert_eq!(pushed, ranged, "seed {seed}");
        assert!(!pushed.is_empty());
        compare_with_git(&world, &base, &tip, &pushed);
        all.extend(pushed.iter().map(|said| said.split(' ').next().unwrap().to_owned()));
    }
    assert_eq!(all.len(), 4, "the histories are too tame: {all:?}");
}

/// git and OpenSSH trust the same commits, but for those from the future, whose date only we doubt.
fn compare_with_git(world: &World, base: &str, tip: &str, said: &[String]) {
    fs::write(world.path("list"), world.git("work", &["show", &format!("{base}:.toolbelt/allowed_signers")]) + "\n")
        .unwrap();
    let setting = format!("gpg.ssh.allowedSignersFile={}", world.path("list").display());
    for id in world.git("work", &["rev-list", &format!("{base}..{tip}")]).lines() {
        let mut command = world.command("work", Maker::not_signing("nobody"));
        let is_trusted = command.args(["-c", &setting, "verify-commit", id]).output().unwrap().status.success();
        let about = |rule: &str| said.iter().find(|said| said.starts_with(&format!("{rule} {id} ")));
        let ours = about("untrusted-signer").is_none() && about("unsigned-commit").is_none();
        let is_future = about("untrusted-signer").is_some_and(|said| said.contains("in the future"));
        assert!(is_trusted == ours || is_future, "{id}: git {is_trusted}, {:?}", about("untrusted-signer"));
    }
}

/// Everything that a verification says of refs that were rewritten.
fn rewritten(world: &World, rewrites: Rewrites) -> Vec<String> {
    let observed = refs::judge_range(&request(world, "work"), "HEAD", rewrites).unwrap();
    said(&observed).into_iter().filter(|said| said.starts_with("rewritten-history")).collect()
}

#[test]
fn history_that_was_rewritten_elsewhere_is_told_until_it_is_accepted() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    world.git("work", &["push", "--quiet", "origin", "main"]);
    assert!(rewritten(&world, Rewrites::Told).is_empty(), "nothing is known yet");
    // Going on is fine.
    world.git("", &["clone", "--quiet", &server(&world), "elsewhere"]);
    world.commit("elsewhere", Maker::signing("bob"), "two");
    world.git("elsewhere", &["push", "--quiet", "origin", "main"]);
    world.git("work", &["fetch", "--quiet"]);
    assert!(rewritten(&world, Rewrites::Told).is_empty());
    // Going back is not.
    world.git("elsewhere", &["reset", "--quiet", "--hard", "HEAD~2"]);
    world.commit("elsewhere", Maker::signing("bob"), "other");
    world.git("elsewhere", &["push", "--quiet", "--force", "origin", "main"]);
    world.git("work", &["fetch", "--quiet"]);
    let expected = ["rewritten-history: the branch `main` of `origin` lost 2 commits since it was last seen"];
    assert_eq!(rewritten(&world, Rewrites::Told), expected);
    let tip = world.id("work", "HEAD");
    assert!(
        said(&push(&world, &[("refs/heads/topic", &tip)])).contains(&expected[0].to_owned()),
        "a push tells it too"
    );
    assert_eq!(rewritten(&world, Rewrites::Told), expected, "again and again");
    assert!(rewritten(&world, Rewrites::Accepted).is_empty());
    assert!(rewritten(&world, Rewrites::Told).is_empty());
}

#[test]
fn what_we_rewrite_ourselves_is_known() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    world.git("work", &["push", "--quiet", "origin", "main"]);
    rewritten(&world, Rewrites::Told);
    world.git_as(
        "work",
        Maker::signing("alice").at(DAY + 5),
        &["commit", "--quiet", "--allow-empty", "--amend", "-m", "two"],
    );
    let (old, new) = (world.id("work", "origin/main"), world.id("work", "HEAD"));
    push(&world, &[(MAIN, &new)]);
    world.git("work", &["push", "--quiet", "--force", "origin", "main"]);
    assert!(rewritten(&world, Rewrites::Told).is_empty());
    // That it comes back is not our doing.
    world.git("server", &["update-ref", MAIN, &old]);
    world.git("work", &["fetch", "--quiet"]);
    assert_eq!(rewritten(&world, Rewrites::Told).len(), 1);
}

#[test]
fn a_remote_that_is_ahead_of_the_last_fetch_is_not_rewritten() {
    let world = world();
    rewritten(&world, Rewrites::Told);
    world.git("", &["clone", "--quiet", &server(&world), "elsewhere"]);
    let theirs = world.commit("elsewhere", Maker::signing("bob"), "theirs");
    world.git("elsewhere", &["push", "--quiet", "origin", "main"]);
    // It is here without the ref that follows the remote having moved.
    world.git("work", &["fetch", "--quiet", "--no-tags", &world.path("elsewhere").display().to_string(), "main"]);
    push(&world, &[("refs/heads/main", &theirs)]);
    assert!(rewritten(&world, Rewrites::Told).is_empty());
    world.git("work", &["fetch", "--quiet"]);
    assert!(rewritten(&world, Rewrites::Told).is_empty());
}

#[test]
fn a_tag_that_names_something_else_is_told() {
    let world = world();
    world.git("work", &["tag", "v1"]);
    rewritten(&world, Rewrites::Told);
    world.commit("work", Maker::signing("alice"), "one");
    world.git("work", &["tag", "--force", "v1"]);
    let expected = ["rewritten-history: the tag `v1` does not name what it did since it was last seen"];
    assert_eq!(rewritten(&world, Rewrites::Told), expected);
}

#[test]
fn other_branches_are_rewritten_every_day() {
    let world = world();
    world.commit("work", Maker::signing("alice"), "one");
    world.git("work", &["push", "--quiet", "origin", "main:topic"]);
    rewritten(&world, Rewrites::Told);
    world.git("server", &["update-ref", "refs/heads/topic", MAIN]);
    world.git("work", &["fetch", "--quiet"]);
    assert!(rewritten(&world, Rewrites::Told).is_empty());
}

#[test]
fn a_log_that_was_changed_is_told_and_begun_anew_on_demand() {
    let world = world();
    rewritten(&world, Rewrites::Told);
    let log = world.path("work/.git/toolbelt/refs.log");
    let text = fs::read_to_string(&log).unwrap();
    let main = world.id("work", "origin/main");
    fs::write(&log, text.replace(&main, ZERO)).unwrap();
    let told = rewritten(&world, Rewrites::Told);
    assert_eq!(told, ["rewritten-history: the log of what refs were was changed: its end is not what it was"]);
    assert_eq!(rewritten(&world, Rewrites::Told), told);
    assert!(rewritten(&world, Rewrites::Accepted).is_empty());
    assert!(rewritten(&world, Rewrites::Told).is_empty());
    fs::write(&log, [0xff; 64]).unwrap();
    fs::write(world.path("work/.git/toolbelt/refs.head"), [0xff; 64]).unwrap();
    assert_eq!(rewritten(&world, Rewrites::Told).len(), 1);
}
