#!/usr/bin/env python3
"""Times `cargo toolbelt sbom` beside cargo-sbom and cargo-cyclonedx: same project, same machine.

    cargo build --release -p cargo-toolbelt --locked && toolbelt-core/benches/sbom_peers.py PROJECT [RUNS]

PROJECT is a folder with `Cargo.toml` and `Cargo.lock`, whose packages cargo has (`cargo fetch --locked`); it is copied, so
that what the peers write into it is counted and thrown away. The peers are taken from PATH or from PEERS (a folder, such
as that of `cargo install --root`); one that is missing is left out.

Prints the median wall and CPU time (user + system, with those of the cargo that each of them runs) and peak of memory, what
that is beyond `cargo metadata` alone, and what the document is worth: packages beyond or short of `cargo tree`, packages of
crates.io without a digest (the project itself is one, as it was not packaged), absolute paths, whether two runs write the
same bytes, files left in the source tree. Memory is mostly that of cargo.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TOOLBELT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/cargo-toolbelt"

# Seconds of CPU beyond `cargo metadata`, for a lock file of some 750 packages.
MOST_BEYOND_METADATA = 0.3


def run(command, folder, accepted=(0,)):
    """Wall and CPU seconds, peak in MiB, and output of one run, which ends with one of these exit codes."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        if process.returncode not in accepted:
            sys.exit(f"{command}: exit code {process.returncode}\n{out.read().decode()}{err.read().decode()}")
        return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode()


def tree(folder, target):
    """Name and version of every package, as `cargo tree` has it."""
    command = ["cargo", "tree", "--locked", "--offline", "--edges", "normal,build", "--target", target]
    lines = subprocess.run([*command, "--prefix", "none"], cwd=folder, capture_output=True, text=True, check=True).stdout
    words = [line.split(" ") for line in lines.splitlines() if line]
    return {(word[0], word[1].lstrip("v")) for word in words if len(word) > 1}


def listed(document):
    """Name and version of every package of a document, and the names of those of crates.io without a digest."""
    if "components" in document:
        components = [document["metadata"].get("component"), *document["components"]]
        packages = [(c["name"], c.get("version", ""), c.get("purl", ""), bool(c.get("hashes"))) for c in components if c]
    elif "@graph" in document:
        elements = [e for e in document["@graph"] if e["type"] == "software_Package"]
        packages = [
            (e["name"], e["software_packageVersion"], e["software_packageUrl"], "verifiedUsing" in e) for e in elements
        ]
    else:
        packages = []
        for package in document["packages"]:
            purls = [r["referenceLocator"] for r in package.get("externalRefs", []) if r["referenceType"] == "purl"]
            version = package.get("versionInfo", "")
            packages.append((package["name"], version, "".join(purls), bool(package.get("checksums"))))
    without = [name for name, _, purl, digest in packages if not digest and purl.startswith("pkg:cargo/") and "?" not in purl]
    return {(name, version) for name, version, _, _ in packages}, without


def worth(texts, wanted, folder):
    """What two documents of the same run are worth, in words."""
    document = json.loads(texts[0])
    packages, without = listed(document)
    paths = len(re.findall(re.escape(str(folder)) + r"|file://|" + re.escape(str(pathlib.Path.home())), texts[0]))
    return {
        "packages": len(packages),
        "beyond cargo tree": len(packages - wanted),
        "short of it": len(wanted - packages),
        "without digest": len(without),
        "absolute paths": paths,
        "same bytes": texts[0] == texts[1],
    }


def program(name):
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PEERS", ""), os.environ["PATH"]]))


def main():
    project = pathlib.Path(sys.argv[1]).resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    scratch = pathlib.Path(tempfile.mkdtemp())
    folder = scratch / "project"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("target", ".git"))
    before = {path for path in folder.rglob("*") if path.is_file()}
    wanted = tree(folder, "all")
    locked = (folder / "Cargo.lock").read_text().count("[[package]]")
    print(f"{project.name}: {locked} packages in Cargo.lock, {len(wanted)} in cargo tree, {runs} runs")
    sbom = [str(TOOLBELT), "sbom", "--offline", "--sbom-format"]
    metadata = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    commands = {"cargo metadata": metadata}
    commands |= {f"toolbelt, {name}": [*sbom, name] for name in ["cyclonedx", "spdx"]}
    if cargo_sbom := program("cargo-sbom"):
        for name in ["spdx_json_2_3", "cyclone_dx_json_1_6"]:
            commands[f"cargo-sbom, {name}"] = [cargo_sbom, "sbom", "--output-format", name]
    if cargo_cyclonedx := program("cargo-cyclonedx"):
        commands["cargo-cyclonedx, all targets"] = [
            *[cargo_cyclonedx, "cyclonedx", "--format", "json", "--target", "all", "--override-filename", "bom"]
        ]
    times = {name: [] for name in commands}
    texts = {name: [] for name in commands}
    left = {}
    for number in range(runs + 1):
        # In turn, so that a machine that is busy for a while is so for all of them.
        for name, command in commands.items():
            took = run(command, folder)
            new = {path for path in folder.rglob("*") if path.is_file()} - before
            left[name] = [path for path in new if "target" not in path.relative_to(folder).parts]
            own = folder / "bom.json"
            texts[name].append(own.read_text() if own in left[name] else took[3])
            for path in left[name]:
                path.unlink()
            if number:  # the first fills the caches
                times[name].append(took[:3])
    median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}
    baseline = median["cargo metadata"]
    for name, (wall, cpu, peak) in median.items():
        beyond = f"{wall - baseline[0]:+.3f} s wall and {cpu - baseline[1]:+.3f} s CPU beyond metadata"
        print(f"\n{name}: {wall:.3f} s wall, {cpu:.3f} s CPU, {peak:.0f} MiB; {beyond}")
        if name == "cargo metadata":
            continue
        for what, number in worth(texts[name][-2:], wanted, folder).items():
            print(f"  {what}: {number}")
        print(f"  files left in the source tree: {len(left[name])}")
        if name.startswith("toolbelt"):
            verdict = "met" if cpu - baseline[1] <= MOST_BEYOND_METADATA else "MISSED"
            print(f"  at most {MOST_BEYOND_METADATA} s of CPU beyond cargo metadata: {verdict}")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
