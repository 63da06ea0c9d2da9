//! Which migrations of a folder are one deploy, and which plain migration they stand for.

use crate::dialect::Dialect;
use crate::plan::stands_for;
use crate::source::{Folder, Kind, Migration, Phase, ReadOptions, Script, SourceFile, read};

/// A deploy: migrations that are applied one after the other, the last of them perhaps once no older code runs.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// Its name.
    pub label: String,
    /// The migrations before it.
    pub earlier: Vec<Migration>,
    /// Its own, in order.
    pub parts: Vec<Migration>,
    /// The migration that does the same in one step, where it is known.
    pub plain: Option<Migration>,
}

impl Deploy {
    /// Whether it is one migration that stands for itself.
    pub fn is_as_it_stands(&self) -> bool {
        self.parts.len() == 1 && self.parts[0].phase().is_none()
    }

    /// How many of its migrations are applied while older code runs.
    pub fn first_steps(&self) -> usize {
        self.parts.iter().position(|part| part.phase() == Some(Phase::Contract)).unwrap_or(self.parts.len())
    }
}

/// The deploys of `folder` in order: what belongs together by its phases. Migrations without a phase are deploys of
/// their own where `with_plain`. Repeatable ones and baselines are none.
pub fn deploys(folder: &Folder, with_plain: bool, dialect: Dialect) -> Vec<Deploy> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<usize> = None;
    for (at, migration) in folder.migrations.iter().enumerate() {
        if migration.kind != Kind::Versioned {
            continue;
        }
        match (migration.phase(), last) {
            (None, _) if with_plain => groups.push(vec![at]),
            (None, _) => {}
            (Some(_), Some(before)) if goes_on(&folder.migrations[before], migration) => {
                groups.last_mut().expect("there is one before it").push(at);
            }
            (Some(_), _) => groups.push(vec![at]),
        }
        last = Some(at);
    }
    groups.iter().map(|group| deploy(folder, group, dialect)).collect()
}

/// Whether `next` belongs to the deploy of the migration just before it.
fn goes_on(before: &Migration, next: &Migration) -> bool {
    match (before.phase(), next.phase()) {
        (Some(Phase::Expand), Some(Phase::Expand)) => match (stem(&before.name), stem(&next.name)) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        },
        (Some(Phase::Expand), Some(Phase::Contract)) => true,
        (Some(Phase::Contract), Some(Phase::Contract)) => {
            stem(&before.name).is_some() && stem(&before.name) == stem(&next.name)
        }
        (Some(Phase::Contract), Some(Phase::Expand)) | (None, _) | (_, None) => false,
    }
}

/// A name without the word of its step.
fn stem(name: &str) -> Option<String> {
    let slug = crate::source::slug(name);
    ["_expand", "_backfill", "_contract"].iter().find_map(|end| slug.strip_suffix(end).map(str::to_owned))
}

/// The deploy of the migrations at `group`.
fn deploy(folder: &Folder, group: &[usize], dialect: Dialect) -> Deploy {
    let parts: Vec<Migration> = group.iter().map(|at| folder.migrations[*at].clone()).collect();
    let first = &parts[0];
    let label = crate::run::task::label(
        &first.version,
        &stem(&first.name).filter(|_| first.phase().is_some()).unwrap_or_else(|| first.name.clone()),
    );
    let plain = parts
        .iter()
        .find_map(|part| stands_for(&part.up))
        .and_then(|(name, text)| plain_migration(&first.up, &name, &text, dialect));
    let earlier = earlier(folder, group[0]);
    Deploy { label, earlier, parts, plain }
}

/// What is applied before the migration at `at`, on an empty database.
fn earlier(folder: &Folder, at: usize) -> Vec<Migration> {
    let before = &folder.migrations[..at];
    let from = before.iter().rposition(|migration| migration.kind == Kind::Baseline).unwrap_or(0);
    before[from..].iter().filter(|migration| migration.kind != Kind::Repeatable).cloned().collect()
}

/// The deploy whose parts would stand in the place of the migration at `at`: `parts` are read from planned files.
pub fn planned(folder: &Folder, at: usize, parts: Vec<Migration>) -> Deploy {
    let plain = folder.migrations[at].clone();
    let label = crate::run::task::label(&plain.version, &plain.name);
    Deploy { label, earlier: earlier(folder, at), parts, plain: Some(plain) }
}

/// A plain migration from its text, which says by directives what it needs.
pub fn plain_migration(beside: &Script, name: &str, text: &str, dialect: Dialect) -> Option<Migration> {
    let file = SourceFile::text(format!("0_{}.up.sql", crate::source::slug(name)), text);
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let mut found = read(&[file], Some("twostep"), &options).ok()?.migrations;
    let mut one = found.pop()?;
    one.up.path = format!("{} (the plain migration)", beside.path);
    Some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Folder {
        let files: Vec<SourceFile> = files.iter().map(|(name, text)| SourceFile::text(*name, text)).collect();
        read(&files, Some("twostep"), &ReadOptions::default()).unwrap()
    }

    #[test]
    fn what_belongs_together_is_one_deploy() {
        let expand = "-- twostep: phase expand\n\nselect 1;";
        let contract = "-- twostep: phase contract\n\nselect 1;";
        let folder = folder(&[
            ("1_a.up.sql", "select 1;"),
            ("2_b_expand.up.sql", expand),
            ("3_b_backfill.up.sql", expand),
            ("4_b_contract.up.sql", contract),
            ("5_c_contract.up.sql", contract),
            ("6_d_expand.up.sql", expand),
            ("7_e_expand.up.sql", expand),
            ("8_e_contract.up.sql", contract),
        ]);
        let found = |plain| -> Vec<(String, usize, usize)> {
            let all = deploys(&folder, plain, Dialect::Postgres);
            all.iter().map(|one| (one.label.clone(), one.parts.len(), one.first_steps())).collect()
        };
        let own = |label: &str, parts, first| (label.to_owned(), parts, first);
        let phased = [own("2_b", 3, 2), own("5_c", 1, 0), own("6_d", 1, 1), own("7_e", 2, 1)];
        assert_eq!(found(false), phased);
        assert_eq!(found(true)[0], own("1_a", 1, 1));
    }
}
