//! SQLite has one writer: while a migration writes much, the application's writes fail or wait.

use super::prelude::*;
use crate::engine::SQLITE;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "sqlite-writer-lock",
    Group::Lock,
    Severity::Note,
    SQLITE,
    include_str!("sqlite_writer_lock.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let much = judged.places().find_map(|place| {
        let work = place.felt().map(|effect| effect.work).max()?;
        let all_rows = match place.kind() {
            ChangeKind::Insert(insert) => {
                insert.rows == InsertRows::Query
                    && insert.query.reads.iter().any(|table| place.is_busy(table))
            }
            _ => work > Work::Rows,
        };
        all_rows.then(|| (place.number, place.change().span))
    });
    let Some((number, span)) = much else { return Vec::new() };
    vec![
        Draft::new(
            "this writes as much as the table is large, and nobody else can write meanwhile",
            "SQLite locks the whole database for its one writer until the migration commits; a write of the application fails with SQLITE_BUSY unless it waits long enough",
        )
        .help("PRAGMA busy_timeout in the application, longer than the migration takes; large fillings of rows in a backfill")
        .at(At::Statement(number, span)),
    ]
}
