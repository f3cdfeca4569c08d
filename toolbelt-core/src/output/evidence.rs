//! Evidence, for people and for programs.

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::escape::{self, visible};
use crate::ops::evidence::list::{About, Entry, Listing, Unverified};
use crate::ops::evidence::sign::Signed;
use crate::ops::evidence::subject::Target;
use crate::ops::evidence::verify::{Answer, By, Claim, State};
use crate::ops::evidence::{Tests, types};
use crate::report::Verdict;
use crate::subject::attestation::TestOutcome;
use crate::subject::malformed::Malformed;

/// The version of the JSON forms.
const VERSION: u32 = 1;

/// Writes what was found about a thing: where, what and by whom, then what it comes to.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write(answer: &Answer, out: &mut dyn io::Write) -> io::Result<()> {
    let subject = &answer.subject;
    if subject.name != subject.digits {
        writeln!(out, "{}", visible(&subject.name))?;
    }
    writeln!(out, "{}:{}", visible(&subject.algorithm), visible(&subject.digits))?;
    for claim in &answer.claims {
        write_claim(claim, out)?;
    }
    for broken in &answer.broken {
        writeln!(out, "  broken: {}", visible(&broken.to_string()))?;
    }
    for problem in &answer.problems {
        writeln!(out, "warning: {}", visible(&problem.to_string()))?;
    }
    writeln!(out, "allowed signers: {}", visible(&answer.trust))?;
    for (result, words) in [(TestOutcome::Failed, "failed"), (TestOutcome::Warned, "warned")] {
        let says = |claim: &&Claim| claim.tests.as_ref().is_some_and(|tests| tests.result == result);
        let is_verified = |claim: &&Claim| matches!(claim.state, State::Verified(_));
        let count = answer.claims.iter().filter(is_verified).filter(says).count();
        if count > 0 {
            writeln!(out, "warning: {} that tests {words}: the verdict is about signatures alone", who_says(count))?;
        }
    }
    let verified = answer.verified.len();
    let is_broken =
        !answer.broken.is_empty() || answer.claims.iter().any(|claim| matches!(claim.state, State::Broken(_)));
    let what = match answer.verdict {
        Verdict::Pass => format!("{verified} of {}", plural(answer.claims.len(), "statement")),
        Verdict::Fail if is_broken => "evidence is broken".to_owned(),
        Verdict::Fail => "nobody trusted has signed anything".to_owned(),
        Verdict::Incomplete if answer.claims.is_empty() => "there is no evidence".to_owned(),
        Verdict::Incomplete => "some evidence could not be checked".to_owned(),
    };
    writeln!(out, "{}: {what}", answer.verdict.as_str())
}

fn who_says(count: usize) -> String {
    if count == 1 { "1 verified statement says".to_owned() } else { format!("{count} verified statements say") }
}

/// What came of tests, in one line.
fn tests_line(tests: &Tests) -> String {
    let named = [("failed", &tests.failed), ("warned", &tests.warned), ("passed", &tests.passed)];
    let named = named.into_iter().filter(|(_, names)| !names.is_empty());
    let named: Vec<String> = named.map(|(word, names)| format!("; {word}: {}", visible(&names.join(", ")))).collect();
    format!("result {}{}", result_word(tests.result), named.concat())
}

const fn result_word(result: TestOutcome) -> &'static str {
    match result {
        TestOutcome::Passed => "PASSED",
        TestOutcome::Warned => "WARNED",
        TestOutcome::Failed => "FAILED",
    }
}

fn write_claim(claim: &Claim, out: &mut dyn io::Write) -> io::Result<()> {
    let (word, why) = match &claim.state {
        State::Verified(_) => ("verified", None),
        State::NotTrusted(why) => ("not trusted", Some(why)),
        State::Broken(why) => ("broken", Some(why)),
        State::NotChecked(why) => ("not checked", Some(&why.reason)),
    };
    writeln!(out, "  {word}: {}", kind(&claim.predicate_type))?;
    if let Some(tests) = &claim.tests {
        writeln!(out, "    {}", tests_line(tests))?;
    }
    if let State::Verified(signers) = &claim.state {
        for by in signers {
            writeln!(out, "    by {} with {} ({})", visible(&by.principals.join(", ")), by.key, forms(by))?;
        }
    }
    if let Some(why) = why {
        writeln!(out, "    {}", visible(why))?;
    }
    if let State::NotChecked(why) = &claim.state
        && let Some(hint) = &why.hint
    {
        writeln!(out, "    hint: {}", visible(hint))?;
    }
    writeln!(out, "    at {}:{}", visible(&claim.path), claim.line)
}

/// The type of a claim, and what is said with it.
fn kind(predicate_type: &str) -> String {
    match types::meaning(predicate_type) {
        Some(meaning) => format!("{predicate_type}, {meaning}"),
        None if predicate_type.is_empty() => "something that is no statement".to_owned(),
        None => visible(predicate_type).into_owned(),
    }
}

fn forms(by: &By) -> String {
    let mut forms = by.forms.join(", ");
    if let Some((touched, verified)) = by.presence {
        forms.push_str(if touched { ", touched" } else { ", not touched" });
        forms.push_str(if verified { ", PIN" } else { "" });
    }
    forms
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("{count} {word}") } else { format!("{count} {word}s") }
}

/// Writes what was signed, and the envelope itself if it was kept nowhere.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write_signed(signed: &Signed, kept: Option<&str>, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(kept) = kept else { return writeln!(out, "{}", signed.envelope.to_json()) };
    for subject in &signed.subjects {
        writeln!(out, "{}:{}", visible(&subject.algorithm), visible(&subject.digits))?;
    }
    writeln!(out, "signed with {}", signed.key)?;
    writeln!(out, "kept in {}", visible(kept))
}

#[derive(Serialize)]
struct JsonSigned<'a> {
    version: u32,
    subjects: Vec<JsonSubject<'a>>,
    key: &'a str,
    key_ids: &'a [String],
    kept: &'a str,
}

/// Writes what was signed as JSON; `docs/evidence.md` describes it. An envelope that was kept nowhere is JSON itself.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write_signed_json(signed: &Signed, kept: Option<&str>, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(kept) = kept else { return write_signed(signed, None, out) };
    let Signed { subjects, key, key_ids, .. } = signed;
    let subjects = subjects.iter().map(JsonSubject::from).collect();
    escape::write_json(&JsonSigned { version: VERSION, subjects, key, key_ids, kept }, out)
}

/// Writes what stands there, and that nobody has verified it.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write_listing(listing: &Listing, with_predicates: bool, out: &mut dyn io::Write) -> io::Result<()> {
    if listing.entries.is_empty() && listing.broken.is_empty() {
        return writeln!(out, "there is no evidence");
    }
    for entry in &listing.entries {
        write_entry(entry, with_predicates, out)?;
    }
    for broken in &listing.broken {
        writeln!(out, "broken: {}", visible(&broken.to_string()))?;
    }
    writeln!(out, "not verified: `evidence verify` tells who has signed it")
}

fn write_entry(entry: &Entry, with_predicate: bool, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}:{}", visible(&entry.path), entry.line)?;
    match &entry.statement {
        Ok(Unverified { subjects, predicate_type, tests, predicate }) => {
            writeln!(out, "  {}", kind(predicate_type))?;
            if let Some(tests) = tests {
                writeln!(out, "  {}", tests_line(tests))?;
            }
            for About { name, digests } in subjects {
                for (algorithm, digits) in digests {
                    let name = name.as_deref().filter(|name| name != digits);
                    let name = name.map(|name| format!(" {}", visible(name))).unwrap_or_default();
                    writeln!(out, "  about {}:{}{name}", visible(algorithm), visible(digits))?;
                }
            }
            if with_predicate {
                let text = serde_json::to_string_pretty(predicate).map_err(io::Error::other)?;
                for line in text.lines() {
                    writeln!(out, "  {}", visible(line))?;
                }
            }
        }
        Err(why) => writeln!(out, "  no statement: {}", visible(why))?,
    }
    for key_id in &entry.key_ids {
        writeln!(out, "  signature {}", visible(key_id))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct JsonAnswer<'a> {
    version: u32,
    subject: JsonSubject<'a>,
    verdict: &'static str,
    allowed_signers: &'a str,
    statements: Vec<JsonClaim<'a>>,
    broken: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct JsonSubject<'a> {
    name: &'a str,
    digest: serde_json::Map<String, Value>,
}

impl<'a> From<&'a Target> for JsonSubject<'a> {
    fn from(target: &'a Target) -> Self {
        let digest = [(target.algorithm.clone(), target.digits.clone().into())];
        Self { name: &target.name, digest: digest.into_iter().collect() }
    }
}

#[derive(Serialize)]
struct JsonClaim<'a> {
    path: &'a str,
    line: u32,
    predicate_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<JsonTests<'a>>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    signers: Vec<JsonSigner<'a>>,
}

#[derive(Serialize)]
struct JsonTests<'a> {
    result: &'static str,
    passed: &'a [String],
    warned: &'a [String],
    failed: &'a [String],
}

impl<'a> From<&'a Tests> for JsonTests<'a> {
    fn from(tests: &'a Tests) -> Self {
        let Tests { result, passed, warned, failed } = tests;
        Self { result: result_word(*result), passed, warned, failed }
    }
}

#[derive(Serialize)]
struct JsonSigner<'a> {
    principals: &'a [String],
    key: &'a str,
    forms: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    touched: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<bool>,
}

/// Writes what was found as JSON; `docs/evidence.md` describes it.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write_json(answer: &Answer, out: &mut dyn io::Write) -> io::Result<()> {
    let json = JsonAnswer {
        version: VERSION,
        subject: JsonSubject::from(&answer.subject),
        verdict: answer.verdict.as_str(),
        allowed_signers: &answer.trust,
        statements: answer.claims.iter().map(json_claim).collect(),
        broken: lines(&answer.broken),
        warnings: lines(&answer.problems),
    };
    escape::write_json(&json, out)
}

fn json_claim(claim: &Claim) -> JsonClaim<'_> {
    let (state, reason, hint, signers) = match &claim.state {
        State::Verified(signers) => ("verified", None, None, signers.as_slice()),
        State::NotTrusted(why) => ("not-trusted", Some(why.as_str()), None, &[][..]),
        State::Broken(why) => ("broken", Some(why.as_str()), None, &[][..]),
        State::NotChecked(why) => ("not-checked", Some(why.reason.as_str()), why.hint.as_deref(), &[][..]),
    };
    let signers = signers.iter().map(|by| JsonSigner {
        principals: &by.principals,
        key: &by.key,
        forms: &by.forms,
        touched: by.presence.map(|(touched, _)| touched),
        pin: by.presence.map(|(_, pin)| pin),
    });
    let Claim { path, line, predicate_type, .. } = claim;
    let tests = claim.tests.as_ref().map(JsonTests::from);
    JsonClaim { path, line: *line, predicate_type, tests, state, reason, hint, signers: signers.collect() }
}

fn lines(malformed: &[Malformed]) -> Vec<String> {
    malformed.iter().map(ToString::to_string).collect()
}

#[derive(Serialize)]
struct JsonListing<'a> {
    version: u32,
    verified: bool,
    statements: Vec<JsonEntry<'a>>,
    broken: Vec<String>,
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    path: &'a str,
    line: u32,
    key_ids: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<JsonTests<'a>>,
    subjects: Vec<JsonListed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate: Option<&'a Value>,
}

#[derive(Serialize)]
struct JsonListed<'a> {
    name: Option<&'a str>,
    digest: serde_json::Map<String, Value>,
}

/// Writes what stands there as JSON; `docs/evidence.md` describes it.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write_listing_json(listing: &Listing, with_predicates: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let entries = listing.entries.iter().map(|entry| {
        let statement = entry.statement.as_ref();
        let subjects =
            statement.map_or(&[][..], |statement| &statement.subjects).iter().map(|About { name, digests }| {
                let digest = digests.iter().map(|(name, digits)| (name.clone(), digits.clone().into()));
                JsonListed { name: name.as_deref(), digest: digest.collect() }
            });
        JsonEntry {
            path: &entry.path,
            line: entry.line,
            key_ids: &entry.key_ids,
            error: statement.err().map(String::as_str),
            predicate_type: statement.ok().map(|statement| statement.predicate_type.as_str()),
            tests: statement.ok().and_then(|statement| statement.tests.as_ref()).map(JsonTests::from),
            subjects: subjects.collect(),
            predicate: statement.ok().filter(|_| with_predicates).map(|statement| &statement.predicate),
        }
    });
    let statements = entries.collect();
    escape::write_json(
        &JsonListing { version: VERSION, verified: false, statements, broken: lines(&listing.broken) },
        out,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::finding::Unknown;

    fn answer() -> Answer {
        let claim = |state| Claim {
            path: "a\u{1b}.intoto.jsonl".to_owned(),
            line: 1,
            predicate_type: "https://in-toto.io/attestation/release/v0.2".to_owned(),
            tests: None,
            state,
        };
        let by = By {
            principals: vec!["alice\u{202e}".to_owned()],
            key: "SHA256:x".to_owned(),
            forms: vec!["sshsig"],
            presence: Some((true, false)),
        };
        Answer {
            subject: Target {
                name: "a".to_owned(),
                algorithm: "sha256".to_owned(),
                digits: "ab".repeat(32),
                file: None,
                object: None,
            },
            verdict: Verdict::Fail,
            trust: "signers".to_owned(),
            problems: vec![Malformed::whole("signers", "no\u{7}")],
            claims: vec![
                claim(State::Verified(vec![by])),
                claim(State::NotTrusted("nobody\r".to_owned())),
                claim(State::Broken("bad".to_owned())),
                claim(State::NotChecked(Unknown::new("could not").hint("install"))),
            ],
            broken: vec![Malformed::whole("a", "line 3: x")],
            verified: Vec::new(),
        }
    }

    #[test]
    fn people_see_no_control_characters() {
        let mut out = Vec::new();
        write(&answer(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.chars().any(|sign| escape::is_hidden(sign) && sign != '\n'), "{text:?}");
        assert!(text.contains("(sshsig, touched)") && text.contains("hint: install"), "{text}");
        assert!(text.ends_with("fail: evidence is broken\n"), "{text}");
    }

    #[test]
    fn a_good_signature_does_not_hide_that_tests_failed() {
        let mut answer = answer();
        let tests = |result| Tests {
            result,
            passed: vec!["fmt".to_owned()],
            warned: Vec::new(),
            failed: vec!["unit\u{7}".to_owned(), "docs".to_owned()],
        };
        answer.claims.truncate(2);
        answer.claims[0].tests = Some(tests(TestOutcome::Failed));
        // A stranger's says nothing.
        answer.claims[1].tests = Some(tests(TestOutcome::Warned));
        let mut out = Vec::new();
        write(&answer, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n    result FAILED; failed: unit\\u{7}, docs; passed: fmt\n"), "{text}");
        let warning = "\nwarning: 1 verified statement says that tests failed: the verdict is about signatures alone\n";
        assert!(text.contains(warning) && !text.contains("tests warned"), "{text}");
        let mut out = Vec::new();
        write_json(&answer, &mut out).unwrap();
        let json: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["statements"][0]["tests"]["result"], "FAILED");
        assert_eq!(json["statements"][0]["tests"]["failed"][1], "docs");
    }

    #[test]
    fn programs_see_every_state() {
        let mut out = Vec::new();
        write_json(&answer(), &mut out).unwrap();
        let json: Value = serde_json::from_slice(&out).unwrap();
        let states: Vec<_> = json["statements"].as_array().unwrap().iter().map(|claim| &claim["state"]).collect();
        assert_eq!(states, ["verified", "not-trusted", "broken", "not-checked"]);
        assert_eq!(json["statements"][0]["signers"][0]["touched"], true);
        assert_eq!((&json["version"], &json["verdict"]), (&json!(1), &json!("fail")));
    }

    #[test]
    fn what_is_shown_is_said_to_be_not_verified() {
        let unverified = Unverified {
            subjects: vec![About {
                name: Some("a\u{7}".to_owned()),
                digests: vec![("sha256".to_owned(), "ab".to_owned())],
            }],
            predicate_type: "x:y".to_owned(),
            tests: None,
            predicate: json!({"text": "\u{1b}[31m"}),
        };
        let entry = |statement| Entry { path: "a".to_owned(), line: 2, key_ids: vec!["k\n".to_owned()], statement };
        let entries = vec![entry(Ok(unverified)), entry(Err("not JSON".to_owned()))];
        let listing = Listing { entries, broken: vec![Malformed::whole("a", "line 3: x")] };
        let mut out = Vec::new();
        write_listing(&listing, true, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.chars().any(|sign| escape::is_hidden(sign) && sign != '\n'), "{text:?}");
        assert!(text.contains("not verified") && text.contains("no statement: not JSON"), "{text}");
        let mut out = Vec::new();
        write_listing_json(&listing, false, &mut out).unwrap();
        let json: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json["verified"], &json["statements"][0]["predicate"]), (&json!(false), &Value::Null));
        assert_eq!(json["statements"][1]["error"], "not JSON");
    }
}
