//! A `.crate`: any bytes, and a tar archive of any bytes in a gzip stream that is whole.
//!
//! The first byte says which of the two the rest is.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use semver::Version;
use toolbelt_core::source::git::objects::hash::Kind;
use toolbelt_core::source::release::archive::{self, Named};
use toolbelt_core::source::release::description::{Manifests, describe};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let bytes = if first & 1 == 0 { rest.to_vec() } else { gzip(rest) };
    let package = Named { name: "one", version: &Version::new(1, 0, 0) };
    let mut shown = BTreeMap::new();
    let mut show = |path: &str, content: &[u8]| {
        assert!(shown.insert(path.to_owned(), content.to_vec()).is_none(), "{path} is shown once");
    };
    let Ok(contents) = archive::read(&bytes, package, Kind::Sha1, &mut show) else { return };
    assert!(shown.keys().eq(contents.file.files.keys()) && shown.keys().eq(contents.blobs.keys()));
    for path in shown.keys() {
        assert!(!path.starts_with('/') && !path.contains('\\'), "{path} stays in its folder");
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path} stays in its folder");
    }
    let wanted: BTreeSet<&str> = shown.keys().map(String::as_str).collect();
    if !wanted.is_empty() && contents.irregular.is_empty() {
        let selected = archive::select(&bytes, package, &wanted, usize::MAX >> 1).expect("it was read before");
        assert_eq!(selected, shown);
    }
    let workspace = shown.get("Cargo.toml.orig").and_then(|bytes| std::str::from_utf8(bytes).ok());
    let workspace = workspace.map(|text| ("Cargo.toml", text));
    let _ = describe(&bytes, package, &contents, Manifests { path: "one/Cargo.toml", workspace });
});

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
