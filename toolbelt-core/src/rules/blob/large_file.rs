#![doc = include_str!("large_file.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, Options, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::content::ContentKind;
use crate::subject::sighting::{Observation, Sighting};

static MAX_MIB: RuleOption = RuleOption {
    name: "max-mib",
    default: OptionDefault::Count(10),
    about: "size of the largest file that is taken, in MiB",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "large-file",
    summary: "a file is larger than anybody can review",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&MAX_MIB],
    needs: &[],
    explanation: include_str!("large_file.md"),
    check: Check::Sighting(check),
};

/// The size of the largest file that is taken.
pub(super) fn most_bytes(options: &Options) -> u64 {
    u64::from(options.count(&MAX_MIB)) << 20
}

fn check(sighting: &Sighting, context: &Context<'_>) -> Outcome {
    let Observation::Large(bytes) = sighting.observation else { return Outcome::clean() };
    let most = context.options.count(&MAX_MIB);
    // What is packed in a file does not make it larger.
    if bytes <= most_bytes(context.options) || !sighting.layers.is_empty() || sighting.place.kind != ContentKind::Blob {
        return Outcome::clean();
    }
    Finding::new(sighting.place.subject(), format!("has {}; at most {most} MiB are taken", mebibytes(bytes)))
        .fact("bytes", bytes)
        .at(sighting.location())
        .fix(Fix::new("keep it elsewhere: Git LFS, an artefact store, or make it anew from a script"))
        .into()
}

/// Rounded up to a tenth, so that nothing seems to be within a limit that it exceeds.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::mebibytes;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(mebibytes((10 << 20) + 1), "10.1 MiB");
        assert_eq!(mebibytes(25 << 19), "12.5 MiB");
    }
}
