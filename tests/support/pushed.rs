//! Pushes for cases: a script makes both sides with real git and keys, and its pushes are judged in place of being made.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::signing::World;

/// What a script can say besides what the shell and git know.
const PRELUDE: &str = r#"
now=1780272000
# From here on this is who commits; the key of that name signs, if there is one.
who() {
    export GIT_AUTHOR_NAME="$1" GIT_AUTHOR_EMAIL="$1@example.com" GIT_COMMITTER_NAME="$1" GIT_COMMITTER_EMAIL="$1@example.com"
    key "$1"
}
key() {
    git config gpg.format ssh
    git config user.signingkey "$FOLDER/$1.pub"
    if [ -e "$FOLDER/$1" ]; then signs=true; else signs=false; fi
    git config commit.gpgsign $signs
    git config tag.gpgsign $signs
}
# Writes the list of whom the repository trusts.
trust() {
    mkdir -p .toolbelt
    for name; do echo "$name@example.com namespaces=\"git\" $(cut -d ' ' -f 1,2 "$FOLDER/$name.pub")"; done > .toolbelt/allowed_signers
}
policy() { printf 'version = 1\n%s\n' "$1" > toolbelt.toml; }
tick() { now=$((now + 60)); export GIT_AUTHOR_DATE="$now +0000" GIT_COMMITTER_DATE="$now +0000"; }
commit() { tick; echo "$1" > "$1"; git add --all; git commit --quiet --message "$1"; }
tag() { tick; git tag --message "$1" "$1"; }
# A push that is judged, and not made.
judged() { touch "$FOLDER/armed"; git push --quiet origin "$@" 2> "$FOLDER/errors" || true; rm "$FOLDER/armed"; }
who nobody
"#;

/// What git runs before a push.
const HOOK: &str = "#!/bin/sh
[ -e \"$FOLDER/armed\" ] || exit 0
echo \"$1\" > \"$FOLDER/remote\"; echo \"$2\" > \"$FOLDER/url\"; cat > \"$FOLDER/input\"; exit 1
";

/// A push, as a hook is told of it.
pub(crate) struct Push {
    pub remote: String,
    pub url: String,
    pub input: String,
}

/// Runs the parts of a script one after the other, and hands out what each pushes.
pub(crate) fn pushes(case: &Path, world: &World, mut each: impl FnMut(&Push)) {
    for name in ["alice", "bob", "eve", "forge"] {
        world.key(name, &["ed25519"]);
    }
    world.git("", &["init", "--quiet", "--bare", "--initial-branch=main", "server"]);
    world.git("", &["init", "--quiet", "--initial-branch=main", "work"]);
    world.git("work", &["remote", "add", "origin", "../server"]);
    world.git("work", &["config", "core.hooksPath", &world.path("hooks").display().to_string()]);
    world.write("hooks/pre-push", HOOK);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(world.path("hooks/pre-push"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let script = fs::read_to_string(case.join("case.sh")).unwrap().replace('\r', "");
    let mut before = PRELUDE.to_owned();
    for part in script.split("\n# then\n") {
        run(world, &format!("{before}\n{part}"));
        let read = |name: &str| fs::read_to_string(world.path(name)).unwrap().trim_end_matches('\n').to_owned();
        each(&Push { remote: read("remote"), url: read("url"), input: read("input") });
        before = format!("{PRELUDE}\nnow=$((now + 86400))\n");
    }
}

fn run(world: &World, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", script]).current_dir(world.path("work")).env_clear().envs(world.variables());
    let output = command.env("FOLDER", world.path("")).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Puts the subject of each commit in place of its id, which the keys of the day make another one each time.
pub(crate) fn with_subjects(world: &World, mut text: String) -> String {
    for repository in ["work", "server"] {
        for line in world.git(repository, &["log", "--all", "--reflog", "--format=%H %s"]).lines() {
            let (id, subject) = line.split_once(' ').unwrap();
            text = text.replace(id, &format!("<{subject}>"));
        }
    }
    text
}
