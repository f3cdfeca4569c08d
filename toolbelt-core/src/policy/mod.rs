//! Policy: what a finding amounts to here.
//!
//! `toolbelt.toml` becomes a [`Policy`]; [`decide`] applies it to what the rules said. Both are pure: the text comes from
//! the source, the time from the request.

pub mod allow_list;
pub mod baseline;
mod exemption;
mod foreign;
mod parse;
pub mod protect;
mod table;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use allow_list::AllowLists;
use baseline::Baseline;
use protect::Protect;

use crate::finding::{Fact, Level};
use crate::rules::options::Options;
use crate::rules::package::{disallowed_license, missing_license};
use crate::rules::{self, Need, Rule};
use crate::subject::exemption::Exemption;
use crate::subject::package::{DependencyKind, Reach, Usage};
pub(crate) use exemption::VALUE;
pub use foreign::{Foreign, NotCarriedOver};
pub use verdict::{Decision, decide};

/// The name of the policy file, at the root of the repository.
pub const FILE: &str = "toolbelt.toml";

/// The policy that `cargo toolbelt policy init` writes.
pub const TEMPLATE: &str = include_str!("template.toml");

/// What a repository wants of its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    settings: BTreeMap<&'static str, Setting>,
    not_checked: BTreeMap<&'static str, OnNotChecked>,
    not_checked_default: OnNotChecked,
    /// Findings that are accepted, in the order of the file.
    pub exemptions: Vec<Exemption>,
    /// Where data comes from, and how old it may be.
    pub data: Data,
    /// What `deps` does not look at: globs over paths of lock files.
    pub deps_exclude: Vec<String>,
    /// What `scan` does not look at, and what it makes of changes that excuse themselves.
    pub scan: Scan,
    /// How releases are made.
    pub publish: Publish,
    /// What is checked in which hook.
    pub protect: Protect,
    /// What other secret scanners are told to accept.
    pub allow_lists: AllowLists,
    /// Findings that were there when the repository began to be scanned.
    pub baseline: Baseline,
}

/// What the policy says of `scan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Paths that are not looked at: globs.
    pub exclude: Vec<String>,
    /// What becomes of findings that only the change under judgement accepts: at deny they fail the run.
    pub self_exempted: Level,
}

impl Default for Scan {
    fn default() -> Self {
        Self { exclude: Vec::new(), self_exempted: Level::Warn }
    }
}

/// How releases are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publish {
    /// How the tag of a version is called, with `{version}` and, where a tag is to tell packages apart, `{name}`; none
    /// for `v{version}`, and `{name}-v{version}` where a workspace has several packages to publish.
    pub tag: Option<String>,
}

/// What the policy says of one rule.
#[derive(Debug, Clone, Default, PartialEq)]
struct Setting {
    level: Option<Level>,
    weaker: Option<Level>,
    uses: Option<Vec<DependencyKind>>,
    targets: Targets,
    options: Options,
}

impl Setting {
    fn depends_on_usage(&self) -> bool {
        self.uses.is_some() || self.targets == Targets::Host
    }
}

/// For which targets a rule over packages looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Targets {
    #[default]
    All,
    Host,
}

/// What becomes of a run when a rule at level deny could not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNotChecked {
    /// The run is incomplete.
    Incomplete,
    /// It is shown, and nothing else.
    Warn,
    /// The run fails.
    Deny,
}

/// Where data comes from, and how old it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Older than this is stale.
    pub max_age: Duration,
    /// Where `data update` takes the RustSec database from: a `.tar.gz` of it.
    pub advisory_db: Option<String>,
    /// Where it takes OSV's export from: a `.zip` of JSON files.
    pub osv: Option<String>,
    /// Where it takes a fuller list of names from; none keeps the one built in.
    pub names: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            settings: BTreeMap::new(),
            not_checked: BTreeMap::new(),
            not_checked_default: OnNotChecked::Incomplete,
            exemptions: Vec::new(),
            data: Data::default(),
            deps_exclude: Vec::new(),
            scan: Scan::default(),
            publish: Publish::default(),
            protect: Protect::default(),
            allow_lists: AllowLists::default(),
            baseline: Baseline::default(),
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self { max_age: Duration::from_hours(3 * 24), advisory_db: None, osv: None, names: None }
    }
}

impl Policy {
    /// The level of a rule: the policy's, else warn where the policy configures a rule that is off without it, else the
    /// rule's own.
    pub fn level(&self, rule: &Rule) -> Level {
        match self.settings.get(rule.id) {
            Some(Setting { level: Some(level), .. }) => *level,
            Some(setting) if rule.default == Level::Allow && !setting.options.is_empty() => Level::Warn,
            // Where licences are judged, a package without any must not be the one that passes unseen.
            _ if rule.id == missing_license::RULE.id && self.is_active(&disallowed_license::RULE) => Level::Warn,
            _ => rule.default,
        }
    }

    /// The level of a rule's weaker form; that of the rule for rules that have none.
    pub fn weaker_level(&self, rule: &Rule) -> Level {
        let set = self.settings.get(rule.id).and_then(|setting| setting.weaker);
        set.or(rule.weaker).unwrap_or_else(|| self.level(rule)).min(self.level(rule))
    }

    /// Whether a rule runs at all.
    pub fn is_active(&self, rule: &Rule) -> bool {
        self.level(rule) > Level::Allow
    }

    /// Whether the policy itself says something of a rule.
    pub fn speaks_of(&self, rule: &Rule) -> bool {
        self.settings.contains_key(rule.id)
    }

    /// Sets a rule to deny, whatever the policy says, also where it could not look: for who asks for more on the command
    /// line.
    pub fn require(&mut self, rule: &'static Rule) {
        self.settings.entry(rule.id).or_default().level = Some(Level::Deny);
        let on_not_checked = match self.on_not_checked(rule) {
            OnNotChecked::Deny => OnNotChecked::Deny,
            OnNotChecked::Incomplete | OnNotChecked::Warn => OnNotChecked::Incomplete,
        };
        self.not_checked.insert(rule.id, on_not_checked);
    }

    /// What the policy sets for a rule besides its level.
    pub fn options(&self, rule: &Rule) -> Options {
        self.settings.get(rule.id).map(|setting| setting.options.clone()).unwrap_or_default()
    }

    /// Whether a rule looks at a package that is used like this. Where the usage is unknown, it does.
    pub fn looks_at(&self, rule: &Rule, usage: &Fact<Usage>) -> bool {
        let (Some(setting), Fact::Known(usage)) = (self.settings.get(rule.id), usage) else { return true };
        usage.is_empty()
            || usage.iter().any(|(kind, reach)| {
                setting.uses.as_ref().is_none_or(|uses| uses.contains(&kind))
                    && (setting.targets == Targets::All || reach == Reach::Host)
            })
    }

    /// What becomes of the run when this rule could not look.
    pub fn on_not_checked(&self, rule: &Rule) -> OnNotChecked {
        self.not_checked.get(rule.id).copied().unwrap_or(self.not_checked_default)
    }

    /// Whether `deps` leaves out the lock file of this path.
    pub fn excludes_from_deps(&self, path: &str) -> bool {
        self.deps_exclude.iter().any(|glob| exemption::is_match(glob, path))
    }

    /// Whether `scan` leaves out this path.
    pub fn excludes_from_scan(&self, path: &str) -> bool {
        self.scan.exclude.iter().any(|glob| exemption::is_match(glob, path))
    }

    /// Adds the exemptions that a change brings and this policy, that of its base, does not have: they accept findings
    /// as the change's own.
    pub fn propose(&mut self, change: &Self) {
        let is_known = |new: &Exemption| {
            let same =
                |known: &Exemption| (known.rule, &known.covers, known.until) == (new.rule, &new.covers, new.until);
            self.exemptions.iter().any(same)
        };
        let proposed = change.exemptions.iter().filter(|new| !is_known(new)).cloned();
        let proposed = proposed.map(|new| Exemption { by_the_change_itself: true, ..new }).collect::<Vec<_>>();
        self.exemptions.extend(proposed);
        self.allow_lists.propose(&change.allow_lists);
        self.baseline.propose(&change.baseline);
    }

    /// Every active rule's needs for facts.
    pub fn needs(&self) -> BTreeSet<Need> {
        let active = || rules::all().filter(|rule| self.is_active(rule));
        let by_usage = |rule: &Rule| self.settings.get(rule.id).is_some_and(Setting::depends_on_usage);
        // How packages are used is worked out from index entries.
        let usage = active().any(by_usage).then_some(Need::Index);
        active().flat_map(|rule| rule.needs.iter().copied()).chain(usage).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_licences_turns_on_both_rules_about_licences() {
        let level = |policy: &str| {
            let policy = Policy::parse("toolbelt.toml", &format!("version = 1\n{policy}")).unwrap();
            (policy.level(&disallowed_license::RULE), policy.level(&missing_license::RULE))
        };
        assert_eq!(level(""), (Level::Allow, Level::Allow));
        assert_eq!(level("rules.disallowed-license.allow = ['MIT']"), (Level::Warn, Level::Warn));
        let own = "rules.missing-license = 'allow'\nrules.disallowed-license = { level = 'deny', allow = ['MIT'] }";
        assert_eq!(level(own), (Level::Deny, Level::Allow));
    }
}
