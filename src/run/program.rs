//! Migrations that are programs: run under the same lock, with the URL and the version in their environment.

use super::error::RunError;
use super::executor::Executor;
use super::machine::{Event, Failure};
use super::task::Direction;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// How long a program has to end after it was asked to.
const STOP_WITHIN: Duration = Duration::from_secs(9);

/// Variables that a program may see of ours: where programs are, how text is written, where home and time zone are.
const KEPT: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

impl Executor<'_> {
    /// Runs the unit's program. Its output goes to the log; an exit code other than 0 is a failure.
    pub(super) async fn run_program(&mut self, unit: usize, program: &str) -> Event {
        let place = self.place(unit, Some(0));
        let failed =
            |how: String| RunError::Program { place: place.clone(), program: program.to_owned(), how };
        let path = self.options.folder.join(program);
        let path = std::path::absolute(&path).unwrap_or(path);
        let (_, task, _) = self.unit(unit);
        let direction = match task.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        };
        let mut command = Command::new(&path);
        command.env_clear();
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("DATABASE_URL", self.url().expose())
            .env("TWOSTEP_VERSION", task.record.version.as_str())
            .env("TWOSTEP_DIRECTION", direction)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            // It did not start, so nothing was done.
            Err(error) => return self.fail(Failure::Refused, failed(format!("cannot be started: {error}"))),
        };
        let output = child.stdout.take().map(|out| tokio::spawn(log(out)));
        let errors = child.stderr.take().map(|err| tokio::spawn(log(err)));
        let mut signal = self.signal.clone();
        let status = tokio::select! {
            status = child.wait() => status,
            () = signal.raised() => {
                ask_to_stop(child.id());
                match tokio::time::timeout(STOP_WITHIN, child.wait()).await {
                    Ok(status) => status,
                    Err(_) => return self.fail(Failure::NotAnswering, failed("does not end".to_owned())),
                }
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

/// Sends SIGTERM, by the system's own `kill`, which needs no unsafe code.
fn ask_to_stop(pid: Option<u32>) {
    if let Some(pid) = pid {
        let asked = std::process::Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status();
        if let Err(error) = asked {
            tracing::warn!("the program could not be asked to stop: {error}");
        }
    }
}

async fn log(stream: impl AsyncRead + Unpin + Send + 'static) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::info!(event = "program output", "{line}");
    }
}
