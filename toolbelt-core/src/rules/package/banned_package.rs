#![doc = include_str!("banned_package.md")]

use semver::VersionReq;

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome, Unknown};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::package::Package;

static PACKAGES: RuleOption = RuleOption {
    name: "packages",
    default: OptionDefault::Packages(&[]),
    about: "packages that must not be there: `name`, or `name@requirement` for some versions",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "banned-package",
    summary: "a package is there that the policy bans",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4100"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&PACKAGES],
    needs: &[],
    explanation: include_str!("banned_package.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::clean();
    for ban in context.options.list(&PACKAGES) {
        let (name, requirement) = ban.split_once('@').map_or((ban, "*"), |(name, requirement)| (name, requirement));
        if name != package.name {
            continue;
        }
        match VersionReq::parse(requirement) {
            Ok(requirement) if requirement == VersionReq::STAR || requirement.matches(&package.version) => {
                outcome.extend(finding(package, ban, context).into());
            }
            Ok(_) => {}
            Err(_) => {
                let unknown = Unknown::new(format!("`{ban}` in the policy is no `name@requirement`"));
                outcome.extend(unknown.of(&package.subject()));
            }
        }
    }
    outcome
}

fn finding(package: &Package, ban: &str, context: &Context<'_>) -> Finding {
    let dependents = context.dependencies.dependents_of(package);
    let names = dependents.iter().map(|dependent| format!("`{}`", dependent.name)).collect::<Vec<_>>();
    let fix = match names.as_slice() {
        [] => Fix::new("remove it from the dependencies"),
        names => Fix::new(format!("{} asks for it: find a replacement", names.join(", "))),
    };
    Finding::new(package.subject(), format!("is banned by the policy: `{ban}`"))
        .fact("ban", ban)
        .at(package.locations.iter().cloned())
        .told_apart_by(ban)
        .fix(fix.command(format!("cargo toolbelt deps why {}", package.name)))
}
