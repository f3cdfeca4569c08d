//! The order in which the members of a workspace are published: what a package depends on comes first.

use std::collections::{BTreeMap, BTreeSet};

use crate::subject::package::DependencyKind;

/// A package that is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The package's name.
    pub name: String,
    /// What it depends on, other members or not.
    pub dependencies: Vec<MemberDependency>,
}

/// A dependency of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDependency {
    /// The real name of the package, whatever it is called in the manifest.
    pub name: String,
    /// What it is used for.
    pub kind: DependencyKind,
    /// Whether a version is asked for; cargo leaves dev-dependencies without one out of what it publishes.
    pub has_version: bool,
}

/// Members that depend on each other: none of them can be first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these packages depend on each other, so that none can be published first: {}", path(.0))]
pub struct Cycle(Vec<String>);

impl Cycle {
    /// The members, each of which depends on the next one, and the last one on the first.
    pub fn members(&self) -> &[String] {
        &self.0
    }
}

/// Sorts members by dependency, and by name where that leaves a choice.
///
/// # Errors
///
/// [`Cycle`], which names one way around.
pub fn publish_order(members: &[Member]) -> Result<Vec<&Member>, Cycle> {
    let by_name: BTreeMap<&str, &Member> = members.iter().map(|member| (member.name.as_str(), member)).collect();
    let mut waits: BTreeMap<&str, BTreeSet<&str>> =
        by_name.iter().map(|(name, member)| (*name, needed(member, &by_name))).collect();
    let mut order = Vec::new();
    while !waits.is_empty() {
        let Some(name) = waits.iter().find(|(_, needed)| needed.is_empty()).map(|(name, _)| *name) else {
            return Err(cycle(&waits));
        };
        waits.remove(name);
        for needed in waits.values_mut() {
            needed.remove(name);
        }
        order.extend(by_name.get(name));
    }
    Ok(order)
}

/// The members that the registry must have before it takes this one.
fn needed<'a>(member: &'a Member, members: &BTreeMap<&str, &Member>) -> BTreeSet<&'a str> {
    let is_published = |dependency: &&MemberDependency| match dependency.kind {
        DependencyKind::Normal | DependencyKind::Build => true,
        DependencyKind::Dev => dependency.has_version,
    };
    let names = member.dependencies.iter().filter(is_published).map(|dependency| dependency.name.as_str());
    names.filter(|name| members.contains_key(name)).collect()
}

/// Follows what is waited for until somebody comes up again.
fn cycle(waits: &BTreeMap<&str, BTreeSet<&str>>) -> Cycle {
    let mut way: Vec<&str> = waits.keys().next().copied().into_iter().collect();
    while let Some(next) = way.last().and_then(|last| waits.get(last)?.first()).copied() {
        if let Some(at) = way.iter().position(|name| *name == next) {
            way.drain(..at);
            break;
        }
        way.push(next);
    }
    Cycle(way.into_iter().map(str::to_owned).collect())
}

fn path(members: &[String]) -> String {
    let around = members.iter().chain(members.first()).map(|name| format!("`{name}`"));
    around.collect::<Vec<_>>().join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a: b c` with `+` before a dev-dependency with a version, `-` before one without, `=` before a build-dependency.
    fn member(line: &str) -> Member {
        let (name, dependencies) = line.split_once(':').unwrap();
        let dependency = |word: &str| {
            let (kind, has_version) = match word.as_bytes()[0] {
                b'+' => (DependencyKind::Dev, true),
                b'-' => (DependencyKind::Dev, false),
                b'=' => (DependencyKind::Build, true),
                _ => (DependencyKind::Normal, true),
            };
            MemberDependency { name: word.trim_start_matches(['+', '-', '=']).to_owned(), kind, has_version }
        };
        Member { name: name.to_owned(), dependencies: dependencies.split_whitespace().map(dependency).collect() }
    }

    fn order(lines: &[&str]) -> Result<String, String> {
        let members: Vec<Member> = lines.iter().map(|line| member(line)).collect();
        let order = publish_order(&members).map_err(|cycle| cycle.to_string())?;
        Ok(order.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn dependencies_come_first_and_names_decide_the_rest() {
        assert_eq!(order(&["a: c serde", "b:", "c: =d", "d:"]).as_deref(), Ok("b d c a"));
        assert_eq!(order(&[]).as_deref(), Ok(""));
    }

    #[test]
    fn dev_dependencies_count_with_a_version_alone() {
        assert_eq!(order(&["a: +b", "b:"]).as_deref(), Ok("b a"));
        assert_eq!(order(&["a: -b", "b: a"]).as_deref(), Ok("a b"));
    }

    #[test]
    fn a_cycle_is_named() {
        let error = order(&["x: a", "a: b", "b: c", "c: +b", "z:"]).unwrap_err();
        assert!(error.ends_with(": `b` → `c` → `b`"), "{error}");
        assert!(order(&["a: a"]).unwrap_err().ends_with("`a` → `a`"));
    }
}
