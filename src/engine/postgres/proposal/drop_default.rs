//! `DROP DEFAULT`: the running code may leave the column out, so that it goes with the second step.

use super::subject::Subject;
use super::{id, identity};
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::name::Name;

pub(super) fn propose(subject: &Subject<'_>, column: &Name) -> Option<Proposal> {
    let default = subject.column(column)?.default.as_ref().filter(|default| !default.is_null)?;
    let (table, name) = (subject.sql(), id(column));
    let set = format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {}", default.text);
    let drop =
        |about: &str| Action::new(about, format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"));
    if subject.is_renumbered(column) {
        let again = vec![Action::new("", set), identity::put_back(subject, column)];
        return Some(Proposal {
            contract: vec![Stage::Together(vec![
                drop("In one moment its numbers are those of an identity."),
                identity::remember(subject, column),
            ])],
            back: Back::Stages(vec![Stage::Together(again)]),
            ..Proposal::default()
        });
    }
    Some(Proposal {
        code: format!("it gives {name} in every insert"),
        contract: vec![Stage::Together(vec![drop("All code gives a value now.")])],
        back: Back::Stages(vec![Stage::Together(vec![Action::new("", set)])]),
        ..Proposal::default()
    })
}
