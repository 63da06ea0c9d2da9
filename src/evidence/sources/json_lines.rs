//! One JSON object a line, from any other tool: `{"sql": "…", "calls": 3, "application": "web"}`.

use super::{Source, TextSource};
use crate::dialect::Dialect;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(alias = "query")]
    sql: String,
    caller: Option<String>,
    application: Option<String>,
    role: Option<String>,
    calls: Option<u64>,
    mean_ms: Option<f64>,
}

fn read(path: &str, text: &str, _: Dialect) -> Result<Vec<Sent>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            // The error's own text could repeat what the line holds.
            let line: Line = serde_json::from_str(line).map_err(|error| {
                format!(
                    "{path}:{}:{}: this is no object with `sql` and known keys",
                    number + 1,
                    error.column()
                )
            })?;
            let Line { sql, caller, application, role, calls, mean_ms } = line;
            Ok(Sent { sql, caller, application, role, calls, mean_ms, day: None })
        })
        .collect()
}
