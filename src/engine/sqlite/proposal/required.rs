//! A column that is required: what fills it for code that does not know it, and the contract that requires it.

use super::{rebuild, sync};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Proposal, Stage, stopped};
use crate::name::Name;
use crate::schema::model::Table;

/// The deploy of a column that `fill`, an expression over the row, fills: behind `first` triggers for what older code
/// leaves NULL, then the rows; that it is required is the contract. `open`: the table in which it may be NULL.
pub(super) fn filled(
    about: &About<'_>,
    column: &Name,
    fill: &str,
    first: Vec<Action>,
    (open, closed): (&Table, &Table),
) -> Proposal {
    let id = about.id(column);
    let mut proposal =
        Proposal { code: format!("the new code writes {id} in every row"), ..Proposal::default() };
    about.must_be_known(&mut proposal);
    proposal.must_fill_from_the_row(fill);
    let triggers = sync::filling(about, column, fill);
    let mut expand = first;
    expand.extend(triggers.iter().cloned());
    proposal.expand.push(Stage::Together(expand));
    let (set, condition) = (format!("{id} = {fill}"), format!("{id} IS NULL"));
    about.batch(&mut proposal, "The rows that nobody has written since.", &set, &condition);
    let mut contract = stopped(&triggers, "All code gives a value now.");
    let text = "Every row has a value.";
    contract.extend(rebuild::both_ways(about, open, closed, &rebuild::same, text, &mut proposal));
    proposal.contract = vec![Stage::Together(contract)];
    let mut back =
        rebuild::rebuild(about, closed, open, &rebuild::same, "It may be NULL again.").unwrap_or_default();
    back.extend(triggers);
    proposal.back = Back::Stages(vec![Stage::Together(back)]);
    proposal.limits.push(format!("until the contract, NULL that is given for {id} is filled, not refused"));
    proposal
}

/// The same table, in which a column may be NULL.
pub(super) fn open(table: &Table, column: &Name) -> Table {
    let mut open = table.clone();
    for one in &mut open.columns {
        if one.name == *column {
            std::sync::Arc::make_mut(one).nullability = crate::schema::change::Nullability::Unstated;
        }
    }
    open
}
