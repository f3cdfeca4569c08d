#![doc = include_str!("dirty_tree.md")]

use super::wording::{files, places, several, short};
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::release::{Release, Revision};

/// The rule.
pub static RULE: Rule = Rule {
    id: "dirty-tree",
    summary: "what would be packaged is not what the commit has",
    capability: Capability::SecurePublication,
    threats: &["TBT-3150", "TBT-5120"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Deny,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("dirty_tree.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let revision = match known(&release.revision, release) {
        Ok(revision) => revision,
        Err(outcome) => return outcome,
    };
    match known(&revision.uncommitted, release) {
        Ok(paths) if paths.is_empty() => Outcome::clean(),
        Ok(paths) => finding(release, revision, paths).into(),
        Err(outcome) => outcome,
    }
}

fn finding(release: &Release, revision: &Revision, paths: &[String]) -> Finding {
    let commit = short(&revision.commit);
    let (count, named) = (files(paths.len()), several(paths));
    Finding::new(release.subject(), format!("would hold {count} that commit {commit} does not have like that: {named}"))
        .fact("commit", revision.commit.as_str())
        .fact("files", paths.len())
        .at(places(paths.iter().cloned()))
        .told_apart_by(paths.join("\n"))
        .fix(Fix::new("commit them, or take them back").command("git status --short"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, messages, reasons, rehearsal, release, revision};
    use super::*;
    use crate::finding::{Fact, Unknown};

    #[test]
    fn changes_that_are_not_committed_are_told_in_a_rehearsal_too() {
        for mut release in [release(), rehearsal()] {
            revision(&mut release).uncommitted = Fact::Known(["a.rs", "b.rs", "c.rs", "d.rs"].map(String::from).into());
            let outcome = check(&RULE, &release);
            let message = "would hold 4 files that commit 111111111111 does not have like that: `a.rs`, `b.rs`, `c.rs` and 1 more";
            assert_eq!(messages(&outcome), [message]);
            assert_eq!(outcome.findings[0].locations.len(), 4);
        }
    }

    #[test]
    fn what_git_could_not_say_is_not_checked() {
        let outside = Release { revision: Fact::Unknown(Unknown::new("no git repository")), ..release() };
        assert_eq!(reasons(&check(&RULE, &outside)), ["no git repository"]);
        let mut unknown = release();
        revision(&mut unknown).uncommitted = Fact::Unknown(Unknown::new("git took too long"));
        assert_eq!(reasons(&check(&RULE, &unknown)), ["git took too long"]);
    }
}
