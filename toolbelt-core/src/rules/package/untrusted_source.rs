#![doc = include_str!("untrusted_source.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::package::{Package, Source};

static REGISTRIES: RuleOption = RuleOption {
    name: "registries",
    default: OptionDefault::List(&[]),
    about: "index URLs of registries that are trusted besides crates.io",
};
static GIT: RuleOption = RuleOption {
    name: "git",
    default: OptionDefault::List(&[]),
    about: "URLs of git repositories that are trusted; one that ends in `/` stands for all below it",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "untrusted-source",
    summary: "a package comes from a source outside the allow-list",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-2300", "TBT-4200"],
    cwe: &[829],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&REGISTRIES, &GIT],
    needs: &[],
    explanation: include_str!("untrusted_source.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let (what, url, option) = match &package.source {
        Source::Path => return Outcome::clean(),
        Source::Registry(registry) if registry.is_crates_io() => return Outcome::clean(),
        Source::Registry(registry) => ("registry", registry.index.as_str(), &REGISTRIES),
        Source::Git { url, .. } => ("git repository", url.as_str(), &GIT),
        Source::Other(source) => ("source", source.as_str(), &REGISTRIES),
    };
    if context.options.list(option).iter().any(|trusted| is_within(url, trusted)) {
        return Outcome::clean();
    }
    Finding::new(package.subject(), format!("comes from the {what} `{url}`, which the policy does not list"))
        .fact("source", url)
        .at(package.locations.iter().cloned())
        .fix(Fix::new(format!(
            "take the package from crates.io, or trust the source: `{} = [\"{url}\"]` for `untrusted-source`",
            option.name
        )))
        .into()
}

/// Whether a URL is the trusted one or, where that ends in `/`, below it.
fn is_within(url: &str, trusted: &str) -> bool {
    fn plain(url: &str) -> &str {
        let url = url.trim_start_matches("sparse+");
        url.strip_suffix(".git").unwrap_or(url)
    }
    let (url, trusted) = (plain(url), plain(trusted));
    url == trusted
        || url.trim_end_matches('/') == trusted.trim_end_matches('/')
        || (trusted.ends_with('/') && url.starts_with(trusted) && !may_leave(url))
}

/// Whether the server could read a URL as one outside of the folder that it begins with.
fn may_leave(url: &str) -> bool {
    url.contains("..") || url.contains(['%', '\\'])
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_trusted_url_stands_for_itself_or_for_all_below_it() {
        assert!(is_within("https://x.org/a/b", "https://x.org/a/b.git"));
        assert!(is_within("https://x.org/a/b", "https://x.org/a/"));
        assert!(!is_within("https://x.org/ab", "https://x.org/a"));
        for outside in ["a/../c/b", "a/%2e%2e/c", "a/.%2E/c", "a/..\\\\c"] {
            assert!(!is_within(&format!("https://x.org/{outside}"), "https://x.org/a/"), "{outside}");
        }
        assert!(is_within("sparse+https://x.org/index/", "https://x.org/index"));
    }
}
