//! What a checkout makes of blobs, by what the commit itself says: line ends, keywords, encodings. Filters are programs of
//! whoever has configured them, and are never run.

use super::Error;
use super::clone::Borrower;
use super::snapshot::Snapshot;
use crate::subject::content::ObjectId;
use crate::subject::tree::Mode;

/// The file that says how others are checked out.
const ATTRIBUTES: &str = ".gitattributes";

/// A blob at a path, and what its checkout is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Relative to the root, with `/`: attributes go by it.
    pub path: &'a str,
    /// The blob.
    pub blob: ObjectId,
    /// The content that it may become.
    pub content: &'a [u8],
}

/// How a blob compares with what is expected of its checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It becomes that.
    Same,
    /// It becomes something else.
    Other,
    /// It becomes something else unless the filter of this name, which the commit's attributes ask for, makes it of it.
    Filtered {
        /// The name: `lfs`.
        filter: String,
    },
    /// Git cannot be asked about its path.
    NotAsked,
}

/// Compares each blob with what is expected when its commit is checked out.
///
/// The attributes are those of the commit alone: others, as those in `$GIT_DIR/info/attributes`, are no part of what was
/// reviewed, and whatever ran here before may have written them.
///
/// # Errors
///
/// [`Error::Program`] if git fails, or there is no place for temporary files.
pub fn becomes(snapshot: &Snapshot, expected: &[Expected<'_>]) -> Result<Vec<Made>, Error> {
    let failed = |error: std::io::Error| not_asked(&error.to_string());
    let folder = tempfile::Builder::new().prefix("toolbelt-").tempdir().map_err(failed)?;
    let git = Borrower::make(snapshot.repository(), folder.path())?;
    check_out_attributes(&git, snapshot)?;
    let asked = expected.iter().filter(|expected| can_ask(expected.path)).collect::<Vec<_>>();
    let filters = filters(&git, &asked)?;
    let mark = mark()?;
    let input: Vec<String> =
        asked.iter().map(|Expected { path, blob, .. }| format!("{blob} {path}\n{mark} x\n")).collect();
    let output = git.succeed(&["cat-file", "--batch", "--filters"], input.concat().as_bytes())?;
    let end = format!("\n{mark} missing\n");
    let mut rest = output.as_slice();
    let mut filters = filters.into_iter();
    let compare = |expected: &Expected<'_>| {
        if !can_ask(expected.path) {
            return Ok(Made::NotAsked);
        }
        let answer = next(&mut rest, end.as_bytes()).ok_or_else(|| did_not_answer("cat-file --batch --filters"))?;
        let filter = filters.next().flatten();
        Ok(match filter {
            _ if answer == expected.content => Made::Same,
            Some(filter) => Made::Filtered { filter },
            None => Made::Other,
        })
    };
    expected.iter().map(compare).collect()
}

/// Writes the files that hold attributes, as the commit has them, and no others.
fn check_out_attributes(git: &Borrower<'_>, snapshot: &Snapshot) -> Result<(), Error> {
    let is_wanted = |path: &&str| {
        let is_file = matches!(snapshot.at(path), Some((Mode::File | Mode::Executable, _)));
        is_file && path.rsplit('/').next() == Some(ATTRIBUTES)
    };
    git.succeed(&["read-tree", &snapshot.commit().to_string()], &[])?;
    let paths = lines(snapshot.paths().filter(is_wanted));
    git.succeed(&["checkout-index", "--quiet", "-z", "--stdin"], &paths)?;
    Ok(())
}

/// The filter that attributes ask for, of each path; none where they ask for none.
fn filters(git: &Borrower<'_>, asked: &[&Expected<'_>]) -> Result<Vec<Option<String>>, Error> {
    let paths = lines(asked.iter().map(|expected| expected.path));
    let output = git.succeed(&["check-attr", "-z", "--stdin", "filter"], &paths)?;
    let fields: Vec<&[u8]> = output.split(|byte| *byte == 0).collect();
    let answers: Vec<&[&[u8]]> = fields.chunks_exact(3).collect();
    if answers.len() != asked.len() {
        return Err(did_not_answer("check-attr filter"));
    }
    let filter = |answer: &&[&[u8]]| match answer.last().copied() {
        None | Some(b"unspecified" | b"unset" | b"set" | b"") => None,
        Some(name) => Some(String::from_utf8_lossy(name).into_owned()),
    };
    Ok(answers.iter().map(filter).collect())
}

/// Paths as git reads them with `-z`.
fn lines<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<u8> {
    paths.flat_map(|path| [path.as_bytes(), b"\0"].concat()).collect()
}

fn not_asked(why: &str) -> Error {
    Error::Program { command: "cat-file".to_owned(), why: format!("was not asked: {why}") }
}

fn did_not_answer(command: &str) -> Error {
    Error::Program { command: command.to_owned(), why: "did not answer".to_owned() }
}

/// Takes the next answer off: what follows its first line, up to the mark.
///
/// The first line says how long the blob is, and not how long the answer, which filters change.
fn next<'a>(rest: &mut &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let whole = *rest;
    let start = memchr::memchr(b'\n', whole)? + 1;
    let length = memchr::memmem::find(&whole[start..], end)?;
    *rest = &whole[start + length + end.len()..];
    Some(&whole[start..start + length])
}

/// Whether a path can be written into a line after a space.
fn can_ask(path: &str) -> bool {
    !path.is_empty() && !path.contains(['\n', '\0']) && !path.starts_with([' ', '\t'])
}

/// A name that no object has and nothing that is compared can hold: nobody could know it before.
fn mark() -> Result<String, Error> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| not_asked(&error.to_string()))?;
    Ok(format!("toolbelt-{}", crate::subject::digest::hex(&random)))
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    fn snapshot(sandbox: &Sandbox) -> Snapshot {
        Snapshot::open(&sandbox.open(), sandbox.id("HEAD")).unwrap()
    }

    fn made(sandbox: &Sandbox, path: &str, content: &[u8]) -> Made {
        let expected = [Expected { path, blob: sandbox.id(&format!("HEAD:{path}")), content }];
        becomes(&snapshot(sandbox), &expected).unwrap().remove(0)
    }

    /// Compares what is said of each path with what a checkout writes.
    fn agrees(sandbox: &Sandbox, paths: &[&str]) {
        for path in paths {
            std::fs::remove_file(sandbox.root.join(path)).unwrap();
        }
        sandbox.git(&[&["checkout", "HEAD", "--"], paths].concat());
        let contents: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(sandbox.root.join(path)).unwrap()).collect();
        let ask = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
            let changed: Vec<Vec<u8>> = contents.iter().map(|content| change(content)).collect();
            let expected: Vec<Expected<'_>> = paths
                .iter()
                .zip(&changed)
                .map(|(path, content)| Expected { path, blob: sandbox.id(&format!("HEAD:{path}")), content })
                .collect();
            becomes(&snapshot(sandbox), &expected).unwrap()
        };
        assert_eq!(ask(&<[u8]>::to_vec), vec![Made::Same; paths.len()]);
        assert_eq!(ask(&|content| [content, b"x"].concat()), vec![Made::Other; paths.len()]);
    }

    #[test]
    fn blobs_become_what_git_writes() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write(".gitattributes", "*.txt text eol=crlf\n*.id ident\n");
        sandbox.write("a/.gitattributes", "*.wide text working-tree-encoding=UTF-16LE\n");
        sandbox.write("a/lines.txt", "one\r\ntwo\r\n");
        sandbox.write("key.id", "$Id$\n");
        sandbox.write("a/text.wide", "h\0i\0\n\0");
        sandbox.write("with space.txt", "x\r\n");
        sandbox.write("empty", "");
        sandbox.write("plain", "toolbelt-0 missing\n");
        sandbox.commit("one");
        agrees(&sandbox, &["a/lines.txt", "key.id", "a/text.wide", "with space.txt", "empty", "plain"]);
        // What counts are the attributes of the commit.
        sandbox.write(".gitattributes", "");
        assert_eq!(made(&sandbox, "a/lines.txt", b"one\r\ntwo\r\n"), Made::Same);
        sandbox.git(&["config", "core.autocrlf", "true"]);
        assert_eq!(made(&sandbox, "plain", b"toolbelt-0 missing\r\n"), Made::Same, "the user's line ends");
    }

    #[test]
    fn filters_are_named_and_never_run() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write(".gitattributes", "*.rot filter=rot\n");
        sandbox.write("secret.rot", "hello\n");
        sandbox.commit("one");
        sandbox.git(&["config", "filter.rot.smudge", "touch ran; tr a-z A-Z"]);
        sandbox.git(&["config", "filter.rot.required", "true"]);
        let rot = Made::Filtered { filter: "rot".to_owned() };
        assert_eq!(made(&sandbox, "secret.rot", b"HELLO\n"), rot);
        assert_eq!(made(&sandbox, "secret.rot", b"hello\n"), Made::Same, "it is the blob");
        assert!(!sandbox.root.join("ran").exists());
    }

    #[test]
    fn attributes_that_no_commit_has_do_not_count() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "hello\n");
        sandbox.commit("one");
        let attributes = "* filter=up text working-tree-encoding=UTF-16LE\n";
        sandbox.write(".git/info/attributes", attributes);
        sandbox.write("../own-attributes", attributes);
        sandbox.write(".gitattributes", attributes);
        let own = sandbox.beside("own-attributes").root;
        sandbox.git(&["config", "core.attributesFile", own.to_str().unwrap()]);
        sandbox.git(&["config", "filter.up.smudge", "tr a-z A-Z"]);
        for content in [b"HELLO\n".as_slice(), b"h\0e\0l\0l\0o\0\n\0"] {
            assert_eq!(made(&sandbox, "a", content), Made::Other);
        }
        assert_eq!(made(&sandbox, "a", b"hello\n"), Made::Same);
    }

    #[test]
    fn what_git_cannot_be_asked_is_left_open() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "x");
        sandbox.commit("one");
        let blob = sandbox.id("HEAD:a");
        let expected = ["a\nb", " a", "a"].map(|path| Expected { path, blob, content: b"x" });
        let answers = becomes(&snapshot(&sandbox), &expected).unwrap();
        assert_eq!(answers, [Made::NotAsked, Made::NotAsked, Made::Same]);
    }
}
