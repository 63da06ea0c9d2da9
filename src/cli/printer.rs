//! The only place that prints: results on stdout, the log on stderr, and errors in three parts.

use super::exit::Exit;
pub use crate::text::visible;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// Lines for people.
    Text,
    /// `key=value` lines.
    Logfmt,
    /// One JSON object a line.
    Json,
}

impl LogForm {
    /// The form that `word` asks for; `auto` is text on a terminal, else logfmt.
    pub fn from_word(word: &str) -> Self {
        match word {
            "text" => LogForm::Text,
            "logfmt" => LogForm::Logfmt,
            "json" => LogForm::Json,
            _ if std::io::stderr().is_terminal() => LogForm::Text,
            _ => LogForm::Logfmt,
        }
    }
}

/// Whether a person sits in front of us: both what we read and what we say is a terminal.
pub fn is_watched() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether people read the results as they come, on a terminal.
pub fn is_read() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether results go to a terminal that shows colours (<https://no-color.org>).
pub fn shows_colours() -> bool {
    is_read()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// What is said when something ends badly.
#[derive(Debug, Clone)]
pub struct Report {
    /// How the process ends.
    pub exit: Exit,
    /// What and where, in one line that stands alone.
    pub message: String,
    /// Why: which lock, table, query.
    pub why: Vec<String>,
    /// What state the database is in now.
    pub state: Option<String>,
    /// What to do.
    pub help: Vec<String>,
}

impl Report {
    /// A report with a message only.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), why: Vec::new(), state: None, help: Vec::new() }
    }

    /// With a reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// With the state of the database.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// With something to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Writes to the two streams. A stream that is closed (`| head`) is no error of ours.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    form: LogForm,
}

impl Printer {
    /// A printer, with the log of this process going through it. `quiet` leaves out all but warnings, `verbose`
    /// adds what is only of interest when something is looked for.
    pub fn install(form: LogForm, quiet: bool, verbose: bool) -> Self {
        let printer = Self { form };
        let most = match (quiet, verbose) {
            (true, _) => Level::WARN,
            (false, false) => Level::INFO,
            (false, true) => Level::DEBUG,
        };
        // Fails only where a program that uses the library has a log already, and then it is that one that is used.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(LogLayer {
            printer,
            most,
            terminal: form == LogForm::Text && std::io::stderr().is_terminal(),
        }));
        printer
    }

    /// A printer without a log.
    pub const fn plain(form: LogForm) -> Self {
        Self { form }
    }

    /// Prints a result.
    pub fn result(&self, text: &str) {
        self.clear();
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.is_empty() && !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// Prints a hint for people on a terminal; programs do not need it.
    pub fn hint(&self, text: &str) {
        if self.form == LogForm::Text {
            self.line(text);
        }
    }

    /// Prints an error.
    pub fn error(&self, report: &Report) {
        match self.form {
            LogForm::Text => {
                let mut text = format!("error: {}\n", report.message);
                for why in &report.why {
                    let _ = writeln!(text, "  why: {}", indented(why));
                }
                if let Some(state) = &report.state {
                    let _ = writeln!(text, "  state: {}", indented(state));
                }
                for help in &report.help {
                    let _ = writeln!(text, "  help: {}", indented(help));
                }
                self.line(text.trim_end());
            }
            LogForm::Logfmt | LogForm::Json => {
                let mut fields = vec![("exit".to_owned(), report.exit.code().to_string())];
                fields.extend(report.why.iter().map(|why| ("why".to_owned(), why.clone())).take(1));
                if report.why.len() > 1 {
                    fields[1].1 = report.why.join("; ");
                }
                fields.extend(report.state.iter().map(|state| ("state".to_owned(), state.clone())));
                if !report.help.is_empty() {
                    fields.push(("help".to_owned(), report.help.join("; ")));
                }
                self.log("error", &report.message, &fields);
            }
        }
    }

    /// Erases the line that only shows what is going on, if there is one.
    pub fn clear(&self) {
        if TRANSIENT.swap(false, Ordering::Relaxed) {
            let _ = std::io::stderr().write_all(ERASE);
        }
    }

    fn log(&self, level: &str, message: &str, fields: &[(String, String)]) {
        let line = match self.form {
            LogForm::Text if level == "info" || level == "debug" => message.to_owned(),
            LogForm::Text => format!("{level}: {message}"),
            LogForm::Logfmt => {
                let mut line = format!("level={level} msg={}", logfmt_value(message));
                for (key, value) in fields {
                    let _ = write!(line, " {key}={}", logfmt_value(value));
                }
                line
            }
            LogForm::Json => {
                let mut object = serde_json::Map::new();
                object.insert("level".to_owned(), level.into());
                object.insert("msg".to_owned(), message.into());
                for (key, value) in fields {
                    let value = value.parse::<i64>().map_or_else(|_| value.clone().into(), Into::into);
                    object.insert(key.clone(), value);
                }
                serde_json::Value::Object(object).to_string()
            }
        };
        self.line(&line);
    }

    fn line(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        if TRANSIENT.swap(false, Ordering::Relaxed) {
            let _ = err.write_all(ERASE);
        }
        let _ = err.write_all(text.as_bytes());
        let _ = err.write_all(b"\n");
    }
}

/// Whether the last line on the terminal is one that the next one replaces.
static TRANSIENT: AtomicBool = AtomicBool::new(false);

/// Back to the start of the line, which is erased (ECMA-48: CR, EL).
const ERASE: &[u8] = b"\r\x1b[K";

/// Shows what is going on right now, on a terminal only; the next line replaces it.
fn transient(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(ERASE);
    let _ = err.write_all(text.as_bytes());
    let _ = err.flush();
    TRANSIENT.store(true, Ordering::Relaxed);
}

/// Later lines of a part stand under its first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

/// A value that a logfmt reader takes back as it was.
fn logfmt_value(value: &str) -> String {
    let plain = !value.is_empty()
        && value.chars().all(|character| {
            !character.is_whitespace() && !character.is_control() && !"\"=".contains(character)
        });
    if plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}

/// What `tracing` gives, printed. Control characters in a server's words are shown, never sent to the terminal.
struct LogLayer {
    printer: Printer,
    most: Level,
    /// Whether a person watches the log.
    terminal: bool,
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(String, String)>,
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name().to_owned(), value.to_string()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = visible(value);
        } else {
            self.others.push((field.name().to_owned(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let notice = metadata.target() == "sqlx::postgres::notice";
        if !notice && !metadata.target().starts_with("twostep") {
            return;
        }
        let level = if notice { Level::INFO } else { *metadata.level() };
        if level > self.most {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if notice {
            fields.message = format!("the server says: {}", fields.message);
            fields.others.clear();
        }
        if fields.others.iter().any(|(key, _)| key == "progress") {
            if self.terminal && self.most >= Level::INFO {
                transient(&fields.message);
            }
            return;
        }
        let word = match level {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            _ => "debug",
        };
        self.printer.log(word, &fields.message, &fields.others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logfmt_quotes_what_needs_it() {
        assert_eq!(logfmt_value("a-b"), "a-b");
        assert_eq!(logfmt_value("a b"), "\"a b\"");
        assert_eq!(logfmt_value("a\"\nb"), "\"a\\\"\\nb\"");
        assert_eq!(logfmt_value(""), "\"\"");
    }
}
