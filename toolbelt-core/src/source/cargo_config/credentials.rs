//! Where cargo's configuration keeps tokens, and which programs it asks for them: places, never values.
//!
//! As in [registry authentication](https://doc.rust-lang.org/cargo/reference/registry-authentication.html): a registry's
//! own `credential-provider`, else the global ones, the last one first; `cargo:token` if there are none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{CRATES_IO_NAME, Error, MAX_FILE, environment_name};

/// The variable that adds global providers.
const GLOBAL_PROVIDERS: &str = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";
/// What cargo asks if nothing is configured.
const DEFAULT_PROVIDER: &str = "cargo:token";

/// A program with its arguments, or one of cargo's own providers by its name (`cargo:token`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider {
    /// The program or the name.
    pub program: String,
    /// What it is told.
    pub arguments: Vec<String>,
}

/// Where a token is written down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenPlace {
    /// A variable of the run.
    Variable(String),
    /// A key of a TOML file.
    File {
        /// The file.
        path: PathBuf,
        /// The key's parts: `["registries", "NAME", "token"]`.
        key: Vec<String>,
    },
}

/// How cargo would log in to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Those to ask, the first one first.
    pub providers: Vec<Provider>,
    /// Whether the registry has a provider of its own, so that the global ones are not asked.
    pub is_own: bool,
    /// Where `cargo:token` finds the token.
    pub token: Option<TokenPlace>,
}

/// Something that configuration says of credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Configured {
    /// A token, for the registry of this name.
    Token {
        /// `crates-io`, or the name in `[registries]` as far as it is known.
        registry: String,
        /// Where.
        place: TokenPlace,
    },
    /// A secret key that signs tokens.
    SecretKey(TokenPlace),
    /// A provider that is not one of cargo's readers of files.
    Provider(Provider),
}

/// What the files say; nearer ones come first.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    /// By name; crates.io is `crates-io`.
    registries: BTreeMap<String, Entry>,
    /// The one with the lowest precedence first.
    global: Vec<Provider>,
    aliases: BTreeMap<String, Provider>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    /// Every place, the one that counts first.
    tokens: Vec<TokenPlace>,
    secret_keys: Vec<TokenPlace>,
    provider: Option<Provider>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    registries: BTreeMap<String, FileRegistry>,
    #[serde(default)]
    registry: FileRegistry,
    #[serde(default)]
    credential_alias: BTreeMap<String, Words>,
    /// The oldest form of `credentials`.
    token: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FileRegistry {
    token: Option<IgnoredAny>,
    secret_key: Option<IgnoredAny>,
    credential_provider: Option<Words>,
    #[serde(default)]
    global_credential_providers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Line(String),
    List(Vec<String>),
}

impl Provider {
    fn new(words: Words) -> Option<Self> {
        let mut words = match words {
            Words::Line(line) => line.split_whitespace().map(str::to_owned).collect(),
            Words::List(list) => list,
        }
        .into_iter();
        let program = words.next()?;
        Some(Self { program, arguments: words.collect() })
    }

    /// A path with a separator starts where `.cargo` is.
    fn within(mut self, root: &Path) -> Self {
        let is_relative = Path::new(&self.program).is_relative() && self.program.contains(['/', '\\']);
        if is_relative {
            self.program = root.join(&self.program).to_string_lossy().into_owned();
        }
        self
    }

    /// Whether this is one of cargo's own.
    pub fn is_built_in(&self) -> bool {
        self.program.starts_with("cargo:")
    }
}

impl Credentials {
    /// Adds what a configuration file says, after those that are nearer.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) -> Result<(), Error> {
        let root = path.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        let file = parse(path, text)?;
        self.add(path, root, file, false);
        Ok(())
    }

    /// Adds `credentials.toml` of cargo's home, which overrides what configuration says.
    pub(super) fn add_home(&mut self, home: &Path) -> Result<(), Error> {
        let Some(path) =
            ["credentials", "credentials.toml"].iter().map(|name| home.join(name)).find(|path| path.is_file())
        else {
            return Ok(());
        };
        let unreadable = |source| Error::Unreadable { path: path.clone(), source };
        if std::fs::metadata(&path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(Error::TooLarge { path });
        }
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        let mut file = parse(&path, &text)?;
        if file.token.take().is_some() && file.registry.token.is_none() {
            let place = TokenPlace::File { path: path.clone(), key: vec!["token".to_owned()] };
            self.registries.entry(CRATES_IO_NAME.to_owned()).or_default().tokens.insert(0, place);
        }
        self.add(&path, home, file, true);
        Ok(())
    }

    fn add(&mut self, path: &Path, root: &Path, file: File, first: bool) {
        let crates_io = (CRATES_IO_NAME.to_owned(), vec!["registry".to_owned()], file.registry);
        let named = file.registries.into_iter().map(|(name, registry)| {
            let key = vec!["registries".to_owned(), name.clone()];
            (name, key, registry)
        });
        // `[registries.crates-io]` holds no credentials: those of crates.io are in `[registry]`.
        for (name, key, new) in named.filter(|(name, ..)| name != CRATES_IO_NAME).chain([crates_io]) {
            let entry = self.registries.entry(name).or_default();
            let place = |last: &str| {
                let key = key.iter().cloned().chain([last.to_owned()]).collect();
                TokenPlace::File { path: path.to_owned(), key }
            };
            let put = |places: &mut Vec<TokenPlace>, place| places.insert(if first { 0 } else { places.len() }, place);
            if new.token.is_some() {
                put(&mut entry.tokens, place("token"));
            }
            if new.secret_key.is_some() {
                put(&mut entry.secret_keys, place("secret-key"));
            }
            if let Some(provider) = new.credential_provider.and_then(Provider::new).map(|new| new.within(root))
                && (first || entry.provider.is_none())
            {
                entry.provider = Some(provider);
            }
            // Cargo joins the lists of all files, and asks the nearest one's last entry first.
            let mut global = providers(new.global_credential_providers.into_iter());
            if first {
                self.global.append(&mut global);
            } else {
                self.global.splice(0..0, global);
            }
        }
        for (name, words) in file.credential_alias {
            if let Some(provider) = Provider::new(words) {
                self.aliases.entry(name).or_insert(provider.within(root));
            }
        }
    }

    pub(super) fn login(&self, name: &str, environment: &BTreeMap<String, String>) -> Login {
        let entry = self.entry(name);
        let variable = |last: &str| {
            let name = variable(name, last);
            environment.get(&name).map(|value| (name, value))
        };
        let own = variable("CREDENTIAL_PROVIDER").and_then(|(_, words)| Provider::new(Words::Line(words.clone())));
        let own = own.or_else(|| entry.and_then(|entry| entry.provider.clone()));
        let is_own = own.is_some();
        let mut global = self.global.clone();
        if let Some(list) = environment.get(GLOBAL_PROVIDERS) {
            global.extend(providers(list.split_whitespace().map(str::to_owned)));
        }
        if global.is_empty() {
            global.extend(providers([DEFAULT_PROVIDER.to_owned()].into_iter()));
        }
        global.reverse();
        let token = variable("TOKEN").map(|(name, _)| TokenPlace::Variable(name));
        Login {
            providers: own.map_or(global, |own| vec![own]).into_iter().map(|one| self.resolve(one)).collect(),
            is_own,
            token: token.or_else(|| entry.and_then(|entry| entry.tokens.first().cloned())),
        }
    }

    pub(super) fn places(&self, environment: &BTreeMap<String, String>) -> Vec<Configured> {
        let mut places: Vec<Configured> = Vec::new();
        for name in environment.keys() {
            let place = || TokenPlace::Variable(name.clone());
            match registry_of(name) {
                Some((registry, "TOKEN")) => places.push(Configured::Token { registry, place: place() }),
                Some((_, "SECRET_KEY")) => places.push(Configured::SecretKey(place())),
                Some(_) | None => {}
            }
        }
        let mut programs = Vec::new();
        for (name, entry) in &self.registries {
            let token = |place: &TokenPlace| Configured::Token { registry: name.clone(), place: place.clone() };
            places.extend(entry.tokens.iter().map(token));
            places.extend(entry.secret_keys.iter().cloned().map(Configured::SecretKey));
            programs.extend(entry.provider.clone());
        }
        programs.extend(self.global.clone());
        for (name, words) in environment {
            match registry_of(name) {
                Some((_, "CREDENTIAL_PROVIDER")) => programs.extend(Provider::new(Words::Line(words.clone()))),
                Some(_) | None if name == GLOBAL_PROVIDERS => {
                    programs.extend(providers(words.split_whitespace().map(str::to_owned)));
                }
                Some(_) | None => {}
            }
        }
        let is_reader = |provider: &Provider| matches!(provider.program.as_str(), DEFAULT_PROVIDER | "cargo:paseto");
        let programs = programs.into_iter().map(|one| self.resolve(one)).filter(|one| !is_reader(one));
        places.extend(programs.map(Configured::Provider));
        places.sort();
        places.dedup();
        places
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let same = |known: &&String| environment_name(known) == environment_name(name);
        self.registries.get(name).or_else(|| self.registries.get(self.registries.keys().find(same)?))
    }

    /// What an alias stands for; cargo's own names have none, and neither has a name with arguments.
    fn resolve(&self, provider: Provider) -> Provider {
        match self.aliases.get(&provider.program) {
            Some(alias) if provider.arguments.is_empty() && !provider.is_built_in() => alias.clone(),
            Some(_) | None => provider,
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<File, Error> {
    // The error of a file with tokens must not show the line that is wrong.
    toml::from_str(text).map_err(|mut source: toml::de::Error| {
        source.set_input(None);
        Error::Malformed { path: path.to_owned(), source: Box::new(source) }
    })
}

fn providers(lines: impl Iterator<Item = String>) -> Vec<Provider> {
    lines.filter_map(|line| Provider::new(Words::Line(line))).collect()
}

/// The variable for a key of a registry.
fn variable(name: &str, last: &str) -> String {
    if name == CRATES_IO_NAME {
        return format!("CARGO_REGISTRY_{last}");
    }
    format!("CARGO_REGISTRIES_{}_{last}", name.to_ascii_uppercase().replace(['-', '.'], "_"))
}

/// The registry and the key of a variable that says something of credentials.
fn registry_of(variable: &str) -> Option<(String, &'static str)> {
    ["TOKEN", "SECRET_KEY", "CREDENTIAL_PROVIDER"].into_iter().find_map(|last| {
        let rest = variable.strip_suffix(last)?.strip_suffix('_')?;
        match rest.strip_prefix("CARGO_REGISTRIES_") {
            Some(name) if !name.is_empty() => Some((environment_name(name), last)),
            Some(_) => None,
            None => (rest == "CARGO_REGISTRY").then(|| (CRATES_IO_NAME.to_owned(), last)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[&str], home: Option<&str>) -> Credentials {
        let mut credentials = Credentials::default();
        for (at, text) in files.iter().enumerate() {
            credentials.add_file(Path::new(&format!("/{at}/.cargo/config.toml")), text).unwrap();
        }
        if let Some(text) = home {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("credentials.toml"), text).unwrap();
            credentials.add_home(folder.path()).unwrap();
        }
        credentials
    }

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn programs(login: &Login) -> Vec<&str> {
        login.providers.iter().map(|provider| provider.program.as_str()).collect()
    }

    #[test]
    fn token_is_taken_from_the_variable_then_credentials_then_the_nearest_file() {
        let files = ["[registries.x]\ntoken = 'a'", "[registries.x]\ntoken = 'b'\n[registry]\ntoken = 'c'"];
        let key = |login: Login| match login.token {
            Some(TokenPlace::File { path, key }) => {
                format!("{} {}", path.file_name().unwrap().display(), key.join("."))
            }
            Some(TokenPlace::Variable(name)) => name,
            None => "none".to_owned(),
        };
        let nothing = variables(&[]);
        let of_files = read(&files, None);
        let expected = TokenPlace::File {
            path: "/0/.cargo/config.toml".into(),
            key: ["registries", "x", "token"].map(str::to_owned).to_vec(),
        };
        assert_eq!(of_files.login("x", &nothing).token, Some(expected));
        let all = read(&files, Some("[registries.x]\ntoken = 'd'"));
        assert_eq!(key(all.login("x", &nothing)), "credentials.toml registries.x.token");
        let variable = variables(&[("CARGO_REGISTRIES_X_TOKEN", "e"), ("CARGO_REGISTRY_TOKEN", "f")]);
        assert_eq!(key(all.login("x", &variable)), "CARGO_REGISTRIES_X_TOKEN");
        assert_eq!(key(all.login("crates-io", &variable)), "CARGO_REGISTRY_TOKEN");
        assert_eq!(key(all.login("crates-io", &nothing)), "config.toml registry.token");
        assert_eq!(key(all.login("y", &nothing)), "none");
        assert_eq!(key(read(&[], Some("token = 'old'")).login("crates-io", &nothing)), "credentials.toml token");
    }

    #[test]
    fn the_last_global_provider_of_the_nearest_file_is_asked_first() {
        let files = [
            "[registry]\nglobal-credential-providers = ['near-a', 'near-b one']",
            "[registry]\nglobal-credential-providers = ['far']\n[credential-alias]\nfar = ['/bin/p q', 'r']",
        ];
        let login = read(&files, None).login("x", &variables(&[(GLOBAL_PROVIDERS, "env")]));
        assert_eq!(programs(&login), ["env", "near-b", "near-a", "/bin/p q"]);
        assert_eq!(login.providers[3].arguments, ["r"]);
        assert!(!login.is_own);
        assert_eq!(programs(&read(&[], None).login("x", &variables(&[]))), ["cargo:token"]);
    }

    #[test]
    fn own_provider_replaces_the_global_ones() {
        let files =
            ["[registry]\nglobal-credential-providers = ['global']\n[registries.a-b]\ncredential-provider = './p q'\n\
             [credential-alias]\n'cargo:token' = 'shadow'"];
        let credentials = read(&files, None);
        let login = credentials.login("a-b", &variables(&[]));
        assert!(login.is_own);
        assert_eq!(login.providers, [Provider { program: "/0/./p".to_owned(), arguments: vec!["q".to_owned()] }]);
        let variable = variables(&[("CARGO_REGISTRIES_A_B_CREDENTIAL_PROVIDER", "cargo:token")]);
        assert_eq!(programs(&credentials.login("a-b", &variable)), ["cargo:token"]);
        assert_eq!(programs(&credentials.login("crates-io", &variable)), ["global"]);
    }

    #[test]
    fn every_place_is_listed_and_no_value() {
        let credentials = read(
            &["[registry]\ntoken = 'sesame'\nglobal-credential-providers = ['cargo:token', 'cargo:libsecret']"],
            Some("[registries.x]\nsecret-key = 'sesame'"),
        );
        let environment = variables(&[("CARGO_REGISTRIES_Y_TOKEN", "sesame"), ("CARGO_REGISTRIES_Y_INDEX", "z")]);
        let places = credentials.places(&environment);
        assert_eq!(places.len(), 4, "{places:?}");
        assert!(!format!("{credentials:?} {places:?}").contains("sesame"));
    }

    #[test]
    fn a_malformed_file_with_tokens_is_not_quoted() {
        let error = Credentials::default().add_file(Path::new("/c"), "[registry]\ntoken = 'sesame' x").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("sesame"));
        let cause = std::error::Error::source(&error).unwrap();
        assert!(!cause.to_string().contains("sesame"), "{cause}");
    }
}
