//! The locks that a statement's words tell are the ones that the server takes.

use crate::servers;
use twostep::dialect::Dialect;
use twostep::engine::{LockMode, relations_locked};

const SETUP: &str = "
    create table t (id int primary key, n int, c varchar(20));
    create table r (id int primary key);
    create table p (a int) partition by list (a);
    create table q partition of p for values in (1);
    create table free (a int);
    create table parent (id int);
    create table child () inherits (parent);
    create table heir (id int);
    create table old (id int references r);
    create index i on t (n);
    alter table t add constraint ch check (n > 0) not valid;
    create function f() returns trigger language plpgsql as 'begin return new; end';
    create trigger g before insert on t for each row execute function f();
    create policy po on t using (true);
    create rule ru as on delete to free do instead nothing;
    create view v as select 1 as a;
    create materialized view m as select 1 as a;
    create sequence s;";

/// Each statement is run alone in a transaction. Every lock that was told must be the strongest that it holds on the
/// table; a table that is not named in the statement's locks must not be locked so that writers wait, except where
/// the words cannot tell (the last column).
const STATEMENTS: &[(&str, &str)] = &[
    ("alter table t add column y int", ""),
    ("alter table t add column y int references r", ""),
    ("alter table t add column y int references r (id), add z int", ""),
    ("alter table if exists t drop column n", ""),
    ("alter table t add constraint x foreign key (n) references r (id) not valid", ""),
    ("alter table only t validate constraint ch", ""),
    ("alter table t alter column n set statistics 100", ""),
    ("alter table t alter n set (n_distinct = 5), set (fillfactor = 70)", ""),
    ("alter table t alter n set not null, alter n set statistics 3", ""),
    ("alter table t disable trigger g", ""),
    ("alter table t cluster on t_pkey", ""),
    ("alter table t rename n to m", ""),
    ("alter table t rename to tt", ""),
    ("alter table t enable row level security", ""),
    ("alter table t replica identity full", ""),
    ("alter table p attach partition free for values in (2)", ""),
    ("alter table p detach partition q", ""),
    ("alter table t drop constraint ch", ""),
    ("alter table old drop constraint old_id_fkey", "r"),
    ("alter table child no inherit parent", ""),
    ("alter table heir inherit parent", ""),
    ("drop table t", ""),
    ("drop table old, free", "r"),
    ("truncate t, free", ""),
    ("create index j on t (n)", ""),
    ("create unique index if not exists j on only t (id)", ""),
    ("create trigger h after update of n on t for each row execute function f()", ""),
    ("create constraint trigger h after insert on t for each row execute function f()", ""),
    ("drop trigger g on t", ""),
    ("create policy a on t using (true)", ""),
    ("alter policy po on t rename to pu", ""),
    ("drop policy po on t", ""),
    ("create rule rr as on update to t do instead nothing", ""),
    ("drop rule ru on free", ""),
    ("create statistics st on id, n from t", ""),
    ("comment on table t is 'x'", ""),
    ("create table x (a int references r, b int references x (a), unique (a))", ""),
    ("create table x partition of p for values in (3)", ""),
    ("create table x () inherits (parent)", ""),
    ("create table x (like t)", ""),
    ("cluster t using t_pkey", ""),
    ("alter index i rename to k", ""),
    ("alter sequence s restart", ""),
    ("alter view v rename to w", "v"),
    ("create view w as select * from t", ""),
    ("insert into t values (1)", ""),
    ("grant select on t to public", ""),
];

fn mode(server: &str) -> Option<LockMode> {
    match server {
        "ShareUpdateExclusiveLock" => Some(LockMode::ShareUpdateExclusive),
        "ShareLock" => Some(LockMode::Share),
        "ShareRowExclusiveLock" => Some(LockMode::ShareRowExclusive),
        "ExclusiveLock" | "AccessExclusiveLock" => Some(LockMode::AccessExclusive),
        _ => None,
    }
}

#[test]
fn told_locks_are_the_servers() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    database.psql(SETUP);
    let before = database.psql("select oid, relname from pg_class where relkind in ('r', 'p', 'v')");
    let name_of = |oid: &str| {
        let line = before.lines().find(|line| line.split('|').next() == Some(oid));
        line.map(|line| line.split('|').nth(1).unwrap_or_default().to_owned())
    };
    let mut wrong = Vec::new();
    for (statement, beyond) in STATEMENTS {
        let sql = format!(
            "begin; {statement}; select relation, mode from pg_locks where pid = pg_backend_pid() and relation >= 16384;"
        );
        let held = database.psql(&sql);
        let held: Vec<(String, LockMode)> = held
            .lines()
            .filter_map(|line| line.split_once('|'))
            .filter_map(|(oid, server)| Some((name_of(oid)?, mode(server)?)))
            .collect();
        let strongest =
            |table: &str| held.iter().filter(|(name, _)| name == table).map(|(_, mode)| *mode).max();
        let told = relations_locked(statement, Dialect::Postgres);
        for request in &told {
            let table = request.table.name.as_str();
            if strongest(table) != Some(request.mode) {
                wrong.push(format!(
                    "{statement}: told {:?} on {table}, held {:?}",
                    request.mode,
                    strongest(table)
                ));
            }
        }
        for (table, mode) in &held {
            let is_told = told.iter().any(|request| request.table.name.as_str() == table) || table == beyond;
            if !is_told && *mode >= LockMode::Share {
                wrong.push(format!("{statement}: {mode:?} on {table} was not told"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
