//! What other linters are wrong about, one by one: findings that are true only with what stands around a statement.

use twostep::dialect::Dialect;
use twostep::engine::version::ServerVersion;
use twostep::rules::{Options, Runner, lint};
use twostep::schema::model::Schema;
use twostep::source::{ReadOptions, SourceFile, read};

/// The rules that find something in the last of `files`, with the lines, on PostgreSQL `version`.
fn found(files: &[&str], version: &str) -> Vec<(usize, &'static str)> {
    let source = |(number, text): (usize, &&str)| SourceFile::text(format!("{number:04}_a.up.sql"), text);
    let sources: Vec<SourceFile> = files.iter().enumerate().map(source).collect();
    let folder = read(&sources, Some("twostep"), &ReadOptions::default()).unwrap();
    let options = Options::new(ServerVersion::parse(version, Dialect::Postgres).unwrap());
    let linted = lint(&folder, &[files.len() - 1], Schema::new(Dialect::Postgres), &options);
    let last = format!("{:04}_a.up.sql", files.len() - 1);
    let here = linted.findings.iter().filter(|finding| finding.path == last);
    here.map(|finding| (finding.start.line, finding.rule.id)).collect()
}

/// That the last of `files` has these findings and no others, on PostgreSQL 17.
#[track_caller]
fn check(files: &[&str], expected: &[(usize, &str)]) {
    check_on("17", files, expected);
}

#[track_caller]
fn check_on(version: &str, files: &[&str], expected: &[(usize, &str)]) {
    assert_eq!(found(files, version), expected, "on {version}: {files:?}");
}

const USERS: &str = "create table users (id bigint primary key, name varchar(20), age int);";

#[test]
fn a_new_table_in_the_same_file_blocks_nobody() {
    check(
        &[
            "create table a (id bigint primary key, n int);\ncreate index i on a (n);\nalter table a add check (n > 0);\n\
             alter table a add unique (n);\nalter table a alter n set not null;\nalter table a alter n type bigint;\n\
             alter table a rename n to m;\nupdate a set m = 1;\ntruncate a;\ndrop table a;",
        ],
        &[],
    );
    // Rolled back, it is not there.
    let rolled_back = "-- twostep: no-transaction\nbegin;\ncreate table users (id bigint);\nrollback;\ncreate index i on users (id);";
    check(&[rolled_back], &[(5, "create-index-nonconcurrent")]);
}

#[test]
fn a_view_under_the_old_name_keeps_a_rename_compatible() {
    let with_view = "alter table users rename to people;\ncreate view users as select * from people;";
    check(&[USERS, with_view], &[]);
    check(&[USERS, "alter table users rename to people;"], &[(1, "rename-table")]);
}

#[test]
fn set_not_null_behind_a_validated_check_reads_nothing() {
    let check_and_set = |validated: &str| {
        format!(
            "-- twostep: no-transaction\nalter table users add constraint c check (age is not null) not valid;\n{validated}\n\
             alter table users alter age set not null;"
        )
    };
    let validated = check_and_set("alter table users validate constraint c;");
    check(&[USERS, &validated], &[(2, "new-write-restriction")]);
    let unvalidated = check_and_set("select 1;");
    check(&[USERS, &unvalidated], &[(2, "new-write-restriction"), (4, "set-not-null-scan")]);
    // Version 11 scans all the same.
    check_on("11", &[USERS, &validated], &[(2, "new-write-restriction"), (4, "set-not-null-scan")]);
    let earlier = "alter table users add constraint c check (age is not null);";
    check(&[USERS, earlier, "alter table users alter age set not null;"], &[]);
}

#[test]
fn types_that_only_widen() {
    check(&[USERS, "alter table users alter name type varchar(40);"], &[]);
    check(&[USERS, "alter table users alter name type text;"], &[]);
    check(&[USERS, "alter table users alter age type bigint;"], &[(1, "change-column-type")]);
    // A check on the column is looked up in all rows again.
    let checked = "create table users (id bigint, name varchar(20) check (name <> ''));";
    check(&[checked, "alter table users alter name type varchar(40);"], &[(1, "change-column-type")]);
}

#[test]
fn timestamps_with_a_zone() {
    let logs = "create table logs (id bigint, at timestamp);";
    let alter = "alter table logs alter at type timestamptz;";
    check(&[logs, alter], &[(1, "change-column-type")]);
    let found = found(&[logs, &format!("set timezone = 'UTC';\n{alter}")], "17");
    // Nothing is rewritten then, but running code reads another type.
    assert_eq!(found, [(2, "change-column-type")]);
}

#[test]
fn a_column_of_a_constrained_domain_is_written_into_every_row() {
    let domain = "create domain positive as int check (value > 0); create table users (id bigint);";
    check(&[domain, "alter table users add n positive;"], &[(1, "add-column-volatile-default")]);
    let plain = "create domain amount as int; create table users (id bigint);";
    check(&[plain, "alter table users add n amount;"], &[]);
}

/// That another runner, which sets no lock_timeout, is told of brief locks on these tables.
#[track_caller]
fn check_brief_locks(before: &str, sql: &str, tables: &str) {
    let source = |name: &str, text: &str| SourceFile::text(name.to_owned(), text);
    let sources = [source("1_a.up.sql", before), source("2_a.up.sql", sql)];
    let folder = read(&sources, Some("twostep"), &ReadOptions::default()).unwrap();
    let mut options = Options::new(ServerVersion::usual(Dialect::Postgres));
    options.runner = Runner::Other;
    let linted = lint(&folder, &[1], Schema::new(Dialect::Postgres), &options);
    let finding = linted.findings.iter().find(|finding| finding.rule.id == "blocking-behind");
    let message = finding.map(|finding| finding.message.as_str());
    let expected = format!("a brief lock on {tables} without lock_timeout may stop everyone");
    assert_eq!(message, Some(expected.as_str()), "{sql}");
}

#[test]
fn partitions_and_their_parents() {
    let parent = "create table logs (id bigint, n int) partition by range (id);\n\
        create table logs_1 partition of logs for values from (0) to (9);";
    check_brief_locks(parent, "create table logs_2 partition of logs for values from (9) to (19);", "`logs`");
    check_brief_locks(parent, "drop table logs_1;", "`logs_1` and `logs`");
    check(&[parent, "drop table logs_1;"], &[(1, "drop-table")]);
    check(&[parent, "create index i on logs (n);"], &[(1, "create-index-nonconcurrent")]);
    let alone = "-- twostep: no-transaction\nalter table logs detach partition logs_1 concurrently;";
    check(&[parent, alone], &[(2, "detach-inheritance")]);
}

#[test]
fn concurrently_is_not_proposed_where_the_server_refuses_it() {
    let parent = "create table logs (id bigint, n int) partition by range (id);";
    let sources = [
        SourceFile::text("1_a.up.sql".to_owned(), parent),
        SourceFile::text("2_a.up.sql".to_owned(), "create index i on logs (n);"),
    ];
    let folder = read(&sources, Some("twostep"), &ReadOptions::default()).unwrap();
    let options = Options::new(ServerVersion::usual(Dialect::Postgres));
    let linted = lint(&folder, &[1], Schema::new(Dialect::Postgres), &options);
    let help = linted.findings[0].help.join("\n");
    assert!(help.contains("ON ONLY logs") && !help.contains("CREATE INDEX CONCURRENTLY"), "{help}");
}

#[test]
fn foreign_keys_lock_both_tables() {
    let users = "create table users (id bigint primary key);";
    let orders = format!("{users} create table orders (u bigint constraint f references users);");
    check_brief_locks(users, "create table orders (u bigint references users);", "`users`");
    check_brief_locks(&orders, "alter table orders drop constraint f;", "`orders` and `users`");
    check_brief_locks(&orders, "drop table orders;", "`orders` and `users`");
}

#[test]
fn virtual_columns_rewrite_nothing() {
    let add = "alter table users add next int generated always as (age + 1)";
    check_on("18", &[USERS, &format!("{add} virtual;")], &[]);
    check_on("18", &[USERS, &format!("{add} stored;")], &[(1, "add-column-generated-stored")]);
}

#[test]
fn blocks_are_looked_into() {
    check(&[USERS, "do $$ begin\n  alter table users\n    drop column age;\nend $$;"], &[(3, "drop-column")]);
    check(&[USERS, "do $$ begin\n  execute 'drop table ' || 'users';\nend $$;"], &[(2, "unread-statement")]);
}

#[test]
fn one_statement_that_cannot_be_read_hides_no_other() {
    check(
        &[USERS, "select 1;\nalter tabel users;\ndrop table users;"],
        &[(2, "parse-error"), (3, "drop-table")],
    );
}

#[test]
fn if_exists_is_no_excuse() {
    check(&[USERS, "drop table if exists users;"], &[(1, "drop-table")]);
    check(&[USERS, "drop table if exists others;"], &[]);
    check(
        &["alter table if exists unknown alter a set not null;"],
        &[(1, "new-write-restriction"), (1, "set-not-null-scan")],
    );
    check(
        &[USERS, "create table if not exists users (id bigint, other text);"],
        &[(1, "create-if-not-exists-noop")],
    );
}

#[test]
fn findings_stand_on_their_own_lines() {
    let sql = "-- first\nselect 1;\n\n/* two\nlines */ alter table users\n  add column a int,\n  drop column age;\ndrop table users;\r\n";
    check(&[USERS, sql], &[(7, "drop-column"), (8, "drop-table")]);
}
