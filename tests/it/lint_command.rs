//! `twostep lint` as it is used: folders of any tool, single files with what stands before them, standard input,
//! settings, baselines, and what is new since a revision.

use serde_json::Value;

use crate::twostep::{Outcome, Project, Run};

/// A project with these files, by their paths.
pub fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    for (path, text) in files {
        project.write(path, text);
    }
    project
}

/// `lint` with these arguments.
pub fn lint(project: &Project, arguments: &[&str]) -> Outcome {
    let all: Vec<&str> = ["lint"].iter().chain(arguments).copied().collect();
    project.twostep(&all).env("TWOSTEP_LOG", "text").run()
}

/// The rules that these tests are about. What others find in the same SQL is their pages' matter.
const RULES: [&str; 5] = ["drop-column", "drop-table", "drop-view", "edited-after-applied", "json-column"];

/// What `lint` finds: `file:line rule severity`, in order.
#[track_caller]
fn found(project: &Project, code: i32, arguments: &[&str]) -> Vec<String> {
    let all: Vec<&str> = ["--format", "json"].iter().chain(arguments).copied().collect();
    findings(&lint(project, &all).expect(code))
}

fn findings(outcome: &Outcome) -> Vec<String> {
    let value: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    let word = |finding: &Value, key: &str| finding[key].as_str().expect("it is a text").to_owned();
    let line = |finding: &Value| {
        let (file, rule) = (word(finding, "file"), word(finding, "rule"));
        let line = format!("{file}:{} {rule} {}", finding["line"], word(finding, "severity"));
        RULES.contains(&rule.as_str()).then_some(line)
    };
    value["findings"].as_array().expect("it is a list").iter().filter_map(line).collect()
}

const USERS: &str = "create table users (id bigint primary key, email text, name text);\n";
const DROP: &str = "-- why\nalter table users\n  drop column email;\n";

#[test]
fn a_file_is_judged_with_what_stands_before_it() {
    let two = "create table notes (id bigint primary key);\nalter table notes drop column body;\n";
    let project = project(&[
        ("db/1_users.up.sql", USERS),
        ("db/2_drop.up.sql", DROP),
        ("db/3_notes.up.sql", two),
        ("db/4_later.up.sql", "drop table users;\n"),
    ]);
    let drop = "db/2_drop.up.sql:3 drop-column error";
    assert_eq!(found(&project, 1, &["db/2_drop.up.sql"]), [drop]);
    // Only what was named, and nothing of what a later one does; what a file has made itself is nobody's yet.
    assert_eq!(found(&project, 1, &["db/2_drop.up.sql", "db/3_notes.up.sql"]), [drop]);
    assert_eq!(found(&project, 1, &["db"]), [drop, "db/4_later.up.sql:1 drop-table error"]);
    assert_eq!(found(&project, 1, &["--migrations", "db"]).len(), 2);
    // What a folder holds is judged once, however often it is named.
    let again = found(&project, 1, &["db/2_drop.up.sql", "db", "db/../db", "db/4_later.up.sql"]);
    assert_eq!(again, [drop, "db/4_later.up.sql:1 drop-table error"]);
    let whole = project.path("db/2_drop.up.sql").display().to_string();
    let twice = found(&project, 1, &["db/2_drop.up.sql", "./db/2_drop.up.sql", &whole]);
    assert_eq!(twice, [drop]);
    let within = found(&project, 1, &[".", "db/2_drop.up.sql", "db"]);
    assert_eq!(within, [drop, "db/4_later.up.sql:1 drop-table error"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("db/2_drop.up.sql", project.path("new.sql")).unwrap();
        assert_eq!(found(&project, 1, &["new.sql", "db/2_drop.up.sql"]), [drop]);
        assert_eq!(found(&project, 1, &["db", "new.sql"]).len(), 2);
    }
}

#[test]
fn folders_of_other_tools_need_no_settings() {
    let goose = "-- +goose Up\nalter table users drop column email;\n-- +goose Down\nselect 1;\n";
    let project = project(&[
        ("goose/1_a.sql", goose),
        ("flyway/V1__users.sql", USERS),
        ("flyway/V2__drop.sql", DROP),
        ("diesel/2024-01-01-000000_a/up.sql", DROP),
        ("diesel/2024-01-01-000000_a/down.sql", "alter table users add column email text;\n"),
        ("none/schema.sql", DROP),
        ("mysql/1_a.sql", "alter table users drop column email;\n"),
    ]);
    let first = |path: &str| found(&project, 1, &[path]).into_iter().next().unwrap();
    assert_eq!(first("goose"), "goose/1_a.sql:2 drop-column error");
    assert_eq!(first("flyway/V2__drop.sql"), "flyway/V2__drop.sql:3 drop-column error");
    let up = "diesel/2024-01-01-000000_a/up.sql";
    assert_eq!(first("diesel"), format!("{up}:3 drop-column error"));
    assert_eq!(first(up), format!("{up}:3 drop-column error"));
    assert_eq!(found(&project, 1, &["diesel/2024-01-01-000000_a"]), [format!("{up}:3 drop-column error")]);
    assert_eq!(first("none"), "none/schema.sql:3 drop-column error");
    assert_eq!(first("none/schema.sql"), "none/schema.sql:3 drop-column error");
    let mysql = lint(&project, &["mysql"]).expect(1);
    assert!(mysql.stdout.contains(" in 1 migration for MySQL 8.4\n"), "{}", mysql.stdout);
}

#[test]
fn standard_input_is_judged_by_itself() {
    let project = project(&[("a.txt", DROP)]);
    let piped = |arguments: &str| {
        let command = format!("\"$0\" lint --stdin {arguments}");
        Run::new("sh", &project.path(""), &["-c", &command, env!("CARGO_BIN_EXE_twostep")]).run().expect(1)
    };
    assert_eq!(findings(&piped("--format json < a.txt")), ["<stdin>:3 drop-column error"]);
    let expected = "error[drop-column]: dropping column `email` of `users` breaks running code that uses it\n \
         --> <stdin>:3:3\n  |\n3 |   drop column email;\n  |   ^^^^^^^^^^^^^^^^^\n";
    let text = piped("< a.txt").stdout;
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn settings_change_rules_by_name_group_and_path() {
    let settings = "migrations = 'db'\n[lint]\nengine = 'postgres'\nserver_version = '15'\nfail_on = 'note'\n\
        groups = ['style']\n[lint.rules]\nall = 'off'\ncompat = 'note'\ndrop-table = 'warning'\nstyle = 'off'\n\
        json-column = 'error'\n\
        [lint.paths.'db/1_*']\nall = 'off'\n";
    let project = project(&[
        ("twostep.toml", settings),
        ("db/1_a.up.sql", "drop table old;\n"),
        ("db/2_a.up.sql", "drop table users;\ndrop view v;\ncreate table t (id int, b json);\n"),
    ]);
    let two = "db/2_a.up.sql";
    let expected = [
        format!("{two}:1 drop-table warning"),
        format!("{two}:2 drop-view note"),
        format!("{two}:3 json-column error"),
    ];
    assert_eq!(found(&project, 1, &[]), expected);
    let all_off = found(&project, 0, &["--rule", "all=off", "--fail-on", "error"]);
    assert_eq!(all_off, Vec::<String>::new());
    assert_eq!(found(&project, 0, &["--rule", "json-column=off", "--fail-on", "error"]).len(), 2);
    assert_eq!(found(&project, 0, &["--fail-on", "never"]).len(), 3);
    let text = lint(&project, &["--fail-on", "never"]).expect(0).stdout;
    assert!(text.contains("\n1 error, 1 warning, 1 note in 2 migrations for PostgreSQL 15\n"), "{text}");
}

#[test]
fn a_baseline_accepts_what_is_there_and_nothing_new() {
    let project = project(&[("migrations/1_a.up.sql", "drop table a;\ndrop table b;\n")]);
    let engine = ["--engine", "postgres"];
    assert_eq!(found(&project, 1, &engine).len(), 2);
    let written = lint(&project, &["--engine", "postgres", "--write-baseline"]).expect(0);
    assert!(written.stderr.contains("twostep.baseline.json now accepts "), "{}", written.stderr);
    assert!(project.read("twostep.baseline.json").lines().count() >= 6);
    assert_eq!(found(&project, 0, &engine), Vec::<String>::new());
    // Other lines and blank space do not matter; another statement does.
    project.write("migrations/1_a.up.sql", "-- new\n\ndrop   table a;\ndrop table b;\ndrop table c;\n");
    assert_eq!(found(&project, 1, &engine), ["migrations/1_a.up.sql:5 drop-table error"]);
    project.write("migrations/1_a.up.sql", "drop table a;\n");
    let fewer = lint(&project, &engine).expect(0);
    assert!(fewer.stderr.contains("of twostep.baseline.json are gone"), "{}", fewer.stderr);
    assert!(fewer.stdout.contains(" in the baseline\n"), "{}", fewer.stdout);
}

/// Runs git in the project.
fn git(project: &Project, arguments: &[&str]) {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
    let all: Vec<&str> = who.iter().chain(arguments).copied().collect();
    Run::new("git", &project.path(""), &all).run().expect(0);
}

#[test]
fn since_a_revision_only_what_is_new_is_judged() {
    let down = "alter table users add column email text;\n";
    let project = project(&[
        ("migrations/1_users.up.sql", USERS),
        ("migrations/2_drop.up.sql", DROP),
        ("migrations/2_drop.down.sql", down),
        ("migrations/R__v.sql", "create or replace view v as select 1 as a;\n"),
    ]);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "one"]);
    let since = |code| found(&project, code, &["--engine", "postgres", "--since", "main"]);
    assert_eq!(since(0), Vec::<String>::new());

    git(&project, &["checkout", "--quiet", "-b", "work"]);
    project.write("migrations/3_notes.up.sql", "create table notes (id bigint primary key, a text);\n");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "two"]);
    // What the same deploy has made, no running code uses.
    project.write("migrations/4_more.up.sql", "alter table notes drop column a;\ndrop table users;\n");
    project.write("migrations/R__v.sql", "create or replace view v as select 2 as a;\n");
    let new = |rule: &str| format!("migrations/{rule}");
    assert_eq!(since(1), [new("4_more.up.sql:2 drop-table error")]);

    // Line ends do not count as an edit, other text does; the way back may be mended.
    project.write("migrations/1_users.up.sql", USERS.replace('\n', "\r\n"));
    project.write("migrations/2_drop.down.sql", format!("-- more\n{down}"));
    project.write("migrations/2_drop.up.sql", DROP.replace("email", "name"));
    project.write("migrations/4_more.up.sql", "select 1;\n");
    let edited = new("2_drop.up.sql:3 edited-after-applied error");
    assert_eq!(since(1), [edited, new("2_drop.up.sql:3 drop-column error")]);
    let allowed = "-- twostep: allow edited-after-applied, drop-column because nobody has it yet\n\n";
    project.write("migrations/2_drop.up.sql", format!("{allowed}{}", DROP.replace("email", "name")));
    assert_eq!(since(1), Vec::<String>::new());
}

#[test]
fn explain_shows_pages_and_lists_them() {
    let project = Project::new();
    let page = project.twostep(&["explain", "drop-column"]).run().expect(0).stdout;
    assert!(page.starts_with("# drop-column\n\nDropping a column breaks"), "{page}");
    assert!(page.contains("\n*error · compat: breaks the code that is still running · PostgreSQL"), "{page}");
    assert!(page.contains("\n## Instead\n"), "{page}");
    let list = project.twostep(&["explain"]).run().expect(0).stdout;
    assert!(list.lines().count() > 100 && list.contains("\ndrop-column "), "{list}");
    let json = project.twostep(&["explain", "drop-table", "--format", "json"]).run().expect(0).stdout;
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["rules"][0]["rule"], "drop-table");
}
