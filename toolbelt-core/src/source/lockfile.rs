//! Reads `Cargo.lock`, formats 1 to 4.

use std::collections::HashMap;

use semver::Version;
use serde::Deserialize;
use toml::Spanned;

use crate::subject::dependencies::{Locked, LockedPackage};
use crate::subject::digest::Sha256Digest;
use crate::subject::malformed::Malformed;
use crate::subject::package::{GitReference, Registry, Source};
use crate::subject::{LineIndex, Location};

/// The newest format that this version of toolbelt reads.
const NEWEST: i64 = 4;

/// The largest lock file that is read; the largest seen in the wild is under 1 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
struct File<'a> {
    version: Option<Spanned<i64>>,
    #[serde(borrow, default)]
    package: Vec<Spanned<Entry<'a>>>,
    /// Format 1 kept the workspace's own package apart.
    #[serde(borrow)]
    root: Option<Spanned<Entry<'a>>>,
    /// Format 1 kept checksums apart.
    #[serde(default)]
    metadata: HashMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Spanned<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    version: Spanned<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Spanned<std::borrow::Cow<'a, str>>>,
    #[serde(borrow)]
    checksum: Option<Spanned<std::borrow::Cow<'a, str>>>,
    #[serde(borrow, default)]
    dependencies: Vec<Spanned<std::borrow::Cow<'a, str>>>,
}

/// Reads a lock file; `path` is what locations and errors call it.
///
/// # Errors
///
/// [`Malformed`] at the first thing that cargo would not accept either: broken TOML, merge conflicts, a package that is
/// named twice or depends on one that is not there.
pub fn parse(path: &str, text: &str) -> Result<Locked, Malformed> {
    reject_conflict(path, text)?;
    let file: File<'_> = toml::from_str(text).map_err(|error| Malformed::toml(path, text, &error))?;
    if let Some(version) = file.version.as_ref().filter(|version| !(1..=NEWEST).contains(version.get_ref())) {
        let message = format!("lock file format {} is not known, 1 to {NEWEST} are", version.get_ref());
        return Err(Malformed::at(path, text, version.span(), message).hint("a newer toolbelt may read it"));
    }
    let lines = LineIndex::new(text);
    let checksums = file.metadata;
    let entries = file.root.into_iter().chain(file.package).map(Spanned::into_inner).collect::<Vec<_>>();
    let packages = entries.iter().map(|entry| package(entry, &checksums, path, text, &lines));
    let mut packages = packages.collect::<Result<Vec<_>, _>>()?;
    let edges = edges(&entries, &packages, path, text)?;
    for (package, edges) in packages.iter_mut().zip(edges) {
        package.dependencies = edges;
    }
    Ok(Locked { path: path.to_owned(), packages })
}

/// A lock file with conflict markers is broken TOML; say what it really is.
fn reject_conflict(path: &str, text: &str) -> Result<(), Malformed> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
            return Err(Malformed::at(path, text, at..at + line.trim_end().len(), "unresolved merge conflict")
                .hint("take either side and run `cargo metadata` or `cargo check`, which completes the lock file"));
        }
        at += line.len();
    }
    Ok(())
}

fn package(
    entry: &Entry<'_>,
    checksums: &HashMap<String, toml::Value>,
    path: &str,
    text: &str,
    lines: &LineIndex<'_>,
) -> Result<LockedPackage, Malformed> {
    let error = |span, message: String| Malformed::at(path, text, span, message);
    if !is_package_name(entry.name.get_ref()) {
        return Err(error(entry.name.span(), "this is no name that cargo takes".to_owned()));
    }
    let version = Version::parse(entry.version.get_ref())
        .map_err(|_| error(entry.version.span(), format!("`{}` is no version", entry.version.get_ref())))?;
    let source = entry.source.as_ref().map_or(Source::Path, |source| parse_source(source.get_ref()));
    let checksum = match &entry.checksum {
        Some(checksum) => Some((checksum.get_ref().to_string(), checksum.span())),
        None => entry.source.as_ref().and_then(|source| {
            let key = format!("checksum {} {} ({})", entry.name.get_ref(), entry.version.get_ref(), source.get_ref());
            // Git packages of format 1 have `<none>` here.
            let checksum = checksums.get(&key)?.as_str().filter(|checksum| *checksum != "<none>")?;
            Some((checksum.to_owned(), entry.name.span()))
        }),
    };
    let digest = |(digits, span): (String, _)| {
        Sha256Digest::parse(&digits)
            .ok_or_else(|| error(span, "the checksum is no SHA-256 of 64 hexadecimal digits".to_owned()))
    };
    Ok(LockedPackage {
        name: entry.name.get_ref().to_string(),
        version,
        source,
        checksum: checksum.map(digest).transpose()?,
        location: Location::within(path, lines.region(entry.name.span())),
        dependencies: Vec::new(),
    })
}

/// Letters, digits, `-` and `_`, as cargo has it: such a name can stand in a command that is shown.
fn is_package_name(name: &str) -> bool {
    let is_allowed = |character: char| character.is_alphanumeric() || character == '-' || character == '_';
    !name.is_empty() && name.chars().all(is_allowed)
}

/// Reads the `source` of a lock file's package.
pub fn parse_source(source: &str) -> Source {
    match source.split_once('+') {
        Some(("registry", index)) => Source::Registry(Registry::new(index)),
        Some(("sparse", _)) => Source::Registry(Registry::new(source)),
        Some(("git", rest)) => parse_git(rest),
        Some(("path", _)) => Source::Path,
        _ => Source::Other(source.to_owned()),
    }
}

/// `URL?branch=b#commit`; values are percent-encoded from format 4 on.
fn parse_git(rest: &str) -> Source {
    let (rest, commit) = rest.split_once('#').map_or((rest, None), |(rest, commit)| (rest, Some(commit.to_owned())));
    let (url, query) = rest.split_once('?').unwrap_or((rest, ""));
    let reference = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        match key {
            "branch" => Some(GitReference::Branch(value.to_owned())),
            "tag" => Some(GitReference::Tag(value.to_owned())),
            "rev" => Some(GitReference::Revision(value.to_owned())),
            _ => None,
        }
    });
    Source::Git { url: without_password(url), reference: reference.unwrap_or(GitReference::DefaultBranch), commit }
}

/// A user name or token in a URL is shown to nobody.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) if rest[..at].contains(':') || scheme.starts_with("http") => {
            format!("{scheme}://***@{}", &rest[at + 1..])
        }
        _ => url.to_owned(),
    }
}

/// Resolves each `dependencies` line to the package that it names.
fn edges(
    entries: &[Entry<'_>],
    packages: &[LockedPackage],
    path: &str,
    text: &str,
) -> Result<Vec<Vec<usize>>, Malformed> {
    let error = |span, message: String| Malformed::at(path, text, span, message);
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_version: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        let twins = by_version.entry((&package.name, package.version.to_string())).or_default();
        if twins.iter().any(|twin| packages[*twin].source == package.source) {
            let message = format!("`{} {}` is in the lock file twice", package.name, package.version);
            return Err(error(entries[index].name.span(), message));
        }
        twins.push(index);
        by_name.entry(&package.name).or_default().push(index);
    }
    let resolve = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let name = words.next()?;
        let candidates = match words.next() {
            Some(version) => by_version.get(&(name, version.to_owned()))?,
            None => by_name.get(name)?,
        };
        let source = words.next().map(|source| parse_source(source.trim_start_matches('(').trim_end_matches(')')));
        let is_it = |candidate: &&usize| source.as_ref().is_none_or(|s| same_source(s, &packages[**candidate].source));
        candidates.iter().find(is_it).copied()
    };
    let targets = |entry: &Entry<'_>| {
        let lines = entry.dependencies.iter();
        lines
            .map(|line| {
                resolve(line.get_ref())
                    .ok_or_else(|| error(line.span(), format!("`{}` is not in the lock file", line.get_ref())))
            })
            .collect()
    };
    entries.iter().map(targets).collect()
}

/// A dependency line names a git source without its commit.
fn same_source(named: &Source, source: &Source) -> bool {
    match (named, source) {
        (Source::Git { url, reference, .. }, Source::Git { url: other_url, reference: other, .. }) => {
            url == other_url && reference == other
        }
        _ => named == source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "version = 4\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\ndependencies = [\n \"b\",\n]\n\n\
                       [[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\
                       source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                       checksum = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n";

    fn error(text: &str) -> String {
        parse("Cargo.lock", text).unwrap_err().to_string()
    }

    #[test]
    fn packages_have_source_checksum_place_and_edges() {
        let locked = parse("Cargo.lock", TWO).unwrap();
        let [a, b] = locked.packages.as_slice() else { panic!("two packages") };
        assert_eq!(
            (a.name.as_str(), &a.source, a.checksum, a.dependencies.as_slice()),
            ("a", &Source::Path, None, &[1][..])
        );
        assert_eq!(b.source, Source::crates_io());
        assert!(b.checksum.is_some());
        assert_eq!(b.location.region.as_ref().map(|region| (region.line, region.column)), Some((10, 8)));
    }

    #[test]
    fn format_one_keeps_checksums_and_the_root_apart() {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let text = format!(
            "[root]\nname = \"a\"\nversion = \"0.1.0\"\ndependencies = [\"b 1.0.0 ({source})\"]\n\
             [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n\
             [metadata]\n\"checksum b 1.0.0 ({source})\" = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n"
        );
        let locked = parse("Cargo.lock", &text).unwrap();
        assert_eq!(locked.packages[0].dependencies, [1]);
        assert!(locked.packages[1].checksum.is_some());
    }

    #[test]
    fn dependency_lines_choose_by_version_and_by_source() {
        let text = "[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n\
             dependencies = [\"b 2.0.0\", \"b 1.0.0 (git+https://x.org/b?branch=main)\"]\n\
             [[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\
             [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"git+https://x.org/b?branch=main#0123\"\n\
             [[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
        let locked = parse("Cargo.lock", text).unwrap();
        assert_eq!(locked.packages[0].dependencies, [3, 2]);
    }

    #[test]
    fn what_cargo_rejects_is_an_error_with_its_place() {
        assert!(error(&TWO.replace(" \"b\",", " \"c\",")).starts_with("Cargo.lock:6:2: `c` is not in the lock file"));
        assert!(
            error(&format!("{TWO}[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n"))
                .contains("`a 0.1.0` is in the lock file twice")
        );
        assert!(error(&TWO.replace("version = 4", "version = 5")).contains("format 5 is not known"));
        assert!(error(&TWO.replace("9f86", "zz")).contains("no SHA-256"));
        assert!(error(&TWO.replace("\"1.0.0\"", "\"one\"")).contains("`one` is no version"));
        assert!(error(&TWO[..TWO.len() / 2]).starts_with("Cargo.lock:"));
    }

    #[test]
    fn names_that_cargo_does_not_take_and_passwords_are_not_passed_on() {
        for name in ["", "a;touch b", "a b", "a\\u001b"] {
            assert!(
                error(&TWO.replace("name = \"b\"", &format!("name = \"{name}\""))).contains("no name that cargo takes")
            );
        }
        let git = |url: &str| match parse_source(url) {
            Source::Git { url, .. } => url,
            other => panic!("{other:?}"),
        };
        assert_eq!(git("git+https://user:token@x.org/a#01"), "https://***@x.org/a");
        assert_eq!(git("git+https://token@x.org/a"), "https://***@x.org/a");
        assert_eq!(git("git+ssh://git@x.org/a"), "ssh://git@x.org/a");
        assert_eq!(git("git+https://x.org/a@b"), "https://x.org/a@b");
    }

    #[test]
    fn merge_conflict_is_named_as_what_it_is() {
        let text = TWO.replace("[[package]]\nname = \"b\"", "<<<<<<< HEAD\n[[package]]\nname = \"b\"");
        assert_eq!(error(&text), "Cargo.lock:9:1: unresolved merge conflict");
    }
}
