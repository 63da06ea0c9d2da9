//! The queries of public Rust projects, as sqlx keeps them, at each of their last migrations: told from the files, and
//! asked of the server. `TWOSTEP_SQLX_PROJECTS` names a folder with a folder for each project, which holds `.sqlx` and
//! `migrations`, and perhaps `prelude.sql` for what is there before them; without it there is nothing to do. What came of it: docs/evidence.md.

use std::path::Path;

use twostep::compat::matrix::Prepared;
use twostep::compat::stages::deploy;
use twostep::compat::verify::Answer;
use twostep::db::scratch::{Place, Wish};
use twostep::db::session::ConnectOptions;
use twostep::db::url::DatabaseUrl;
use twostep::dialect::Dialect;
use twostep::evidence::facts::Look;
use twostep::evidence::model::{Evidence, Sent};
use twostep::evidence::resolve::resolve;
use twostep::evidence::sources::SQLX;
use twostep::roundtrip::run::{Options, Seeds};
use twostep::roundtrip::stages;
use twostep::schema::model::Schema;
use twostep::source::ReadOptions;

use crate::servers::{postgres, tell};

/// How many of the newest migrations are looked at.
const STAGES: usize = 50;

/// What came of the queries of one project.
#[derive(Default)]
pub struct Sum {
    pub queries: usize,
    /// Everything that they use is known without a server, at the last migration.
    pub certain: usize,
    pub asked: usize,
    pub refused: usize,
    pub agreed: usize,
}

fn queries(folder: &Path) -> (Dialect, Vec<String>) {
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join(".sqlx")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    let first = std::fs::read_to_string(&files[0]).unwrap();
    let of = |dialect: &Dialect| (SQLX.read)("x", &first, *dialect).is_ok();
    let dialect = [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite].into_iter().find(of).unwrap();
    let sent: Vec<Sent> = files
        .iter()
        .flat_map(|file| (SQLX.read)("x", &std::fs::read_to_string(file).unwrap(), dialect).unwrap().sent)
        .collect();
    let mut evidence = Evidence::new(dialect);
    evidence.add(&SQLX.about, "x", "2026-01-01", &Look::of(sent));
    (dialect, evidence.queries.into_iter().map(|query| query.sql).collect())
}

#[test]
fn agrees_with_the_server() {
    let Some(projects) = std::env::var_os("TWOSTEP_SQLX_PROJECTS") else { return };
    let Some(server) = postgres() else { return };
    let mut total = Sum::default();
    let mut folders: Vec<_> =
        std::fs::read_dir(projects).unwrap().map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let sum = project(&folder, &server.url("postgres"));
        total.queries += sum.queries;
        total.certain += sum.certain;
        total.asked += sum.asked;
        total.refused += sum.refused;
        total.agreed += sum.agreed;
    }
    tell(&line("all", &total));
    assert!(total.certain * 100 >= total.queries * 95, "resolved without a server");
    assert!(total.agreed * 100 >= total.asked * 99, "agreement");
}

fn line(name: &str, sum: &Sum) -> String {
    let share = |part: usize, of: usize| part as f64 * 100.0 / of.max(1) as f64;
    format!(
        "| {name} | {} | {:.1} % | {} | {} | {} | {:.2} % |\n",
        sum.queries,
        share(sum.certain, sum.queries),
        sum.asked,
        sum.refused,
        sum.asked - sum.agreed,
        share(sum.agreed, sum.asked)
    )
}

fn project(path: &Path, scratch: &str) -> Sum {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let (dialect, queries) = queries(path);
    let wish = match dialect {
        Dialect::Postgres => Wish::Server(DatabaseUrl::parse(scratch).unwrap()),
        Dialect::Mysql | Dialect::Sqlite => Wish::Private(dialect),
    };
    compare(&name, path, dialect, &queries, &wish)
}

/// Asks about `queries` at the last migrations of the project in `path`.
pub fn compare(name: &str, path: &Path, dialect: Dialect, queries: &[String], wish: &Wish) -> Sum {
    let read = ReadOptions { variables: Default::default(), dialect: Some(dialect) };
    let folder = twostep::files::read_migrations(&path.join("migrations"), Some("sqlx"), &read).unwrap();
    let count = folder.migrations.len();
    let chosen: Vec<usize> = (count.saturating_sub(STAGES)..count).collect();
    let options = Options {
        connect: ConnectOptions::default(),
        folder: path.join("migrations"),
        journal: "twostep.journal".to_owned(),
        prelude: std::fs::read_to_string(path.join("prelude.sql"))
            .ok()
            .map(|text| ("prelude".to_owned(), text)),
        seeds: Seeds::default(),
        only: None,
        allowances: Vec::new(),
        with_rows: false,
        chain: false,
    };
    let deploy = deploy(&folder, &chosen, Schema::new(dialect));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        let mut place = Place::open(wish, &options.connect).await.unwrap();
        let answers = stages::ask(&mut place, &folder, &chosen, queries, &options).await;
        place.close().await;
        answers.unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    let mut sum = Sum { queries: queries.len(), ..Sum::default() };
    let mut shown = 0;
    for (at, sql) in queries.iter().enumerate() {
        let prepared = Prepared::new(sql, dialect);
        let last = resolve(prepared.read(), deploy.after());
        sum.certain += usize::from(last.is_certain());
        if !last.is_certain() {
            tell(&format!("{name}: not certain: {:?} {sql}\n", last.doubts));
        }
        for (stage, said) in deploy.stages.iter().zip(&answers.stages) {
            let uses = resolve(prepared.read(), &stage.schema);
            let (taken, words) = match &said[at] {
                Answer::Taken(_) => (true, String::new()),
                Answer::Refused(why) => (false, why.clone()),
                Answer::NotAsked(_) => continue,
            };
            sum.asked += 1;
            sum.refused += usize::from(!taken);
            if taken == uses.problems.is_empty() {
                sum.agreed += 1;
            } else if shown < 60 {
                shown += 1;
                tell(&format!(
                    "{name}: {}: server `{words}`, files {:?}: {sql}\n",
                    stage.label, uses.problems
                ));
            }
        }
    }
    tell(&line(name, &sum));
    sum
}
