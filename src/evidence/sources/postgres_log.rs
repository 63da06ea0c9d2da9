//! A log of PostgreSQL with `log_statement = all`, or `log_min_duration_statement`: csvlog, jsonlog or stderr
//! (<https://www.postgresql.org/docs/current/runtime-config-logging.html>).

use super::{Source, TextSource};
use crate::dialect::Dialect;
use crate::evidence::facts::Look;
use crate::evidence::model::Sent;
use serde::Deserialize;

/// The source.
pub static SOURCE: TextSource = TextSource {
    about: Source {
        id: "postgres-log",
        shows_all: false,
        counts: false,
        blind: &[
            "a log that was rotated away, or of another server, is not in it",
            "statements below `log_min_duration_statement` or not in the sample are not in it",
        ],
    },
    read,
};

/// The places of columns in csvlog.
const USER: usize = 1;
const MESSAGE: usize = 13;
const APPLICATION: usize = 22;
/// In so many lines the form of a log shows.
const FIRST_LINES: usize = 1_000;

#[derive(Deserialize)]
struct JsonLine {
    message: Option<String>,
    user: Option<String>,
    application_name: Option<String>,
}

fn read(path: &str, text: &str, dialect: Dialect) -> Result<Look, String> {
    if dialect.id() != "postgres" {
        return Err(format!("{path}: a log of PostgreSQL says nothing of {}", dialect.title()));
    }
    let text = text.trim_start_matches('\u{feff}');
    // A log that was cut begins in the middle of a message.
    let is = |form: fn(&str) -> bool| text.lines().take(FIRST_LINES).find(|line| form(line));
    let sent = if is(|line| line.starts_with('{')).is_some() {
        json(text)
    } else if let Some(first) = is(is_record) {
        csv(&text[text.find(first).unwrap_or_default()..])
    } else {
        plain(text)
    };
    let mut look = Look::of(sent);
    if look.sent.is_empty() {
        look.blind.push(format!(
            "no statement stands in {path}: set log_statement to `all`, or log_min_duration_statement to 0 for a while"
        ));
    }
    Ok(look)
}

/// Whether a record of csvlog begins in `line`: with a time, and with all of its fields up to the message.
fn is_record(line: &str) -> bool {
    let is_time = line.get(..10).is_some_and(|day| day.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
    is_time && line.split(',').count() > MESSAGE
}

fn json(text: &str) -> Vec<Sent> {
    let line = |line: &str| {
        let line: JsonLine = serde_json::from_str(line).ok()?;
        sent(&line.message?, line.user, line.application_name)
    };
    text.lines().filter_map(line).collect()
}

fn csv(text: &str) -> Vec<Sent> {
    let record = |fields: Vec<String>| {
        let field = |at: usize| fields.get(at).filter(|text| !text.is_empty()).cloned();
        sent(fields.get(MESSAGE)?, field(USER), field(APPLICATION))
    };
    records(text).into_iter().filter_map(record).collect()
}

/// The records of a CSV text, whose fields may hold line ends.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            other => field.push(other),
        }
    }
    if !record.is_empty() {
        record.push(field);
        all.push(record);
    }
    all
}

/// `… LOG:  statement: SELECT …`, with further lines that begin with a tab.
fn plain(text: &str) -> Vec<Sent> {
    let mut messages: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let (true, Some(last)) = (open, messages.last_mut()) {
                last.push('\n');
                last.push_str(more);
            }
            continue;
        }
        let message = line.split_once("LOG:").map(|(_, message)| message.trim_start());
        open = message.is_some();
        messages.extend(message.map(str::to_owned));
    }
    messages.iter().filter_map(|message| sent(message, None, None)).collect()
}

/// The statement in a message: `[duration: 1 ms  ](statement|execute name): SQL`.
fn sent(message: &str, role: Option<String>, application: Option<String>) -> Option<Sent> {
    let (mut rest, mut mean_ms) = (message, None);
    if let Some(timed) = message.strip_prefix("duration: ") {
        let (duration, behind) = timed.split_once(" ms")?;
        mean_ms = duration.trim().parse().ok();
        rest = behind.trim_start();
    }
    let sql = match rest.strip_prefix("statement: ") {
        Some(sql) => sql,
        None => rest.strip_prefix("execute ")?.split_once(": ")?.1,
    };
    let application = application.filter(|name| !name.is_empty());
    Some(Sent { sql: sql.to_owned(), role, application, mean_ms, calls: Some(1), ..Sent::default() })
}
