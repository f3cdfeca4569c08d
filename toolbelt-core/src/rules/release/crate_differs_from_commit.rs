#![doc = include_str!("crate_differs_from_commit.md")]

use std::collections::BTreeMap;

use super::wording::{files, places, several, short, some_of};
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome, Unknown};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::release::{Comparison, Difference, Release};

/// Under this path it is told what is wrong with an archive as a whole.
const WHOLE: &str = ".";

/// The rule.
pub static RULE: Rule = Rule {
    id: "crate-differs-from-commit",
    summary: "a file of the `.crate` is not what the commit has",
    capability: Capability::SecurePublication,
    threats: &["TBT-3150", "TBT-5100", "TBT-5120"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("crate_differs_from_commit.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let comparison = match known(&release.archive, release) {
        Ok(archive) => known(&archive.comparison, release),
        Err(outcome) => return outcome,
    };
    let comparison = match comparison {
        Ok(comparison) => comparison,
        Err(outcome) => return outcome,
    };
    let mut outcome = Outcome::clean();
    if !comparison.differences.is_empty() {
        outcome.extend(finding(release, comparison).into());
    }
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, reason) in &comparison.not_compared {
        by_reason.entry(reason).or_default().push(path);
    }
    for (reason, paths) in by_reason {
        outcome.extend(Unknown::new(format!("{reason}: {}", several(paths))).of(&release.subject()));
    }
    outcome
}

fn finding(release: &Release, comparison: &Comparison) -> Finding {
    let mut differences: Vec<(&String, &Difference)> = comparison.differences.iter().collect();
    // What nobody could have meant comes first.
    differences.sort_by_key(|(path, difference)| (rank(difference), *path));
    let named = some_of(differences.iter().map(|(path, difference)| match path.as_str() {
        WHOLE => format!("the archive ({})", words(difference)),
        path => format!("`{path}` ({})", words(difference)),
    }));
    let commit = release
        .revision
        .known()
        .map_or("the commit".to_owned(), |revision| format!("commit {}", short(&revision.commit)));
    let all = differences.iter().map(|(path, difference)| format!("{path}\n{}", words(difference)));
    Finding::new(release.subject(), format!("differs from {commit} in {}: {named}", files(differences.len())))
        .fact("files", differences.len())
        .fact("same", comparison.same)
        .at(places(differences.iter().filter_map(|(path, difference)| match difference {
            Difference::OtherContent { path } => Some(path.clone()),
            Difference::NotInCommit | Difference::Missing => Some(release.path(path)),
            // Some of what cargo writes is nowhere else.
            Difference::OtherThanRebuilt => Some(release.path(path)).filter(|path| comparison.paths.contains(path)),
            // Its path is whatever the archive says.
            Difference::Irregular { .. } => None,
        })))
        .told_apart_by(all.collect::<Vec<_>>().join("\n"))
        .fix(Fix::new("commit what belongs to the package, and package a clean clone").command("cargo package --list"))
}

const fn rank(difference: &Difference) -> u8 {
    match difference {
        Difference::Irregular { .. } => 0,
        Difference::NotInCommit => 1,
        Difference::OtherContent { .. } => 2,
        Difference::OtherThanRebuilt => 3,
        Difference::Missing => 4,
    }
}

fn words(difference: &Difference) -> &str {
    match difference {
        Difference::Irregular { what } => what,
        Difference::NotInCommit => "not in the commit",
        Difference::OtherContent { .. } => "other content",
        Difference::OtherThanRebuilt => "not what cargo makes of the commit",
        Difference::Missing => "missing from the `.crate`",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, check, messages, reasons, release};
    use super::*;
    use crate::finding::Fact;

    fn comparison(release: &mut Release) -> &mut Comparison {
        match &mut archive(release).comparison {
            Fact::Known(comparison) => comparison,
            Fact::Unknown(_) => panic!("not compared"),
        }
    }

    fn differing(differences: Vec<(&str, Difference)>) -> Release {
        let mut release = release();
        let differences = differences.into_iter().map(|(path, difference)| (path.to_owned(), difference));
        comparison(&mut release).differences = differences.collect();
        release
    }

    #[test]
    fn each_way_to_differ_has_its_words_and_the_strangest_comes_first() {
        let release = differing(vec![
            ("a.rs", Difference::OtherContent { path: "crates/one/a.rs".to_owned() }),
            ("b.rs", Difference::NotInCommit),
            ("c.rs", Difference::Irregular { what: "a symbolic link".to_owned() }),
            ("Cargo.lock", Difference::OtherThanRebuilt),
            ("d.rs", Difference::Missing),
        ]);
        let outcome = check(&RULE, &release);
        assert_eq!(
            messages(&outcome),
            [
                "differs from commit 111111111111 in 5 files: `c.rs` (a symbolic link), `b.rs` (not in the commit), `a.rs` \
             (other content) and 2 more"
            ]
        );
        let places: Vec<&str> = outcome.findings[0].locations.iter().map(|place| place.path.as_str()).collect();
        assert_eq!(places[..2], ["crates/one/b.rs", "crates/one/a.rs"]);
        let after = Difference::Irregular { what: "something after the end of the archive".to_owned() };
        assert_eq!(
            messages(&check(&RULE, &differing(vec![(".", after)]))),
            ["differs from commit 111111111111 in 1 file: the archive (something after the end of the archive)"]
        );
    }

    #[test]
    fn another_file_is_another_finding() {
        let one = check(&RULE, &differing(vec![("a.rs", Difference::NotInCommit)]));
        let two = check(&RULE, &differing(vec![("b.rs", Difference::NotInCommit)]));
        assert_ne!(one.findings[0].fingerprint(RULE.id), two.findings[0].fingerprint(RULE.id));
    }

    #[test]
    fn what_could_not_be_compared_is_told_by_its_reason() {
        let mut release = differing(vec![("a.rs", Difference::NotInCommit)]);
        let reason = |path: &str, reason: &str| (path.to_owned(), reason.to_owned());
        comparison(&mut release).not_compared =
            [reason("b.txt", "a filter changes it"), reason("c.txt", "a filter changes it"), reason("d", "too large")]
                .into();
        let outcome = check(&RULE, &release);
        assert_eq!(reasons(&outcome), ["a filter changes it: `b.txt`, `c.txt`", "too large: `d`"]);
        assert_eq!(outcome.findings.len(), 1, "what was seen is not lost");
        archive(&mut release).comparison = Fact::Unknown(Unknown::new("no git repository"));
        assert_eq!(reasons(&check(&RULE, &release)), ["no git repository"]);
        release.archive = Fact::Unknown(Unknown::new("cargo could not package it"));
        assert_eq!(reasons(&check(&RULE, &release)), ["cargo could not package it"]);
    }
}
