//! What a file is by its path alone, as far as that says that it does not belong into a package.

/// A kind of files that do not belong into a package; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileKind {
    /// Programs keep credentials under this name.
    Credentials,
    /// The same, among files for tests.
    TestCredentials,
    /// Keys and certificates are kept under this name.
    Keys,
    /// A database, a dump of one or of memory, a log.
    Dump,
    /// What an editor, a merge or a system leaves behind.
    Leftover,
    /// What a build makes, or a package manager fetches.
    BuildOutput,
    /// What a version control system keeps for itself.
    Repository,
}

/// Programs read their credentials from files of these names.
const CREDENTIALS: &[&str] = &[
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".vault-token",
    "_netrc",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "terraform.tfstate",
];
/// Names that are of credentials in this folder alone.
const IN_FOLDER: &[(&str, &str)] = &[
    (".aws", "credentials"),
    (".cargo", "credentials"),
    (".cargo", "credentials.toml"),
    (".docker", "config.json"),
    (".kube", "config"),
];
/// What is appended to the name of a file of variables that holds none of its own.
const TEMPLATES: &[&str] = &["default", "defaults", "dist", "example", "sample", "schema", "template", "test", "tpl"];
/// Keys, certificates, and what else opens something.
const KEYS: &[&str] = &["jks", "kdbx", "key", "keystore", "p12", "p8", "pem", "pfx", "ppk"];
const DUMPS: &[&str] = &["db", "db3", "dmp", "dump", "hprof", "log", "mdmp", "sqlite", "sqlite3"];
const LEFTOVERS: &[&str] = &["bak", "orig", "rej", "swo", "swp"];
const LEFTOVER_NAMES: &[&str] = &[".ds_store", "desktop.ini", "thumbs.db"];
/// What only a build makes; objects and libraries are for `binary-in-package`.
const BUILD_OUTPUT: &[&str] = &["gcda", "gcno", "pdb", "profdata", "profraw", "pyc"];
/// Folders that only a build or a package manager makes.
const BUILD_FOLDERS: &[&str] = &["__pycache__", "node_modules"];
/// Below `target/`, which can be a module of that name too, cargo makes these.
const TARGET: &[&str] = &[".rustc_info.json", "cachedir.tag", "debug", "doc", "package", "release", "tmp"];
const REPOSITORIES: &[&str] = &[".git", ".hg", ".jj", ".svn"];
/// Words for folders whose files are made for tests and examples.
const FIXTURES: &[&str] = &["bench", "example", "fixture", "sample", "spec", "test"];

impl FileKind {
    /// What the file at this path in a `.crate` is; none if it may well belong there.
    pub(super) fn of(path: &str) -> Option<Self> {
        let path = path.to_lowercase();
        let mut folders: Vec<&str> = path.split('/').collect();
        let name = folders.pop()?;
        // Cargo puts the manifest as it was written beside the one that it makes.
        if path == "cargo.toml.orig" {
            return None;
        }
        let is_fixture = is_fixture(&path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if folders.iter().any(|folder| REPOSITORIES.contains(folder)) {
            return Some(Self::Repository);
        }
        if is_build_output(&folders, name, extension) {
            return Some(Self::BuildOutput);
        }
        if is_credentials(folders.last().copied().unwrap_or_default(), name) {
            return Some(if is_fixture { Self::TestCredentials } else { Self::Credentials });
        }
        if LEFTOVER_NAMES.contains(&name) || LEFTOVERS.contains(&extension) || name.ends_with('~') {
            return Some(Self::Leftover);
        }
        // Keys, databases and logs to test with are common; what a key file holds is for `secret-in-package`.
        if is_fixture {
            return None;
        }
        if KEYS.contains(&extension) {
            return Some(Self::Keys);
        }
        (DUMPS.contains(&extension) || is_dump(name, extension)).then_some(Self::Dump)
    }

    /// What they are, after "holds 2 files".
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Credentials => "named like credentials",
            Self::TestCredentials => "named like credentials, for tests as it seems",
            Self::Keys => "named like keys or certificates",
            Self::Dump => "named like databases, dumps or logs",
            Self::Leftover => "that editors, merges or systems leave behind",
            Self::BuildOutput => "of a build or a package manager",
            Self::Repository => "of a repository's own folder",
        }
    }

    /// For machines.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::TestCredentials => "test-credentials",
            Self::Keys => "keys",
            Self::Dump => "dump",
            Self::Leftover => "leftover",
            Self::BuildOutput => "build-output",
            Self::Repository => "repository",
        }
    }
}

/// Whether a file is below a folder whose files are made for tests and examples.
pub(super) fn is_fixture(path: &str) -> bool {
    let path = path.to_lowercase();
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(|folder| FIXTURES.iter().any(|word| folder.starts_with(word)))
}

fn is_build_output(folders: &[&str], name: &str, extension: &str) -> bool {
    let below = |folder: &str| {
        let mut within = folders.iter().chain([&name]).skip_while(|part| **part != folder);
        within.next().and_then(|_| within.next())
    };
    BUILD_OUTPUT.contains(&extension)
        || folders.iter().any(|folder| BUILD_FOLDERS.contains(folder))
        || folders.contains(&"target") && below("target").is_some_and(|part| TARGET.contains(part))
}

fn is_credentials(folder: &str, name: &str) -> bool {
    let is_variables = name == ".env"
        || name.strip_prefix(".env.").is_some_and(|rest| !rest.split(['.', '-']).any(|word| TEMPLATES.contains(&word)));
    is_variables || CREDENTIALS.contains(&name) || IN_FOLDER.contains(&(folder, name))
}

/// `core.1234` of a crash, and `dump.sql`; other SQL is part of programs.
fn is_dump(name: &str, extension: &str) -> bool {
    let of_process = name.starts_with("core.") && extension.bytes().all(|byte| byte.is_ascii_digit());
    let of_database = extension == "sql" && (name.contains("dump") || name.contains("backup"));
    of_process && !extension.is_empty() || of_database
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_name_and_folder() {
        for (path, kind) in [
            (".env", FileKind::Credentials),
            ("deploy/.env.production", FileKind::Credentials),
            ("id_rsa", FileKind::Credentials),
            (".cargo/credentials.toml", FileKind::Credentials),
            ("home/.aws/credentials", FileKind::Credentials),
            ("tests/data/.netrc", FileKind::TestCredentials),
            ("examples/id_ed25519", FileKind::TestCredentials),
            ("src/server.KEY", FileKind::Keys),
            ("release.keystore", FileKind::Keys),
            ("state.sqlite3", FileKind::Dump),
            ("core.4711", FileKind::Dump),
            ("db/dump-2024.sql", FileKind::Dump),
            ("build.log", FileKind::Dump),
            ("src/.lib.rs.swp", FileKind::Leftover),
            ("src/lib.rs~", FileKind::Leftover),
            ("docs/.DS_Store", FileKind::Leftover),
            ("src/lib.rs.orig", FileKind::Leftover),
            ("tests/crate/target/debug/libx.rlib", FileKind::BuildOutput),
            ("target/CACHEDIR.TAG", FileKind::BuildOutput),
            ("web/node_modules/a/index.js", FileKind::BuildOutput),
            ("py/__pycache__/a.cpython-312.pyc", FileKind::BuildOutput),
            ("default.profraw", FileKind::BuildOutput),
            ("vendor/x/.git/config", FileKind::Repository),
        ] {
            assert_eq!(FileKind::of(path), Some(kind), "{path}");
        }
    }

    #[test]
    fn what_packages_are_made_of_is_no_kind() {
        for path in [
            "Cargo.toml",
            "Cargo.toml.orig",
            "src/target/apple.rs",
            "src/target.rs",
            ".env.example",
            ".env.sample",
            "config/.env.test.local",
            "environment",
            "src/credentials.rs",
            "credentials.toml",
            "id_rsa.pub",
            "migrations/2024-01-01/up.sql",
            "src/core.rs",
            "core",
            "src/core/mod.rs",
            "tests/data/session.log",
            "tests/examples/p256-priv.pem",
            "testdata/a.p12",
            "src/data/alg-rsa.der",
            "src/db.rs",
            ".gitignore",
            ".github/workflows/ci.yml",
        ] {
            assert_eq!(FileKind::of(path), None, "{path}");
        }
    }
}
