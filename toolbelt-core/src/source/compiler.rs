//! What the compiler says of a target, which decides what `cfg(…)` in manifests means.

use std::collections::BTreeMap;
use std::path::Path;

use super::rust_program::{self, Error, RustProgram};
use crate::subject::target::Target;

/// Asks the compiler for a target, without flags that configuration or `RUSTFLAGS` may add.
///
/// # Errors
///
/// [`Error`] if there is no compiler, or it does not know the target.
pub fn target(variables: &BTreeMap<String, String>, directory: &Path, triple: &str) -> Result<Target, Error> {
    let arguments = ["--print".to_owned(), "cfg".to_owned(), format!("--target={triple}")];
    let answer = rust_program::run(RustProgram::Rustc, variables, directory, &arguments)?;
    let lines = String::from_utf8_lossy(&answer);
    Ok(Target::with_cfg(triple, lines.lines().map(str::trim)))
}
