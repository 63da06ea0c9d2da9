//! `ADD COLUMN`, also what SQLite's own refuses on a table with rows.

use super::{rebuild, required};
use crate::dialect::Dialect;
use crate::engine::proposal::about::{About, is_literal};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::engine::sqlite::effects::refuses;
use crate::schema::change::*;

pub(super) fn propose(about: &About<'_>, column: &ColumnDef) -> Option<Proposal> {
    let is_required = column.nullability == Nullability::NotNull
        && column.generation.is_none()
        && column.default.as_ref().is_none_or(|default| default.is_null);
    if is_required {
        return Some(required(about, column));
    }
    if refuses(about.change, about.schema).is_none() {
        let undo = format!("ALTER TABLE {} DROP COLUMN {}", about.sql(), about.id(&column.name));
        let checked = column.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::Check(_)));
        // It reads all rows, but is as short as anything there.
        return checked.then(|| Proposal {
            expand: vec![Stage::Together(vec![
                Action::new("As it was: older code does not see it.", about.text).undone_by(undo),
            ])],
            ..Proposal::default()
        });
    }
    let mut proposal = Proposal::default();
    about.must_be_known(&mut proposal);
    if let (Some(before), Some(after)) = (about.table, rebuild::after(about)) {
        let text = "ADD COLUMN cannot do this with rows; the documented rebuild can.";
        let actions = rebuild::both_ways(about, before, &after, &rebuild::same, text, &mut proposal);
        proposal.expand.push(Stage::Together(actions));
    }
    Some(proposal)
}

/// Required, without a default: SQLite refuses it on a table with rows.
fn required(about: &About<'_>, column: &ColumnDef) -> Proposal {
    let mut proposal = Proposal::default();
    about.must_be_known(&mut proposal);
    let (Some(_), Some(after)) = (about.table, rebuild::after(about)) else { return proposal };
    let (table, id) = (about.sql(), about.id(&column.name));
    let definition = about.text_of(column.span);
    let drop = format!("ALTER TABLE {table} DROP COLUMN {id}");
    let Some(fill) = about.fill(&column.name) else {
        proposal.missing.push(Missing::Fill(column.name.clone()));
        return proposal;
    };
    if is_literal(fill, Dialect::Sqlite) && column.constraints.is_empty() {
        let mut open = (*after).clone();
        let with = format!("ALTER TABLE {table} ADD COLUMN {definition} DEFAULT {fill}");
        let change = super::super::lower::lower(&with);
        let mut schema = about.schema.clone();
        for change in &change {
            crate::schema::apply::apply(&mut schema, change);
        }
        if let Some(made) = schema.table(about.name) {
            open = (**made).clone();
        }
        proposal.code = format!("the new code writes {id} in every insert");
        proposal.expand = vec![Stage::Together(vec![
            Action::new(
                format!("Rows that are there, and those of older code, have {fill}; no row is written."),
                with,
            )
            .undone_by(drop),
        ])];
        let text = "All code gives a value now: without the default.";
        let contract = rebuild::both_ways(about, &open, &after, &rebuild::same, text, &mut proposal);
        proposal.contract = vec![Stage::Together(contract)];
        let back = rebuild::rebuild(about, &after, &open, &rebuild::same, "Older code leaves it out.");
        proposal.back = Back::Stages(vec![Stage::Together(back.unwrap_or_default())]);
        return proposal;
    }
    let open = required::open(&after, &column.name);
    let nullable = crate::engine::proposal::about::nullable(definition, Dialect::Sqlite);
    let add = Action::new(
        "It may be NULL for now; no row is written.",
        format!("ALTER TABLE {table} ADD COLUMN {nullable}"),
    )
    .undone_by(drop);
    required::filled(about, &column.name, fill, vec![add], (&open, &after))
}
