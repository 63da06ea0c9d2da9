//! Whether changes break the code that was written before them: what the history remembers of a migration, so that
//! a rollback of the code behind it can be judged.

use super::change::TypeAction;
use super::change::{
    AlterTable, Change, ChangeKind, ConstraintKind, DropObject, Nullability, ObjectKind, TableAction,
};
use std::collections::BTreeSet;

/// Whether a migration breaks the code that was written before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreaksOlder {
    /// It only adds what older code does not see.
    No,
    /// Its statements were not understood, depend on the rows, or came from another tool.
    Unknown,
    /// It takes away, renames or narrows something.
    Yes,
}

impl BreaksOlder {
    /// The word in the history.
    pub const fn id(self) -> &'static str {
        match self {
            BreaksOlder::Yes => "yes",
            BreaksOlder::No => "no",
            BreaksOlder::Unknown => "unknown",
        }
    }
}

/// Judges the changes of one migration, in order. What it makes itself, it may also change and drop.
pub fn breaks_older<'a>(changes: impl IntoIterator<Item = &'a Change>) -> BreaksOlder {
    let mut made: BTreeSet<String> = BTreeSet::new();
    let mut answer = BreaksOlder::No;
    for change in changes {
        let found = match &change.kind {
            ChangeKind::CreateTable(create) => {
                if !create.if_not_exists {
                    made.insert(create.table.to_string());
                }
                BreaksOlder::No
            }
            ChangeKind::CreateView(create) if !create.or_replace => {
                made.insert(create.name.to_string());
                BreaksOlder::No
            }
            ChangeKind::AlterTable(alter) if made.contains(&alter.table.to_string()) => BreaksOlder::No,
            ChangeKind::AlterTable(alter) => of_alter(alter),
            ChangeKind::CreateIndex(create) if create.unique && !made.contains(&create.table.to_string()) => {
                BreaksOlder::Unknown
            }
            ChangeKind::Drop(drop) if made.contains(&drop.name.to_string()) => BreaksOlder::No,
            ChangeKind::Drop(drop) => of_drop(drop),
            ChangeKind::Rename(rename) => of_rename(rename.object),
            ChangeKind::AlterType { action, .. } => of_type(action),
            ChangeKind::CreateRoutine(create) if create.or_replace => BreaksOlder::Unknown,
            ChangeKind::SetSchema { .. } => BreaksOlder::Yes,
            ChangeKind::CreateRoutine(_)
            | ChangeKind::CreateIndex(_)
            | ChangeKind::AlterIndex { .. }
            | ChangeKind::Reindex(_)
            | ChangeKind::RefreshMaterializedView { .. }
            | ChangeKind::CreateSequence { .. }
            | ChangeKind::CreateType { .. }
            | ChangeKind::CreateDomain(_)
            | ChangeKind::CreateSchema { .. }
            | ChangeKind::CreateExtension(_)
            | ChangeKind::CreateOther { .. }
            | ChangeKind::Comment { .. }
            | ChangeKind::Grant(_)
            | ChangeKind::Insert(_)
            | ChangeKind::Update(_)
            | ChangeKind::Copy(_)
            | ChangeKind::Merge(_)
            | ChangeKind::Select(_)
            | ChangeKind::LockTable(_)
            | ChangeKind::Vacuum(_)
            | ChangeKind::Analyze { .. }
            | ChangeKind::Cluster { .. }
            | ChangeKind::Optimize { .. }
            | ChangeKind::SetVariable(_)
            | ChangeKind::Transaction(_)
            | ChangeKind::Harmless { .. } => BreaksOlder::No,
            // Depends on the rows, on a body, or on what we do not know.
            _ => BreaksOlder::Unknown,
        };
        answer = answer.max(found);
    }
    answer
}

fn of_alter(alter: &AlterTable) -> BreaksOlder {
    match &alter.action {
        TableAction::DropColumn { .. }
        | TableAction::RenameColumn { .. }
        | TableAction::SetNotNull { .. }
        | TableAction::RenameTable { .. }
        | TableAction::SetSchema { .. } => BreaksOlder::Yes,
        TableAction::ChangeColumn { from, column, .. } if *from != column.name => BreaksOlder::Yes,
        TableAction::AddColumn { column, .. } => {
            let required = column.nullability == Nullability::NotNull;
            let filled = column.default.is_some() || column.generation.is_some();
            if required && !filled { BreaksOlder::Yes } else { BreaksOlder::No }
        }
        TableAction::AddConstraint { constraint, .. } => match constraint.kind {
            ConstraintKind::NotNull { .. } => BreaksOlder::Yes,
            _ => BreaksOlder::Unknown,
        },
        TableAction::SetDefault { .. }
        | TableAction::SetStatistics { .. }
        | TableAction::SetStorage { .. }
        | TableAction::SetCompression { .. }
        | TableAction::SetColumnOptions { .. }
        | TableAction::ValidateConstraint { .. }
        | TableAction::DropConstraint { .. }
        | TableAction::RenameConstraint { .. }
        | TableAction::DropIndex { .. }
        | TableAction::RenameIndex { .. }
        | TableAction::SetIndexVisible { .. }
        | TableAction::SetTablespace { .. }
        | TableAction::SetAccessMethod { .. }
        | TableAction::SetLogged
        | TableAction::SetUnlogged
        | TableAction::SetOptions { .. }
        | TableAction::ResetOptions { .. }
        | TableAction::ClusterOn { .. }
        | TableAction::ReplicaIdentity { .. }
        | TableAction::Rebuild => BreaksOlder::No,
        // New types, dropped defaults, partitions, row security: it depends on what older code does.
        _ => BreaksOlder::Unknown,
    }
}

fn of_drop(drop: &DropObject) -> BreaksOlder {
    match drop.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence
        | ObjectKind::Type
        | ObjectKind::Domain
        | ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate
        | ObjectKind::Schema
        | ObjectKind::Database
        | ObjectKind::Extension => BreaksOlder::Yes,
        ObjectKind::Index | ObjectKind::Statistics => BreaksOlder::No,
        _ => BreaksOlder::Unknown,
    }
}

fn of_rename(object: ObjectKind) -> BreaksOlder {
    match object {
        ObjectKind::Index
        | ObjectKind::Constraint
        | ObjectKind::Trigger
        | ObjectKind::Policy
        | ObjectKind::Rule => BreaksOlder::No,
        _ => BreaksOlder::Yes,
    }
}

fn of_type(action: &TypeAction) -> BreaksOlder {
    match action {
        TypeAction::AddValue { .. } | TypeAction::AddAttribute { .. } => BreaksOlder::No,
        TypeAction::RenameValue { .. }
        | TypeAction::DropAttribute { .. }
        | TypeAction::RenameAttribute { .. } => BreaksOlder::Yes,
        TypeAction::SetAttributeType { .. } | TypeAction::Options => BreaksOlder::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::engine::lower;

    fn check(sql: &[&str], expect: BreaksOlder) {
        let changes: Vec<Change> = sql.iter().flat_map(|sql| lower(sql, Dialect::Postgres)).collect();
        assert_eq!(breaks_older(&changes), expect, "{sql:?}");
    }

    #[test]
    fn what_only_adds_breaks_nobody() {
        check(&["create table t (id int not null)", "alter table t drop column id"], BreaksOlder::No);
        check(&["alter table t add column c int", "create index on t (c)"], BreaksOlder::No);
        check(&["insert into t values (1)", "comment on table t is 'x'"], BreaksOlder::No);
        check(&["alter table t add column c int not null default 0"], BreaksOlder::No);
    }

    #[test]
    fn what_takes_away_breaks() {
        check(&["alter table t drop column c"], BreaksOlder::Yes);
        check(&["alter table t rename column c to d"], BreaksOlder::Yes);
        check(&["alter table t add column c int not null"], BreaksOlder::Yes);
        check(&["drop table t"], BreaksOlder::Yes);
        check(&["alter type e rename value 'a' to 'b'"], BreaksOlder::Yes);
        check(&["create unique index on t (c)", "drop view v"], BreaksOlder::Yes);
    }

    #[test]
    fn what_depends_is_unknown() {
        check(&["create unique index on t (c)"], BreaksOlder::Unknown);
        check(&["alter table t alter column c type bigint"], BreaksOlder::Unknown);
        check(&["this is no sql"], BreaksOlder::Unknown);
    }
}
