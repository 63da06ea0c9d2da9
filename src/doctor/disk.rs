//! Room: what a rewrite of the largest table needs, and how much there is where that can be known.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use async_trait::async_trait;
use std::path::Path;

const POSTGRES: &str = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), \
    (SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c WHERE relkind IN ('r', 'm') ORDER BY \
    pg_catalog.pg_total_relation_size(c.oid) DESC LIMIT 1), (SELECT pg_catalog.max(pg_catalog.pg_total_relation_size(c.oid)) \
    FROM pg_catalog.pg_class c WHERE relkind IN ('r', 'm'))";

const MYSQL: &str = "SELECT COALESCE(SUM(data_length + index_length), 0), \
    COALESCE(SUBSTRING_INDEX(GROUP_CONCAT(table_name ORDER BY data_length + index_length DESC), ',', 1), ''), \
    COALESCE(MAX(data_length + index_length), 0) FROM information_schema.tables WHERE table_schema = DATABASE()";

/// See the module.
pub struct Disk;

#[async_trait]
impl Check for Disk {
    fn id(&self) -> &'static str {
        "disk"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let sql = match patient.dialect() {
            Dialect::Postgres => POSTGRES,
            Dialect::Mysql => MYSQL,
            Dialect::Sqlite => return Ok(of_file(Path::new(patient.url.database()))),
        };
        let rows = patient.ask(sql).await?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        let mb = |index: usize| row.number(index).unwrap_or(0) >> 20;
        let largest = if row.text(1).is_empty() { "no table" } else { row.text(1) };
        Ok(vec![Seen::note(format!(
            "the database has {} MB, its largest table `{largest}` {} MB: a rewrite needs as much again. What is free \
             on the server's disk no server tells",
            mb(0),
            mb(2)
        ))])
    }
}

/// A file's disk is asked of the system, by its own `df`.
fn of_file(file: &Path) -> Vec<Seen> {
    let Ok(size) = std::fs::metadata(file).map(|file| file.len()) else { return Vec::new() };
    let folder = std::path::absolute(file).ok().and_then(|file| file.parent().map(Path::to_owned));
    let Some(folder) = folder else { return Vec::new() };
    let output = std::process::Command::new("df").arg("-Pk").arg(&folder).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free_kb = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    let Some(free_kb) = free_kb else { return Vec::new() };
    let shown = format!("the file has {} KB, its disk has {free_kb} KB left", size >> 10);
    vec![if free_kb > size >> 9 {
        Seen::fine(shown)
    } else {
        Seen::warning(shown, "make room: a rewrite needs as much again as the file has")
    }]
}
