//! A crate name in the forms in which it is compared: words, and what is left when one difference is taken away.

/// The longest name that crates.io takes, in bytes.
pub(super) const LONGEST: usize = 64;

/// Stands for a letter of another alphabet.
pub(super) const FOREIGN: u8 = b'?';

/// A name in lower case, split at `-` and `_`.
///
/// crates.io ignores case and does not tell `-` from `_`, so neither makes a difference here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// The words without separators between them.
    pub(super) joined: String,
    /// Where each word ends in `joined`, ascending; empty words are left out.
    ends: Vec<usize>,
}

impl Form {
    /// Splits a name. A letter of another alphabet counts as one unknown letter: crates.io takes none, but a name that
    /// is pasted may have one.
    pub(super) fn new(name: &str) -> Self {
        let mut joined = String::with_capacity(name.len());
        let mut ends = Vec::with_capacity(4);
        for word in name.split(['-', '_']).filter(|word| !word.is_empty()) {
            joined.extend(word.chars().map(|c| if c.is_ascii() { c.to_ascii_lowercase() } else { FOREIGN.into() }));
            ends.push(joined.len());
        }
        Self { joined, ends }
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The word at this place.
    pub(super) fn word(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.joined[start..self.ends[at]]
    }

    /// The words in their order.
    pub(super) fn words(&self) -> impl DoubleEndedIterator<Item = &str> {
        (0..self.len()).map(|at| self.word(at))
    }

    /// Words `from..to`, without separators.
    pub(super) fn slice(&self, from: usize, to: usize) -> &str {
        if from >= to {
            return "";
        }
        let start = if from == 0 { 0 } else { self.ends[from - 1] };
        &self.joined[start..self.ends[to - 1]]
    }

    /// The words in alphabetical order.
    pub(super) fn sorted(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.words().collect();
        words.sort_unstable();
        words
    }

    /// The words in singular, without separators.
    pub(super) fn singular(&self) -> String {
        self.words().map(singular).collect()
    }
}

/// A word without its plural ending; words too short to tell are left alone.
pub(super) fn singular(word: &str) -> &str {
    // `ss` and `us` are no plural (`access`, `status`), and three letters are too few (`gas`, `ros`, `tls`).
    match word.strip_suffix('s') {
        Some(stem) if stem.len() >= 3 && !stem.ends_with(['s', 'u']) => stem,
        _ => word,
    }
}

/// The text with every letter that looks like another written as one of them.
///
/// Only what crates.io allows in a name: letters, digits.
pub(super) fn folded(joined: &str) -> String {
    let mut folded = String::with_capacity(joined.len());
    for c in joined.chars() {
        match c {
            '0' => folded.push('o'),
            '1' | 'i' => folded.push('l'),
            '3' => folded.push('e'),
            '4' => folded.push('a'),
            '5' => folded.push('s'),
            '7' => folded.push('t'),
            'n' if folded.ends_with('r') => {
                folded.pop();
                folded.push('m');
            }
            'v' if folded.ends_with('v') => {
                folded.pop();
                folded.push('w');
            }
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_case_do_not_count() {
        let form = Form::new("Proc_Macro-2");
        assert_eq!(form.words().collect::<Vec<_>>(), ["proc", "macro", "2"]);
        assert_eq!(form.joined, "procmacro2");
        assert_eq!(form.slice(1, 3), "macro2");
        assert_eq!(form, Form::new("proc-macro_2"));
        assert_ne!(form, Form::new("proc-macro2"));
    }

    #[test]
    fn names_of_separators_alone_have_no_words() {
        assert_eq!(Form::new("").len(), 0);
        assert_eq!(Form::new("-_-").len(), 0);
    }

    #[test]
    fn singular_leaves_words_that_are_no_plural() {
        assert_eq!(singular("sdks"), "sdk");
        assert_eq!(singular("tracings"), "tracing");
        for word in ["tls", "status", "access", "s", ""] {
            assert_eq!(singular(word), word);
        }
    }

    #[test]
    fn letters_that_look_alike_fold_together() {
        assert_eq!(folded("t0kio"), folded("tokio"));
        assert_eq!(folded("wi1dmatch"), folded("wildmatch"));
        assert_eq!(folded("serde"), folded("s3rd3"));
        assert_eq!(folded("rnemchr"), folded("memchr"));
    }
}
