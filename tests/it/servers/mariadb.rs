//! MariaDB: one server for all tests, a database for each. `TWOSTEP_MYSQL_PORT` names another server to be asked
//! instead, MySQL or MariaDB, as `scripts/matrix` does.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::supervisor::{Supervisor, on_free_port, restarting};
use super::{PASSWORD, clean_command, find_program, fresh_name, required, run_client, url};

/// Nothing here outlives the process, so nothing waits for a disk.
const SETTINGS: &str = "
[mariadbd]
bind-address = 127.0.0.1
character-set-server = utf8mb4
innodb-buffer-pool-size = 64M
innodb-doublewrite = 0
innodb-flush-log-at-trx-commit = 0
innodb-log-file-size = 32M
max-connections = 400
skip-name-resolve
sync-frm = 0
";

/// The administrator.
const ADMIN: &str = "admin";

/// A running MariaDB.
pub struct MariaDb {
    /// None where somebody else has started it.
    supervisor: Option<Supervisor>,
    port: u16,
}

/// The server that all tests share. It takes passwords over TCP.
pub fn mariadb() -> Option<&'static MariaDb> {
    static SERVER: OnceLock<Option<MariaDb>> = OnceLock::new();
    required("MariaDB", SERVER.get_or_init(|| MariaDb::given().or_else(|| MariaDb::start(""))).as_ref())
}

impl MariaDb {
    /// The server on this machine that the caller has made ready, with our administrator.
    fn given() -> Option<MariaDb> {
        let port = std::env::var("TWOSTEP_MYSQL_PORT").ok()?;
        Some(MariaDb { supervisor: None, port: port.parse().expect("TWOSTEP_MYSQL_PORT is a port") })
    }

    /// Whether it is MySQL, which lacks some of what MariaDB has.
    pub fn is_mysql(&self) -> bool {
        !self.mysql("", "select version()").contains("MariaDB")
    }

    /// Starts a server of the test's own, with lines of its option file added. None where its programs are missing.
    pub fn start(settings: &str) -> Option<MariaDb> {
        MariaDb::start_as(settings, false)
    }

    /// The same, and where it `restarts`, it is started again whenever it ends, see [`MariaDb::crash`].
    pub fn start_as(settings: &str, restarts: bool) -> Option<MariaDb> {
        let [daemon, install] = ["mariadbd", "mariadb-install-db"].map(|program| find_program(program, &[]));
        let (daemon, install, _) = (daemon?, install?, client()?);
        Some(on_free_port(|port| {
            let mut supervisor = Supervisor::new("mariadb", if restarts { "TERM" } else { "KILL" });
            let folder = supervisor.folder().display().to_string();
            let own = format!(
                "port = {port}\ndatadir = {folder}/data\ntmpdir = {folder}\nsocket = {folder}/socket\n\
                 pid-file = {folder}/mariadbd.pid\ninit-file = {folder}/users.sql\n{settings}\n"
            );
            supervisor.write("ours.cnf", &format!("{SETTINGS}{own}"), 0o644);
            let users = format!(
                "create user '{0}'@'%' identified by '{1}';\ngrant all on *.* to '{0}'@'%' with grant option;\n",
                ADMIN, PASSWORD
            );
            supervisor.write("users.sql", &users, 0o600);
            let prepare = format!(
                "{} --no-defaults --datadir=\"$PWD/data\" --tmpdir=\"$PWD\" --auth-root-authentication-method=normal --skip-test-db {}\n",
                install.display(),
                made_with(settings)
            );
            let serve = format!("{} --defaults-file=\"$PWD/ours.cnf\"", daemon.display());
            let serve = if restarts { restarting(&serve, "TERM") } else { format!("exec {serve}\n") };
            supervisor.start(&prepare, &serve);
            let mut server = MariaDb { supervisor: None, port };
            supervisor.wait_ready(|| server.try_mysql("", "select 1").is_ok())?;
            server.supervisor = Some(supervisor);
            Ok(server)
        }))
    }

    /// Kills it, and waits until it has ended; it was started to come up again.
    pub fn crash(&self) {
        self.supervisor.as_ref().expect("it is ours").signal_server("KILL");
    }

    /// The port on localhost.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        self.supervisor.as_ref().map_or_else(String::new, Supervisor::log)
    }

    /// A database's URL as the administrator.
    pub fn url(&self, database: &str) -> String {
        self.url_as(ADMIN, PASSWORD, database)
    }

    /// A database's URL as some user.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        url("mysql", user, password, self.port, database)
    }

    /// Makes an empty database that nobody else uses. It is dropped with the value.
    pub fn fresh_database(&self) -> Database<'_> {
        let name = fresh_name();
        // A server that was given may have it from a run before.
        self.mysql("", &format!("drop database if exists {name}; create database {name}"));
        Database { server: self, name }
    }

    /// One of the server's clients, which connects as the administrator.
    pub fn client(&self, program: &str) -> Command {
        let mut command =
            clean_command(&find_program(program, &[]).expect("the server was not started without"));
        command.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"]);
        command
            .args([&format!("--port={}", self.port), &format!("--user={ADMIN}")])
            .env("MYSQL_PWD", PASSWORD);
        command
    }

    /// What the client prints for `sql` as the administrator: a line per row, columns parted by tabs. Panics on an
    /// error. No database is used where `database` is empty.
    pub fn mysql(&self, database: &str, sql: &str) -> String {
        self.try_mysql(database, sql).unwrap_or_else(|error| panic!("mariadb: {error}\nin: {sql}"))
    }

    /// The same, with the client's complaint as the error.
    pub fn try_mysql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut command = self.client("mariadb");
        command.args(["--batch", "--skip-column-names"]);
        run_client(command.arg(format!("--execute={sql}")).arg(database))
    }
}

/// A database of one test, on a shared server.
pub struct Database<'s> {
    server: &'s MariaDb,
    /// Unquoted it is a plain identifier.
    pub name: String,
}

impl Database<'_> {
    /// Its URL as the administrator.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// See [`MariaDb::mysql`].
    pub fn mysql(&self, sql: &str) -> String {
        self.server.mysql(&self.name, sql)
    }

    /// See [`MariaDb::try_mysql`].
    pub fn try_mysql(&self, sql: &str) -> Result<String, String> {
        self.server.try_mysql(&self.name, sql)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // It goes with the server at the latest, so a failure is no reason to fail a test.
        self.server.try_mysql("", &format!("drop database if exists {}", self.name)).ok();
    }
}

/// The options of the storage engine, which its files have to be made with.
fn made_with(settings: &str) -> String {
    let options = settings.lines().filter(|line| line.starts_with("innodb-undo"));
    options.map(|line| format!("--{}", line.replace(' ', ""))).collect::<Vec<_>>().join(" ")
}

fn client() -> Option<PathBuf> {
    find_program("mariadb", &[])
}
