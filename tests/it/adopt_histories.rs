//! Databases as other tools leave them: their tables, written as each of those tools writes them.

use twostep::dialect::Dialect;
use twostep::files::{read_folder, read_migrations};
use twostep::source::{Migration, ReadOptions, kept_checksum};

use crate::servers::{self, mariadb, postgres};
use crate::twostep::{Project, Run};

/// A database of one engine.
pub enum Base {
    Postgres(postgres::Database<'static>),
    MariaDb(mariadb::Database<'static>),
    Sqlite(Project),
}

impl Base {
    pub fn postgres() -> Option<Base> {
        Some(Base::Postgres(servers::postgres()?.fresh_database()))
    }

    pub fn mariadb() -> Option<Base> {
        Some(Base::MariaDb(servers::mariadb()?.fresh_database()))
    }

    pub fn sqlite() -> Base {
        Base::Sqlite(Project::new())
    }

    /// Another fresh one of the same engine.
    pub fn another(&self) -> Base {
        match self {
            Base::Postgres(_) => Base::Postgres(servers::postgres().unwrap().fresh_database()),
            Base::MariaDb(_) => Base::MariaDb(servers::mariadb().unwrap().fresh_database()),
            Base::Sqlite(_) => Base::Sqlite(Project::new()),
        }
    }

    pub fn dialect(&self) -> Dialect {
        match self {
            Base::Postgres(_) => Dialect::Postgres,
            Base::MariaDb(_) => Dialect::Mysql,
            Base::Sqlite(_) => Dialect::Sqlite,
        }
    }

    pub fn url(&self) -> String {
        match self {
            Base::Postgres(database) => database.url(),
            Base::MariaDb(database) => database.url(),
            Base::Sqlite(folder) => format!("sqlite:{}", folder.path("db").display()),
        }
    }

    /// Runs statements with the plain client, and gives what they answer.
    pub fn sql(&self, sql: &str) -> String {
        match self {
            Base::Postgres(database) => database.psql(sql),
            Base::MariaDb(database) => database.mysql(sql).replace('\t', "|"),
            Base::Sqlite(folder) => {
                let outcome = Run::new("sqlite3", &folder.path("."), &["-bail", "db", sql]).run().expect(0);
                outcome.stdout.trim_end().to_owned()
            }
        }
    }
}

/// A tool's history as it is in a database.
pub struct History {
    /// The tool, as `adopt` calls it.
    pub tool: &'static str,
    /// The format of its files; the native one where it has none of SQL.
    pub format: &'static str,
    /// The statements that make its table.
    pub table: fn(Dialect) -> String,
    /// The statements by which it writes a migration.
    pub row: fn(&Fact) -> String,
    /// What must be the same, whoever has written it: no times.
    pub facts: &'static str,
}

/// A migration as its tool sees it.
pub struct Fact {
    pub dialect: Dialect,
    pub version: String,
    pub name: String,
    pub file: String,
    pub checksum: String,
}

/// The migrations of a project as the tool of `format` sees them.
pub fn facts(project: &Project, format: &str, dialect: Dialect) -> Vec<Fact> {
    let path = project.path("migrations");
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let folder = read_migrations(&path, Some(format), &options).unwrap_or_else(|error| panic!("{error:?}"));
    let files = read_folder(&path).unwrap();
    let checksum = |migration: &Migration| {
        let file = files.iter().find(|file| file.path == migration.up.path).unwrap();
        kept_checksum(format, migration, file).map(|checksum| checksum.to_string()).unwrap_or_default()
    };
    let fact = |migration: &Migration| Fact {
        dialect,
        version: migration.version.to_string(),
        name: migration.name.clone(),
        file: migration.up.path.clone(),
        checksum: checksum(migration),
    };
    folder.migrations.iter().map(fact).collect()
}

const fn pick(dialect: Dialect, of: [&'static str; 3]) -> &'static str {
    match dialect {
        Dialect::Postgres => of[0],
        Dialect::Mysql => of[1],
        Dialect::Sqlite => of[2],
    }
}

/// `"type"`, as each engine quotes it.
const fn type_column(dialect: Dialect) -> &'static str {
    pick(dialect, ["\"type\"", "`type`", "\"type\""])
}

/// All of them.
pub static HISTORIES: &[History] = &[
    History {
        tool: "sqlx",
        format: "sqlx",
        table: |dialect| {
            let (time, bytes) = (
                pick(dialect, ["timestamptz", "timestamp", "timestamp"]),
                pick(dialect, ["bytea", "blob", "blob"]),
            );
            format!(
                "create table _sqlx_migrations (version bigint primary key, description text not null, \
                 installed_on {time} not null default current_timestamp, success boolean not null, \
                 checksum {bytes} not null, execution_time bigint not null)"
            )
        },
        row: |fact| {
            let checksum = match fact.dialect {
                Dialect::Postgres => format!("'\\x{}'", fact.checksum),
                Dialect::Mysql | Dialect::Sqlite => format!("x'{}'", fact.checksum),
            };
            format!(
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values ({}, '{}', true, {checksum}, 886912)",
                fact.version,
                fact.name.replace('_', " ")
            )
        },
        facts: "select version, description, success, checksum from _sqlx_migrations order by version",
    },
    History {
        tool: "golang-migrate",
        format: "golang-migrate",
        table: |_| {
            "create table schema_migrations (version bigint not null primary key, dirty boolean not null)"
                .to_owned()
        },
        row: |fact| {
            let version = &fact.version;
            format!("delete from schema_migrations; insert into schema_migrations values ({version}, false)")
        },
        facts: "select version, dirty from schema_migrations",
    },
    History {
        tool: "goose",
        format: "goose",
        table: |dialect| {
            let id = pick(
                dialect,
                [
                    "integer primary key generated by default as identity",
                    "bigint unsigned not null auto_increment primary key",
                    "integer primary key autoincrement",
                ],
            );
            format!(
                "create table goose_db_version (id {id}, version_id bigint not null, is_applied boolean not null, \
                 tstamp timestamp not null default current_timestamp); \
                 insert into goose_db_version (version_id, is_applied) values (0, true)"
            )
        },
        row: |fact| {
            let version = &fact.version;
            format!("insert into goose_db_version (version_id, is_applied) values ({version}, true)")
        },
        facts: "select version_id, is_applied from goose_db_version order by id",
    },
    History {
        tool: "dbmate",
        format: "dbmate",
        table: |dialect| {
            let text = pick(dialect, ["varchar", "varchar(128)", "varchar(128)"]);
            format!("create table schema_migrations (version {text} primary key)")
        },
        row: |fact| format!("insert into schema_migrations (version) values ('{}')", fact.version),
        facts: "select version from schema_migrations order by version",
    },
    History {
        tool: "diesel",
        format: "diesel",
        table: |_| {
            "create table __diesel_schema_migrations (version varchar(50) primary key not null, \
             run_on timestamp not null default current_timestamp)"
                .to_owned()
        },
        row: |fact| format!("insert into __diesel_schema_migrations (version) values ('{}')", fact.version),
        facts: "select version from __diesel_schema_migrations order by version",
    },
    History {
        tool: "refinery",
        format: "refinery",
        table: |_| {
            "create table refinery_schema_history (version int8 primary key, name varchar(255), \
             applied_on varchar(255), checksum varchar(255))"
                .to_owned()
        },
        row: |fact| {
            format!(
                "insert into refinery_schema_history values ({}, '{}', '2026-01-05T09:00:00.{:09}Z', '{}')",
                fact.version, fact.name, fact.version, fact.checksum
            )
        },
        facts: "select version, name, checksum from refinery_schema_history order by version",
    },
    History {
        tool: "flyway",
        format: "flyway",
        table: |dialect| {
            format!(
                "create table flyway_schema_history (installed_rank int not null primary key, version varchar(50), \
                 description varchar(200) not null, {} varchar(20) not null, script varchar(1000) not null, \
                 checksum integer, installed_by varchar(100) not null, \
                 installed_on timestamp not null default current_timestamp, execution_time integer not null, \
                 success boolean not null)",
                type_column(dialect)
            )
        },
        row: |fact| {
            format!(
                "insert into flyway_schema_history (installed_rank, version, description, {}, script, checksum, \
                 installed_by, execution_time, success) select coalesce(max(installed_rank), 0) + 1, '{}', '{}', \
                 'SQL', '{}', {}, 'me', 3, true from flyway_schema_history",
                type_column(fact.dialect),
                fact.version,
                fact.name.replace('_', " "),
                fact.file,
                fact.checksum
            )
        },
        facts: "select installed_rank, version, description, script, checksum, success \
                from flyway_schema_history order by installed_rank",
    },
    History {
        tool: "rails",
        format: "twostep",
        table: |dialect| {
            let text = pick(dialect, ["varchar", "varchar(255)", "varchar"]);
            let key = pick(dialect, ["key", "`key`", "\"key\""]);
            format!(
                "create table schema_migrations (version {text} not null primary key); \
                 create table ar_internal_metadata ({key} {text} not null primary key, value {text}, \
                 created_at timestamp, updated_at timestamp); \
                 insert into ar_internal_metadata ({key}, value) values ('environment', 'production')"
            )
        },
        row: |fact| format!("insert into schema_migrations (version) values ('{}')", fact.version),
        facts: "select version from schema_migrations order by version",
    },
    History {
        tool: "ecto",
        format: "twostep",
        table: |_| {
            "create table schema_migrations (version bigint not null primary key, inserted_at timestamp null)"
                .to_owned()
        },
        row: |fact| {
            let version = &fact.version;
            format!("insert into schema_migrations values ({version}, '2026-01-05 09:00:00')")
        },
        facts: "select version from schema_migrations order by version",
    },
    History {
        tool: "play",
        format: "play",
        table: |dialect| {
            let text = pick(dialect, ["text", "mediumtext", "text"]);
            format!(
                "create table play_evolutions (id int not null primary key, hash varchar(255) not null, \
                 applied_at timestamp not null, apply_script {text}, revert_script {text}, state varchar(255), \
                 last_problem {text})"
            )
        },
        row: |fact| {
            format!(
                "insert into play_evolutions values ({}, '{}', '2026-01-05 09:00:00', '-- as in {}', '', 'applied', '')",
                fact.version, fact.checksum, fact.file
            )
        },
        facts: "select id, hash, state, last_problem from play_evolutions order by id",
    },
    History {
        tool: "prisma",
        format: "prisma",
        table: |dialect| {
            let time = pick(dialect, ["timestamptz", "datetime(3)", "datetime"]);
            format!(
                "create table _prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, \
                 finished_at {time}, migration_name varchar(255) not null, logs text, rolled_back_at {time}, \
                 started_at {time} not null default current_timestamp{}, applied_steps_count integer not null default 0)",
                pick(dialect, ["", "(3)", ""])
            )
        },
        row: |fact| {
            format!(
                "insert into _prisma_migrations (id, checksum, finished_at, migration_name, started_at, \
                 applied_steps_count) values ('id of {v:.20}', '{}', '2026-01-05 09:00:00', '{v}', \
                 '2026-01-05 09:00:00', 1)",
                fact.checksum,
                v = fact.version
            )
        },
        facts: "select migration_name, checksum, finished_at is null, rolled_back_at is null, applied_steps_count \
                from _prisma_migrations order by migration_name",
    },
    History {
        tool: "sql-migrate",
        format: "sql-migrate",
        table: |_| {
            "create table gorp_migrations (id varchar(255) not null primary key, applied_at timestamp null)"
                .to_owned()
        },
        row: |fact| format!("insert into gorp_migrations values ('{}', '2026-01-05 09:00:00')", fact.file),
        facts: "select id from gorp_migrations order by id",
    },
    History {
        tool: "maragu",
        format: "maragu",
        table: |_| {
            "create table migrations (version varchar(255) not null); insert into migrations values ('')"
                .to_owned()
        },
        row: |fact| format!("update migrations set version = '{}'", fact.version),
        facts: "select version from migrations",
    },
];
