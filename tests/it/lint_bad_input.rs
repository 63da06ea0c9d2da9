//! What a careless user gives `twostep lint`: each time one clear message, and the documented exit code.

use crate::complaint::complaint;
use crate::lint_command::{lint, project};
use crate::twostep::Project;

/// Asserts that `lint` with these arguments is refused as wrong usage, with all of `words` in what it says.
#[track_caller]
fn refused(project: &Project, arguments: &[&str], words: &[&str]) {
    let outcome = lint(project, arguments).expect(2);
    let state = complaint(&outcome);
    assert!(state.contains("nothing"), "{state}");
    assert_eq!(outcome.stdout, "");
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` is not in\n{}", outcome.stderr);
    }
}

const SQL: &str = "drop table a;\n";

#[test]
fn paths_that_are_not_there() {
    let empty = project(&[("empty/.gitkeep", ""), ("text/notes.txt", "hello")]);
    refused(&empty, &[], &["there is no migrations folder `migrations`"]);
    refused(&empty, &["nowhere"], &["there is no file or folder `nowhere`"]);
    refused(&empty, &["nowhere/1.sql"], &["there is no file or folder `nowhere/1.sql`"]);
    refused(&empty, &["empty"], &["the migrations folder `empty` is empty"]);
    refused(&empty, &["text"], &["text"]);
    refused(&empty, &["--stdin"], &["standard input is empty"]);
}

#[test]
fn files_that_are_no_text() {
    let broken = project(&[("a/1_a.up.sql", SQL), ("loose.sql", SQL), ("zero/1_a.up.sql", SQL)]);
    broken.write("a/2_b.up.sql", b"select '\xff';");
    broken.write("loose.sql", b"select '\xff';");
    broken.write("zero/2_b.up.sql", b"select '\0';");
    refused(&broken, &["a"], &["2_b.up.sql: is not valid UTF-8", "offset 8"]);
    refused(&broken, &["a/2_b.up.sql"], &["2_b.up.sql: is not valid UTF-8"]);
    refused(&broken, &["loose.sql"], &["loose.sql: is not valid UTF-8"]);
    refused(&broken, &["zero"], &["2_b.up.sql: is not text: a NUL byte"]);
    // What somebody asks for is judged all the same.
    let beside = lint(&broken, &["a/1_a.up.sql", "--engine", "postgres"]).expect(1);
    assert!(beside.stdout.contains("error[drop-table]"), "{}", beside.stdout);
    assert!(beside.stderr.contains("2_b.up.sql: is not valid UTF-8"), "{}", beside.stderr);
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_read() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let project = project(&[("a/1_a.up.sql", SQL)]);
    symlink("nowhere", project.path("a/2_b.up.sql")).unwrap();
    refused(&project, &["a"], &["cannot read `a/2_b.up.sql`"]);
    refused(&project, &["a/2_b.up.sql"], &["a/2_b.up.sql"]);
    std::fs::remove_file(project.path("a/2_b.up.sql")).unwrap();
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(project.path("a/1_a.up.sql"), closed).unwrap();
    // Nothing is closed to root.
    if std::fs::read(project.path("a/1_a.up.sql")).is_err() {
        refused(&project, &["a/1_a.up.sql"], &["cannot be read"]);
    }
}

#[test]
fn settings_that_mean_nothing() {
    let with = |toml: &str| project(&[("twostep.toml", toml), ("migrations/1_a.up.sql", SQL)]);
    let unknown = with("[lint.rules]\ndrop-tabel = 'off'\n");
    refused(&unknown, &[], &["unknown key `lint.rules.drop-tabel`", "did you mean `drop-table`?"]);
    refused(&with("[lint.rules]\ndrop-table = 'no'\n"), &[], &["`lint.rules.drop-table` cannot be `no`"]);
    refused(&with("[lint]\nfail_on = 'always'\n"), &[], &["`lint.fail_on` cannot be `always`"]);
    refused(&with("[lint]\nfailon = 'error'\n"), &[], &["unknown key `lint.failon`", "`fail_on`"]);
    refused(&with("[lint]\ngroups = ['nice']\n"), &[], &["`lint.groups` cannot be `nice`"]);
    refused(&with("[lint]\nengine = 'oracle'\n"), &[], &["`lint.engine` cannot be `oracle`"]);
    let version = with("[lint]\nengine = 'postgres'\nserver_version = 'new'\n");
    refused(&version, &[], &["`new` is no version of PostgreSQL"]);
}

#[test]
fn baselines_that_are_none() {
    let project = project(&[("migrations/1_a.up.sql", SQL), ("b.json", "{"), ("twostep.toml", "")]);
    refused(&project, &["--baseline", "nowhere.json"], &["cannot read the baseline `nowhere.json`"]);
    refused(&project, &["--baseline", "b.json"], &["`b.json` is no baseline"]);
    refused(&project, &["--write-baseline", "--baseline", "no/b.json"], &["cannot write the baseline"]);
}

#[test]
fn revisions_that_git_does_not_know() {
    let project = project(&[("migrations/1_a.up.sql", SQL)]);
    refused(&project, &["--since", "main"], &["not a git repository"]);
    let run = crate::twostep::Run::new("git", &project.path(""), &["init", "--quiet"]);
    run.run().expect(0);
    refused(&project, &["--since", "nowhere"], &["git knows no revision `nowhere`"]);
    refused(&project, &["--since=--help"], &["git knows no revision `--help`"]);
}

#[test]
fn rules_that_there_are_not() {
    let project = Project::new();
    let outcome = project.twostep(&["explain", "drop-tabel"]).env("TWOSTEP_LOG", "text").run().expect(2);
    complaint(&outcome);
    assert!(outcome.stderr.contains("did you mean `drop-table`?"), "{}", outcome.stderr);
    let wrong = lint(&project, &["--rule", "drop-tabel=off"]).expect(2);
    assert!(wrong.stderr.contains("did you mean `drop-table`?"), "{}", wrong.stderr);
}
