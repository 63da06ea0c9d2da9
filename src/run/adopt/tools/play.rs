//! Play: `play_evolutions`, a row for each revision with both of its directions
//! (<https://github.com/playframework/playframework/blob/main/persistence/play-jdbc-evolutions/src/main/scala/play/api/db/evolutions/EvolutionsApi.scala>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool, Trouble};
use crate::source::play::kept_statements;

/// Play.
pub struct Play;

const COLUMNS: &[&str] =
    &["id", "hash", "applied_at", "apply_script", "revert_script", "state", "last_problem"];

impl Tool for Play {
    fn id(&self) -> &'static str {
        "play"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT id, hash, revert_script, state, last_problem FROM {table} ORDER BY id")
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        for row in rows {
            let (id, state) = (row.text(0), row.text(3));
            if state == "applied" {
                told.entries.push(Entry {
                    checksum: row.get(1).map(str::to_owned),
                    down: row.get(2).map(kept_statements).filter(|down| !down.is_empty()),
                    ..Entry::of(id)
                });
                continue;
            }
            let problem = row.get(4).filter(|problem| !problem.is_empty());
            told.troubles.push(Trouble {
                what: format!(
                    "Play stopped in revision {id} (state `{state}`){}",
                    problem.map_or_else(String::new, |problem| format!(": {}", problem.trim()))
                ),
                help: format!(
                    "look what of it is there; once all of it is, set its state to `applied`; once nothing of it is, \
                     delete its row (id {id})"
                ),
            });
        }
        told
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        let (up, down) = applied.sides;
        Ok(vec![format!(
            "INSERT INTO {} (id, hash, applied_at, apply_script, revert_script, state, last_problem) \
             VALUES ({}, {}, {}, {}, {}, 'applied', {})",
            applied.table,
            applied.number()?,
            applied.text(applied.checksum),
            applied.now(),
            applied.text(up),
            applied.text(down),
            applied.text(""),
        )])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_number("id")
    }
}
