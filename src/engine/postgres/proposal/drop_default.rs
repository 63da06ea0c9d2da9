//! `DROP DEFAULT`: the running code may leave the column out, so that it goes with the second step.

use super::id;
use super::subject::Subject;
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::name::Name;

pub(super) fn propose(subject: &Subject<'_>, column: &Name) -> Option<Proposal> {
    let default = subject.column(column)?.default.as_ref().filter(|default| !default.is_null)?;
    let (table, name) = (subject.sql(), id(column));
    let set = format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {}", default.text);
    Some(Proposal {
        code: format!("it gives {name} in every insert"),
        contract: vec![Stage::Together(vec![Action::new(
            "All code gives a value now.",
            format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"),
        )])],
        back: Back::Stages(vec![Stage::Together(vec![Action::new("", set)])]),
        ..Proposal::default()
    })
}
