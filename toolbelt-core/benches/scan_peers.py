#!/usr/bin/env python3
"""Times `git toolbelt scan` beside other scanners for secrets: same repositories, same machine, turn by turn.

    cargo build --release -p git-toolbelt --locked
    toolbelt-core/benches/scan_peers.py --history --staged --peers FOLDER REPOSITORY...

Programs that are neither named (`--peer NAME=PROGRAM`) nor found (in `--peers FOLDER`, else on PATH) are left out. A
program that only starts another (what a wheel installs, an alias) is replaced by that, so nobody pays for Python.

Every round runs each program once, each time in another order, so that what else the machine does strikes all alike;
one round before them fills the caches and is not counted. For each program: wall time, CPU (user + system, with the
`git` that a program starts) as best and median, highest peak of memory, and the ratios of the medians to those of the
best peer in that column. `git log -p --all` (`git diff --cached`) is no scanner and no peer: it is what reading the
same through git costs.

--history  a mirror of the repository, so every program sees the same refs and no work tree. toolbelt reads everything
           again (`--no-cache`); `cached` is a later scan of a repository in which nothing changed.
--staged   a clone in which one line of one file was changed and staged.

They do not do the same: kingfisher searches whole files, betterleaks the lines that patches add, toolbelt what is new
in an object beside that from which it is packed. The last column is what each tells of that. None asks a provider
whether a secret is still valid, and none looks for updates of itself.

A peak below that of this script itself is not seen: the kernel counts it from before the program starts. It is printed
first. A peak is that of the largest process, not the sum: for a program that starts `git`, that is too little.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TOOLBELT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/git-toolbelt"
PEERS = ["betterleaks", "gitleaks", "kingfisher", "ripsecrets"]
VERSION = {"betterleaks": "version", "gitleaks": "version"}

TOOLBELT_ROWS = ("toolbelt", "  cached")
PLAIN = "plain git"


def commands(mode, programs):
    """What each program is called with, inside of the repository."""
    toolbelt = [programs["toolbelt"], "scan", "--format", "json", "--quiet"]
    staged = ["--staged"] if mode == "staged" else []
    leaks = ["git", ".", *staged, "-l", "error", "--no-banner"]
    kingfisher = ["--no-update-check", "scan", ".", "--no-validate", "--format", "json"]
    if mode == "history":
        told = {
            "toolbelt": [*toolbelt, "--history", "--no-cache"],
            "  cached": [*toolbelt, "--history"],
            "kingfisher": [*kingfisher, "--git-history", "full"],
            PLAIN: ["git", "log", "-p", "--all"],
        }
    else:
        told = {
            "toolbelt": [*toolbelt, "--staged"],
            "kingfisher": [*kingfisher, "--staged"],
            "ripsecrets": ["--strict-ignore", "."],
            PLAIN: ["git", "diff", "--cached"],
        }
    told["betterleaks"] = [*leaks, "--jsonl", "-o", "-"]
    told["gitleaks"] = [*leaks, "--report-format", "json", "--report-path", "-"]
    chosen = {}
    for name in [*TOOLBELT_ROWS, *PEERS, PLAIN]:
        command = told.get(name)
        if not command:
            continue
        if name in TOOLBELT_ROWS or name == PLAIN:
            chosen[name] = command
        elif name in programs:
            chosen[name] = [programs[name], *command]
    return chosen


def run(command, folder, environment):
    """Wall and CPU seconds, peak in MiB, exit code, output, errors."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        errors = err.read()
        # The patches of a history can be larger than memory; nothing is read from those of git.
        output = b"" if command[0] == "git" else out.read()
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code, output, errors


def what(name, output, errors):
    """Enough of the answer to see that the work was done."""
    try:
        if name == PLAIN:
            return "(not a scanner)"
        if name in TOOLBELT_ROWS:
            report = json.loads(output)
            read = report["coverage"]
            found = f"{len(report['findings'])} findings, {len(report['not_checked'])} not checked"
            known = f" and {known} remembered" if (known := read.get("objects-remembered")) else ""
            searched = f", {searched / 1e6:.2f} searched" if (searched := read.get("bytes-searched")) else ""
            return f"{found}, {read.get('objects', 0)} objects{known}, {read.get('bytes', 0) / 1e6:.2f} MB{searched}"
        if name == "betterleaks":
            scan = next(line["scan"] for line in map(json.loads, output.splitlines()) if "scan" in line)
            return f"{scan['num_findings']} findings, {scan['bytes_scanned'] / 1e6:.2f} MB"
        if name == "kingfisher":
            report = json.loads(output.splitlines()[0])  # a second line sums it up
            stats = [one["stats"] for one in report["audit"]["repositories"]]
            blobs, size = (sum(one[key] for one in stats) for key in ("blobs_scanned", "bytes_scanned"))
            return f"{len(report['findings'])} findings, {blobs} blobs, {size / 1e6:.2f} MB"
        if name == "gitleaks":
            return f"{len(json.loads(output))} findings"
        return f"{len(output.splitlines())} lines"
    except (ValueError, KeyError, StopIteration, TypeError) as error:
        return f"not understood ({error!r}): {(errors or output)[-200:].decode(errors='replace')!r}"


def rounds(mode, programs, folder, environment, count):
    """All measurements of each program, and what it said last."""
    measured, said = {}, {}
    told = list(commands(mode, programs).items())
    for number in range(count + 1):
        first = number % len(told)
        for name, command in told[first:] + told[:first]:
            wall, cpu, peak, code, output, errors = run(command, folder, environment)
            if number:  # the first fills the caches
                measured.setdefault(name, []).append((wall, cpu, peak))
            said[name] = (code, what(name, output, errors))
    return {name: measured[name] for name, _ in told}, said


def table(measured, said):
    rows = {}
    for name, runs in measured.items():
        wall, cpu, peak = zip(*runs)
        rows[name] = (min(wall), statistics.median(wall), min(cpu), statistics.median(cpu), max(peak))
    peers = [row for name, row in rows.items() if name not in TOOLBELT_ROWS and name != PLAIN]
    best = [min(column) for column in zip(*peers)] or None
    print(f"{'':12} {'wall s':^15}  {'CPU s':^15}  {'peak':>7}   {'of the best peer':^20}")
    print(f"{'':12} {'best':>7} {'median':>7}  {'best':>7} {'median':>7}  {'MiB':>7}   wall    CPU   peak  exit  told")
    for name, row in rows.items():
        ratios = [f"{row[at] / best[at]:6.2f}" if best and best[at] else "     -" for at in (1, 3, 4)]
        numbers = f"{row[0]:7.3f} {row[1]:7.3f}  {row[2]:7.3f} {row[3]:7.3f}  {row[4]:7.1f}"
        print(f"{name:12} {numbers} {' '.join(ratios)}  {said[name][0]:4}  {said[name][1]}")


def git(*arguments, folder=None):
    command = ["git", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout


def history(source, folder):
    git("clone", "--quiet", "--mirror", source, folder)
    counted = dict(line.split(": ") for line in git("count-objects", "-v", folder=folder).decode().splitlines())
    commits = git("rev-list", "--all", "--count", folder=folder).decode().strip()
    return f"{commits} commits, {int(counted['in-pack']) + int(counted['count'])} objects"


def staged(source, folder):
    """Changes the middle line of the largest text of moderate size, by name the first of these."""
    git("clone", "--quiet", source, folder)
    texts = []
    for entry in git("ls-tree", "-r", "-l", "-z", "HEAD", folder=folder).split(b"\0"):
        if entry.startswith(b"100"):
            about, name = entry.split(b"\t", 1)
            size = int(about.split()[3])
            if size < 100_000 and b"\0" not in (folder / os.fsdecode(name)).read_bytes():
                texts.append((-size, name))
    name = os.fsdecode(min(texts)[1])
    lines = (folder / name).read_bytes().splitlines(keepends=True)
    lines[len(lines) // 2] = b"one line that was changed\n"
    (folder / name).write_bytes(b"".join(lines))
    git("add", "--", name, folder=folder)
    return f"1 of {len(git('ls-files', folder=folder).splitlines())} files changed, {-min(texts)[0] / 1e3:.0f} kB"


def started(program):
    """What the launcher that a wheel installs starts: the program that lies in its package."""
    program = pathlib.Path(program).resolve()
    with program.open("rb") as file:
        head = file.read(4096)
    package = re.search(rb"^from (\w+)[\w.]* import", head, re.MULTILINE)
    if head.startswith(b"#!") and package:
        pattern = f"lib/python*/site-packages/{package[1].decode()}/bin/*"
        inner = [path for path in program.parents[1].glob(pattern) if os.access(path, os.X_OK)]
        if len(inner) == 1:
            return inner[0].resolve()
    return program


def found(options):
    """Name and path of each program; one that another name also starts is taken once, under its own name."""
    named = dict(text.partition("=")[::2] for text in options.peer)
    if unknown := set(named) - set(PEERS):
        sys.exit(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    programs = {"toolbelt": options.toolbelt.resolve()}
    for name in PEERS:
        path = named.get(name) or (options.peers and shutil.which(name, path=options.peers)) or shutil.which(name)
        if name in named and not pathlib.Path(path).is_file():
            sys.exit(f"no `{path}`, which --peer names")
        if not path:
            print(f"{name}: not found, left out")
            continue
        path = started(path)
        same = [other for other, program in programs.items() if program == path]
        if same:
            print(f"{name}: starts {same[0]}, left out")
        else:
            programs[name] = path
    return programs


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("repositories", nargs="+", type=pathlib.Path, metavar="REPOSITORY")
    options.add_argument("--history", action="store_true", help="everything that ever was")
    options.add_argument("--staged", action="store_true", help="what the next commit brings")
    options.add_argument("--rounds", type=int, help="how often (default: 5, for --staged 20)")
    options.add_argument("--toolbelt", type=pathlib.Path, default=TOOLBELT, metavar="PROGRAM", help="git-toolbelt")
    options.add_argument("--peers", type=str, metavar="FOLDER", help="folder where the peers are looked for first")
    options.add_argument("--peer", action="append", default=[], metavar="NAME=PROGRAM", help="a peer by its path")
    options = options.parse_args()
    if not (options.history or options.staged):
        sys.exit("choose --history, --staged or both")
    if not options.toolbelt.is_file():
        sys.exit(f"no `{options.toolbelt}`: cargo build --release -p git-toolbelt --locked")
    programs = found(options)
    for name, program in programs.items():
        asked = subprocess.run([program, VERSION.get(name, "--version")], capture_output=True, text=True, check=True)
        print(f"{name}: {asked.stdout.strip().splitlines()[-1]}")
    print(git("--version").decode().strip())
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{os.cpu_count()} cores; a peak below {floor:.0f} MiB is not seen")

    with tempfile.TemporaryDirectory(prefix="scan-peers-") as scratch:
        scratch = pathlib.Path(scratch)
        environment = os.environ | {"XDG_CACHE_HOME": str(scratch / "cache"), "GIT_PAGER": "cat", "NO_COLOR": "1"}
        for mode, prepare, usual in [("history", history, 5), ("staged", staged, 20)]:
            if not getattr(options, mode):
                continue
            count = options.rounds or usual
            for at, source in enumerate(options.repositories):
                folder = scratch / f"{mode}-{at}"
                about = prepare(source.resolve(), folder)
                before = os.getloadavg()[0]
                measured, said = rounds(mode, programs, folder, environment, count)
                load = f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after"
                print(f"\n{mode} of {source.resolve().name}: {about}; {count} rounds; {load}\n")
                table(measured, said)
                sys.stdout.flush()
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
