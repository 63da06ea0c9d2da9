//! What the table of effects of MySQL and MariaDB says is what servers do: each statement is sent with `ALGORITHM=` and
//! `LOCK=`, the least first, and the first that the server takes is what the table has to say.
//!
//! MariaDB is started; `TWOSTEP_MYSQL_URL` names further servers, parted by blanks, whose user may make databases.

use crate::effects::script;
use crate::servers;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;
use twostep::analysis::analyze;
use twostep::dialect::Dialect;
use twostep::engine::effects::{Algorithm, Effects, Session, Wait};
use twostep::engine::statement_effects;
use twostep::engine::version::{Product, ServerVersion};
use twostep::schema::model::Schema;

/// An open session.
struct Client {
    runtime: Runtime,
    connection: MySqlConnection,
}

impl Client {
    fn connect(url: &str) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = url.parse::<MySqlConnectOptions>().unwrap();
        let connection = runtime.block_on(MySqlConnection::connect_with(&options)).unwrap();
        Client { runtime, connection }
    }

    fn run(&mut self, sql: &str) -> Result<(), String> {
        let run = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
        self.runtime.block_on(run).map(drop).map_err(|error| error.to_string())
    }

    /// Rows of a name and a number.
    fn numbers(&mut self, sql: &str) -> BTreeMap<String, i64> {
        let rows = self.connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql)));
        let rows = self.runtime.block_on(rows).unwrap_or_else(|error| panic!("{error}\nin: {sql}"));
        rows.iter().map(|row| (row.get_unchecked(0), row.get_unchecked(1))).collect()
    }

    fn text(&mut self, sql: &str) -> String {
        let row = self.connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql)));
        self.runtime.block_on(row).unwrap_or_else(|error| panic!("{error}\nin: {sql}")).get_unchecked(0)
    }
}

/// A statement of the fixture, with the schema that it stands below.
struct Case<'a> {
    schema: &'a str,
    with: Vec<&'a str>,
    /// On which products, from which version on, and below which.
    only: Option<Product>,
    since: ServerVersion,
    below: ServerVersion,
    /// Whether it is found out who has to wait for whom.
    locks: bool,
    sql: String,
}

fn cases(text: &str, server: ServerVersion) -> Vec<Case<'_>> {
    let mut found = Vec::new();
    let (mut schema, mut locks) = ("", false);
    let version = |text| ServerVersion::parse(text, Dialect::Mysql).unwrap();
    for block in text.split("\n\n").skip(1) {
        if block.starts_with("create table") && block.contains(";\n") {
            (schema, locks) = (block, block.contains("-- who waits"));
            continue;
        }
        let mut case = Case {
            schema,
            with: Vec::new(),
            only: None,
            since: ServerVersion { number: (0, 0, 0), ..server },
            below: ServerVersion { number: (u16::MAX, 0, 0), ..server },
            locks,
            sql: String::new(),
        };
        for line in block.trim().lines() {
            if let Some(with) = line.strip_prefix("-- with: ") {
                case.with.push(with);
            } else if let Some(product) = line.strip_prefix("-- only: ") {
                case.only = Some(if product == "mysql" { Product::Mysql } else { Product::Mariadb });
            } else if let Some(text) = line.strip_prefix("-- since: ") {
                case.since = version(text);
            } else if let Some(text) = line.strip_prefix("-- below: ") {
                case.below = version(text);
            } else {
                case.sql.push_str(line.trim_end_matches(';'));
            }
        }
        found.push(case);
    }
    let of_product = |bound: ServerVersion, holds: bool| bound.product != server.product || holds;
    found.retain(|case| {
        case.only.is_none_or(|product| product == server.product)
            && of_product(case.since, case.since.number <= server.number)
            && of_product(case.below, server.number < case.below.number)
    });
    found
}

/// What the table says that the last statement does.
fn told(setup: &str, sql: &str, server: ServerVersion) -> Effects {
    let analysis = analyze(&[script(&format!("{setup}\n{sql}"))], Schema::new(Dialect::Mysql));
    let step = analysis.steps.last().expect("there is a statement");
    let changes: Vec<_> = step.changes.iter().map(|applied| (&applied.change, &applied.before)).collect();
    let session = Session::of(|name| step.settings.get(name).map(String::as_str));
    statement_effects(&changes, server, session)
}

/// `sql` with what it asks for.
fn asking(sql: &str, algorithm: &str, lock: &str) -> String {
    let lower = sql.to_lowercase();
    let lock = if lock.is_empty() { String::new() } else { format!("LOCK={lock}") };
    if lower.starts_with("alter") {
        // In front of the actions, for some of them reach to the end.
        let at = sql.match_indices(' ').nth(2).map_or(sql.len(), |(at, _)| at);
        let comma = if lock.is_empty() { "" } else { ", " };
        let (table, actions) = (&sql[..at], &sql[at + 1..]);
        let by_itself = ["partition by", "remove partitioning"].iter().any(|word| actions.starts_with(word));
        let behind = if by_itself { "" } else { "," };
        format!("{table} ALGORITHM={algorithm}{comma}{lock}{behind} {actions}")
    } else {
        format!("{sql} ALGORITHM={algorithm} {lock}")
    }
}

struct Server {
    url: String,
    client: Client,
    other: Client,
    version: ServerVersion,
    database: String,
}

impl Server {
    fn new(url: &str, database: &str) -> Server {
        let mut client = Client::connect(url);
        let version = ServerVersion::parse(&client.text("select version()"), Dialect::Mysql).unwrap();
        let (url, database) = (url.to_owned(), database.to_owned());
        Server { other: Client::connect(&url), client, version, url, database }
    }

    fn reset(&mut self, case: &Case<'_>) -> Result<(), String> {
        // A statement that has failed may leave locks to its session.
        self.other = Client::connect(&self.url);
        self.client = Client::connect(&self.url);
        let name = &self.database;
        let fresh = format!(
            "drop database if exists {name}; create database {name} character set utf8mb4; use {name}; \
             set foreign_key_checks=1, innodb_lock_wait_timeout=5, lock_wait_timeout=5"
        );
        self.client.run(&fresh)?;
        self.client.run(case.schema)?;
        case.with.iter().try_for_each(|with| self.client.run(with))
    }

    /// The internal numbers of the tables: one that is written anew gets another.
    fn tables(&mut self) -> BTreeMap<String, i64> {
        let view =
            if self.version.product == Product::Mariadb { "innodb_sys_tables" } else { "innodb_tables" };
        let sql = format!(
            "select name, cast(table_id as signed) from information_schema.{view} where name like '{}/%' \
             and name not like '%/fts%'",
            self.database
        );
        self.client.numbers(&sql)
    }

    /// The first algorithm that the server takes, and whether it lets others write.
    fn takes(&mut self, case: &Case<'_>) -> Result<(Algorithm, bool), String> {
        let ways: &[(&str, &[&str])] = if self.version.product == Product::Mariadb {
            &[
                ("INSTANT", &["NONE"]),
                // With LOCK=SHARED it lets through what copies.
                ("NOCOPY", &["NONE"]),
                ("INPLACE", &["NONE", "SHARED", "EXCLUSIVE"]),
                ("COPY", &["NONE", "SHARED"]),
            ]
        } else {
            // It takes no LOCK beside INSTANT.
            &[("INSTANT", &[""]), ("INPLACE", &["NONE", "SHARED"]), ("COPY", &["NONE", "SHARED"])]
        };
        let mut last = String::new();
        for (algorithm, locks) in ways {
            for lock in *locks {
                let before = self.tables();
                let sql = asking(&case.sql, algorithm, lock);
                let mut run = self.client.run(&sql);
                // The server's own threads use a table now and then.
                if run.as_ref().is_err_and(|error| error.contains("1205")) {
                    run = self.client.run(&sql);
                }
                match run {
                    Ok(()) => {
                        let after = self.tables();
                        let rewritten =
                            before.iter().any(|(name, id)| after.get(name).is_some_and(|now| now != id));
                        let found = match *algorithm {
                            "INSTANT" => Algorithm::Instant,
                            "COPY" => Algorithm::Copy,
                            _ if rewritten => Algorithm::Inplace,
                            _ => Algorithm::Nocopy,
                        };
                        return Ok((found, matches!(*lock, "" | "NONE")));
                    }
                    Err(error) => last = error,
                }
            }
        }
        Err(last)
    }

    /// Whether the statement waits for someone who has read, and has written, `table`.
    fn waits_for(
        &mut self,
        case: &Case<'_>,
        table: &str,
        told: (bool, bool),
    ) -> Result<(bool, bool), String> {
        let mut found = [false; 2];
        for (at, sql) in [format!("select * from {table}"), format!("delete from {table} where id = 99")]
            .iter()
            .enumerate()
        {
            found[at] = self.is_kept_waiting(case, sql, 0)?;
            // The server's own threads use a table for a moment now and then.
            if found[at] && ![told.0, told.1][at] {
                found[at] = self.is_kept_waiting(case, sql, 2)?;
            }
        }
        Ok((found[0], found[1]))
    }

    /// Whether the statement still waits after some seconds while another session has run `sql` and is not done.
    fn is_kept_waiting(&mut self, case: &Case<'_>, sql: &str, seconds: u8) -> Result<bool, String> {
        self.reset(case)?;
        self.client.run(&format!("set lock_wait_timeout={seconds}, innodb_lock_wait_timeout=1"))?;
        self.other.run(&format!("use {}; begin; {sql}", self.database))?;
        let run = self.client.run(&case.sql);
        self.other.run("rollback")?;
        match run {
            Ok(()) => Ok(false),
            Err(error) if error.contains("timeout") || error.contains("NOWAIT") => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// In what the table is wrong about a statement.
    fn differences(&mut self, case: &Case<'_>) -> Result<Vec<String>, String> {
        let setup = format!("{}\n{}", case.schema, case.with.join("\n"));
        let told = told(&setup, &case.sql, self.version);
        let mut wrong = Vec::new();
        self.reset(case)?;
        if let Some(algorithm) = told.algorithm {
            let (taken, writes) = self.takes(case)?;
            let target = told.target().expect("an algorithm is that of a table");
            if taken != algorithm {
                wrong.push(format!("told {algorithm:?}, took {taken:?}"));
            } else if target.work.grows_with_rows() && target.lock.blocks_writes == writes {
                wrong.push(format!("told {}, others write: {writes}", target.lock));
            }
        } else {
            self.client.run(&case.sql)?;
        }
        if case.locks {
            self.locks(case, &told, &mut wrong)?;
        }
        Ok(wrong)
    }

    fn locks(&mut self, case: &Case<'_>, told: &Effects, wrong: &mut Vec<String>) -> Result<(), String> {
        let tables = case.schema.lines().filter_map(|line| line.strip_prefix("create table "));
        let tables: Vec<&str> = tables.filter_map(|line| line.split_whitespace().next()).collect();
        for table in tables {
            let effect = told.relations.iter().find(|effect| effect.relation.name.as_str() == table);
            let waits = effect == told.target() && told.waits.contains(&Wait::OpenTransactions);
            let (reads, writes) = match effect {
                Some(effect) => (effect.lock.blocks_reads || waits, effect.lock.blocks_writes || waits),
                None => (false, false),
            };
            let found = self.waits_for(case, table, (reads, writes))?;
            if (reads, writes) != found {
                wrong.push(format!(
                    "{table}: told to wait for readers {reads}, writers {writes}; waited for readers {}, writers {}",
                    found.0, found.1
                ));
            }
        }
        Ok(())
    }
}

/// Asks one server about all statements; how many it was asked about.
fn check(url: &str, database: &str) -> usize {
    let mut server = Server::new(url, database);
    let text = include_str!("../../fixtures/effects/mysql.sql");
    let cases = cases(text, server.version);
    let mut wrong = Vec::new();
    for case in &cases {
        let with = case.with.join(" ");
        match server.differences(case) {
            Ok(found) => wrong.extend(found.into_iter().map(|what| format!("{with} {} -- {what}", case.sql))),
            Err(error) => wrong.push(format!("{with} {} -- {error}", case.sql)),
        }
    }
    server.client.run(&format!("drop database if exists {database}")).ok();
    assert!(wrong.is_empty(), "{}, {} compared:\n{}", server.version, cases.len(), wrong.join("\n"));
    servers::tell(&format!("\neffects: {}, {} statements as the table says\n", server.version, cases.len()));
    cases.len()
}

#[test]
fn mariadb_does_what_the_table_says() {
    // Its background statistics lock what a change of a table writes at its end.
    let server = servers::MariaDb::start("innodb-stats-persistent = 0\ninnodb-stats-auto-recalc = 0");
    let Some(server) = servers::required("MariaDB", server) else { return };
    let compared = check(&server.url(""), "effects");
    assert!(compared > 130, "{compared} statements compared");
}

#[test]
fn mysql_does_what_the_table_says() {
    let urls = std::env::var("TWOSTEP_MYSQL_URL").unwrap_or_default();
    for (number, url) in urls.split_whitespace().enumerate() {
        assert!(check(url, &format!("twostep_effects_{number}")) > 130);
    }
}
