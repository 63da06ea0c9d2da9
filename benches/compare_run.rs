//! Applying 1,000 small migrations, and having nothing to do: beside other tools and one psql process.
//!
//! `cargo bench --bench compare-run` starts a PostgreSQL of its own, over TCP with a password, and runs every tool
//! that is on `PATH` (sqlx, dbmate, refinery) in turns, eleven times. What counts is the median of the ratios to the
//! psql of the same round, since machines are noisy; seconds are printed beside it.

#![allow(clippy::unwrap_used, reason = "a bench that cannot measure stops")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![allow(dead_code, unused_imports, reason = "the servers of the tests can do more than is needed here")]

/// The servers and the runs of the tests.
#[path = "../tests/it"]
mod it {
    pub mod servers;
    pub mod twostep;
    pub mod wait;
}

use it::twostep::{Project, Run};
use it::{servers, wait};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MIGRATIONS: usize = 1_000;
const ROUNDS: usize = 11;
/// How often each tool is run with nothing to do, in each round.
const IDLE_RUNS: usize = 5;

/// The statement of migration `number`.
fn statement(number: usize) -> String {
    let table = number / 4;
    match number % 4 {
        0 => format!("create table t{table} (id bigint primary key, name text not null)"),
        1 => format!("alter table t{table} add column created_at timestamptz not null default now()"),
        2 => format!("create index t{table}_name_idx on t{table} (name)"),
        _ => format!("insert into t{table} (id, name) values (1, 'one'), (2, 'two')"),
    }
}

/// One tool: its command line in a project, and the URL's parameters that it wants.
struct Tool {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    url_suffix: &'static str,
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn project() -> Project {
    let project = Project::new();
    let mut script =
        String::from("\\set ON_ERROR_STOP on\ncreate table history (version text primary key);\n");
    for number in 0..MIGRATIONS {
        let sql = statement(number);
        let version = number + 1;
        project.write(&format!("native/{version:04}_m.up.sql"), format!("{sql};\n"));
        project.write(&format!("sqlx/{version:04}_m.sql"), format!("{sql};\n"));
        project.write(
            &format!("dbmate/{version:04}_m.sql"),
            format!("-- migrate:up\n{sql};\n\n-- migrate:down\n"),
        );
        project.write(&format!("refinery/V{version}__m.sql"), format!("{sql};\n"));
        script.push_str(&format!("begin;\n{sql};\ninsert into history values ('{version:04}');\ncommit;\n"));
    }
    project.write("all.sql", script);
    project
}

fn tools(project: &Project) -> Vec<Tool> {
    let at = |folder: &str| project.path(folder).display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut tools = vec![
        Tool {
            name: "psql",
            program: on_path("psql").expect("psql is installed"),
            arguments: words(&["-qX", "-f", &at("all.sql")]),
            url_suffix: "",
        },
        Tool {
            name: "twostep",
            program: PathBuf::from(env!("CARGO_BIN_EXE_twostep")),
            arguments: words(&["migrate", "-q", "--migrations", &at("native")]),
            url_suffix: "",
        },
    ];
    let others = [
        ("sqlx", vec!["migrate", "run", "--source"], "sqlx", ""),
        ("dbmate", vec!["--no-dump-schema", "--migrations-dir"], "dbmate", "?sslmode=disable"),
        ("refinery", vec!["migrate", "-e", "DATABASE_URL", "-p"], "refinery", ""),
    ];
    for (name, arguments, folder, url_suffix) in others {
        if let Some(program) = on_path(name) {
            let mut arguments = words(&arguments);
            arguments.push(at(folder));
            if name == "dbmate" {
                arguments.push("migrate".to_owned());
            }
            tools.push(Tool { name, program, arguments, url_suffix });
        }
    }
    tools
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn run(tool: &Tool, project: &Project, url: &str) -> (Duration, u64) {
    let mut arguments: Vec<&str> = tool.arguments.iter().map(String::as_str).collect();
    if tool.name == "psql" {
        arguments.push(url);
    }
    let outcome = Run::new(&tool.program.display().to_string(), &project.path(""), &arguments)
        .env("DATABASE_URL", format!("{url}{}", tool.url_suffix))
        .run();
    assert_eq!(outcome.code(), 0, "{}: {}{}", tool.name, outcome.stdout, outcome.stderr);
    (outcome.elapsed, outcome.peak_memory_kib)
}

/// The same without looking at its memory, which is done every 5 ms: too coarse for a run of 15 ms.
fn timed(tool: &Tool, project: &Project, url: &str) -> Duration {
    let mut command = Command::new(&tool.program);
    command.args(&tool.arguments).current_dir(project.path("")).env_clear();
    command.env("HOME", project.path("")).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("DATABASE_URL", format!("{url}{}", tool.url_suffix));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    assert!(command.status().unwrap().success(), "{} failed", tool.name);
    started.elapsed()
}

fn main() {
    // `cargo test --benches` asks for a list; there is nothing to list.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let Some(server) = servers::postgres() else {
        eprintln!("PostgreSQL is not on this machine: see scripts/test");
        return;
    };
    let project = project();
    let tools = tools(&project);
    let mut apply: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut nothing: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut memory: BTreeMap<&str, u64> = BTreeMap::new();
    for round in 1..=ROUNDS {
        let mut databases = BTreeMap::new();
        for tool in &tools {
            let database = server.fresh_database();
            let (elapsed, peak) = run(tool, &project, &database.url());
            apply.entry(tool.name).or_default().push(elapsed.as_secs_f64());
            let most = memory.entry(tool.name).or_default();
            *most = peak.max(*most);
            if tool.name != "psql" {
                databases.insert(tool.name, database);
            }
        }
        // In turns among themselves, so that what the machine does besides meets each of them.
        for _ in 0..IDLE_RUNS {
            for tool in &tools {
                if let Some(database) = databases.get(tool.name) {
                    let elapsed = timed(tool, &project, &database.url());
                    nothing.entry(tool.name).or_default().push(elapsed.as_secs_f64());
                }
            }
        }
        eprintln!("round {round} of {ROUNDS}");
    }
    println!("{MIGRATIONS} migrations, {ROUNDS} rounds in turns, median of ratios");
    println!(
        "{:10} {:>9} {:>9} {:>12} {:>12} {:>9}",
        "tool", "apply s", "/ psql", "nothing s", "/ sqlx", "peak MB"
    );
    for tool in &tools {
        let times = &apply[tool.name];
        let ratio =
            |times: &[f64], base: &[f64]| median(times.iter().zip(base).map(|(a, b)| a / b).collect());
        let idle = nothing.get(tool.name);
        let over_sqlx =
            idle.zip(nothing.get("sqlx")).map(|(times, base)| format!("{:.2}", ratio(times, base)));
        println!(
            "{:10} {:>9.3} {:>9.2} {:>12} {:>12} {:>9.1}",
            tool.name,
            median(times.clone()),
            ratio(times, &apply["psql"]),
            idle.map_or_else(String::new, |times| format!("{:.4}", median(times.clone()))),
            over_sqlx.unwrap_or_default(),
            memory[tool.name] as f64 / 1024.0,
        );
    }
}
