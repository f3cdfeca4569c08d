//! Lists the patterns that a scan looks for.

use std::sync::Arc;

use crate::ops::scan::{self, Request};
use crate::subject::pattern::Pattern;

/// The patterns that a scan with this request would look for: those built in, then the repository's own.
///
/// # Errors
///
/// [`scan::Error`] if the repository's own files cannot be read.
pub fn run(request: &Request) -> Result<Vec<Arc<Pattern>>, scan::Error> {
    Ok(scan::engine(request)?.patterns().to_vec())
}
