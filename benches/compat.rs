//! How fast queries are judged: `cargo bench --bench compat`. 5,000 queries at 10 stages, without a server.
//!
//! Prints the seconds for reading and for judging, and stops with an error where both take more than 5 s of the processor:
//! on a machine that does nothing else those are the seconds that pass.

#![allow(clippy::unwrap_used, reason = "a bench that cannot measure stops")]
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::Instant;
use twostep::compat::matrix::{Prepared, Stage, matrix};
use twostep::dialect::Dialect;
use twostep::schema::apply::apply;
use twostep::schema::model::Schema;
use twostep::sql::split::split;

const TABLES: usize = 200;
const QUERIES: usize = 5_000;
const STAGES: usize = 10;
const LONGEST_S: f64 = 5.0;

fn main() {
    let home = applied(Schema::new(Dialect::Postgres), &tables());
    // Each stage changes what 30 tables have, so that it concerns many of the queries.
    let mut schema = home.clone();
    let mut stages = Vec::new();
    for stage in 0..STAGES {
        let changes: String = (0..30)
            .map(|n| {
                let table = (stage * 17 + n * 3) % TABLES;
                format!("alter table t{table} add column added_{stage} int not null, alter column c{n} type bigint;")
            })
            .collect();
        schema = applied(schema, &changes);
        stages.push(Stage { label: format!("stage {stage}"), schema: schema.clone() });
    }
    let texts: Vec<String> = (0..QUERIES).map(query).collect();
    let (started, busy) = (Instant::now(), processor_s());
    let queries: Vec<Prepared> = texts.iter().map(|sql| Prepared::new(sql, Dialect::Postgres)).collect();
    let read = processor_s() - busy;
    let found = matrix(&queries, &home, &stages);
    let all = processor_s() - busy;
    let noticed = found.rows.iter().flatten().filter(|one| !one.why.is_empty()).count();
    println!(
        "{QUERIES} queries, {STAGES} stages, {noticed} verdicts other than `works`: read in {read:.2} s, judged in {:.2} s, \
         {:.2} s on the clock",
        all - read,
        started.elapsed().as_secs_f64()
    );
    assert!(all < LONGEST_S, "{all:.2} s, and {LONGEST_S} s is the most");
}

/// The seconds of the processor that this process has used, in ticks of 10 ms (`man 5 proc`, fields 14 and 15).
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let ticks = |field: usize| behind_name.split_whitespace().nth(field - 3).unwrap().parse::<f64>().unwrap();
    (ticks(14) + ticks(15)) / 100.0
}

fn tables() -> String {
    let columns: String = (0..30).map(|n| format!(", c{n} int")).collect();
    let table = |n: usize| format!("create table t{n} (id bigint primary key, name text{columns});");
    (0..TABLES).map(table).collect()
}

fn query(n: usize) -> String {
    let (one, other) = (n % TABLES, (n * 7 + 1) % TABLES);
    let (c, d) = (n % 30, (n * 11) % 30);
    match n % 5 {
        0 => format!(
            "select a.id, a.name, b.c{c}, count(*) from t{one} a join t{other} b on a.id = b.c{d} \
             where a.c{c} = $1 and exists (select 1 from t{one} x where x.c{d} > b.c{c}) group by 1, 2, 3 limit 10"
        ),
        1 => format!("insert into t{one} (id, name, c{c}) values ($1, $2, $3) returning id"),
        2 => format!("update t{one} set c{c} = c{d} + $1 where id = any($2)"),
        3 => format!("select * from t{one} where c{c} between $1 and $2 order by c{d}, id"),
        _ => format!(
            "with recent as (select id, c{c} from t{other} where c{d} > $1) \
             select r.id, t.name from recent r left join t{one} t using (id) order by r.c{c}"
        ),
    }
}

fn applied(mut schema: Schema, sql: &str) -> Schema {
    for statement in split(sql, Dialect::Postgres).statements {
        for change in twostep::engine::lower(statement.text, Dialect::Postgres) {
            apply(&mut schema, &change);
        }
    }
    schema
}
