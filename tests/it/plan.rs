//! Plans, proved on a real server: what a deploy leaves is what the plain migration leaves, each step can be taken back,
//! and old and new code work in between.

mod backfill;
mod backfill_others;
mod combined;
mod corpora;
mod formats;
mod gate;
mod identities;
mod load;
mod mysql;
mod operations;
mod others;
mod partitions;
mod refused;
mod sqlite;
mod traps;
mod verify;

use crate::servers;
use crate::servers::postgres::Database;
use crate::twostep::Project;

/// A migration, and the code around it.
#[derive(Debug, Clone, Copy, Default)]
struct Case<'a> {
    /// What there is before.
    schema: &'a str,
    /// Rows that are there before.
    rows: &'a str,
    /// The plain migration.
    plain: &'a str,
    /// Its down, where the plan uses it.
    plain_down: &'a str,
    /// `--fill`.
    fill: Option<&'a str>,
    /// Queries and their answers from the end of the backfill on, before the contract: of old and of new code.
    between: &'a [(&'a str, &'a str)],
    /// The same behind the contract.
    after: &'a [(&'a str, &'a str)],
    /// Whether columns may stand in another order at the end.
    moves_columns: bool,
    /// Whether the copies of the first step may stand in another order after the contract was taken back.
    moves_copies: bool,
    /// Whether the plan is one migration, without a contract.
    single: bool,
    /// What the plain migration leaves in place of what the plan does: documented differences of the catalog, as words
    /// of lines that are left out.
    differs: &'a [&'a str],
    /// Whether the contract takes away rows or labels, so that its way back does not lead to the same.
    one_way: bool,
}

/// A folder with the schema and a migration, and a database with the schema and rows.
struct Deployment<'s> {
    project: Project,
    database: Database<'s>,
}

impl<'s> Deployment<'s> {
    fn new(server: &'s servers::Postgres, case: &Case<'_>) -> Self {
        let project = Project::with_migrations(&[
            ("20260101000000_schema.up.sql", case.schema),
            ("20260101000000_schema.down.sql", "select 1;"),
        ]);
        let database = server.fresh_database();
        let deployment = Self { project, database };
        deployment.twostep(&["migrate"]).expect(0);
        if !case.rows.is_empty() {
            deployment.database.psql(case.rows);
        }
        let down = if case.plain_down.is_empty() { "select 1;" } else { case.plain_down };
        deployment.project.write_migrations(&[
            ("20260201000000_change.up.sql", case.plain),
            ("20260201000000_change.down.sql", down),
        ]);
        deployment
    }

    fn twostep(&self, arguments: &[&str]) -> crate::twostep::Outcome {
        self.project.on(&self.database.url(), arguments).run()
    }

    /// Plans the migration, and writes the plan.
    fn plan(&self, case: &Case<'_>) -> String {
        let version = self.database.psql("select current_setting('server_version_num')::int / 10000");
        let mut arguments = vec!["plan", "20260201000000", "--write", "--server-version", &version];
        if let Some(fill) = case.fill {
            arguments.extend(["--fill", fill]);
        }
        self.twostep(&arguments).expect(0).stdout
    }

    /// The files of the plan.
    fn files(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.project.path("migrations")).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let mut files: Vec<String> = names
            .filter(|name| name.starts_with("202602"))
            .map(|name| format!("migrations/{name}"))
            .collect();
        files.sort_unstable();
        files
    }

    /// The catalog, without the tables of the history.
    fn catalog(&self) -> String {
        self.twostep(&["db", "dump"]).expect(0).stdout
    }

    fn holds(&self, answers: &[(&str, &str)], when: &str) {
        for (query, answer) in answers {
            match self.database.try_psql(query) {
                Ok(found) => assert_eq!(found, *answer, "{when}: {query}"),
                Err(error) => panic!("{when}: {query}\n{error}"),
            }
        }
    }
}

/// The lines that two catalogs are compared by.
fn comparable(catalog: &str, case: &Case<'_>) -> String {
    let kept = catalog.lines().filter(|line| !case.differs.iter().any(|word| line.contains(word)));
    let mut lines: Vec<&str> = kept.collect();
    if case.moves_columns {
        lines.sort_unstable();
    }
    lines.join("\n")
}

#[track_caller]
fn assert_same(one: &str, other: &str, what: &str) {
    let diff = similar::TextDiff::from_lines(one, other);
    assert!(one == other, "{what}:\n{}", diff.unified_diff().context_radius(2));
}

/// The rows of all tables, in an order that does not depend on where they lie.
fn rows(database: &Database<'_>) -> String {
    let tables = database.psql(
        "select format('select %L, to_jsonb(t) from %s t', c.oid::regclass, c.oid::regclass) from pg_class c \
         join pg_namespace n on n.oid = relnamespace where relkind = 'r' and nspname not in \
         ('twostep', 'pg_catalog', 'information_schema') order by 1",
    );
    let mut rows: Vec<String> = tables
        .lines()
        .flat_map(|query| database.psql(query).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    rows.sort_unstable();
    rows.join("\n")
}

/// Proves a plan: expand → back → expand → contract → back → contract.
#[track_caller]
fn check(case: &Case<'_>) {
    let Some(server) = servers::postgres() else { return };
    let plain = Deployment::new(server, case);
    plain.twostep(&["migrate"]).expect(0);

    let planned = Deployment::new(server, case);
    let before = planned.catalog();
    let shown = planned.plan(case);
    let only_contract = planned.project.path("migrations/20260201000000_change_contract.up.sql").exists();
    assert!(!shown.contains("writes, while"), "a lock is held for as long as there are rows:\n{shown}");
    let version = planned.database.psql("select current_setting('server_version_num')::int / 10000");
    let mut lint =
        vec!["lint".to_owned(), "--fail-on=warning".to_owned(), format!("--server-version={version}")];
    lint.extend(planned.files());
    let judged = planned.twostep(&lint.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(judged.code(), 0, "what lint says of the plan:\n{}\n{shown}", judged.stdout);
    planned.twostep(&["migrate"]).expect(0);
    let expanded = planned.catalog();
    if only_contract {
        assert_same(&before, &expanded, "a contract alone is held");
    } else {
        planned.twostep(&["rollback", "--run", "2"]).expect(0);
        let (one, other) = (comparable(&before, case), comparable(&planned.catalog(), case));
        assert_same(&one, &other, &format!("the way back from the first step\n{shown}"));
        planned.twostep(&["migrate"]).expect(0);
        assert_same(&expanded, &planned.catalog(), "the first step, a second time");
    }
    if case.single {
        planned.holds(case.after, "at the end");
        let (one, other) = (comparable(&plain.catalog(), case), comparable(&planned.catalog(), case));
        assert_same(&one, &other, &format!("the plain migration and the plan\n{shown}"));
        return;
    }
    planned.holds(case.between, "before the contract");
    planned.twostep(&["migrate", "--contract", "a test"]).expect(0);
    let (one, other) = (comparable(&plain.catalog(), case), comparable(&planned.catalog(), case));
    assert_same(&one, &other, &format!("the plain migration and the plan\n{shown}"));
    if case.between.is_empty() {
        assert_same(
            &rows(&plain.database),
            &rows(&planned.database),
            "rows of the plain migration and of the plan",
        );
    }
    planned.holds(case.after, "behind the contract");
    if case.one_way {
        return;
    }
    planned.twostep(&["rollback", "--steps", "1"]).expect(0);
    let copies = Case { moves_columns: case.moves_columns || case.moves_copies, ..*case };
    let (one, other) = (comparable(&expanded, &copies), comparable(&planned.catalog(), &copies));
    assert_same(&one, &other, "the way back from the contract");
    planned.twostep(&["migrate", "--contract"]).expect(0);
    let (one, other) = (comparable(&plain.catalog(), case), comparable(&planned.catalog(), case));
    assert_same(&one, &other, "the contract, a second time");
}
