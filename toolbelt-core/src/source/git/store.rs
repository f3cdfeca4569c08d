//! Access to single objects, in whatever directory, pack or file they are.

use std::path::PathBuf;

use gix::hash::{Kind as HashKind, oid};
use gix::objs::{Data, Find, Kind};
use gix::odb::Handle;
use gix::odb::store::init::Options;

use super::Error;

/// The objects of a repository, quarantine and alternates included.
///
/// A clone is cheap and for another thread. Replacements (`git replace`) and grafts are not followed, so that nothing
/// can hide behind them: the objects themselves are handed out.
#[derive(Clone)]
pub struct Store {
    databases: Vec<Database>,
    hash: HashKind,
    absent: &'static str,
}

/// One directory of objects.
#[derive(Clone)]
struct Database {
    /// As it was when it was first read: a miss costs nothing.
    settled: Handle,
    /// As it is: a miss looks for packs that came since, as those of a repack running at the same time.
    current: Handle,
}

/// Why an object could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It is not here.
    #[error("{0}")]
    Absent(&'static str),
    /// It is damaged, or larger than [`Store::MAX_BYTES`].
    #[error("could not be read: {0}")]
    Unreadable(String),
    /// It is of another kind than what refers to it says.
    #[error("is a {0}, which is not what refers to it says")]
    Kind(Kind),
}

impl Store {
    /// The largest object that is read.
    pub const MAX_BYTES: usize = 512 << 20;

    /// Opens directories of objects, the first of which has to be there.
    pub(super) fn open(directories: &[PathBuf], hash: HashKind, absent: &'static str) -> Result<Self, Error> {
        let mut databases = Vec::with_capacity(directories.len());
        for (at, directory) in directories.iter().enumerate() {
            let options = Options { alloc_limit_bytes: Some(Self::MAX_BYTES), ..Options::default() };
            match gix::odb::at_opts(directory, hash, None, options) {
                Ok(current) => {
                    let mut settled = current.clone();
                    settled.refresh_never();
                    databases.push(Database { settled, current });
                }
                // What the others lack because of it is said when it is missed.
                Err(_) if at > 0 => {}
                Err(source) => return Err(Error::Objects { directory: directory.clone(), source }),
            }
        }
        Ok(Self { databases, hash, absent })
    }

    /// The hash function of its objects.
    pub fn hash(&self) -> HashKind {
        self.hash
    }

    /// Keeps the bases of deltas at hand, of at most `bytes` in all: for walks over many objects that are alike.
    #[must_use]
    pub fn with_pack_cache(mut self, bytes: usize) -> Self {
        for database in &mut self.databases {
            database
                .settled
                .set_pack_cache(move || Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(bytes)));
        }
        self
    }

    /// Whether an object is here, readable or not.
    pub fn has(&self, id: &oid) -> bool {
        let exists = |handle: &Handle| gix::objs::Exists::exists(handle, id);
        self.databases.iter().any(|database| exists(&database.settled))
            || self.databases.iter().any(|database| exists(&database.current))
    }

    /// What an object is, without reading all of it; none if it cannot be had.
    pub fn kind(&self, id: &oid) -> Option<Kind> {
        let kind =
            |handle: &Handle| gix::odb::Header::try_header(handle, id).ok().flatten().map(|header| header.kind());
        let settled = self.databases.iter().find_map(|database| kind(&database.settled));
        settled.or_else(|| self.databases.iter().find_map(|database| kind(&database.current)))
    }

    /// Reads an object of whatever kind.
    ///
    /// # Errors
    ///
    /// [`Missing`] says why it could not be had.
    pub fn read<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> Result<Data<'a>, Missing> {
        match self.try_find(id, buffer) {
            Ok(Some(data)) => Ok(data),
            Ok(None) => Err(Missing::Absent(self.absent)),
            Err(error) => Err(Missing::Unreadable(error.to_string())),
        }
    }

    /// Reads an object of one kind.
    ///
    /// # Errors
    ///
    /// [`Missing`] says why it could not be had.
    pub fn read_kind<'a>(&self, id: &oid, kind: Kind, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Missing> {
        let data = self.read(id, buffer)?;
        if data.kind == kind { Ok(data.data) } else { Err(Missing::Kind(data.kind)) }
    }
}

impl Find for Store {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        let handles = self.databases.iter().map(|database| &database.settled);
        let mut failed = None;
        for handle in handles.chain(self.databases.iter().map(|database| &database.current)) {
            match handle.try_find(id, buffer) {
                Ok(Some(Data { kind, object_hash, .. })) => {
                    return Ok(Some(Data { kind, object_hash, data: buffer }));
                }
                Ok(None) => {}
                // Another copy may be whole.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;
    use crate::subject::content::ObjectId;

    #[test]
    fn alternates_are_followed_and_a_missing_one_is_only_missed() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        let commit = sandbox.commit("a");
        sandbox.git(&["clone", "--quiet", "--shared", ".", "../shared"]);
        let shared = sandbox.beside("shared");
        assert!(shared.open().store().unwrap().has(&commit));
        std::fs::rename(sandbox.root.join(".git/objects"), sandbox.root.join(".git/gone")).unwrap();
        let store = shared.open().store().unwrap();
        let missing = store.read(&commit, &mut Vec::new()).unwrap_err();
        assert!(matches!(missing, Missing::Absent(_)), "{missing}");
    }

    #[test]
    fn objects_that_are_damaged_or_packed_meanwhile() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "one\n");
        let commit = sandbox.commit("a");
        let store = sandbox.open().store().unwrap();
        let mut buffer = Vec::new();
        assert!(matches!(store.read_kind(&commit, Kind::Blob, &mut buffer), Err(Missing::Kind(Kind::Commit))));
        sandbox.git(&["gc", "--quiet", "--prune=now"]);
        assert!(store.read(&commit, &mut buffer).is_ok());
        sandbox.write("a", "two\n");
        let commit = sandbox.commit("b").to_string();
        let path = sandbox.root.join(".git/objects").join(&commit[..2]).join(&commit[2..]);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"no object").unwrap();
        let id = ObjectId::from_hex(commit.as_bytes()).unwrap();
        let missing = sandbox.open().store().unwrap().read(&id, &mut buffer).unwrap_err();
        assert!(matches!(missing, Missing::Unreadable(_)), "{missing}");
    }
}
