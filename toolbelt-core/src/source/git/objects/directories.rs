//! Where a repository keeps its objects: its own directory, and those that it borrows from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Damage;
use crate::source::file;

/// How deep `info/alternates` may point to directories that have one themselves; git stops there too.
const DEPTH: usize = 5;
/// How many directories are taken.
const MOST: usize = 1000;
/// The largest `info/alternates` that is read, in bytes.
const LARGEST_LIST: u64 = 1 << 20;
/// What separates paths in a variable.
const SEPARATOR: u8 = if cfg!(windows) { b';' } else { b':' };

/// The object directories of a repository, each once.
#[derive(Debug, Clone, Default)]
pub struct Directories {
    /// In the order in which git looks into them: its own first.
    pub paths: Vec<PathBuf>,
    /// What was named and cannot be looked into.
    pub missing: Vec<Damage>,
}

impl Directories {
    /// Finds the object directories of the repository whose common git directory is `common`.
    ///
    /// `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES` are taken from `environment`: this is how the objects of
    /// a push are shown to `pre-receive` before they are in the repository. Relative ones count from `current`.
    pub fn find(common: &Path, current: &Path, environment: &BTreeMap<String, String>) -> Self {
        let mut search = Search { known: BTreeSet::new(), found: Self::default() };
        let own = environment
            .get("GIT_OBJECT_DIRECTORY")
            .filter(|path| !path.is_empty())
            .map_or_else(|| common.join("objects"), |path| current.join(path));
        search.add(own, 0);
        if let Some(list) = environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
            for path in entries(list.as_bytes(), SEPARATOR) {
                search.add(current.join(path), 0);
            }
        }
        search.found
    }

    /// Directories that are known already.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { paths: paths.into_iter().collect(), missing: Vec::new() }
    }
}

/// A search for object directories.
struct Search {
    /// Resolved paths.
    known: BTreeSet<PathBuf>,
    found: Directories,
}

impl Search {
    /// Adds a directory and those that it borrows from; the recursion ends at [`DEPTH`].
    fn add(&mut self, path: PathBuf, depth: usize) {
        let real = match fs::canonicalize(&path) {
            Ok(real) if real.is_dir() => real,
            Ok(_) => return self.miss(path, "is not a directory".into()),
            Err(error) => return self.miss(path, error.to_string()),
        };
        if self.known.contains(&real) {
            return;
        }
        if depth > DEPTH || self.known.len() >= MOST {
            return self.miss(path, "object directories borrow from each other too deeply".into());
        }
        self.known.insert(real);
        let list = path.join("info/alternates");
        self.found.paths.push(path.clone());
        match fs::metadata(&list) {
            Err(_) => {}
            Ok(metadata) if metadata.len() > LARGEST_LIST => self.miss(list, "is too large".into()),
            Ok(_) => match fs::read(&list) {
                Err(error) => self.miss(list, error.to_string()),
                Ok(text) => {
                    for entry in entries(&text, b'\n') {
                        self.add(path.join(entry), depth + 1);
                    }
                }
            },
        }
    }

    fn miss(&mut self, path: PathBuf, why: String) {
        self.found.missing.push(Damage { path, object: None, why });
    }
}

/// The paths of a list: comments start with `#`, a path that starts with `"` is quoted as in C.
fn entries(list: &[u8], separator: u8) -> Vec<PathBuf> {
    let (mut rest, mut found) = (list, Vec::new());
    while !rest.is_empty() {
        if let Some((path, tail)) = unquote(rest)
            && tail.first().is_none_or(|&byte| byte == separator)
        {
            found.push(path);
            rest = tail.get(1..).unwrap_or_default();
            continue;
        }
        let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
        if !rest.starts_with(b"#") {
            found.push(rest[..end].to_vec());
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    found.into_iter().filter(|path| !path.is_empty()).map(file::path_of).collect()
}

/// What stands between the quotes at the start of `text`, and what follows them.
fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut path = Vec::new();
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => return Some((path, rest)),
            b'\\' => {
                let (&escape, tail) = rest.split_first()?;
                rest = tail;
                path.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'"' | b'\\' => escape,
                    b'0'..=b'3' => {
                        let (digits, tail) = rest.split_at_checked(2)?;
                        rest = tail;
                        let octal = |byte: u8| matches!(byte, b'0'..=b'7').then(|| byte - b'0');
                        (escape - b'0') << 6 | octal(digits[0])? << 3 | octal(digits[1])?
                    }
                    _ => return None,
                });
            }
            _ => path.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &str, separator: u8) -> Vec<String> {
        entries(list.as_bytes(), separator).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn lists_have_comments_and_quoted_paths() {
        assert_eq!(paths("/a\n# no\n\n../b/objects\n", b'\n'), ["/a", "../b/objects"]);
        assert_eq!(paths(r#"/a:"/b:c\t\303\251\"":/d"#, b':'), ["/a", "/b:c\té\"", "/d"]);
        assert_eq!(paths(r#""/a"b:"/c"#, b':'), [r#""/a"b"#, r#""/c"#]);
    }

    #[test]
    fn each_directory_is_found_once_however_they_point_at_each_other() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name).join("objects");
        for name in ["a", "b", "c", "d"] {
            fs::create_dir_all(at(name).join("info")).unwrap();
        }
        let link = |name: &str, text: &str| fs::write(at(name).join("info/alternates"), text).unwrap();
        link("a", "../../b/objects\n");
        link("b", "# cycle\n../../a/objects\n../../c/objects/../objects\n/not/there\n");
        let list = format!("{}:{}", at("d").display(), at("c").display());
        let environment = BTreeMap::from([("GIT_ALTERNATE_OBJECT_DIRECTORIES".to_owned(), list)]);
        let found = Directories::find(&root.path().join("a"), root.path(), &environment);
        let real: Vec<_> = found.paths.iter().map(|path| fs::canonicalize(path).unwrap()).collect();
        let expected: Vec<_> = ["a", "b", "c", "d"].map(|name| fs::canonicalize(at(name)).unwrap()).into();
        assert_eq!(real, expected);
        assert_eq!(found.missing.len(), 1);

        let environment = BTreeMap::from([("GIT_OBJECT_DIRECTORY".to_owned(), "d/objects".to_owned())]);
        let found = Directories::find(&root.path().join("a"), root.path(), &environment);
        assert_eq!(found.paths, [at("d")]);
    }

    #[test]
    fn long_chains_of_borrowing_end() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..20 {
            let directory = root.path().join(number.to_string());
            fs::create_dir_all(directory.join("objects/info")).unwrap();
            fs::write(directory.join("objects/info/alternates"), format!("../../{}/objects", number + 1)).unwrap();
        }
        let found = Directories::find(&root.path().join("0"), root.path(), &BTreeMap::new());
        assert_eq!(found.paths.len(), DEPTH + 1);
        assert_eq!(found.missing.len(), 1);
    }
}
