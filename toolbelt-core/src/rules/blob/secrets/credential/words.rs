//! Words that say that a value is none: placeholders, terms of the trade, the names themselves.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Parts of a value that say that somebody is to fill it in, or that it is made up; lower case.
///
/// Only parts that no drawn value holds by chance: at least four letters.
const PLACEHOLDERS: &str = "\
    example placeholder changeme change_me change-me changeit replace insert redact your_ your- _goes_ not_a_ yourpass yoursecret \
    yourtoken yourkey yourapi youraccess yourstrong -here _here keyhere tokenhere secrethere passwordhere dummy \
    sample xxxx fixme lorem undefined notreal not-real not_real nosecret no-secret notasecret not-a- fake mocked \
    invalid foobar -goes- deadbeef";

/// Rows of characters that a finger or an eye runs along.
const SEQUENCES: &str = "\
    1234567890 0123456789 abcdefgh 123456789a aabbccdd 11223344 fedcba98 hijklmno a1b2c3d4 1a2b3c4d aa1bb2cc \
    12345678- abc123def";

/// Whether a value (in lower case) holds a word that nobody has in a secret.
pub(crate) fn is_placeholder(lower: &[u8]) -> bool {
    PLACEHOLDERS.split_ascii_whitespace().any(|part| contains(lower, part.as_bytes()))
}

/// Whether a value (in lower case) runs along the alphabet or the digits.
pub(crate) fn is_sequence(lower: &[u8]) -> bool {
    SEQUENCES.split_ascii_whitespace().any(|part| contains(lower, part.as_bytes()))
}

/// Whether every word in a value (in lower case) is one that says nothing: `my-secret-token`, `test_password`.
pub(crate) fn are_trivial(lower: &[u8]) -> bool {
    lower
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|piece| !piece.is_empty())
        .all(|piece| TERM_SET.contains(piece) || is_numbered(piece))
}

/// A word that says nothing, with at most four digits before and behind it; also the digits alone.
fn is_numbered(piece: &[u8]) -> bool {
    let start = piece.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(piece.len());
    let end = piece.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(start, |at| at + 1);
    let word = &piece[start..end];
    piece.len() - word.len() <= 4 && (word.len() < 2 || TRIVIAL_SET.contains(word))
}

/// Terms of the trade that have digits in them.
const TERMS: &str = "\
    oauth2 oauth1 auth0 sha1 sha256 sha384 sha512 md5 base64 base32 base58 utf8 utf16 x509 ed25519 x25519 secp256k1 \
    secp256r1 p256 p384 p12 pkcs1 pkcs5 pkcs7 pkcs8 pkcs11 pkcs12 rs256 hs256 es256 hs512 rs512 int8 int16 int32 \
    int64 uint8 uint32 uint64 float32 float64 i32 i64 u8 u32 u64 http2 http1 log4j k8s s3 ec2 i18n ipv4 ipv6 v1 v2 \
    v3 v4 aes128 aes192 aes256 rsa2048 rsa4096 hmacsha256 hmacsha1 pbkdf2 h2 db2 mp3 mp4 html5 es6 python3 php5 php7 \
    web3 l10n a11y nl80211 smb2 smb3 ntlmv2 v1alpha1 v1beta1 v2beta1 bip39 erc20 erc721 latin1 iso8859 rfc2617";

/// Words that say nothing as (a part of) a credential.
const TRIVIAL: &str = "\
    password passwd pass pwd pw secret secrets token tokens key keys api apikey auth access client private public \
    user users username name my your the test testing tests tester foo bar baz qux foobar some value val string str \
    new old current default demo example sample temp tmp data db database admin root guest id type field input file \
    path url app application service server host config env var variable is has not no yes true false null nil none \
    empty blank of for to and or in on with from by an this that a refresh session cookie bearer basic jwt oauth \
    login signin sign signing encrypt encrypted encryption hash hashed salt master store keystore truststore group \
    role account credential credentials cred creds system local localhost dev prod production staging first second \
    third one two three other another wrong bad good valid invalid random unknown hidden plain text raw base long \
    short super very strong weak confirm confirmation change reset update get set version alpha beta resource item \
    object entry index number num node identifier required optional expected actual result response request param \
    parameter arg args option options dummy fake mock stub spring security ldap mysql postgres redis mongo mongodb \
    kafka rabbitmq smtp mail email aws azure gcp google github gitlab docker kube kubernetes vault registry repo \
    repository project bucket namespace cluster region zone us eu east west north south central ap line column col \
    row table label tag msg message error code part chunk block cert certificate ca ssl tls ssh rsa pem \
    always never boolean integer digest provided prompt plaintext enabled disabled auto inherit match mismatch nomatch \
    required optional missing mandatory visible null undefined specified changed different expired forgotten please \
    enter type types title label placeholder description something whatever anything nothing context include printf \
    length mask masked protected locked secured secure safe high low medium simple complex normal standard custom manual \
    digest algorithm method provider schema scheme realm domain alias usage shadow group hashed crypt bcrypt argon \
    notset unset notused unused ignored ignore deprecated removed stripped filtered redacted sensitive confidential \
    passphrase passcode pin pincode username login signup signin register logout forgot credential newpass oldpass userpass \
    readonly readwrite interactive network internal external global single multiple any all each every";

static TERM_SET: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| set(TERMS));
static TRIVIAL_SET: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| set(TRIVIAL));

fn set(words: &'static str) -> HashSet<&'static [u8]> {
    words.split_ascii_whitespace().map(str::as_bytes).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.len() >= part.len() && text.windows(part.len()).any(|window| window == part)
}
