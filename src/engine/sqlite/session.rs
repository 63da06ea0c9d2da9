//! SQLite: what a statement leaves behind in its connection.

use crate::dialect::Dialect;
use crate::engine::session::{Scope, SessionChange};
use crate::sql::phrase::Phrase;

/// See [`crate::engine::session::session_changes`].
pub fn changes(text: &str) -> Vec<SessionChange> {
    statement(&mut Phrase::new(text, Dialect::Sqlite)).into_iter().collect()
}

fn statement(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    match phrase.eats_any(&["pragma", "attach", "detach", "create", "drop"])? {
        "pragma" => {
            let name = phrase.table()?.name.as_str().to_ascii_lowercase();
            // Without a value it only asks, and these hold for the file.
            let asks = phrase.is_done();
            let of_file =
                ["user_version", "application_id", "schema_version", "encoding", "page_size", "auto_vacuum"];
            let runs = [
                "integrity_check",
                "quick_check",
                "foreign_key_check",
                "optimize",
                "wal_checkpoint",
                "table_info",
                "table_xinfo",
                "table_list",
                "index_info",
                "index_xinfo",
                "index_list",
                "foreign_key_list",
                "incremental_vacuum",
                "shrink_memory",
                "database_list",
            ];
            let lasts = !asks && !of_file.contains(&name.as_str()) && !runs.contains(&name.as_str());
            lasts.then_some(SessionChange::Setting { name, scope: Scope::Session })
        }
        "attach" => phrase.finds("as").then(|| phrase.name())?.map(SessionChange::Attached),
        "detach" => {
            phrase.eats("database");
            phrase.name().map(SessionChange::Detached)
        }
        "create" => {
            let temporary = phrase.eats_any(&["temp", "temporary"]).is_some();
            phrase.eats_any(&["table", "view", "trigger"])?;
            phrase.eats("if not exists");
            let name = phrase.table()?;
            let in_temp =
                name.schema.as_ref().is_some_and(|schema| schema.as_str().eq_ignore_ascii_case("temp"));
            (temporary || in_temp).then_some(SessionChange::Temporary { name, until_commit: false })
        }
        _ => {
            phrase.eats_any(&["table", "view", "trigger"])?;
            phrase.eats("if exists");
            phrase.table().map(|name| SessionChange::Dropped(vec![name]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::session_changes;

    #[test]
    fn what_lasts() {
        let check = |text: &str, expect: &str| {
            let shown = |change: &SessionChange| match change {
                SessionChange::Setting { name, .. } => name.clone(),
                SessionChange::Temporary { name, .. } => format!("temporary {name}"),
                other => format!("{other:?}"),
            };
            let changes: Vec<String> = session_changes(text, Dialect::Sqlite).iter().map(shown).collect();
            assert_eq!(changes.join(", "), expect, "{text}");
        };
        check("PRAGMA foreign_keys = OFF", "foreign_keys");
        check("pragma main.Foreign_Keys(0);", "foreign_keys");
        check("pragma foreign_keys", "");
        check("pragma user_version = 3", "");
        check("pragma foreign_key_check(t)", "");
        check("attach database 'a.db' as b", "Attached(Name(\"b\"))");
        check("detach b", "Detached(Name(\"b\"))");
        check("create temp trigger t after insert on a begin select 1; end", "temporary t");
        check("create table temp.t (a)", "temporary temp.t");
        check("create table t (a)", "");
    }
}
