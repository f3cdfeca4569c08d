//! Who vouches for commits and tags.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rayon::prelude::*;

use super::root::Root;
use super::{Asked, Error, Run};
use crate::evidence::allowed_signers::{self, AllowedSigners, Refused};
use crate::evidence::signature::Checked as Answer;
use crate::evidence::sshsig::SshSig;
use crate::evidence::trust::GIT;
use crate::finding::Unknown;
use crate::report::{Coverage, SourceState};
use crate::rules::options::Options;
use crate::rules::repository::{identity_mismatch, untrusted_signer};
use crate::source::git::merge_tree;
use crate::source::git::repository::GitRepository;
use crate::source::git::signed::{Armour, News, Parts, Reader};
use crate::source::git::store::Missing;
use crate::source::git::verify_commit::{self, Verdict};
use crate::source::ssh::keygen;
use crate::subject::content::ObjectId;
use crate::subject::signed_object::{
    Checked, ObjectKind, Person, Signature, SignatureFormat, SignedObject, Standing, TokenPresence,
};

/// How far clocks may be apart, in seconds: a day.
const SKEW: i64 = 24 * 60 * 60;
/// How many objects are handed to a thread at once.
const BATCH: usize = 32;

/// An object to look at, and the tag by whose name it is known.
type Wanted = (ObjectId, Option<String>);
/// The same with what was read.
type Read<'a> = (ObjectId, &'a Option<String>, Result<Option<Parts>, Missing>);

impl Run<'_> {
    /// Looks at each commit and tag that is new, and at what tags lead to.
    pub(super) fn objects(
        &self,
        news: &News,
        coverage: &mut Coverage,
    ) -> Result<(Vec<SignedObject>, Vec<SourceState>), Error> {
        let reader = Reader::open(&self.repository)?;
        let wanted = wanted(news);
        let jobs: Vec<_> = wanted.chunks(BATCH).map(|chunk| (reader.clone(), chunk)).collect();
        let read = jobs.into_par_iter().flat_map_iter(|(reader, chunk)| {
            chunk.iter().map(move |(id, name)| (*id, name, reader.read(*id))).collect::<Vec<_>>()
        });
        let read: Vec<Read<'_>> = read.collect();
        let is_signed = |parts: &Parts| parts.signature.is_some();
        let any = read.iter().any(|(_, _, parts)| matches!(parts, Ok(Some(parts)) if is_signed(parts)));
        // What nobody signed needs nobody to be trusted.
        let root = if any { Some(Root::find(self, news, coverage)?) } else { None };
        let sources = root.iter().filter_map(|root| root.source.clone()).collect();
        let judge = root.as_ref().map(|root| Trust::of(self, root));
        let mut whole = Vec::new();
        for (id, name, parts) in read {
            match parts {
                Ok(Some(parts)) => whole.push((parts, name.as_ref())),
                Ok(None) if name.is_some() => whole.push((nothing(id), name.as_ref())),
                Ok(None) => {}
                Err(why) => coverage.could_not_look(format!("object {id}"), why.to_string()),
            }
        }
        let objects: Vec<SignedObject> =
            whole.par_iter().map(|(parts, name)| signed_object(parts, *name, judge.as_ref())).collect();
        let signed = objects.iter().filter(|object| object.signature != Signature::None).count();
        if let Some(Trust { signers: Err(why), keys, .. }) = &judge
            && keys.is_empty()
            && self.asked == Asked::Always
        {
            coverage.could_not_look("trust root", why.reason.as_str());
        }
        coverage.count("signed", signed);
        coverage.count("unsigned", objects.len() - signed);
        Ok((objects, sources))
    }
}

/// What is looked at: each commit once, each tag once for each of its names.
fn wanted(news: &News) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = news.commits.iter().map(|id| (*id, None)).collect();
    let mut names: BTreeMap<ObjectId, BTreeSet<&str>> = BTreeMap::new();
    for (name, id) in &news.named {
        names.entry(*id).or_default().insert(name);
    }
    wanted.extend(news.tags.iter().filter(|id| !names.contains_key(*id)).map(|id| (*id, None)));
    for (id, names) in names {
        wanted.extend(names.into_iter().map(|name| (id, Some(name.to_owned()))));
    }
    wanted
}

/// A blob or a tree, which can only have a name.
fn nothing(id: ObjectId) -> Parts {
    Parts {
        id,
        kind: ObjectKind::LightweightTag,
        name: None,
        author: None,
        committer: None,
        tree: None,
        parents: Vec::new(),
        signature: None,
    }
}

fn signed_object(parts: &Parts, name: Option<&String>, trust: Option<&Trust<'_>>) -> SignedObject {
    // A tag that leads to a commit is a name; the commit is looked at where it is new.
    let is_name = name.is_some() && parts.kind != ObjectKind::Tag;
    let kind = if is_name { ObjectKind::LightweightTag } else { parts.kind };
    let calls_itself = parts.name.clone().filter(|_| kind == ObjectKind::Tag);
    let signature = match (&parts.signature, trust) {
        (Some(armour), Some(trust)) if !is_name => trust.signature(parts, armour),
        _ => Signature::None,
    };
    let merge = trust.and_then(|trust| trust.merge(parts, &signature));
    SignedObject {
        id: parts.id,
        kind,
        name: name.cloned().or_else(|| calls_itself.clone()).unwrap_or_default(),
        calls_itself,
        author: parts.author.clone().filter(|_| !is_name),
        committer: parts.committer.clone().filter(|_| !is_name),
        signature,
        merge,
    }
}

/// Whom to trust.
struct Trust<'a> {
    repository: &'a GitRepository,
    signers: Result<&'a AllowedSigners, &'a Unknown>,
    /// What the file is called.
    name: &'a str,
    /// Fingerprints of OpenPGP and X.509 keys, with patterns of addresses.
    keys: Vec<(String, String)>,
    forge: Options,
    is_wanted: bool,
    now: Timestamp,
}

impl<'a> Trust<'a> {
    fn of(run: &'a Run<'_>, root: &'a Root) -> Self {
        let options = run.policy().options(&untrusted_signer::RULE);
        let keys = options.list(&untrusted_signer::KEYS).into_iter().filter_map(|entry| {
            let (fingerprint, principals) = entry.trim().split_once(char::is_whitespace)?;
            Some((fingerprint.to_owned(), principals.trim().to_owned()))
        });
        Self {
            repository: &run.repository,
            signers: root.signers.as_ref(),
            name: &root.name,
            keys: keys.collect(),
            forge: run.policy().options(&identity_mismatch::RULE),
            is_wanted: run.wants_trust(),
            now: run.request.environment.now,
        }
    }

    fn signature(&self, parts: &Parts, armour: &Armour) -> Signature {
        let bad = |why: &str| bad(armour.format.unwrap_or(SignatureFormat::Ssh), "", why);
        match armour.format {
            _ if armour.is_ambiguous => bad("there is more than one"),
            None => bad("it is of no kind that git knows"),
            Some(SignatureFormat::Ssh) => self.ssh(parts, armour),
            Some(format @ (SignatureFormat::OpenPgp | SignatureFormat::X509)) => self.by_git(parts, format),
        }
    }

    /// A signature of SSH, which is checked here.
    fn ssh(&self, parts: &Parts, armour: &Armour) -> Signature {
        let format = SignatureFormat::Ssh;
        let parsed = match SshSig::parse(&armour.text) {
            Ok(parsed) => parsed,
            Err(error) => return bad(format, "", &format!("it {error}")),
        };
        let key = parsed.key().fingerprint();
        if parsed.namespace() != GIT {
            return bad(format, &key, &format!("it was made for `{}`, not for git", parsed.namespace()));
        }
        let presence = parsed.signature().presence();
        let presence =
            presence.map(|presence| TokenPresence { touched: presence.touched, verified: presence.verified });
        let standing = self.standing(&parsed, parts);
        let checked = |standing| Signature::Checked(Checked { format, key: key.clone(), standing, presence });
        match parsed.signature().check(parsed.key(), &parsed.signed_data(&armour.payload)) {
            Answer::Good => standing.map_or(Signature::NotAsked, checked),
            Answer::Bad => bad(format, &key, "it is not one of what it stands in"),
            Answer::ByProgram => match standing {
                // Nothing depends on what a program would say.
                None => Signature::NotAsked,
                Some(standing @ (Standing::Refused { .. } | Standing::Unknown(_) | Standing::Bad { .. })) => {
                    checked(standing)
                }
                Some(standing @ Standing::Trusted { .. }) => {
                    let variables = self.repository.variables();
                    match keygen::verify(&armour.text, &armour.payload, parsed.key(), GIT, variables) {
                        Ok(true) => checked(standing),
                        Ok(false) => bad(format, &key, "it is not one of what it stands in"),
                        Err(why) => Signature::Unverifiable { format, why },
                    }
                }
            },
            Answer::Unsupported if standing.is_none() => Signature::NotAsked,
            Answer::Unsupported => {
                let why = format!("signatures with `{}` are not supported", parsed.key().algorithm());
                Signature::Unverifiable { format, why: Unknown::new(why) }
            }
        }
    }

    /// Whose a key is; none where nobody wants to know.
    fn standing(&self, signature: &SshSig, parts: &Parts) -> Option<Standing> {
        let signers = match self.signers {
            Ok(signers) => signers,
            Err(_) if !self.is_wanted => return None,
            Err(why) => return Some(Standing::Unknown(why.clone())),
        };
        let at = match self.at(parts) {
            Ok(at) => at,
            Err(standing) => return Some(standing),
        };
        let key = signature.key();
        let principals = signers.find(key, GIT, at);
        if principals.is_empty() {
            let why = signers.why_not(key, GIT, at).map_or_else(|| format!("is not in {}", self.name), refusal);
            return Some(Standing::Refused { why });
        }
        let is_one =
            |person: Option<&Person>| person.is_some_and(|person| signers.permits(&person.email, key, GIT, at));
        Some(trusted(principals, parts, is_one))
    }

    /// The moment for which a key has to count.
    fn at(&self, parts: &Parts) -> Result<Timestamp, Standing> {
        let refused = |why: String| Standing::Refused { why };
        let at = parts.committer.as_ref().and_then(|person| Timestamp::from_second(person.time).ok());
        let at =
            at.ok_or_else(|| refused("has no date to count at: who made it, and when, cannot be read".to_owned()))?;
        if at.as_second() > self.now.as_second().saturating_add(SKEW) {
            return Err(refused(format!("would have to count at {at}, which lies in the future")));
        }
        Ok(at)
    }

    /// A signature of OpenPGP or X.509, which git has checked by others.
    fn by_git(&self, parts: &Parts, format: SignatureFormat) -> Signature {
        let checked =
            |key: &str, standing| Signature::Checked(Checked { format, key: key.to_owned(), standing, presence: None });
        let refused = |key: &str, why: &str| checked(key, Standing::Refused { why: why.to_owned() });
        if self.keys.is_empty() {
            return match self.signers {
                Ok(_) => refused("", "is none that the policy names"),
                Err(why) if self.is_wanted => checked("", Standing::Unknown(why.clone())),
                Err(_) => Signature::NotAsked,
            };
        }
        let said = match verify_commit::verify(self.repository, parts.kind, parts.id, format) {
            Ok(said) => said,
            Err(why) => return Signature::Unverifiable { format, why },
        };
        match said.verdict {
            Verdict::Bad => bad(format, &said.key, "it is not one of what it stands in"),
            Verdict::SignatureExpired => refused(&said.key, "made it for a time that has passed"),
            Verdict::KeyExpired => refused(&said.key, "had expired before"),
            Verdict::KeyRevoked => refused(&said.key, "was revoked"),
            Verdict::Good => {
                let known = self.keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(&said.key));
                let Some((_, list)) = known else { return refused(&said.key, "is none that the policy names") };
                if let Err(standing) = self.at(parts) {
                    return checked(&said.key, standing);
                }
                let is_one =
                    |person: Option<&Person>| person.is_some_and(|person| allowed_signers::is_for(list, &person.email));
                checked(&said.key, trusted(list.split(',').map(str::to_owned).collect(), parts, is_one))
            }
        }
    }

    /// What a merge by a forge is worth; others are not made anew.
    fn merge(
        &self,
        parts: &Parts,
        signature: &Signature,
    ) -> Option<crate::finding::Fact<crate::subject::signed_object::MergeTree>> {
        let Signature::Checked(Checked { key, standing: Standing::Trusted { principals, author, committer }, .. }) =
            signature
        else {
            return None;
        };
        let is_forge = identity_mismatch::is_forge(key, principals, &self.forge);
        if parts.parents.len() < 2 || !is_forge || (*author && *committer) {
            return None;
        }
        Some(merge_tree::compare(self.repository, parts.tree?, &parts.parents))
    }
}

fn trusted(principals: Vec<String>, parts: &Parts, is_one: impl Fn(Option<&Person>) -> bool) -> Standing {
    let committer = is_one(parts.committer.as_ref());
    let author = match parts.kind {
        ObjectKind::Commit => is_one(parts.author.as_ref()),
        ObjectKind::Tag | ObjectKind::LightweightTag => committer,
    };
    Standing::Trusted { principals, author, committer }
}

fn bad(format: SignatureFormat, key: &str, why: &str) -> Signature {
    let standing = Standing::Bad { why: why.to_owned() };
    Signature::Checked(Checked { format, key: key.to_owned(), standing, presence: None })
}

/// Why a key that is listed does not count: follows "its key".
fn refusal(refused: Refused) -> String {
    match refused {
        Refused::Namespace { allowed } => format!("is trusted for `{allowed}`, not for `{GIT}`"),
        Refused::NotYet { valid_after } => format!("is not trusted before {valid_after}"),
        Refused::Expired { valid_before } => format!("is not trusted after {valid_before}"),
        Refused::Authority => "is trusted for certificates alone, which are not supported".to_owned(),
        Refused::Nobody => "is nobody's: its line names nobody".to_owned(),
    }
}
