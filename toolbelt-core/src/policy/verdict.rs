//! From what the rules said to a verdict.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{OnNotChecked, Policy};
use crate::finding::{Acceptance, Level, NotChecked, Outcome};
use crate::report::{Coverage, Exempted, ExemptedBy, Gap, Judged, Verdict};
use crate::rules::{self, Check, Rule};
use crate::subject::exemption::{Exemption, ExemptionUse};

/// What the policy makes of a run.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What it comes to.
    pub verdict: Verdict,
    /// See [`crate::report::Report::findings`].
    pub findings: Vec<Judged>,
    /// See [`crate::report::Report::exempted`].
    pub exempted: Vec<Exempted>,
    /// See [`crate::report::Report::not_checked`].
    pub not_checked: Vec<Gap>,
}

/// Applies a policy to what the rules that ran said.
///
/// `observed` holds every rule that ran, those that said nothing included: an exemption can only be called unused when
/// its rule ran. `now` decides which exemptions have ended.
pub fn decide(
    observed: Vec<(&'static Rule, Outcome)>,
    policy: &Policy,
    coverage: &Coverage,
    now: Timestamp,
) -> Decision {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut uses = policy.exemptions.iter().map(|exemption| ExemptionUse {
        exemption,
        expired: exemption.is_expired(today),
        matched: false,
        covered: observed.iter().any(|(rule, outcome)| is_covered(exemption, rule, &outcome.not_checked)),
    });
    let mut uses = uses.by_ref().collect::<Vec<_>>();
    let mut decision =
        Decision { verdict: Verdict::Pass, findings: Vec::new(), exempted: Vec::new(), not_checked: Vec::new() };
    let ran = observed.iter().map(|(rule, _)| rule.id).collect::<BTreeSet<_>>();
    let mut accepted = BTreeSet::new();
    for (rule, outcome) in observed {
        decision.add(rule, outcome, policy, &mut uses, &mut accepted);
    }
    uses.extend(policy.baseline.iter().filter(|(fingerprint, _)| !accepted.contains(*fingerprint)).map(
        |(_, exemption)| ExemptionUse {
            exemption,
            expired: false,
            matched: false,
            covered: ran.contains(exemption.rule),
        },
    ));
    if coverage.is_partial {
        for entry in &mut uses {
            entry.covered = false;
        }
    }
    for rule in rules::all().filter(|rule| policy.is_active(rule)) {
        let Check::Exemption(check) = rule.check else { continue };
        for outcome in uses.iter().map(check).collect::<Vec<_>>() {
            decision.add(rule, outcome, policy, &mut uses, &mut accepted);
        }
    }
    decision.sort();
    decision.verdict = decision.verdict(policy, coverage);
    decision
}

impl Decision {
    fn add(
        &mut self,
        rule: &'static Rule,
        outcome: Outcome,
        policy: &Policy,
        uses: &mut [ExemptionUse<'_>],
        accepted_before: &mut BTreeSet<String>,
    ) {
        for finding in outcome.findings {
            let level = if finding.weaker { policy.weaker_level(rule) } else { policy.level(rule) };
            let judged = Judged { rule, level, finding };
            let mut accepted = None;
            // Every entry that is for this finding counts as used, though one is enough to accept it.
            for entry in uses.iter_mut().filter(|entry| entry.exemption.covers(rule.id, &judged.finding)) {
                entry.matched = true;
                if !entry.expired {
                    // The base's own entries come first: what they accept is not the change's doing.
                    accepted = accepted.or(Some(entry.exemption));
                }
            }
            let fingerprint = judged.finding.fingerprint(rule.id);
            let known = policy.baseline.get(&fingerprint);
            if known.is_some() {
                accepted_before.insert(fingerprint);
            }
            match (level, accepted, judged.finding.accepted.clone()) {
                (Level::Allow, _, _) => {}
                (_, Some(exemption), _) => self.exempted.push(exempted(judged, exemption, ExemptedBy::Exemption)),
                (_, None, Some(acceptance)) => self.exempted.push(accepted_elsewhere(judged, acceptance)),
                (_, None, None) => match known {
                    Some(exemption) => self.exempted.push(exempted(judged, exemption, ExemptedBy::Baseline)),
                    None => self.findings.push(judged),
                },
            }
        }
        let level = policy.level(rule);
        self.not_checked.extend(outcome.not_checked.into_iter().map(|not_checked| Gap { rule, level, not_checked }));
    }

    fn sort(&mut self) {
        self.findings.sort_by_cached_key(Judged::order);
        // A member that belongs to two lock files is judged with each of them, and told once.
        self.findings.dedup_by(|one, other| one.rule.id == other.rule.id && one.finding == other.finding);
        self.exempted.sort_by_cached_key(|exempted| exempted.judged.order());
        self.not_checked.sort_by_cached_key(Gap::order);
    }

    fn verdict(&self, policy: &Policy, coverage: &Coverage) -> Verdict {
        let findings = self.findings.iter().any(|judged| judged.level == Level::Deny).then_some(Verdict::Fail);
        let gaps = self.not_checked.iter().filter(|gap| gap.level == Level::Deny);
        let gaps = gaps.map(|gap| match policy.on_not_checked(gap.rule) {
            OnNotChecked::Warn => Verdict::Pass,
            OnNotChecked::Incomplete => Verdict::Incomplete,
            OnNotChecked::Deny => Verdict::Fail,
        });
        let unseen = (coverage.saw_nothing || coverage.could_not_look).then_some(Verdict::Incomplete);
        let excused = |exempted: &Exempted| exempted.by_the_change_itself && exempted.judged.level == Level::Deny;
        let excused = policy.scan.self_exempted == Level::Deny && self.exempted.iter().any(excused);
        let excused = excused.then_some(Verdict::Fail);
        findings.into_iter().chain(excused).chain(gaps).chain(unseen).max().unwrap_or(Verdict::Pass)
    }
}

fn exempted(judged: Judged, exemption: &Exemption, by: ExemptedBy) -> Exempted {
    Exempted {
        judged,
        by,
        reason: exemption.reason.clone(),
        owner: Some(exemption.owner.clone()),
        until: exemption.until,
        by_the_change_itself: exemption.by_the_change_itself,
    }
}

fn accepted_elsewhere(judged: Judged, acceptance: Acceptance) -> Exempted {
    Exempted {
        judged,
        by: acceptance.by,
        reason: acceptance.reason,
        owner: None,
        until: None,
        by_the_change_itself: acceptance.by_the_change_itself,
    }
}

/// Whether this rule could have met what the exemption is for.
fn is_covered(exemption: &Exemption, rule: &Rule, not_checked: &[NotChecked]) -> bool {
    exemption.rule == rule.id
        && !not_checked.iter().any(|gap| gap.subject.as_ref().is_none_or(|subject| exemption.covers.subject(subject)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, Unknown};
    use crate::rules::{Capability, Scope, Severity};
    use crate::subject::Subject;

    static RULE: Rule = Rule {
        id: "expired-exemption",
        summary: "stands for any rule that denies",
        capability: Capability::SecureDependencySelection,
        threats: &[],
        cwe: &[],
        severity: Severity::High,
        default: Level::Deny,
        weaker: None,
        scope: Scope::Deterministic,
        options: &[],
        needs: &[],
        explanation: "",
        check: Check::Exemption(|_| Outcome::clean()),
    };

    fn run(policy: &str, outcome: Outcome) -> Decision {
        let policy = Policy::parse("toolbelt.toml", &format!("version = 1\n{policy}")).unwrap();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        decide(vec![(&RULE, outcome)], &policy, &Coverage::default(), now)
    }

    fn found() -> Outcome {
        Finding::new(Subject::package("foo", "1.2.3"), "m").into()
    }

    fn exemption(until: &str, subject: &str) -> String {
        format!(
            "[[exemption]]\nrule = 'expired-exemption'\nsubject = '{subject}'\nreason = 'r'\nowner = 'o'\nuntil = {until}"
        )
    }

    #[test]
    fn a_denied_finding_fails_and_a_warned_one_passes() {
        assert_eq!(run("", found()).verdict, Verdict::Fail);
        assert_eq!(run("rules.expired-exemption = 'warn'", found()).verdict, Verdict::Pass);
        assert_eq!(run("", Outcome::clean()).verdict, Verdict::Pass);
    }

    #[test]
    fn the_same_finding_is_told_once() {
        let mut twice = found();
        twice.extend(found());
        twice.extend(Finding::new(Subject::package("foo", "1.2.3"), "m").told_apart_by("b").into());
        assert_eq!(run("", twice).findings.len(), 2);
    }

    #[test]
    fn a_rule_that_denies_and_could_not_look_makes_the_run_incomplete_unless_policy_says_otherwise() {
        let gap = || Unknown::new("no network").of(&Subject::package("foo", "1.2.3"));
        assert_eq!(run("", gap()).verdict, Verdict::Incomplete);
        assert_eq!(run("rules.expired-exemption = 'warn'", gap()).verdict, Verdict::Pass);
        assert_eq!(run("not-checked.default = 'warn'", gap()).verdict, Verdict::Pass);
        assert_eq!(run("not-checked.expired-exemption = 'deny'", gap()).verdict, Verdict::Fail);
        let mut both = found();
        both.extend(gap());
        assert_eq!(run("", both).verdict, Verdict::Fail, "what was seen is not lost");
    }

    #[test]
    fn a_search_that_stopped_early_makes_the_run_incomplete() {
        let policy = Policy::parse("toolbelt.toml", "version = 1").unwrap();
        let mut coverage = Coverage::default();
        coverage.could_not_look("deep", "too deep");
        let decided = |outcome| decide(vec![(&RULE, outcome)], &policy, &coverage, Timestamp::UNIX_EPOCH).verdict;
        assert_eq!(decided(Outcome::clean()), Verdict::Incomplete);
        assert_eq!(decided(found()), Verdict::Fail, "what was seen is not lost");
    }

    #[test]
    fn an_exemption_accepts_until_its_last_day() {
        let accepted = run(&exemption("2026-11-22", "pkg:cargo/foo"), found());
        assert_eq!((accepted.verdict, accepted.exempted.len(), accepted.findings.len()), (Verdict::Pass, 1, 0));
        let expired = run(&exemption("2026-11-21", "pkg:cargo/foo"), found());
        assert_eq!(expired.verdict, Verdict::Fail);
        let rules = expired.findings.iter().map(|judged| judged.finding.message.as_str()).collect::<Vec<_>>();
        assert_eq!(rules, ["m", "the exemption from `expired-exemption` for `pkg:cargo/foo` ended on 2026-11-21"]);
    }

    #[test]
    fn what_only_the_change_accepts_is_told_as_its_own_and_fails_where_the_policy_says_so() {
        let change =
            Policy::parse("toolbelt.toml", &format!("version = 1\n{}", exemption("2027-01-01", "pkg:cargo/foo")));
        let change = change.unwrap();
        let decided = |base: &str| {
            let mut policy = Policy::parse("toolbelt.toml", &format!("version = 1\n{base}")).unwrap();
            policy.propose(&change);
            decide(vec![(&RULE, found())], &policy, &Coverage::default(), Timestamp::UNIX_EPOCH)
        };
        let excused = decided("");
        assert_eq!((excused.verdict, excused.exempted[0].by_the_change_itself), (Verdict::Pass, true));
        assert_eq!(decided("scan.self-exempted = 'deny'").verdict, Verdict::Fail);
        let known = decided(&exemption("2027-01-01", "pkg:cargo/foo"));
        assert_eq!((known.exempted.len(), known.exempted[0].by_the_change_itself), (1, false));
    }

    #[test]
    fn what_is_accepted_beside_its_place_is_listed_and_passes() {
        let mut outcome = found();
        outcome.findings[0].accepted =
            Some(Acceptance { by: ExemptedBy::Inline, reason: "r".to_owned(), by_the_change_itself: false });
        let decision = run("", outcome);
        assert_eq!((decision.verdict, decision.exempted.len()), (Verdict::Pass, 1));
        assert_eq!(decision.exempted[0].by, ExemptedBy::Inline);
    }

    #[test]
    fn an_exemption_is_unused_only_if_its_rule_could_look() {
        let unused = run(&exemption("2027-01-01", "pkg:cargo/bar"), found());
        assert_eq!(unused.findings[1].rule.id, "unused-exemption");
        let gap = Unknown::new("no network").of(&Subject::package("bar", "1.0.0"));
        assert!(run(&exemption("2027-01-01", "pkg:cargo/bar"), gap).findings.is_empty());
    }
}
