//! Runs the active rules over subjects.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::finding::{Acceptance, ExemptedBy, Finding, Level, NotChecked, Outcome, Unknown};
use crate::policy::{self, Policy};
use crate::rules::package::{Context, Knowledge};
use crate::rules::{self, Check, Need, Rule, Scope, blob, release, repository};
use crate::subject::dependencies::Dependencies;
use crate::subject::package::{Package, Source};
use crate::subject::ref_log::RefLog;
use crate::subject::ref_update::RefUpdate;
use crate::subject::release::Release;
use crate::subject::sighting::{Observation, Sighting};
use crate::subject::signed_object::SignedObject;
use crate::subject::tree::TreeChange;
use crate::subject::value_key::ValueKey;

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
            Check::Sighting(_)
            | Check::Tree(_)
            | Check::RefUpdate(_)
            | Check::SignedObject(_)
            | Check::RefLog(_)
            | Check::Release(_)
            | Check::Exemption(_) => continue,
        };
        outcome.not_checked.extend(stale_for(rule, policy, stale));
        observed.push((rule, outcome));
    }
    observed
}

/// How findings of a scan are named and accepted besides by the policy.
#[derive(Debug, Clone, Copy)]
pub struct Acceptances<'a> {
    /// The key under which secrets are named.
    pub key: &'a ValueKey,
    /// What becomes of markers beside a place.
    pub markers: Markers,
}

/// What becomes of markers beside a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markers {
    /// They accept.
    Honoured,
    /// They accept, and are told as part of the change that is judged: it brings them along.
    OfTheChange,
    /// They do not accept.
    Ignored,
}

/// Judges what a scan saw by every active rule over contents and trees.
///
/// Returns each rule that ran, in the rules' order, those that said nothing included.
pub fn contents(
    sightings: &[Sighting],
    changes: &[TreeChange],
    policy: &Policy,
    acceptances: Acceptances<'_>,
) -> Vec<(&'static Rule, Outcome)> {
    let mut observed = Vec::new();
    for rule in rules::all().filter(|rule| policy.is_active(rule)) {
        let options = policy.options(rule);
        let context = blob::Context { options: &options };
        let mut outcome = Outcome::clean();
        match rule.check {
            Check::Sighting(check) => {
                for sighting in sightings {
                    let mut said = check(sighting, &context);
                    for finding in &mut said.findings {
                        acceptances.apply(rule, sighting, finding);
                        if finding.accepted.is_none() {
                            finding.accepted = policy.allow_lists.accepts(sighting);
                        }
                        if let Some(commit) = sighting.place.commit {
                            finding.facts.insert("commit", commit.to_string().into());
                        }
                    }
                    outcome.extend(said);
                }
            }
            Check::Tree(check) => changes.iter().for_each(|change| outcome.extend(check(change, &context))),
            Check::Package(_)
            | Check::Dependencies(_)
            | Check::RefUpdate(_)
            | Check::SignedObject(_)
            | Check::RefLog(_)
            | Check::Release(_)
            | Check::Exemption(_) => continue,
        }
        observed.push((rule, outcome));
    }
    observed
}

/// What is known of the refs that a run is about, and of the commits and tags that they bring.
#[derive(Debug, Clone, Default)]
pub struct Refs {
    /// Refs that would move.
    pub updates: Vec<RefUpdate>,
    /// Commits and tags that are new.
    pub objects: Vec<SignedObject>,
    /// What refs were, one for each remote that was looked at.
    pub logs: Vec<RefLog>,
}

/// Judges refs, and who vouches for what they bring, by every active rule over them.
///
/// Returns each rule that ran, in the rules' order, those that said nothing included.
pub fn refs(refs: &Refs, policy: &Policy) -> Vec<(&'static Rule, Outcome)> {
    let mut observed = Vec::new();
    for rule in rules::all().filter(|rule| policy.is_active(rule)) {
        let options = policy.options(rule);
        let context = repository::Context { options: &options };
        let mut outcome = Outcome::clean();
        match rule.check {
            Check::RefUpdate(check) => refs.updates.iter().for_each(|update| outcome.extend(check(update, &context))),
            Check::SignedObject(check) => {
                refs.objects.iter().for_each(|object| outcome.extend(check(object, &context)));
                // Where there is nobody to trust, it is so for each of a thousand commits.
                if outcome.not_checked.len() > 1 {
                    outcome.not_checked = told_once(outcome.not_checked);
                }
            }
            Check::RefLog(check) => refs.logs.iter().for_each(|log| outcome.extend(check(log, &context))),
            Check::Package(_)
            | Check::Dependencies(_)
            | Check::Sighting(_)
            | Check::Tree(_)
            | Check::Release(_)
            | Check::Exemption(_) => continue,
        }
        observed.push((rule, outcome));
    }
    observed
}

/// Judges what is about to be published by every active rule over releases.
///
/// `approvals` is how many the command line asks for, where it does; the policy may ask for more.
///
/// Returns each rule that ran, in the rules' order, those that said nothing included.
pub fn releases(
    releases: &[&Release],
    policy: &Policy,
    approvals: Option<u32>,
    now: Timestamp,
) -> Vec<(&'static Rule, Outcome)> {
    let mut observed = Vec::new();
    for rule in rules::all().filter(|rule| policy.is_active(rule)) {
        let Check::Release(check) = rule.check else { continue };
        let options = policy.options(rule);
        let context = release::Context { now, options: &options, approvals };
        let mut outcome = Outcome::clean();
        for release in releases {
            outcome.extend(check(release, &context));
        }
        observed.push((rule, outcome));
    }
    observed
}

impl Acceptances<'_> {
    /// Names the secret that a finding is about, and sets what accepts it.
    fn apply(self, rule: &Rule, sighting: &Sighting, finding: &mut Finding) {
        let secret = match &sighting.observation {
            Observation::Secret(candidate) => Some(self.key.name(rule.id, candidate.value.expose())),
            _ => None,
        };
        let marker = sighting.marker.as_ref().filter(|marker| marker.is_for(rule.id, secret.is_some()));
        if let (Some(marker), Markers::Honoured | Markers::OfTheChange) = (marker, self.markers) {
            finding.accepted = Some(Acceptance {
                by: ExemptedBy::Inline,
                reason: marker.reason.clone(),
                by_the_change_itself: self.markers == Markers::OfTheChange,
            });
        }
        if let Some(name) = secret {
            if self.key.is_real() {
                finding.facts.insert(policy::VALUE, name.as_str().into());
            }
            finding.discriminator = name;
        }
    }
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

/// Where a rule could look at none of many for one and the same reason, says so once.
fn told_once(not_checked: Vec<NotChecked>) -> Vec<NotChecked> {
    match not_checked.first() {
        Some(first) if not_checked.iter().all(|next| next.reason == first.reason) => {
            vec![NotChecked { subject: None, reason: first.reason.clone() }]
        }
        _ => not_checked,
    }
}
