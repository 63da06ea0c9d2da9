//! Which statements reach beyond the database that they are run in: what they do is seen by all of the server.

use super::lower;
use crate::dialect::Dialect;
use crate::schema::change::{ChangeKind, ObjectKind, SetVariable};

/// Whether `sql` changes what is not of its own database: roles, settings of the server, tablespaces, other databases.
/// What cannot be read is taken for one that does not: the server's own rights decide.
pub fn reaches_beyond_database(sql: &str, dialect: Dialect) -> bool {
    dialect != Dialect::Sqlite && lower(sql, dialect).iter().any(|change| is_beyond(&change.kind, dialect))
}

fn is_beyond(kind: &ChangeKind, dialect: Dialect) -> bool {
    match kind {
        ChangeKind::CreateOther { object, .. }
        | ChangeKind::AlterOther { object, .. }
        | ChangeKind::SetOwner { object, .. } => is_of_server(*object, dialect),
        ChangeKind::Drop(drop) => is_of_server(drop.object, dialect),
        ChangeKind::Rename(rename) => is_of_server(rename.object, dialect),
        // There a schema is a database.
        ChangeKind::CreateSchema { .. } => dialect == Dialect::Mysql,
        ChangeKind::SetVariable(SetVariable { name, .. }) => {
            dialect == Dialect::Mysql && name.as_str().to_ascii_lowercase().contains("global")
        }
        _ => false,
    }
}

fn is_of_server(object: ObjectKind, dialect: Dialect) -> bool {
    match object {
        ObjectKind::Role | ObjectKind::Tablespace | ObjectKind::System | ObjectKind::Database => true,
        ObjectKind::Subscription => dialect == Dialect::Postgres,
        ObjectKind::Schema => dialect == Dialect::Mysql,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_of_a_server_sees() {
        let postgres = |sql| reaches_beyond_database(sql, Dialect::Postgres);
        for sql in [
            "create role app",
            "drop user if exists app",
            "alter role app set search_path = a",
            "alter system set work_mem = '1GB'",
            "create database other",
            "alter database shop set timezone = 'UTC'",
            "create tablespace fast location '/fast'",
            "do $$ begin create role app; exception when duplicate_object then null; end $$",
        ] {
            assert!(postgres(sql), "{sql}");
        }
        for sql in
            ["create table role (a int)", "grant select on t to app", "create schema a", "drop schema a"]
        {
            assert!(!postgres(sql), "{sql}");
        }
        assert!(reaches_beyond_database("create user app", Dialect::Mysql));
        assert!(reaches_beyond_database("create database other", Dialect::Mysql));
        assert!(!reaches_beyond_database("create table t (a int)", Dialect::Mysql));
    }
}
