//! Which server a migration is for: what it locks, and what it understands, depends on it.

use crate::dialect::Dialect;
use std::fmt;

/// The products that speak the three dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
}

impl Product {
    /// Its name in prose.
    pub const fn title(self) -> &'static str {
        match self {
            Product::Postgres => "PostgreSQL",
            Product::Mysql => "MySQL",
            Product::Mariadb => "MariaDB",
            Product::Sqlite => "SQLite",
        }
    }
}

/// The patch of a series of MySQL or MariaDB of which only the series was said.
const NEWEST: u16 = u16::MAX;

/// A server's version: major, minor, patch.
pub type Number = (u16, u16, u16);

/// A server: product and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerVersion {
    /// The product.
    pub product: Product,
    /// Major, minor, patch; what was not said is 0, but the patch of MySQL and MariaDB, which change much in one: there
    /// it is the newest.
    pub number: Number,
}

impl ServerVersion {
    /// What is taken where nobody says: a version that is widely run.
    pub const fn usual(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self { product: Product::Postgres, number: (17, 0, 0) },
            Dialect::Mysql => Self { product: Product::Mysql, number: (8, 4, 0) },
            Dialect::Sqlite => Self { product: Product::Sqlite, number: (3, 45, 0) },
        }
    }

    /// The version that `text` names: `17`, `17.2`, `8.0.35`, `mariadb 10.11`, `10.11.6-MariaDB-log`.
    pub fn parse(text: &str, dialect: Dialect) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let start = lower.find(|c: char| c.is_ascii_digit())?;
        let digits = lower[start..].split(|c: char| !(c.is_ascii_digit() || c == '.')).next()?;
        let mut parts = digits.split('.').map(str::parse::<u16>);
        let mut next = |unsaid: u16| parts.next().map_or(Some(unsaid), Result::ok);
        let patch = if dialect == Dialect::Mysql { NEWEST } else { 0 };
        let number = (next(0)?, next(0)?, next(patch)?);
        let product = match dialect {
            Dialect::Postgres => Product::Postgres,
            Dialect::Sqlite => Product::Sqlite,
            // MySQL has had no version between 9 and 10, and MariaDB none below 10 since 2012.
            Dialect::Mysql if lower.contains("maria") || number.0 >= 10 => Product::Mariadb,
            Dialect::Mysql => Product::Mysql,
        };
        Some(Self { product, number })
    }

    /// Whether it is `major.minor.patch` or later.
    pub fn at_least(self, number: Number) -> bool {
        self.number >= number
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.number;
        write!(f, "{} {major}", self.product.title())?;
        match (minor, patch) {
            (0, 0) => Ok(()),
            (minor, 0 | NEWEST) => write!(f, ".{minor}"),
            (minor, patch) => write!(f, ".{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_people_and_servers_write_them() {
        let shown = |text, dialect| ServerVersion::parse(text, dialect).map(|version| version.to_string());
        assert_eq!(shown("17", Dialect::Postgres).as_deref(), Some("PostgreSQL 17"));
        assert_eq!(shown("15.18 (Debian 15.18-1)", Dialect::Postgres).as_deref(), Some("PostgreSQL 15.18"));
        assert_eq!(shown("8.0.35", Dialect::Mysql).as_deref(), Some("MySQL 8.0.35"));
        assert_eq!(shown("10.11.6-MariaDB-log", Dialect::Mysql).as_deref(), Some("MariaDB 10.11.6"));
        assert_eq!(shown("mariadb-11.4", Dialect::Mysql).as_deref(), Some("MariaDB 11.4"));
        assert_eq!(shown("3.40", Dialect::Sqlite).as_deref(), Some("SQLite 3.40"));
        assert_eq!(shown("8.0", Dialect::Mysql).as_deref(), Some("MySQL 8.0"));
        let newest = ServerVersion::parse("8.0", Dialect::Mysql).unwrap();
        assert!(newest.at_least((8, 0, 29)) && !newest.at_least((8, 4, 0)));
        assert_eq!(shown("latest", Dialect::Postgres), None);
        assert_eq!(shown("99999", Dialect::Postgres), None);
    }
}
