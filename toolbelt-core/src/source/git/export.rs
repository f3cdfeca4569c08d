//! Writes some files of a commit to a folder, for readers that know files alone.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use gix::objs::Kind;

use super::commits::tree_of;
use super::gaps::Gaps;
use super::repository::GitRepository;
use super::{Error, tree};
use crate::report::Coverage;
use crate::subject::content::ObjectId;
use crate::subject::tree::Mode;

/// The most files that are written.
const MAX_FILES: usize = 10_000;
/// The largest file that is written, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Writes the regular files of a commit for whose paths `wanted` says so below `folder`, which has to be empty.
///
/// Returns how many there are. A path that would lead elsewhere, which no honest tree has, is told like an object that is
/// missing: neither is written.
///
/// # Errors
///
/// [`Error::Commit`] if the commit cannot be read, [`Error::Path`] if the folder cannot be written to.
pub fn export(
    repository: &GitRepository,
    commit: ObjectId,
    wanted: &dyn Fn(&[u8]) -> bool,
    folder: &Path,
    coverage: &mut Coverage,
) -> Result<usize, Error> {
    let store = repository.store()?;
    let root = tree_of(&store, commit).map_err(|why| Error::Commit { id: commit, why })?;
    let mut gaps = Gaps::default();
    let mut found = Vec::new();
    tree::list_with_ids(&store, root, &mut gaps, &mut |path, mode, id| {
        if matches!(mode, Mode::File | Mode::Executable) && wanted(&path) {
            found.push((path, id));
        }
    });
    found.sort();
    let mut content = Vec::new();
    let mut written = 0;
    for (path, id) in &found {
        if written >= MAX_FILES {
            gaps.note(format!("`{}`", String::from_utf8_lossy(path)), "there are too many such files");
            break;
        }
        match (place(path), store.read_kind(id, Kind::Blob, &mut content)) {
            (_, Err(missing)) => gaps.add(path, *id, &missing.to_string()),
            (Some(place), Ok(bytes)) if bytes.len() <= MAX_BYTES => {
                let target = folder.join(place);
                write(&target, bytes).map_err(|error| Error::Path { path: target, why: error.to_string() })?;
                written += 1;
            }
            (Some(_), Ok(_)) => gaps.add(path, *id, "is too large"),
            (None, Ok(_)) => gaps.add(path, *id, "has a path that cannot be a file's"),
        }
    }
    gaps.into_coverage(coverage);
    Ok(written)
}

/// The path below the folder; none for one that would lead out of it or into `.git`.
fn place(path: &[u8]) -> Option<PathBuf> {
    let path = PathBuf::from(std::str::from_utf8(path).ok()?);
    let is_plain = |part: Component<'_>| match part {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    };
    (path.components().count() > 0 && path.components().all(is_plain)).then_some(path)
}

fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(target, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn wanted_files_are_written_and_nothing_else() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a/Cargo.toml", "one");
        sandbox.write("Cargo.toml", "two");
        sandbox.write("a/b", "three");
        let commit = sandbox.commit("a");
        let folder = tempfile::tempdir().unwrap();
        let mut coverage = Coverage::default();
        let wanted = |path: &[u8]| path.ends_with(b"Cargo.toml");
        let count = export(&sandbox.open(), commit, &wanted, folder.path(), &mut coverage).unwrap();
        assert_eq!((count, coverage.skipped.len()), (2, 0));
        assert_eq!(fs::read_to_string(folder.path().join("a/Cargo.toml")).unwrap(), "one");
        assert!(!folder.path().join("a/b").exists());
    }

    #[test]
    fn no_path_leads_out() {
        for bad in ["../a", "/a", "a/../../b", ".git/hooks/a", "a/.GIT/b", ""] {
            assert_eq!(place(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(place(b"\xff"), None);
        assert_eq!(place(b"a/b.c"), Some(PathBuf::from("a/b.c")));
    }
}
