#![doc = include_str!("case_collision.md")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use unicode_normalization::UnicodeNormalization as _;

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::tree::{Mode, TreeChange};
use crate::subject::{Location, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "case-collision",
    summary: "two paths are one on file systems that ignore case or ways to write a letter",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1100", "TBT-3100"],
    cwe: &[178],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("case_collision.md"),
    check: Check::Tree(check),
};

fn check(change: &TreeChange, _: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::clean();
    let mut touched = HashSet::new();
    for entry in change.entries.iter().filter(|entry| entry.is_new) {
        touched.extend(prefixes(&entry.path).map(|prefix| folded(prefix).into_owned()));
        if let Some(part) = entry.path.split(|byte| *byte == b'/').find(|part| is_git_folder(part)) {
            outcome.findings.push(git_folder(&entry.path, part));
        }
    }
    if touched.is_empty() {
        return outcome;
    }
    let mut same: BTreeMap<Vec<u8>, Vec<Spelling<'_>>> = BTreeMap::new();
    let mut last: &[u8] = &[];
    for entry in &change.entries {
        for prefix in prefixes(&entry.path) {
            // The folders that it shares with the entry before were looked at there.
            let is_folder = prefix.len() < entry.path.len();
            if is_folder && last.starts_with(&entry.path[..=prefix.len()]) {
                continue;
            }
            let key = folded(prefix);
            if touched.contains(&*key) {
                let kind = if is_folder { None } else { Some(entry.mode) };
                same.entry(key.into_owned()).or_default().push(Spelling { path: prefix, kind, is_new: entry.is_new });
            }
        }
        last = &entry.path;
    }
    outcome.findings.extend(same.values().filter_map(|spellings| collision(spellings)));
    outcome
}

/// One way to write a path.
#[derive(Debug)]
struct Spelling<'a> {
    path: &'a [u8],
    /// What is there; none for a folder.
    kind: Option<Mode>,
    is_new: bool,
}

fn collision(spellings: &[Spelling<'_>]) -> Option<Finding> {
    // Folders alone become one folder: what collides within them is found there.
    let file = spellings.iter().filter(|spelling| spelling.kind.is_some()).max_by_key(|spelling| spelling.is_new)?;
    let others: Vec<&Spelling<'_>> = spellings.iter().filter(|other| other.path != file.path).collect();
    let other = others.first()?;
    let is_link = |spelling: &Spelling<'_>| spelling.kind == Some(Mode::Link);
    let writes_through = spellings.iter().any(is_link) && spellings.iter().any(|spelling| spelling.kind.is_none());
    let (path, name) = (text(file.path), text(other.path));
    let how = if file.path.eq_ignore_ascii_case(other.path) { "case" } else { "normalization" };
    let message = match (writes_through, other.kind) {
        (true, _) => {
            format!("is, where {how} does not matter, the same as the folder `{name}`, and one of them is a link")
        }
        (false, None) => format!("is, where {how} does not matter, the same as the folder `{name}`"),
        (false, Some(_)) => format!("is, where {how} does not matter, the same as `{name}`"),
    };
    let finding = Finding::new(Subject::blob(&path), message)
        .fact("others", others.iter().map(|other| text(other.path)).collect::<Vec<_>>())
        .fact("differ-in", how)
        .at([Location::whole_file(&path), Location::whole_file(&name)])
        .told_apart_by(&name)
        .fix(Fix::new("give one of them another name"));
    Some(if writes_through { finding } else { finding.weaker() })
}

fn git_folder(path: &[u8], part: &[u8]) -> Finding {
    let path = text(path);
    let part: String = text(part).escape_default().collect();
    Finding::new(Subject::blob(&path), format!("has a part, `{part}`, that some file systems take for `.git`"))
        .fact("part", part)
        .at([Location::whole_file(&path)])
        .told_apart_by(".git")
        .fix(Fix::new("remove it: on macOS or Windows it would be written into the repository's own folder"))
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Each folder that a path is in, outermost first, and then the path.
fn prefixes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'/', path).map(|at| &path[..at]).chain(std::iter::once(path))
}

/// What is the same for all ways to write a path: lower case, composed, without what HFS+ does not look at.
fn folded(path: &[u8]) -> Cow<'_, [u8]> {
    let is_plain = |byte: &u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if path.iter().all(is_plain) {
        return path.into();
    }
    match std::str::from_utf8(path) {
        Ok(path) if !path.is_ascii() => {
            let seen = path.nfd().filter(|letter| !is_ignored(*letter)).flat_map(char::to_lowercase);
            seen.nfc().collect::<String>().into_bytes().into()
        }
        // Bytes that are no text have no other way to be written.
        Ok(_) | Err(_) => path.to_ascii_lowercase().into(),
    }
}

/// What HFS+ leaves out when it compares names (git's `next_hfs_char` has the same list).
fn is_ignored(letter: char) -> bool {
    matches!(letter, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether a part of a path is `.git` for HFS+ or NTFS (CVE-2014-9390).
///
/// NTFS leaves out dots and spaces at the end, takes what follows a colon for a stream, `git~1` for the short name, and a
/// backslash for a separator.
pub(super) fn is_git_folder(part: &[u8]) -> bool {
    part.split(|byte| *byte == b'\\').any(|part| {
        let part = folded(part);
        let name = part.split(|byte| *byte == b':').next().unwrap_or_default();
        let end = name.iter().rposition(|byte| !matches!(byte, b'.' | b' ')).map_or(0, |last| last + 1);
        matches!(&name[..end], b".git" | b"git~1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::options::Options;
    use crate::subject::sighting::Exposure;
    use crate::subject::tree::TreeEntry;

    /// What is said of a tree; `+` before a path says that it is new, `@` that it is a link.
    fn said(paths: &[&str]) -> Vec<(String, String, bool)> {
        let mut entries: Vec<TreeEntry> = paths
            .iter()
            .map(|path| {
                let (is_new, path) = path.strip_prefix('+').map_or((false, *path), |path| (true, path));
                let (mode, path) = path.strip_prefix('@').map_or((Mode::File, path), |path| (Mode::Link, path));
                TreeEntry { path: path.into(), mode, is_new }
            })
            .collect();
        entries.sort_by(|one, next| one.path.cmp(&next.path));
        let change = TreeChange { entries, files: Vec::new(), commit: None, exposure: Exposure::Staged };
        let outcome = check(&change, &Context { options: &Options::default() });
        outcome
            .findings
            .into_iter()
            .map(|finding| (finding.subject.name, finding.discriminator, finding.weaker))
            .collect()
    }

    #[test]
    fn a_collision_needs_a_new_entry_and_two_ways_to_write_it() {
        let pair = |one: &str, other: &str| vec![(one.to_owned(), other.to_owned(), true)];
        assert_eq!(said(&["a/Readme", "+a/README"]), pair("a/README", "a/Readme"));
        assert_eq!(said(&["A/x", "+a/x"]), pair("a/x", "A/x"));
        assert_eq!(said(&["A", "+a/x"]), pair("A", "a"));
        assert_eq!(said(&["caf\u{e9}", "+cafe\u{301}"]), pair("cafe\u{301}", "caf\u{e9}"));
        for quiet in [&["a/Readme", "a/README"][..], &["Docs/a", "+docs/b"], &["+a", "+ab", "a/b"], &["+a", "b"], &[]] {
            assert_eq!(said(quiet), [], "{quiet:?}");
        }
    }

    #[test]
    fn a_link_that_is_a_folder_elsewhere_is_the_strong_form() {
        assert_eq!(said(&["@A", "+a/post-checkout"]), [("A".to_owned(), "a".to_owned(), false)]);
    }

    #[test]
    fn spellings_of_the_repositorys_own_folder_are_known() {
        for part in
            [".GIT", ".g\u{200c}it", "git~1", ".git ", ".git. .", ".git::$INDEX_ALLOCATION", "a\\.git\\hooks", ".git"]
        {
            assert!(is_git_folder(part.as_bytes()), "{part}");
        }
        for part in [".github", ".gitignore", "git", "git~2", "x.git", ".git-blame-ignore-revs", "..."] {
            assert!(!is_git_folder(part.as_bytes()), "{part}");
        }
        assert_eq!(said(&["+sub/.Git/config"]), [("sub/.Git/config".to_owned(), ".git".to_owned(), false)]);
    }
}
