//! Judges connection strings with passwords: `postgres://user:…@host/db`, `Server=…;Password=…`.

use std::ops::Range;

use super::credential::{self, Judged};
use crate::subject::pattern::{Pattern, SecretKind, Shape};

/// Literals at which [`judge`] is called: lower case, compared without case, at least three bytes.
pub const KEYWORDS: &[&str] =
    &["://", ";password=", ";pwd=", "accountkey=", "sharedaccesskey=", "-u ", "--user", "--proxy-user"];

/// The patterns, in the order of [`Judged::pattern`]: id and name.
const PATTERNS: [(&str, &str); 5] = [
    ("url-password", "URL with a password"),
    ("url-token", "URL with a token"),
    ("connection-string-password", "connection string with a password"),
    ("connection-string-key", "connection string with a key"),
    ("command-user-password", "user and password of a command"),
];

/// The longest part of a URL before its path that is looked at.
const LONGEST: usize = 600;

/// What the judgement reports; `Shape::Judged`.
pub fn patterns() -> Vec<Pattern> {
    PATTERNS
        .iter()
        .map(|(id, name)| Pattern {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            provider: "connection string".to_owned(),
            rule: if *id == "command-user-password" { SecretKind::Credential } else { SecretKind::ConnectionString },
            shape: Shape::Judged,
            proof: None,
            entropy: 0,
            spans_lines: false,
            revoke: None,
        })
        .collect()
}

/// Decides whether a secret stands around the keyword. `text` is the line; a long line is a window around the keyword.
pub fn judge(text: &[u8], keyword: Range<usize>) -> Option<Judged> {
    match text.get(keyword.clone())? {
        b"://" => url(text, &keyword),
        b if b.starts_with(b"-") => user(text, &keyword),
        b if b.starts_with(b";") => fields(text, keyword.end),
        _ => key(text, keyword.end),
    }
}

/// `scheme://user:password@host`, `https://token@host`.
fn url(text: &[u8], separator: &Range<usize>) -> Option<Judged> {
    let rest = &text[separator.end..text.len().min(separator.end + LONGEST)];
    // Most URLs have no user: the part before the path is short and holds no `@`.
    let end = rest.iter().position(|&byte| is_end(byte)).unwrap_or(rest.len());
    let path = memchr::memchr3(b'/', b'?', b'#', &rest[..end]).unwrap_or(end);
    let at = match memchr::memrchr(b'@', &rest[..path]) {
        Some(at) => at,
        // A password with a slash in it: there must be a colon before the slash, and a host behind the `@`.
        None if memchr::memchr(b':', &rest[..path]).is_some_and(|colon| !is_port(&rest[colon + 1..path])) => {
            let at = memchr::memchr(b'@', &rest[..end])?;
            rest[at + 1..end].contains(&b'.').then_some(at)?
        }
        None => return None,
    };
    let scheme = scheme(&text[..separator.start]);
    if scheme.len() < 2 {
        return None;
    }
    let host_end = rest[at + 1..].iter().position(|&byte| is_end(byte) || b"/?#:,".contains(&byte));
    let host = &rest[at + 1..host_end.map_or(rest.len(), |length| at + 1 + length)];
    if host.is_empty() || is_placeholder_host(host) {
        return None;
    }
    let user_info = &rest[..at];
    let colon = memchr::memchr(b':', user_info);
    let (start, pattern) = match colon {
        Some(colon) => (colon + 1, 0),
        None => (0, 1),
    };
    let value = &user_info[start..];
    let user = &user_info[..colon.unwrap_or(0)];
    let is_secret = if colon.is_some() {
        !value.eq_ignore_ascii_case(user) && !is_slot(user) && credential::is_url_password(value, !is_near(host))
    } else {
        let is_web = scheme.starts_with(b"http") || scheme.starts_with(b"git");
        // The key in a Sentry address is public.
        is_web && memchr::memmem::find(host, b"sentry").is_none() && credential::is_url_token(value)
    };
    let offset = separator.end + start;
    is_secret.then(|| Judged { pattern, name: None, value: offset..offset + value.len() })
}

/// What stands before the password of a connection string, in lower case.
const FIELDS: [&[u8]; 14] = [
    b"server=",
    b"data source=",
    b"datasource=",
    b"host=",
    b"user id=",
    b"uid=",
    b"userid=",
    b"user=",
    b"username=",
    b"database=",
    b"initial catalog=",
    b"jdbc:",
    b"driver=",
    b"endpoint=",
];

/// `Server=…;User Id=…;Password=…;`, also behind `jdbc:sqlserver://…`.
fn fields(text: &[u8], start: usize) -> Option<Judged> {
    let begin = start.saturating_sub(512);
    let before = text[begin..start].to_ascii_lowercase();
    if !FIELDS.iter().any(|field| memchr::memmem::find(&before, field).is_some()) {
        return None;
    }
    let rest = &text[start..text.len().min(start + 256)];
    let length = rest.iter().position(|&byte| byte == b';' || is_end(byte)).unwrap_or(rest.len());
    let value = &rest[..length];
    credential::is_url_password(value, true).then(|| Judged { pattern: 2, name: None, value: start..start + length })
}

/// `curl -u user:password`, also where the flag begins the next line of the command.
fn user(text: &[u8], keyword: &Range<usize>) -> Option<Judged> {
    let before = &text[keyword.start.saturating_sub(512)..keyword.start];
    let is_command = memchr::memmem::find(before, b"curl").is_some()
        || memchr::memmem::find(before, b"http ").is_some()
        || before.trim_ascii_start().is_empty();
    if !is_command || !before.last().is_none_or(u8::is_ascii_whitespace) {
        return None;
    }
    let mut start = keyword.end;
    start += usize::from(text.get(start) == Some(&b'='));
    start += text[start..].iter().take_while(|&&byte| byte == b' ').count();
    let quote = text.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    start += usize::from(quote.is_some());
    let rest = &text[start..text.len().min(start + 256)];
    let length = match quote {
        Some(quote) => memchr::memchr(quote, rest)?,
        None => rest.iter().position(|&byte| byte <= b' ' || byte == b'"').unwrap_or(rest.len()),
    };
    let both = &rest[..length];
    let colon = memchr::memchr(b':', both)?;
    let mut value = start + colon + 1..start + length;
    // `user:'password'`
    if text[value.clone()].len() > 2 && matches!(text[value.start], b'\'' | b'"') {
        value.start += 1;
        value.end -= 1;
    }
    // A token in place of the user.
    if value.is_empty() {
        value = start..start + colon;
    }
    credential::is_url_password(&text[value.clone()], false).then_some(Judged { pattern: 4, name: None, value })
}

/// `AccountKey=…`, `SharedAccessKey=…`: base64 of 32 or 64 bytes.
fn key(text: &[u8], start: usize) -> Option<Judged> {
    let rest = &text[start..text.len().min(start + 100)];
    let length = rest.iter().take_while(|&&byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)).count();
    let value = &rest[..length];
    (length >= 40 && credential::is_url_token(value)).then(|| Judged {
        pattern: 3,
        name: None,
        value: start..start + length,
    })
}

const fn is_end(byte: u8) -> bool {
    byte <= b' ' || byte >= 0x7f || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|')
}

/// Whether it is empty or digits: what stands behind the colon of a host.
fn is_port(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// The scheme before `://`: `jdbc:postgresql` is `postgresql`.
fn scheme(before: &[u8]) -> &[u8] {
    let length = before
        .iter()
        .rev()
        .take(32)
        .take_while(|&&byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        .count();
    &before[before.len() - length..]
}

/// Whether a part of a URL stands for something else.
fn is_slot(part: &[u8]) -> bool {
    part.iter().any(|byte| b"{}<>[]()%$*".contains(byte)) && !part.windows(3).any(is_escape)
}

fn is_escape(text: &[u8]) -> bool {
    text[0] == b'%' && text[1].is_ascii_hexdigit() && text[2].is_ascii_hexdigit()
}

fn is_placeholder_host(host: &[u8]) -> bool {
    is_slot(host) || !host.iter().any(u8::is_ascii_alphanumeric)
}

/// Whether the host is one of examples, or of the machine itself: a word as a password is none there.
fn is_near(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    let is_short = !host.contains(&b'.');
    is_short
        || [
            b"example".as_slice(),
            b"localhost",
            b"127.0.0.1",
            b"0.0.0.0",
            b"test",
            b"foo",
            b"host",
            b"domain",
            b"docker.internal",
            b"192.168.",
            b"10.",
        ]
        .iter()
        .any(|part| memchr::memmem::find(&host, part).is_some())
}
