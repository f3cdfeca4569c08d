//! Which `cfg(…)` and target triples apply to the host.

use cfg_expr::targets::{TargetInfo, get_builtin_target_by_triple};
use cfg_expr::{Expression, Predicate};

/// A target that packages can be built for.
#[derive(Debug, Clone)]
pub struct Target {
    triple: String,
    known: Option<&'static TargetInfo>,
}

impl Target {
    /// A target by its triple, such as `x86_64-unknown-linux-gnu`.
    pub fn new(triple: impl Into<String>) -> Self {
        let triple = triple.into();
        let known = get_builtin_target_by_triple(&triple);
        Self { triple, known }
    }

    /// The triple.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// Whether a dependency for `target` (a triple or `cfg(…)`) is used on this one.
    ///
    /// What cannot be decided (an expression that is not understood, a target that is not known, features and flags of
    /// the compiler) counts as used.
    pub fn matches(&self, target: &str) -> bool {
        if !target.trim_start().starts_with("cfg(") {
            return target == self.triple;
        }
        let (Some(known), Ok(expression)) = (self.known, Expression::parse(target)) else { return true };
        expression
            .eval(|predicate| match predicate {
                Predicate::Target(target) => Some(target.matches(known)),
                Predicate::Test | Predicate::ProcMacro => Some(false),
                Predicate::DebugAssertions => Some(true),
                Predicate::TargetFeature(_)
                | Predicate::Feature(_)
                | Predicate::Flag(_)
                | Predicate::KeyValue { .. } => None,
            })
            .unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_and_triples_are_compared_with_the_host() {
        let linux = Target::new("x86_64-unknown-linux-gnu");
        assert!(linux.matches("cfg(unix)"));
        assert!(linux.matches("cfg(any(windows, target_os = \"linux\"))"));
        assert!(linux.matches("x86_64-unknown-linux-gnu"));
        assert!(!linux.matches("cfg(windows)"));
        assert!(!linux.matches("aarch64-apple-darwin"));
        assert!(!linux.matches("cfg(all(windows, feature = \"x\"))"));
    }

    #[test]
    fn what_cannot_be_decided_counts_as_used() {
        let linux = Target::new("x86_64-unknown-linux-gnu");
        assert!(linux.matches("cfg(tokio_unstable)"));
        assert!(linux.matches("cfg(not(tokio_unstable))"));
        assert!(linux.matches("cfg(((("));
        assert!(Target::new("pdp11-unknown-none").matches("cfg(windows)"));
    }
}
