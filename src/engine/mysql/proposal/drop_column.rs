//! `DROP COLUMN`: the running code still writes it; so first it may be left out, and only then it goes.

use super::{asked, definition, online, sync, tool};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::{ConstraintKind, Nullability};
use crate::schema::model::Column;

pub(super) fn propose(about: &About<'_>, column: &Name, if_exists: bool) -> Proposal {
    let (table, id) = (about.sql(), about.id(column));
    let mut proposal = Proposal {
        code: format!(
            "it neither reads nor writes {id} any more: no column list, no `SELECT *` into a fixed shape,\nthe ORM told to leave it out"
        ),
        limits: vec![
            "the values are gone with the contract; its down can only make an empty column".to_owned(),
        ],
        ..Proposal::default()
    };
    let known = about.column(column);
    if known.is_none() && !if_exists {
        let complete = about.table.is_some_and(|table| table.is_complete());
        proposal.missing.push(Missing::Other(if complete {
            format!("`{table}` has no column `{id}`")
        } else {
            format!("no migration makes `{table}`: whether `{id}` may be left out is not known, and what its down must make")
        }));
    }
    if about.is_in_key(column) {
        proposal.missing.push(Missing::Other(format!(
            "`{id}` is in the primary key of `{table}`: the key has to be another one first"
        )));
    }
    if online::blocks(about) {
        proposal
            .missing
            .push(tool::missing(about, "the server copies the table, and writes wait for all of it"));
    }
    if let Some(known) = known {
        proposal.expand.extend(relaxed(about, known).map(Stage::Alone));
    }
    proposal.contract = vec![Stage::Alone(online::action(about, "The values are gone with this."))];
    proposal.back = match known.map(|known| back(about, known, !proposal.expand.is_empty(), &mut proposal)) {
        Some(Some(stages)) => Back::Stages(stages),
        _ => Back::Authors,
    };
    proposal
}

/// What lets an INSERT leave the column out; none where it may already.
fn relaxed(about: &About<'_>, column: &Column) -> Option<Action> {
    if column.nullability != Nullability::NotNull || column.default.is_some() || column.generation.is_some() {
        return None;
    }
    let (table, id) = (about.sql(), about.id(&column.name));
    let text = "The new code leaves it out; the running code goes on writing it.";
    if let Some(value) = sync::harmless_default(about, &column.name) {
        let sql = format!("ALTER TABLE {table} ALTER COLUMN {id} SET DEFAULT {value}");
        let back = format!("ALTER TABLE {table} ALTER COLUMN {id} DROP DEFAULT, ALGORITHM=INSTANT");
        return Some(asked::action(text, &sql, about.schema, about.server).undone_by(back));
    }
    let nullable = definition::column(column, Nullability::Null, None)?;
    let required = definition::column(column, Nullability::NotNull, None)?;
    let sql = |definition: String| {
        asked::asked(&format!("ALTER TABLE {table} MODIFY {id} {definition}"), about.schema, about.server)
    };
    let allow = "\ntwostep: allow drop-not-null because only rows of the new code have none";
    let back = format!("ALTER TABLE {table} MODIFY {id} {required}, ALGORITHM=INPLACE, LOCK=NONE");
    Some(Action::new(format!("{text}{allow}"), sql(nullable)).undone_by(back))
}

/// The column as it was, without its values, and what goes with it; none where it cannot be written.
fn back(about: &About<'_>, column: &Column, relaxed: bool, proposal: &mut Proposal) -> Option<Vec<Stage>> {
    let (table, id) = (about.sql(), about.id(&column.name));
    let known = about.table?;
    let mut default = column.default.as_ref().map(|default| default.text.clone());
    let mut nullability = column.nullability;
    if relaxed {
        match sync::harmless_default(about, &column.name) {
            Some(value) => default = Some(value),
            None => nullability = Nullability::Null,
        }
    }
    let definition = definition::column(column, nullability, default.as_deref())?;
    let place = definition::position(about, &column.name);
    let mut stages = vec![Stage::Alone(Action::new(
        "The column as it was; what was in it is gone.",
        format!("ALTER TABLE {table} ADD COLUMN {id} {definition}{place}"),
    ))];
    let mut lost = Vec::new();
    for index in known.indexes.iter().filter(|index| index.uses(&column.name)) {
        lost.push(format!("index {}", about.id(&index.name)));
        if index.plain_columns().is_some_and(|columns| columns.len() > 1) {
            // What is left of it keeps its name.
            stages.push(Stage::Alone(Action::new(
                "",
                format!("DROP INDEX {} ON {table}", about.id(&index.name)),
            )));
        }
        let sql = definition::index_over(about, index, &index.name, index.unique, None);
        stages.push(Stage::Alone(Action::new("", sql)));
    }
    for one in known.constraints.iter().filter(|one| one.columns().contains(&column.name)) {
        match &one.kind {
            ConstraintKind::ForeignKey(_) => {
                proposal.missing.push(Missing::Other(format!(
                    "the foreign key {} stands on `{id}`, and the server refuses to drop it: drop the key first",
                    about.id(&one.name)
                )));
            }
            ConstraintKind::Check(_) => lost.push(format!("constraint {}", about.id(&one.name))),
            _ => {}
        }
    }
    if !lost.is_empty() {
        proposal.limits.push(format!("with it go, without a word of the server's: {}", lost.join(", ")));
    }
    Some(stages)
}
