//! What went wrong on a server, sorted by what can be done about it.

use std::fmt;

/// What kind of failure it is: decides whether to try again, what is known, and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DbErrorClass {
    /// The server cannot be reached, or is starting or stopping: nothing was sent.
    Unreachable,
    /// The server refuses us: password, role.
    Refused,
    /// There is no TLS connection that can be trusted.
    Tls,
    /// The URL asks for something that there is not.
    Configuration,
    /// The connection broke while something was under way: its outcome is not known from here.
    ConnectionLost,
    /// A lock was not there in time, or a deadlock or serialization failure: the same again may work.
    Contention,
    /// The statement was cancelled, by us or by somebody else.
    Cancelled,
    /// The role lacks a right.
    PermissionDenied,
    /// The database only allows reads (a standby, a read-only file).
    ReadOnly,
    /// No space left, or another resource of the server is used up.
    Resources,
    /// A database, relation, column or schema that is not there.
    Missing,
    /// The statement itself is wrong, or the data refuses it.
    Statement,
}

impl DbErrorClass {
    /// Whether the server may only need time.
    pub fn is_not_there_yet(self) -> bool {
        matches!(self, DbErrorClass::Unreachable)
    }
}

/// An error of a server or of the way to it.
#[derive(Debug, Clone, thiserror::Error)]
pub struct DbError {
    /// What kind it is.
    pub class: DbErrorClass,
    /// The server's code (SQLSTATE, error number, or SQLite's extended result code), if it came from the server.
    pub code: Option<String>,
    /// The server's own words. Never holds a password.
    pub message: String,
    /// The server's `DETAIL`, `HINT` and `CONTEXT`, where it gave them.
    pub notes: Vec<String>,
    /// Byte offset in the text that was sent, where the server names one.
    pub offset: Option<usize>,
}

/// The words by which a failed check of [`Session::commit`](super::session::Session::commit) is known again.
pub(super) const FENCE: &str = "twostep: the transaction or the lock of this run has ended";

/// In front of the role's name, the words by which another failed check of a commit is known again.
pub(super) const SWITCHED_ROLE: &str = "twostep: the session acts as another role: ";

impl DbError {
    /// Whether a commit was refused because the migration, or somebody else, ended our transaction or lock.
    pub fn is_fence(&self) -> bool {
        self.message.contains(FENCE)
    }

    /// The role as which the session acted at the end of a migration that has switched it.
    pub fn switched_role(&self) -> Option<&str> {
        let (_, role) = self.message.split_once(SWITCHED_ROLE)?;
        Some(role.trim_end_matches('"'))
    }

    /// An error that did not come from the server itself.
    pub fn new(class: DbErrorClass, message: impl Into<String>) -> Self {
        Self { class, code: None, message: message.into(), notes: Vec::new(), offset: None }
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}

/// What a failed attempt to connect means: nothing was sent that could be half done.
pub(super) fn at_connecting(mut error: DbError) -> DbError {
    if error.class == DbErrorClass::ConnectionLost && error.message.contains("certificate") {
        error.class = DbErrorClass::Tls;
        error.message = format!("no TLS connection: {}", certificate_words(&error.message));
    } else if error.class == DbErrorClass::ConnectionLost {
        error.class = DbErrorClass::Unreachable;
        if error.message.contains("Connection refused") {
            error.message = "connection refused: nobody listens there".to_owned();
        } else if error.message.contains("unexpected response from SSLRequest") {
            error.message = "who listens there is no PostgreSQL".to_owned();
        }
    }
    error
}

/// What is wrong with the server's certificate, in front of the library's own words.
fn certificate_words(message: &str) -> String {
    let plain = if message.contains("expired") {
        "the server's certificate has expired"
    } else if message.contains("not valid for name") || message.contains("NotValidForName") {
        "the server's certificate is not for this host"
    } else if message.contains("UnknownIssuer") || message.contains("BadSignature") {
        "the server's certificate is not signed by an authority that is trusted here"
    } else {
        "the server's certificate is not accepted"
    };
    format!("{plain} ({message})")
}

/// The errors that every driver of sqlx gives in the same way; `database` sorts those of the server itself.
pub(super) fn from_sqlx(
    error: sqlx::Error,
    database: impl FnOnce(&dyn sqlx::error::DatabaseError) -> DbError,
) -> DbError {
    match &error {
        sqlx::Error::Database(inner) => database(inner.as_ref()),
        sqlx::Error::Io(inner) => DbError::new(DbErrorClass::ConnectionLost, inner.to_string()),
        sqlx::Error::WorkerCrashed => DbError::new(DbErrorClass::ConnectionLost, "its thread has ended"),
        sqlx::Error::Tls(inner) => DbError::new(DbErrorClass::Tls, format!("no TLS connection: {inner}")),
        sqlx::Error::Configuration(inner) => DbError::new(DbErrorClass::Configuration, inner.to_string()),
        // The protocol is broken (a server that went away in the middle of a message): what was sent may have
        // been carried out.
        sqlx::Error::Protocol(_) => DbError::new(DbErrorClass::ConnectionLost, error.to_string()),
        _ => DbError::new(DbErrorClass::Statement, error.to_string()),
    }
}
