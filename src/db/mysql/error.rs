//! The error numbers of MySQL and MariaDB, sorted by what can be done about them.

use crate::db::error::{self, DbError, DbErrorClass};
use sqlx::mysql::MySqlDatabaseError;

/// An error of the driver, for the text that was `sent`.
pub(super) fn from_sqlx(error: sqlx::Error, sent: &str) -> DbError {
    error::from_sqlx(error, |inner| {
        let Some(inner) = inner.try_downcast_ref::<MySqlDatabaseError>() else {
            return DbError::new(DbErrorClass::Statement, inner.message());
        };
        DbError {
            class: class_of(inner.number(), inner.message()),
            code: Some(inner.number().to_string()),
            message: inner.message().to_owned(),
            notes: Vec::new(),
            offset: line_named(inner.message()).and_then(|line| start_of_line(sent, line)),
        }
    })
}

/// An error of an attempt to connect: nothing was sent that could be half done.
pub(super) fn at_connecting(error: sqlx::Error) -> DbError {
    let mut error = from_sqlx(error, "");
    error.class = match (error.class, error.code.as_deref()) {
        (DbErrorClass::ConnectionLost, _) => DbErrorClass::Unreachable,
        (_, Some("1044" | "1045")) => DbErrorClass::Refused,
        (class, _) => class,
    };
    error
}

/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
fn class_of(number: u16, message: &str) -> DbErrorClass {
    match number {
        // Lock wait timeout, deadlock, NOWAIT; MariaDB's "record has changed since last read".
        1020 | 1205 | 1213 | 1614 | 3572 => DbErrorClass::Contention,
        1317 | 1969 | 3024 => DbErrorClass::Cancelled,
        // Shut down, killed, timed out, network.
        1053 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => DbErrorClass::ConnectionLost,
        // Too many connections, of all or of this user; no thread.
        1040 | 1135 | 1203 | 1226 => DbErrorClass::Unreachable,
        // A Galera node that has not joined its cluster yet.
        1047 if message.contains("WSREP") => DbErrorClass::Unreachable,
        // Unknown host, password plugin; locked account; TLS demanded.
        1129 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 3159 => DbErrorClass::Refused,
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1419 => DbErrorClass::PermissionDenied,
        1792 | 1836 => DbErrorClass::ReadOnly,
        // The number is shared by every option that forbids a statement.
        1290 if message.contains("read-only") || message.contains("read_only") => DbErrorClass::ReadOnly,
        1021 | 1037 | 1038 | 1041 | 1114 | 1206 | 3675 => DbErrorClass::Resources,
        // The system's own number stands in the text: no space left on the device, and no more room in a file.
        1004 | 1005 | 1025 | 1026 | 1030 if is_no_room(message) => DbErrorClass::Resources,
        1049 | 1054 | 1146 => DbErrorClass::Missing,
        _ => DbErrorClass::Statement,
    }
}

fn is_no_room(message: &str) -> bool {
    ["errno: 28", "error 28", "errno: 135", "error 135"].iter().any(|words| message.contains(words))
}

/// The line that a syntax error names at its end: `… near 'x' at line 3`.
fn line_named(message: &str) -> Option<usize> {
    message.rsplit_once(" at line ")?.1.parse().ok()
}

fn start_of_line(text: &str, line: usize) -> Option<usize> {
    match line.checked_sub(2) {
        None => Some(0),
        Some(before) => text.match_indices('\n').nth(before).map(|(at, _)| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_line_is_found_in_the_text() {
        let at = |message| line_named(message).and_then(|line| start_of_line("a\nb\nc", line));
        assert_eq!(at("near 'b' at line 1"), Some(0));
        assert_eq!(at("near 'c' at line 3"), Some(4));
        assert_eq!(at("near 'c' at line 4"), None);
        assert_eq!(at("no such thing"), None);
    }

    #[test]
    fn no_room_is_told_from_the_systems_number() {
        let message = "Can't create table `d`.`t` (errno: 135 \"No more room in record file\")";
        assert_eq!(class_of(1005, message), DbErrorClass::Resources);
        assert_eq!(class_of(1030, "Got error 28 \"No space left\""), DbErrorClass::Resources);
        assert_eq!(class_of(1005, "Can't create table (errno: 150)"), DbErrorClass::Statement);
    }

    #[test]
    fn one_number_for_many_options() {
        let class = |message| class_of(1290, message);
        assert_eq!(class("running with the --read-only option"), DbErrorClass::ReadOnly);
        assert_eq!(class("running with the --secure-file-priv option"), DbErrorClass::Statement);
    }
}
