//! Which `cfg(…)` and target triples apply to the host.

use std::collections::BTreeSet;

use cfg_expr::targets::{Endian, TargetInfo, get_builtin_target_by_triple};
use cfg_expr::{Expression, Predicate, TargetPredicate};

/// A target that packages can be built for.
#[derive(Debug, Clone)]
pub struct Target {
    triple: String,
    known: Option<&'static TargetInfo>,
    /// What the compiler says of it, as it prints it: `unix`, `target_os="linux"`; none if it was not asked.
    cfg: Option<BTreeSet<String>>,
}

impl Target {
    /// A target by its triple, such as `x86_64-unknown-linux-gnu`.
    pub fn new(triple: impl Into<String>) -> Self {
        let triple = triple.into();
        let known = get_builtin_target_by_triple(&triple);
        Self { triple, known, cfg: None }
    }

    /// A target of which the compiler was asked; `lines` are what `rustc --print cfg` answers.
    pub fn with_cfg<'a>(triple: impl Into<String>, lines: impl Iterator<Item = &'a str>) -> Self {
        Self { cfg: Some(lines.map(str::to_owned).collect()), ..Self::new(triple) }
    }

    /// The triple.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// Whether a dependency for `target` (a triple or `cfg(…)`) is used on this one.
    ///
    /// What cannot be decided (an expression that is not understood and, if the compiler was not asked, a target that is
    /// not known, features and flags of the compiler) counts as used.
    pub fn matches(&self, target: &str) -> bool {
        if !target.trim_start().starts_with("cfg(") {
            return target == self.triple;
        }
        let Ok(expression) = Expression::parse(target) else { return true };
        if let Some(cfg) = &self.cfg {
            return expression.eval(|predicate| word(predicate).is_some_and(|word| cfg.contains(&word)));
        }
        let Some(known) = self.known else { return true };
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

/// How the compiler prints what a predicate asks for; none for what it never sets while dependencies are chosen.
fn word(predicate: &Predicate<'_>) -> Option<String> {
    let pair = |key: &str, value: &dyn std::fmt::Display| Some(format!("{key}=\"{value}\""));
    match predicate {
        Predicate::Test | Predicate::ProcMacro | Predicate::Feature(_) => None,
        Predicate::DebugAssertions => Some("debug_assertions".to_owned()),
        Predicate::Flag(flag) => Some((*flag).to_owned()),
        Predicate::KeyValue { key, val } => pair(key, val),
        Predicate::TargetFeature(feature) => pair("target_feature", feature),
        Predicate::Target(target) => match target {
            TargetPredicate::Abi(abi) => pair("target_abi", abi),
            TargetPredicate::Arch(arch) => pair("target_arch", arch),
            TargetPredicate::Endian(Endian::little) => pair("target_endian", &"little"),
            TargetPredicate::Endian(Endian::big) => pair("target_endian", &"big"),
            TargetPredicate::Env(env) => pair("target_env", env),
            TargetPredicate::Family(family) => pair("target_family", family),
            TargetPredicate::HasAtomic(width) => pair("target_has_atomic", width),
            TargetPredicate::Os(os) => pair("target_os", os),
            TargetPredicate::Panic(panic) => pair("panic", panic),
            TargetPredicate::PointerWidth(width) => pair("target_pointer_width", width),
            TargetPredicate::Vendor(vendor) => pair("target_vendor", vendor),
        },
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

    #[test]
    fn the_compiler_decides_where_it_was_asked() {
        let lines = "debug_assertions\npanic=\"unwind\"\ntarget_abi=\"\"\ntarget_arch=\"x86_64\"\ntarget_endian=\"little\"\n\
                     target_env=\"gnu\"\ntarget_family=\"unix\"\ntarget_feature=\"sse2\"\ntarget_has_atomic=\"8\"\n\
                     target_os=\"linux\"\ntarget_pointer_width=\"64\"\ntarget_vendor=\"unknown\"\nunix\n";
        let linux = Target::with_cfg("x86_64-unknown-linux-gnu", lines.lines());
        for yes in [
            "cfg(unix)",
            "cfg(all(target_arch = \"x86_64\", target_endian = \"little\", target_pointer_width = \"64\"))",
            "cfg(target_feature = \"sse2\")",
            "cfg(target_has_atomic = \"8\")",
            "cfg(all(target_env = \"gnu\", target_vendor = \"unknown\", panic = \"unwind\", debug_assertions))",
            "cfg(not(tokio_unstable))",
            "x86_64-unknown-linux-gnu",
        ] {
            assert!(linux.matches(yes), "{yes}");
        }
        for no in [
            "cfg(windows)",
            "cfg(target_os = \"macos\")",
            "cfg(target_feature = \"neon\")",
            "cfg(tokio_unstable)",
            "cfg(feature = \"std\")",
            "cfg(some_key = \"some value\")",
            "aarch64-apple-darwin",
        ] {
            assert!(!linux.matches(no), "{no}");
        }
    }
}
