#![doc = include_str!("missing_license.md")]

use super::{Context, licence};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-license",
    summary: "the package does not say under which licence it may be used",
    capability: Capability::SecureIngestion,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Allow,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[Need::ArchiveManifest],
    explanation: include_str!("missing_license.md"),
    check: Check::Package(check),
};

fn check(package: &Package, _: &Context<'_>) -> Outcome {
    let manifest = match licence::manifest(package) {
        Ok(manifest) => manifest,
        Err(outcome) => return outcome,
    };
    let is_given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if is_given(&manifest.license) || is_given(&manifest.license_file) {
        return Outcome::clean();
    }
    Finding::new(package.subject(), "has neither `license` nor `license-file` in its manifest")
        .at(package.locations.iter().cloned())
        .fix(Fix::new("ask its authors for a licence; without one nothing permits its use"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::super::licence::tests::licensed;
    use super::super::listed::tests::{check, messages, package, reasons};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::subject::package::Source;

    #[test]
    fn a_manifest_with_neither_key_is_a_finding() {
        assert_eq!(messages(&check(&RULE, &licensed(None, None))).len(), 1);
        assert_eq!(messages(&check(&RULE, &licensed(Some(" "), None))).len(), 1);
        assert_eq!(check(&RULE, &licensed(Some("MIT"), None)), Outcome::clean());
        assert_eq!(check(&RULE, &licensed(None, Some("LICENSE"))), Outcome::clean());
    }

    #[test]
    fn archives_that_were_not_had_are_not_checked() {
        assert_eq!(reasons(&check(&RULE, &package())), ["cargo's cache does not have the `.crate`"]);
        let broken = Package { archive: Some(Fact::Unknown(Unknown::new("broken"))), ..package() };
        assert_eq!(reasons(&check(&RULE, &broken)), ["broken"]);
        let own = Package { source: Source::Path, ..package() };
        assert_eq!(check(&RULE, &own), Outcome::clean());
        let other = Package { source: Source::Other("x".to_owned()), ..package() };
        assert_eq!(reasons(&check(&RULE, &other)), ["licences are read from the archives of registries only"]);
    }
}
