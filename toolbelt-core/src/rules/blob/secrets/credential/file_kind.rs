//! What sort of file a path names.

/// Sorts of files in which the same line means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// Values stand without quotes: `.env`, YAML, properties, shell; also what is not known.
    Configuration,
    /// A program: what stands without quotes is a name.
    Source,
    /// Prose.
    Documentation,
    /// Written by a machine, and full of digests: lock files, minified scripts, images, translations.
    Generated,
}

impl FileKind {
    /// The kind that a path names; `None` is unknown.
    pub fn of(path: Option<&str>) -> Self {
        let Some(path) = path else { return Self::Configuration };
        let lower = path.to_ascii_lowercase();
        let file = lower.rsplit('/').next().unwrap_or(&lower);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        if is_generated(&lower, file, extension) {
            return Self::Generated;
        }
        match extension {
            "py" | "rb" | "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" | "go"
            | "rs" | "java" | "kt" | "kts" | "scala" | "groovy" | "gradle" | "c" | "h" | "cc" | "cpp" | "cxx"
            | "hpp" | "cs" | "vb" | "fs" | "swift" | "m" | "mm" | "php" | "pl" | "pm" | "lua" | "dart" | "ex"
            | "exs" | "erl" | "hs" | "ml" | "clj" | "cljs" | "r" | "jl" | "sol" | "zig" | "nim" | "pas" | "coffee"
            | "phtml" | "erb" | "jsp" | "aspx" | "cshtml" | "razor" | "tf" | "hcl" | "nix" | "cr" | "elm" | "proto"
            | "asm" | "s" | "ipynb" | "graphql" | "gql" | "d" | "tcl" | "v" | "sv" | "vhd" | "rake" | "gemspec"
            | "f90" | "bzl" | "bazel" | "pyx" | "pyi" | "ps1" | "psm1" | "twig" | "cu" | "cob" | "cbl" | "hx"
            | "ino" => Self::Source,
            "md" | "markdown" | "rst" | "adoc" | "asciidoc" | "txt" | "html" | "htm" | "xhtml" | "tex" | "org"
            | "textile" | "rdoc" | "mdx" | "pod" | "1" | "8" | "man" | "eml" => Self::Documentation,
            _ => Self::Configuration,
        }
    }
}

fn is_generated(path: &str, file: &str, extension: &str) -> bool {
    matches!(
        file,
        "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "cargo.lock"
            | "poetry.lock"
            | "pipfile.lock"
            | "composer.lock"
            | "gemfile.lock"
            | "go.sum"
            | "packages.lock.json"
            | "podfile.lock"
            | "mix.lock"
            | "flake.lock"
            | "pubspec.lock"
            | "bun.lock"
            | "deno.lock"
            | "uv.lock"
            | "pdm.lock"
            | "gradle.lockfile"
            | "shrinkwrap.yaml"
            | ".terraform.lock.hcl"
    ) || matches!(
        extension,
        "svg"
            | "map"
            | "snap"
            | "po"
            | "pot"
            | "mo"
            | "xlf"
            | "xliff"
            | "resx"
            | "strings"
            | "arb"
            | "lock"
            | "sum"
            | "pbxproj"
            | "csv"
            | "tsv"
            | "ics"
            | "dic"
            | "aff"
    ) || file.ends_with(".min.js")
        || file.ends_with(".min.css")
        || file.ends_with(".bundle.js")
        || file.contains("-lock.")
        || ["locales/", "locale/", "i18n/", "translations/", "lang/"]
            .iter()
            .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_kinds() {
        for (path, kind) in [
            ("src/main.rs", FileKind::Source),
            (".env", FileKind::Configuration),
            ("config/database.yml", FileKind::Configuration),
            ("README.md", FileKind::Documentation),
            ("a/package-lock.json", FileKind::Generated),
            ("config/locales/de.yml", FileKind::Generated),
            ("static/jquery.min.js", FileKind::Generated),
            ("Dockerfile", FileKind::Configuration),
        ] {
            assert_eq!(FileKind::of(Some(path)), kind, "{path}");
        }
    }
}
