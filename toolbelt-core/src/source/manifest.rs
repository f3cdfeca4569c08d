//! Reads what `Cargo.toml` says of a package of the repository: its name, where it may be published, what it asks for.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::subject::dependencies::{Declared, DeclaredSource};
use crate::subject::malformed::Malformed;
use crate::subject::package::{DependencyKind, GitReference, Requirement};
use crate::subject::{LineIndex, Location};

/// The largest manifest that is read.
pub const MAX_BYTES: u64 = 16 << 20;

/// A `Cargo.toml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// The package, unless the manifest is that of a virtual workspace.
    pub package: Option<ManifestPackage>,
    /// The workspace, if this is its root.
    pub workspace: Option<Workspace>,
    /// What the package asks for.
    pub dependencies: Vec<ManifestDependency>,
    /// What `[patch]` and `[replace]` put in the place of other sources.
    pub patches: Vec<ManifestDependency>,
    /// Whether `[[bin]]` names binaries; those that cargo finds by itself are not told.
    pub has_binaries: bool,
}

/// `[package]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestPackage {
    /// `name`.
    pub name: String,
    /// The place of `name`.
    pub location: Location,
    /// The place of `[package]`.
    pub header: Location,
    /// See [`Publish`].
    pub publish: Publish,
    /// `workspace`: the folder of the workspace, where it is not above the package.
    pub workspace: Option<String>,
    /// What describes it.
    pub description: Description,
}

/// What describes a package. Values of another type than cargo wants are taken for absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// `license`.
    pub license: Field,
    /// `license-file`.
    pub license_file: Field,
    /// `description`.
    pub description: Field,
    /// `repository`.
    pub repository: Field,
    /// `rust-version`.
    pub rust_version: Field,
    /// `readme`.
    pub readme: Field,
}

/// A text about a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field {
    /// Nothing is said.
    #[default]
    Absent,
    /// Said here.
    Said(String),
    /// `workspace = true`.
    Inherited,
    /// `false` or `true`: whether cargo uses what it finds by itself.
    Found(bool),
}

impl Field {
    /// The text, where it is said.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Said(text) => Some(text),
            Self::Absent | Self::Inherited | Self::Found(_) => None,
        }
    }
}

/// `package.publish`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publish {
    /// Said here: no list means anywhere, an empty one nowhere.
    Registries(Option<Vec<String>>),
    /// `publish.workspace = true`.
    Inherited,
}

/// `[workspace]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Workspace {
    /// Globs relative to the root.
    pub members: Vec<String>,
    /// Paths relative to the root.
    pub exclude: Vec<String>,
    /// `workspace.package.publish`.
    pub publish: Option<Vec<String>>,
    /// What `[workspace.package]` says for members that inherit it; paths are relative to the root.
    pub description: Description,
    /// `[workspace.dependencies]` by the name under which members inherit them.
    pub dependencies: Vec<ManifestDependency>,
}

/// A dependency as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestDependency {
    /// The key, which is the package's name unless `package` says otherwise.
    pub key: String,
    /// `workspace = true`: the rest is what the workspace says under the same key.
    pub inherited: bool,
    /// `path`.
    pub path: Option<String>,
    /// What is asked for, and where.
    pub declared: Declared,
}

/// Reads a manifest; `path` is what locations and errors call it.
///
/// Keys that matter to nothing here are not looked at.
///
/// # Errors
///
/// [`Malformed`] if the text is no TOML or a key that matters has another type than cargo wants.
pub fn parse(path: &str, text: &str) -> Result<Manifest, Malformed> {
    let root = DeTable::parse(text).map_err(|error| Malformed::toml(path, text, &error))?;
    let reader = Reader { path, text, lines: LineIndex::new(text) };
    let root = root.get_ref();
    let mut manifest = Manifest {
        dependencies: reader.dependency_tables(root)?,
        patches: reader.patches(root)?,
        has_binaries: root.get("bin").and_then(|bins| bins.get_ref().as_array()).is_some_and(|bins| !bins.is_empty()),
        ..Manifest::default()
    };
    if let Some(package) = reader.table(root, "package")?.or(reader.table(root, "project")?) {
        let name = reader.string(package, "name")?;
        let Some((name, span)) = name else {
            return Err(Malformed::whole(path, "`package.name` is missing"));
        };
        let publish = match package.get("publish").map(|value| (value.get_ref(), value.span())) {
            Some((DeValue::Table(_), _)) => Publish::Inherited,
            Some((value, span)) => Publish::Registries(reader.publish(value, span)?),
            None => Publish::Registries(None),
        };
        let location = reader.location(span);
        let workspace = package.get("workspace").and_then(|path| path.get_ref().as_str()).map(str::to_owned);
        let header = root.get("package").or(root.get("project")).map(Spanned::span).unwrap_or_default();
        let (header, description) = (reader.location(header), describe(package));
        manifest.package = Some(ManifestPackage { name, location, header, publish, workspace, description });
    }
    if let Some(workspace) = reader.table(root, "workspace")? {
        let package = reader.table(workspace, "package")?;
        let publish = match package.and_then(|package| package.get("publish")) {
            Some(value) => reader.publish(value.get_ref(), value.span())?,
            None => None,
        };
        manifest.workspace = Some(Workspace {
            members: reader.strings(workspace, "members")?,
            exclude: reader.strings(workspace, "exclude")?,
            publish,
            description: package.map(describe).unwrap_or_default(),
            dependencies: reader.dependencies(workspace, "dependencies", DependencyKind::Normal, None)?,
        });
    }
    Ok(manifest)
}

/// Reads what `[package]` or `[workspace.package]` says of packages.
fn describe(package: &Table<'_>) -> Description {
    let field = |key: &str| match package.get(key).map(Spanned::get_ref) {
        Some(DeValue::String(text)) => Field::Said(text.to_string()),
        Some(DeValue::Boolean(found)) => Field::Found(*found),
        Some(DeValue::Table(table)) if table.get("workspace").is_some() => Field::Inherited,
        Some(_) | None => Field::Absent,
    };
    Description {
        license: field("license"),
        license_file: field("license-file"),
        description: field("description"),
        repository: field("repository"),
        rust_version: field("rust-version"),
        readme: field("readme"),
    }
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    lines: LineIndex<'a>,
}

type Table<'t> = DeTable<'t>;

impl Reader<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>) -> Malformed {
        Malformed::at(self.path, self.text, span, message)
    }

    fn location(&self, span: Range<usize>) -> Location {
        Location::within(self.path, self.lines.region(span))
    }

    fn table<'t, 'i>(&self, table: &'t Table<'i>, key: &str) -> Result<Option<&'t Table<'i>>, Malformed> {
        let Some(value) = table.get(key) else { return Ok(None) };
        let found = value.get_ref().as_table();
        found.map(Some).ok_or_else(|| self.error(value.span(), format!("`{key}` must be a table")))
    }

    fn string(&self, table: &Table<'_>, key: &str) -> Result<Option<(String, Range<usize>)>, Malformed> {
        let Some(value) = table.get(key) else { return Ok(None) };
        let found = value.get_ref().as_str().map(|text| Some((text.to_owned(), value.span())));
        found.ok_or_else(|| self.error(value.span(), format!("`{key}` must be a string")))
    }

    fn strings(&self, table: &Table<'_>, key: &str) -> Result<Vec<String>, Malformed> {
        let Some(value) = table.get(key) else { return Ok(Vec::new()) };
        let texts = value.get_ref().as_array().map(|array| {
            array.iter().map(|text| text.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.flatten().ok_or_else(|| self.error(value.span(), format!("`{key}` must be an array of strings")))
    }

    /// `true`, `false` or a list of registries.
    fn publish(&self, value: &DeValue<'_>, span: Range<usize>) -> Result<Option<Vec<String>>, Malformed> {
        match value {
            DeValue::Boolean(true) => Ok(None),
            DeValue::Boolean(false) => Ok(Some(Vec::new())),
            DeValue::Array(registries) => Ok(Some(
                registries.iter().filter_map(|registry| registry.get_ref().as_str().map(str::to_owned)).collect(),
            )),
            _ => Err(self.error(span, "`publish` must be a boolean or an array of registries")),
        }
    }

    /// All dependency tables of a package, those for targets included.
    fn dependency_tables(&self, root: &Table<'_>) -> Result<Vec<ManifestDependency>, Malformed> {
        let mut all = self.kinds(root, None)?;
        for (target, table) in self.table(root, "target")?.into_iter().flatten() {
            let Some(table) = table.get_ref().as_table() else {
                return Err(self.error(table.span(), "a target must be a table"));
            };
            all.extend(self.kinds(table, Some(target.get_ref()))?);
        }
        Ok(all)
    }

    /// `[patch.SOURCE]` and `[replace]`; a key of the latter is `name:version`.
    fn patches(&self, root: &Table<'_>) -> Result<Vec<ManifestDependency>, Malformed> {
        let mut all = self.dependencies(root, "replace", DependencyKind::Normal, None)?;
        for replaced in &mut all {
            let requirement = &mut replaced.declared.requirement;
            requirement.name = requirement.name.split(':').next().unwrap_or_default().to_owned();
        }
        let Some(patch) = self.table(root, "patch")? else { return Ok(all) };
        for source in patch.keys() {
            all.extend(self.dependencies(patch, source.get_ref(), DependencyKind::Normal, None)?);
        }
        Ok(all)
    }

    fn kinds(&self, table: &Table<'_>, target: Option<&str>) -> Result<Vec<ManifestDependency>, Malformed> {
        let mut all = Vec::new();
        for (key, kind) in [
            ("dependencies", DependencyKind::Normal),
            ("build-dependencies", DependencyKind::Build),
            ("build_dependencies", DependencyKind::Build),
            ("dev-dependencies", DependencyKind::Dev),
            ("dev_dependencies", DependencyKind::Dev),
        ] {
            all.extend(self.dependencies(table, key, kind, target)?);
        }
        Ok(all)
    }

    fn dependencies(
        &self,
        table: &Table<'_>,
        key: &str,
        kind: DependencyKind,
        target: Option<&str>,
    ) -> Result<Vec<ManifestDependency>, Malformed> {
        let entries = self.table(table, key)?.into_iter().flatten();
        entries.map(|(name, value)| self.dependency(name, value, kind, target)).collect()
    }

    fn dependency(
        &self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        kind: DependencyKind,
        target: Option<&str>,
    ) -> Result<ManifestDependency, Malformed> {
        let name = key.get_ref().to_string();
        let mut dependency = ManifestDependency {
            key: name.clone(),
            inherited: false,
            path: None,
            declared: Declared {
                requirement: Requirement {
                    name,
                    requirement: None,
                    kind,
                    target: target.map(str::to_owned),
                    optional: false,
                },
                from: DeclaredSource::CratesIo,
                location: self.location(key.span()),
            },
        };
        match value.get_ref() {
            DeValue::String(requirement) => dependency.declared.requirement.requirement = Some(requirement.to_string()),
            DeValue::Table(table) => self.detailed(table, &mut dependency)?,
            _ => return Err(self.error(value.span(), "a dependency must be a version or a table")),
        }
        Ok(dependency)
    }

    fn detailed(&self, table: &Table<'_>, dependency: &mut ManifestDependency) -> Result<(), Malformed> {
        let text = |key| self.string(table, key).map(|found| found.map(|(text, _)| text));
        let flag = |key| table.get(key).and_then(|value| value.get_ref().as_bool()).unwrap_or(false);
        dependency.inherited = flag("workspace");
        dependency.path = text("path")?;
        let declared = &mut dependency.declared;
        declared.requirement.optional = flag("optional");
        declared.requirement.requirement = text("version")?;
        if let Some(package) = text("package")? {
            declared.requirement.name = package;
        }
        let registry = text("registry")?.or(text("registry-index")?);
        declared.from = if let Some(url) = text("git")? {
            let reference = [
                ("branch", GitReference::Branch as fn(_) -> _),
                ("tag", GitReference::Tag),
                ("rev", GitReference::Revision),
            ];
            let mut found = GitReference::DefaultBranch;
            for (key, make) in reference {
                if let Some(value) = text(key)? {
                    found = make(value);
                }
            }
            DeclaredSource::Git { url, reference: found }
        } else {
            let is_published = declared.requirement.requirement.is_some();
            match (registry.filter(|registry| registry != "crates-io"), &dependency.path) {
                (_, Some(_)) if !is_published => DeclaredSource::Path,
                (Some(registry), _) => DeclaredSource::Registry(registry),
                (None, Some(_)) => DeclaredSource::PathAndRegistry,
                (None, None) => DeclaredSource::CratesIo,
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Manifest {
        parse("Cargo.toml", text).unwrap()
    }

    #[test]
    fn patches_and_replacements_are_told_by_the_package_that_they_replace() {
        let manifest = read("[patch.crates-io]\na = { path = \"a\" }\n[replace]\n\"b:1.0.0\" = { path = \"b\" }\n");
        let names = manifest.patches.iter().map(|patch| patch.declared.requirement.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn dependencies_of_every_table_are_read() {
        let manifest = read(
            "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[build-dependencies]\nc = { version = \"2\", optional = true }\n\
             [target.'cfg(unix)'.dev-dependencies]\nd = { package = \"real-d\", git = \"https://x.org/d\", tag = \"v1\" }\n",
        );
        let said = manifest.dependencies.iter().map(|dependency| {
            let requirement = &dependency.declared.requirement;
            (requirement.name.as_str(), requirement.kind, requirement.target.as_deref(), requirement.optional)
        });
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                ("b", DependencyKind::Normal, None, false),
                ("c", DependencyKind::Build, None, true),
                ("real-d", DependencyKind::Dev, Some("cfg(unix)"), false),
            ]
        );
        let tag = GitReference::Tag("v1".to_owned());
        assert_eq!(
            manifest.dependencies[2].declared.from,
            DeclaredSource::Git { url: "https://x.org/d".to_owned(), reference: tag }
        );
        assert_eq!(manifest.dependencies[0].declared.location.region.as_ref().unwrap().line, 4);
    }

    #[test]
    fn a_path_with_a_version_is_published_as_the_version() {
        let manifest = read("[dependencies]\na = { path = \"a\" }\nb = { path = \"b\", version = \"1\" }\n");
        assert_eq!(manifest.dependencies[0].declared.from, DeclaredSource::Path);
        assert_eq!(manifest.dependencies[1].declared.from, DeclaredSource::PathAndRegistry);
        let from = |text: &str| read(&format!("[dependencies]\na = {text}\n")).dependencies[0].declared.from.clone();
        let ours = DeclaredSource::Registry("ours".to_owned());
        assert_eq!(from("{ path = 'a', version = '1', registry = 'ours' }"), ours);
        assert_eq!(from("{ version = '1', registry = 'crates-io' }"), DeclaredSource::CratesIo);
    }

    #[test]
    fn publish_is_a_boolean_a_list_or_inherited() {
        let publish = |line: &str| read(&format!("[package]\nname = \"a\"\n{line}\n")).package.unwrap().publish;
        assert_eq!(publish(""), Publish::Registries(None));
        assert_eq!(publish("publish = false"), Publish::Registries(Some(Vec::new())));
        assert_eq!(publish("publish = [\"ours\"]"), Publish::Registries(Some(vec!["ours".to_owned()])));
        assert_eq!(publish("publish.workspace = true"), Publish::Inherited);
    }

    #[test]
    fn descriptions_are_said_inherited_or_found() {
        let text = "[package]\nname = \"a\"\nlicense.workspace = true\nreadme = false\ndescription = \"x\"\nrepository = 1\n\
                    [workspace.package]\nlicense = \"MIT\"\nreadme = \"README.md\"\n[[bin]]\nname = \"a\"\n";
        let manifest = read(text);
        let header = manifest.package.as_ref().unwrap().header.region.clone().unwrap();
        assert_eq!((header.line, header.start, header.end), (1, 0, 9));
        let package = manifest.package.unwrap().description;
        assert_eq!([package.license, package.readme], [Field::Inherited, Field::Found(false)]);
        assert_eq!([package.description.said(), package.repository.said()], [Some("x"), None]);
        let workspace = manifest.workspace.unwrap().description;
        assert_eq!([workspace.license.said(), workspace.readme.said()], [Some("MIT"), Some("README.md")]);
        assert!(manifest.has_binaries && !read("[package]\nname = \"a\"\n").has_binaries);
    }

    #[test]
    fn wrong_types_are_errors_with_their_place() {
        let error = parse("Cargo.toml", "[dependencies]\na = 1\n").unwrap_err();
        assert_eq!(error.to_string(), "Cargo.toml:2:5: a dependency must be a version or a table");
        assert!(
            parse("Cargo.toml", "[package]\nversion = \"1.0.0\"\n")
                .unwrap_err()
                .to_string()
                .contains("`package.name` is missing")
        );
    }
}
