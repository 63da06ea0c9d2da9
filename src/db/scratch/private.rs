//! A server of our own, from the binaries that are on the machine: in a temporary folder, on a Unix socket that only we
//! can reach, with nothing written for keeps, and under an unprivileged user where we are root.

use super::owner::{Life, Owner, PREFIX};
use super::place::ScratchError;
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// The path of a Unix socket has 107 bytes; this leaves room for the folder's name and the socket's.
const PARENT_BYTES_MAX: usize = 30;

/// How long a server has until it answers.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running server. It ends, and its folder goes, when this is dropped or the process ends.
#[derive(Debug)]
pub(super) struct PrivateServer {
    folder: PathBuf,
    dialect: Dialect,
    supervisor: Child,
    /// Closing it is the order to stop.
    orders: Option<ChildStdin>,
}

impl PrivateServer {
    /// Starts one; it answers a little later. Fails where its programs are not on this machine.
    pub(super) fn start(dialect: Dialect, owner: &Owner) -> Result<Self, ScratchError> {
        let folder = parent_folder().join(owner.name(0));
        let (signal, prepare, serve) = match dialect {
            Dialect::Postgres => postgres(&folder)?,
            Dialect::Mysql => mariadb(&folder)?,
            Dialect::Sqlite => unreachable!("SQLite has no server"),
        };
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", include_str!("private.sh"), "twostep-scratch"])
            .arg(&folder)
            .args([signal, &prepare, &serve])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("HOME", &folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal ends us, and our end is its order to clean up.
            .process_group(0);
        if is_root() {
            let (user, group) = nobody();
            command.uid(user).gid(group);
        }
        let failed = |error: std::io::Error| ScratchError::NotStarted {
            dialect,
            why: format!("its supervisor cannot be started: {error}"),
        };
        let mut supervisor = command.spawn().map_err(failed)?;
        let orders = supervisor.stdin.take();
        Ok(Self { folder, dialect, supervisor, orders })
    }

    /// The URL of a database of it, as its administrator.
    pub(super) fn url(&self, database: &str) -> DatabaseUrl {
        let folder: String =
            url::form_urlencoded::byte_serialize(self.folder.as_os_str().as_encoded_bytes()).collect();
        let text = match self.dialect {
            Dialect::Postgres => format!("postgres://postgres@localhost/{database}?host={folder}"),
            Dialect::Mysql => format!("mysql://root@localhost/{database}?socket={folder}%2Fsocket"),
            Dialect::Sqlite => unreachable!("SQLite has no server"),
        };
        DatabaseUrl::parse(&text).expect("it is made of a scheme, a name and a path")
    }

    /// What it logged, where it has ended already.
    pub(super) fn ended(&mut self) -> Option<String> {
        let over = self.folder.join("ended").exists() || matches!(self.supervisor.try_wait(), Ok(Some(_)));
        let log = || fs::read(self.folder.join("log")).unwrap_or_default();
        over.then(|| String::from_utf8_lossy(&log()).trim().to_owned())
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        drop(self.orders.take());
        // Whatever it says, it is over.
        let _ = self.supervisor.wait();
        // It cannot have got further than to make the folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Signal, preparation and server of PostgreSQL. What makes it fast makes it forgetful too: it will not be there
/// tomorrow (<https://www.postgresql.org/docs/current/non-durability.html>).
fn postgres(folder: &Path) -> Result<(&'static str, String, String), ScratchError> {
    let patterns: &[(&str, &str)] = &[
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
        ("/usr/local/pgsql", ""),
        ("/usr", "bin"),
    ];
    let [initdb, server] = programs(Dialect::Postgres, ["initdb", "postgres"], patterns)?;
    let data = shell(&folder.join("data"));
    let initdb = format!(
        "{} -D {data} -U postgres --auth=trust --no-sync --encoding=UTF8 --no-instructions",
        shell(&initdb)
    );
    let prepare = format!("{{ {initdb} --locale=C.UTF-8 || {{ rm -rf {data}; {initdb} --locale=C; }}; }}");
    let serve = format!(
        "exec {} -D {data} -k {} -c listen_addresses= -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c autovacuum=off -c max_wal_size=4GB -c wal_level=logical \
         -c max_wal_senders=4 -c shared_buffers=64MB -c max_connections=20 -c timezone=UTC -c client_min_messages=warning",
        shell(&server),
        shell(folder)
    );
    Ok(("QUIT", prepare, serve))
}

fn mariadb(folder: &Path) -> Result<(&'static str, String, String), ScratchError> {
    let patterns: &[(&str, &str)] = &[
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "bin"),
        ("/usr", "sbin"),
        ("/usr", "bin"),
        ("/usr", "libexec"),
    ];
    let [install, server] = programs(Dialect::Mysql, ["mariadb-install-db", "mariadbd"], patterns)?;
    let data = shell(&folder.join("data"));
    let prepare = format!(
        "{} --no-defaults --datadir={data} --auth-root-authentication-method=normal --skip-test-db",
        shell(&install)
    );
    let serve = format!(
        "exec {} --no-defaults --datadir={data} --tmpdir={folder} --socket={folder}/socket --pid-file={folder}/server.pid \
         --skip-networking --character-set-server=utf8mb4 --innodb-buffer-pool-size=64M --innodb-log-file-size=32M \
         --innodb-doublewrite=0 --innodb-flush-log-at-trx-commit=0 --sync-frm=0 --skip-log-bin \
         --default-time-zone=+00:00",
        shell(&server),
        folder = shell(folder)
    );
    Ok(("KILL", prepare, serve))
}

/// Both programs from one folder: on `PATH`, or in one where packages put them, of the highest version first.
fn programs(
    dialect: Dialect,
    names: [&'static str; 2],
    patterns: &[(&str, &str)],
) -> Result<[PathBuf; 2], ScratchError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for (parent, inner) in patterns {
        folders.push(Path::new(parent).join(inner));
        let Ok(entries) = fs::read_dir(parent) else { continue };
        let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = |path: &Path| -> u32 {
            name(path).chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
        };
        versions.retain(|path| {
            let name = name(path);
            ["postgresql", "mariadb", "pgsql"].iter().any(|known| name.starts_with(known)) || number(path) > 0
        });
        versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
        folders.extend(versions.into_iter().map(|version| version.join("bin")));
    }
    let in_folder = |folder: &PathBuf| names.map(|name| folder.join(name));
    let together = folders.iter().map(in_folder).find(|programs| programs.iter().all(|path| path.is_file()));
    // Some packages part them: what administrators run is in `sbin`.
    let apart = || {
        let find = |name| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        names.map(find).into_iter().collect::<Option<Vec<_>>>().and_then(|found| found.try_into().ok())
    };
    let found: Option<[PathBuf; 2]> = together.or_else(apart);
    found.ok_or(ScratchError::NoPrograms { dialect, names })
}

/// A path as a word of sh. Quoting for sh is not quoting for SQL: a quote ends the word, stands by itself, and begins it.
fn shell(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn is_root() -> bool {
    match fs::metadata("/proc/self") {
        Ok(own) => own.uid() == 0,
        Err(_) => {
            let id = Command::new("id").arg("-u").output();
            id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
        }
    }
}

/// The user and group numbers of `nobody`, who owns nothing.
fn nobody() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_nobody = fields.next() == Some("nobody");
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_nobody.then_some((user, group))
    });
    entry.unwrap_or((65534, 65534))
}

/// `/tmp` where the usual folder is too deep for the path of a Unix socket, or not open to another user.
fn parent_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let open = fs::metadata(&usual).is_ok_and(|folder| !is_root() || folder.mode() & 0o003 == 0o003);
    let short = usual.as_os_str().len() <= PARENT_BYTES_MAX;
    if open && short { usual } else { PathBuf::from("/tmp") }
}

/// The folders in which scratch folders stand.
fn parents() -> Vec<PathBuf> {
    let mut all = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
    all.dedup();
    all
}

/// Where a scratch folder of files is made.
pub(super) fn file_folder(owner: &Owner, number: u32) -> PathBuf {
    std::env::temp_dir().join(owner.name(number))
}

/// Ends the servers and removes the folders whose owner is dead.
pub(super) fn sweep(asker: &Owner) {
    for parent in parents() {
        let Ok(entries) = fs::read_dir(&parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(PREFIX)
                && Owner::of(&name).is_some_and(|owner| owner.life(asker) == Life::Dead)
            {
                remove_left(&entry.path(), &name);
            }
        }
    }
}

fn remove_left(folder: &Path, name: &str) {
    tracing::debug!("removing {}, which an earlier run has left", folder.display());
    let started = Instant::now();
    // Its supervisor may be at it too.
    while !users_of(name).is_empty() && started.elapsed() < Duration::from_secs(10) {
        let signal = match started.elapsed().as_secs() {
            0..5 => "-QUIT",
            _ => "-KILL",
        };
        for (pid, arguments) in users_of(name) {
            let supervisor = arguments.contains("twostep-scratch");
            let signal = if supervisor || arguments.contains("mariadbd") { "-KILL" } else { signal };
            let kill = ["-c", "kill $0 $1", signal, &pid];
            let _ = Command::new("/bin/sh").args(kill).stderr(Stdio::null()).status();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    if let Err(error) = fs::remove_dir_all(folder)
        && folder.exists()
    {
        tracing::warn!("{} is left of an earlier run and cannot be removed: {error}", folder.display());
    }
}

/// The processes whose arguments name the folder: number and arguments.
fn users_of(name: &str) -> Vec<(String, String)> {
    let own = std::process::id().to_string();
    let is_user = |(pid, arguments): &(String, String)| arguments.contains(name) && *pid != own;
    if let Ok(entries) = fs::read_dir("/proc")
        && Path::new("/proc/self/cmdline").exists()
    {
        let process = |entry: fs::DirEntry| {
            let pid = entry.file_name().into_string().ok().filter(|name| name.parse::<u32>().is_ok())?;
            let arguments = fs::read(entry.path().join("cmdline")).ok()?;
            Some((pid, String::from_utf8_lossy(&arguments).replace('\0', " ")))
        };
        return entries.flatten().filter_map(process).filter(is_user).collect();
    }
    let Ok(output) = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output() else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter_map(|line| line.trim().split_once(' '));
    lines.map(|(pid, arguments)| (pid.to_owned(), arguments.to_owned())).filter(is_user).collect()
}
