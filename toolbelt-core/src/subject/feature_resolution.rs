//! What one package is built of, for the features and targets that are chosen.
//!
//! Follows the rules of cargo's [feature resolver](https://doc.rust-lang.org/cargo/reference/features.html#feature-resolver-version-2)
//! and its first version. They only ever add, so the order in which they are applied does not matter: what is to be done
//! waits in a queue, and chains that strangers wrote cannot exhaust the stack.

use std::collections::{BTreeMap, BTreeSet};

use super::package::DependencyKind;
use super::package_graph::{GraphDependency, GraphPackage, PackageGraph, Unification};
use super::target::Target;

/// What is chosen when a package is built.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Features of the package.
    pub features: Features,
    /// What it is built for.
    pub targets: Targets,
    /// Whether its tests, examples and benchmarks are built too.
    pub tests: Tests,
}

/// Features of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Features {
    /// Those that `default` names, and these.
    Default(Vec<String>),
    /// These alone.
    Only(Vec<String>),
    /// Every feature.
    All,
}

/// Whether dev-dependencies of the package are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    /// They are not.
    LeftOut,
    /// They are.
    Included,
}

/// What a package is built for.
#[derive(Debug, Clone)]
pub enum Targets {
    /// Any target, on any host: what is needed for one of them counts.
    All,
    /// Some targets.
    Some {
        /// What is built for these.
        targets: Vec<Target>,
        /// Where build scripts and procedural macros run.
        host: Target,
    },
}

/// What one package is built of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The package itself and all that it needs, by their indices in the graph.
    pub packages: BTreeMap<usize, Use>,
    /// Who needs whom and for what, with the targets that this is true for.
    pub edges: BTreeMap<(usize, usize, DependencyKind), Reach>,
}

/// How a package is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The strongest way: normal for what becomes part of the result, build for what only runs while it is built
    /// (procedural macros too), dev for what only tests need.
    pub kind: DependencyKind,
    /// The features that are on where it becomes part of the result, or where it runs if it never does.
    pub features: BTreeSet<String>,
    /// The features that are on where it runs at build time, if it is built twice and they differ.
    pub features_at_build_time: Option<BTreeSet<String>>,
}

/// For which targets one package needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// For those that a condition names.
    Conditional,
    /// For every one.
    Always,
}

/// A feature that the package does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{package}` has no feature `{feature}`")]
pub struct NoSuchFeature {
    /// The package.
    pub package: String,
    /// What was asked for.
    pub feature: String,
}

/// Resolves what a package of the graph, given by its index, is built of.
///
/// # Errors
///
/// [`NoSuchFeature`] if a feature is chosen that the package does not have.
pub fn resolve(graph: &PackageGraph, root: usize, choice: &Choice) -> Result<Resolution, NoSuchFeature> {
    let package = &graph.packages[root];
    let features = chosen_features(package, &choice.features)?;
    let mut activation = Activation { graph, choice, root, states: BTreeMap::new(), queue: Vec::new() };
    // A procedural macro runs on the host even when it is what is built.
    let side = if package.builds.proc_macro { Side::Host } else { Side::Target };
    let node = Node { package: root, side };
    activation.queue.push(Work::Visit(node));
    activation.queue.extend(features.into_iter().map(|feature| Work::Enable(node, feature)));
    activation.run();
    Ok(Walk { activation: &activation, uses: BTreeMap::new(), edges: BTreeMap::new() }.from(node))
}

fn chosen_features<'a>(package: &'a GraphPackage, chosen: &'a Features) -> Result<Vec<&'a str>, NoSuchFeature> {
    let (named, with_default) = match chosen {
        Features::All => return Ok(package.features.keys().map(String::as_str).collect()),
        Features::Default(named) => (named, package.features.contains_key(DEFAULT)),
        Features::Only(named) => (named, false),
    };
    let is_known = |name: &str| match FeatureValue::parse(name) {
        FeatureValue::Feature(name) => package.features.contains_key(name),
        FeatureValue::Dependency(_) => false,
        FeatureValue::OfDependency { key, .. } => package.dependencies.iter().any(|dependency| dependency.key == key),
    };
    if let Some(unknown) = named.iter().find(|name| !is_known(name)) {
        return Err(NoSuchFeature { package: package.name.clone(), feature: unknown.clone() });
    }
    Ok(with_default.then_some(DEFAULT).into_iter().chain(named.iter().map(String::as_str)).collect())
}

/// The feature that is on unless somebody says otherwise.
const DEFAULT: &str = "default";

/// What a package is built for: the chosen targets, or the host, where build scripts and procedural macros run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Target,
    Host,
}

/// A package as it is built once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    package: usize,
    side: Side,
}

/// One word of a feature's list.
enum FeatureValue<'a> {
    /// `name`
    Feature(&'a str),
    /// `dep:key`
    Dependency(&'a str),
    /// `key/feature`, or `key?/feature` if that alone does not turn the dependency on.
    OfDependency { key: &'a str, feature: &'a str, is_weak: bool },
}

impl<'a> FeatureValue<'a> {
    fn parse(text: &'a str) -> Self {
        if let Some((key, feature)) = text.split_once('/') {
            return match key.strip_suffix('?') {
                Some(key) => Self::OfDependency { key, feature, is_weak: true },
                None => Self::OfDependency { key, feature, is_weak: false },
            };
        }
        text.strip_prefix("dep:").map_or(Self::Feature(text), Self::Dependency)
    }
}

/// What is on in one package as it is built once.
#[derive(Debug, Default)]
struct State<'a> {
    is_visited: bool,
    features: BTreeSet<&'a str>,
    /// Keys of optional dependencies that are turned on.
    dependencies: BTreeSet<&'a str>,
    /// Features of optional dependencies that wait for these to be turned on: key, feature.
    waiting: BTreeSet<(&'a str, &'a str)>,
}

enum Work<'a> {
    /// Turn on what the package needs in any case.
    Visit(Node),
    /// Turn on one word of a feature's list, or of a dependency's `features`.
    Enable(Node, &'a str),
}

/// Which features and optional dependencies are on.
struct Activation<'a> {
    graph: &'a PackageGraph,
    choice: &'a Choice,
    root: usize,
    states: BTreeMap<Node, State<'a>>,
    queue: Vec<Work<'a>>,
}

impl<'a> Activation<'a> {
    fn run(&mut self) {
        while let Some(work) = self.queue.pop() {
            match work {
                Work::Visit(node) => self.visit(node),
                Work::Enable(node, text) => match FeatureValue::parse(text) {
                    FeatureValue::Feature(name) => self.turn_on(node, name),
                    FeatureValue::Dependency(key) => self.turn_on_dependency(node, key),
                    FeatureValue::OfDependency { key, feature, is_weak } => {
                        self.turn_on_of_dependency(node, key, feature, is_weak);
                    }
                },
            }
        }
    }

    fn visit(&mut self, node: Node) {
        let state = self.state(node);
        if state.is_visited {
            return;
        }
        state.is_visited = true;
        for dependency in self.dependencies(node).filter(|dependency| !dependency.optional) {
            self.need(node, dependency);
        }
    }

    fn turn_on(&mut self, node: Node, feature: &'a str) {
        if self.state(node).features.insert(feature) {
            let values = self.graph.packages[node.package].features.get(feature).into_iter().flatten();
            self.queue.extend(values.map(|value| Work::Enable(node, value)));
        }
    }

    fn turn_on_dependency(&mut self, node: Node, key: &'a str) {
        let state = self.state(node);
        if !state.dependencies.insert(key) {
            return;
        }
        let waiting = state.waiting.clone();
        for dependency in self.dependencies(node).filter(|dependency| dependency.key == key) {
            self.need(node, dependency);
            let to = self.node_of(node, dependency);
            let waiting = waiting.iter().filter(|(waits_for, _)| *waits_for == key);
            self.queue.extend(waiting.map(|(_, feature)| Work::Enable(to, feature)));
        }
    }

    fn turn_on_of_dependency(&mut self, node: Node, key: &'a str, feature: &'a str, is_weak: bool) {
        for dependency in self.dependencies(node).filter(|dependency| dependency.key == key) {
            if dependency.optional {
                let state = self.state(node);
                if is_weak && !state.dependencies.contains(key) {
                    state.waiting.insert((key, feature));
                    continue;
                }
                self.turn_on_dependency(node, key);
                // As it was before `dep:` and `?` came to be: the feature of the same name goes on as well.
                if !is_weak && self.graph.packages[node.package].features.contains_key(key) {
                    self.turn_on(node, key);
                }
            }
            self.queue.push(Work::Enable(self.node_of(node, dependency), feature));
        }
    }

    /// Turns a dependency's package on, with the features that are asked for.
    fn need(&mut self, node: Node, dependency: &'a GraphDependency) {
        let to = self.node_of(node, dependency);
        self.queue.push(Work::Visit(to));
        let has_default = self.graph.packages[to.package].features.contains_key(DEFAULT);
        let default = (dependency.default_features && has_default).then_some(DEFAULT);
        let features = dependency.features.iter().map(String::as_str).chain(default);
        self.queue.extend(features.map(|feature| Work::Enable(to, feature)));
    }

    /// The dependencies that count when features are unified.
    fn dependencies(&self, node: Node) -> impl Iterator<Item = &'a GraphDependency> + use<'a> {
        let (choice, is_root, unification) = (self.choice, node.package == self.root, self.graph.unification);
        self.graph.packages[node.package].dependencies.iter().filter(move |dependency| match unification {
            // Its tests count too, whether they are built or not.
            Unification::Everywhere => dependency.kind != DependencyKind::Dev || is_root,
            Unification::ByUse => choice.targets.apply(dependency, node.side) && choice.follows(dependency, is_root),
        })
    }

    /// A dependency's package as this node needs it.
    fn node_of(&self, node: Node, dependency: &GraphDependency) -> Node {
        Node { package: dependency.package, side: self.side_of(node, dependency) }
    }

    fn side_of(&self, node: Node, dependency: &GraphDependency) -> Side {
        let is_proc_macro = self.graph.packages[dependency.package].builds.proc_macro;
        if is_proc_macro || dependency.kind == DependencyKind::Build { Side::Host } else { node.side }
    }

    /// Where the features of a node are kept.
    fn key(&self, node: Node) -> Node {
        match self.graph.unification {
            Unification::Everywhere => Node { side: Side::Target, ..node },
            Unification::ByUse => node,
        }
    }

    fn state(&mut self, node: Node) -> &mut State<'a> {
        self.states.entry(self.key(node)).or_default()
    }

    fn known(&self, node: Node) -> Option<&State<'a>> {
        self.states.get(&self.key(node))
    }
}

impl Choice {
    /// Whether a dependency of this kind counts: for tests it is those of the package itself alone.
    fn follows(&self, dependency: &GraphDependency, is_root: bool) -> bool {
        dependency.kind != DependencyKind::Dev || (is_root && self.tests == Tests::Included)
    }
}

impl Targets {
    /// Whether a dependency is needed by a package that is built for this side.
    fn apply(&self, dependency: &GraphDependency, side: Side) -> bool {
        match (self, &dependency.target) {
            (_, None) | (Self::All, Some(_)) => true,
            (Self::Some { targets, host }, Some(condition)) => match (side, dependency.kind) {
                (Side::Host, _) | (_, DependencyKind::Build) => host.matches(condition),
                (Side::Target, DependencyKind::Normal | DependencyKind::Dev) => {
                    targets.iter().any(|target| target.matches(condition))
                }
            },
        }
    }
}

/// Follows what is on from the package itself.
struct Walk<'a> {
    activation: &'a Activation<'a>,
    /// Each package with its kinds of use on each side.
    uses: BTreeMap<usize, BTreeSet<(DependencyKind, Side)>>,
    edges: BTreeMap<(usize, usize, DependencyKind), Reach>,
}

impl Walk<'_> {
    fn from(mut self, root: Node) -> Resolution {
        let mut queue = vec![(root, DependencyKind::Normal)];
        while let Some((node, kind)) = queue.pop() {
            if self.uses.entry(node.package).or_default().insert((kind, node.side)) {
                self.follow(node, kind, &mut queue);
            }
        }
        let packages = self.uses.iter().map(|(package, uses)| (*package, self.how(*package, uses))).collect();
        Resolution { packages, edges: self.edges }
    }

    fn follow(&mut self, node: Node, kind: DependencyKind, queue: &mut Vec<(Node, DependencyKind)>) {
        let Activation { graph, choice, root, .. } = *self.activation;
        for dependency in &graph.packages[node.package].dependencies {
            let is_on = !dependency.optional
                || self.activation.known(node).is_some_and(|state| state.dependencies.contains(&*dependency.key));
            let counts =
                choice.follows(dependency, node.package == root) && choice.targets.apply(dependency, node.side);
            if !is_on || !counts {
                continue;
            }
            // A procedural macro runs in the compiler; nothing of it becomes part of the result.
            let is_proc_macro = graph.packages[dependency.package].builds.proc_macro;
            let edge = if is_proc_macro { dependency.kind.max(DependencyKind::Build) } else { dependency.kind };
            let reach = if dependency.target.is_some() { Reach::Conditional } else { Reach::Always };
            let known = self.edges.entry((node.package, dependency.package, edge)).or_insert(reach);
            *known = reach.max(*known);
            queue.push((self.activation.node_of(node, dependency), kind.max(edge)));
        }
    }

    fn how(&self, package: usize, uses: &BTreeSet<(DependencyKind, Side)>) -> Use {
        let (kind, side) = uses.first().copied().unwrap_or((DependencyKind::Normal, Side::Target));
        let features = |side| {
            let state = self.activation.known(Node { package, side });
            state.into_iter().flat_map(|state| &state.features).map(|feature| (*feature).to_owned()).collect()
        };
        let chosen: BTreeSet<String> = features(side);
        let is_built_twice = side == Side::Target && uses.iter().any(|(_, side)| *side == Side::Host);
        let at_build_time = is_built_twice.then(|| features(Side::Host)).filter(|features| *features != chosen);
        Use { kind, features: chosen, features_at_build_time: at_build_time }
    }
}

impl Resolution {
    /// The packages that are needed whatever the target is.
    pub fn needed_everywhere(&self, root: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([root]);
        let mut queue = vec![root];
        while let Some(from) = queue.pop() {
            let edges = self.edges.range((from, 0, DependencyKind::Normal)..(from + 1, 0, DependencyKind::Normal));
            let always = edges.filter(|(_, reach)| **reach == Reach::Always);
            let new: Vec<usize> = always.map(|((_, to, _), _)| *to).filter(|to| found.insert(*to)).collect();
            queue.extend(new);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;
    use crate::subject::package::Source;
    use crate::subject::package_graph::{About, Builds};

    /// A package of this name whose features are `name: value value`.
    fn package(name: &str, features: &[(&str, &[&str])], dependencies: Vec<GraphDependency>) -> GraphPackage {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        GraphPackage {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            source: Source::crates_io(),
            checksum: None,
            about: About::default(),
            builds: Builds { library: true, ..Builds::default() },
            links: None,
            features: features.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect(),
            dependencies,
        }
    }

    fn needs(key: &str, package: usize) -> GraphDependency {
        GraphDependency {
            key: key.to_owned(),
            package,
            kind: DependencyKind::Normal,
            target: None,
            optional: false,
            default_features: true,
            features: Vec::new(),
        }
    }

    fn graph(packages: Vec<GraphPackage>) -> PackageGraph {
        PackageGraph { packages, unification: Unification::ByUse }
    }

    fn choice(features: &[&str]) -> Choice {
        let features = Features::Default(features.iter().map(|name| (*name).to_owned()).collect());
        Choice { features, targets: Targets::All, tests: Tests::LeftOut }
    }

    fn features(resolution: &Resolution, package: usize) -> Vec<&str> {
        resolution.packages[&package].features.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_weak_feature_waits_for_its_dependency_in_either_order() {
        let optional = GraphDependency { optional: true, ..needs("b", 1) };
        for first in ["on", "weak"] {
            let root = package("a", &[("on", &["dep:b"]), ("weak", &["b?/fast"])], vec![optional.clone()]);
            let graph = graph(vec![root, package("b", &[("fast", &[])], Vec::new())]);
            let other = if first == "on" { "weak" } else { "on" };
            let both = resolve(&graph, 0, &choice(&[first, other])).unwrap();
            assert_eq!(features(&both, 1), ["fast"]);
            let alone = resolve(&graph, 0, &choice(&["weak"])).unwrap();
            assert!(!alone.packages.contains_key(&1), "it turns nothing on by itself");
        }
    }

    #[test]
    fn a_feature_of_a_dependency_turns_it_on_and_the_feature_of_its_name() {
        let optional = GraphDependency { optional: true, ..needs("b", 1) };
        let root = package("a", &[("b", &["dep:b"]), ("x", &["b/fast"])], vec![optional]);
        let graph = graph(vec![root, package("b", &[("fast", &[])], Vec::new())]);
        let resolution = resolve(&graph, 0, &choice(&["x"])).unwrap();
        assert_eq!((features(&resolution, 0), features(&resolution, 1)), (vec!["b", "x"], vec!["fast"]));
    }

    #[test]
    fn what_runs_at_build_time_has_features_of_its_own() {
        let build = GraphDependency { kind: DependencyKind::Build, features: vec!["slow".to_owned()], ..needs("b", 1) };
        let packages = vec![package("a", &[], vec![needs("b", 1), build]), package("b", &[("slow", &[])], Vec::new())];
        let used = |unification| {
            let graph = PackageGraph { packages: packages.clone(), unification };
            resolve(&graph, 0, &choice(&[])).unwrap().packages.remove(&1).unwrap()
        };
        let slow = BTreeSet::from(["slow".to_owned()]);
        let by_use = used(Unification::ByUse);
        assert_eq!((by_use.kind, by_use.features.is_empty()), (DependencyKind::Normal, true));
        assert_eq!(by_use.features_at_build_time, Some(slow.clone()));
        let everywhere = used(Unification::Everywhere);
        assert_eq!((everywhere.features, everywhere.features_at_build_time), (slow, None));
    }

    #[test]
    fn chains_and_circles_of_strangers_end() {
        let names: Vec<String> = (0..200_000).map(|number| format!("f{number}")).collect();
        let next = |number: usize| names[(number + 1) % names.len()].as_str();
        let lists: Vec<[&str; 1]> = (0..names.len()).map(|number| [next(number)]).collect();
        let chain: Vec<(&str, &[&str])> =
            names.iter().map(String::as_str).zip(lists.iter().map(|list| &list[..])).collect();
        let graph = graph(vec![package("a", &chain, vec![needs("a", 0)])]);
        let resolution = resolve(&graph, 0, &choice(&["f0"])).unwrap();
        assert_eq!(resolution.packages[&0].features.len(), names.len());
    }

    #[test]
    fn unknown_features_are_named() {
        let graph = graph(vec![package("a", &[], vec![needs("b", 1)]), package("b", &[], Vec::new())]);
        for unknown in ["nope", "dep:b", "c/fast"] {
            let error = resolve(&graph, 0, &choice(&[unknown])).unwrap_err();
            assert_eq!(error.to_string(), format!("`a` has no feature `{unknown}`"));
        }
        assert!(resolve(&graph, 0, &choice(&["b/anything"])).is_ok());
    }

    #[test]
    fn what_only_a_condition_leads_to_is_not_needed_everywhere() {
        let on_windows = GraphDependency { target: Some("cfg(windows)".to_owned()), ..needs("b", 1) };
        let packages = vec![
            package("a", &[], vec![on_windows, needs("c", 2)]),
            package("b", &[], vec![needs("c", 2), needs("d", 3)]),
            package("c", &[], Vec::new()),
            package("d", &[], Vec::new()),
        ];
        let resolution = resolve(&graph(packages), 0, &choice(&[])).unwrap();
        assert_eq!(resolution.packages.len(), 4);
        assert_eq!(resolution.needed_everywhere(0), BTreeSet::from([0, 2]));
    }
}
