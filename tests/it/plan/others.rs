//! What plans are proved on beside PostgreSQL: MariaDB, MySQL where `TWOSTEP_MYSQL_URL` names servers, and SQLite.

use super::Case;
use super::deployment::{self, Ground, Wanted};
use crate::servers::{self, mariadb};
use crate::twostep::Run;

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

    /// A new database on the server of the tests.
    pub fn on_mariadb(server: &servers::MariaDb) -> Place {
        on_url(server.url("").trim_end_matches('/'))
    }

    /// The name of its database; none for a file.
    pub fn name(&self) -> Option<&str> {
        self.database.as_deref()
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
        test(&|| on_url(&url));
    }
}

/// A new database on the server of a URL.
fn on_url(url: &str) -> Place {
    let rest = url.trim_start_matches("mysql://").trim_end_matches('/');
    let (login, address) = rest.rsplit_once('@').expect("a URL with a user");
    let address = address.split('/').next().unwrap_or(address);
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    Place::on_server(&format!("mysql://{rest}"), user, password, address)
}

impl Ground for Place {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn try_sql(&self, sql: &str) -> Result<String, String> {
        Place::try_sql(self, sql)
    }

    fn is_on_a_server(&self) -> bool {
        self.database.is_some()
    }

    fn asks_twice(&self) -> bool {
        true
    }
}

/// A deployment on one of them.
pub type Deployment = deployment::Deployment<Place>;

impl Deployment {
    /// On a database of a server, or on a file of SQLite.
    pub fn new(place: Option<Place>, case: &Case<'_>) -> Deployment {
        Self::start(case, |project| {
            place.unwrap_or_else(|| Place {
                url: format!("sqlite:{}", project.path("db.sqlite").display()),
                client: Vec::new(),
                version: "3.46".to_owned(),
                database: None,
            })
        })
    }
}

/// Proves a plan. `fresh` gives new databases of one kind.
#[track_caller]
pub fn check(fresh: &dyn Fn() -> Option<Place>, case: &Case<'_>) {
    deployment::check(&|case| Deployment::new(fresh(), case), case);
}

/// The same of a migration that its engine refuses: in the end there is what `expected` makes.
#[track_caller]
pub fn check_against(fresh: &dyn Fn() -> Option<Place>, case: &Case<'_>, expected: &str) {
    let plain = Deployment::new(fresh(), &Case { schema: expected, rows: "", ..*case });
    let wanted = Wanted { catalog: plain.catalog(), rows: None };
    deployment::proved(&|case| Deployment::new(fresh(), case), case, &wanted);
}
