#![doc = include_str!("wildcard_requirement.md")]

use semver::{Op, VersionReq};

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::dependencies::{Declared, DeclaredSource, Dependencies, Member};

/// The rule.
pub static RULE: Rule = Rule {
    id: "wildcard-requirement",
    summary: "a dependency accepts every version",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4200"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("wildcard_requirement.md"),
    check: Check::Dependencies(check),
};

fn check(context: &Context<'_>) -> Outcome {
    let members = context.dependencies.members.iter();
    let asks = members.flat_map(|member| member.requirements.iter().map(move |declared| (member, declared)));
    let wild = asks.filter(|(_, declared)| is_wild(declared));
    wild.map(|(member, declared)| finding(context.dependencies, member, declared)).collect()
}

/// Whether any version of a registry will do. A path or git dependency is what the path or repository holds.
fn is_wild(declared: &Declared) -> bool {
    let of_registry = match declared.from {
        DeclaredSource::CratesIo | DeclaredSource::Registry(_) | DeclaredSource::PathAndRegistry => true,
        DeclaredSource::Path | DeclaredSource::Git { .. } => false,
    };
    let requirement = declared.requirement.requirement.as_deref().and_then(|text| VersionReq::parse(text).ok());
    of_registry && requirement.is_some_and(|requirement| accepts_everything(&requirement))
}

fn accepts_everything(requirement: &VersionReq) -> bool {
    requirement.comparators.iter().all(|comparator| {
        let zero = comparator.major == 0 && comparator.minor.unwrap_or(0) == 0 && comparator.patch.unwrap_or(0) == 0;
        comparator.op == Op::GreaterEq && zero && comparator.pre.is_empty()
    })
}

fn finding(dependencies: &Dependencies, member: &Member, declared: &Declared) -> Finding {
    let name = &declared.requirement.name;
    let text = declared.requirement.requirement.as_deref().unwrap_or_default();
    let locked = dependencies.named(name).next().map(|index| dependencies.packages[index].version.to_string());
    let fix = match &locked {
        Some(version) => Fix::new(format!("ask for what is locked today: `{name} = \"{version}\"`")),
        None => Fix::new("ask for the version that you have tried"),
    };
    Finding::new(Subject::any_version(name), format!("`{}` accepts every version of it: `{text}`", member.name))
        .fact("member", member.name.as_str())
        .fact("requirement", text)
        .at([declared.location.clone()])
        .told_apart_by(member.manifest.as_str())
        .fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_bound_above_zero_is_no_wildcard() {
        let wild = |text: &str| accepts_everything(&VersionReq::parse(text).unwrap());
        assert!(wild("*"));
        assert!(wild(">=0"));
        assert!(wild(">=0.0.0"));
        for bounded in ["1", "1.*", ">=1", ">=0, <2", "^0", ">0"] {
            assert!(!wild(bounded), "{bounded}");
        }
    }
}
