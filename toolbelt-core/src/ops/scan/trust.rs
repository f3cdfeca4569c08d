//! Whose policy counts: a change cannot excuse itself.

use std::path::{Path, PathBuf};

use super::{Error, Inline, Request, Target};
use crate::audit::Markers;
use crate::evidence::allowed_signers::AllowedSigners;
use crate::ops::causes;
use crate::ops::evidence::trust::FILE as SIGNERS;
use crate::ops::policy::{self, Loaded};
use crate::policy::allow_list::AllowListFormat;
use crate::policy::baseline::Baseline;
use crate::policy::{NotCarriedOver, Policy};
use crate::report::Coverage;
use crate::rules::blob::secrets::engine::Engine;
use crate::rules::blob::secrets::{examples, pattern_file};
use crate::source::file;
use crate::source::git::files::CommitFiles;
use crate::source::git::repository::GitRepository;
use crate::source::git::{default_branch, peel, push, range, receive};
use crate::subject::content::ObjectId;
use crate::subject::malformed::Malformed;
use crate::subject::value_key::ValueKey;

/// The folder of toolbelt's own files, relative to the root.
const FOLDER: &str = ".toolbelt";

/// What a run judges by.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Judge {
    /// The policy, with what it was read from.
    pub(in crate::ops) loaded: Loaded,
    /// The key under which accepted secrets are named.
    pub(in crate::ops) key: ValueKey,
    /// The repository's own pattern files: path and text.
    pub(in crate::ops) patterns: Vec<(String, String)>,
    /// What becomes of markers beside a finding.
    pub(in crate::ops) markers: Markers,
    /// The commits that these were read from.
    pub(in crate::ops) revisions: Revisions,
    /// What of the base cannot be understood, and so does not count: why, one line each.
    pub(in crate::ops) passed_over: Vec<String>,
}

/// The commit on the trusted side.
pub(super) fn base(request: &Request, repository: &GitRepository) -> Result<Option<ObjectId>, Error> {
    Ok(Revisions::of(request, repository)?.base)
}

/// Where the files are that say how something is judged.
enum Files {
    Folder(PathBuf),
    Commit(CommitFiles),
}

impl Judge {
    /// Reads what counts: a policy that is named; else the base's, with what the change adds as the change's own; else
    /// that of the work tree.
    ///
    /// What the change brings has to be understood. What the base has and cannot be understood is passed over: otherwise
    /// nothing could be pushed that puts it right.
    pub(in crate::ops) fn of(
        request: &Request,
        repository: Option<&GitRepository>,
        root: &Path,
        revisions: Revisions,
    ) -> Result<Self, Error> {
        let folder = || Files::Folder(root.to_owned());
        let change = match (repository, revisions.change) {
            (Some(repository), Some(commit)) => Files::Commit(CommitFiles::open(repository, commit)?),
            _ => folder(),
        };
        let mut judge = match (repository, revisions.base) {
            (Some(repository), Some(base)) => {
                let mut judge = Self::of_base(CommitFiles::open(repository, base)?)?;
                let proposed = Self::read(&change)?;
                proposed.understood(&judge, &change)?;
                if revisions.is_whole {
                    judge.loaded.policy.propose(&proposed.loaded.policy);
                }
                judge.loaded.texts = proposed.loaded.texts;
                judge.markers = Markers::OfTheChange;
                judge
            }
            // Nothing that is trusted is known: what the change says of itself is told as its own.
            _ if request.target.is_judged() => {
                let own = Self::read(&change)?;
                let mut policy = Policy::default();
                if revisions.is_whole {
                    policy.propose(&own.loaded.policy);
                }
                Self { loaded: Loaded { policy, ..own.loaded }, markers: Markers::OfTheChange, ..own }
            }
            _ => Self::read(&change)?,
        };
        if let Some(named) = &request.policy {
            judge.loaded = policy::load(root, Some(named))?;
        }
        if request.inline == Inline::Ignored {
            judge.markers = Markers::Ignored;
        }
        judge.revisions = revisions;
        Ok(judge)
    }

    /// Says what does not count.
    pub(in crate::ops) fn tell(&self, coverage: &mut Coverage) {
        for why in &self.passed_over {
            coverage.could_not_look("what says how to judge", why.as_str());
        }
    }

    /// What is looked for; the examples of the repository's own patterns have to hold.
    pub(in crate::ops) fn engine(&self) -> Result<Engine, Error> {
        let engine = Engine::with(self.patterns.clone())?;
        for (path, text) in &self.patterns {
            for described in pattern_file::parse(path, text)? {
                if let Some(why) = examples::check(&engine, &described).into_iter().next() {
                    return Err(Error::Example { path: path.clone(), why });
                }
            }
        }
        Ok(engine)
    }

    /// What the base has; what of it cannot be understood is told, and counts as if it were not there.
    fn of_base(files: CommitFiles) -> Result<Self, Error> {
        let mut judge = match Self::read(&Files::Commit(files)) {
            Err(error @ (Error::Malformed(_) | Error::Policy(policy::Error::Malformed(_)))) => {
                let mut nothing = Self {
                    loaded: Loaded::default(),
                    key: ValueKey::none(),
                    patterns: Vec::new(),
                    markers: Markers::Honoured,
                    revisions: Revisions::default(),
                    passed_over: Vec::new(),
                };
                nothing.passed_over.push(causes(&error));
                nothing
            }
            judge => judge?,
        };
        if !judge.patterns.is_empty()
            && let Err(error) = judge.engine()
        {
            judge.passed_over.push(causes(&error));
            judge.patterns.clear();
        }
        Ok(judge)
    }

    /// Looks at what reading alone does not: patterns that are new, and the list of keys.
    fn understood(&self, base: &Self, files: &Files) -> Result<(), Error> {
        if self.patterns != base.patterns {
            self.engine()?;
        }
        if let Some(text) = files.read(SIGNERS)? {
            AllowedSigners::parse(SIGNERS, &text)?;
        }
        Ok(())
    }

    fn read(files: &Files) -> Result<Self, Error> {
        // What cargo-deny and cargo-audit are told is about packages alone.
        let mut loaded = Loaded::default();
        if let Some(text) = files.read(crate::policy::FILE)? {
            loaded.understand(crate::policy::FILE, text)?;
        }
        for (format, name) in AllowListFormat::FILES {
            if let Some(text) = files.read(name)? {
                let left = loaded.policy.allow_lists.add(*format, name, &text)?;
                loaded.not_carried_over.extend(left.into_iter().map(|key| NotCarriedOver { key }));
            }
        }
        if let Some(text) = files.read(Baseline::FILE)? {
            loaded.policy.baseline = Baseline::parse(Baseline::FILE, &text)?;
            loaded.texts.insert(Baseline::FILE.to_owned(), text);
        }
        let key = match files.read(ValueKey::FILE)? {
            None => ValueKey::none(),
            Some(text) => ValueKey::parse(&text)
                .ok_or_else(|| Malformed::whole(ValueKey::FILE, "expected 64 hexadecimal digits"))?,
        };
        let mut patterns = Vec::new();
        for name in files.list(FOLDER)? {
            let is_patterns =
                name.starts_with("patterns") && Path::new(&name).extension().is_some_and(|end| end == "toml");
            let path = format!("{FOLDER}/{name}");
            if let Some(text) = is_patterns.then(|| files.read(&path)).transpose()?.flatten() {
                patterns.push((path, text));
            }
        }
        let (markers, revisions) = (Markers::Honoured, Revisions::default());
        Ok(Self { loaded, key, patterns, markers, revisions, passed_over: Vec::new() })
    }
}

impl Files {
    fn read(&self, name: &str) -> Result<Option<String>, Error> {
        match self {
            Self::Folder(root) => Ok(policy::read(root, name).map_err(policy::Error::from)?),
            Self::Commit(files) => {
                let bytes = files.read(name).map_err(|why| Error::File { path: name.to_owned(), why })?;
                let text = bytes.map(String::from_utf8).transpose();
                Ok(text.map_err(|_| Malformed::whole(name, "is not UTF-8"))?)
            }
        }
    }

    /// The names in a folder, sorted; none if there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        match self {
            Self::Folder(root) => Ok(file::names(&root.join(folder)).map_err(policy::Error::from)?),
            Self::Commit(files) => files.list(folder).map_err(|why| Error::File { path: folder.to_owned(), why }),
        }
    }
}

/// The commits whose files say how a run judges.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::ops) struct Revisions {
    /// The trusted side; none where the developer's own files count.
    pub(in crate::ops) base: Option<ObjectId>,
    /// The side under judgement; none for the work tree.
    pub(in crate::ops) change: Option<ObjectId>,
    /// Whether that is all that is under judgement.
    pub(in crate::ops) is_whole: bool,
}

impl Revisions {
    pub(in crate::ops) fn of(request: &Request, repository: &GitRepository) -> Result<Self, Error> {
        let mut revisions = match &request.target {
            Target::Range(range) => {
                let (tips, hidden) = range::ends(repository, range)?;
                // Either end may be named by an annotated tag.
                let commit = |ids: &[ObjectId]| peeled(repository, ids.first().copied());
                Self { base: commit(&hidden), change: commit(&tips), is_whole: tips.len() == 1 }
            }
            Target::Push { remote, refs, .. } => Self::of_push(repository, remote, refs)?,
            Target::Receive(refs) => Self::of_receive(repository, refs)?,
            Target::Staged | Target::Message(_) | Target::History { .. } | Target::Paths(_) => {
                Self { is_whole: true, ..Self::default() }
            }
        };
        if let Some(named) = &request.base {
            revisions.base = range::ends(repository, &format!("{named}^{{commit}}"))?.0.first().copied();
        }
        Ok(revisions)
    }

    /// What the server's default branch is, and what it is to be, or else the first ref that is moved.
    fn of_receive(repository: &GitRepository, refs: &str) -> Result<Self, Error> {
        let branches = default_branch::of_repository(repository);
        let updates = receive::updates(refs.as_bytes())?;
        let is_default = |update: &&receive::Update| branches.contains(&receive::meant(repository, &update.name));
        let moved = updates.iter().filter(is_default).chain(&updates).filter_map(|update| update.new);
        let (change, is_whole) = change(repository, moved);
        // A `HEAD` that is detached is a commit all the same.
        let base = commit(repository, "HEAD").or_else(|| branches.iter().find_map(|name| commit(repository, name)));
        Ok(Self { base, change, is_whole })
    }

    /// What the remote's default branch was when it was last seen, else that of `origin`, else what the first ref was that
    /// the push moves.
    fn of_push(repository: &GitRepository, remote: &str, refs: &str) -> Result<Self, Error> {
        let updates = push::updates(refs.as_bytes())?;
        let (change, is_whole) = change(repository, updates.iter().filter_map(|update| update.new));
        let of = |remote: &str| ["HEAD", "main", "master"].map(|name| format!("refs/remotes/{remote}/{name}"));
        // Who pushes to a URL means, most likely, the remote that `origin` is.
        let names = of(remote).into_iter().chain(of("origin"));
        let tracked = names.into_iter().find_map(|name| commit(repository, &name));
        let base = tracked.or_else(|| peeled(repository, updates.iter().find_map(|update| update.old)));
        Ok(Self { base, change, is_whole })
    }
}

/// The first of some commits, and whether it is all of them: what one of them says must not excuse another, nor what lies
/// around a push that brings nothing and only deletes.
fn change(repository: &GitRepository, ids: impl Iterator<Item = ObjectId>) -> (Option<ObjectId>, bool) {
    let commits: Vec<ObjectId> = ids.filter_map(|id| peel::commit(repository, id)).collect();
    let is_whole = !commits.is_empty() && commits.windows(2).all(|pair| pair[0] == pair[1]);
    (commits.first().copied(), is_whole)
}

/// The commit that a revision names; none if there is none.
fn commit(repository: &GitRepository, revision: &str) -> Option<ObjectId> {
    range::ends(repository, &format!("{revision}^{{commit}}")).ok()?.0.first().copied()
}

fn peeled(repository: &GitRepository, id: Option<ObjectId>) -> Option<ObjectId> {
    peel::commit(repository, id?)
}
