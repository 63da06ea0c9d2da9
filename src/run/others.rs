//! What other tools have done to the same database is not run again.

use super::adopt::find;
use super::error::RunError;
use super::journal::{History, JournalError};
use crate::db::session::Session;

/// Refuses a database that another tool has migrated and that was not taken over: everything would be run again.
pub(crate) async fn refuse(session: &mut dyn Session, history: &History) -> Result<(), RunError> {
    if history.exists {
        return Ok(());
    }
    let found = find::in_the_way(session).await.map_err(JournalError::Database)?;
    match found.first() {
        None => Ok(()),
        Some(found) => Err(RunError::OtherHistory {
            tool: found.tool.id(),
            table: found.table_shown(),
            count: found.told.count(),
        }),
    }
}
