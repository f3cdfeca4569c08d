//! What core may know of the world: clock, folders, variables.

use std::path::PathBuf;

use anyhow::Context as _;
use etcetera::base_strategy::BaseStrategy as _;
use jiff::Timestamp;
use toolbelt_core::ops::Environment;

/// Looks around once; `tool` is the binary and its version, as reports name it.
///
/// # Errors
///
/// If there is no working directory.
pub fn environment(tool: &str) -> anyhow::Result<Environment> {
    let folders = etcetera::base_strategy::choose_native_strategy().ok();
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home_of_cargo = folders.as_ref().map(|folders| folders.home_dir().join(".cargo"));
    let cache = folders.as_ref().map(|folders| folders.cache_dir().join("toolbelt"));
    Ok(Environment {
        tool: tool.to_owned(),
        now: now()?,
        directory: std::env::current_dir().context("cannot tell the working directory")?,
        cache: variable("TOOLBELT_CACHE").or(cache),
        cargo_home: variable("CARGO_HOME").or(home_of_cargo),
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        host: env!("TOOLBELT_HOST").to_owned(),
    })
}

/// Tests say with this variable when it is, in seconds since 1970. No release looks at it: keys and exemptions end by the
/// clock, and whoever may set variables, as `SOURCE_DATE_EPOCH`, must not be able to prolong them.
const TEST_NOW: &str = "TOOLBELT_TEST_NOW";

/// The start of the run.
fn now() -> anyhow::Result<Timestamp> {
    match std::env::var(TEST_NOW) {
        Ok(said) if cfg!(debug_assertions) => {
            let time = said.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            time.with_context(|| format!("{TEST_NOW} is `{said}`, expected seconds since 1970"))
        }
        _ => Ok(Timestamp::now()),
    }
}
