#![doc = include_str!("guard_weakened.md")]

use super::Context;
use super::guards::{self, Weakening};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::tree::TreeChange;
use crate::subject::{LineIndex, Location, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "guard-weakened",
    summary: "a change takes a check away, or makes it weaker",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1310", "TBT-1320", "TBT-4370"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("guard_weakened.md"),
    check: Check::Tree(check),
};

fn check(change: &TreeChange, _: &Context<'_>) -> Outcome {
    guards::weakened(&change.files).into_iter().map(|weakening| finding(weakening, change)).collect()
}

fn finding(weakening: Weakening, change: &TreeChange) -> Finding {
    let path = String::from_utf8_lossy(&weakening.path).into_owned();
    let after = change.files.iter().find(|file| file.path == weakening.path).and_then(|file| file.after.as_ref());
    let region = after.zip(weakening.line).and_then(|(after, line)| {
        let text = std::str::from_utf8(&after.content).ok()?;
        let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
        let length = text[start..].lines().next().unwrap_or_default().len();
        Some(LineIndex::new(text).region(start..start + length))
    });
    Finding::new(Subject::blob(&path), weakening.message.as_str())
        .at([Location { path, region }])
        .told_apart_by(weakening.message)
        .fix(Fix::new("restore it, or say in the change why it is not needed any more"))
}
