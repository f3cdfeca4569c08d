//! The patterns for secrets, for people and for programs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::Serialize;

use super::summary::plural;
use crate::subject::pattern::{Pattern, ProofKind, SecretKind};

/// Writes the patterns by provider, and how many there are.
///
/// # Errors
///
/// Those of `out`.
pub fn write(patterns: &[Arc<Pattern>], out: &mut dyn io::Write) -> io::Result<()> {
    let mut providers = BTreeMap::<&str, Vec<&Pattern>>::new();
    for pattern in patterns {
        providers.entry(&pattern.provider).or_default().push(pattern);
    }
    for (provider, patterns) in &providers {
        writeln!(out, "{}", super::escape::visible(provider))?;
        for pattern in patterns {
            let proof = pattern.proof.map_or(String::new(), |proof| format!(" [proof: {}]", proof_word(proof)));
            let (id, name) = (super::escape::visible(&pattern.id), super::escape::visible(&pattern.name));
            writeln!(out, "  {id}: {name} ({}){proof}", rule(pattern.rule))?;
        }
    }
    let (count, of) = (plural(patterns.len(), "pattern", "patterns"), plural(providers.len(), "provider", "providers"));
    writeln!(out, "{count} for {of}")
}

/// Writes the patterns as an array of objects, in the engine's order.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json(patterns: &[Arc<Pattern>], out: &mut dyn io::Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Entry<'a> {
        id: &'a str,
        name: &'a str,
        provider: &'a str,
        rule: &'static str,
        proof: Option<&'static str>,
    }
    let entries = patterns.iter().map(|pattern| Entry {
        id: &pattern.id,
        name: &pattern.name,
        provider: &pattern.provider,
        rule: rule(pattern.rule),
        proof: pattern.proof.map(proof_word),
    });
    serde_json::to_writer_pretty(&mut *out, &entries.collect::<Vec<_>>())?;
    writeln!(out)
}

const fn rule(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Token => "exposed-token",
        SecretKind::PrivateKey => "private-key",
        SecretKind::ConnectionString => "connection-string",
        SecretKind::Credential => "exposed-credential",
    }
}

const fn proof_word(proof: ProofKind) -> &'static str {
    match proof {
        ProofKind::Base62Crc32 => "base62-crc32",
        ProofKind::Jwt => "jwt",
        ProofKind::AwsKeyId => "aws-key-id",
        ProofKind::PypiMacaroon => "pypi-macaroon",
        ProofKind::PrivateKey => "private-key",
    }
}
