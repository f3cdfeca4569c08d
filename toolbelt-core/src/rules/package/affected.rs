//! What the five rules share that judge a package by advisories: each of them is for one kind.

use super::Context;
use super::remedy;
use crate::finding::{Fact, Finding, NotChecked, Outcome, Unknown};
use crate::subject::advisory::{Advisory, AdvisoryKind, Unreadable};
use crate::subject::package::Package;

/// One finding for each advisory of this kind that is about the locked version; `claim` is what the kind says of a
/// package ("is unsound").
///
/// Only packages of crates.io: a package from elsewhere is not the one that the advisory is about, although it may have
/// the same name.
pub(super) fn judge(package: &Package, context: &Context<'_>, kind: AdvisoryKind, claim: &str) -> Outcome {
    if context.dependencies.is_unexplained(package) {
        let reason = "the lock file says that it comes from a path, and no manifest of the repository says so";
        return Unknown::new(reason).hint("`cargo metadata` writes the lock file anew").of(&package.subject());
    }
    if !package.source.is_crates_io() {
        return Outcome::clean();
    }
    let advisories = match &context.knowledge.advisories {
        Fact::Known(advisories) => advisories,
        Fact::Unknown(unknown) => return unknown.of(&package.subject()),
    };
    let about = advisories.about(&package.name).iter();
    let affecting = about.filter(|advisory| advisory.kind == kind && advisory.affects(&package.version));
    let findings = affecting.map(|advisory| finding(package, advisory, context, claim)).collect();
    // It is not known what kind they would have been.
    let unreadable = advisories.unreadable_about(&package.name);
    let not_checked =
        unreadable.map(|file| NotChecked { subject: Some(package.subject()), reason: reason(file) }).collect();
    Outcome { findings, not_checked }
}

fn finding(package: &Package, advisory: &Advisory, context: &Context<'_>, claim: &str) -> Finding {
    let title = if advisory.title.is_empty() { String::new() } else { format!(": {}", advisory.title) };
    let patched: Vec<String> = advisory.patched.iter().map(ToString::to_string).collect();
    let mut finding = Finding::new(package.subject(), format!("{claim}{title} ({})", advisory.id))
        .fact("advisory", advisory.id.as_str())
        .fact("title", advisory.title.as_str())
        .fact("url", advisory.page())
        .fact("patched", patched)
        .at(package.locations.iter().cloned())
        .told_apart_by(&advisory.id)
        .fix(remedy::fix(package, advisory, context));
    let functions: Vec<&str> = advisory.functions_in(&package.version).collect();
    let mut add = |key, words: Vec<&str>| {
        if !words.is_empty() {
            finding.facts.insert(key, words.into());
        }
    };
    add("affected-functions", functions);
    add("affected-os", advisory.os.iter().map(String::as_str).collect());
    add("affected-arch", advisory.arch.iter().map(String::as_str).collect());
    add("aliases", advisory.aliases.iter().map(String::as_str).collect());
    add("references", advisory.url.iter().chain(&advisory.references).map(String::as_str).collect());
    let date = advisory.date.map(|date| date.to_string());
    let severity = advisory.rating().map(|rating| rating.as_str().to_owned());
    for (key, value) in [("cvss", advisory.cvss.clone()), ("advisory-severity", severity), ("date", date)] {
        if let Some(value) = value {
            finding.facts.insert(key, value.into());
        }
    }
    finding
}

fn reason(file: &Unreadable) -> Unknown {
    let line = file.line.map(|line| format!(", line {line}")).unwrap_or_default();
    Unknown::new(format!("an advisory cannot be read, `{}`{line}: {}", file.path, file.reason))
        .hint("cargo toolbelt data update")
}
