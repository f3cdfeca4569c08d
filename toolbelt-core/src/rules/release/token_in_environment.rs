#![doc = include_str!("token_in_environment.md")]

use super::Context;
use super::wording::some_of;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::credential::Credentials;
use crate::subject::release::Release;

/// The rule.
pub static RULE: Rule = Rule {
    id: "token-in-environment",
    summary: "a registry token is at hand where it need not be",
    capability: Capability::SecurePublication,
    threats: &["TBT-1200", "TBT-4310", "TBT-5110"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("token_in_environment.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let credentials = &release.credentials;
    let needless = needless(release, credentials);
    needless.into_iter().chain(reachable(release, credentials)).collect()
}

/// A token that lives on, where the service that runs this would vouch for the run. Only crates.io takes its word.
fn needless(release: &Release, credentials: &Credentials) -> Option<Finding> {
    let service = credentials.trusted_publishing.as_ref().filter(|_| release.registry.is_crates_io())?;
    let places: Vec<String> = credentials.long_lived().map(|credential| credential.place.clone()).collect();
    if places.is_empty() {
        return None;
    }
    let message = format!("could be published on the word of {service}, and a long-lived token is at hand: ");
    let finding = Finding::new(release.subject(), message + &some_of(places.iter().cloned()))
        .fact("service", service.as_str())
        .fact("places", places)
        .told_apart_by("long-lived")
        .fix(Fix::new("set up trusted publishing for the crate on crates.io, then revoke the token"));
    Some(finding)
}

/// Build scripts and macros of every dependency run on the way.
fn reachable(release: &Release, credentials: &Credentials) -> Option<Finding> {
    let places = &credentials.reachable_by_build_scripts;
    (!places.is_empty()).then(|| {
        let message = "is compiled with a credential in reach of build scripts: ".to_owned();
        Finding::new(release.subject(), message + &some_of(places.iter().cloned()))
            .fact("places", places.clone())
            .told_apart_by("reachable")
            .fix(Fix::new("give the token only to the step that uploads, and let that step compile nothing"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, messages, release};
    use super::*;
    use crate::subject::credential::{Credential, Lifetime};
    use crate::subject::package::Registry;

    fn with(lifetime: Lifetime, service: Option<&str>, reachable: &[&str]) -> Release {
        let place = "variable `CARGO_REGISTRY_TOKEN`".to_owned();
        let credentials = Credentials {
            present: vec![Credential { place, lifetime }],
            trusted_publishing: service.map(str::to_owned),
            reachable_by_build_scripts: reachable.iter().map(|place| (*place).to_owned()).collect(),
        };
        Release { credentials, ..release() }
    }

    #[test]
    fn a_long_lived_token_is_needless_where_a_service_vouches() {
        let message = "could be published on the word of GitHub Actions, and a long-lived token is at hand: variable \
                       `CARGO_REGISTRY_TOKEN`";
        let mut release = with(Lifetime::LongLived, Some("GitHub Actions"), &[]);
        assert_eq!(messages(&check(&RULE, &release)), [message]);
        release.registry = Registry::new("sparse+https://registry.example.org/");
        assert_eq!(check(&RULE, &release), Outcome::clean());
        assert_eq!(check(&RULE, &with(Lifetime::ShortLived, Some("GitHub Actions"), &[])), Outcome::clean());
        assert_eq!(check(&RULE, &with(Lifetime::Unknown, Some("GitHub Actions"), &[])), Outcome::clean());
        assert_eq!(check(&RULE, &with(Lifetime::LongLived, None, &[])), Outcome::clean());
    }

    #[test]
    fn what_build_scripts_can_read_is_told_however_long_it_lives() {
        let release = with(Lifetime::ShortLived, None, &["variable `CARGO_REGISTRY_TOKEN`"]);
        assert_eq!(
            messages(&check(&RULE, &release)),
            ["is compiled with a credential in reach of build scripts: variable `CARGO_REGISTRY_TOKEN`"]
        );
    }
}
