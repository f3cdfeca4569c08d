//! What a checkout makes of blobs: line ends, keywords, encodings, and the filters that the user has configured.

use std::time::Duration;

use super::Error;
use super::program::Call;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// How long git and the filters may take for all blobs together.
const LIMIT: Duration = Duration::from_mins(2);

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

/// Whether each blob becomes what is expected when a commit is checked out; none where git cannot be asked.
///
/// The attributes are those of the commit and of `$GIT_DIR/info/attributes`, the filters those that the user's and the
/// repository's configuration name. One command is asked for all.
///
/// # Errors
///
/// [`Error::Program`] if git or a filter that is required fails.
pub fn becomes(
    repository: &GitRepository,
    commit: ObjectId,
    expected: &[Expected<'_>],
) -> Result<Vec<Option<bool>>, Error> {
    let mark = mark()?;
    let asked = expected.iter().filter(|expected| can_ask(expected.path));
    let input: Vec<String> = asked.map(|Expected { path, blob, .. }| format!("{blob} {path}\n{mark} x\n")).collect();
    let commit = commit.to_string();
    let call = Call::new(&["cat-file", "--batch", "--filters"]);
    let variables = [
        // Older versions take the attributes of the work tree.
        ("GIT_ATTR_SOURCE", commit.as_str()),
        // What Git LFS would fetch is compared by its digest instead.
        ("GIT_LFS_SKIP_SMUDGE", "1"),
    ];
    let call =
        Call { input: input.concat().into_bytes(), limit: LIMIT, variables: &variables, in_work_tree: true, ..call };
    let output = call.succeed(repository)?;
    let end = format!("\n{mark} missing\n");
    let mut rest = output.as_slice();
    let mut answers = Vec::with_capacity(expected.len());
    for expected in expected {
        if !can_ask(expected.path) {
            answers.push(None);
            continue;
        }
        let answer = next(&mut rest, end.as_bytes()).ok_or_else(|| Error::Program {
            command: "cat-file --batch --filters".to_owned(),
            why: "did not answer".to_owned(),
        })?;
        answers.push(Some(answer == expected.content));
    }
    Ok(answers)
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
    getrandom::fill(&mut random)
        .map_err(|error| Error::Program { command: "cat-file".to_owned(), why: format!("was not asked: {error}") })?;
    Ok(format!("toolbelt-{}", crate::subject::digest::hex(&random)))
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    /// Compares what is said of each path with what a checkout writes.
    fn agrees(sandbox: &Sandbox, paths: &[&str]) {
        let commit = sandbox.id("HEAD");
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
            becomes(&sandbox.open(), commit, &expected).unwrap()
        };
        assert_eq!(ask(&<[u8]>::to_vec), vec![Some(true); paths.len()]);
        assert_eq!(ask(&|content| [content, b"x"].concat()), vec![Some(false); paths.len()]);
    }

    #[test]
    fn blobs_become_what_git_writes() {
        let sandbox = Sandbox::new(&[]);
        sandbox.git(&["config", "filter.rot.clean", "tr a-z b-za"]);
        sandbox.git(&["config", "filter.rot.smudge", "tr b-za a-z"]);
        sandbox.write(
            ".gitattributes",
            "*.txt text eol=crlf\n*.id ident\n*.wide text working-tree-encoding=UTF-16LE\n*.rot filter=rot\n",
        );
        sandbox.write("a/lines.txt", "one\r\ntwo\r\n");
        sandbox.write("key.id", "$Id$\n");
        sandbox.write("text.wide", "h\0i\0\n\0");
        sandbox.write("secret.rot", "hello\n");
        sandbox.write("with space.txt", "x\r\n");
        sandbox.write("empty", "");
        sandbox.write("plain", "toolbelt-0 missing\n");
        sandbox.commit("one");
        agrees(&sandbox, &["a/lines.txt", "key.id", "text.wide", "secret.rot", "with space.txt", "empty", "plain"]);
        // What counts are the attributes of the commit.
        sandbox.write(".gitattributes", "");
        let blob = sandbox.id("HEAD:a/lines.txt");
        let expected = [Expected { path: "a/lines.txt", blob, content: b"one\r\ntwo\r\n" }];
        assert_eq!(becomes(&sandbox.open(), sandbox.id("HEAD"), &expected).unwrap(), [Some(true)]);
    }

    #[test]
    fn what_git_cannot_be_asked_is_left_open() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "x");
        let commit = sandbox.commit("one");
        let blob = sandbox.id("HEAD:a");
        let expected = ["a\nb", " a", "a"].map(|path| Expected { path, blob, content: b"x" });
        assert_eq!(becomes(&sandbox.open(), commit, &expected).unwrap(), [None, None, Some(true)]);
    }

    #[test]
    fn a_required_filter_that_fails_is_an_error() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "x");
        sandbox.write(".gitattributes", "a filter=odd\n");
        let commit = sandbox.commit("one");
        sandbox.git(&["config", "filter.odd.smudge", "false"]);
        sandbox.git(&["config", "filter.odd.required", "true"]);
        let expected = [Expected { path: "a", blob: sandbox.id("HEAD:a"), content: b"x" }];
        assert!(becomes(&sandbox.open(), commit, &expected).is_err());
    }
}
