//! Statements that commit by themselves: what to remember before one, and how to tell afterwards, from the catalog,
//! whether it was carried out.
//!
//! Whoever asks holds the run's lock, which the connection of a dead runner keeps until its statement has ended or was
//! rolled back: what the catalog shows is final.

use super::session::{DIALECT, MysqlSession};
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{Finding, IN_TRANSACTION, IN_TRANSACTION_BESIDE, Row};
use crate::engine::mysql::alone::{Alone, Object, ObjectKind, alone};
use crate::name::{Name, TableName, literal};
use crate::sql::lex::{Token, significant};
use crate::sql::phrase::Phrase;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::collections::BTreeMap;

/// What stands for each object: a hash of its definition, or nothing where it is not there.
type Look = BTreeMap<String, Option<String>>;

/// What is remembered of a statement.
#[derive(Serialize, Deserialize)]
struct Before {
    /// Where names without a database are looked up.
    database: String,
    look: Look,
}

/// A change of a table that is larger may take long, and stepping back at its end would throw that away.
const LARGE_BYTES: i64 = 64 << 20;

/// See [`crate::db::session::Session::before_alone`].
pub(super) async fn before(session: &mut MysqlSession, sql: &str) -> Result<Option<String>, DbError> {
    let alone = alone(sql);
    let look = match &alone {
        Alone::Opaque => {
            let none = other_engines(session).await?.is_empty();
            return Ok(Some(if none { IN_TRANSACTION } else { IN_TRANSACTION_BESIDE }.to_owned()));
        }
        Alone::Repeatable | Alone::Other => return Ok(None),
        Alone::Storage(_) | Alone::One(_) | Alone::Drop { .. } | Alone::Rename(_) => {
            let database = session.current_database().await?;
            let look = look_at(session, &alone, &database).await?;
            look.map(|look| Before { database, look })
        }
    };
    Ok(look.and_then(|before| serde_json::to_string(&before).ok()))
}

/// See [`crate::db::session::Session::after_alone`].
pub(super) async fn after(
    session: &mut MysqlSession,
    sql: &str,
    before: Option<&str>,
) -> Result<Finding, DbError> {
    let alone = alone(sql);
    if alone == Alone::Repeatable {
        return Ok(Finding::NotDone);
    }
    let Some(before) = before.and_then(|before| serde_json::from_str::<Before>(before).ok()) else {
        return Ok(Finding::Unknown);
    };
    let now = look_at(session, &alone, &before.database).await?;
    Ok(now.map_or(Finding::Unknown, |now| compare(&alone, &before.look, &now)))
}

/// See [`crate::db::session::Session::clear_alone`]: nothing can be taken away, but a part that was carried out must
/// not be called nothing.
pub(super) async fn clear(
    session: &mut MysqlSession,
    sql: &str,
    before: Option<&str>,
) -> Result<(), DbError> {
    let alone = alone(sql);
    if !matches!(alone, Alone::Drop { .. } | Alone::Rename(_)) {
        return Ok(());
    }
    match after(session, sql, before).await? {
        Finding::NotDone => Ok(()),
        Finding::Done | Finding::Unknown => Err(DbError::new(
            DbErrorClass::Statement,
            "a part of the statement was carried out before it failed: the server does its parts one by one",
        )),
    }
}

/// What came of `alone`, as the looks before it and after it show.
fn compare(alone: &Alone, before: &Look, now: &Look) -> Finding {
    let is_there = |object: &Object| now.get(&key(object)).is_some_and(Option::is_some);
    if before == now {
        // Whatever leaves everything as it is may be run again. A list of which one part alone changes nothing
        // cannot be told from one that was not begun, and need not be.
        return Finding::NotDone;
    }
    match alone {
        Alone::One(_) | Alone::Storage(_) => Finding::Done,
        Alone::Drop { objects, .. } if !objects.iter().any(is_there) => Finding::Done,
        Alone::Drop { if_exists: true, .. } => Finding::NotDone,
        Alone::Rename(pairs) if renamed(pairs, before) == presence(now) => Finding::Done,
        Alone::Drop { .. } | Alone::Rename(_) | Alone::Repeatable | Alone::Opaque | Alone::Other => {
            Finding::Unknown
        }
    }
}

fn presence(look: &Look) -> BTreeMap<&String, bool> {
    look.iter().map(|(key, hash)| (key, hash.is_some())).collect()
}

/// Which tables are there once all of `pairs` were renamed.
fn renamed<'l>(pairs: &[(TableName, TableName)], before: &'l Look) -> BTreeMap<&'l String, bool> {
    let mut there = presence(before);
    for (from, to) in pairs {
        for (name, is_there) in [(from, false), (to, true)] {
            let name = key(&Object { kind: ObjectKind::Table, name: name.clone() });
            if let Some(value) = there.iter_mut().find(|(key, _)| ***key == name) {
                *value.1 = is_there;
            }
        }
    }
    there
}

fn key(object: &Object) -> String {
    let kind = match object.kind {
        ObjectKind::Table => "table",
        ObjectKind::Routine => "routine",
        ObjectKind::Trigger => "trigger",
        ObjectKind::Event => "event",
        ObjectKind::Database => "database",
    };
    format!("{kind} {}", object.name.quoted(DIALECT))
}

/// Looks at what `alone` touches; `None` where it cannot be seen.
async fn look_at(session: &mut MysqlSession, alone: &Alone, database: &str) -> Result<Option<Look>, DbError> {
    if let Alone::Storage(tables) = alone {
        return storage(session, tables, database).await;
    }
    let mut look = Look::new();
    for object in alone.objects() {
        look.insert(key(&object), definition(session, &object, database).await?);
    }
    Ok(Some(look))
}

/// A hash of the object's definition; `None` where it is not there, or may not be seen.
async fn definition(
    session: &mut MysqlSession,
    object: &Object,
    database: &str,
) -> Result<Option<String>, DbError> {
    let rows = match session.ask_catalog(&definition_sql(object, database)).await {
        Ok(rows) => rows,
        // No such table, database or unknown object; no right to see it.
        Err(error) if matches!(error.class, DbErrorClass::Missing | DbErrorClass::PermissionDenied) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if rows.is_empty() {
        return Ok(None);
    }
    let mut digest = sha2::Sha256::new();
    for value in rows.iter().flat_map(|row| row.0.iter()) {
        digest.update(value.as_deref().map_or_else(|| "\0".to_owned(), without_counter));
        digest.update([0xff]);
    }
    Ok(Some(format!("{:x}", digest.finalize())[..16].to_owned()))
}

fn definition_sql(object: &Object, database: &str) -> String {
    let schema = object.name.schema.as_ref().map_or(database, Name::as_str);
    let (schema, name) = (literal(schema, DIALECT), literal(object.name.name.as_str(), DIALECT));
    match object.kind {
        ObjectKind::Table => {
            let schema = object.name.schema.clone().unwrap_or_else(|| Name::new(database));
            let table = TableName::qualified(schema, object.name.name.clone());
            format!("SHOW CREATE TABLE {}", table.quoted(DIALECT))
        }
        // It has no name where the current database is meant.
        ObjectKind::Database if object.name.name.as_str().is_empty() => {
            format!("SHOW CREATE DATABASE {}", Name::new(database).quoted(DIALECT))
        }
        ObjectKind::Database => format!("SHOW CREATE DATABASE {}", object.name.name.quoted(DIALECT)),
        ObjectKind::Routine => format!(
            "SELECT * FROM information_schema.routines WHERE routine_schema = {schema} AND routine_name = {name} \
             ORDER BY routine_type"
        ),
        ObjectKind::Trigger => format!(
            "SELECT * FROM information_schema.triggers WHERE trigger_schema = {schema} AND trigger_name = {name}"
        ),
        // Not when it was run last.
        ObjectKind::Event => format!(
            "SELECT definer, time_zone, event_definition, event_type, execute_at, interval_value, interval_field, \
             sql_mode, starts, ends, status, on_completion, last_altered, event_comment FROM information_schema.events \
             WHERE event_schema = {schema} AND event_name = {name}"
        ),
    }
}

/// A table's definition without the number that its next row gets, which changes while rows are written.
fn without_counter(definition: &str) -> String {
    const COUNTER: &str = " AUTO_INCREMENT=";
    match definition.rsplit_once(COUNTER) {
        Some((start, rest)) => format!("{start}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => definition.to_owned(),
    }
}

/// What InnoDB has the tables stored in: a number that is given out once. `None` where it cannot be seen.
async fn storage(
    session: &mut MysqlSession,
    tables: &[TableName],
    database: &str,
) -> Result<Option<Look>, DbError> {
    let view = if session.is_mariadb() { "innodb_sys_tables" } else { "innodb_tables" };
    let mut look = Look::new();
    for table in tables {
        let schema = table.schema.as_ref().map_or(database, Name::as_str);
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_plain(schema) || !is_plain(table.name.as_str()) {
            // InnoDB writes other names in a spelling of its own.
            return Ok(None);
        }
        let name = format!("{schema}/{}", table.name);
        let (whole, partition) = (literal(&name, DIALECT), literal(&format!("{name}#"), DIALECT));
        let sql = format!(
            "SELECT name, table_id FROM information_schema.{view} WHERE name = {whole} \
             OR LEFT(name, {}) = {partition} ORDER BY name",
            name.len() + 1
        );
        let rows = match session.ask_catalog(&sql).await {
            Ok(rows) => rows,
            Err(error) if error.class == DbErrorClass::PermissionDenied => return Ok(None),
            Err(error) => return Err(error),
        };
        if rows.is_empty() {
            return Ok(None);
        }
        look.extend(rows.iter().map(|row: &Row| (row.text(0).to_owned(), row.get(1).map(str::to_owned))));
    }
    Ok(Some(look))
}

/// The tables of the database whose rows a rollback does not take back.
async fn other_engines(session: &mut MysqlSession) -> Result<Vec<String>, DbError> {
    if let Some(known) = &session.other_engines {
        return Ok(known.clone());
    }
    let schema = literal(session.database(), DIALECT);
    let sql = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema} AND table_type = 'BASE TABLE' \
         AND engine NOT IN ('InnoDB', 'ROCKSDB', 'TokuDB', 'ndbcluster')"
    );
    let rows = session.ask_catalog(&sql).await?;
    let found: Vec<String> = rows.iter().map(|row| row.text(0).to_owned()).collect();
    session.other_engines = Some(found.clone());
    Ok(found)
}

/// See [`crate::db::session::Session::outlives_rollback`]. A view, a trigger or a function may stand for a table that
/// the statement does not name.
pub(super) async fn outlives_rollback(session: &mut MysqlSession, sql: &str) -> Result<bool, DbError> {
    if Phrase::new(sql, DIALECT).sees_any(&["select", "set", "do", "values", "table"]) {
        return Ok(false);
    }
    let others = other_engines(session).await?;
    if others.is_empty() {
        return Ok(false);
    }
    let names = |token: Token| {
        let word = token.text(sql).trim_matches('`');
        others.iter().any(|other| other.eq_ignore_ascii_case(word))
    };
    if significant(sql, DIALECT).any(names) {
        return Ok(true);
    }
    let schema = literal(session.database(), DIALECT);
    let sql = format!(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = {schema} AND table_type <> 'BASE TABLE' UNION ALL \
         SELECT 1 FROM information_schema.triggers WHERE trigger_schema = {schema} UNION ALL \
         SELECT 1 FROM information_schema.routines WHERE routine_schema = {schema} LIMIT 1"
    );
    Ok(!session.ask_catalog(&sql).await?.is_empty())
}

/// Whether `sql` changes a table that is so large that it may take long.
pub(super) async fn may_take_long(session: &mut MysqlSession, sql: &str) -> Result<bool, DbError> {
    let Alone::One(Object { kind: ObjectKind::Table, name }) = alone(sql) else { return Ok(false) };
    let database = session.current_database().await?;
    let schema = literal(name.schema.as_ref().map_or(database.as_str(), Name::as_str), DIALECT);
    // MySQL shows sizes of yesterday otherwise.
    let sql = format!(
        "SELECT /*+ SET_VAR(information_schema_stats_expiry=0) */ data_length + index_length \
         FROM information_schema.tables WHERE table_schema = {schema} AND table_name = {}",
        literal(name.name.as_str(), DIALECT)
    );
    let rows = session.ask_catalog(&sql).await?;
    Ok(rows.first().and_then(|row| row.number(0)).is_some_and(|bytes| bytes >= LARGE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of tables, each with a letter for its definition.
    fn look(tables: &str) -> Look {
        let pair = |table: &str| {
            let (name, definition) = table.split_once('=').unwrap_or((table, ""));
            let definition = (!definition.is_empty()).then(|| definition.to_owned());
            (format!("table `{name}`"), definition)
        };
        tables.split_whitespace().map(pair).collect()
    }

    fn check(sql: &str, before: &str, now: &str, expect: Finding) {
        assert_eq!(compare(&alone(sql), &look(before), &look(now)), expect, "{sql}: {before}, then {now}");
    }

    #[test]
    fn one_object_is_whole_or_untouched() {
        check("create table a (b int)", "a", "a=x", Finding::Done);
        check("create table a (b int)", "a", "a", Finding::NotDone);
        check("alter table a add b int", "a=x", "a=y", Finding::Done);
        check("alter table a engine = innodb", "a=x", "a=x", Finding::NotDone);
        check("drop table a", "a=x", "a", Finding::Done);
        check("truncate a", "a=1", "a=2", Finding::Done);
    }

    #[test]
    fn lists_may_stop_in_the_middle() {
        check("drop table a, b", "a=x b=y", "a b", Finding::Done);
        check("drop table a, b", "a=x b=y", "a b=y", Finding::Unknown);
        check("drop table if exists a, b", "a=x b=y", "a b=y", Finding::NotDone);
        check("drop table a, b", "a=x b=y", "a=x b=y", Finding::NotDone);
        let swap = "rename table a to t, b to a, t to b";
        check(swap, "a=x b=y t", "a=v b=w t", Finding::Done);
        check(swap, "a=x b=y t", "a=x b=y t", Finding::NotDone);
        check(swap, "a=x b=y t", "a b=y t=x", Finding::Unknown);
    }

    #[test]
    fn the_next_number_of_a_table_is_not_its_definition() {
        let one = "CREATE TABLE `t` (\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4".to_owned();
        let other = one.replace("=5", "=678");
        assert_eq!(without_counter(&one), without_counter(&other));
        assert!(without_counter(&one).ends_with("ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"));
    }
}
