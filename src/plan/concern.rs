//! What a change is about: the relations that it changes or reads, and which columns of them.

use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{Change, ChangeKind, ConstraintKind, ObjectKind, Query, TableAction};
use crate::schema::model::Schema;

/// Something that a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Concern {
    /// Its full name; what is on a table is called after both.
    pub of: ObjectName,
    /// The columns of it; none where it is not about single ones.
    pub columns: Vec<Name>,
}

impl Concern {
    fn new(of: ObjectName, columns: Vec<Name>) -> Self {
        Self { of, columns }
    }
}

/// The full name of the relation `name`.
fn full(name: &TableName, before: &Schema) -> TableName {
    before.relation_key(name).unwrap_or_else(|| before.new_key(name))
}

/// What a change changes: a table with its full name, and its columns.
pub(super) fn target(change: &Change, before: &Schema) -> (Option<TableName>, Vec<Name>) {
    let full = |name: &TableName| full(name, before);
    match &change.kind {
        ChangeKind::AlterTable(alter) => (Some(full(&alter.table)), columns(&alter.action)),
        ChangeKind::CreateIndex(create) => {
            let mut columns: Vec<Name> =
                create.elements.iter().flat_map(|element| element.expr.columns.clone()).collect();
            columns.extend(create.predicate.iter().flat_map(|predicate| predicate.columns.clone()));
            columns.extend(create.include.iter().cloned());
            (Some(full(&create.table)), columns)
        }
        ChangeKind::Update(update) => (Some(full(&update.table)), update.set.clone()),
        ChangeKind::Insert(insert) => (Some(full(&insert.table)), insert.columns.clone()),
        ChangeKind::Delete(delete) => (Some(full(&delete.table)), Vec::new()),
        ChangeKind::Drop(drop) => match drop.on.as_ref().filter(|_| is_part(drop.object)) {
            Some(on) => (Some(full(on)), Vec::new()),
            None => (Some(full(&drop.name)), Vec::new()),
        },
        ChangeKind::CreateTrigger(create) => (Some(full(&create.table)), create.update_of.clone()),
        ChangeKind::CreatePolicy(policy) | ChangeKind::AlterPolicy(policy) => {
            let columns = policy.using.iter().chain(&policy.check).flat_map(|expr| expr.columns.clone());
            (Some(full(&policy.table)), columns.collect())
        }
        ChangeKind::CreateTable(create) => (Some(full(&create.table)), Vec::new()),
        ChangeKind::CreateView(create) => (Some(full(&create.name)), Vec::new()),
        ChangeKind::Comment { object, name, column, .. } if !is_part(*object) => {
            (Some(full(name)), column.iter().cloned().collect())
        }
        ChangeKind::AlterSequence { name, .. } => (Some(full(name)), Vec::new()),
        _ => (None, Vec::new()),
    }
}

/// All that a change must find as the changes before it have left it.
pub(super) fn concerns(change: &Change, before: &Schema) -> Vec<Concern> {
    let (table, columns) = target(change, before);
    let mut all: Vec<Concern> = table.map(|table| Concern::new(table, columns)).into_iter().collect();
    let part = |kind: ObjectKind, name: &Name, on: &TableName| Concern::new(part(kind, name, on), Vec::new());
    match &change.kind {
        ChangeKind::CreateView(create) => reads(&create.query, before, &mut all),
        ChangeKind::CreateIndex(create) => {
            all.extend(create.name.iter().map(|name| index(name, &create.table, before)));
        }
        ChangeKind::Drop(drop) => {
            all.extend(drop.on.iter().map(|on| part(drop.object, &drop.name.name, on)));
        }
        ChangeKind::CreateTrigger(create) => all.push(part(ObjectKind::Trigger, &create.name, &create.table)),
        ChangeKind::CreatePolicy(policy) | ChangeKind::AlterPolicy(policy) => {
            all.push(part(ObjectKind::Policy, &policy.name, &policy.table));
        }
        ChangeKind::CreateType { name, .. } | ChangeKind::CreateSequence { name, .. } => {
            all.push(Concern::new(before.new_key(name), Vec::new()));
        }
        ChangeKind::CreateDomain(create) => all.push(Concern::new(before.new_key(&create.name), Vec::new())),
        ChangeKind::CreateRoutine(create) => all.push(Concern::new(before.new_key(&create.name), Vec::new())),
        ChangeKind::CreateTable(create) => {
            let written = create.columns.iter().flat_map(|column| &column.constraints);
            for one in written.chain(&create.constraints) {
                referenced(&one.kind, before, &mut all);
            }
        }
        ChangeKind::Grant(rights) | ChangeKind::Revoke(rights) if !rights.all_in_schema => {
            let of = |name: &ObjectName| Concern::new(full(name, before), rights.columns.clone());
            all.extend(rights.names.iter().map(of));
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint, .. } => {
                referenced(&constraint.kind, before, &mut all);
                let name = constraint.name.iter();
                all.extend(name.map(|name| part(ObjectKind::Constraint, name, &full(&alter.table, before))));
            }
            TableAction::DropConstraint { name, .. } | TableAction::ValidateConstraint { name } => {
                all.push(part(ObjectKind::Constraint, name, &full(&alter.table, before)));
            }
            TableAction::AddColumn { column, .. } => {
                column.constraints.iter().for_each(|one| referenced(&one.kind, before, &mut all));
            }
            // What had the name may go in the second step only, as where a table is made anew.
            TableAction::RenameTable { to } => {
                let schema = to.schema.clone().or_else(|| full(&alter.table, before).schema);
                let new = TableName { schema, name: to.name.clone() };
                all.push(Concern::new(full(&new, before), Vec::new()));
            }
            TableAction::AttachPartition { partition, .. }
            | TableAction::DetachPartition { partition, .. } => {
                all.push(Concern::new(full(partition, before), Vec::new()));
            }
            _ => {}
        },
        _ => {}
    }
    all
}

/// Whether an object of this kind has its name on a table.
const fn is_part(object: ObjectKind) -> bool {
    matches!(object, ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule | ObjectKind::Constraint)
}

/// What something on a table is called here.
pub(super) fn part(kind: ObjectKind, name: &Name, on: &TableName) -> ObjectName {
    let text = format!("{} {} on {}", kind.title(), name.as_str(), on.name.as_str());
    ObjectName::bare(Name::new(text))
}

/// An index has its name in the schema of its table.
fn index(name: &Name, table: &TableName, before: &Schema) -> Concern {
    let schema = full(table, before).schema;
    Concern::new(ObjectName { schema, name: before.fold(name) }, Vec::new())
}

fn reads(query: &Query, before: &Schema, all: &mut Vec<Concern>) {
    all.extend(query.reads.iter().map(|name| Concern::new(full(name, before), query.columns.clone())));
}

fn referenced(kind: &ConstraintKind, before: &Schema, all: &mut Vec<Concern>) {
    if let ConstraintKind::ForeignKey(key) = kind {
        all.push(Concern::new(full(&key.references, before), key.referenced_columns.clone()));
    }
}

fn columns(action: &TableAction) -> Vec<Name> {
    match action {
        TableAction::AddColumn { column, .. } => vec![column.name.clone()],
        TableAction::RenameColumn { from, to, .. } => vec![from.clone(), to.clone()],
        TableAction::ChangeColumn { from, column, .. } => vec![from.clone(), column.name.clone()],
        TableAction::AddIndex(create) => {
            create.elements.iter().flat_map(|element| element.expr.columns.clone()).collect()
        }
        TableAction::DropColumn { column, .. }
        | TableAction::SetType { column, .. }
        | TableAction::SetNotNull { column }
        | TableAction::DropNotNull { column }
        | TableAction::SetDefault { column, .. }
        | TableAction::DropDefault { column }
        | TableAction::AddIdentity { column, .. }
        | TableAction::SetIdentity { column, .. }
        | TableAction::DropIdentity { column, .. }
        | TableAction::SetExpression { column, .. }
        | TableAction::DropExpression { column, .. }
        | TableAction::SetStatistics { column }
        | TableAction::SetStorage { column, .. }
        | TableAction::SetCompression { column }
        | TableAction::SetColumnOptions { column } => vec![column.clone()],
        TableAction::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::Check(expr) => expr.columns.clone(),
            ConstraintKind::ForeignKey(key) => key.columns.clone(),
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.columns.clone(),
            ConstraintKind::NotNull(column) => vec![column.clone()],
            ConstraintKind::Exclude(exclude) => {
                exclude.elements.iter().flat_map(|(element, _)| element.expr.columns.clone()).collect()
            }
        },
        _ => Vec::new(),
    }
}
