//! Finds the lock files of a repository and the members that belong to each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use super::manifest::{self, Manifest, ManifestDependency, Publish, Workspace};
use super::{file, lockfile};
use crate::report::Coverage;
use crate::subject::dependencies::{Declared, Locked, Member};
use crate::subject::malformed::Malformed;

/// How deep folders are searched; deeper ones are told in the coverage.
const MAX_DEPTH: usize = 64;

/// How many folders are searched before giving up.
const MAX_FOLDERS: usize = 500_000;

/// How many manifests one lock file may have; more than any workspace seen has by two orders of magnitude.
const MAX_MEMBERS: usize = 100_000;

/// What the tag of a cache begins with (<https://bford.info/cachedir/>).
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// How much of a file is read to see what it is.
const BEGINNING: u64 = 4096;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A file could not be understood.
    #[error("cannot understand `{}`", .0.location.path)]
    Malformed(#[from] Malformed),
    /// There is nothing to look at.
    #[error("no `Cargo.lock` below `{}`", root.display())]
    NoLockfile {
        /// Where it was looked for.
        root: PathBuf,
    },
}

/// What a repository says of its dependencies.
#[derive(Debug, Clone, Default)]
pub struct Trees {
    /// In the order in which they were found, sorted by path.
    pub lockfiles: Vec<Locked>,
    /// The packages of the repository, by lock file, then by manifest path.
    pub members: Vec<Member>,
    /// Lock file and name of what `[patch]` and `[replace]` put in the place of other sources.
    pub patched: BTreeSet<(String, String)>,
    /// The text of each file that was read, by path.
    pub texts: BTreeMap<String, String>,
}

/// The folder that holds `.git`, at or above `directory`.
pub fn root_of(directory: &Path) -> Option<&Path> {
    directory.ancestors().find(|ancestor| ancestor.join(".git").exists())
}

/// A path as reports write it: relative to the root where it is below it, with `/`.
pub fn display_path(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts = relative.components().filter_map(|part| match part {
        Component::CurDir => None,
        Component::RootDir => Some(String::new()),
        part => Some(part.as_os_str().to_string_lossy().into_owned()),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Finds every `Cargo.lock` below a folder, sorted.
///
/// Not searched are `.git`, caches that bear the signature of one (cargo's `target`), vendored packages and other
/// repositories inside this one; symbolic links to folders are not followed. A lock file that is left out so is told.
pub fn find_lockfiles(root: &Path, coverage: &mut Coverage) -> Vec<PathBuf> {
    let canonical = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let is_inside = |path: &Path| fs::canonicalize(path).is_ok_and(|target| target.starts_with(&canonical));
    let mut found = Vec::new();
    let mut vendored = BTreeMap::<PathBuf, Vec<PathBuf>>::new();
    let mut queue = vec![(root.to_owned(), 0)];
    let mut searched = 0;
    while let Some((folder, depth)) = queue.pop() {
        let name = |path: &Path| display_path(root, path);
        searched += 1;
        if depth > MAX_DEPTH || searched > MAX_FOLDERS {
            coverage.could_not_look(name(&folder), "too many folders, or too deep, to search for lock files");
            if searched > MAX_FOLDERS {
                break;
            }
            continue;
        }
        let Ok(entries) = Entries::of(&folder) else {
            coverage.could_not_look(name(&folder), "the folder cannot be read");
            continue;
        };
        let lockfile = folder.join("Cargo.lock");
        let is_file = entries.has("Cargo.lock");
        let has_lockfile = is_file || entries.links.contains(&lockfile);
        if depth > 0 && entries.has("CACHEDIR.TAG") && is_cache(&folder) {
            if has_lockfile {
                coverage.skip(name(&lockfile), 1, "in a cache");
            }
            continue;
        }
        if depth > 0 && entries.has(".cargo-checksum.json") && is_vendored(&folder) {
            if has_lockfile {
                vendored.entry(folder.parent().unwrap_or(root).to_owned()).or_default().push(lockfile);
            }
            continue;
        }
        if depth > 0 && (entries.has(".git") || folder.join(".git").is_dir()) {
            coverage.skip(name(&folder), 1, "another repository");
            continue;
        }
        for link in entries.links {
            if link == lockfile {
                if is_inside(&link) && link.is_file() {
                    found.push(link);
                } else {
                    coverage.skip(name(&link), 1, "the symbolic link leads out of the repository, or to no file");
                }
            } else if link.join("Cargo.lock").is_file() && !is_inside(&link) {
                coverage.skip(name(&link), 1, "the symbolic link leads out of the repository");
            }
        }
        if is_file {
            found.push(lockfile);
        }
        let below = entries.folders.into_iter().filter(|path| !path.ends_with(".git"));
        queue.extend(below.map(|path| (path, depth + 1)));
    }
    for (parent, lockfiles) in vendored {
        let what = if let [lockfile] = lockfiles.as_slice() { lockfile } else { &parent };
        coverage.skip(display_path(root, what), lockfiles.len(), "lock files of vendored packages");
    }
    found.sort();
    found
}

/// What is in a folder.
#[derive(Default)]
struct Entries {
    folders: Vec<PathBuf>,
    links: Vec<PathBuf>,
    files: BTreeSet<OsString>,
}

impl Entries {
    /// All of it, or an error: half a folder is not told from a whole one.
    fn of(folder: &Path) -> io::Result<Self> {
        let mut entries = Self::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                entries.folders.push(entry.path());
            } else if kind.is_symlink() {
                entries.links.push(entry.path());
            } else if kind.is_file() {
                entries.files.insert(entry.file_name());
            }
        }
        Ok(entries)
    }

    fn has(&self, file: &str) -> bool {
        self.files.contains(OsStr::new(file))
    }
}

/// Whether a folder bears the signature of a cache; a file of that name alone could hide anything.
fn is_cache(folder: &Path) -> bool {
    beginning(&folder.join("CACHEDIR.TAG")).starts_with(CACHE_SIGNATURE)
}

/// Whether a folder says of itself, as `cargo vendor` writes it, which files it holds.
fn is_vendored(folder: &Path) -> bool {
    let text = beginning(&folder.join(".cargo-checksum.json"));
    text.trim_ascii_start().starts_with(b"{") && memchr::memmem::find(&text, b"\"files\"").is_some()
}

/// The first bytes of a file; none if it cannot be read.
fn beginning(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    match fs::File::open(path).and_then(|file| file.take(BEGINNING).read_to_end(&mut bytes)) {
        Ok(_) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Reads lock files and the manifests that belong to them.
///
/// # Errors
///
/// [`Error`] if one of them cannot be read or understood; a manifest that is missing is no error.
pub fn read(root: &Path, lockfiles: &[PathBuf], coverage: &mut Coverage) -> Result<Trees, Error> {
    let mut trees = Trees::default();
    let mut left = MAX_FOLDERS;
    for path in lockfiles {
        let name = display_path(root, path);
        if trees.texts.contains_key(&name) {
            continue;
        }
        let text = file::read_text(path, lockfile::MAX_BYTES)?;
        trees.lockfiles.push(lockfile::parse(&name, &text)?);
        trees.texts.insert(name.clone(), text);
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut reader = Members {
            root,
            boundary: Boundary::around(folder, root),
            trees: &mut trees,
            coverage,
            lockfile: name,
            left: &mut left,
            manifests: BTreeSet::new(),
        };
        reader.read(folder)?;
    }
    coverage.count("lockfiles", trees.lockfiles.len());
    Ok(trees)
}

/// The folder that nothing outside of is read for a lock file, whatever manifests and symbolic links say.
struct Boundary {
    folder: PathBuf,
    canonical: PathBuf,
}

impl Boundary {
    /// The root where the folder is below it, else the repository around the folder, else the folder.
    fn around(folder: &Path, root: &Path) -> Self {
        let of_root = Self::new(root);
        if of_root.contains(folder) { of_root } else { Self::new(root_of(folder).unwrap_or(folder)) }
    }

    fn new(folder: &Path) -> Self {
        let canonical = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        Self { folder: folder.to_owned(), canonical }
    }

    /// Whether a path leads to a place inside; for one that does not exist its text decides.
    fn contains(&self, path: &Path) -> bool {
        fs::canonicalize(path)
            .map_or_else(|_| path.starts_with(&self.folder), |target| target.starts_with(&self.canonical))
    }
}

struct Members<'a> {
    root: &'a Path,
    boundary: Boundary,
    trees: &'a mut Trees,
    coverage: &'a mut Coverage,
    lockfile: String,
    /// How many more folders may be searched for members.
    left: &'a mut usize,
    /// Manifests that were read for this lock file, where they really are.
    manifests: BTreeSet<PathBuf>,
}

impl Members<'_> {
    /// Reads the manifest beside a lock file, the workspace's members, and the path dependencies of all of them.
    fn read(&mut self, folder: &Path) -> Result<(), Error> {
        let Some(manifest) = self.manifest(folder)? else { return Ok(()) };
        let workspace = manifest.workspace.clone().unwrap_or_default();
        let mut seen = BTreeSet::from([folder.to_owned()]);
        let mut queue = VecDeque::from([(folder.to_owned(), manifest)]);
        for pattern in &workspace.members {
            let mut expansion = Expansion {
                root: self.root,
                boundary: &self.boundary,
                pattern,
                coverage: self.coverage,
                left: self.left,
                told: BTreeSet::new(),
            };
            for member in expansion.expand(folder) {
                let excluded =
                    workspace.exclude.iter().any(|exclude| member.starts_with(normalise(&folder.join(exclude))));
                if !excluded && self.is_new(&mut seen, &member) {
                    if !self.boundary.contains(&member) {
                        self.coverage.skip(pattern, 1, "the workspace member is outside of the repository");
                        continue;
                    }
                    queue.extend(self.manifest(&member)?.map(|manifest| (member, manifest)));
                }
            }
        }
        while let Some((folder, manifest)) = queue.pop_front() {
            let of_workspace = manifest.workspace.iter().flat_map(|workspace| &workspace.dependencies);
            let dependencies = manifest.dependencies.iter().chain(of_workspace).chain(&manifest.patches);
            let names = manifest.patches.iter().map(|patch| patch.declared.requirement.name.clone());
            self.trees.patched.extend(names.map(|name| (self.lockfile.clone(), name)));
            for path in dependencies.filter_map(|dependency| dependency.path.as_ref()) {
                let target = normalise(&folder.join(path));
                if !self.is_new(&mut seen, &target) {
                    continue;
                }
                if self.boundary.contains(&target) {
                    queue.extend(self.manifest(&target)?.map(|manifest| (target, manifest)));
                } else {
                    self.coverage.skip(path, 1, "the path dependency is outside of the repository");
                }
            }
            self.add(&folder, manifest, &workspace);
        }
        Ok(())
    }

    /// Whether a folder was not met before and there is room for it.
    fn is_new(&mut self, seen: &mut BTreeSet<PathBuf>, folder: &Path) -> bool {
        if seen.len() < MAX_MEMBERS {
            return seen.insert(folder.to_owned());
        }
        if seen.len() == MAX_MEMBERS && seen.insert(folder.to_owned()) {
            self.coverage.could_not_look(self.lockfile.clone(), "has too many workspace members and path dependencies");
        }
        false
    }

    /// Reads the manifest in a folder; none if there is none, or if it was read under another name.
    fn manifest(&mut self, folder: &Path) -> Result<Option<Manifest>, Error> {
        let path = folder.join("Cargo.toml");
        if !path.is_file() {
            return Ok(None);
        }
        let name = display_path(self.root, &path);
        if !self.boundary.contains(&path) {
            self.coverage.skip(name, 1, "the manifest is a symbolic link that leads out of the repository");
            return Ok(None);
        }
        if !self.manifests.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
            return Ok(None);
        }
        let text = file::read_text(&path, manifest::MAX_BYTES)?;
        let manifest = manifest::parse(&name, &text)?;
        self.trees.texts.insert(name, text);
        self.coverage.count("manifests", 1);
        Ok(Some(manifest))
    }

    fn add(&mut self, folder: &Path, manifest: Manifest, workspace: &Workspace) {
        let Some(package) = manifest.package else { return };
        let publish = match package.publish {
            Publish::Registries(registries) => registries,
            Publish::Inherited => workspace.publish.clone(),
        };
        let requirements = manifest.dependencies.into_iter().map(|dependency| inherit(dependency, workspace));
        self.trees.members.push(Member {
            name: package.name,
            manifest: display_path(self.root, &folder.join("Cargo.toml")),
            lockfile: self.lockfile.clone(),
            location: package.location,
            publish,
            requirements: requirements.collect(),
        });
    }
}

/// Fills in what the workspace says of an inherited dependency; its place is where the requirement is written.
fn inherit(dependency: ManifestDependency, workspace: &Workspace) -> Declared {
    let of_workspace = workspace.dependencies.iter().find(|candidate| candidate.key == dependency.key);
    let (true, Some(of_workspace)) = (dependency.inherited, of_workspace) else { return dependency.declared };
    let mut declared = of_workspace.declared.clone();
    declared.requirement.kind = dependency.declared.requirement.kind;
    declared.requirement.target = dependency.declared.requirement.target;
    declared.requirement.optional = dependency.declared.requirement.optional;
    declared
}

/// Finds the folders that member patterns such as `crates/*` name.
struct Expansion<'a> {
    root: &'a Path,
    boundary: &'a Boundary,
    pattern: &'a str,
    coverage: &'a mut Coverage,
    /// How many more folders may be searched.
    left: &'a mut usize,
    /// Places that are told already; the root stands for the search itself.
    told: BTreeSet<PathBuf>,
}

impl Expansion<'_> {
    /// Folders below `base`, sorted. `**` stands for any number of folders, also none; symbolic links that a wildcard
    /// meets are not followed.
    fn expand(&mut self, base: &Path) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::from([base.to_owned()]);
        for part in self.pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
            folders = if part == "**" {
                self.all_below(folders)
            } else if part.contains(['*', '?', '[']) {
                let Ok(glob) = globset::Glob::new(part) else { return BTreeSet::new() };
                let matcher = glob.compile_matcher();
                let below = folders.iter().flat_map(|folder| self.below(folder));
                below.filter(|path| path.file_name().is_some_and(|name| matcher.is_match(name))).collect()
            } else {
                folders.iter().map(|folder| normalise(&folder.join(part))).collect()
            };
        }
        folders
    }

    /// These folders and all below them.
    fn all_below(&mut self, folders: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let mut queue = folders.iter().cloned().collect::<Vec<_>>();
        let mut all = folders;
        while let Some(folder) = queue.pop() {
            for path in self.below(&folder) {
                if !path.ends_with(".git") && all.insert(path.clone()) {
                    queue.push(path);
                }
            }
        }
        all
    }

    /// The folders in a folder; none if it is not there.
    fn below(&mut self, folder: &Path) -> Vec<PathBuf> {
        if *self.left == 0 {
            if self.told.insert(self.root.to_owned()) {
                self.coverage.could_not_look(self.name(folder), "too many folders to search for workspace members");
            }
            return Vec::new();
        }
        *self.left -= 1;
        if !self.boundary.contains(folder) {
            if self.told.insert(folder.to_owned()) {
                self.coverage.skip(self.pattern, 1, "the member pattern leads out of the repository");
            }
            return Vec::new();
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
                    self.coverage.could_not_look(self.name(folder), "the folder cannot be read");
                }
                return Vec::new();
            }
        };
        let mut below = Vec::new();
        for entry in entries {
            let Ok((path, kind)) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) else {
                self.coverage.could_not_look(self.name(folder), "the folder cannot be read to its end");
                break;
            };
            if kind.is_dir() {
                below.push(path);
            } else if kind.is_symlink() && path.join("Cargo.toml").is_file() && self.told.insert(path.clone()) {
                self.coverage.skip(self.name(&path), 1, "member patterns follow no symbolic links");
            }
        }
        below
    }

    fn name(&self, path: &Path) -> String {
        display_path(self.root, path)
    }
}

/// Resolves `.` and `..` in the text of a path alone: links are not followed.
fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn generated_lock_files_are_found_and_caches_are_not_searched() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join(".git")).unwrap();
        write(root, ".gitignore", "Cargo.lock\n");
        for path in ["Cargo.lock", "fuzz/Cargo.lock", "target/x/Cargo.lock", "vendor/a/Cargo.lock", "sub/Cargo.lock"] {
            write(root, path, "version = 4\n");
        }
        write(root, "target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# by cargo\n");
        write(root, "vendor/a/.cargo-checksum.json", "{\"files\":{},\"package\":null}");
        write(root, "sub/.git", "gitdir: ../.git/modules/sub\n");
        let mut coverage = Coverage::default();
        let found = find_lockfiles(root, &mut coverage);
        let names = found.iter().map(|path| display_path(root, path)).collect::<Vec<_>>();
        assert_eq!(names, ["Cargo.lock", "fuzz/Cargo.lock"]);
        let skipped = coverage.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>();
        assert_eq!(skipped, ["sub", "vendor/a/Cargo.lock"], "what is left out is told");
        assert!(!coverage.could_not_look);
    }

    #[test]
    fn an_empty_file_hides_no_lock_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["fuzz/Cargo.lock", "vendor/Cargo.lock", "node_modules/a/Cargo.lock"] {
            write(root, path, "version = 4\n");
        }
        write(root, "fuzz/CACHEDIR.TAG", "");
        write(root, "vendor/.cargo-checksum.json", "");
        let mut coverage = Coverage::default();
        assert_eq!(find_lockfiles(root, &mut coverage).len(), 3);
        assert_eq!(coverage, Coverage::default());
        write(root, "fuzz/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
        write(root, "vendor/.cargo-checksum.json", "{\"files\":{}}");
        assert_eq!(find_lockfiles(root, &mut coverage).len(), 1);
        let skipped = coverage.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>();
        assert_eq!(skipped, ["fuzz/Cargo.lock", "vendor/Cargo.lock"]);
    }

    #[test]
    fn a_search_for_lock_files_that_is_cut_is_told() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &format!("{}Cargo.lock", "d/".repeat(MAX_DEPTH + 1)), "");
        let mut coverage = Coverage::default();
        assert!(find_lockfiles(folder.path(), &mut coverage).is_empty());
        assert!(coverage.could_not_look);
    }

    #[cfg(unix)]
    #[test]
    fn linked_lock_files_are_followed_inside_the_repository_alone() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        write(&root, "locks/a", "version = 4\n");
        write(folder.path(), "outside/Cargo.lock", "version = 4\n");
        for name in ["a", "b", "c"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        symlink("../locks/a", root.join("a/Cargo.lock")).unwrap();
        symlink("../../outside/Cargo.lock", root.join("b/Cargo.lock")).unwrap();
        symlink("nowhere", root.join("c/Cargo.lock")).unwrap();
        symlink("../outside", root.join("d")).unwrap();
        symlink(".", root.join("e")).unwrap();
        let mut coverage = Coverage::default();
        assert_eq!(find_lockfiles(&root, &mut coverage), [root.join("a/Cargo.lock")]);
        let mut skipped = coverage.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>();
        skipped.sort_unstable();
        assert_eq!(skipped, ["b/Cargo.lock", "c/Cargo.lock", "d"]);
    }

    #[test]
    fn members_come_from_globs_and_path_dependencies_and_inherit() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "Cargo.lock", "version = 4\n");
        write(
            root,
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"crates/old\"]\npackage.publish = false\n\
             [workspace.dependencies]\nserde = \"*\"\n",
        );
        write(
            root,
            "crates/a/Cargo.toml",
            "[package]\nname = \"a\"\npublish.workspace = true\n[dependencies]\nserde.workspace = true\nc = { path = \"../../c\" }\n",
        );
        write(root, "crates/old/Cargo.toml", "[package]\nname = \"old\"\n");
        write(root, "crates/README.md", "");
        write(
            root,
            "c/Cargo.toml",
            "[package]\nname = \"c\"\n[dev-dependencies]\na = { path = \"../crates/a\" }\nz = { path = \"../../z\" }\n",
        );
        let mut coverage = Coverage::default();
        let trees = read(root, &[root.join("Cargo.lock")], &mut coverage).unwrap();
        let members = trees.members.iter().map(|member| (member.manifest.as_str(), member.publish.clone()));
        assert_eq!(members.collect::<Vec<_>>(), [("crates/a/Cargo.toml", Some(Vec::new())), ("c/Cargo.toml", None)]);
        let requirements = &trees.members[0].requirements;
        let serde = requirements.iter().find(|declared| declared.requirement.name == "serde").unwrap();
        assert_eq!((serde.requirement.requirement.as_deref(), serde.location.path.as_str()), (Some("*"), "Cargo.toml"));
        assert_eq!(coverage.skipped[0].what, "../../z");
    }

    #[test]
    fn broken_manifest_is_an_error_and_a_missing_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "Cargo.lock", "version = 4\n");
        let lockfiles = [folder.path().join("Cargo.lock")];
        assert!(read(folder.path(), &lockfiles, &mut Coverage::default()).unwrap().members.is_empty());
        write(folder.path(), "Cargo.toml", "[package\n");
        let error = read(folder.path(), &lockfiles, &mut Coverage::default()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.starts_with("Cargo.toml:1:9"), "{source}");
    }

    fn expand(root: &Path, pattern: &str, mut left: usize) -> (Vec<String>, Coverage) {
        let mut coverage = Coverage::default();
        let boundary = &Boundary::new(root);
        let told = BTreeSet::new();
        let folders =
            Expansion { root, boundary, pattern, coverage: &mut coverage, left: &mut left, told }.expand(root);
        (folders.iter().map(|folder| display_path(root, folder)).collect(), coverage)
    }

    #[test]
    fn two_stars_name_members_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["crates/a/x", "crates/b/c/d/x", "other/a/x"] {
            write(root, path, "");
        }
        let (all, coverage) = expand(root, "crates/**", 100);
        assert_eq!(all, ["crates", "crates/a", "crates/b", "crates/b/c", "crates/b/c/d"]);
        assert!(expand(root, "**/a", 100).0.contains(&"other/a".to_owned()));
        assert_eq!(expand(root, "./**/[cd]", 100).0, ["crates/b/c", "crates/b/c/d"]);
        assert_eq!(expand(root, "../*/crates/a", 0).0, Vec::<String>::new());
        assert!(!coverage.could_not_look && coverage.skipped.is_empty());
    }

    #[test]
    fn a_search_for_members_that_is_cut_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a/x", "b/x", "c/x"] {
            write(folder.path(), path, "");
        }
        let (_, coverage) = expand(folder.path(), "**/**/*", 3);
        assert!(coverage.could_not_look);
        assert_eq!(coverage.skipped.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn wildcards_follow_no_symbolic_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "c/a/Cargo.toml", "");
        write(root, "c/Cargo.toml", "");
        for link in ["l1", "l2", "l3"] {
            std::os::unix::fs::symlink(".", root.join("c").join(link)).unwrap();
        }
        assert_eq!(expand(root, "c/*", 100).0, ["c/a"]);
        assert_eq!(expand(root, "c/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*", 100).0, Vec::<String>::new());
        let (all, coverage) = expand(root, "c/**/**/**/**", 100);
        assert_eq!(all, ["c", "c/a"]);
        assert_eq!(coverage.skipped.len(), 3);
        assert_eq!(coverage.skipped[0].why, "member patterns follow no symbolic links");
    }

    #[test]
    fn members_outside_of_the_repository_are_told_and_not_read() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "outside/a/Cargo.toml", "secret = [\n");
        let root = folder.path().join("root");
        write(&root, "Cargo.lock", "version = 4\n");
        write(&root, "Cargo.toml", "[workspace]\nmembers = [\"../outside/a\", \"../outside/*\"]\n");
        let mut coverage = Coverage::default();
        assert!(read(&root, &[root.join("Cargo.lock")], &mut coverage).unwrap().members.is_empty());
        let skipped = coverage.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>();
        assert_eq!(skipped, ["../outside/a", "../outside/*"]);
    }

    #[test]
    fn a_lock_file_outside_of_the_root_has_members_of_its_own_repository() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("root"), folder.path().join("other"));
        fs::create_dir_all(other.join(".git")).unwrap();
        fs::create_dir(&root).unwrap();
        write(&other, "a/Cargo.lock", "version = 4\n");
        write(&other, "a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = { path = \"../b\" }\n");
        write(&other, "b/Cargo.toml", "[package]\nname = \"b\"\n[dependencies]\nc = { path = \"../../c\" }\n");
        write(folder.path(), "c/Cargo.toml", "[package]\nname = \"c\"\n");
        let mut coverage = Coverage::default();
        let trees = read(&root, &[other.join("a/Cargo.lock")], &mut coverage).unwrap();
        assert_eq!(trees.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(coverage.skipped[0].what, "../../c");
    }

    #[cfg(unix)]
    #[test]
    fn manifests_are_not_read_through_links_out_of_the_repository() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        write(folder.path(), "secret.txt", "password = hunter2\n");
        write(folder.path(), "outside/Cargo.toml", "password = hunter2\n");
        write(&root, "Cargo.lock", "version = 4\n");
        write(&root, "Cargo.toml", "[workspace]\nmembers = [\"m\", \"l\", \"l/*\", \"same\", \"n\"]\n");
        write(&root, "n/Cargo.toml", "[package]\nname = \"n\"\n");
        fs::create_dir(root.join("m")).unwrap();
        symlink("../../secret.txt", root.join("m/Cargo.toml")).unwrap();
        symlink("../outside", root.join("l")).unwrap();
        symlink("n", root.join("same")).unwrap();
        let mut coverage = Coverage::default();
        let trees = read(&root, &[root.join("Cargo.lock")], &mut coverage).unwrap();
        assert_eq!(trees.members.len(), 1, "a manifest counts once");
        assert!(!trees.texts.values().any(|text| text.contains("hunter2")));
        let skipped = coverage.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>();
        assert_eq!(skipped, ["m/Cargo.toml", "l", "l/*"]);
    }
}
