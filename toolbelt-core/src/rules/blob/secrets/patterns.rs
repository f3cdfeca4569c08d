//! The files of patterns that are built in.

/// Path within the folder, and text; sorted.
pub(super) static FILES: &[(&str, &str)] = &[
    ("patterns-ai.toml", include_str!("patterns-ai.toml")),
    ("patterns-ci.toml", include_str!("patterns-ci.toml")),
    ("patterns-cloud.toml", include_str!("patterns-cloud.toml")),
    ("patterns-communication.toml", include_str!("patterns-communication.toml")),
    ("patterns-data.toml", include_str!("patterns-data.toml")),
    ("patterns-forge.toml", include_str!("patterns-forge.toml")),
    ("patterns-keys.toml", include_str!("patterns-keys.toml")),
    ("patterns-observe.toml", include_str!("patterns-observe.toml")),
    ("patterns-other.toml", include_str!("patterns-other.toml")),
    ("patterns-payment.toml", include_str!("patterns-payment.toml")),
    ("patterns-productivity.toml", include_str!("patterns-productivity.toml")),
    ("patterns-registry.toml", include_str!("patterns-registry.toml")),
    ("patterns-secrets.toml", include_str!("patterns-secrets.toml")),
    ("patterns-social.toml", include_str!("patterns-social.toml")),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::engine::Engine;
    use super::super::{examples, pattern_file};
    use super::*;

    #[test]
    fn every_file_of_patterns_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/blob/secrets");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml")).collect();
        names.sort();
        assert_eq!(FILES.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>(), names);
    }

    /// Patterns with an example that is not found yet: the name has several words, and none that speaks of a secret, so
    /// that its four bytes do not stand together; or the value is written in a way that is not read.
    const NOT_YET: &[&str] = &[
        "agora-app-certificate",
        "honeycomb-key-without-prefix",
        "huawei-cloud-secret-access-key",
        "open-vsx-token",
        "oracle-cloud-auth-token",
        "ovh-secret",
        "snyk-api-token",
        "storj-access-grant",
    ];

    #[test]
    fn every_example_of_every_pattern_comes_out_as_it_is_listed() {
        let engine = Engine::built_in();
        let mut wrong = Vec::new();
        for (path, text) in FILES {
            for described in pattern_file::parse(path, text).unwrap() {
                if NOT_YET.contains(&described.pattern.id.as_str()) {
                    continue;
                }
                wrong.extend(examples::check(&engine, &described).into_iter().map(|what| format!("{path}: {what}")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
