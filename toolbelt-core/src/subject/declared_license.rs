//! The licence that a package declares, in the words of SPDX where it can be said in them.

use spdx::{Expression, ParseMode};

/// The longest expression that is read; the longest seen in a registry has under 200 bytes.
const MAX_EXPRESSION: usize = 2048;
/// How much is kept of words that are no expression, in characters.
const MAX_WORDS: usize = 200;

/// As manifests write it: `/` for `OR` in the first years, names that SPDX gave up since; but no made-up names.
const AS_WRITTEN: ParseMode = ParseMode { allow_unknown: false, ..ParseMode::LAX };
/// As others read it: nothing but the list of SPDX, of which some names are deprecated but valid.
const AS_READ: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// A licence that a manifest declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeclaredLicense {
    /// One licence of the SPDX list.
    Id(String),
    /// Several, or one with an exception: a valid SPDX expression.
    Expression(String),
    /// Words that are no SPDX expression, at most 200 characters.
    Words(String),
    /// `license-file` alone: the file's name, without its folder.
    File(String),
}

impl DeclaredLicense {
    /// Reads `license` and `license-file` of a manifest; none if there is neither.
    pub fn new(license: Option<&str>, file: Option<&str>) -> Option<Self> {
        match license.map(str::trim).filter(|license| !license.is_empty()) {
            Some(license) => Some(Self::parse(license)),
            None => file.and_then(file_name).map(|name| Self::File(name.chars().take(MAX_WORDS).collect())),
        }
    }

    fn parse(license: &str) -> Self {
        let words = || Self::Words(license.chars().take(MAX_WORDS).collect());
        if license.len() > MAX_EXPRESSION || Expression::parse_mode(license, AS_WRITTEN).is_err() {
            return words();
        }
        let canonical = match Expression::canonicalize(license) {
            Ok(canonical) => canonical.unwrap_or_else(|| license.to_owned()),
            Err(_) => return words(),
        };
        match Expression::parse_mode(&canonical, AS_READ) {
            Ok(_) if spdx::license_id(&canonical).is_some_and(|id| id.name == canonical) => Self::Id(canonical),
            Ok(_) => Self::Expression(canonical),
            Err(_) => words(),
        }
    }

    /// The SPDX expression, where it is one.
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::Id(expression) | Self::Expression(expression) => Some(expression),
            Self::Words(_) | Self::File(_) => None,
        }
    }
}

/// The last part of a path with either separator.
fn file_name(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).next().map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(license: &str) -> DeclaredLicense {
        DeclaredLicense::new(Some(license), None).unwrap()
    }

    #[test]
    fn what_manifests_write_becomes_spdx() {
        for (written, expression) in [
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("Apache-2.0 / MIT", "Apache-2.0 OR MIT"),
            ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"),
            ("GPL-2.0+ or mit", "GPL-2.0-or-later OR MIT"),
        ] {
            assert_eq!(read(written), DeclaredLicense::Expression(expression.to_owned()), "{written}");
        }
        assert_eq!(read(" MIT "), DeclaredLicense::Id("MIT".to_owned()));
        assert_eq!(read("GPL-3.0"), DeclaredLicense::Id("GPL-3.0-only".to_owned()));
    }

    #[test]
    fn other_words_stay_words() {
        for words in ["all rights reserved", "MIT OR", "LGPL-9.9", "((((", "MIT\u{202e}"] {
            assert_eq!(read(words), DeclaredLicense::Words(words.to_owned()));
        }
        assert_eq!(read(&"MIT OR ".repeat(1000)), DeclaredLicense::Words("MIT OR ".repeat(29)[..200].to_owned()));
    }

    #[test]
    fn a_file_is_named_without_its_folder() {
        let file = |path| DeclaredLicense::new(None, Some(path));
        assert_eq!(file("/home/me/LICENSE"), Some(DeclaredLicense::File("LICENSE".to_owned())));
        assert_eq!(file("..\\LICENSE.txt"), Some(DeclaredLicense::File("LICENSE.txt".to_owned())));
        assert_eq!(DeclaredLicense::new(Some(" "), None), None);
    }

    proptest! {
        #[test]
        fn every_text_is_read_and_every_expression_holds(
            text in "(MIT|GPL-2.0|Apache-2.0|LGPL-3.0-or-later|LicenseRef-x|[ /()+]|AND|OR|WITH|LLVM-exception|\\PC){0,12}",
        ) {
            if let Some(expression) = DeclaredLicense::new(Some(&text), None).as_ref().and_then(DeclaredLicense::expression) {
                prop_assert!(Expression::parse_mode(expression, AS_READ).is_ok());
            }
        }
    }
}
