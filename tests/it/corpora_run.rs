//! Every project of a folder of real projects, applied twice to empty databases: by the engine's plain client, file by
//! file in the order of the project's own tool, and by `twostep migrate`. The catalogs and the numbers of rows must be
//! the same. `TWOSTEP_CORPORA` names the folder (PROJECT/ENGINE/…); `scripts/corpora` runs it and keeps the table.

#![allow(clippy::print_stderr, reason = "its table and what differs are for people")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use twostep::dialect::Dialect;
use twostep::files::read_migrations;
use twostep::source::{Body, Folder, Kind, Migration, ReadOptions};

use crate::servers;
use crate::twostep::Project;

/// What applies a text by the plain client; its complaint is the error.
type Plain = Box<dyn Fn(&str, bool) -> Result<(), String>>;

/// Two empty databases of one engine, and how to look at them.
struct Pair {
    engine: &'static str,
    urls: [String; 2],
    /// Feeds a text to the plain client, on the first of them; in one transaction where the tool does so.
    plain: Plain,
    /// The catalog of one of them, and how many rows each table has.
    look: Box<dyn Fn(usize) -> String>,
}

/// One line of the table.
struct Row {
    project: String,
    engine: &'static str,
    format: String,
    migrations: String,
    plain_s: f64,
    ours_s: f64,
    result: String,
    right: bool,
}

/// Runs a client with `input`; what it complains about is the error.
fn feed(command: &mut Command, input: &str) -> Result<String, String> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the client starts");
    let mut stdin = child.stdin.take().expect("it is a pipe");
    let text = input.to_owned();
    // It may end before it has read everything.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).ok());
    let output = child.wait_with_output().expect("the client ends");
    writer.join().expect("the writer does not panic");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Roles are the whole server's, so that each of the two has a server of its own.
fn postgres() -> Option<Pair> {
    static OTHER: OnceLock<Option<servers::Postgres>> = OnceLock::new();
    let pair = [servers::postgres()?, OTHER.get_or_init(|| servers::Postgres::start("")).as_ref()?];
    let databases = pair.map(|server| std::mem::ManuallyDrop::new(server.fresh_database()));
    let names = [databases[0].name.clone(), databases[1].name.clone()];
    let urls = [databases[0].url(), databases[1].url()];
    let plain_name = names[0].clone();
    let plain = move |sql: &str, transaction: bool| {
        let run = |one: bool| {
            let mut client = pair[0].client("psql", &plain_name);
            client.args(["-Xq", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
            feed(client.args(one.then_some("--single-transaction")), sql).map(drop)
        };
        // A transaction that fails leaves nothing, and what cannot run in one can be tried without.
        if transaction { run(true).or_else(|_| run(false)) } else { run(false) }
    };
    let look = move |which: usize| {
        let mut dump = pair[which].client("pg_dump", &names[which]);
        let dump = feed(dump.args(["--schema-only", "--exclude-schema=twostep"]), "").expect("pg_dump works");
        let counts = "select format('select %L, count(*) from %I.%I', relname, nspname, relname) from pg_class c \
                      join pg_namespace n on n.oid = relnamespace where relkind = 'r' and nspname not in \
                      ('twostep', 'pg_catalog', 'information_schema') order by nspname, relname";
        let counts: Vec<String> = pair[which]
            .psql(&names[which], counts)
            .lines()
            .map(|sql| pair[which].psql(&names[which], sql))
            .collect();
        let dump: Vec<&str> = dump.lines().filter(|line| !line.starts_with('\\')).collect();
        format!("{}\n{}", dump.join("\n"), counts.join("\n"))
    };
    Some(Pair { engine: "PostgreSQL", urls, plain: Box::new(plain), look: Box::new(look) })
}

fn mariadb() -> Option<Pair> {
    let server = servers::mariadb()?;
    let databases = [server.fresh_database(), server.fresh_database()].map(std::mem::ManuallyDrop::new);
    let names = [databases[0].name.clone(), databases[1].name.clone()];
    let urls = [databases[0].url(), databases[1].url()];
    let plain_name = names[0].clone();
    let plain = move |sql: &str, _: bool| {
        let mut client = server.client("mariadb");
        client.args(as_mysql(server));
        feed(client.args(["--default-character-set=utf8mb4", &plain_name]), sql).map(drop)
    };
    let look = move |which: usize| {
        let name = &names[which];
        let mut dump = server.client("mariadb-dump");
        dump.args([
            "--no-data",
            "--routines",
            "--triggers",
            "--events",
            "--skip-comments",
            "--skip-dump-date",
        ]);
        for table in ["meta", "run", "migration", "statement"] {
            dump.arg(format!("--ignore-table={name}.twostep_{table}"));
        }
        let dump = feed(dump.arg(name), "").expect("mariadb-dump works").replace(name.as_str(), "DATABASE");
        let tables = server.mysql(
            name,
            "select table_name from information_schema.tables where table_schema = database() \
             and table_type = 'BASE TABLE' and table_name not like 'twostep\\_%' order by 1",
        );
        let count = |table: &str| {
            format!("{table} {}", server.mysql(name, &format!("select count(*) from `{table}`")))
        };
        format!("{}\n{}", without_counters(&dump), tables.lines().map(count).collect::<Vec<_>>().join("\n"))
    };
    Some(Pair {
        engine: if server.is_mysql() { "MySQL" } else { "MariaDB" },
        urls,
        plain: Box::new(plain),
        look: Box::new(look),
    })
}

/// MariaDB's client asks MySQL for another collation than MySQL's own does.
fn as_mysql(server: &servers::MariaDb) -> Option<&'static str> {
    server.is_mysql().then_some("--init-command=SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci")
}

/// Numbers that the next row of a table gets depend on rows that were taken back.
fn without_counters(dump: &str) -> String {
    let line = |line: &str| match line.split_once(" AUTO_INCREMENT=") {
        Some((start, rest)) if line.starts_with(") ENGINE") => {
            format!("{start}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        _ => line.to_owned(),
    };
    dump.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn sqlite(folder: &Path) -> Pair {
    let paths = ["plain.db", "ours.db"].map(|name| folder.join(name).display().to_string());
    let urls = paths.clone().map(|path| format!("sqlite:{path}"));
    let plain_path = paths[0].clone();
    let plain =
        move |sql: &str, _: bool| feed(Command::new("sqlite3").args(["-bail", &plain_path]), sql).map(drop);
    let look = move |which: usize| {
        let ask = |sql: &str| {
            feed(Command::new("sqlite3").args(["-bail", &paths[which]]), sql).expect("sqlite3 works")
        };
        // SQLite keeps what stands between the last token and the semicolon, which this client is given apart.
        let catalog = ask(
            "select type, name, tbl_name, rtrim(sql, ' ' || char(10)) from sqlite_schema where tbl_name not like 'twostep\\_%' \
                           escape '\\' order by 1, 2;",
        );
        let tables = ask(
            "select name from sqlite_schema where type = 'table' and name not like 'twostep\\_%' escape '\\' \
                          and sql not like 'create virtual%' order by 1;",
        );
        let count = |table: &str| ask(&format!("select '{table}', count(*) from \"{table}\";"));
        format!("{catalog}\n{}", tables.lines().map(count).collect::<Vec<_>>().join("\n"))
    };
    Pair { engine: "SQLite", urls, plain: Box::new(plain), look: Box::new(look) }
}

/// The text that is fed to the plain client for a migration.
fn plain_text(migration: &Migration, dialect: Dialect) -> Option<String> {
    let separated = |statements: &[twostep::source::GivenStatement]| {
        let one = |statement: &twostep::source::GivenStatement| match dialect {
            Dialect::Mysql => format!("DELIMITER ;;;;\n{}\n;;;;\nDELIMITER ;\n", statement.text),
            Dialect::Postgres | Dialect::Sqlite => format!("{}\n;\n", statement.text),
        };
        statements.iter().map(one).collect::<String>()
    };
    match &migration.up.body {
        Body::Sql { file, span } => Some(span.of(file).to_owned()),
        Body::Statements { statements, .. } => Some(separated(statements)),
        Body::LargeFile { .. } | Body::Program { .. } => None,
    }
}

/// Applies all, and gives the label and the complaint of the first migration that the client refuses.
fn apply_plainly(folder: &Folder, pair: &Pair, dialect: Dialect) -> Result<usize, (String, String)> {
    let baseline = folder.migrations.iter().rposition(|migration| migration.kind == Kind::Baseline);
    let mut count = 0;
    for migration in folder.migrations.iter().skip(baseline.unwrap_or(0)) {
        let failed = |why: String| (migration.version.to_string(), why);
        let text = plain_text(migration, dialect).ok_or_else(|| failed("it is no text".to_owned()))?;
        (pair.plain)(&text, migration.up.transaction).map_err(failed)?;
        count += 1;
    }
    Ok(count)
}

fn first_line(text: &str) -> String {
    let line =
        text.lines().find(|line| line.to_lowercase().contains("error")).or(text.lines().next()).unwrap_or("");
    // The name of a test's database says nothing to a reader.
    let named = line.split('`').map(|part| if part.starts_with("it_") { "DATABASE" } else { part });
    named.collect::<Vec<_>>().join("`").replace('|', "/").chars().take(140).collect()
}

fn row(project: &str, path: &Path, dialect: Dialect, pair: &Pair) -> Row {
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let mut row = Row {
        project: project.to_owned(),
        engine: pair.engine,
        format: String::new(),
        migrations: String::new(),
        plain_s: 0.0,
        ours_s: 0.0,
        result: String::new(),
        right: false,
    };
    let folder = match read_migrations(path, None, &options) {
        Ok(folder) => folder,
        Err(error) => {
            row.result = format!("not read: {error}");
            return row;
        }
    };
    row.format = folder.format.to_owned();
    row.migrations = folder.migrations.len().to_string();
    let started = Instant::now();
    let plain = apply_plainly(&folder, pair, dialect);
    row.plain_s = started.elapsed().as_secs_f64();
    let work = Project::new();
    let path = path.to_str().expect("a path in UTF-8");
    let run = work.twostep(&["migrate", "--migrations", path]).env("DATABASE_URL", &pair.urls[1]).run();
    row.ours_s = run.elapsed.as_secs_f64();
    let ours_failed = run.code() != 0;
    match plain {
        Ok(_) if ours_failed => {
            row.result = format!("**only the plain client applies it**: {}", first_line(&run.stderr))
        }
        Ok(_) => {
            // What the server's own program says, and what `db dump` does.
            let look = |which: usize| {
                let run = work.twostep(&["db", "dump"]).env("DATABASE_URL", &pair.urls[which]).run();
                format!("{}\n{}", (pair.look)(which), run.expect(0).stdout)
            };
            let (one, other) = (look(0), look(1));
            row.right = one == other;
            row.result = if row.right {
                "same catalog".to_owned()
            } else {
                keep_difference(project, pair.engine, &one, &other);
                "**another catalog**".to_owned()
            };
        }
        Err((at, why)) if ours_failed => {
            row.right = run.stderr.contains(&at) || run.code() == 2;
            let also = if row.right { "fails in both" } else { "**fails elsewhere than the plain client**" };
            row.result = format!("{also}, at {at}: {}", first_line(&why));
        }
        Err((at, why)) => {
            row.right = true;
            row.result = format!("applied; the plain client refuses {at}: {}", first_line(&why));
        }
    }
    if !row.right {
        eprintln!(
            "{project}/{}: {}\n{}",
            pair.engine,
            row.result,
            run.stderr.lines().rev().take(12).collect::<Vec<_>>().join("\n")
        );
    }
    row
}

/// Prints the first lines that differ.
fn keep_difference(project: &str, engine: &str, one: &str, other: &str) {
    let diff = similar::TextDiff::from_lines(one, other);
    let lines: Vec<String> = diff
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .take(30)
        .map(|change| format!("{}{change}", change.tag()))
        .collect();
    eprintln!("{project}/{engine}: plain (-), twostep (+)\n{}", lines.concat());
}

fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "# Real projects, applied by the plain client and by twostep\n\n\
         Made by `scripts/corpora FOLDER`: each project is applied to two empty databases, once by the engine's plain client \
         (psql,\nmariadb, sqlite3), file by file in the order of the project's own tool (psql\nwith `--single-transaction` where the tool has one) and stopping at the first error, and once by\n\
         `twostep migrate` in the format that it finds. The result is \"same catalog\" where the dumps (`db dump`; `pg_dump -s`,\n\
         `mariadb-dump --no-data` with routines, triggers and events, `sqlite_schema`) and the number of rows of every\ntable \
         are equal. Times are those of an unoptimised build on a busy machine, the plain client's with a new process per file.\n\n\
         | project | engine | format | migrations | plain client | twostep | result |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {:.1} s | {:.1} s | {} |\n",
            row.project, row.engine, row.format, row.migrations, row.plain_s, row.ours_s, row.result
        ));
    }
    out
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn real_projects_are_applied_as_by_the_plain_client() {
    let corpora = PathBuf::from(std::env::var("TWOSTEP_CORPORA").expect("TWOSTEP_CORPORA names a folder"));
    let only = std::env::var("TWOSTEP_CORPORA_ONLY").unwrap_or_default();
    let mut rows = Vec::new();
    for project in folders(&corpora) {
        for path in folders(&project) {
            let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
            let (project, engine) = (name(&project), name(&path));
            let Some(dialect) = Dialect::from_word(&engine) else { continue };
            if !format!("{project}/{engine}").contains(&only) {
                continue;
            }
            let files = tempfile::tempdir().unwrap();
            let pair = match dialect {
                Dialect::Postgres => postgres(),
                Dialect::Mysql => mariadb(),
                Dialect::Sqlite => Some(sqlite(files.path())),
            };
            let Some(pair) = pair else { continue };
            let row = row(&project, &path, dialect, &pair);
            eprintln!(
                "{project:18} {:11} {:15} {:5} {:6.1} s {:6.1} s  {}",
                row.engine, row.format, row.migrations, row.plain_s, row.ours_s, row.result
            );
            rows.push(row);
        }
    }
    if let Some(path) = std::env::var_os("TWOSTEP_CORPORA_TABLE") {
        fs::write(path, table(&rows)).unwrap();
    }
    assert!(!rows.is_empty(), "no project in {}", corpora.display());
    let wrong = rows.iter().filter(|row| !row.right).count();
    assert_eq!(wrong, 0, "{wrong} of {} are not as by the plain client", rows.len());
}
