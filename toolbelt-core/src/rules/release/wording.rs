//! What the rules say alike: some of many, and commits by their first digits.

use crate::subject::Location;

/// Of many things those that a message names.
const NAMED: usize = 3;
/// Of many places those that a finding has.
pub(super) const PLACES: usize = 20;
/// Digits of a commit that people are shown.
const SHORT_ID: usize = 12;

/// Names some things in a sentence: the first ones, and how many more there are.
pub(super) fn several<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    some_of(names.into_iter().map(|name| format!("`{}`", name.as_ref())))
}

/// Like [`several`], of things that are written as they are.
pub(super) fn some_of(words: impl IntoIterator<Item = String>) -> String {
    let mut words = words.into_iter();
    let named = words.by_ref().take(NAMED).collect::<Vec<_>>().join(", ");
    match words.count() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// "1 file", "2 files".
pub(super) fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

/// Files as a whole, of many the first ones.
pub(super) fn places(paths: impl IntoIterator<Item = String>) -> impl Iterator<Item = Location> {
    paths.into_iter().take(PLACES).map(Location::whole_file)
}

/// A commit as people name it.
pub(super) fn short(commit: &str) -> &str {
    commit.char_indices().nth(SHORT_ID).map_or(commit, |(end, _)| &commit[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_named_and_the_rest_counted() {
        assert_eq!(several(["a"]), "`a`");
        assert_eq!(several(["a", "b", "c"]), "`a`, `b`, `c`");
        assert_eq!(several(["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
    }

    #[test]
    fn a_commit_is_cut_whatever_it_holds() {
        assert_eq!(short("0123456789abcdef"), "0123456789ab");
        assert_eq!(short("ä"), "ä");
    }
}
