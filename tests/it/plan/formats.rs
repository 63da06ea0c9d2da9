//! Plans written in the formats of other tools: what the folder's format can carry is carried, and runs; what it cannot
//! is refused before anything is written.

use super::deployment::Ground;
use super::others::{Place, each_mysql};
use crate::twostep::Project;

const TABLE: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, state VARCHAR(20) DEFAULT 'new');";
const CHANGE: &str = "ALTER TABLE items RENAME COLUMN state TO status;";
const BACK: &str = "ALTER TABLE items RENAME COLUMN status TO state;";

/// Names and texts of files.
type Files = Vec<(&'static str, String)>;

/// A format, the files of the table and of the change in it, and the name of the change.
fn formats() -> Vec<(&'static str, Files, &'static str)> {
    let two = |up: &'static str, down: &'static str, text: &str, back: &str| {
        vec![(up, text.to_owned()), (down, back.to_owned())]
    };
    let drop = "DROP TABLE items;";
    let one = |name: &'static str, up: &str, down: &str, text: &str, back: &str| {
        vec![(name, format!("{up}\n{text}\n\n{down}\n{back}\n"))]
    };
    let both = |mut first: Vec<(&'static str, String)>, second: Vec<(&'static str, String)>| {
        first.extend(second);
        first
    };
    let marked = |up, down, a, b| both(one(a, up, down, TABLE, drop), one(b, up, down, CHANGE, BACK));
    vec![
        (
            "golang-migrate",
            both(
                two("000001_items.up.sql", "000001_items.down.sql", TABLE, drop),
                two("000002_status.up.sql", "000002_status.down.sql", CHANGE, BACK),
            ),
            "2",
        ),
        (
            "sqlx",
            both(
                two("20260101000000_items.up.sql", "20260101000000_items.down.sql", TABLE, drop),
                two("20260201000000_status.up.sql", "20260201000000_status.down.sql", CHANGE, BACK),
            ),
            "20260201000000",
        ),
        (
            "diesel",
            both(
                two("2026-01-01-000000_items/up.sql", "2026-01-01-000000_items/down.sql", TABLE, drop),
                two("2026-02-01-000000_status/up.sql", "2026-02-01-000000_status/down.sql", CHANGE, BACK),
            ),
            "20260201000000",
        ),
        (
            "dbmate",
            marked(
                "-- migrate:up",
                "-- migrate:down",
                "20260101000000_items.sql",
                "20260201000000_status.sql",
            ),
            "20260201000000",
        ),
        (
            "goose",
            marked("-- +goose Up", "-- +goose Down", "20260101000000_items.sql", "20260201000000_status.sql"),
            "20260201000000",
        ),
        (
            "sql-migrate",
            marked(
                "-- +migrate Up",
                "-- +migrate Down",
                "20260101000000_items.sql",
                "20260201000000_status.sql",
            ),
            "20260201000000",
        ),
        ("flyway", vec![("V1__items.sql", TABLE.to_owned()), ("V2__status.sql", CHANGE.to_owned())], "2"),
        ("refinery", vec![("V1__items.sql", TABLE.to_owned()), ("V2__status.sql", CHANGE.to_owned())], "2"),
        ("play", marked("# --- !Ups", "# --- !Downs", "1.sql", "2.sql"), "2"),
    ]
}

/// What becomes of the plan in each format on a database: `carried` where it was written and ran to its end.
fn outcomes(fresh: &dyn Fn() -> Option<Place>) -> String {
    let mut out = String::new();
    for (format, files, version) in formats() {
        let project = Project::new();
        let place = fresh();
        let url = place
            .as_ref()
            .map_or_else(|| format!("sqlite:{}", project.path("db.sqlite").display()), Ground::url);
        let server = place.as_ref().map_or("3.46", |place| place.version.as_str()).to_owned();
        let run = |arguments: &[&str]| {
            let mut all = arguments.to_vec();
            all.extend(["--source-format", format]);
            project.on(&url, &all).run()
        };
        let write = |change: bool| {
            for (name, text) in &files {
                if change || text.contains("CREATE TABLE") || text.starts_with("DROP TABLE") {
                    project.write(&format!("migrations/{name}"), text);
                }
            }
        };
        write(false);
        run(&["migrate"]).expect(0);
        write(true);
        let planned = run(&["plan", version, "--write", "--server-version", &server]);
        if planned.code() != 0 {
            let said = planned
                .stderr
                .lines()
                .next()
                .unwrap_or("")
                .split(": ")
                .skip(2)
                .collect::<Vec<_>>()
                .join(": ");
            // What is refused has changed nothing.
            for (name, text) in &files {
                assert_eq!(project.read(&format!("migrations/{name}")), *text, "{format}");
            }
            out.push_str(&format!("{format}: {}\n", said.trim()));
            continue;
        }
        let held = run(&["migrate"]).expect(0).stderr;
        assert!(
            held.contains("is held") || !planned.stdout.contains("contract"),
            "{format}: {held}\n{}",
            planned.stdout
        );
        run(&["migrate", "--contract", "a test"]).expect(0);
        let ask = "insert into items (id, status) values (1, 'x'); select status from items";
        let found = match &place {
            Some(place) => place.sql(ask),
            None => crate::twostep::Run::new("sqlite3", &project.path("."), &["db.sqlite", ask])
                .run()
                .expect(0)
                .stdout
                .trim()
                .to_owned(),
        };
        assert_eq!(found, "x", "{format}");
        out.push_str(&format!("{format}: carried\n"));
    }
    out
}

const SQL_MIGRATE: &str = "sql-migrate: the version 20260201000000_status is no number, so that there is none for the steps behind it";
const PLAY: &str =
    "play: the format `play` cannot say what the contract needs: it is not read as one migration";

#[test]
fn formats_carry_what_they_can_on_sqlite() {
    let transaction = |format: &str| {
        format!(
            "{format}: the format `{format}` cannot say what the backfill needs: its up gets a transaction"
        )
    };
    let expected = [
        &transaction("golang-migrate"),
        "sqlx: carried",
        "diesel: carried",
        "dbmate: carried",
        "goose: carried",
        SQL_MIGRATE,
        "flyway: carried",
        &transaction("refinery"),
        PLAY,
    ];
    assert_eq!(outcomes(&|| None).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn formats_carry_what_they_can_on_mysql() {
    let expected = [
        "golang-migrate: carried",
        "sqlx: carried",
        "diesel: carried",
        "dbmate: carried",
        "goose: carried",
        SQL_MIGRATE,
        "flyway: carried",
        "refinery: carried",
        PLAY,
    ];
    each_mysql(|fresh| assert_eq!(outcomes(&|| Some(fresh())).lines().collect::<Vec<_>>(), expected));
}
