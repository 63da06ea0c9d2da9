//! The connection: who answers, and how long a round trip takes.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use async_trait::async_trait;
use std::time::{Duration, Instant};

/// A migration is dozens of round trips; from here on they are felt.
const FAR: Duration = Duration::from_millis(100);

/// See the module.
pub struct Connection;

#[async_trait]
impl Check for Connection {
    fn id(&self) -> &'static str {
        "connection"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let mut quickest = Duration::MAX;
        for _ in 0..3 {
            let asked = Instant::now();
            patient.ask("SELECT 1").await?;
            quickest = quickest.min(asked.elapsed());
        }
        let user = match patient.identity.user.as_str() {
            "" => String::new(),
            user => format!(" as `{user}`"),
        };
        let found = format!(
            "{} at {}{user}, {}.{} ms a round trip",
            patient.identity.version,
            patient.url,
            quickest.as_millis(),
            quickest.as_micros() / 100 % 10
        );
        Ok(vec![if quickest < FAR {
            Seen::fine(found)
        } else {
            Seen::warning(found, "run migrations from a place that is nearer to the server")
        }])
    }
}
