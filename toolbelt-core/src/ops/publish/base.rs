//! The release whose list of allowed signers counts for the one that is published: who may approve of it, it cannot say
//! itself, nor can whoever is able to push a tag.
//!
//! The tags of earlier releases form a chain. Its first link is the first release whose tree has a list; a later one becomes
//! a link if a key that the link before trusts for git has signed its tag. The list of the last link counts. Only tags on
//! the line of first parents are looked at, as they alone have an order that nobody can choose by merging something.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Error;
use super::ground::Ground;
use crate::evidence::sshsig::SshSig;
use crate::evidence::trust::TrustRoot;
use crate::evidence::verify::verify_sshsig;
use crate::ops::evidence::trust;
use crate::source::cargo_metadata::Member;
use crate::source::git::mainline::mainline;
use crate::source::git::repository::GitRepository;
use crate::source::git::signed::Reader;
use crate::source::git::tags::VersionTag;
use crate::source::ssh::keygen;
use crate::subject::content::ObjectId;
use crate::subject::signed_object::SignatureFormat;

/// Where the list is taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Base {
    /// The tag of the release, as a full ref; none if no earlier release has a list.
    pub(super) revision: Option<String>,
    /// Later releases whose lists do not count, and why: one line each.
    pub(super) passed_over: Vec<String>,
}

impl Base {
    /// Finds the last link of the chain for a package.
    ///
    /// # Errors
    ///
    /// [`Error`] if git cannot tell, or a list is there and cannot be read.
    pub(super) fn find(ground: &Ground<'_>, member: &Member) -> Result<Self, Error> {
        let tags = ground.earlier_tags(&member.name, &member.version);
        match ground.checkout.known() {
            Some(checkout) if !tags.is_empty() => {
                Self::among(checkout.snapshot.repository(), checkout.snapshot.commit(), tags)
            }
            _ => Ok(Self::default()),
        }
    }

    /// The last link among the tags that a commit's history has.
    fn among(repository: &GitRepository, commit: ObjectId, tags: Vec<VersionTag>) -> Result<Self, Error> {
        let line = match mainline(repository, commit) {
            Ok(line) => line,
            // Without its beginning nobody knows which release is the first.
            Err(why) => return Ok(Self { revision: None, passed_over: vec![format!("no earlier release: {why}")] }),
        };
        let age: HashMap<ObjectId, usize> = line.into_iter().enumerate().map(|(age, id)| (id, age)).collect();
        let mut passed_over = Vec::new();
        let (mut on_line, others): (Vec<_>, Vec<_>) = tags.into_iter().partition(|tag| age.contains_key(&tag.commit));
        for tag in others {
            passed_over.push(refused(&tag, "its commit was merged, and is not on the line of first parents"));
        }
        // Of two tags of one commit the greater version is the later.
        on_line.sort_by_key(|tag| std::cmp::Reverse(age.get(&tag.commit).copied()));
        let reader = Reader::open(repository)?;
        let mut last: Option<(VersionTag, TrustRoot)> = None;
        for tag in on_line {
            let Some(trusted) = trust::of_commit(repository, tag.commit, &tag.name).map_err(Error::from)? else {
                continue;
            };
            match &last {
                Some((_, root)) if *root == trusted.for_git() => {}
                Some((before, root)) => {
                    if let Err(why) = vouched(&reader, &tag, root, repository) {
                        let why =
                            format!("nobody whom the list of `{}` trusts for git has signed it: {why}", before.name);
                        passed_over.push(refused(&tag, &why));
                        continue;
                    }
                }
                None => {}
            }
            last = Some((tag, trusted.for_git()));
        }
        Ok(Self { revision: last.map(|(tag, _)| format!("refs/tags/{}", tag.name)), passed_over })
    }
}

fn refused(tag: &VersionTag, why: &str) -> String {
    format!("the list of the tag `{}`: {why}", tag.name)
}

/// Whether a key that the root trusts has signed a tag, at the time that the tag says.
fn vouched(reader: &Reader, tag: &VersionTag, root: &TrustRoot, repository: &GitRepository) -> Result<(), String> {
    let parts = reader.read(tag.object).map_err(|missing| missing.to_string())?;
    let parts = parts.filter(|_| tag.object != tag.commit).ok_or("it is no annotated tag")?;
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
