//! What a registry is told of a package when it is published, taken from the normalised `Cargo.toml` in its `.crate`.
//!
//! Cargo makes it from the manifest in the work tree, by the same normalisation that writes the manifest of the `.crate`;
//! so what is said here can be checked by whoever has the `.crate` alone. The fields and their order are those of
//! [the web API](https://doc.rust-lang.org/cargo/reference/registry-web-api.html#publish) as cargo 1.95 writes them.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use cargo_platform::Platform;
use semver::VersionReq;
use serde::{Deserialize, Serialize};

use super::super::cargo_config;
use crate::subject::package::Registry;

/// The JSON part of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metadata {
    pub(super) name: String,
    pub(super) vers: String,
    deps: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
    authors: Vec<String>,
    description: Option<String>,
    documentation: Option<String>,
    homepage: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) readme_file: Option<String>,
    keywords: Vec<String>,
    categories: Vec<String>,
    license: Option<String>,
    license_file: Option<String>,
    repository: Option<String>,
    badges: BTreeMap<String, BTreeMap<String, String>>,
    links: Option<String>,
    rust_version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Dependency {
    optional: bool,
    default_features: bool,
    name: String,
    features: Vec<String>,
    version_req: String,
    target: Option<String>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explicit_name_in_toml: Option<String>,
}

/// Why a manifest cannot be published from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not TOML, or a key that matters has another type than cargo writes.
    #[error("the manifest in the `.crate` is malformed")]
    Malformed(#[from] toml::de::Error),
    /// A requirement that cargo would not have written.
    #[error("the manifest in the `.crate` asks for `{requirement}` of `{name}`, which is not a version requirement")]
    Requirement {
        /// The dependency.
        name: String,
        /// What is asked for.
        requirement: String,
    },
    /// A target that cargo would not have written.
    #[error("the manifest in the `.crate` has dependencies for `{0}`, which is not a target")]
    Target(String),
    /// A dependency in a form that stable cargo does not publish.
    #[error("the manifest in the `.crate` depends on `{name}` with `{key}`, which cannot be published")]
    Unpublishable {
        /// The dependency.
        name: String,
        /// The key.
        key: &'static str,
    },
    /// A dependency that crates.io would refuse, as cargo does before it asks.
    #[error("`{name}` comes from `{registry}`, and what is published to crates.io depends on crates.io alone")]
    OtherRegistry {
        /// The dependency.
        name: String,
        /// Its index.
        registry: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Manifest {
    package: Package,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    badges: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(flatten)]
    dependencies: Tables,
    #[serde(default)]
    target: BTreeMap<String, Tables>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    authors: Vec<String>,
    description: Option<String>,
    documentation: Option<String>,
    homepage: Option<String>,
    readme: Option<Readme>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    license: Option<String>,
    license_file: Option<String>,
    repository: Option<String>,
    links: Option<String>,
    rust_version: Option<String>,
}

/// Cargo writes `false` where there is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Readme {
    Path(String),
    Bool(bool),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Tables {
    #[serde(default)]
    dependencies: BTreeMap<String, TomlDependency>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, TomlDependency>,
    #[serde(default)]
    build_dependencies: BTreeMap<String, TomlDependency>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TomlDependency {
    Version(String),
    Detailed(Box<Detailed>),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detailed {
    version: Option<String>,
    registry_index: Option<String>,
    package: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    optional: Option<bool>,
    default_features: Option<bool>,
    path: Option<toml::Value>,
    git: Option<toml::Value>,
    registry: Option<toml::Value>,
    artifact: Option<toml::Value>,
}

impl Metadata {
    /// Reads a normalised manifest for publication to `registry`; the readme's text is still to come.
    ///
    /// # Errors
    ///
    /// [`Error`], if it is not what cargo writes into a `.crate`, or nothing that can be published there.
    pub fn from_manifest(text: &str, registry: &Registry) -> Result<Self, Error> {
        let manifest: Manifest = toml::from_str(text)?;
        let mut deps = Vec::new();
        let tables = manifest.dependencies;
        // Cargo's order: where there is no target dev comes before build, and for a target after it.
        gather(&mut deps, tables.dependencies, "normal", None, registry)?;
        gather(&mut deps, tables.dev_dependencies, "dev", None, registry)?;
        gather(&mut deps, tables.build_dependencies, "build", None, registry)?;
        for (target, tables) in manifest.target {
            let target = Platform::from_str(&target).map_err(|_| Error::Target(target))?.to_string();
            gather(&mut deps, tables.dependencies, "normal", Some(&target), registry)?;
            gather(&mut deps, tables.build_dependencies, "build", Some(&target), registry)?;
            gather(&mut deps, tables.dev_dependencies, "dev", Some(&target), registry)?;
        }
        let package = manifest.package;
        Ok(Self {
            name: package.name,
            vers: package.version,
            deps,
            features: manifest.features,
            authors: package.authors,
            description: package.description,
            documentation: package.documentation,
            homepage: package.homepage,
            readme: None,
            readme_file: match package.readme {
                Some(Readme::Path(path)) => Some(path),
                Some(Readme::Bool(true)) => Some("README.md".to_owned()),
                Some(Readme::Bool(false)) | None => None,
            },
            keywords: package.keywords,
            categories: package.categories,
            license: package.license,
            license_file: package.license_file,
            repository: package.repository,
            badges: manifest.badges,
            links: package.links,
            rust_version: package.rust_version,
        })
    }
}

fn gather(
    deps: &mut Vec<Dependency>,
    table: BTreeMap<String, TomlDependency>,
    kind: &'static str,
    target: Option<&str>,
    registry: &Registry,
) -> Result<(), Error> {
    for (key, dependency) in table {
        let detailed = match dependency {
            TomlDependency::Version(version) => Detailed { version: Some(version), ..Detailed::default() },
            TomlDependency::Detailed(detailed) => *detailed,
        };
        deps.push(dependency_of(key, detailed, kind, target, registry)?);
    }
    Ok(())
}

fn dependency_of(
    key: String,
    detailed: Detailed,
    kind: &'static str,
    target: Option<&str>,
    registry: &Registry,
) -> Result<Dependency, Error> {
    let present = [
        ("path", detailed.path.is_some()),
        ("git", detailed.git.is_some()),
        ("registry", detailed.registry.is_some()),
        ("artifact", detailed.artifact.is_some()),
    ];
    if let Some((unpublishable, _)) = present.into_iter().find(|(_, is_there)| *is_there) {
        return Err(Error::Unpublishable { name: key, key: unpublishable });
    }
    let version = detailed.version.unwrap_or_else(|| "*".to_owned());
    let Ok(requirement) = VersionReq::parse(&version) else {
        return Err(Error::Requirement { name: key, requirement: version });
    };
    // A manifest without a registry means crates.io; a registry is told only of others than itself.
    let from = detailed.registry_index.unwrap_or_else(|| Registry::CRATES_IO.to_owned());
    let is_own = cargo_config::is_same_index(&from, &registry.index);
    if registry.is_crates_io() && !is_own {
        return Err(Error::OtherRegistry { name: key, registry: from });
    }
    let (name, explicit) = match detailed.package {
        Some(package) => (package, Some(key)),
        None => (key, None),
    };
    Ok(Dependency {
        optional: detailed.optional.unwrap_or(false),
        default_features: detailed.default_features.unwrap_or(true),
        name,
        features: detailed.features,
        version_req: requirement.to_string(),
        target: target.map(str::to_owned),
        kind,
        registry: (!is_own).then_some(from),
        explicit_name_in_toml: explicit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates_io() -> Registry {
        Registry::new(Registry::CRATES_IO)
    }

    fn read(more: &str) -> Result<Metadata, Error> {
        Metadata::from_manifest(&format!("[package]\nname = 'a'\nversion = '1.0.0'\n{more}"), &crates_io())
    }

    #[test]
    fn what_stable_cargo_does_not_publish_is_refused() {
        for (more, key) in [
            ("[dependencies.b]\npath = '../b'\nversion = '1'", "path"),
            ("[build-dependencies.b]\ngit = 'https://x.example/b'", "git"),
            ("[target.'cfg(unix)'.dev-dependencies.b]\nregistry = 'x'\nversion = '1'", "registry"),
            ("[dependencies.b]\nartifact = 'bin'\nversion = '1'", "artifact"),
        ] {
            assert!(matches!(read(more), Err(Error::Unpublishable { key: found, .. }) if found == key), "{more}");
        }
        assert!(matches!(read("[dependencies]\nb = 'one'"), Err(Error::Requirement { .. })));
        assert!(matches!(read("[target.'cfg('.dependencies]\nb = '1'"), Err(Error::Target(_))));
        assert!(matches!(read("[dependencies]\nb = 1"), Err(Error::Malformed(_))));
    }

    #[test]
    fn crates_io_takes_dependencies_on_itself_alone() {
        let other = "[dependencies.b]\nversion = '1'\nregistry-index = 'sparse+https://x.example/'";
        assert!(matches!(read(other), Err(Error::OtherRegistry { .. })));
        let own = format!("[dependencies.b]\nversion = '1'\nregistry-index = '{}'", Registry::CRATES_IO);
        assert_eq!(read(&own).unwrap().deps[0].registry, None);
    }
}
