//! `DROP` of tables, indexes, views, routines, triggers and the like: nothing but the second step.

use super::constraint;
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::schema::change::{DropObject, ObjectKind};

pub(super) fn propose(about: &About<'_>, drop: &DropObject) -> Option<Proposal> {
    let name = about.sql_of(&drop.name);
    let mut proposal =
        Proposal { code: format!("it no longer uses {name}"), back: Back::Authors, ..Proposal::default() };
    match drop.object {
        ObjectKind::Index => return Some(constraint::drop_index(about, &drop.name.name)),
        ObjectKind::Table => proposal
            .limits
            .push("its rows are gone with the contract; its down can only make an empty table".to_owned()),
        ObjectKind::View
        | ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Trigger
        | ObjectKind::Sequence => {}
        _ => return None,
    }
    let exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let text = if drop.part.1 > 1 {
        format!("DROP {} {exists}{name}", drop.object.title().to_uppercase())
    } else {
        about.text.trim().trim_end_matches(';').to_owned()
    };
    let what = if drop.object == ObjectKind::Table {
        "Its rows are gone with this."
    } else {
        "No code uses it any more."
    };
    proposal.contract = vec![Stage::Alone(Action::new(what, text))];
    Some(proposal)
}
