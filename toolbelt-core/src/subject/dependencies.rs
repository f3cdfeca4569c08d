//! The dependency trees of a repository: its lock files, the packages they name, and who asked for what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use semver::{Version, VersionReq};

use super::Location;
use super::digest::Sha256Digest;
use super::package::{DependencyKind, GitReference, Package, Reach, Requirement, Source, Usage};
use super::target::Target;
use crate::finding::{Fact, Unknown};

/// All lock files of a repository and the packages they name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependencies {
    /// Each package once, however many lock files name it, sorted by name, version and source.
    pub packages: Vec<Package>,
    /// Sorted by path.
    pub lockfiles: Vec<Lockfile>,
    /// The packages of the repository itself, sorted by manifest path; empty for a lone lock file.
    pub members: Vec<Member>,
    /// Lock file and name of what `[patch]` and `[replace]` of a workspace put in the place of other sources.
    pub patched: BTreeSet<(String, String)>,
}

/// One `Cargo.lock` as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked {
    /// Relative to the repository root, with `/`.
    pub path: String,
    /// In its order.
    pub packages: Vec<LockedPackage>,
}

/// A package as one lock file names it.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedPackage {
    /// As written.
    pub name: String,
    /// As written.
    pub version: Version,
    /// Where cargo takes it from.
    pub source: Source,
    /// The digest of the `.crate`.
    pub checksum: Option<Sha256Digest>,
    /// The place of its name.
    pub location: Location,
    /// Indices into [`Locked::packages`].
    pub dependencies: Vec<usize>,
}

/// One `Cargo.lock`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lockfile {
    /// Relative to the repository root, with `/`.
    pub path: String,
    /// The packages it names, in its order.
    pub nodes: Vec<Node>,
}

/// A package in a lock file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Index into [`Dependencies::packages`].
    pub package: usize,
    /// Indices into [`Lockfile::nodes`]: what it depends on.
    pub dependencies: Vec<usize>,
}

/// A package whose manifest is in the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// `package.name`.
    pub name: String,
    /// Where its manifest is, relative to the repository root.
    pub manifest: String,
    /// The lock file that it belongs to.
    pub lockfile: String,
    /// The place of `package.name`.
    pub location: Location,
    /// Registries it may be published to; none means any, an empty list means `publish = false`.
    pub publish: Option<Vec<String>>,
    /// What it depends on, with the place of each declaration.
    pub requirements: Vec<Declared>,
}

/// A dependency with the place of its declaration in a manifest of the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// What is asked for.
    pub requirement: Requirement,
    /// Where cargo is told to take it from.
    pub from: DeclaredSource,
    /// Where it is declared.
    pub location: Location,
}

/// Where a manifest says a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredSource {
    /// crates.io, as nothing else is said.
    CratesIo,
    /// The registry of this name in cargo's configuration, or this index URL.
    Registry(String),
    /// A directory, and nothing else: the requirement cannot be met by a registry.
    Path,
    /// A directory, replaced by the registry when published.
    PathAndRegistry,
    /// A git repository: URL and reference.
    Git {
        /// As written.
        url: String,
        /// What is asked for.
        reference: GitReference,
    },
}

impl Dependencies {
    /// Merges lock files: a package that several of them name is one package in several places.
    pub fn new(locked: Vec<Locked>, members: Vec<Member>) -> Self {
        let mut merged: BTreeMap<(String, Version, Source, Option<Sha256Digest>), Vec<Location>> = BTreeMap::new();
        let key = |package: &LockedPackage| {
            (package.name.clone(), package.version.clone(), package.source.clone(), package.checksum)
        };
        for package in locked.iter().flat_map(|locked| &locked.packages) {
            merged.entry(key(package)).or_default().push(package.location.clone());
        }
        let indices = merged.keys().cloned().zip(0..).collect::<BTreeMap<_, usize>>();
        let mut lockfiles = Vec::with_capacity(locked.len());
        for locked in locked {
            let nodes = locked.packages.iter();
            let nodes = nodes
                .map(|package| Node { package: indices[&key(package)], dependencies: package.dependencies.clone() });
            lockfiles.push(Lockfile { path: locked.path, nodes: nodes.collect() });
        }
        lockfiles.sort_by(|one, other| one.path.cmp(&other.path));
        let package = |((name, version, source, checksum), mut locations): (_, Vec<Location>)| {
            locations.sort();
            let usage = Fact::Unknown(Unknown::new("how packages are used was not worked out"));
            Package { name, version, source, checksum, locations, usage, listing: None, archive: None }
        };
        let packages = merged.into_iter().map(package).collect();
        Self { packages, lockfiles, members, patched: BTreeSet::new() }
    }

    /// Works out how each package is used, from the members' manifests and the index entries of the rest.
    ///
    /// Where a manifest or an entry is missing, its dependencies are taken to be normal ones for every target: usage is
    /// then an upper bound. Packages of a lock file without members stay unknown.
    pub fn work_out_usage(&mut self, host: &Target) {
        let mut usages = vec![None; self.packages.len()];
        let mut is_unknown = vec![false; self.packages.len()];
        for lockfile in &self.lockfiles {
            let members = self.members.iter().filter(|member| member.lockfile == lockfile.path).collect::<Vec<_>>();
            if members.is_empty() {
                lockfile.nodes.iter().for_each(|node| is_unknown[node.package] = true);
            } else {
                self.spread(lockfile, &members, host, &mut usages);
            }
        }
        for ((package, usage), is_unknown) in self.packages.iter_mut().zip(usages).zip(is_unknown) {
            package.usage = match usage.filter(|_| !is_unknown) {
                Some(usage) => Fact::Known(usage),
                None => Fact::Unknown(Unknown::new("no manifest beside the lock file says how packages are used")),
            };
        }
    }

    /// Spreads uses from the members of one lock file along its edges until nothing changes.
    fn spread(&self, lockfile: &Lockfile, members: &[&Member], host: &Target, usages: &mut [Option<Usage>]) {
        let mut queue = VecDeque::new();
        let mut local = vec![Usage::default(); lockfile.nodes.len()];
        let member_of = lockfile.nodes.iter().map(|node| self.member_of(node, members)).collect::<Vec<_>>();
        for index in (0..lockfile.nodes.len()).filter(|index| member_of[*index].is_some()) {
            local[index].add(DependencyKind::Normal, Reach::Host);
            queue.push_back((index, DependencyKind::Normal, Reach::Host));
        }
        while let Some((index, kind, reach)) = queue.pop_front() {
            let node = &lockfile.nodes[index];
            for &next in &node.dependencies {
                let target = &self.packages[lockfile.nodes[next].package];
                for (edge, edge_reach) in self.edges(node, member_of[index], target, host) {
                    let (kind, reach) = (along(kind, edge), reach.min(edge_reach));
                    if local[next].add(kind, reach) {
                        queue.push_back((next, kind, reach));
                    }
                }
            }
        }
        for (node, usage) in lockfile.nodes.iter().zip(local) {
            let merged = usages[node.package].get_or_insert_default();
            for (kind, reach) in usage.iter() {
                merged.add(kind, reach);
            }
        }
    }

    fn member_of<'a>(&self, node: &Node, members: &[&'a Member]) -> Option<&'a Member> {
        let package = &self.packages[node.package];
        let is_it = |member: &&&Member| member.name == package.name;
        members.iter().find(is_it).copied().filter(|_| package.source == Source::Path)
    }

    /// In which ways one package asks for another.
    fn edges(&self, from: &Node, member: Option<&Member>, to: &Package, host: &Target) -> Vec<(DependencyKind, Reach)> {
        let package = &self.packages[from.package];
        let listed = package.listing.as_ref().and_then(Fact::known).and_then(|listing| listing.release.as_ref());
        let requirements: Vec<&Requirement> = match (member, listed) {
            (Some(member), _) => member.requirements.iter().map(|declared| &declared.requirement).collect(),
            // A lock file has no edges for the dev-dependencies of packages that are not members.
            (None, Some(release)) => {
                release.dependencies.iter().filter(|requirement| requirement.kind != DependencyKind::Dev).collect()
            }
            (None, None) => Vec::new(),
        };
        let ways = requirements.into_iter().filter(|requirement| requirement.may_mean(to)).map(|requirement| {
            let reaches = requirement.target.as_deref().is_none_or(|target| host.matches(target));
            (requirement.kind, if reaches { Reach::Host } else { Reach::Elsewhere })
        });
        let ways = ways.collect::<Vec<_>>();
        if ways.is_empty() { vec![(DependencyKind::Normal, Reach::Host)] } else { ways }
    }

    /// Whether a lock file says of this package that it comes from a path, and no manifest that belongs to the lock file
    /// does: then it may be anything, whatever it is called.
    ///
    /// A lone lock file has no manifests that could say so, and is taken at its word.
    pub fn is_unexplained(&self, package: &Package) -> bool {
        if package.source != Source::Path {
            return false;
        }
        package.locations.iter().any(|location| {
            let lockfile = location.path.as_str();
            let mut members = self.members.iter().filter(|member| member.lockfile == lockfile).peekable();
            members.peek().is_some()
                && !self.patched.contains(&(lockfile.to_owned(), package.name.clone()))
                && !members.any(|member| member.name == package.name || member.takes_from_a_path(&package.name))
        })
    }

    /// What manifests ask for and their lock file does not have: lock file, member and name of the package.
    ///
    /// Optional packages and those for tests may be missing honestly; such a lock file is not the one that cargo uses.
    pub fn missing(&self) -> Vec<(&str, &str, &str)> {
        let mut missing = Vec::new();
        for lockfile in &self.lockfiles {
            let names = lockfile.nodes.iter().map(|node| self.packages[node.package].name.as_str());
            let names = names.collect::<BTreeSet<_>>();
            let mut members = self.members.iter().filter(|member| member.lockfile == lockfile.path).peekable();
            if let Some(first) = members.peek()
                && !self.members.iter().any(|m| m.lockfile == lockfile.path && names.contains(m.name.as_str()))
            {
                missing.push((lockfile.path.as_str(), first.name.as_str(), first.name.as_str()));
            }
            for member in members.filter(|member| names.contains(member.name.as_str())) {
                let requirements = member.requirements.iter().map(|declared| &declared.requirement);
                let needed = requirements.filter(|r| r.kind != DependencyKind::Dev && !r.optional);
                let absent = needed.filter(|requirement| !names.contains(requirement.name.as_str()));
                missing.extend(absent.map(|r| (lockfile.path.as_str(), member.name.as_str(), r.name.as_str())));
            }
        }
        missing
    }

    /// The packages that depend on this one in some lock file, sorted, each once.
    pub fn dependents_of(&self, package: &Package) -> Vec<&Package> {
        let is_it = |index: &usize| self.packages[*index] == *package;
        let index = self.named(&package.name).find(is_it);
        index.map(|index| self.dependents(index)).unwrap_or_default()
    }

    fn dependents(&self, package: usize) -> Vec<&Package> {
        let mut dependents = Vec::new();
        for lockfile in &self.lockfiles {
            let is_it = |edge: &usize| lockfile.nodes[*edge].package == package;
            let nodes = lockfile.nodes.iter().filter(|node| node.dependencies.iter().any(is_it));
            dependents.extend(nodes.map(|node| node.package));
        }
        dependents.sort_unstable();
        dependents.dedup();
        dependents.into_iter().map(|index| &self.packages[index]).collect()
    }

    /// The packages of this name: indices into `packages`, ascending.
    pub fn named(&self, name: &str) -> impl Iterator<Item = usize> {
        let first = self.packages.partition_point(|package| package.name.as_str() < name);
        let count = self.packages[first..].iter().take_while(|package| package.name == name).count();
        first..first + count
    }
}

impl Member {
    /// Whether it asks for a package of this name from a directory.
    fn takes_from_a_path(&self, name: &str) -> bool {
        self.requirements.iter().any(|declared| {
            let is_path = matches!(declared.from, DeclaredSource::Path | DeclaredSource::PathAndRegistry);
            is_path && declared.requirement.name == name
        })
    }
}

impl Requirement {
    /// Whether a resolved package may be what this asks for.
    fn may_mean(&self, package: &Package) -> bool {
        let version = || self.requirement.as_deref().and_then(|requirement| VersionReq::parse(requirement).ok());
        self.name == package.name && version().is_none_or(|requirement| matches(&requirement, &package.version))
    }
}

/// A requirement without a pre-release never matches one, but a path or patch may put one there all the same.
fn matches(requirement: &VersionReq, version: &Version) -> bool {
    requirement.matches(version) || !version.pre.is_empty()
}

/// What is used in one way asks for something in another: what tests need stays with the tests, what build scripts need
/// runs at build time.
fn along(kind: DependencyKind, edge: DependencyKind) -> DependencyKind {
    kind.max(edge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{lockfile, manifest};

    const LOCK: &str = "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"time\"]\n\
                        [[package]]\nname = \"time\"\nversion = \"0.1.42\"\n";

    fn tree(lock: &str, manifest: &str) -> Dependencies {
        let locked = lockfile::parse("Cargo.lock", lock).unwrap();
        let manifest = manifest::parse("Cargo.toml", &format!("[package]\nname = \"app\"\n{manifest}")).unwrap();
        let package = manifest.package.unwrap();
        let requirements = manifest.dependencies.into_iter().map(|dependency| dependency.declared).collect();
        let member = Member {
            name: package.name,
            manifest: "Cargo.toml".to_owned(),
            lockfile: "Cargo.lock".to_owned(),
            location: package.location,
            publish: None,
            requirements,
        };
        Dependencies::new(vec![locked], vec![member])
    }

    #[test]
    fn a_package_without_a_source_needs_a_manifest_that_says_so() {
        let is_unexplained = |dependencies: &Dependencies| {
            let time = dependencies.named("time").next().unwrap();
            dependencies.is_unexplained(&dependencies.packages[time])
        };
        assert!(is_unexplained(&tree(LOCK, "[dependencies]\ntime = \"0.1\"")));
        assert!(!is_unexplained(&tree(LOCK, "[dependencies]\ntime = { path = \"time\" }")));
        let mut patched = tree(LOCK, "[dependencies]\ntime = \"0.1\"");
        patched.patched.insert(("Cargo.lock".to_owned(), "time".to_owned()));
        assert!(!is_unexplained(&patched));
        let lone = Dependencies::new(vec![lockfile::parse("Cargo.lock", LOCK).unwrap()], Vec::new());
        assert!(!is_unexplained(&lone));
    }

    #[test]
    fn what_the_manifests_ask_for_has_to_be_in_the_lock_file() {
        let missing = |manifest: &str| {
            tree(LOCK, manifest).missing().into_iter().map(|(_, _, name)| name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(missing("[dependencies]\ntime = \"0.1\"\nlog = \"0.4\""), ["log"]);
        let optional =
            "[dependencies]\nlog = { version = \"0.4\", optional = true }\n[dev-dependencies]\nrand = \"0.8\"";
        assert_eq!(missing(optional), Vec::<String>::new());
        assert_eq!(tree("version = 4\n", "").missing(), [("Cargo.lock", "app", "app")]);
    }
}
