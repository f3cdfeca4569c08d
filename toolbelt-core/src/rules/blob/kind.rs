//! What a file is, as far as its path tells.

/// What somebody who reviews a change expects of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// It is compiled, run, or steers what is: source code, scripts, build files, configuration.
    Code,
    /// Text for people, and translations.
    Prose,
    /// What programs write or read: data, lock files, pictures; or nothing that the path tells.
    Other,
}

/// Extensions of code, lower case, sorted.
const CODE: &[&str] = &[
    "adb",
    "ads",
    "asm",
    "awk",
    "bash",
    "bat",
    "bazel",
    "bzl",
    "c",
    "cc",
    "cfg",
    "cjs",
    "clj",
    "cljs",
    "cls",
    "cmake",
    "cmd",
    "conf",
    "cpp",
    "cr",
    "cs",
    "csh",
    "css",
    "cts",
    "cu",
    "cxx",
    "d",
    "dart",
    "dockerfile",
    "el",
    "elm",
    "erl",
    "ex",
    "exs",
    "f",
    "f90",
    "fish",
    "fs",
    "fsx",
    "gemspec",
    "gn",
    "gni",
    "go",
    "gradle",
    "graphql",
    "groovy",
    "h",
    "hcl",
    "hh",
    "hpp",
    "hrl",
    "hs",
    "hxx",
    "inc",
    "ini",
    "ipp",
    "java",
    "jl",
    "js",
    "jsm",
    "jsx",
    "kt",
    "kts",
    "less",
    "lisp",
    "lua",
    "m",
    "m4",
    "mak",
    "mjs",
    "mk",
    "ml",
    "mli",
    "mm",
    "mts",
    "nim",
    "nix",
    "pas",
    "php",
    "pl",
    "pm",
    "proto",
    "ps1",
    "psm1",
    "pxd",
    "py",
    "pyi",
    "pyx",
    "r",
    "rake",
    "rb",
    "re",
    "rs",
    "ru",
    "s",
    "sass",
    "sc",
    "scala",
    "scm",
    "scss",
    "sh",
    "sol",
    "sql",
    "svelte",
    "swift",
    "t",
    "tcl",
    "tf",
    "toml",
    "ts",
    "tsx",
    "v",
    "vb",
    "vhd",
    "vim",
    "vue",
    "x",
    "y",
    "yaml",
    "yml",
    "zig",
    "zsh",
];

/// Extensions of text for people, lower case, sorted.
const PROSE: &[&str] = &[
    "adoc", "asc", "asciidoc", "ftl", "htm", "html", "man", "markdown", "md", "mdown", "mdx", "org", "po", "pod",
    "pot", "rdoc", "resx", "rst", "rtf", "srt", "strings", "tex", "texi", "txt", "vtt", "xlf", "xliff",
];

/// Names of code without an extension, lower case, sorted.
const CODE_NAMES: &[&str] = &[
    "build",
    "codeowners",
    "configure",
    "containerfile",
    "dockerfile",
    "gemfile",
    "gnumakefile",
    "jenkinsfile",
    "justfile",
    "makefile",
    "meson.build",
    "podfile",
    "rakefile",
    "vagrantfile",
    "workspace",
];

/// Files that package managers write, lower case, sorted.
const LOCK_FILES: &[&str] = &[
    "bun.lock",
    "cargo.lock",
    "composer.lock",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pixi.lock",
    "pnpm-lock.yaml",
    "podfile.lock",
    "poetry.lock",
    "pubspec.lock",
    "uv.lock",
    "yarn.lock",
];

impl FileKind {
    /// By the path, relative to the root, with `/`.
    pub(super) fn of(path: &str) -> Self {
        let name = file_name(path);
        if is_lock_file(path) {
            return Self::Other;
        }
        if CODE_NAMES.binary_search(&name.as_str()).is_ok() || is_hook(path) {
            return Self::Code;
        }
        let Some((stem, extension)) = name.rsplit_once('.') else { return Self::Other };
        // Translations are often code or data in form: `locales/ar.yml`, `strings.fa.json`.
        if is_translation(path, stem) {
            return Self::Prose;
        }
        match (CODE.binary_search(&extension), PROSE.binary_search(&extension)) {
            (Ok(_), _) => Self::Code,
            (_, Ok(_)) => Self::Prose,
            (Err(_), Err(_)) => Self::Other,
        }
    }
}

/// Whether a package manager writes it.
pub(super) fn is_lock_file(path: &str) -> bool {
    LOCK_FILES.binary_search(&file_name(path).as_str()).is_ok()
}

/// Whether a folder or the name says that it is for tests.
pub(super) fn is_test(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.split(['/', '.', '_', '-']).any(|word| {
        matches!(
            word,
            "t" | "test"
                | "tests"
                | "testing"
                | "testdata"
                | "spec"
                | "specs"
                | "fixture"
                | "fixtures"
                | "corpus"
                | "snapshots"
        )
    })
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

fn is_hook(path: &str) -> bool {
    [".githooks/", ".husky/"].iter().any(|folder| path.starts_with(folder))
}

fn is_translation(path: &str, stem: &str) -> bool {
    let is_folder =
        |part: &str| matches!(part, "locale" | "locales" | "i18n" | "l10n" | "lang" | "languages" | "translations");
    let path = path.to_ascii_lowercase();
    let mut folders = path.split('/').rev().skip(1);
    let is_data = [".yml", ".yaml", ".json", ".toml", ".ini", ".properties", ".php", ".js", ".ts"];
    is_data.iter().any(|extension| path.ends_with(extension)) && folders.any(is_folder) && stem.len() <= 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [CODE, PROSE, CODE_NAMES, LOCK_FILES] {
            assert!(list.is_sorted_by(|one, next| one < next), "{list:?}");
        }
    }

    #[test]
    fn kinds_are_told_by_name_and_extension() {
        for (path, kind) in [
            ("src/main.rs", FileKind::Code),
            ("a/Makefile", FileKind::Code),
            (".github/workflows/ci.yml", FileKind::Code),
            ("Cargo.lock", FileKind::Other),
            ("pnpm-lock.yaml", FileKind::Other),
            ("README.md", FileKind::Prose),
            ("po/he.po", FileKind::Prose),
            ("config/locales/ar.yml", FileKind::Prose),
            ("logo.png", FileKind::Other),
            ("LICENSE", FileKind::Other),
            (".husky/pre-commit", FileKind::Code),
        ] {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
        assert!(
            is_test("tests/data/x")
                && is_test("a_test.go")
                && is_test("src/foo.spec.ts")
                && is_test("t/t3310-merge.sh")
                && !is_test("src/contest.rs")
        );
    }
}
