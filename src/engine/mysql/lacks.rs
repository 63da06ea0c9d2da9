//! What MySQL has and MariaDB has not, and the other way round, as far as a statement's words tell for certain: with
//! schema changes that commit one by one, it is better known before the first of them.
//!
//! <https://mariadb.com/kb/en/incompatibilities-and-feature-differences-between-mariadb-and-mysql/>

use crate::dialect::Dialect;
use crate::sql::lex::{TokenKind, significant, tokens};
use crate::sql::phrase::Phrase;

const DIALECT: Dialect = Dialect::Mysql;

/// Releases behind these may have learned what is listed here (`major * 100 + minor`).
const KNOWN_MARIADB: i64 = 1204;
const KNOWN_MYSQL: i64 = 907;

/// Why the server, `MariaDB …` or `MySQL …` as it calls itself, does not understand `text`.
pub fn lacks(text: &str, version: &str, number: i64) -> Option<String> {
    let has_versions = |token: crate::sql::lex::Token| token.kind == TokenKind::ExecutableOpen;
    // Whoever writes for several servers has thought of it.
    if tokens(text, DIALECT).any(has_versions) {
        return None;
    }
    let mariadb = version.starts_with("MariaDB");
    if number > if mariadb { KNOWN_MARIADB } else { KNOWN_MYSQL } {
        return None;
    }
    let what = if mariadb { mariadb_lacks(text, number) } else { mysql_lacks(text) };
    what.map(|what| format!("{version} has no {what}"))
}

fn mariadb_lacks(text: &str, number: i64) -> Option<String> {
    let mut phrase = Phrase::new(text, DIALECT);
    if phrase.sees_any(&["set persist", "set persist_only"]) {
        return Some("`SET PERSIST`".to_owned());
    }
    for token in significant(text, DIALECT) {
        let word = token.text(text);
        match token.kind {
            TokenKind::Operator if word == "->" || word == "->>" => {
                return Some(format!("operator `{word}`: it is JSON_EXTRACT there, or JSON_UNQUOTE of it"));
            }
            // 11.4.5 takes them for collations of its own.
            TokenKind::Word if number < 1104 && word.to_ascii_lowercase().starts_with("utf8mb4_0900_") => {
                return Some(format!("collation `{word}`"));
            }
            _ => {}
        }
    }
    if phrase.eats("alter table") && phrase.clone().finds("alter index") {
        return Some("`ALTER INDEX … VISIBLE`: it is `ALTER INDEX … NOT IGNORED` there".to_owned());
    }
    let mut index = Phrase::new(text, DIALECT);
    let is_index = index.eats_any(&["create index", "create unique index"]).is_some();
    (is_index
        && index.finds("on")
        && index.table().is_some()
        && index.eats_punct(b'(')
        && index.eats_punct(b'('))
    .then(|| "index on an expression: it is one on a generated column there".to_owned())
}

fn mysql_lacks(text: &str) -> Option<String> {
    let phrase = Phrase::new(text, DIALECT);
    const FIRST: [&str; 14] = [
        "create or replace table",
        "create or replace procedure",
        "create or replace function",
        "create or replace trigger",
        "create or replace event",
        "create or replace index",
        "create or replace database",
        "create or replace user",
        "create index if not exists",
        "create unique index if not exists",
        "drop index if exists",
        "alter table if exists",
        "create sequence",
        "begin not",
    ];
    let found = FIRST.iter().find(|words| phrase.sees(words));
    if let Some(words) = found {
        return Some(format!("`{}`", words.to_uppercase()));
    }
    const IN_ALTER: [&str; 8] = [
        "add column if not exists",
        "add if not exists",
        "drop column if exists",
        "drop if exists",
        "modify column if exists",
        "add index if not exists",
        "drop foreign key if exists",
        "add system versioning",
    ];
    let in_alter = |words: &&&str| phrase.sees("alter table") && phrase.clone().finds(words);
    IN_ALTER.iter().find(in_alter).map(|words| format!("`{}`", words.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_lacks_something_of_the_other() {
        let only_mysql = [
            "create table t (a varchar(9) collate utf8mb4_0900_ai_ci)",
            "update t set a = b->>'$.c'",
            "create unique index i on t ((lower(a)))",
            "alter table t alter index i invisible",
            "set persist max_connections = 5",
        ];
        let only_mariadb = [
            "create or replace table t (a int)",
            "create index if not exists i on t (a)",
            "alter table t add column if not exists a int, drop column if exists b",
            "drop index if exists i on t",
            "create sequence s",
        ];
        for sql in only_mysql {
            assert!(lacks(sql, "MariaDB 10.11.4", 1011).is_some(), "{sql}");
            assert_eq!(lacks(sql, "MySQL 8.4.2", 804), None, "{sql}");
        }
        for sql in only_mariadb {
            assert!(lacks(sql, "MySQL 8.4.2", 804).is_some(), "{sql}");
            assert_eq!(lacks(sql, "MariaDB 10.11.4", 1011), None, "{sql}");
        }
    }

    #[test]
    fn what_is_not_certain_is_not_said() {
        for sql in [
            "insert into t values ('->>', 'utf8mb4_0900_ai_ci')",
            "/*!80000 set persist a = 1 */",
            "create index i on t (a)",
            "create or replace view v as select 1",
            "alter table t add column a int",
        ] {
            assert_eq!(lacks(sql, "MariaDB 10.11.4", 1011), None, "{sql}");
            assert_eq!(lacks(sql, "MySQL 8.4.2", 804), None, "{sql}");
        }
        assert_eq!(lacks("create sequence s", "MySQL 12.0.1", 1200), None);
    }
}
