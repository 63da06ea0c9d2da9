//! SQLite's catalog, one fact a line.

use super::lines::normal;
use super::{Facts, Halt, Server};
use sqlx::{Connection as _, Executor as _, Row as _, SqliteConnection};
use twostep::analysis::Step;
use twostep::dialect::Dialect;
use twostep::name::Name;
use twostep::schema::change::{ConstraintKind, ForeignKeyAction, Generation, Nullability};
use twostep::schema::model::{Schema, Table};

/// A database in memory.
pub struct Catalog {
    session: SqliteConnection,
    runtime: tokio::runtime::Runtime,
}

impl Catalog {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let session = runtime.block_on(SqliteConnection::connect("sqlite::memory:")).unwrap();
        let mut catalog = Self { session, runtime };
        catalog.runtime.block_on(catalog.session.execute("pragma foreign_keys = off")).unwrap();
        catalog
    }

    fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let rows = self.runtime.block_on(self.session.fetch_all(sqlx::raw_sql(sql))).unwrap();
        let texts = |row: &sqlx::sqlite::SqliteRow| (0..row.len()).map(|at| row.get(at)).collect();
        rows.iter().map(texts).collect()
    }
}

impl Server for Catalog {
    fn run(&mut self, steps: &[Step], transaction: bool) -> Result<(), Halt> {
        let session = &mut self.session;
        self.runtime.block_on(async {
            if transaction {
                session.execute("begin").await.unwrap();
            }
            for (done, step) in steps.iter().enumerate() {
                let sql = sqlx::AssertSqlSafe(step.sql.to_string());
                if let Err(error) = sqlx::raw_sql(sql).execute(&mut *session).await {
                    let _ = session.execute("rollback").await;
                    let done = if transaction { 0 } else { done };
                    return Err(Halt { done, error: error.to_string() });
                }
            }
            if transaction {
                session.execute("commit").await.unwrap();
            }
            Ok(())
        })
    }

    /// It prints defaults as they were written.
    fn printed_default(&mut self, _data_type: &str, _default: &str) -> Option<String> {
        None
    }

    fn model(&self, schema: &Schema) -> Facts {
        let mut facts = Facts::new();
        let temporary = |name: &Option<Name>| *name == Some(Schema::temporary());
        for (key, table) in schema.tables.iter().filter(|(key, _)| !temporary(&key.schema)) {
            facts.insert(format!("table {}", key.name.as_str().to_lowercase()), of_table(table));
        }
        for (key, _) in schema.views.iter().filter(|(key, _)| !temporary(&key.schema)) {
            facts.insert(format!("view {}", key.name.as_str().to_lowercase()), Vec::new());
        }
        facts
    }

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::new();
        for row in self.rows(CATALOG) {
            let [relation, line, expr] = row.as_slice() else { panic!("{row:?}") };
            let lines = facts.entry(relation.to_lowercase()).or_default();
            if !line.is_empty() {
                let expr = if expr.is_empty() { String::new() } else { default(expr) };
                lines.push(format!("{line}{expr}").to_lowercase());
            }
        }
        facts
    }
}

/// ` default …`; a NULL is none.
fn default(text: &str) -> String {
    let text = normal(text, Dialect::Sqlite);
    if text.eq_ignore_ascii_case("null") { String::new() } else { format!(" default {text}") }
}

fn of_table(table: &Table) -> Vec<String> {
    let key: Vec<&Name> = table.primary_key().map(|key| key.columns().iter().collect()).unwrap_or_default();
    let mut lines: Vec<String> = (table.columns.iter().enumerate())
        .map(|(at, column)| {
            let data_type = column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
            // Columns of a key may be NULL or not, whatever they say.
            let required = column.nullability == Nullability::NotNull && !key.contains(&&column.name);
            let computed = matches!(column.generation, Some(Generation::Expression { .. }));
            format!(
                "column {at} {} {}{}{}{}",
                column.name,
                data_type.replace([' ', '"'], ""),
                if required { " not null" } else { "" },
                if computed { " generated" } else { "" },
                column.default.as_ref().map(|expr| default(&expr.text)).unwrap_or_default()
            )
        })
        .collect();
    if !key.is_empty() {
        lines.push(format!("primary key ({})", names(&key)));
    }
    for constraint in &table.constraints {
        match &constraint.kind {
            // It makes no second index of the primary key.
            ConstraintKind::Unique(_) if constraint.columns().iter().eq(key.iter().copied()) => {}
            ConstraintKind::Unique(_) => {
                lines.push(format!("unique ({})", names(&constraint.columns().iter().collect::<Vec<_>>())));
            }
            ConstraintKind::ForeignKey(to) => lines.push(format!(
                "foreign key ({}) {} {} {}",
                names(&constraint.columns().iter().collect::<Vec<_>>()),
                to.references.name,
                action(to.on_delete),
                action(to.on_update)
            )),
            _ => {}
        }
    }
    let constrained = |name: &Name| table.constraints.iter().any(|one| one.name == *name);
    for index in table.indexes.iter().filter(|index| !constrained(&index.name)) {
        let elements: Vec<&str> =
            index.elements.iter().map(|one| one.column.as_ref().map_or("?", Name::as_str)).collect();
        lines.push(format!(
            "index {}{} ({}){}",
            index.name,
            if index.unique { " unique" } else { "" },
            elements.join(","),
            if index.predicate.is_some() { " where" } else { "" }
        ));
    }
    lines.extend(table.triggers.iter().map(|trigger| format!("trigger {}", trigger.definition.name)));
    lines.iter().map(|line| line.to_lowercase()).collect()
}

fn names(columns: &[&Name]) -> String {
    columns.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",")
}

fn action(action: ForeignKeyAction) -> &'static str {
    match action {
        ForeignKeyAction::NoAction => "no action",
        ForeignKeyAction::Restrict => "restrict",
        ForeignKeyAction::Cascade => "cascade",
        ForeignKeyAction::SetNull => "set null",
        ForeignKeyAction::SetDefault => "set default",
    }
}

/// Relation, line, default.
const CATALOG: &str = "
with t as (select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'
             and name not in (select s.name from sqlite_schema v join pragma_table_list s on s.type = 'shadow'))
select 'table ' || name, '', '' from t
union all select 'view ' || name, '', '' from sqlite_schema where type = 'view'
union all select 'table ' || t.name, 'column ' || c.cid || ' ' || c.name || ' ' || replace(c.type, ' ', '')
    || case when c.\"notnull\" and c.pk = 0 then ' not null' else '' end
    || case when c.hidden in (2, 3) then ' generated' else '' end, coalesce(c.dflt_value, '')
  from t, pragma_table_xinfo(t.name) c where c.hidden <> 1
union all select 'table ' || t.name, 'primary key (' || (select group_concat(name, ',') from
    (select c.name from pragma_table_xinfo(t.name) c where c.pk > 0 order by c.pk)) || ')', ''
  from t where exists (select 1 from pragma_table_xinfo(t.name) c where c.pk > 0)
union all select 'table ' || t.name, case i.origin when 'u' then 'unique (' else
    'index ' || i.name || case when i.\"unique\" then ' unique' else '' end || ' (' end
    || (select group_concat(coalesce(name, '?'), ',') from (select x.name from pragma_index_info(i.name) x order by x.seqno))
    || ')' || case when i.partial then ' where' else '' end, ''
  from t, pragma_index_list(t.name) i where i.origin <> 'pk'
union all select 'table ' || t.name, 'foreign key (' || (select group_concat(\"from\", ',') from
      (select x.\"from\" from pragma_foreign_key_list(t.name) x where x.id = f.id order by x.seq))
    || ') ' || f.\"table\" || ' ' || f.on_delete || ' ' || f.on_update, ''
  from t, pragma_foreign_key_list(t.name) f where f.seq = 0
union all select 'table ' || tbl_name, 'trigger ' || name, '' from sqlite_schema
  where type = 'trigger' and tbl_name in (select name from t)
";
