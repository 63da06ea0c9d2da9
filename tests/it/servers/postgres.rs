//! PostgreSQL: one server for all tests, a database for each.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::supervisor::{Supervisor, on_free_port};
use super::{clean_command, find_program, required, run_client, test_name};

/// The superuser's name and password on every server here.
const ADMIN: (&str, &str) = ("postgres", "s3cret/of:the@tests");

/// Nothing here outlives the process, so nothing waits for a disk.
const SETTINGS: &str = "
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 400
shared_buffers = 64MB
listen_addresses = 'localhost'
log_line_prefix = '%m [%p] %q%a '
";

/// A running PostgreSQL.
pub struct Postgres {
    supervisor: Supervisor,
    programs: Programs,
    port: u16,
}

/// The server that all tests share. It takes passwords (SCRAM) over TCP, and has no TLS.
pub fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    required("PostgreSQL", SERVER.get_or_init(|| Postgres::start("")).as_ref())
}

impl Postgres {
    /// Starts a server of the test's own, with lines of `postgresql.conf` added. None where its programs are missing.
    pub fn start(settings: &str) -> Option<Postgres> {
        let programs = Programs::find()?;
        Some(on_free_port(|port| {
            let mut supervisor = Supervisor::new("postgres", "QUIT");
            let folder = supervisor.folder().display().to_string();
            let conf = format!("{SETTINGS}port = {port}\nunix_socket_directories = '{folder}'\n{settings}\n");
            supervisor.write("ours.conf", &conf, 0o644);
            supervisor.write("password", ADMIN.1, 0o600);
            supervisor.start(&programs.prepare(), &programs.serve());
            let server = Postgres { supervisor, programs: programs.clone(), port };
            server.supervisor.wait_ready(|| server.try_psql("postgres", "select 1").is_ok())?;
            Ok(server)
        }))
    }

    /// The folder of the server, with its log and its Unix socket.
    pub fn folder(&self) -> &Path {
        self.supervisor.folder()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        self.supervisor.log()
    }

    /// A database's URL as the superuser, with the password, which holds what has to be escaped in a URL.
    pub fn url(&self, database: &str) -> String {
        self.url_as(ADMIN.0, ADMIN.1, database)
    }

    /// A database's URL as some role.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        let mut url = url::Url::parse("postgres://127.0.0.1").expect("it is one");
        url.set_port(Some(self.port)).expect("it has a host");
        url.set_username(role).expect("it has a host");
        url.set_password(Some(password)).expect("it has a host");
        url.set_path(database);
        url.into()
    }

    /// The URL of the database `postgres` as the superuser.
    pub fn admin_url(&self) -> String {
        self.url("postgres")
    }

    /// Makes an empty database that nobody else uses. It is dropped with the value.
    pub fn fresh_database(&self) -> Database<'_> {
        let name = fresh_name();
        self.psql("postgres", &format!("create database {name} template template0"));
        Database { server: self, name }
    }

    /// A database name that nobody else uses, and no database: it is dropped with the value if there is one by then.
    pub fn fresh_database_name(&self) -> Database<'_> {
        Database { server: self, name: fresh_name() }
    }

    /// Makes a role that may log in, with further `attributes` (`createdb`), and gives its name and password.
    pub fn fresh_role(&self, attributes: &str) -> (String, String) {
        let name = fresh_name();
        self.psql("postgres", &format!("create role {name} login password 'of {name}' {attributes}"));
        (name.clone(), format!("of {name}"))
    }

    /// What psql prints for `sql` as the superuser: a line per row, columns parted by `|`. Panics on an error.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.try_psql(database, sql).unwrap_or_else(|error| panic!("psql: {error}\nin: {sql}"))
    }

    /// The same, with psql's complaint as the error.
    pub fn try_psql(&self, database: &str, sql: &str) -> Result<String, String> {
        run_client(self.client("psql", database).args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]))
    }

    /// A PostgreSQL client program (`psql`, `pg_dump`) that connects to `database` as the superuser.
    pub fn client(&self, program: &str, database: &str) -> std::process::Command {
        let mut command = clean_command(&self.programs.path(program));
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGDATABASE", database);
        command.env("PGUSER", ADMIN.0).env("PGPASSWORD", ADMIN.1).env("PGCONNECT_TIMEOUT", "20");
        command
    }
}

/// A database of one test, on a shared server.
pub struct Database<'s> {
    server: &'s Postgres,
    /// Unquoted it is a plain identifier.
    pub name: String,
}

impl Database<'_> {
    /// Its URL as the superuser.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// See [`Postgres::psql`].
    pub fn psql(&self, sql: &str) -> String {
        self.server.psql(&self.name, sql)
    }

    /// See [`Postgres::try_psql`].
    pub fn try_psql(&self, sql: &str) -> Result<String, String> {
        self.server.try_psql(&self.name, sql)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // It goes with the server at the latest, so a failure is no reason to fail a test.
        self.server.try_psql("postgres", &format!("drop database if exists {} with (force)", self.name)).ok();
    }
}

/// A name that is unique in this process and says which test it belongs to.
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let test = test_name().replace(|c: char| !c.is_ascii_lowercase(), "_");
    let test = &test[test.len().saturating_sub(40)..];
    format!("it_{}_{}", COUNT.fetch_add(1, Ordering::Relaxed), test)
}

/// Where the programs of one PostgreSQL version are.
#[derive(Clone)]
struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The newest that Debian's packages have put on this machine, else what is on `PATH`.
    fn find() -> Option<Programs> {
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
            })
            .collect();
        versions.sort();
        let folders: Vec<PathBuf> = versions.into_iter().rev().map(|(_, folder)| folder).collect();
        let initdb = find_program("initdb", &folders)?;
        Some(Programs { folder: initdb.parent()?.to_owned() })
    }

    fn path(&self, program: &str) -> PathBuf {
        find_program(program, std::slice::from_ref(&self.folder)).unwrap_or_else(|| panic!("no {program}"))
    }

    fn prepare(&self) -> String {
        format!(
            "{} -D data -U {} --pwfile=password --auth-local=trust --auth-host=scram-sha-256 \
             --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions\n\
             echo \"include '../ours.conf'\" >>data/postgresql.conf\n",
            self.path("initdb").display(),
            ADMIN.0
        )
    }

    fn serve(&self) -> String {
        format!("exec {} -D data\n", self.path("postgres").display())
    }
}
