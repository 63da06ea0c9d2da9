//! Tables, views and sequences, with what belongs to them.

use super::{Context, DIALECT, Fields, columns, comment};
use crate::name::Name;
use crate::schema::catalog::{CatalogKind, ObjectText};
use std::collections::BTreeMap;

/// The rows of all tables, by table.
pub(super) struct Tables<'a> {
    context: Context<'a>,
    rows: BTreeMap<(&'a str, &'a str), Vec<Fields<'a>>>,
}

impl<'a> Tables<'a> {
    pub(super) fn of(rows: &[Fields<'a>], context: Context<'a>) -> Self {
        let mut by_table: BTreeMap<(&str, &str), Vec<Fields>> = BTreeMap::new();
        for row in rows {
            by_table.entry((row.text(0), row.text(1))).or_default().push(*row);
        }
        Self { context, rows: by_table }
    }

    fn rows(&self, tag: &'static str, table: &'a str) -> Vec<Fields<'a>> {
        self.rows.get(&(tag, table)).cloned().unwrap_or_default()
    }

    /// What there is to say of the relation of `row`.
    pub(super) fn take(&mut self, row: Fields<'a>) -> (CatalogKind, ObjectText) {
        let table = row.text(1);
        match row.text(2) {
            "VIEW" | "SYSTEM VIEW" => (CatalogKind::View, self.view(table)),
            "SEQUENCE" => (CatalogKind::Sequence, self.sequence(table)),
            form => (CatalogKind::Table, self.table(row, form)),
        }
    }

    fn table(&self, row: Fields<'a>, form: &str) -> ObjectText {
        let table = row.text(1);
        let collation = row.text(4);
        let mut properties = vec![format!("engine {}, collate {collation}", row.text(3))];
        properties.extend((form == "SYSTEM VERSIONED").then(|| "with system versioning".to_owned()));
        let mut options: Vec<&str> = row.text(5).split(' ').filter(|word| !word.is_empty()).collect();
        // Its partitions say so.
        options.retain(|word| *word != "partitioned");
        options.sort_unstable();
        properties.extend((!options.is_empty()).then(|| format!("options {}", options.join(" "))));
        properties.extend(partitions(&self.rows("partition", table)));
        properties.extend(comment(row.text(6)));
        let mut parts = indexes(&self.rows("index", table));
        parts.extend(self.references(table));
        let mut checks: Vec<String> = self.rows("check", table).into_iter().map(check).collect();
        checks.sort_unstable();
        parts.extend(checks);
        parts.extend(self.triggers(table));
        ObjectText { properties, columns: self.columns(table, collation), parts }
    }

    fn columns(&self, table: &'a str, collation: &str) -> Vec<String> {
        let mut rows = self.rows("column", table);
        rows.sort_by_key(|row| row.number(2));
        rows.into_iter().map(|row| columns::column(row, collation)).collect()
    }

    fn view(&self, table: &'a str) -> ObjectText {
        let mut properties = Vec::new();
        for row in self.rows("view", table) {
            properties.extend(
                (row.text(3) != "NONE").then(|| format!("check option {}", row.text(3).to_lowercase())),
            );
            properties.extend((row.text(4) != "DEFINER").then(|| "sql security invoker".to_owned()));
            properties.extend(self.context.definer(row.text(5)));
            properties.push(format!("as\n{}", self.context.without_database(row.text(2))));
        }
        // A view's columns have no collation of a table to be told apart from.
        ObjectText { properties, columns: self.columns(table, ""), parts: Vec::new() }
    }

    fn sequence(&self, table: &'a str) -> ObjectText {
        let properties = self.rows("sequence", table).into_iter().map(|row| {
            format!(
                "minvalue {} maxvalue {} start {} increment {} cache {}{}",
                row.text(2),
                row.text(3),
                row.text(4),
                row.text(5),
                row.text(6),
                if row.text(7) == "0" { "" } else { " cycle" }
            )
        });
        ObjectText { properties: properties.collect(), ..ObjectText::default() }
    }

    /// Foreign keys. `RESTRICT` and `NO ACTION` are the same, and what holds without a word
    /// (<https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html>).
    fn references(&self, table: &'a str) -> Vec<String> {
        let mut by_name: BTreeMap<&str, Vec<Fields>> = BTreeMap::new();
        for row in self.rows("reference", table) {
            by_name.entry(row.text(2)).or_default().push(row);
        }
        let one = |(name, mut rows): (&str, Vec<Fields<'a>>)| {
            rows.sort_by_key(|row| row.number(3));
            let list =
                |column: usize| rows.iter().map(|row| shown(row.text(column))).collect::<Vec<_>>().join(", ");
            let first = rows.first().copied().unwrap_or(Fields(&[]));
            let schema = first.text(5);
            let schema =
                if schema == self.context.database { String::new() } else { format!("{}.", shown(schema)) };
            let rule = |event: &str, rule: &str| match rule {
                "RESTRICT" | "NO ACTION" => String::new(),
                rule => format!(" {event} {}", rule.to_lowercase()),
            };
            format!(
                "constraint {} foreign key ({}) references {schema}{} ({}){}{}",
                shown(name),
                list(4),
                shown(first.text(6)),
                list(7),
                rule("on delete", first.text(9)),
                rule("on update", first.text(8)),
            )
        };
        by_name.into_iter().map(one).collect()
    }

    fn triggers(&self, table: &'a str) -> Vec<String> {
        let mut rows = self.rows("trigger", table);
        rows.sort_by_key(|row| (row.text(3), row.text(4), row.number(5)));
        rows.into_iter()
            .map(|row| {
                let definer = self
                    .context
                    .definer(row.text(7))
                    .map(|definer| format!(" {definer}"))
                    .unwrap_or_default();
                format!(
                    "trigger {} {} {} (number {}){definer}\n{}",
                    shown(row.text(2)),
                    row.text(3).to_lowercase(),
                    row.text(4).to_lowercase(),
                    row.text(5),
                    row.text(6)
                )
            })
            .collect()
    }
}

fn shown(name: &str) -> String {
    Name::new(name).shown(DIALECT)
}

fn check(row: Fields<'_>) -> String {
    let enforced = if row.text(4) == "NO" { " not enforced" } else { "" };
    let expression = columns::plain_expression(row.text(3));
    // What MariaDB adds to a json column has the name that this one had first, whatever it is called now.
    let json = expression.strip_prefix("json_valid(`").and_then(|rest| rest.strip_suffix("`)"));
    let name = json.filter(|_| row.text(5) == "Column").unwrap_or(row.text(2));
    format!("constraint {} check ({expression}){enforced}", shown(name))
}

/// Indexes by name, the primary key first.
fn indexes(rows: &[Fields<'_>]) -> Vec<String> {
    let mut by_name: BTreeMap<(bool, &str), Vec<Fields>> = BTreeMap::new();
    for row in rows {
        by_name.entry((row.text(2) != "PRIMARY", row.text(2))).or_default().push(*row);
    }
    let one = |((_, name), mut rows): ((bool, &str), Vec<Fields<'_>>)| {
        rows.sort_by_key(|row| row.number(3));
        let keys: Vec<String> = rows
            .iter()
            .map(|row| {
                let of = row.get(10).map_or_else(
                    || shown(row.text(5)),
                    |expression| format!("({})", columns::plain_expression(expression)),
                );
                let length = row.get(7).map(|length| format!("({length})")).unwrap_or_default();
                let order = if row.text(6) == "D" { " desc" } else { "" };
                format!("{of}{length}{order}")
            })
            .collect();
        let first = rows.first().copied().unwrap_or(Fields(&[]));
        let head = match (name, first.text(4)) {
            ("PRIMARY", _) => "primary key".to_owned(),
            (name, "0") => format!("index {} unique", shown(name)),
            (name, _) => format!("index {}", shown(name)),
        };
        let method = match first.text(8) {
            "BTREE" => String::new(),
            method => format!(" {}", method.to_lowercase()),
        };
        let hidden = if first.text(11) == "1" { " ignored" } else { "" };
        let note = comment(first.text(9)).map(|note| format!("\n{note}")).unwrap_or_default();
        format!("{head}{method} ({}){hidden}{note}", keys.join(", "))
    };
    by_name.into_iter().map(one).collect()
}

/// How a table is divided, and its partitions in their order.
fn partitions(rows: &[Fields<'_>]) -> Option<String> {
    let first = rows.first()?;
    let mut text = format!("partition by {} ({})", first.text(4).to_lowercase(), first.text(5));
    if let Some(method) = first.get(7) {
        text.push_str(&format!(" subpartition by {} ({})", method.to_lowercase(), first.text(8)));
    }
    for row in rows {
        text.push_str(&format!("\npartition {}", shown(row.text(3))));
        if let Some(values) = row.get(6) {
            text.push_str(&format!(" values {values}"));
        }
        if let Some(subpartition) = row.get(9) {
            text.push_str(&format!(" subpartition {}", shown(subpartition)));
        }
    }
    Some(text)
}
