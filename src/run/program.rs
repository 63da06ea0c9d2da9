//! Migrations that are programs: run under the same lock, with the URL and the version in their environment.

use super::error::RunError;
use super::executor::Executor;
use super::machine::{Event, Failure};
use super::task::Direction;
use crate::db::url::DatabaseUrl;
use crate::source::Version;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

/// How long a program has to end after it was asked to.
const STOP_WITHIN: Duration = Duration::from_secs(7);

/// Variables that a program may see of ours: where programs are, how text is written, where home and time zone are.
const KEPT: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

impl Executor<'_> {
    /// Runs the unit's program. Its output goes to the log; an exit code other than 0 is a failure.
    pub(super) async fn run_program(&mut self, unit: usize, program: &str) -> Event {
        let place = self.place(unit, Some(0));
        let failed =
            |how: String| RunError::Program { place: place.clone(), program: program.to_owned(), how };
        let path = self.options.folder.join(program);
        let (_, task, _) = self.unit(unit);
        let mut command = command(&path, self.url(), &task.record.version, task.direction);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            // It did not start, so nothing was done.
            Err(error) => return self.fail(Failure::Refused, failed(format!("cannot be started: {error}"))),
        };
        let output = child.stdout.take().map(|out| tokio::spawn(log(out, self.url().clone())));
        let errors = child.stderr.take().map(|err| tokio::spawn(log(err, self.url().clone())));
        let mut signal = self.signal.clone();
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = signal.raised() => {
                    ask_to_stop(child.id());
                    match tokio::time::timeout(STOP_WITHIN, child.wait()).await {
                        Ok(status) => break status,
                        Err(_) => {
                            // It must not go on behind the back of the next run.
                            let killed = child.kill().await;
                            let how = match killed {
                                Ok(()) => "did not end when it was asked to, and was killed".to_owned(),
                                Err(error) => format!("does not end, and cannot be killed: {error}"),
                            };
                            return self.fail(Failure::NotAnswering, failed(how));
                        }
                    }
                }
                () = tokio::time::sleep(Duration::from_secs(1)) => self.sign_of_life().await,
            }
        };
        for task in [output, errors].into_iter().flatten() {
            // A grandchild may hold the pipe open; what it still writes is not waited for.
            let _ = tokio::time::timeout(Duration::from_secs(1), task).await;
        }
        match status {
            Ok(status) if status.success() => Event::Done,
            Ok(status) if self.signal.is_raised() => {
                self.fail(Failure::Interrupted, failed(format!("was stopped by a signal ({status})")))
            }
            Ok(status) => self.fail(Failure::Refused, failed(format!("failed ({status})"))),
            Err(error) => self.fail(Failure::Refused, failed(format!("cannot be waited for: {error}"))),
        }
    }
}

/// The program at `path`, in the environment that a migration sees.
pub(crate) fn command(path: &Path, url: &DatabaseUrl, version: &Version, direction: Direction) -> Command {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut command = Command::new(path);
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let direction = match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    command
        .env("DATABASE_URL", url.expose())
        .env("TWOSTEP_VERSION", version.as_str())
        .env("TWOSTEP_DIRECTION", direction);
    command
}

/// Sends SIGTERM, by the system's own `kill`, which needs no unsafe code.
fn ask_to_stop(pid: Option<u32>) {
    if let Some(pid) = pid {
        let asked = std::process::Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status();
        if let Err(error) = asked {
            tracing::warn!("the program could not be asked to stop: {error}");
        }
    }
}

/// What a program prints, line by line, whatever it is, and without the password that it was given.
async fn log(stream: impl AsyncRead + Unpin + Send + 'static, url: DatabaseUrl) {
    const LINE_BYTES: u64 = 8 * 1024;
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut stream).take(LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = url.redact(String::from_utf8_lossy(&line).trim_end());
                tracing::info!(event = "program output", "{text}");
            }
        }
    }
}
