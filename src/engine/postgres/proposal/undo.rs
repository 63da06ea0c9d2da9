//! What takes a change back that is good as it stands.

use super::definition;
use super::set_not_null::not_null;
use super::subject::{Subject, data_type};
use super::{id, named, sql};
use crate::engine::proposal::{Given, Stage, Undo};
use crate::engine::version::Number;
use crate::name::{Name, ObjectName, plain_literal};
use crate::schema::change::*;
use crate::schema::model::Schema;

/// What takes `change` back; none where that is not known.
pub fn undo(change: &Change, before: &Schema, version: Number) -> Option<Undo> {
    let together = |sql: String| Some(Undo::Together(vec![sql]));
    match &change.kind {
        ChangeKind::CreateTable(create) => match before.relation(&create.table) {
            None => together(format!("DROP TABLE {}", sql(&create.table))),
            Some(_) => create.if_not_exists.then_some(Undo::Nothing),
        },
        ChangeKind::CreateIndex(create) if create.concurrently => {
            let given = Given::default();
            let subject = Subject::new(before, &create.table, version, &given, change);
            let name = super::index::name(&subject, create)?;
            Some(Undo::Alone(vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")]))
        }
        ChangeKind::CreateTrigger(create) if !create.or_replace => {
            together(format!("DROP TRIGGER {} ON {}", id(&create.name), sql(&create.table)))
        }
        ChangeKind::CreatePolicy(policy) => {
            together(format!("DROP POLICY {} ON {}", id(&policy.name), sql(&policy.table)))
        }
        ChangeKind::Rename(rename) if rename.object == ObjectKind::Index => {
            let new = ObjectName { schema: rename.name.schema.clone(), name: rename.to.clone() };
            together(format!("ALTER INDEX {} RENAME TO {}", sql(&new), id(&rename.name.name)))
        }
        ChangeKind::AlterSequence { name, options, .. } => of_sequence(name, options, before),
        ChangeKind::CreateView(create) if before.relation(&create.name).is_none() => {
            let kind = if create.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
            together(format!("DROP {kind} {}", sql(&create.name)))
        }
        ChangeKind::CreateSequence { name, if_not_exists: false, .. } => {
            together(format!("DROP SEQUENCE {}", sql(name)))
        }
        ChangeKind::CreateType { name, .. } => together(format!("DROP TYPE {}", sql(name))),
        ChangeKind::CreateDomain(create) => together(format!("DROP DOMAIN {}", sql(&create.name))),
        ChangeKind::CreateSchema { name, if_not_exists: false } => {
            together(format!("DROP SCHEMA {}", id(name)))
        }
        ChangeKind::CreateRoutine(create) if before.routines(&create.name).is_empty() => {
            let types: Vec<String> = crate::schema::model::signature(&create.arguments)
                .into_iter()
                .map(|one| data_type(one, before))
                .collect();
            let kind = match create.kind {
                RoutineKind::Function => "FUNCTION",
                RoutineKind::Procedure => "PROCEDURE",
                RoutineKind::Aggregate => "AGGREGATE",
            };
            together(format!("DROP {kind} {}({})", sql(&create.name), types.join(", ")))
        }
        ChangeKind::CreateSchema { if_not_exists: true, .. }
        | ChangeKind::Reindex(_)
        | ChangeKind::RefreshMaterializedView { .. }
        | ChangeKind::CreateExtension(_)
        | ChangeKind::Analyze { .. }
        | ChangeKind::AlterType { action: TypeAction::AddValue { .. }, .. } => Some(Undo::Nothing),
        ChangeKind::Grant(rights) => Some(of_grant(rights, before)),
        ChangeKind::Comment { object, name, column, said } => {
            Some(of_comment(*object, name, column.as_ref(), said, before))
        }
        ChangeKind::AlterTable(alter) => {
            let given = Given::default();
            let subject = Subject::new(before, named(change)?, version, &given, change);
            of_alter(&subject, &alter.action)
        }
        _ => None,
    }
}

/// What takes rights on tables and sequences away again; nothing where some were there before, or others are meant.
fn of_grant(rights: &Privileges, before: &Schema) -> Undo {
    let (Some(object @ (ObjectKind::Table | ObjectKind::Sequence)), false, true) =
        (rights.object, rights.all_in_schema, rights.columns.is_empty())
    else {
        return Undo::Nothing;
    };
    let full = |name: &ObjectName| match object {
        ObjectKind::Table => before.relation_key(name).unwrap_or_else(|| before.new_key(name)),
        _ => name.clone(),
    };
    let is_held = |name: &ObjectName| {
        rights.grantees.iter().any(|to| before.grants.contains_key(&(object, full(name), to.clone())))
    };
    if rights.names.iter().any(is_held) {
        return Undo::Nothing;
    }
    let kind = if object == ObjectKind::Sequence { "SEQUENCE " } else { "" };
    let names: Vec<String> = rights.names.iter().map(sql).collect();
    let grantees: Vec<String> = rights.grantees.iter().map(id).collect();
    Undo::Together(vec![format!(
        "REVOKE {} ON {kind}{} FROM {}",
        rights.privileges.join(", "),
        names.join(", "),
        grantees.join(", ")
    )])
}

/// What was said before; nothing where that is not known.
fn of_comment(
    object: ObjectKind,
    name: &ObjectName,
    column: Option<&Name>,
    said: &Said,
    before: &Schema,
) -> Undo {
    let Some(table) = before.table(name).filter(|table| table.is_complete() && *said != Said::Label) else {
        return Undo::Nothing;
    };
    match (column, object) {
        (Some(column), _) => match table.column(column) {
            Some(known) => Undo::Together(vec![comment_on_column(name, column, known.comment.as_deref())]),
            None => Undo::Nothing,
        },
        (None, ObjectKind::Table) => {
            let text = table.comment.as_deref().map_or_else(|| "NULL".to_owned(), plain_literal);
            Undo::Together(vec![format!("COMMENT ON TABLE {} IS {text}", sql(name))])
        }
        (None, _) => Undo::Nothing,
    }
}

/// What says `text` of a column.
pub(super) fn comment_on_column(table: &ObjectName, column: &Name, text: Option<&str>) -> String {
    let text = text.map_or_else(|| "NULL".to_owned(), plain_literal);
    format!("COMMENT ON COLUMN {}.{} IS {text}", sql(table), id(column))
}

fn of_alter(subject: &Subject<'_>, action: &TableAction) -> Option<Undo> {
    let table = subject.sql();
    let together = |rest: String| Some(Undo::Together(vec![format!("ALTER TABLE {table} {rest}")]));
    match action {
        TableAction::AddColumn { column, if_not_exists, .. } => match subject.column(&column.name) {
            None => together(format!("DROP COLUMN {}", id(&column.name))),
            Some(_) => if_not_exists.then_some(Undo::Nothing),
        },
        TableAction::RowSecurity { state } => {
            let table = subject.table?;
            let (known, on, off) = match state {
                RowSecurity::Enable | RowSecurity::Disable => (table.row_security, "ENABLE", "DISABLE"),
                RowSecurity::Force | RowSecurity::NoForce => (table.force_row_security, "FORCE", "NO FORCE"),
            };
            together(format!("{} ROW LEVEL SECURITY", if known { on } else { off }))
        }
        TableAction::TriggerState { trigger: Some(trigger), .. } => {
            let known = subject.table?.triggers.iter().find(|one| one.definition.name == *trigger)?;
            let word = match known.state {
                FiringState::Enabled => "ENABLE",
                FiringState::Disabled => "DISABLE",
                FiringState::Replica => "ENABLE REPLICA",
                FiringState::Always => "ENABLE ALWAYS",
            };
            together(format!("{word} TRIGGER {}", id(trigger)))
        }
        TableAction::SetIdentity { column, always: Some(_), options }
            if *options == SequenceOptions::default() =>
        {
            let Some(Generation::Identity(known)) = &subject.column(column)?.generation else { return None };
            let when = if known.always { "ALWAYS" } else { "BY DEFAULT" };
            together(format!("ALTER COLUMN {} SET GENERATED {when}", id(column)))
        }
        TableAction::SetDefault { column, .. } | TableAction::DropDefault { column } => {
            let name = id(column);
            match &subject.column(column)?.default {
                Some(default) => together(format!("ALTER COLUMN {name} SET DEFAULT {}", default.text)),
                None => together(format!("ALTER COLUMN {name} DROP DEFAULT")),
            }
        }
        TableAction::DropNotNull { column } => {
            if !subject.is_required(column) {
                return Some(Undo::Nothing);
            }
            let steps = not_null(subject, column);
            let sql = steps.iter().flat_map(Stage::actions).map(|action| action.sql.clone());
            Some(Undo::Alone(sql.collect()))
        }
        TableAction::SetType { column, .. } => {
            let known = subject.column(column)?.data_type.as_ref()?;
            together(format!("ALTER COLUMN {} TYPE {}", id(column), data_type(known, subject.schema)))
        }
        TableAction::AddConstraint { constraint, .. } if constraint.not_valid => {
            let name = constraint
                .name
                .clone()
                .or_else(|| subject.new_constraints().first().map(|one| one.name.clone()))?;
            together(format!("DROP CONSTRAINT {}", id(&name)))
        }
        TableAction::ValidateConstraint { .. } => Some(Undo::Nothing),
        TableAction::RenameConstraint { from, to } => {
            together(format!("RENAME CONSTRAINT {} TO {}", id(to), id(from)))
        }
        TableAction::DropConstraint { name, if_exists, .. } => {
            let Some(known) = subject.table?.constraint(name) else {
                return if_exists.then_some(Undo::Nothing);
            };
            let clause = definition::constraint(known)?;
            let name = id(name);
            match &known.kind {
                ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_) => Some(Undo::Alone(vec![
                    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {clause} NOT VALID"),
                    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"),
                ])),
                // Its index would have to be built under a lock.
                _ => None,
            }
        }
        _ => None,
    }
}

/// What gives a sequence its type and its owner back; what its numbers were no one can know.
fn of_sequence(name: &ObjectName, options: &SequenceOptions, before: &Schema) -> Option<Undo> {
    let only_those = SequenceOptions {
        data_type: options.data_type.clone(),
        owned_by: options.owned_by.clone(),
        ..SequenceOptions::default()
    };
    let known = before.sequence(name)?;
    if *options != only_those {
        return None;
    }
    let mut parts = Vec::new();
    if options.data_type.is_some() {
        let was = known.options.data_type.as_ref().map_or_else(|| "bigint".to_owned(), ToString::to_string);
        parts.push(format!("AS {was}"));
    }
    if options.owned_by.is_some() {
        parts.push(match &known.owned_by {
            Some((table, column)) => format!("OWNED BY {}.{}", sql(table), id(column)),
            None => "OWNED BY NONE".to_owned(),
        });
    }
    Some(Undo::Together(vec![format!("ALTER SEQUENCE {} {}", sql(name), parts.join(" "))]))
}
