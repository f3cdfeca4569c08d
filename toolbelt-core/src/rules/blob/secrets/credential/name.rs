//! What the name of a value promises.
//!
//! An English compound says last what it is: a `token_type` is a type, a `type_token` a token. So the last credential
//! word counts, and what follows it can take it back.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a name says that its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Promise {
    /// The kind of credential.
    pub(crate) kind: Kind,
    /// Whether words follow that are unknown here: `password_quux`.
    pub(crate) is_vague: bool,
}

/// The kinds of credentials that names tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// `password`, `pwd`, `passphrase`: people choose them.
    Password,
    /// `secret`, `client_secret`: mostly drawn.
    Secret,
    /// `token`, `access_token`, `bearer`.
    Token,
    /// `api_key`, `signing_key`: a key that the word before it makes a credential.
    QualifiedKey,
    /// `key` alone, or with a word that says nothing.
    Key,
    /// `auth`, `credentials`: what follows can be anything.
    Auth,
    /// `salt`, `nonce`: secret only now and then.
    Salt,
}

/// What one word of a name does to the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Is(Kind),
    /// `key`: the word before decides.
    Key,
    /// Makes a following `key` a credential.
    Qualifier,
    /// Makes a following `key` none, and takes back what came before.
    Disqualifier,
    /// Takes back what came before: `type`, `field`.
    Head,
    /// The whole name is about something else, wherever it stands: `public`, `hash`.
    Never,
    /// Says nothing: `value`, `1`, `prod`.
    Neutral,
    Unknown,
}

/// The longest name that is looked at: the end of longer ones.
const LONGEST: usize = 96;

/// Reads a name as written: `db_password`, `spring.datasource.password`, `X-Api-Key`, `clientSecret`.
pub(crate) fn promise(name: &[u8]) -> Option<Promise> {
    let name = &name[name.len().saturating_sub(LONGEST)..];
    let mut promise = None;
    let mut before = Role::Unknown;
    for word in (Words { rest: name }) {
        let mut buffer = [0; 24];
        let role = match buffer.get_mut(..word.len()) {
            Some(lower) => {
                lower.copy_from_slice(word);
                lower.make_ascii_lowercase();
                role(lower)
            }
            None => Role::Unknown,
        };
        match role {
            Role::Never => return None,
            Role::Head | Role::Disqualifier => promise = None,
            Role::Is(kind) => promise = Some(Promise { kind, is_vague: false }),
            Role::Key => {
                promise = match (before, promise) {
                    (Role::Disqualifier, _) => None,
                    (Role::Qualifier | Role::Is(_), _) => Some(Promise { kind: Kind::QualifiedKey, is_vague: false }),
                    (_, Some(promise)) => Some(promise),
                    (_, None) => Some(Promise { kind: Kind::Key, is_vague: false }),
                };
            }
            Role::Neutral => continue,
            Role::Qualifier => {}
            Role::Unknown => {
                if let Some(promise) = &mut promise {
                    promise.is_vague = true;
                }
            }
        }
        before = role;
    }
    promise
}

/// What each word does, in lower case.
const ROLES: [(Role, &str); 12] = [
    (
        Role::Is(Kind::Password),
        "\
    password passwd pwd pass passphrase passcode passw passwort pswd psw pw pword passwrd userpass senha contrasena \
    kennwort haslo parola pwdin passwords mdp dbpass dbpasswd rootpw bindpw requirepass masterauth keypass storepass \
    sshpass",
    ),
    (
        Role::Is(Kind::Secret),
        "\
    secret secrets secretkey clientsecret appsecret pepper",
    ),
    (
        Role::Is(Kind::Token),
        "\
    token tokens authorization authorisation bearer jwt apitoken authtoken accesstoken pat cookie sessionid sessid \
    phpsessid jsessionid",
    ),
    (
        Role::Is(Kind::QualifiedKey),
        "\
    apikey accesskey privatekey authkey signingkey encryptionkey apikeys accountkey masterkey sharedkey appkey \
    licensekey apisecret sharedaccesskey servicekey",
    ),
    (
        Role::Is(Kind::Auth),
        "\
    auth authentication credential credentials cred creds",
    ),
    (
        Role::Is(Kind::Salt),
        "\
    salt nonce",
    ),
    (
        Role::Key,
        "\
    key",
    ),
    (
        Role::Qualifier,
        "\
    api access private priv encryption encrypt encrypting crypto crypt cipher signing sign signature account shared \
    master service app application client consumer license licence subscription session aes hmac rsa des decryption \
    decrypt deploy ssh server admin write ingest integration webhook sdk maps google aws azure stripe twilio \
    sendgrid mailgun openai firebase algolia datadog sentry rest http oauth security developer dev instrumentation \
    insights ikey fcm gcm vapid wallet ec ed25519 symmetric activation product serial validation machine steam \
    github gitlab slack telegram bot push merchant user rapidapi captcha recaptcha hcaptcha vault unseal sas storage \
    function host cosmos preshared psk wep wpa wifi weather secure logged nonces",
    ),
    (
        Role::Disqualifier,
        "\
    primary foreign cache sort partition row map object i18n translation lookup search registry group dict config \
    setting settings query param header json shortcut hot arrow any react prop state unique menu meta attribute sub \
    natural composite candidate item list tree locale label message event route parent child element entry context \
    issue project feature flag metric log field column property sequence schema bucket s3 file resource answer step \
    up down left right enter escape return tab shift ctrl control alt modifier soft modulation musical piano \
    distribution dist sharding shard idempotency dedupe dedup reference surrogate business internal external content \
    asset image model node component table index",
    ),
    (
        Role::Head,
        "\
    id ids name names type types fields filename files path paths dir directory folder url urls uri uris endpoint \
    endpoints hint placeholder msg error errors title description desc help policy policies length len size count \
    limit min max regex regexp pattern format expiry expires expiration expire ttl timeout lifetime age date time at \
    version idx class classname style css icon input box prompt link page view screen form controller provider \
    manager factory handler helper util utils store repository builder generator validator encoder encoding \
    algorithm algo alg digest checksum fingerprint required enabled disabled mode option options scope scopes issuer \
    audience headers prefix suffix separator delimiter parameter parameters params attr attributes attrs properties \
    ref refs selector arn manage engine mount template var variable variables env rule rules strength score usage \
    action method func callback exception status source target username email domain region mask char chars charset \
    alphabet symbol kind tag tags set array xml bits pair pairs ring board stroke code codes press pressed frame \
    frames chain point points stone note bind binding bindings request response result results reset change changed \
    flow grant info doc docs comment reason review reviewer realm plugin module modules middleware interface struct \
    login cert certificate labels text texts question fail failed failure success invalid missing generation \
    rotation duration interval period iterations rounds cost usages ops operations permissions permission role roles \
    backend backends guard driver schemes scheme hosts port address command cmd script sha sha1 sha256 md5 crc etag \
    commit revision rev uuid guid oid number num position offset start end color colour location zone locator \
    identifier identifiers uid kid alias words codec parser lexer stream span spans stem sep events contract symbols \
    decimals supply balance holder owner price amount sql statement sources keyword keywords extension ext button \
    btn modal dialog visible visibility toggle show hide match mismatch verify kty",
    ),
    (
        Role::Never,
        "\
    public pub publishable csrf xsrf hash hashed hashes hashing author keyid fake mock dummy example wrong incorrect \
    bypass keyboard tokenizer integrity forgot forgotten redacted masked sitekey site pubkey publickey passport \
    passthrough passive passed passing passes compass no placeholders translations continuation pagination cursor \
    ciphertext thumbprint tokenized bad encrypted authenticity websocket obfuscated sealed vaulted without recipient \
    verifying update ask allow require requires use remember enable disable show hide generate validate mtime",
    ),
    (
        Role::Neutral,
        "\
    value val string str plain plaintext raw base64 b64 hex encoded prod production staging test testing old new \
    current real live word wd phrase confirm confirmation confirmed repeat again initial temp tmp my the is of for \
    secondary bytes byte const constant local qa uat int full original ini verification override this self one two \
    root default",
    ),
];

static WORDS: LazyLock<HashMap<&'static [u8], Role>> = LazyLock::new(|| {
    let words = |(role, words): &(Role, &'static str)| {
        let role = *role;
        words.split_ascii_whitespace().map(move |word| (word.as_bytes(), role))
    };
    ROLES.iter().flat_map(words).collect()
});

/// What a word does, in lower case.
fn role(word: &[u8]) -> Role {
    match WORDS.get(word) {
        Some(role) => *role,
        None if word.iter().all(u8::is_ascii_digit) => Role::Neutral,
        None if word.len() > 4 => glued(word),
        None => Role::Unknown,
    }
}

/// Reads words that were written as one: `dbpassword`, `authtoken`, `mysecretkey`.
fn glued(word: &[u8]) -> Role {
    const ENDS: [(&[u8], Kind); 13] = [
        (b"password", Kind::Password),
        (b"passwd", Kind::Password),
        (b"passphrase", Kind::Password),
        (b"pass", Kind::Password),
        (b"pwd", Kind::Password),
        (b"passwort", Kind::Password),
        (b"secret", Kind::Secret),
        (b"token", Kind::Token),
        (b"apikey", Kind::QualifiedKey),
        (b"secretkey", Kind::QualifiedKey),
        (b"accesskey", Kind::QualifiedKey),
        (b"privatekey", Kind::QualifiedKey),
        (b"credentials", Kind::Auth),
    ];
    match word {
        b"bypass" | b"compass" | b"trespass" | b"encompass" | b"surpass" | b"overpass" | b"underpass" | b"subpass"
        | b"multipass" | b"highpass" | b"lowpass" | b"bandpass" | b"renderpass" | b"onepass" | b"twopass"
        | b"firstpass" | b"nopass" => Role::Head,
        _ => ENDS.iter().find(|(end, _)| word.ends_with(end)).map_or(Role::Unknown, |(_, kind)| Role::Is(*kind)),
    }
}

/// The words of a name: between separators, at `aB`, at `ABc` and around digits.
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(u8::is_ascii_alphanumeric)?;
        let text = &self.rest[start..];
        let mut end = 1;
        while let Some(&next) = text.get(end) {
            let before = text[end - 1];
            let breaks = !next.is_ascii_alphanumeric()
                || next.is_ascii_digit() != before.is_ascii_digit()
                || (next.is_ascii_uppercase() && before.is_ascii_lowercase())
                || (end > 1
                    && next.is_ascii_lowercase()
                    && before.is_ascii_uppercase()
                    && text[end - 2].is_ascii_uppercase());
            if breaks {
                break;
            }
            end += 1;
        }
        // `ABc` is `A` and `Bc`: the capital before a small letter begins a word.
        let follows = text.get(end).is_some_and(u8::is_ascii_lowercase);
        if end > 1 && follows && text[end - 1].is_ascii_uppercase() {
            end -= 1;
        }
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> Option<Kind> {
        promise(name.as_bytes()).map(|promise| promise.kind)
    }

    fn words(name: &str) -> Vec<&str> {
        Words { rest: name.as_bytes() }.map(|word| std::str::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn names_split_at_separators_capitals_and_digits() {
        assert_eq!(words("X-Api-Key"), ["X", "Api", "Key"]);
        assert_eq!(words("clientSecret2"), ["client", "Secret", "2"]);
        assert_eq!(words("AWSSecretKey"), ["AWS", "Secret", "Key"]);
        assert_eq!(words("spring.data_source[\"password\"]"), ["spring", "data", "source", "password"]);
        assert_eq!(words("__"), [""; 0]);
    }

    #[test]
    fn the_last_credential_word_counts() {
        for (name, expected) in [
            ("password", Kind::Password),
            ("DB_PASSWORD", Kind::Password),
            ("userPwd", Kind::Password),
            ("PGPASSWORD", Kind::Password),
            ("mysqlpass", Kind::Password),
            ("client_secret", Kind::Secret),
            ("SECRET_KEY_BASE", Kind::QualifiedKey),
            ("accessToken", Kind::Token),
            ("X-Api-Key", Kind::QualifiedKey),
            ("APIKEY", Kind::QualifiedKey),
            ("aws_secret_access_key", Kind::QualifiedKey),
            ("encryptionKey", Kind::QualifiedKey),
            ("key", Kind::Key),
            ("_auth", Kind::Auth),
            ("credentials", Kind::Auth),
            ("password_salt", Kind::Salt),
            ("passWord", Kind::Password),
            ("password2", Kind::Password),
        ] {
            assert_eq!(kind(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_follows_takes_it_back() {
        for name in [
            "password_field",
            "token_type",
            "secretName",
            "passwordHint",
            "key_id",
            "public_key",
            "tokenUrl",
            "max_tokens_count",
            "pass_count",
            "tokenizer",
            "author",
            "keyboard",
            "primary_key",
            "key_path",
            "compass",
            "accessKeyId",
            "credentialsId",
            "csrf_token",
            "password_hash",
            "cacheKey",
            "monkey",
            "secretary",
            "keyword",
            "tokenEndpoint",
            "bypass",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
