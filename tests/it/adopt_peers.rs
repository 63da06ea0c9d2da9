//! The real tools that are on `PATH`: one of them runs half of a project, `adopt` and `migrate` do the rest, and the end
//! is that of the tool's whole run. `scripts/peers` installs what can be installed, and runs this.

use std::path::{Path, PathBuf};

use twostep::dialect::Dialect;
use twostep::files::read_migrations;
use twostep::source::{Kind, Migration, ReadOptions};

use crate::adopt_histories::{Base, HISTORIES, History};
use crate::adopt_tools::{DOWNS, UPS};
use crate::servers::tell;
use crate::twostep::{Outcome, Project, Run};

/// A tool as it is called.
struct Peer {
    /// As `adopt` calls it.
    tool: &'static str,
    program: &'static str,
    dialects: &'static [Dialect],
    /// What applies all migrations of a folder.
    arguments: fn(folder: &str, url: &str) -> Vec<String>,
}

const ALL: &[Dialect] = &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite];

const PEERS: &[Peer] = &[
    Peer {
        tool: "sqlx",
        program: "sqlx",
        dialects: ALL,
        arguments: |folder, url| {
            let url = if url.starts_with("sqlite:") { format!("{url}?mode=rwc") } else { url.to_owned() };
            words(&["migrate", "run", "--source", folder, "--database-url", &url])
        },
    },
    Peer {
        tool: "dbmate",
        program: "dbmate",
        dialects: ALL,
        arguments: |folder, url| {
            words(&["--migrations-dir", folder, "--url", &without_tls(url), "--no-dump-schema", "up"])
        },
    },
    Peer {
        tool: "refinery",
        program: "refinery",
        dialects: ALL,
        arguments: |folder, _| words(&["migrate", "-e", "DATABASE_URL", "-p", folder]),
    },
    // Their released builds speak other forms of URL for the other engines.
    Peer {
        tool: "goose",
        program: "goose",
        dialects: &[Dialect::Postgres],
        arguments: |folder, url| words(&["-dir", folder, "postgres", &without_tls(url), "up"]),
    },
    Peer {
        tool: "golang-migrate",
        program: "migrate",
        dialects: &[Dialect::Postgres],
        arguments: |folder, url| words(&["-path", folder, "-database", &without_tls(url), "up"]),
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Tools written in Go ask for TLS where nothing is said.
fn without_tls(url: &str) -> String {
    if url.starts_with("postgres") { format!("{url}?sslmode=disable") } else { url.to_owned() }
}

impl Peer {
    fn path(&self) -> Option<PathBuf> {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(self.program)).find(|path| path.is_file())
    }

    fn history(&self) -> &'static History {
        HISTORIES.iter().find(|history| history.tool == self.tool).expect("it is one of them")
    }

    /// Applies all migrations of `folder`.
    fn run(&self, project: &Project, folder: &str, base: &Base) -> Outcome {
        let program = self.path().expect("it was found before");
        if let Some(file) = base.url().strip_prefix("sqlite:") {
            // Not all of them make it.
            std::fs::OpenOptions::new().create(true).append(true).open(file).expect("the file can be made");
        }
        let folder = project.path(folder).display().to_string();
        let arguments = (self.arguments)(&folder, &base.url());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Run::new(&program.display().to_string(), &project.path("."), &arguments)
            .env("DATABASE_URL", base.url())
            .run()
    }
}

fn works(project: &Project, base: &Base, command: &[&str]) -> String {
    let outcome = project.on(&base.url(), command).run().expect(0);
    outcome.stdout + &outcome.stderr
}

/// Whether the end is the same. The whole run by the tool is the measure: where that fails there is none.
fn check(peer: &Peer, project: &Project, base: &Base) {
    let facts = peer.history().facts;
    let whole = base.another();
    peer.run(project, "migrations", &whole).expect(0);
    peer.run(project, "half", base).expect(0);

    project.on(&base.url(), &["migrate"]).run().expect(2);
    let said = works(project, base, &["adopt", "--mirror-history"]);
    assert!(said.contains("adopted from"), "{said}");
    works(project, base, &["migrate"]);
    works(project, &whole, &["adopt"]);
    assert_eq!(works(project, base, &["db", "dump"]), works(project, &whole, &["db", "dump"]));
    assert_eq!(base.sql(facts), whole.sql(facts), "{}: as the tool writes it", peer.tool);

    // The tool itself finds nothing to do, and changes nothing.
    let before = base.sql(facts);
    let again = peer.run(project, "migrations", base);
    // golang-migrate says so with an error on an older release.
    assert!(again.code() == 0 || again.stderr.contains("no change"), "{again:?}");
    assert_eq!(base.sql(facts), before);
}

/// The four migrations, in the peer's own form; `half` has the first two of them.
fn small_project(peer: &Peer, base: &Base) -> Project {
    let project = Project::new();
    for (number, ((name, up), down)) in UPS.iter().zip(DOWNS).enumerate() {
        for folder in if number < 2 { &["native", "native-half"][..] } else { &["native"] } {
            project.write(&format!("{folder}/{name}.up.sql"), up);
            if peer.tool != "refinery" {
                project.write(&format!("{folder}/{name}.down.sql"), down);
            }
        }
    }
    for (from, to) in [("native", "migrations"), ("native-half", "half")] {
        let export = ["export", "--migrations", from, "--to", peer.history().format, to];
        project.on(&base.url(), &export).run().expect(0);
    }
    project.write("twostep.toml", format!("source_format = \"{}\"\n", peer.history().format));
    project
}

fn bases() -> Vec<Base> {
    [Base::postgres(), Base::mariadb(), Some(Base::sqlite())].into_iter().flatten().collect()
}

#[test]
#[ignore = "needs the other tools; scripts/peers runs it"]
fn half_of_a_project_by_the_real_tool() {
    let mut checked = Vec::new();
    for peer in PEERS.iter().filter(|peer| peer.path().is_some()) {
        for base in bases().iter().filter(|base| peer.dialects.contains(&base.dialect())) {
            let project = small_project(peer, base);
            check(peer, &project, base);
            if peer.tool != "refinery" {
                // Back to the half, and the tool does the rest again.
                works(&project, base, &["rollback", "--steps", "2"]);
                peer.run(&project, "migrations", base).expect(0);
                let dump = works(&project, base, &["db", "dump"]);
                assert!(dump.contains("rooms"), "{dump}");
            }
            checked.push(format!("{} on {}", peer.tool, base.dialect()));
        }
    }
    tell(&format!("\nreal tools, four migrations: {}\n", checked.join(", ")));
    assert!(!checked.is_empty(), "none of the tools is on PATH");
}

/// Copies a folder of files.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::write(target, std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// The files of a migration, below its folder.
fn files(migration: &Migration) -> Vec<&str> {
    let mut files = vec![migration.up.path.as_str()];
    files.extend(migration.down.iter().map(|down| down.path.as_str()));
    files
}

#[test]
#[ignore = "needs the other tools and TWOSTEP_CORPORA; scripts/peers runs it"]
fn half_of_a_real_project_by_its_own_tool() {
    let corpora = PathBuf::from(std::env::var("TWOSTEP_CORPORA").expect("TWOSTEP_CORPORA names a folder"));
    let mut checked = 0;
    for path in folders(&corpora).iter().flat_map(|project| folders(project)) {
        let Some(dialect) = path.file_name().and_then(|name| name.to_str()).and_then(Dialect::from_word)
        else {
            continue;
        };
        let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
        let Ok(folder) = read_migrations(&path, None, &options) else { continue };
        let of_its_tool = |peer: &&Peer| {
            peer.history().format == folder.format
                && peer.path().is_some()
                && peer.dialects.contains(&dialect)
        };
        let Some(peer) = PEERS.iter().find(of_its_tool) else { continue };
        let base = match dialect {
            Dialect::Postgres => Base::postgres(),
            Dialect::Mysql => Base::mariadb(),
            Dialect::Sqlite => Some(Base::sqlite()),
        };
        let Some(base) = base else { continue };
        let project = Project::new();
        copy(&path, &project.path("migrations"));
        copy(&path, &project.path("half"));
        let versioned: Vec<&Migration> =
            folder.migrations.iter().filter(|migration| migration.kind == Kind::Versioned).collect();
        let kept: Vec<&str> =
            versioned[..versioned.len() / 2].iter().flat_map(|migration| files(migration)).collect();
        for file in versioned.iter().flat_map(|migration| files(migration)) {
            if !kept.contains(&file) {
                // Up and down may be one file.
                std::fs::remove_file(project.path(&format!("half/{file}"))).ok();
            }
        }
        let name =
            format!("{} on {dialect}, {} migrations", path.parent().unwrap().display(), versioned.len());
        // Roles are the whole server's: a project that makes them cannot be run twice on one.
        let trial = peer.run(&project, "migrations", &base.another());
        let second = peer.run(&project, "half", &base.another());
        if trial.code() != 0 || second.code() != 0 {
            let said = trial.stderr + &second.stderr;
            let last = said.trim_end().lines().last().unwrap_or_default();
            tell(&format!("\n{name}: {} cannot run it twice here: {last}\n", peer.tool));
            continue;
        }
        check(peer, &project, &base);
        tell(&format!("\n{name}: half by {}, the rest by twostep: equal\n", peer.tool));
        checked += 1;
    }
    assert!(checked > 0, "no project of {} is of a tool that is on PATH", corpora.display());
}
