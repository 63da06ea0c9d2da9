//! One JSON object a line, from any other tool: `{"sql": "…", "calls": 3, "application": "web"}`.

use super::{Source, TextSource};
use crate::dialect::Dialect;
use crate::evidence::facts::Look;
use crate::evidence::model::Sent;
use serde::Deserialize;

/// The source.
pub static SOURCE: TextSource = TextSource {
    about: Source {
        id: "json-lines",
        shows_all: false,
        counts: false,
        blind: &["whatever the tool that wrote the lines does not see"],
    },
    read,
};

/// Other keys are the business of the tool that writes them.
#[derive(Deserialize)]
struct Line {
    #[serde(alias = "query")]
    sql: String,
    caller: Option<String>,
    application: Option<String>,
    role: Option<String>,
    calls: Option<u64>,
    mean_ms: Option<f64>,
}

fn read(path: &str, text: &str, _: Dialect) -> Result<Look, String> {
    let (mut look, mut wrong, mut count) = (Look::default(), None, 0_usize);
    for (number, line) in text.lines().enumerate() {
        // What a tool prints around its lines: a mark of the encoding, blank lines.
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(Line { sql, caller, application, role, calls, mean_ms }) => {
                look.sent.push(Sent { sql, caller, application, role, calls, mean_ms, day: None });
            }
            // The error's own text could repeat what the line holds.
            Err(error) => {
                count += 1;
                wrong.get_or_insert(format!("{path}:{}:{}", number + 1, error.column()));
            }
        }
    }
    match wrong {
        Some(place) if look.sent.is_empty() => Err(format!("{place}: this is no object with `sql`")),
        Some(place) => {
            look.blind.push(format!("{count} lines are no objects with `sql`, the first at {place}"));
            Ok(look)
        }
        None => Ok(look),
    }
}
