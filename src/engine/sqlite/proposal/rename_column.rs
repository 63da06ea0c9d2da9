//! `RENAME COLUMN`: a copy under the new name, kept equal by triggers; the contract drops the copy and renames the column
//! itself, in one transaction, so that SQLite renames it in indexes, views and triggers too.

use super::drop_column::names;
use super::{definition, rebuild, required, sync};
use crate::engine::proposal::about::{About, named};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, stopped};
use crate::name::Name;
use crate::schema::change::{ConstraintKind, ForeignKeyAction, Generation, Nullability};
use crate::schema::model::{Column, Table};
use std::sync::Arc;

pub(super) fn propose(about: &About<'_>, from: &Name, to: &Name) -> Proposal {
    let (table, old, new) = (about.sql(), about.id(from), about.id(to));
    let mut proposal = Proposal {
        code: format!("the new code, which starts after the backfill, reads and writes {new} only"),
        ..Proposal::default()
    };
    about.must_be_known(&mut proposal);
    let Some(before) = about.table else { return proposal };
    let Some(known) = about.column(from) else {
        if before.is_complete() {
            proposal.missing.push(Missing::Other(format!("`{table}` has no column `{old}`")));
        }
        return proposal;
    };
    refusals(about, before, known, to, &mut proposal);
    let triggers = sync::pair(about, from, to, from);
    let relax = known.nullability == Nullability::NotNull && known.default.is_none();
    let both = with_copy(&if relax { required::open(before, from) } else { before.clone() }, known, to);
    let mut start = if relax {
        let text =
            format!("{new} is a copy of {old}, and {old} may be left out by code that does not know it.");
        rebuild::both_ways(about, before, &both, &rebuild::same, &text, &mut proposal)
    } else {
        let copy = both.column(to).map(|copy| definition::column(about, copy)).unwrap_or_default();
        vec![
            Action::new(
                format!("{new} is a copy of {old}; no row is written yet."),
                format!("ALTER TABLE {table} ADD COLUMN {copy}"),
            )
            .undone_by(format!("ALTER TABLE {table} DROP COLUMN {new}")),
        ]
    };
    start.extend(triggers.iter().cloned());
    proposal.expand.push(Stage::Together(start.clone()));
    let (set, condition) = (format!("{new} = {old}"), sync::differ(&old, &new));
    about.batch(&mut proposal, "Rows that nobody has written since.", &set, &condition);
    let copies = copies(about, from, to);
    if !copies.is_empty() {
        proposal.expand.push(Stage::Together(copies.clone()));
    }
    let mut contract = stopped(&triggers, "No code uses the old name any more.");
    for action in &copies {
        if let crate::engine::proposal::Undo::Together(drops) = &action.undo {
            contract.extend(drops.iter().map(|sql| Action::new("It stood on the copy.", sql.clone())));
        }
    }
    let rename =
        |from: &str, to: &str| Action::new("", format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
    contract.push(Action::new(
        "The copy goes, and the column itself takes its name.",
        format!("ALTER TABLE {table} DROP COLUMN {new}"),
    ));
    contract.push(rename(&old, &new));
    let mut back = Vec::new();
    if relax {
        if let Some(after) = rebuild::after(about) {
            let open = required::open(&after, to);
            let text = "It is required again.";
            contract.extend(rebuild::both_ways(about, &open, &after, &rebuild::same, text, &mut proposal));
        }
        back.push(rename(&new, &old));
        let copy = old.clone();
        let values = |column: &Name| (column == to).then(|| copy.clone());
        back.extend(
            rebuild::rebuild(about, before, &both, &values, "The column and its copy.").unwrap_or_default(),
        );
        back.extend(triggers.iter().cloned());
    } else {
        back.push(rename(&new, &old));
        back.extend(start);
        back.push(Action::new("", format!("UPDATE {table} SET {set} WHERE {condition}")));
    }
    back.extend(copies);
    proposal.contract = vec![Stage::Together(contract)];
    proposal.back = Back::Stages(vec![Stage::Together(back)]);
    limits(about, before, from, to, &mut proposal);
    proposal
}

/// The table with a copy of a column behind all others.
fn with_copy(table: &Table, column: &Column, to: &Name) -> Table {
    let mut both = table.clone();
    let constant = column.default.as_ref().is_some_and(|default| {
        !default.is_null && default.is_constant() && column.nullability != Nullability::NotNull
    });
    both.columns.push(Arc::new(Column {
        name: to.clone(),
        nullability: Nullability::Unstated,
        default: column.default.clone().filter(|_| constant),
        ..column.clone()
    }));
    both
}

/// What the new code's queries need: indexes over the copy.
fn copies(about: &About<'_>, from: &Name, to: &Name) -> Vec<Action> {
    let copy = |index: &crate::schema::model::Index| {
        let name = named(&index.name, to.as_str(), about.dialect());
        let sql = definition::index(about, index, &name, false, Some((from, to)));
        let text =
            format!("What {} is to {}, for the new code's queries.", about.id(&index.name), about.id(to));
        Action::new(text, sql).undone_by(format!("DROP INDEX {}", about.id(&name)))
    };
    // Those of constraints have names that nobody may give.
    let named_by_user = |index: &&crate::schema::model::Index| !index.name.as_str().starts_with("sqlite_");
    let mut copies: Vec<Action> = about.indexes_of(from).filter(named_by_user).map(copy).collect();
    for index in about.indexes_of(from).filter(|index| index.name.as_str().starts_with("sqlite_")) {
        let name = about.named(&format!("{}_copy", to.as_str()));
        let sql = definition::index(about, index, &name, false, Some((from, to)));
        let text = format!("What the key is to {}, for the new code's queries.", about.id(to));
        if !copies.iter().any(|other| other.sql == sql) {
            copies.push(Action::new(text, sql).undone_by(format!("DROP INDEX {}", about.id(&name))));
            break;
        }
    }
    copies
}

fn refusals(about: &About<'_>, table: &Table, column: &Column, to: &Name, proposal: &mut Proposal) {
    let old = about.id(&column.name);
    let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
    if about.column(to).is_some() {
        missing(format!("`{}` has a column `{}` already", about.sql(), about.id(to)));
    }
    if about.is_in_key(&column.name) {
        missing(format!("`{old}` is in the primary key, which a trigger cannot find the row by"));
    }
    match &column.generation {
        Some(Generation::Expression { .. }) => {
            missing(format!("`{old}` is a generated column, which no trigger can write"));
        }
        Some(_) => missing(format!("SQLite numbers `{old}`")),
        None => {}
    }
    let relax = column.nullability == Nullability::NotNull && column.default.is_none();
    if relax && table.triggers.iter().any(|trigger| names(trigger, &column.name)) {
        missing(format!("a trigger of `{}` names `{old}`, which is required: replace it first", about.sql()));
    }
    for one in table.constraints.iter().filter(|one| one.columns().contains(&column.name)) {
        if let ConstraintKind::ForeignKey(key) = &one.kind
            && key.on_delete == ForeignKeyAction::SetDefault
        {
            missing(format!("the foreign key {} sets `{old}` to its default", about.id(&one.name)));
        }
    }
}

fn limits(about: &About<'_>, table: &Table, from: &Name, to: &Name, proposal: &mut Proposal) {
    let (old, new) = (about.id(from), about.id(to));
    let mut limit = |text: String| proposal.limits.push(text);
    limit(format!(
        "`SELECT *` on {} has one column more until the contract; INSERT without a column list must not run in between",
        about.sql()
    ));
    limit(format!(
        "until the contract RETURNING shows {old} and {new} before the triggers have made them the same, and ON CONFLICT ({new}) has no unique index"
    ));
    if table.triggers.iter().any(|trigger| trigger.definition.events.iter().any(|event| event == "UPDATE")) {
        limit("the table's own UPDATE triggers fire for each row that is filled".to_owned());
    }
}
