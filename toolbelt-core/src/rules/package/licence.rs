//! What the two rules share that judge a package by the licence in its manifest.

use crate::finding::{Fact, Outcome, Unknown};
use crate::subject::package::{ArchiveManifest, Package, Source};

/// What the manifest of a package says; the outcome of a rule that needed it where it could not be read.
///
/// Packages of the repository itself are its own, and their licence is its owner's to choose.
pub(super) fn manifest(package: &Package) -> Result<&ArchiveManifest, Outcome> {
    let unknown = |unknown: &Unknown| Err(unknown.of(&package.subject()));
    match (&package.archive, &package.source) {
        (Some(Fact::Known(archive)), _) => match &archive.manifest {
            Fact::Known(manifest) => Ok(manifest),
            Fact::Unknown(reason) => unknown(reason),
        },
        (Some(Fact::Unknown(reason)), _) => unknown(reason),
        (None, Source::Path) => Err(Outcome::clean()),
        (None, Source::Registry(_)) => {
            unknown(&Unknown::new("cargo's cache does not have the `.crate`").hint("run `cargo fetch`, or use --deep"))
        }
        (None, Source::Git { .. } | Source::Other(_)) => {
            unknown(&Unknown::new("licences are read from the archives of registries only"))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::finding::Fact;
    use crate::rules::package::listed::tests::package;
    use crate::subject::digest::Sha256Digest;
    use crate::subject::package::{Archive, ArchiveManifest, Package};

    pub(in crate::rules::package) fn licensed(license: Option<&str>, file: Option<&str>) -> Package {
        let manifest =
            Fact::Known(ArchiveManifest { license: license.map(str::to_owned), license_file: file.map(str::to_owned) });
        let archive = Archive { checksum: Sha256Digest::new([7; 32]), manifest, unpacked: None };
        Package { archive: Some(Fact::Known(archive)), ..package() }
    }
}
