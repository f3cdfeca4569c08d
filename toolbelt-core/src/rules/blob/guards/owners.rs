//! Who has to agree to changes: `CODEOWNERS`.

use std::collections::BTreeMap;

use super::lists::shown;
use super::{Guard, Weakening, text};
use crate::subject::tree::FileChange;

/// All files of this kind together, as forges read the first that they find: one may come instead of another.
pub(super) fn weakened(guards: &[(Guard, &FileChange)]) -> Vec<Weakening> {
    let files: Vec<&FileChange> =
        guards.iter().filter(|(guard, _)| *guard == Guard::Owners).map(|(_, file)| *file).collect();
    let after: Vec<BTreeMap<String, Entry>> =
        files.iter().map(|file| entries(&text(file.after.as_ref()).unwrap_or_default())).collect();
    let mut found = Vec::new();
    for (file, own) in files.iter().zip(&after) {
        let Some(before) = text(file.before.as_ref()) else { continue };
        let before = entries(&before);
        let mut say = |message: String, line: Option<usize>| {
            found.push(Weakening { path: file.path.clone(), message, line });
        };
        for (pattern, old) in before.iter().filter(|(_, old)| old.has_owners) {
            let new = after.iter().find_map(|entries| entries.get(pattern));
            match new {
                None => say(
                    format!("`{}` has no entry any more: nobody has to agree to changes there", shown(pattern)),
                    None,
                ),
                Some(new) if !new.has_owners && old.has_owners => {
                    say(
                        format!("`{}` has no owners any more", shown(pattern)),
                        own.get(pattern).map(|entry| entry.line),
                    );
                }
                Some(_) => {}
            }
        }
        for (pattern, entry) in
            own.iter().filter(|(pattern, entry)| !entry.has_owners && !before.contains_key(*pattern))
        {
            say(format!("takes `{}` from its owners", shown(pattern)), Some(entry.line));
        }
    }
    found
}

struct Entry {
    /// Counted from 0.
    line: usize,
    has_owners: bool,
}

/// By pattern; the last line of several counts.
fn entries(text: &str) -> BTreeMap<String, Entry> {
    let mut entries = BTreeMap::new();
    for (line, content) in text.lines().enumerate() {
        let mut words = content.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
        // GitLab's sections.
        let Some(pattern) = words.next().filter(|word| !word.starts_with(['[', '^'])) else { continue };
        entries.insert(pattern.to_owned(), Entry { line, has_owners: words.next().is_some() });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::super::tests::{change, messages};

    const OWNERS: &str = "# all\n* @a\n/.github/ @b @c # ci\n";

    #[test]
    fn an_entry_that_is_gone_or_has_no_owners_is_told() {
        let said = |after: &str| messages(&[change("CODEOWNERS", Some(OWNERS), Some(after))]);
        assert_eq!(said("* @a\n"), ["`/.github/` has no entry any more: nobody has to agree to changes there"]);
        assert_eq!(said("* @a\n/.github/\n"), ["`/.github/` has no owners any more"]);
        assert_eq!(said("* @a\n/.github/ @b\n/.github/workflows/\n"), ["takes `/.github/workflows/` from its owners"]);
        assert!(said("/docs/ @d\n/.github/ @c\n* @a @b\n").is_empty());
    }

    #[test]
    fn a_file_in_another_place_is_the_same() {
        let moved = [change("CODEOWNERS", Some(OWNERS), None), change(".github/CODEOWNERS", None, Some(OWNERS))];
        assert!(messages(&moved).is_empty());
        assert_eq!(messages(&[change("CODEOWNERS", Some(OWNERS), None)]).len(), 2);
    }
}
