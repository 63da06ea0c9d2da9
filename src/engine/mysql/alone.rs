//! MySQL's and MariaDB's statements that no transaction can hold, sorted by how their outcome can be told afterwards.
//!
//! Each changes one object as a whole, or not at all, also when the server dies in it
//! (<https://dev.mysql.com/doc/refman/8.4/en/atomic-ddl.html>, <https://mariadb.com/kb/en/atomic-ddl/>); a list of
//! tables is carried out one by one on MariaDB.

use super::transaction::start;
use crate::name::TableName;
use crate::sql::phrase::Phrase;

/// Something that the catalog shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// What it is called; a database without a name is the current one.
    pub name: TableName,
}

/// Kinds of objects, each with names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A table, a view, or MariaDB's sequence.
    Table,
    /// A procedure, a function, or one of MariaDB's packages.
    Routine,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
    /// A database.
    Database,
}

/// A statement outside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alone {
    /// Makes, changes or removes one object: it is another one afterwards, or the statement may be run again.
    One(Object),
    /// Removes objects, one by one.
    Drop {
        /// The objects.
        objects: Vec<Object>,
        /// Whether it may be run again when some of them are gone.
        if_exists: bool,
    },
    /// `RENAME TABLE`, one by one.
    Rename(Vec<(TableName, TableName)>),
    /// Gives tables other storage and leaves their definitions as they are: `TRUNCATE`, `EXCHANGE PARTITION`.
    Storage(Vec<TableName>),
    /// May be run again without harm: `ANALYZE`, `GRANT`, ….
    Repeatable,
    /// Runs statements that are not in its text: `CALL`, `EXECUTE`, a compound statement.
    Opaque,
    /// Anything else.
    Other,
}

impl Alone {
    /// The objects that it touches.
    pub fn objects(&self) -> Vec<Object> {
        let table = |name: &TableName| Object { kind: ObjectKind::Table, name: name.clone() };
        match self {
            Alone::One(object) => vec![object.clone()],
            Alone::Drop { objects, .. } => objects.clone(),
            Alone::Rename(pairs) => {
                let mut objects: Vec<Object> =
                    pairs.iter().flat_map(|(from, to)| [table(from), table(to)]).collect();
                objects.sort();
                objects.dedup();
                objects
            }
            Alone::Storage(tables) => tables.iter().map(table).collect(),
            Alone::Repeatable | Alone::Opaque | Alone::Other => Vec::new(),
        }
    }

    /// The tables that it touches.
    pub fn tables(&self) -> Vec<TableName> {
        let objects = self.objects().into_iter();
        objects.filter(|object| object.kind == ObjectKind::Table).map(|object| object.name).collect()
    }
}

/// Sorts `sql`.
pub fn alone(sql: &str) -> Alone {
    let mut phrase = start(sql);
    const FIRST: [&str; 24] = [
        "create",
        "alter",
        "drop",
        "rename user",
        "rename",
        "truncate",
        "revoke if exists",
        "grant",
        "analyze",
        "optimize",
        "repair",
        "check",
        "flush",
        "cache index",
        "load index",
        "reset query",
        "set",
        "call",
        "execute",
        "begin not",
        "if",
        "case",
        "loop",
        "while",
    ];
    let known = match phrase.eats_any(&FIRST) {
        Some("create") => create(&mut phrase),
        Some("alter") => alter(&mut phrase),
        Some("drop") => drop(&mut phrase),
        Some("rename") => rename(&mut phrase),
        Some("truncate") => {
            phrase.eats("table");
            phrase.table().map(|table| Alone::Storage(vec![table]))
        }
        Some("call" | "execute" | "begin not" | "if" | "case" | "loop" | "while") => Some(Alone::Opaque),
        Some("rename user") => None,
        Some(_) => Some(Alone::Repeatable),
        None => phrase.sees_any(&["repeat", "for"]).then_some(Alone::Opaque),
    };
    known.unwrap_or(Alone::Other)
}

/// Objects by their words; a word that begins another one comes behind it.
const OBJECTS: [&str; 16] = [
    "table",
    "tables",
    "view",
    "sequence",
    "index",
    "procedure",
    "function",
    "package body",
    "package",
    "trigger",
    "event",
    "database",
    "schema",
    "user",
    "role",
    "server",
];

/// Goes to the word that says what the statement is about, past `DEFINER = …`, `UNIQUE`, `ONLINE` and their like.
fn what(phrase: &mut Phrase<'_>) -> Option<&'static str> {
    const MOST: usize = 24;
    for _ in 0..MOST {
        if let Some(word) = phrase.eats_any(&OBJECTS) {
            return Some(word);
        }
        phrase.step()?;
    }
    None
}

fn kind(word: &str) -> Option<ObjectKind> {
    match word {
        "table" | "tables" | "view" | "sequence" => Some(ObjectKind::Table),
        "procedure" | "function" | "package body" | "package" => Some(ObjectKind::Routine),
        "trigger" => Some(ObjectKind::Trigger),
        "event" => Some(ObjectKind::Event),
        "database" | "schema" => Some(ObjectKind::Database),
        _ => None,
    }
}

fn one(kind: ObjectKind, phrase: &mut Phrase<'_>) -> Option<Alone> {
    Some(Alone::One(Object { kind, name: phrase.table()? }))
}

/// `… INDEX i ON t` changes its table.
fn index(phrase: &mut Phrase<'_>) -> Option<Alone> {
    while !phrase.eats("on") {
        phrase.step()?;
    }
    one(ObjectKind::Table, phrase)
}

fn create(phrase: &mut Phrase<'_>) -> Option<Alone> {
    let replaces = phrase.eats("or replace");
    let word = what(phrase)?;
    let lenient = phrase.eats("if not exists") || replaces;
    match word {
        "index" => index(phrase),
        "user" | "role" | "server" => lenient.then_some(Alone::Repeatable),
        word => one(kind(word)?, phrase),
    }
}

fn alter(phrase: &mut Phrase<'_>) -> Option<Alone> {
    let word = what(phrase)?;
    phrase.eats("if exists");
    match word {
        "table" => alter_table(phrase),
        // It may give out numbers again that were given out in between.
        "sequence" if phrase.clone().finds("restart") => None,
        "user" if ["retain", "discard"].iter().any(|word| phrase.clone().finds(word)) => None,
        "user" | "role" | "server" => Some(Alone::Repeatable),
        "database" | "schema" => {
            let options = ["default", "character", "charset", "collate", "comment", "encryption", "read"];
            if phrase.sees_any(&options) {
                Some(Alone::One(Object { kind: ObjectKind::Database, name: TableName::default() }))
            } else {
                one(ObjectKind::Database, phrase)
            }
        }
        word => one(kind(word)?, phrase),
    }
}

fn alter_table(phrase: &mut Phrase<'_>) -> Option<Alone> {
    let table = phrase.table()?;
    let storage = |words: &[&str]| words.iter().any(|words| phrase.clone().finds(words));
    if storage(&["discard partition", "discard tablespace", "import partition", "import tablespace"]) {
        return None;
    }
    if storage(&["truncate partition"]) {
        return Some(Alone::Storage(vec![table]));
    }
    let mut exchange = phrase.clone();
    if exchange.finds("exchange partition") && exchange.finds("with table") {
        return Some(Alone::Storage(vec![table, exchange.table()?]));
    }
    Some(Alone::One(Object { kind: ObjectKind::Table, name: table }))
}

fn drop(phrase: &mut Phrase<'_>) -> Option<Alone> {
    let word = what(phrase)?;
    let if_exists = phrase.eats("if exists");
    let kind = match word {
        "index" => return index(phrase),
        "user" | "role" | "server" => return if_exists.then_some(Alone::Repeatable),
        word => kind(word)?,
    };
    let mut objects = Vec::new();
    loop {
        objects.push(Object { kind, name: phrase.table()? });
        if !phrase.eats_punct(b',') {
            break;
        }
    }
    Some(match objects.as_slice() {
        [object] => Alone::One(object.clone()),
        _ => Alone::Drop { objects, if_exists },
    })
}

fn rename(phrase: &mut Phrase<'_>) -> Option<Alone> {
    phrase.eats_any(&["table", "tables"])?;
    phrase.eats("if exists");
    let mut pairs = Vec::new();
    loop {
        let from = phrase.table()?;
        // MariaDB's NOWAIT and WAIT n.
        while !phrase.eats("to") {
            phrase.step()?;
        }
        pairs.push((from, phrase.table()?));
        if !phrase.eats_punct(b',') {
            return Some(Alone::Rename(pairs));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn check(sql: &str, expect: &str) {
        let names = |objects: &[Object]| {
            let shown = |object: &Object| format!("{:?} {}", object.kind, object.name);
            objects.iter().map(shown).collect::<Vec<_>>().join(", ")
        };
        let shown = match alone(sql) {
            Alone::One(object) => names(&[object]),
            Alone::Drop { objects, if_exists } => {
                format!("drop {}{}", names(&objects), if if_exists { " if there" } else { "" })
            }
            Alone::Rename(pairs) => {
                let shown = |(from, to): &(TableName, TableName)| format!("{from} to {to}");
                pairs.iter().map(shown).collect::<Vec<_>>().join(", ")
            }
            Alone::Storage(tables) => {
                format!(
                    "storage of {}",
                    tables.iter().map(TableName::to_string).collect::<Vec<_>>().join(", ")
                )
            }
            other => format!("{other:?}"),
        };
        assert_eq!(shown, expect, "{sql}");
    }

    #[test]
    fn objects_that_the_catalog_shows() {
        check("create table if not exists `a b`.t (a int)", "Table a b.t");
        check(
            "/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`r`@`%` SQL SECURITY DEFINER */ /*!50001 VIEW `v` AS select 1 */",
            "Table v",
        );
        check("create unique index if not exists i using btree on t (a)", "Table t");
        check("drop index i on a.t", "Table a.t");
        check("alter online table if exists t add column c int", "Table t");
        check("set statement lock_wait_timeout=1 for alter table t add c int", "Table t");
        check("alter table a rename to b", "Table a");
        check("create definer=current_user() procedure p() select 1", "Routine p");
        check("create aggregate function f(x int) returns int begin end", "Routine f");
        check("drop trigger if exists s.t", "Trigger s.t");
        check("alter event e disable", "Event e");
        check("create database if not exists d", "Database d");
        check("alter database character set utf8mb4", "Database ");
        check("alter schema d collate x", "Database d");
        check("drop view v", "Table v");
        check("create or replace sequence s", "Table s");
    }

    #[test]
    fn lists_and_storage() {
        check("drop table if exists a, b.c cascade", "drop Table a, Table b.c if there");
        check("drop view a, b", "drop Table a, Table b");
        check("rename table a to b, `c` nowait to d.e", "a to b, c to d.e");
        check("truncate t", "storage of t");
        check("alter table t truncate partition p1", "storage of t");
        check("alter table t exchange partition p with table u", "storage of t, u");
        check("alter table t import tablespace", "Other");
        let objects = alone("rename table a to x, b to a, x to b").objects();
        let names: Vec<&str> = objects.iter().map(|object| object.name.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "x"]);
        assert_eq!(alone("drop index i on t").tables(), [TableName::bare(Name::new("t"))]);
    }

    #[test]
    fn what_may_run_again_and_what_cannot_be_told() {
        for sql in ["analyze table t", "optimize local table t", "grant select on t to u", "flush privileges"]
        {
            check(sql, "Repeatable");
        }
        for sql in
            ["create user if not exists u", "drop role if exists r", "set password = 'x'", "alter user u"]
        {
            check(sql, "Repeatable");
        }
        for sql in ["call p()", "execute s", "begin not atomic select 1; end", "for i in 1..2 do end for"] {
            check(sql, "Opaque");
        }
        for sql in [
            "revoke all on t from u",
            "drop user u",
            "create user u",
            "install plugin x",
            "insert into t values (1)",
        ] {
            check(sql, "Other");
        }
        check("alter sequence s restart", "Other");
        check("alter sequence s cache 5", "Table s");
    }
}
