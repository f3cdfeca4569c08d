#![doc = include_str!("duplicate_version.md")]

use std::collections::BTreeMap;

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::dependencies::{Dependencies, Lockfile};
use crate::subject::package::Package;

static EXCEPT: RuleOption = RuleOption {
    name: "except",
    default: OptionDefault::List(&[]),
    about: "packages that may be there in several versions",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "duplicate-version",
    summary: "a package is there in several versions",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4100"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Allow,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&EXCEPT],
    needs: &[],
    explanation: include_str!("duplicate_version.md"),
    check: Check::Dependencies(check),
};

fn check(context: &Context<'_>) -> Outcome {
    let except = context.options.list(&EXCEPT);
    let lockfiles = context.dependencies.lockfiles.iter();
    let duplicates = lockfiles.flat_map(|lockfile| duplicates(context.dependencies, lockfile));
    let counted = duplicates.filter(|packages| !except.contains(&packages[0].name.as_str()));
    let mut findings = BTreeMap::new();
    for packages in counted {
        let finding = finding(&packages);
        // The same versions in two lock files are one finding.
        findings.entry((packages[0].name.as_str(), finding.message.clone())).or_insert(finding);
    }
    findings.into_values().collect()
}

/// Groups of packages of one name in one lock file, each sorted by version.
fn duplicates<'a>(dependencies: &'a Dependencies, lockfile: &Lockfile) -> Vec<Vec<&'a Package>> {
    let mut by_name: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for node in &lockfile.nodes {
        let package = &dependencies.packages[node.package];
        by_name.entry(&package.name).or_default().push(package);
    }
    let mut groups = by_name.into_values().filter(|packages| packages.len() > 1).collect::<Vec<_>>();
    for group in &mut groups {
        group.sort_by(|one, other| one.version.cmp(&other.version));
    }
    groups
}

fn finding(packages: &[&Package]) -> Finding {
    let versions = packages.iter().map(|package| package.version.to_string()).collect::<Vec<_>>();
    let message = format!("is there in {} versions: {}", versions.len(), versions.join(", "));
    let name = &packages[0].name;
    let oldest = &versions[0];
    Finding::new(Subject::any_version(name), message)
        .fact("versions", versions.clone())
        .at(packages.iter().flat_map(|package| package.locations.iter().cloned()))
        .fix(
            Fix::new("update what still asks for the older one")
                .command(format!("cargo toolbelt deps why {name}@{oldest}")),
        )
}
