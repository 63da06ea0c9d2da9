//! `RENAME TO`: the new name comes as a view, which reads and writes through; the contract exchanges both in one
//! statement, so that there is no moment without either name.

use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::TableName;
use crate::schema::model::Relation;

pub(super) fn propose(about: &About<'_>, to: &TableName) -> Proposal {
    let from = about.name;
    let schema = to.schema.clone().or_else(|| from.schema.clone());
    let new = TableName { schema, name: to.name.clone() };
    let (old_sql, new_sql) = (about.sql(), about.sql_of(&new));
    let mut proposal = Proposal {
        code: format!(
            "the new code, which starts after the first step, uses {new_sql}, which reads and writes {old_sql}"
        ),
        ..Proposal::default()
    };
    about.must_be_known(&mut proposal);
    let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
    if to.schema.is_some() && to.schema != from.schema {
        missing(format!(
            "`{old_sql}` moves to another database, where no view of its old place writes through"
        ));
    }
    if about.schema.relation(&new).is_some() {
        missing(format!("`{new_sql}` is there already"));
    }
    if matches!(about.schema.relation(from), Some(Relation::View(_))) {
        missing(format!("`{old_sql}` is a view: make one with the new name, and drop this one later"));
    }
    let columns = match about.table {
        Some(table) => about.ids(table.columns.iter().map(|column| &column.name)),
        None => "*".to_owned(),
    };
    let view = Action::new(
        "The new name, for code that comes: it reads and writes the table itself.",
        format!("CREATE SQL SECURITY INVOKER VIEW {new_sql} AS SELECT {columns} FROM {old_sql}"),
    )
    .undone_by(format!("DROP VIEW {new_sql}"));
    proposal.expand = vec![Stage::Alone(view.clone())];
    let aside = about.beside(&about.named("twostep_view"));
    proposal.contract = vec![
        Stage::Alone(Action::new(
            "One moment for both: the table takes the place of the view.",
            format!("RENAME TABLE {new_sql} TO {aside}, {old_sql} TO {new_sql}"),
        )),
        Stage::Alone(Action::new("What it showed has another name.", format!("DROP VIEW {aside}"))),
    ];
    proposal.back = Back::Stages(vec![
        Stage::Alone(Action::new("", format!("RENAME TABLE {new_sql} TO {old_sql}"))),
        Stage::Alone(view),
    ]);
    proposal.limits.push(
        "through the view do not work: TRUNCATE, LOCK TABLES of the table's name, foreign keys to it, ALTER TABLE, INSERT without any column"
            .to_owned(),
    );
    proposal.limits.push(
        "the way back from the contract has a moment without the new name: stop the new code before it"
            .to_owned(),
    );
    if about.table.is_some_and(|table| !table.triggers.is_empty()) {
        proposal
            .limits
            .push("its triggers come along, and fire for what is written through the view too".to_owned());
    }
    proposal
}
