//! Folders of real projects: each is told by its files, and gives as many migrations as stand there, in the order
//! in which its own tool runs them. `TWOSTEP_CORPORA` names the folder that holds them: PROJECT/ENGINE/….

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use twostep::dialect::Dialect;
use twostep::files::read_migrations;
use twostep::source::{Folder, ReadOptions};

/// The format of each project, as its own build runs it.
const FORMATS: &[(&str, &str)] = &[
    ("alf.io", "flyway"),
    ("aplus", "play"),
    ("authelia", "authelia"),
    ("concourse", "golang-migrate"),
    ("conductor", "flyway"),
    ("crates-io", "diesel"),
    ("credhub", "flyway"),
    ("docs.rs", "sqlx"),
    ("e2b-infra", "goose"),
    ("exam", "play"),
    ("ghost-activitypub", "golang-migrate"),
    // By maragu.dev/migrate: several of its files share a number, which golang-migrate refuses.
    ("gitness", "maragu"),
    ("goalert", "sql-migrate"),
    ("graph-node", "diesel"),
    ("langfuse", "prisma"),
    ("mas", "sqlx"),
    ("navidrome", "goose"),
    ("svix", "sqlx"),
    ("upchieve", "dbmate"),
    ("vaultwarden", "diesel"),
    ("yona", "play"),
    ("zksync-era", "sqlx"),
];

/// How many migrations stand in a folder, told by the endings of their files alone.
fn count_on_disk(folder: &Path) -> usize {
    let mut files = Vec::new();
    collect(folder, &mut files);
    let is_up = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let is_down = name.ends_with(".down.sql") || name == "down.sql" || name.starts_with('U');
        name.ends_with(".sql") && !is_down
    };
    files.iter().filter(is_up).count()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// The names of a project's migrations in the order in which they were applied, where that is on record.
fn recorded_orders(corpora: &Path) -> BTreeMap<String, Vec<String>> {
    let mut orders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Ok(text) = fs::read_to_string(corpora.join("roundtrip-truth.jsonl")) else { return orders };
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| record[key].as_str().unwrap().to_owned();
        orders.entry(word("project")).or_default().push(word("migration"));
    }
    orders
}

/// What `recorded_orders` calls a migration: its folder, or its file without endings.
fn recorded_name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    match file {
        "up.sql" | "migration.sql" => path.rsplit('/').nth(1).unwrap_or(path),
        file => {
            let stem = file.strip_suffix(".sql").unwrap_or(file);
            stem.strip_suffix(".up").unwrap_or(stem)
        }
    }
}

fn row(project: &str, engine: &str, disk: usize, folder: &Folder) -> String {
    let downs = folder.migrations.iter().filter(|migration| migration.down.is_some()).count();
    let free = folder.migrations.iter().filter(|migration| !migration.up.transaction).count();
    let warnings = folder.warnings.len() + folder.migrations.iter().map(|m| m.warnings.len()).sum::<usize>();
    format!(
        "{project:18} {engine:11} {:15} {disk:5} {:5} {downs:5} {free:5} {warnings:4}",
        folder.format,
        folder.migrations.len()
    )
}

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn real_folders_are_read_as_their_own_tools_read_them() {
    let corpora = PathBuf::from(std::env::var("TWOSTEP_CORPORA").expect("TWOSTEP_CORPORA names a folder"));
    let orders = recorded_orders(&corpora);
    let mut wrong = Vec::new();
    println!("project            engine      format          files  read downs no-tx warn");
    for (project, format) in FORMATS {
        let root = corpora.join(project);
        let mut engines: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
        engines.sort();
        for path in engines {
            let engine = path.file_name().unwrap().to_str().unwrap().to_owned();
            let options = ReadOptions { dialect: Dialect::from_word(&engine), ..ReadOptions::default() };
            let folder = match read_migrations(&path, None, &options) {
                Ok(folder) => folder,
                Err(error) => {
                    wrong.push(format!("{project}/{engine}: {error:?}"));
                    continue;
                }
            };
            let disk = count_on_disk(&path);
            println!("{}", row(project, &engine, disk, &folder));
            for warning in folder.warnings.iter().chain(folder.migrations.iter().flat_map(|m| &m.warnings)) {
                println!("    warning: {warning}");
            }
            if folder.format != *format || folder.migrations.len() != disk {
                wrong.push(format!(
                    "{project}/{engine}: {} ({} of {disk})",
                    folder.format,
                    folder.migrations.len()
                ));
            }
            // The folder above gives the same, for the engine that is asked for.
            let above = read_migrations(&root, None, &options).map(|folder| folder.migrations.len());
            if above.as_ref().ok() != Some(&disk) {
                wrong.push(format!("{project} for {engine}: {above:?}"));
            }
            let names: Vec<&str> =
                folder.migrations.iter().map(|migration| recorded_name(&migration.up.path)).collect();
            if let Some(recorded) = orders.get(*project).filter(|_| engine == "postgresql")
                && !recorded.iter().map(String::as_str).eq(names.iter().copied())
            {
                let at = recorded.iter().zip(&names).position(|(one, two)| one != two);
                wrong.push(format!("{project}: another order than the recorded one, from {at:?} on"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
