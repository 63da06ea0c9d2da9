//! `DROP COLUMN`: the running code still writes it; so first it may be left out, and only then it goes.

use super::definition::{self, index_over};
use super::subject::Subject;
use super::undo::comment_on_column;
use super::{id, set_not_null};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::Column;

pub(super) fn propose(subject: &Subject<'_>, column: &Name, if_exists: bool, cascade: bool) -> Proposal {
    let (table, name) = (subject.sql(), id(column));
    let mut proposal = Proposal {
        code: format!(
            "it neither reads nor writes {name} any more: no column list, no `SELECT *` into a fixed shape,\nthe ORM told to leave it out"
        ),
        limits: vec![
            "the values are gone with the contract; its down can only make an empty column".to_owned(),
        ],
        ..Proposal::default()
    };
    let known = subject.column(column);
    if known.is_none() {
        let complete = subject.table.is_some_and(|table| table.is_complete());
        proposal.missing.push(Missing::Other(if complete {
            format!("`{table}` has no column `{name}`")
        } else {
            format!("no migration makes `{table}`: whether `{name}` may be left out is not known, and what its down must make")
        }));
    }
    let filled = known.is_some_and(|known| known.default.is_some() || known.generation.is_some());
    let in_key =
        subject.table.and_then(|table| table.primary_key()).is_some_and(|key| key.columns().contains(column));
    if known.is_none_or(|known| known.nullability == Nullability::NotNull) && !filled && !in_key {
        let back: Vec<String> = set_not_null::not_null(subject, column)
            .iter()
            .flat_map(Stage::actions)
            .map(|action| action.sql.clone())
            .collect();
        proposal.expand.push(Stage::Together(vec![
            Action::new(
                "The new code leaves it out; the running code goes on writing it.\ntwostep: allow drop-not-null because only rows of the new code have none",
                format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL"),
            )
            .undone_alone_by(back),
        ]));
        proposal.limits.push(format!(
            "the down of the first step stops where rows of the new code have no {name}: fill them first"
        ));
    }
    if in_key {
        proposal.missing.push(Missing::Other(format!(
            "`{name}` is in the primary key of `{table}`: the key has to be another one first"
        )));
    }
    let exists = if if_exists { "IF EXISTS " } else { "" };
    let behind = if cascade { " CASCADE" } else { "" };
    proposal.contract = vec![Stage::Together(vec![Action::new(
        "The values are gone with this.",
        format!("ALTER TABLE {table} DROP COLUMN {exists}{name}{behind}"),
    )])];
    proposal.back = match known {
        Some(known) => back(subject, known, !proposal.expand.is_empty(), &mut proposal),
        None => Back::Authors,
    };
    proposal
}

/// The column as it was, without its values, and what goes with it in silence.
fn back(subject: &Subject<'_>, column: &Column, relaxed: bool, proposal: &mut Proposal) -> Back {
    let Some(table) = subject.table else { return Back::Authors };
    let mut again = column.clone();
    if relaxed {
        again.nullability = Nullability::Null;
    }
    let serial = matches!(column.generation, Some(Generation::Serial));
    if serial {
        again.generation = None;
        again.default = None;
        again.nullability = Nullability::Null;
        proposal.limits.push(format!("its down does not bring back the sequence of {}", id(&column.name)));
    }
    let Some(definition) = definition::column(&again, subject.schema) else { return Back::Authors };
    let name = subject.sql();
    let mut first = vec![Action::new(
        "The column as it was; what was in it is gone.",
        format!("ALTER TABLE {name} ADD COLUMN {definition}"),
    )];
    if let Some(comment) = &column.comment {
        first.push(Action::new("", comment_on_column(subject.name, &column.name, Some(comment))));
    }
    let mut stages = vec![Stage::Together(first)];
    let mut lost = Vec::new();
    for index in table.indexes.iter().filter(|index| index.uses(&column.name) && index.constraint.is_none()) {
        lost.push(format!("index {}", id(&index.name)));
        stages.push(Stage::Alone(Action::new("", index_over(subject, index, &index.name, &[]))));
    }
    for one in table.constraints.iter().filter(|one| one.columns().contains(&column.name)) {
        if matches!(one.kind, ConstraintKind::NotNull(_)) {
            continue;
        }
        let Some(clause) = definition::constraint(one) else { continue };
        lost.push(format!("constraint {}", id(&one.name)));
        let not_valid = matches!(one.kind, ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_));
        let behind = if not_valid { " NOT VALID" } else { "" };
        let (table, name) = (&name, id(&one.name));
        stages.push(Stage::Alone(Action::new(
            "",
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {clause}{behind}"),
        )));
        if not_valid {
            stages.push(Stage::Alone(Action::new(
                "",
                format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"),
            )));
        }
    }
    for (view, _) in
        subject.schema.views_of(&table.name).filter(|(_, read)| read.columns.contains(&column.name))
    {
        proposal
            .limits
            .push(format!("the view {} reads it, and must be replaced before", super::sql(&view.name)));
    }
    if !lost.is_empty() {
        proposal.limits.push(format!("with it go, without a word of the server's: {}", lost.join(", ")));
    }
    Back::Stages(stages)
}
