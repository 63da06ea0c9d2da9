//! `DROP COLUMN`: the running code still writes it; so first it may be left out, and only then it goes.

use super::{rebuild, required};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::engine::sqlite::effects::refuses;
use crate::name::Name;
use crate::schema::change::{Generation, Nullability};
use crate::schema::model::Table;

pub(super) fn propose(about: &About<'_>, column: &Name) -> Proposal {
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
    about.must_be_known(&mut proposal);
    let Some(before) = about.table else { return proposal };
    let Some(known) = about.column(column) else {
        if before.is_complete() {
            proposal.missing.push(Missing::Other(format!("`{table}` has no column `{id}`")));
        }
        return proposal;
    };
    if about.is_in_key(column) {
        proposal.missing.push(Missing::Other(format!(
            "`{id}` is in the primary key of `{table}`: the key has to be another one first"
        )));
        return proposal;
    }
    for (view, _) in about.schema.views_of(&before.name).filter(|(_, read)| read.columns.contains(column)) {
        proposal.missing.push(Missing::Other(format!(
            "the view {} reads `{id}`: replace it first",
            about.sql_of(&view.name)
        )));
    }
    let relax =
        known.nullability == Nullability::NotNull && known.default.is_none() && known.generation.is_none();
    let open = if relax { required::open(before, column) } else { before.clone() };
    if relax {
        let text = "The new code leaves it out; the running code goes on writing it.";
        let actions = rebuild::both_ways(about, before, &open, &rebuild::same, text, &mut proposal);
        proposal.expand.push(Stage::Together(actions));
        proposal.limits.push(format!(
            "the down of the first step stops where rows of the new code have no {id}: fill them first"
        ));
    }
    let after = without(&open, column);
    let plain = refuses(about.change, about.schema).is_none()
        && !before.triggers.iter().any(|trigger| names(trigger, column))
        && !before.columns.iter().any(|other| {
            matches!(&other.generation, Some(Generation::Expression { expr, .. }) if expr.columns.contains(column))
        })
        && !before.constraints.iter().any(|one| one.columns().contains(column));
    let contract = if plain {
        vec![Action::new("The values are gone with this.", about.text.trim().trim_end_matches(';'))]
    } else {
        let lost: Vec<String> = before
            .indexes
            .iter()
            .filter(|index| index.uses(column))
            .map(|index| format!("index {}", about.id(&index.name)))
            .chain(
                before
                    .constraints
                    .iter()
                    .filter(|one| one.columns().contains(column))
                    .map(|one| format!("constraint {}", about.id(&one.name))),
            )
            .collect();
        if !lost.is_empty() {
            proposal.limits.push(format!("with it go: {}", lost.join(", ")));
        }
        if before.triggers.iter().any(|trigger| names(trigger, column)) {
            proposal
                .missing
                .push(Missing::Other(format!("a trigger of `{table}` names `{id}`: replace it first")));
        }
        let text = "DROP COLUMN cannot do this; the documented rebuild can. The values are gone with this.";
        rebuild::both_ways(about, &open, &after, &rebuild::same, text, &mut proposal)
    };
    proposal.contract = vec![Stage::Together(contract)];
    let back = rebuild::rebuild(
        about,
        &after,
        &open,
        &rebuild::same,
        "The column as it was; what was in it is gone.",
    );
    proposal.back = back.map_or(Back::Authors, |actions| Back::Stages(vec![Stage::Together(actions)]));
    proposal
}

/// Whether a trigger's text has the column's name in it.
pub(super) fn names(trigger: &crate::schema::model::Trigger, column: &Name) -> bool {
    let definition = &trigger.definition;
    let when = definition.when.as_ref().map_or("", |when| when.text.as_str());
    let body = definition.body.as_ref().map_or("", |body| body.text.as_str());
    let is_name = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word.eq_ignore_ascii_case(column.as_str()))
    };
    definition.update_of.contains(column) || is_name(when) || is_name(body)
}

/// The table without a column, and without what stands on it.
fn without(table: &Table, column: &Name) -> Table {
    let mut after = table.clone();
    after.columns.retain(|one| one.name != *column);
    after.indexes.retain(|index| !index.uses(column));
    after.constraints.retain(|one| !one.columns().contains(column));
    after
}
