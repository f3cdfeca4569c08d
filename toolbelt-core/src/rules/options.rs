//! What a policy can set for a rule besides its level: declared by the rule, checked when the policy is read.

use std::collections::BTreeMap;
use std::time::Duration;

use semver::VersionReq;

/// An option that a rule declares.
#[derive(Debug)]
pub struct RuleOption {
    /// Kebab-case.
    pub name: &'static str,
    /// Type, and value where the policy says nothing.
    pub default: OptionDefault,
    /// One line, lower case, without a full stop.
    pub about: &'static str,
}

/// The type of an option with its default.
#[derive(Debug, Clone, Copy)]
pub enum OptionDefault {
    /// A number of days.
    Days(u32),
    /// A number.
    Count(u32),
    /// A list of strings.
    List(&'static [&'static str]),
    /// A list of packages: `name`, or `name@requirement` for some versions.
    Packages(&'static [&'static str]),
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// A length of time.
    Age(Duration),
    /// A number.
    Count(u32),
    /// A list of strings, or of packages.
    List(Vec<String>),
}

/// What the policy says of one rule's options; what it does not say has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<&'static str, OptionValue>);

impl Options {
    /// Sets an option.
    pub fn set(&mut self, option: &'static RuleOption, value: OptionValue) {
        self.0.insert(option.name, value);
    }

    /// The value of an option of type [`OptionDefault::Days`].
    ///
    /// # Panics
    ///
    /// If the option has another type, which is a mistake in the rule.
    pub fn age(&self, option: &RuleOption) -> Duration {
        match (self.0.get(option.name), option.default) {
            (Some(OptionValue::Age(age)), _) => *age,
            (None, OptionDefault::Days(days)) => Duration::from_hours(24 * u64::from(days)),
            _ => panic!("`{}` is not an age", option.name),
        }
    }

    /// The value of an option of type [`OptionDefault::Count`].
    ///
    /// # Panics
    ///
    /// If the option has another type, which is a mistake in the rule.
    pub fn count(&self, option: &RuleOption) -> u32 {
        match (self.0.get(option.name), option.default) {
            (Some(OptionValue::Count(count)), _) => *count,
            (None, OptionDefault::Count(count)) => count,
            _ => panic!("`{}` is not a number", option.name),
        }
    }

    /// The value of an option of type [`OptionDefault::List`] or [`OptionDefault::Packages`].
    ///
    /// # Panics
    ///
    /// If the option has another type, which is a mistake in the rule.
    pub fn list(&self, option: &RuleOption) -> Vec<&str> {
        match (self.0.get(option.name), option.default) {
            (Some(OptionValue::List(list)), _) => list.iter().map(String::as_str).collect(),
            (None, OptionDefault::List(list) | OptionDefault::Packages(list)) => list.to_vec(),
            _ => panic!("`{}` is not a list", option.name),
        }
    }

    /// Whether the policy sets this one.
    pub fn is_set(&self, option: &RuleOption) -> bool {
        self.0.contains_key(option.name)
    }

    /// Whether the policy sets none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a length of time as policies write it: a number and `d` (days), `h` (hours) or `w` (weeks).
pub fn parse_age(text: &str) -> Option<Duration> {
    let (number, hours) = match text.as_bytes().last()? {
        b'h' => (&text[..text.len() - 1], 1),
        b'd' => (&text[..text.len() - 1], 24),
        b'w' => (&text[..text.len() - 1], 24 * 7),
        _ => return None,
    };
    // A thousand years; beyond that no date can be computed.
    let hours =
        number.parse::<u32>().ok().map(|number| u64::from(number) * hours).filter(|hours| *hours < 8_766_000)?;
    Some(Duration::from_hours(hours))
}

/// Whether this names packages as policies do: `name`, or `name@requirement` for some versions.
pub fn is_package(text: &str) -> bool {
    let (name, requirement) = text.split_once('@').unwrap_or((text, "*"));
    !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        && VersionReq::parse(requirement).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_name_with_or_without_a_requirement() {
        for good in ["a", "openssl-sys", "time@<0.2", "a@*", "a@>=1, <1.4", "a_b@=1.2.3"] {
            assert!(is_package(good), "{good}");
        }
        for bad in ["", "@1", "a@", "a@bogus!", "a:<1", "a b", "a*", "a@1@2", "pkg:cargo/a"] {
            assert!(!is_package(bad), "{bad}");
        }
    }

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(parse_age("7d"), Some(Duration::from_hours(168)));
        assert_eq!(parse_age("12h"), Some(Duration::from_hours(12)));
        assert_eq!(parse_age("2w"), parse_age("14d"));
        for bad in ["", "d", "7", "-1d", "7 d", "1y", "99999999999d", "4000000000w", "é"] {
            assert_eq!(parse_age(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_option_that_is_not_set_has_its_default() {
        static MIN_AGE: RuleOption =
            RuleOption { name: "min-age", default: OptionDefault::Days(7), about: "youngest release taken" };
        let mut options = Options::default();
        assert_eq!(options.age(&MIN_AGE), Duration::from_hours(168));
        options.set(&MIN_AGE, OptionValue::Age(Duration::from_hours(1)));
        assert_eq!(options.age(&MIN_AGE), Duration::from_hours(1));
    }
}
