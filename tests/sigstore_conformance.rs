//! The bundles of sigstore-conformance: those that should verify do, those whose name ends in `_fail` do not.
//!
//! The vectors lie outside of the repository, in `../shared/data` or where `TOOLBELT_SHARED` says. Without them nothing is
//! checked, which is said.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "that nothing was checked has to be said")]

use std::fs;
use std::path::{Path, PathBuf};

use toolbelt_core::evidence::bundle::{BundleRoot, Error, Expected, Thing, VerifiedBundle};
use toolbelt_core::subject::digest::Sha256Digest;

/// Whoever signed where a vector does not say.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The folder with the vectors, if it is there.
fn vectors() -> Option<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = std::env::var_os("TOOLBELT_SHARED").map_or_else(|| top.join("../shared"), PathBuf::from);
    let folder = shared.join("data/conformance/sigstore/bundle-verify");
    if !folder.is_dir() {
        eprintln!("SKIPPED: there is no `{}`", folder.display());
        return None;
    }
    Some(folder)
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn verify(folder: &Path, vector: &Path) -> Result<VerifiedBundle, Error> {
    let root = text(&vector.join("trusted_root.json"))
        .unwrap_or_else(|| sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT.to_owned());
    let content = fs::read(vector.join("artifact")).or_else(|_| fs::read(folder.join("a.txt"))).unwrap();
    let bundle = fs::read(vector.join("bundle.sigstore.json")).unwrap();
    let expected = match text(&vector.join("key.pub")) {
        Some(key) => Expected::Key(key),
        None => Expected::Identity {
            identity: text(&vector.join("identity")).unwrap_or_else(|| IDENTITY.to_owned()),
            issuer: text(&vector.join("issuer")).unwrap_or_else(|| ISSUER.to_owned()),
        },
    };
    let root = BundleRoot::parse(&root)?;
    let verified = root.verify(&bundle, Thing::Content(&content), &expected);
    // A digest is as good as the content, except where the signature is over the content itself.
    let digest = Sha256Digest::new(<sha2::Sha256 as sha2::Digest>::digest(&content).into());
    let by_digest = root.verify(&bundle, Thing::Digest(digest), &expected);
    assert!(by_digest.is_err() || verified.is_ok(), "{}: verified by digest alone", vector.display());
    verified
}

#[test]
fn vectors_verify_or_fail_as_their_names_say() {
    let Some(folder) = vectors() else { return };
    let mut vectors: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    vectors.retain(|path| path.is_dir());
    vectors.sort();
    assert!(vectors.len() >= 70, "{} vectors", vectors.len());
    let mut wrong = Vec::new();
    let mut with_statement = 0;
    for vector in &vectors {
        let name = vector.file_name().unwrap().to_string_lossy().into_owned();
        let should_fail = name.ends_with("_fail");
        match verify(&folder, vector) {
            Ok(_) if should_fail => wrong.push(format!("{name}: verified")),
            Err(error) if !should_fail => wrong.push(format!("{name}: {error}")),
            Ok(verified) => with_statement += usize::from(verified.statement().is_some()),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    assert!(with_statement > 0, "some vectors hold a statement");
}

#[test]
fn the_wrong_signer_or_thing_is_refused() {
    let Some(folder) = vectors() else { return };
    let root = BundleRoot::parse(sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    let bundle = fs::read(folder.join("happy-path-v0.3/bundle.sigstore.json")).unwrap();
    let content = fs::read(folder.join("a.txt")).unwrap();
    let by = |identity: &str, issuer: &str, content: &[u8]| {
        let expected = Expected::Identity { identity: identity.to_owned(), issuer: issuer.to_owned() };
        root.verify(&bundle, Thing::Content(content), &expected)
    };
    let verified = by(IDENTITY, ISSUER, &content).unwrap();
    assert_eq!((verified.identity(), verified.issuer()), (Some(IDENTITY), Some(ISSUER)));
    assert!(verified.time().is_some());
    assert!(by("https://github.com/somebody/else", ISSUER, &content).is_err());
    assert!(by(IDENTITY, "https://example.com", &content).is_err());
    assert!(by(IDENTITY, ISSUER, b"other").is_err());
}

#[test]
fn hostile_bundles_are_errors() {
    let root = BundleRoot::parse(sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    let expected = Expected::Identity { identity: IDENTITY.to_owned(), issuer: ISSUER.to_owned() };
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = " ".repeat((32 << 20) + 1);
    for bundle in
        ["", "{}", "[]", "null", "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v9+json\"}", &deep, &large]
    {
        assert!(root.verify(bundle.as_bytes(), Thing::Content(b""), &expected).is_err());
    }
    assert!(root.verify(b"{}", Thing::Content(b""), &Expected::Key("nonsense".to_owned())).is_err());
    assert!(BundleRoot::parse("{}").is_err() || BundleRoot::parse("nonsense").is_err());
}
