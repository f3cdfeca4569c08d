//! The commits of a range, as `git log` understands it.

use gix::revision::plumbing::Spec;

use super::outgoing::Outgoing;
use super::refs::Refs;
use super::repository::GitRepository;
use super::{Error, Visit, peel, program};
use crate::report::Coverage;
use crate::subject::content::ObjectId;
use crate::subject::tree::TreeChange;

/// Hands out what the commits of a range bring, as [`push::visit`](super::push::visit) does.
///
/// `range` is `A..B`, `A...B`, `A`, `^A`, or several of these with spaces between.
///
/// # Errors
///
/// [`Error`] if the range names something that does not exist, or refs or objects cannot be read at all.
pub fn visit(repository: &GitRepository, range: &str, visit: Visit<'_>, coverage: &mut Coverage) -> Result<(), Error> {
    outgoing(repository, range, coverage)?.visit(repository, visit, coverage)
}

/// For each end of a range: its tree, and how it differs from the start.
///
/// # Errors
///
/// As [`visit`].
pub fn trees(
    repository: &GitRepository,
    range: &str,
    wanted: &dyn Fn(&[u8]) -> bool,
    coverage: &mut Coverage,
) -> Result<Vec<TreeChange>, Error> {
    outgoing(repository, range, coverage)?.trees(repository, wanted, coverage)
}

pub(super) fn outgoing(repository: &GitRepository, range: &str, coverage: &mut Coverage) -> Result<Outgoing, Error> {
    let (tips, hidden) = ends(repository, range)?;
    let refs = Refs::open(repository).all(coverage)?.into_iter();
    Ok(Outgoing { tips, hidden, tracked: refs.filter(|(name, _)| name.starts_with("refs/remotes/")).collect() })
}

/// What a range includes, and what it excludes.
///
/// # Errors
///
/// [`Error::Range`] if it names something that does not exist.
pub fn ends(repository: &GitRepository, range: &str) -> Result<(Vec<ObjectId>, Vec<ObjectId>), Error> {
    let failed = |why: String| Error::Range { range: range.to_owned(), why };
    if repository.has_reftable() {
        return asked(repository, range);
    }
    // The environment is left out, as what it says is in the paths; nothing here writes or runs anything.
    let options = gix::open::Options::isolated()
        .with(gix::sec::Trust::Full)
        .open_path_as_is(true)
        .config_overrides(["core.useReplaceRefs=false"]);
    let opened = gix::open_opts(repository.git_dir(), options).map_err(|error| failed(error.to_string()))?;
    let (mut tips, mut hidden) = (Vec::new(), Vec::new());
    for part in range.split_whitespace() {
        let spec = opened.rev_parse(part).map_err(|error| failed(error.to_string()))?;
        match spec.detach() {
            Spec::Include(id) => tips.push(id),
            Spec::Exclude(id) => hidden.push(id),
            Spec::Range { from, to } => {
                hidden.push(from);
                tips.push(to);
            }
            Spec::Merge { theirs, ours } => {
                tips.extend([theirs, ours]);
                let commit = |id| peel::commit(repository, id).ok_or_else(|| failed(format!("{id} is no commit")));
                let bases = opened.merge_bases_many(commit(theirs)?, &[commit(ours)?]);
                let bases = bases.map_err(|error| failed(error.to_string()))?;
                hidden.extend(bases.into_iter().map(gix::Id::detach));
            }
            Spec::IncludeOnlyParents(id) => tips.extend(parents(&opened, id).map_err(failed)?),
            Spec::ExcludeParents(id) => {
                tips.push(id);
                hidden.extend(parents(&opened, id).map_err(failed)?);
            }
        }
    }
    if tips.is_empty() {
        return Err(failed("it includes nothing".to_owned()));
    }
    Ok((tips, hidden))
}

fn parents(opened: &gix::Repository, id: ObjectId) -> Result<Vec<ObjectId>, String> {
    let commit = opened.find_commit(id).map_err(|error| error.to_string())?;
    Ok(commit.parent_ids().map(gix::Id::detach).collect())
}

/// The ends of a range, from the `git` program.
fn asked(repository: &GitRepository, range: &str) -> Result<(Vec<ObjectId>, Vec<ObjectId>), Error> {
    let failed = |why: &str| Error::Range { range: range.to_owned(), why: why.to_owned() };
    let mut arguments = vec!["rev-parse", "--revs-only"];
    arguments.extend(range.split_whitespace());
    // `--end-of-options` came to this command late, and is repeated by it.
    if arguments[2..].iter().any(|part| part.starts_with('-')) {
        return Err(failed("a revision does not begin with `-`"));
    }
    let output = program::git(repository, &arguments)?;
    if !output.status.success() {
        return Err(failed("git does not know it"));
    }
    let (mut tips, mut hidden) = (Vec::new(), Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (list, hex) = line.strip_prefix('^').map_or((&mut tips, line), |hex| (&mut hidden, hex));
        list.extend(ObjectId::from_hex(hex.as_bytes()).ok());
    }
    if tips.is_empty() { Err(failed("it includes nothing")) } else { Ok((tips, hidden)) }
}
