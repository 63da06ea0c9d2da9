//! Names that no migration makes: columns that every table has, the catalogs, and how the engines read an `INSERT`.

use crate::dialect::Dialect;
use crate::name::{Name, TableName};

/// Whether each table has the column `name` without anyone having made it.
pub fn is_system_column(name: &Name, dialect: Dialect) -> bool {
    let name = name.as_str().to_ascii_lowercase();
    match dialect {
        Dialect::Postgres => {
            matches!(name.as_str(), "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid")
        }
        Dialect::Sqlite => matches!(name.as_str(), "rowid" | "oid" | "_rowid_"),
        Dialect::Mysql => false,
    }
}

/// Whether `name` is a relation of the server's own.
pub fn is_system_relation(name: &TableName, dialect: Dialect) -> bool {
    let schema = name.schema.as_ref().map(|schema| schema.as_str().to_ascii_lowercase());
    let table = name.name.as_str().to_ascii_lowercase();
    match dialect {
        Dialect::Postgres => match schema.as_deref() {
            Some(schema) => matches!(schema, "pg_catalog" | "information_schema" | "pg_toast"),
            None => table.starts_with("pg_"),
        },
        Dialect::Mysql => {
            schema.is_some_and(|schema| {
                matches!(schema.as_str(), "information_schema" | "performance_schema" | "mysql" | "sys")
            }) || table == "dual"
        }
        Dialect::Sqlite => table.starts_with("sqlite_") || table.starts_with("pragma_"),
    }
}

/// Whether an `INSERT` without a list of columns must give a value to each of them.
pub fn insert_gives_all_columns(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => false,
        Dialect::Mysql | Dialect::Sqlite => true,
    }
}

/// Whether a bare name that is no column can stand for a whole row.
pub fn has_whole_rows(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => true,
        Dialect::Mysql | Dialect::Sqlite => false,
    }
}

/// Whether clients that prepare a statement once fail when its result gets another shape
/// (`cached plan must not change result type`).
pub fn cached_plans_fail(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => true,
        // They are prepared anew without the client noticing.
        Dialect::Mysql | Dialect::Sqlite => false,
    }
}

/// Whether the server looks for the label of an enum when it reads a query, and refuses one that has a label too many.
pub fn refuses_unknown_labels(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => true,
        // They compare texts, and nothing is the same as an unknown one.
        Dialect::Mysql | Dialect::Sqlite => false,
    }
}

/// Whether a word that is no column may still be a value: keywords without parentheses, and on SQLite what stands in
/// double quotes.
pub fn may_be_a_value(name: &Name, dialect: Dialect) -> bool {
    let text = name.as_str().to_ascii_lowercase();
    let keyword = matches!(
        text.as_str(),
        "current_date"
            | "current_time"
            | "current_timestamp"
            | "localtime"
            | "localtimestamp"
            | "current_user"
            | "session_user"
            | "user"
            | "current_role"
            | "current_catalog"
            | "current_schema"
            | "default"
            | "true"
            | "false"
            | "null"
            | "utc_date"
            | "utc_time"
            | "utc_timestamp"
    );
    keyword
        || (dialect == Dialect::Sqlite && text.contains(' '))
        || (dialect == Dialect::Mysql && text.starts_with('@'))
}
