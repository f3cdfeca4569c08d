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
