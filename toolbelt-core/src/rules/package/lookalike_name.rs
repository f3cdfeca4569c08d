#![doc = include_str!("lookalike_name.md")]

use super::Context;
use crate::finding::{Fact, Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::dependencies::{Dependencies, Lockfile};
use crate::subject::names::{Names, Resemblance, is_same};
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lookalike-name",
    summary: "name resembles that of a far more popular package",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4200", "TBT-5300"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[Need::Names],
    explanation: include_str!("lookalike_name.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    if !package.source.is_crates_io() {
        return Outcome::clean();
    }
    let names = match &context.knowledge.names {
        Fact::Known(names) => names,
        Fact::Unknown(unknown) => return unknown.of(&package.subject()),
    };
    resemblance(names, &package.name)
        .filter(|seen| !is_brought_in_by(seen.target.name, package, context.dependencies))
        .map(|seen| finding(package.subject(), &seen).at(package.locations.iter().cloned()))
        .into()
}

/// What a name resembles, unless both come from one repository.
pub(crate) fn resemblance<'a>(names: &'a Names, name: &str) -> Option<Resemblance<'a>> {
    names.resemblance(name).filter(|seen| {
        let own = names.get(name).and_then(|entry| entry.repository).map(repository);
        own.is_none() || own != seen.target.repository.map(repository)
    })
}

/// Says that the subject's name resembles another.
pub(crate) fn finding(subject: Subject, seen: &Resemblance<'_>) -> Finding {
    let target = seen.target.name;
    let standing = seen.target.rank.map(|rank| format!(", which ranks {}", ordinal(rank))).unwrap_or_default();
    let mut fix = Fix::new(format!("depend on `{target}`"));
    // A name without a version was asked about before it was added.
    if subject.version.is_some() {
        fix = fix.command(format!("cargo remove {}", subject.name));
    }
    let fix = fix.command(format!("cargo add {target}"));
    let finding = Finding::new(subject, format!("resembles `{target}`{standing}: {}", seen.how))
        .fact("target", target)
        .fact("how", seen.how.to_string())
        .fix(fix);
    match seen.target.rank {
        Some(rank) => finding.fact("rank", rank),
        None => finding,
    }
}

/// Whether a package of this name depends on `package`, directly or through others, in some lock file.
///
/// Whoever uses the target has this package too, so there is nobody who got it by mistake.
fn is_brought_in_by(target: &str, package: &Package, dependencies: &Dependencies) -> bool {
    let is_target = |at: usize| {
        dependencies.packages.get(at).is_some_and(|other| other.source.is_crates_io() && is_same(&other.name, target))
    };
    let is_package = |at: usize| {
        dependencies.packages.get(at).is_some_and(|other| other.name == package.name && other.source == package.source)
    };
    dependencies.lockfiles.iter().any(|lockfile| {
        let roots = lockfile.nodes.iter().enumerate().filter(|(_, node)| is_target(node.package)).map(|(at, _)| at);
        reaches(lockfile, roots.collect(), is_package)
    })
}

/// Whether a walk along dependencies from `open` meets a node with such a package.
fn reaches(lockfile: &Lockfile, mut open: Vec<usize>, is_wanted: impl Fn(usize) -> bool) -> bool {
    let mut seen = vec![false; lockfile.nodes.len()];
    while let Some(at) = open.pop() {
        let (Some(node), Some(seen)) = (lockfile.nodes.get(at), seen.get_mut(at)) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        if is_wanted(node.package) {
            return true;
        }
        open.extend(&node.dependencies);
    }
    false
}

/// A repository's URL without what differs between two ways of writing it.
fn repository(url: &str) -> String {
    let url = url.split(['#', '?']).next().unwrap_or_default();
    let url = url.split("://").last().unwrap_or_default().trim_end_matches('/');
    // A folder of the repository, as forges write it.
    let url = url.split("/tree/").next().unwrap_or_default();
    url.trim_end_matches(".git").to_ascii_lowercase()
}

/// `1st`, `2nd`, `3rd`, `4th`, …
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use semver::Version;

    use super::*;
    use crate::finding::Unknown;
    use crate::rules::options::Options;
    use crate::rules::package::Knowledge;
    use crate::subject::advisory::Advisories;
    use crate::subject::dependencies::Node;
    use crate::subject::names::Entry;
    use crate::subject::package::{Registry, Source};

    fn package(name: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            source: Source::crates_io(),
            checksum: None,
            locations: Vec::new(),
            usage: Fact::Unknown(Unknown::new("not asked")),
            listing: None,
            archive: None,
        }
    }

    fn entry(name: &'static str, rank: u32, repository: &'static str) -> Entry<'static> {
        Entry { name, rank: Some(rank), repository: Some(repository).filter(|url| !url.is_empty()) }
    }

    fn names() -> Names {
        Names::new([
            entry("env_logger", 45, "https://github.com/rust-cli/env_logger"),
            entry("serde", 9, "https://github.com/serde-rs/serde"),
            entry("serders", 90_000, "https://github.com/serde-rs/serde.git"),
            entry("serde-rs", 90_001, "https://github.com/serde-rs/serde.git"),
            entry("serde-rust", 90_002, "https://github.com/somebody/else"),
        ])
    }

    fn judge(package: &Package, dependencies: &Dependencies, names: Fact<Names>) -> Outcome {
        let knowledge = Knowledge {
            advisories: Fact::Known(Advisories::default()),
            names,
            cached_names: std::collections::BTreeSet::new(),
        };
        let context =
            Context { now: Timestamp::UNIX_EPOCH, options: &Options::default(), dependencies, knowledge: &knowledge };
        check(package, &context)
    }

    fn alone(name: &str) -> Outcome {
        judge(&package(name), &Dependencies::default(), Fact::Known(names()))
    }

    #[test]
    fn finding_names_target_rank_and_lure() {
        let outcome = alone("envlogger");
        let finding = &outcome.findings[0];
        assert_eq!(finding.message, "resembles `env_logger`, which ranks 45th: separator removed");
        assert_eq!(finding.facts["target"], "env_logger");
        assert_eq!(finding.facts["rank"], 45);
        assert_eq!(finding.facts["how"], "separator removed");
        let fix = finding.fix.as_ref().unwrap();
        assert_eq!(fix.commands, ["cargo remove envlogger", "cargo add env_logger"]);
    }

    #[test]
    fn established_packages_and_ordinary_names_are_quiet() {
        for name in ["env_logger", "env-logger", "serde", "toolbelt", "loggers"] {
            assert_eq!(alone(name), Outcome::clean(), "{name}");
        }
    }

    #[test]
    fn packages_from_elsewhere_are_not_looked_at() {
        let mut other = package("envlogger");
        other.source = Source::Registry(Registry { index: "sparse+https://example.org/".to_owned() });
        assert_eq!(judge(&other, &Dependencies::default(), Fact::Known(names())), Outcome::clean());
    }

    #[test]
    fn two_crates_of_one_repository_are_not_taken_for_each_other() {
        assert_eq!(alone("serde-rs"), Outcome::clean());
        assert_eq!(alone("serde-rust").findings.len(), 1);
    }

    #[test]
    fn what_the_target_brings_in_itself_is_quiet() {
        let mut dependencies = Dependencies {
            packages: vec![package("env_logger"), package("middle"), package("envlogger")],
            lockfiles: vec![Lockfile {
                path: "Cargo.lock".to_owned(),
                nodes: vec![
                    Node { package: 0, dependencies: vec![1] },
                    Node { package: 1, dependencies: vec![2, 0] },
                    Node { package: 2, dependencies: vec![] },
                ],
            }],
            members: Vec::new(),
            patched: std::collections::BTreeSet::new(),
        };
        let names = || Fact::Known(names());
        assert_eq!(judge(&package("envlogger"), &dependencies, names()), Outcome::clean());
        dependencies.lockfiles[0].nodes[1].dependencies = vec![0];
        assert_eq!(judge(&package("envlogger"), &dependencies, names()).findings.len(), 1);
    }

    #[test]
    fn missing_list_is_not_checked() {
        let outcome = judge(&package("envlogger"), &Dependencies::default(), Fact::Unknown(Unknown::new("no list")));
        assert_eq!(outcome.findings, []);
        assert_eq!(outcome.not_checked.len(), 1);
    }

    #[test]
    fn ranks_are_written_as_ordinals() {
        let written: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 112].into_iter().map(ordinal).collect();
        assert_eq!(written, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
    }
}
