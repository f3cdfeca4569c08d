#![doc = include_str!("dependency_not_releasable.md")]

use std::collections::BTreeMap;

use semver::VersionReq;

use super::{Context, known};
use crate::finding::{Fact, Finding, Fix, Level, Outcome, Unknown};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::DependencyKind;
use crate::subject::release::{DeclaredDependency, DependencyPlace, LockedDependency, Release};

/// The rule.
pub static RULE: Rule = Rule {
    id: "dependency-not-releasable",
    summary: "a dependency is not what a release can build on",
    capability: Capability::SecurePublication,
    threats: &["TBT-4200", "TBT-5100"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Advisories, Need::FreshIndex],
    explanation: include_str!("dependency_not_releasable.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let mut outcome: Outcome =
        release.dependencies.iter().filter_map(|dependency| declared(release, dependency)).collect();
    match known(&release.locked, release) {
        Ok(locked) => outcome.extend(of_locked(release, locked)),
        Err(not_checked) => outcome.extend(not_checked),
    }
    outcome
}

/// What is wrong with a dependency as the manifest asks for it.
fn declared(release: &Release, dependency: &DeclaredDependency) -> Option<Finding> {
    let name = &dependency.name;
    let is_dev = dependency.kind == DependencyKind::Dev;
    let finding = |message: String, fix: Fix| {
        Finding::new(release.subject(), message)
            .fact("dependency", name.as_str())
            .fact("kind", dependency.kind.as_str())
            .at(dependency.location.clone())
            .told_apart_by(format!(
                "{} {name} {}",
                dependency.kind.as_str(),
                dependency.requirement.as_deref().unwrap_or("-")
            ))
            .fix(fix)
    };
    let Some(requirement) = &dependency.requirement else {
        let place = match dependency.place {
            DependencyPlace::Path => "a path",
            DependencyPlace::Git => "a git repository",
            DependencyPlace::Registry => "a registry",
        };
        // Cargo leaves out what only tests ask for.
        return (!is_dev).then(|| {
            let fix = format!("publish `{name}` first, and ask for that version beside the place");
            finding(format!("depends on `{name}` from {place} without a version"), Fix::new(fix))
        });
    };
    if requirement.trim() == "*" && release.registry.is_crates_io() {
        let message = format!("depends on `{name}` in any version (`*`), and crates.io refuses that");
        return Some(finding(message, Fix::new("ask for the version that you have tried")));
    }
    let asks_for_pre = VersionReq::parse(requirement)
        .is_ok_and(|requirement| requirement.comparators.iter().any(|comparator| !comparator.pre.is_empty()));
    (asks_for_pre && release.version.pre.is_empty() && !is_dev).then(|| {
        let message = format!("depends on a pre-release, `{name}` {requirement}, and is none itself");
        let fix = format!("wait for the release of `{name}`, or publish a pre-release");
        finding(message, Fix::new(fix)).weaker()
    })
}

/// What is wrong with the packages of the lock file.
fn of_locked(release: &Release, locked: &[LockedDependency]) -> Outcome {
    let mut outcome = Outcome::clean();
    let mut unknown: BTreeMap<&Unknown, usize> = BTreeMap::new();
    for dependency in locked {
        match &dependency.is_yanked {
            Fact::Known(true) => outcome.findings.push(yanked(release, dependency)),
            Fact::Known(false) => {}
            Fact::Unknown(reason) => *unknown.entry(reason).or_default() += 1,
        }
        match &dependency.vulnerabilities {
            Fact::Known(ids) => outcome.findings.extend(ids.iter().map(|id| vulnerable(release, dependency, id))),
            Fact::Unknown(reason) => *unknown.entry(reason).or_default() += 1,
        }
    }
    // The same reason holds for hundreds of packages.
    for reason in unknown.into_keys() {
        outcome.extend(reason.of(&release.subject()));
    }
    outcome
}

fn yanked(release: &Release, dependency: &LockedDependency) -> Finding {
    let LockedDependency { name, version, .. } = dependency;
    let message = format!("is locked to `{name}` {version}, which was yanked by its publisher");
    finding(release, dependency, message)
        .told_apart_by(format!("yanked {name} {version}"))
        .fix(Fix::new(format!("update `{name}`")).command(format!("cargo update -p {name}@{version}")))
}

fn vulnerable(release: &Release, dependency: &LockedDependency, id: &str) -> Finding {
    let LockedDependency { name, version, .. } = dependency;
    finding(release, dependency, format!("is locked to `{name}` {version}, of which a vulnerability is known: {id}"))
        .fact("advisory", id)
        .told_apart_by(format!("{id} {name} {version}"))
        .fix(
            Fix::new(format!("take a version of `{name}` that is not affected"))
                .command(format!("cargo update -p {name}@{version}")),
        )
}

fn finding(release: &Release, dependency: &LockedDependency, message: String) -> Finding {
    let finding = Finding::new(release.subject(), message)
        .fact("dependency", dependency.name.as_str())
        .fact("version", dependency.version.to_string())
        .fact("direct", dependency.is_direct);
    // Whoever uses a library resolves anew; a program is installed as it was locked.
    let is_shipped = release.archive.known().is_some_and(|archive| archive.has_binaries);
    if is_shipped { finding } else { finding.weaker() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, check, messages, reasons, release, version};
    use super::*;
    use crate::subject::package::Registry;

    fn asking(requirement: Option<&str>, kind: DependencyKind, place: DependencyPlace) -> Release {
        let requirement = requirement.map(str::to_owned);
        let dependency = DeclaredDependency { name: "two".to_owned(), requirement, kind, place, location: None };
        Release { dependencies: vec![dependency], ..release() }
    }

    fn locked(is_yanked: Fact<bool>, vulnerabilities: Fact<Vec<String>>) -> LockedDependency {
        let (name, version) = ("two".to_owned(), version("2.0.0"));
        LockedDependency { name, version, is_direct: true, is_yanked, vulnerabilities }
    }

    #[test]
    fn a_place_without_a_version_cannot_be_published_except_for_tests() {
        let said = |kind, place| messages(&check(&RULE, &asking(None, kind, place)));
        let (path, git) = (DependencyPlace::Path, DependencyPlace::Git);
        assert_eq!(said(DependencyKind::Normal, path), ["depends on `two` from a path without a version"]);
        assert_eq!(said(DependencyKind::Build, git), ["depends on `two` from a git repository without a version"]);
        assert_eq!(said(DependencyKind::Dev, path), [""; 0]);
        assert_eq!(check(&RULE, &asking(Some("2"), DependencyKind::Normal, path)), Outcome::clean());
    }

    #[test]
    fn a_stable_version_should_not_build_on_a_pre_release() {
        let mut release = asking(Some("=2.0.0-rc.1"), DependencyKind::Normal, DependencyPlace::Registry);
        assert_eq!(
            messages(&check(&RULE, &release)),
            ["weaker: depends on a pre-release, `two` =2.0.0-rc.1, and is none itself"]
        );
        release.version = version("1.2.3-rc.1");
        assert_eq!(check(&RULE, &release), Outcome::clean());
        let tests = asking(Some("2.0.0-rc.1"), DependencyKind::Dev, DependencyPlace::Registry);
        assert_eq!(check(&RULE, &tests), Outcome::clean());
    }

    #[test]
    fn crates_io_refuses_wildcards() {
        let mut release = asking(Some("*"), DependencyKind::Dev, DependencyPlace::Registry);
        assert_eq!(
            messages(&check(&RULE, &release)),
            ["depends on `two` in any version (`*`), and crates.io refuses that"]
        );
        release.registry = Registry::new("sparse+https://registry.example.org/");
        assert_eq!(check(&RULE, &release), Outcome::clean());
    }

    #[test]
    fn what_is_locked_counts_more_where_it_is_shipped() {
        let yanked = "is locked to `two` 2.0.0, which was yanked by its publisher";
        let vulnerable = "is locked to `two` 2.0.0, of which a vulnerability is known: RUSTSEC-2026-0001";
        let bad = locked(Fact::Known(true), Fact::Known(vec!["RUSTSEC-2026-0001".to_owned()]));
        let mut release = Release { locked: Fact::Known(vec![bad]), ..release() };
        assert_eq!(messages(&check(&RULE, &release)), [format!("weaker: {yanked}"), format!("weaker: {vulnerable}")]);
        archive(&mut release).has_binaries = true;
        let outcome = check(&RULE, &release);
        assert_eq!(messages(&outcome), [yanked, vulnerable]);
        assert_eq!(outcome.findings[1].facts["advisory"], "RUSTSEC-2026-0001");
    }

    #[test]
    fn a_reason_that_holds_for_many_is_told_once() {
        let offline = || Unknown::new("offline");
        let dependency = locked(Fact::Unknown(offline()), Fact::Unknown(offline()));
        let release = Release { locked: Fact::Known(vec![dependency.clone(), dependency]), ..release() };
        assert_eq!(reasons(&check(&RULE, &release)), ["offline"]);
        let none = Release { locked: Fact::Unknown(Unknown::new("no lock file")), ..release };
        assert_eq!(reasons(&check(&RULE, &none)), ["no lock file"]);
    }
}
