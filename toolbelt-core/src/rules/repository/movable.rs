//! Tags that are meant to move.

use globset::GlobBuilder;

use crate::rules::options::{OptionDefault, Options, RuleOption};
use crate::subject::ref_update::{is_tag, short_name};

/// The option that names them.
pub(super) static MOVABLE_TAGS: RuleOption = RuleOption {
    name: "movable-tags",
    default: OptionDefault::List(&[]),
    about: "globs over names of tags that are meant to move, such as `latest` or `v[0-9]`",
};

/// Whether a ref is a tag that is meant to move.
pub(super) fn is_movable(name: &str, options: &Options) -> bool {
    is_tag(name) && options.list(&MOVABLE_TAGS).iter().any(|glob| is_match(glob, short_name(name)))
}

fn is_match(glob: &str, name: &str) -> bool {
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::options::OptionValue;

    #[test]
    fn only_tags_with_these_names_may_move() {
        let mut options = Options::default();
        options.set(&MOVABLE_TAGS, OptionValue::List(vec!["latest".to_owned(), "v[0-9]".to_owned(), "[".to_owned()]));
        for (name, expected) in [
            ("refs/tags/latest", true),
            ("refs/tags/v1", true),
            ("refs/tags/v1.0", false),
            ("refs/tags/a/latest", false),
            ("refs/heads/latest", false),
        ] {
            assert_eq!(is_movable(name, &options), expected, "{name}");
        }
    }
}
