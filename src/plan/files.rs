//! The migrations of a deploy as files of the folder, in its own format.

use super::deploy::{Deploy, Down, Part, Phase};
use super::script::{PlannedScript, is_transaction, script};
use crate::dialect::Dialect;
use crate::schema::change::{Change, ConstraintKind, TableAction};
use crate::source::export::{Written, WrittenScript};
use crate::source::versions;
use crate::source::{
    Body, Folder, Migration, NewFile, NewMigration, ReadOptions, Script, SourceFile, Version, read, slug,
};

/// The files of a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFiles {
    /// Paths below the folder of the files that go.
    pub removed: Vec<String>,
    /// The files that come in their place.
    pub added: Vec<NewFile>,
}

/// Why a deploy cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesProblem {
    /// The version is not of a form in which there is a next one.
    #[error("the version {0} is no number, so that there is none for the steps behind it")]
    Version(Version),
    /// Later migrations leave no version for the steps behind it.
    #[error(
        "{next} stands behind it, and no version between both is left for the {phase}: the migrations behind it are written for what the {phase} leaves"
    )]
    Later {
        /// The file of the first of them.
        next: String,
        /// The part that has no place.
        phase: &'static str,
    },
    /// Its format has no way to say what a part needs.
    #[error("the format `{format}` cannot say what the {phase} needs: {what}")]
    Format {
        /// The format.
        format: &'static str,
        /// The part.
        phase: &'static str,
        /// What is lost.
        what: String,
    },
}

/// The files of `deploy` in the place of the migration at `at` of `folder`.
pub fn files(
    deploy: &Deploy,
    folder: &Folder,
    at: usize,
    dialect: Dialect,
) -> Result<PlannedFiles, FilesProblem> {
    let migration = &folder.migrations[at];
    let versions = versions_of(deploy, folder, at)?;
    let name = slug(&migration.name);
    let mut added = Vec::new();
    let format = crate::source::by_id(folder.format).expect("a folder is read in a format of the list");
    for (number, (part, version)) in deploy.parts.iter().zip(&versions).enumerate() {
        let name = if deploy.is_single() { name.clone() } else { format!("{name}_{}", part.phase.title()) };
        let kept = if number == 0 && !deploy.is_single() {
            super::plain::kept(migration, &deploy.filled)
        } else {
            Vec::new()
        };
        let write = |may_share: bool| {
            let (up, down) = scripts(part, deploy, migration, &kept, dialect, may_share);
            let down = down.filter(|_| format.has_downs());
            let written = Written {
                new: NewMigration { version, name: &name, down: down.is_some(), like: None },
                up,
                down,
            };
            let files = folder.files_of(&written, &migration.up.path);
            carried(&files, folder, &written, part, dialect).map(|()| files)
        };
        // A format without transactions of its own still carries BEGIN and COMMIT.
        added.extend(write(true).or_else(|problem| write(false).map_err(|_| problem))?);
    }
    let mut removed = vec![migration.up.path.clone()];
    removed.extend(
        migration.down.iter().map(|down| down.path.clone()).filter(|path| *path != migration.up.path),
    );
    removed.retain(|path| !added.iter().any(|file| file.path == *path));
    Ok(PlannedFiles { removed, added })
}

/// The version of the migration, then such as stand behind it and before what was written for what the deploy leaves.
fn versions_of(deploy: &Deploy, folder: &Folder, at: usize) -> Result<Vec<Version>, FilesProblem> {
    let own = &folder.migrations[at].version;
    let mut versions = vec![own.clone()];
    if deploy.parts.len() > 1 && !own.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FilesProblem::Version(own.clone()));
    }
    for part in deploy.parts.iter().skip(1) {
        let last = versions.last().expect("it holds the migration's own").clone();
        let next = versions::next(&[last], None, 0);
        let is_in_front = |later: &&Migration| !versions::is_behind(later.version.as_str(), next.as_str());
        if let Some(later) = super::deploy::later(folder, at).find(is_in_front) {
            return Err(FilesProblem::Later { next: later.up.path.clone(), phase: part.phase.title() });
        }
        versions.push(next);
    }
    Ok(versions)
}

/// Both directions of a part. `may_share`: whether the format may put a transaction around all of one.
fn scripts(
    part: &Part,
    deploy: &Deploy,
    migration: &Migration,
    kept: &[String],
    dialect: Dialect,
    may_share: bool,
) -> (WrittenScript, Option<WrittenScript>) {
    let (stages, own_transaction) = match &part.down {
        Down::Stages(stages) => (Some(stages.as_slice()), is_transaction(stages)),
        Down::Authors(script) => (None, script.transaction),
        Down::Irreversible => (None, true),
    };
    // Several formats say it once for both directions.
    // Where each schema change commits by itself, a file has no transaction that could be said or left out.
    let commits = !crate::engine::rolls_back_schema(dialect);
    let transaction = commits || may_share && is_transaction(&part.up) && own_transaction;
    let mut head = Vec::new();
    if !deploy.is_single() {
        let phase = if part.phase == Phase::Contract { "contract" } else { "expand" };
        head.push(format!("-- twostep: phase {phase}"));
    }
    if matches!(part.down, Down::Irreversible) {
        head.push("-- twostep: irreversible because what it takes away is gone".to_owned());
    }
    head.extend(kept.iter().cloned());
    head.extend(about(part, deploy, &slug(&migration.name)));
    let written = |planned: PlannedScript, transaction: bool| WrittenScript {
        text: planned.text,
        statements: planned.statements,
        transaction,
    };
    let up = written(script(&part.up, &head, transaction, Some(part.phase), dialect), transaction);
    let down = match &part.down {
        Down::Stages(_) => {
            let stages = stages.unwrap_or_default();
            let head: Vec<String> = match stages {
                [] if part.phase == Phase::Expand => {
                    vec![
                        "-- twostep: allow missing-down because what it leaves behind does no harm"
                            .to_owned(),
                    ]
                }
                [] => vec!["-- The migrations before it take back what there is to take back.".to_owned()],
                _ if part.phase == Phase::Contract && takes_over(part, dialect) => {
                    let why = "what the parent took over from its partitions goes with it";
                    vec![format!("-- twostep: allow down-does-not-reverse because {why}"), String::new()]
                }
                _ => Vec::new(),
            };
            Some(written(script(stages, &head, transaction, None, dialect), transaction))
        }
        Down::Authors(script) => Some(authors(script, transaction)),
        Down::Irreversible => None,
    };
    (up, down)
}

/// Whether a part adds a foreign key to a partitioned table that its partitions have: they go with it, which the model
/// of a way back does not know.
fn takes_over(part: &Part, dialect: Dialect) -> bool {
    let is_key = |change: &Change| match change.table_action() {
        Some((_, TableAction::AddConstraint { constraint, .. })) => {
            matches!(constraint.kind, ConstraintKind::ForeignKey(_))
        }
        _ => false,
    };
    let mut prepared = part.up.iter().flat_map(|stage| stage.actions()).filter(|action| action.prepared);
    prepared.any(|action| crate::engine::lower(&action.sql, dialect).iter().any(is_key))
}

/// The down that the author of the migration has written.
fn authors(script: &Script, transaction: bool) -> WrittenScript {
    let (text, statements) = match &script.body {
        Body::Sql { file, span } => {
            (span.of(file).to_owned(), vec![span.of(file).trim().trim_end_matches(';').to_owned()])
        }
        Body::Statements { statements, .. } => {
            let texts: Vec<String> = statements.iter().map(|statement| statement.text.clone()).collect();
            (texts.iter().map(|text| format!("{text};\n")).collect(), texts)
        }
        Body::LargeFile { .. } | Body::Program { .. } => (String::new(), Vec::new()),
    };
    WrittenScript { text, statements, transaction: script.transaction && transaction }
}

/// What a person reads first.
fn about(part: &Part, deploy: &Deploy, name: &str) -> Vec<String> {
    if deploy.is_single() {
        return Vec::new();
    }
    let last = deploy.parts.iter().any(|part| part.phase == Phase::Contract);
    let mut lines = vec![String::new()];
    match part.phase {
        Phase::Expand => lines.push(format!(
            "-- {name}, the first step: the running code goes on, the new one is prepared for."
        )),
        Phase::Backfill => lines.push(format!("-- {name}, the rows: before the new code starts.")),
        Phase::Contract => {
            lines.push(format!("-- {name}, the second step: once no older code runs."));
            for code in &deploy.code {
                lines.extend(code.lines().map(|line| format!("-- {line}")));
            }
        }
    }
    if part.phase == Phase::Backfill && !last {
        lines.push("-- There is no second step.".to_owned());
    }
    lines
}

/// Reads the files back, and compares what the server would see.
fn carried(
    files: &[NewFile],
    folder: &Folder,
    written: &Written<'_>,
    part: &Part,
    dialect: Dialect,
) -> Result<(), FilesProblem> {
    let problem =
        |what: String| FilesProblem::Format { format: folder.format, phase: part.phase.title(), what };
    let alone = read_back(files, &[], folder.format, dialect).map_err(problem)?;
    // Where files are counted, one is not read without those before it.
    let back = match alone.migrations.len() {
        0 => read_back(files, &siblings(folder, files), folder.format, dialect).map_err(problem)?,
        _ => alone,
    };
    let own = |script: &Script| files.iter().any(|file| file.path == script.path);
    let mut found = back.migrations.iter().filter(|migration| own(&migration.up));
    let (Some(found), None) = (found.next(), found.next()) else {
        return Err(problem("it is not read as one migration".to_owned()));
    };
    same(&found.up, &written.up, dialect).map_err(|what| problem(format!("its up {what}")))?;
    match (&found.down, &written.down) {
        (Some(found), Some(down)) => {
            same(found, down, dialect).map_err(|what| problem(format!("its down {what}")))?;
        }
        // An empty one.
        (None, Some(down)) if down.statements.is_empty() => {}
        (None, Some(_)) => return Err(problem("it has no way back".to_owned())),
        (_, None) => {}
    }
    if written.up.text.contains("twostep: phase contract")
        && !found.up.directives.iter().any(|directive| directive.name == "phase")
    {
        return Err(problem("it has no place for `twostep: phase contract`".to_owned()));
    }
    Ok(())
}

/// The migrations that `planned` are, as they are read in the place of what they stand for.
///
/// # Errors
/// What the folder's format says against them: none is expected, since each was read back before it was offered.
pub fn migrations(
    planned: &PlannedFiles,
    folder: &Folder,
    dialect: Dialect,
) -> Result<Vec<Migration>, String> {
    let alone = read_back(&planned.added, &[], folder.format, dialect)?;
    let back = match alone.migrations.len() {
        0 => {
            let others = siblings(folder, &planned.added).into_iter();
            let stays = |file: &SourceFile| !planned.removed.contains(&file.path);
            read_back(&planned.added, &others.filter(stays).collect::<Vec<_>>(), folder.format, dialect)?
        }
        _ => alone,
    };
    let own = |migration: &Migration| planned.added.iter().any(|file| file.path == migration.up.path);
    let found: Vec<Migration> = back.migrations.into_iter().filter(own).collect();
    if found.is_empty() { Err("none of them is read as a migration".to_owned()) } else { Ok(found) }
}

/// Files as `format` reads them, beside `siblings`; or what it says against that.
fn read_back(
    files: &[NewFile],
    siblings: &[SourceFile],
    format: &'static str,
    dialect: Dialect,
) -> Result<Folder, String> {
    let own = files.iter().map(|file| SourceFile::text(file.path.clone(), &file.text));
    let sources: Vec<SourceFile> = own.chain(siblings.iter().cloned()).collect();
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    read(&sources, Some(format), &options)
        .map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))
}

/// The files of the folder that are not written anew.
fn siblings(folder: &Folder, files: &[NewFile]) -> Vec<SourceFile> {
    let scripts = folder.migrations.iter().map(|migration| &migration.up);
    let others = scripts.filter(|script| !files.iter().any(|file| file.path == script.path));
    let text = |script: &Script| match &script.body {
        Body::Sql { file, .. } | Body::Statements { file, .. } => Some(file.to_string()),
        Body::LargeFile { .. } | Body::Program { .. } => None,
    };
    others.filter_map(|script| Some(SourceFile::text(script.path.clone(), &text(script)?))).collect()
}

fn same(found: &Script, written: &WrittenScript, dialect: Dialect) -> Result<(), String> {
    let commits = !crate::engine::rolls_back_schema(dialect);
    if found.transaction != written.transaction && !written.statements.is_empty() && !commits {
        return Err(
            if written.transaction { "loses its transaction" } else { "gets a transaction" }.to_owned()
        );
    }
    let texts: Vec<String> = match &found.body {
        Body::Sql { file, span } => crate::sql::split::split(span.of(file), dialect)
            .statements
            .iter()
            .map(|statement| statement.text.to_owned())
            .collect(),
        Body::Statements { statements, .. } => {
            statements.iter().map(|statement| statement.text.clone()).collect()
        }
        Body::LargeFile { .. } | Body::Program { .. } => return Err("is not read as SQL".to_owned()),
    };
    let words = |text: &str| -> Vec<String> {
        crate::sql::lex::significant(text, dialect)
            .map(|token| token.text(text).to_owned())
            .filter(|word| word != ";")
            .collect()
    };
    let wanted: Vec<Vec<String>> = crate::sql::split::split(&written.text, dialect)
        .statements
        .iter()
        .map(|statement| words(statement.text))
        .collect();
    let got: Vec<Vec<String>> =
        texts.iter().map(|text| words(text)).filter(|words| !words.is_empty()).collect();
    if got == wanted { Ok(()) } else { Err("has other statements when it is read back".to_owned()) }
}
