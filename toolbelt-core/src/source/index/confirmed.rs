//! Our own record of when index entries were last what their registry serves.
//!
//! Cargo does not rewrite a cache file when the registry answers that nothing changed, so a file's date says nothing.
//! One text file for each registry: a head line, then a line for each crate with its name, the second in which it was
//! confirmed, and which copy that was about.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use jiff::Timestamp;

/// First line of the file; another one means another program's file, which is not read.
const HEAD: &str = "toolbelt index confirmations 1";

/// What is recorded of the crates of one registry, by name in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record(BTreeMap<String, Confirmation>);

/// One crate's entry was what the registry served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Confirmation {
    /// When.
    pub(super) at: Timestamp,
    /// Which copy of it.
    pub(super) copy: Copied,
}

/// Which copy of an entry a confirmation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    /// Cargo's cache file, as long as it is still this one.
    Cargo(Stamp),
    /// The one in toolbelt's cache.
    Own,
    /// The registry does not list the crate.
    Absent,
}

/// Tells a file from what replaced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct Stamp {
    /// In bytes.
    pub(in crate::source) size: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub(in crate::source) modified: u128,
}

impl Stamp {
    /// The stamp of a file; none where the system keeps no times.
    pub(in crate::source) fn of(metadata: &Metadata) -> Option<Self> {
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        Some(Self { size: metadata.len(), modified })
    }
}

impl Record {
    /// Reads a record; lines that are not understood are forgotten, which makes their entries unconfirmed.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut lines = std::str::from_utf8(bytes).unwrap_or_default().lines();
        if lines.next() != Some(HEAD) {
            return Self::default();
        }
        Self(lines.filter_map(parse_line).collect())
    }

    /// The text to keep.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for (name, Confirmation { at, copy }) in &self.0 {
            let at = at.as_second();
            // Writing to a string does not fail.
            let _ = match copy {
                Copied::Cargo(Stamp { size, modified }) => writeln!(text, "{name} {at} cargo {size} {modified}"),
                Copied::Own => writeln!(text, "{name} {at} own"),
                Copied::Absent => writeln!(text, "{name} {at} absent"),
            };
        }
        text
    }

    /// What is recorded of a crate, unless it lies after `now`: a clock that was wrong confirms nothing.
    pub(super) fn get(&self, name: &str, now: Timestamp) -> Option<Confirmation> {
        self.0.get(name).copied().filter(|confirmation| confirmation.at <= now)
    }

    /// Records confirmations, later ones than those known.
    pub(super) fn extend(&mut self, new: impl IntoIterator<Item = (String, Confirmation)>) {
        self.0.extend(new);
    }
}

fn parse_line(line: &str) -> Option<(String, Confirmation)> {
    let mut words = line.split(' ');
    let name = words.next().filter(|name| !name.is_empty())?.to_owned();
    let at = Timestamp::from_second(words.next()?.parse().ok()?).ok()?;
    let copy = match words.next()? {
        "cargo" => Copied::Cargo(Stamp { size: words.next()?.parse().ok()?, modified: words.next()?.parse().ok()? }),
        "own" => Copied::Own,
        "absent" => Copied::Absent,
        _ => return None,
    };
    words.next().is_none().then_some((name, Confirmation { at, copy }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_reads_what_it_writes() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let copies = [Copied::Cargo(Stamp { size: 5, modified: 1 << 90 }), Copied::Own, Copied::Absent];
        let mut record = Record::default();
        record.extend(copies.into_iter().enumerate().map(|(i, copy)| (format!("c{i}"), Confirmation { at, copy })));
        assert_eq!(Record::parse(record.to_text().as_bytes()), record);
    }

    #[test]
    fn what_is_not_understood_confirms_nothing() {
        assert_eq!(Record::parse(b"toolbelt index confirmations 2\na 1 own\n"), Record::default());
        assert_eq!(Record::parse(b"\xff"), Record::default());
        let text =
            format!("{HEAD}\na 1 own\nb x own\nc 1 other\nd 1 cargo 5\n\n e\na 99999999999999 own\nf 1 own more\n");
        let record = Record::parse(text.as_bytes());
        assert_eq!(record.0.len(), 1);
        assert_eq!(record.get("a", Timestamp::from_second(0).unwrap()), None, "from the future");
        assert!(record.get("a", Timestamp::from_second(1).unwrap()).is_some());
    }
}
