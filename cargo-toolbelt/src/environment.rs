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
        now: now(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref()),
        directory: std::env::current_dir().context("cannot tell the working directory")?,
        cache: variable("TOOLBELT_CACHE").or(cache),
        cargo_home: variable("CARGO_HOME").or(home_of_cargo),
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        host: env!("TOOLBELT_HOST").to_owned(),
    })
}

/// The start of the run; reproducible runs say when it is.
fn now(source_date_epoch: Option<&str>) -> Timestamp {
    let said = source_date_epoch.and_then(|seconds| seconds.parse().ok());
    said.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_else(Timestamp::now)
}
