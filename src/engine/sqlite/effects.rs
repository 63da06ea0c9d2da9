//! What a change does to everyone else on SQLite: there is one writer for the whole database, so what counts is how
//! long it writes (<https://www.sqlite.org/lang_altertable.html>). `tests/it/effects_sqlite.rs` asks SQLite whether it is
//! true: how many pages a statement writes, and who is kept from what until it commits.

use crate::engine::effects::{Effects, Lock, RelationEffect, Role, Work};
use crate::name::TableName;
use crate::schema::change::*;
use crate::schema::model::Schema;

/// The lock of the only writer, on the whole database: others read on where the journal is in WAL mode; else they wait
/// while the transaction commits (<https://www.sqlite.org/lockingv3.html>).
pub const WRITER: Lock =
    Lock { name: "WRITE LOCK", strength: 1, blocks_reads: false, blocks_writes: true, blocks_ddl: true };

/// What `change` does to others, given the schema `before` it.
pub fn effects(change: &Change, before: &Schema) -> Effects {
    let Some((table, work)) = work(&change.kind, before) else { return Effects::default() };
    let relation = before.relation_key(&table).unwrap_or_else(|| before.new_key(&table));
    Effects {
        relations: vec![RelationEffect { relation, role: Role::Target, lock: WRITER, work }],
        manual: match change.kind {
            ChangeKind::AlterTable(_) => "https://www.sqlite.org/lang_altertable.html",
            _ => "https://www.sqlite.org/lockingv3.html",
        },
        ..Effects::default()
    }
}

/// The table that a change writes, and how much of it.
fn work(kind: &ChangeKind, before: &Schema) -> Option<(TableName, Work)> {
    Some(match kind {
        ChangeKind::AlterTable(alter) => (alter.table.clone(), altered(alter, before)),
        ChangeKind::CreateIndex(create) => {
            let there = create.name.as_ref().is_some_and(|name| {
                before.table(&create.table).is_some_and(|table| table.index(name).is_some())
            });
            let work = if create.if_not_exists && there { Work::Catalog } else { Work::IndexBuild };
            (create.table.clone(), work)
        }
        ChangeKind::Drop(drop) => match drop.object {
            ObjectKind::Table => (drop.name.clone(), Work::Catalog),
            ObjectKind::Index => (before.index(&drop.name)?.0.name.clone(), Work::Catalog),
            _ => return None,
        },
        ChangeKind::Reindex(reindex) => (reindex.name.clone()?, Work::IndexBuild),
        ChangeKind::Insert(insert) => (insert.table.clone(), Work::Rows),
        ChangeKind::Update(update) => (update.table.clone(), Work::Rows),
        ChangeKind::Delete(delete) => (delete.table.clone(), Work::Rows),
        _ => return None,
    })
}

fn altered(alter: &AlterTable, before: &Schema) -> Work {
    match &alter.action {
        TableAction::AddColumn { column, .. } => {
            let checked = column.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::Check(_)));
            let computed = matches!(column.generation, Some(Generation::Expression { .. }));
            let required = column.nullability == Nullability::NotNull;
            if checked || computed && required { Work::Scan } else { Work::Catalog }
        }
        TableAction::DropColumn { column, .. } => {
            let known = before.table(&alter.table).and_then(|table| table.column(column));
            let generation = known.and_then(|column| column.generation.as_ref());
            match generation {
                Some(Generation::Expression { stored: false, .. }) => Work::Catalog,
                _ => Work::Rewrite,
            }
        }
        _ => Work::Catalog,
    }
}

/// Why SQLite refuses `change`, given the schema `before` it, as far as that is certain.
/// <https://www.sqlite.org/lang_altertable.html#altertabaddcol>, `#altertabdropcol`
pub fn refuses(change: &Change, before: &Schema) -> Option<String> {
    let (alter, action) = change.table_action()?;
    match action {
        TableAction::AddColumn { column, .. } => {
            let has =
                |wanted: fn(&ConstraintKind) -> bool| column.constraints.iter().any(|one| wanted(&one.kind));
            if has(|kind| matches!(kind, ConstraintKind::PrimaryKey(_))) {
                return Some("a column that is added cannot be a PRIMARY KEY".to_owned());
            }
            if has(|kind| matches!(kind, ConstraintKind::Unique(_))) {
                return Some("a column that is added cannot be UNIQUE".to_owned());
            }
            added_to_rows(column)
        }
        TableAction::DropColumn { column, .. } => {
            let table = before.table(&alter.table)?;
            let found = table.column(column)?;
            if table.columns.len() == 1 && table.is_complete() {
                return Some("it is the only column of its table".to_owned());
            }
            let key = table
                .primary_key()
                .is_some_and(|key| key.columns().iter().any(|one| table.same(one, column)));
            if key {
                return Some("a column of the primary key cannot be dropped".to_owned());
            }
            let unique = table.constraints.iter().find(|constraint| {
                matches!(constraint.kind, ConstraintKind::Unique(_))
                    && constraint.columns().iter().any(|one| table.same(one, &found.name))
            });
            if unique.is_some() {
                return Some("a column of a UNIQUE constraint cannot be dropped".to_owned());
            }
            if let Some(index) = table.indexes.iter().find(|index| index.uses(&found.name)) {
                return Some(format!("index `{}` uses it: DROP INDEX first", index.name));
            }
            // Of several relations that a view reads, the name may be another's.
            let mut views = before.views_of(&table.name).map(|(view, _)| view);
            let view = views.find(|view| {
                view.reads.len() == 1 && view.query.columns.iter().any(|name| table.same(name, &found.name))
            })?;
            Some(format!("view `{}` reads it: DROP VIEW first, and make it anew behind", view.name.name))
        }
        TableAction::RenameTable { .. } | TableAction::RenameColumn { .. } => None,
        _ => Some("it renames tables and columns, and adds and drops columns, nothing else".to_owned()),
    }
}

/// What keeps a column from being added to a table that has rows.
fn added_to_rows(column: &ColumnDef) -> Option<String> {
    if matches!(column.generation, Some(Generation::Expression { stored: true, .. })) {
        return Some("a STORED column cannot be added to a table with rows; VIRTUAL can".to_owned());
    }
    let default = column.default.as_ref()?;
    let word = default.text.trim().to_ascii_uppercase();
    let now = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"].contains(&word.as_str());
    let number = word.trim_matches(['(', ')', ' ', '-', '+']).parse::<f64>().is_ok();
    let computed = word.starts_with('(') && default.literal.is_none() && !number;
    (now || computed).then(|| {
        format!(
            "a column with the default `{}`, which is no constant, cannot be added to a table with rows",
            default.text
        )
    })
}
