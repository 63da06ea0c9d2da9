//! Constraints: added without a check, then checked under a lock that nobody feels.

use super::{Subject, id, ids, sql};
use crate::engine::proposal::Proposal;
use crate::name::Name;
use crate::schema::change::*;

/// `SET NOT NULL`.
pub(super) fn set_not_null(subject: &Subject<'_>, column: &Name) -> Proposal {
    let name = id(column);
    let mut steps = not_null_steps(subject, column);
    let last = steps.split_off(steps.len().min(if subject.version >= (18, 0, 0) { 1 } else { 2 }));
    Proposal {
        expand: steps,
        backfill: None,
        code: format!("it writes {name} in every row before the first step is deployed, and no row is NULL any more"),
        contract: last,
        limits: vec!["each VALIDATE belongs into a transaction of its own: within one, the lock of the statement before it is kept".to_owned()],
    }
}

/// The statements that make a column NOT NULL without a scan under lock.
pub(super) fn not_null_steps(subject: &Subject<'_>, column: &Name) -> Vec<String> {
    let (table, name) = (subject.sql(), id(column));
    let check = id(&Name::new(format!("{}_{column}_not_null", subject.name.name)));
    if subject.version >= (18, 0, 0) {
        return vec![
            format!("ALTER TABLE {table} ADD CONSTRAINT {check} NOT NULL {name} NOT VALID;"),
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check};"),
        ];
    }
    vec![
        format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID;"),
        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check};"),
        format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;"),
        format!("ALTER TABLE {table} DROP CONSTRAINT {check};"),
    ]
}

/// A constraint that is added to a table with rows.
pub(super) fn add_to(subject: &Subject<'_>, constraint: &Constraint) -> Option<Proposal> {
    match &constraint.kind {
        ConstraintKind::Check(expr) => {
            let name = name(subject, constraint, "check");
            Some(two_steps(
                subject,
                &name,
                &format!("CHECK ({})", expr.text),
                "count the rows that do not satisfy it, and let the code write only what does",
            ))
        }
        ConstraintKind::ForeignKey(key) => {
            let columns = key.columns.iter().map(Name::as_str).collect::<Vec<_>>().join("_");
            let name = name(subject, constraint, &format!("{columns}_fkey"));
            let to = match key.referenced_columns.as_slice() {
                [] => sql(&key.references),
                some => format!("{} ({})", sql(&key.references), ids(some)),
            };
            let actions = action("ON DELETE", key.on_delete) + &action("ON UPDATE", key.on_update);
            let clause = format!("FOREIGN KEY ({}) REFERENCES {to}{actions}", ids(&key.columns));
            let mut proposal = two_steps(subject, &name, &clause, "it writes only what the other table has");
            if subject.table.is_some_and(|table| table.partition_by.is_some()) && subject.version < (18, 0, 0)
            {
                proposal.limits.push("a partitioned table takes no NOT VALID foreign key before PostgreSQL 18: do it for each partition, then for the parent".to_owned());
            }
            Some(proposal)
        }
        ConstraintKind::NotNull(column) => Some(set_not_null(subject, column)),
        ConstraintKind::Unique(key) if key.using_index.is_none() => {
            let columns = key.columns.iter().map(Name::as_str).collect::<Vec<_>>().join("_");
            let name = name(subject, constraint, &format!("{columns}_key"));
            Some(with_index(subject, &key.columns, &name, "UNIQUE", key.nulls_not_distinct))
        }
        ConstraintKind::PrimaryKey(key) if key.using_index.is_none() => {
            let name = name(subject, constraint, "pkey");
            let mut proposal = with_index(subject, &key.columns, &name, "PRIMARY KEY", false);
            let nullable = key.columns.iter().filter(|column| {
                subject.column(column).is_none_or(|known| known.nullability != Nullability::NotNull)
            });
            let before: Vec<String> = nullable.flat_map(|column| not_null_steps(subject, column)).collect();
            let at = proposal.expand.len();
            proposal.expand.splice(at.., before);
            Some(proposal)
        }
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude(_) => None,
    }
}

fn name(subject: &Subject<'_>, constraint: &Constraint, suffix: &str) -> Name {
    constraint.name.clone().unwrap_or_else(|| Name::new(format!("{}_{suffix}", subject.name.name)))
}

fn action(when: &str, action: ForeignKeyAction) -> String {
    let word = match action {
        ForeignKeyAction::NoAction => return String::new(),
        ForeignKeyAction::Restrict => "RESTRICT",
        ForeignKeyAction::Cascade => "CASCADE",
        ForeignKeyAction::SetNull => "SET NULL",
        ForeignKeyAction::SetDefault => "SET DEFAULT",
    };
    format!(" {when} {word}")
}

/// NOT VALID, and VALIDATE in a transaction of its own.
fn two_steps(subject: &Subject<'_>, name: &Name, clause: &str, code: &str) -> Proposal {
    let (table, name) = (subject.sql(), id(name));
    Proposal {
        expand: vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} {clause} NOT VALID;")],
        backfill: None,
        code: code.to_owned(),
        contract: vec![format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};")],
        limits: vec!["both may be in one release, in two migrations: VALIDATE in the same transaction keeps the lock of the statement before it".to_owned()],
    }
}

/// An index that is built concurrently, and becomes the constraint's.
fn with_index(
    subject: &Subject<'_>,
    columns: &[Name],
    name: &Name,
    kind: &str,
    not_distinct: bool,
) -> Proposal {
    let table = subject.sql();
    let index = id(&Name::new(format!("{name}_index")));
    let nulls = if not_distinct { " NULLS NOT DISTINCT" } else { "" };
    Proposal {
        expand: vec![format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({}){nulls};", ids(columns))],
        backfill: None,
        code: "it writes no duplicates, or handles the error; look for those that are there first".to_owned(),
        contract: vec![format!("ALTER TABLE {table} ADD CONSTRAINT {} {kind} USING INDEX {index};", id(name))],
        limits: vec!["CONCURRENTLY cannot run in a transaction: a migration of its own, with `-- twostep: no-transaction`; both may be in one release".to_owned()],
    }
}
