//! TLS: whether the connection is encrypted, and whether the server was checked.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use async_trait::async_trait;

/// See the module.
pub struct Tls;

#[async_trait]
impl Check for Tls {
    fn id(&self) -> &'static str {
        "tls"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let (sql, at) = match patient.dialect() {
            Dialect::Sqlite => return Ok(Vec::new()),
            Dialect::Postgres => {
                ("SELECT version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()", 0)
            }
            Dialect::Mysql => ("SHOW SESSION STATUS LIKE 'Ssl_version'", 1),
        };
        let rows = patient.ask(sql).await?;
        let version = rows.first().map(|row| row.text(at).to_owned()).unwrap_or_default();
        let checked = ["verify-full", "verify-ca", "verify_identity", "verify_ca"];
        let shown = patient.url.to_string().to_ascii_lowercase();
        let is_checked = checked.iter().any(|mode| shown.contains(mode));
        let demand = match patient.dialect() {
            Dialect::Mysql => "`?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE` in the URL demands and checks it",
            Dialect::Postgres | Dialect::Sqlite => {
                "`?sslmode=verify-full&sslrootcert=FILE` in the URL demands and checks it"
            }
        };
        Ok(vec![match (version.as_str(), is_checked) {
            ("", _) if patient.is_local() => Seen::fine("not encrypted, on this machine"),
            ("", _) => Seen::warning("the connection is not encrypted", demand),
            (version, true) => Seen::fine(format!("{version}, and the server's certificate is checked")),
            (version, false) if patient.is_local() => Seen::fine(version),
            (version, false) => Seen::warning(
                format!("{version}, but nobody checks the server's certificate: anybody could be the server"),
                demand,
            ),
        }])
    }
}
