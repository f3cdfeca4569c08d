//! Commits and pushes of every kind.

use std::fs;

use crate::hooks::{Repository, World, bait, token, with_each_git};

const STOPPED: &str = "toolbelt pre-commit: stopped this commit: 1 denied";
const PUSH_STOPPED: &str = "toolbelt pre-push: stopped this push";

#[test]
fn commits_of_every_kind_are_looked_at() {
    with_each_git(|world| {
        let repository = world.repository("r");
        repository.commit("a", "one\n").done();
        repository.commit("bait", &bait()).stopped(STOPPED);
        repository.git("rm -q --cached bait").done();

        repository.write("a", &bait());
        repository.git("commit -qam all").stopped(STOPPED);
        repository.git("commit -qm path a").stopped(STOPPED);
        repository.git("commit -q --amend -a --no-edit").stopped(STOPPED);
        // What is not part of the commit is not looked at: of a partial commit, the rest of the index.
        repository.git("add a").done();
        repository.write("b", "b\n");
        repository.git("add b").done();
        repository.git("commit -qm only b").done();
        assert_eq!(repository.git("diff --cached --name-only").done(), "a");
        repository.git("reset -q --hard").done();
        repository.git("commit -q --allow-empty -m empty").done();
        repository.git("commit -q --amend --allow-empty -m again").done();
        let message = format!("about {}", token());
        repository.git_with(&["commit", "-q", "--allow-empty", "-m", &message]).stopped("commit-msg: stopped");
        assert_eq!(repository.git("log -1 --format=%s").done(), "again");
    });
}

#[test]
fn what_one_work_tree_stages_is_looked_at_from_a_folder_below_and_with_a_detached_head() {
    with_each_git(|world| {
        let repository = world.repository("r");
        repository.git("worktree add -q --detach ../linked").done();
        let linked = world.at("linked");
        linked.commit("deep/er/bait", &bait()).stopped(STOPPED);
        linked.write("deep/er/bait", "nothing\n");
        linked.git("add .").done();
        let below = Repository { world, folder: linked.folder.join("deep/er") };
        below.git("commit -qm below").done();
        assert!(!repository.folder.join(".git/worktrees/linked/toolbelt").exists());
        assert_eq!(repository.read(".git/toolbelt/receipts").lines().count(), 1);
    });
}

#[test]
fn a_submodule_has_hooks_of_its_own() {
    with_each_git(|world| {
        world.repository("inner");
        let outer = world.repository("outer");
        outer.git_with(&["submodule", "--quiet", "add", "../inner", "module"]).done();
        outer.git("commit -qm module").done();
        let module = world.at("outer/module");
        module.git("toolbelt protect install").done();
        let state = outer.folder.join(".git/modules/module/toolbelt/protect.json");
        assert!(state.is_file(), "the state is in the git directory of the submodule");
        module.commit("bait", &bait()).stopped(STOPPED);
    });
}

#[test]
fn merges_patches_and_what_git_replays_go_on() {
    with_each_git(|world| {
        let repository = world.repository("r");
        repository.git("checkout -q -b topic").done();
        repository.commit_unseen("theirs", &bait());
        repository.git("checkout -q main").done();
        repository.commit("ours", "x\n").done();
        // What comes from a parent is not new; that it is there is told where it was made, and at the push.
        repository.git("merge -q --no-edit topic").done();
        repository.git("merge -q --no-ff --no-commit topic").done();
        repository.git("reset -q --hard HEAD~1").done();
        repository.git("merge -q --no-ff --no-commit topic").done();
        repository.write("evil", &bait());
        repository.git("add evil").done();
        repository.git("commit -q --no-edit").stopped(STOPPED);
        repository.git("merge --abort").done();

        repository.git("cherry-pick topic").done();
        repository.git("revert --no-edit HEAD").done();
        repository.git("checkout -q -b replayed HEAD~2").done();
        repository.commit("more", "y\n").done();
        repository.git("rebase -q main").done();
        repository.write("more", "z\n");
        repository.git("stash -q").done();
        repository.git("stash pop -q").done();
        repository.git("checkout -q more").done();

        let patch = repository.git("format-patch -1 --stdout topic").done();
        fs::write(world.path("patch"), patch + "\n").unwrap();
        repository.git("am -q ../patch").stopped("pre-applypatch: stopped this commit: 1 denied");
        repository.git("am --abort").done();
    });
}

#[test]
fn a_merge_without_conflicts_is_looked_at_where_it_adds_something() {
    with_each_git(|world| {
        let repository = world.repository("r");
        repository.git("checkout -q -b topic").done();
        repository.commit("theirs", "a\n").done();
        repository.git("checkout -q main").done();
        repository.commit("ours", "x\n").done();
        // A driver that puts something into the merge that neither side has.
        repository.write(".gitattributes", "both merge=bad\n");
        repository.commit("both", "1\n").done();
        repository.git("checkout -q topic").done();
        repository.commit("both", "2\n").done();
        repository.git("checkout -q main").done();
        repository.script("../driver", &format!("#!/bin/sh\ncat >\"$2\" <<X\n{}X\n", bait()));
        let driver = format!("{} %O %A", world.path("driver").display());
        repository.git_with(&["config", "merge.bad.driver", &driver]).done();
        repository.git("merge -q --no-edit topic").stopped("pre-merge-commit: stopped this commit: 1 denied");
    });
}

#[test]
fn what_had_no_hook_is_stopped_at_the_push_and_leaves_a_trace() {
    with_each_git(|world| {
        let server = world.bare("server");
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        repository.commit("a", "a\n").done();
        let said = repository.git("push -q origin main").done();
        assert!(said.contains("1 of 2 commits had no hook"), "before the install, there were none: {said}");
        repository.commit("a", "b\n").done();
        assert_eq!(repository.git("push -q origin main").done(), "");
        repository.commit_unseen("b", "b\n");
        let said = repository.git("push -q origin main").done();
        assert!(said.contains("1 of 1 commit had no hook"), "{said}");
        let before = server.id("main");
        repository.commit_unseen("c", &bait());
        repository.git("push -q origin main").stopped(PUSH_STOPPED);
        assert_eq!(server.id("main"), before);
        // As git rebase, cherry-pick and revert do, which run no hook.
        repository.git("revert --no-edit HEAD").done();
        repository.git("push -q origin main").stopped(PUSH_STOPPED);
    });
}

#[test]
fn pushes_of_every_kind_are_looked_at() {
    with_each_git(|world| {
        let (server, other) = (world.bare("server"), world.bare("other"));
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        repository.git("push -q origin main").done();

        repository.git("checkout -q -b topic").done();
        repository.commit_unseen("bait", &bait());
        repository.git("push -q origin topic").stopped(PUSH_STOPPED);
        repository.git("push -q origin topic:refs/heads/x y:z").stopped("src refspec");
        repository.git("push -q --mirror origin").stopped(PUSH_STOPPED);
        repository.git("tag light").done();
        repository.git("push -q origin light").stopped(PUSH_STOPPED);
        repository.git("reset -q --hard main").done();
        repository.git("tag -d light").done();

        let message = format!("release {}", token());
        repository.git_with(&["tag", "-a", "-m", &message, "bad"]).done();
        repository.git("push -q origin bad").stopped(PUSH_STOPPED);
        repository.git("tag -d bad").done();
        repository.git("tag -a -m release good").done();
        repository.git("push -q origin good").done();

        repository.commit("topic", "t\n").done();
        repository.git("push -q -u origin topic").done();
        repository.git("push -q origin :topic").done();
        assert_eq!(server.git("branch --list topic").done(), "");
        repository.git("push -q origin main").done();

        // Two places of one remote: git runs the hook for each.
        repository.git_with(&["remote", "set-url", "--add", "--push", "origin", "../server"]).done();
        repository.git_with(&["remote", "set-url", "--add", "--push", "origin", "../other"]).done();
        repository.git("push -q origin main").done();
        assert_eq!(server.id("main"), other.id("main"));
        repository.git("push -q ../other topic").done();
        assert_eq!(other.id("topic"), repository.id("topic"));
    });
}

#[test]
fn what_others_rely_on_is_neither_rewritten_nor_deleted() {
    with_each_git(|world| {
        let server = world.bare("server");
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        repository.commit("a", "a\n").done();
        repository.commit("toolbelt.toml", "version = 1\n[protect]\nrefs = [\"refs/heads/release/*\"]\n").done();
        repository.git("tag -a -m one v1").done();
        repository.git("push -q origin main v1 main:release/1 main:topic").done();
        let before = server.id("main");
        repository.git("commit -q --amend -m rewritten").done();
        repository.git("push -q --force origin main").stopped("error[forced-update]");
        repository.git("push -q --force origin main:release/1").stopped("error[forced-update]");
        repository.git("push -q origin :main").stopped("error[protected-ref-deleted]");
        repository.git("push -q origin :release/1").stopped("error[protected-ref-deleted]");
        repository.git("tag -f -a -m two v1").done();
        repository.git("push -q --force origin v1").stopped("v1");
        assert_eq!(server.id("main"), before);
        // Nobody said that this one is to stay.
        repository.git("push -q --force origin main:topic").done();
        assert_eq!(server.id("topic"), repository.id("main"));
        repository.git("push -q origin :topic").done();
    });
}

#[test]
fn a_server_looks_at_what_it_receives_before_it_is_there() {
    with_each_git(|world| {
        let server = world.bare("server");
        let said = server.git("toolbelt protect install");
        assert_eq!(said.code, 2, "{}", said.text);
        assert!(said.text.contains("protect install --server"), "{}", said.text);
        server.git("toolbelt protect install --server").done();
        let said = server.git("toolbelt protect doctor").done();
        assert!(said.contains("pre-receive       fires, and sees a token"), "{said}");

        let client = world.plain_repository("client");
        client.commit("a", "a\n").done();
        client.git("remote add origin ../server").done();
        client.git("push -q origin main").done();
        client.commit("bait", &bait()).done();
        let said = client.git("push -q origin main");
        assert!(said.text.contains("toolbelt pre-receive: stopped this push: 1 denied"), "{}", said.text);
        assert_eq!(server.id("main"), client.id("main~1"));
        assert_eq!(server.git("cat-file -t main~0").done(), "commit");
        world.set_toolbelt(false);
        client.git("reset -q --hard HEAD~1").done();
        client.commit("b", "b\n").done();
        client.git("push -q origin main").stopped("nothing is taken");
        world.set_toolbelt(true);
        client.git("push -q origin main").done();
    });
}

/// A server with our hook, and a client without any, whose first commit it has.
fn server_and_client(world: &World) -> (Repository<'_>, Repository<'_>) {
    let server = world.bare("server");
    server.git("toolbelt protect install --server").done();
    let client = world.plain_repository("client");
    client.commit("a", "a\n").done();
    client.git("remote add origin ../server").done();
    client.git("push -q origin main").done();
    (server, client)
}

#[test]
fn a_ref_that_stands_for_another_is_protected_as_that_one() {
    with_each_git(|world| {
        let (server, client) = server_and_client(world);
        server.git("symbolic-ref refs/heads/old refs/heads/main").done();
        client.commit("b", "b\n").done();
        client.git("push -q origin main").done();
        let before = server.id("main");
        client.git("push -q --force origin HEAD~1:refs/heads/old").stopped("main");
        client.git("push -q origin :refs/heads/old").stopped("main");
        assert_eq!(server.id("main"), before);
    });
}

#[test]
fn a_server_whose_head_leads_nowhere_protects_what_is_usual() {
    with_each_git(|world| {
        let (server, client) = server_and_client(world);
        server.git("symbolic-ref HEAD refs/heads/gone").done();
        client.commit("b", "b\n").done();
        client.git("push -q origin main").done();
        client.git("push -q --force origin HEAD~1:main").stopped("main");
        client.git("push -q origin :main").stopped("main");
    });
}

#[test]
fn what_says_how_to_judge_is_understood_before_it_is_taken_and_can_be_put_right() {
    with_each_git(|world| {
        let (server, client) = server_and_client(world);
        let too_long = "# nobody\n".repeat(1 << 18);
        for (file, content) in [
            ("toolbelt.toml", "version = 1\nnonsense = 3\n"),
            (".toolbelt/patterns.toml", "x = [\n"),
            (".toolbelt/allowed_signers", too_long.as_str()),
        ] {
            fs::create_dir_all(client.folder.join(".toolbelt")).unwrap();
            client.commit(file, content).done();
            client.git("push -q origin main").stopped(file);
            // It is there nevertheless, as from before there was a hook.
            client.git("push -q origin main:refs/heads/other").stopped(file);
            server.git("toolbelt protect uninstall").done();
            client.git("push -q origin main").done();
            server.git("toolbelt protect install --server").done();
            client.git(&format!("rm -q {file}")).done();
            client.git("commit -q -m right").done();
            let said = client.git("push -q origin main").done();
            assert!(said.contains("passes, incomplete") || file.ends_with("signers"), "{said}");
            client.commit("bait", &bait()).done();
            client.git("push -q origin main").stopped("1 denied");
            client.git("reset -q --hard HEAD~1").done();
        }
    });
}

#[test]
fn a_policy_that_takes_checks_away_is_told_and_one_that_is_pinned_stays() {
    with_each_git(|world| {
        let (server, client) = server_and_client(world);
        client.commit("toolbelt.toml", "version = 1\n[protect]\npre-receive = []\n").done();
        let said = client.git("push -q origin main").done();
        assert!(said.contains("guard-weakened") && said.contains("does not check `refs` any more"), "{said}");
        client.commit("b", "b\n").done();
        client.git("push -q origin main").done();
        fs::write(world.path("pinned.toml"), "version = 1\n").unwrap();
        let pinned = world.path("pinned.toml").display().to_string();
        server.git_with(&["config", "toolbelt.policy", &pinned]).done();
        client.git("push -q --force origin HEAD~1:main").stopped("main");
        server.git("config toolbelt.policy pinned.toml").done();
        client.git("push -q origin main:other").stopped("not an absolute path");
    });
}

#[test]
fn what_one_ref_brings_does_not_excuse_another() {
    with_each_git(|world| {
        let (server, client) = server_and_client(world);
        client.git("push -q origin main:release").done();
        client.commit("toolbelt.toml", "version = 1\n[protect]\nrefs = [\"refs/heads/release\"]\n").done();
        client.git("push -q origin main").done();
        client.git("checkout -q -b topic").done();
        let exemption = "version = 1\n[[exemption]]\nrule = \"forced-update\"\nsubject = \"refs/heads/release\"\n\
                         reason = \"x\"\nowner = \"y\"\nuntil = 2999-01-01\n";
        client.commit("toolbelt.toml", exemption).done();
        client.git("checkout -q --orphan other").done();
        client.commit("c", "c\n").done();
        let before = server.id("release");
        client.git("push -q --force origin topic other:release").stopped("release");
        assert_eq!(server.id("release"), before);
        client.git("push -q origin topic").done();
    });
}

#[test]
fn what_lies_around_does_not_excuse_a_push_that_only_deletes() {
    with_each_git(|world| {
        world.bare("server");
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        repository.git("push -q origin main").done();
        let exemption = "version = 1\n[[exemption]]\nrule = \"protected-ref-deleted\"\nsubject = \"refs/heads/main\"\n\
                         reason = \"x\"\nowner = \"y\"\nuntil = 2999-01-01\n";
        repository.write("toolbelt.toml", exemption);
        repository.git("push -q origin :main").stopped("error[protected-ref-deleted]");
    });
}

#[test]
fn a_change_that_excuses_itself_is_told_where_the_policy_takes_none() {
    with_each_git(|world| {
        let (_, client) = server_and_client(world);
        client.commit("toolbelt.toml", "version = 1\n[scan]\nself-exempted = \"deny\"\n").done();
        client.git("push -q origin main").done();
        client.commit("bait", &bait().replace('\n', " # toolbelt:allow exposed-token it is made up\n")).done();
        let said = client.git("push -q origin main");
        assert!(said.text.contains("takes no exemption that a change brings along"), "{}", said.text);
        said.stopped("error[exposed-token]");
    });
}

#[test]
fn a_server_whose_head_is_detached_has_a_policy_nevertheless() {
    with_each_git(|world| {
        let (server, client) = server_and_client(world);
        client.commit("toolbelt.toml", "version = 1\nrules.large-file = { level = \"deny\", max-mib = 1 }\n").done();
        client.git("push -q origin main:trunk").done();
        server.git("update-ref --no-deref HEAD trunk").done();
        client.commit("large", &"x".repeat(2 << 20)).done();
        client.git("push -q origin main:trunk").stopped("large-file");
    });
}

#[test]
fn a_list_of_keys_that_goes_is_told() {
    with_each_git(|world| {
        let (_, client) = server_and_client(world);
        fs::create_dir_all(client.folder.join(".toolbelt")).unwrap();
        client.commit(".toolbelt/allowed_signers", "# nobody yet\n").done();
        client.git("push -q origin main").done();
        client.git("rm -q .toolbelt/allowed_signers").done();
        client.git("commit -q -m gone").done();
        let said = client.git("push -q origin main").done();
        assert!(said.contains("was removed: nothing says whose signatures count"), "{said}");
    });
}

#[test]
fn refs_that_are_written_here_say_nothing_of_what_the_remote_has() {
    with_each_git(|world| {
        world.bare("server");
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        repository.git("push -q origin main").done();
        repository.git("config --add remote.origin.fetch +refs/tags/*:refs/tags/*").done();
        repository.commit_unseen("bait", &bait());
        repository.git("tag -a -m release v1").done();
        repository.git("push -q origin main v1").stopped("1 denied");
    });
}

#[test]
fn dependencies_are_judged_as_they_are_pushed_and_by_the_policy_of_the_other_side() {
    with_each_git(|world| {
        world.bare("server");
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        let policy = "version = 1\n[rules]\nknown-vulnerability = \"allow\"\nknown-malicious = \"allow\"\n\
                      banned-package = { level = \"deny\", packages = [\"papercut\"] }\n";
        repository.commit("toolbelt.toml", policy).done();
        repository.git("push -q origin main").done();
        let manifest = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        let lock = "version = 4\n\n[[package]]\nname = \"mine\"\nversion = \"0.1.0\"\n";
        repository.commit_unseen("Cargo.toml", &format!("{manifest}\n[dependencies]\npapercut = \"1\"\n"));
        let papercut = "\n[[package]]\nname = \"papercut\"\nversion = \"1.0.0\"\n\
                        source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                        checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";
        let with = lock.replace("version = \"0.1.0\"\n", "version = \"0.1.0\"\ndependencies = [\n \"papercut\",\n]\n");
        // The change would allow it; what lies around does not have it.
        repository.commit_unseen("toolbelt.toml", "version = 1\n");
        repository.commit_unseen("Cargo.lock", &(with + papercut));
        repository.write("Cargo.lock", lock);
        repository.git("push -q origin main").stopped("error[banned-package]");
        repository.git("checkout -q -- .").done();
        repository.commit_unseen("Cargo.toml", manifest);
        repository.commit_unseen("Cargo.lock", lock);
        repository.git("push -q origin main").done();
    });
}

#[test]
fn what_could_not_be_checked_stops_a_push_only_where_the_policy_says_so() {
    with_each_git(|world| {
        world.bare("server");
        let repository = world.repository("r");
        repository.git("remote add origin ../server").done();
        repository.git("push -q origin main").done();
        repository.commit("a", "a\n").done();
        let blob = repository.id("HEAD:a");
        let object = repository.folder.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
        fs::rename(&object, world.path("kept")).unwrap();
        let line = format!("refs/heads/main {} refs/heads/main {}\n", repository.id("main"), repository.id("main~1"));
        let said = repository.hook("pre-push -- origin ../server", line.as_bytes());
        assert_eq!(said.code, 0, "{}", said.text);
        assert!(said.text.contains("toolbelt pre-push: passes, incomplete"), "{}", said.text);
        fs::rename(world.path("kept"), &object).unwrap();
        repository.commit("toolbelt.toml", "version = 1\n[protect]\nincomplete = \"deny\"\n").done();
        repository.git("push -q origin main").done();
        repository.commit("a", "b\n").done();
        let blob = repository.id("HEAD:a");
        fs::remove_file(repository.folder.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
        let line = format!("refs/heads/main {} refs/heads/main {}\n", repository.id("main"), repository.id("main~1"));
        let said = repository.hook("pre-push -- origin ../server", line.as_bytes());
        assert_eq!(said.code, 3, "{}", said.text);
        assert!(said.text.contains("stopped this push: not everything could be looked at"), "{}", said.text);
    });
}

#[test]
fn broken_input_is_an_error_and_strange_repositories_are_none() {
    with_each_git(|world| {
        let empty = world.plain_repository("empty");
        empty.git("toolbelt protect install").done();
        assert_eq!(empty.hook("pre-commit", b"").code, 0, "nothing is staged on an unborn branch");
        empty.commit("bait", &bait()).stopped(STOPPED);
        assert_eq!(empty.hook("pre-push -- origin url", b"").code, 0, "everything is up to date");

        let repository = world.repository("r");
        let head = repository.id("HEAD");
        let zero = "0".repeat(40);
        for broken in
            ["x", "refs/heads/a b c d\n", &format!("{head}\n"), &format!("a {head} b {}\n", &head[1..]), "\n\0\n"]
        {
            let said = repository.hook("pre-push -- origin url", broken.as_bytes());
            assert_eq!(said.code, 2, "{broken:?}: {}", said.text);
            assert!(said.text.contains("line 1 of the hook's input is not"), "{}", said.text);
        }
        assert_eq!(repository.hook("pre-push -- origin", b"").code, 2);
        assert_eq!(repository.hook("commit-msg", b"").code, 2);
        assert_eq!(repository.hook("commit-msg -- nowhere", b"").code, 2);
        assert_eq!(repository.hook("post-commit", b"").code, 2);
        // Names that git takes, and that a shell or a terminal would obey.
        for name in
            ["refs/heads/$(touch${IFS}hacked)", "refs/heads/\u{1b}]0;x\u{7}", "refs/heads/-d", "refs/heads/\u{202e}a"]
        {
            let line = format!("{name} {head} {name} {zero}\n");
            let said = repository.hook("pre-push -- origin url", line.as_bytes());
            assert_eq!(said.code, 0, "{}", said.text);
            assert!(!said.text.contains(['\u{1b}', '\u{202e}']), "{:?}", said.text);
        }
        assert_eq!(repository.hook("pre-push -- origin url", b"refs/heads/\xff 0 refs/heads/\xff 0\n").code, 2);
        let line = [format!("\u{e9} {head} refs/heads/").as_bytes(), b"\xff", format!(" {zero}\n").as_bytes()].concat();
        assert_eq!(repository.hook("pre-push -- origin url", &line).code, 0);
        assert!(!repository.folder.join("hacked").exists());
        let outside = world.path("outside");
        fs::create_dir(&outside).unwrap();
        assert_eq!(world.at("outside").hook("pre-commit", b"").code, 2);
    });
}

#[test]
fn a_commit_is_made_though_no_receipt_can_be_left() {
    with_each_git(|world: &World| {
        let repository = world.repository("r");
        // Even root cannot write into a file as if it were a folder.
        fs::remove_dir_all(repository.folder.join(".git/toolbelt")).unwrap();
        repository.write(".git/toolbelt", "");
        repository.commit("a", "a\n").done();
        repository.commit("bait", &bait()).stopped(STOPPED);
    });
}

#[test]
fn the_policy_says_what_is_checked_in_which_hook() {
    with_each_git(|world| {
        let repository = world.repository("r");
        repository.commit("toolbelt.toml", "version = 1\n[protect]\npre-commit = []\n").done();
        repository.commit("bait", &bait()).done();
        repository
            .commit("toolbelt.toml", "version = 1\n[rules]\nmissing-sign-off = \"deny\"\n")
            .stopped("missing-sign-off");
        repository.git("commit -q -s -m signed").done();
        repository.git("toolbelt protect uninstall").done();
    });
}
