//! Commits and tags, taken apart into what is signed and its signature, as git does it.

use gix::hash::Kind as HashKind;
use gix::objs::Kind;

use super::commits::Commits;
use super::refs::Refs;
use super::repository::GitRepository;
use super::store::{Missing, Store};
use super::{Error, push, range, receive};
use crate::report::Coverage;
use crate::subject::content::ObjectId;
use crate::subject::ref_update::{is_tag, short_name};
use crate::subject::signed_object::{ObjectKind, Person, SignatureFormat};

/// The commits and tags that are new, as ids.
#[derive(Debug, Clone, Default)]
pub struct News {
    /// Commits, parents before their children.
    pub commits: Vec<ObjectId>,
    /// Annotated tags.
    pub tags: Vec<ObjectId>,
    /// What tags point to, by their names without `refs/tags/`: an annotated tag, or anything else.
    pub named: Vec<(String, ObjectId)>,
    /// What all of this was reached from: commits, tags, or anything else.
    pub tips: Vec<ObjectId>,
}

/// What a push sends and the remote does not have; the arguments are those of [`push::visit`].
///
/// # Errors
///
/// As [`push::visit`].
pub fn pushed(
    repository: &GitRepository,
    remote: &str,
    url: &str,
    input: &[u8],
    coverage: &mut Coverage,
) -> Result<News, Error> {
    let store = repository.store()?;
    let updates = push::updates(input)?;
    let moved = updates.into_iter().filter(|update| update.new != update.old);
    let named = moved.filter_map(|update| Some((update.remote, update.new?)));
    let outgoing = push::outgoing(repository, remote, url, input, coverage)?;
    let (commits, tags) = outgoing.objects(repository, &store, coverage);
    Ok(News { commits, tags, named: tags_among(named), tips: outgoing.tips })
}

/// What is being received and is not here; `input` is that of [`receive::visit`].
///
/// # Errors
///
/// As [`receive::visit`].
pub fn received(repository: &GitRepository, input: &[u8], coverage: &mut Coverage) -> Result<News, Error> {
    let store = repository.store()?;
    let updates = receive::updates(input)?;
    let moved = updates.into_iter().filter(|update| update.new != update.old);
    let named = moved.filter_map(|update| Some((update.name, update.new?)));
    let outgoing = receive::outgoing(repository, input, coverage)?;
    let (commits, tags) = outgoing.objects(repository, &store, coverage);
    Ok(News { commits, tags, named: tags_among(named), tips: outgoing.tips })
}

/// What a range holds; a tag that it names, and not the commit that the tag leads to, counts by its name.
///
/// # Errors
///
/// As [`range::visit`].
pub fn ranged(repository: &GitRepository, range: &str, coverage: &mut Coverage) -> Result<News, Error> {
    let store = repository.store()?;
    let outgoing = range::outgoing(repository, range, coverage)?;
    let mut walk = Commits::new(repository, &store);
    for tip in &outgoing.tips {
        if walk.peel(*tip).is_ok_and(|peeled| peeled.kind != Kind::Commit && peeled.tags.is_empty()) {
            let why = format!("{tip} is neither a commit nor a tag");
            return Err(Error::Range { range: range.to_owned(), why });
        }
    }
    let (commits, tags) = outgoing.objects(repository, &store, coverage);
    let mut named = Vec::new();
    let refs = Refs::open(repository);
    for part in range.split_whitespace().filter(|part| !part.starts_with('^')) {
        // Both ends of `A...B` are included, of `A..B` only the second.
        let ends: Vec<&str> = match part.split_once("...") {
            Some((one, other)) => vec![one, other],
            None => vec![part.split_once("..").map_or(part, |(_, end)| end)],
        };
        for end in ends {
            if let Some((name, id)) = tag_named(&refs, end)? {
                named.push((name, id));
            }
        }
    }
    Ok(News { commits, tags, named: tags_among(named.into_iter()), tips: outgoing.tips })
}

/// The tag that a revision names as it is, by its full name and what it points to; none if it names something else, or
/// what a tag leads to.
fn tag_named(refs: &Refs<'_>, revision: &str) -> Result<Option<(String, ObjectId)>, Error> {
    let name = ["^{tag}", "^{object}"].iter().find_map(|end| revision.strip_suffix(end)).unwrap_or(revision);
    // Where git looks for a name, as far as tags come before anything else.
    for full in [name.to_owned(), format!("refs/{name}"), format!("refs/tags/{name}")] {
        if full.starts_with("refs/")
            && let Some(id) = refs.find(&full)?
        {
            return Ok(is_tag(&full).then_some((full, id)));
        }
    }
    Ok(None)
}

fn tags_among(refs: impl Iterator<Item = (String, ObjectId)>) -> Vec<(String, ObjectId)> {
    let tags = refs.filter(|(name, _)| is_tag(name));
    tags.map(|(name, id)| (short_name(&name).to_owned(), id)).collect()
}

/// A commit or tag, taken apart.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// What a tag calls itself.
    pub name: Option<String>,
    /// Who wrote it; none where that cannot be read, or is said twice.
    pub author: Option<Person>,
    /// The committer, or the tagger.
    pub committer: Option<Person>,
    /// The tree of a commit, in hexadecimal digits.
    pub tree: Option<ObjectId>,
    /// A commit's parents.
    pub parents: Vec<ObjectId>,
    /// Its signature; none if it has none.
    pub signature: Option<Armour>,
}

/// A signature that was not looked into.
#[derive(Debug, Clone)]
pub struct Armour {
    /// What it begins like; none for what is not known.
    pub format: Option<SignatureFormat>,
    /// The lines of the signature.
    pub text: String,
    /// What is signed.
    pub payload: Vec<u8>,
    /// Whether there is more than one, and programs differ on which one counts.
    pub is_ambiguous: bool,
}

/// Reads commits and tags; a clone is cheap and for another thread.
#[derive(Clone)]
pub struct Reader {
    store: Store,
}

impl Reader {
    /// Reads from this repository.
    ///
    /// # Errors
    ///
    /// [`Error`] if objects cannot be read at all.
    pub fn open(repository: &GitRepository) -> Result<Self, Error> {
        Ok(Self::over(repository.store()?))
    }

    /// Reads from a store.
    pub(super) fn over(store: Store) -> Self {
        Self { store }
    }

    /// What an object is, and its parts; a blob or a tree has none.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it cannot be read, or is not what its id says.
    pub fn read(&self, id: ObjectId) -> Result<Option<Parts>, Missing> {
        let mut buffer = Vec::new();
        let data = self.store.read(&id, &mut buffer)?;
        let kind = match data.kind {
            Kind::Commit => ObjectKind::Commit,
            Kind::Tag => ObjectKind::Tag,
            Kind::Tree | Kind::Blob => return Ok(None),
        };
        // A signature is worth nothing if the object that has it is under the id of another one.
        let actual = gix::objs::compute_hash(self.store.hash(), data.kind, data.data);
        if !actual.is_ok_and(|actual| actual == id) {
            return Err(Missing::Unreadable("it is not what its id says".to_owned()));
        }
        Ok(Some(Parts::of(id, kind, data.data, self.store.hash())))
    }
}

impl Parts {
    /// Takes an object apart, whatever is in it.
    pub fn of(id: ObjectId, kind: ObjectKind, data: &[u8], hash: HashKind) -> Self {
        let signature = match kind {
            ObjectKind::Commit => in_header(data, hash),
            ObjectKind::Tag | ObjectKind::LightweightTag => at_end(data),
        };
        let mut parts =
            Parts { id, kind, name: None, author: None, committer: None, tree: None, parents: Vec::new(), signature };
        let (mut authors, mut committers) = (Vec::new(), Vec::new());
        for line in data.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
            let Some(at) = line.iter().position(|byte| *byte == b' ') else { continue };
            let (key, value) = (&line[..at], &line[at + 1..]);
            match (kind, key) {
                (ObjectKind::Commit, b"tree") => parts.tree = parts.tree.or(ObjectId::from_hex(value).ok()),
                (ObjectKind::Commit, b"parent") => parts.parents.extend(ObjectId::from_hex(value)),
                (ObjectKind::Commit, b"author") => authors.push(person(value)),
                (ObjectKind::Commit, b"committer") | (ObjectKind::Tag, b"tagger") => committers.push(person(value)),
                (ObjectKind::Tag, b"tag") => {
                    parts.name = parts.name.or_else(|| Some(String::from_utf8_lossy(value).into_owned()));
                }
                _ => {}
            }
        }
        // Of several some programs take the first, and some the last: nobody is named by that.
        let only = |mut named: Vec<Option<Person>>| if named.len() == 1 { named.remove(0) } else { None };
        (parts.author, parts.committer) = (only(authors), only(committers));
        parts
    }
}

/// Reads `Name <address> 1767225600 +0100`, as git does.
fn person(line: &[u8]) -> Option<Person> {
    let start = line.iter().position(|byte| *byte == b'<')? + 1;
    let end = start + line[start..].iter().position(|byte| *byte == b'>')?;
    let behind = line.iter().rposition(|byte| *byte == b'>')? + 1;
    let time = std::str::from_utf8(&line[behind..]).ok()?.split_ascii_whitespace().next()?.parse().ok()?;
    let email = String::from_utf8_lossy(line[start..end].trim_ascii()).into_owned();
    Some(Person { email, time })
}

/// The signature in the header of a commit. Those for another hash function than the repository's are not signed.
fn in_header(data: &[u8], hash: HashKind) -> Option<Armour> {
    let own: &[u8] = if hash == HashKind::Sha256 { b"gpgsig-sha256 " } else { b"gpgsig " };
    let (mut payload, mut text) = (Vec::with_capacity(data.len()), Vec::new());
    let (mut count, mut of_own, mut of_other) = (0, false, false);
    let mut rest = data;
    while !rest.is_empty() {
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, more) = rest.split_at(length);
        if line == b"\n" {
            payload.extend(rest);
            break;
        }
        rest = more;
        if let (true, Some(continued)) = (of_own, line.strip_prefix(b" ")) {
            text.extend(continued);
            continue;
        }
        of_own = false;
        if let Some(first) = line.strip_prefix(own) {
            (of_own, of_other) = (true, false);
            count += 1;
            text.extend(first);
            continue;
        }
        of_other = line.starts_with(b"gpgsig") || of_other && line.starts_with(b" ");
        if !of_other {
            payload.extend(line);
        }
    }
    (count > 0).then(|| Armour::new(&text, payload, count > 1))
}

/// The signature at the end of a tag: from the last line on that begins one.
fn at_end(data: &[u8]) -> Option<Armour> {
    let mut start = None;
    let mut count = 0;
    let mut at = 0;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if BEGINNINGS.iter().any(|(begin, _)| line.starts_with(begin.as_bytes())) {
            start = Some(at);
            count += 1;
        }
        at += line.len();
    }
    let (signed, text) = data.split_at(start?);
    // Signatures in the header are for another hash function, and are not signed.
    let mut payload = Vec::with_capacity(signed.len());
    let (mut in_header, mut of_other) = (true, false);
    for line in signed.split_inclusive(|byte| *byte == b'\n') {
        in_header &= line != b"\n";
        of_other = in_header && (line.starts_with(b"gpgsig") || of_other && line.starts_with(b" "));
        if !of_other {
            payload.extend(line);
        }
    }
    Some(Armour::new(text, payload, count > 1))
}

/// How signatures begin.
const BEGINNINGS: &[(&str, SignatureFormat)] = &[
    ("-----BEGIN SSH SIGNATURE-----", SignatureFormat::Ssh),
    ("-----BEGIN PGP SIGNATURE-----", SignatureFormat::OpenPgp),
    ("-----BEGIN PGP MESSAGE-----", SignatureFormat::OpenPgp),
    ("-----BEGIN SIGNED MESSAGE-----", SignatureFormat::X509),
];

impl Armour {
    fn new(text: &[u8], payload: Vec<u8>, is_ambiguous: bool) -> Self {
        let text = String::from_utf8_lossy(text).into_owned();
        let format = BEGINNINGS.iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, format)| *format);
        Self { format, text, payload, is_ambiguous }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_dates_are_read_as_git_reads_them() {
        let read = |text: &str| person(text.as_bytes()).map(|person| (person.email, person.time));
        assert_eq!(read("A <a@x> 12 +0000"), Some(("a@x".to_owned(), 12)));
        assert_eq!(read("A <a@x> <b@x> -5 +0000"), Some(("a@x".to_owned(), -5)));
        assert_eq!(read("< a@x > 12"), Some(("a@x".to_owned(), 12)));
        for wrong in ["A a@x 12 +0000", "A <a@x 12", "A <a@x>", "A <a@x> soon", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_signed_has_neither_this_signature_nor_that_for_another_hash() {
        let commit = b"tree 1\nauthor A <a@x> 1 +0000\ngpgsig-sha256 -----BEGIN\n x\n y\ngpgsig -----BEGIN SSH SIGNATURE-----\n \
              c2ln\n -----END SSH SIGNATURE-----\nencoding x\n y\n\ngpgsig not\n a header\n";
        let armour = in_header(commit, HashKind::Sha1).unwrap();
        assert_eq!(armour.text, "-----BEGIN SSH SIGNATURE-----\nc2ln\n-----END SSH SIGNATURE-----\n");
        let payload = "tree 1\nauthor A <a@x> 1 +0000\nencoding x\n y\n\ngpgsig not\n a header\n";
        assert_eq!(String::from_utf8(armour.payload).unwrap(), payload);
        assert!(!armour.is_ambiguous);
        assert_eq!(in_header(commit, HashKind::Sha256).unwrap().format, None);
        assert!(in_header(b"tree 1\ngpgsig a\ngpgsig b\n\n", HashKind::Sha1).unwrap().is_ambiguous);
        assert!(in_header(b"tree 1\n\ngpgsig a\n", HashKind::Sha1).is_none());
    }

    #[test]
    fn a_tag_is_signed_at_its_end() {
        let tag = b"object 1\ntag v1\ngpgsig-sha256 a\n b\n\nText\n-----BEGIN PGP SIGNATURE-----\nx\n";
        let armour = at_end(tag).unwrap();
        assert_eq!(String::from_utf8(armour.payload).unwrap(), "object 1\ntag v1\n\nText\n");
        assert_eq!(armour.format, Some(SignatureFormat::OpenPgp));
        assert!(at_end(b"object 1\n\nText -----BEGIN PGP SIGNATURE-----\n").is_none());
    }
}
