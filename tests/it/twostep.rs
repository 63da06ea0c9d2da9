//! Runs the built `twostep` as a user or a platform does: in a folder, with an environment, and with signals.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::wait;

/// No command of a test takes longer, unless something hangs.
const DEADLINE: Duration = Duration::from_secs(300);

/// A user's folder, which is removed with the value.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// An empty folder.
    pub fn new() -> Project {
        Project { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A folder with these migrations: names and texts.
    pub fn with_migrations(files: &[(&str, &str)]) -> Project {
        let project = Project::new();
        project.write_migrations(files);
        project
    }

    /// Writes migrations: names and texts.
    pub fn write_migrations(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(&format!("migrations/{name}"), text);
        }
    }

    /// Writes a file that can be run.
    pub fn write_program(&self, name: &str, text: &str) {
        self.write(name, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(self.path(name), mode).expect("the file is ours");
    }

    /// The path of a file of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is below the folder")).expect("the folder is ours");
        fs::write(path, bytes).expect("the folder is ours");
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A run of the built binary in this folder, on the database of `url`, with its log as people read it.
    pub fn on(&self, url: &str, arguments: &[&str]) -> Run {
        self.twostep(arguments).env("DATABASE_URL", url).env("TWOSTEP_LOG", "text")
    }

    /// A run of the built binary in this folder.
    pub fn twostep(&self, arguments: &[&str]) -> Run {
        Run::new(env!("CARGO_BIN_EXE_twostep"), self.folder.path(), arguments)
    }
}

/// A program that is about to run. It sees `PATH`, a `HOME`, and what it is given; nothing else of our environment.
pub struct Run {
    command: Command,
}

impl Run {
    /// Any program, in `folder`.
    pub fn new(program: &str, folder: &Path, arguments: &[&str]) -> Run {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env_clear().env("HOME", folder);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Run { command }
    }

    /// Adds a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Run {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Starts it.
    pub fn spawn(mut self) -> Running {
        let started = Instant::now();
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let stdout = Stream::of(child.stdout.take().expect("it is a pipe"));
        let stderr = Stream::of(child.stderr.take().expect("it is a pipe"));
        Running { child, started, stdout, stderr }
    }
}

/// A program that runs. It is killed if this is dropped before its end.
pub struct Running {
    child: Child,
    started: Instant,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("sh runs").success(), "SIG{name} was not sent");
    }

    /// Waits until its standard error holds `text`; panics with all of it if it ends without.
    pub fn wait_for_stderr(&mut self, text: &str) {
        let child = &mut self.child;
        let stderr = &self.stderr;
        wait::until(&format!("`{text}` on standard error"), DEADLINE, || {
            let over = child.try_wait().expect("it is our child").is_some_and(|_| stderr.is_over());
            let said = stderr.text();
            if said.contains(text) {
                return Some(());
            }
            assert!(!over, "it ended without `{text}` on standard error:\n{said}");
            None
        });
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Waits for its end, and gives all that there is to know of it.
    pub fn wait(mut self) -> Outcome {
        let status_file = format!("/proc/{}/status", self.child.id());
        let mut peak_memory_kib = 0;
        let status = wait::until("the program ends", DEADLINE, || {
            peak_memory_kib = peak_memory_kib.max(high_water_kib(&status_file));
            self.child.try_wait().expect("it is our child")
        });
        let elapsed = self.started.elapsed();
        wait::until_true("its output ends", DEADLINE, || self.stdout.is_over() && self.stderr.is_over());
        Outcome { status, stdout: self.stdout.text(), stderr: self.stderr.text(), elapsed, peak_memory_kib }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail once it has ended, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    status: ExitStatus,
    /// What it printed: results.
    pub stdout: String,
    /// What it told: log, progress and errors.
    pub stderr: String,
    /// Time from its start to its end, seen within 5 ms.
    pub elapsed: Duration,
    /// The most memory that it was seen to hold. It is looked at every 5 ms, so a shorter last peak is missed.
    pub peak_memory_kib: u64,
}

impl Outcome {
    /// Its exit code; panics with everything that it said when a signal killed it.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by signal {:?}: {self:#?}", self.status.signal()))
    }

    /// The signal that killed it.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Panics with everything that it said unless it ended with `code`.
    pub fn expect(self, code: i32) -> Outcome {
        assert_eq!(
            self.code(),
            code,
            "wrong exit code\n-- stdout\n{}\n-- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// What a program writes, read as it comes.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Stream {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut part = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut part) {
                all.lock().expect("no holder panics").extend_from_slice(&part[..length]);
            }
        });
        Stream { bytes, reader }
    }

    fn is_over(&self) -> bool {
        self.reader.is_finished()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no holder panics")).into_owned()
    }
}

/// The kernel's own high-water mark of a process's memory; 0 once it has ended.
fn high_water_kib(status_file: &str) -> u64 {
    let status = fs::read_to_string(status_file).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().expect("the kernel prints a number of kB")
}
