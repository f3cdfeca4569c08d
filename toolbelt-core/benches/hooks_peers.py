#!/usr/bin/env python3
"""Times what hooks cost: one small commit, and a push of many, with ours beside other managers with a scanner.

    cargo build --release -p git-toolbelt --locked
    toolbelt-core/benches/hooks_peers.py --peers FOLDER REPOSITORY...

Each way has a clone of its own, with hooks as its manager installs them:

plain       no hooks: what git itself takes
toolbelt    `git toolbelt protect install`, five hooks
pre-commit  a hook of `language: system` that runs betterleaks on what is staged, and on what is pushed
prek        the same file, run by prek

What is not found (in `--peers FOLDER`, else on PATH) is left out. Every round makes one commit, and one push of `--commits`
commits to a bare repository on the same disk, with each way, each time in another order; the first round fills the caches and is
not counted. What hooks cost is the difference of the medians to `plain`.

They do not do the same: ours also look at the message, at merges and patches, leave a receipt, and judge refs and
dependencies at the push; the others run one scanner. The commits of the push were made without hooks.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TOOLBELT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/git-toolbelt"
CONFIG = """\
repos:
  - repo: local
    hooks:
      - id: staged
        name: staged
        entry: betterleaks git . --staged -l error --no-banner
        language: system
        always_run: true
        pass_filenames: false
        stages: [pre-commit]
      - id: pushed
        name: pushed
        entry: betterleaks git . -l error --no-banner --log-opts=origin/base..HEAD
        language: system
        always_run: true
        pass_filenames: false
        stages: [pre-push]
"""


def git(*arguments, folder, environment):
    command = ["git", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command} in {folder}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


class Way:
    def __init__(self, name, source, scratch, environment, commits):
        self.name, self.environment = name, environment
        self.folder, self.server = scratch / name, scratch / f"{name}.git"
        git("clone", "--quiet", "--no-local", source, self.folder, folder=scratch, environment=environment)
        git("clone", "--quiet", "--bare", self.folder, self.server, folder=scratch, environment=environment)
        self.git("remote", "set-url", "origin", self.server)
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/base")
        self.file = self.some_text()
        if name in ("pre-commit", "prek"):
            (self.folder / ".pre-commit-config.yaml").write_text(CONFIG)
            self.git("add", "--all")
            self.git("commit", "--quiet", "-m", "configure")
            for hook in ("pre-commit", "pre-push"):
                command = [name, "install", "-t", hook]
                subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True)
        elif name == "toolbelt":
            self.git("toolbelt", "protect", "install")
        self.git("push", "--quiet", "--no-verify", "origin", "HEAD:refs/heads/base")
        self.git("fetch", "--quiet", "origin")
        self.git("branch", "start")
        for number in range(commits):
            self.change(number)
            self.git("commit", "--quiet", "--no-verify", "-m", f"change {number}")
        self.git("branch", "many")

    def git(self, *arguments):
        return git(*arguments, folder=self.folder, environment=self.environment)

    def some_text(self):
        """The largest text of moderate size, by name the first of these; none that a check would read."""
        texts = []
        for path in self.git("ls-files").splitlines():
            if path.endswith((".toml", ".lock", ".json", ".yml", ".yaml")):
                continue
            target = self.folder / path
            if target.is_file() and not target.is_symlink() and target.stat().st_size < 100_000:
                content = target.read_bytes()
                if b"\0" not in content and content.count(b"\n") > 10:
                    texts.append((-len(content), path))
        return min(texts)[1]

    def change(self, number):
        target = self.folder / self.file
        lines = target.read_bytes().splitlines(keepends=True)
        lines[(7 * number + 3) % len(lines)] = f"one line that was changed {number}\n".encode()
        target.write_bytes(b"".join(lines))
        self.git("add", "--", self.file)

    def timed(self, *arguments):
        """Wall and CPU seconds of git with all that it starts."""
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        self.git(*arguments)
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def commit(self, number):
        self.git("checkout", "--quiet", "--force", "--detach", "start")
        self.change(1000 + number)
        return self.timed("commit", "--quiet", "-m", f"small change {number}")

    def push(self, number):
        self.git("checkout", "--quiet", "--force", "--detach", "many")
        spent = self.timed("push", "--quiet", "origin", f"HEAD:refs/heads/round-{number}")
        # The next round sends the same again.
        self.git("update-ref", "-d", f"refs/remotes/origin/round-{number}")
        git("update-ref", "-d", f"refs/heads/round-{number}", folder=self.server, environment=self.environment)
        return spent


def table(title, measured):
    print(f"\n{title}\n")
    print(f"{'':12} {'wall ms':>9} {'hooks':>8}   {'CPU ms':>9} {'hooks':>8}")
    rows = {name: [1000 * statistics.median(column) for column in zip(*runs)] for name, runs in measured.items()}
    for name, (wall, cpu) in rows.items():
        more = [f"{value - plain:8.1f}" for value, plain in zip((wall, cpu), rows["plain"])]
        print(f"{name:12} {wall:9.1f} {more[0]}   {cpu:9.1f} {more[1]}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("repositories", nargs="+", type=pathlib.Path, metavar="REPOSITORY")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--commits", type=int, default=100, help="how many are pushed")
    options.add_argument("--toolbelt", type=pathlib.Path, default=TOOLBELT, metavar="PROGRAM")
    options.add_argument("--peers", type=pathlib.Path, metavar="FOLDER", help="where the peers are looked for first")
    options = options.parse_args()
    if not options.toolbelt.is_file():
        sys.exit(f"no `{options.toolbelt}`: cargo build --release -p git-toolbelt --locked")
    with tempfile.TemporaryDirectory(prefix="hooks-peers-") as scratch:
        scratch = pathlib.Path(scratch).resolve()
        programs = scratch / "bin"
        programs.mkdir()
        (programs / "git-toolbelt").symlink_to(options.toolbelt.resolve())
        path = [str(programs), *([str(options.peers.resolve())] if options.peers else []), os.environ["PATH"]]
        (scratch / "gitconfig").write_text("[user]\nname = A\nemail = a@example.com\n[gc]\nauto = 0\n")
        environment = os.environ | {
            "PATH": os.pathsep.join(path),
            "GIT_CONFIG_GLOBAL": str(scratch / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PRE_COMMIT_HOME": str(scratch / "pre-commit-home"),
            "PREK_HOME": str(scratch / "prek-home"),
        }
        found = [name for name in ("pre-commit", "prek", "betterleaks") if shutil.which(name, path=environment["PATH"])]
        names = ["plain", "toolbelt", *[name for name in found if name != "betterleaks" and "betterleaks" in found]]
        print("ways:", ", ".join(names), "| left out:", ", ".join({"pre-commit", "prek"} - set(names)) or "none")
        print(git("--version", folder=scratch, environment=environment), "|", os.cpu_count(), "cores")
        for at, source in enumerate(options.repositories):
            place = scratch / str(at)
            place.mkdir()
            ways = [Way(name, source.resolve(), place, environment, options.commits) for name in names]
            before = os.getloadavg()[0]
            commits, pushes = {name: [] for name in names}, {name: [] for name in names}
            for number in range(options.rounds + 1):
                first = number % len(ways)
                for way in ways[first:] + ways[:first]:
                    spent = way.commit(number), way.push(number)
                    if number:  # the first fills the caches
                        commits[way.name].append(spent[0])
                        pushes[way.name].append(spent[1])
            load = f"{options.rounds} rounds; load {before:.1f} before, {os.getloadavg()[0]:.1f} after"
            print(f"\n{source.resolve().name}: {load}")
            table("one small commit", commits)
            table(f"a push of {options.commits} commits", pushes)
            sys.stdout.flush()
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
