#!/usr/bin/env python3
"""Whether our hooks live with other people's hook managers, installed as they install themselves.

    cargo build -p git-toolbelt
    tests/conformance/hook_managers.py [--tools FOLDER]... [--toolbelt PROGRAM]

Looks for pre-commit, prek, lefthook and husky in the folders of `--tools`, then on PATH, and says which were not found. For
each: it is installed in a new repository with a check of its own in each hook, `git toolbelt protect install` comes after
it, and then both have to have their say in commits and pushes; it is installed once more, as by a colleague's `npm
install`, after which ours has to fire still, or `doctor` has to say that it does not. In the end `protect uninstall` has to
give back every byte. No network: what a manager would fetch is not in its configuration.

Exit code 1 if something does not hold, 77 if no manager was found.
"""

import argparse
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import zlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TOOLBELT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "debug/git-toolbelt"
NOT_FOUND = 77

PRE_COMMIT = """\
default_install_hook_types: [pre-commit, commit-msg, pre-push, pre-merge-commit]
repos:
  - repo: local
    hooks:
      - id: theirs
        name: theirs
        entry: sh -c 'echo "theirs $PRE_COMMIT"; exit 0' --
        language: system
        always_run: true
        verbose: true
        stages: [pre-commit, commit-msg, pre-push, pre-merge-commit]
"""
LEFTHOOK = """\
pre-commit:
  commands:
    theirs:
      run: echo theirs
commit-msg:
  jobs:
    - name: theirs
      run: echo theirs {1}
pre-push:
  parallel: false
  commands:
    theirs:
      run: echo theirs
"""


def token():
    """A token of GitHub with right check digits, which nobody ever had."""
    random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5"
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    total, check = zlib.crc32(random.encode()), ""
    for _ in range(6):
        check, total = digits[total % 62] + check, total // 62
    return "ghp" + "_" + random + check


class World:
    """A repository with a remote, and nothing of this machine but the programs that are tried."""

    def __init__(self, folder, toolbelt, tools):
        self.folder = folder
        self.top = folder / "r"
        programs = folder / "bin"
        programs.mkdir(parents=True)
        (programs / "git-toolbelt").symlink_to(toolbelt)
        self.environment = {
            "PATH": os.pathsep.join([str(programs), *map(str, tools), os.environ["PATH"]]),
            "HOME": str(folder),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PRE_COMMIT_HOME": str(folder / "pre-commit"),
            "PREK_HOME": str(folder / "prek"),
            "CI": "",
        }
        (folder / "gitconfig").write_text("[user]\nname = A\nemail = a@example.com\n[init]\ndefaultBranch = main\n")
        self.top.mkdir()
        self.run("git", "init", "-q")
        self.run("git", "init", "-q", "--bare", "../server")
        self.run("git", "remote", "add", "origin", "../server")

    def run(self, *command, code=0):
        """What a command says; it has to end with this code, or with any but 0 for `None`."""
        done = subprocess.run(
            command, cwd=self.top, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        said = done.stdout + done.stderr
        if done.returncode != code and not (code is None and done.returncode != 0):
            raise AssertionError(f"{command}: exit code {done.returncode}\n{said}")
        return said

    def write(self, path, text):
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, path, text, code=0):
        self.write(path, text)
        self.run("git", "add", "--", path)
        return self.run("git", "commit", "-m", f"change {path}", code=code)

    def state(self):
        """Every file of the work tree, of the hooks and of the configuration, with its mode."""
        git = self.top / ".git"
        files = [path for path in self.top.rglob("*") if git not in path.parents and path != git]
        files += [*(git / "hooks").rglob("*"), git / "config"]
        return {
            str(path.relative_to(self.top)): (stat.S_IMODE(path.lstat().st_mode), path.read_bytes())
            for path in files
            if path.is_file()
        }


def expect(words, said):
    if words not in said:
        raise AssertionError(f"`{words}` is not in:\n{said}")


def husky(world):
    world.write("package.json", '{"name": "x", "private": true}\n')
    world.run("husky")
    for hook in ["pre-commit", "commit-msg", "pre-push"]:
        world.write(f".husky/{hook}", "echo theirs\ncat\n" if hook == "pre-push" else "echo theirs\n")


def pre_commit(world):
    world.write(".pre-commit-config.yaml", PRE_COMMIT)
    world.run("pre-commit", "install")


def prek(world):
    world.write(".pre-commit-config.yaml", PRE_COMMIT)
    world.run("prek", "install")


def lefthook(world):
    world.write("lefthook.yml", LEFTHOOK)
    world.run("lefthook", "install")


MANAGERS = {"pre-commit": pre_commit, "prek": prek, "lefthook": lefthook, "husky": husky}


def lives_with(world, install):
    install(world)
    world.run("git", "add", "--all")
    world.run("git", "commit", "-q", "--no-verify", "-m", "begin")
    before = world.state()
    print(world.run("git", "toolbelt", "protect", "install"), end="")
    expect("fires, and sees a token", world.run("git", "toolbelt", "protect", "doctor"))
    # A manager may refuse to run with a configuration that is not committed.
    world.run("git", "add", "--all")
    world.run("git", "commit", "-q", "--no-verify", "-m", "protect")

    fires(world)
    # As a colleague's `npm install`, `lefthook install` or `pre-commit install` does.
    install_again = {husky: ["husky"], pre_commit: ["pre-commit", "install"], prek: ["prek", "install"]}
    world.run(*install_again.get(install, ["lefthook", "install"]))
    fires(world)

    world.run("git", "toolbelt", "protect", "uninstall")
    after = world.state()
    for path, was in before.items():
        if after.get(path) != was:
            raise AssertionError(f"{path} is not what it was:\n{was}\n{after.get(path)}")
    if more := [path for path in after if path not in before and "hooks" in path]:
        raise AssertionError(f"left behind: {more}")
    world.run("git", "add", "--all")
    expect("theirs", world.commit("after", f"{len(after)}\n"))


def fires(world):
    bait = f'token = "{token()}"\n'
    said = world.commit("a", f"{os.urandom(4).hex()}\n")
    expect("theirs", said)
    expect("exposed-token", world.commit("bait", bait, code=None))
    world.run("git", "rm", "-q", "-f", "bait")
    expect("exposed-token", world.run("git", "commit", "--allow-empty", "-m", f"about {token()}", code=None))
    expect("theirs", world.run("git", "push", "origin", "main"))
    world.write("bait", bait)
    world.run("git", "add", "bait")
    world.run("git", "commit", "-q", "--no-verify", "-m", "unseen")
    expect("exposed-token", world.run("git", "push", "origin", "main", code=None))
    world.run("git", "reset", "-q", "--hard", "HEAD~1")


def version(name, program):
    """What a program says of itself. husky takes any argument for a folder, in which it installs itself."""
    if name == "husky":
        package = pathlib.Path(program).resolve().parent / "package.json"
        return json.loads(package.read_text())["version"] if package.is_file() else "of some version"
    with tempfile.TemporaryDirectory() as nowhere:
        return subprocess.run([program, "--version"], cwd=nowhere, capture_output=True, text=True).stdout.strip()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tools", action="append", default=[], type=pathlib.Path, metavar="FOLDER")
    options.add_argument("--toolbelt", type=pathlib.Path, default=TOOLBELT, metavar="PROGRAM")
    options = options.parse_args()
    tools = [folder.resolve() for folder in options.tools]
    path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
    tried, wrong = 0, 0
    for name, install in MANAGERS.items():
        program = shutil.which(name, path=path)
        if not program:
            print(f"SKIPPED: {name} was not found")
            continue
        tried += 1
        print(f"== {name}, {version(name, program)}")
        with tempfile.TemporaryDirectory(prefix="hook-managers-") as scratch:
            try:
                world = World(pathlib.Path(scratch).resolve(), options.toolbelt.resolve(), tools)
                lives_with(world, install)
                print("holds")
            except AssertionError as error:
                wrong += 1
                print(f"FAILED: {error}")
    return 1 if wrong else 0 if tried else NOT_FOUND


if __name__ == "__main__":
    sys.exit(main())
