//! What plans are proved on beside PostgreSQL: MariaDB, MySQL where `TWOSTEP_MYSQL_URL` names servers, and SQLite.

use super::{Case, assert_same, comparable};
use crate::servers::{self, mariadb};
use crate::twostep::{Outcome, Project, Run};

/// A database.
pub struct Place {
    url: String,
    /// What a server's client is called with; none for a file of SQLite.
    client: Vec<String>,
    /// The version, as `--server-version` takes it.
    pub version: String,
    /// A database on a server, which is dropped in the end.
    database: Option<String>,
}

impl Place {
    /// A new database on the server of `url`.
    fn on_server(url: &str, user: &str, password: &str, address: &str) -> Place {
        let (host, port) = address.split_once(':').unwrap_or((address, "3306"));
        let mut client: Vec<String> = [
            "--no-defaults",
            "--protocol=tcp",
            "--batch",
            "--skip-column-names",
            "--init-command=set names utf8mb4",
        ]
        .map(str::to_owned)
        .to_vec();
        client.push(format!("--host={host}"));
        client.push(format!("--port={port}"));
        client.push(format!("--user={user}"));
        client.push(format!("--password={}", decoded(password)));
        let name = servers::fresh_name();
        let mut place = Place { url: url.to_owned(), client, version: String::new(), database: None };
        place.sql(&format!("create database {name}"));
        place.version = place.sql("select version()");
        place.url = format!("{}/{name}", url.trim_end_matches('/'));
        place.database = Some(name);
        place
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What `sql` gives: a line per row.
    pub fn try_sql(&self, sql: &str) -> Result<String, String> {
        let outcome = match self.url.strip_prefix("sqlite:") {
            Some(path) => Run::new(
                "sqlite3",
                std::path::Path::new("/"),
                &["-bail", "-separator", "\t", "-cmd", ".timeout 5000", path, sql],
            )
            .run(),
            None => {
                let mut arguments: Vec<&str> = self.client.iter().map(String::as_str).collect();
                let execute = format!("--execute={sql}");
                arguments.push(&execute);
                arguments.extend(self.database.as_deref());
                Run::new("mariadb", std::path::Path::new("/"), &arguments).run()
            }
        };
        let text = |text: &str| text.trim_end_matches('\n').to_owned();
        if outcome.code() == 0 { Ok(text(&outcome.stdout)) } else { Err(text(&outcome.stderr)) }
    }

    /// The same; an error is the test's.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(name) = self.database.clone() {
            self.try_sql(&format!("drop database if exists {name}")).ok();
        }
    }
}

/// A part of a URL without its escapes.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let code = u8::from_str_radix(&part[..2], 16).expect("an escape of a URL");
        out.push(char::from(code));
        out.push_str(&part[2..]);
    }
    out
}

/// The servers that speak MySQL: MariaDB, and those that `TWOSTEP_MYSQL_URL` names.
pub fn each_mysql(test: impl Fn(&dyn Fn() -> Place)) {
    let Some(server) = mariadb() else { return };
    let mut urls = vec![server.url("").trim_end_matches('/').to_owned()];
    let further = std::env::var("TWOSTEP_MYSQL_URL").unwrap_or_default();
    urls.extend(further.split_whitespace().map(str::to_owned));
    for url in urls {
        let rest = url.trim_start_matches("mysql://").trim_end_matches('/');
        let (login, address) = rest.rsplit_once('@').expect("a URL with a user");
        let address = address.split('/').next().unwrap_or(address);
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        test(&|| Place::on_server(&format!("mysql://{rest}"), user, password, address));
    }
}

/// A folder with migrations, and a database with the first of them and rows.
pub struct Deployment {
    pub project: Project,
    pub place: Place,
}

impl Deployment {
    /// On a database of a server, or on a file of SQLite.
    pub fn new(place: Option<Place>, case: &Case<'_>) -> Deployment {
        let project = Project::with_migrations(&[
            ("20260101000000_schema.up.sql", case.schema),
            ("20260101000000_schema.down.sql", "select 1;"),
        ]);
        let place = place.unwrap_or_else(|| Place {
            url: format!("sqlite:{}", project.path("db.sqlite").display()),
            client: Vec::new(),
            version: "3.46".to_owned(),
            database: None,
        });
        let deployment = Deployment { project, place };
        deployment.twostep(&["migrate"]).expect(0);
        if !case.rows.is_empty() {
            deployment.place.sql(case.rows);
        }
        let down = if case.plain_down.is_empty() { "select 1;" } else { case.plain_down };
        deployment.project.write_migrations(&[
            ("20260201000000_change.up.sql", case.plain),
            ("20260201000000_change.down.sql", down),
        ]);
        deployment
    }

    pub fn twostep(&self, arguments: &[&str]) -> Outcome {
        self.run(arguments).run()
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.project.on(&self.place.url, arguments)
    }

    /// Plans the migration, and writes the plan.
    pub fn plan(&self, case: &Case<'_>) -> String {
        let mut arguments =
            vec!["plan", "20260201000000", "--write", "--server-version", &self.place.version];
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
    pub fn catalog(&self) -> String {
        self.twostep(&["db", "dump"]).expect(0).stdout
    }

    fn holds(&self, answers: &[(&str, &str)], when: &str, shown: &str) {
        for (query, answer) in answers {
            match self.place.try_sql(query) {
                Ok(found) => assert_eq!(found, *answer, "{when}: {query}\n{shown}"),
                Err(error) => panic!("{when}: {query}\n{error}\n{shown}"),
            }
        }
    }
}

/// Proves a plan: expand → back → expand → contract → back → contract. `fresh` gives new databases of one kind.
#[track_caller]
pub fn check(fresh: &dyn Fn() -> Option<Place>, case: &Case<'_>) {
    let plain = Deployment::new(fresh(), case);
    plain.twostep(&["migrate"]).expect(0);
    proved(fresh, case, &plain.catalog());
}

/// The same of a migration that its engine refuses: in the end there is what `expected` makes.
#[track_caller]
pub fn check_against(fresh: &dyn Fn() -> Option<Place>, case: &Case<'_>, expected: &str) {
    let plain = Deployment::new(fresh(), &Case { schema: expected, rows: "", ..*case });
    proved(fresh, case, &plain.catalog());
}

#[track_caller]
fn proved(fresh: &dyn Fn() -> Option<Place>, case: &Case<'_>, wanted: &str) {
    let planned = Deployment::new(fresh(), case);
    let before = planned.catalog();
    let shown = format!("{}\n{}", planned.place.version, planned.plan(case));
    let only_contract = planned.project.path("migrations/20260201000000_change_contract.up.sql").exists();
    let mut lint = vec![
        "lint".to_owned(),
        "--fail-on=warning".to_owned(),
        format!("--server-version={}", planned.place.version),
    ];
    lint.extend(planned.files());
    let judged = planned.twostep(&lint.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(judged.code(), 0, "what lint says of the plan:\n{}\n{shown}", judged.stdout);
    let migrated = planned.twostep(&["migrate"]);
    assert_eq!(migrated.code(), 0, "{}\n{shown}", migrated.stderr);
    let expanded = planned.catalog();
    if only_contract {
        assert_same(&before, &expanded, "a contract alone is held");
    } else {
        let back = planned.twostep(&["rollback", "--run", "2"]);
        assert_eq!(back.code(), 0, "{}\n{shown}", back.stderr);
        let (one, other) = (comparable(&before, case), comparable(&planned.catalog(), case));
        assert_same(&one, &other, &format!("the way back from the first step\n{shown}"));
        planned.twostep(&["migrate"]).expect(0);
        assert_same(&expanded, &planned.catalog(), "the first step, a second time");
    }
    if case.single {
        planned.holds(case.after, "at the end", &shown);
        let (one, other) = (comparable(wanted, case), comparable(&planned.catalog(), case));
        assert_same(&one, &other, &format!("the plain migration and the plan\n{shown}"));
        return;
    }
    planned.holds(case.between, "before the contract", &shown);
    let contracted = planned.twostep(&["migrate", "--contract", "a test"]);
    assert_eq!(contracted.code(), 0, "{}\n{shown}", contracted.stderr);
    let (one, other) = (comparable(wanted, case), comparable(&planned.catalog(), case));
    assert_same(&one, &other, &format!("the plain migration and the plan\n{shown}"));
    planned.holds(case.after, "behind the contract", &shown);
    if case.one_way {
        return;
    }
    let back = planned.twostep(&["rollback", "--steps", "1"]);
    assert_eq!(back.code(), 0, "{}\n{shown}", back.stderr);
    let copies = Case { moves_columns: case.moves_columns || case.moves_copies, ..*case };
    let (one, other) = (comparable(&expanded, &copies), comparable(&planned.catalog(), &copies));
    assert_same(&one, &other, &format!("the way back from the contract\n{shown}"));
    planned.holds(case.between, "after the way back", &shown);
    planned.twostep(&["migrate", "--contract"]).expect(0);
    let (one, other) = (comparable(wanted, case), comparable(&planned.catalog(), case));
    assert_same(&one, &other, &format!("the contract, a second time\n{shown}"));
}
