#![doc = include_str!("checksum_mismatch.md")]

use super::{Context, listed};
use crate::finding::{Fact, Finding, Fix, Level, NotChecked, Outcome, Unknown};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::digest::Sha256Digest;
use crate::subject::package::{Package, Source};

/// How many files a message names.
const MOST_FILES: usize = 3;

/// The rule.
pub static RULE: Rule = Rule {
    id: "checksum-mismatch",
    summary: "lock file, index, cached archive and unpacked source disagree",
    capability: Capability::SecureIngestion,
    threats: &["TBT-4200", "TBT-5410", "TBT-5420"],
    cwe: &[354],
    severity: Severity::Critical,
    default: Level::Deny,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[Need::ArchiveDigest, Need::Index],
    explanation: include_str!("checksum_mismatch.md"),
    check: Check::Package(check),
};

fn check(package: &Package, _: &Context<'_>) -> Outcome {
    let Source::Registry(_) = &package.source else { return Outcome::clean() };
    let mut outcome = Outcome::clean();
    let listed = match listed::listing(package) {
        Ok(listing) => {
            let checksum = listing.release.as_ref().map(|release| release.checksum);
            if checksum.is_none() {
                outcome
                    .not_checked
                    .push(not_checked(package, &Unknown::new("the index entry lacks the locked version")));
            }
            checksum
        }
        Err(unknown) => {
            outcome.extend(unknown);
            None
        }
    };
    if let (Some(locked), Some(listed)) = (package.checksum, listed)
        && locked != listed
    {
        let fix = "find out which of the two was changed: a registry never replaces a version, and cargo never \
                   changes a checksum that is locked";
        outcome.extend(
            finding(package, "index", "the lock file and the registry's index have different checksums", fix)
                .fact("locked", locked.to_string())
                .fact("listed", listed.to_string())
                .into(),
        );
    }
    let archive = match &package.archive {
        // Cargo has not downloaded it yet, and will check it when it does.
        None => return outcome,
        Some(Fact::Known(archive)) => archive,
        Some(Fact::Unknown(unknown)) => {
            outcome.not_checked.push(not_checked(package, unknown));
            return outcome;
        }
    };
    let expected = package.checksum.or(listed);
    if let Some(expected) = expected.filter(|expected| *expected != archive.checksum) {
        let what = if package.checksum.is_some() { "the lock file" } else { "the registry's index" };
        outcome.extend(archive_finding(package, what, expected, archive.checksum).into());
    }
    match &archive.unpacked {
        None => {}
        Some(Fact::Unknown(unknown)) => outcome.not_checked.push(not_checked(package, unknown)),
        Some(Fact::Known(files)) if files.is_empty() => {}
        Some(Fact::Known(files)) => outcome.extend(unpacked_finding(package, files).into()),
    }
    outcome
}

fn finding(package: &Package, between: &'static str, message: &str, fix: &str) -> Finding {
    Finding::new(package.subject(), message)
        .fact("between", between)
        .at(package.locations.iter().cloned())
        .told_apart_by(between)
        .fix(Fix::new(fix))
}

fn archive_finding(package: &Package, what: &str, expected: Sha256Digest, found: Sha256Digest) -> Finding {
    let message = format!("the `.crate` in cargo's cache is not the one that {what} asks for");
    let fix =
        "keep the file aside to look into it, remove it from `registry/cache` in cargo's home, and fetch it again";
    finding(package, "archive", &message, fix).fact("expected", expected.to_string()).fact("found", found.to_string())
}

fn unpacked_finding(package: &Package, files: &[String]) -> Finding {
    let named: Vec<String> = files.iter().take(MOST_FILES).map(|file| format!("`{file}`")).collect();
    let more = match files.len().saturating_sub(MOST_FILES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("the source that cargo unpacked differs from its `.crate`: {}{more}", named.join(", "));
    let fix =
        "look at the difference, then remove the folder from `registry/src` in cargo's home: cargo unpacks it again";
    finding(package, "source", &message, fix).fact("files", files.to_vec())
}

fn not_checked(package: &Package, unknown: &Unknown) -> NotChecked {
    NotChecked { subject: Some(package.subject()), reason: unknown.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::listed::tests::{check, listing, messages, needs_an_index, package, reasons};
    use super::*;
    use crate::subject::package::Archive;

    fn archive(first: u8, unpacked: Option<Fact<Vec<String>>>) -> Fact<Archive> {
        let manifest = Fact::Unknown(Unknown::new("not asked for"));
        Fact::Known(Archive { checksum: Sha256Digest::new([first; 32]), manifest, unpacked })
    }

    #[test]
    fn all_that_agree_are_quiet() {
        let package = Package { archive: Some(archive(7, Some(Fact::Known(Vec::new())))), ..package() };
        assert_eq!(check(&RULE, &package), Outcome::clean());
        assert_eq!(check(&RULE, &Package { checksum: None, ..package.clone() }), Outcome::clean());
        assert_eq!(check(&RULE, &Package { archive: None, ..package }), Outcome::clean());
        needs_an_index(&RULE);
    }

    #[test]
    fn each_disagreement_is_a_finding_of_its_own() {
        let files = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let mut package = Package { archive: Some(archive(8, Some(Fact::Known(files)))), ..package() };
        listing(&mut package).release.as_mut().unwrap().checksum = Sha256Digest::new([9; 32]);
        let outcome = check(&RULE, &package);
        assert_eq!(
            messages(&outcome),
            [
                "the lock file and the registry's index have different checksums",
                "the `.crate` in cargo's cache is not the one that the lock file asks for",
                "the source that cargo unpacked differs from its `.crate`: `a`, `b`, `c` and 1 more",
            ]
        );
        let prints: std::collections::BTreeSet<_> =
            outcome.findings.iter().map(|finding| finding.fingerprint(RULE.id)).collect();
        assert_eq!(prints.len(), 3);
    }

    #[test]
    fn a_lock_file_without_checksums_is_held_against_the_index() {
        let package = Package { checksum: None, archive: Some(archive(8, None)), ..package() };
        let expected = "the `.crate` in cargo's cache is not the one that the registry's index asks for";
        assert_eq!(messages(&check(&RULE, &package)), [expected]);
    }

    #[test]
    fn what_could_not_be_read_is_said_beside_what_was_found() {
        let unreadable = || Unknown::new("unreadable");
        let package = Package {
            listing: Some(Fact::Unknown(Unknown::new("no network"))),
            archive: Some(archive(8, Some(Fact::Unknown(unreadable())))),
            ..package()
        };
        let outcome = check(&RULE, &package);
        assert_eq!((messages(&outcome).len(), reasons(&outcome)), (1, vec!["no network", "unreadable"]));
        let package = Package { archive: Some(Fact::Unknown(unreadable())), ..package };
        assert_eq!(reasons(&check(&RULE, &package)), ["no network", "unreadable"]);
    }
}
