//! Which file of the repository a file of the `.crate` is made from.

use std::collections::BTreeMap;

use super::archive::{MANIFEST, ORIGINAL};
use crate::source::git::snapshot::{Snapshot, Target};
use crate::source::git::store::Missing;
use crate::source::manifest::{self, Field, Manifest};

/// The package as a commit has it.
pub struct Origins<'a> {
    snapshot: &'a Snapshot,
    folder: String,
    /// The path and the text of the manifest of its workspace, where that is another one.
    workspace: Option<(String, String)>,
    /// Files that cargo takes from outside of the folder, by the name that they get in the package.
    outside: BTreeMap<String, String>,
}

/// Where a file of a `.crate` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The path in the repository, as the package has it; symbolic links are not yet followed.
    pub path: String,
    /// What is there.
    pub target: Target,
}

impl<'a> Origins<'a> {
    /// Reads the manifests of a package of a commit; `folder` is relative to the root, with `/`.
    ///
    /// # Errors
    ///
    /// [`Missing`] if a manifest is there and cannot be had. One that is malformed takes nothing from outside.
    pub fn of(snapshot: &'a Snapshot, folder: &str) -> Result<Self, Missing> {
        let mut origins = Self { snapshot, folder: folder.to_owned(), workspace: None, outside: BTreeMap::new() };
        let Some((_, manifest)) = manifest(snapshot, &origins.path(MANIFEST))? else { return Ok(origins) };
        let workspace = workspace(snapshot, folder, &manifest)?;
        origins.outside = outside(folder, &manifest, workspace.as_ref().map(|(path, _, read)| (path.as_str(), read)));
        origins.workspace = workspace.map(|(path, text, _)| (path, text));
        Ok(origins)
    }

    /// The commit that they are of.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// The package's folder, relative to the root, with `/`.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The path and the text of the manifest of the workspace, where the package's own is not it.
    pub fn workspace(&self) -> Option<(&str, &str)> {
        self.workspace.as_ref().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Paths of files outside of the folder that are packaged, sorted.
    pub fn outside(&self) -> impl Iterator<Item = &str> {
        self.outside.values().map(String::as_str)
    }

    /// Where a file of the package comes from.
    ///
    /// # Errors
    ///
    /// [`Missing`] if a symbolic link on the way cannot be read.
    pub fn origin(&self, file: &str) -> Result<Origin, Missing> {
        let path = self.path(if file == ORIGINAL { MANIFEST } else { file });
        let target = self.snapshot.resolve(&path)?;
        // As with cargo, a file in the folder comes before one from outside.
        if let (Target::Nowhere, Some(outside)) = (&target, self.outside.get(file)) {
            return Ok(Origin { path: outside.clone(), target: self.snapshot.resolve(outside)? });
        }
        Ok(Origin { path, target })
    }

    /// The path of a file of the folder, relative to the root.
    pub fn path(&self, file: &str) -> String {
        if self.folder.is_empty() { file.to_owned() } else { format!("{}/{file}", self.folder) }
    }
}

fn manifest(snapshot: &Snapshot, path: &str) -> Result<Option<(String, Manifest)>, Missing> {
    let Some(text) = snapshot.text(path, manifest::MAX_BYTES)? else { return Ok(None) };
    let manifest = manifest::parse(path, &text).ok();
    Ok(manifest.map(|manifest| (text, manifest)))
}

/// The manifest of the workspace that a package belongs to, where it is another one: the one that it names, else the
/// nearest above.
fn workspace(snapshot: &Snapshot, folder: &str, own: &Manifest) -> Result<Option<(String, String, Manifest)>, Missing> {
    if own.workspace.is_some() {
        return Ok(None);
    }
    let found = |folder: &str| {
        let path = if folder.is_empty() { MANIFEST.to_owned() } else { format!("{folder}/{MANIFEST}") };
        let read = manifest(snapshot, &path)?;
        Ok(read.filter(|(_, manifest)| manifest.workspace.is_some()).map(|(text, manifest)| (path, text, manifest)))
    };
    if let Some(named) = own.package.as_ref().and_then(|package| package.workspace.as_deref()) {
        return joined(folder, named).map_or(Ok(None), |folder| found(&folder));
    }
    let mut above = folder;
    while !above.is_empty() {
        above = above.rsplit_once('/').map_or("", |(above, _)| above);
        if let Some(found) = found(above)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The readme and the licence, where the manifest takes them from outside of the folder.
fn outside(folder: &str, manifest: &Manifest, workspace: Option<(&str, &Manifest)>) -> BTreeMap<String, String> {
    let Some(package) = &manifest.package else { return BTreeMap::new() };
    let workspace = match workspace {
        Some((path, manifest)) => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            manifest.workspace.as_ref().map(|workspace| (folder, &workspace.description))
        }
        None => manifest.workspace.as_ref().map(|workspace| (folder, &workspace.description)),
    };
    let fields: [fn(&manifest::Description) -> &Field; 2] = [|said| &said.readme, |said| &said.license_file];
    let mut outside = BTreeMap::new();
    for field in fields {
        let said = match (field(&package.description), workspace) {
            (Field::Said(path), _) => joined(folder, path),
            (Field::Inherited, Some((root, of_workspace))) => {
                field(of_workspace).said().and_then(|path| joined(root, path))
            }
            (Field::Absent | Field::Found(_) | Field::Inherited, _) => None,
        };
        let Some(path) = said.filter(|path| !is_below(folder, path)) else { continue };
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        outside.entry(name).or_insert(path);
    }
    outside
}

fn is_below(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// A path from a folder, both relative to the root; none if it leads out of the repository.
fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Manifest {
        manifest::parse("Cargo.toml", text).unwrap()
    }

    #[test]
    fn what_is_taken_from_outside_gets_its_own_name() {
        let own = read("[package]\nname = \"a\"\nreadme = \"../../README.md\"\nlicense-file = \"docs/LICENSE\"\n");
        let names = |map: BTreeMap<String, String>| map.into_iter().collect::<Vec<_>>();
        assert_eq!(names(outside("crates/a", &own, None)), [("README.md".to_owned(), "README.md".to_owned())]);
        let inherits = read("[package]\nname = \"a\"\nreadme.workspace = true\nlicense-file.workspace = true\n");
        let root = read("[workspace.package]\nreadme = \"docs/intro.md\"\nlicense-file = \"a/LICENSE\"\n");
        let found = names(outside("crates/a", &inherits, Some(("crates/Cargo.toml", &root))));
        assert_eq!(found, [("intro.md".to_owned(), "crates/docs/intro.md".to_owned())], "the licence is in the folder");
        assert_eq!(names(outside("a", &read("[package]\nname = \"a\"\nreadme = \"../../x\"\n"), None)), []);
    }

    #[test]
    fn paths_are_joined_within_the_repository() {
        for (folder, path, whole) in [
            ("", "a", Some("a")),
            ("a/b", "../c", Some("a/c")),
            ("a", "./b//c", Some("a/b/c")),
            ("a", "../../c", None),
            ("a", "/c", None),
        ] {
            assert_eq!(joined(folder, path).as_deref(), whole, "{folder} {path}");
        }
    }
}
