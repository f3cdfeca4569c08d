#![doc = include_str!("tag_mismatch.md")]

use super::wording::short;
use super::{Context, known};
use crate::finding::{Fact, Finding, Fix, Level, Outcome, Unknown};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::release::{Release, ReleaseTag, Revision};

static REQUIRE: RuleOption = RuleOption {
    name: "require",
    default: OptionDefault::List(&[]),
    about: "what a release has to have: `tag`, `signature`, or both; else their absence is the weaker form",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "tag-mismatch",
    summary: "the version's tag does not vouch for the commit that is packaged",
    capability: Capability::SecurePublication,
    threats: &["TBT-3150", "TBT-5120"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    // Whoever can write to the remote can move a tag.
    scope: Scope::TimeDependent,
    options: &[&REQUIRE],
    needs: &[],
    explanation: include_str!("tag_mismatch.md"),
    check: Check::Release(check),
};

fn check(release: &Release, context: &Context<'_>) -> Outcome {
    let revision = match known(&release.revision, release) {
        Ok(revision) => revision,
        Err(outcome) => return outcome,
    };
    let tag = match known(&revision.tag, release) {
        Ok(tag) => tag,
        Err(outcome) => return outcome,
    };
    let (required, mut outcome) = Required::read(release, context);
    let case = Case { release, revision, tag, required };
    outcome.extend(case.moved());
    outcome.extend(case.absent());
    outcome
}

/// What the policy requires a release to have.
#[derive(Debug, Clone, Copy, Default)]
struct Required {
    tag: bool,
    signature: bool,
}

impl Required {
    fn read(release: &Release, context: &Context<'_>) -> (Self, Outcome) {
        let (mut required, mut outcome) = (Self::default(), Outcome::clean());
        for word in context.options.list(&REQUIRE) {
            match word {
                "tag" => required.tag = true,
                "signature" => required.signature = true,
                _ => outcome.extend(
                    Unknown::new(format!("`{word}` in the policy is neither `tag` nor `signature`"))
                        .of(&release.subject()),
                ),
            }
        }
        (required, outcome)
    }
}

struct Case<'a> {
    release: &'a Release,
    revision: &'a Revision,
    tag: &'a ReleaseTag,
    required: Required,
}

impl Case<'_> {
    /// What there is to say where a tag leads elsewhere, or may do so on the remote.
    fn moved(&self) -> Outcome {
        let is_elsewhere = |commit: &&String| **commit != self.revision.commit;
        let here = self.tag.commit.as_ref().filter(is_elsewhere);
        let there = match &self.tag.remote_commit {
            Fact::Known(there) => there.as_ref().filter(is_elsewhere),
            Fact::Unknown(unknown) => {
                let mut outcome = here.map(|commit| self.leads_to(commit, "its tag", "")).into();
                // Nothing but the weaker form could come of it.
                if self.has_remote() && !self.release.is_rehearsal() {
                    Outcome::extend(&mut outcome, unknown.of(&self.release.subject()));
                }
                return outcome;
            }
        };
        match (here, there) {
            (Some(here), Some(there)) if here == there => {
                self.leads_to(here, "its tag", ", here and on the remote").into()
            }
            (here, there) => {
                let here = here.map(|commit| self.leads_to(commit, "its tag", ""));
                let there = there.map(|commit| self.leads_to(commit, "the remote's tag", ""));
                here.into_iter().chain(there).collect()
            }
        }
    }

    fn leads_to(&self, commit: &str, whose: &str, also: &str) -> Finding {
        let (name, packaged) = (&self.tag.name, &self.revision.commit);
        let (to, from) = (short(commit), short(packaged));
        self.finding(format!("{whose} `{name}` leads to commit {to}{also}, and {from} would be packaged"), true)
            .fact("tagged", commit)
            .told_apart_by(format!("{whose} leads to {commit}"))
            .fix(
                Fix::new("publish the commit that the tag names, or raise the version")
                    .command(format!("git switch --detach {name}")),
            )
    }

    /// What there is to say where a tag is not there, or has no signature.
    fn absent(&self) -> Outcome {
        let there = self.tag.remote_commit.known().map(Option::as_ref);
        match (&self.tag.commit, there) {
            // A clone need not have fetched it.
            (None, Some(Some(there))) if *there == self.revision.commit && self.required.signature => self.not_here(),
            (None, Some(Some(_))) => Outcome::clean(),
            (None, Some(None) | None) => self.missing().into(),
            (Some(here), _) if *here != self.revision.commit => Outcome::clean(),
            (Some(_), there) => {
                let unsigned = (!self.tag.is_signed).then(|| self.unsigned(there.flatten().is_some()));
                let unpushed = (there == Some(None) && self.has_remote()).then(|| self.unpushed());
                unsigned.into_iter().chain(unpushed).collect()
            }
        }
    }

    fn not_here(&self) -> Outcome {
        Unknown::new("whether the tag is signed is not known: it is on the remote alone")
            .hint(format!("git fetch origin tag {}", self.tag.name))
            .of(&self.release.subject())
    }

    fn missing(&self) -> Finding {
        let (name, packaged) = (&self.tag.name, short(&self.revision.commit));
        self.finding(format!("has no tag: `{name}` is not there"), self.required.tag || self.required.signature)
            .told_apart_by("missing")
            .fix(Fix::new("tag the commit and push the tag").command(format!("git tag --sign {name} {packaged}")))
    }

    fn unsigned(&self, is_pushed: bool) -> Finding {
        let (name, packaged) = (&self.tag.name, short(&self.revision.commit));
        let finding = self.finding(format!("its tag `{name}` has no signature"), self.required.signature);
        finding.told_apart_by("unsigned").fix(if is_pushed {
            // Whoever fetched it keeps the one that they have.
            Fix::new("sign the tag of the next version, as this one is pushed").command("git config tag.gpgSign true")
        } else {
            Fix::new("sign the tag before it is pushed").command(format!("git tag --sign --force {name} {packaged}"))
        })
    }

    fn unpushed(&self) -> Finding {
        let name = &self.tag.name;
        self.finding(format!("its tag `{name}` is not on the remote"), self.required.tag)
            .told_apart_by("unpushed")
            .fix(Fix::new("push the tag").command(format!("git push origin {name}")))
    }

    /// Whether there is a remote that could have the tag; one is taken to be there if that is not known.
    fn has_remote(&self) -> bool {
        self.revision.remotes.known().is_none_or(|remotes| !remotes.configured.is_empty())
    }

    fn finding(&self, message: String, is_strong: bool) -> Finding {
        let finding = Finding::new(self.release.subject(), message)
            .fact("tag", self.tag.name.as_str())
            .fact("commit", self.revision.commit.as_str());
        // A rehearsal comes before the tag.
        if is_strong && !self.release.is_rehearsal() { finding } else { finding.weaker() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        COMMIT, OTHER, check, check_with, list, messages, reasons, rehearsal, release, revision,
    };
    use super::*;

    fn with(mut release: Release, here: Option<&str>, is_signed: bool, there: Fact<Option<&str>>) -> Release {
        let remote_commit = match there {
            Fact::Known(there) => Fact::Known(there.map(str::to_owned)),
            Fact::Unknown(unknown) => Fact::Unknown(unknown),
        };
        let (name, commit) = ("v1.2.3".to_owned(), here.map(str::to_owned));
        revision(&mut release).tag = Fact::Known(ReleaseTag { name, commit, is_signed, remote_commit });
        release
    }

    fn not_asked() -> Fact<Option<&'static str>> {
        Fact::Unknown(Unknown::new("the remote was not asked"))
    }

    #[test]
    fn a_tag_that_leads_elsewhere_is_the_stronger_form_here_and_there() {
        let here = "its tag `v1.2.3` leads to commit 222222222222, and 111111111111 would be packaged";
        let there = "the remote's tag `v1.2.3` leads to commit 222222222222, and 111111111111 would be packaged";
        let both = "its tag `v1.2.3` leads to commit 222222222222, here and on the remote, and 111111111111 would be \
                    packaged";
        let said = |here, there| messages(&check(&RULE, &with(release(), here, true, Fact::Known(there))));
        assert_eq!(said(Some(OTHER), Some(COMMIT)), [here]);
        assert_eq!(said(Some(COMMIT), Some(OTHER)), [there]);
        assert_eq!(said(Some(OTHER), Some(OTHER)), [both]);
        assert_eq!(said(None, Some(OTHER)), [there]);
        assert_eq!(said(Some(OTHER), None), [here]);
        let rehearsed = check(&RULE, &with(rehearsal(), Some(OTHER), true, Fact::Known(None)));
        assert_eq!(messages(&rehearsed), [format!("weaker: {here}")]);
    }

    #[test]
    fn what_is_missing_is_the_weaker_form_unless_the_policy_requires_it() {
        let said = |release: &Release, require: &[&str]| {
            messages(&check_with(&RULE, release, &[(&REQUIRE, list(require))], None))
        };
        let missing = with(release(), None, false, Fact::Known(None));
        assert_eq!(said(&missing, &[]), ["weaker: has no tag: `v1.2.3` is not there"]);
        assert_eq!(said(&missing, &["tag"]), ["has no tag: `v1.2.3` is not there"]);
        assert_eq!(said(&missing, &["signature"]), ["has no tag: `v1.2.3` is not there"]);
        let unsigned = with(release(), Some(COMMIT), false, Fact::Known(Some(COMMIT)));
        assert_eq!(said(&unsigned, &["tag"]), ["weaker: its tag `v1.2.3` has no signature"]);
        assert_eq!(said(&unsigned, &["signature"]), ["its tag `v1.2.3` has no signature"]);
        let unpushed = with(release(), Some(COMMIT), true, Fact::Known(None));
        assert_eq!(said(&unpushed, &["signature"]), ["weaker: its tag `v1.2.3` is not on the remote"]);
        assert_eq!(said(&unpushed, &["tag"]), ["its tag `v1.2.3` is not on the remote"]);
        let rehearsed = with(rehearsal(), None, false, Fact::Known(None));
        assert_eq!(said(&rehearsed, &["tag", "signature"]), ["weaker: has no tag: `v1.2.3` is not there"]);
    }

    #[test]
    fn a_tag_that_only_the_remote_has_is_enough_unless_its_signature_matters() {
        let remote = with(release(), None, false, Fact::Known(Some(COMMIT)));
        assert_eq!(check(&RULE, &remote), Outcome::clean());
        let outcome = check_with(&RULE, &remote, &[(&REQUIRE, list(&["signature"]))], None);
        assert_eq!(reasons(&outcome), ["whether the tag is signed is not known: it is on the remote alone"]);
    }

    #[test]
    fn a_remote_that_was_not_asked_may_have_another_tag() {
        let outcome = check(&RULE, &with(release(), Some(COMMIT), true, not_asked()));
        assert_eq!((messages(&outcome).len(), reasons(&outcome)), (0, vec!["the remote was not asked"]));
        let outcome = check(&RULE, &with(release(), Some(OTHER), true, not_asked()));
        assert_eq!((messages(&outcome).len(), reasons(&outcome).len()), (1, 1), "what was seen is not lost");
        let outcome = check(&RULE, &with(rehearsal(), None, true, not_asked()));
        assert_eq!(messages(&outcome), ["weaker: has no tag: `v1.2.3` is not there"]);
        assert_eq!(reasons(&outcome), [""; 0]);
        let mut alone = with(release(), Some(COMMIT), true, not_asked());
        let Fact::Known(remotes) = &mut revision(&mut alone).remotes else { panic!("no remotes") };
        (remotes.configured, remotes.having) = (Vec::new(), Vec::new());
        assert_eq!(check(&RULE, &alone), Outcome::clean());
    }

    #[test]
    fn a_word_that_the_policy_must_not_use_is_told() {
        let outcome = check_with(&RULE, &release(), &[(&REQUIRE, list(&["tags"]))], None);
        assert_eq!(reasons(&outcome), ["`tags` in the policy is neither `tag` nor `signature`"]);
    }
}
