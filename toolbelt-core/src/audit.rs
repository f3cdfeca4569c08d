//! Runs the active rules over subjects.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::finding::{Level, NotChecked, Outcome, Unknown};
use crate::policy::Policy;
use crate::rules::package::{Context, Knowledge};
use crate::rules::{self, Check, Need, Rule, Scope, blob};
use crate::subject::dependencies::Dependencies;
use crate::subject::package::{Package, Source};
use crate::subject::sighting::Sighting;
use crate::subject::tree::TreeChange;

/// Judges dependency trees by every active rule over packages.
///
/// `stale` says which facts are older than the policy takes: a rule at deny whose answer depends on the day then says
/// what it saw, and that it could not see all.
///
/// Returns each rule that ran, in the rules' order, those that said nothing included.
pub fn dependencies(
    dependencies: &Dependencies,
    knowledge: &Knowledge,
    policy: &Policy,
    stale: &BTreeMap<Need, Unknown>,
    now: Timestamp,
) -> Vec<(&'static Rule, Outcome)> {
    let mut observed = Vec::new();
    for rule in rules::all().filter(|rule| policy.is_active(rule)) {
        let options = policy.options(rule);
        let context = Context { now, options: &options, dependencies, knowledge };
        let mut outcome = match rule.check {
            Check::Package(check) => {
                let packages = dependencies.packages.iter().filter(|package| policy.looks_at(rule, &package.usage));
                let mut outcome = Outcome::clean();
                let (mut from_registries, mut not_seen) = (0, 0);
                for package in packages {
                    let said = check(package, &context);
                    if matches!(package.source, Source::Registry(_)) {
                        from_registries += 1;
                        not_seen += usize::from(!said.not_checked.is_empty());
                    }
                    outcome.extend(with_usage(said, package));
                }
                if from_registries > 1 && not_seen == from_registries {
                    outcome.not_checked = told_once(outcome.not_checked);
                }
                outcome
            }
            Check::Dependencies(check) => check(&context),
            Check::Sighting(_) | Check::Tree(_) | Check::Exemption(_) => continue,
        };
        outcome.not_checked.extend(stale_for(rule, policy, stale));
        observed.push((rule, outcome));
    }
    observed
}

/// Judges what a scan saw by every active rule over contents and trees.
///
/// Returns each rule that ran, in the rules' order, those that said nothing included.
pub fn contents(sightings: &[Sighting], changes: &[TreeChange], policy: &Policy) -> Vec<(&'static Rule, Outcome)> {
    let mut observed = Vec::new();
    for rule in rules::all().filter(|rule| policy.is_active(rule)) {
        let options = policy.options(rule);
        let context = blob::Context { options: &options };
        let mut outcome = Outcome::clean();
        match rule.check {
            Check::Sighting(check) => sightings.iter().for_each(|sighting| outcome.extend(check(sighting, &context))),
            Check::Tree(check) => changes.iter().for_each(|change| outcome.extend(check(change, &context))),
            Check::Package(_) | Check::Dependencies(_) | Check::Exemption(_) => continue,
        }
        observed.push((rule, outcome));
    }
    observed
}

/// Adds to findings about a package how it is used, where that is known.
fn with_usage(mut outcome: Outcome, package: &Package) -> Outcome {
    if let Some(usage) = package.usage.known().filter(|usage| !usage.is_empty()) {
        for finding in &mut outcome.findings {
            finding.facts.insert("usage", usage.words().into());
        }
    }
    outcome
}

/// What a rule at deny misses because its data is old.
fn stale_for(rule: &Rule, policy: &Policy, stale: &BTreeMap<Need, Unknown>) -> Vec<NotChecked> {
    if rule.scope == Scope::Deterministic || policy.level(rule) < Level::Deny {
        return Vec::new();
    }
    let reasons = rule.needs.iter().filter_map(|need| stale.get(need));
    reasons.map(|reason| NotChecked { subject: None, reason: reason.clone() }).collect()
}

/// Where a rule could look at no package of any registry for one and the same reason, says so once.
fn told_once(not_checked: Vec<NotChecked>) -> Vec<NotChecked> {
    match not_checked.first() {
        Some(first) if not_checked.iter().all(|next| next.reason == first.reason) => {
            vec![NotChecked { subject: None, reason: first.reason.clone() }]
        }
        _ => not_checked,
    }
}
