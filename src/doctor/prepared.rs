//! Transactions that were prepared for a second phase and never ended: they keep their locks also over a restart.

use super::check::{Check, Patient, Seen};
use crate::db::error::{DbError, DbErrorClass};
use crate::dialect::Dialect;
use crate::name::{mysql_string, plain_literal};
use async_trait::async_trait;

/// See the module.
pub struct Prepared;

#[async_trait]
impl Check for Prepared {
    fn id(&self) -> &'static str {
        "prepared transactions"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let dialect = patient.dialect();
        let (sql, at) = match dialect {
            Dialect::Postgres => (
                "SELECT gid, owner, EXTRACT(epoch FROM pg_catalog.clock_timestamp() - prepared)::pg_catalog.int8 \
                 FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() ORDER BY prepared",
                0,
            ),
            Dialect::Mysql => ("XA RECOVER", 3),
            Dialect::Sqlite => return Ok(Vec::new()),
        };
        let rows = match patient.ask(sql).await {
            Ok(rows) => rows,
            // MySQL 8 shows them only to accounts with XA_RECOVER_ADMIN.
            Err(error) if matches!(error.class, DbErrorClass::PermissionDenied | DbErrorClass::Statement) => {
                return Ok(vec![Seen::note(format!("they cannot be seen: {}", error.message))]);
            }
            Err(error) => return Err(error),
        };
        if rows.is_empty() {
            return Ok(vec![Seen::fine("none is waiting for its second phase")]);
        }
        Ok(rows
            .iter()
            .map(|row| {
                let (id, end) = match dialect {
                    Dialect::Mysql => (mysql_string(row.text(at)), "XA ROLLBACK"),
                    Dialect::Postgres | Dialect::Sqlite => (plain_literal(row.text(at)), "ROLLBACK PREPARED"),
                };
                let message = format!("transaction {id} is prepared, and keeps its locks until it is ended");
                Seen::problem(message, format!("ask its owner whether to commit it, else: {end} {id};"))
            })
            .collect())
    }
}
