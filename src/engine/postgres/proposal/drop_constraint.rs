//! `DROP CONSTRAINT` of a key: ON CONFLICT of the running code needs it. Checks and foreign keys only let more in.

use super::definition;
use super::subject::{Subject, named};
use super::{id, ids};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::{ConstraintKind, KeyConstraint};
use crate::schema::model::TableConstraint;

pub(super) fn propose(
    subject: &Subject<'_>,
    name: &Name,
    if_exists: bool,
    cascade: bool,
) -> Option<Proposal> {
    let table = subject.table?;
    let known = table.constraint(name)?;
    let (word, key) = match &known.kind {
        ConstraintKind::Unique(key) => ("UNIQUE", Some(key)),
        ConstraintKind::PrimaryKey(key) => ("PRIMARY KEY", Some(key)),
        ConstraintKind::Exclude(_) => ("EXCLUDE", None),
        ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_) | ConstraintKind::NotNull(_) => return None,
    };
    let mut proposal = Proposal {
        code: format!(
            "it names no columns of {} behind ON CONFLICT, and the new code writes no duplicates before the contract",
            id(name)
        ),
        ..Proposal::default()
    };
    let referenced = subject.schema.references_to(&table.name).find(|(_, one)| match (&one.kind, key) {
        (ConstraintKind::ForeignKey(of), Some(key)) => of.referenced_columns == key.columns,
        _ => false,
    });
    if let Some((from, one)) = referenced.filter(|_| !cascade) {
        proposal.missing.push(Missing::Other(format!(
            "the foreign key `{}` of `{}` needs it",
            id(&one.name),
            super::sql(&from.name)
        )));
    }
    let exists = if if_exists { "IF EXISTS " } else { "" };
    let behind = if cascade { " CASCADE" } else { "" };
    let sql = format!("ALTER TABLE {} DROP CONSTRAINT {exists}{}{behind}", subject.sql(), id(name));
    proposal.contract = vec![Stage::Together(vec![Action::new("No code relies on it any more.", sql)])];
    proposal.back = match key {
        Some(key) if !cascade && !subject.is_partitioned() => again(subject, known, key, word),
        _ => Back::Authors,
    };
    Some(proposal)
}

/// The constraint, on an index that is built while everyone goes on.
fn again(subject: &Subject<'_>, known: &TableConstraint, key: &KeyConstraint, word: &str) -> Back {
    let (table, name) = (subject.sql(), id(&known.name));
    let index = id(&named(&known.name, "back"));
    let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let include =
        if key.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", ids(&key.include)) };
    let defer = definition::deferring(known.deferrable, known.initially_deferred);
    Back::Stages(vec![
        Stage::Alone(Action::new(
            "",
            format!(
                "CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({}){include}{nulls}",
                ids(&key.columns)
            ),
        )),
        Stage::Alone(Action::new(
            "",
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {index}{defer}"),
        )),
    ])
}
