#![doc = include_str!("disallowed_license.md")]

use std::collections::BTreeSet;

use spdx::{Expression, Licensee, ParseMode};

use super::{Context, licence};
use crate::finding::{Finding, Fix, Level, Outcome, Unknown};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::Package;

static ALLOW: RuleOption = RuleOption {
    name: "allow",
    default: OptionDefault::List(&[]),
    about: "SPDX licences that packages may have, such as `MIT` or `Apache-2.0 WITH LLVM-exception`",
};

/// As manifests write it: `/` for `OR` in the first years, names that SPDX gave up since; but no made-up names.
const MODE: ParseMode = ParseMode { allow_unknown: false, ..ParseMode::LAX };

/// The rule.
pub static RULE: Rule = Rule {
    id: "disallowed-license",
    summary: "the package's licence is not on the policy's list",
    capability: Capability::SecureIngestion,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Allow,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&ALLOW],
    needs: &[Need::ArchiveManifest],
    explanation: include_str!("disallowed_license.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    // Without a list there is nothing to hold a licence against.
    if !context.options.is_set(&ALLOW) {
        return Outcome::clean();
    }
    let manifest = match licence::manifest(package) {
        Ok(manifest) => manifest,
        Err(outcome) => return outcome,
    };
    // A package without one is for `missing-license`.
    let Some(license) = manifest.license.as_deref().filter(|license| !license.trim().is_empty()) else {
        return Outcome::clean();
    };
    let allow = context.options.list(&ALLOW);
    let mut allowed = Vec::new();
    for text in &allow {
        match Licensee::parse_mode(text, MODE) {
            Ok(licensee) => allowed.push(licensee),
            // Words that a manifest uses in place of SPDX can be allowed to the letter.
            Err(_) if *text == license => return Outcome::clean(),
            Err(_) => {}
        }
    }
    let finding = |message: String| {
        Finding::new(package.subject(), message).fact("license", license).at(package.locations.iter().cloned())
    };
    let expression = match Expression::parse_mode(license, MODE) {
        Ok(expression) => expression,
        Err(error) => {
            return finding(format!("has the licence `{license}`, which is no SPDX expression"))
                .fact("reason", error.reason.to_string())
                .fix(Fix::new("read the licence, and add these words to the policy's list if they are acceptable"))
                .into();
        }
    };
    if allowed.is_empty() && !allow.is_empty() {
        return Unknown::new("no entry of the policy's list of licences is an SPDX licence").of(&package.subject());
    }
    let Err(refused) = expression.evaluate_with_failures(|asked| allowed.iter().any(|one| one.satisfies(asked))) else {
        return Outcome::clean();
    };
    let refused: BTreeSet<String> = refused.into_iter().map(|asked| asked.req.to_string()).collect();
    let named: Vec<String> = refused.iter().map(|license| format!("`{license}`")).collect();
    finding(format!("has the licence `{license}`; the policy does not list {}", named.join(", ")))
        .fact("refused", refused.into_iter().collect::<Vec<_>>())
        .fix(Fix::new("replace the package, or add the licence to `allow` of `disallowed-license`"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::super::licence::tests::licensed;
    use super::super::listed::tests::{check_with, messages, package, reasons};
    use super::*;
    use crate::finding::Fact;
    use crate::rules::options::OptionValue;
    use crate::subject::advisory::Advisories;

    fn judge(package: &Package, allow: Option<&[&str]>) -> Outcome {
        let allow = allow.map(|allow| OptionValue::List(allow.iter().map(|text| (*text).to_owned()).collect()));
        let options: Vec<_> = allow.map(|allow| (&ALLOW, allow)).into_iter().collect();
        check_with(&RULE, package, &options, Fact::Known(Advisories::default()))
    }

    #[test]
    fn without_a_list_nothing_is_judged() {
        assert_eq!(judge(&licensed(Some("GPL-3.0"), None), None), Outcome::clean());
        assert_eq!(judge(&package(), None), Outcome::clean());
        assert_eq!(reasons(&judge(&package(), Some(&["MIT"]))), ["cargo's cache does not have the `.crate`"]);
    }

    #[test]
    fn expressions_are_held_against_the_list() {
        let allow: &[&str] = &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "own words"];
        for license in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "MIT/Apache-2.0",
            "GPL-2.0/MIT",
            "Apache-2.0 WITH LLVM-exception AND (MIT OR Zlib)",
            "own words",
        ] {
            assert_eq!(messages(&judge(&licensed(Some(license), None), Some(allow))), [""; 0], "{license}");
        }
        for (license, message) in [
            ("MIT AND ISC", "has the licence `MIT AND ISC`; the policy does not list `ISC`"),
            ("GPL-3.0-only", "has the licence `GPL-3.0-only`; the policy does not list `GPL-3.0-only`"),
            ("other words", "has the licence `other words`, which is no SPDX expression"),
            ("MIT OR", "has the licence `MIT OR`, which is no SPDX expression"),
        ] {
            assert_eq!(messages(&judge(&licensed(Some(license), None), Some(allow))), [message]);
        }
        assert_eq!(messages(&judge(&licensed(Some("MIT"), None), Some(&[]))).len(), 1, "an empty list allows nothing");
        assert_eq!(judge(&licensed(None, Some("LICENSE")), Some(allow)), Outcome::clean());
    }

    #[test]
    fn a_list_of_nothing_but_typing_errors_is_said() {
        let outcome = judge(&licensed(Some("MIT"), None), Some(&["MTI"]));
        assert_eq!(reasons(&outcome), ["no entry of the policy's list of licences is an SPDX licence"]);
    }
}
