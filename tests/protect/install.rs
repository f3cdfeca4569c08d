//! Putting hooks in beside those that are there, proving that they fire, and taking them out to the byte.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use toolbelt_core::source::hooks::GitVersion;

use crate::hooks::{Repository, Snapshot, World, assert_same, bait, snapshot, with_each_git, with_each_older_git};

/// What is there, without what belongs to toolbelt's own folder and without what the tests commit.
fn there(repository: &Repository<'_>) -> Snapshot {
    let mut found = snapshot(&repository.folder);
    found.retain(|path, _| !path.components().any(|part| part.as_os_str() == "toolbelt"));
    found
}

/// Takes the hooks out, after which all has to be as it was.
#[track_caller]
fn taken_out(repository: &Repository<'_>, before: &Snapshot) {
    repository.git("toolbelt protect uninstall").done();
    assert_same(before, &there(repository));
    let said = repository.git("toolbelt protect uninstall").done();
    assert_eq!(said, "nothing of toolbelt is installed here");
}

#[track_caller]
fn all_fire(repository: &Repository<'_>) {
    let before = snapshot(&repository.folder);
    let said = repository.toolbelt("protect doctor").done();
    assert_eq!(said.matches("fires, and sees a token").count(), 5, "{said}");
    // A trial leaves nothing.
    assert_same(&before, &snapshot(&repository.folder));
}

/// A hook that says what it was told, and ends with this code.
fn talkative(code: u8) -> String {
    format!("#!/bin/sh\necho \"previous: $# $*\" >&2\ncat >&2\nexit {code}\n")
}

#[test]
fn nothing_is_done_where_it_is_only_said_and_twice_is_once() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        let before = snapshot(&repository.folder);
        repository.git("toolbelt protect install --dry-run").done();
        assert_same(&before, &snapshot(&repository.folder));
        repository.git("toolbelt protect install").done();
        let once = snapshot(&repository.folder);
        let said = repository.git("toolbelt protect install").done();
        assert_eq!(said.matches(" is installed: ").count(), 5, "{said}");
        assert_same(&once, &snapshot(&repository.folder));
        let said = repository.git("toolbelt protect uninstall --dry-run").done();
        assert_eq!(said.matches("would be removed").count(), 5, "{said}");
        assert_same(&once, &snapshot(&repository.folder));
        repository.git("toolbelt protect uninstall").done();
        assert_same(&before, &snapshot(&repository.folder));
    });
}

#[test]
fn a_hook_that_was_there_keeps_its_input_its_arguments_and_its_say() {
    with_each_older_git(|world| {
        world.bare("server");
        let repository = world.plain_repository("r");
        repository.git("remote add origin ../server").done();
        repository.script(".git/hooks/pre-push", &talkative(0));
        // Without `#!`, which git asks the shell about; it changes what is committed.
        repository.script(".git/hooks/pre-commit", "printf 'formatted\\n' >formatted\ngit add formatted\n");
        repository.script(".git/hooks/commit-msg", "#!/bin/sh\necho 'Change-Id: 1' >>\"$1\"\n");
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);

        repository.commit("a", "a\n").done();
        assert!(repository.git("log -1 --format=%B").done().contains("Change-Id: 1"));
        let tree = repository.id("HEAD^{tree}");
        assert!(repository.read(".git/toolbelt/receipts").contains(&tree), "ours looks at what the other has added");
        let said = repository.git("push -q origin main").done();
        assert!(said.contains("previous: 2 origin ../server"), "{said}");
        let line = format!("refs/heads/main {} refs/heads/main {}", repository.id("main"), "0".repeat(40));
        assert!(said.contains(&line), "{said}");
        // Ours is first at a push: what is stopped must not have been acted upon.
        repository.commit_unseen("bait", &bait());
        let said = repository.git("push -q origin main");
        assert!(said.code != 0 && !said.text.contains("previous:"), "{}", said.text);
        repository.git("reset -q --hard HEAD~1").done();

        repository.script(".git/hooks/before-toolbelt/pre-push", &talkative(9));
        repository.commit("b", "b\n").done();
        repository.git("push -q origin main").stopped("previous: 2");
        repository.script(".git/hooks/before-toolbelt/pre-push", &talkative(0));
        repository.script(".git/hooks/before-toolbelt/pre-commit", "exit 7\n");
        assert_eq!(repository.hook("pre-commit --previous .git/hooks/before-toolbelt/pre-commit", b"").code, 7);
        repository
            .script(".git/hooks/before-toolbelt/pre-commit", "printf 'formatted\\n' >formatted\ngit add formatted\n");

        // A colleague who does not have it commits and pushes as before.
        world.set_toolbelt(false);
        let said = repository.commit("c", "c\n").done();
        assert!(said.contains("git-toolbelt is not on PATH, this commit was not checked"), "{said}");
        let said = repository.git("push -q origin main").done();
        assert!(said.contains("previous: 2 origin ../server"), "{said}");
        world.set_toolbelt(true);
        repository.git("toolbelt protect uninstall").done();
        let hooks = |path: &PathBuf, _: &mut (u32, Vec<u8>)| path.components().any(|part| part.as_os_str() == "hooks");
        let (mut before, mut after) = (before, there(&repository));
        before.retain(hooks);
        after.retain(hooks);
        assert_same(&before, &after);
    });
}

#[test]
fn those_who_push_and_a_server_have_their_hooks_in_one_repository() {
    with_each_older_git(|world| {
        let sides = ["toolbelt protect install", "toolbelt protect install --server"];
        for (number, is_shared) in [(0, false), (1, true)] {
            if is_shared {
                let shared = world.plain_repository("shared");
                shared.script("pre-receive", &talkative(0));
                shared.script("pre-commit", &talkative(0));
                let mut config = world.command("git", &shared.folder);
                config.args(["config", "--global", "core.hooksPath"]).arg(&shared.folder);
                world.run(config, b"").done();
            }
            for (order, [one, other]) in [sides, [sides[1], sides[0]]].into_iter().enumerate() {
                let repository = world.plain_repository(&format!("r{number}{order}"));
                let before = there(&repository);
                repository.git(one).done();
                let said = repository.git(other).done();
                assert_eq!(said.lines().filter(|line| line.contains("installed: ")).count(), 6, "{said}");
                let said = repository.git("toolbelt protect doctor").done();
                assert_eq!(said.matches("fires, and sees a token").count(), 6, "{said}");
                let once = snapshot(&repository.folder);
                repository.git(one).done();
                assert_same(&once, &snapshot(&repository.folder));
                taken_out(&repository, &before);
            }
        }
    });
}

#[test]
fn each_work_tree_has_its_own_hooks_where_they_are_files_in_it() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository.commit(".githooks/readme", "first\n").done();
        repository.git("config core.hooksPath .githooks").done();
        repository.git("worktree add -q --detach ../linked").done();
        let linked = world.at("linked");
        let before = snapshot(&linked.folder);
        repository.git("toolbelt protect install").done();
        linked.git("toolbelt protect install").done();
        all_fire(&repository);
        all_fire(&linked);
        repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        linked.commit("bait", &bait()).stopped("pre-commit: stopped");
        linked.git("rm -q -f --cached bait").done();
        fs::remove_file(linked.folder.join("bait")).unwrap();
        taken_out(&linked, &before);
        all_fire(&repository);

        // Also where the others have theirs in the git directory.
        repository.git("toolbelt protect uninstall").done();
        repository.git("config --unset core.hooksPath").done();
        repository.git("config extensions.worktreeConfig true").done();
        linked.git("config --worktree core.hooksPath .githooks").done();
        repository.git("toolbelt protect install").done();
        linked.git("toolbelt protect install").done();
        all_fire(&repository);
        all_fire(&linked);
        linked.git("toolbelt protect uninstall").done();
        assert_same(&before, &snapshot(&linked.folder));
        all_fire(&repository);
    });
}

#[test]
fn a_folder_for_all_repositories_may_be_that_of_another_one() {
    with_each_older_git(|world| {
        let first = world.plain_repository("first");
        first.git("config core.hooksPath .githooks").done();
        first.git("toolbelt protect install").done();
        let mut config = world.command("git", &first.folder);
        config.args(["config", "--global", "core.hooksPath"]).arg(first.folder.join(".githooks"));
        world.run(config, b"").done();
        let second = world.plain_repository("second");
        second.git("toolbelt protect install").done();
        all_fire(&second);
        all_fire(&first);
        second.git("toolbelt protect uninstall").done();
        all_fire(&first);
    });
}

#[test]
fn a_copy_of_a_repository_has_nothing_to_say_about_the_hooks_of_the_first() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository.git("config core.hooksPath .githooks").done();
        repository.git("toolbelt protect install").done();
        let mut copy = world.command("cp", &repository.folder);
        copy.args(["-R", ".", "../copy"]);
        world.run(copy, b"").done();
        let copy = world.at("copy");
        copy.git("toolbelt protect uninstall").done();
        assert!(!copy.folder.join(".githooks/pre-commit").exists());
        all_fire(&repository);
    });
}

#[test]
fn a_hook_that_looks_at_its_name_finds_it() {
    with_each_older_git(|world| {
        world.bare("server");
        let repository = world.plain_repository("r");
        repository.git("remote add origin ../server").done();
        // What dispatchers do: one script, to which all names lead.
        let text = "#!/bin/sh\ncase $(basename \"$0\") in pre-commit|commit-msg|pre-push) echo \"dispatched ${0##*/}\" >&2 ;; \
                    *) exit 1 ;; esac\n";
        repository.script(".git/hooks/dispatcher", text);
        let hooks = repository.folder.join(".git/hooks");
        symlink("./dispatcher", hooks.join("pre-commit")).unwrap();
        symlink(hooks.join("dispatcher"), hooks.join("commit-msg")).unwrap();
        fs::hard_link(hooks.join("dispatcher"), hooks.join("pre-push")).unwrap();
        let before = snapshot(&hooks);
        let said = repository.git("toolbelt protect install").done();
        assert!(!said.contains("note:"), "{said}");
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        for is_there in [true, false] {
            world.set_toolbelt(is_there);
            let said = repository.git("commit -q --allow-empty -m a").done();
            assert!(said.contains("dispatched pre-commit") && said.contains("dispatched commit-msg"), "{said}");
            assert!(repository.git("push -q origin main").done().contains("dispatched pre-push"));
        }
        world.set_toolbelt(true);
        repository.git("toolbelt protect uninstall").done();
        assert_same(&before, &snapshot(&hooks));
        // One that looks beside itself finds another folder.
        fs::remove_file(hooks.join("commit-msg")).unwrap();
        repository.script(".git/hooks/commit-msg", "#!/bin/sh\n. \"$(dirname \"$0\")/library\"\n");
        let said = repository.git("toolbelt protect install").done();
        assert_eq!(said.matches("looks at where it lies, which is a folder deeper now").count(), 1, "{said}");
    });
}

#[test]
fn strange_hooks_are_brought_back_as_they_were() {
    with_each_older_git(|world| {
        let repository = world.repository("r");
        repository.git("toolbelt protect uninstall").done();
        repository.script("scripts/check", &talkative(0));
        symlink("../../scripts/check", repository.folder.join(".git/hooks/pre-commit")).unwrap();
        symlink("nowhere", repository.folder.join(".git/hooks/commit-msg")).unwrap();
        // Git does not run this one, and neither do we.
        repository.write(".git/hooks/pre-push", &talkative(1));
        repository.write(".git/hooks/pre-applypatch", "not a script");
        let path = repository.folder.join(".git/hooks/pre-applypatch");
        fs::set_permissions(path, fs::Permissions::from_mode(0o704)).unwrap();
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        repository.git("toolbelt protect install").done();
        repository.write("a", "a\n");
        repository.git("add a").done();
        assert!(repository.git("commit -qm a").done().contains("previous: 0"));
        repository.git("update-ref -d HEAD").done();
        repository.git("reset -q").done();
        fs::remove_file(repository.folder.join("a")).unwrap();
        repository.git("toolbelt protect uninstall").done();
        let after = there(&repository);
        for (path, state) in before.iter().filter(|(path, _)| path.starts_with(repository.folder.join(".git/hooks"))) {
            assert_eq!(after.get(path), Some(state), "{}", path.display());
        }
        // A folder, and a name that is taken, are nobody's to move.
        fs::create_dir(repository.folder.join(".git/hooks/pre-merge-commit")).unwrap();
        let before = snapshot(&repository.folder);
        let said = repository.git("toolbelt protect install");
        assert!(said.code == 2 && said.text.contains("it is a folder"), "{}", said.text);
        assert_same(&before, &snapshot(&repository.folder));
    });
}

fn json(said: &str) -> serde_json::Value {
    serde_json::from_str(said).unwrap()
}

#[test]
fn a_hook_that_was_there_is_named_where_it_runs() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository.script(".git/hooks/pre-commit", &talkative(0));
        repository.write(".git/hooks/pre-push", &talkative(0));
        symlink("nowhere", repository.folder.join(".git/hooks/commit-msg")).unwrap();
        let said = repository.git("toolbelt protect status").done();
        assert!(!said.contains("still run"), "{said}");
        let said = repository.git("toolbelt protect install --dry-run").done();
        assert_eq!(said.matches("would still run: ").count(), 1, "{said}");
        let said = repository.git("toolbelt protect install --dry-run --format json").done();
        let report = json(&said);
        assert_eq!((report["version"].as_u64(), report["dry_run"].as_bool()), (Some(1), Some(true)));
        let rows = report["hooks"].as_array().unwrap();
        assert_eq!(rows.iter().filter(|row| row["previous"].is_string()).count(), 1, "{said}");
        assert!(rows.iter().all(|row| row["was_installed"] == false && row["path"].is_string()), "{said}");
        let said = repository.git("toolbelt protect install").done();
        let line = "the hook that was there still runs: ";
        assert_eq!(said.matches(line).count(), 1, "{said}");
        assert_eq!(repository.git("toolbelt protect status").done().matches(line).count(), 1);
        let report = json(&repository.git("toolbelt protect uninstall --dry-run --format json").done());
        let whats: Vec<&str> =
            report["files"].as_array().unwrap().iter().filter_map(|file| file["what"].as_str()).collect();
        assert_eq!(whats, ["brought-back", "removed", "brought-back", "removed", "brought-back"]);
        let report = json(&repository.git("toolbelt protect uninstall --format json").done());
        assert_eq!(report["dry_run"].as_bool(), Some(false));
    });
}

#[test]
fn where_hooks_are_switched_off_it_is_said_and_where() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository.git("config core.hooksPath /dev/null").done();
        for command in ["install", "status"] {
            let said = repository.git(&format!("toolbelt protect {command}"));
            assert_eq!(said.code, 2, "{}", said.text);
            let line = "hooks are switched off: `core.hooksPath` is `/dev/null` in `.git/config`";
            assert!(said.text.contains(line), "{}", said.text);
        }
        repository.git("toolbelt protect uninstall").done();
        // For all repositories: this one may have some nevertheless.
        repository.git("config --unset core.hooksPath").done();
        repository.git("config --global core.hooksPath /dev/null").done();
        let said = repository.git("toolbelt protect install").done();
        assert!(said.contains("switched off for all repositories; in this one they run"), "{said}");
        all_fire(&repository);
    });
}

#[test]
fn what_a_run_that_was_killed_was_writing_is_gone_after_the_next() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        let before = snapshot(&repository.folder);
        let leave = || {
            for folder in [".git/toolbelt", ".git/hooks", "."] {
                repository.write(&format!("{folder}/.toolbelt-a1B2c3"), "half of someth");
            }
        };
        let is_left = || snapshot(&repository.folder).keys().any(|path| path.ends_with(".toolbelt-a1B2c3"));
        leave();
        repository.git("toolbelt protect install").done();
        assert!(!is_left());
        leave();
        repository.git("toolbelt protect uninstall").done();
        assert_same(&before, &snapshot(&repository.folder));
    });
}

#[test]
fn what_was_half_done_is_finished_or_undone() {
    with_each_older_git(|world| {
        for (number, finish) in [true, false].into_iter().enumerate() {
            let repository = world.plain_repository(&format!("r{number}"));
            repository.script(".git/hooks/pre-commit", &talkative(0));
            repository.script(".git/hooks/commit-msg", &talkative(0));
            repository.script(".git/hooks/pre-push", &talkative(0));
            let before = there(&repository);
            repository.git("toolbelt protect install").done();
            let hooks = repository.folder.join(".git/hooks");
            // As if it had been killed: between the two names of a hook, where there are no links, and before the end.
            fs::remove_file(hooks.join("pre-commit")).unwrap();
            fs::hard_link(hooks.join("before-toolbelt/pre-commit"), hooks.join("pre-commit")).unwrap();
            fs::remove_file(hooks.join("commit-msg")).unwrap();
            fs::remove_file(hooks.join("pre-applypatch")).unwrap();
            let state = repository.read(".git/toolbelt/protect.json").replace("true", "false");
            repository.write(".git/toolbelt/protect.json", &state);
            let said = repository.git("toolbelt protect status").done();
            assert!(said.contains("an install was not finished"), "{said}");
            if finish {
                repository.git("toolbelt protect install").done();
                all_fire(&repository);
                assert!(repository.commit("a", "a\n").done().contains("previous: 0"));
                repository.git("update-ref -d HEAD").done();
                repository.git("rm -q --cached a").done();
                fs::remove_file(repository.folder.join("a")).unwrap();
                repository.git("toolbelt protect uninstall").done();
            } else {
                taken_out(&repository, &before);
            }
            // Also where all that was written down is lost.
            repository.git("toolbelt protect install").done();
            fs::remove_dir_all(repository.folder.join(".git/toolbelt")).unwrap();
            repository.git("toolbelt protect uninstall").done();
            for name in ["pre-commit", "commit-msg", "pre-push"] {
                assert_eq!(fs::read_to_string(hooks.join(name)).unwrap(), talkative(0));
            }
            assert!(!hooks.join("before-toolbelt").exists());
        }
    });
}

#[test]
fn where_nothing_can_be_written_nothing_is_done() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository.script(".git/hooks/pre-commit", &talkative(0));
        repository.write(".git/toolbelt", "not a folder");
        let before = snapshot(&repository.folder);
        let said = repository.git("toolbelt protect install");
        assert!(said.code == 2 && said.text.contains("cannot write"), "{}", said.text);
        assert_same(&before, &snapshot(&repository.folder));
    });
}

#[test]
fn a_folder_of_hooks_for_all_repositories_stays_as_it_is_and_still_runs() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        let shared = world.plain_repository("shared hooks");
        shared.script("pre-commit", &talkative(0));
        shared.script("post-commit", "#!/bin/sh\necho posted >&2\n");
        shared.write("pre-push", &talkative(1));
        let mut config = world.command("git", &repository.folder);
        config.args(["config", "--global", "core.hooksPath"]).arg(&shared.folder);
        world.run(config, b"").done();
        let (before, untouched) = (there(&repository), snapshot(&shared.folder));
        repository.git("toolbelt protect install").done();
        assert_same(&untouched, &snapshot(&shared.folder));
        all_fire(&repository);
        let said = repository.commit("a", "a\n").done();
        assert!(said.contains("previous: 0") && said.contains("posted"), "{said}");
        repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        let other = world.plain_repository("other");
        assert!(other.commit("bait", &bait()).done().contains("previous: 0"), "others are not protected");
        repository.git("rm -q --cached bait a").done();
        repository.git("update-ref -d HEAD").done();
        let said = repository.git("toolbelt protect uninstall").done();
        assert!(said.contains("our lines were taken out"), "{said}");
        assert_eq!(repository.read(".git/config").as_bytes(), before[&repository.folder.join(".git/config")].1);
        assert!(!repository.folder.join(".git/toolbelt/hooks").exists());
    });
}

/// A folder of hooks for all repositories of this world, in which there is a hook that talks.
fn shared_folder(world: &World) -> Repository<'_> {
    let shared = world.plain_repository("shared hooks");
    shared.script("pre-commit", &talkative(0));
    let mut config = world.command("git", &shared.folder);
    config.args(["config", "--global", "core.hooksPath"]).arg(&shared.folder);
    world.run(config, b"").done();
    shared
}

#[test]
fn a_folder_of_its_own_has_a_name_that_git_reads() {
    with_each_older_git(|world| {
        shared_folder(world);
        let repository = world.plain_repository("a\nb \"c\" \\n\te");
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        assert!(repository.git("commit -q --allow-empty -m a").done().contains("previous: 0"));
        repository.git("update-ref -d HEAD").done();
        repository.git("toolbelt protect uninstall").done();
        let config = repository.folder.join(".git/config");
        assert_eq!(there(&repository)[&config], before[&config]);

        let name = OsStr::from_bytes(b"n\xff");
        fs::create_dir(world.path("").join(name)).unwrap();
        let repository = Repository { world, folder: world.path("").join(name) };
        repository.git("init -q").done();
        let before = snapshot(&repository.folder);
        let said = repository.git("toolbelt protect install");
        assert!(said.code == 2 && said.text.contains("is not UTF-8"), "{}", said.text);
        assert_same(&before, &snapshot(&repository.folder));
    });
}

#[test]
fn a_repository_that_was_moved_says_that_its_hooks_stayed_behind() {
    with_each_older_git(|world| {
        shared_folder(world);
        let first = world.plain_repository("first");
        let before = first.read(".git/config");
        first.git("toolbelt protect install").done();
        fs::rename(&first.folder, world.path("second")).unwrap();
        let second = world.at("second");
        second.git("commit -q --allow-empty -m unseen").done();
        let said = second.git("toolbelt protect status").done();
        assert_eq!(said.matches("not installed: hook file in a folder of its own").count(), 5, "{said}");
        assert!(said.contains("/first/.git/toolbelt/hooks`, where this repository is not any more"), "{said}");
        let said = second.git("toolbelt protect doctor");
        assert!(said.code == 1 && said.text.contains("not any more: neither"), "{}", said.text);
        second.git("toolbelt protect install").done();
        all_fire(&second);
        assert!(!first.folder.exists());
        // Where no folder is for all repositories, the hooks of this one are not led elsewhere any more.
        second.git("config --global --unset core.hooksPath").done();
        fs::rename(&second.folder, &first.folder).unwrap();
        assert!(first.git("toolbelt protect status").done().contains("not any more"));
        first.git("toolbelt protect install").done();
        all_fire(&first);
        first.git("toolbelt protect uninstall").done();
        assert_eq!(first.read(".git/config"), before);
    });
}

#[test]
fn a_hook_that_came_after_the_install_is_told_until_it_runs() {
    with_each_older_git(|world| {
        let shared = shared_folder(world);
        let repository = world.plain_repository("r");
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        shared.script("post-commit", "#!/bin/sh\necho posted >&2\n");
        assert_eq!(repository.git("commit -q --allow-empty -m a").done().matches("posted").count(), 0);
        let said = repository.git("toolbelt protect status --format json").done();
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert!(report["troubles"][0].as_str().unwrap().contains("post-commit` does not run here"), "{said}");
        let said = repository.git("toolbelt protect doctor");
        assert!(said.code == 1 && said.text.contains("post-commit` does not run here"), "{}", said.text);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        assert!(repository.git("commit -q --allow-empty -m b").done().contains("posted"));
    });
}

#[test]
fn what_is_set_after_an_install_outlives_it() {
    with_each_older_git(|world| {
        shared_folder(world);
        let repository = world.plain_repository("r");
        let before = repository.read(".git/config");
        repository.git("toolbelt protect install").done();
        for setting in ["core.autocrlf input", "core.abbrev 9", "user.name B", "core.autocrlf false"] {
            repository.git(&format!("config {setting}")).done();
        }
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        repository.git("toolbelt protect uninstall").done();
        let added = "[core]\n\tautocrlf = false\n\tabbrev = 9\n[user]\n\tname = B\n";
        assert_eq!(repository.read(".git/config"), before.clone() + added);
        // Somebody wants hooks elsewhere.
        repository.write(".git/config", &before);
        repository.git("toolbelt protect install").done();
        repository.git("config core.hooksPath .githooks").done();
        repository.git("toolbelt protect uninstall").done();
        assert_eq!(repository.read(".git/config"), before.clone() + "[core]\n\thooksPath = .githooks\n");
        repository.write(".git/config", &before);
        repository.git("toolbelt protect install").done();
        repository.git("config --unset core.hooksPath").done();
        repository.git("toolbelt protect uninstall").done();
        assert_eq!(repository.read(".git/config"), before);
    });
}

#[test]
fn a_folder_of_hooks_of_the_repository_gets_them() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository.script(".githooks/pre-commit", &talkative(0));
        repository.git("config core.hooksPath .githooks").done();
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        assert!(repository.folder.join(".githooks/pre-push").is_file());
        all_fire(&repository);
        taken_out(&repository, &before);
    });
}

/// The part of husky that runs in hooks: what `husky` 9 leaves in `.husky/_`.
fn husky(repository: &Repository<'_>) {
    for hook in ["pre-commit", "pre-merge-commit", "pre-applypatch", "commit-msg", "pre-push"] {
        let run = format!("#!/bin/sh\n[ -f .husky/{hook} ] || exit 0\nsh -e .husky/{hook} \"$@\"\n");
        repository.script(&format!(".husky/_/{hook}"), &run);
    }
    repository.git("config core.hooksPath .husky/_").done();
}

#[test]
fn lines_in_the_scripts_of_husky_keep_what_follows() {
    with_each_older_git(|world| {
        world.bare("server");
        let repository = world.plain_repository("r");
        repository.git("remote add origin ../server").done();
        husky(&repository);
        repository.write(".husky/pre-push", "echo \"args $*\" >&2\ncat >&2");
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        repository.git("rm -q -f --cached bait").done();
        fs::remove_file(repository.folder.join("bait")).unwrap();
        repository.git("commit -q --allow-empty -m empty").done();
        let said = repository.git("push -q origin main").done();
        assert!(said.contains("args origin ../server\nrefs/heads/main "), "{said}");
        repository.git("toolbelt protect uninstall").done();
        assert_eq!(repository.read(".husky/pre-push").as_bytes(), before[&repository.folder.join(".husky/pre-push")].1);
        assert!(!repository.folder.join(".husky/pre-commit").exists(), "what was made is gone");
    });
}

#[test]
fn a_script_of_husky_reads_what_git_says_to_the_byte_and_nothing_where_that_is_nothing() {
    with_each_older_git(|world| {
        world.bare("server");
        let repository = world.plain_repository("r");
        repository.git("remote add origin ../server").done();
        husky(&repository);
        repository.write(".husky/pre-push", "cat >read\n");
        repository.git("toolbelt protect install").done();
        repository.git("commit -q --allow-empty -m empty").done();
        repository.git("push -q origin main").done();
        let line = format!("refs/heads/main {} refs/heads/main {}\n", repository.id("main"), "0".repeat(40));
        assert_eq!(repository.read("read"), line);
        repository.git("push -q origin main").done();
        assert_eq!(repository.read("read"), "", "there is nothing to push");
        world.set_toolbelt(false);
        repository.git("push -q origin main:other").done();
        assert!(repository.read("read").contains("refs/heads/other"));
    });
}

#[test]
fn a_script_of_husky_with_windows_line_ends_runs_as_before() {
    with_each_older_git(|world| {
        world.bare("server");
        let repository = world.plain_repository("r");
        repository.git("remote add origin ../server").done();
        husky(&repository);
        for hook in ["pre-commit", "commit-msg", "pre-push"] {
            repository.write(&format!(".husky/{hook}"), "echo theirs\r\n");
        }
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        let text = repository.read(".husky/pre-push");
        assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
        all_fire(&repository);
        let said = repository.git("commit -q --allow-empty -m empty").done();
        assert_eq!(said.matches("theirs").count(), 2, "{said}");
        assert_eq!(repository.git("push -q origin main").done().matches("theirs").count(), 1);
        repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        repository.commit_unseen("bait", &bait());
        repository.git("push -q origin main").stopped("pre-push: stopped");
        repository.git("toolbelt protect uninstall").done();
        for path in [".husky/pre-commit", ".husky/commit-msg", ".husky/pre-push"] {
            assert_eq!(repository.read(path).as_bytes(), before[&repository.folder.join(path)].1);
        }
    });
}

/// What lefthook 2.2 writes, without the many places in which it looks for itself.
fn lefthook(hook: &str) -> String {
    format!(
        "#!/bin/sh\n\nif [ \"$LEFTHOOK\" = \"0\" ]; then\n  exit 0\nfi\n\ncall_lefthook()\n{{\n  \
         if test -n \"$LEFTHOOK_BIN\"\n  then\n    \"$LEFTHOOK_BIN\" \"$@\"\n  else\n    \
         echo \"Can't find lefthook in PATH\"\n  fi\n}}\n\ncall_lefthook run \"{hook}\" \"$@\"\n"
    )
}

#[test]
fn lefthook_is_in_charge_where_git_runs_what_it_wrote() {
    with_each_older_git(|world| {
        let configuration = "pre-commit:\n  commands:\n    lint:\n      run: 'true'\n";
        let mention = "#!/bin/sh\n# as lefthook would: call_lefthook run \"pre-commit\"\n# LEFTHOOK\necho mine >&2\n";
        let other = "#!/bin/sh\n# LEFTHOOK\ncall_lefthook() { :; }\ncall_lefthook run \"pre-push\" \"$@\"\n";
        for (number, hook) in [mention, other].into_iter().enumerate() {
            let repository = world.plain_repository(&format!("r{number}"));
            repository.write("lefthook.yml", configuration);
            repository.script(".git/hooks/pre-commit", hook);
            let said = repository.git("toolbelt protect install").done();
            assert!(said.contains("pre-commit        installed: hook file"), "{said}");
            all_fire(&repository);
            repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        }
        let repository = world.plain_repository("r");
        repository.write("lefthook.yml", configuration);
        repository.write(".git/hooks/pre-commit", &lefthook("pre-commit"));
        let said = repository.git("toolbelt protect install").done();
        assert!(said.contains("may not be executed, so that git does not run it"), "{said}");
        all_fire(&repository);
        repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        repository.git("toolbelt protect uninstall").done();
        repository.script(".git/hooks/pre-commit", &lefthook("pre-commit"));
        let said = repository.git("toolbelt protect install").done();
        assert!(said.contains("pre-commit        installed: entry of lefthook"), "{said}");
        all_fire(&repository);
        // Git runs it no more.
        repository.write(".git/hooks/pre-commit", &lefthook("pre-commit"));
        let path = repository.folder.join(".git/hooks/pre-commit");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        let said = repository.git("toolbelt protect doctor");
        assert!(said.code == 1 && said.text.contains("pre-commit        not installed"), "{}", said.text);
    });
}

#[test]
fn a_configuration_of_lefthook_that_is_not_plain_is_left_alone() {
    with_each_older_git(|world| {
        let texts = [
            "\"pre-commit\":\n  commands:\n    lint:\n      run: 'true'\n",
            "pre-commit :\n  commands:\n    lint:\n      run: 'true'\n",
            "x: &x\n  commands:\n    lint:\n      run: 'true'\npre-commit:\n  <<: *x\n",
        ];
        for (number, text) in texts.into_iter().enumerate() {
            let repository = world.plain_repository(&format!("r{number}"));
            repository.write("lefthook.yml", text);
            repository.script(".git/hooks/pre-commit", &lefthook("pre-commit"));
            let before = there(&repository);
            let said = repository.git("toolbelt protect install").done();
            assert!(said.contains("lefthook.yml` was left alone: it has keys"), "{said}");
            assert_eq!(repository.read("lefthook.yml"), text);
            all_fire(&repository);
            taken_out(&repository, &before);
        }
    });
}

#[test]
fn entries_of_managers_are_taken_out_to_the_byte_with_windows_line_ends_too() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        repository
            .script(".git/hooks/pre-commit", "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n");
        repository.script(".git/hooks/pre-push", "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n");
        repository.script(".git/hooks/commit-msg", &lefthook("commit-msg"));
        repository.write(".pre-commit-config.yaml", "# ours\r\nrepos:\r\n  - repo: meta\r\n    hooks: []\r\n");
        repository.write("lefthook.yml", "commit-msg:\n  jobs:\n    - run: true");
        let before = there(&repository);
        let said = repository.git("toolbelt protect install").done();
        assert!(said.contains("pre-commit        installed: entry of pre-commit"), "{said}");
        assert!(said.contains("commit-msg        installed: entry of lefthook"), "{said}");
        assert!(said.contains("pre-push          installed: hook file"), "{said}");
        assert!(said.contains("does not hand on what is pushed"), "{said}");
        let text = repository.read(".pre-commit-config.yaml");
        assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
        all_fire(&repository);
        // Changed by somebody else meanwhile.
        repository.write("lefthook.yml", &format!("# new\n{}\n# more", repository.read("lefthook.yml")));
        repository.git("toolbelt protect uninstall").done();
        assert_eq!(repository.read("lefthook.yml"), "# new\ncommit-msg:\n  jobs:\n    - run: true\n# more");
        repository.write("lefthook.yml", "commit-msg:\n  jobs:\n    - run: true");
        assert_same(&before, &there(&repository));

        repository.write(".pre-commit-config.yaml", "repos: [{repo: meta, hooks: []}]\n");
        let said = repository.git("toolbelt protect install").done();
        assert!(said.contains("was left alone: its `repos` is not a list"), "{said}");
        all_fire(&repository);
    });
}

#[test]
fn a_manager_that_moves_our_script_does_not_run_its_own_twice() {
    with_each_older_git(|world| {
        let repository = world.plain_repository("r");
        let generated = "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\necho theirs >&2\n\
                         [ ! -x \"$0.legacy\" ] || exec \"$0.legacy\" \"$@\"\n";
        repository.script(".git/hooks/pre-push", generated);
        repository.git("toolbelt protect install").done();
        let hooks = repository.folder.join(".git/hooks");
        fs::rename(hooks.join("pre-push"), hooks.join("pre-push.legacy")).unwrap();
        repository.script(".git/hooks/pre-push", generated);
        world.bare("server");
        repository.git("remote add origin ../server").done();
        repository.commit_unseen("a", "a\n");
        let said = repository.git("push -q origin main").done();
        assert_eq!(said.matches("theirs").count(), 1, "{said}");
        repository.commit_unseen("bait", &bait());
        repository.git("push -q origin main").stopped("pre-push: stopped");
        repository.git("toolbelt protect uninstall").done();
        assert_eq!(fs::read_to_string(hooks.join("pre-push")).unwrap(), generated);
        assert!(!hooks.join("pre-push.legacy").exists());
        assert!(!hooks.join("before-toolbelt").exists());
    });
}

/// No git here is new enough to run hooks from its configuration, so one says that it is, and does all else as before.
/// What is written is read back with git, and run the way in which git runs it.
#[test]
fn hooks_in_the_configuration_are_what_git_reads() {
    with_each_older_git(|world: &World| {
        let repository = world.plain_repository("r");
        let fake = format!(
            "#!/bin/sh\n[ \"$1\" != version ] || {{ echo 'git version 2.54.0'; exit; }}\nexec {} \"$@\"\n",
            world.git_program().display()
        );
        world.plain_repository("fake").script("git", &fake);
        let before = there(&repository);
        // Hooks of an older git are taken out: both would run.
        repository.git("toolbelt protect install").done();
        world.use_git(&world.path("fake/git"));
        repository.toolbelt("protect install").done();
        assert!(!repository.folder.join(".git/hooks/pre-commit").exists());
        all_fire(&repository);
        for hook in ["pre-commit", "pre-merge-commit", "pre-applypatch", "commit-msg", "pre-push"] {
            let event = repository.git(&format!("config --get-all hook.toolbelt-{hook}.event")).done();
            assert_eq!(event, hook);
            let command = repository.git(&format!("config --get-all hook.toolbelt-{hook}.command")).done();
            assert!(command.ends_with(&format!("git-toolbelt hook {hook} --")), "{command}");
            let mut shell = world.command("sh", &repository.folder);
            shell.args(["-c", &format!("{command} \"$@\""), &command, "origin", "../server"]);
            if hook == "pre-push" {
                let said = world.run(shell, b"broken\n");
                assert_eq!(said.code, 2, "{}", said.text);
                assert!(said.text.contains("line 1 of the hook's input"), "{}", said.text);
            }
        }
        repository.git("config hook.toolbelt-pre-commit.enabled false").done();
        let said = repository.toolbelt("protect doctor");
        assert!(said.code == 1 && said.text.contains("`hook.toolbelt-pre-commit.enabled` is off"), "{}", said.text);
        taken_out(&repository, &before);
    });
}

#[test]
fn a_trial_finds_the_objects_of_a_repository_with_any_name() {
    with_each_older_git(|world| {
        world.bare("server");
        for name in ["a:b", "c\"d", "e\\f:g", "h\ni"] {
            let repository = world.plain_repository(name);
            repository.commit("readme", "first\n").done();
            // What is pushed is judged by the policy of the other side, which is read from its branch.
            repository.git("remote add origin ../server").done();
            repository.git("push -qf origin main").done();
            repository.git("toolbelt protect install").done();
            all_fire(&repository);
        }
    });
}

#[test]
fn a_hook_that_does_not_fire_is_told() {
    with_each_older_git(|world| {
        let repository = world.repository("r");
        let hooks = repository.folder.join(".git/hooks");
        fs::set_permissions(hooks.join("pre-commit"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(hooks.join("commit-msg"), "#!/bin/sh\nexit 0\n").unwrap();
        let said = repository.git("toolbelt protect doctor");
        assert_eq!(said.code, 1, "{}", said.text);
        assert_eq!(said.text.matches("not installed").count(), 2, "{}", said.text);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        world.set_toolbelt(false);
        let said = repository.toolbelt("protect doctor");
        assert_eq!(said.code, 1, "{}", said.text);
        assert_eq!(said.text.matches("does not fire").count(), 5, "{}", said.text);
        assert!(said.text.contains("git-toolbelt is not on PATH"), "{}", said.text);
        world.set_toolbelt(true);
        repository.write("toolbelt.toml", "version = 1\n[protect]\ncommit-msg = []\n");
        let said = repository.git("toolbelt protect doctor --format json");
        assert_eq!(said.code, 1, "{}", said.text);
        let report: serde_json::Value = serde_json::from_str(&said.text).unwrap();
        let row = &report["hooks"][3];
        assert_eq!(
            (row["hook"].as_str(), row["fires"].as_bool(), row["sees"].as_bool()),
            (Some("commit-msg"), Some(true), Some(false))
        );
    });
}

#[test]
fn a_git_that_takes_hooks_from_its_configuration_runs_them() {
    with_each_git(|world| {
        if world.version() < GitVersion::WITH_CONFIGURED_HOOKS {
            println!("skipped: it is older than 2.54");
            return;
        }
        let repository = world.plain_repository("r");
        repository.script(".git/hooks/pre-commit", &talkative(0));
        let before = there(&repository);
        repository.git("toolbelt protect install").done();
        all_fire(&repository);
        repository.commit("bait", &bait()).stopped("pre-commit: stopped");
        repository.git("rm -q -f --cached bait").done();
        fs::remove_file(repository.folder.join("bait")).unwrap();
        assert!(repository.git("commit -q --allow-empty -m empty").done().contains("previous: 0"));
        repository.git("update-ref -d HEAD").done();
        repository.git("toolbelt protect uninstall").done();
        let config = repository.folder.join(".git/config");
        assert_eq!(there(&repository)[&config], before[&config]);
    });
}
