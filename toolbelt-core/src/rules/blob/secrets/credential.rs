//! Judges assignments whose name alone says that the value is a secret: `password = "…"`, `api_token: …`.
//!
//! Two questions, asked of name and value apart and then together: what does the name promise ([`name`]), and what does
//! the value look like ([`value`])? A name that promises a password takes what people choose; one that says `key` takes
//! what only a machine draws. The kind of file is known when the rule judges; it asks the same questions again.

mod base64;
mod file_kind;
mod name;
mod randomness;
mod value;
mod words;

use std::ops::Range;

use super::assignment::{Assignment, Operator};
use crate::subject::pattern::{Pattern, SecretKind, Shape};
pub use file_kind::FileKind;
use name::{Kind, Promise};
use value::{Look, Value};

/// What was decided on an assignment or a connection string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Which of the module's `patterns()` it is.
    pub pattern: usize,
    /// The name beside the value, in the text that was given.
    pub name: Option<Range<usize>>,
    /// The value, in the text that was given.
    pub value: Range<usize>,
}

/// Parts of names that make the value worth judging, lower case. Those whose words are separated by `-` are found with `_`,
/// `-`, `.`, a blank or nothing between them: `api-key` is in `API_KEY`, `apiKey` and `my api key`.
pub const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "salt",
    "nonce",
    "bearer",
    "sshpass",
    "mysql",
    "identifiedby",
    "cookie",
    "sessid",
    "senha",
    "kennwort",
    "contrasena",
];

/// The patterns, in the order of [`Judged::pattern`]: id and name.
const PATTERNS: [(&str, &str); 7] = [
    ("password", "password"),
    ("generic-secret", "secret"),
    ("generic-token", "token"),
    ("generic-api-key", "API key"),
    ("generic-key", "key"),
    ("generic-credential", "credential"),
    ("generic-salt", "salt or nonce"),
];

/// What the judgement reports; `Shape::Judged`, so that nothing else looks for them.
pub fn patterns() -> Vec<Pattern> {
    PATTERNS
        .iter()
        .map(|(id, name)| Pattern {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            provider: "generic credential".to_owned(),
            rule: SecretKind::Credential,
            shape: Shape::Judged,
            proof: None,
            entropy: 0,
            spans_lines: false,
            revoke: None,
        })
        .collect()
}

/// Decides whether the value is a secret. `text` is the line (with the next one, if that begins with a lone `value`
/// key); a long line is a window of some kilobytes.
pub fn judge(assignment: &Assignment, text: &[u8]) -> Option<Judged> {
    let name = &text[assignment.name.clone()];
    let promise = promise(assignment, name, text)?;
    if assignment.wrapper.clone().is_some_and(|wrapper| is_lookup(&text[wrapper])) {
        return None;
    }
    let range = behind_scheme(assignment, text);
    let value = &text[range.clone()];
    if !holds(promise, name, value, assignment.quote.is_some(), FileKind::Configuration) || is_beside(assignment, text)
    {
        return None;
    }
    Some(Judged { pattern: pattern(promise.kind), name: Some(assignment.name.clone()), value: range })
}

/// Asks again, now that the kind of file is known.
pub fn holds_in(kind: FileKind, name: &[u8], value: &[u8], is_quoted: bool) -> bool {
    let promise = match name.to_ascii_lowercase().as_slice() {
        b"sshpass" | b"mysql" | b"identified by" => Some(PASSWORD),
        _ => name::promise(name),
    };
    promise.is_some_and(|promise| holds(promise, name, value, is_quoted, kind))
}

/// Whether the password of a URL is one. A host that is `far` is a real one, where a word is a password, too.
pub(super) fn is_url_password(value: &[u8], is_far: bool) -> bool {
    Value::read(value, true).is_some_and(|Value { look, shape }| match look {
        Look::Words => is_far && shape.length >= 6 && !words::are_trivial(&value.to_ascii_lowercase()),
        Look::Number => shape.length >= 6 && is_far,
        Look::Letters | Look::Chosen | Look::Uuid | Look::Drawn => true,
    })
}

/// Whether what stands alone before the host of a URL is a token, or a key is one.
pub(super) fn is_url_token(value: &[u8]) -> bool {
    Value::read(value, true).is_some_and(|Value { look, shape }| look == Look::Drawn && shape.length >= 20)
}

const PASSWORD: Promise = Promise { kind: Kind::Password, is_vague: false };

/// What the name promises, where it stands.
fn promise(assignment: &Assignment, name: &[u8], text: &[u8]) -> Option<Promise> {
    let is_program = [b"sshpass".as_slice(), b"mysql"].iter().any(|program| name.eq_ignore_ascii_case(program));
    if is_program || name.eq_ignore_ascii_case(b"identified by") {
        return (!is_program || assignment.operator == Operator::Flag).then_some(PASSWORD);
    }
    if let Some(scheme) = &assignment.scheme {
        let is_basic = text[scheme.clone()].eq_ignore_ascii_case(b"basic");
        if is_basic && text[assignment.value.clone()].contains(&b'.') {
            return None;
        }
        let kind = if is_basic { Kind::Auth } else { Kind::Token };
        let promise = name::promise(name)?;
        return Some(Promise { kind, ..promise });
    }
    name::promise(name)
}

/// Where the value begins: behind a scheme that is not one of the known ones, `Authorization: Api-Token …`.
fn behind_scheme(assignment: &Assignment, text: &[u8]) -> Range<usize> {
    let range = assignment.value.clone();
    let is_header = ends_with(&text[assignment.name.clone()], b"authorization");
    if !is_header || assignment.scheme.is_some() {
        return range;
    }
    let is_scheme =
        |word: &[u8]| word.len() < 20 && word.iter().all(|&byte| byte.is_ascii_alphabetic() || byte == b'-');
    let value = &text[range.clone()];
    let (word, end) = match (memchr::memchr(b' ', value), assignment.quote) {
        (Some(blank), _) => (blank, range.end),
        (None, Some(_)) => return range,
        // The bare value ended at the blank.
        (None, None) => {
            let rest = &text[range.end..];
            let length = rest.iter().skip(1).take_while(|&&byte| byte > b' ' && !b"\"'`<>,;\\".contains(&byte)).count();
            (value.len(), range.end + 1 + length)
        }
    };
    if is_scheme(&value[..word]) && range.start + word + 1 < end && end <= text.len() {
        range.start + word + 1..end
    } else {
        range
    }
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    text.len() >= end.len() && text[text.len() - end.len()..].eq_ignore_ascii_case(end)
}

/// Whether name and value only stand beside each other.
fn is_beside(assignment: &Assignment, text: &[u8]) -> bool {
    let between = text.get(assignment.name.end..assignment.value.start).unwrap_or_default();
    let value = &text[assignment.value.clone()];
    match assignment.operator {
        // `hash("password"), "5f4d…"`; `("password", "test-alias-404")`
        Operator::Argument => {
            between.contains(&b')') || value.iter().any(|byte| b"-_".contains(byte)) && value.len() < 20
        }
        // `curl` (`Easy2`)
        Operator::Blank => between.contains(&b'(') || assignment.quote == Some(b'`'),
        // `<script nonce="…">`, `Digest nonce="…", uri="/"`
        Operator::Equals if ends_with(&text[assignment.name.clone()], b"nonce") => !between.contains(&b' '),
        _ => false,
    }
}

/// Whether a value that is so named is a secret.
fn holds(promise: Promise, name: &[u8], value: &[u8], is_quoted: bool, file: FileKind) -> bool {
    let Some(Value { look, shape }) = Value::read(value, is_quoted) else { return false };
    if file == FileKind::Generated || value.eq_ignore_ascii_case(name) {
        return false;
    }
    // Without quotes, a program names a variable.
    if !is_quoted && file == FileKind::Source && look < Look::Uuid {
        return false;
    }
    let length = shape.length;
    if look == Look::Drawn && base64::says_nothing(value) {
        return false;
    }
    if promise.is_vague {
        return look == Look::Drawn && length >= 16 && promise.kind != Kind::Key;
    }
    match promise.kind {
        Kind::Password => match look {
            Look::Words => false,
            Look::Number => length >= 6 && is_quoted && shape.distinct > 2,
            Look::Chosen => length >= 5,
            Look::Letters | Look::Uuid | Look::Drawn => length >= 6,
        },
        Kind::Secret => match look {
            Look::Words | Look::Number => false,
            Look::Letters => length >= 10,
            Look::Chosen => length >= 8 && shape.digits >= 2,
            Look::Uuid | Look::Drawn => length >= 8,
        },
        Kind::Token => look == Look::Uuid || look == Look::Drawn && length >= 10,
        Kind::QualifiedKey => look == Look::Uuid || look == Look::Drawn && length >= 12,
        Kind::Key => look == Look::Drawn && is_quoted && length >= 20 && shape.digits > 1 && shape.surplus() >= 10,
        Kind::Auth => look == Look::Drawn && length >= 12,
        Kind::Salt => look == Look::Drawn && is_quoted && length >= 8,
    }
}

/// Whether a call looks its argument up or makes something else of it: `getenv("…")`, `t("…")`, `By.id("…")`.
fn is_lookup(call: &[u8]) -> bool {
    const PARTS: [&[u8]; 26] = [
        b"env",
        b"get",
        b"fetch",
        b"find",
        b"lookup",
        b"read",
        b"load",
        b"open",
        b"translate",
        b"by.",
        b"gettext",
        b"query",
        b"format",
        b"select",
        b"config",
        b"require",
        b"import",
        b"label",
        b"message",
        b"field",
        b"input",
        b"error",
        b"hash",
        b"resolve",
        b"property",
        b"param",
    ];
    let mut buffer = [0; 64];
    let length = call.len().min(64);
    buffer[..length].copy_from_slice(&call[..length]);
    buffer.make_ascii_lowercase();
    let call = &buffer[..length];
    matches!(call, b"t" | b"_" | b"__" | b"i18n.t" | b"$t" | b"ref" | b"var" | b"file" | b"path")
        || PARTS.iter().any(|part| call.windows(part.len()).any(|window| window == *part))
}

const fn pattern(kind: Kind) -> usize {
    match kind {
        Kind::Password => 0,
        Kind::Secret => 1,
        Kind::Token => 2,
        Kind::QualifiedKey => 3,
        Kind::Key => 4,
        Kind::Auth => 5,
        Kind::Salt => 6,
    }
}
