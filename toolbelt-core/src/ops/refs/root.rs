//! Whose keys are trusted: never what is itself under judgement.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Error, Run};
use crate::evidence::allowed_signers::{AllowedSigners, MAX_BYTES};
use crate::finding::Unknown;
use crate::ops::evidence::trust::{FILE, SETTING, judged_file};
use crate::report::{Coverage, SourceState, State};
use crate::source::file;
use crate::source::git::files::CommitFiles;
use crate::source::git::settings::{self, Form};
use crate::source::git::signed::News;
use crate::subject::content::ObjectId;
use crate::subject::digest::hex;
use crate::subject::malformed::Malformed;

/// Lines of the file that are told to be of no use.
const PROBLEMS: usize = 10;

/// Trusted keys, and where they come from.
pub(super) struct Root {
    /// The keys; without a file, why there is none.
    pub(super) signers: Result<AllowedSigners, Unknown>,
    /// The file, as messages call it.
    pub(super) name: String,
    /// What the report says of the file.
    pub(super) source: Option<SourceState>,
}

impl Root {
    /// Finds the file: the one that is named, else the one that is pinned, else that of the base.
    pub(super) fn find(run: &Run<'_>, news: &News, coverage: &mut Coverage) -> Result<Self, Error> {
        let directory = &run.request.environment.directory;
        if let Some(named) = &run.request.allowed_signers {
            return Self::at(run, news, &directory.join(named), named.display().to_string(), coverage);
        }
        let repository = &run.repository;
        let top = repository.root().unwrap_or_else(|| repository.git_dir());
        if let Some(pinned) = settings::get(top, repository.variables(), SETTING, Form::Path)? {
            if !Path::new(&pinned).is_absolute() {
                return Ok(Self::without(Unknown::new(format!(
                    "`{SETTING}` is `{pinned}`, which is no absolute path"
                ))));
            }
            return Self::at(run, news, Path::new(&pinned), pinned.clone(), coverage);
        }
        match run.judge.revisions.base {
            Some(base) if news.commits.contains(&base) => {
                Ok(Self::without(Unknown::new("the base is itself under judgement")))
            }
            Some(base) => Self::of_base(run, base, coverage),
            None => {
                let why = Unknown::new("nothing says whose keys are trusted");
                let hint = format!("name a file with --allowed-signers, or a revision that has {FILE} with --base");
                Ok(Self::without(why.hint(hint)))
            }
        }
    }

    fn without(why: Unknown) -> Self {
        Self { signers: Err(why), name: FILE.to_owned(), source: None }
    }

    /// A file outside of what is judged.
    fn at(run: &Run<'_>, news: &News, path: &Path, name: String, coverage: &mut Coverage) -> Result<Self, Error> {
        if let Some(inside) = judged_file(&run.repository, &news.tips, path)? {
            let why = Unknown::new(format!("`{inside}` is itself under judgement"));
            return Ok(Self::without(why.hint("take it from a revision that is not, with --base")));
        }
        let text = file::read_text(path, MAX_BYTES as u64)?;
        Ok(Self::parse(name, &text, coverage)?)
    }

    /// The file that the base has.
    fn of_base(run: &Run<'_>, base: ObjectId, coverage: &mut Coverage) -> Result<Self, Error> {
        let read = CommitFiles::open(&run.repository, base).map_err(Error::from)?.read(FILE);
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let why = Unknown::new(format!("the base has no `{FILE}`, so nothing says whose keys are trusted"));
                return Ok(Self::without(why.hint(format!("add `{FILE}` in a change of its own"))));
            }
            Err(why) => return Ok(Self::without(Unknown::new(format!("`{FILE}` of the base {why}")))),
        };
        // Otherwise nothing could be pushed that puts it right.
        let unusable = |why: &str| Self::without(Unknown::new(format!("`{FILE}` of the base {why}")));
        let Ok(text) = String::from_utf8(bytes) else { return Ok(unusable("is not UTF-8")) };
        let parsed = Self::parse(format!("{FILE} of the base"), &text, coverage);
        Ok(parsed.unwrap_or_else(|error| unusable(&error.message)))
    }

    fn parse(name: String, text: &str, coverage: &mut Coverage) -> Result<Self, Malformed> {
        let signers = AllowedSigners::parse(&name, text)?;
        for problem in signers.problems().iter().take(PROBLEMS) {
            let line = problem.location.region.as_ref().map_or(0, |region| region.line);
            coverage.skip(format!("line {line} of `{name}`"), 1, problem.message.as_str());
        }
        let source = SourceState {
            name: "allowed-signers".to_owned(),
            date: None,
            digest: Some(hex(&Sha256::digest(text))),
            state: State::Fresh,
        };
        Ok(Self { signers: Ok(signers), name, source: Some(source) })
    }
}
