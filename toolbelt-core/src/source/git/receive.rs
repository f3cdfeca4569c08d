//! What a server is about to take, as git tells it to a `pre-receive` hook.

use super::outgoing::Outgoing;
use super::push::{id, lines, some};
use super::refs::{Refs, SYMBOLIC_DEPTH};
use super::repository::GitRepository;
use super::{Error, Visit};
use crate::report::Coverage;
use crate::subject::content::ObjectId;
use crate::subject::tree::TreeChange;

/// One line of what the hook reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What the ref points to; none if it does not exist yet.
    pub old: Option<ObjectId>,
    /// What it is to point to; none if it is to be deleted.
    pub new: Option<ObjectId>,
    /// The ref.
    pub name: String,
}

/// Reads the standard input of a `pre-receive` hook: `<old id> <new id> <ref>` lines.
///
/// # Errors
///
/// [`Error::Input`] with the number of the first line that is not of this form.
pub fn updates(input: &[u8]) -> Result<Vec<Update>, Error> {
    let mut updates = Vec::new();
    for (number, line) in (1..).zip(lines(input)) {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let (old, new) = (parts.next().and_then(id), parts.next().and_then(id));
        let name = parts.next().filter(|name| !name.is_empty());
        let (Some(old), Some(new), Some(name)) = (old, new, name) else {
            return Err(Error::Input { line: number, expected: "<old id> <new id> <ref>" });
        };
        updates.push(Update { old: some(old), new: some(new), name: String::from_utf8_lossy(name).into_owned() });
    }
    Ok(updates)
}

/// The ref that is meant: a symbolic one stands for another, and git moves that.
pub fn meant(repository: &GitRepository, name: &str) -> String {
    let refs = Refs::shared(repository);
    let mut meant = name.to_owned();
    for _ in 0..SYMBOLIC_DEPTH {
        let Some(next) = refs.stands_for(&meant) else { break };
        meant = next;
    }
    meant
}

/// Hands out everything that no ref of the repository leads to yet, as [`push::visit`](super::push::visit) does.
///
/// The repository has to be opened with the variables of the hook, so that the quarantine is looked into.
///
/// # Errors
///
/// [`Error`] if the input is malformed, or refs or objects cannot be read at all. A push that only deletes is none.
pub fn visit(repository: &GitRepository, input: &[u8], visit: Visit<'_>, coverage: &mut Coverage) -> Result<(), Error> {
    outgoing(repository, input, coverage)?.visit(repository, visit, coverage)
}

/// For each commit that is received: its tree, and how it differs from what is here.
///
/// # Errors
///
/// As [`visit`].
pub fn trees(
    repository: &GitRepository,
    input: &[u8],
    wanted: &dyn Fn(&[u8]) -> bool,
    coverage: &mut Coverage,
) -> Result<Vec<TreeChange>, Error> {
    outgoing(repository, input, coverage)?.trees(repository, wanted, coverage)
}

pub(super) fn outgoing(repository: &GitRepository, input: &[u8], coverage: &mut Coverage) -> Result<Outgoing, Error> {
    let tips: Vec<ObjectId> = updates(input)?.into_iter().filter_map(|update| update.new).collect();
    if tips.is_empty() {
        return Ok(Outgoing::default());
    }
    let hidden = Refs::open(repository).all(coverage)?.into_iter().map(|(_, id)| id).collect();
    Ok(Outgoing { tips, hidden, tracked: Vec::new() })
}
