//! What the manifests in a `.crate` say about the package and what it depends on.

use std::collections::BTreeSet;

use super::archive::{self, Contents, MANIFEST, Named, ORIGINAL};
use crate::finding::{Fact, Unknown};
use crate::source::manifest::{self, Field, Manifest, ManifestDependency};
use crate::subject::dependencies::DeclaredSource;
use crate::subject::release::{DeclaredDependency, DependencyPlace, Metadata, Readme};

/// The largest readme whose text is kept.
const MAX_README: usize = 4 << 20;

/// What the manifests say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// About the package.
    pub metadata: Metadata,
    /// What it depends on, in the order of the manifest.
    pub dependencies: Vec<DeclaredDependency>,
}

/// The manifests of the repository, for places and for what cargo leaves out when it packages.
#[derive(Debug, Clone, Copy)]
pub struct Manifests<'a> {
    /// The path of the package's own, relative to the root.
    pub path: &'a str,
    /// The path and the text of the workspace's, where that is another one.
    pub workspace: Option<(&'a str, &'a str)>,
}

/// Reads the manifests of a `.crate`.
///
/// Texts are those of the manifest that cargo wrote, with what the workspace says; dependencies and places are those of
/// the one in the repository, which the `.crate` holds too.
pub fn describe(bytes: &[u8], package: Named<'_>, contents: &Contents, manifests: Manifests<'_>) -> Fact<Described> {
    match try_describe(bytes, package, contents, manifests) {
        Ok(described) => Fact::Known(described),
        Err(why) => Fact::Unknown(Unknown::new(why)),
    }
}

fn try_describe(
    bytes: &[u8],
    package: Named<'_>,
    contents: &Contents,
    manifests: Manifests<'_>,
) -> Result<Described, String> {
    let text = |name: &str| {
        let bytes = contents.written.get(name).ok_or_else(|| format!("the `.crate` has no `{name}`"))?;
        std::str::from_utf8(bytes).map_err(|_| format!("`{name}` in the `.crate` is not UTF-8"))
    };
    let parse = |path: &str, text: &str| manifest::parse(path, text).map_err(|error| error.to_string());
    let normalised = parse(MANIFEST, text(MANIFEST)?)?;
    let original = parse(manifests.path, text(ORIGINAL)?)?;
    let workspace = match manifests.workspace {
        Some((path, text)) => Some(parse(path, text)?),
        None => None,
    };
    let own = original.workspace.as_ref();
    let shared = workspace.as_ref().and_then(|manifest| manifest.workspace.as_ref()).or(own);
    let shared = shared.map(|workspace| workspace.dependencies.as_slice()).unwrap_or_default();
    let mut dependencies: Vec<_> =
        original.dependencies.iter().map(|dependency| declared(dependency, shared)).collect();
    let start = |dependency: &DeclaredDependency| {
        dependency.location.as_ref().and_then(|location| location.region.as_ref()).map(|region| region.start)
    };
    dependencies.sort_by_key(start);
    let described = normalised.package.as_ref().ok_or("`Cargo.toml` in the `.crate` has no `[package]`")?;
    let said = |field: &Field| field.said().map(str::to_owned);
    let fields = &described.description;
    let readme = readme(bytes, package, contents, &normalised).map_err(|error| error.to_string())?;
    let metadata = Metadata {
        license: said(&fields.license),
        license_file: said(&fields.license_file),
        description: said(&fields.description),
        repository: said(&fields.repository),
        rust_version: said(&fields.rust_version),
        readme,
        location: original.package.map(|package| package.header),
    };
    Ok(Described { metadata, dependencies })
}

/// A dependency, with what the workspace says of one that is inherited.
fn declared(dependency: &ManifestDependency, shared: &[ManifestDependency]) -> DeclaredDependency {
    let inherited = shared.iter().find(|shared| dependency.inherited && shared.key == dependency.key);
    let says = inherited.unwrap_or(dependency);
    let place = match (&says.declared.from, &says.path) {
        (DeclaredSource::Git { .. }, _) => DependencyPlace::Git,
        (DeclaredSource::Path | DeclaredSource::PathAndRegistry, _) | (_, Some(_)) => DependencyPlace::Path,
        (DeclaredSource::CratesIo | DeclaredSource::Registry(_), None) => DependencyPlace::Registry,
    };
    DeclaredDependency {
        name: says.declared.requirement.name.clone(),
        requirement: says.declared.requirement.requirement.clone(),
        kind: dependency.declared.requirement.kind,
        place,
        location: Some(dependency.declared.location.clone()),
    }
}

/// The readme that the manifest names, as the `.crate` has it.
fn readme(
    bytes: &[u8],
    package: Named<'_>,
    contents: &Contents,
    normalised: &Manifest,
) -> Result<Option<Readme>, archive::Error> {
    let field = normalised.package.as_ref().map(|package| &package.description.readme);
    let Some(Field::Said(named)) = field else { return Ok(None) };
    let path = named.strip_prefix("./").unwrap_or(named).replace('\\', "/");
    if !contents.file.files.contains_key(&path) {
        return Ok(Some(Readme { path, text: None }));
    }
    let text = archive::select(bytes, package, &BTreeSet::from([path.as_str()]), MAX_README)?.remove(&path);
    Ok(Some(Readme { path, text: text.and_then(|bytes| String::from_utf8(bytes).ok()) }))
}
