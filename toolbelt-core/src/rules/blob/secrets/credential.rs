//! Judges assignments whose name alone says that the value is a secret: `password = "…"`, `api_token: …`.
//!
//! Two questions, asked of name and value apart and then together: what does the name promise (`name`), and what does
//! the value look like (`value`)? A name that promises a password takes what people choose; one that says `key` takes
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
    "identified-by",
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

/// Whose credentials these are: nobody knows.
const PROVIDER: &str = "generic credential";

/// Whether a pattern is one of these, which judge by the name.
pub fn is_generic(pattern: &Pattern) -> bool {
    pattern.provider == PROVIDER && pattern.shape == Shape::Judged
}

/// What the judgement reports; `Shape::Judged`, so that nothing else looks for them.
pub fn patterns() -> Vec<Pattern> {
    PATTERNS
        .iter()
        .map(|(id, name)| Pattern {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            provider: PROVIDER.to_owned(),
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
    let is_quoted = assignment.quote.is_some();
    if !holds(promise, name, value, is_quoted, FileKind::Configuration) || is_beside(assignment, text) {
        return None;
    }
    // A plain word says little of itself: it has to stand where nothing but a value stands.
    if is_letters(value) && !matches!(promise.kind, Kind::Token | Kind::QualifiedKey) && !is_lone(assignment, text) {
        return None;
    }
    // An arm of a match: `Verdict::Pass) => "warning"`.
    if is_letters(value) && assignment.operator == Operator::Arrow && text[assignment.name.end..].starts_with(b")") {
        return None;
    }
    if promise.is_vague && assignment.operator == Operator::Argument {
        return None;
    }
    Some(Judged { pattern: pattern(promise.kind), name: Some(assignment.name.clone()), value: range })
}

/// Asks again, now that the kind of file is known. `surroundings` is the line with `…` in place of the value.
pub fn holds_in(kind: FileKind, name: &[u8], value: &[u8], surroundings: &str) -> bool {
    let promise = match name.to_ascii_lowercase().as_slice() {
        b"sshpass" | b"mysql" | b"identified by" => Some(PASSWORD),
        _ => name::promise(name),
    };
    let before = surroundings.split('…').next().unwrap_or_default();
    promise.is_some_and(|promise| holds(promise, name, value, is_literal(before), kind))
}

/// Whether a value behind this text is quoted, or stands where no program reads it: in a comment.
fn is_literal(before: &str) -> bool {
    before.ends_with(['"', '\'', '`'])
        || before.trim_start().starts_with(['#', '*', ';'])
        || ["//", "/*", "<!--", " # ", "--"].iter().any(|comment| before.contains(comment))
}

/// Whether the password of a URL is one. A host that is `far` is a real one, where a word is a password, too.
pub(super) fn is_url_password(value: &[u8], is_far: bool) -> bool {
    Value::read(value, true).is_some_and(|Value { look, shape }| match look {
        Look::Words => is_far && shape.length >= 6 && !words::are_trivial(&value.to_ascii_lowercase()),
        Look::Number => shape.length >= 6 && is_far,
        Look::Chosen => !is_escaped_word(value),
        Look::Letters | Look::Uuid | Look::Drawn => true,
    })
}

/// Whether it is words with percent escapes between them: `pass%20pass`.
fn is_escaped_word(value: &[u8]) -> bool {
    if !value.contains(&b'%') {
        return false;
    }
    let mut parts = value.split(|&byte| byte == b'%').enumerate();
    parts.all(|(index, part)| {
        let part = if index > 0 && part.len() >= 2 { &part[2..] } else { part };
        words::are_trivial(&part.to_ascii_lowercase())
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
    // A nonce of a web page or of digest authentication is drawn anew each time.
    if ends_with(&text[assignment.name.clone()], b"nonce") && (value.len() < 16 || !between.contains(&b' ')) {
        return true;
    }
    match assignment.operator {
        // `hash("password"), "5f4d…"`; `("password", "test-alias-404")`
        Operator::Argument => {
            between.contains(&b')') || value.iter().any(|byte| b"-_".contains(byte)) && value.len() < 20
        }
        // `curl` (`Easy2`)
        Operator::Blank => between.contains(&b'(') || assignment.quote == Some(b'`'),
        // `<script nonce="…">`, `Digest nonce="…", uri="/"`
        // A Helm chart's annotation: `checksum/secret: …`
        Operator::Colon => text[..assignment.name.start].ends_with(b"checksum/"),
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
        return match promise.kind {
            Kind::Key => false,
            Kind::Password => look >= Look::Chosen && length >= 6,
            _ => look == Look::Drawn && length >= 16,
        };
    }
    match promise.kind {
        Kind::Password => match look {
            Look::Words => (is_quoted || file == FileKind::Configuration) && is_word(name, value, &shape),
            Look::Number => length >= 6 && is_quoted && shape.distinct > 2,
            Look::Chosen => length >= 5,
            Look::Letters | Look::Uuid | Look::Drawn => length >= 6,
        },
        Kind::Secret => match look {
            Look::Words => {
                length >= 12
                    && shape.upper == 0
                    && (is_quoted || file == FileKind::Configuration)
                    && is_word(name, value, &shape)
            }
            Look::Number => false,
            Look::Letters => length >= 10,
            Look::Chosen => length >= 8 && shape.digits >= 2,
            Look::Uuid | Look::Drawn => length >= 8,
        },
        Kind::Token => look == Look::Uuid || look == Look::Drawn && length >= 10,
        Kind::QualifiedKey => look == Look::Uuid || look == Look::Drawn && length >= 12,
        Kind::Key => {
            let is_long = if is_quoted { length >= 16 } else { length >= 24 };
            look == Look::Drawn && is_long && shape.digits > 1 && shape.surplus() >= 10
        }
        Kind::Auth => look == Look::Drawn && length >= 12,
        Kind::Salt => look == Look::Drawn && is_quoted && length >= 8,
    }
}

fn is_letters(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_alphabetic)
}

/// Whether a plain word can be a password: `whalehello`, but not `mypassword`, and not `userpass` as `MOUNT_USERPASS`.
fn is_word(name: &[u8], value: &[u8], shape: &randomness::Shape) -> bool {
    if shape.length < 5 || shape.longest_word != shape.length || shape.distinct < 4 {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let letters = |byte: &&u8| byte.is_ascii_alphanumeric();
    let name: Vec<u8> = name.iter().filter(letters).map(u8::to_ascii_lowercase).collect();
    let is_named = memchr::memmem::find(&name, &lower).is_some();
    let is_itself = [b"password".as_slice(), b"passwd", b"passwort"]
        .iter()
        .any(|word| lower.ends_with(word) || lower.starts_with(word));
    !is_named && !is_itself && !words::are_trivial(&lower)
}

/// Whether the value stands where nothing but a value stands: in quotes behind an operator, or up to the end of a line that
/// begins with the name.
fn is_lone(assignment: &Assignment, text: &[u8]) -> bool {
    let (before, after) = (&text[..assignment.name.start], &text[assignment.value.end..]);
    let is_quoted = assignment.quote.is_some();
    if assignment.wrapper.as_ref().is_some_and(|wrapper| !is_conversion(&text[wrapper.clone()])) {
        return false;
    }
    match assignment.operator {
        Operator::Equals | Operator::Colon | Operator::ColonEquals => {
            let after = after.trim_ascii_start();
            let is_end = after.first().is_none_or(|byte| b"#\"';,\\<&)".contains(byte));
            let mut words = before.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let is_begin =
                words.next().is_none_or(|word| matches!(word, b"export" | b"set" | b"env" | b"ENV" | b"ARG"));
            is_quoted || is_end && is_begin && !before.contains(&b'#') && !before.contains(&b'/')
        }
        Operator::Arrow | Operator::Element | Operator::Entry | Operator::Flag => true,
        Operator::Call => is_quoted && name_sets(&text[assignment.name.clone()]),
        Operator::Argument | Operator::Query | Operator::Default | Operator::Blank | Operator::Is => false,
    }
}

/// Whether a call gives its argument back in another type: `String::from`, `new SecureString`, `Some`.
fn is_conversion(call: &[u8]) -> bool {
    let name = call.rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or(call);
    [b"from".as_slice(), b"some", b"string", b"bytes", b"new", b"str", b"b"].iter().any(|end| ends_with(name, end))
}

/// Whether a call sets what it is named after: `setPassword`, `.password`.
fn name_sets(name: &[u8]) -> bool {
    let last = name.rsplit(|&byte| byte == b'.').next().unwrap_or(name);
    last.eq_ignore_ascii_case(b"password") || last.len() > 3 && last[..3].eq_ignore_ascii_case(b"set")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::blob::secrets::connection;

    /// Replaces `{class:length}` by characters of the class; which ones, the text before them decides.
    fn expand(line: &str) -> String {
        let mut text = String::new();
        let mut rest = line;
        let mut state = line
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut draw = |alphabet: &str, length: usize| {
            let alphabet = alphabet.as_bytes();
            let mut drawn = String::new();
            for _ in 0..length {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let index = usize::try_from(state >> 33).unwrap() % alphabet.len();
                drawn.push(char::from(alphabet[index]));
            }
            drawn
        };
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            rest = &rest[open..];
            let Some(close) = rest.find('}') else { break };
            let slot = &rest[1..close];
            let (class, length) = slot.split_once(':').unwrap_or((slot, "0"));
            let (lower, upper, digit) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
            let alphabet = match class {
                "alnum" => format!("{lower}{upper}{digit}"),
                "lower-alnum" => format!("{lower}{digit}"),
                "lower" => lower.to_owned(),
                "upper" => upper.to_owned(),
                "hex" | "uuid" => format!("{digit}abcdef"),
                "upper-hex" => format!("{digit}ABCDEF"),
                "base64" => format!("{lower}{upper}{digit}+/"),
                "base64url" => format!("{lower}{upper}{digit}_-"),
                _ => String::new(),
            };
            match length.parse() {
                Ok(length) if !alphabet.is_empty() && length > 0 => text.push_str(&draw(&alphabet, length)),
                _ if class == "uuid" => {
                    let parts = [8, 4, 4, 4, 12].map(|length| draw(&alphabet, length));
                    text.push_str(&parts.join("-"));
                }
                _ => {
                    text.push('{');
                    rest = &rest[1..];
                    continue;
                }
            }
            rest = &rest[close + 1..];
        }
        text.push_str(rest);
        text.replace("\\n", "\n")
    }

    /// Whether anything on a line is taken for a credential in a file of this kind.
    fn is_found(file: FileKind, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        let places = |word: &str| lower.match_indices(word).map(|(at, word)| at..at + word.len()).collect::<Vec<_>>();
        let is_assigned = |keyword: Range<usize>| {
            let Some(assignment) = Assignment::at(text.as_bytes(), keyword) else { return false };
            let Some(judged) = judge(&assignment, text.as_bytes()) else { return false };
            let name = judged.name.map_or("", |name| &text[name]);
            let surroundings = format!("{}…", &text[..judged.value.start]);
            holds_in(file, name.as_bytes(), text[judged.value].as_bytes(), &surroundings)
        };
        let is_connection = |keyword: Range<usize>| connection::judge(text.as_bytes(), keyword).is_some();
        NAMES.iter().any(|name| places(&name.replace('-', " ")).into_iter().any(is_assigned))
            || connection::KEYWORDS.iter().any(|keyword| places(keyword).into_iter().any(is_connection))
    }

    #[test]
    fn lines_are_judged_as_people_would() {
        let (mut file, mut wrong, mut counts) = (FileKind::Configuration, Vec::new(), [[0; 2]; 2]);
        for line in include_str!("credential/lines.txt").lines() {
            let (mark, rest) = line.split_at(line.len().min(2));
            let expected = match mark {
                "> " => {
                    file = FileKind::of(Some(rest));
                    continue;
                }
                "+ " => true,
                "- " => false,
                _ => continue,
            };
            let found = is_found(file, &expand(rest));
            counts[usize::from(expected)][usize::from(found)] += 1;
            if found != expected {
                wrong.push(format!("{mark}{}", expand(rest)));
            }
        }
        assert!(wrong.is_empty(), "{counts:?}\n{}", wrong.join("\n"));
    }
}
