//! The message of a commit that is about to be made, as a `commit-msg` hook finds it.

use std::path::Path;

use memchr::memmem;

use super::repository::GitRepository;
use super::{Error, Met, Visit};
use crate::report::Coverage;
use crate::source::file;
use crate::subject::content::{Content, ContentKind, News, ObjectId};
use crate::subject::sighting::{Exposure, Place};

/// The largest message that is read. Git takes more, but nobody reads them.
const MAX_BYTES: u64 = 16 << 20;
/// What `git commit --verbose` puts above the difference that it shows; nothing below it is kept.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";
/// The longest prefix of a comment that is taken for one, in bytes.
const LONGEST_COMMENT: usize = 8;

/// Hands out the message in a file.
///
/// Comments are handed out too: which of them git takes out depends on how it was called, which a hook is not told. What
/// is below the line that `--verbose` draws is not, unless nobody was to edit the message: then it stays.
///
/// # Errors
///
/// [`Error::Path`] if the file cannot be read.
pub fn visit(repository: &GitRepository, path: &Path, visit: Visit<'_>, coverage: &mut Coverage) -> Result<(), Error> {
    let bytes = file::read(path, MAX_BYTES).map_err(|error| {
        let why = match error {
            file::Error::Io { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        Error::Path { path: path.to_owned(), why }
    })?;
    // Git says so to hooks when it starts no editor.
    let is_edited = repository.variables().get("GIT_EDITOR").is_none_or(|editor| editor != ":");
    let bytes = if is_edited { above_scissors(&bytes) } else { &bytes };
    let name = path.file_name().map_or_else(|| "message".into(), |name| name.to_string_lossy());
    let id = ObjectId::null(repository.hash());
    let place = Place {
        path: Some(name.into_owned()),
        object: id,
        kind: ContentKind::Commit,
        commit: None,
        exposure: Exposure::Staged,
    };
    coverage.count("messages", 1);
    coverage.count("bytes", bytes.len());
    let content = Content { id, kind: ContentKind::Commit, bytes, news: News::All };
    visit(&Met { content, place: Some(&place), pack: None });
    Ok(())
}

/// Whether the commit that is about to be made has several parents.
pub fn is_merge(repository: &GitRepository) -> bool {
    repository.git_dir().join("MERGE_HEAD").is_file()
}

fn above_scissors(message: &[u8]) -> &[u8] {
    for at in memmem::find_iter(message, SCISSORS) {
        let start = memchr::memrchr(b'\n', &message[..at]).map_or(0, |end| end + 1);
        let behind = message.get(at + SCISSORS.len()).copied().unwrap_or(b'\n');
        if (1..=LONGEST_COMMENT).contains(&(at - start)) && matches!(behind, b'\n' | b'\r') {
            return &message[..start];
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_shows_below_its_line_is_not_part_of_the_message() {
        let line = "------------------------ >8 ------------------------";
        let above = |text: String| above_scissors(text.as_bytes()).to_vec();
        assert_eq!(above(format!("a\n# {line}\n+secret\n")), b"a\n");
        assert_eq!(above(format!(";; {line}\r\n+secret\n")), b"");
        for kept in [format!("a\n {line}\nb\n"), format!("a # b # c {line}\nb"), format!("# {line} x\n"), String::new()]
        {
            assert_eq!(above(kept.clone()), kept.as_bytes());
        }
    }
}
