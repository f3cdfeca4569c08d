//! What a push would send, as git tells it to a `pre-push` hook.

pub use super::outgoing::Changed;
use super::outgoing::Outgoing;
use super::refs::Refs;
use super::repository::GitRepository;
use super::{Error, Visit};
use crate::report::Coverage;
use crate::subject::content::ObjectId;
use crate::subject::tree::TreeChange;

/// One line of what the hook reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What is pushed, as the user named it; `(delete)` for nothing.
    pub local: String,
    /// Its object; none if the ref is to be deleted.
    pub new: Option<ObjectId>,
    /// The ref over there.
    pub remote: String,
    /// What it points to now; none if it does not exist yet.
    pub old: Option<ObjectId>,
}

/// Reads the standard input of a `pre-push` hook: `<local ref> <local id> <remote ref> <remote id>` lines.
///
/// # Errors
///
/// [`Error::Input`] with the number of the first line that is not of this form.
pub fn updates(input: &[u8]) -> Result<Vec<Update>, Error> {
    let mut updates = Vec::new();
    for (number, line) in (1..).zip(lines(input)) {
        // What the user named (`:/some words`) may have spaces, a ref and an id may not.
        let mut parts = line.rsplitn(4, |byte| *byte == b' ');
        let (old, remote, new, local) = (parts.next(), parts.next(), parts.next(), parts.next());
        let wrong = || Error::Input { line: number, expected: "<local ref> <local id> <remote ref> <remote id>" };
        let (Some(old), Some(remote), Some(new), Some(local)) = (old, remote, new, local) else { return Err(wrong()) };
        if local.is_empty() || remote.is_empty() {
            return Err(wrong());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (new, old) = (id(new).ok_or_else(wrong)?, id(old).ok_or_else(wrong)?);
        updates.push(Update { local: text(local), new: some(new), remote: text(remote), old: some(old) });
    }
    Ok(updates)
}

/// Lines without their ends, the empty one after the last excepted.
pub(super) fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = input.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// An id in full.
pub(super) fn id(hex: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(hex).ok()
}

/// Git writes an id of zeros for nothing.
pub(super) fn some(id: ObjectId) -> Option<ObjectId> {
    (!id.is_null()).then_some(id)
}

/// Hands out everything that a push sends and the remote does not have, as far as can be told without asking it: the
/// oldest commit first, each blob with the lines that no parent of its commit has, commits and tags with their messages.
///
/// `remote` and `url` are the arguments of the hook, `input` is what it reads. The remote has what its refs were at the
/// start of the push and what the refs below `refs/remotes/` that follow it say it had before.
///
/// # Errors
///
/// [`Error`] if the input is malformed, or refs or objects cannot be read at all. A push that only deletes is none.
pub fn visit(
    repository: &GitRepository,
    remote: &str,
    url: &str,
    input: &[u8],
    visit: Visit<'_>,
    coverage: &mut Coverage,
) -> Result<(), Error> {
    outgoing(repository, remote, url, input, coverage)?.visit(repository, visit, coverage)
}

/// For each commit that is pushed: its tree, and how it differs from what the remote has.
///
/// # Errors
///
/// As [`visit`].
pub fn trees(
    repository: &GitRepository,
    remote: &str,
    url: &str,
    input: &[u8],
    wanted: &dyn Fn(&[u8]) -> bool,
    coverage: &mut Coverage,
) -> Result<Vec<TreeChange>, Error> {
    outgoing(repository, remote, url, input, coverage)?.trees(repository, wanted, coverage)
}

/// The commits that a push sends and the remote does not have, each with its tree, the oldest first.
///
/// # Errors
///
/// As [`visit`].
pub fn commits(
    repository: &GitRepository,
    remote: &str,
    url: &str,
    input: &[u8],
) -> Result<Vec<(ObjectId, ObjectId)>, Error> {
    outgoing(repository, remote, url, input, &mut Coverage::default())?.commits(repository)
}

/// Each commit that a ref is moved to, with the files that differ from what the remote has.
///
/// # Errors
///
/// As [`visit`].
pub fn changed(
    repository: &GitRepository,
    remote: &str,
    url: &str,
    input: &[u8],
    coverage: &mut Coverage,
) -> Result<Vec<Changed>, Error> {
    outgoing(repository, remote, url, input, coverage)?.changed(repository, coverage)
}

pub(super) fn outgoing(
    repository: &GitRepository,
    remote: &str,
    url: &str,
    input: &[u8],
    coverage: &mut Coverage,
) -> Result<Outgoing, Error> {
    let updates = updates(input)?;
    let tips: Vec<ObjectId> = updates.iter().filter_map(|update| update.new).collect();
    let mut hidden: Vec<ObjectId> = updates.iter().filter_map(|update| update.old).collect();
    if tips.is_empty() {
        return Ok(Outgoing::default());
    }
    let followed = followed(repository, remote, url);
    let mut tracked = Vec::new();
    // Others than these are written by whoever works here, whatever a refspec says of them.
    let remotes =
        Refs::open(repository).all(coverage)?.into_iter().filter(|(name, _)| name.starts_with("refs/remotes/"));
    for (name, id) in remotes {
        if followed.iter().any(|pattern| pattern.covers(&name)) {
            hidden.push(id);
        } else {
            tracked.push((name, id));
        }
    }
    Ok(Outgoing { tips, hidden, tracked })
}

/// Names of refs here, one or all with a prefix, that follow those of a remote.
pub(super) struct Pattern {
    prefix: String,
    is_whole: bool,
    /// What the names on the remote have in place of the prefix.
    there: String,
}

impl Pattern {
    pub(super) fn covers(&self, name: &str) -> bool {
        if self.is_whole { name == self.prefix } else { name.starts_with(&self.prefix) }
    }

    /// What the ref that this one follows is called on the remote; none if it follows none by this pattern.
    pub(super) fn followed(&self, name: &str) -> Option<String> {
        self.covers(name).then(|| format!("{}{}", self.there, &name[self.prefix.len()..]))
    }
}

/// The refs that follow a remote, or those remotes that have the same URL when it was named by that.
pub(super) fn followed(repository: &GitRepository, remote: &str, url: &str) -> Vec<Pattern> {
    let config = repository.config();
    let mut patterns = Vec::new();
    for section in config.sections_by_name("remote").into_iter().flatten() {
        let Some(name) = section.header().subsection_name() else { continue };
        let is_url = |key: &str| section.values(key).iter().any(|value| value == url);
        if name != remote && !is_url("url") && !is_url("pushurl") {
            continue;
        }
        for refspec in section.values("fetch") {
            let refspec = refspec.to_string();
            let Some((from, local)) = refspec.split_once(':').filter(|(from, _)| !from.starts_with('^')) else {
                continue;
            };
            let prefix = local.strip_suffix('*');
            let there = from.strip_prefix('+').unwrap_or(from);
            patterns.push(Pattern {
                prefix: prefix.unwrap_or(local).to_owned(),
                is_whole: prefix.is_none(),
                there: there.strip_suffix('*').unwrap_or(there).to_owned(),
            });
        }
    }
    patterns
}
