//! `RENAME COLUMN`: a copy under the new name, kept equal by triggers; the contract drops the copy and renames the
//! column itself, so that its constraints, indexes, views and place are what a plain rename leaves.

use super::definition::index_over;
use super::subject::Subject;
use super::sync::{Pair, differ, same};
use super::{grants, id, own_triggers};
use crate::engine::proposal::{Action, Apart, Back, Copied, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::{Generation, Volatility};
use std::cmp::Ordering;

pub(super) fn propose(subject: &Subject<'_>, from: &Name, to: &Name) -> Proposal {
    let mut proposal = Proposal::default();
    refusals(subject, from, &mut proposal);
    let pair = Pair { real: from, copy: to, new: to };
    let (table, old, new) = (subject.sql(), id(from), id(to));
    proposal.expand.push(Stage::Together(start(subject, pair, from)));
    let (set, condition) = (format!("{new} = {old}"), differ(&old, &new));
    subject.batch(&mut proposal, "Rows that nobody has written since.", &set, &condition);
    own_triggers::tell(subject, proposal.expand.last_mut());
    let mut kept = indexes(subject, from, to, Turn::Forth);
    proposal.expand.append(&mut kept);
    let check = id(&subject.named(&format!("{}_same", to.as_str())));
    proposal.expand.extend(proved_equal(&table, &check, &old, &new));
    let mut contract = pair.stop(subject);
    contract.push(Action::new(
        "The copy goes, and the column itself takes its name: nothing that hangs on it was ever touched.",
        format!("ALTER TABLE {table} DROP CONSTRAINT {check}"),
    ));
    contract.push(Action::new("", format!("ALTER TABLE {table} DROP COLUMN {new}")));
    contract.push(Action::new("", format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}")));
    proposal.contract = vec![Stage::Together(contract)];
    proposal.back = Back::Stages(back(subject, from, to, &check));
    proposal.code = format!("the new code, which starts after the backfill, reads and writes {new} only");
    limits(subject, from, to, &mut proposal);
    own_triggers::limit(subject, &mut proposal);
    proposal
}

/// The copy and its triggers, for one transaction. `original`: the column that the schema knows.
fn start(subject: &Subject<'_>, pair: Pair<'_>, original: &Name) -> Vec<Action> {
    let (table, copy) = (subject.sql(), id(pair.copy));
    let mut actions = vec![
        Action::new(
            format!("{copy} is a copy of {}; no row is written yet.", id(pair.real)),
            format!("ALTER TABLE {table} ADD COLUMN {copy} {}", subject.full_type_of(original)),
        )
        .undone_by(format!("ALTER TABLE {table} DROP COLUMN {copy}")),
    ];
    actions.extend(pair.start(subject));
    actions.push(grants::copy_of_column(subject, pair.real, pair.copy));
    actions
}

/// The check that says that both are the same, validated without keeping anyone waiting.
fn proved_equal(table: &str, check: &str, one: &str, other: &str) -> [Stage; 2] {
    [
        Stage::Alone(
            Action::new(
                "Every row is filled, and every row that is written is filled by the triggers.\ntwostep: allow new-write-restriction because the triggers keep both the same",
                format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({}) NOT VALID", same(one, other)),
            )
            .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT {check}")),
        ),
        Stage::Alone(Action::new(
            "The proof: both are the same in each row. Reads and writes go on meanwhile.",
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check}"),
        )),
    ]
}

/// From the renamed column back to a column and its copy: the mirror of the expand, then the names are exchanged.
fn back(subject: &Subject<'_>, from: &Name, to: &Name, check: &str) -> Vec<Stage> {
    let (table, old, new) = (subject.sql(), id(from), id(to));
    let mirrored = Pair { real: to, copy: from, new: to };
    let key =
        subject.key().iter().map(|column| if column == from { to.clone() } else { column.clone() }).collect();
    let mut stages = vec![Stage::Together(start(subject, mirrored, from))];
    stages.push(Stage::Backfill {
        action: Action::new(
            "Rows that nobody has written since.",
            format!("UPDATE {table} SET {old} = {new} WHERE {}", differ(&new, &old)),
        ),
        key,
    });
    own_triggers::tell(subject, stages.last_mut());
    let between = id(&subject.named(&format!("{}_swap", to.as_str())));
    let rename =
        |from: &str, to: &str| Action::new("", format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
    let mut swap = vec![rename(&new, &between), rename(&old, &new), rename(&between, &old)];
    swap[0].about =
        "Both hold the same, so that their names can be exchanged: the column itself is the old one again."
            .to_owned();
    swap.extend(Pair { real: from, copy: to, new: to }.exchange(subject));
    stages.push(Stage::Together(swap));
    stages.extend(indexes(subject, from, to, Turn::Back));
    stages.extend(proved_equal(&table, check, &old, &new));
    stages
}

/// In which order the columns of a migration get their copies: the last that has one makes what stands over several.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Forth,
    Back,
}

/// What new code's WHERE needs: a copy of each index over the column.
fn indexes(subject: &Subject<'_>, from: &Name, to: &Name, turn: Turn) -> Vec<Stage> {
    let Some(table) = subject.table else { return Vec::new() };
    let renamed: Vec<&Apart> = (subject.given.apart.iter())
        .filter(|one| one.copied == Copied::Renamed && one.table == table.name)
        .collect();
    let me = renamed.iter().position(|one| one.copy == *to);
    let mut stages = Vec::new();
    for index in table.indexes.iter().filter(|index| index.uses(from) && index.valid) {
        // Those before this one have their new names already, those behind it not yet.
        let over: Vec<usize> = (renamed.iter().enumerate())
            .filter(|(at, one)| match me.map(|me| at.cmp(&me)) {
                Some(Ordering::Less) => index.uses(&one.copy),
                _ => index.uses(&one.column),
            })
            .map(|(at, _)| at)
            .collect();
        let last = match turn {
            Turn::Forth => over.iter().max(),
            Turn::Back => over.iter().min(),
        };
        if last.is_some() && me.is_some() && last != me.as_ref() {
            continue;
        }
        let mut instead = vec![(from.clone(), to.clone())];
        let others = over.iter().filter(|at| Some(**at) != me).map(|at| renamed[*at]);
        instead.extend(others.map(|one| (one.column.clone(), one.copy.clone())));
        let called = over.iter().max().map_or(to, |at| &renamed[*at].copy);
        let name = super::subject::named(&index.name, called.as_str());
        let drop = format!("DROP INDEX CONCURRENTLY {}", subject.in_schema(&name));
        let sql = index_over(subject, index, &name, &instead);
        let action = Action::new(
            format!(
                "What {} is to {}, for the new code's queries; the contract takes it away.",
                id(&name),
                id(to)
            ),
            sql,
        );
        stages.push(Stage::Alone(action.undone_alone_by(vec![drop])));
    }
    stages
}

fn refusals(subject: &Subject<'_>, from: &Name, proposal: &mut Proposal) {
    subject.must_take_triggers(proposal);
    let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
    let old = id(from);
    let Some(table) = subject.table else { return };
    let Some(column) = subject.column(from) else {
        if table.is_complete() {
            missing(format!("`{}` has no column `{old}`", subject.sql()));
        }
        return;
    };
    if column.data_type.is_none() {
        missing(format!("the type of `{old}` is not known"));
    }
    match &column.generation {
        Some(Generation::Expression { .. }) => {
            missing(format!("`{old}` is a generated column, which no trigger can write"));
        }
        Some(Generation::Identity(identity)) if identity.always => {
            missing(format!("`{old}` is GENERATED ALWAYS, which no trigger may write"));
        }
        Some(_) | None => {}
    }
    let key = table.partition_by.iter().flat_map(|by| &by.key).flat_map(|expr| &expr.columns);
    if key.into_iter().any(|column| column == from) {
        missing(format!("`{old}` decides in which partition a row is, which no trigger may change"));
    }
    if subject.is_partitioned() && table.indexes.iter().any(|index| index.uses(from)) {
        missing(format!(
            "`{old}` has an index on a partitioned table, which cannot be copied without keeping writes waiting"
        ));
    }
    if inherited(subject, from) {
        missing(format!("`{old}` comes from a table that `{}` inherits from", subject.sql()));
    }
}

fn inherited(subject: &Subject<'_>, column: &Name) -> bool {
    subject.column(column).is_some_and(|column| column.inherited)
}

fn limits(subject: &Subject<'_>, from: &Name, to: &Name, proposal: &mut Proposal) {
    let (old, new) = (id(from), id(to));
    let mut limit = |text: String| proposal.limits.push(text);
    limit(format!(
        "prepared `SELECT *` and `RETURNING *` on {} fail once when {new} comes and once when it goes; INSERT and COPY without a column list must not run in between",
        subject.sql()
    ));
    let Some((table, column)) = subject.table.zip(subject.column(from)) else { return };
    if let Some(default) = column.default.as_ref().filter(|default| !default.is_null) {
        let volatile =
            crate::engine::postgres::effects::volatility(default, subject.schema) >= Volatility::Volatile;
        if volatile || subject.is_required(from) {
            limit(format!("until the contract, NULL that is given for {new} explicitly becomes the default"));
        }
    }
    if table.indexes.iter().any(|index| index.unique && index.uses(from)) {
        limit(format!(
            "until the contract no unique index stands over {new}: new code cannot say ON CONFLICT ({new}) before"
        ));
    }
    for trigger in table.triggers.iter().filter(|trigger| trigger.definition.update_of.contains(from)) {
        limit(format!(
            "the trigger {} fires on UPDATE OF {old}: not when new code writes {new}",
            id(&trigger.definition.name)
        ));
    }
    let names =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == from.as_str());
    for (name, routines) in subject.schema.routines.iter() {
        let replaced = subject.given.replaced.contains(name);
        if !replaced && routines.iter().any(|routine| names(&routine.definition.body.text)) {
            limit(format!(
                "the body of {} has the word {old}: what it does with the column must be replaced with the contract",
                super::sql(name)
            ));
        }
    }
}
