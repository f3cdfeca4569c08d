//! The tags that name versions.

use gix::objs::Kind;
use semver::Version;

use super::Error;
use super::commits::Commits;
use super::program::Call;
use super::refs::Refs;
use super::repository::GitRepository;
use super::signed::Reader;
use crate::subject::content::ObjectId;

/// How the tag of a version is called: a text in which `{name}` and `{version}` stand for the package's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPattern(String);

/// A tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Without `refs/tags/`.
    pub name: String,
    /// What the ref points to: the tag object, or the commit itself.
    pub object: ObjectId,
    /// The commit that it leads to; none if it leads to something else.
    pub commit: Option<ObjectId>,
    /// Whether it is an object with a signature, by whomever.
    pub is_signed: bool,
}

/// The tag of an earlier version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionTag {
    /// Without `refs/tags/`.
    pub name: String,
    /// The version that it names.
    pub version: Version,
    /// The commit that it leads to.
    pub commit: ObjectId,
}

impl TagPattern {
    /// A pattern; none without `{version}`, as it would name every version alike.
    pub fn new(text: &str) -> Option<Self> {
        text.contains("{version}").then(|| Self(text.to_owned()))
    }

    /// What most projects use: `v1.2.3`, and `name-v1.2.3` where a repository publishes several packages.
    pub fn usual(publishes_several: bool) -> Self {
        Self(if publishes_several { "{name}-v{version}" } else { "v{version}" }.to_owned())
    }

    /// The name of the tag of a version.
    pub fn tag(&self, package: &str, version: &Version) -> String {
        self.0.replace("{name}", package).replace("{version}", &version.to_string())
    }

    /// The version that a tag of a package names.
    pub fn version(&self, package: &str, tag: &str) -> Option<Version> {
        let pattern = self.0.replace("{name}", package);
        let (before, after) = pattern.split_once("{version}")?;
        let version = Version::parse(tag.strip_prefix(before)?.strip_suffix(after)?).ok()?;
        // The same version may be written into the pattern more than once.
        (self.tag(package, &version) == tag).then_some(version)
    }
}

/// The tag of this name (without `refs/tags/`).
///
/// # Errors
///
/// [`Error::Ref`] if it is there and cannot be read.
pub fn find(repository: &GitRepository, name: &str) -> Result<Option<Tag>, Error> {
    let store = repository.store()?;
    read(repository, &Refs::open(repository), &mut Commits::new(repository, &store), &Reader::over(store.clone()), name)
}

fn read(
    repository: &GitRepository,
    refs: &Refs<'_>,
    commits: &mut Commits<'_>,
    reader: &Reader,
    name: &str,
) -> Result<Option<Tag>, Error> {
    let full = format!("refs/tags/{name}");
    let Some(object) = refs.find(&full)? else { return Ok(None) };
    let failed = |why: String| Error::Ref { name: full, directory: repository.git_dir().to_owned(), why };
    let peeled = commits.peel(object).map_err(failed)?;
    let parts = peeled.tags.first().and_then(|tag| reader.read(*tag).ok().flatten());
    let is_signed = parts.is_some_and(|parts| parts.signature.is_some());
    let commit = (peeled.kind == Kind::Commit).then_some(peeled.id);
    Ok(Some(Tag { name: name.to_owned(), object, commit, is_signed }))
}

/// Every tag of this repository, by name, whether or not a remote has it too.
///
/// # Errors
///
/// [`Error::Program`] if git cannot tell, [`Error::Ref`] if a tag cannot be read.
pub fn all(repository: &GitRepository) -> Result<Vec<Tag>, Error> {
    listed(repository, &[])
}

fn listed(repository: &GitRepository, more: &[&str]) -> Result<Vec<Tag>, Error> {
    let arguments = [&["for-each-ref", "--format=%(refname)"], more, &["refs/tags/"]].concat();
    let listed = Call::new(&arguments).succeed(repository)?;
    let listed = String::from_utf8_lossy(&listed);
    let names = listed.lines().filter_map(|line| line.strip_prefix("refs/tags/"));
    let store = repository.store()?;
    let (refs, reader) = (Refs::open(repository), Reader::over(store.clone()));
    let mut commits = Commits::new(repository, &store);
    names.filter_map(|name| read(repository, &refs, &mut commits, &reader, name).transpose()).collect()
}

/// The tag of the greatest version before `version` that the parents of a commit lead to.
///
/// # Errors
///
/// As [`all`].
pub fn previous(
    repository: &GitRepository,
    package: &str,
    version: &Version,
    commit: ObjectId,
    pattern: &TagPattern,
) -> Result<Option<VersionTag>, Error> {
    let merged = listed(repository, &[&format!("--merged={commit}")])?;
    let earlier = merged.into_iter().filter_map(|tag| {
        let of_tag = pattern.version(package, &tag.name).filter(|of_tag| of_tag.cmp_precedence(version).is_lt())?;
        // A tag of the commit itself may have been made by whoever made the commit.
        let found = tag.commit.filter(|found| *found != commit)?;
        Some(VersionTag { name: tag.name, version: of_tag, commit: found })
    });
    Ok(earlier.max_by(|one, other| one.version.cmp(&other.version)))
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn patterns_name_versions_and_are_read_back() {
        let version = Version::parse("1.2.3-rc.1").unwrap();
        for (pattern, tag) in [
            ("v{version}", "v1.2.3-rc.1"),
            ("{name}-v{version}", "one-v1.2.3-rc.1"),
            ("release/{version}/{name}", "release/1.2.3-rc.1/one"),
            ("{version}", "1.2.3-rc.1"),
        ] {
            let pattern = TagPattern::new(pattern).unwrap();
            assert_eq!(pattern.tag("one", &version), tag);
            assert_eq!(pattern.version("one", tag).as_ref(), Some(&version));
        }
        assert_eq!(TagPattern::new("v1"), None);
        let usual = TagPattern::usual(true);
        for other in ["v1.2.3", "two-v1.2.3", "one-v1.2", "one-v1.2.3.4", "one-two-v1.2.3"] {
            assert_eq!(usual.version("one", other), None, "{other}");
        }
    }

    #[test]
    fn annotated_tags_are_peeled_and_signatures_seen() {
        let sandbox = Sandbox::new(&[]);
        let commit = sandbox.commit("one");
        sandbox.git(&["tag", "light"]);
        sandbox.git(&["tag", "--annotate", "--message", "x", "annotated"]);
        sandbox.git(&["tag", "--annotate", "--message", "x", "nested", "annotated"]);
        sandbox.git(&["tag", "tree", "HEAD^{tree}"]);
        let signed = "x\n-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n";
        sandbox.git(&["tag", "--annotate", "--message", signed, "signed"]);
        let repository = sandbox.open();
        let found = |name: &str| {
            let tag = find(&repository, name).unwrap().unwrap();
            assert_eq!(tag.object, sandbox.id(&format!("refs/tags/{name}")));
            (tag.commit, tag.is_signed)
        };
        for name in ["light", "annotated", "nested"] {
            assert_eq!(found(name), (Some(commit), false), "{name}");
        }
        assert_eq!(found("signed"), (Some(commit), true));
        assert_eq!(found("tree"), (None, false));
        assert_eq!(find(&repository, "absent").unwrap(), None);
        sandbox.git(&["pack-refs", "--all"]);
        assert_eq!(found("annotated"), (Some(commit), false));
    }

    #[test]
    fn the_previous_version_is_the_greatest_before_it_that_parents_lead_to() {
        let sandbox = Sandbox::new(&[]);
        let pattern = TagPattern::usual(false);
        let previous = |version: &str| {
            let version = Version::parse(version).unwrap();
            let found = super::previous(&sandbox.open(), "one", &version, sandbox.id("HEAD"), &pattern).unwrap();
            found.map(|tag| tag.name)
        };
        sandbox.commit("none");
        assert_eq!(previous("2.0.0"), None);
        for tag in ["v1.9.0", "v1.10.0", "v1.10.0-rc.1", "v3.0.0", "other-v1.11.0", "v1"] {
            sandbox.commit(tag);
            sandbox.git(&["tag", "--annotate", "--message", tag, tag]);
        }
        sandbox.git(&["checkout", "--quiet", "-b", "side"]);
        sandbox.commit("side");
        sandbox.git(&["tag", "v1.12.0"]);
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.commit("release");
        assert_eq!(previous("2.0.0").as_deref(), Some("v1.10.0"));
        assert_eq!(previous("1.10.0").as_deref(), Some("v1.10.0-rc.1"));
        assert_eq!(previous("4.0.0").as_deref(), Some("v3.0.0"));
        sandbox.git(&["tag", "v1.11.0"]);
        assert_eq!(previous("2.0.0").as_deref(), Some("v1.10.0"), "not one of the commit itself");
    }
}
