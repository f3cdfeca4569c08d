//! Files as they are on disk, in a repository or not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use gix::hash::Kind as HashKind;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::repository::GitRepository;
use super::staged::read_index;
use super::{Error, Met, Visit};
use crate::report::Coverage;
use crate::source::file;
use crate::subject::content::{Content, ContentKind, News, ObjectId};
use crate::subject::sighting::{Exposure, Place};

/// The largest file that is read.
pub const MAX_BYTES: u64 = 256 << 20;

/// Hands out each file below `paths` as a whole: of a folder, those that git would take, which are the tracked ones and
/// those that are not ignored; a file that is named itself in any case.
///
/// `directory` is where relative paths begin, and `repository` the one that it is in, if it is in one. What is in
/// `.git` is never looked at, nor what is in another repository below, except if it is named itself. Symbolic links are not
/// followed: where they point to is looked at as their content, as git keeps it. Devices, pipes and sockets are
/// skipped. Paths in places are relative to the top of the work tree, else to `directory`.
///
/// Outside of a repository, `.gitignore` files count as well, as they would if it were one.
///
/// # Errors
///
/// [`Error::Path`] if one of the paths does not exist, [`Error::Index`] if the index cannot be read.
pub fn visit(
    directory: &Path,
    repository: Option<&GitRepository>,
    paths: &[PathBuf],
    visit: Visit<'_>,
    coverage: &mut Coverage,
) -> Result<(), Error> {
    let directory = fs::canonicalize(directory)
        .map_err(|error| Error::Path { path: directory.to_owned(), why: error.to_string() })?;
    let root = repository.and_then(GitRepository::root).and_then(|root| fs::canonicalize(root).ok());
    let root = root.filter(|root| directory.starts_with(root)).unwrap_or_else(|| directory.clone());
    let mut files = BTreeSet::new();
    let mut folders = Vec::new();
    for path in paths {
        let path = resolved(&directory, path)?;
        let metadata =
            fs::symlink_metadata(&path).map_err(|error| Error::Path { path: path.clone(), why: error.to_string() })?;
        if metadata.is_dir() {
            folders.push(path);
        } else {
            files.insert(path);
        }
    }
    let tally = Mutex::new(Tally::default());
    for folder in &folders {
        files.extend(walk(folder, &tally));
    }
    if let Some(repository) = repository.filter(|_| !folders.is_empty()) {
        files.extend(tracked(repository, &root, &folders)?);
    }

    let files: Vec<PathBuf> = files.into_iter().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len()).max(1);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(path) = files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            look(path, &root, visit, &tally);
        }
    };
    // Reading waits for the disk, so that these are threads of their own and not those that compute.
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    tally.into_coverage(coverage);
    Ok(())
}

/// What was looked at and what was not, added up by all threads.
#[derive(Debug, Default)]
struct Tally {
    files: usize,
    bytes: usize,
    special: usize,
    large: BTreeSet<String>,
    unreadable: BTreeSet<(String, String)>,
}

impl Tally {
    fn into_coverage(self, coverage: &mut Coverage) {
        coverage.count("files", self.files);
        coverage.count("bytes", self.bytes);
        if self.special > 0 {
            coverage.skip("special files", self.special, "devices, pipes and sockets have no content");
        }
        for path in self.large {
            coverage.could_not_look(format!("`{path}`"), format!("is larger than {} MiB", MAX_BYTES >> 20));
        }
        for (path, why) in &self.unreadable {
            coverage.could_not_look(format!("`{path}`"), why);
        }
        coverage.saw_nothing |= self.files == 0 && !self.unreadable.is_empty();
    }
}

/// Changes what was added up.
fn add(tally: &Mutex<Tally>, change: impl FnOnce(&mut Tally)) {
    change(&mut tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
}

/// The path without symbolic links, except for the last part, which may be one.
fn resolved(directory: &Path, path: &Path) -> Result<PathBuf, Error> {
    let full = directory.join(path);
    let named = matches!(full.components().next_back(), Some(Component::Normal(_)));
    let real = match (full.parent(), full.file_name()) {
        (Some(parent), Some(name)) if named => fs::canonicalize(parent).map(|parent| parent.join(name)),
        _ => fs::canonicalize(&full),
    };
    real.map_err(|error| Error::Path { path: full, why: error.to_string() })
}

/// The files of a folder that are not ignored.
fn walk(folder: &Path, tally: &Mutex<Tally>) -> BTreeSet<PathBuf> {
    let mut builder = WalkBuilder::new(folder);
    builder
        .hidden(false)
        .ignore(false)
        .parents(true)
        .git_ignore(true)
        .git_exclude(true)
        // Where the user's own file of ignored paths is would have to be read from the environment; without it more is
        // looked at.
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.depth() == 0 || !is_other(entry));
    let found = Mutex::new(BTreeSet::new());
    builder.build_parallel().run(|| {
        Box::new(|entry| {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| !kind.is_dir()) => {
                    let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    found.insert(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => add(tally, |tally| {
                    tally.unreadable.insert((folder.to_string_lossy().into_owned(), error.to_string()));
                }),
            }
            WalkState::Continue
        })
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whether something is no part of this work tree: what git keeps itself, and repositories inside.
fn is_other(entry: &DirEntry) -> bool {
    let is_repository = |path: &Path| path.join(".git/HEAD").is_file() || path.join(".git").is_file();
    entry.file_name().eq_ignore_ascii_case(".git")
        || entry.file_type().is_some_and(|kind| kind.is_dir()) && is_repository(entry.path())
}

/// The tracked files in folders, which may be ignored and are looked at nevertheless.
fn tracked(repository: &GitRepository, root: &Path, folders: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let index = read_index(repository)?;
    let mut files = Vec::new();
    for entry in index.entries() {
        if entry.mode.is_submodule() || entry.mode.is_sparse() {
            continue;
        }
        let Ok(path) = gix::path::from_bstr(entry.path(&index)) else { continue };
        // An index could name what is outside.
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let path = root.join(path);
        // What was removed, or is not checked out, is not on disk.
        if folders.iter().any(|folder| path.starts_with(folder)) && is_within(&path, root) {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a file exists and no folder on the way from the root is a symbolic link.
fn is_within(path: &Path, root: &Path) -> bool {
    let parents = path.ancestors().skip(1).take_while(|parent| *parent != root);
    fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir())
        && parents.into_iter().all(|parent| fs::symlink_metadata(parent).is_ok_and(|metadata| metadata.is_dir()))
}

/// Hands out one file.
fn look(path: &Path, root: &Path, visit: Visit<'_>, tally: &Mutex<Tally>) {
    let shown = shown(path.strip_prefix(root).unwrap_or(path));
    let unreadable = |why: String| {
        add(tally, |tally| {
            tally.unreadable.insert((shown.clone(), why));
        });
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return unreadable(error.to_string()),
    };
    let bytes = if metadata.is_symlink() {
        fs::read_link(path)
            .map(|target| target.into_os_string().into_encoded_bytes())
            .map_err(|error| error.to_string())
    } else if metadata.is_file() {
        match file::read(path, MAX_BYTES) {
            Err(file::Error::TooLarge { .. }) => {
                return add(tally, |tally| {
                    tally.large.insert(shown.clone());
                });
            }
            Err(file::Error::Io { source, .. }) => Err(source.to_string()),
            other => other.map_err(|error| error.to_string()),
        }
    } else {
        return add(tally, |tally| tally.special += 1);
    };
    match bytes {
        Ok(bytes) => {
            add(tally, |tally| {
                tally.files += 1;
                tally.bytes += bytes.len();
            });
            let id = ObjectId::null(HashKind::Sha1);
            let kind = ContentKind::Blob;
            let place = Place { path: Some(shown), object: id, kind, commit: None, exposure: Exposure::WorkTree };
            let content = Content { id, kind, bytes: &bytes, news: News::All };
            visit(&Met { content, place: Some(&place), pack: None });
        }
        Err(why) => unreadable(why),
    }
}

/// A path with `/`, in which bytes that are not UTF-8 are replaced.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::super::sandbox::{Sandbox, Seen, gather};
    use super::*;

    fn looked(directory: &Path, repository: Option<&GitRepository>, paths: &[&str]) -> (Vec<Seen>, Coverage) {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let mut coverage = Coverage::default();
        let seen = gather(|each| visit(directory, repository, &paths, each, &mut coverage).unwrap());
        (seen, coverage)
    }

    fn names(seen: &[Seen]) -> Vec<&str> {
        seen.iter().map(|seen| seen.path.as_str()).collect()
    }

    fn sandbox() -> Sandbox {
        let sandbox = Sandbox::new(&[]);
        for path in ["a", "dir/b", ".hidden/c", "ignored/tracked", "with space/d\u{1b}", ".github/e"] {
            sandbox.write(path, path);
        }
        sandbox.write("dir/.gitignore", "*.log\n!keep.log\n");
        sandbox.git(&["add", "--all"]);
        sandbox.write(".gitignore", "/ignored/\n*.tmp\n");
        sandbox.write(".ignore", "a\n");
        for path in ["untracked", "x.tmp", "dir/x.log", "dir/keep.log", "ignored/other", "dir/deep/x.log"] {
            sandbox.write(path, path);
        }
        fs::write(sandbox.root.join(std::ffi::OsStr::from_bytes(b"raw\xff")), "raw").unwrap();
        symlink("/etc/passwd", sandbox.root.join("link")).unwrap();
        symlink("dir", sandbox.root.join("folder-link")).unwrap();
        fs::write(sandbox.root.join(".git/info/exclude"), "excluded\n").unwrap();
        sandbox.write("excluded", "x");
        sandbox
    }

    #[test]
    fn the_files_are_those_of_git() {
        let sandbox = sandbox();
        fs::remove_file(sandbox.root.join("dir/b")).unwrap();
        let listed = sandbox.git_bytes(&["ls-files", "-co", "--exclude-standard", "-z"]);
        let listed = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty() && *path != b"dir/b");
        let mut listed: Vec<String> = listed.map(|path| String::from_utf8_lossy(path).into_owned()).collect();
        listed.sort();
        let repository = sandbox.open();
        let (seen, coverage) = looked(&sandbox.root, Some(&repository), &["."]);
        assert_eq!(names(&seen), listed);
        assert_eq!(coverage.counts["files"], listed.len() as u64);
        assert!(!coverage.could_not_look, "{coverage:?}");
        let link = seen.iter().find(|seen| seen.path == "link").unwrap();
        assert_eq!((link.new.concat().as_str(), &link.place.exposure), ("/etc/passwd", &Exposure::WorkTree));

        let (seen, _) = looked(&sandbox.root.join("dir"), Some(&repository), &["../dir", "../x.tmp", "x.log"]);
        assert_eq!(names(&seen), ["dir/.gitignore", "dir/keep.log", "dir/x.log", "x.tmp"]);
    }

    #[test]
    fn a_repository_is_not_needed() {
        let sandbox = sandbox();
        fs::remove_dir_all(sandbox.root.join(".git")).unwrap();
        let (seen, _) = looked(&sandbox.root, None, &["."]);
        let names = names(&seen);
        assert!(names.contains(&"untracked") && names.contains(&"a") && !names.contains(&"x.tmp"), "{names:?}");
    }

    #[test]
    fn what_is_not_a_file_is_counted_and_what_is_not_there_is_an_error() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("inner/file", "x");
        sandbox.beside("repository/inner").git(&["init", "--quiet"]);
        let socket = std::os::unix::net::UnixListener::bind(sandbox.root.join("socket")).unwrap();
        let (seen, coverage) = looked(&sandbox.root, Some(&sandbox.open()), &["."]);
        drop(socket);
        assert!(seen.is_empty());
        assert_eq!(coverage.skipped[0].count, 1);
        assert!(!coverage.saw_nothing);
        let (seen, _) = looked(&sandbox.root, Some(&sandbox.open()), &["inner"]);
        assert_eq!(names(&seen), ["inner/file"]);
        let nowhere = [PathBuf::from("nowhere")];
        let result = visit(&sandbox.root, None, &nowhere, &|_| unreachable!(), &mut Coverage::default());
        assert!(matches!(result, Err(Error::Path { .. })));
    }
}
