//! Which tables of a database are histories of other tools, and what they say.

use super::tool::{FoundTable, Told, Tool};
use super::tools::TOOLS;
use crate::db::error::DbError;
use crate::db::session::{Row, Session};
use crate::dialect::Dialect;
use crate::name::{Name, TableName};

/// A history of another tool.
pub struct Found {
    /// The tool.
    pub tool: &'static dyn Tool,
    /// Its table.
    pub table: FoundTable,
    /// What it says.
    pub told: Told,
}

impl Found {
    /// The table as people read it.
    pub fn table_shown(&self) -> String {
        self.table.name.to_string()
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.tool.id(), self.table.name)
    }
}

/// A history that a person names.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// The tool.
    pub tool: Option<String>,
    /// Its table, with its schema or without.
    pub table: Option<String>,
}

/// Every history of another tool that a connection finds without naming a schema, or, where there is none, in other
/// schemas.
pub async fn histories(session: &mut dyn Session) -> Result<Vec<Found>, DbError> {
    let tables = tables(session).await?;
    let found = told_apart(&tables, &Named::default());
    let on_path = found.iter().any(|(_, table)| table.on_path);
    read(session, found.into_iter().filter(|(_, table)| !on_path || table.on_path).collect()).await
}

/// The histories that fit what a person has named.
pub async fn named(session: &mut dyn Session, named: &Named) -> Result<Vec<Found>, DbError> {
    let tables = tables(session).await?;
    let found = told_apart(&tables, named);
    let on_path = named.table.is_none() && found.iter().any(|(_, table)| table.on_path);
    read(session, found.into_iter().filter(|(_, table)| !on_path || table.on_path).collect()).await
}

/// The histories in which something stands, of those that a connection finds without naming a schema. What a role may
/// not read is none of its own.
pub async fn in_the_way(session: &mut dyn Session) -> Result<Vec<Found>, DbError> {
    let tables = tables(session).await?;
    let mut found = told_apart(&tables, &Named::default());
    found.retain(|(_, table)| table.on_path);
    let mut found = read(session, found).await?;
    found.retain(|found| !found.told.is_empty());
    Ok(found)
}

async fn read(
    session: &mut dyn Session,
    found: Vec<(&'static dyn Tool, FoundTable)>,
) -> Result<Vec<Found>, DbError> {
    let dialect = session.dialect();
    let mut histories = Vec::new();
    for (tool, table) in found {
        let rows = session.query(&tool.select(&table.name.quoted(dialect), dialect)).await?;
        histories.push(Found { told: tool.read(&rows), tool, table });
    }
    Ok(histories)
}

/// The tables that are some tool's, each with the first tool that takes it for its own.
fn told_apart(tables: &[FoundTable], named: &Named) -> Vec<(&'static dyn Tool, FoundTable)> {
    let fits_tool = |tool: &&&dyn Tool| named.tool.as_deref().is_none_or(|id| tool.id() == id);
    let fits_table = |table: &&FoundTable| {
        let wanted = |wanted: &str| table.name.to_string() == wanted || table.bare_name() == wanted;
        named.table.as_deref().is_none_or(wanted)
    };
    // Who names both knows what it is; its columns must be there all the same.
    let is_told = named.tool.is_some() && named.table.is_some();
    let owner = |table: &FoundTable| {
        TOOLS
            .iter()
            .filter(fits_tool)
            .copied()
            .find(|tool| table.has(tool.columns()) && (is_told || tool.is_history(table, tables)))
    };
    tables.iter().filter(fits_table).filter_map(|table| Some((owner(table)?, table.clone()))).collect()
}

/// The tables that might be a history.
async fn tables(session: &mut dyn Session) -> Result<Vec<FoundTable>, DbError> {
    let dialect = session.dialect();
    let rows = session.query(tables_sql(dialect)).await?;
    Ok(grouped(&rows, dialect))
}

/// A column a row: schema, table, column, type, whether the table is found without its schema.
const fn tables_sql(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
             n.nspname = ANY (pg_catalog.current_schemas(false)) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
             AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute m WHERE m.attrelid = c.oid AND m.attname IN \
             ('version', 'version_num', 'version_id', 'hash', 'migration_name', 'applied_at', 'key')) \
             AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
             ORDER BY n.nspname, c.relname, a.attnum"
        }
        Dialect::Mysql => {
            "SELECT '', c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, 1 FROM information_schema.COLUMNS c \
             WHERE c.TABLE_SCHEMA = DATABASE() AND EXISTS (SELECT 1 FROM information_schema.COLUMNS m \
             WHERE m.TABLE_SCHEMA = c.TABLE_SCHEMA AND m.TABLE_NAME = c.TABLE_NAME AND LOWER(m.COLUMN_NAME) IN \
             ('version', 'version_num', 'version_id', 'hash', 'migration_name', 'applied_at', 'key')) \
             ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
        }
        Dialect::Sqlite => {
            "SELECT '', t.name, c.name, c.type, 1 FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' ORDER BY t.name, c.cid"
        }
    }
}

fn grouped(rows: &[Row], dialect: Dialect) -> Vec<FoundTable> {
    let mut tables: Vec<FoundTable> = Vec::new();
    for row in rows {
        let name = match dialect {
            Dialect::Postgres => TableName::qualified(Name::new(row.text(0)), Name::new(row.text(1))),
            Dialect::Mysql | Dialect::Sqlite => TableName::bare(Name::new(row.text(1))),
        };
        let column = (row.text(2).to_lowercase(), row.text(3).to_lowercase());
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => tables.push(FoundTable { name, columns: vec![column], on_path: row.is_true(4) }),
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whose history a table is: its name and columns, of which those with `'` hold text.
    fn check(tables: &[(&str, &str)], expected: &str) {
        let table = |(name, columns): &(&str, &str)| FoundTable {
            name: TableName::bare(Name::new(*name)),
            columns: columns
                .split(' ')
                .map(|column| match column.strip_suffix('\'') {
                    Some(text) => (text.to_owned(), "varchar(255)".to_owned()),
                    None => (column.to_owned(), "bigint".to_owned()),
                })
                .collect(),
            on_path: true,
        };
        let tables: Vec<_> = tables.iter().map(table).collect();
        let found = told_apart(&tables, &Named::default());
        let found: Vec<_> =
            found.iter().map(|(tool, table)| format!("{} {}", tool.id(), table.name)).collect();
        assert_eq!(found.join(", "), expected);
    }

    #[test]
    fn histories_are_told_apart_by_their_columns() {
        check(&[("schema_migrations", "version dirty")], "golang-migrate schema_migrations");
        check(&[("schema_migrations", "version inserted_at")], "ecto schema_migrations");
        check(&[("schema_migrations", "version'")], "dbmate schema_migrations");
        check(
            &[
                ("ar_internal_metadata", "key' value' created_at updated_at"),
                ("schema_migrations", "version'"),
            ],
            "rails schema_migrations",
        );
        check(&[("migrations", "version'")], "maragu migrations");
        check(&[("mine", "version' run_on")], "diesel mine");
        check(&[("mine", "version description' installed_on success checksum execution_time")], "sqlx mine");
        check(&[("mine", "version name' applied_on' checksum'")], "refinery mine");
        check(&[("mine", "id version_id is_applied tstamp")], "goose mine");
        check(
            &[(
                "mine",
                "installed_rank version' description' type' script' checksum installed_by' installed_on \
                 execution_time success",
            )],
            "flyway mine",
        );
        check(
            &[("mine", "id hash' applied_at apply_script' revert_script' state' last_problem'")],
            "play mine",
        );
        check(
            &[(
                "mine",
                "id' checksum' finished_at migration_name' logs' rolled_back_at started_at applied_steps_count",
            )],
            "prisma mine",
        );
        check(&[("mine", "version_num'")], "alembic mine");
        check(&[("gorp_migrations", "id' applied_at")], "sql-migrate gorp_migrations");
    }

    #[test]
    fn what_might_be_anybodys_is_nobodys() {
        check(&[("documents", "version'"), ("jobs", "id' applied_at"), ("api", "id version")], "");
        check(&[("schema_migrations", "version id")], "");
    }
}
