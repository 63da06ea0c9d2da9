//! What the server's errors are to us.

use crate::db::error::{self, DbError, DbErrorClass};
use sqlx::postgres::PgErrorPosition;

pub(super) fn from_sqlx(error: sqlx::Error, sent: &str) -> DbError {
    error::from_sqlx(error, |inner| {
        let Some(inner) = inner.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() else {
            return DbError::new(DbErrorClass::Statement, inner.message());
        };
        let mut notes = Vec::new();
        notes.extend(inner.detail().map(|text| format!("detail: {text}")));
        notes.extend(inner.hint().map(|text| format!("hint: {text}")));
        notes.extend(inner.r#where().map(|text| format!("context: {text}")));
        let offset = match inner.position() {
            Some(PgErrorPosition::Original(character)) => {
                sent.char_indices().nth(character.saturating_sub(1)).map(|(offset, _)| offset)
            }
            _ => None,
        };
        DbError {
            class: class_of(inner.code(), inner.message()),
            code: Some(inner.code().to_owned()),
            message: inner.message().to_owned(),
            notes,
            offset,
        }
    })
}

/// SQLSTATEs: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn class_of(code: &str, message: &str) -> DbErrorClass {
    match code {
        "55P03" | "40P01" | "40001" => DbErrorClass::Contention,
        "57014" => DbErrorClass::Cancelled,
        "57P03" => DbErrorClass::Unreachable,
        "57P01" | "57P02" | "57P05" | "25P03" | "25P04" => DbErrorClass::ConnectionLost,
        "42501" => DbErrorClass::PermissionDenied,
        "25006" => DbErrorClass::ReadOnly,
        "42P01" | "42703" | "3F000" | "3D000" => DbErrorClass::Missing,
        // Too many connections at connecting: time may help.
        "53300" => DbErrorClass::Unreachable,
        "28000" | "28P01" => DbErrorClass::Refused,
        // SET ROLE.
        "22023" if message.starts_with("role ") => DbErrorClass::Refused,
        _ if code.starts_with("08") && message.contains("pgbouncer") => DbErrorClass::Refused,
        _ if code.starts_with("08") => DbErrorClass::ConnectionLost,
        _ if code.starts_with("53") || code == "58030" => DbErrorClass::Resources,
        // A session cannot begin on a full disk.
        "XX000" if message.starts_with("could not write init file") => DbErrorClass::Resources,
        _ => DbErrorClass::Statement,
    }
}
