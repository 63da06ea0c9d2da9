//! `RENAME TO`: SQLite has no second name for a table that code can write through.

use crate::engine::proposal::about::About;
use crate::engine::proposal::{Missing, Proposal};

pub(super) fn propose(about: &About<'_>) -> Proposal {
    let mut proposal = Proposal::default();
    proposal.missing.push(Missing::Other(format!(
        "`{}` cannot have two names: a view with INSTEAD OF triggers knows neither defaults nor ON CONFLICT nor last_insert_rowid(); rename it while the application is stopped, or keep the name",
        about.sql()
    )));
    proposal
}
