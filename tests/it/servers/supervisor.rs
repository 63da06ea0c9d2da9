//! One server in a folder of its own, which ends with this process (see `supervisor.sh`).

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::clean_command;
use crate::wait;

/// The folder in which a server will run. It is removed, and the server stopped, when this is dropped or when this
/// process ends, whichever comes first.
pub struct Supervisor {
    folder: PathBuf,
    child: Child,
    /// Closing it is the order to stop. `None` once that was given.
    orders: Option<ChildStdin>,
}

impl Supervisor {
    /// Makes the folder. `signal` is what makes this kind of server stop at once.
    pub fn new(server: &str, signal: &str) -> Supervisor {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = parent_folder().join(format!("twostep-it-{}-{count}-{server}", std::process::id()));
        let mut command = unprivileged();
        command.args(["sh", "-c", include_str!("supervisor.sh"), "supervisor"]).arg(&folder).arg(signal);
        command.env("HOME", &folder).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        // A process group of its own: Ctrl-C in a terminal ends the tests, and their end is its order to clean up.
        let mut child = command.process_group(0).spawn().expect("the supervisor starts");
        let orders = child.stdin.take();
        let mut answer = String::new();
        let answers = child.stdout.take().expect("its standard output is a pipe");
        BufReader::new(answers).read_line(&mut answer).expect("the supervisor answers in UTF-8");
        assert_eq!(answer, "made\n", "the supervisor could not make {}", folder.display());
        Supervisor { folder, child, orders }
    }

    /// Where the server's files are. Anybody may read it, so that a client finds certificates there.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file that belongs to the server's user. `mode` is its permission bits.
    pub fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.folder.join(name);
        let owner = fs::metadata(&self.folder).expect("the folder stands as long as its supervisor");
        fs::write(&path, text).expect("the folder can be written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a file of ours takes its mode");
        chown(&path, Some(owner.uid()), Some(owner.gid())).expect("only root writes for another user");
        path
    }

    /// Runs `prepare` to its end and then `serve`, which has to `exec` the server; both are `sh`.
    pub fn start(&mut self, prepare: &str, serve: &str) {
        self.write("prepare.sh", prepare, 0o644);
        self.write("serve.sh", serve, 0o644);
        let orders = self.orders.as_mut().expect("nobody stopped it");
        orders.write_all(b"start\n").expect("the supervisor reads its orders");
    }

    /// Waits until `answers` is true. Gives the server's log if it ended instead.
    pub fn wait_ready(&self, answers: impl Fn() -> bool) -> Result<(), String> {
        wait::until(&format!("{} answers", self.folder.display()), Duration::from_secs(120), || {
            if self.folder.join("ended").exists() {
                Some(Err(self.log()))
            } else {
                answers().then_some(Ok(()))
            }
        })
    }

    /// What the preparation and the server printed so far.
    pub fn log(&self) -> String {
        fs::read(self.folder.join("log"))
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .unwrap_or_default()
    }
}

/// For [`Supervisor::start`]: a server that is started again whenever it ends, until it is told to stop by `signal`. Its own
/// process id is in the file `server.pid`.
pub fn restarting(server: &str, signal: &str) -> String {
    format!(
        "again=yes\ntrap 'again=; kill -s {signal} $child' {signal}\n\
         while [ \"$again\" ]; do {server} & child=$!; echo $child >server.pid; wait $child || true; done\n"
    )
}

impl Supervisor {
    /// Sends a signal to a server that is [`restarting`], and waits until it has ended.
    pub fn signal_server(&self, signal: &str) {
        let pid = fs::read_to_string(self.folder.join("server.pid")).expect("it is restarting");
        let kill =
            format!("kill -s {signal} {0} && while kill -0 {0} 2>/dev/null; do sleep 0.01; done", pid.trim());
        let mut command = unprivileged();
        assert!(command.args(["sh", "-c", &kill]).status().expect("sh runs").success(), "{kill}");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.orders.take());
        // Whatever it says, it is over: nothing is left to be told here.
        self.child.wait().ok();
    }
}

/// Starts a server by `start`, with another port as often as somebody else was quicker to take the one that was free.
pub fn on_free_port<T>(mut start: impl FnMut(u16) -> Result<T, String>) -> T {
    let mut log = String::new();
    for _ in 0..5 {
        match start(free_port()) {
            Ok(server) => return server,
            Err(failed) => log = failed,
        }
        let taken = log.to_lowercase().contains("address already in use");
        assert!(taken, "the server did not start:\n{log}");
    }
    panic!("no free port in five tries:\n{log}");
}

/// A port that was free a moment ago, below those that the kernel gives to outgoing connections.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(7);
        let port = 15_000 + start.wrapping_add(step) % 15_000;
        let port = u16::try_from(port).expect("30,000 fits");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Servers refuse to run as root; an ordinary user runs them as what he is.
fn unprivileged() -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return clean_command(Path::new("env"));
    }
    let mut command = clean_command(Path::new("setpriv"));
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
    command
}

/// `/tmp` where the usual folder is too deep for the path of a Unix socket (107 bytes) or not open to other users.
fn parent_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let open = fs::metadata(&usual).is_ok_and(|folder| folder.mode() & 0o003 == 0o003);
    if open && usual.as_os_str().len() < 40 { usual } else { PathBuf::from("/tmp") }
}
