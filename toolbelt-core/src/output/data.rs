//! The data that answers rest on, for people.

use std::io;

use super::escape::visible;
use crate::ops::data::Answer;
use crate::report::State;

/// Writes a line for each source, where the copies are kept, and what went wrong.
///
/// # Errors
///
/// Those of `out`.
pub fn write(answer: &Answer, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{:<12} {:<8} {:<21} FROM", "SOURCE", "STATE", "DATE")?;
    let report = &answer.report;
    for (source, places) in report.sources.iter().zip(&answer.places) {
        let date = source.date.as_deref().unwrap_or("-");
        let mut places = places.iter();
        let first = places.next().map_or("-", String::as_str);
        let name = visible(&source.name);
        writeln!(out, "{name:<12} {:<8} {:<21} {}", source.state.as_str(), visible(date), visible(first))?;
        for place in places {
            writeln!(out, "{:<43} {}", "", visible(place))?;
        }
    }
    match &answer.cache {
        Some(cache) => writeln!(out, "kept in {}", visible(&cache.display().to_string()))?,
        None => writeln!(out, "kept nowhere: there is no home directory; set TOOLBELT_CACHE to a folder")?,
    }
    for skipped in &report.coverage.skipped {
        writeln!(out, "{} not updated: {}", visible(&skipped.what), visible(&skipped.why))?;
    }
    let is_update = report.command == "data update";
    if !is_update && report.sources.iter().any(|source| source.state != State::Fresh) {
        writeln!(out, "hint: `cargo toolbelt data update` fetches what is missing or stale")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    #[test]
    fn each_source_has_a_line_and_a_failure_says_why() {
        let mut report = example::report();
        report.coverage.skipped.clear();
        report.coverage.skip("advisories", 1, "no \u{1b} answer");
        report.command = "data status".to_owned();
        let places =
            vec![vec!["https://a.example".to_owned(), "https://b.example".to_owned()], vec!["built in".to_owned()]];
        let mut written = Vec::new();
        write(&Answer { report, places, cache: None }, &mut written).unwrap();
        let written = String::from_utf8(written).unwrap();
        let lines = written.lines().collect::<Vec<_>>();
        assert_eq!(lines[1], "advisory-db  stale    2026-08-21            https://a.example");
        assert_eq!(lines[2].trim(), "https://b.example");
        assert_eq!(lines[3], "names        missing  -                     built in");
        assert!(lines[4].starts_with("kept nowhere"), "{written}");
        assert_eq!(lines[5], "advisories not updated: no \\u{1b} answer");
        assert!(lines[6].starts_with("hint: "), "{written}");
    }
}
