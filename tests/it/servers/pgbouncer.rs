//! PgBouncer in front of the shared PostgreSQL: that of this machine, or the program that `TWOSTEP_PGBOUNCER` names
//! (`scripts/matrix`).

use std::path::PathBuf;
use std::sync::OnceLock;

use super::postgres::{ADMIN, Postgres, postgres};
use super::supervisor::{Supervisor, on_free_port};
use super::{PASSWORD, clean_command, find_program, required, url};

/// For how long a client keeps the server's session that it was given.
#[derive(Clone, Copy)]
pub enum PoolMode {
    /// Until it disconnects.
    Session,
    /// Until its transaction ends.
    Transaction,
    /// Until its statement ends.
    Statement,
}

/// A running PgBouncer.
pub struct PgBouncer {
    supervisor: Supervisor,
    server: &'static Postgres,
    port: u16,
}

/// The shared PgBouncer of this mode. It knows every database and role of [`postgres`].
pub fn pgbouncer(mode: PoolMode) -> Option<&'static PgBouncer> {
    static SERVERS: [OnceLock<Option<PgBouncer>>; 3] = [const { OnceLock::new() }; 3];
    let server = postgres()?;
    let pooler = SERVERS[mode as usize].get_or_init(|| PgBouncer::start(server, mode, ""));
    required("PgBouncer", pooler.as_ref())
}

impl PgBouncer {
    /// Starts one of the test's own, with lines of its settings added. None where its program is missing.
    pub fn start(server: &'static Postgres, mode: PoolMode, more: &str) -> Option<PgBouncer> {
        let program = program()?;
        Some(on_free_port(|port| {
            let mut supervisor = Supervisor::new("pgbouncer", "TERM");
            let settings = format!("{}{more}", settings(server.port(), port, mode));
            supervisor.write("pgbouncer.ini", &settings, 0o644);
            supervisor.write("users", &format!("\"{}\" \"{}\"\n", ADMIN, PASSWORD), 0o600);
            supervisor.start("", &format!("exec {} pgbouncer.ini\n", program.display()));
            let pooler = PgBouncer { supervisor, server, port };
            pooler.supervisor.wait_ready(|| pooler.try_psql("postgres", "select 1").is_ok())?;
            Ok(pooler)
        }))
    }

    /// The program's version, as it says it.
    pub fn version() -> Option<String> {
        let said = clean_command(&program()?).arg("--version").output().ok()?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        said.split_whitespace().nth(1).map(str::to_owned)
    }

    /// Whether the program knows `max_prepared_statements`: 1.21 and later.
    pub fn keeps_prepared_statements() -> bool {
        let version = PgBouncer::version().unwrap_or_default();
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (1, 21)
    }

    /// A database's URL through the pooler, as the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as(ADMIN, PASSWORD, database)
    }

    /// A database's URL through the pooler, as some role of the server behind it.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        url("postgres", role, password, self.port, database)
    }

    /// What psql prints when it connects through the pooler, or what it complains about.
    pub fn try_psql(&self, database: &str, sql: &str) -> Result<String, String> {
        self.server.psql_at(&self.url(database), sql)
    }
}

/// The program.
fn program() -> Option<PathBuf> {
    match std::env::var_os("TWOSTEP_PGBOUNCER") {
        Some(named) => Some(named.into()),
        None => find_program("pgbouncer", &[]),
    }
}

/// A small pool, so that clients do share sessions. `extra_float_digits` is what drivers send at connect, and what
/// every hosted PgBouncer is told to ignore. Passwords of roles are looked up on the server.
fn settings(server_port: u16, port: u16, mode: PoolMode) -> String {
    let mode = match mode {
        PoolMode::Session => "session",
        PoolMode::Transaction => "transaction",
        PoolMode::Statement => "statement",
    };
    format!(
        "[databases]\n\
         * = host=127.0.0.1 port={server_port}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         pool_mode = {mode}\n\
         default_pool_size = 4\n\
         max_client_conn = 200\n\
         auth_type = scram-sha-256\n\
         auth_file = users\n\
         auth_user = {}\n\
         ignore_startup_parameters = extra_float_digits\n",
        ADMIN
    )
}
