//! Histories that are not as they should be, and databases without any: each is explained, and nothing is run again.

use crate::adopt_histories::{Base, HISTORIES, History, facts};
use crate::complaint::complaint;
use crate::twostep::Project;

/// A database that a tool has migrated with these files, whose first `applied` it has run.
struct Half {
    base: Base,
    project: Project,
}

impl Half {
    /// SQLite, where nothing about it depends on the engine.
    fn of(tool: &str, files: &[(&str, &str)], applied: usize) -> Half {
        let history = history(tool);
        let half = Half { base: Base::sqlite(), project: Project::with_migrations(files) };
        half.project.write("twostep.toml", format!("source_format = \"{}\"\n", history.format));
        half.base.sql(&(history.table)(half.base.dialect()));
        if applied > 0 {
            let facts = facts(&half.project, history.format, half.base.dialect());
            for fact in facts.iter().take(applied) {
                half.base.sql(&(history.row)(fact));
            }
        }
        half
    }

    /// Runs `command`, which has to work.
    #[track_caller]
    fn works(&self, command: &[&str]) -> String {
        let outcome = self.project.on(&self.base.url(), command).run().expect(0);
        outcome.stdout + &outcome.stderr
    }

    /// Runs `command`, which is refused with all of `words`, and leaves nothing behind.
    #[track_caller]
    fn refuses(&self, command: &[&str], words: &[&str]) {
        let before = self.base.sql(".dump");
        let outcome = self.project.on(&self.base.url(), command).run().expect(2);
        assert!(complaint(&outcome).contains("nothing changed"), "{}", outcome.stderr);
        for word in words {
            assert!(outcome.stderr.contains(word), "`{word}` is not in\n{}", outcome.stderr);
        }
        assert_eq!(self.base.sql(".dump"), before);
    }

    /// What the journal holds, in order of application.
    fn journal(&self) -> String {
        self.base
            .sql("select group_concat(version, ' ') from (select version from twostep_migration order by sequence)")
    }
}

fn history(tool: &str) -> &'static History {
    HISTORIES.iter().find(|history| history.tool == tool).unwrap()
}

/// Three migrations of sqlx.
const THREE: [(&str, &str); 3] = [
    ("1_a.sql", "create table a (id integer);\n"),
    ("2_b.sql", "create table b (id integer);\n"),
    ("3_c.sql", "create table c (id integer);\n"),
];

fn up_and_down(names: &[&str]) -> Vec<(String, String)> {
    let table = |name: &str| name.rsplit('_').next().unwrap_or_default().to_owned();
    let file =
        |name: &&str| (format!("{name}.up.sql"), format!("create table {} (id integer);\n", table(name)));
    names.iter().map(file).collect()
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

#[test]
fn what_the_tool_has_left_unsettled() {
    let half = Half::of("sqlx", &THREE, 2);
    half.base.sql("update _sqlx_migrations set success = false where version = 2");
    half.refuses(&["adopt"], &["sqlx stopped in migration 2", "set its success to true"]);
    half.base.sql("update _sqlx_migrations set success = true");
    half.works(&["adopt"]);
    assert_eq!(half.journal(), "1 2");

    let files = up_and_down(&["1_a", "2_b", "3_c"]);
    let half = Half::of("golang-migrate", &borrowed(&files), 2);
    half.base.sql("update schema_migrations set dirty = true");
    half.refuses(&["adopt"], &["golang-migrate failed in migration 2", "migrate force 2"]);

    let flyway = [("V1__a.sql", "create table a (id integer);\n"), ("V2__b.sql", "select 1;\n")];
    let half = Half::of("flyway", &flyway, 2);
    half.base.sql("update flyway_schema_history set success = false where version = '2'");
    half.refuses(&["adopt"], &["Flyway failed in 2 (V2__b.sql)", "flyway repair"]);

    let prisma =
        [("1_a/migration.sql", "create table a (id integer);\n"), ("2_b/migration.sql", "select 1;\n")];
    let half = Half::of("prisma", &prisma, 2);
    half.base.sql("update _prisma_migrations set finished_at = null where migration_name = '2_b'");
    half.refuses(&["adopt"], &["Prisma failed in migration 2_b", "migrate resolve --rolled-back 2_b"]);
    half.base.sql(
        "update _prisma_migrations set rolled_back_at = '2026-01-05 10:00:00' where migration_name = '2_b'",
    );
    let said = half.works(&["adopt"]);
    assert!(said.contains("marked 2_b as rolled back") && half.journal() == "1_a", "{said}");

    let play = [("1.sql", "# !Ups\ncreate table a (id integer);\n# !Downs\ndrop table a;\n")];
    let half = Half::of("play", &play, 1);
    half.base.sql("update play_evolutions set state = 'applying_up', last_problem = 'no such table'");
    half.refuses(&["adopt"], &["Play stopped in revision 1", "`applying_up`", "no such table"]);

    let goose = [("1_a.sql", "-- +goose Up\nselect 1;\n"), ("2_b.sql", "-- +goose Up\nselect 1;\n")];
    let half = Half::of("goose", &goose, 2);
    half.base.sql("insert into goose_db_version (version_id, is_applied) values (2, false)");
    let said = half.works(&["adopt"]);
    assert!(said.contains("taken migration 2 back") && half.journal() == "1", "{said}");
}

#[test]
fn files_that_are_not_what_was_applied() {
    let half = Half::of("sqlx", &THREE, 2);
    half.project.write_migrations(&[("2_b.sql", "create table b (id bigint);\n")]);
    let words =
        ["1 file of what sqlx has applied was edited since", "migrations/2_b.sql is not what was applied"];
    half.refuses(&["adopt"], &words);
    half.refuses(&["adopt", "--accept-edit", "1"], &words);
    let said = half.works(&["adopt", "--accept-edit", "2"]);
    assert!(said.contains("edited since, and accepted"), "{said}");
    // From now on an edit is one.
    half.works(&["migrate"]);
    half.project.write_migrations(&[("1_a.sql", "create table other (id integer);\n")]);
    let outcome = half.project.on(&half.base.url(), &["migrate"]).run().expect(3);
    assert!(outcome.stderr.contains("edited after being applied"), "{}", outcome.stderr);

    // Another machine's line ends are no edit.
    let half = Half::of("sqlx", &THREE, 2);
    half.project.write_migrations(&[("2_b.sql", "create table b (id integer);\r\n")]);
    let said = half.works(&["adopt"]);
    assert!(said.contains("checksum matches but for line ends"), "{said}");
}

#[test]
fn files_and_history_that_do_not_agree() {
    // Applied, and no file of it: known, and no complaint afterwards.
    let half = Half::of("sqlx", &THREE, 3);
    std::fs::remove_file(half.project.path("migrations/2_b.sql")).unwrap();
    let said = half.works(&["adopt"]);
    assert!(said.contains("3 adopted from sqlx") && said.contains("1 of them without a file"), "{said}");
    assert_eq!(half.journal(), "1 2 3");
    let said = half.works(&["migrate"]);
    assert!(!said.contains("ahead"), "{said}");
    // It comes back: it is not run again.
    half.project.write_migrations(&THREE);
    let said = half.works(&["migrate"]);
    assert!(said.contains("is up to date") && !said.contains("applied 2"), "{said}");

    // A file before the last that the tool has never applied.
    let half = Half::of("sqlx", &THREE, 3);
    half.base.sql("delete from _sqlx_migrations where version = 2");
    let said = half.works(&["adopt"]);
    assert!(said.contains("never applied by sqlx, though later ones are"), "{said}");
    let said = half.works(&["migrate"]);
    assert!(said.contains("out of order") && said.contains("applied 2_b"), "{said}");

    // Another project's folder.
    let half = Half::of("sqlx", &THREE, 2);
    half.base.sql("update _sqlx_migrations set version = version + 20260101000000");
    half.refuses(&["adopt"], &["none of the 2 versions in the history of sqlx", "--migrations DIR"]);

    // The newest version of a tool that keeps only that.
    let files = up_and_down(&["1_a", "2_b"]);
    let half = Half::of("golang-migrate", &borrowed(&files), 2);
    half.base.sql("update schema_migrations set version = 7");
    half.refuses(&["adopt"], &["golang-migrate stands at 7, and there is no file of that version"]);
}

#[test]
fn histories_that_are_not_the_only_one() {
    let half = Half::of("sqlx", &THREE, 1);
    half.base.sql(
        "create table goose_db_version (id integer, version_id bigint, is_applied boolean, tstamp text)",
    );
    // An empty one is nobody's.
    let said = half.works(&["adopt", "--dry-run"]);
    assert!(said.contains("1 would be adopted from sqlx"), "{said}");
    half.base.sql("insert into goose_db_version values (1, 1, true, '')");
    half.refuses(
        &["adopt"],
        &["several histories", "sqlx in `_sqlx_migrations`", "goose in `goose_db_version`"],
    );
    half.base.sql("alter table _sqlx_migrations add column mine text");
    half.refuses(&["adopt", "--from", "sqlx"], &["no history of another tool"]);
    half.works(&["adopt", "--from", "sqlx", "--table", "_sqlx_migrations"]);
    assert_eq!(half.journal(), "1");
    // Once it is taken over, another one is not.
    half.refuses(&["adopt", "--from", "goose"], &["the history of twostep has 1 migrations already"]);
}

#[test]
fn a_person_says_what_is_there() {
    let half = Half { base: Base::sqlite(), project: Project::with_migrations(&THREE) };
    half.base.sql("create table a (id integer); create table b (id integer)");
    half.refuses(&["adopt"], &["no history of another tool was found", "--baseline VERSION"]);
    half.refuses(&["adopt", "--baseline", "9"], &["there is no migration 9"]);
    let said = half.works(&["adopt", "--baseline", "0002"]);
    assert!(said.contains("2 adopted as a baseline, 1 pending"), "{said}");
    let said = half.works(&["migrate"]);
    assert!(said.contains("applied 3_c") && !said.contains("applied 2_b"), "{said}");
    half.refuses(&["adopt", "--baseline", "3"], &["the history of twostep has 3 migrations already"]);

    // The history beside it is another project's.
    let half = Half::of("sqlx", &THREE, 2);
    half.works(&["adopt", "--baseline", "none"]);
    let said = half.works(&["migrate"]);
    assert!(said.contains("3 migrations in"), "{said}");
}

#[test]
fn tools_whose_migrations_are_programs() {
    let native = up_and_down(&["20260101000000_a", "20260201000000_b"]);
    // All files are newer than what Rails has applied.
    let half = Half::of("rails", &borrowed(&native), 0);
    half.base.sql("insert into schema_migrations values ('20250101000000'), ('20250102000000')");
    let said = half.works(&["adopt"]);
    assert!(said.contains("2 adopted from rails") && said.contains("2 of them without a file"), "{said}");
    let said = half.works(&["migrate"]);
    assert!(said.contains("2 migrations in") && !said.contains("ahead"), "{said}");

    // Before the first file is written.
    let half = Half::of("rails", &[], 0);
    half.base.sql("insert into schema_migrations values ('20250101000000')");
    std::fs::create_dir(half.project.path("migrations")).unwrap();
    half.works(&["adopt"]);
    half.works(&["new", "first"]);
    let said = half.works(&["migrate"]);
    assert!(said.contains("1 migration in"), "{said}");
    let half = Half::of("sqlx", &THREE, 2);
    half.project.write("empty/.keep", "");
    half.refuses(&["adopt", "--migrations", "empty"], &["holds no migration", "--migrations DIR"]);

    // A file that may hold all that Rails has made.
    let half = Half::of("rails", &[("0001_structure.up.sql", "create table a (id integer);\n")], 0);
    half.base.sql("insert into schema_migrations values ('20250101000000')");
    half.refuses(&["adopt"], &["none of the 1 versions in the history of rails", "--baseline VERSION"]);
    half.works(&["adopt", "--baseline", "1"]);
    assert_eq!(half.journal(), "0001");

    // Alembic keeps its newest revision only.
    let named = [
        ("1_a.up.sql", "create table a (id integer);\n"),
        ("2_b_ae1027a6acf0.up.sql", "create table b (id integer);\n"),
        ("3_c.up.sql", "create table c (id integer);\n"),
    ];
    let half = Half { base: Base::sqlite(), project: Project::with_migrations(&named) };
    half.base.sql("create table alembic_version (version_num varchar(32) not null primary key)");
    half.base.sql("insert into alembic_version values ('ae1027a6acf0')");
    half.refuses(&["migrate"], &["has the history of alembic"]);
    half.refuses(&["adopt", "--mirror-history"], &["a file has no revision that Alembic would know"]);
    let said = half.works(&["adopt"]);
    assert!(said.contains("2 adopted from alembic") && said.contains("1 pending"), "{said}");
    half.refuses(&["migrate", "--mirror-history"], &["a file has no revision that Alembic would know"]);
    half.works(&["migrate"]);

    let half = Half { base: Base::sqlite(), project: Project::with_migrations(&named[..1]) };
    half.base.sql("create table alembic_version (version_num varchar(32) not null primary key)");
    half.base.sql("insert into alembic_version values ('ae1027a6acf0')");
    half.refuses(&["adopt"], &["alembic stands at ae1027a6acf0, and there is no file", "--baseline none"]);
    half.base.sql("insert into alembic_version values ('ffff')");
    half.refuses(&["adopt"], &["several revisions at once: ae1027a6acf0, ffff"]);
}

#[test]
fn all_that_flyway_writes() {
    let files = [
        ("V1__a.sql", "create table a (id integer);\n"),
        ("V2__b.sql", "create table b (id integer);\n"),
        ("V2.1__c.sql", "create table c (id integer);\n"),
        ("U2.1__c.sql", "drop table c;\n"),
        ("V3__d.sql", "create table d (id integer);\n"),
        ("R__view.sql", "create view v as select 1 as one;\n"),
        ("R__same.sql", "create view s as select 1 as one;\n"),
    ];
    let half = Half::of("flyway", &files, 0);
    let all = facts(&half.project, "flyway", half.base.dialect());
    let row = |rank: i32, version: &str, kind: &str, script: &str, checksum: &str| {
        half.base.sql(&format!(
            "insert into flyway_schema_history values ({rank}, {version}, '{}', '{kind}', '{script}', {checksum}, 'me', \
             current_timestamp, 1, true)",
            script.split("__").nth(1).unwrap_or("x").trim_end_matches(".sql")
        ));
    };
    let checksum = |file: &str| all.iter().find(|fact| fact.file == file).unwrap().checksum.clone();
    row(0, "null", "SCHEMA", "<< Flyway Schema Creation >>", "null");
    // What is below a baseline was never run by Flyway, and is there.
    row(1, "'1'", "BASELINE", "<< Flyway Baseline >>", "null");
    row(2, "'2.0'", "SQL", "V2__b.sql", &checksum("V2__b.sql"));
    row(3, "'2.1'", "SQL", "V2.1__c.sql", &checksum("V2.1__c.sql"));
    row(4, "'2.1'", "UNDO_SQL", "U2.1__c.sql", "null");
    row(5, "null", "SQL", "R__view.sql", "7");
    row(6, "null", "SQL", "R__same.sql", &checksum("R__same.sql"));
    half.base
        .sql("create table a (id integer); create table b (id integer); create view s as select 1 as one");
    let said = half.works(&["adopt"]);
    assert!(
        said.contains("below the baseline 1") && said.contains("edited since, so that it runs again"),
        "{said}"
    );
    assert_eq!(half.journal(), "1 2 R__view R__same");
    let said = half.works(&["migrate"]);
    assert!(said.contains("applied 2.1_c") && said.contains("applied 3_d"), "{said}");
    assert!(said.contains("R__view") && !said.contains("R__same"), "{said}");
}

#[test]
fn what_play_keeps_takes_back_without_the_files() {
    let files = [("1.sql", "# !Ups\ncreate table a (id integer);\n# !Downs\ndrop table a;\n")];
    let half = Half::of("play", &files, 1);
    half.base.sql("create table a (id integer); create table b (id integer)");
    half.base.sql(
        "insert into play_evolutions values (2, 'ab', '2026-01-05', 'create table b (id integer);', \
         'insert into a values (1);\ndrop table b;', 'applied', '')",
    );
    half.works(&["adopt"]);
    half.works(&["rollback"]);
    assert_eq!((half.base.sql("select id from a").as_str(), half.journal().as_str()), ("1", "1"));
    assert_eq!(half.base.sql("select count(*) from sqlite_schema where name = 'b'"), "0");
}

#[test]
fn files_that_two_tools_would_run_otherwise() {
    // To Flyway `U2` undoes `V2`; to refinery it is a migration.
    let files = [
        ("V1__a.sql", "create table a (id integer);\n"),
        ("V2__b.sql", "create table b (id integer);\n"),
        ("U3__c.sql", "create table c (id integer);\n"),
    ];
    let half = Half::of("refinery", &files, 3);
    half.project.write("twostep.toml", "source_format = \"flyway\"\n");
    let said = half.works(&["adopt", "--dry-run"]);
    assert!(said.contains("cannot be compared") && said.contains("no file"), "{said}");
    half.project.write("twostep.toml", "");
    let said = half.works(&["adopt", "--dry-run"]);
    assert!(
        said.contains("3 would be adopted from refinery (`refinery_schema_history`), 0 pending"),
        "{said}"
    );

    // Told by its name, the last is Flyway's; refinery leaves it out.
    let half =
        Half::of("refinery", &[files[0], files[1], ("R__v.sql", "create view v as select 1 as one;\n")], 2);
    half.project.write("twostep.toml", "");
    let words = ["read as `flyway`, and refinery would run them otherwise", "source_format = \"refinery\""];
    half.refuses(&["adopt"], &words);
}

#[test]
fn the_tool_goes_on_while_it_is_kept_in_step() {
    let half = Half::of("dbmate", &[("1_a.sql", "-- migrate:up\nselect 1;\n-- migrate:down\n")], 1);
    half.works(&["adopt", "--mirror-history"]);
    half.project.write_migrations(&[
        ("2_b.sql", "-- migrate:up\nselect 1;\n-- migrate:down\n"),
        ("3_c.sql", "-- migrate:up\nselect 1;\n-- migrate:down\n"),
    ]);
    half.base.sql("insert into schema_migrations values ('2')");
    half.refuses(
        &["migrate"],
        &["dbmate has applied what the history of twostep does not know: 2", "`twostep adopt`"],
    );
    let said = half.works(&["adopt"]);
    assert!(said.contains("1 adopted from dbmate"), "{said}");
    half.works(&["migrate"]);
    let rows = || half.base.sql("select group_concat(version, ' ') from schema_migrations");
    assert_eq!((rows().as_str(), half.journal().as_str()), ("1 2 3", "1 2 3"));
    half.base.sql("delete from schema_migrations where version = '3'");
    let words = ["dbmate has taken back what is applied here: 3_c", "resolve 3 --not-applied"];
    half.refuses(&["adopt"], &words);
    // Nothing would be left to do by our own history alone.
    half.refuses(&["migrate"], &words);
    half.works(&["resolve", "3", "--not-applied"]);
    half.works(&["migrate"]);
    assert_eq!(rows(), "1 2 3");
    // The table is gone.
    half.base.sql("drop table schema_migrations");
    half.project.write_migrations(&[("4_d.sql", "-- migrate:up\nselect 1;\n-- migrate:down\n")]);
    half.refuses(&["migrate"], &["`schema_migrations`, the history of dbmate", "is not there"]);
    half.project.write("twostep.toml", "mirror_history = \"no\"\n");
    half.works(&["migrate"]);
    assert_eq!(half.journal(), "1 2 3 4");
}
