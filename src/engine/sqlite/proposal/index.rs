//! `CREATE INDEX`: there is no way that keeps no writer waiting; one that is unique waits for the contract.

use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::schema::change::CreateIndex;

pub(super) fn create(about: &About<'_>, create: &CreateIndex) -> Proposal {
    let name = create.name.as_ref().map_or_else(String::new, |name| about.id(name));
    let sql = about.text.trim().trim_end_matches(';').to_owned();
    let drop = format!("DROP INDEX {name}");
    let mut proposal =
        Proposal { limits: vec![format!("other writers wait while {name} is built")], ..Proposal::default() };
    if create.unique {
        proposal.code = "what it writes is unique, and no two rows are the same any more".to_owned();
        let text = "Refused where two rows are the same.\ntwostep: allow new-write-restriction because older code is gone by now";
        proposal.contract = vec![Stage::Together(vec![Action::new(text, sql)])];
        proposal.back = Back::Stages(vec![Stage::Together(vec![Action::new("", drop)])]);
    } else {
        let text = "As it was: older code does not see it.";
        proposal.expand = vec![Stage::Together(vec![Action::new(text, sql).undone_by(drop)])];
    }
    proposal
}
