#![doc = include_str!("unpinned_git_dependency.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Location;
use crate::subject::dependencies::DeclaredSource;
use crate::subject::package::{GitReference, Package, Source};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unpinned-git-dependency",
    summary: "a git dependency does not name a revision",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4200"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: Some(Level::Allow),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("unpinned_git_dependency.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let Source::Git { url, reference, commit } = &package.source else { return Outcome::clean() };
    let (follows, is_tag) = match reference {
        GitReference::Revision(revision) if is_commit(revision, commit.as_deref()) => return Outcome::clean(),
        GitReference::Revision(revision) => (format!("`{revision}`, which is no commit id,"), false),
        GitReference::DefaultBranch => ("the default branch".to_owned(), false),
        GitReference::Branch(branch) => (format!("branch `{branch}`"), false),
        GitReference::Tag(tag) => (format!("tag `{tag}`, which can be moved,"), true),
    };
    let finding = Finding::new(package.subject(), format!("follows {follows} of `{url}`"))
        .fact("source", url.as_str())
        .at(declarations(package, context))
        .at(package.locations.iter().cloned())
        .fix(match commit {
            Some(commit) => Fix::new(format!("name the revision that is locked: `rev = \"{commit}\"`")),
            None => Fix::new("name a revision: `rev = \"…\"`"),
        });
    if is_tag { finding.weaker() } else { finding }.into()
}

/// `rev` takes the names of branches, too: a commit is named by the first digits, at least seven, of its id.
fn is_commit(revision: &str, commit: Option<&str>) -> bool {
    let is_id = revision.len() >= 7 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id && commit.is_none_or(|commit| commit.starts_with(&revision.to_ascii_lowercase()))
}

/// Where members ask for it.
fn declarations(package: &Package, context: &Context<'_>) -> Vec<Location> {
    let declared = context.dependencies.members.iter().flat_map(|member| &member.requirements);
    let asks = declared.filter(|declared| {
        matches!(declared.from, DeclaredSource::Git { .. }) && declared.requirement.name == package.name
    });
    let mut places = asks.map(|declared| declared.location.clone()).collect::<Vec<_>>();
    places.sort();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::is_commit;

    #[test]
    fn only_the_digits_of_the_locked_commit_pin_it() {
        let commit = Some("0123456789abcdef0123456789abcdef01234567");
        assert!(is_commit("0123456", commit));
        assert!(is_commit("0123456789ABCDEF", commit));
        for name in ["main", "deadbee", "012345", ""] {
            assert!(!is_commit(name, commit), "{name}");
        }
    }
}
