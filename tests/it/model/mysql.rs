//! MariaDB's catalog, one fact a line.

use super::lines::normal;
use super::{Facts, Halt, Server};
use crate::servers::mariadb::{Database, MariaDb};
use sqlx::{Connection as _, MySqlConnection};
use twostep::analysis::Step;
use twostep::dialect::Dialect;
use twostep::name::Name;
use twostep::schema::change::{ConstraintKind, DataType, ForeignKeyAction, Generation, Nullability};
use twostep::schema::model::{Schema, Table};

/// A database of its own.
pub struct Catalog {
    database: Database<'static>,
    runtime: tokio::runtime::Runtime,
}

impl Catalog {
    pub fn new(server: &'static MariaDb) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { database: server.fresh_database(), runtime }
    }
}

impl Server for Catalog {
    fn run(&mut self, steps: &[Step], _transaction: bool) -> Result<(), Halt> {
        let url = self.database.url();
        self.runtime.block_on(async {
            let mut session = MySqlConnection::connect(&url).await.unwrap();
            // Some projects refer to tables that come later, and their runners switch this off.
            sqlx::raw_sql("set foreign_key_checks = 0").execute(&mut session).await.unwrap();
            for (done, step) in steps.iter().enumerate() {
                let sql = sqlx::AssertSqlSafe(step.sql.to_string());
                if let Err(error) = sqlx::raw_sql(sql).execute(&mut session).await {
                    // Each schema change has committed by itself.
                    return Err(Halt { done, error: error.to_string() });
                }
            }
            let _ = session.close().await;
            Ok(())
        })
    }

    /// Literals are compared by their values.
    fn printed_default(&mut self, _data_type: &str, _default: &str) -> Option<String> {
        None
    }

    fn model(&self, schema: &Schema) -> Facts {
        let mut facts = Facts::new();
        let temporary = |name: &Option<Name>| *name == Some(Schema::temporary());
        for (key, table) in schema.tables.iter().filter(|(key, _)| !temporary(&key.schema)) {
            facts.insert(format!("table {}", key.name.as_str().to_lowercase()), of_table(table));
        }
        for (key, _) in schema.views.iter() {
            facts.insert(format!("view {}", key.name.as_str().to_lowercase()), Vec::new());
        }
        facts
    }

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::new();
        let name = self.database.name.clone();
        for line in self.database.mysql(&CATALOG.replace("DATABASE", &name)).lines() {
            let row: Vec<&str> = line.split('\t').collect();
            let [relation, line, data_type, expr] = row.as_slice() else { panic!("{row:?}") };
            let lines = facts.entry(relation.to_lowercase()).or_default();
            if !line.is_empty() {
                let data_type = if data_type.is_empty() { String::new() } else { kind(data_type) };
                let expr = if expr.is_empty() { String::new() } else { default(expr) };
                lines.push(line.replace('\u{1}', &data_type).to_lowercase() + &expr);
            }
        }
        facts
    }
}

/// ` default …`; a NULL is none.
fn default(text: &str) -> String {
    let text = normal(text, Dialect::Mysql).to_lowercase();
    let text = match text.as_str() {
        "null" => return String::new(),
        "true" => "1",
        "false" => "0",
        // Of `CURRENT_TIMESTAMP(6)` and the like.
        other => other.trim_start_matches("b "),
    };
    // `0.00` and `0` are one number.
    let number = text.parse::<f64>().map(|number| number.to_string());
    format!(" default {}", number.as_deref().unwrap_or(text))
}

/// A type as the catalog would print it: display widths say nothing, and some names are others' aliases.
fn kind(text: &str) -> String {
    let text = text.to_lowercase().replace(", ", ",");
    let (name, rest) = text.split_at(text.find(['(', ' ']).unwrap_or(text.len()));
    let name = match name {
        "integer" => "int",
        "boolean" | "bool" => "tinyint",
        "numeric" => "decimal",
        "json" => "longtext",
        "character" => "char",
        "double" => return "double".to_owned() + if rest.contains("unsigned") { " unsigned" } else { "" },
        other => other,
    };
    let width = rest.starts_with('(') && (name.ends_with("int") || name == "year");
    let rest = if width { &rest[rest.find(')').map_or(0, |at| at + 1)..] } else { rest };
    match (name, rest) {
        ("decimal", "") => "decimal(10,0)".to_owned(),
        // A length only chooses among the four.
        ("text" | "blob", rest) if rest.starts_with('(') => name.to_owned(),
        ("char" | "bit" | "binary", "") => format!("{name}(1)"),
        ("decimal", rest) if !rest.contains(',') => format!("decimal{}", rest.replacen(')', ",0)", 1)),
        _ => format!("{name}{rest}"),
    }
}

/// A type of the model; it keeps labels without their quotes.
fn shown(data_type: &DataType) -> String {
    if matches!(data_type.name.as_str(), "enum" | "set") {
        let labels: Vec<String> = data_type.arguments.iter().map(|label| format!("'{label}'")).collect();
        return format!("{}({})", data_type.name, labels.join(",")).to_lowercase();
    }
    kind(&data_type.to_string())
}

fn of_table(table: &Table) -> Vec<String> {
    let mut lines: Vec<String> = (table.columns.iter().enumerate())
        .map(|(at, column)| {
            let data_type = column.data_type.as_ref().map(shown).unwrap_or_default();
            let (required, auto) = (
                column.nullability == Nullability::NotNull,
                column.generation == Some(Generation::AutoIncrement),
            );
            let computed = matches!(column.generation, Some(Generation::Expression { .. }));
            format!(
                "column {} {} {data_type}{}{}{}{}",
                at + 1,
                column.name.as_str().to_lowercase(),
                if required { " not null" } else { "" },
                if auto { " auto_increment" } else { "" },
                if computed { " generated" } else { "" },
                column.default.as_ref().map(|expr| default(&expr.text)).unwrap_or_default()
            )
        })
        .collect();
    for index in &table.indexes {
        let elements: Vec<String> = (index.elements.iter())
            .map(|one| {
                let prefix = one.prefix.map(|length| format!("({length})")).unwrap_or_default();
                format!("{}{prefix}", one.column.as_ref().map_or("?", Name::as_str))
            })
            .collect();
        lines.push(format!(
            "index {}{} ({})",
            index.name,
            if index.unique { " unique" } else { "" },
            elements.join(",")
        ));
    }
    for constraint in &table.constraints {
        let columns: Vec<&str> = constraint.columns().iter().map(Name::as_str).collect();
        if let ConstraintKind::ForeignKey(to) = &constraint.kind {
            let others: Vec<&str> = to.referenced_columns.iter().map(Name::as_str).collect();
            lines.push(format!(
                "foreign key {} ({}) {} ({}) {} {}",
                constraint.name,
                columns.join(","),
                to.references.name,
                others.join(","),
                action(to.on_delete),
                action(to.on_update)
            ));
        }
    }
    lines.extend(table.triggers.iter().map(|trigger| format!("trigger {}", trigger.definition.name)));
    let lowered = |line: String| if line.starts_with("column") { line } else { line.to_lowercase() };
    lines.into_iter().map(lowered).collect()
}

/// The server does not tell RESTRICT and NO ACTION apart.
fn action(action: ForeignKeyAction) -> &'static str {
    match action {
        ForeignKeyAction::NoAction | ForeignKeyAction::Restrict => "restrict",
        ForeignKeyAction::Cascade => "cascade",
        ForeignKeyAction::SetNull => "set null",
        ForeignKeyAction::SetDefault => "set default",
    }
}

/// Relation, line, type, default.
const CATALOG: &str = "
select concat(if(table_type = 'VIEW', 'view ', 'table '), table_name), '', '', '' from information_schema.tables
  where table_schema = 'DATABASE' and table_type in ('BASE TABLE', 'VIEW')
union all select concat('table ', c.table_name), concat('column ', c.ordinal_position, ' ', c.column_name, ' ', char(1 using utf8mb4),
    if(c.is_nullable = 'NO', ' not null', ''), if(c.extra like '%auto_increment%', ' auto_increment', ''),
    if(c.is_generated = 'ALWAYS', ' generated', '')), c.column_type, coalesce(c.column_default, '')
  from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
  where c.table_schema = 'DATABASE' and t.table_type = 'BASE TABLE'
union all select concat('table ', table_name), concat('index ', index_name, if(min(non_unique) = 0, ' unique', ''), ' (',
    group_concat(concat(coalesce(column_name, '?'), if(sub_part is null, '', concat('(', sub_part, ')'))) order by seq_in_index), ')'), '', ''
  from information_schema.statistics where table_schema = 'DATABASE' group by table_name, index_name
union all select concat('table ', r.table_name), concat('foreign key ', r.constraint_name, ' (',
    group_concat(k.column_name order by k.ordinal_position), ') ', r.referenced_table_name, ' (',
    group_concat(k.referenced_column_name order by k.ordinal_position), ') ',
    if(r.delete_rule = 'NO ACTION', 'RESTRICT', r.delete_rule), ' ', if(r.update_rule = 'NO ACTION', 'RESTRICT', r.update_rule)), '', ''
  from information_schema.referential_constraints r join information_schema.key_column_usage k
    on k.constraint_schema = r.constraint_schema and k.constraint_name = r.constraint_name and k.table_name = r.table_name
  where r.constraint_schema = 'DATABASE' group by r.table_name, r.constraint_name, r.referenced_table_name, r.delete_rule, r.update_rule
union all select concat('table ', event_object_table), concat('trigger ', trigger_name), '', ''
  from information_schema.triggers where trigger_schema = 'DATABASE'
";
