//! Who vouches for the commits and tags of a range, and were refs rewritten since they were last seen?

use std::path::PathBuf;

use crate::ops::Environment;
use crate::ops::refs::{self, Error, Rewrites};
use crate::report::Report;
use crate::rules::Rule;
use crate::rules::repository::{unsigned_commit, unsigned_tag};
use crate::subject::signed_object::ObjectKind;

/// The rules over whether there is a signature.
static PRESENCE: &[&Rule] = &[&unsigned_commit::RULE, &unsigned_tag::RULE];

/// What each of them is about.
static KINDS: [(&Rule, &str, &[ObjectKind]); 2] = [
    (&unsigned_commit::RULE, "commits", &[ObjectKind::Commit]),
    (&unsigned_tag::RULE, "tags", &[ObjectKind::Tag, ObjectKind::LightweightTag]),
];

/// What to verify, and by what.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// A range such as `main..topic`, or a revision, which stands for all that it leads to.
    pub range: String,
    /// The revision whose policy and trusted keys count.
    pub base: Option<String>,
    /// A policy to use in place of the base's.
    pub policy: Option<PathBuf>,
    /// The file of trusted keys.
    pub allowed_signers: Option<PathBuf>,
    /// Whether everything has to be signed, whatever the policy says.
    pub signatures: Signatures,
    /// What becomes of refs that were rewritten.
    pub rewrites: Rewrites,
}

/// Whether everything has to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// It has.
    Required,
    /// As the policy says.
    ByPolicy,
}

/// Verifies, and reports.
///
/// # Errors
///
/// [`Error`] if the range names nothing that is there, or repository, policy or trusted keys cannot be read.
pub fn run(request: &Request) -> Result<Report, Error> {
    let judged = refs::Request {
        environment: request.environment.clone(),
        policy: request.policy.clone(),
        base: request.base.clone(),
        allowed_signers: request.allowed_signers.clone(),
        required: match request.signatures {
            Signatures::Required => PRESENCE,
            Signatures::ByPolicy => &[],
        },
    };
    let mut observed = refs::judge_range(&judged, &request.range, request.rewrites)?;
    let signed = observed.coverage.counts.get("signed").copied().unwrap_or_default();
    for (rule, what, kinds) in KINDS {
        let unsigned: usize = kinds.iter().filter_map(|kind| observed.unsigned.get(kind)).sum();
        let is_settled = observed.policy.is_active(rule) || (observed.policy.speaks_of(rule) && signed > 0);
        // To pass would say that somebody vouches for all of it.
        if unsigned > 0 && !is_settled {
            observed.coverage.saw_nothing |= signed == 0;
            observed.coverage.could_not_look = true;
            let why = "have no signature, and neither the policy nor --signed says what that means";
            observed.coverage.skip(what, unsigned, why);
        }
    }
    Ok(observed.report("verify", &request.environment))
}
