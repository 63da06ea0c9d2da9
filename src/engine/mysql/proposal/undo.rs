//! What takes a change back that is good as it stands.

use super::{asked, definition};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Given, Undo};
use crate::engine::version::ServerVersion;
use crate::name::Name;
use crate::schema::apply::apply;
use crate::schema::change::*;
use crate::schema::model::Schema;

/// What takes `change` back; none where that is not known.
pub fn undo(change: &Change, before: &Schema, server: ServerVersion) -> Option<Undo> {
    let given = Given::default();
    let nobody = crate::name::TableName::default();
    let name = super::named(change).unwrap_or(&nobody);
    let table = before.table(name).map(|table| &**table);
    let about = About { schema: before, name, table, server, given: &given, change, text: "" };
    let one = |sql: String| Some(Undo::Together(vec![sql]));
    match &change.kind {
        ChangeKind::CreateTable(create)
            if !create.if_not_exists || before.relation(&create.table).is_none() =>
        {
            one(format!("DROP TABLE {}", about.sql_of(&create.table)))
        }
        ChangeKind::CreateView(create) if before.relation(&create.name).is_none() => {
            one(format!("DROP VIEW {}", about.sql_of(&create.name)))
        }
        ChangeKind::CreateTrigger(create) if !create.or_replace => {
            let schema = create.table.schema.clone();
            let name = crate::name::TableName { schema, name: create.name.clone() };
            one(format!("DROP TRIGGER {}", about.sql_of(&name)))
        }
        ChangeKind::CreateRoutine(create) if before.routines(&create.name).is_empty() => {
            let kind = if create.kind == RoutineKind::Procedure { "PROCEDURE" } else { "FUNCTION" };
            one(format!("DROP {kind} {}", about.sql_of(&create.name)))
        }
        ChangeKind::CreateIndex(create) => index(&about, create),
        ChangeKind::Grant(_) | ChangeKind::Analyze { .. } | ChangeKind::Optimize { .. } => {
            Some(Undo::Nothing)
        }
        ChangeKind::AlterTable(alter) => of_alter(&about, &alter.action),
        _ => None,
    }
}

/// The name that the server gives a constraint.
pub(super) fn constraint_name(about: &About<'_>, constraint: &Constraint) -> Option<Name> {
    if let Some(name) = &constraint.name {
        return Some(name.clone());
    }
    let mut after = about.schema.clone();
    apply(&mut after, about.change);
    let known = |name: &Name| about.table.is_some_and(|table| table.constraint(name).is_some());
    let table = after.table(about.name)?;
    table.constraints.iter().map(|one| &one.name).find(|name| !known(name)).cloned()
}

/// The indexes that the change brings.
pub(super) fn new_indexes(about: &About<'_>) -> Vec<Name> {
    let mut after = about.schema.clone();
    apply(&mut after, about.change);
    let known = |name: &Name| about.table.is_some_and(|table| table.index(name).is_some());
    let table = after.table(about.name);
    let indexes = table.map_or(&[][..], |table| &table.indexes).iter().map(|one| one.name.clone());
    indexes.filter(|name| !known(name)).collect()
}

/// What drops an index, under the name that the server gives it.
fn index(about: &About<'_>, create: &CreateIndex) -> Option<Undo> {
    let name = match &create.name {
        Some(name) => name.clone(),
        None => new_indexes(about).into_iter().next()?,
    };
    Some(Undo::Together(vec![format!("DROP INDEX {} ON {}", about.id(&name), about.sql())]))
}

fn of_alter(about: &About<'_>, action: &TableAction) -> Option<Undo> {
    let table = about.sql();
    let one = |rest: String| {
        let sql = format!("ALTER TABLE {table} {rest}");
        Some(Undo::Together(vec![asked::asked(&sql, about.schema, about.server)]))
    };
    match action {
        TableAction::AddColumn { column, if_not_exists: false, .. } => {
            Some(Undo::Together(vec![format!("ALTER TABLE {table} DROP COLUMN {}", about.id(&column.name))]))
        }
        TableAction::SetDefault { column, .. } | TableAction::DropDefault { column } => {
            let name = about.id(column);
            match &about.column(column)?.default {
                Some(default) => one(format!("ALTER COLUMN {name} SET DEFAULT {}", default.text)),
                None => one(format!("ALTER COLUMN {name} DROP DEFAULT")),
            }
        }
        TableAction::SetColumnVisible { column, visible } => {
            let word = if *visible { "INVISIBLE" } else { "VISIBLE" };
            one(format!("ALTER COLUMN {} SET {word}", about.id(column)))
        }
        TableAction::AddIndex(create) => index(about, create),
        TableAction::RenameIndex { from, to } => Some(Undo::Together(vec![format!(
            "ALTER TABLE {table} RENAME INDEX {} TO {}",
            about.id(to),
            about.id(from)
        )])),
        TableAction::SetIndexVisible { name, visible } => {
            let word = match (about.server.product, visible) {
                (crate::engine::version::Product::Mariadb, true) => "IGNORED",
                (crate::engine::version::Product::Mariadb, false) => "NOT IGNORED",
                (_, true) => "INVISIBLE",
                (_, false) => "VISIBLE",
            };
            one(format!("ALTER INDEX {} {word}", about.id(name)))
        }
        TableAction::AddConstraint { constraint, .. } => {
            let name = about.id(&constraint_name(about, constraint)?);
            let what = match (&constraint.kind, about.server.product) {
                (ConstraintKind::Unique(_), _) => format!("DROP INDEX {name}"),
                (ConstraintKind::ForeignKey(_), _) => format!("DROP FOREIGN KEY {name}"),
                (ConstraintKind::Check(_), crate::engine::version::Product::Mysql) => {
                    format!("DROP CHECK {name}")
                }
                (ConstraintKind::Check(_), _) => format!("DROP CONSTRAINT {name}"),
                _ => return None,
            };
            Some(Undo::Together(vec![format!("ALTER TABLE {table} {what}")]))
        }
        TableAction::DropConstraint { name, .. } => {
            let known = about.table?.constraint(name)?;
            let clause = definition::constraint(about, known)?;
            let add = format!("ALTER TABLE {table} ADD CONSTRAINT {} {clause}", about.id(name));
            match &known.kind {
                ConstraintKind::ForeignKey(_) => Some(Undo::Together(vec![
                    "SET SESSION foreign_key_checks = 0".to_owned(),
                    add,
                    "SET SESSION foreign_key_checks = 1".to_owned(),
                ])),
                _ => Some(Undo::Together(vec![add])),
            }
        }
        TableAction::SetOptions { .. } | TableAction::Rebuild => Some(Undo::Nothing),
        _ => None,
    }
}
