//! What is said of databases that another tool has migrated.

use super::{MOST, and_more, journal};
use crate::cli::exit::Exit;
use crate::cli::printer::{Report, visible};
use crate::db::url::DatabaseUrl;
use crate::run::adopt::files::SeenByError;
use crate::run::adopt::mirror::MirrorError;
use crate::run::adopt::plan::PlanError;
use crate::run::adopt::record::AdoptError;
use crate::run::journal::Journal;
use std::path::Path;

/// A database that another tool has migrated.
pub(super) fn other_history(tool: &str, table: &str, count: usize) -> Report {
    let s = if count == 1 { "" } else { "s" };
    Report::new(Exit::Usage, format!("this database has the history of {tool}, and none of twostep"))
        .why(format!(
            "`{table}` names {count} migration{s}; without taking them over, everything would be run again"
        ))
        .help("`twostep adopt --dry-run` shows what would be taken over, `twostep adopt` does it")
        .help("if that history is of another project: `twostep adopt --baseline none`")
}

/// The old tool's table cannot be kept in step.
pub(super) fn mirror(error: &MirrorError) -> Report {
    let report = Report::new(Exit::Usage, visible(&error.to_string()));
    let without = "or go on without it: `mirror_history = \"no\"` in twostep.toml";
    match error {
        MirrorError::Database(_) | MirrorError::NothingAdopted => report
            .why("`mirror_history` asks for it")
            .help("`twostep adopt` takes over what another tool has applied")
            .help(without),
        MirrorError::Gone { .. } => {
            report.why("what was adopted is to be kept in step with it").help("put it back").help(without)
        }
        MirrorError::WentOn { .. } => report
            .why("they were applied by that tool since it was adopted, and must not be run again")
            .help("`twostep adopt` takes them over too"),
        MirrorError::TakenBack { versions, .. } => taken_back(report, versions),
        MirrorError::NotPossible { why, .. } => {
            report.why(visible(why)).help("settle it with that tool").help(without)
        }
    }
}

/// A database that is not taken over.
pub fn adopt(url: &DatabaseUrl, used: &Journal, folder: &Path, error: &AdoptError) -> Report {
    let new = |exit| Report::new(exit, visible(&url.redact(&error.to_string())));
    let report = match error {
        AdoptError::Journal(error) => return journal(url, used, error),
        AdoptError::Locked => new(Exit::LockTimeout)
            .why("while it runs, what holds is still to be seen")
            .help("wait for it to end; `twostep unlock` shows whose it is"),
        AdoptError::NotEmpty(_) => new(Exit::Usage)
            .why("a history is taken over into an empty one, or once more from the tool that it came from")
            .help("`twostep status` shows what it holds"),
        AdoptError::NoHistory => new(Exit::Usage)
            .why("tables are told by their columns; one with a name of its own has to be named")
            .help("name it: `twostep adopt --from TOOL --table NAME`")
            .help(
                "without any, say which of your files the database has: `twostep adopt --baseline VERSION`",
            ),
        AdoptError::Several(_) => new(Exit::Usage)
            .why("only one of them can be that of these files")
            .help("say which: `--from TOOL`, and `--table NAME` where that is not enough"),
        AdoptError::Plan(error) => plan(new(Exit::Usage), folder, error),
        AdoptError::Files(SeenByError::Files(_)) => new(Exit::Usage)
            .why("the tool's checksums are compared with the files")
            .help("leave the folder alone while it is read, and run the same command again"),
        AdoptError::Files(SeenByError::Otherwise { read, format, .. }) => new(Exit::Usage)
            .why("the form of their names fits both, and what they mean differs")
            .help(format!("put `source_format = \"{format}\"` into twostep.toml, for every command"))
            .help(format!("or, if they are to be read as they are now, `source_format = \"{read}\"`")),
        AdoptError::ReadOnly(_) => {
            new(Exit::NoAccess).help("connect to the primary, with a role that may write")
        }
        AdoptError::NoMirror { why, .. } => {
            new(Exit::Usage).why(*why).help("adopt without `--mirror-history`")
        }
    };
    report.state("nothing changed")
}

fn plan(report: Report, folder: &Path, error: &PlanError) -> Report {
    match error {
        PlanError::Unsettled { troubles, .. } => {
            let report = troubles.iter().take(MOST).fold(report, |report, trouble| {
                report.why(visible(&trouble.what)).help(visible(&trouble.help))
            });
            and_more(report, troubles.len()).help("then run `twostep adopt` again")
        }
        PlanError::NoFiles { .. } => report
            .why("its files tell what is applied")
            .help("name their folder: `--migrations DIR`"),
        PlanError::Changed { changed, .. } => {
            let shown = changed.iter().take(MOST).map(|one| {
                let path = folder.join(&one.path);
                visible(&format!("{} is not what was applied (checksum {:.16})", path.display(), one.recorded))
            });
            let first = changed.first().map_or("VERSION", |one| one.version.as_str());
            and_more(shown.fold(report, Report::why), changed.len())
                .help("put the files back as they were")
                .help(format!(
                    "where the edit changes nothing that matters: `--accept-edit {first}`, or `--accept-edit all`"
                ))
        }
        PlanError::Strangers { last, .. } => report
            .why(format!("the last one is {}, and not all files are newer", visible(last)))
            .help("name the folder of this database's migrations: `--migrations DIR`")
            .help("or say which of these files the database has: `--baseline VERSION`, or `--baseline none`"),
        PlanError::NewestMissing { .. } => report
            .why("it keeps only its newest version, so that what is applied is told by the files up to that")
            .help("take over with the files that have it")
            .help("or say up to which of these files the database is: `--baseline VERSION`, or `--baseline none`"),
        PlanError::TakenBack { versions, .. } => taken_back(report, versions),
    }
}

/// What to do about versions that the other tool has rolled back, and that the journal has as applied.
fn taken_back(report: Report, versions: &[String]) -> Report {
    report.why("the history of twostep still has them as applied").help(format!(
        "say that they are not: `twostep resolve {} --not-applied`",
        versions.first().and_then(|label| label.split('_').next()).unwrap_or("VERSION")
    ))
}
