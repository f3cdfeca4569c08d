//! Reads one advisory of the [RustSec database](https://github.com/rustsec/advisory-db): Markdown whose front matter is
//! a fenced block of TOML.

use std::collections::BTreeMap;

use semver::VersionReq;
use serde::Deserialize;
use toml::Spanned;

use crate::subject::advisory::{Advisory, AdvisoryKind, AffectedFunction, Unreadable};
use crate::subject::affected_versions::{AffectedVersions, Interval};

/// What begins the front matter, and so the file.
const FENCE: &str = "```toml";

/// Reads an advisory.
///
/// `path` is where it is in the database, with `/` (`crates/time/RUSTSEC-2020-0071.md`): its folder has the name of the
/// package and the file that of the advisory.
///
/// # Errors
///
/// [`Unreadable`] with the line and what was expected there, if it is not known what the advisory says.
pub fn parse(content: &[u8], path: &str) -> Result<Advisory, Unreadable> {
    let unreadable = |line: Option<u32>, reason: String| Unreadable {
        path: path.to_owned(),
        line,
        reason,
        package: package_of(path).map(str::to_owned),
    };
    let text = std::str::from_utf8(content)
        .map_err(|error| unreadable(Some(line_at(content, error.valid_up_to())), "expected UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let front = text
        .strip_prefix(FENCE)
        .ok_or_else(|| unreadable(Some(1), format!("expected front matter that begins with `{FENCE}`")))?;
    let end = front.find("\n```").ok_or_else(|| unreadable(None, "expected an end of the front matter".to_owned()))?;
    let (front, markdown) = (&front[..=end], &front[end + 4..]);

    let at = |span: std::ops::Range<usize>, reason: String| {
        unreadable(Some(line_at(text.as_bytes(), FENCE.len() + span.start)), reason)
    };
    let record: Record = toml::from_str(front).map_err(|error| {
        at(error.span().unwrap_or_default(), format!("expected an advisory: {}", one_line(error.message())))
    })?;
    for (what, written, expected) in
        [("id", Some(&record.advisory.id), id_of(path)), ("package", Some(&record.advisory.package), package_of(path))]
    {
        if let (Some(written), Some(expected)) = (written, expected)
            && written.get_ref() != expected
        {
            return Err(at(written.span(), format!("expected the {what} to be `{expected}`, as the path says")));
        }
    }

    let mut unaffected = Vec::new();
    let mut patched = Vec::new();
    for (index, written) in record.versions.patched.iter().chain(&record.versions.unaffected).enumerate() {
        let requirement = requirement(written.get_ref()).map_err(|reason| at(written.span(), reason))?;
        let interval = Interval::of(&requirement).ok_or_else(|| {
            at(written.span(), format!("expected a range of versions: nothing meets `{}`", written.get_ref()))
        })?;
        unaffected.push(interval);
        if index < record.versions.patched.len() {
            patched.push(requirement);
        }
    }
    let mut functions = Vec::new();
    for (path, versions) in record.affected.functions {
        let versions =
            versions.iter().map(|written| requirement(written.get_ref()).map_err(|reason| at(written.span(), reason)));
        functions.push(AffectedFunction { path, versions: versions.collect::<Result<_, _>>()? });
    }

    let advisory = record.advisory;
    let title = markdown.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    let kind = kind(&advisory, title);
    let mut aliases = advisory.aliases;
    aliases.sort();
    aliases.dedup();
    Ok(Advisory {
        id: advisory.id.into_inner(),
        aliases,
        package: advisory.package.into_inner(),
        title: super::title(title),
        kind,
        date: super::date(&advisory.date),
        // A date that cannot be read does not bring a withdrawn advisory back.
        withdrawn: advisory.withdrawn.map(|date| super::date(&date).unwrap_or_default()),
        url: advisory.url,
        references: advisory.references,
        cvss: advisory.cvss,
        rating: None,
        affected: AffectedVersions::outside(unaffected),
        patched,
        os: record.affected.os,
        arch: record.affected.arch,
        functions,
    })
}

/// The package that a path is about: the folder of the file.
pub(super) fn package_of(path: &str) -> Option<&str> {
    path.rsplit('/').nth(1).filter(|package| !package.is_empty())
}

fn id_of(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(".md")
}

/// What RustSec says it is.
///
/// Malicious crates have no kind of their own: most have the category `malicious`. Some that crates.io removed for it
/// have only that in their title, and `expect-deleted`, which other removed crates have as well.
fn kind(advisory: &Metadata, title: &str) -> AdvisoryKind {
    let removed_as_malicious = advisory.expect_deleted && title.to_ascii_lowercase().contains("malicious");
    if removed_as_malicious
        || advisory.categories.iter().any(|category| category == "malicious")
        || advisory.aliases.iter().any(|alias| alias.starts_with("MAL-"))
    {
        return AdvisoryKind::Malicious;
    }
    informational(advisory.informational.as_deref())
}

/// What the field `informational` says, in RustSec's records and in what OSV makes of them.
pub(super) fn informational(word: Option<&str>) -> AdvisoryKind {
    match word {
        None => AdvisoryKind::Vulnerability,
        Some("unsound") => AdvisoryKind::Unsound,
        Some("unmaintained") => AdvisoryKind::Unmaintained,
        // The list is open: what is not known yet is at least something to be told.
        Some(_) => AdvisoryKind::Notice,
    }
}

fn requirement(text: &str) -> Result<VersionReq, String> {
    VersionReq::parse(text).map_err(|error| format!("expected a version requirement: {error}"))
}

fn line_at(text: &[u8], offset: usize) -> u32 {
    let lines = text.iter().take(offset).filter(|&&byte| byte == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}

#[derive(Deserialize)]
struct Record {
    advisory: Metadata,
    versions: Versions,
    #[serde(default)]
    affected: Affected,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    id: Spanned<String>,
    package: Spanned<String>,
    date: String,
    withdrawn: Option<String>,
    informational: Option<String>,
    url: Option<String>,
    cvss: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    expect_deleted: bool,
}

#[derive(Deserialize)]
struct Versions {
    patched: Vec<Spanned<String>>,
    #[serde(default)]
    unaffected: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Affected {
    os: Vec<String>,
    arch: Vec<String>,
    functions: BTreeMap<String, Vec<Spanned<String>>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use semver::Version;

    const PATH: &str = "crates/time/RUSTSEC-2020-0071.md";

    fn advisory(front: &str) -> String {
        format!("```toml\n{front}\n```\n\n# A title\n\nText.\n")
    }

    const WHOLE: &str = r#"[advisory]
id = "RUSTSEC-2020-0071"
package = "time"
date = "2020-11-18"
url = "https://example.org/issues/293"
cvss = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
aliases = ["GHSA-wcg3-cvx6-7396", "CVE-2020-26235"]
unheard-of = 1

[affected]
os = ["linux"]
functions = { "time::at" = ["^0.1"], "time::now" = ["< 0.2.23"] }

[versions]
patched = [">= 0.2.23"]
unaffected = ["=0.2.0"]"#;

    #[test]
    fn an_advisory_is_read_whole() {
        let advisory = parse(advisory(WHOLE).as_bytes(), PATH).unwrap();
        assert_eq!(advisory.title, "A title");
        assert_eq!(advisory.kind, AdvisoryKind::Vulnerability);
        assert_eq!(advisory.date.unwrap().to_string(), "2020-11-18");
        assert_eq!(advisory.aliases, ["CVE-2020-26235", "GHSA-wcg3-cvx6-7396"]);
        assert_eq!(advisory.os, ["linux"]);
        let version = Version::new(0, 2, 5);
        assert!(advisory.affects(&version) && !advisory.affects(&Version::new(0, 2, 0)));
        assert!(advisory.is_patched(&Version::new(0, 3, 0)) && !advisory.is_patched(&Version::new(0, 2, 0)));
        assert_eq!(advisory.functions_in(&version).collect::<Vec<_>>(), ["time::now"]);
        assert_eq!(advisory.page(), "https://rustsec.org/advisories/RUSTSEC-2020-0071.html");
    }

    #[test]
    fn line_ends_and_marks_of_other_systems_are_read() {
        let text = format!("\u{feff}{}", advisory(WHOLE).replace('\n', "\r\n"));
        assert_eq!(parse(text.as_bytes(), PATH).unwrap().title, "A title");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line_and_package() {
        let cases = [
            (String::new(), Some(1), "front matter"),
            ("# A title".to_owned(), Some(1), "front matter"),
            ("```toml\n[advisory]".to_owned(), None, "end of the front matter"),
            (advisory("[advisory]\nid = "), Some(3), "expected an advisory"),
            (advisory("[advisory]\nid = 3"), Some(3), "expected an advisory"),
            (advisory(&WHOLE.replace("patched = ", "fixed = ")), Some(15), "missing field `patched`"),
            (advisory(&WHOLE.replace("\">= 0.2.23\"", "\">= zero\"")), Some(16), "version requirement"),
            (advisory(&WHOLE.replace("\">= 0.2.23\"", "\">= 2, < 1\"")), Some(16), "nothing meets"),
            (advisory(&WHOLE.replace("\"^0.1\"", "\"^^\"")), Some(13), "version requirement"),
            (advisory(&WHOLE.replace("\"time\"", "\"tame\"")), Some(4), "`time`, as the path says"),
            (advisory(&WHOLE.replace("2020-0071", "2020-0072")), Some(3), "`RUSTSEC-2020-0071`"),
        ];
        for (text, line, expected) in cases {
            let unreadable = parse(text.as_bytes(), PATH).unwrap_err();
            assert!(unreadable.reason.contains(expected), "{text}: {}", unreadable.reason);
            assert_eq!(unreadable.line, line, "{text}: {}", unreadable.reason);
            assert_eq!(unreadable.package.as_deref(), Some("time"));
        }
        assert_eq!(parse(b"```toml\n\xff", PATH).unwrap_err().line, Some(2));
    }

    #[test]
    fn malicious_crates_are_known_by_category_alias_or_the_reason_of_their_removal() {
        let kind = |extra: &str, title: &str| {
            let front = format!(
                "[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ndate = \"2020-11-18\"\n{extra}\n[versions]\npatched = []"
            );
            parse(advisory(&front).replace("A title", title).as_bytes(), PATH).unwrap().kind
        };
        let removed = "`time` was removed from crates.io due to malicious code";
        assert_eq!(kind("categories = [\"malicious\"]", "x"), AdvisoryKind::Malicious);
        assert_eq!(kind("aliases = [\"MAL-2022-1\"]", "x"), AdvisoryKind::Malicious);
        assert_eq!(kind("expect-deleted = true", removed), AdvisoryKind::Malicious);
        assert_eq!(kind("expect-deleted = true", "use after free"), AdvisoryKind::Vulnerability);
        assert_eq!(kind("", "malicious input is executed"), AdvisoryKind::Vulnerability);
        assert_eq!(kind("informational = \"unsound\"", "x"), AdvisoryKind::Unsound);
        assert_eq!(kind("informational = \"something new\"", "x"), AdvisoryKind::Notice);
    }
}
