//! A folder with a migration, a database to deploy it on, and the proof of its plan there: expand → back → expand →
//! contract → back → contract.

use super::Case;
use crate::twostep::{Outcome, Project, Run};

/// A database that a plan is proved on.
pub trait Ground {
    /// Its URL.
    fn url(&self) -> String;

    /// Its server's version, as `--server-version` takes it.
    fn version(&self) -> String;

    /// What `sql` gives: a line per row.
    fn try_sql(&self, sql: &str) -> Result<String, String>;

    /// Whether it is one of a server, beside which others can be made.
    fn is_on_a_server(&self) -> bool;

    /// The rows of all tables, in an order that does not depend on where they lie, to be compared with those of the plain
    /// migration.
    fn rows(&self) -> Option<String> {
        None
    }

    /// Whether the queries before the contract are sent again behind its way back.
    fn asks_twice(&self) -> bool {
        false
    }
}

/// A folder with a schema and a migration, and a database with the schema and rows.
pub struct Deployment<G> {
    pub project: Project,
    pub database: G,
}

impl<G: Ground> Deployment<G> {
    /// On the database that `fresh` makes, perhaps among the files of the project.
    pub fn start(case: &Case<'_>, fresh: impl FnOnce(&Project) -> G) -> Self {
        let project = Project::with_migrations(&[
            ("20260101000000_schema.up.sql", case.schema),
            ("20260101000000_schema.down.sql", "select 1;"),
        ]);
        let database = fresh(&project);
        let deployment = Self { project, database };
        deployment.twostep(&["migrate"]).expect(0);
        if !case.rows.is_empty() {
            deployment.sql(case.rows);
        }
        let down = if case.plain_down.is_empty() { "select 1;" } else { case.plain_down };
        deployment.project.write_migrations(&[
            ("20260201000000_change.up.sql", case.plain),
            ("20260201000000_change.down.sql", down),
        ]);
        deployment
    }

    /// The command, on the database.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.project.on(&self.database.url(), arguments)
    }

    /// What comes of it.
    pub fn twostep(&self, arguments: &[&str]) -> Outcome {
        self.run(arguments).run()
    }

    /// What `sql` gives; an error is the test's.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.database.try_sql(sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
    }

    /// Plans the migration, and writes the plan.
    pub fn plan(&self, case: &Case<'_>) -> String {
        let version = self.database.version();
        let mut arguments = vec!["plan", "20260201000000", "--write", "--server-version", &version];
        if let Some(fill) = case.fill {
            arguments.extend(["--fill", fill]);
        }
        self.twostep(&arguments).expect(0).stdout
    }

    /// Proves the written plan with `plan --verify`: what that says.
    #[track_caller]
    pub fn verified(&self) -> String {
        let version = self.database.version();
        let mut arguments = vec!["plan", "--verify", "--server-version", &version];
        if self.database.is_on_a_server() {
            arguments.push("--scratch-on-same-server");
        }
        let outcome = self.twostep(&arguments);
        assert_eq!(outcome.code(), 0, "{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// The files of the plan.
    pub fn files(&self) -> Vec<String> {
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
    pub fn catalog(&self) -> String {
        self.twostep(&["db", "dump"]).expect(0).stdout
    }

    #[track_caller]
    fn holds(&self, answers: &[(&str, &str)], when: &str, shown: &str) {
        for (query, answer) in answers {
            match self.database.try_sql(query) {
                Ok(found) => assert_eq!(found, *answer, "{when}: {query}\n{shown}"),
                Err(error) => panic!("{when}: {query}\n{error}\n{shown}"),
            }
        }
    }

    #[track_caller]
    fn does(&self, arguments: &[&str], shown: &str) {
        let outcome = self.twostep(arguments);
        assert_eq!(outcome.code(), 0, "{arguments:?}: {}\n{shown}", outcome.stderr);
    }

    /// What lint says of the planned files.
    #[track_caller]
    fn is_clean(&self, shown: &str) {
        let version = format!("--server-version={}", self.database.version());
        let mut lint = vec!["lint".to_owned(), "--fail-on=warning".to_owned(), version];
        lint.extend(self.files());
        let judged = self.twostep(&lint.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(judged.code(), 0, "what lint says of the plan:\n{}\n{shown}", judged.stdout);
    }
}

/// What there has to be in the end.
pub struct Wanted {
    /// The catalog.
    pub catalog: String,
    /// The rows, where they are compared.
    pub rows: Option<String>,
}

/// Proves a plan against its plain migration. `fresh` gives deployments on new databases.
#[track_caller]
pub fn check<G: Ground>(fresh: &dyn Fn(&Case<'_>) -> Deployment<G>, case: &Case<'_>) {
    let plain = fresh(case);
    plain.twostep(&["migrate"]).expect(0);
    let rows = if case.between.is_empty() { plain.database.rows() } else { None };
    proved(fresh, case, &Wanted { catalog: plain.catalog(), rows });
}

/// Proves a plan: it ends with what is `wanted`, and each step can be taken back.
#[track_caller]
pub fn proved<G: Ground>(fresh: &dyn Fn(&Case<'_>) -> Deployment<G>, case: &Case<'_>, wanted: &Wanted) {
    let planned = fresh(case);
    let before = planned.catalog();
    let shown = format!("{}\n{}", planned.database.version(), planned.plan(case));
    // A file has one writer, for whom the others wait.
    assert!(
        !planned.database.is_on_a_server() || !shown.contains("writes, while"),
        "a lock is held for as long as there are rows:\n{shown}"
    );
    planned.is_clean(&shown);
    // Files are proved within a second or two each; of servers the variable asks for it.
    if std::env::var_os("TWOSTEP_VERIFY").is_some() || !planned.database.is_on_a_server() {
        planned.verified();
    }
    let same = |one: &str, other: &str, what: &str, case: &Case<'_>| {
        assert_same(&comparable(one, case), &comparable(other, case), &format!("{what}\n{shown}"));
    };
    planned.does(&["migrate"], &shown);
    let expanded = planned.catalog();
    if planned.project.path("migrations/20260201000000_change_contract.up.sql").exists() {
        assert_same(&before, &expanded, "a contract alone is held");
    } else {
        planned.does(&["rollback", "--run", "2"], &shown);
        same(&before, &planned.catalog(), "the way back from the first step", case);
        planned.does(&["migrate"], &shown);
        assert_same(&expanded, &planned.catalog(), "the first step, a second time");
    }
    if case.single {
        planned.holds(case.after, "at the end", &shown);
        same(&wanted.catalog, &planned.catalog(), "the plain migration and the plan", case);
        return;
    }
    planned.holds(case.between, "before the contract", &shown);
    planned.does(&["migrate", "--contract", "a test"], &shown);
    same(&wanted.catalog, &planned.catalog(), "the plain migration and the plan", case);
    if let Some(rows) = &wanted.rows {
        let found = planned.database.rows().expect("there are rows where there were some");
        assert_same(rows, &found, "rows of the plain migration and of the plan");
    }
    planned.holds(case.after, "behind the contract", &shown);
    if case.one_way {
        return;
    }
    planned.does(&["rollback", "--steps", "1"], &shown);
    let copies = Case { moves_columns: case.moves_columns || case.moves_copies, ..*case };
    same(&expanded, &planned.catalog(), "the way back from the contract", &copies);
    if planned.database.asks_twice() {
        planned.holds(case.between, "after the way back", &shown);
    }
    planned.does(&["migrate", "--contract"], &shown);
    same(&wanted.catalog, &planned.catalog(), "the contract, a second time", case);
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
