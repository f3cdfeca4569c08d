//! What a hook says to somebody in the middle of a commit or a push: what, where, how to put it right, and how to accept it
//! knowingly. It fits on a screen, and nothing is said where there is nothing to say.

use std::io;

use super::escape::visible;
use super::human::{Colour, Style};
use super::summary::{self, place, plural, title};
use super::wrap::{clip, wrap};
use crate::finding::{Fix, Level};
use crate::report::{Judged, Report, Verdict};
use crate::subject::hook::Hook;

/// Denied findings that are shown.
const DENIED: usize = 4;
/// Warnings that are shown beside denied findings, and without.
const WARNED: [usize; 2] = [2, 5];
/// Reasons why something could not be looked at that are shown.
const REASONS: usize = 3;
/// Characters of one message, reason or fix.
const TEXT: usize = 300;

/// What a hook did.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Which hook it was.
    pub hook: Hook,
    /// Whether it ends here.
    pub stops: bool,
}

/// Writes what a hook has to say.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, about: About, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { report, about, style, out };
    page.head()?;
    page.findings()?;
    page.not_looked_at()?;
    page.trace()?;
    page.what_now()
}

struct Page<'a> {
    report: &'a Report,
    about: About,
    style: Style,
    out: &'a mut dyn io::Write,
}

impl Page<'_> {
    fn head(&mut self) -> io::Result<()> {
        let because = summary::because(self.report);
        let self_exempted = self.report.exempted.iter().any(|exempted| exempted.by_the_change_itself);
        if !self.about.stops
            && self.report.findings.is_empty()
            && self.report.verdict == Verdict::Pass
            && !self_exempted
        {
            return Ok(());
        }
        let hook = self.about.hook;
        let (colour, word) = match (self.about.stops, self.report.verdict) {
            (true, _) => ("31", format!("stopped this {}", hook.stops())),
            (false, Verdict::Pass) => ("33", "passes".to_owned()),
            (false, Verdict::Incomplete | Verdict::Fail) => ("33", "passes, incomplete".to_owned()),
        };
        let about = self.in_colour(colour, &format!("toolbelt {}: {word}", hook.as_str()));
        if because.is_empty() { writeln!(self.out, "{about}") } else { writeln!(self.out, "{about}: {because}") }
    }

    fn findings(&mut self) -> io::Result<()> {
        let report = self.report;
        let (mut denied, warned): (Vec<_>, Vec<_>) =
            report.findings.iter().partition(|judged| judged.level == Level::Deny);
        if self.about.stops && report.verdict == Verdict::Fail && denied.is_empty() {
            // What the change itself excuses, which the policy does not take.
            let own = report.exempted.iter().filter(|exempted| exempted.by_the_change_itself);
            denied = own.map(|exempted| &exempted.judged).collect();
            self.line("the policy takes no exemption that a change brings along for itself", "", "")?;
        }
        self.some(&denied, DENIED, "31", "error")?;
        self.some(&warned, WARNED[usize::from(denied.is_empty())], "33", "warning")
    }

    fn some(&mut self, findings: &[&Judged], most: usize, colour: &str, word: &str) -> io::Result<()> {
        for judged in findings.iter().take(most) {
            let label = self.in_colour(colour, &format!("{word}[{}]", judged.rule.id));
            let location = judged.finding.locations.first();
            let at = location.map(|location| format!("{}: ", place(location))).unwrap_or_default();
            self.line(&format!("{at}{}", title(judged)), &format!("{label} "), "    ")?;
            if let Some(fix) = &judged.finding.fix {
                self.fix(fix)?;
            }
        }
        match findings.len().saturating_sub(most) {
            0 => Ok(()),
            hidden => writeln!(self.out, "… and {}", plural(hidden, "more finding", "more findings")),
        }
    }

    /// A fix, with each command on a line of its own, so that it can be copied.
    fn fix(&mut self, fix: &Fix) -> io::Result<()> {
        self.line(&fix.summary, "    fix: ", "         ")?;
        fix.commands.iter().try_for_each(|command| writeln!(self.out, "         {}", visible(command)))
    }

    /// What could not be looked at, where that is why the run is incomplete.
    fn not_looked_at(&mut self) -> io::Result<()> {
        if self.report.verdict == Verdict::Pass {
            return Ok(());
        }
        let groups = summary::gap_groups(&self.report.not_checked);
        for group in groups.iter().filter(|group| group.level == Level::Deny).take(REASONS) {
            let rules = group.rules.iter().copied().collect::<Vec<_>>().join(", ");
            self.line(&format!("{} ({rules})", group.unknown.reason), "not checked: ", "    ")?;
            if let Some(hint) = &group.unknown.hint {
                self.line(hint, "    fix: ", "         ")?;
            }
        }
        if self.report.coverage.could_not_look {
            let skipped: Vec<String> = summary::skipped(self.report).take(REASONS).collect();
            self.line(&skipped.join("; "), "not looked at: ", "    ")?;
        }
        Ok(())
    }

    /// What commits say of how they were made.
    fn trace(&mut self) -> io::Result<()> {
        let number = |what: &str| self.report.coverage.counts.get(what).copied().unwrap_or_default();
        let (without, commits) = (number("commits-without-receipt"), number("commits"));
        if self.about.hook != Hook::PrePush || without == 0 {
            return Ok(());
        }
        let text = format!(
            "{without} of {} had no hook when they were made, as after --no-verify, rebase, cherry-pick and revert; now \
             they were looked at",
            plural(usize::try_from(commits).unwrap_or(usize::MAX), "commit", "commits")
        );
        self.line(&text, "toolbelt pre-push: ", "    ")
    }

    fn what_now(&mut self) -> io::Result<()> {
        if !self.about.stops {
            return Ok(());
        }
        let report = self.report;
        let Some(first) = report.findings.iter().find(|judged| judged.level == Level::Deny) else { return Ok(()) };
        let is_on_a_line = first.finding.locations.first().is_some_and(|location| location.region.is_some());
        let beside = if is_on_a_line && self.about.hook != Hook::CommitMsg {
            format!("`toolbelt:allow {} REASON` on its line, or ", first.rule.id)
        } else {
            String::new()
        };
        let text = format!("{beside}an [[exemption]] with reason, owner and end in toolbelt.toml, which reviewers see");
        self.line(&text, "to accept it knowingly: ", "    ")?;
        let all = match self.about.hook {
            Hook::PreCommit | Hook::PreMergeCommit | Hook::PreApplypatch => "`git toolbelt scan --staged`, ",
            Hook::CommitMsg | Hook::PrePush | Hook::PreReceive => "",
        };
        self.line(&format!("{all}`git toolbelt explain {}`", first.rule.id), "more: ", "    ")
    }

    fn line(&mut self, text: &str, first: &str, rest: &str) -> io::Result<()> {
        let text = clip(&visible(text), TEXT);
        self.out.write_all(wrap(&text, first, rest, self.style.width).as_bytes())
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        match self.style.colour {
            Colour::Always => format!("\u{1b}[1;{colour}m{text}\u{1b}[0m"),
            Colour::Never => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    fn said(report: &Report, hook: Hook, stops: bool) -> String {
        let mut out = Vec::new();
        write(report, About { hook, stops }, Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_is_said_where_there_is_nothing_to_say() {
        assert_eq!(said(&example::clean(), Hook::PreCommit, false), "");
    }

    #[test]
    fn however_much_is_found_it_fits_on_a_screen() {
        let mut report = example::report();
        let one = report.findings[0].clone();
        report.findings = vec![one; 100];
        report.verdict = Verdict::Fail;
        let text = said(&report, Hook::PreCommit, true);
        assert!(text.lines().count() <= 24, "{text}");
        assert!(text.starts_with("toolbelt pre-commit: stopped this commit: 100 denied"), "{text}");
        assert!(text.contains("… and 96 more findings"), "{text}");
        assert!(!text.contains("--no-verify"), "{text}");
    }

    #[test]
    fn commits_without_a_receipt_are_told_at_the_push_alone() {
        let mut report = example::clean();
        report.coverage.count("commits", 3);
        report.coverage.count("commits-without-receipt", 2);
        assert!(said(&report, Hook::PrePush, false).contains("2 of 3 commits"));
        assert_eq!(said(&report, Hook::PreReceive, false), "");
    }
}
