//! `DROP` of tables, indexes, views, functions, types and the like: nothing but the second step.

use super::definition::{self, index_over};
use super::subject::Subject;
use super::{id, identity, sql};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::TableName;
use crate::schema::change::*;
use crate::schema::model::{Index, Table};

pub(super) fn propose(subject: &Subject<'_>, drop: &DropObject, text: &str) -> Option<Proposal> {
    let name = subject.sql();
    let mut proposal =
        Proposal { code: format!("it no longer uses {name}"), back: Back::Authors, ..Proposal::default() };
    match drop.object {
        ObjectKind::Table => table(subject, drop, &mut proposal),
        ObjectKind::Index => return index(subject, drop),
        ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Type
        | ObjectKind::Domain
        | ObjectKind::Sequence => {
            let text = if drop.part.1 > 1 { of_several(drop, subject) } else { text.to_owned() };
            proposal.contract = vec![Stage::Together(vec![Action::new("No code uses it any more.", text)])];
            if drop.object == ObjectKind::Sequence {
                sequence(subject, drop, &mut proposal);
            }
        }
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
            let Some(on) = &drop.on else { return None };
            part(subject, drop, on, text, &mut proposal);
        }
        _ => return None,
    }
    Some(proposal)
}

/// What is on a table and does something for the running code.
fn part(subject: &Subject<'_>, drop: &DropObject, on: &TableName, text: &str, proposal: &mut Proposal) {
    let (title, name) = (drop.object.title(), id(&drop.name.name));
    proposal.code = format!("it does by itself what the {title} {name} did, or does without");
    proposal.contract = vec![Stage::Together(vec![Action::new("No code relies on it any more.", text)])];
    let policies = subject.schema.table(on).map_or(&[][..], |table| &table.policies);
    let known = policies.iter().find(|policy| policy.name == drop.name.name);
    if let Some(policy) = known.filter(|_| drop.object == ObjectKind::Policy) {
        let again = Action::new("", definition::policy(policy, on));
        proposal.back = Back::Stages(vec![Stage::Together(vec![again])]);
    }
}

/// The sequence as it was, from its beginning.
fn sequence(subject: &Subject<'_>, drop: &DropObject, proposal: &mut Proposal) {
    let Some(known) = subject.schema.sequence(&drop.name).filter(|_| !drop.cascade) else { return };
    let mut parts: Vec<String> = known.options.data_type.iter().map(|of| format!("AS {of}")).collect();
    parts.extend(identity::parts(&known.options));
    if let Some(owner) = &known.owned_by {
        let table = sql(&super::constraint::as_named(subject, &owner.0));
        parts.push(format!("OWNED BY {table}.{}", id(&owner.1)));
        if subject.given.renumbered.contains(owner) {
            proposal.code.clear();
        }
    }
    let again = format!("CREATE SEQUENCE {} {}", subject.sql(), parts.join(" "));
    let again = Action::new("The sequence as it was; where its numbers stood is gone.", again.trim_end());
    proposal.back = Back::Stages(vec![Stage::Together(vec![again])]);
}

/// One object of a `DROP` of several.
fn of_several(drop: &DropObject, subject: &Subject<'_>) -> String {
    let exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let arguments = drop.arguments.as_ref().map_or_else(String::new, |types| {
        let types: Vec<String> =
            types.iter().map(|one| super::subject::data_type(one, subject.schema)).collect();
        format!("({})", types.join(", "))
    });
    let cascade = if drop.cascade { " CASCADE" } else { "" };
    format!("DROP {} {exists}{}{arguments}{cascade}", drop.object.title().to_uppercase(), subject.sql())
}

fn table(subject: &Subject<'_>, drop: &DropObject, proposal: &mut Proposal) {
    let name = subject.sql();
    proposal
        .limits
        .push("its rows are gone with the contract; its down can only make an empty table".to_owned());
    let own = subject.table.map(|table| &table.name);
    let keys = subject.table.map_or(&[][..], |table| &table.constraints).iter();
    for one in keys {
        let ConstraintKind::ForeignKey(key) = &one.kind else { continue };
        if Some(&key.references) == own || drop.cascade {
            continue;
        }
        proposal.contract.push(Stage::Alone(Action::new(
            format!("So that {} is not locked together with it.", sql(&key.references)),
            format!("ALTER TABLE {name} DROP CONSTRAINT {}", id(&one.name)),
        )));
    }
    let exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let cascade = if drop.cascade { " CASCADE" } else { "" };
    proposal.contract.push(Stage::Alone(Action::new(
        "Its rows are gone with this.",
        format!("DROP TABLE {exists}{name}{cascade}"),
    )));
    if drop.cascade {
        proposal.limits.push("CASCADE takes along whatever hangs on it: look at what that is".to_owned());
        return;
    }
    let made = subject.table.and_then(|table| definition::table(table, subject.schema, subject.name));
    if let Some(made) = made {
        let mut actions: Vec<Action> = made.into_iter().map(|sql| Action::new("", sql)).collect();
        actions[0].about = "The table as it was; its rows are gone.".to_owned();
        proposal.back = Back::Stages(vec![Stage::Together(actions)]);
    }
}

/// `DROP INDEX`: queries of the running code may need it to be quick, and ON CONFLICT to work at all.
fn index(subject: &Subject<'_>, drop: &DropObject) -> Option<Proposal> {
    let is_rebuilt =
        |(table, index): (&Table, &Index)| subject.given.rebuilt(&table.name, &index.name).is_some();
    if subject.schema.index(&drop.name).is_some_and(|(table, index)| is_rebuilt((table, index))) {
        // It goes where the new one takes its place.
        return Some(Proposal::default());
    }
    let exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let name = sql(&drop.name);
    let mut proposal = Proposal {
        code: format!("no query of it needs {name}, neither to be quick nor for ON CONFLICT"),
        contract: vec![Stage::Alone(Action::new(
            "Waits for whoever uses it, and keeps nobody waiting.",
            format!("DROP INDEX CONCURRENTLY {exists}{name}"),
        ))],
        back: Back::Authors,
        ..Proposal::default()
    };
    if drop.cascade {
        proposal.missing.push(Missing::Other("DROP INDEX CONCURRENTLY takes no CASCADE".to_owned()));
    }
    if let Some((table, index)) = subject.schema.index(&drop.name) {
        if table.partition_by.is_some() {
            proposal.missing.push(Missing::Other(format!(
                "`{name}` is on a partitioned table, whose indexes PostgreSQL cannot drop concurrently: it takes ACCESS EXCLUSIVE on all partitions for a moment"
            )));
        }
        let schema = subject.schema;
        let of = Subject::new(schema, &table.name, subject.version, subject.given, subject.change);
        let text = index_over(&of, index, &index.name, &[]);
        proposal.back = Back::Stages(vec![Stage::Alone(Action::new("", text))]);
    }
    Some(proposal)
}
