//! PostgreSQL: one server for all tests, a database for each.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::supervisor::{Supervisor, on_free_port, restarting};
use super::{PASSWORD, clean_command, find_program, fresh_name, required, run_client, url};

/// The superuser.
pub const ADMIN: &str = "postgres";

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

/// How a server is made and run, apart from where.
#[derive(Default)]
pub struct Recipe {
    /// Lines of `postgresql.conf`.
    pub settings: String,
    /// Lines of `pg_hba.conf`; empty for passwords over TCP without TLS.
    pub access: String,
    /// Files beside the data: name, text, permission bits.
    pub files: Vec<(&'static str, String, u32)>,
    /// The port of the server whose copy it will be. None for an empty one.
    pub standby_of: Option<u16>,
    /// Bytes of a folder `small` that only the server sees, as a disk that is soon full. 0 for none.
    pub small_disk_bytes: u64,
    /// Whether it is started again whenever it ends, see [`Postgres::crash`].
    pub restarts: bool,
}

impl Postgres {
    /// Starts a server of the test's own, with lines of `postgresql.conf` added. None where its programs are missing.
    pub fn start(settings: &str) -> Option<Postgres> {
        Postgres::start_as(&Recipe { settings: settings.to_owned(), ..Recipe::default() })
    }

    /// Starts a server by any recipe.
    pub fn start_as(recipe: &Recipe) -> Option<Postgres> {
        let programs = Programs::find()?;
        Some(on_free_port(|port| {
            let mut supervisor = Supervisor::new("postgres", "QUIT");
            let folder = supervisor.folder().display();
            let own = format!("port = {port}\nunix_socket_directories = '{folder}'\n{}\n", recipe.settings);
            supervisor.write("ours.conf", &format!("{SETTINGS}{own}"), 0o644);
            supervisor.write("access.conf", &recipe.access, 0o644);
            supervisor.write("password", PASSWORD, 0o600);
            for (name, text, mode) in &recipe.files {
                supervisor.write(name, text, *mode);
            }
            supervisor.start(&programs.prepare(recipe), &programs.serve(recipe));
            let server = Postgres { supervisor, programs: programs.clone(), port };
            server.supervisor.wait_ready(|| server.try_psql("postgres", "select 1").is_ok())?;
            Ok(server)
        }))
    }

    /// The port on localhost.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server, with its log and its Unix socket.
    pub fn folder(&self) -> &Path {
        self.supervisor.folder()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        self.supervisor.log()
    }

    /// Stops it at once, as a crash does, and waits until it has ended; it was started to come up again.
    pub fn crash(&self) {
        self.supervisor.signal_server("QUIT");
    }

    /// A database's URL as the superuser, with the password, which holds what has to be escaped in a URL.
    pub fn url(&self, database: &str) -> String {
        self.url_as(ADMIN, PASSWORD, database)
    }

    /// A database's URL as some role.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        url("postgres", role, password, self.port, database)
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

    /// What psql prints, or complains about, when it connects to a URL, of this server or of one in front of it.
    pub fn psql_at(&self, url: &str, sql: &str) -> Result<String, String> {
        run_client(self.client("psql", "").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url]))
    }

    /// A PostgreSQL client program (`psql`, `pg_dump`) that connects to `database` as the superuser.
    pub fn client(&self, program: &str, database: &str) -> std::process::Command {
        let mut command = clean_command(&self.programs.path(program));
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGDATABASE", database);
        command.env("PGUSER", ADMIN).env("PGPASSWORD", PASSWORD).env("PGCONNECT_TIMEOUT", "20");
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

    /// Everything that stands in it: objects with their owners and rights, and rows. Two that are equal show that
    /// nothing changed between them.
    pub fn contents(&self) -> String {
        self.psql(CONTENTS)
    }

    /// The same, with each of `parts` sent by itself in one session.
    pub fn try_psql_each(&self, parts: &[&str]) -> Result<String, String> {
        let mut client = self.server.client("psql", &self.name);
        client.args(["-XAtq", "-v", "ON_ERROR_STOP=1"]);
        run_client(client.args(parts.iter().flat_map(|part| ["-c", part])))
    }
}

/// See [`Database::contents`].
const CONTENTS: &str = "
with spaces as (select * from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
select concat_ws(' ', 'schema', nspname, nspowner::regrole, nspacl) from spaces
union all select concat_ws(' ', 'relation', nspname, relname, relkind, relowner::regrole, relacl,
    (select indisvalid from pg_index where indexrelid = c.oid))
    from pg_class c join spaces s on s.oid = relnamespace where relkind <> 't'
union all select concat_ws(' ', 'column', nspname, relname, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(adbin, adrelid)) from pg_attribute a join pg_class c on c.oid = attrelid
    join spaces s on s.oid = relnamespace left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped
union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(c.oid))
    from pg_constraint c join spaces s on s.oid = connamespace
union all select concat_ws(' ', 'function', nspname, proname, prosrc)
    from pg_proc join spaces s on s.oid = pronamespace
union all select concat_ws(' ', 'type', nspname, typname) from pg_type join spaces s on s.oid = typnamespace
union all select concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
union all select concat_ws(' ', 'extension', extname) from pg_extension
union all select concat_ws(' ', 'default rights', defaclrole::regrole, defaclacl) from pg_default_acl
union all select concat_ws(' ', 'rows', regexp_replace(database_to_xml(true, false, '')::text, '\\s+', ' ', 'g'))
order by 1";

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // It goes with the server at the latest, so a failure is no reason to fail a test.
        self.server.try_psql("postgres", &format!("drop database if exists {} with (force)", self.name)).ok();
    }
}

/// Where the programs of one PostgreSQL version are.
#[derive(Clone)]
struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those of the folder that `TWOSTEP_POSTGRES_FOLDER` names (`scripts/matrix`); the newest that Debian's packages
    /// have put on this machine; else what is on `PATH`.
    fn find() -> Option<Programs> {
        if let Some(folder) = std::env::var_os("TWOSTEP_POSTGRES_FOLDER") {
            return Some(Programs { folder: PathBuf::from(folder) });
        }
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

    fn prepare(&self, recipe: &Recipe) -> String {
        if let Some(port) = recipe.standby_of {
            // A slot, so that the primary keeps what the standby has not read yet.
            return format!(
                "PGPASSWORD='{PASSWORD}' {} -D data -h 127.0.0.1 -p {port} -U {ADMIN} \
                 --write-recovery-conf --create-slot --slot=standby --checkpoint=fast --no-sync\n",
                self.path("pg_basebackup").display()
            );
        }
        format!(
            "{} -D data -U {ADMIN} --pwfile=password --auth-local=trust --auth-host=scram-sha-256 \
             --encoding=UTF8 --locale=C.UTF-8 --no-sync\n\
             echo \"include '../ours.conf'\" >>data/postgresql.conf\n\
             [ ! -s access.conf ] || cp access.conf data/pg_hba.conf\n",
            self.path("initdb").display()
        )
    }

    fn serve(&self, recipe: &Recipe) -> String {
        let serve = format!("{} -D data", self.path("postgres").display());
        match recipe.small_disk_bytes {
            0 if recipe.restarts => restarting(&serve, "QUIT"),
            0 => format!("exec {serve}\n"),
            // Mounted in a namespace of the server's own, so that it goes with it and needs no rights; the server
            // does not run as that namespace's root.
            bytes => format!(
                "mkdir small\nexec unshare -rm sh -c 'mount -t tmpfs -o size={bytes} tmpfs small && \
                 exec unshare -U --map-user=1000 {serve}'\n"
            ),
        }
    }
}
