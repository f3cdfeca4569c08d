//! What refs were, compared with what they are.

use std::collections::BTreeMap;

use super::updates::Protected;
use super::{Error, Rewrites, Run};
use crate::finding::{Level, Unknown};
use crate::ops::scan::Target;
use crate::report::Coverage;
use crate::rules::repository::rewritten_history;
use crate::source::git::repository::GitRepository;
use crate::source::git::{ancestry, push, tracked};
use crate::store::ref_log::{Contents, Entry, Known, RefLogFile, Refs};
use crate::subject::content::ObjectId;
use crate::subject::ref_log::{Notes, RefLog, Rewritten};
use crate::subject::ref_update::{Movement, is_tag};

/// What git calls the repository itself where it wants a remote.
const HERE: &str = ".";

/// What is known of the refs of one remote now.
struct Now {
    remote: String,
    /// What follows them here.
    tracked: Refs,
    /// What the remote says that they are.
    told: Refs,
    /// What is being pushed.
    sent: Refs,
}

/// Compares the refs of the remotes that a run is about with what was noted of them, and notes what they are.
pub(super) fn look(run: &Run<'_>, rewrites: Rewrites, coverage: &mut Coverage) -> Result<Vec<RefLog>, Error> {
    let repository = &run.repository;
    let now = match &run.target {
        Target::Push { remote, url, refs } => {
            vec![pushed(repository, remote, refs, coverage)?, here(repository, coverage)?]
                .into_iter()
                .map(|now| (Protected::of_remote(repository, &now.remote, url, &run.policy().protect.refs), now))
                .collect::<Vec<_>>()
        }
        Target::Range(_) => {
            let mut all = Vec::new();
            for remote in tracked::names(repository) {
                let tracked = tracked::refs(repository, &remote, coverage)?;
                let protected = Protected::of_remote(repository, &remote, &remote, &run.policy().protect.refs);
                all.push((protected, Now { remote, tracked, told: Refs::new(), sent: Refs::new() }));
            }
            let here = here(repository, coverage)?;
            all.push((Protected::of_remote(repository, HERE, HERE, &run.policy().protect.refs), here));
            all
        }
        // The refs of a server are its own.
        Target::Receive(_) | Target::Staged | Target::Message(_) | Target::History { .. } | Target::Paths(_) => {
            return Ok(Vec::new());
        }
    };
    let all_refs = run.policy().weaker_level(&rewritten_history::RULE) > Level::Allow;
    let file = match RefLogFile::open(repository.common_dir()) {
        Ok(file) => file,
        Err(why) => return Ok(vec![notes(Notes::Unreadable(why))]),
    };
    let mut contents = match file.read() {
        Ok(contents) => contents,
        Err(_) if rewrites == Rewrites::Accepted => Contents::unreadable(),
        Err(why) => return Ok(vec![notes(Notes::Unreadable(why))]),
    };
    if let (Some(line), Rewrites::Told) = (contents.tampered, rewrites) {
        // What it says is worth nothing, and what is added would make it look whole again.
        return Ok(vec![notes(Notes::Tampered { line })]);
    }
    let mut writer = Writer { file, time: run.request.environment.now.as_second(), failed: None };
    if contents.tampered.is_some() {
        writer.begin_anew(&mut contents);
    }
    let mut logs = Vec::new();
    for (protected, now) in now {
        let wanted = |name: &String| all_refs || protected.protection(name).is_some();
        let mut comparison = Comparison::new(repository, &contents, &now.remote, rewrites, &protected);
        let tracked = comparison.tracked(now.tracked.into_iter().filter(|(name, _)| wanted(name)))?;
        let told = comparison.told(now.told.into_iter().filter(|(name, _)| wanted(name)))?;
        let sent = now.sent.into_iter().filter(|(name, _)| wanted(name)).collect();
        let log = comparison.log;
        writer.append(&mut contents, Entry::new(&now.remote, writer.time, &tracked, &told, &sent));
        logs.push(log);
    }
    if let Some(why) = writer.failed {
        coverage.skip("the log of what refs were", 1, format!("cannot be written: {why}"));
    }
    Ok(logs)
}

/// A log that nothing can be compared with.
fn notes(notes: Notes) -> RefLog {
    RefLog { remote: String::new(), notes, rewritten: Vec::new(), unknown: Vec::new() }
}

/// The refs of a remote that is pushed to.
fn pushed(repository: &GitRepository, remote: &str, refs: &str, coverage: &mut Coverage) -> Result<Now, Error> {
    let updates = push::updates(refs.as_bytes())?;
    let told = updates.iter().filter_map(|update| Some((update.remote.clone(), update.old?))).collect();
    let sent = updates.iter().filter_map(|update| Some((update.remote.clone(), update.new?))).collect();
    Ok(Now { remote: remote.to_owned(), tracked: tracked::refs(repository, remote, coverage)?, told, sent })
}

/// The tags of this repository.
fn here(repository: &GitRepository, coverage: &mut Coverage) -> Result<Now, Error> {
    let tracked = tracked::tags(repository, coverage)?;
    Ok(Now { remote: HERE.to_owned(), tracked, told: Refs::new(), sent: Refs::new() })
}

/// Writes lines, until one cannot be written.
struct Writer {
    file: RefLogFile,
    time: i64,
    failed: Option<String>,
}

impl Writer {
    fn append(&mut self, contents: &mut Contents, entry: Entry) {
        if !entry.is_empty() && self.failed.is_none() {
            self.failed = self.file.append(contents, entry).err().map(|error| error.to_string());
        }
    }

    fn begin_anew(&mut self, contents: &mut Contents) {
        self.failed = self.file.begin_anew(contents).err().map(|error| error.to_string());
    }
}

/// One remote's refs, compared with the log.
struct Comparison<'a> {
    repository: &'a GitRepository,
    contents: &'a Contents,
    rewrites: Rewrites,
    protected: &'a Protected<'a>,
    log: RefLog,
    /// What was found to be right just now, before it is in the log.
    fresh: BTreeMap<String, ObjectId>,
}

impl<'a> Comparison<'a> {
    fn new(
        repository: &'a GitRepository,
        contents: &'a Contents,
        remote: &str,
        rewrites: Rewrites,
        protected: &'a Protected<'a>,
    ) -> Self {
        let log = RefLog { remote: remote.to_owned(), notes: Notes::Whole, rewritten: Vec::new(), unknown: Vec::new() };
        Self { repository, contents, rewrites, protected, log, fresh: BTreeMap::new() }
    }

    fn known(&self, name: &str) -> Known {
        self.contents.refs.get(&(self.log.remote.clone(), name.to_owned())).cloned().unwrap_or_default()
    }

    /// Looks at what follows the remote's refs; returns what is new and right.
    fn tracked(&mut self, refs: impl Iterator<Item = (String, ObjectId)>) -> Result<Refs, Error> {
        let mut right = Refs::new();
        for (name, id) in refs {
            let known = self.known(&name);
            // What was fetched last may be older than what the remote has said since.
            if known.tracked != Some(id) && self.is_right(&name, id, &known)? {
                self.fresh.insert(name.clone(), id);
                right.insert(name, id);
            }
        }
        Ok(right)
    }

    /// Looks at what the remote says; what is not here is looked at once it is.
    fn told(&mut self, refs: impl Iterator<Item = (String, ObjectId)>) -> Result<Refs, Error> {
        let store = self.repository.store()?;
        let mut right = Refs::new();
        for (name, id) in refs.filter(|(_, id)| store.has(id)) {
            let mut known = self.known(&name);
            if let Some(fresh) = self.fresh.get(&name) {
                known = Known { noted: Some((*fresh, 0)), ..Known::default() };
            }
            let is_told = self.log.rewritten.iter().any(|rewritten| rewritten.name == name && rewritten.now == id);
            if !is_told && known.noted.map(|(noted, _)| noted) != Some(id) && self.is_right(&name, id, &known)? {
                right.insert(name, id);
            }
        }
        Ok(right)
    }

    /// Whether a ref went on from where it was; says so if not.
    fn is_right(&mut self, name: &str, now: ObjectId, known: &Known) -> Result<bool, Error> {
        let Some((noted, noted_at)) = known.noted else { return Ok(true) };
        if noted == now || known.sent.contains(&now) || self.rewrites == Rewrites::Accepted {
            return Ok(true);
        }
        let lost = match ancestry::movement(self.repository, Some(noted), Some(now))? {
            Movement::Created | Movement::Unchanged | Movement::Deleted => return Ok(true),
            Movement::Forward if !is_tag(name) => return Ok(true),
            Movement::Forward => crate::finding::Fact::Known(0),
            Movement::Forced { lost } => lost,
            Movement::Unknown(why) if is_tag(name) => crate::finding::Fact::Unknown(why),
            Movement::Unknown(why) => {
                self.log.unknown.push((name.to_owned(), Unknown { hint: why.hint, ..Unknown::new(why.reason) }));
                return Ok(false);
            }
        };
        let is_protected = self.protected.protection(name).is_some();
        self.log.rewritten.push(Rewritten { name: name.to_owned(), noted, noted_at, now, lost, is_protected });
        Ok(false)
    }
}
