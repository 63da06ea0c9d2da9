//! What plans and backfills are proved on beside PostgreSQL: MariaDB, MySQL where `TWOSTEP_MYSQL_URL` names servers, and SQLite.

use super::Case;
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
}
