//! What a server says of itself: product and version, whether it takes writes, and since when it runs.

use crate::db::session::{Backend, Identity, Row};

/// Reads `VERSION(), DATABASE(), CURRENT_USER(), CONNECTION_ID(), UNIX_TIMESTAMP()`, and the names and values behind.
pub(super) fn identity(first: &Row, values: &[Row]) -> Identity {
    let value = |name: &str| {
        values.iter().find(|row| row.text(0).eq_ignore_ascii_case(name)).map_or("", |row| row.text(1))
    };
    let on = |name: &str| matches!(value(name), "ON" | "1");
    let read_only = if on("super_read_only") || on("read_only") {
        Some("`read_only` is on: this server is a replica, or closed for writes".to_owned())
    } else if on("innodb_read_only") {
        Some("`innodb_read_only` is on".to_owned())
    } else if on("transaction_read_only") || on("tx_read_only") {
        Some("transactions of this account are read only (`transaction_read_only`)".to_owned())
    } else {
        None
    };
    let (version, version_number) = version(first.text(0));
    let started = started_at(first.number(4), value("Uptime").parse().ok());
    Identity {
        version,
        version_number,
        database: first.text(1).to_owned(),
        user: first.text(2).to_owned(),
        backend: Backend { pid: first.number(3).unwrap_or(0), started },
        read_only,
    }
}

/// Product and version for people, and as a number: `MariaDB 10.11.4` and 1011, `MySQL 8.4.2` and 804.
fn version(told: &str) -> (String, i64) {
    // Old clients needed this prefix to take MariaDB for a replication source.
    let told = told.strip_prefix("5.5.5-").unwrap_or(told);
    let number = told.split('-').next().unwrap_or(told);
    let mut parts = number.split('.').filter_map(|part| part.parse::<i64>().ok());
    let version_number = parts.next().unwrap_or(0) * 100 + parts.next().unwrap_or(0);
    let product = if told.to_ascii_lowercase().contains("mariadb") { "MariaDB" } else { "MySQL" };
    (format!("{product} {number}"), version_number)
}

/// Since when the server runs, from the rows of `SELECT UNIX_TIMESTAMP(); SHOW GLOBAL STATUS LIKE 'Uptime'`.
pub(super) fn started(rows: &[Row]) -> String {
    let uptime = rows.get(1).and_then(|row| row.number(1));
    started_at(rows.first().and_then(|row| row.number(0)), uptime)
}

fn started_at(now: Option<i64>, uptime_s: Option<i64>) -> String {
    match (now, uptime_s) {
        (Some(now), Some(uptime_s)) => (now - uptime_s).to_string(),
        _ => String::new(),
    }
}

/// Whether two answers to "since when" are of one server process. They are counted, and may differ by a second or two.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<i64>(), other.parse::<i64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() <= 3,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_apart() {
        let check = |told, shown: &str, number| assert_eq!(version(told), (shown.to_owned(), number));
        check("10.11.19-MariaDB-0+deb12u1", "MariaDB 10.11.19", 1011);
        check("5.5.5-10.6.2-MariaDB", "MariaDB 10.6.2", 1006);
        check("8.0.36-0ubuntu0.22.04.1", "MySQL 8.0.36", 800);
        check("9.7.4-2", "MySQL 9.7.4", 907);
    }

    #[test]
    fn a_server_that_was_started_again_is_another_one() {
        assert!(is_same("1000", "1001") && !is_same("1000", "1010") && !is_same("", ""));
    }

    #[test]
    fn why_writes_cannot_work() {
        let row = |values: &[&str]| Row(values.iter().map(|value| Some((*value).to_owned())).collect());
        let first = row(&["9.7.4", "shop", "me@%", "8", "2000"]);
        let told = |values: &[Row]| identity(&first, values).read_only.unwrap_or_default();
        assert!(told(&[row(&["super_read_only", "ON"])]).contains("replica"));
        assert!(told(&[row(&["innodb_read_only", "ON"])]).contains("innodb_read_only"));
        assert_eq!(told(&[row(&["read_only", "OFF"]), row(&["Uptime", "500"])]), "");
        let told = identity(&first, &[row(&["Uptime", "500"])]);
        assert_eq!((told.backend.pid, told.backend.started.as_str()), (8, "1500"));
    }
}
