#![doc = include_str!("unexpected_file.md")]

use std::collections::BTreeMap;

use super::allowed::Allowed;
use super::file_kind::FileKind;
use super::wording::{files, places, several, some_of};
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::release::{CrateFile, PackagedFile, Release};

static ALLOW: RuleOption = RuleOption {
    name: "allow",
    default: OptionDefault::List(&[]),
    about: "globs of files in the `.crate` that belong there",
};
static MAX_MIB: RuleOption = RuleOption {
    name: "max-mib",
    default: OptionDefault::Count(10),
    about: "size of the largest file that is expected, in MiB",
};
static MAX_FILES: RuleOption = RuleOption {
    name: "max-files",
    default: OptionDefault::Count(2000),
    about: "number of files in a package that is expected at most",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unexpected-file",
    summary: "the `.crate` holds files that do not belong into a package",
    capability: Capability::SecurePublication,
    threats: &["TBT-5200"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[&ALLOW, &MAX_MIB, &MAX_FILES],
    needs: &[],
    explanation: include_str!("unexpected_file.md"),
    check: Check::Release(check),
};

fn check(release: &Release, context: &Context<'_>) -> Outcome {
    let archive = match known(&release.archive, release) {
        Ok(archive) => archive,
        Err(outcome) => return outcome,
    };
    let (allowed, mut outcome) = Allowed::read(&ALLOW, release, context);
    let looked_at: Vec<(&String, &PackagedFile)> =
        archive.files.iter().filter(|(path, _)| !allowed.has(path)).collect();
    outcome.extend(by_kind(release, &looked_at));
    outcome.extend(large(release, &looked_at, context).into());
    outcome.extend(many(release, archive, context).into());
    outcome
}

/// One finding for each kind of files, the worst kind first.
fn by_kind(release: &Release, looked_at: &[(&String, &PackagedFile)]) -> Outcome {
    let mut kinds: BTreeMap<FileKind, Vec<&str>> = BTreeMap::new();
    for (path, file) in looked_at {
        // An empty file gives nothing away.
        if let Some(kind) = FileKind::of(path).filter(|_| file.size > 0) {
            kinds.entry(kind).or_default().push(path);
        }
    }
    kinds.into_iter().map(|(kind, paths)| of_kind(release, kind, &paths)).collect()
}

fn of_kind(release: &Release, kind: FileKind, paths: &[&str]) -> Finding {
    let message = format!("holds {} {}: {}", files(paths.len()), kind.words(), several(paths));
    let finding = Finding::new(release.subject(), message)
        .fact("kind", kind.as_str())
        .fact("files", paths.len())
        .at(places(paths.iter().map(|path| release.path(path))))
        .told_apart_by(format!("{}\n{}", kind.as_str(), paths.join("\n")))
        .fix(
            match kind {
                FileKind::Credentials => {
                    Fix::new("keep it out (`exclude` in `Cargo.toml`), and revoke what it holds if others have seen it")
                }
                FileKind::TestCredentials
                | FileKind::Keys
                | FileKind::Dump
                | FileKind::Leftover
                | FileKind::BuildOutput
                | FileKind::Repository => Fix::new("keep it out: `exclude` or `include` in `Cargo.toml`"),
            }
            .command("cargo package --list"),
        );
    match kind {
        FileKind::Credentials => finding,
        FileKind::TestCredentials
        | FileKind::Keys
        | FileKind::Dump
        | FileKind::Leftover
        | FileKind::BuildOutput
        | FileKind::Repository => finding.weaker(),
    }
}

fn large(release: &Release, looked_at: &[(&String, &PackagedFile)], context: &Context<'_>) -> Option<Finding> {
    let most = context.options.count(&MAX_MIB);
    let mut large: Vec<_> = looked_at.iter().filter(|(_, file)| file.size > u64::from(most) << 20).collect();
    large.sort_by_key(|(path, file)| (std::cmp::Reverse(file.size), *path));
    let named = some_of(large.iter().map(|(path, file)| format!("`{path}` ({})", mebibytes(file.size))));
    let paths: Vec<&str> = large.iter().map(|(path, _)| path.as_str()).collect();
    (!large.is_empty()).then(|| {
        Finding::new(release.subject(), format!("holds {} of more than {most} MiB: {named}", files(large.len())))
            .fact("kind", "large")
            .fact("files", large.len())
            .at(places(paths.iter().map(|path| release.path(path))))
            .told_apart_by(format!("large\n{}", paths.join("\n")))
            .fix(Fix::new("keep it out of the package, or fetch it by a checksum where it is needed"))
            .weaker()
    })
}

fn many(release: &Release, archive: &CrateFile, context: &Context<'_>) -> Option<Finding> {
    let (count, most) = (archive.files.len(), context.options.count(&MAX_FILES));
    (count as u64 > u64::from(most)).then(|| {
        Finding::new(release.subject(), format!("holds {count} files; at most {most} are expected"))
            .fact("kind", "many")
            .fact("files", count)
            .told_apart_by("many")
            .fix(Fix::new("name what the package needs: `include` in `Cargo.toml`").command("cargo package --list"))
            .weaker()
    })
}

/// Rounded up to a tenth, so that nothing seems to be within a limit that it exceeds.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, check, check_with, digest, list, messages, reasons, release};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::rules::options::OptionValue;

    fn with(files: &[(&str, u64)]) -> Release {
        let mut release = release();
        for (path, size) in files {
            let file = PackagedFile { size: *size, is_executable: false, digest: digest(1) };
            archive(&mut release).files.insert((*path).to_owned(), file);
        }
        release
    }

    #[test]
    fn each_kind_is_one_finding_and_only_credentials_are_the_stronger_form() {
        let outcome = check(&RULE, &with(&[(".env", 9), ("a.log", 9), ("b.log", 9), ("id_rsa", 9), ("x.pem", 9)]));
        assert_eq!(
            messages(&outcome),
            [
                "holds 2 files named like credentials: `.env`, `id_rsa`",
                "weaker: holds 1 file named like keys or certificates: `x.pem`",
                "weaker: holds 2 files named like databases, dumps or logs: `a.log`, `b.log`",
            ]
        );
        assert_eq!(outcome.findings[0].locations[0].path, "crates/one/.env");
    }

    #[test]
    fn an_empty_file_is_quiet() {
        assert_eq!(check(&RULE, &with(&[(".env", 0)])), Outcome::clean());
    }

    #[test]
    fn the_policy_can_take_files_and_only_those() {
        let release = with(&[("deploy/.env", 9), (".env", 9)]);
        let outcome = check_with(&RULE, &release, &[(&ALLOW, list(&["deploy/*"]))], None);
        assert_eq!(messages(&outcome), ["holds 1 file named like credentials: `.env`"]);
        let outcome = check_with(&RULE, &release, &[(&ALLOW, list(&["a{", "**/.env"]))], None);
        assert_eq!((messages(&outcome).len(), reasons(&outcome)), (0, vec!["`a{` in the policy is no glob"]));
    }

    #[test]
    fn size_and_number_have_limits() {
        let release = with(&[("data.bin", (10 << 20) + 1), ("model.bin", 25 << 19), ("fits.bin", 10 << 20)]);
        assert_eq!(
            messages(&check(&RULE, &release)),
            ["weaker: holds 2 files of more than 10 MiB: `model.bin` (12.5 MiB), `data.bin` (10.1 MiB)"]
        );
        let outcome = check_with(&RULE, &release, &[(&MAX_MIB, OptionValue::Count(13))], None);
        assert_eq!(outcome, Outcome::clean());
        let few = [(&MAX_MIB, OptionValue::Count(13)), (&MAX_FILES, OptionValue::Count(7))];
        let outcome = check_with(&RULE, &release, &few, None);
        assert_eq!(messages(&outcome), ["weaker: holds 8 files; at most 7 are expected"]);
    }

    #[test]
    fn without_an_archive_nothing_is_checked() {
        let none = Release { archive: Fact::Unknown(Unknown::new("cargo could not package it")), ..release() };
        assert_eq!(reasons(&check(&RULE, &none)), ["cargo could not package it"]);
    }
}
