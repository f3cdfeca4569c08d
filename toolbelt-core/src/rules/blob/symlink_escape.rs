#![doc = include_str!("symlink_escape.md")]

use std::collections::{HashMap, VecDeque};

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::tree::{Mode, TreeChange};
use crate::subject::{Location, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "symlink-escape",
    summary: "a link points outside of the tree",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1100", "TBT-3100"],
    cwe: &[59],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("symlink_escape.md"),
    check: Check::Tree(check),
};

/// Links that lead to links: more than that no system follows.
const MAX_LINKS: usize = 40;
/// Longer paths cannot be looked up (`PATH_MAX` of Linux).
const MAX_LENGTH: usize = 4096;

fn check(change: &TreeChange, _: &Context<'_>) -> Outcome {
    let links: HashMap<&[u8], &[u8]> = change
        .files
        .iter()
        .filter_map(|file| {
            let after = file.after.as_ref().filter(|after| after.mode == Mode::Link)?;
            Some((file.path.as_slice(), after.content.as_slice()))
        })
        .collect();
    let is_changed = |link: &&[u8]| change.files.iter().any(|file| file.path == **link && file.before != file.after);
    let mut changed: Vec<&[u8]> = links.keys().copied().filter(is_changed).collect();
    changed.sort_unstable();
    changed.into_iter().filter_map(|link| judge(link, &links)).collect()
}

fn judge(link: &[u8], links: &HashMap<&[u8], &[u8]>) -> Option<Finding> {
    let path = String::from_utf8_lossy(link).into_owned();
    let target = String::from_utf8_lossy(links.get(link)?).into_owned();
    let (message, is_weaker) = match follow(link, links) {
        Leads::Inside => return None,
        Leads::Absolute => (format!("points to `{target}`, which is not relative to it"), true),
        Leads::Above => (format!("points to `{target}`, which is above the root of the repository"), true),
        Leads::GitFolder => (format!("points to `{target}`, which is in the repository's own folder"), false),
        Leads::Nowhere => (format!("points to `{target}`, which leads round in circles"), true),
    };
    let finding = Finding::new(Subject::blob(&path), message)
        .fact("target", target)
        .at([Location::whole_file(&path)])
        .fix(Fix::new("point to a file of the repository by a relative path, or put a file there"));
    Some(if is_weaker { finding.weaker() } else { finding })
}

/// Where a link leads to.
#[derive(Debug, PartialEq, Eq)]
enum Leads {
    Inside,
    Absolute,
    Above,
    GitFolder,
    Nowhere,
}

/// Follows a link, also through the other links that are known.
fn follow(link: &[u8], links: &HashMap<&[u8], &[u8]>) -> Leads {
    let mut at: Vec<&[u8]> = link.split(|byte| *byte == b'/').collect();
    let mut to_go: VecDeque<&[u8]> = VecDeque::new();
    let mut followed = 0;
    loop {
        let joined = at.join(&b'/');
        if let Some(target) = links.get(joined.as_slice()) {
            followed += 1;
            if followed > MAX_LINKS || target.len() > MAX_LENGTH {
                return Leads::Nowhere;
            }
            if is_absolute(target) {
                return Leads::Absolute;
            }
            at.pop();
            // Windows separates by both.
            for part in target.split(|byte| matches!(byte, b'/' | b'\\')).rev() {
                to_go.push_front(part);
            }
        }
        match to_go.pop_front() {
            None => return Leads::Inside,
            Some(b"" | b".") => {}
            Some(b"..") => {
                if at.pop().is_none() {
                    return Leads::Above;
                }
            }
            Some(part) if super::case_collision::is_git_folder(part) => return Leads::GitFolder,
            Some(part) => at.push(part),
        }
    }
}

fn is_absolute(target: &[u8]) -> bool {
    match target {
        [b'/' | b'\\', ..] => true,
        // A drive of Windows.
        [drive, b':', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(link: &str, target: &str, others: &[(&'static str, &'static str)]) -> Leads {
        let mut links: HashMap<&[u8], &[u8]> =
            others.iter().map(|(link, target)| (link.as_bytes(), target.as_bytes())).collect();
        links.insert(link.as_bytes(), target.as_bytes());
        follow(link.as_bytes(), &links)
    }

    #[test]
    fn a_link_is_followed_from_its_own_folder() {
        assert_eq!(leads("a/b", "../c", &[]), Leads::Inside);
        assert_eq!(leads("a/b", "../../c", &[]), Leads::Above);
        assert_eq!(leads("a/b", "..//./x/../../y", &[]), Leads::Above);
        assert_eq!(leads("a", "/etc/passwd", &[]), Leads::Absolute);
        assert_eq!(leads("a", "C:\\Windows", &[]), Leads::Absolute);
        assert_eq!(leads("a", "..\\..\\x", &[]), Leads::Above);
        assert_eq!(leads("hooks/a", "../.GIT/hooks", &[]), Leads::GitFolder);
        assert_eq!(leads("a", ".gitignore", &[]), Leads::Inside);
        assert_eq!(leads("a", "", &[]), Leads::Inside);
        assert_eq!(leads("a", "a", &[]), Leads::Nowhere);
    }

    #[test]
    fn other_links_are_followed_too() {
        assert_eq!(leads("a", "d/e/..", &[("d/e", "../x/y/z")]), Leads::Inside);
        assert_eq!(leads("a", "d/x", &[("d", "b/c/..")]), Leads::Inside);
        // `s/..` is above the repository once `s` is known to be its root.
        assert_eq!(leads("a", "d/s/../x", &[("d/s", "..")]), Leads::Above);
        assert_eq!(leads("a", "b/config", &[("b", ".git")]), Leads::GitFolder);
        let many: Vec<String> = (0..100).map(|number| format!("l{number}")).collect();
        let mut links: HashMap<&[u8], &[u8]> = HashMap::new();
        for pair in many.windows(2) {
            links.insert(pair[0].as_bytes(), pair[1].as_bytes());
        }
        assert_eq!(follow(b"l0", &links), Leads::Nowhere);
    }
}
