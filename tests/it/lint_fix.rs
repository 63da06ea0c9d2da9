//! `twostep lint --fix`: shown as a diff, written, and nothing else changed.

use crate::complaint::complaint;
use crate::lint_command::{lint, project};

const INDEX: &str = "-- for the list\r\ncreate index users_name\r\n  on users (name);\r\n";
const FIXED: &str = "-- twostep: no-transaction\n-- for the list\r\ncreate index CONCURRENTLY users_name\r\n  on users (name);\r\n";
const ARGUMENTS: [&str; 2] = ["--engine", "postgres"];

#[test]
fn what_is_safe_is_done_and_shown() {
    let users = "create table users (id bigint primary key, name text);\n";
    let loose = "-- twostep: no-transaction\ndrop index a;\ncreate index b on users (id);\n";
    let project = project(&[("m/1_users.up.sql", users), ("m/3_more.up.sql", loose)]);
    project.write("m/2_index.up.sql", format!("\u{feff}{INDEX}"));
    let run = |flag: &str, code: i32| {
        let files = ["m/2_index.up.sql", "m/3_more.up.sql"];
        let all: Vec<&str> = ARGUMENTS.iter().chain(&[flag]).chain(&files).copied().collect();
        lint(&project, &all).expect(code)
    };
    let diff = run("--diff", 1).stdout;
    let start = "--- a/m/2_index.up.sql\n+++ b/m/2_index.up.sql\n@@ -1,3 +1,4 @@\n+-- twostep: no-transaction\n -- for the list\r\n\
        -create index users_name\r\n+create index CONCURRENTLY users_name\r\n   on users (name);\r\n";
    assert!(diff.starts_with(start), "{diff}");
    assert!(
        diff.contains(
            "\n-drop index a;\n-create index b on users (id);\n+drop index CONCURRENTLY a;\n+create"
        ),
        "{diff}"
    );
    assert_eq!(project.read("m/3_more.up.sql"), loose, "--diff changes nothing");

    let fixed = run("--fix", 0);
    assert!(fixed.stdout.starts_with(&diff), "{}", fixed.stdout);
    assert!(!fixed.stdout.contains("-nonconcurrent]"), "{}", fixed.stdout);
    assert!(fixed.stderr.contains("3 finding(s) are fixed in 2 file(s)"), "{}", fixed.stderr);
    assert_eq!(project.read("m/2_index.up.sql"), format!("\u{feff}{FIXED}"));
    let expected = "-- twostep: no-transaction\ndrop index CONCURRENTLY a;\ncreate index CONCURRENTLY b on users (id);\n";
    assert_eq!(project.read("m/3_more.up.sql"), expected);
    assert_eq!(run("--diff", 0).stdout, "");
}

#[test]
fn what_is_not_safe_is_left() {
    // Beside another statement the index cannot leave the transaction, and this tool has no word for it in the file.
    let two = "create index i on users (name);\nupdate users set name = '' where name is null;\n";
    let goose = "-- +goose Up\ncreate index i on users (name);\n";
    let project = project(&[("m/1_a.up.sql", two), ("goose/1_a.sql", goose)]);
    for (file, text) in [("m/1_a.up.sql", two), ("goose/1_a.sql", goose)] {
        let outcome = lint(&project, &["--engine", "postgres", "--fix", file]).expect(1);
        assert!(outcome.stdout.starts_with("error[create-index-nonconcurrent]"), "{}", outcome.stdout);
        assert_eq!(project.read(file), text);
    }
}

#[test]
fn what_may_be_applied_is_not_touched() {
    let project = project(&[("migrations/1_a.up.sql", "create index i on users (name);\n")]);
    for flag in ["--fix", "--diff"] {
        let outcome = lint(&project, &["--engine", "postgres", flag]).expect(2);
        complaint(&outcome);
        assert!(outcome.stderr.contains("only new migrations can be fixed"), "{}", outcome.stderr);
    }
    assert_eq!(project.read("migrations/1_a.up.sql"), "create index i on users (name);\n");
}
