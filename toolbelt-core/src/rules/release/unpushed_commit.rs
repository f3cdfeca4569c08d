#![doc = include_str!("unpushed_commit.md")]

use super::wording::{several, short};
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::release::{Release, Remotes, Revision, SubmoduleCommit};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unpushed-commit",
    summary: "no remote has the commit that is packaged",
    capability: Capability::SecurePublication,
    threats: &["TBT-3150", "TBT-5120"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    // Somebody else can push it, or take it back.
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[],
    explanation: include_str!("unpushed_commit.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let revision = match known(&release.revision, release) {
        Ok(revision) => revision,
        Err(outcome) => return outcome,
    };
    let mut outcome = match known(&revision.remotes, release) {
        Ok(remotes) if remotes.having.is_empty() => finding(release, revision, remotes).into(),
        Ok(_) => Outcome::clean(),
        Err(outcome) => unless_rehearsed(release, outcome),
    };
    match known(&revision.submodules, release) {
        Ok(submodules) => submodules.iter().for_each(|submodule| outcome.extend(of_submodule(release, submodule))),
        Err(unknown) => outcome.extend(unless_rehearsed(release, unknown)),
    }
    outcome
}

/// A clone of one commit, as CI makes it of a proposed change, cannot say; the release is asked again.
fn unless_rehearsed(release: &Release, outcome: Outcome) -> Outcome {
    if release.is_rehearsal() { Outcome::clean() } else { outcome }
}

fn of_submodule(release: &Release, submodule: &SubmoduleCommit) -> Outcome {
    let remotes = match known(&submodule.remotes, release) {
        Ok(remotes) => remotes,
        Err(outcome) => return unless_rehearsed(release, outcome),
    };
    if !remotes.is_empty() {
        return Outcome::clean();
    }
    let SubmoduleCommit { path, commit, .. } = submodule;
    let message = format!("no remote of the submodule `{path}` had its commit {} at the last fetch", short(commit));
    let finding = Finding::new(release.subject(), message)
        .fact("submodule", path.as_str())
        .fact("submodule-commit", commit.as_str())
        .told_apart_by(path.clone())
        .fix(Fix::new("push it, or fetch in the submodule if that was done from elsewhere").command("git fetch"));
    if release.is_rehearsal() { finding.weaker() } else { finding }.into()
}

fn finding(release: &Release, revision: &Revision, remotes: &Remotes) -> Finding {
    let commit = short(&revision.commit);
    let message = match (remotes.configured.as_slice(), remotes.asked) {
        ([], _) => format!("no remote is configured that could have commit {commit}"),
        (configured, true) => format!("no remote has commit {commit}: {}", several(configured)),
        (configured, false) => format!("no remote had commit {commit} at the last fetch: {}", several(configured)),
    };
    let fix = match (remotes.configured.as_slice(), remotes.asked) {
        ([], _) => Fix::new("push it to where others can see it").command("git remote add origin URL"),
        (_, true) => Fix::new("push it").command("git push"),
        (_, false) => Fix::new("push it, or fetch if that was done from elsewhere").command("git fetch --all"),
    };
    let finding = Finding::new(release.subject(), message)
        .fact("commit", revision.commit.as_str())
        .fact("remotes", remotes.configured.clone())
        .fact("asked", remotes.asked)
        .fix(fix);
    // Who has no remote has not forgotten to push.
    if release.is_rehearsal() || remotes.configured.is_empty() { finding.weaker() } else { finding }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, messages, reasons, rehearsal, release, revision};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::subject::release::Stage;

    fn with(mut release: Release, configured: &[&str], asked: bool) -> Outcome {
        let configured = configured.iter().map(|name| (*name).to_owned()).collect();
        revision(&mut release).remotes = Fact::Known(Remotes { configured, having: Vec::new(), asked });
        check(&RULE, &release)
    }

    #[test]
    fn a_commit_that_no_remote_has_is_a_finding() {
        let asked = with(release(), &["fork", "origin"], true);
        assert_eq!(messages(&asked), ["no remote has commit 111111111111: `fork`, `origin`"]);
        let remembered = with(release(), &["origin"], false);
        assert_eq!(messages(&remembered), ["no remote had commit 111111111111 at the last fetch: `origin`"]);
    }

    #[test]
    fn a_rehearsal_and_a_repository_without_remotes_are_the_weaker_form() {
        let said = messages(&with(rehearsal(), &["origin"], true));
        assert_eq!(said, ["weaker: no remote has commit 111111111111: `origin`"]);
        let said = messages(&with(release(), &[], false));
        assert_eq!(said, ["weaker: no remote is configured that could have commit 111111111111"]);
    }

    #[test]
    fn one_remote_that_has_it_is_enough() {
        let mut release = release();
        let having = vec!["fork".to_owned()];
        let configured = vec!["fork".to_owned(), "origin".to_owned()];
        revision(&mut release).remotes = Fact::Known(Remotes { configured, having, asked: false });
        assert_eq!(check(&RULE, &release), Outcome::clean());
    }

    #[test]
    fn a_commit_of_a_submodule_that_its_remotes_have_not_is_a_finding() {
        let with = |mut release: Release, remotes: Fact<Vec<String>>| {
            let commit = "2222222222222222222222222222222222222222".to_owned();
            let submodule = SubmoduleCommit { path: "src/inner".to_owned(), commit, remotes };
            revision(&mut release).submodules = Fact::Known(vec![submodule]);
            check(&RULE, &release)
        };
        let message = "no remote of the submodule `src/inner` had its commit 222222222222 at the last fetch";
        assert_eq!(messages(&with(release(), Fact::Known(Vec::new()))), [message]);
        assert_eq!(messages(&with(rehearsal(), Fact::Known(Vec::new()))), [format!("weaker: {message}")]);
        assert_eq!(with(release(), Fact::Known(vec!["origin".to_owned()])), Outcome::clean());
        let unknown = || Fact::Unknown(Unknown::new("it is not at hand"));
        assert_eq!(reasons(&with(release(), unknown())), ["it is not at hand"]);
        assert_eq!(with(rehearsal(), unknown()), Outcome::clean());
    }

    #[test]
    fn what_git_could_not_say_is_not_checked() {
        let mut unknown = release();
        revision(&mut unknown).remotes = Fact::Unknown(Unknown::new("the history is shallow"));
        assert_eq!(reasons(&check(&RULE, &unknown)), ["the history is shallow"]);
        unknown.stage = Stage::Rehearsal;
        assert_eq!(check(&RULE, &unknown), Outcome::clean());
        unknown.revision = Fact::Unknown(Unknown::new("no git repository"));
        assert_eq!(reasons(&check(&RULE, &unknown)), ["no git repository"]);
    }
}
