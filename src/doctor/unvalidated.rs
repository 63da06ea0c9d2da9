//! Constraints that were added NOT VALID and never validated: older rows may break them.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::name::Name;
use async_trait::async_trait;

const SQL: &str = "SELECT conrelid::pg_catalog.regclass, conname FROM pg_catalog.pg_constraint \
    WHERE NOT convalidated AND conrelid <> 0 ORDER BY 1, 2";

/// See the module.
pub struct Unvalidated;

#[async_trait]
impl Check for Unvalidated {
    fn id(&self) -> &'static str {
        "unvalidated constraints"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let seen = |row: &Row| {
            let (table, name) = (row.text(0), Name::new(row.text(1)).readable(Dialect::Postgres));
            Seen::warning(
                format!("constraint {name} of {table} is not validated: older rows may break it"),
                format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}; (reads and writes go on)"),
            )
        };
        patient.each_on_postgres(SQL, seen).await
    }
}
