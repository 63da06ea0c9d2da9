//! `twostep plan --verify`: from arguments and files to deploys, and from deploys to a proof.

use crate::cli::commands::roundtrip::ScratchArgs;
use crate::cli::context::Context;
use crate::cli::evidence;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::cli::roundtrip::{self, Preparation, Wished};
use crate::cli::since;
use crate::dialect::Dialect;
use crate::engine::version::ServerVersion;
use crate::evidence::model::FILE_NAME;
use crate::proof::deploy::{Deploy, deploys, plain_migration};
use crate::proof::verdict::Proofs;
use crate::proof::{Known, prove, report};
use crate::source::Folder;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of the proof.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Proof")]
pub struct ProofArgs {
    /// Prove on a scratch database that the deploy is right; a migration of a step stands for its deploy as it is
    /// written, and without MIGRATION all deploys of the folder are proved
    #[arg(long)]
    pub verify: bool,

    /// Prove what is new or changed since this revision of git, also migrations without a second step
    #[arg(long, value_name = "REV", requires = "verify", conflicts_with = "migration")]
    since: Option<String>,

    /// The plain migration that hand-written steps stand for
    #[arg(long, value_name = "FILE", requires = "verify")]
    plain: Option<PathBuf>,

    /// Evidence whose queries old code sends (default: twostep.evidence.json, if it is there)
    #[arg(long, value_name = "FILE", requires = "verify")]
    evidence: Option<PathBuf>,

    /// Evidence whose queries new code sends
    #[arg(long, value_name = "FILE", requires = "verify")]
    new_evidence: Option<PathBuf>,

    /// How the proof is written
    #[arg(long, default_value = "text", value_parser = formats())]
    format: String,

    /// Where the scratch databases are
    #[command(flatten)]
    scratch: ScratchArgs,
}

impl ProofArgs {
    /// Whether people read what is printed.
    pub fn is_for_people(&self) -> bool {
        self.format == "text"
    }
}

fn formats() -> clap::builder::PossibleValuesParser {
    report::OUTPUTS.iter().map(|output| output.id).collect::<Vec<_>>().into()
}

/// What the arguments ask for a proof of.
pub fn written(
    args: &ProofArgs,
    context: &Context,
    folder: &Folder,
    typed: Option<usize>,
    dialect: Dialect,
) -> Result<Vec<Deploy>, Report> {
    let all = deploys(folder, args.since.is_some(), dialect);
    let mut chosen: Vec<Deploy> = match (&args.since, typed) {
        (Some(revision), _) => {
            let changed = since::changed_files(&context.folder_path(), revision)?;
            let is_new = |deploy: &Deploy| {
                deploy.parts.iter().any(|part| {
                    changed.contains(&part.up.path)
                        || part.down.as_ref().is_some_and(|down| changed.contains(&down.path))
                })
            };
            all.into_iter().filter(is_new).collect()
        }
        (None, Some(at)) => {
            let version = &folder.migrations[at].version;
            all.into_iter()
                .filter(|deploy| deploy.parts.iter().any(|part| part.version == *version))
                .collect()
        }
        (None, None) => all,
    };
    if let Some(path) = &args.plain {
        let [only] = chosen.as_mut_slice() else {
            return Err(Report::new(Exit::Usage, "--plain is about one deploy: name a migration of it")
                .state("nothing was proved, nothing changed"));
        };
        only.plain = Some(read_plain(path, only, dialect)?);
    }
    Ok(chosen)
}

fn read_plain(path: &Path, deploy: &Deploy, dialect: Dialect) -> Result<crate::source::Migration, Report> {
    let unread = |why: String| {
        Report::new(Exit::Usage, format!("the plain migration {} cannot be read", path.display()))
            .why(why)
            .state("nothing was proved, nothing changed")
    };
    let text = std::fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
    plain_migration(&deploy.parts[0].up, "plain", &text, dialect)
        .ok_or_else(|| unread("it is not one migration in SQL".to_owned()))
}

/// Proves `deploys`, and prints what came of it.
pub async fn run(
    context: &Context,
    args: &ProofArgs,
    folder: &Folder,
    deploys: &[Deploy],
    server: Option<ServerVersion>,
    dialect: Dialect,
) -> Result<Exit, Report> {
    let started = Instant::now();
    if deploys.is_empty() {
        tracing::info!("there is no deploy in two steps to prove");
        return Ok(Exit::Done);
    }
    let wished: Wished = roundtrip::wish(context, &args.scratch, Some(dialect))?;
    let options = Preparation { context, dialect }.scratch(&args.scratch, folder, &wished)?;
    let known = known(args)?;
    let mut signal = context.signal.clone();
    let mut place = wished.open(context, &options.connect).await?;
    let mut proofs = Proofs { place: place.title(), ..Proofs::default() };
    let mut ended = None;
    for (number, deploy) in deploys.iter().enumerate() {
        tracing::info!(progress = true, "{}/{}: {}", number + 1, deploys.len(), deploy.label);
        let proved = tokio::select! {
            biased;
            () = signal.raised() => Err(explain::interrupted()),
            proved = prove(&mut place, deploy, &known, folder.format, server, &options) => {
                proved.map_err(|error| roundtrip::broken(&error))
            }
        };
        match proved {
            Ok((version, proof)) => {
                proofs.server = version;
                proofs.proofs.push(proof);
            }
            Err(error) => {
                ended = Some(error);
                break;
            }
        }
    }
    place.close().await;
    if let Some(error) = ended {
        return Err(error);
    }
    proofs.duration = started.elapsed();
    let output = report::by_id(&args.format).expect("the argument's values are those of the list");
    context.printer.result((output.write)(&proofs).trim_end());
    Ok(if proofs.failures() > 0 { Exit::Findings } else { Exit::Done })
}

/// The queries of the evidence.
fn known(args: &ProofArgs) -> Result<Known, Report> {
    let usual = Path::new(FILE_NAME);
    let old = args.evidence.as_deref().or_else(|| usual.exists().then_some(usual));
    let queries = |path: Option<&Path>| -> Result<Vec<String>, Report> {
        let Some(path) = path else { return Ok(Vec::new()) };
        Ok(evidence::read(path)?.queries.into_iter().map(|query| query.sql).collect())
    };
    Ok(Known { old: queries(old)?, new: queries(args.new_evidence.as_deref())? })
}
