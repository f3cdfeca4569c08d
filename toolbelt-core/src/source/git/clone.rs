//! A work tree of one commit in a folder of its own, as anybody would get it who clones the repository.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::Error;
use super::program::git_outside;
use super::repository::GitRepository;
use super::settings::{self, Form};
use super::snapshot::{Snapshot, without_repository};
use crate::source::program;

/// How long the files may take to be written.
const LIMIT: Duration = Duration::from_mins(5);

/// How deeply submodules may have submodules.
const DEPTH: usize = 8;

/// Attributes that keep filters from being called: what they make of a file does not matter in a clone, and what they
/// fetch takes long.
const ATTRIBUTES: &str = "* -filter\n";

/// What is taken over of the user's configuration: how lines end, and what a system needs.
const KEPT: &[&str] = &["core.autocrlf", "core.eol", "core.longpaths"];

/// Writes the files of a commit into a folder, which must not be there yet, and returns the submodules that are not at
/// hand, by their paths.
///
/// The folder is a repository that borrows the objects, so that nothing is copied, and has no hooks, no branches, no
/// remotes and nothing of any configuration but the user's line ends.
///
/// # Errors
///
/// [`Error::Program`] if git fails, as it does where objects are missing; [`Error::Path`] if the folder cannot be written.
pub fn check_out(snapshot: &Snapshot, folder: &Path) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    check_out_below(snapshot, folder, "", DEPTH, &mut missing)?;
    Ok(missing)
}

fn check_out_below(
    snapshot: &Snapshot,
    folder: &Path,
    prefix: &str,
    depth: usize,
    missing: &mut Vec<String>,
) -> Result<(), Error> {
    write(snapshot, folder)?;
    for (path, commit) in snapshot.submodules() {
        let name = format!("{prefix}{path}");
        let submodule = if depth > 0 { snapshot.submodule(path, commit).ok() } else { None };
        let Some(submodule) = submodule else {
            missing.push(name);
            continue;
        };
        // Git leaves an empty folder where a submodule is to be.
        let place = folder.join(path);
        let _ = fs::remove_dir(&place);
        check_out_below(&submodule, &place, &format!("{name}/"), depth - 1, missing)?;
    }
    Ok(())
}

fn write(snapshot: &Snapshot, folder: &Path) -> Result<(), Error> {
    let borrower = Borrower::make(snapshot.repository(), folder)?;
    let failed = |error: io::Error| Error::Path { path: folder.to_owned(), why: error.to_string() };
    let git_dir = folder.join(".git");
    fs::create_dir_all(git_dir.join("info")).map_err(failed)?;
    fs::write(git_dir.join("info/attributes"), ATTRIBUTES).map_err(failed)?;
    fs::write(git_dir.join("HEAD"), format!("{}\n", snapshot.commit())).map_err(failed)?;
    let shallow = snapshot.repository().common_dir().join("shallow");
    if shallow.is_file() {
        fs::copy(shallow, git_dir.join("shallow")).map_err(failed)?;
    }
    borrower.succeed(&["read-tree", "--reset", "-u", &snapshot.commit().to_string()], &[])?;
    Ok(())
}

/// A repository that has no objects of its own and takes them from another one, and no configuration but its own: git does
/// in it what a commit says, and not what the user, the machine or the other repository say, besides line ends.
pub(super) struct Borrower<'a> {
    folder: &'a Path,
    variables: BTreeMap<String, String>,
}

impl<'a> Borrower<'a> {
    /// Makes one in a folder, which is made if it is not there.
    pub(super) fn make(repository: &GitRepository, folder: &'a Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Path { path: folder.to_owned(), why: error.to_string() };
        fs::create_dir_all(folder).map_err(failed)?;
        let made = Self { folder, variables: variables(repository, folder) };
        let format = format!("--object-format={}", repository.hash());
        made.succeed(&["init", "--quiet", "--template=", &format, "."], &[])?;
        for name in KEPT {
            if let Some(value) = settings::get(repository.git_dir(), repository.variables(), name, Form::Text)? {
                made.succeed(&["config", name, &value], &[])?;
            }
        }
        let objects = repository.object_directories().iter().map(|directory| format!("{}\n", directory.display()));
        let place = folder.join(".git/objects/info");
        fs::create_dir_all(&place).map_err(failed)?;
        fs::write(place.join("alternates"), objects.collect::<String>()).map_err(failed)?;
        Ok(made)
    }

    /// Runs git in it, and returns what it wrote if it succeeded.
    pub(super) fn succeed(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
        let output = git_outside(self.folder, &self.variables, arguments, input, LIMIT)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let why = format!("said: {}", program::last_lines(&output.stderr, 6).replace('\n', "; "));
        Err(Error::Program { command: arguments.join(" "), why })
    }
}

/// Variables that show git nothing of the user's or the machine's: filters, attributes and templates are programs and
/// rules that no commit has.
fn variables(repository: &GitRepository, folder: &Path) -> BTreeMap<String, String> {
    let mut variables = without_repository(repository.variables());
    // `git -c` and its like come down in these.
    variables.retain(|name, _| !name.starts_with("GIT_CONFIG"));
    let nothing = folder.join(".git/none").to_string_lossy().into_owned();
    for (name, value) in [
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_LFS_SKIP_SMUDGE", "1"),
        ("GIT_DEFAULT_REF_FORMAT", "files"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("LC_ALL", "C"),
        ("GIT_CONFIG_GLOBAL", nothing.as_str()),
        // Older versions know no `GIT_CONFIG_GLOBAL`, and attributes of the user's are looked for here as well.
        ("HOME", nothing.as_str()),
        ("XDG_CONFIG_HOME", nothing.as_str()),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    fn cloned(sandbox: &Sandbox, name: &str) -> (Sandbox, Vec<String>) {
        let snapshot = Snapshot::open(&sandbox.open(), sandbox.id("HEAD")).unwrap();
        let clone = sandbox.beside(name);
        let missing = check_out(&snapshot, &clone.root).unwrap();
        (clone, missing)
    }

    #[test]
    fn a_clone_has_the_commit_and_nothing_else() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a/b", "one\n");
        sandbox.write(".gitattributes", "a/* text eol=crlf filter=odd\n");
        sandbox.commit("one");
        sandbox.write("a/b", "two\n");
        sandbox.write("c", "untracked");
        sandbox.git(&["config", "filter.odd.smudge", "touch ../ran; cat"]);
        let (clone, missing) = cloned(&sandbox, "clone");
        assert_eq!(missing, [""; 0]);
        assert_eq!(fs::read(clone.root.join("a/b")).unwrap(), b"one\r\n");
        assert_eq!(clone.git(&["status", "--porcelain"]), "");
        assert_eq!(clone.id("HEAD"), sandbox.id("HEAD"));
        assert_eq!(clone.git(&["for-each-ref"]), "");
        assert!(!clone.root.join("c").exists() && !sandbox.beside("ran").root.exists());
    }

    #[test]
    fn shallow_linked_and_bare_repositories_can_be_cloned() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        sandbox.commit("one");
        sandbox.commit("two");
        let url = format!("file://{}", sandbox.root.display());
        sandbox.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
        sandbox.git(&["clone", "--quiet", "--bare", ".", "../bare"]);
        sandbox.git(&["worktree", "add", "--quiet", "../linked"]);
        for name in ["shallow", "bare", "linked"] {
            let (clone, _) = cloned(&sandbox.beside(name), &format!("clone-of-{name}"));
            assert_eq!(fs::read(clone.root.join("a")).unwrap(), b"one\n", "{name}");
            assert_eq!(clone.git(&["status", "--porcelain"]), "", "{name}");
            clone.git(&["log", "--oneline"]);
        }
    }

    #[test]
    fn submodules_come_along_where_they_are_at_hand() {
        let inner = Sandbox::new(&[]);
        inner.write("file", "inner\n");
        inner.commit("inner");
        let outer = Sandbox::new(&[]);
        for name in ["here", "gone"] {
            outer.git(&["submodule", "--quiet", "add", inner.root.to_str().unwrap(), name]);
        }
        outer.commit("outer");
        fs::remove_dir_all(outer.root.join(".git/modules/gone")).unwrap();
        let (clone, missing) = cloned(&outer, "clone");
        assert_eq!(missing, ["gone"]);
        assert_eq!(fs::read(clone.root.join("here/file")).unwrap(), b"inner\n");
        assert_eq!(clone.git(&["status", "--porcelain"]), "");
    }
}
