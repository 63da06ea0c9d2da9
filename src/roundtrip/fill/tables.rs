//! The tables of a database as far as rows for them need it.

use crate::db::error::DbError;
use crate::db::session::{Row, Session};
use crate::dialect::Dialect;
use crate::name::{Name, literal};

/// A table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Its name as SQL.
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) keys: Vec<ForeignKey>,
    /// The texts of its checks, and of the domains of its columns.
    pub(crate) checks: Vec<String>,
}

/// A column of one.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type in lower case, with its modifiers.
    pub(crate) kind: String,
    /// The values of an enum.
    pub(crate) labels: Vec<String>,
    pub(crate) nullable: bool,
    /// A row may do without it.
    pub(crate) has_default: bool,
    /// The server fills it, and refuses any other value.
    pub(crate) is_generated: bool,
}

/// A foreign key of one.
#[derive(Debug, Default)]
pub(crate) struct ForeignKey {
    pub(crate) columns: Vec<String>,
    /// The other table's name as SQL.
    pub(crate) parent: String,
    pub(crate) parent_columns: Vec<String>,
}

/// Parts the texts of one value.
const UNIT: char = '\u{1f}';

/// The tables of the session's database, those first that others refer to.
pub(crate) async fn read(session: &mut dyn Session, journal: &str) -> Result<Vec<Table>, DbError> {
    let dialect = session.dialect();
    let [columns, keys, checks] = match dialect {
        Dialect::Postgres => postgres(journal),
        Dialect::Mysql => mysql(),
        Dialect::Sqlite => sqlite(),
    };
    let mut tables: Vec<Table> = Vec::new();
    for row in session.query(&columns).await? {
        let name = sql_name(&row, dialect);
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table { name, ..Table::default() });
        }
        let table = tables.last_mut().expect("it was pushed just now");
        table.columns.push(column(&row));
    }
    for row in session.query(&keys).await? {
        let (name, column, parent) = (sql_name(&row, dialect), row.text(3), parent_name(&row, dialect));
        let Some(table) = tables.iter_mut().find(|table| table.name == name) else { continue };
        // A key's rows stand together, the first of its columns first.
        if row.text(7) == "1" || table.keys.is_empty() {
            table.keys.push(ForeignKey { parent, ..ForeignKey::default() });
        }
        if let Some(key) = table.keys.last_mut() {
            key.columns.push(column.to_owned());
            key.parent_columns.extend(row.get(6).map(str::to_owned));
        }
    }
    for row in session.query(&checks).await? {
        let name = sql_name(&row, dialect);
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.checks.push(row.text(2).to_owned());
        }
    }
    Ok(in_order(tables))
}

/// Columns 0 and 1: schema and name.
fn sql_name(row: &Row, dialect: Dialect) -> String {
    qualified(row.get(0), row.text(1), dialect)
}

fn parent_name(row: &Row, dialect: Dialect) -> String {
    qualified(row.get(4), row.text(5), dialect)
}

fn qualified(schema: Option<&str>, name: &str, dialect: Dialect) -> String {
    let name = Name::new(name).quoted(dialect);
    match schema {
        Some(schema) => format!("{}.{name}", Name::new(schema).quoted(dialect)),
        None => name,
    }
}

/// Columns 2 to 7: name, type, nullable, default, generated, labels.
fn column(row: &Row) -> Column {
    let kind = row.text(3).to_ascii_lowercase();
    let labels = match kind.strip_prefix("enum(").or_else(|| kind.strip_prefix("set(")) {
        // MySQL's, in the type itself.
        Some(_) => row.text(3).split('\'').skip(1).step_by(2).map(str::to_owned).collect(),
        None => row.text(7).split(UNIT).filter(|label| !label.is_empty()).map(str::to_owned).collect(),
    };
    Column {
        name: row.text(2).to_owned(),
        kind,
        labels,
        nullable: row.is_true(4),
        has_default: row.is_true(5),
        is_generated: row.is_true(6),
    }
}

/// Those that refer to others behind them, as far as no circle forbids it.
fn in_order(mut left: Vec<Table>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |table: &Table| {
            table
                .keys
                .iter()
                .all(|key| key.parent == table.name || ordered.iter().any(|done| done.name == key.parent))
        };
        let next = left.iter().position(is_free).unwrap_or(0);
        let table = left.remove(next);
        ordered.push(table);
    }
    ordered
}

fn postgres(journal: &str) -> [String; 3] {
    let ours = format!(
        "c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
         AND n.nspname <> {} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
         WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')",
        literal(journal, Dialect::Postgres)
    );
    let unit = "pg_catalog.chr(31)";
    let columns = format!(
        "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(b.oid, CASE WHEN t.typtype = 'd' THEN t.typtypmod \
         ELSE a.atttypmod END), NOT (a.attnotnull OR t.typnotnull), a.atthasdef OR t.typdefault IS NOT NULL, \
         a.attidentity <> '' OR a.attgenerated <> '', (SELECT pg_catalog.string_agg(e.enumlabel, {unit} \
         ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.oid) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
         WHERE {ours} ORDER BY n.nspname, c.relname, a.attnum"
    );
    let keys = format!(
        "SELECT n.nspname, c.relname, k.conname, a.attname, pn.nspname, p.relname, pa.attname, u.number \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace \
         CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(own, other, number) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.own \
         JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = u.other \
         WHERE k.contype = 'f' AND {ours} ORDER BY n.nspname, c.relname, k.conname, u.number"
    );
    let checks = format!(
        "SELECT n.nspname, c.relname, pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k \
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contype = 'c' AND {ours} UNION ALL \
         SELECT n.nspname, c.relname, pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k \
         JOIN pg_catalog.pg_attribute a ON a.atttypid = k.contypid AND NOT a.attisdropped \
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contypid <> 0 AND {ours}"
    );
    [columns, keys, checks]
}

fn mysql() -> [String; 3] {
    let ours = "table_schema = DATABASE()";
    let columns = format!(
        "SELECT NULL, c.table_name, c.column_name, c.column_type, c.is_nullable = 'YES', \
         (c.column_default IS NOT NULL AND c.column_default <> 'NULL') OR c.extra LIKE '%auto_increment%', \
         c.extra LIKE '%GENERATED%' AND c.extra NOT LIKE '%DEFAULT_GENERATED%', NULL FROM information_schema.columns c \
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
         WHERE c.{ours} AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position"
    );
    let keys = format!(
        "SELECT NULL, table_name, constraint_name, column_name, NULL, referenced_table_name, referenced_column_name, \
         ordinal_position FROM information_schema.key_column_usage WHERE {ours} AND referenced_table_name IS NOT NULL \
         ORDER BY table_name, constraint_name, ordinal_position"
    );
    let checks = "SELECT NULL, t.table_name, c.check_clause FROM information_schema.check_constraints c \
                  JOIN information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema \
                  AND t.constraint_name = c.constraint_name WHERE c.constraint_schema = DATABASE()";
    [columns, keys, checks.to_owned()]
}

fn sqlite() -> [String; 3] {
    let ours =
        "m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.sql NOT LIKE 'create virtual%'";
    // An INTEGER PRIMARY KEY is the row's number (https://www.sqlite.org/lang_createtable.html#rowid).
    let columns = format!(
        "SELECT NULL, m.name, c.name, c.type, c.\"notnull\" = 0 AND c.pk = 0, c.dflt_value IS NOT NULL OR (c.pk = 1 \
         AND upper(c.type) = 'INTEGER' AND (SELECT count(*) FROM pragma_table_info(m.name) WHERE pk > 0) = 1), \
         c.hidden <> 0, NULL FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c WHERE {ours} ORDER BY m.name, c.cid"
    );
    let keys = format!(
        "SELECT NULL, m.name, k.id, k.\"from\", NULL, k.\"table\", k.\"to\", k.seq + 1 FROM sqlite_schema m \
         JOIN pragma_foreign_key_list(m.name) k WHERE {ours} ORDER BY m.name, k.id, k.seq"
    );
    let checks =
        format!("SELECT NULL, m.name, m.sql FROM sqlite_schema m WHERE {ours} AND m.sql LIKE '%check%'");
    [columns, keys, checks]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_others_refer_to_come_first() {
        let table = |name: &str, parents: &[&str]| Table {
            name: name.to_owned(),
            keys: parents
                .iter()
                .map(|parent| ForeignKey { parent: (*parent).to_owned(), ..ForeignKey::default() })
                .collect(),
            ..Table::default()
        };
        let names = |tables| in_order(tables).into_iter().map(|table: Table| table.name).collect::<Vec<_>>();
        assert_eq!(
            names(vec![table("a", &["b", "a"]), table("b", &["c"]), table("c", &[])]),
            ["c", "b", "a"]
        );
        // A circle is cut somewhere.
        assert_eq!(names(vec![table("a", &["b"]), table("b", &["a"])]), ["a", "b"]);
    }
}
