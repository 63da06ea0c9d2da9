//! What columns shall hold in rows that do not give them: said by `--fill`, or by an UPDATE of the migration itself.

use crate::analysis::Step;
use crate::engine;
use crate::engine::proposal::Given;
use crate::engine::update::update_parts;
use crate::name::{Name, TableName};
use crate::schema::change::{ChangeKind, Nullability, TableAction};
use crate::schema::model::Schema;

/// What the migration itself fills: an UPDATE of one column, without a second one, that is made NOT NULL behind it. Gives the
/// fills, and the statements that are them.
pub(super) fn own_fills(steps: &[Step]) -> (Given, Vec<usize>) {
    let mut given = Given::default();
    let mut statements = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let [applied] = step.changes.as_slice() else { continue };
        let ChangeKind::Update(update) = &applied.change.kind else { continue };
        let dialect = applied.before.dialect;
        let Some(parts) = update_parts(&step.sql, dialect) else { continue };
        let Some((column, expression)) = parts.only_assignment(&step.sql, dialect) else { continue };
        let Some(table) = applied.before.relation_key(&update.table) else { continue };
        let writes = |step: &Step| {
            step.changes.iter().any(|one| match &one.change.kind {
                ChangeKind::Update(update) => {
                    update.set.contains(&column)
                        && one.before.relation_key(&update.table).as_ref() == Some(&table)
                }
                _ => false,
            })
        };
        let requires = |step: &Step| {
            step.changes.iter().any(|one| match &one.change.kind {
                ChangeKind::AlterTable(alter) => {
                    is_required(&alter.action, &column)
                        && one.before.relation_key(&alter.table).as_ref() == Some(&table)
                }
                _ => false,
            })
        };
        if steps.iter().filter(|step| writes(step)).count() == 1 && steps[at..].iter().any(requires) {
            given.fills.push((table, column, expression.to_owned()));
            statements.push(at);
        }
    }
    (given, statements)
}

/// Whether an action makes `column` NOT NULL.
fn is_required(action: &TableAction, column: &Name) -> bool {
    match action {
        TableAction::SetNotNull { column: of } => of == column,
        TableAction::ChangeColumn { from, column: to, .. } => {
            from == column && to.name == *column && to.nullability == Nullability::NotNull
        }
        _ => false,
    }
}

/// What `--fill` says, as the statements that a plain migration would need for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filled {
    /// In front of it: what is NULL in columns that are there.
    pub before: Vec<String>,
    /// Behind it: columns that it adds.
    pub behind: Vec<String>,
}

impl Filled {
    /// Of these fills, where `schema` is what there is before the migration.
    pub(super) fn of(fills: &[(TableName, Name, String)], schema: &Schema) -> Self {
        let dialect = schema.dialect;
        let mut filled = Self::default();
        for (table, column, expression) in fills {
            let id = column.readable(dialect);
            let name = table.name.readable(dialect);
            let other = table.schema.as_ref().filter(|of| **of != schema.home());
            let of = other.map_or(name.clone(), |of| format!("{}.{name}", of.readable(dialect)));
            let update = format!("UPDATE {of} SET {id} = {expression}");
            if schema.table(table).is_some_and(|table| table.column(column).is_some()) {
                filled.before.push(format!("{update} WHERE {id} IS NULL;"));
            } else {
                filled.behind.push(format!("{update};"));
            }
        }
        filled
    }
}

/// A `--fill`: `table.column=expression`.
pub fn parse_fill(text: &str, schema: &Schema) -> Result<(TableName, Name, String), String> {
    let wrong = || format!("`{text}` is not of the form table.column=expression");
    let (names, expression) = text.split_once('=').ok_or_else(wrong)?;
    let dialect = schema.dialect;
    let name = |part: &str| {
        let part = part.trim();
        if part.starts_with(['"', '`']) {
            engine::update::unquoted(part)
        } else {
            Name::unquoted(part, dialect)
        }
    };
    let parts: Vec<&str> = names.split('.').collect();
    let (table, column) = match parts.as_slice() {
        [table, column] => (TableName::bare(name(table)), name(column)),
        [of, table, column] => (TableName::qualified(name(of), name(table)), name(column)),
        _ => return Err(wrong()),
    };
    if expression.trim().is_empty() {
        return Err(wrong());
    }
    let table = schema.relation_key(&table).unwrap_or_else(|| schema.new_key(&table));
    Ok((table, column, expression.trim().to_owned()))
}
