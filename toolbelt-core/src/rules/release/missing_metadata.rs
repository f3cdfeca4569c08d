#![doc = include_str!("missing_metadata.md")]

use std::collections::BTreeSet;

use super::links::{self, Link};
use super::wording::{PLACES, several};
use super::{Context, known};
use crate::finding::{Fact, Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::release::{CrateFile, Metadata, Readme, Release};
use crate::subject::{LineIndex, Location};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-metadata",
    summary: "the package does not say what it is, or says what is not so",
    capability: Capability::SecurePublication,
    threats: &["TBT-5120"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("missing_metadata.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let mut outcome: Outcome = missing(release).into_iter().collect();
    let metadata = &release.metadata;
    if metadata.license_file.is_none() && metadata.readme.is_none() {
        return outcome;
    }
    match known(&release.archive, release) {
        Ok(archive) => {
            outcome.extend(lost_licence(release, archive).into());
            if let Some(readme) = &metadata.readme {
                outcome.extend(of_readme(release, archive, readme));
            }
        }
        Err(not_checked) => outcome.extend(not_checked),
    }
    outcome
}

/// The keys that are not there, in the order of the manifest's reference.
fn missing(release: &Release) -> Vec<Finding> {
    let Metadata { license, license_file, description, repository, rust_version, readme, .. } = &release.metadata;
    let is_given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    // crates.io takes no version without these two.
    let required = release.registry.is_crates_io();
    let keys = [
        (is_given(license) || is_given(license_file), "license", "neither `license` nor `license-file`", required),
        (is_given(description), "description", "no `description`", required),
        (is_given(repository), "repository", "no `repository`, by which it could be compared with its source", false),
        (is_given(rust_version), "rust-version", "no `rust-version`", false),
        (readme.is_some(), "readme", "no readme", false),
    ];
    let absent = keys.into_iter().filter(|(is_there, ..)| !is_there);
    absent
        .map(|(_, key, words, is_required)| {
            let refused = if is_required { ", and crates.io refuses it" } else { "" };
            let finding = Finding::new(release.subject(), format!("has {words}{refused}"))
                .fact("key", key)
                .at(release.metadata.location.clone())
                .told_apart_by(key)
                .fix(match key {
                    "readme" => Fix::new("write a `README.md` beside `Cargo.toml`"),
                    key => Fix::new(format!("set `{key}` below `[package]` in `Cargo.toml`")),
                });
            if is_required { finding } else { finding.weaker() }
        })
        .collect()
}

/// A licence file that the manifest names and the `.crate` does not have.
fn lost_licence(release: &Release, archive: &CrateFile) -> Option<Finding> {
    let written = release.metadata.license_file.as_deref().filter(|path| !path.trim().is_empty())?;
    // One from outside of the package is copied to its root.
    let name = written.rsplit('/').next().unwrap_or_default();
    let within = links::resolve("", written).unwrap_or_else(|| name.to_owned());
    if archive.files.contains_key(&within) || archive.files.contains_key(name) {
        return None;
    }
    Some(
        Finding::new(release.subject(), format!("names a licence that is not in the `.crate`: `{written}`"))
            .fact("key", "license-file")
            .at(release.metadata.location.clone())
            .told_apart_by("license-file")
            .fix(Fix::new("name a file of the package, and do not exclude it").command("cargo package --list"))
            .weaker(),
    )
}

fn of_readme(release: &Release, archive: &CrateFile, readme: &Readme) -> Outcome {
    let path = &readme.path;
    let Some(text) = &readme.text else {
        let (words, fix) = if archive.files.contains_key(path) {
            ("has a readme that is not UTF-8", "save it as UTF-8")
        } else {
            ("names a readme that is not in the `.crate`", "name a file of the package, and do not exclude it")
        };
        return Finding::new(release.subject(), format!("{words}: `{path}`"))
            .fact("key", "readme")
            .at(release.metadata.location.clone())
            .told_apart_by("readme-file")
            .fix(Fix::new(fix))
            .weaker()
            .into();
    };
    let links = links::relative(text);
    let unpackaged: Vec<&Link> = links.iter().filter(|link| !is_packaged(archive, readme, &link.target)).collect();
    if unpackaged.is_empty() {
        return Outcome::clean();
    }
    let comparison = match known(&archive.comparison, release) {
        Ok(comparison) => comparison,
        Err(not_checked) => return not_checked,
    };
    let folders = folders_in_commit(release, readme, &comparison.paths);
    let is_dead = |link: &&Link| !folders.iter().any(|folder| is_there(&comparison.paths, folder, &link.target));
    let dead: Vec<&Link> = unpackaged.into_iter().filter(is_dead).collect();
    dead_links(release, readme, text, &dead).into()
}

/// Whether a link of the readme leads to something in the `.crate`.
fn is_packaged(archive: &CrateFile, readme: &Readme, target: &str) -> bool {
    let folder = readme.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // What is above the root of a repository is a page of its forge: `../../issues`.
    let Some(path) = links::resolve(folder, target) else { return true };
    let below = format!("{path}/");
    let is_folder = || archive.files.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below));
    path.is_empty() || archive.files.contains_key(&path) || is_folder()
}

/// Where the readme may be in the commit: in the package, else in a folder above, from which cargo copies it.
fn folders_in_commit(release: &Release, readme: &Readme, paths: &BTreeSet<String>) -> Vec<String> {
    let parent = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let own = release.path(&readme.path);
    if paths.contains(&own) {
        return vec![parent(&own).unwrap_or_default()];
    }
    let mut folders = vec![release.folder.clone()];
    let mut folder = release.folder.clone();
    while !folder.is_empty() {
        folder = parent(&folder).unwrap_or_default();
        folders.push(folder.clone());
    }
    folders
}

/// Whether a link from this folder leads to a file or folder of the commit, or above its root.
fn is_there(paths: &BTreeSet<String>, folder: &str, target: &str) -> bool {
    let Some(path) = links::resolve(folder, target) else { return true };
    let below = format!("{path}/");
    path.is_empty()
        || paths.contains(&path)
        || paths.range(below.clone()..).next().is_some_and(|path| path.starts_with(&below))
}

fn dead_links(release: &Release, readme: &Readme, text: &str, dead: &[&Link]) -> Option<Finding> {
    let targets: BTreeSet<&str> = dead.iter().map(|link| link.target.as_str()).collect();
    if targets.is_empty() {
        return None;
    }
    let index = LineIndex::new(text);
    let is_own = match release.archive.known().map(|archive| &archive.comparison) {
        Some(Fact::Known(comparison)) => comparison.paths.contains(&release.path(&readme.path)),
        _ => false,
    };
    let place = |link: &&Link| Location::within(release.path(&readme.path), index.region(link.span.clone()));
    let places = dead.iter().take(PLACES).filter(|_| is_own).map(place);
    let named = several(&targets);
    let message = format!("has a readme with links to what neither the `.crate` nor the commit has: {named}");
    Some(
        Finding::new(release.subject(), message)
            .fact("links", targets.iter().copied().collect::<Vec<_>>())
            .at(places)
            .told_apart_by(format!("links\n{}", targets.into_iter().collect::<Vec<_>>().join("\n")))
            .fix(Fix::new("correct the links; where the file is elsewhere, write the whole address"))
            .weaker(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, check, messages, reasons, release};
    use super::*;
    use crate::finding::Unknown;
    use crate::subject::package::Registry;

    fn with_readme(text: &str) -> Release {
        let mut release = release();
        release.metadata.readme = Some(Readme { path: "README.md".to_owned(), text: Some(text.to_owned()) });
        release
    }

    #[test]
    fn what_crates_io_refuses_is_the_stronger_form() {
        let mut empty = Release { metadata: Metadata::default(), ..release() };
        assert_eq!(
            messages(&check(&RULE, &empty)),
            [
                "has neither `license` nor `license-file`, and crates.io refuses it",
                "has no `description`, and crates.io refuses it",
                "weaker: has no `repository`, by which it could be compared with its source",
                "weaker: has no `rust-version`",
                "weaker: has no readme",
            ]
        );
        empty.registry = Registry::new("sparse+https://registry.example.org/");
        let said = messages(&check(&RULE, &empty));
        assert_eq!((said.len(), said[0].as_str()), (5, "weaker: has neither `license` nor `license-file`"));
    }

    #[test]
    fn a_licence_file_has_to_be_in_the_archive() {
        let mut release = release();
        let mut said = |file: &str| {
            release.metadata.license_file = Some(file.to_owned());
            messages(&check(&RULE, &release))
        };
        assert_eq!(said("LICENSE"), [""; 0]);
        assert_eq!(said("./LICENSE"), [""; 0]);
        assert_eq!(said("../../LICENSE"), [""; 0], "cargo copies it");
        assert_eq!(said("COPYING"), ["weaker: names a licence that is not in the `.crate`: `COPYING`"]);
    }

    #[test]
    fn a_readme_without_text_is_missing_or_not_utf_8() {
        let mut release = release();
        release.metadata.readme = Some(Readme { path: "README.md".to_owned(), text: None });
        assert_eq!(messages(&check(&RULE, &release)), ["weaker: has a readme that is not UTF-8: `README.md`"]);
        archive(&mut release).files.remove("README.md");
        assert_eq!(
            messages(&check(&RULE, &release)),
            ["weaker: names a readme that is not in the `.crate`: `README.md`"]
        );
    }

    #[test]
    fn links_may_lead_into_the_archive_the_commit_and_the_forge() {
        let fine =
            with_readme("[a](src/lib.rs) [b](../../docs/guide.md) [c](/docs) [d](../../../../issues) [e](LICENSE)");
        assert_eq!(check(&RULE, &fine), Outcome::clean());
        let outcome = check(&RULE, &with_readme("# one\n[a](docs/guide.md), [b](docs/guide.md), [c](src/gone.rs)"));
        assert_eq!(
            messages(&outcome),
            ["weaker: has a readme with links to what neither the `.crate` nor the commit has: `docs/guide.md`, \
             `src/gone.rs`"]
        );
        let place = &outcome.findings[0].locations[0];
        assert_eq!((place.path.as_str(), place.region.as_ref().unwrap().line), ("crates/one/README.md", 2));
    }

    #[test]
    fn a_readme_from_a_folder_above_has_its_links_from_there() {
        let mut copied = with_readme("[a](docs/guide.md) [b](docs/gone.md)");
        let Fact::Known(comparison) = &mut archive(&mut copied).comparison else { panic!("not compared") };
        comparison.paths.remove("crates/one/README.md");
        let outcome = check(&RULE, &copied);
        assert_eq!(
            messages(&outcome),
            ["weaker: has a readme with links to what neither the `.crate` nor the commit has: `docs/gone.md`"]
        );
        assert_eq!(outcome.findings[0].locations, []);
    }

    #[test]
    fn without_a_commit_links_out_of_the_archive_are_not_checked() {
        let mut release = with_readme("[a](docs/guide.md)");
        archive(&mut release).comparison = Fact::Unknown(Unknown::new("no git repository"));
        assert_eq!(reasons(&check(&RULE, &release)), ["no git repository"]);
        let Some(readme) = &mut release.metadata.readme else { panic!("no readme") };
        readme.text = Some("[a](src/lib.rs)".to_owned());
        assert_eq!(check(&RULE, &release), Outcome::clean());
        release.archive = Fact::Unknown(Unknown::new("cargo could not package it"));
        release.metadata.description = None;
        let outcome = check(&RULE, &release);
        assert_eq!((messages(&outcome).len(), reasons(&outcome)), (1, vec!["cargo could not package it"]));
    }
}
