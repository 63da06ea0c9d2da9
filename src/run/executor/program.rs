//! Runs a migration that is a program: its output goes to the log, and a signal stops it.

use super::state::Executor;
use crate::db::url::DatabaseUrl;
use crate::run::error::RunError;
use crate::run::machine::{Event, Failure};
use crate::run::program::command;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// How long a program has to end after it was asked to.
const STOP_WITHIN: Duration = Duration::from_secs(7);

impl Executor<'_> {
    /// Runs the unit's program. Its output goes to the log; an exit code other than 0 is a failure.
    pub(super) async fn run_program(&mut self, unit: usize, program: &str) -> Event {
        let place = self.place(unit, Some(0));
        let failed =
            |how: String| RunError::Program { place: place.clone(), program: program.to_owned(), how };
        let path = self.options.folder.join(program);
        let (_, task, _) = self.unit(unit);
        let mut command = command(&path, self.url, &task.record.version, task.direction);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            // It did not start, so nothing was done.
            Err(error) => return self.fail(Failure::Refused, failed(format!("cannot be started: {error}"))),
        };
        let output = child.stdout.take().map(|out| tokio::spawn(log(out, self.url.clone())));
        let errors = child.stderr.take().map(|err| tokio::spawn(log(err, self.url.clone())));
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
