//! From cargo's answer to a [`PackageGraph`].

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use cargo_metadata as told;
use serde::Deserialize;

use super::{Error, missing};
use crate::source::{file, lockfile, manifest};
use crate::subject::digest::Sha256Digest;
use crate::subject::malformed::Malformed;
use crate::subject::package::{DependencyKind, Source};
use crate::subject::package_graph::{About, Builds, GraphDependency, GraphPackage, PackageGraph, Unification};

/// Where each package is in the graph.
pub(super) type Indices<'a> = HashMap<&'a told::PackageId, usize>;

/// Digests of the `.crate`s that the lock file asks for, by name, version and source.
type Checksums = BTreeMap<(String, String, Source), Sha256Digest>;

/// Sorts the packages by name, version and source.
pub(super) fn indices(packages: &[told::Package]) -> Indices<'_> {
    let mut sorted: Vec<&told::Package> = packages.iter().collect();
    let place = |package: &told::Package| package.source.as_ref().map(|source| source.repr.clone());
    sorted.sort_by_cached_key(|p| (p.name.to_string(), p.version.clone(), place(p), p.id.clone()));
    sorted.into_iter().enumerate().map(|(index, package)| (&package.id, index)).collect()
}

/// Reads the resolved packages, and with them the lock file and the workspace's manifest.
pub(super) fn read(
    metadata: &told::Metadata,
    resolve: &told::Resolve,
    indices: &Indices<'_>,
) -> Result<PackageGraph, Error> {
    let root = metadata.workspace_root.as_std_path();
    let checksums = checksums(root)?;
    let by_id: HashMap<_, _> = metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut packages: Vec<&told::Package> = metadata.packages.iter().collect();
    packages.sort_by_key(|package| indices[&package.id]);
    let packages = packages.into_iter().map(|package| {
        let node = nodes.get(&package.id).ok_or_else(|| missing(format!("what `{}` depends on", package.name)))?;
        read_package(package, node, &by_id, indices, &checksums)
    });
    Ok(PackageGraph { packages: packages.collect::<Result<_, _>>()?, unification: unification(metadata, root)? })
}

fn checksums(root: &Path) -> Result<Checksums, Error> {
    let path = root.join("Cargo.lock");
    let text = file::read_text(&path, lockfile::MAX_BYTES)?;
    let locked = lockfile::parse("Cargo.lock", &text)?;
    let packages = locked.packages.into_iter();
    Ok(packages.filter_map(|p| Some(((p.name, p.version.to_string(), p.source), p.checksum?))).collect())
}

fn read_package(
    package: &told::Package,
    node: &told::Node,
    by_id: &HashMap<&told::PackageId, &told::Package>,
    indices: &Indices<'_>,
    checksums: &Checksums,
) -> Result<GraphPackage, Error> {
    let source = package.source.as_ref().map_or(Source::Path, |source| lockfile::parse_source(&source.repr));
    let key = (package.name.to_string(), package.version.to_string(), source.clone());
    let mut dependencies = Vec::new();
    for met in &node.deps {
        let to = by_id.get(&met.pkg).ok_or_else(|| missing(format!("the package `{}`", met.pkg.repr)))?;
        let declared = package.dependencies.iter().filter(|declared| is_met(declared, met, to));
        dependencies.extend(declared.map(|declared| dependency(declared, indices[&met.pkg])));
    }
    dependencies.sort_by(|one: &GraphDependency, other| {
        (one.package, &one.key, one.kind, &one.target).cmp(&(other.package, &other.key, other.kind, &other.target))
    });
    Ok(GraphPackage {
        name: package.name.to_string(),
        version: package.version.clone(),
        checksum: checksums.get(&key).copied(),
        source,
        about: about(package),
        builds: builds(&package.targets),
        links: package.links.clone(),
        features: package.features.clone(),
        dependencies,
    })
}

/// Whether a package that cargo resolved is what this declaration asks for.
///
/// Name and kind with target say so, unless one package is asked for under several names.
fn is_met(declared: &told::Dependency, met: &told::NodeDep, to: &told::Package) -> bool {
    let is_kind = |kind: &told::DepKindInfo| kind.kind == declared.kind && kind.target == declared.target;
    let name = match &declared.rename {
        Some(rename) => rename.replace('-', "_") == met.name,
        None => is_library_name(to, &met.name),
    };
    declared.name == to.name.as_str() && met.dep_kinds.iter().any(is_kind) && name
}

/// Whether this is how code speaks of the package's library; one without a library has an empty name.
fn is_library_name(package: &told::Package, name: &str) -> bool {
    name.is_empty() || package.targets.iter().any(|target| is_library(target) && target.name.replace('-', "_") == name)
}

fn is_library(target: &told::Target) -> bool {
    use told::TargetKind::{CDyLib, DyLib, Lib, ProcMacro, RLib, StaticLib};
    target.kind.iter().any(|kind| matches!(kind, Lib | RLib | DyLib | CDyLib | StaticLib | ProcMacro))
}

fn dependency(declared: &told::Dependency, package: usize) -> GraphDependency {
    GraphDependency {
        key: declared.rename.clone().unwrap_or_else(|| declared.name.clone()),
        package,
        kind: match declared.kind {
            told::DependencyKind::Development => DependencyKind::Dev,
            told::DependencyKind::Build => DependencyKind::Build,
            // What a later cargo calls otherwise is not left out.
            told::DependencyKind::Normal | told::DependencyKind::Unknown => DependencyKind::Normal,
        },
        target: declared.target.as_ref().map(ToString::to_string),
        optional: declared.optional,
        default_features: declared.uses_default_features,
        features: declared.features.clone(),
    }
}

fn about(package: &told::Package) -> About {
    About {
        license: package.license.clone(),
        license_file: package.license_file.as_ref().map(ToString::to_string),
        description: package.description.clone(),
        authors: package.authors.clone(),
        repository: package.repository.clone(),
        homepage: package.homepage.clone(),
        documentation: package.documentation.clone(),
    }
}

fn builds(targets: &[told::Target]) -> Builds {
    let is_built = |kind: &told::TargetKind| targets.iter().any(|target| target.kind.contains(kind));
    Builds {
        library: targets.iter().any(is_library),
        proc_macro: is_built(&told::TargetKind::ProcMacro),
        program: is_built(&told::TargetKind::Bin),
        build_script: is_built(&told::TargetKind::CustomBuild),
    }
}

/// The manifest at the workspace's root, as far as it says how features are unified.
#[derive(Deserialize)]
struct RootManifest {
    workspace: Option<Resolver>,
    package: Option<Resolver>,
}

#[derive(Deserialize)]
struct Resolver {
    resolver: Option<String>,
}

/// As the manifest at the root says, else as its edition does; a workspace without a package is of the first
/// ([resolver versions](https://doc.rust-lang.org/cargo/reference/resolver.html#resolver-versions)).
fn unification(metadata: &told::Metadata, root: &Path) -> Result<Unification, Error> {
    let path = root.join("Cargo.toml");
    let text = file::read_text(&path, manifest::MAX_BYTES)?;
    let manifest: RootManifest = toml::from_str(&text).map_err(|error| Malformed::toml("Cargo.toml", &text, &error))?;
    let said = [manifest.workspace, manifest.package].into_iter().flatten().find_map(|table| table.resolver);
    if let Some(said) = said {
        return Ok(if said == "1" { Unification::Everywhere } else { Unification::ByUse });
    }
    let package = metadata.packages.iter().find(|package| package.manifest_path.as_std_path() == path);
    let edition = package.map_or(told::Edition::E2015, |package| package.edition);
    Ok(if edition < told::Edition::E2021 { Unification::Everywhere } else { Unification::ByUse })
}
