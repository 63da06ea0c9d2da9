//! PostgreSQL: the table locks that a statement takes, by the manual and by `pg_locks` of PostgreSQL 15.
//!
//! <https://www.postgresql.org/docs/current/sql-altertable.html>,
//! <https://www.postgresql.org/docs/current/explicit-locking.html>

use crate::dialect::Dialect;
use crate::engine::locks::{LockMode, LockRequest};
use crate::name::TableName;
use crate::sql::phrase::Phrase;

use LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};

/// See [`crate::engine::locks::relations_locked`].
pub fn relations_locked(text: &str) -> Vec<LockRequest> {
    let mut locks = Locks { found: Vec::new(), if_exists: false };
    let mut phrase = Phrase::new(text, Dialect::Postgres);
    // A name that cannot be read ends the list where it is.
    let _ = locks.statement(&mut phrase);
    locks.found
}

struct Locks {
    found: Vec<LockRequest>,
    if_exists: bool,
}

impl Locks {
    /// Adds a lock; the strongest mode on a table stays.
    fn add(&mut self, table: TableName, mode: LockMode) {
        match self.found.iter_mut().find(|request| request.table == table) {
            Some(request) => request.mode = request.mode.max(mode),
            None => self.found.push(LockRequest { table, mode, if_exists: self.if_exists }),
        }
    }

    fn statement(&mut self, phrase: &mut Phrase<'_>) -> Option<()> {
        match phrase.eats_any(&[
            "alter table",
            "drop table",
            "drop",
            "truncate",
            "create",
            "alter policy",
            "comment on table",
            "cluster",
        ])? {
            "alter table" => self.alter_table(phrase),
            "drop table" => {
                self.if_exists = phrase.eats("if exists");
                self.list(phrase, AccessExclusive)
            }
            "drop" => {
                phrase.eats_any(&["trigger", "policy", "rule"])?;
                self.if_exists = phrase.eats("if exists");
                self.on(phrase, "on", AccessExclusive)
            }
            "truncate" => {
                phrase.eats("table");
                self.list(phrase, AccessExclusive)
            }
            "create" => self.create(phrase),
            "alter policy" => self.on(phrase, "on", AccessExclusive),
            "comment on table" => {
                let table = phrase.table()?;
                self.add(table, ShareUpdateExclusive);
                Some(())
            }
            _ => {
                phrase.skip_group();
                phrase.eats("verbose");
                let table = phrase.table()?;
                // Old spelling: CLUSTER index ON table.
                if !phrase.sees("on") {
                    self.add(table, AccessExclusive);
                }
                Some(())
            }
        }
    }

    /// `[ONLY] a [*], [ONLY] b, …`
    fn list(&mut self, phrase: &mut Phrase<'_>, mode: LockMode) -> Option<()> {
        loop {
            phrase.eats("only");
            let table = phrase.table()?;
            self.add(table, mode);
            phrase.eats_operator("*");
            if !phrase.eats_punct(b',') {
                return Some(());
            }
        }
    }

    /// The table behind the next `word`.
    fn on(&mut self, phrase: &mut Phrase<'_>, word: &str, mode: LockMode) -> Option<()> {
        phrase.finds(word).then_some(())?;
        phrase.eats("only");
        let table = phrase.table()?;
        self.add(table, mode);
        Some(())
    }

    /// Tables behind `REFERENCES`, in parentheses as well.
    fn references(&mut self, phrase: &mut Phrase<'_>) {
        while phrase.peek().is_some() {
            if phrase.eats("references") {
                if let Some(table) = phrase.table() {
                    self.add(table, ShareRowExclusive);
                }
            } else {
                phrase.step();
            }
        }
    }

    fn create(&mut self, phrase: &mut Phrase<'_>) -> Option<()> {
        phrase.eats("or replace");
        let what = phrase.eats_any(&[
            "unique index",
            "index",
            "constraint trigger",
            "trigger",
            "policy",
            "rule",
            "statistics",
            "unlogged table",
            "table",
        ])?;
        match what {
            "unique index" | "index" => {
                // It waits for the locks of others by itself, and holds none that blocks them.
                (!phrase.sees("concurrently")).then_some(())?;
                self.on(phrase, "on", Share)
            }
            "constraint trigger" => self.on(phrase, "on", ShareRowExclusive),
            "trigger" => {
                phrase.name()?;
                // A view's, which takes no lock that is worth asking for.
                (!phrase.clone().finds("instead of")).then_some(())?;
                self.on(phrase, "on", ShareRowExclusive)
            }
            "policy" => self.on(phrase, "on", AccessExclusive),
            "rule" => self.on(phrase, "to", AccessExclusive),
            "statistics" => self.on(phrase, "from", ShareUpdateExclusive),
            _ => self.create_table(phrase),
        }
    }

    fn create_table(&mut self, phrase: &mut Phrase<'_>) -> Option<()> {
        phrase.eats("if not exists");
        let own = phrase.table()?;
        if phrase.eats("partition of") {
            // https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-PARTITION
            let parent = phrase.table()?;
            self.add(parent, AccessExclusive);
        } else {
            let mut behind = phrase.clone();
            behind.skip_group();
            if behind.eats("inherits") && behind.eats_punct(b'(') {
                self.list(&mut behind, ShareUpdateExclusive)?;
            }
        }
        self.references(phrase);
        // A table may refer to itself.
        self.found.retain(|request| request.table != own);
        Some(())
    }

    fn alter_table(&mut self, phrase: &mut Phrase<'_>) -> Option<()> {
        (!phrase.sees("all in tablespace")).then_some(())?;
        self.if_exists = phrase.eats("if exists");
        phrase.eats("only");
        let table = phrase.table()?;
        phrase.eats_operator("*");
        let mut others = Locks { found: Vec::new(), if_exists: self.if_exists };
        loop {
            let mode = others.action(phrase)?;
            self.add(table.clone(), mode);
            if !next_action(phrase, &mut others) {
                break;
            }
        }
        for other in others.found {
            self.add(other.table, other.mode);
        }
        Some(())
    }

    /// The lock that the action takes on its own table; those on other tables are added here.
    fn action(&mut self, phrase: &mut Phrase<'_>) -> Option<LockMode> {
        const FIRST: [&str; 14] = [
            "validate constraint",
            "attach partition",
            "detach partition",
            "cluster on",
            "set without cluster",
            "set (",
            "reset (",
            "enable trigger",
            "disable trigger",
            "enable replica trigger",
            "enable always trigger",
            "add",
            "alter",
            "inherit",
        ];
        let first = FIRST.iter().copied().find(|first| match first.strip_suffix(" (") {
            None => phrase.eats(first),
            // Parameters.
            Some(word) => {
                let mut ahead = phrase.clone();
                ahead.eats(word) && ahead.peek().is_some_and(|token| token.is_punct(b'('))
            }
        });
        match first {
            Some("validate constraint" | "cluster on" | "set without cluster" | "set (" | "reset (") => {
                Some(ShareUpdateExclusive)
            }
            Some("attach partition") => {
                let partition = phrase.table()?;
                self.add(partition, AccessExclusive);
                Some(ShareUpdateExclusive)
            }
            Some("detach partition") => {
                let partition = phrase.table()?;
                // These wait by themselves, outside a transaction.
                (!phrase.sees_any(&["concurrently", "finalize"])).then_some(())?;
                self.add(partition, AccessExclusive);
                Some(AccessExclusive)
            }
            Some(
                "enable trigger" | "disable trigger" | "enable replica trigger" | "enable always trigger",
            ) => Some(ShareRowExclusive),
            Some("inherit") => {
                let parent = phrase.table()?;
                self.add(parent, ShareUpdateExclusive);
                Some(AccessExclusive)
            }
            Some("add") => Some(added(phrase)),
            Some("alter") => Some(altered(phrase)),
            Some(_) | None => Some(AccessExclusive),
        }
    }
}

/// `ADD …`: a foreign key blocks only writes.
fn added(phrase: &mut Phrase<'_>) -> LockMode {
    if phrase.eats("constraint") {
        phrase.name();
    }
    if phrase.sees("foreign key") { ShareRowExclusive } else { AccessExclusive }
}

/// `ALTER [COLUMN] name …`: statistics and options do not block rows.
fn altered(phrase: &mut Phrase<'_>) -> LockMode {
    if phrase.eats("constraint") {
        return AccessExclusive;
    }
    phrase.eats("column");
    phrase.name();
    let of_options = |word: &str| {
        let mut ahead = phrase.clone();
        ahead.eats(word) && ahead.peek().is_some_and(|token| token.is_punct(b'('))
    };
    if phrase.sees("set statistics") || of_options("set") || of_options("reset") {
        ShareUpdateExclusive
    } else {
        AccessExclusive
    }
}

/// Goes to the next action of an `ALTER TABLE`, and adds what the rest of this one refers to.
fn next_action(phrase: &mut Phrase<'_>, others: &mut Locks) -> bool {
    while phrase.peek().is_some() {
        if phrase.eats_punct(b',') {
            return true;
        }
        if phrase.eats("references") {
            if let Some(table) = phrase.table() {
                others.add(table, ShareRowExclusive);
            }
        } else if !phrase.skip_group() {
            phrase.step();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let shown = |lock: &LockRequest| {
            let if_exists = if lock.if_exists { "?" } else { "" };
            format!("{}{if_exists} {}", lock.table, lock.mode.sql())
        };
        let locks: Vec<String> = relations_locked(text).iter().map(shown).collect();
        assert_eq!(locks, expect, "{text}");
    }

    #[test]
    fn alter_table() {
        check("alter table only a.t add column b int", &["a.t ACCESS EXCLUSIVE"]);
        check("alter table if exists t drop column b", &["t? ACCESS EXCLUSIVE"]);
        check("alter table t validate constraint c", &["t SHARE UPDATE EXCLUSIVE"]);
        check("alter table t validate constraint c, drop column d", &["t ACCESS EXCLUSIVE"]);
        check(
            "alter table t add constraint f foreign key (a) references u (b), add foreign key (c) references v",
            &["t SHARE ROW EXCLUSIVE", "u SHARE ROW EXCLUSIVE", "v SHARE ROW EXCLUSIVE"],
        );
        check("alter table t add a int references u", &["t ACCESS EXCLUSIVE", "u SHARE ROW EXCLUSIVE"]);
        check("alter table t add a int references t", &["t ACCESS EXCLUSIVE"]);
        check("alter table t add check (a in (1, 2)), add b int", &["t ACCESS EXCLUSIVE"]);
        check("alter table t alter a set statistics 100", &["t SHARE UPDATE EXCLUSIVE"]);
        check(
            "alter table t alter column a set (n_distinct = 5), set (fillfactor = 70)",
            &["t SHARE UPDATE EXCLUSIVE"],
        );
        check("alter table t alter a set not null", &["t ACCESS EXCLUSIVE"]);
        check("alter table t disable trigger all", &["t SHARE ROW EXCLUSIVE"]);
        check(
            "alter table p attach partition q for values in (1)",
            &["p SHARE UPDATE EXCLUSIVE", "q ACCESS EXCLUSIVE"],
        );
        check("alter table p detach partition q", &["p ACCESS EXCLUSIVE", "q ACCESS EXCLUSIVE"]);
        check("alter table p detach partition q concurrently", &[]);
        check("alter table t inherit p", &["t ACCESS EXCLUSIVE", "p SHARE UPDATE EXCLUSIVE"]);
        check("alter table t rename to u", &["t ACCESS EXCLUSIVE"]);
        check("alter table t owner to me", &["t ACCESS EXCLUSIVE"]);
        check("alter table all in tablespace a set tablespace b", &[]);
        check("alter table U&\"t\" add a int", &[]);
    }

    #[test]
    fn other_statements() {
        check("drop table a, \"B\" cascade", &["a ACCESS EXCLUSIVE", "B ACCESS EXCLUSIVE"]);
        check("drop table if exists a", &["a? ACCESS EXCLUSIVE"]);
        check("truncate table only a, b restart identity", &["a ACCESS EXCLUSIVE", "b ACCESS EXCLUSIVE"]);
        check("create unique index i on only t using btree (a)", &["t SHARE"]);
        check("create index concurrently i on t (a)", &[]);
        check(
            "create trigger g before update of a, b on t for each row execute function f()",
            &["t SHARE ROW EXCLUSIVE"],
        );
        check("create trigger g instead of insert on v for each row execute function f()", &[]);
        check("create policy p on t using (true)", &["t ACCESS EXCLUSIVE"]);
        check("create or replace rule r as on insert to t do nothing", &["t ACCESS EXCLUSIVE"]);
        check("drop trigger g on t", &["t ACCESS EXCLUSIVE"]);
        check("drop policy if exists p on t", &["t? ACCESS EXCLUSIVE"]);
        check("comment on table t is 'x'", &["t SHARE UPDATE EXCLUSIVE"]);
        check(
            "create table t (a int references u, b int references t, foreign key (a) references w)",
            &["u SHARE ROW EXCLUSIVE", "w SHARE ROW EXCLUSIVE"],
        );
        check("create table q partition of p for values in (1)", &["p ACCESS EXCLUSIVE"]);
        check("create table if not exists q partition of p default", &["p ACCESS EXCLUSIVE"]);
        check(
            "create table t (a int) inherits (p, q)",
            &["p SHARE UPDATE EXCLUSIVE", "q SHARE UPDATE EXCLUSIVE"],
        );
        check("drop index i", &[]);
        check("alter index i rename to j", &[]);
        check("alter view v rename to w", &[]);
        check("select 1", &[]);
    }
}
