#![doc = include_str!("private_name_exposed.md")]

use std::collections::BTreeMap;

use super::Context;
use crate::finding::{Fact, Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::dependencies::{Declared, DeclaredSource, Member};
use crate::subject::package::Source;
use crate::subject::{Location, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "private-name-exposed",
    summary: "a private package's name can resolve to a public crate",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-5300"],
    cwe: &[427],
    severity: Severity::High,
    default: Level::Warn,
    weaker: Some(Level::Allow),
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Names],
    explanation: include_str!("private_name_exposed.md"),
    check: Check::Dependencies(check),
};

/// A package that is not meant to come from crates.io.
struct Private {
    what: &'static str,
    place: Location,
}

fn check(context: &Context<'_>) -> Outcome {
    let private = private_packages(context);
    let mut outcome = Outcome::clean();
    for member in &context.dependencies.members {
        for declared in member.requirements.iter().filter(|declared| may_be_public(member, declared)) {
            let name = declared.requirement.name.as_str();
            if let Some(package) = private.get(name) {
                outcome.extend(judge(name, package, declared, context));
            }
        }
    }
    outcome
}

/// Members that are never published to crates.io and packages of other registries, by name.
fn private_packages<'a>(context: &Context<'a>) -> BTreeMap<&'a str, Private> {
    let of_registries = context.dependencies.packages.iter().filter_map(|package| match &package.source {
        Source::Registry(registry) if !registry.is_crates_io() => {
            let place = package.locations.first()?.clone();
            Some((package.name.as_str(), Private { what: "comes from another registry", place }))
        }
        _ => None,
    });
    let members = context.dependencies.members.iter();
    let members = members.filter(|member| is_never_public(member)).map(|member| {
        (member.name.as_str(), Private { what: "is never published to crates.io", place: member.location.clone() })
    });
    of_registries.chain(members).collect()
}

/// Whether a member may not be published to crates.io.
fn is_never_public(member: &Member) -> bool {
    member.publish.as_ref().is_some_and(|registries| !registries.iter().any(|registry| registry == "crates-io"))
}

/// Whether cargo could meet this from crates.io: here, or once the member that says so is published.
fn may_be_public(member: &Member, declared: &Declared) -> bool {
    match declared.from {
        DeclaredSource::CratesIo => true,
        DeclaredSource::PathAndRegistry => !is_never_public(member),
        DeclaredSource::Registry(_) | DeclaredSource::Path | DeclaredSource::Git { .. } => false,
    }
}

fn judge(name: &str, private: &Private, declared: &Declared, context: &Context<'_>) -> Outcome {
    let locked =
        context.dependencies.named(name).any(|index| context.dependencies.packages[index].source.is_crates_io());
    let is_known_here = locked || context.knowledge.cached_names.contains(name);
    let is_public = match &context.knowledge.names {
        Fact::Known(names) => is_known_here || names.get(name).is_some(),
        Fact::Unknown(unknown) if !is_known_here => return unknown.of(&Subject::any_version(name)),
        Fact::Unknown(_) => true,
    };
    let finding = Finding::new(Subject::any_version(name), String::new())
        .fact("name", name)
        .at([declared.location.clone(), private.place.clone()])
        .told_apart_by(declared.location.path.as_str())
        .fix(Fix::new(format!(
            "say where `{name}` comes from (`registry = \"…\"`, or `path` without `version` where it is never published)"
        )));
    let what = private.what;
    if is_public {
        let message = format!("{what}, crates.io has a crate of that name, and this requirement can resolve to it");
        return Finding { message, ..finding }.into();
    }
    let message = format!(
        "{what}, no crate of that name is known here, and this requirement would resolve to one that is or will be there"
    );
    Finding { message, ..finding }.weaker().into()
}
