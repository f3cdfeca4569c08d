//! Markdown for comments on pull requests and for job summaries.

use std::io;

use super::escape::visible;
use super::summary::{self, acceptance, named, place, plural};
use super::wrap::clip;
use crate::finding::Level;
use crate::report::{Judged, Report, Verdict};

/// The most characters that GitHub takes in a comment.
pub const LIMIT: usize = 65_536;
/// Kept free for the end: what was cut, and the closing tags.
const RESERVE: usize = 8_192;
/// Characters shown in one cell of a table, before escaping.
const CELL: usize = 300;
/// Subjects named for one reason of not having checked.
const EXAMPLES: usize = 3;

/// Writes the report as Markdown of at most [`LIMIT`] characters: the verdict, a table of the findings, and folded below
/// it what was exempted, not checked and skipped. Says what was cut.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::default();
    page.head(report);
    page.findings(report);
    page.exempted(report);
    page.not_checked(report);
    page.coverage(report);
    out.write_all(page.text.as_bytes())
}

/// What was written, with its length in characters.
#[derive(Default)]
struct Page {
    text: String,
    length: usize,
}

impl Page {
    fn head(&mut self, report: &Report) {
        let mark = match report.verdict {
            Verdict::Pass => "✅",
            Verdict::Incomplete => "⚠",
            Verdict::Fail => "❌",
        };
        let because = summary::because(report);
        let because = if because.is_empty() { because } else { format!(": {because}") };
        self.push(&format!("### {mark} {}: {}{because}\n\n", code(&report.command), report.verdict.as_str()));
    }

    fn findings(&mut self, report: &Report) {
        if report.findings.is_empty() {
            return;
        }
        let header = "| level | rule | subject | what | fix |\n|---|---|---|---|---|\n";
        self.rows(header, "finding", "findings", report.findings.iter().map(row));
        self.push("\n");
    }

    fn exempted(&mut self, report: &Report) {
        if report.exempted.is_empty() {
            return;
        }
        let count = report.exempted.len();
        let rows = report.exempted.iter().map(|exempted| {
            let judged = &exempted.judged;
            let (subject, message) = (text(&named(&judged.finding.subject)), text(&judged.finding.message));
            format!("| `{}` | {subject} | {message} | {} |\n", judged.rule.id, text(&acceptance(exempted)))
        });
        let header = "| rule | subject | what | accepted by |\n|---|---|---|---|\n";
        self.folded(&plural(count, "exempted finding", "exempted findings"), |page| {
            page.rows(header, "exempted finding", "exempted findings", rows);
        });
    }

    fn not_checked(&mut self, report: &Report) {
        if report.not_checked.is_empty() {
            return;
        }
        let count = report.not_checked.len();
        let rows = summary::gap_groups(&report.not_checked).into_iter().map(|group| {
            let rules = group.rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
            let mut about: Vec<String> =
                group.subjects.iter().take(EXAMPLES).map(|subject| text(&named(subject))).collect();
            if group.subjects.len() > EXAMPLES {
                about.push(format!("{} more", group.subjects.len() - EXAMPLES));
            }
            let hint = group.unknown.hint.as_deref().map(code).unwrap_or_default();
            let reason = text(&group.unknown.reason);
            format!("| {} | {reason} | {rules} | {} | {hint} |\n", group.count, about.join(", "))
        });
        let header = "| checks | reason | rules | about | what to do |\n|---:|---|---|---|---|\n";
        self.folded(&format!("{} not made", plural(count, "check", "checks")), |page| {
            page.rows(header, "reason", "reasons", rows);
        });
    }

    fn coverage(&mut self, report: &Report) {
        let skipped = summary::skipped(report).map(|skipped| format!("- {}\n", text(&skipped)));
        let skipped: Vec<String> = skipped.collect();
        if !skipped.is_empty() {
            let count = skipped.len();
            self.folded(&plural(count, "kind of thing skipped", "kinds of things skipped"), |page| {
                page.rows("", "line", "lines", skipped.into_iter());
            });
        }
        self.push(&format!("Looked at: {}.", text(&summary::looked_at(report))));
        let sources = summary::unreliable_sources(report);
        if !sources.is_empty() {
            self.push(&format!(" Data: {}.", text(&sources.join(", "))));
        }
        self.push(&format!(" {}\n", code(&report.tool)));
    }

    /// Writes rows as long as there is room, and how many there was none for.
    fn rows(&mut self, header: &str, one: &str, many: &str, mut rows: impl Iterator<Item = String>) {
        self.push(header);
        while let Some(row) = rows.next() {
            if self.length + row.chars().count() + RESERVE > LIMIT {
                let cut = plural(1 + rows.count(), one, many);
                self.push(&format!("\nCut here: {cut} more; `--format json` has all.\n"));
                return;
            }
            self.push(&row);
        }
    }

    fn folded(&mut self, summary: &str, body: impl FnOnce(&mut Self)) {
        self.push(&format!("<details><summary>{summary}</summary>\n\n"));
        body(self);
        self.push("\n</details>\n\n");
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.chars().count();
    }
}

fn row(judged: &Judged) -> String {
    let Judged { rule, level, finding } = judged;
    let level = match level {
        Level::Deny => "**deny**",
        Level::Warn | Level::Allow => "warn",
    };
    let mut what = text(&finding.message);
    if let Some(location) = finding.locations.first() {
        what = format!("{what} ({})", code(&place(location)));
    }
    let fix = finding.fix.as_ref().map(|fix| {
        let commands = fix.commands.iter().map(|command| format!("<br>{}", code(command)));
        std::iter::once(text(&fix.summary)).chain(commands.take(3)).collect::<String>()
    });
    let subject = text(&named(&finding.subject));
    format!("| {level} | `{}` | {subject} | {what} | {} |\n", rule.id, fix.unwrap_or_default())
}

/// Text in which nothing is markup, except that names between two backticks become code.
pub(super) fn text(text: &str) -> String {
    let shown = clip(&visible(text), CELL);
    let parts: Vec<&str> = shown.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without its pair.
        return words_escaped(&shown);
    }
    let pieces = parts.iter().enumerate().map(|(number, part)| match number % 2 {
        0 => words_escaped(part),
        _ => code(part),
    });
    pieces.collect()
}

/// Code that shows exactly this text, in a table as well.
///
/// As HTML, because a code span ends at the first run of backticks of its length and a table cell at the first `|`.
pub(super) fn code(text: &str) -> String {
    let shown = clip(&visible(text), CELL);
    if shown.is_empty() {
        return String::new();
    }
    format!("<code>{}</code>", markup_escaped(&shown))
}

/// Words that GitHub links wherever they stand outside code, entities or not: mentions, references and addresses.
fn is_linked(word: &str) -> bool {
    word.contains(['@', '#']) || word.contains("://") || word.contains("www.")
}

/// Writes as an entity whatever begins markup.
fn markup_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' | '`' | '\\' | '*' | '_' | '~' | '[' | ']' | '$' | '@' | '#' => entity(&mut escaped, character),
            _ => escaped.push(character),
        }
    }
    escaped.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
}

/// Escapes words, and makes those code that would otherwise become links.
fn words_escaped(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let escaped = markup_escaped(word);
        if is_linked(word) { format!("<code>{escaped}</code>") } else { escaped }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn entity(escaped: &mut String, character: char) {
    escaped.push_str("&#");
    escaped.push_str(&u32::from(character).to_string());
    escaped.push(';');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::{escape, example, hostile};
    use crate::subject::Subject;

    fn written(report: &Report) -> String {
        let mut written = Vec::new();
        write(report, &mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn every_part_has_its_place() {
        assert_eq!(
            written(&example::report()),
            "\
### ❌ <code>deps</code>: fail: 1 denied, 1 warned, 1 exempted

| level | rule | subject | what | fix |
|---|---|---|---|---|
| **deny** | `known-vulnerability` | time 0.1.44 | RUSTSEC-2020-0071: segfault in <code>localtime&#95;r</code> \
(<code>Cargo.lock:8:1</code>) | update to 0.2.23 or later<br><code>cargo update -p time</code> |
| warn | `lookalike-name` | envlogger 0.1.0 | resembles <code>env&#95;logger</code>, which ranks 45th \
(<code>Cargo.lock:4:1</code>) | depend on <code>env&#95;logger</code><br><code>cargo remove envlogger</code>\
<br><code>cargo add env&#95;logger</code> |

<details><summary>1 exempted finding</summary>

| rule | subject | what | accepted by |
|---|---|---|---|
| `lookalike-name` | log 0.4.0 | resembles <code>1og</code> | exemption until 2027-01-31, release team: \
it is the real one (added by the change itself) |

</details>

<details><summary>1 check not made</summary>

| checks | reason | rules | about | what to do |
|---:|---|---|---|---|
| 1 | the name list is missing | `lookalike-name` |  | <code>cargo toolbelt data update</code> |

</details>

<details><summary>1 kind of thing skipped</summary>

- 1 lockfile (excluded by &#91;deps&#93; exclude)

</details>

Looked at: lockfiles 1, packages 2. Data: advisory-db stale (2026-08-21), names missing. \
<code>cargo-toolbelt 0.1.0</code>
"
        );
    }

    #[test]
    fn a_clean_run_is_short() {
        assert_eq!(
            written(&example::clean()),
            "### ✅ <code>deps</code>: pass\n\nLooked at: lockfiles 1, packages 2. <code>cargo-toolbelt 0.1.0</code>\n"
        );
    }

    #[test]
    fn strangers_mention_nobody_and_open_no_tag() {
        assert_eq!(text("hi @octocat"), "hi <code>&#64;octocat</code>");
        assert_eq!(text("a|b <b> [x](y)"), "a&#124;b &lt;b&gt; &#91;x&#93;(y)");
        assert_eq!(text("see https://x.example"), "see <code>https:&#47;&#47;x.example</code>");
        assert_eq!(text("`a|b`` lone"), "&#96;a&#124;b&#96;&#96; lone");
        assert_eq!(text("one\ntwo"), "one&#92;ntwo");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let judged = |number: usize| {
            let mut judged = example::vulnerable();
            judged.finding.subject = Subject::package(format!("crate-{number}"), "1.0.0");
            judged
        };
        let page = written(&Report { findings: (0..1000).map(judged).collect(), ..example::report() });
        let length = page.chars().count();
        assert!(length <= LIMIT && length > LIMIT / 2, "{length}");
        let shown = page.matches("| **deny** |").count();
        assert!(page.contains(&format!("Cut here: {} findings more", 1000 - shown)), "{shown}");
        assert!(page.ends_with("<code>cargo-toolbelt 0.1.0</code>\n"));
    }

    proptest! {
        #[test]
        fn no_row_breaks_and_nothing_is_markup(report in hostile::report()) {
            let page = written(&report);
            prop_assert!(page.chars().count() <= LIMIT);
            prop_assert!(!page.contains(|character| character != '\n' && escape::is_hidden(character)), "{page:?}");
            let mut columns = None;
            for line in page.lines() {
                let bars = line.matches('|').count();
                prop_assert!(bars == 0 || *columns.get_or_insert(bars) == bars, "{line:?}");
                columns = columns.filter(|_| bars > 0);
                let mut rest = line.to_owned();
                for ours in ["code", "details", "summary"] {
                    rest = rest.replace(&format!("<{ours}>"), "").replace(&format!("</{ours}>"), "");
                }
                rest = rest.replace("<br>", "");
                prop_assert!(!rest.contains(['<', '>', '@', '[', ']', '\\']) && !rest.contains("://"), "{line:?}");
            }
        }
    }
}
