#![doc = include_str!("missing_approval.md")]

use super::approvers::{Person, persons};
use super::wording::{short, some_of};
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::attestation::{Attestation, Claim};
use crate::subject::release::{Release, Revision};

static APPROVALS: RuleOption = RuleOption {
    name: "approvals",
    default: OptionDefault::Count(0),
    about: "how many persons besides the author have to approve the `.crate`",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-approval",
    summary: "fewer persons than are asked for have approved this `.crate`",
    capability: Capability::SecurePublication,
    threats: &["TBT-1340", "TBT-5110"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    // Approvals come in, and keys expire.
    scope: Scope::TimeDependent,
    options: &[&APPROVALS],
    needs: &[],
    explanation: include_str!("missing_approval.md"),
    check: Check::Release(check),
};

fn check(release: &Release, context: &Context<'_>) -> Outcome {
    // The command line can ask for more than the policy, and not for less.
    let wanted = context.options.count(&APPROVALS).max(context.approvals.unwrap_or(0));
    if wanted == 0 {
        return Outcome::clean();
    }
    match count(release) {
        Ok(count) if count.approvers.len() as u64 >= u64::from(wanted) => Outcome::clean(),
        Ok(count) => finding(release, &count, wanted).into(),
        Err(outcome) => outcome,
    }
}

/// The names of those whose approval counts, sorted by key; none where that cannot be told.
pub fn approvers(release: &Release) -> Vec<String> {
    count(release).map_or_else(|_| Vec::new(), |count| names(&count.approvers))
}

fn names(persons: &[Person]) -> Vec<String> {
    persons.iter().map(|person| person.name().to_owned()).collect()
}

/// The approvals that there are, and why some of them do not count.
struct Count {
    /// The digest that is to be approved.
    digest: String,
    /// Those who count.
    approvers: Vec<Person>,
    /// Those who wrote or signed what they approve of.
    authors: Vec<Person>,
    /// How many approvals are of something else.
    of_others: usize,
}

fn count(release: &Release) -> Result<Count, Outcome> {
    let digest = known(&release.archive, release)?.digest.to_string();
    // Without the author nobody is known to be somebody else.
    let revision = known(&release.revision, release)?;
    let signed_by = known(&revision.signed_by, release)?.as_deref();
    let attestations = known(&release.attestations, release)?;
    let approvals = attestations.iter().filter(|attestation| matches!(attestation.claim(), Claim::Approval { .. }));
    let is_of_this = |attestation: &&Attestation| attestation.is_about("sha256", &digest);
    let (of_this, of_others): (Vec<&Attestation>, Vec<&Attestation>) = approvals.partition(is_of_this);
    let persons = persons(of_this.iter().flat_map(|attestation| attestation.signers()));
    let (authors, approvers) = persons.into_iter().partition(|person| is_author(person, revision, signed_by));
    Ok(Count { digest, approvers, authors, of_others: of_others.len() })
}

fn is_author(person: &Person, revision: &Revision, signed_by: Option<&str>) -> bool {
    person.is_called(&revision.author) || signed_by.is_some_and(|key| person.has_key(key))
}

fn finding(release: &Release, count: &Count, wanted: u32) -> Finding {
    let mut message = match names(&count.approvers).as_slice() {
        [] => format!("is approved by none of {wanted}"),
        approvers => format!("is approved by {} of {wanted}: {}", approvers.len(), some_of(approvers.iter().cloned())),
    };
    for reason in passed_over(release, count) {
        message.push_str("; ");
        message.push_str(&reason);
    }
    let finding = Finding::new(release.subject(), message)
        .fact("wanted", wanted)
        .fact("digest", count.digest.as_str())
        .fact("approvers", names(&count.approvers))
        .fact("authors", names(&count.authors))
        .fact("of-others", count.of_others)
        .fact("rejected", release.rejected.clone())
        .fix(
            Fix::new("let somebody else look at this `.crate` and approve it")
                .command(format!("cargo toolbelt publish approve {}", count.digest)),
        );
    if release.is_rehearsal() { finding.weaker() } else { finding }
}

/// Why approvals that are there do not count.
fn passed_over(release: &Release, count: &Count) -> Vec<String> {
    let mut reasons = Vec::new();
    if !count.authors.is_empty() {
        let names = some_of(count.authors.iter().map(|person| person.name().to_owned()));
        reasons.push(format!("the author does not count ({names})"));
    }
    match count.of_others {
        0 => {}
        1 => reasons.push(format!("1 approval is not of sha256 {}…", short(&count.digest))),
        others => reasons.push(format!("{others} approvals are not of sha256 {}…", short(&count.digest))),
    }
    if !release.rejected.is_empty() {
        reasons.push(format!("not counted: {}", some_of(release.rejected.iter().cloned())));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, check, check_with, digest, messages, reasons, rehearsal, release, revision};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::rules::options::OptionValue;
    use crate::subject::attestation::Signer;

    /// An approval of a `.crate`, by keys with their principal.
    fn approval(byte: u8, signers: &[(&str, &str)]) -> Attestation {
        let signer = |(key, principal): &(&str, &str)| Signer {
            principals: vec![(*principal).to_owned()],
            key: format!("SHA256:{key}"),
        };
        let claim = Claim::Approval { of: "pkg:cargo/one@1.2.3".to_owned(), comment: None };
        let digests = vec![("sha256".to_owned(), digest(byte).to_string())];
        Attestation::new(
            "https://example.org/approval".to_owned(),
            digests,
            signers.iter().map(signer).collect(),
            claim,
        )
    }

    fn said(attestations: Vec<Attestation>, wanted: u32) -> Vec<String> {
        let release = Release { attestations: Fact::Known(attestations), ..release() };
        messages(&check_with(&RULE, &release, &[(&APPROVALS, OptionValue::Count(wanted))], None))
    }

    #[test]
    fn without_a_number_nobody_has_to_approve() {
        let unknown = Release { attestations: Fact::Unknown(Unknown::new("no trust root")), ..release() };
        assert_eq!(check(&RULE, &unknown), Outcome::clean());
        assert_eq!(reasons(&check_with(&RULE, &unknown, &[], Some(1))), ["no trust root"]);
    }

    #[test]
    fn the_command_line_can_only_ask_for_more() {
        let judge = |policy, line| check_with(&RULE, &release(), &[(&APPROVALS, OptionValue::Count(policy))], line);
        assert_eq!(messages(&judge(2, Some(1))), ["is approved by none of 2"]);
        assert_eq!(messages(&judge(0, Some(1))), ["is approved by none of 1"]);
        assert_eq!(judge(0, Some(0)), Outcome::clean());
    }

    #[test]
    fn distinct_persons_count_and_not_keys() {
        let bob = || approval(7, &[("b", "bob@example.org")]);
        let bobs_other = || approval(7, &[("b2", "Bob@Example.org")]);
        let carl = || approval(7, &[("c", "carl@example.org")]);
        assert_eq!(said(vec![bob(), carl()], 2), [""; 0]);
        assert_eq!(said(vec![approval(7, &[("b", "bob@example.org"), ("c", "carl@example.org")])], 2), [""; 0]);
        assert_eq!(said(vec![bob(), bobs_other(), bob()], 2), ["is approved by 1 of 2: bob@example.org"]);
    }

    #[test]
    fn neither_the_author_nor_who_signed_the_commit_counts() {
        let by_address = approval(7, &[("new", "Ann@example.org")]);
        let by_key = approval(7, &[("ann", "release@example.org")]);
        let message = |name: &str| format!("is approved by none of 1; the author does not count ({name})");
        assert_eq!(said(vec![by_address.clone()], 1), [message("ann@example.org")]);
        assert_eq!(said(vec![by_key.clone()], 1), [message("release@example.org")]);
        // One more key of hers, under a name that she shares with neither.
        let joined = approval(7, &[("third", "release@example.org")]);
        assert_eq!(said(vec![by_key, joined], 1), [message("release@example.org")]);
        assert_eq!(said(vec![by_address, approval(7, &[("b", "bob@example.org")])], 1), [""; 0]);
    }

    #[test]
    fn an_approval_of_something_else_is_told() {
        let others = vec![approval(8, &[("b", "bob@example.org")])];
        assert_eq!(said(others, 1), ["is approved by none of 1; 1 approval is not of sha256 070707070707…"]);
        let mut rejected = rehearsal();
        rejected.rejected = vec!["one-1.2.3.intoto.jsonl: bad signature".to_owned()];
        let outcome = check_with(&RULE, &rejected, &[], Some(1));
        assert_eq!(
            messages(&outcome),
            ["weaker: is approved by none of 1; not counted: one-1.2.3.intoto.jsonl: bad signature"]
        );
    }

    #[test]
    fn who_tested_it_has_not_approved_it() {
        let names = || vec!["ci".to_owned()];
        let claim =
            Claim::VerificationSummary { verifier: "https://x".to_owned(), result_passed: true, levels: names() };
        let digests = vec![("sha256".to_owned(), digest(7).to_string())];
        let signer = Signer { principals: names(), key: "SHA256:ci".to_owned() };
        let tested = Attestation::new("https://slsa.dev/x".to_owned(), digests, vec![signer], claim);
        assert_eq!(said(vec![tested], 1), ["is approved by none of 1"]);
    }

    #[test]
    fn without_archive_or_author_it_is_not_checked() {
        let judge = |release: &Release| check_with(&RULE, release, &[], Some(1));
        let outside = Release { revision: Fact::Unknown(Unknown::new("no git repository")), ..release() };
        assert_eq!(reasons(&judge(&outside)), ["no git repository"]);
        let none = Release { archive: Fact::Unknown(Unknown::new("cargo could not package it")), ..release() };
        assert_eq!(reasons(&judge(&none)), ["cargo could not package it"]);
        let mut unread = release();
        revision(&mut unread).signed_by = Fact::Unknown(Unknown::new("its signature cannot be read"));
        assert_eq!(reasons(&judge(&unread)), ["its signature cannot be read"]);
        let mut other = release();
        archive(&mut other).digest = digest(8);
        revision(&mut other).signed_by = Fact::Known(None);
        other.attestations = Fact::Known(vec![approval(8, &[("ann", "bob@example.org")])]);
        assert_eq!(judge(&other), Outcome::clean());
    }
}
