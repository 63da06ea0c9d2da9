//! What `sqlparser` understands, our own reading of statements must understand too.

use sqlparser::dialect::{Dialect as ParserDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use std::path::{Path, PathBuf};
use twostep::dialect::Dialect;
use twostep::engine::lower;
use twostep::schema::change::ChangeKind;
use twostep::sql::split::{StatementKind, split};

/// The SQL files below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

/// The statements of `text` that the parser takes and we do not, and how many it takes.
fn compare(text: &str, dialect: Dialect, parser: &dyn ParserDialect) -> (Vec<String>, usize) {
    let (mut worse, mut parsed) = (Vec::new(), 0);
    for statement in split(text, dialect).statements {
        if statement.kind != StatementKind::Sql || Parser::parse_sql(parser, statement.text).is_err() {
            continue;
        }
        parsed += 1;
        let changes = lower(statement.text, dialect);
        if changes.iter().any(|change| matches!(change.kind, ChangeKind::Opaque(_))) {
            worse.push(statement.text.to_owned());
        }
    }
    (worse, parsed)
}

#[test]
fn nothing_that_sqlparser_reads_is_opaque_to_us() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["fixtures", "migrations", "seeds"] {
        files(&root.join(folder), &mut found);
    }
    let mut parsed = 0;
    for path in found {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (dialect, parser): (Dialect, &dyn ParserDialect) = if name.contains("sqlite") {
            (Dialect::Sqlite, &SQLiteDialect {})
        } else if name.contains("mysql") || name.contains("mariadb") {
            (Dialect::Mysql, &MySqlDialect {})
        } else {
            (Dialect::Postgres, &PostgreSqlDialect {})
        };
        let (worse, count) = compare(&text, dialect, parser);
        assert!(worse.is_empty(), "{name}: opaque to us, but not to sqlparser:\n{}", worse.join("\n"));
        parsed += count;
    }
    assert!(parsed > 100, "only {parsed} statements were compared");
}
