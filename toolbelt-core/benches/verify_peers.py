#!/usr/bin/env python3
"""Times `git toolbelt verify` on a range of signed commits, beside git itself.

Makes a repository with as many commits as asked for (1,000), each signed by one of two SSH keys, then runs each command
several times and prints the best wall time and the CPU time of that run. git starts `ssh-keygen` twice for each commit.

    cargo build --release -p git-toolbelt
    python3 toolbelt-core/benches/verify_peers.py target/release/git-toolbelt [COMMITS]
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5


def environment(folder):
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        kept[f"GIT_{role}_NAME"] = "alice"
        kept[f"GIT_{role}_EMAIL"] = "alice@example.com"
    return kept


def make(folder, commits):
    """A repository of signed commits, and the list of those who may sign."""
    work = folder / "work"
    run = lambda *words, **more: subprocess.run(words, check=True, env={**environment(folder), **more})
    run("git", "init", "--quiet", "--initial-branch=main", str(work))
    names = ("alice", "bob")
    lines = []
    for name in names:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name))
        key = (folder / f"{name}.pub").read_text().split()
        lines.append(f'alice@example.com namespaces="git" {key[0]} {key[1]}\n')
    (folder / "allowed_signers").write_text("".join(lines))
    run("git", "-C", str(work), "config", "gpg.format", "ssh")
    run("git", "-C", str(work), "config", "gpg.ssh.allowedSignersFile", str(folder / "allowed_signers"))
    run("git", "-C", str(work), "commit", "--quiet", "--allow-empty", "--message", "base")
    run("git", "-C", str(work), "tag", "base")
    for number in range(commits):
        (work / f"file-{number % 40}").write_text(f"{number}\n")
        run("git", "-C", str(work), "add", "--all")
        key = str(folder / f"{names[number % 2]}.pub")
        date = {f"GIT_{role}_DATE": f"{1767225600 + number * 60} +0000" for role in ("AUTHOR", "COMMITTER")}
        words = ("git", "-C", str(work), "-c", f"user.signingkey={key}", "commit", "--quiet", "--gpg-sign")
        run(*words, "--message", f"commit {number}", **date)
    return work


def best(words, work, folder, runs=RUNS):
    """The best wall time, and the CPU time of that run, in seconds."""
    times = []
    for _ in range(runs):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(words, cwd=work, env=environment(folder), stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            sys.exit(f"{words} exited with {done.returncode}")
        times.append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return min(times)


def main():
    program = str(Path(sys.argv[1]).resolve())
    commits = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = make(folder, commits)
        signers = str(folder / "allowed_signers")
        rows = [
            ("git toolbelt verify", [program, "verify", "--signed", "--allowed-signers", signers, "base..HEAD"], RUNS),
            ("git log --show-signature", ["git", "log", "--show-signature", "base..HEAD"], 1),
            ("git log --format=%G?", ["git", "log", "--format=%G?", "base..HEAD"], 1),
            ("git log", ["git", "log", "base..HEAD"], RUNS),
        ]
        print(f"{commits} signed commits")
        for title, words, runs in rows:
            wall, cpu = best(words, work, folder, runs)
            print(f"{title:26} {wall * 1000:9.1f} ms wall {cpu * 1000:9.1f} ms CPU")


if __name__ == "__main__":
    main()
