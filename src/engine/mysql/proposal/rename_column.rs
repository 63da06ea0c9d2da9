//! `RENAME COLUMN`: a copy under the new name, kept equal by triggers. The contract exchanges both names in one
//! statement: the triggers are the same for either, so that no write is lost, and what hangs on the column itself was
//! never touched. Then the copy goes.

use super::sync::{self, Pair};
use super::{asked, definition};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, stopped};
use crate::engine::version::Product;
use crate::name::Name;
use crate::schema::change::{ConstraintKind, ForeignKeyAction, Generation, Nullability, Volatility};

pub(super) fn propose(about: &About<'_>, from: &Name, to: &Name) -> Proposal {
    let (table, old, new) = (about.sql(), about.id(from), about.id(to));
    let mut proposal = Proposal {
        code: format!("the new code, which starts after the backfill, reads and writes {new} only"),
        ..Proposal::default()
    };
    refusals(about, from, to, &mut proposal);
    let of_type = about.column(from).and_then(definition::full_type).unwrap_or_else(|| "…".to_owned());
    let pair = Pair { old: from, new: to, next: None };
    let triggers = pair.start(about, from);
    let mut expand = start(about, from, from, to, &of_type);
    expand.extend(triggers.iter().cloned());
    proposal.expand.extend(expand.into_iter().map(Stage::Alone));
    let differ = |one: &str, other: &str| format!("NOT ({})", sync::same(about, from, one, other));
    let (set, condition) = (format!("{new} = {old}"), differ(&old, &new));
    about.batch(&mut proposal, "Rows that nobody has written since.", &set, &condition);
    let told = sync::must_be_told(about);
    if let Some(Stage::Backfill { action, .. }) = proposal.expand.last_mut() {
        action.told = told;
    }
    let indexes = copies(about, from, to);
    proposal.expand.extend(indexes.iter().map(|(_, action)| Stage::Alone(action.clone())));
    let swap = Action::new(
        "Both hold the same, so that their names can be exchanged: the column itself has the new one.",
        exchange(about, &old, &new),
    );
    let mut contract = vec![swap];
    contract.extend(stopped(&triggers, "No code uses the old name any more."));
    for (name, _) in &indexes {
        let sql = format!("DROP INDEX {} ON {table}", about.id(name));
        contract.push(asked::action("It stood on the copy.", &sql, about.schema, about.server));
    }
    contract.push(asked::action(
        "The copy goes.",
        &format!("ALTER TABLE {table} DROP COLUMN {old}"),
        &definition::without_indexes(about, from),
        about.server,
    ));
    proposal.contract = contract.into_iter().map(Stage::Alone).collect();
    let mut back: Vec<Stage> = start(about, from, to, from, &of_type).into_iter().map(Stage::Alone).collect();
    // The last of several columns is taken back first.
    let mirrored = Pair { next: behind(about, to), ..pair };
    back.extend(mirrored.start(about, from).into_iter().map(Stage::Alone));
    let key = about.table.map_or_else(Vec::new, crate::engine::key_of);
    let key = key.into_iter().map(|column| if column == *from { to.clone() } else { column }).collect();
    let mut fill = Action::new(
        "Rows that nobody has written since.",
        format!("UPDATE {table} SET {old} = {new} WHERE {}", differ(&new, &old)),
    );
    fill.told = told;
    back.push(Stage::Backfill { action: fill, key });
    back.push(Stage::Alone(Action::new(
        "Both hold the same, so that their names can be exchanged: the column itself is the old one again.",
        exchange(about, &old, &new),
    )));
    back.extend(indexes.into_iter().map(|(_, action)| Stage::Alone(action)));
    proposal.back = Back::Stages(back);
    limits(about, from, to, &mut proposal);
    proposal
}

/// The column of the table that the same migration renames next, by its new name.
fn behind<'a>(about: &About<'a>, to: &Name) -> Option<&'a Name> {
    let key = about.key();
    let mut renamed = about.given.apart.iter().filter(|one| one.table == key);
    renamed.find(|one| one.copy == *to)?;
    renamed.next().map(|one| &one.copy)
}

/// The copy `to` of the column that is called `real` now. `original`: the column that the schema knows.
fn start(about: &About<'_>, original: &Name, real: &Name, to: &Name, of_type: &str) -> Vec<Action> {
    let (table, new) = (about.sql(), about.id(to));
    let like = format!("ALTER TABLE {table} ADD COLUMN {new} {of_type} NULL AFTER {}", about.id(original));
    let words = asked::words_for(&like, about.schema, about.server);
    let mut actions = vec![
        Action::new(
            format!("{new} is a copy of {}; no row is written yet.", about.id(real)),
            format!("ALTER TABLE {table} ADD COLUMN {new} {of_type} NULL AFTER {}{words}", about.id(real)),
        )
        .undone_by(format!("ALTER TABLE {table} DROP COLUMN {new}")),
    ];
    if let Some(default) = sync::default(about, original) {
        let default =
            if default.contains('(') && !default.starts_with('(') && about.server.product == Product::Mysql {
                format!("({default})")
            } else {
                default
            };
        actions.push(Action::new(
            format!("By its default an INSERT that does not give {new} is told."),
            format!("ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {default}, ALGORITHM=INSTANT"),
        ));
    }
    actions
}

/// Exchanges the names of two columns.
fn exchange(about: &About<'_>, one: &str, other: &str) -> String {
    let sql = format!("ALTER TABLE {} RENAME COLUMN {one} TO {other}", about.sql());
    let words = asked::words_for(&sql, about.schema, about.server);
    format!("{sql}, RENAME COLUMN {other} TO {one}{words}")
}

/// What the new code's queries need: indexes over the copy. They are not unique: what is unique of the one column is so
/// of the other.
fn copies(about: &About<'_>, from: &Name, to: &Name) -> Vec<(Name, Action)> {
    let table = about.sql();
    let copy = |index: &crate::schema::model::Index| {
        let name = crate::engine::proposal::about::named(&index.name, to.as_str(), about.dialect());
        let sql = definition::index_over(about, index, &name, false, Some((from, to)));
        let like = definition::index_over(about, index, &name, false, None);
        let words = asked::words_for(&like, about.schema, about.server);
        let text = format!(
            "What {} is to {}, for the new code's queries; the contract takes it away.",
            about.id(&index.name),
            about.id(to)
        );
        let drop = format!("DROP INDEX {} ON {table}", about.id(&name));
        (name, Action::new(text, format!("{sql}{words}")).undone_by(drop))
    };
    about.indexes_of(from).filter(|index| index.method.as_deref() != Some("fulltext")).map(copy).collect()
}

fn refusals(about: &About<'_>, from: &Name, to: &Name, proposal: &mut Proposal) {
    about.must_be_known(proposal);
    sync::must_leave_others_alone(about, proposal);
    let old = about.id(from);
    let Some(table) = about.table else { return };
    let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
    let Some(column) = about.column(from) else {
        if table.is_complete() {
            missing(format!("`{}` has no column `{old}`", about.sql()));
        }
        return;
    };
    if about.column(to).is_some() && !table.same(from, to) {
        missing(format!("`{}` has a column `{}` already", about.sql(), about.id(to)));
    }
    if table.same(from, to) {
        missing(format!("`{old}` changes its case only, which the server does not tell apart"));
    }
    if column.data_type.is_none() {
        missing(format!("the type of `{old}` is not known"));
    }
    match &column.generation {
        Some(Generation::Expression { .. }) => {
            missing(format!("`{old}` is a generated column, which no trigger can write"));
        }
        Some(_) => missing(format!(
            "the server numbers `{old}`, and no trigger knows the number of a row that is inserted"
        )),
        None => {}
    }
    for trigger in table.triggers.iter().filter(|trigger| sync::reads(&trigger.definition, from)) {
        missing(format!(
            "the trigger {} names `{old}`: behind the contract, as behind the plain statement, the server would refuse every write that fires it; drop it in a migration before, and make it with the new name in one behind the contract",
            about.id(&trigger.definition.name)
        ));
    }
    let generated = table.columns.iter().find(|other| {
        matches!(&other.generation, Some(Generation::Expression { expr, .. }) if expr.columns.contains(from))
    });
    if let Some(other) = generated {
        missing(format!("the generated column `{}` is computed from `{old}`", about.id(&other.name)));
    }
    let key = table.partition_by.iter().flat_map(|by| &by.key).flat_map(|expr| &expr.columns);
    if key.into_iter().any(|column| column == from) {
        missing(format!("`{old}` decides in which partition a row is"));
    }
    if table.indexes.iter().any(|index| index.uses(from) && index.method.as_deref() == Some("fulltext")) {
        missing(format!(
            "`{old}` has a full-text index, which a copy cannot have without keeping writes waiting"
        ));
    }
    for one in table.constraints.iter().filter(|one| one.columns().contains(from)) {
        match &one.kind {
            ConstraintKind::Check(_) if about.server.product == Product::Mysql => {
                missing(format!("MySQL renames no column of a CHECK: drop {} first", about.id(&one.name)))
            }
            ConstraintKind::ForeignKey(key) => {
                let writes = key.on_delete == ForeignKeyAction::SetNull
                    || !matches!(key.on_update, ForeignKeyAction::NoAction | ForeignKeyAction::Restrict);
                if writes {
                    missing(format!(
                        "the foreign key {} writes `{old}` by itself, which fires no trigger",
                        about.id(&one.name)
                    ));
                }
            }
            _ => {}
        }
    }
}

fn limits(about: &About<'_>, from: &Name, to: &Name, proposal: &mut Proposal) {
    let (old, new) = (about.id(from), about.id(to));
    let mut limit = |text: String| proposal.limits.push(text);
    limit(format!(
        "`SELECT *` on {} has one column more until the contract; INSERT without a column list must not run in between",
        about.sql()
    ));
    let Some((table, column)) = about.table.zip(about.column(from)) else { return };
    if let Some(default) = column.default.as_ref().filter(|default| !default.is_null)
        && (default.volatility >= Volatility::Volatile || column.nullability == Nullability::NotNull)
    {
        limit(format!("until the contract, NULL that is given for {new} explicitly becomes the default"));
    }
    for (view, _) in about.schema.views_of(&table.name).filter(|(_, read)| read.columns.contains(from)) {
        limit(format!(
            "the view {} reads {old}, and is broken by the contract as by the plain statement: replace it before",
            about.sql_of(&view.name)
        ));
    }
    if sync::must_be_told(about) {
        limit(format!(
            "the table's own UPDATE triggers fire for each row that is filled, while {} is 1; what they make of the row is taken back",
            sync::BACKFILL
        ));
    }
}
