//! What the runner asks of a statement, in any dialect. Token-based: it must answer for statements that no parser
//! of ours understands.

use super::words::Words;
use crate::dialect::Dialect;
use crate::name::TableName;

/// A table lock of PostgreSQL (<https://www.postgresql.org/docs/current/explicit-locking.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockMode {
    /// Conflicts with schema changes, VACUUM and its like.
    ShareUpdateExclusive,
    /// Blocks writes.
    Share,
    /// Blocks writes, and itself.
    ShareRowExclusive,
    /// Blocks all.
    AccessExclusive,
}

impl LockMode {
    /// The words of `LOCK TABLE`.
    pub const fn sql(self) -> &'static str {
        match self {
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// A lock that a statement surely takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The table.
    pub table: TableName,
    /// The mode.
    pub mode: LockMode,
}

/// Words at the start that decide most questions.
const HEAD: usize = 12;

/// Whether `sql` only reads or writes rows.
pub fn touches_rows_only(sql: &str, dialect: Dialect) -> bool {
    let word = Words::first(sql, dialect, 1).next_upper();
    matches!(
        word.as_str(),
        "SELECT"
            | "INSERT"
            | "UPDATE"
            | "DELETE"
            | "MERGE"
            | "WITH"
            | "VALUES"
            | "COPY"
            | "REPLACE"
            | "TABLE"
    )
}

/// The table that `sql` makes.
pub fn table_made(sql: &str, dialect: Dialect) -> Option<TableName> {
    let mut words = Words::first(sql, dialect, HEAD);
    if words.next_upper() != "CREATE" {
        return None;
    }
    words.skip("UNLOGGED");
    if !words.skip("TABLE") {
        return None;
    }
    // With IF NOT EXISTS it may be there already, and be somebody's.
    if words.skip("IF") { None } else { words.table() }
}

/// The locks that `sql` surely takes on tables, so that they can be asked for without standing in a queue. A lock
/// that is missing here is waited for under `lock_timeout`; only PostgreSQL has `LOCK TABLE … NOWAIT`.
pub fn relations_locked(sql: &str, dialect: Dialect) -> Vec<LockRequest> {
    if dialect != Dialect::Postgres {
        return Vec::new();
    }
    let mut words = Words::new(sql, dialect);
    let mut found = Vec::new();
    match words.next_upper().as_str() {
        "ALTER" if words.skip("TABLE") => {
            let if_exists = words.skip_all(&["IF", "EXISTS"]);
            words.skip("ONLY");
            if let Some(table) = words.table()
                && !if_exists
            {
                found.push(LockRequest { table, mode: alter_mode(&mut words) });
            }
        }
        "DROP" if words.skip("TABLE") => {
            if words.skip_all(&["IF", "EXISTS"]) {
                return found;
            }
            tables(&mut words, LockMode::AccessExclusive, &mut found);
        }
        "TRUNCATE" => {
            words.skip("TABLE");
            words.skip("ONLY");
            tables(&mut words, LockMode::AccessExclusive, &mut found);
        }
        "CREATE" => {
            words.skip("UNIQUE");
            if words.skip("INDEX") && words.peek_upper() != "CONCURRENTLY" {
                on_table(&mut words, LockMode::Share, &mut found);
            } else {
                let _ = words.skip("OR") && words.skip("REPLACE");
                words.skip("CONSTRAINT");
                if words.skip("TRIGGER") {
                    on_table(&mut words, LockMode::ShareRowExclusive, &mut found);
                }
            }
        }
        _ => {}
    }
    found
}

fn tables(words: &mut Words<'_>, mode: LockMode, found: &mut Vec<LockRequest>) {
    while let Some(table) = words.table() {
        found.push(LockRequest { table, mode });
        words.skip("*");
        if !words.skip(",") {
            return;
        }
    }
}

fn on_table(words: &mut Words<'_>, mode: LockMode, found: &mut Vec<LockRequest>) {
    while !words.is_over() {
        if words.skip("ON") {
            words.skip("ONLY");
            found.extend(words.table().map(|table| LockRequest { table, mode }));
            return;
        }
        words.advance();
    }
}

/// The mode of an ALTER TABLE by its first action; one that is not known takes the strongest
/// (<https://www.postgresql.org/docs/current/sql-altertable.html>). Several actions take the strongest of theirs.
fn alter_mode(words: &mut Words<'_>) -> LockMode {
    if words.has("COLUMN") || words.has("DROP") || words.has("TYPE") || words.has("DEFAULT") {
        return LockMode::AccessExclusive;
    }
    match words.next_upper().as_str() {
        "VALIDATE" | "ATTACH" => LockMode::ShareUpdateExclusive,
        "ADD"
            if words.has("FOREIGN")
                && !words.has("CHECK")
                && !words.has("UNIQUE")
                && !words.has("PRIMARY") =>
        {
            LockMode::ShareRowExclusive
        }
        _ => LockMode::AccessExclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks() {
        let locks = |sql| -> Vec<String> {
            let shown = |lock: &LockRequest| format!("{} {}", lock.table, lock.mode.sql());
            relations_locked(sql, Dialect::Postgres).iter().map(shown).collect()
        };
        assert_eq!(locks("alter table only a.t add column b int"), ["a.t ACCESS EXCLUSIVE"]);
        assert_eq!(locks("alter table t validate constraint c"), ["t SHARE UPDATE EXCLUSIVE"]);
        assert_eq!(
            locks("alter table t add constraint f foreign key (a) references u"),
            ["t SHARE ROW EXCLUSIVE"]
        );
        assert_eq!(locks("create index i on t (a)"), ["t SHARE"]);
        assert_eq!(locks("drop table a, \"B\" cascade"), ["a ACCESS EXCLUSIVE", "B ACCESS EXCLUSIVE"]);
        assert!(locks("drop table if exists a").is_empty());
        assert!(locks("create index concurrently i on t (a)").is_empty());
    }
}
