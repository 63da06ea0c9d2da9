//! What is said of SQLite's effects is what SQLite does: how many pages a statement writes, who is kept from what until
//! it commits, and what it refuses.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::sync::Arc;
use tokio::runtime::Runtime;
use twostep::analysis::{Analysis, analyze};
use twostep::dialect::Dialect;
use twostep::engine::effects::{Effects, Session, Work};
use twostep::engine::version::ServerVersion;
use twostep::engine::{refuses, statement_effects};
use twostep::schema::model::Schema;
use twostep::source::{Body, Checksum, Script};
use twostep::text::Span;

const SETUP: &str = "create table other (id integer primary key, n int);
create table t (id integer primary key, n int, x text, u text unique, i text, v int generated always as (n + 1) virtual);
create index t_i on t (i);
create index t_n on t (n);
insert into other values (1, 1);
insert into t (id, n, x, u, i)
    with recursive s(i) as (values (1) union all select i + 1 from s where i < 3000)
    select i, i, hex(randomblob(60)), i, i from s;";

/// What SQLite takes.
const TAKEN: &[&str] = &[
    "alter table t add column y int",
    "alter table t add column y int not null default 5",
    "alter table t add column y int default (5)",
    "alter table t add column z int default (-5)",
    "alter table t add column y int generated always as (n + 3) virtual",
    "alter table t add column y int check (y > 0)",
    "alter table t add column y int references other (id)",
    "alter table t drop column x",
    "alter table t drop column v",
    "alter table t rename column x to z",
    "alter table t rename to t2",
    "create index t_x on t (x)",
    "create unique index t_x on t (x)",
    "drop index t_i",
    "reindex t",
    "update t set x = 'a'",
    "delete from t",
    "insert into t (id) values (9999)",
    "create index if not exists t_i on t (i)",
];

/// What it refuses.
const REFUSED: &[&str] = &[
    "alter table t add column y int unique",
    "alter table t add column y int primary key",
    "alter table t add column y text default current_timestamp",
    "alter table t add column y int default (1 + 1)",
    "alter table t add column y text default (datetime('now'))",
    "alter table t add column y int generated always as (n + 3) stored",
    "alter table t drop column id",
    "alter table t drop column u",
    "alter table t drop column i",
];

struct Client {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Client {
    fn connect(path: &std::path::Path) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(std::time::Duration::ZERO);
        let connection = runtime.block_on(SqliteConnection::connect_with(&options)).unwrap();
        Client { runtime, connection }
    }

    fn run(&mut self, sql: &str) -> Result<(), String> {
        let run = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
        self.runtime.block_on(run).map(drop).map_err(|error| error.to_string())
    }

    fn number(&mut self, sql: &str, column: usize) -> i64 {
        let row = self.connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql)));
        self.runtime.block_on(row).unwrap_or_else(|error| panic!("{error}\nin: {sql}")).get_unchecked(column)
    }
}

fn analysed(sql: &str) -> Analysis {
    let text = format!("{SETUP}\n{sql}");
    let script = Script {
        path: "1.sql".to_owned(),
        body: Body::Sql { file: Arc::from(text.as_str()), span: Span::new(0, text.len()) },
        transaction: false,
        directives: Vec::new(),
        checksum: Checksum::of(&text),
    };
    analyze(&[script], Schema::new(Dialect::Sqlite))
}

fn told(sql: &str) -> Effects {
    let analysis = analysed(sql);
    let step = analysis.steps.last().expect("there is a statement");
    let changes: Vec<_> = step.changes.iter().map(|applied| (&applied.change, &applied.before)).collect();
    statement_effects(&changes, ServerVersion::usual(Dialect::Sqlite), Session::default())
}

fn told_refused(sql: &str) -> Option<String> {
    let analysis = analysed(sql);
    let applied = analysis.steps.last().and_then(|step| step.changes.first()).expect("there is a change");
    refuses(&applied.change, &applied.before, &Effects::default())
}

fn fresh(folder: &std::path::Path, number: usize) -> (Client, Client) {
    let path = folder.join(format!("{number}.db"));
    let mut client = Client::connect(&path);
    client.run(SETUP).unwrap();
    client.number("pragma wal_checkpoint(truncate)", 0);
    (client, Client::connect(&path))
}

#[test]
fn sqlite_does_what_is_said_of_it() {
    let folder = std::env::temp_dir().join(format!("twostep-it-effects-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    for (number, sql) in TAKEN.iter().enumerate() {
        let (mut client, mut other) = fresh(&folder, number);
        let effects = told(sql);
        let target = effects.target().unwrap_or_else(|| panic!("nothing is said of {sql}"));
        client.run(&format!("begin; {sql}")).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let reads = other.run("select * from other").is_ok();
        // What finds nothing to do writes nothing, and locks nobody out.
        let writes = other.run("insert into other values (2, 2)").is_ok();
        let idle = sql.contains("if not exists");
        if !reads || !idle && writes == target.lock.blocks_writes {
            wrong.push(format!("{sql}: others read: {reads}, others write: {writes}"));
        }
        client.run("commit").unwrap();
        let pages = client.number("pragma wal_checkpoint(passive)", 1);
        let fits = match target.work {
            Work::Catalog | Work::Scan => pages <= 6,
            Work::Rows => pages >= 1,
            Work::IndexBuild => pages > 6,
            Work::Rewrite => pages > 100,
        };
        if !fits {
            wrong.push(format!("{sql}: told {:?}, wrote {pages} pages", target.work));
        }
        if let Some(why) = told_refused(sql) {
            wrong.push(format!("{sql}: taken, told it would be refused: {why}"));
        }
    }
    for (number, sql) in REFUSED.iter().enumerate() {
        let (mut client, _other) = fresh(&folder, 100 + number);
        if client.run(sql).is_ok() {
            wrong.push(format!("{sql}: is taken"));
        }
        if told_refused(sql).is_none() {
            wrong.push(format!("{sql}: not told that it is refused"));
        }
    }
    std::fs::remove_dir_all(&folder).ok();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
