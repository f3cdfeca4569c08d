use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use toolbelt_core::ops::Environment;
use toolbelt_core::ops::sbom::{self, Request};
use toolbelt_core::output::{cyclonedx, spdx};
use toolbelt_core::subject::feature_resolution::{Features, Tests};

use super::environment;

/// List what a package is made of: a software bill of materials, CycloneDX or SPDX
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub(crate) struct SbomArgs {
    /// The package, if the workspace has several
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// Look at the workspace of this Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
    /// Features of the package besides the default ones, separated by commas
    #[arg(long, short = 'F', value_name = "FEATURES", value_delimiter = ',', conflicts_with = "all_features")]
    features: Vec<String>,
    /// All features of the package
    #[arg(long, conflicts_with = "no_default_features")]
    all_features: bool,
    /// None of the default features of the package
    #[arg(long)]
    no_default_features: bool,
    /// What the package is built for: target triples, or all of them [default: all]
    #[arg(long, value_name = "TRIPLE")]
    target: Vec<String>,
    /// List what tests, examples and benchmarks need as well
    #[arg(long)]
    dev: bool,
    /// The format of the document
    #[arg(long, value_enum, default_value_t)]
    sbom_format: SbomFormat,
    /// Write the document to this file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Never touch the network
    #[arg(long)]
    offline: bool,
}

/// Formats of bills of materials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum SbomFormat {
    /// CycloneDX 1.7, JSON
    #[default]
    Cyclonedx,
    /// SPDX 3.0.1, JSON-LD
    Spdx,
}

/// What stands for every target.
const ALL_TARGETS: &str = "all";

pub(crate) fn run(args: SbomArgs, ui: &Ui) -> anyhow::Result<u8> {
    let (format, output) = (args.sbom_format, args.output.clone());
    let bill = sbom::run(&request(args)?).map_err(hinted)?;
    let write = match format {
        SbomFormat::Cyclonedx => cyclonedx::write,
        SbomFormat::Spdx => spdx::write,
    };
    match output {
        None => ui.write(|out| write(&bill, out))?,
        Some(path) => {
            let mut bytes = Vec::new();
            write(&bill, &mut bytes)?;
            std::fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
    }
    Ok(0)
}

fn request(args: SbomArgs) -> anyhow::Result<Request> {
    let environment = environment()?;
    let all = args.target.iter().any(|target| target == ALL_TARGETS);
    if all && args.target.len() > 1 {
        bail!("`--target {ALL_TARGETS}` and other targets exclude each other");
    }
    Ok(Request {
        time: time(&environment)?,
        manifest_path: args.manifest_path,
        package: args.package,
        features: match (args.all_features, args.no_default_features) {
            (true, _) => Features::All,
            (false, true) => Features::Only(args.features),
            (false, false) => Features::Default(args.features),
        },
        targets: if all { Vec::new() } else { args.target },
        tests: if args.dev { Tests::Included } else { Tests::LeftOut },
        offline: args.offline,
        environment,
    })
}

/// The time that reproducible builds agree on: that of the run is never the same twice.
fn time(environment: &Environment) -> anyhow::Result<Option<Timestamp>> {
    let Some(said) = environment.variables.get("SOURCE_DATE_EPOCH").filter(|said| !said.is_empty()) else {
        return Ok(None);
    };
    let time = said.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).with_context(|| format!("SOURCE_DATE_EPOCH is `{said}`, expected seconds since 1970"))
}

/// Adds what the reader can do, where that is known.
fn hinted(error: sbom::Error) -> anyhow::Error {
    match error.hint() {
        Some(hint) => {
            let hint = hint.to_owned();
            let message = format!("{:#}", anyhow::Error::from(error));
            Hinted { message, hint }.into()
        }
        None => error.into(),
    }
}
