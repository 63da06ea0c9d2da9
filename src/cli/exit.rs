//! The exit codes, which are a promise.

use crate::run::machine::Outcome;
use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing to do, or held.
    Done,
    /// Findings, a round trip that does not close, drift.
    Findings,
    /// Wrong usage or configuration.
    Usage,
    /// Failed; this run committed nothing.
    FailedClean,
    /// Failed or stopped after something was committed; the same command goes on from there.
    FailedPartly,
    /// A lock was not there in time.
    LockTimeout,
    /// Interrupted, with a known state.
    Interrupted,
    /// Nobody can tell what the last thing came to.
    Unknown,
    /// The database is ahead of the files with what breaks this code.
    Ahead,
    /// Cannot connect, not allowed, or a standby.
    NoAccess,
}

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::FailedClean => 3,
            Exit::FailedPartly => 4,
            Exit::LockTimeout => 5,
            Exit::Interrupted => 6,
            Exit::Unknown => 7,
            Exit::Ahead => 8,
            Exit::NoAccess => 9,
        }
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NothingToDo | Outcome::Done => Exit::Done,
            Outcome::FailedClean => Exit::FailedClean,
            Outcome::FailedPartly => Exit::FailedPartly,
            Outcome::LockTimeout => Exit::LockTimeout,
            Outcome::Interrupted => Exit::Interrupted,
            Outcome::Unknown => Exit::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
