//! How did a package get in?

use std::collections::{BTreeMap, VecDeque};

use super::deps::{self, Error, Request};
use crate::subject::dependencies::{Dependencies, Lockfile};
use crate::subject::package::{Package, Source};

/// How many ways are shown for one package and lock file.
const MOST_WAYS: usize = 8;

/// The ways to the packages asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub asked: String,
    /// One for each package that is meant and each lock file that names it.
    pub found: Vec<Found>,
}

/// A package in a lock file, and how it got in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `name version`.
    pub package: String,
    /// The lock file's path.
    pub lockfile: String,
    /// A shortest way for each package that asks for it directly, from a root of the lock file (`name version` each), sorted.
    pub ways: Vec<Vec<String>>,
    /// How many further packages ask for it.
    pub more: usize,
}

/// Finds how `asked` (`name` or `name@version`) got into the lock files. Reads neither index nor advisories.
///
/// # Errors
///
/// As [`deps::run`]; that there is no such package is an answer.
pub fn run(request: &Request, asked: &str) -> Result<Answer, Error> {
    let dependencies = deps::trees(request)?;
    Ok(answer(&dependencies, asked))
}

fn answer(dependencies: &Dependencies, asked: &str) -> Answer {
    let (name, version) = asked.split_once('@').map_or((asked, None), |(name, version)| (name, Some(version)));
    let wanted = dependencies
        .named(name)
        .filter(|index| version.is_none_or(|version| dependencies.packages[*index].version.to_string() == version));
    let wanted = wanted.collect::<Vec<_>>();
    let mut found = Vec::new();
    for lockfile in &dependencies.lockfiles {
        let dependents = dependents(lockfile);
        for (node, entry) in lockfile.nodes.iter().enumerate() {
            if wanted.contains(&entry.package) {
                found.push(ways(dependencies, lockfile, &dependents, node));
            }
        }
    }
    Answer { asked: asked.to_owned(), found }
}

/// For each node the nodes that depend on it.
fn dependents(lockfile: &Lockfile) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); lockfile.nodes.len()];
    for (node, entry) in lockfile.nodes.iter().enumerate() {
        for &dependency in &entry.dependencies {
            dependents[dependency].push(node);
        }
    }
    dependents
}

fn ways(dependencies: &Dependencies, lockfile: &Lockfile, dependents: &[Vec<usize>], node: usize) -> Found {
    let package = |node: usize| &dependencies.packages[lockfile.nodes[node].package];
    let mut ways = Vec::new();
    for &direct in &dependents[node] {
        let mut way = vec![node];
        way.extend(shortest(direct, dependents, |node| is_root(package(node), &dependents[node])));
        way.reverse();
        ways.push(way.into_iter().map(|node| label(package(node))).collect::<Vec<_>>());
    }
    ways.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    let more = ways.len().saturating_sub(MOST_WAYS);
    ways.truncate(MOST_WAYS);
    Found { package: label(package(node)), lockfile: lockfile.path.clone(), ways, more }
}

/// Nothing depends on it, or it is a package of the repository.
fn is_root(package: &Package, dependents: &[usize]) -> bool {
    dependents.is_empty() || package.source == Source::Path
}

/// A shortest way upwards to a root, `from` first; lock files may have circles.
fn shortest(from: usize, dependents: &[Vec<usize>], is_root: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        if is_root(node) {
            let mut way = vec![node];
            while way.last() != Some(&from) {
                way.extend(way.last().map(|last| came_from[last]));
            }
            way.reverse();
            return way;
        }
        for &next in &dependents[node] {
            came_from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                node
            });
        }
    }
    vec![from]
}

fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lockfile;

    fn asked(text: &str, asked: &str) -> Answer {
        let locked = lockfile::parse("Cargo.lock", text).unwrap();
        answer(&Dependencies::new(vec![locked], Vec::new()), asked)
    }

    fn package(name: &str, dependencies: &[&str]) -> String {
        let source = if name == "root" { "" } else { "source = \"registry+https://x.org\"\n" };
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}dependencies = {dependencies:?}\n")
    }

    #[test]
    fn each_direct_dependent_has_a_shortest_way() {
        let text = [("root", &["a", "b"][..]), ("a", &["c"]), ("b", &["a", "c"]), ("c", &[])];
        let text = text.map(|(name, dependencies)| package(name, dependencies)).concat();
        let answer = asked(&text, "c");
        assert_eq!(answer.found[0].ways, [["root 1.0.0", "a 1.0.0", "c 1.0.0"], ["root 1.0.0", "b 1.0.0", "c 1.0.0"]]);
    }

    #[test]
    fn circles_end_and_other_versions_are_not_meant() {
        let text = [package("a", &["b"]), package("b", &["a"])].concat();
        assert_eq!(asked(&text, "a").found[0].ways, [["b 1.0.0", "a 1.0.0"]]);
        assert!(asked(&text, "a@2.0.0").found.is_empty());
    }
}
