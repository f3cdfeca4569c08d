//! Compares the files of a `.crate` with the commit that it is said to come from.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::archive::{self, Contents, LOCKFILE, MANIFEST, Named, VCS_INFO};
use super::origin::Origins;
use super::rebuild::Rebuilt;
use crate::finding::Fact;
use crate::source::git;
use crate::source::git::checkout::{self, Expected, Made};
use crate::source::git::snapshot::{Snapshot, Target};
use crate::source::git::store::Missing;
use crate::subject::content::ObjectId;
use crate::subject::digest::hex;
use crate::subject::release::{Comparison, Difference};

/// The most that is held in memory of files that are not the blobs of the commit as they are.
const MAX_FILTERED: usize = 256 << 20;

/// The longest pointer of Git LFS, by [its specification](https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
const MAX_POINTER: usize = 1024;

/// What attributes call the filter of Git LFS.
const LFS: &str = "lfs";

/// The files that cargo makes, which the commit does not have.
const GENERATED: &[&str] = &[MANIFEST, LOCKFILE, VCS_INFO];

/// What is compared with a commit.
#[derive(Debug, Clone, Copy)]
pub struct Packaged<'a> {
    /// The `.crate`.
    pub bytes: &'a [u8],
    /// Whose it is.
    pub package: Named<'a>,
    /// What it holds.
    pub contents: &'a Contents,
}

/// Compares a `.crate` with a commit.
///
/// A file is the same if it is the blob of the commit at its path, or what a checkout makes of that blob, and if `rebuilt`
/// has it like that. The files that cargo makes are compared with those of `rebuilt` alone.
///
/// # Errors
///
/// [`archive::Error`] if the `.crate` cannot be read. A file that cannot be compared is told in the result.
pub fn compare(
    packaged: Packaged<'_>,
    origins: &Origins<'_>,
    rebuilt: &Fact<Rebuilt>,
) -> Result<Comparison, archive::Error> {
    let contents = packaged.contents;
    let mut comparing = Comparing {
        origins,
        submodules: BTreeMap::new(),
        result: Comparison { paths: origins.snapshot().paths().map(str::to_owned).collect(), ..Comparison::default() },
        changed: BTreeMap::new(),
        fetched: BTreeSet::new(),
    };
    for (path, what) in &contents.irregular {
        comparing.differs(path, Difference::Irregular { what: what.clone() });
    }
    for (path, blob) in &contents.blobs {
        // What is there twice is not the same, whichever of the two it is.
        if contents.irregular.contains_key(path) {
            continue;
        }
        if GENERATED.contains(&path.as_str()) {
            comparing.generated(path, contents, rebuilt);
        } else {
            comparing.file(path, *blob);
        }
    }
    comparing.filtered(packaged)?;
    if let Fact::Known(rebuilt) = rebuilt {
        comparing.against(contents, rebuilt);
        for path in rebuilt.contents.file.files.keys().filter(|path| !contents.file.files.contains_key(*path)) {
            comparing.differs(path, Difference::Missing);
        }
    }
    Ok(comparing.result)
}

/// A blob that is not what the `.crate` has, unless a filter made the one of the other.
struct Changed {
    /// The repository whose filters apply: none is that of the package, else a submodule by its path.
    submodule: Option<String>,
    /// The path in that repository.
    path: String,
    blob: ObjectId,
    /// The path in the repository of the package.
    shown: String,
}

/// A file, what it is compared with, and, where that is a pointer of Git LFS, whether the pointer is to this file.
type Asked<'a> = (&'a str, &'a Changed, Option<bool>);

struct Comparing<'a> {
    origins: &'a Origins<'a>,
    submodules: BTreeMap<String, Result<Snapshot, String>>,
    result: Comparison,
    changed: BTreeMap<String, Changed>,
    /// Files whose digest the commit has in their place: a clone does not fetch them.
    fetched: BTreeSet<String>,
}

impl Comparing<'_> {
    fn differs(&mut self, path: &str, difference: Difference) {
        self.result.differences.insert(path.to_owned(), difference);
    }

    fn not_compared(&mut self, path: &str, why: impl Into<String>) {
        self.result.not_compared.insert(path.to_owned(), why.into());
    }

    fn missing(&mut self, path: &str, missing: &Missing) {
        self.not_compared(path, format!("an object of the commit {missing}"));
    }

    /// Compares a file that cargo made with the one that it made of the commit alone.
    fn generated(&mut self, path: &str, contents: &Contents, rebuilt: &Fact<Rebuilt>) {
        let rebuilt = match rebuilt {
            Fact::Known(rebuilt) => rebuilt,
            Fact::Unknown(unknown) => {
                let why = format!("the commit could not be packaged alone: {}", unknown.reason);
                return self.not_compared(path, why);
            }
        };
        let theirs = rebuilt.contents.blobs.get(path);
        if theirs.is_none() || theirs != contents.blobs.get(path) {
            return self.differs(path, Difference::OtherThanRebuilt);
        }
        let wrong = if path == VCS_INFO { unlike(&rebuilt.contents.written, self.origins) } else { None };
        if let Some(why) = wrong {
            return self.not_compared(path, why);
        }
        self.result.same += 1;
    }

    /// Compares what was found to be the same with what cargo packages of the commit alone: the work tree is not trusted
    /// to say what a checkout makes of a blob, nor which files are packaged.
    fn against(&mut self, contents: &Contents, rebuilt: &Rebuilt) {
        for (path, blob) in &contents.blobs {
            let is_told = self.result.differences.contains_key(path) || self.result.not_compared.contains_key(path);
            if is_told || self.fetched.contains(path) || GENERATED.contains(&path.as_str()) {
                continue;
            }
            if rebuilt.contents.blobs.get(path) != Some(blob) {
                self.result.same -= 1;
                self.differs(path, Difference::OtherThanRebuilt);
            }
        }
    }

    /// Compares a file with the blob of the commit.
    fn file(&mut self, file: &str, blob: ObjectId) {
        let origin = match self.origins.origin(file) {
            Ok(origin) => origin,
            Err(missing) => return self.missing(file, &missing),
        };
        match origin.target {
            Target::File { id, .. } if id == blob => self.result.same += 1,
            Target::File { path, id } => {
                let shown = path.clone();
                self.changed.insert(file.to_owned(), Changed { submodule: None, path, blob: id, shown });
            }
            Target::Submodule { path, commit, rest } => self.in_submodule(file, blob, &path, commit, &rest),
            Target::Outside => self.differs(file, Difference::NotInCommit),
            Target::Nowhere => self.nowhere(file, &origin.path, blob),
        }
    }

    /// A file that no file of the commit leads to: where links cannot be made, it may be the text of a link.
    fn nowhere(&mut self, file: &str, path: &str, blob: ObjectId) {
        let snapshot = self.origins.snapshot();
        if has_no_links(snapshot) && snapshot.at(path).is_some_and(|(_, id)| id == blob) {
            self.result.same += 1;
        } else {
            self.differs(file, Difference::NotInCommit);
        }
    }

    fn in_submodule(&mut self, file: &str, blob: ObjectId, submodule: &str, commit: ObjectId, rest: &str) {
        let outer = self.origins.snapshot();
        let opened = self
            .submodules
            .entry(submodule.to_owned())
            .or_insert_with(|| outer.submodule(submodule, commit).map_err(|error| error.to_string()));
        let snapshot = match opened {
            Ok(snapshot) => snapshot,
            Err(why) => {
                let why = format!("it is in the submodule `{submodule}`, which is not at hand: {why}");
                return self.not_compared(file, why);
            }
        };
        match snapshot.resolve(rest) {
            Err(missing) => self.missing(file, &missing),
            Ok(Target::File { id, .. }) if id == blob => self.result.same += 1,
            Ok(Target::File { path, id }) => {
                let shown = format!("{submodule}/{path}");
                let changed = Changed { submodule: Some(submodule.to_owned()), path, blob: id, shown };
                self.changed.insert(file.to_owned(), changed);
            }
            Ok(Target::Submodule { .. }) => self.not_compared(file, "it is in a submodule of a submodule"),
            Ok(Target::Outside | Target::Nowhere) => self.differs(file, Difference::NotInCommit),
        }
    }

    /// Compares what is not the blob itself with what a checkout makes of it.
    fn filtered(&mut self, packaged: Packaged<'_>) -> Result<(), archive::Error> {
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return Ok(());
        }
        let wanted: BTreeSet<&str> = changed.keys().map(String::as_str).collect();
        let contents = archive::select(packaged.bytes, packaged.package, &wanted, MAX_FILTERED)?;
        let mut asked: BTreeMap<Option<&str>, Vec<Asked<'_>>> = BTreeMap::new();
        for (file, changed) in &changed {
            let snapshot = match &changed.submodule {
                Some(path) => self.submodules.get(path).and_then(|opened| opened.as_ref().ok()),
                None => Some(self.origins.snapshot()),
            };
            let (Some(content), Some(snapshot)) = (contents.get(file), snapshot) else {
                self.not_compared(file, "there is too much to be compared");
                continue;
            };
            match snapshot.read(&changed.blob) {
                Err(missing) => self.missing(file, &missing),
                // What ran here before may have put something else in its place.
                Ok(blob) if !Snapshot::is_intact(&changed.blob, &blob) => {
                    self.not_compared(file, "its blob in the repository is damaged");
                }
                Ok(blob) => {
                    let pointer = pointer(&blob).map(|digest| digest == hex(&Sha256::digest(content)));
                    asked.entry(changed.submodule.as_deref()).or_default().push((file, changed, pointer));
                }
            }
        }
        for (submodule, files) in asked {
            let answers = {
                let snapshot = match submodule {
                    Some(path) => self.submodules.get(path).and_then(|opened| opened.as_ref().ok()),
                    None => Some(self.origins.snapshot()),
                };
                let Some(snapshot) = snapshot else { continue };
                let expected: Vec<Expected<'_>> = files
                    .iter()
                    .map(|(file, changed, _)| Expected {
                        path: &changed.path,
                        blob: changed.blob,
                        content: contents.get(*file).map(Vec::as_slice).unwrap_or_default(),
                    })
                    .collect();
                checkout::becomes(snapshot, &expected)
            };
            self.answered(&files, answers);
        }
        Ok(())
    }

    /// Takes down what git said of each file.
    fn answered(&mut self, files: &[Asked<'_>], answers: Result<Vec<Made>, git::Error>) {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                for (file, ..) in files {
                    self.not_compared(file, format!("git cannot say what a checkout makes of the blob: {error}"));
                }
                return;
            }
        };
        for ((file, changed, pointer), answer) in files.iter().zip(answers) {
            let other = || Difference::OtherContent { path: changed.shown.clone() };
            match (answer, pointer) {
                (Made::Same, _) => self.result.same += 1,
                (Made::Other, _) => self.differs(file, other()),
                // The commit has the digest of the content; without the attribute, it has a text that looks like that.
                (Made::Filtered { filter }, Some(true)) if filter == LFS => {
                    self.result.same += 1;
                    self.fetched.insert((*file).to_owned());
                }
                (Made::Filtered { filter }, Some(false)) if filter == LFS => self.differs(file, other()),
                (Made::Filtered { filter }, _) => {
                    let why = format!("the filter `{filter}` of its attributes may have changed it, and is not run");
                    self.not_compared(file, why);
                }
                (Made::NotAsked, _) => self.not_compared(file, "git cannot be asked about its path"),
            }
        }
    }
}

/// Whether the work tree has texts in the place of symbolic links.
fn has_no_links(snapshot: &Snapshot) -> bool {
    snapshot.repository().config().boolean("core.symlinks").ok().flatten() == Some(false)
}

/// The digest that a blob names, if it has the form of a pointer of Git LFS.
fn pointer(blob: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(blob).ok().filter(|text| text.len() < MAX_POINTER)?;
    if !text.starts_with("version https://git-lfs.github.com/spec/v1\n") {
        return None;
    }
    text.lines().find_map(|line| line.strip_prefix("oid sha256:"))
}

/// What is wrong with what cargo wrote about the version control when nothing but the commit was there.
fn unlike(written: &BTreeMap<String, Vec<u8>>, origins: &Origins<'_>) -> Option<&'static str> {
    let read = written.get(VCS_INFO).and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
    let Some(read) = read else { return Some("cargo wrote something unknown when the commit alone was packaged") };
    let commit = origins.snapshot().commit().to_string();
    if read["git"]["sha1"] != commit.as_str() || read["path_in_vcs"] != origins.folder() {
        return Some("cargo named another commit or folder when the commit alone was packaged");
    }
    let is_dirty = read["git"]["dirty"].as_bool() == Some(true);
    is_dirty.then_some("packaging the commit alone changes a file of it, such as a lock file that is not current")
}
