//! The release whose list of allowed signers counts for the one that is published: who may approve of it, it cannot say
//! itself, nor can whoever is able to push a tag or to merge something.
//!
//! All tags of the repository whose trees have a list are looked at, whatever they are called and wherever they are, parents
//! before their children. One that leads to no other is a *first* list and is believed. A later tag has to *succeed* those that
//! it leads to: every one of them trusts for git who signed it, or has the same list. The list counts that no other has
//! succeeded. Where two first or two last lists differ, or one does not succeed those before, nobody knows which are right, and
//! none counts.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use jiff::Timestamp;

use super::Error;
use super::ground::Ground;
use crate::evidence::sshsig::SshSig;
use crate::evidence::trust::TrustRoot;
use crate::evidence::verify::verify_sshsig;
use crate::ops::evidence::{self, trust};
use crate::source::git::ancestors;
use crate::source::git::repository::GitRepository;
use crate::source::git::signed::Reader;
use crate::source::git::tags::{self, Tag};
use crate::source::ssh::keygen;
use crate::subject::content::ObjectId;
use crate::subject::signed_object::SignatureFormat;

/// Where the list is taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Base {
    /// The tag of the release, as a full ref; none if no list counts.
    pub(super) revision: Option<String>,
    /// Why none counts although there are some; one line each.
    pub(super) conflicts: Vec<String>,
}

impl Base {
    /// Finds it.
    ///
    /// # Errors
    ///
    /// [`Error`] if git cannot tell, or a list is there and cannot be read.
    pub(super) fn find(ground: &Ground<'_>) -> Result<Self, Error> {
        let Some(checkout) = ground.checkout.known() else { return Ok(Self::default()) };
        let mut succession = Succession::of(checkout.snapshot.repository(), checkout.snapshot.commit())?;
        if succession.links.is_empty() {
            return Ok(Self::default());
        }
        let tips: Vec<ObjectId> = succession.by_commit.keys().copied().collect();
        let history = match ancestors::parents_first(succession.repository, &tips) {
            Ok(history) => history,
            // Without its beginning nobody knows which list is the first.
            Err(why) => return Ok(Self { revision: None, conflicts: vec![why.to_string()] }),
        };
        let last = succession.follow(&history);
        Ok(succession.base(&last))
    }
}

/// A tag whose tree has a list.
struct Link {
    tag: Tag,
    /// The list as it is written.
    text: String,
    root: TrustRoot,
}

/// Which lists follow which.
struct Succession<'a> {
    repository: &'a GitRepository,
    reader: Reader,
    links: Vec<Link>,
    /// The links on a commit, by the names of their tags.
    by_commit: HashMap<ObjectId, Vec<usize>>,
    /// For each link, the ones that it leads to.
    before: Vec<BTreeSet<usize>>,
    /// Links that lead to no other.
    first: Vec<usize>,
    conflicts: Vec<String>,
}

impl<'a> Succession<'a> {
    /// The lists of all tags but those of a commit itself, which may have been made by whoever made that.
    fn of(repository: &'a GitRepository, commit: ObjectId) -> Result<Self, Error> {
        let (mut links, mut by_commit) = (Vec::new(), HashMap::<ObjectId, Vec<usize>>::new());
        for tag in tags::all(repository).map_err(evidence::Error::from)? {
            let Some(tagged) = tag.commit.filter(|tagged| *tagged != commit) else { continue };
            let Some(trusted) = trust::of_commit(repository, tagged, &tag.name)? else { continue };
            by_commit.entry(tagged).or_default().push(links.len());
            links.push(Link { tag, root: trusted.for_git(), text: trusted.text });
        }
        let reader = Reader::open(repository).map_err(evidence::Error::from)?;
        let before = vec![BTreeSet::new(); links.len()];
        let (first, conflicts) = (Vec::new(), Vec::new());
        Ok(Self { repository, reader, links, by_commit, before, first, conflicts })
    }

    /// Goes through the history, and returns the links that none has succeeded.
    fn follow(&mut self, history: &[(ObjectId, Vec<ObjectId>)]) -> Vec<usize> {
        let mut reached: HashMap<ObjectId, Rc<BTreeSet<usize>>> = HashMap::new();
        for (commit, parents) in history {
            let mut known = parents.iter().filter_map(|parent| reached.get(parent).cloned());
            let mut here = known.next().unwrap_or_default();
            for other in known.filter(|other| !Rc::ptr_eq(other, &here)).collect::<Vec<_>>() {
                here = Rc::new(self.latest(&here.union(&other).copied().collect()));
            }
            for link in self.by_commit.get(commit).cloned().unwrap_or_default() {
                here = self.join(link, &here);
            }
            reached.insert(*commit, here);
        }
        self.latest(&(0..self.links.len()).collect()).into_iter().collect()
    }

    /// Those of some links that none of the others leads to.
    fn latest(&self, links: &BTreeSet<usize>) -> BTreeSet<usize> {
        let is_succeeded = |link: &usize| links.iter().any(|other| self.before[*other].contains(link));
        links.iter().copied().filter(|link| !is_succeeded(link)).collect()
    }

    /// What is reached once a link is.
    fn join(&mut self, link: usize, reached: &BTreeSet<usize>) -> Rc<BTreeSet<usize>> {
        for before in reached {
            if let Err(why) = self.succeeds(link, *before) {
                let (tag, before) = (&self.links[link].tag.name, &self.links[*before].tag.name);
                self.conflicts.push(format!(
                    "the tag `{tag}` has another list than `{before}`, and nobody whom that one trusts for git has signed it: {why}"
                ));
            }
        }
        if reached.is_empty() {
            self.first.push(link);
        }
        let leads_to = reached.iter().flat_map(|before| self.before[*before].iter().chain([before])).copied();
        self.before[link] = leads_to.collect();
        Rc::new(BTreeSet::from([link]))
    }

    /// Whether a list may follow another.
    fn succeeds(&self, link: usize, before: usize) -> Result<(), String> {
        let (Link { tag, text, .. }, before) = (&self.links[link], &self.links[before]);
        if *text == before.text {
            return Ok(());
        }
        vouched(&self.reader, tag, &before.root, self.repository)
    }

    /// The list that counts.
    fn base(mut self, last: &[usize]) -> Base {
        for (what, links) in [("first", self.first.as_slice()), ("last", last)] {
            let different = links.iter().find(|link| self.links[**link].text != self.links[links[0]].text);
            if let Some(different) = different {
                let (one, other) = (&self.links[links[0]].tag.name, &self.links[*different].tag.name);
                let why = format!(
                    "the tags `{one}` and `{other}` have different {what} lists, and neither leads to the other"
                );
                self.conflicts.push(why);
            }
        }
        let revision = last.first().filter(|_| self.conflicts.is_empty());
        let revision = revision.map(|link| format!("refs/tags/{}", self.links[*link].tag.name));
        Base { revision, conflicts: self.conflicts }
    }
}

/// Whether a key that the root trusts has signed a tag, at the time that the tag says.
fn vouched(reader: &Reader, tag: &Tag, root: &TrustRoot, repository: &GitRepository) -> Result<(), String> {
    let parts = reader.read(tag.object).map_err(|missing| missing.to_string())?;
    let parts = parts.filter(|_| Some(tag.object) != tag.commit).ok_or("it is no annotated tag")?;
    if parts.name.as_deref() != Some(&tag.name) {
        return Err("it calls itself otherwise".to_owned());
    }
    let signature =
        parts.signature.filter(|signature| !signature.is_ambiguous).ok_or("it has no signature, or several")?;
    if signature.format != Some(SignatureFormat::Ssh) {
        return Err("its signature is not one of SSH".to_owned());
    }
    let at = parts.committer.and_then(|person| Timestamp::from_second(person.time).ok()).ok_or("it has no date")?;
    let parsed = SshSig::parse(&signature.text).map_err(|error| error.to_string())?;
    let by_program = |signature: &SshSig, message: &[u8]| {
        keygen::verify(&signature.armour(), message, signature.key(), signature.namespace(), repository.variables())
    };
    match verify_sshsig(&parsed, &signature.payload, root, at, &by_program) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
