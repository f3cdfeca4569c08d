//! Where a release comes from: packages it with cargo, reads the `.crate`, compares it with the commit, and says which
//! tag and which remotes the commit has.
//!
//! Each part can be had by itself, and fills its part of [`Release`](crate::subject::release::Release):
//!
//! ```text
//! package     `cargo package`: the `.crate` files
//! archive     what is in one of them
//! description what its manifests say
//! rebuild     packages the commit alone, from a clone
//! comparison  the files of the `.crate` against the commit and what was rebuilt
//! repackage   packages the commit once more, elsewhere
//! revision    commit, remotes, tag
//! semver      what cargo-semver-checks says
//! collect     the parts of one package
//! ```

pub mod archive;
pub mod collect;
pub mod comparison;
pub mod description;
pub mod origin;
pub mod package;
pub mod rebuild;
pub mod repackage;
pub mod revision;
pub mod semver_checks;
