//! Whether the database takes writes: a standby, a replica or a read-only setting does not.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use async_trait::async_trait;

/// See the module.
pub struct ReadOnly;

#[async_trait]
impl Check for ReadOnly {
    fn id(&self) -> &'static str {
        "writable"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        Ok(vec![match patient.identity.read_only.clone() {
            None => Seen::fine("the database takes writes"),
            Some(why) => Seen::problem(why, "name the primary in the URL"),
        }])
    }
}
