#!/usr/bin/env python3
"""Times the gate of `cargo toolbelt publish` beside `cargo package`: same crate, same machine, in turn.

    cargo build --release -p cargo-toolbelt --locked && toolbelt-core/benches/publish_gate.py CRATE [RUNS]

CRATE is the unpacked source of a crate, such as a folder of cargo's registry cache; it is copied into a repository of its
own with a remote beside it, and what it needs is fetched. Neither builds what it packages (`--no-verify`), nothing asks the network, and the rules that
package a second time or run cargo-semver-checks are off: what is left is what the gate itself costs. It packages the commit
in a clone besides the work tree, so one more `cargo package` is in its time; what that takes is told.

Prints the median of wall and CPU time (user + system, cargo's included) and the peak of memory.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from sbom_peers import run

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TOOLBELT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/cargo-toolbelt"

# Seconds of CPU beyond `cargo package`, for a crate of 565 files.
MOST_BEYOND_PACKAGE = 0.5
# What cargo adds to a crate.
ADDED = [".cargo_vcs_info.json", ".cargo-ok", "Cargo.toml.orig"]
POLICY = 'version = 1\n[rules]\nunreproducible-package = "allow"\nsemver-violation = "allow"\n'


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def prepared(crate, scratch):
    """The crate as a project with a commit that a remote has."""
    folder = scratch / "project"
    shutil.copytree(crate, folder, ignore=shutil.ignore_patterns("target", ".git", *ADDED))
    (folder / ".gitignore").write_text("/target\n")
    if not (folder / "Cargo.lock").exists():
        subprocess.run(["cargo", "generate-lockfile"], cwd=folder, check=True, capture_output=True)
    subprocess.run(["cargo", "fetch", "--locked"], cwd=folder, check=True, capture_output=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "all")
    git(folder, "clone", "--quiet", "--bare", ".", str(scratch / "remote.git"))
    git(folder, "remote", "add", "origin", str(scratch / "remote.git"))
    git(folder, "fetch", "--quiet", "origin")
    return folder


def main():
    crate = pathlib.Path(sys.argv[1]).resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    scratch = pathlib.Path(tempfile.mkdtemp())
    folder = prepared(crate, scratch)
    policy = scratch / "policy.toml"
    policy.write_text(POLICY)
    gate = [*[str(TOOLBELT), "publish", "--dry-run", "--no-verify", "--offline", "--format", "json"], "--policy", str(policy)]
    package = ["cargo", "package", "--no-verify", "--offline", "--allow-dirty", "--quiet"]
    times = {"cargo package": [], "toolbelt": []}
    for number in range(runs + 1):
        # In turn, so that a machine that is busy for a while is so for both.
        for name, command, accepted in [("cargo package", package, (0,)), ("toolbelt", gate, (0, 1, 3))]:
            took = run(command, folder, accepted)
            if name == "toolbelt":
                report = json.loads(took[3])
            if number:  # the first fills the caches
                times[name].append(took[:3])
    median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}
    print(f"{crate.name}: {report['coverage'].get('files', 0)} files in the .crate, {runs} runs, verdict {report['verdict']}")
    print("not checked: " + ", ".join(sorted({each["rule"] for each in report["not_checked"]})))
    for name, (wall, cpu, peak) in median.items():
        print(f"{name}: {wall:.3f} s wall, {cpu:.3f} s CPU, {peak:.0f} MiB")
    once = median["cargo package"][1]
    beyond = median["toolbelt"][1] - once
    print(f"beyond cargo package: {beyond:+.3f} s CPU, and {beyond - once:+.3f} s without the second one, in the clone")
    print(f"at most {MOST_BEYOND_PACKAGE} s of CPU: {'met' if beyond <= MOST_BEYOND_PACKAGE else 'MISSED'}")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
