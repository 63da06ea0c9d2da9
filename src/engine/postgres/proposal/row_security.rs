//! Row level security that is switched on: the running code then sees only what policies give it.

use super::subject::Subject;
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::schema::change::RowSecurity;

pub(super) fn propose(subject: &Subject<'_>, state: RowSecurity) -> Option<Proposal> {
    let table = subject.sql();
    let (on, off) = match state {
        RowSecurity::Enable => ("ENABLE", "DISABLE"),
        RowSecurity::Force => ("FORCE", "NO FORCE"),
        RowSecurity::Disable | RowSecurity::NoForce => return None,
    };
    let alter = |word: &str| format!("ALTER TABLE {table} {word} ROW LEVEL SECURITY");
    Some(Proposal {
        code: format!("it does for {table} what the policies ask for, such as setting who it is"),
        contract: vec![Stage::Together(vec![Action::new("All code works below the policies.", alter(on))])],
        back: Back::Stages(vec![Stage::Together(vec![Action::new("", alter(off))])]),
        ..Proposal::default()
    })
}
