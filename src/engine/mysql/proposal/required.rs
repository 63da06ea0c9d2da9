//! A column that is required: what fills it for code that does not know it, and the contract that requires it.

use super::{asked, definition, sync};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, stopped};
use crate::name::Name;
use crate::schema::change::ColumnDef;

/// The deploy of a column that `fill`, an expression over the row, fills: behind `first` triggers for what older code
/// leaves NULL, then the rows; that it is required is the contract. `definition` is the column's in the end.
pub(super) fn filled(
    about: &About<'_>,
    column: &Name,
    definition: &str,
    fill: &str,
    first: Option<Action>,
) -> Proposal {
    let (table, id) = (about.sql(), about.id(column));
    let mut proposal =
        Proposal { code: format!("the new code writes {id} in every row"), ..Proposal::default() };
    about.must_be_known(&mut proposal);
    proposal.must_fill_from_the_row(fill);
    if about.reads_number(fill) {
        proposal.missing.push(Missing::Other(format!(
            "`{fill}` reads a column that the server numbers, which no trigger in front of an INSERT knows"
        )));
    }
    let triggers = sync::filling(about, column, &about.over_new(fill));
    proposal.expand.extend(first.into_iter().map(Stage::Alone));
    proposal.expand.extend(triggers.iter().cloned().map(Stage::Alone));
    let (set, condition) = (format!("{id} = {fill}"), format!("{id} IS NULL"));
    about.batch(&mut proposal, "The rows that nobody has written since.", &set, &condition);
    let drops = stopped(&triggers, "All code gives a value now.");
    let modify = |definition: &str, text: &str| {
        let sql = format!("ALTER TABLE {table} MODIFY {definition}");
        if about.column(column).is_some() {
            return asked::action(text, &sql, about.schema, about.server);
        }
        // The schema does not know the column yet.
        Action::new(text, format!("{sql}, ALGORITHM=INPLACE, LOCK=NONE"))
    };
    proposal.contract.push(Stage::Alone(modify(
        definition,
        "Every row has a value. The table is written anew, while others read and write it.",
    )));
    proposal.contract.extend(drops.into_iter().map(Stage::Alone));
    let mut back: Vec<Stage> = triggers.into_iter().map(Stage::Alone).collect();
    back.push(Stage::Alone(Action::new(
        "It may be NULL again.",
        format!(
            "ALTER TABLE {table} MODIFY {}, ALGORITHM=INPLACE, LOCK=NONE",
            definition::nullable(definition)
        ),
    )));
    proposal.back = Back::Stages(back);
    proposal.limits.push(format!("until the contract, NULL that is given for {id} is filled, not refused"));
    proposal
}

/// NOT NULL without a value for those that have none: a contract as a whole, which the server refuses where a row is
/// NULL.
pub(super) fn waiting(about: &About<'_>, column: &ColumnDef) -> Proposal {
    let (table, id) = (about.sql(), about.id(&column.name));
    let definition = about.text_of(column.span);
    let mut proposal = Proposal {
        code: format!("it writes {id} in every row, and no row is NULL any more"),
        ..Proposal::default()
    };
    proposal.contract.push(Stage::Alone(super::online::action(
        about,
        "Refused where a row is NULL. The table is written anew, while others read and write it.",
    )));
    let back = format!("ALTER TABLE {table} MODIFY {}", definition::nullable(definition));
    proposal.back = Back::Stages(vec![Stage::Alone(Action::new(
        "It may be NULL again.",
        format!("{back}, ALGORITHM=INPLACE, LOCK=NONE"),
    ))]);
    proposal.limits.push(format!(
        "no row may be NULL when the contract begins: `plan --fill` with a value for {id} fills them, older code's writes too"
    ));
    proposal
}

/// `DROP DEFAULT`: the running code may leave the column out.
pub(super) fn drop_default(about: &About<'_>, column: &Name) -> Option<Proposal> {
    let (table, id) = (about.sql(), about.id(column));
    let default = about.column(column)?.default.as_ref()?;
    let set = format!("ALTER TABLE {table} ALTER COLUMN {id} SET DEFAULT {}", default.text);
    Some(Proposal {
        code: format!("it writes {id} in every insert"),
        contract: vec![Stage::Alone(super::online::action(about, "No code leaves it out any more."))],
        back: Back::Stages(vec![Stage::Alone(asked::action("", &set, about.schema, about.server))]),
        ..Proposal::default()
    })
}
