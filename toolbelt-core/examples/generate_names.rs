//! Makes the embedded list of established crates, `data/names.tsv`.
//!
//! ```text
//! cargo run -p toolbelt-core --example generate_names -- 2026-11-22 toolbelt-core/data/names.tsv
//! ```
//!
//! Nothing is crawled. Each crate of [`SEEDS`] is resolved alone, as a scratch project's only dependency, by
//! `cargo generate-lockfile`; a crate's rank is the number of resolutions in which it occurs, counted twice when the
//! crate was resolved itself. Then come the crates that Debian packages, as far as `apt-cache pkgnames librust-` names
//! them. Run `apt-get update` before; without `apt-cache` that part is left out, and the header says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use toolbelt_core::subject::names::is_crate_name;

/// Widely used crates of different areas.
const SEEDS: &str = include_str!("generate_names/seeds.txt");

#[expect(clippy::print_stderr, reason = "a program for maintainers")]
fn main() -> ExitCode {
    match run() {
        Ok(summary) => {
            eprintln!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let mut arguments = std::env::args().skip(1);
    let (Some(date), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("expected two arguments: date (YYYY-MM-DD) and output file".to_owned());
    };
    let seeds: BTreeSet<&str> =
        SEEDS.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
    let mut occurrences: BTreeMap<String, u32> = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in &seeds {
        match resolve(seed) {
            Ok(names) => {
                for name in names {
                    *occurrences.entry(name).or_default() += 1;
                }
                *occurrences.entry((*seed).to_owned()).or_default() += 1;
            }
            Err(error) => failed.push(format!("{seed}: {error}")),
        }
    }
    if failed.len() > seeds.len() / 20 {
        return Err(format!("too many crates could not be resolved:\n{}", failed.join("\n")));
    }
    let mut ranked: Vec<(&String, &u32)> = occurrences.iter().collect();
    ranked.sort_by(|(name, count), (other, others)| others.cmp(count).then(name.cmp(other)));

    let known: BTreeSet<String> = occurrences.keys().map(|name| canonical(name)).collect();
    let debian = debian();
    let added: Vec<&String> = debian.iter().flatten().filter(|name| !known.contains(*name)).collect();

    let mut list = format!("# Established crates, {date}: name, rank, repository.\n");
    let resolved = seeds.len() - failed.len();
    let _ = writeln!(
        list,
        "# Made by `examples/generate_names.rs`: {} crates occur when cargo resolves {resolved} well-known ones; rank is the order by",
        ranked.len()
    );
    let _ = match debian {
        Some(_) => writeln!(
            list,
            "# the number of resolutions. Then {} crates that only Debian's `librust-*` packages name (`-` may be `_` there).",
            added.len()
        ),
        None => writeln!(list, "# the number of resolutions. Debian's packages were not asked."),
    };
    for (at, name) in ranked.iter().map(|(name, _)| *name).chain(added.iter().copied()).enumerate() {
        let _ = writeln!(list, "{name}\t{}", at + 1);
    }
    std::fs::write(&output, list).map_err(|error| format!("`{output}` cannot be written: {error}"))?;
    let mut summary = format!("{} names by resolution, {} by Debian", ranked.len(), added.len());
    for failure in failed {
        let _ = write!(summary, "\nnot resolved: {failure}");
    }
    Ok(summary)
}

/// Names of crates.io packages in the lock file of a project that depends on this crate alone, with all its features.
fn resolve(seed: &str) -> Result<BTreeSet<String>, String> {
    let project = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = project.path();
    let manifest = format!(
        "[package]\nname = \"scratch-project-of-toolbelt\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{seed} = \"*\"\n\n[workspace]\n"
    );
    let write = |path: &Path, text: &str| std::fs::write(path, text).map_err(|error| error.to_string());
    std::fs::create_dir(root.join("src")).map_err(|error| error.to_string())?;
    write(&root.join("Cargo.toml"), &manifest)?;
    write(&root.join("src/lib.rs"), "")?;
    let output = Command::new("cargo")
        .args(["generate-lockfile", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(message.lines().next().unwrap_or_default().to_owned());
    }
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let lock: toml::Table = lock.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(packages
        .filter(|package| package.get("source").is_some())
        .filter_map(|package| package.get("name")?.as_str().map(str::to_owned))
        .collect())
}

/// Crates that Debian packages, in lower case and with `-` for `_`, as Debian writes them; none without `apt-cache`.
fn debian() -> Option<BTreeSet<String>> {
    let output = Command::new("apt-cache").args(["pkgnames", "librust-"]).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|text| !text.is_empty())?;
    Some(text.lines().filter_map(debian_crate).collect())
}

/// The crate in the name of a package: `librust-<crate>[-<version>][+<feature>]-dev`.
fn debian_crate(package: &str) -> Option<String> {
    let name = package.strip_prefix("librust-")?.strip_suffix("-dev")?;
    // A feature; the package without it is listed as well.
    if name.contains('+') {
        return None;
    }
    let name = match name.rsplit_once('-') {
        // `base64-0.21`: an older version beside the current one. Only a dot tells that from `md-5`.
        Some((crate_name, version)) if is_version(version) => crate_name,
        Some((_, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        _ => name,
    };
    (is_crate_name(name) && name.len() > 1).then(|| name.to_owned())
}

fn is_version(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn canonical(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}
