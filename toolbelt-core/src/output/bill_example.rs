//! Bills of materials for the tests of the formats.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use semver::Version;

use super::hostile::text;
use crate::subject::bill_of_materials::{BillOfMaterials, Maker};
use crate::subject::digest::Sha256Digest;
use crate::subject::feature_resolution::{Choice, Features, Targets, Tests, resolve};
use crate::subject::package::{DependencyKind, GitReference, Registry, Source};
use crate::subject::package_graph::{About, Builds, GraphDependency, GraphPackage, PackageGraph, Unification};

/// A package with a library, a native one, a procedural macro that needs a build script, and one from git.
pub(super) fn bill() -> BillOfMaterials {
    let git = Source::Git {
        url: "https://example.org/d.git".to_owned(),
        reference: GitReference::DefaultBranch,
        commit: Some("ab".repeat(20)),
    };
    let packages = vec![
        GraphPackage {
            about: About { license: Some("MIT/Apache-2.0".to_owned()), ..About::default() },
            builds: Builds { program: true, ..Builds::default() },
            dependencies: vec![needs(1, DependencyKind::Normal), needs(2, DependencyKind::Normal)],
            ..package("app", Source::Path)
        },
        GraphPackage {
            about: About {
                license: Some("mine, all mine".to_owned()),
                authors: vec!["Ann <a@b.c>".to_owned()],
                ..About::default()
            },
            checksum: Some(Sha256Digest::new([7; 32])),
            links: Some("b".to_owned()),
            dependencies: vec![needs(3, DependencyKind::Normal), needs(3, DependencyKind::Build)],
            ..package("b", Source::crates_io())
        },
        GraphPackage {
            builds: Builds { proc_macro: true, build_script: true, ..Builds::default() },
            ..package("c", Source::crates_io())
        },
        package("d", git),
    ];
    written_down(&PackageGraph { packages, unification: Unification::ByUse })
}

/// A bill of materials whose every text was written by an attacker.
pub(super) fn hostile() -> impl Strategy<Value = BillOfMaterials> {
    vec(hostile_package(), 1..5).prop_map(|mut packages| {
        let kinds = [DependencyKind::Normal, DependencyKind::Build];
        packages[0].dependencies =
            (0..packages.len()).flat_map(|package| kinds.map(|kind| needs(package, kind))).collect();
        written_down(&PackageGraph { packages, unification: Unification::ByUse })
    })
}

fn hostile_package() -> impl Strategy<Value = GraphPackage> {
    let source = prop_oneof![
        Just(Source::Path),
        Just(Source::crates_io()),
        text().prop_map(|index| Source::Registry(Registry { index })),
        (text(), text()).prop_map(|(url, commit)| Source::Git {
            url,
            reference: GitReference::DefaultBranch,
            commit: Some(commit)
        }),
        text().prop_map(Source::Other),
    ];
    let url = || option::of(prop_oneof![text(), text().prop_map(|rest| format!("https://{rest}"))]);
    let about = (option::of(text()), option::of(text()), option::of(text()), vec(text(), 0..3), url(), url(), url());
    (text(), source, about, btree_set(text(), 0..3), any::<bool>()).prop_map(
        |(name, source, about, features, is_macro)| {
            let (license, license_file, description, authors, repository, homepage, documentation) = about;
            GraphPackage {
                about: About { license, license_file, description, authors, repository, homepage, documentation },
                features: features.into_iter().map(|feature| (feature, Vec::new())).collect(),
                builds: Builds { proc_macro: is_macro, ..Builds::default() },
                ..package(&name, source)
            }
        },
    )
}

fn package(name: &str, source: Source) -> GraphPackage {
    GraphPackage {
        name: name.to_owned(),
        version: Version::new(1, 2, 3),
        source,
        checksum: None,
        about: About::default(),
        builds: Builds { library: true, ..Builds::default() },
        links: None,
        features: [("default".to_owned(), Vec::new())].into(),
        dependencies: Vec::new(),
    }
}

fn needs(package: usize, kind: DependencyKind) -> GraphDependency {
    let (key, target, optional, features) = (format!("key{package}"), None, false, Vec::new());
    GraphDependency { key, package, kind, target, optional, default_features: true, features }
}

fn written_down(graph: &PackageGraph) -> BillOfMaterials {
    let choice = Choice { features: Features::All, targets: Targets::All, tests: Tests::LeftOut };
    let resolution = resolve(graph, 0, &choice).unwrap();
    BillOfMaterials::new(graph, 0, &choice, &resolution, None, Maker::new("cargo-toolbelt 0.1.0", None))
}
