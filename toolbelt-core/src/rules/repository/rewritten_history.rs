#![doc = include_str!("rewritten_history.md")]

use super::Context;
use crate::finding::{Fact, Finding, Fix, Level, NotChecked, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::ref_log::{Notes, RefLog, Rewritten};
use crate::subject::ref_update::{described, is_tag};
use crate::subject::{Kind, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "rewritten-history",
    summary: "a ref lost commits since it was last seen",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-3100", "TBT-3150", "TBT-5410"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Warn,
    weaker: Some(Level::Allow),
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[],
    explanation: include_str!("rewritten_history.md"),
    check: Check::RefLog(check),
};

fn check(log: &RefLog, _: &Context<'_>) -> Outcome {
    let mut outcome: Outcome = log.rewritten.iter().map(|rewritten| rewrite(rewritten, &log.remote)).collect();
    match &log.notes {
        Notes::Whole => {}
        Notes::Tampered { line } => outcome.findings.push(tampered(*line)),
        Notes::Unreadable(why) => {
            outcome.not_checked.push(NotChecked { subject: None, reason: why.clone() });
        }
    }
    let unknown = log.unknown.iter().map(|(name, why)| (Subject::git_ref(name), why.clone()));
    outcome.not_checked.extend(unknown.map(|(name, reason)| NotChecked { subject: Some(name), reason }));
    outcome
}

fn rewrite(rewritten: &Rewritten, remote: &str) -> Finding {
    let name = described(&rewritten.name);
    let of = if remote == "." { String::new() } else { format!(" of `{remote}`") };
    let what = match &rewritten.lost {
        _ if is_tag(&rewritten.name) => "does not name what it did".to_owned(),
        Fact::Known(1) => "lost 1 commit".to_owned(),
        Fact::Known(count) => format!("lost {count} commits"),
        Fact::Unknown(_) => "lost commits that are not here".to_owned(),
    };
    let finding =
        Finding::new(Subject::git_ref(&rewritten.name), format!("the {name}{of} {what} since it was last seen"))
            .fact("remote", remote)
            .fact("noted", rewritten.noted.to_string())
            .fact("now", rewritten.now.to_string())
            .told_apart_by(format!("{remote} {}", rewritten.now))
            .fix(
                Fix::new("ask whoever may rewrite it; once that is settled, `git toolbelt verify --accept-rewritten`")
                    .command(format!("git log --oneline {}..{}", rewritten.now, rewritten.noted)),
            );
    if rewritten.is_protected { finding } else { finding.weaker() }
}

fn tampered(line: Option<usize>) -> Finding {
    let where_ =
        line.map_or_else(|| "its end is not what it was".to_owned(), |line| format!("line {line} is not what it was"));
    let subject = Subject { kind: Kind::Repository, ..Subject::git_ref(".") };
    Finding::new(subject, format!("the log of what refs were was changed: {where_}")).told_apart_by("log").fix(
        Fix::new("compare the refs with those of another clone, then begin a new log")
            .command("git toolbelt verify --accept-rewritten"),
    )
}
