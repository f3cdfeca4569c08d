//! What a value looks like, whatever its name is.

use super::randomness::Shape;
use super::words;

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Look {
    /// Letters of words or of an identifier.
    Words,
    /// Letters that are no words: `xkqjwz`.
    Letters,
    /// Digits alone.
    Number,
    /// Words with digits or symbols in them, as people choose passwords: `Winter2019!`.
    Chosen,
    /// A UUID, which some use as keys and most as ids.
    Uuid,
    /// Drawn by a machine.
    Drawn,
}

/// What a value is made of, and what it looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) look: Look,
    pub(crate) shape: Shape,
}

/// The longest value that is taken for a secret. Longer ones are certificates, images and programs.
const LONGEST: usize = 2048;
/// How much of a value words are looked for in.
const HEAD: usize = 96;

impl Value {
    /// Looks at a value. `None` if it cannot be a secret: code, a reference, a template, a path, a placeholder, prose.
    pub(crate) fn read(value: &[u8], is_quoted: bool) -> Option<Self> {
        if value.len() < 4 || value.len() > LONGEST || is_reference(value) {
            return None;
        }
        let shape = Shape::of(value);
        // `2006-01-02T15:04:05Z`
        if shape.letters() <= 2 && shape.digits >= 8 && shape.separators >= 2 {
            return None;
        }
        // Blanks are prose; what is not ASCII is prose in another language.
        if shape.foreign > 0 || memchr::memchr(b' ', value).is_some() || shape.letters() + shape.digits == 0 {
            return None;
        }
        if is_code(value, is_quoted) || is_repetition(value) || is_known_form(value) {
            return None;
        }
        let mut buffer = [0; HEAD];
        let head = value.len().min(HEAD);
        buffer[..head].copy_from_slice(&value[..head]);
        buffer.make_ascii_lowercase();
        let lower = &buffer[..head];
        if words::is_placeholder(lower) || is_path(value, lower, &shape) {
            return None;
        }
        let look = if is_uuid(value) {
            if words::is_sequence(lower) || shape.distinct < 7 {
                return None;
            }
            Look::Uuid
        } else if shape.letters() == 0 {
            if shape.separators + shape.symbols > 0 {
                return None;
            }
            Look::Number
        } else if shape.is_random() {
            if words::is_sequence(lower) {
                return None;
            }
            Look::Drawn
        } else if is_chosen(value, lower, &shape) {
            Look::Chosen
        } else if is_letters(&shape) {
            Look::Letters
        } else {
            Look::Words
        };
        // `id-Gost28147-89-None`, `event-bus-api:rc0.15.0`: many words make an identifier, however odd their digits are.
        let look = match look {
            Look::Drawn if is_identifier(value, &shape) => Look::Words,
            // `CLOJARS_34bf…`, `key-34bf…`: a word, and then what was drawn.
            Look::Words | Look::Chosen if has_drawn_piece(value) && !words::is_sequence(lower) => Look::Drawn,
            look => look,
        };
        Some(Self { look, shape })
    }
}

/// Whether it stands for something that is elsewhere: `$PASSWORD`, `<password>`, `%{x}`, `@Value`, `#{…}`.
fn is_reference(value: &[u8]) -> bool {
    let rest = &value[1..];
    let is_word = |rest: &[u8]| rest.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"_.:->[]".contains(&byte));
    match value[0] {
        b'$' => rest[0] == b'{' || rest[0] == b'(' || rest[0] == b'$' || is_word(rest),
        b'<' | b'{' | b'(' | b'[' | b'\\' | b';' | b',' | b'|' | b'`' | b'"' | b'\'' | b'#' => true,
        b'%' => value.ends_with(b"%") || matches!(rest[0], b'{' | b'(' | b's' | b'd' | b'v' | b'@') && value.len() < 8,
        b'*' if value.ends_with(b"*") => true,
        b'&' | b'*' | b':' | b'@' | b'.' | b'-' | b'!' => is_word(rest) && !Shape::of(rest).is_random(),
        b'=' | b'>' | b'?' | b'/' | b'+' => !Shape::of(rest).is_random(),
        _ => false,
    }
}

/// Whether it is code or a template: calls, indexes, interpolation, operators.
fn is_code(value: &[u8], is_quoted: bool) -> bool {
    let mut before = 0;
    for (at, &byte) in value.iter().enumerate() {
        let next = value.get(at + 1).copied().unwrap_or(0);
        let is_found = match byte {
            b'$' => matches!(next, b'{' | b'(' | b'['),
            b'{' => next == b'{' || next == b'%' || is_slot(&value[at + 1..]),
            b'}' => next == b'}',
            b'<' => matches!(next, b'%' | b'?' | b'/') || value[at..].contains(&b'>'),
            b'#' => next == b'{',
            b'%' => {
                // `%s`, `%d`, `%(name)s`, `%{name}`: at the end or before something else; `%40` is an escape.
                matches!(next, b's' | b'd' | b'v' | b'@' | b'u')
                    && !value.get(at + 2).is_some_and(u8::is_ascii_alphanumeric)
                    || matches!(next, b'(' | b'{')
            }
            b'(' => !is_quoted || before == b'_' || before.is_ascii_alphanumeric() && value[at..].contains(&b')'),
            b'[' => !is_quoted || before.is_ascii_alphanumeric() && value[at..].contains(&b']'),
            b'-' => next == b'>' || next == b'-' && before == b'-',
            b':' => next == b':' || next == b'/' && value.get(at + 2) == Some(&b'/'),
            b'=' => matches!(next, b'>') || next == b'=' && value.len() > at + 2,
            b'&' => next == b'&',
            b'|' => next == b'|',
            b'.' => next == b'.',
            b'*' => next == b'*',
            b'\\' => next.is_ascii_alphanumeric(),
            b'?' => next == b'.' || next == b'?',
            b',' => next == b',',
            b'"' | b'\'' | b'`' => true,
            _ => byte < b' ',
        };
        if is_found {
            return true;
        }
        before = byte;
    }
    false
}

/// Whether a text goes on with a name and a closing brace: `{name}`, `{0}`.
fn is_slot(rest: &[u8]) -> bool {
    let length = rest.iter().take_while(|&&byte| byte.is_ascii_alphanumeric() || b"_.:-$@ ".contains(&byte)).count();
    rest.get(length) == Some(&b'}')
}

/// Whether one character makes up most of it, or stands five times in a row: `xxxxx`, `00000`.
fn is_repetition(value: &[u8]) -> bool {
    let mut run = 1;
    let most = if value.len() > 64 { 12 } else { 5 };
    for pair in value.windows(2) {
        run = if pair[0] == pair[1] { run + 1 } else { 1 };
        if run >= most {
            return true;
        }
    }
    false
}

/// What digests, encrypted values, addresses of secrets, public keys and certificates begin with.
const BEGINNINGS: &str = "\
    sha1- sha256- sha384- sha512- sha1: sha256: sha512: md5: SHA256: h1: $1$ $2a$ $2b$ $2y$ $5$ $6$ $y$ $apr1$ \
    $argon2 $scrypt$ $pbkdf2 pbkdf2: bcrypt scrypt: argon2 {SSHA {SHA {MD5} {bcrypt} ENC[ ENC( AQICAH vault:v arn: \
    data: urn: ssh-rsa ssh-ed25519 ecdsa-sha2 MIIC MIID MIIE MIIF op: projects/ AAAAB3Nza AAAAC3Nza LS0tLS1CRUdJTiBDRVJU LS0tLS1CRUdJTiBQVUJM";

/// Forms that tell what they are: digests, encrypted values, addresses of secrets, public keys and certificates.
fn is_known_form(value: &[u8]) -> bool {
    BEGINNINGS.split_ascii_whitespace().any(|beginning| value.starts_with(beginning.as_bytes()))
        // `user:$2y$10$…` of a htpasswd file
        || [b":$2y$".as_slice(), b":$2a$", b":$2b$", b":$apr1$", b":{SHA}"].iter().any(|hash| memchr::memmem::find(value, hash).is_some())
}

/// What names of files and hosts end with.
const ENDS: &str = "\
    pem key json txt yml yaml crt cer p12 jks pfx png js ts css html php py rb go java xml conf cfg ini env sh md \
    svg jpg log gpg asc pub bin db sql com org net io dev local gz zip jar toml tsx vue cs h cpp c rs kt der tpl \
    properties";

/// Whether it is a path, a file name, a host name, an address of mail or a media type.
fn is_path(value: &[u8], lower: &[u8], shape: &Shape) -> bool {
    if value[0] == b'/' || value.starts_with(b"./") || value.starts_with(b"~/") || value[1..].starts_with(b":\\") {
        let is_base64 = shape.is_random() && !value.contains(&b'.') && value.len() >= 20;
        return !is_base64;
    }
    let end = lower.rsplit(|&byte| byte == b'.').next().filter(|end| end.len() < lower.len());
    if value.len() <= HEAD && end.is_some_and(|end| ENDS.split_ascii_whitespace().any(|known| known.as_bytes() == end))
    {
        return true;
    }
    // `user@example.org`
    if let Some(at) = memchr::memchr(b'@', value) {
        let host = &value[at + 1..];
        let is_host = host.contains(&b'.')
            && host.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
            && host.last().is_some_and(u8::is_ascii_alphabetic);
        if is_host && !Shape::of(host).is_random() {
            return true;
        }
    }
    // `refs/heads/main`, `application/json`: words between slashes.
    let slashes = memchr::memchr_iter(b'/', value).count();
    slashes > 0 && shape.symbols == 0 && {
        let pieces = value.split(|&byte| byte == b'/').filter(|piece| piece.len() > 2);
        let (mut all, mut odd) = (0, 0);
        for piece in pieces {
            all += 1;
            let piece = Shape::of(piece);
            odd += usize::from(piece.surplus() > 0 && piece.letter_cost() > 42);
        }
        odd * 2 <= all
    }
}

/// `8-4-4-4-12` hexadecimal digits.
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a person chose it as a password: letters with digits or symbols, which are no identifier.
fn is_chosen(value: &[u8], lower: &[u8], shape: &Shape) -> bool {
    if value.len() > 40 || value.iter().any(|byte| b"()[]{}<>;,|=\\:/".contains(byte)) {
        return false;
    }
    // A symbol at the end of a word is punctuation: `Password!`, `required*`.
    let inner = value.iter().rev().skip_while(|byte| byte.is_ascii_punctuation());
    let symbols = inner.filter(|byte| byte.is_ascii_punctuation() && !b"_-.".contains(byte)).count();
    // `queenbee#passwords`, `foo+bar`: joined words.
    let strong = value.iter().filter(|byte| b"@!$%^*?".contains(byte)).count();
    if shape.digits == 0 && (symbols == 0 || strong == 0) {
        return false;
    }
    // `cmp2-qat-1208358310`
    if symbols == 0 && shape.separators > 0 && shape.longest_number > 5 {
        return false;
    }
    // `prompt1_password`
    if symbols == 0 && shape.separators > 0 && (lower.ends_with(b"password") || lower.starts_with(b"password")) {
        return false;
    }
    // `v1.2.3`, `config.password1`, `foo.bar2`
    if symbols == 0 && value.contains(&b'.') {
        return false;
    }
    let is_trivial = words::are_trivial(lower);
    match (is_trivial, symbols) {
        // `test1`, `password-2`
        (true, 0) => shape.longest_number >= 3 && shape.separators == 0,
        (true, _) => shape.digits > 0,
        // `some-resource-name-2`: words and dashes, then a number; a password has one dash at most.
        (false, 0) => shape.separators <= 1 || shape.digits >= 3 && shape.separators <= 2,
        (false, _) => true,
    }
}

/// Whether it is one run of small letters that do not follow each other in words. (Of words of six letters 1 in 100 costs
/// as much, of drawn ones 9 in 10.)
fn is_letters(shape: &Shape) -> bool {
    shape.longest_word == shape.length
        && (shape.upper == 0 || shape.lower == 0)
        && shape.distinct > 4
        && shape.length >= 6
        && shape.letter_cost() >= if shape.length < 8 { 55 } else { 50 }
}

/// Whether it has a part of at least sixteen letters and digits that was drawn, and that makes up half of it.
fn has_drawn_piece(value: &[u8]) -> bool {
    let mut pieces = value.split(|byte| !byte.is_ascii_alphanumeric());
    pieces.any(|piece| piece.len() >= 16 && piece.len() * 2 >= value.len() && Shape::of(piece).is_random())
}

/// Whether it is several words with separators between them, of which most are read easily.
fn is_identifier(value: &[u8], shape: &Shape) -> bool {
    if shape.separators == 0 || shape.symbols > 2 {
        return false;
    }
    let (mut all, mut read) = (0, 0);
    for piece in value.split(|byte| !byte.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty()) {
        all += piece.len();
        let piece_shape = Shape::of(piece);
        let is_word = piece_shape.letters() >= 3
            && piece_shape.digits <= 2
            && piece_shape.surplus() < 5
            && piece_shape.letter_cost() < 48;
        let is_number = piece_shape.letters() == 0 && piece.len() < 5;
        read += if is_word || is_number { piece.len() } else { 0 };
    }
    read * 2 > all
}
