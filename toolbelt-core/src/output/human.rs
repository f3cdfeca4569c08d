//! Output for people: what is denied with its place in the source, what is warned of in short, and what the answer
//! rests on.

use std::io;

use annotate_snippets::{AnnotationKind, Group, Level as Mark, Message, Origin, Renderer, Snippet, Title};

use super::escape::visible;
use super::excerpt::{Excerpt, excerpt};
use super::summary::{self, named, place, plural, title};
use super::wrap::{clip, wrap};
use crate::finding::{Finding, Fix, Level};
use crate::report::{Judged, Report, Verdict};
use crate::subject::{Location, Region};

/// Denied findings shown with their source; the others follow in short.
const SNIPPETS: usize = 20;
/// Findings shown in short for each rule.
const SHORT: usize = 5;
/// Exempted findings and kinds of skipped things shown.
const LISTED: usize = 10;
/// Further places named of one finding.
const PLACES: usize = 3;
/// Subjects named as examples of what was not checked.
const EXAMPLES: usize = 3;
/// Characters shown of one message, reason or fix.
const MESSAGE: usize = 600;

/// How output for people is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour; the caller knows what it writes to.
    pub colour: Colour,
    /// Characters in a line.
    pub width: usize,
    /// Whether to show everything, each finding with its source.
    pub verbose: bool,
}

impl Default for Style {
    /// Without colour, 100 characters wide, long lists cut.
    fn default() -> Self {
        Self { colour: Colour::Never, width: 100, verbose: false }
    }
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI escape sequences of our own.
    Always,
    /// Text alone.
    Never,
}

impl Style {
    fn renderer(self) -> Renderer {
        let renderer = match self.colour {
            Colour::Always => Renderer::styled(),
            Colour::Never => Renderer::plain(),
        };
        renderer.term_width(self.width.max(20))
    }

    /// `limit`, or no limit when everything is to be shown.
    fn limit(self, limit: usize) -> usize {
        if self.verbose { usize::MAX } else { limit }
    }
}

/// Writes the report for people: denied findings, warnings, exempted findings, what was not checked, sources that
/// cannot be relied on, the coverage and the verdict, in this order.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { report, style, renderer: style.renderer(), out };
    page.findings()?;
    page.exempted()?;
    page.not_checked()?;
    page.ground()?;
    page.verdict()
}

/// An error in a file that toolbelt was told to read.
#[derive(Debug, Clone, Copy)]
pub struct ErrorAt<'a> {
    /// As the user knows the file.
    pub path: &'a str,
    /// The file's text.
    pub text: &'a str,
    /// Where in the text; none for the file as a whole.
    pub region: Option<&'a Region>,
    /// One line, lower case, without a full stop.
    pub message: &'a str,
    /// What the reader can do.
    pub hint: Option<&'a str>,
}

/// Writes an error with its place in the source, in the look of a report.
///
/// # Errors
///
/// Those of `out`.
pub fn write_error_at(error: &ErrorAt<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let (message, hint) = (shown(error.message), error.hint.map(shown));
    let notice = Notice {
        title: Mark::ERROR.primary_title(&message),
        level: Mark::ERROR,
        at: Some((error.path, error.region)),
        text: Some(error.text),
        notes: hint.iter().map(|hint| help(hint)).collect(),
    };
    out.write_all(notice.render(&style.renderer()).as_bytes())
}

/// Where a report is being written.
struct Page<'a> {
    report: &'a Report,
    style: Style,
    renderer: Renderer,
    out: &'a mut dyn io::Write,
}

impl Page<'_> {
    /// Denied findings with their source as far as that is readable, then the rest by rule.
    fn findings(&mut self) -> io::Result<()> {
        let report = self.report;
        let (denied, warned): (Vec<_>, Vec<_>) = report.findings.iter().partition(|judged| judged.level == Level::Deny);
        let split = denied.len().min(self.style.limit(SNIPPETS));
        for judged in &denied[..split] {
            self.with_source(judged)?;
        }
        for group in summary::by_rule(denied[split..].iter().copied()) {
            self.in_short(&group, Mark::ERROR, if split > 0 { "more " } else { "" })?;
        }
        if self.style.verbose {
            return warned.into_iter().try_for_each(|judged| self.with_source(judged));
        }
        summary::by_rule(warned).into_iter().try_for_each(|group| self.in_short(&group, Mark::WARNING, ""))
    }

    fn with_source(&mut self, judged: &Judged) -> io::Result<()> {
        let mark = match judged.level {
            Level::Deny => Mark::ERROR,
            Level::Warn | Level::Allow => Mark::WARNING,
        };
        let title = shown(&title(judged));
        let locations = &judged.finding.locations;
        let also = [self.other_places(locations.get(1..).unwrap_or_default()), usage(&judged.finding)];
        let fix = judged.finding.fix.as_ref().map(fix_lines);
        let notice = Notice {
            title: mark.clone().primary_title(&title).id(judged.rule.id),
            level: mark,
            at: locations.first().map(|location| (location.path.as_str(), location.region.as_ref())),
            text: locations.first().and_then(|location| self.report.texts.get(&location.path)).map(String::as_str),
            notes: also
                .iter()
                .flatten()
                .map(|also| Mark::NOTE.message(also))
                .chain(fix.iter().map(|fix| help(fix)))
                .collect(),
        };
        writeln!(self.out, "{}", notice.render(&self.renderer))
    }

    fn other_places(&self, locations: &[Location]) -> Option<String> {
        let listed = &locations[..locations.len().min(self.style.limit(PLACES))];
        let places = listed.iter().map(place).collect::<Vec<_>>().join(", ");
        match locations.len() - listed.len() {
            _ if places.is_empty() => None,
            0 => Some(shown(&format!("also at {places}"))),
            hidden => Some(shown(&format!("also at {places} and {}", plural(hidden, "more place", "more places")))),
        }
    }

    /// One rule's findings: a title, a line each, and the fix once when it is the same for all.
    fn in_short(&mut self, findings: &[&Judged], mark: Mark<'static>, more: &str) -> io::Result<()> {
        let Some(first) = findings.first() else { return Ok(()) };
        let count = findings.len();
        let about = format!(
            "{} ({})",
            first.rule.summary,
            plural(count, &format!("{more}finding"), &format!("{more}findings"))
        );
        self.title(mark, Some(first.rule.id), &about)?;
        let same_fix = count > 1 && findings.iter().all(|judged| judged.finding.fix == first.finding.fix);
        let listed = &findings[..count.min(self.style.limit(SHORT))];
        for judged in listed {
            let location = judged.finding.locations.first();
            let text = match location {
                Some(location) => format!("{}: {}", place(location), title(judged)),
                None => title(judged),
            };
            self.line(&text, "  ", "    ")?;
            if let (Some(fix), false) = (&judged.finding.fix, same_fix) {
                self.line(&fix_line(fix), "    help: ", "          ")?;
            }
        }
        self.more(count - listed.len())?;
        if let (Some(fix), true) = (&first.finding.fix, same_fix) {
            self.line(&fix_line(fix), "  help: ", "        ")?;
        }
        writeln!(self.out)
    }

    fn exempted(&mut self) -> io::Result<()> {
        let exempted = &self.report.exempted;
        if exempted.is_empty() {
            return Ok(());
        }
        self.title(Mark::NOTE.with_name("exempted"), None, &plural(exempted.len(), "finding", "findings"))?;
        let listed = &exempted[..exempted.len().min(self.style.limit(LISTED))];
        for one in listed {
            let location = one.judged.finding.locations.first();
            let at = location.map_or_else(String::new, |location| format!("{}: ", place(location)));
            let (rule, title) = (one.judged.rule.id, title(&one.judged));
            self.line(&format!("{at}{rule}: {title} [{}]", summary::acceptance(one)), "  ", "    ")?;
        }
        self.more(exempted.len() - listed.len())?;
        writeln!(self.out)
    }

    fn not_checked(&mut self) -> io::Result<()> {
        let gaps = &self.report.not_checked;
        if gaps.is_empty() {
            return Ok(());
        }
        let denying = summary::denying_gaps(self.report);
        let about = plural(gaps.len(), "check could not be made", "checks could not be made");
        let (mark, about) = match denying {
            0 => (Mark::WARNING, about),
            _ => (Mark::ERROR, format!("{about}, {denying} of them by rules that deny")),
        };
        self.title(mark.with_name("not checked"), None, &about)?;
        let groups = summary::gap_groups(gaps);
        let listed = &groups[..groups.len().min(self.style.limit(LISTED))];
        for group in listed {
            let rules = group.rules.iter().copied().collect::<Vec<_>>().join(", ");
            self.line(&format!("{} ({}: {rules})", group.unknown.reason, group.count), "  ", "    ")?;
            if !group.subjects.is_empty() {
                let limit = self.style.limit(EXAMPLES);
                let names =
                    group.subjects.iter().take(limit).map(|subject| named(subject)).collect::<Vec<_>>().join(", ");
                let rest = group.subjects.len().saturating_sub(limit);
                let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                self.line(&format!("{names}{rest}"), "    about ", "      ")?;
            }
            if let Some(hint) = &group.unknown.hint {
                self.line(hint, "    help: ", "          ")?;
            }
        }
        self.more(groups.len() - listed.len())?;
        writeln!(self.out)
    }

    /// What the answer rests on: sources that are not fresh, and the coverage.
    fn ground(&mut self) -> io::Result<()> {
        let sources = summary::unreliable_sources(self.report);
        if !sources.is_empty() {
            self.line(&sources.join(", "), "data: ", "  ")?;
        }
        self.line(&summary::looked_at(self.report), "looked at: ", "  ")?;
        let skipped: Vec<String> = summary::skipped(self.report).collect();
        let listed = skipped.len().min(self.style.limit(LISTED));
        if listed > 0 {
            let rest = skipped.len() - listed;
            let rest = if rest > 0 { format!("; and {rest} more") } else { String::new() };
            self.line(&format!("{}{rest}", skipped[..listed].join("; ")), "skipped: ", "  ")?;
        }
        Ok(())
    }

    fn verdict(&mut self) -> io::Result<()> {
        let mark = match self.report.verdict {
            Verdict::Pass => Mark::HELP,
            Verdict::Incomplete => Mark::WARNING,
            Verdict::Fail => Mark::ERROR,
        };
        let (word, because) = (self.report.verdict.as_str(), summary::because(self.report));
        if because.is_empty() {
            return self.title(mark.no_name(), None, word);
        }
        self.title(mark.with_name(word), None, &because)
    }

    fn title(&mut self, mark: Mark<'_>, rule: Option<&'static str>, text: &str) -> io::Result<()> {
        let text = shown(text);
        let title = mark.primary_title(&text);
        let title = match rule {
            Some(rule) => title.id(rule),
            None => title,
        };
        writeln!(self.out, "{}", self.renderer.render(&[Group::with_title(title)]))
    }

    fn line(&mut self, text: &str, first: &str, rest: &str) -> io::Result<()> {
        self.out.write_all(wrap(&shown(text), first, rest, self.style.width).as_bytes())
    }

    fn more(&mut self, hidden: usize) -> io::Result<()> {
        match hidden {
            0 => Ok(()),
            _ => writeln!(self.out, "  … and {hidden} more (`--verbose` or `--format json` shows all)"),
        }
    }
}

/// A title with its place and, where the text is known, the source, ended by an empty line.
struct Notice<'a> {
    title: Title<'a>,
    level: Mark<'static>,
    at: Option<(&'a str, Option<&'a Region>)>,
    text: Option<&'a str>,
    notes: Vec<Message<'a>>,
}

impl Notice<'_> {
    fn render(self, renderer: &Renderer) -> String {
        let mut group = Group::with_title(self.title);
        let Some((path, region)) = self.at else {
            return format!("{}\n", renderer.render(&[group.elements(self.notes)]));
        };
        let origin = Origin::path(visible(path));
        let (Some(region), Some(text)) = (region, self.text) else {
            let origin = match region {
                Some(region) => origin.line(region.line as usize).char_column(region.column as usize),
                None => origin,
            };
            return format!("{}\n", renderer.render(&[group.element(origin).elements(self.notes)]));
        };
        // The renderer would count the column in the text that it is given, where a hidden character has become
        // several. So the place is rendered with the title, and the source below it without a place of its own.
        group = group.element(origin.line(region.line as usize).char_column(region.column as usize));
        let head = renderer.render(&[group]);
        let Excerpt { source, span } = excerpt(text, region);
        let last = region.line as usize + source.matches('\n').count();
        let margin = " ".repeat(last.to_string().len());
        let head = head.replacen('\n', &format!("\n{margin}"), 1);
        let snippet = Snippet::source(source).line_start(region.line as usize);
        let body = Group::with_level(self.level)
            .element(snippet.annotation(AnnotationKind::Primary.span(span)))
            .elements(self.notes);
        format!("{head}\n{}\n", renderer.render(&[body]))
    }
}

fn help(text: &str) -> Message<'_> {
    Mark::HELP.message(text)
}

/// How a package is used, where that is less than as a normal dependency on the host.
fn usage(finding: &Finding) -> Option<String> {
    let words = finding.facts.get("usage")?.as_array()?;
    let words = words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>();
    (!words.contains(&"normal")).then(|| format!("used as: {}", words.join(", ")))
}

/// A fix on several lines: the summary, then each command.
fn fix_lines(fix: &Fix) -> String {
    let commands = fix.commands.iter().map(|command| format!("\n  {}", shown(command)));
    std::iter::once(shown(&fix.summary)).chain(commands).collect()
}

/// A fix on one line.
fn fix_line(fix: &Fix) -> String {
    match fix.commands.as_slice() {
        [] => fix.summary.clone(),
        commands => format!("{}: {}", fix.summary, commands.join(" && ")),
    }
}

/// One line of bounded length without anything that a terminal would obey.
fn shown(text: &str) -> String {
    clip(&visible(text), MESSAGE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::finding::{NotChecked, Unknown};
    use crate::output::{escape, example, hostile};
    use crate::report::Gap;
    use crate::subject::Subject;

    fn written(report: &Report, style: Style) -> String {
        let mut written = Vec::new();
        write(report, style, &mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    const EXAMPLE: &str = "\
error[known-vulnerability]: time 0.1.44: RUSTSEC-2020-0071: segfault in `localtime_r`
 --> Cargo.lock:8:1
  |
8 | / name = \"time\"
9 | | version = \"0.1.44\"
  | |__________________^
  |
  = help: update to 0.2.23 or later
            cargo update -p time

warning[lookalike-name]: name resembles that of a far more popular package (1 finding)
  Cargo.lock:4:1: envlogger 0.1.0: resembles `env_logger`, which ranks 45th
    help: depend on `env_logger`: cargo remove envlogger && cargo add env_logger

exempted: 1 finding
  lookalike-name: log 0.4.0: resembles `1og` [exemption until 2027-01-31, release team: it is the
    real one (added by the change itself)]

not checked: 1 check could not be made
  the name list is missing (1: lookalike-name)
    help: cargo toolbelt data update

data: advisory-db stale (2026-08-21), names missing
looked at: lockfiles 1, packages 2
skipped: 1 lockfile (excluded by [deps] exclude)
fail: 1 denied, 1 warned, 1 exempted
";

    #[test]
    fn a_use_that_is_less_than_normal_is_told() {
        let finding = |words: &[&str]| {
            crate::finding::Finding::new(crate::subject::Subject::package("a", "1.0.0"), "m")
                .fact("usage", words.to_vec())
        };
        assert_eq!(usage(&finding(&["build", "dev (other targets)"])).unwrap(), "used as: build, dev (other targets)");
        assert_eq!(usage(&finding(&["normal", "dev"])), None);
        assert_eq!(usage(&finding(&["normal (other targets)"])).unwrap(), "used as: normal (other targets)");
    }

    #[test]
    fn every_part_reads_well_without_colour() {
        assert_eq!(written(&example::report(), Style::default()), EXAMPLE);
    }

    #[test]
    fn a_clean_run_is_two_lines() {
        assert_eq!(written(&example::clean(), Style::default()), "looked at: lockfiles 1, packages 2\npass\n");
    }

    #[test]
    fn colour_adds_nothing_but_escape_sequences() {
        let coloured = written(&example::report(), Style { colour: Colour::Always, ..Style::default() });
        assert!(coloured.contains('\u{1b}'));
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, EXAMPLE);
    }

    fn many(count: usize, level: Level) -> Report {
        let judged = |number: usize| {
            let mut judged = example::vulnerable();
            judged.level = level;
            judged.finding.subject = Subject::package(format!("crate-{number}"), "1.0.0");
            judged
        };
        Report { findings: (0..count).map(judged).collect(), ..example::report() }
    }

    #[test]
    fn many_findings_are_folded_with_a_count() {
        let short = written(&many(1000, Level::Warn), Style::default());
        assert!(short.lines().count() < 30, "{short}");
        assert!(short.contains("… and 995 more (`--verbose` or `--format json` shows all)"), "{short}");
        assert_eq!(short.matches("help: update to 0.2.23").count(), 1, "one fix for all is told once");
        let short = written(&many(1000, Level::Deny), Style::default());
        assert_eq!(short.matches(" --> ").count(), SNIPPETS);
        assert!(short.contains("(980 more findings)") && short.contains("… and 975 more"), "{short}");
        let all = written(&many(1000, Level::Warn), Style { verbose: true, ..Style::default() });
        assert_eq!(all.matches(" --> ").count(), 1000);
    }

    #[test]
    fn what_was_not_checked_is_told_once_for_each_reason() {
        let gap = |number: usize| Gap {
            rule: &example::VULNERABLE,
            level: Level::Deny,
            not_checked: NotChecked {
                subject: Some(Subject::package(format!("crate-{number:03}"), "1.0.0")),
                reason: Unknown::new("the advisory database is missing").hint("cargo toolbelt data update"),
            },
        };
        let report =
            Report { verdict: Verdict::Incomplete, not_checked: (0..500).map(gap).collect(), ..example::clean() };
        assert_eq!(
            written(&report, Style::default()),
            "not checked: 500 checks could not be made, 500 of them by rules that deny\n\
             \x20 the advisory database is missing (500: known-vulnerability)\n\
             \x20   about crate-000 1.0.0, crate-001 1.0.0, crate-002 1.0.0 and 497 more\n\
             \x20   help: cargo toolbelt data update\n\n\
             looked at: lockfiles 1, packages 2\n\
             incomplete: 500 denying checks could not be made\n"
        );
    }

    #[test]
    fn the_column_is_that_of_the_file_and_not_of_what_is_shown() {
        let text = "\u{1b}\tbad";
        let region = crate::subject::LineIndex::new(text).region(2..5);
        let error = ErrorAt {
            path: "a\u{202e}b",
            text,
            region: Some(&region),
            message: "unknown key `bad`",
            hint: Some("remove it"),
        };
        let mut written = Vec::new();
        write_error_at(&error, Style::default(), &mut written).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "error: unknown key `bad`\n --> a\\u{202e}b:1:3\n  |\n1 | \\u{1b}    bad\n  |           ^^^\n  |\n  \
             = help: remove it\n"
        );
    }

    proptest! {
        #[test]
        fn nothing_from_outside_reaches_the_terminal_as_a_command(
            report in hostile::report(), width in 0..120usize, verbose: bool,
        ) {
            let text = written(&report, Style { width, verbose, colour: Colour::Never });
            prop_assert!(!text.contains(|character| character != '\n' && escape::is_hidden(character)), "{text:?}");
            // Lines are ours as well: none begins with what an attacker wrote.
            let last = text.lines().last().unwrap();
            prop_assert!(last.starts_with(report.verdict.as_str()), "{text:?}");
        }
    }
}
