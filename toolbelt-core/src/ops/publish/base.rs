//! The release whose list of allowed signers counts for the one that is published: who may approve of it, it cannot say
//! itself, nor can whoever is able to push a tag or to merge something.
//!
//! All tags of the commit's history whose trees have a list are looked at, whatever they are called, parents before their
//! children. One that leads to no other is a *first* list and is believed; of two first lists nobody knows which one is
//! right. A later tag *succeeds* those that it leads to if every one of them trusts for git who signed it, or has the same
//! list. The list counts that no other has succeeded; of two that differ, none does, nor where another succession is to be
//! seen: a later tag that its own list trusts and those before do not.

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
    /// Lists that do not count, and why: one line each.
    pub(super) passed_over: Vec<String>,
}

impl Base {
    /// Finds it.
    ///
    /// # Errors
    ///
    /// [`Error`] if git cannot tell, or a list is there and cannot be read.
    pub(super) fn find(ground: &Ground<'_>) -> Result<Self, Error> {
        let Some(checkout) = ground.checkout.known() else { return Ok(Self::default()) };
        let (repository, commit) = (checkout.snapshot.repository(), checkout.snapshot.commit());
        let mut succession = Succession::of(repository, commit)?;
        if succession.links.is_empty() {
            return Ok(Self::default());
        }
        let history = match ancestors::parents_first(repository, commit) {
            Ok(history) => history,
            // Without its beginning nobody knows which list is the first.
            Err(why) => return Ok(Self { revision: None, passed_over: vec![why.to_string()] }),
        };
        let last = succession.follow(&history);
        Ok(succession.base(&last))
    }
}

/// A tag whose tree has a list.
struct Link {
    tag: Tag,
    root: TrustRoot,
}

/// Which lists follow which.
struct Succession<'a> {
    repository: &'a GitRepository,
    reader: Reader,
    links: Vec<Link>,
    /// The links on a commit, of those that tag the same one the less trusted first.
    by_commit: HashMap<ObjectId, Vec<usize>>,
    /// For each link that counts, the ones that it leads to and that count.
    before: Vec<BTreeSet<usize>>,
    /// Links that lead to no other that counts.
    first: Vec<usize>,
    /// Links that do not count and whose own lists trust who signed them: another succession.
    rivals: Vec<usize>,
    passed_over: Vec<String>,
}

impl<'a> Succession<'a> {
    /// The lists of the tags before a commit: a tag of the commit itself may have been made by whoever made that.
    fn of(repository: &'a GitRepository, commit: ObjectId) -> Result<Self, Error> {
        let (mut links, mut by_commit) = (Vec::new(), HashMap::<ObjectId, Vec<usize>>::new());
        for tag in tags::merged(repository, commit).map_err(evidence::Error::from)? {
            let Some(tagged) = tag.commit.filter(|tagged| *tagged != commit) else { continue };
            let Some(trusted) = trust::of_commit(repository, tagged, &tag.name)? else { continue };
            by_commit.entry(tagged).or_default().push(links.len());
            links.push(Link { tag, root: trusted.for_git() });
        }
        let reader = Reader::open(repository).map_err(evidence::Error::from)?;
        let before = vec![BTreeSet::new(); links.len()];
        Ok(Self {
            repository,
            reader,
            links,
            by_commit,
            before,
            first: Vec::new(),
            rivals: Vec::new(),
            passed_over: Vec::new(),
        })
    }

    /// Goes through the history, and returns the links that none has succeeded at its end.
    fn follow(&mut self, history: &[(ObjectId, Vec<ObjectId>)]) -> Vec<usize> {
        let mut reached: HashMap<ObjectId, Rc<BTreeSet<usize>>> = HashMap::new();
        let mut last = Rc::default();
        for (commit, parents) in history {
            let mut known = parents.iter().filter_map(|parent| reached.get(parent).cloned());
            let mut here = known.next().unwrap_or_default();
            for other in known.filter(|other| !Rc::ptr_eq(other, &here)).collect::<Vec<_>>() {
                here = Rc::new(self.latest(&here.union(&other).copied().collect()));
            }
            for link in self.by_commit.get(commit).cloned().unwrap_or_default() {
                here = self.join(link, here);
            }
            reached.insert(*commit, Rc::clone(&here));
            last = here;
        }
        last.iter().copied().collect()
    }

    /// Those of some links that none of the others leads to.
    fn latest(&self, links: &BTreeSet<usize>) -> BTreeSet<usize> {
        let is_succeeded = |link: &usize| links.iter().any(|other| self.before[*other].contains(link));
        links.iter().copied().filter(|link| !is_succeeded(link)).collect()
    }

    /// What is reached once a link is, which may count or not.
    fn join(&mut self, link: usize, reached: Rc<BTreeSet<usize>>) -> Rc<BTreeSet<usize>> {
        for before in reached.iter() {
            if let Err(why) = self.succeeds(link, *before) {
                self.pass_over(link, *before, &why);
                return reached;
            }
        }
        if reached.is_empty() {
            self.first.push(link);
        }
        let all: BTreeSet<usize> =
            reached.iter().flat_map(|before| self.before[*before].iter().chain([before])).copied().collect();
        self.before[link] = all;
        Rc::new(BTreeSet::from([link]))
    }

    fn pass_over(&mut self, link: usize, before: usize, why: &str) {
        let Link { tag, root } = &self.links[link];
        if vouched(&self.reader, tag, root, self.repository).is_ok() {
            self.rivals.push(link);
        }
        let (tag, before) = (&tag.name, &self.links[before].tag.name);
        let why = format!(
            "the list of the tag `{tag}`: nobody whom the list of `{before}` trusts for git has signed it: {why}"
        );
        self.passed_over.push(why);
    }

    /// Whether a list may follow another.
    fn succeeds(&self, link: usize, before: usize) -> Result<(), String> {
        let (Link { tag, root }, before) = (&self.links[link], &self.links[before]);
        if *root == before.root {
            return Ok(());
        }
        vouched(&self.reader, tag, &before.root, self.repository)
    }

    /// The list that counts, of those that none has succeeded.
    fn base(mut self, last: &[usize]) -> Base {
        if let Some(rival) = self.rivals.first() {
            let tag = &self.links[*rival].tag.name;
            self.passed_over.push(format!("`{tag}` is signed by a key of its own list: one of the two is not yours"));
            return Base { revision: None, passed_over: self.passed_over };
        }
        for (what, links) in [("first", self.first.as_slice()), ("last", last)] {
            let different = links.iter().find(|link| self.links[**link].root != self.links[links[0]].root);
            if let Some(different) = different {
                let (one, other) = (&self.links[links[0]].tag.name, &self.links[*different].tag.name);
                let why = format!(
                    "the tags `{one}` and `{other}` have different {what} lists, and neither leads to the other"
                );
                self.passed_over.push(why);
                return Base { revision: None, passed_over: self.passed_over };
            }
        }
        let revision = last.first().map(|link| format!("refs/tags/{}", self.links[*link].tag.name));
        Base { revision, passed_over: self.passed_over }
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
