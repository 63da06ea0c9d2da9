//! `DROP` of tables, indexes, views and triggers: nothing but the second step.

use super::definition;
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::schema::change::{DropObject, ObjectKind};

pub(super) fn propose(about: &About<'_>, drop: &DropObject) -> Option<Proposal> {
    let name = about.sql_of(&drop.name);
    let mut proposal =
        Proposal { code: format!("it no longer uses {name}"), back: Back::Authors, ..Proposal::default() };
    match drop.object {
        ObjectKind::Table => proposal
            .limits
            .push("its rows are gone with the contract; its down can only make an empty table".to_owned()),
        ObjectKind::Index => {
            let (table, index) = about.schema.index(&drop.name)?;
            let of = About {
                schema: about.schema,
                name: &table.name,
                table: Some(table),
                server: about.server,
                given: about.given,
                change: about.change,
                text: about.text,
            };
            let sql = definition::index(&of, index, &index.name, index.unique, None);
            proposal.back = Back::Stages(vec![Stage::Together(vec![Action::new("", sql)])]);
            proposal.code = format!("no query of it needs {name}, neither to be quick nor to be unique");
        }
        ObjectKind::View | ObjectKind::Trigger => {}
        _ => return None,
    }
    let what = if drop.object == ObjectKind::Table {
        "Its rows are gone with this."
    } else {
        "No code uses it any more."
    };
    let sql = about.text.trim().trim_end_matches(';');
    proposal.contract = vec![Stage::Together(vec![Action::new(what, sql)])];
    Some(proposal)
}
