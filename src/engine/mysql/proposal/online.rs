//! What the server does by itself while others read and write, and what it cannot.

use super::{asked, tool, undo};
use crate::engine::effects::Session;
use crate::engine::mysql::effects::effects;
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Proposal, Stage};

/// A change that older code does not see: as it stands, asked for by its words; or why it has no online way.
pub(super) fn propose(about: &About<'_>) -> Option<Proposal> {
    let effects = effects(about.change, about.schema, about.server, Session::default());
    if effects.is_instant() {
        return None;
    }
    if blocks(about) {
        return Some(tool::proposal(about));
    }
    let action = action(about, "Others read and write meanwhile.");
    let undo = undo::undo(about.change, about.schema, about.server)?;
    Some(Proposal { expand: vec![Stage::Alone(Action { undo, ..action })], ..Proposal::default() })
}

/// The change as it stands, asked for by its words.
pub(super) fn action(about: &About<'_>, text: &str) -> Action {
    let sql = asked::explicit(about.text, &[(about.change, about.schema)], about.server);
    Action::new(text, sql)
}

/// Whether writes wait for as long as there are rows.
pub(super) fn blocks(about: &About<'_>) -> bool {
    let effects = effects(about.change, about.schema, about.server, Session::default());
    effects.relations.iter().any(|one| one.lock.blocks_writes && one.work.grows_with_rows())
}
