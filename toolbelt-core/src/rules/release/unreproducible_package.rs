#![doc = include_str!("unreproducible_package.md")]

use super::wording::{several, short};
use super::{Context, known};
use crate::finding::{Fact, Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::release::{Release, Repackaged};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unreproducible-package",
    summary: "packaging the commit again gives other bytes",
    capability: Capability::SecurePublication,
    threats: &["TBT-4120", "TBT-5120"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[Need::Repackaging],
    explanation: include_str!("unreproducible_package.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let Repackaged { digests: [one, two], different } = match known(&release.repackaged, release) {
        Ok(repackaged) => repackaged,
        Err(outcome) => return outcome,
    };
    if one != two {
        let named = if different.is_empty() { String::new() } else { format!(": {} differ", several(different)) };
        return finding(release, format!("packaging the commit from two clones gives two archives{named}"))
            .fact("digests", vec![one.to_string(), two.to_string()])
            .fact("different", different.clone())
            .told_apart_by("twice")
            .into();
    }
    // What comes of a tree with changes is for `dirty-tree`.
    let is_clean = release
        .revision
        .known()
        .is_some_and(|revision| matches!(&revision.uncommitted, Fact::Known(paths) if paths.is_empty()));
    let ours = match known(&release.archive, release) {
        Ok(archive) => archive.digest,
        Err(outcome) => return outcome,
    };
    if !is_clean || ours == *one {
        return Outcome::clean();
    }
    let (here, there) = (ours.to_string(), one.to_string());
    let message = format!("two clones give sha256 {}…, and this `.crate` has {}…", short(&there), short(&here));
    finding(release, message).fact("digests", vec![here, there]).told_apart_by("tree").into()
}

fn finding(release: &Release, message: String) -> Finding {
    Finding::new(release.subject(), message)
        .fix(Fix::new("commit what is generated, or keep it out of the package").command("cargo package --no-verify"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, check, digest, messages, reasons, release, revision};
    use super::*;
    use crate::finding::Unknown;

    fn repackaged(one: u8, two: u8, different: &[&str]) -> Release {
        let different = different.iter().map(|path| (*path).to_owned()).collect();
        let repackaged = Repackaged { digests: [digest(one), digest(two)], different };
        Release { repackaged: Fact::Known(repackaged), ..release() }
    }

    #[test]
    fn two_clones_that_differ_are_a_finding() {
        assert_eq!(
            messages(&check(&RULE, &repackaged(7, 8, &["src/made.rs"]))),
            ["packaging the commit from two clones gives two archives: `src/made.rs` differ"]
        );
        assert_eq!(
            messages(&check(&RULE, &repackaged(8, 9, &[]))),
            ["packaging the commit from two clones gives two archives"]
        );
    }

    #[test]
    fn a_clean_tree_gives_what_the_clones_give() {
        let message = "two clones give sha256 080808080808…, and this `.crate` has 070707070707…";
        let mut release = repackaged(8, 8, &[]);
        assert_eq!(messages(&check(&RULE, &release)), [message]);
        revision(&mut release).uncommitted = Fact::Known(vec!["src/lib.rs".to_owned()]);
        assert_eq!(check(&RULE, &release), Outcome::clean());
        archive(&mut release).digest = digest(8);
        assert_eq!(check(&RULE, &release), Outcome::clean());
    }

    #[test]
    fn what_was_not_packaged_again_is_not_checked() {
        let unknown = Release { repackaged: Fact::Unknown(Unknown::new("no git repository")), ..release() };
        assert_eq!(reasons(&check(&RULE, &unknown)), ["no git repository"]);
        let mut none = repackaged(8, 8, &[]);
        none.archive = Fact::Unknown(Unknown::new("cargo could not package it"));
        assert_eq!(reasons(&check(&RULE, &none)), ["cargo could not package it"]);
    }
}
