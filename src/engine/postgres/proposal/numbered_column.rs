//! A serial or identity column that is added: a plain one with a sequence, which is filled before it is required.

use super::add_column::add;
use super::set_not_null::not_null;
use super::subject::Subject;
use super::{constraint, id, identity};
use crate::engine::proposal::{Action, Proposal, Stage};
use crate::name::{Name, plain_literal};
use crate::schema::change::*;

pub(super) fn propose(subject: &Subject<'_>, column: &ColumnDef, extra: &[&Constraint]) -> Proposal {
    let (table, name) = (subject.sql(), id(&column.name));
    let after = subject.after();
    let default = after.table(subject.name).and_then(|table| table.column(&column.name)?.default.clone());
    let made = default.and_then(|default| default.calls.first()?.literals.first().cloned());
    // The name that the server would give to it.
    let sequence = match made {
        Some(made) => made.rsplit('.').next().map(|last| last.trim_matches('"').to_owned()),
        None => None,
    };
    let sequence =
        sequence.map_or_else(|| subject.named(&format!("{}_seq", column.name.as_str())), Name::new);
    let sequence = subject.in_schema(&sequence);
    let literal = plain_literal(&sequence);
    let mut proposal = Proposal::default();
    subject.must_be_known(&mut proposal);
    let as_type = column.data_type.as_ref().map_or_else(String::new, |known| format!(" AS {known}"));
    let identity = match &column.generation {
        Some(Generation::Identity(identity)) => Some(identity),
        _ => None,
    };
    let options: String = identity
        .iter()
        .flat_map(|one| identity::parts(&one.options))
        .filter(|part| is_of_numbers(part))
        .map(|part| format!(" {part}"))
        .collect();
    let create = format!("CREATE SEQUENCE {sequence}{as_type}{options}");
    proposal.expand.push(Stage::Together(vec![
        Action::new("The numbers come from here.", create.clone()),
        add(subject, column, "", "Without its default, so that no row is written."),
        Action::new(
            "New rows have a number from here on.",
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval({literal})"),
        ),
        // The down of the column takes its sequence along.
        Action::new("", format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{name}")),
    ]));
    let (set, condition) = (format!("{name} = nextval({literal})"), format!("{name} IS NULL"));
    subject.batch(&mut proposal, "The rows that were there before.", &set, &condition);
    proposal.expand.extend(not_null(subject, &column.name));
    if let Some(identity) = identity {
        let exchange = identity::instead_of_default(subject, &column.name, &sequence, &create, identity);
        proposal.expand.push(Stage::Together(exchange));
    }
    if !extra.is_empty() {
        for one in subject.new_constraints() {
            if let Some(stages) = constraint::stages(subject, &one, &mut proposal) {
                proposal.expand.extend(stages);
            }
        }
    }
    proposal
}

/// Whether an option of an identity is one of its sequence.
fn is_of_numbers(part: &str) -> bool {
    !part.starts_with("SEQUENCE NAME")
}
