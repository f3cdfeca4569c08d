//! What one package is made of: every package that is built into it or runs while it is built, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::declared_license::DeclaredLicense;
use super::digest::Sha256Digest;
use super::feature_resolution::{Choice, Features, Resolution, Targets, Tests, Use};
use super::package::{DependencyKind, Source, purl};
use super::package_graph::{Builds, GraphPackage, PackageGraph};
use super::web_address::WebAddress;

/// How much is kept of a description, in characters.
const MAX_DESCRIPTION: usize = 2000;
/// How much is kept of an author's name, in characters, and of how many authors.
const MAX_AUTHOR: usize = 200;
const MAX_AUTHORS: usize = 100;

/// What one package is made of.
///
/// It says nothing of the machine that it was made on, beyond the host's triple where that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillOfMaterials {
    /// The package itself and all that it needs, sorted by name, version and source.
    pub components: Vec<Component>,
    /// Index of the package itself.
    pub root: usize,
    /// Who needs whom, and for what: indices into `components`, sorted.
    pub edges: Vec<Edge>,
    /// For which features and targets this holds.
    pub scope: Scope,
    /// Who wrote it down, and when.
    pub maker: Maker,
}

/// Who wrote a bill of materials down, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// Program and version, with a space between them.
    pub tool: String,
    /// None where the time would be that of the run, which says nothing of the package and is never the same twice.
    pub time: Option<Timestamp>,
}

impl Maker {
    /// A tool and a time, of which fractions of a second are left out: not every format takes them.
    pub fn new(tool: &str, time: Option<Timestamp>) -> Self {
        let time = time.map(|time| Timestamp::from_second(time.as_second()).unwrap_or(time));
        Self { tool: tool.to_owned(), time }
    }
}

/// For which features and targets a bill of materials holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The features of the package that were chosen.
    pub features: Features,
    /// The triples that it is built for, sorted; empty if for any.
    pub targets: Vec<String>,
    /// The triple of the host that it is built on; none if on any.
    pub host: Option<String>,
    /// Whether what its tests need is in it.
    pub tests: Tests,
}

/// One package needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who needs it.
    pub from: usize,
    /// What is needed.
    pub to: usize,
    /// For what.
    pub kind: DependencyKind,
}

/// A package that another is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Names it in this bill of materials and nowhere else; its purl, unless another component has the same.
    pub reference: String,
    /// `package.name`.
    pub name: String,
    /// `package.version`.
    pub version: String,
    /// Its [package URL](https://github.com/package-url/purl-spec).
    pub purl: String,
    /// Where cargo takes it from.
    pub origin: Origin,
    /// Where it can be had from; none for directories, and for places that only one machine has.
    pub download: Option<String>,
    /// The digest of its `.crate`: of a dependency as the lock file asks for it, of the package itself if it was packaged.
    pub digest: Option<Sha256Digest>,
    /// What it declares; none if it declares nothing.
    pub license: Option<DeclaredLicense>,
    /// What it is, in one line.
    pub description: Option<String>,
    /// Names of authors, without addresses.
    pub authors: Vec<String>,
    /// Its repository.
    pub repository: Option<WebAddress>,
    /// Its website.
    pub homepage: Option<WebAddress>,
    /// Its documentation.
    pub documentation: Option<WebAddress>,
    /// What is built of it.
    pub builds: Builds,
    /// Whether what it is made of is known to be listed.
    pub completeness: Completeness,
    /// How it is used, with its features.
    pub usage: Use,
    /// Whether it is needed on some targets only, of those that the bill of materials holds for.
    pub is_conditional: bool,
}

/// Where cargo takes a package from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A registry.
    Registry,
    /// A git repository.
    Git,
    /// A directory, such as that of a workspace member.
    Directory,
    /// Something that this version of toolbelt does not know.
    Other,
}

/// Whether what a package is made of is known to be listed. Cargo knows of packages alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It is: nothing but the compiler runs when it is built.
    Complete,
    /// Its build script may bring something along that no manifest names.
    Unknown,
    /// It is not: it links a native library.
    Incomplete,
}

impl BillOfMaterials {
    /// Writes down what a resolution means; `digest` is that of the package's own `.crate`, if there is one.
    pub fn new(
        graph: &PackageGraph,
        root: usize,
        choice: &Choice,
        resolution: &Resolution,
        digest: Option<Sha256Digest>,
        maker: Maker,
    ) -> Self {
        let everywhere = resolution.needed_everywhere(root);
        let indices: BTreeMap<usize, usize> = resolution.packages.keys().copied().zip(0..).collect();
        let components = resolution.packages.iter().map(|(index, usage)| Component {
            digest: if *index == root { digest } else { graph.packages[*index].checksum },
            is_conditional: !everywhere.contains(index),
            ..component(&graph.packages[*index], usage)
        });
        let mut components: Vec<Component> = components.collect();
        tell_apart(&mut components);
        let edges = resolution.edges.keys().filter_map(|(from, to, kind)| {
            Some(Edge { from: *indices.get(from)?, to: *indices.get(to)?, kind: *kind })
        });
        Self { root: indices[&root], edges: edges.collect(), components, scope: Scope::new(choice), maker }
    }

    /// What one component needs, in one way.
    pub fn needs(&self, component: usize, kind: DependencyKind) -> impl Iterator<Item = &Component> {
        let start = self.edges.partition_point(|edge| edge.from < component);
        let edges = self.edges[start..].iter().take_while(move |edge| edge.from == component);
        edges.filter(move |edge| edge.kind == kind).map(|edge| &self.components[edge.to])
    }
}

impl Scope {
    fn new(choice: &Choice) -> Self {
        let (mut targets, host) = match &choice.targets {
            Targets::All => (Vec::new(), None),
            Targets::Some { targets, host } => {
                (targets.iter().map(|target| target.triple().to_owned()).collect(), Some(host.triple().to_owned()))
            }
        };
        targets.sort();
        targets.dedup();
        Self { features: choice.features.clone(), targets, host, tests: choice.tests }
    }
}

fn component(package: &GraphPackage, usage: &Use) -> Component {
    let version = package.version.to_string();
    let is_public = !names_this_machine(&package.source);
    let qualifier = is_public.then(|| package.source.purl_qualifier()).flatten();
    let purl = purl(&package.name, &version, qualifier.as_deref());
    let about = &package.about;
    let address = |text: &Option<String>| text.as_deref().and_then(WebAddress::parse);
    Component {
        reference: purl.clone(),
        name: package.name.clone(),
        purl,
        origin: origin(&package.source),
        download: if is_public { download(&package.source, &package.name, &version) } else { None },
        version,
        digest: None,
        license: DeclaredLicense::new(about.license.as_deref(), about.license_file.as_deref()),
        description: about.description.as_deref().and_then(|text| one_line(text, MAX_DESCRIPTION)),
        authors: authors(&about.authors),
        repository: address(&about.repository),
        homepage: address(&about.homepage),
        documentation: address(&about.documentation),
        builds: package.builds,
        completeness: match (&package.links, package.builds.build_script) {
            (Some(_), _) => Completeness::Incomplete,
            (None, true) => Completeness::Unknown,
            (None, false) => Completeness::Complete,
        },
        usage: usage.clone(),
        is_conditional: false,
    }
}

fn origin(source: &Source) -> Origin {
    match source {
        Source::Registry(_) => Origin::Registry,
        Source::Git { .. } => Origin::Git,
        Source::Path => Origin::Directory,
        Source::Other(_) => Origin::Other,
    }
}

/// Whether a source is a path of this machine: a local registry, or a repository cloned from a folder.
fn names_this_machine(source: &Source) -> bool {
    let place = match source {
        Source::Path => return true,
        Source::Registry(registry) => &registry.index,
        Source::Git { url, .. } => url,
        Source::Other(place) => place,
    };
    !place.contains("://") || place.contains("file:")
}

/// Where a package can be had from, as [SPDX](https://spdx.github.io/spdx-spec/v3.0.1/model/Software/Properties/downloadLocation/)
/// writes it for repositories.
fn download(source: &Source, name: &str, version: &str) -> Option<String> {
    match source {
        // As the index of crates.io says in its `config.json`.
        Source::Registry(registry) if registry.is_crates_io() => {
            let address = format!("https://static.crates.io/crates/{name}/{version}/download");
            WebAddress::parse(&address).map(|address| address.as_str().to_owned())
        }
        Source::Git { url, commit: Some(commit), .. } => {
            WebAddress::parse(&format!("{url}@{commit}")).map(|address| format!("git+{}", address.as_str()))
        }
        Source::Registry(_) | Source::Git { .. } | Source::Path | Source::Other(_) => None,
    }
}

/// A text in one line, cut to so many characters; none if nothing is left.
fn one_line(text: &str, limit: usize) -> Option<String> {
    let mut line = String::new();
    for word in text.split_whitespace() {
        line.extend((!line.is_empty()).then_some(' '));
        line.push_str(word);
    }
    if let Some((end, _)) = line.char_indices().nth(limit) {
        line.truncate(end);
        line.push('…');
    }
    (!line.is_empty()).then_some(line)
}

/// The names in `Name <address>`; the addresses are nobody's business here.
fn authors(authors: &[String]) -> Vec<String> {
    let name = |author: &String| one_line(author.split('<').next().unwrap_or_default(), MAX_AUTHOR);
    let mut seen = BTreeSet::new();
    authors.iter().filter_map(name).filter(|name| seen.insert(name.clone())).take(MAX_AUTHORS).collect()
}

/// Gives components of the same purl different references: a directory may hold what a registry has too.
fn tell_apart(components: &mut [Component]) {
    let mut seen = BTreeMap::<String, usize>::new();
    for component in components {
        let count = seen.entry(component.purl.clone()).or_default();
        *count += 1;
        if *count > 1 {
            component.reference = format!("{}#{count}", component.purl);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::package::{GitReference, Registry};

    #[test]
    fn texts_become_one_line_and_authors_lose_their_addresses() {
        assert_eq!(one_line(" a\n\n b\tc ", 9).as_deref(), Some("a b c"));
        assert_eq!(one_line("äöü", 2).as_deref(), Some("äö…"));
        assert_eq!(one_line(" \n", 9), None);
        let given = ["Ann <ann@example.org>", "Ann", "<only@example.org>", "Bob"].map(str::to_owned);
        assert_eq!(authors(&given), ["Ann", "Bob"]);
    }

    #[test]
    fn sources_of_this_machine_are_not_told() {
        let git = |url: &str| Source::Git {
            url: url.to_owned(),
            reference: GitReference::DefaultBranch,
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        };
        let registry = |index: &str| Source::Registry(Registry { index: index.to_owned() });
        for local in [
            Source::Path,
            git("file:///home/me/x"),
            git("/home/me/x"),
            registry("file:///srv/index"),
            registry("sparse+file:///srv/index"),
            Source::Other("local-registry+file:///srv/registry".to_owned()),
            Source::Other("directory+/srv".to_owned()),
        ] {
            assert!(names_this_machine(&local), "{local:?}");
        }
        for public in [
            git("https://example.org/x"),
            git("ssh://git@example.org/x"),
            Source::crates_io(),
            registry("sparse+https://example.org/"),
        ] {
            assert!(!names_this_machine(&public), "{public:?}");
        }
        assert_eq!(
            download(&git("https://example.org/x.git"), "x", "1.0.0").as_deref(),
            Some("git+https://example.org/x.git@0123456789abcdef0123456789abcdef01234567")
        );
        assert_eq!(
            download(&registry("sparse+https://example.org/"), "x", "1.0.0"),
            None,
            "nobody says where it serves"
        );
    }
}
