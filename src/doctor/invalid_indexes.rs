//! Indexes that a broken CREATE INDEX CONCURRENTLY has left: no query uses them, every write pays for them, and
//! IF NOT EXISTS takes them for good ones.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::db::session::Row;
use async_trait::async_trait;

/// Those that nobody is building now. An index of a partitioned table is invalid until each partition has one.
const SQL: &str = "SELECT i.indexrelid::pg_catalog.regclass, i.indrelid::pg_catalog.regclass, c.relkind \
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
    WHERE NOT i.indisvalid AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p \
    WHERE p.index_relid = i.indexrelid) ORDER BY 1";

/// See the module.
pub struct InvalidIndexes;

#[async_trait]
impl Check for InvalidIndexes {
    fn id(&self) -> &'static str {
        "invalid indexes"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let seen = |row: &Row| {
            let (index, table) = (row.text(0), row.text(1));
            let help = if row.text(2) == "I" {
                format!("it becomes valid when each partition of {table} has its index attached")
            } else {
                format!("DROP INDEX CONCURRENTLY {index}; then build it again")
            };
            Seen::warning(format!("index {index} of {table} is invalid: no query uses it"), help)
        };
        patient.each_on_postgres(SQL, seen).await
    }
}
