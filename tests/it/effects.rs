//! What the table of effects says is what real servers do.

use crate::servers;
use std::collections::BTreeMap;
use std::sync::Arc;
use twostep::analysis::analyze;
use twostep::dialect::Dialect;
use twostep::engine::effects::{Effects, RelationEffect, Role, Session, Work};
use twostep::engine::version::ServerVersion;
use twostep::schema::model::Schema;
use twostep::source::{Body, Checksum, Script};
use twostep::text::Span;

/// A statement of the fixture.
struct Case<'a> {
    with: Vec<&'a str>,
    since: u16,
    until: u16,
    sql: String,
}

/// The schema of the fixture, and its statements.
fn cases(text: &str) -> (&str, Vec<Case<'_>>) {
    let text = text.split_once("\n\n").expect("a comment stands in front").1;
    let (setup, rest) = text.split_once("\n\n").expect("the schema stands in front");
    let case = |block| {
        let mut case = Case { with: Vec::new(), since: 0, until: u16::MAX, sql: String::new() };
        for line in str::lines(block) {
            if let Some(with) = line.strip_prefix("-- with: ") {
                case.with.push(with);
            } else if let Some(version) = line.strip_prefix("-- since: ") {
                case.since = version.parse().unwrap();
            } else if let Some(version) = line.strip_prefix("-- until: ") {
                case.until = version.parse().unwrap();
            } else {
                case.sql.push_str(line.trim_end_matches(';'));
            }
        }
        case
    };
    (setup, rest.split("\n\n").map(case).collect())
}

/// A file that holds `sql`.
pub fn script(sql: &str) -> Script {
    Script {
        path: "1.sql".to_owned(),
        body: Body::Sql { file: Arc::from(sql), span: Span::new(0, sql.len()) },
        transaction: false,
        directives: Vec::new(),
        checksum: Checksum::of(sql),
    }
}

/// What the table says that `sql` does after `setup`.
fn told(setup: &str, sql: &str, version: ServerVersion) -> Effects {
    let analysis = analyze(&[script(setup), script(sql)], Schema::new(Dialect::Postgres));
    let mut effects = Effects::default();
    for step in analysis.steps.iter().filter(|step| step.at.migration == 1) {
        for applied in &step.changes {
            effects.merge(twostep::engine::effects(
                &applied.change,
                &applied.before,
                version,
                Session::default(),
            ));
        }
    }
    effects
}

/// What a server did to a relation.
#[derive(Default)]
struct Done {
    kind: String,
    locks: Vec<String>,
    rewritten: bool,
    scans: u64,
}

// Scans of the setup may be counted already: the counters are those of the session since they were last written out.
const SEEN: &str = "create temp table seen on commit drop as select oid, relname, relkind, relfilenode, \
    pg_stat_get_xact_numscans(oid) as scans from pg_class where relnamespace = 'public'::regnamespace";
const FOUND: &str = "select s.relname, s.relkind, coalesce(c.relfilenode <> s.relfilenode, false), \
    pg_stat_get_xact_numscans(s.oid) - s.scans, \
    coalesce((select string_agg(distinct mode, ',') from pg_locks l where l.relation = s.oid and l.pid = pg_backend_pid()), '') \
    from seen s left join pg_class c on c.oid = s.oid";

/// Runs `sql` in a transaction that is rolled back, and tells what it did to each relation of the schema.
fn done(
    database: &servers::postgres::Database<'_>,
    setup: &str,
    sql: &str,
) -> Result<BTreeMap<String, Done>, String> {
    let fresh = "drop schema public cascade; create schema public; set timezone to 'Europe/Berlin'";
    let parts = [fresh, setup, "begin", SEEN, sql, FOUND, "rollback"];
    let answer = database.try_psql_each(&parts)?;
    let line = |line: &str| {
        let [name, kind, rewritten, scans, locks] = line.split('|').collect::<Vec<_>>()[..] else {
            return None;
        };
        let locks = locks.split(',').filter(|lock| !lock.is_empty()).map(str::to_owned).collect();
        let done =
            Done { kind: kind.to_owned(), locks, rewritten: rewritten == "t", scans: scans.parse().ok()? };
        Some((name.to_owned(), done))
    };
    Ok(answer.lines().filter_map(line).collect())
}

/// The strongest of `locks`, as the server names them, in the words of SQL; nothing for what plain reads take.
fn strongest(locks: &[String]) -> &'static str {
    const MODES: &[(&str, &str)] = &[
        ("AccessExclusiveLock", "ACCESS EXCLUSIVE"),
        ("ExclusiveLock", "EXCLUSIVE"),
        ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
        ("ShareLock", "SHARE"),
        ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
        ("RowExclusiveLock", "ROW EXCLUSIVE"),
        ("RowShareLock", "ROW SHARE"),
    ];
    MODES.iter().find(|(mode, _)| locks.iter().any(|lock| lock == mode)).map_or("", |(_, sql)| sql)
}

/// In what `told` is not what was `done`.
fn differences(told: &Effects, done: &BTreeMap<String, Done>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut note = |what: String| wrong.push(what);
    for (name, done) in done {
        let effect = told.relations.iter().find(|effect| effect.relation.name.as_str() == name);
        let lock = effect.map_or("", |effect| effect.lock.name);
        let lock = if lock == "ACCESS SHARE" { "" } else { lock };
        // The locks of indexes go with those of their tables; only what is told of them is checked.
        let compared = done.kind != "i" && done.kind != "I" || effect.is_some();
        if compared && lock != strongest(&done.locks) {
            note(format!("{name}: told `{lock}`, took `{}`", strongest(&done.locks)));
        }
        if matches!(done.kind.as_str(), "r" | "m") {
            work(name, effect, done, &mut note);
        }
    }
    for effect in &told.relations {
        if !done.contains_key(effect.relation.name.as_str()) {
            note(format!("{}: told, but there is no such relation", effect.relation));
        }
    }
    wrong
}

fn work(name: &str, effect: Option<&RelationEffect>, done: &Done, note: &mut impl FnMut(String)) {
    let work = effect.map_or(Work::Catalog, |effect| effect.work);
    let role = effect.map_or(Role::Source, |effect| effect.role);
    if done.rewritten != (work == Work::Rewrite) {
        note(format!("{name}: told {work:?}, rewritten: {}", done.rewritten));
    }
    let scanned = done.scans > 0;
    match work {
        Work::Catalog if scanned && role != Role::Source => note(format!("{name}: was scanned")),
        // The check of a foreign key may read the other table by its index.
        Work::Scan if !scanned && !matches!(role, Role::Referenced) => {
            note(format!("{name}: was not scanned"))
        }
        Work::IndexBuild if !scanned => note(format!("{name}: no index was built")),
        Work::Catalog | Work::Rows | Work::Scan | Work::IndexBuild | Work::Rewrite => {}
    }
}

#[test]
fn postgres_does_what_the_table_says() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let version = database.psql("show server_version");
    let version = ServerVersion::parse(&version, Dialect::Postgres).unwrap();
    let text = include_str!("../../fixtures/effects/postgres.sql");
    let (setup, cases) = cases(text);
    assert!(cases.len() > 150, "{} statements", cases.len());
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in cases.iter().filter(|case| (case.since..=case.until).contains(&version.number.0)) {
        let setup = format!("{setup}\n{}", case.with.join("\n"));
        match done(&database, &setup, &case.sql) {
            Ok(done) => {
                compared += 1;
                let found = differences(&told(&setup, &case.sql, version), &done);
                wrong.extend(found.into_iter().map(|what| format!("{} -- {what}", case.sql)));
            }
            Err(error) => wrong.push(format!("{} -- {error}", case.sql)),
        }
    }
    assert!(wrong.is_empty(), "{version}, {compared} compared:\n{}", wrong.join("\n"));
    assert!(compared > 140, "{compared} statements compared");
    servers::tell(&format!("\neffects: {version}, {compared} statements as the table says\n"));
}
