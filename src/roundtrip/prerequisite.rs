//! What migrations need that no migration makes: extensions, roles, and whatever else stands outside of the folder.

use crate::db::error::DbError;
use crate::dialect::Dialect;

/// Something that is missing on the scratch server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prerequisite {
    /// An extension that the server cannot load.
    Extension(String),
    /// A role.
    Role(String),
    /// A schema, table, function, type or column, as the server names it.
    Object(String),
}

impl Prerequisite {
    /// What the server's refusal of an up says is missing; none where it is refused for another reason.
    pub fn of(error: &DbError, dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Postgres => of_postgres(error),
            Dialect::Mysql => of_mysql(error),
            Dialect::Sqlite => None,
        }
    }

    /// One sentence that says what is missing, and for which migrations; and what provides it.
    pub fn sentence(&self, migrations: &[String]) -> String {
        let needed = match migrations {
            [one] => format!("needed by {one}"),
            [first, rest @ ..] => format!("needed by {first} and {} more", rest.len()),
            [] => "needed".to_owned(),
        };
        match self {
            Prerequisite::Extension(name) => format!(
                "the extension `{name}` is not available on the scratch server, {needed}: install it there, or name a \
                 server that has it with --scratch-url, or put a stand-in for what is used of it into prelude.sql"
            ),
            Prerequisite::Role(name) => format!(
                "the role `{name}` does not exist on the scratch server, {needed}: put `create role {name};` into \
                 prelude.sql"
            ),
            Prerequisite::Object(what) => format!(
                "{what} is made by no migration before, {needed}: put what makes it into prelude.sql, if it is there in \
                 production by other means"
            ),
        }
    }
}

/// The first name in double quotes.
fn quoted(message: &str) -> Option<String> {
    message.split('"').nth(1).map(str::to_owned)
}

/// SQLSTATEs: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(error: &DbError) -> Option<Prerequisite> {
    let message = error.message.as_str();
    let missing = || message.strip_suffix(" does not exist").map(|what| what.replace('"', "`"));
    match error.code.as_deref()? {
        "0A000" if message.starts_with("extension ") => quoted(message).map(Prerequisite::Extension),
        // could not open extension control file "/usr/share/…/extension/NAME.control"
        "58P01" if message.contains(".control") => {
            let file = quoted(message)?;
            let name = file.rsplit('/').next()?.strip_suffix(".control")?;
            Some(Prerequisite::Extension(name.to_owned()))
        }
        "55000" | "XX000" if message.contains("shared_preload_libraries") => {
            let name = quoted(message).unwrap_or_else(|| message.split(' ').next().unwrap_or("").to_owned());
            Some(Prerequisite::Extension(name))
        }
        "42704" | "22023" if message.starts_with("role ") => quoted(message).map(Prerequisite::Role),
        "3F000" | "42P01" | "42704" | "42883" => missing().map(Prerequisite::Object),
        _ => None,
    }
}

/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>: no such table, no such routine, no such database.
fn of_mysql(error: &DbError) -> Option<Prerequisite> {
    match error.code.as_deref()? {
        "1146" | "1305" | "1049" => {
            let name = error.message.split(['\'', '`']).nth(1)?;
            Some(Prerequisite::Object(format!("`{}`", name.rsplit('.').next().unwrap_or(name))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::error::DbErrorClass;

    #[track_caller]
    fn check(dialect: Dialect, code: &str, message: &str, expect: &str) {
        let error = DbError { code: Some(code.to_owned()), ..DbError::new(DbErrorClass::Statement, message) };
        let found = Prerequisite::of(&error, dialect).map(|found| found.sentence(&["1_a".to_owned()]));
        let found = found.unwrap_or_default();
        assert!(if expect.is_empty() { found.is_empty() } else { found.starts_with(expect) }, "{found}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let postgres = |code, message, expect| check(Dialect::Postgres, code, message, expect);
        postgres(
            "0A000",
            "extension \"postgis\" is not available",
            "the extension `postgis` is not available",
        );
        postgres(
            "58P01",
            "could not open extension control file \"/usr/share/postgresql/15/extension/vector.control\": No such file",
            "the extension `vector` is not available",
        );
        postgres("42704", "role \"app\" does not exist", "the role `app` does not exist");
        postgres(
            "42P01",
            "relation \"auth.users\" does not exist",
            "relation `auth.users` is made by no migration before, needed by 1_a: put",
        );
        postgres("42601", "syntax error at or near \"exist\"", "");
        check(Dialect::Mysql, "1146", "Table 'shop.users' doesn't exist", "`users` is made by no migration");
        check(Dialect::Mysql, "1064", "You have an error", "");
    }
}
