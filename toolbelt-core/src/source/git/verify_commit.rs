//! What git says of signatures that only other programs can check: those of OpenPGP and X.509.

use super::program;
use super::repository::GitRepository;
use crate::finding::Unknown;
use crate::subject::content::ObjectId;
use crate::subject::signed_object::{ObjectKind, SignatureFormat};

/// What `gpg` or `gpgsm` says of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The fingerprint of the key, of the primary one where it has others; empty if it is not said.
    pub key: String,
    /// What it says.
    pub verdict: Verdict,
}

/// What is said of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is right.
    Good,
    /// It is wrong.
    Bad,
    /// It was right until it ended.
    SignatureExpired,
    /// It is right, and was made after the key had ended.
    KeyExpired,
    /// It is right, and somebody revoked the key.
    KeyRevoked,
}

/// Has git check a signature.
///
/// `gpg` and `gpgsm` are those of the search path, whatever the configuration of the repository names.
///
/// # Errors
///
/// Why it could not be checked.
pub fn verify(
    repository: &GitRepository,
    kind: ObjectKind,
    id: ObjectId,
    format: SignatureFormat,
) -> Result<Said, Unknown> {
    let (program, package) = match format {
        SignatureFormat::OpenPgp => ("gpg", "gnupg"),
        SignatureFormat::X509 => ("gpgsm", "gpgsm"),
        SignatureFormat::Ssh => return Err(Unknown::new("it is for others to check")),
    };
    let id = id.to_string();
    let command = if kind == ObjectKind::Commit { "verify-commit" } else { "verify-tag" };
    let programs = ["-c", "gpg.program=gpg", "-c", "gpg.openpgp.program=gpg", "-c", "gpg.x509.program=gpgsm"];
    let arguments = [&programs[..], &[command, "--raw", &id]].concat();
    let output = program::git(repository, &arguments).map_err(|error| Unknown::new(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !text.contains("[GNUPG:] ") {
        let why = format!("`{program}` could not be run by git to check the signature");
        return Err(Unknown::new(why).hint(format!("apt-get install {package}")));
    }
    status(&text)
}

/// Reads the lines that `gpg --status-fd` writes.
fn status(text: &str) -> Result<Said, Unknown> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let words = lines.map(|line| line.split_ascii_whitespace().collect::<Vec<_>>()).collect::<Vec<_>>();
    let find = |keyword: &str| words.iter().find(|words| words.first() == Some(&keyword));
    let verdicts = ["GOODSIG", "BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "ERRSIG"];
    let said: Vec<&str> = words.iter().filter_map(|words| words.first().copied()).collect();
    let said: Vec<&str> = said.into_iter().filter(|word| verdicts.contains(word)).collect();
    let valid = find("VALIDSIG");
    let word = |at: usize| valid.and_then(|words| words.get(at).copied());
    let key = word(10).or_else(|| word(1)).unwrap_or_default().to_owned();
    let verdict = match said.as_slice() {
        ["GOODSIG"] if valid.is_some() => Verdict::Good,
        ["EXPSIG"] => Verdict::SignatureExpired,
        ["EXPKEYSIG"] => {
            let signed = word(3).and_then(|time| time.parse::<i64>().ok());
            let ended = find("KEYEXPIRED").and_then(|words| words.get(1)?.parse::<i64>().ok());
            match (signed, ended) {
                (Some(signed), Some(ended)) if signed <= ended => Verdict::Good,
                _ => Verdict::KeyExpired,
            }
        }
        ["REVKEYSIG"] => Verdict::KeyRevoked,
        ["ERRSIG"] => {
            let key = find("NO_PUBKEY").and_then(|words| words.get(1)).copied().unwrap_or("that made it");
            let why = format!("the key {key} is not there to check the signature with");
            return Err(Unknown::new(why).hint("import the key from whoever has it"));
        }
        [] | ["GOODSIG"] => return Err(Unknown::new("what was said of the signature is not understood")),
        // A bad one, or more than one, which git takes for an attempt to deceive.
        _ => Verdict::Bad,
    };
    Ok(Said { key, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "[GNUPG:] VALIDSIG AAAA 2026-01-01 1767225600 0 4 0 22 8 00 BBBB\n";

    fn of(lines: &str) -> Result<Said, Unknown> {
        status(lines)
    }

    #[test]
    fn what_is_said_is_understood() {
        let said = |lines: String| of(&lines).map(|said| (said.verdict, said.key)).ok();
        let key = || "BBBB".to_owned();
        assert_eq!(said(format!("[GNUPG:] GOODSIG X a\n{VALID}")), Some((Verdict::Good, key())));
        assert_eq!(said(format!("[GNUPG:] REVKEYSIG X a\n{VALID}")), Some((Verdict::KeyRevoked, key())));
        let expired = |at: i64| format!("[GNUPG:] KEYEXPIRED {at}\n[GNUPG:] EXPKEYSIG X a\n{VALID}");
        assert_eq!(said(expired(1_767_225_601)), Some((Verdict::Good, key())));
        assert_eq!(said(expired(1_767_225_599)), Some((Verdict::KeyExpired, key())));
        assert_eq!(said("[GNUPG:] BADSIG X a\n".to_owned()), Some((Verdict::Bad, String::new())));
    }

    #[test]
    fn nothing_said_is_nothing_checked() {
        assert!(of("").is_err());
        assert!(of("[GNUPG:] GOODSIG X a\n").is_err(), "a key that is not named is nobody's");
        assert!(of("[GNUPG:] ERRSIG X\n[GNUPG:] NO_PUBKEY X\n").unwrap_err().reason.contains('X'));
    }

    #[test]
    fn two_signatures_are_a_bad_one() {
        let twice = format!("[GNUPG:] GOODSIG X a\n{VALID}[GNUPG:] GOODSIG Y b\n");
        assert_eq!(of(&twice).unwrap().verdict, Verdict::Bad);
    }
}
