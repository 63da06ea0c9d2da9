//! All migrations in a row: seed, take all back, compare with the start, apply all again, seed, compare.

use super::apply::{Applier, ApplyError};
use super::bench::{Bench, Down, Ready, words};
use super::rows::Rows;
use super::run::{RoundtripError, Seeds};
use super::verdict::Chain;
use crate::run::program;
use crate::run::task::Direction;
use crate::schema::catalog::Catalog;
use crate::schema::catalog::diff::diff;
use crate::source::{Kind, Version};
use std::path::Path;

/// Where the chain begins: behind the last migration that has no down, or that is not new.
#[derive(Debug, Clone, Default)]
pub(super) struct Floor {
    /// How many migrations are applied there.
    pub(super) applied: usize,
    /// What there is.
    pub(super) catalog: Catalog,
    /// The last of those migrations.
    pub(super) behind: Option<String>,
}

/// Judges the chain of `migrations`, which are applied to the database of `applier` in this order.
pub(super) async fn judge(
    bench: &Bench<'_>,
    applier: &mut Applier,
    migrations: &[&Ready<'_>],
    floor: &Floor,
    problems_of_seeds: &mut Vec<String>,
) -> Result<Chain, RoundtripError> {
    let seeds = &bench.options.seeds;
    let upper: Vec<&Ready<'_>> = migrations[floor.applied..].to_vec();
    let mut chain = Chain { of: upper.len(), behind: floor.behind.clone(), ..Chain::default() };
    let seeded = seed(bench, applier, seeds, problems_of_seeds).await?;
    let (full, rows) = (bench.catalog(applier).await?, bench.rows(applier).await);
    if upper.is_empty() {
        chain.notes.push(match &floor.behind {
            Some(last) => {
                format!("{last} is the last migration and has no down, so that nothing can be taken back")
            }
            None => "there is no migration to take back".to_owned(),
        });
        return Ok(chain);
    }
    take_back(applier, &upper, &mut chain).await;
    if chain.taken_back == chain.of {
        let found = diff(&floor.catalog, &bench.catalog(applier).await?);
        let start = match &floor.behind {
            Some(last) => format!("behind {last}"),
            None => "before the first migration".to_owned(),
        };
        compare(
            &mut chain,
            &found,
            &format!("after all downs it is not as {start}"),
            &start,
            "after all downs",
        );
    } else {
        let left = chain.of - chain.taken_back;
        chain.notes.push(format!("{left} of {} migrations were not taken back, and not compared", chain.of));
    }
    let again = &upper[upper.len() - chain.taken_back..];
    for ready in again {
        let Ok(up) = &ready.up else { continue };
        if let Err(error) = applier.run(up, ready.version(), Direction::Up).await {
            chain.problems.push(format!("{} cannot be applied again: {}", ready.label, words(&error)));
            return Ok(chain);
        }
    }
    if seeded {
        run_seeds(bench, applier, seeds).await.unwrap_or_else(|why| {
            chain.problems.push(format!("the seeds cannot be applied again: {why}"));
        });
    }
    let found = diff(&full, &bench.catalog(applier).await?);
    compare(&mut chain, &found, "applied again, it is not what it was", "applied once", "applied again");
    if seeded {
        compare_rows(&mut chain, &rows, &bench.rows(applier).await);
    }
    Ok(chain)
}

/// Takes the migrations back, the last one first, as far as that goes.
async fn take_back(applier: &mut Applier, upper: &[&Ready<'_>], chain: &mut Chain) {
    for ready in upper.iter().rev() {
        let done = match &ready.down {
            // What a repeatable migration made is not known to it.
            _ if ready.migration.kind == Kind::Repeatable => Ok(()),
            Down::Empty | Down::None(_) | Down::Irreversible(_) => Ok(()),
            Down::Script(Err(why)) => Err(why.clone()),
            Down::Script(Ok(down)) => applier
                .run(down, ready.version(), Direction::Down)
                .await
                .map_err(|error: ApplyError| words(&error)),
        };
        if let Err(why) = done {
            chain.problems.push(format!("the down of {} fails: {why}", ready.label));
            return;
        }
        chain.taken_back += 1;
    }
}

fn compare(
    chain: &mut Chain,
    found: &crate::schema::catalog::diff::CatalogDiff,
    problem: &str,
    before: &str,
    after: &str,
) {
    if found.is_empty() {
        return;
    }
    chain.diff.push_str(&found.unified(before, after, 3));
    if found.is_column_order_only() {
        chain.notes.push(format!("{problem}, in the order of columns only"));
    } else {
        chain.problems.push(problem.to_owned());
    }
}

fn compare_rows(chain: &mut Chain, before: &Rows, after: &Rows) {
    let (one, other) = (before.counts(), after.counts());
    for (table, count) in &one {
        let now = other.get(table).copied().unwrap_or(0);
        if now != *count {
            chain.problems.push(format!("{table} held {count} rows after the seeds, and now holds {now}"));
        }
    }
    for (table, now) in other.iter().filter(|(table, _)| !one.contains_key(*table)) {
        chain.problems.push(format!("{table} held no rows after the seeds, and now holds {now}"));
    }
}

/// Seeds the database, twice where seeds are to be repeatable; whether it could be done.
async fn seed(
    bench: &Bench<'_>,
    applier: &mut Applier,
    seeds: &Seeds,
    problems: &mut Vec<String>,
) -> Result<bool, RoundtripError> {
    if seeds.is_empty() {
        return Ok(false);
    }
    if let Err(why) = run_seeds(bench, applier, seeds).await {
        problems.push(format!("the seeds fail: {why}"));
        return Ok(false);
    }
    if seeds.once {
        return Ok(true);
    }
    let (catalog, rows) = (bench.catalog(applier).await?, bench.rows(applier).await);
    if let Err(why) = run_seeds(bench, applier, seeds).await {
        problems.push(format!("the seeds cannot be run a second time: {why}"));
        return Ok(true);
    }
    if !diff(&catalog, &bench.catalog(applier).await?).is_empty() {
        problems.push("run a second time, the seeds change the schema".to_owned());
    }
    let found = rows.compare(&bench.rows(applier).await);
    for line in found.lost.into_iter().chain(found.added) {
        problems.push(format!("run a second time, the seeds change rows: {line}"));
    }
    Ok(true)
}

async fn run_seeds(bench: &Bench<'_>, applier: &mut Applier, seeds: &Seeds) -> Result<(), String> {
    let version = Version::new("seeds");
    for file in &seeds.files {
        applier.run(file, &version, Direction::Up).await.map_err(|error: ApplyError| words(&error))?;
    }
    let Some(command) = &seeds.command else { return Ok(()) };
    let mut shell = program::command(Path::new("/bin/sh"), applier.url(), &version, Direction::Up);
    let folder = std::env::current_dir().unwrap_or_else(|_| bench.options.folder.clone());
    let output = shell.args(["-c", command]).current_dir(folder).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("`{command}` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
    Err(applier.url().redact(&format!("`{command}` failed ({}): {last}", output.status)))
}
