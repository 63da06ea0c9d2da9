//! A pooler in front of the server, which hands out sessions by the transaction: no lock holds there.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use async_trait::async_trait;

/// See the module.
pub struct Pooler;

#[async_trait]
impl Check for Pooler {
    fn id(&self) -> &'static str {
        "pooler"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        if patient.dialect() == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        let seen = crate::db::pooler_seen(patient.url, patient.options, &mut *patient.session).await?;
        Ok(vec![match seen {
            None => Seen::fine("each connection has a session of its own"),
            Some(seen) => Seen::problem(
                format!("a pooler without sessions of one's own is in between: {seen}"),
                "name the database itself with `--direct-url URL` or TWOSTEP_DIRECT_URL",
            ),
        }])
    }
}
