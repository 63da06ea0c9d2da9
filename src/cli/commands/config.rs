//! `twostep config`: each setting and where it came from.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::cli::settings::{SETTINGS, Settings};
use crate::db::url::DatabaseUrl;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// text or json
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
}

/// Prints the settings. URLs are shown without their passwords.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let settings = &context.settings;
    if args.format == "json" {
        let all: serde_json::Map<String, serde_json::Value> = SETTINGS
            .iter()
            .map(|setting| {
                let value = serde_json::json!({
                    "value": shown(settings, setting.key),
                    "origin": settings.origin(setting.key).to_string(),
                });
                (setting.key.to_owned(), value)
            })
            .collect();
        context.printer.result(&serde_json::Value::Object(all).to_string());
        return Ok(Exit::Done);
    }
    let width = SETTINGS.iter().map(|setting| setting.key.len()).max().unwrap_or(0);
    let mut text = String::new();
    for setting in SETTINGS {
        let value = shown(settings, setting.key);
        let value = if value.is_empty() { "-" } else { &value };
        text.push_str(&format!(
            "{:width$}  {value}  ({})\n{:width$}    {}; ${}\n",
            setting.key,
            settings.origin(setting.key),
            "",
            setting.about,
            setting.env,
        ));
    }
    context.printer.result(&text);
    Ok(Exit::Done)
}

fn shown(settings: &Settings, key: &str) -> String {
    let value = settings.text(key);
    if key.ends_with("url") && !value.is_empty() {
        DatabaseUrl::parse(value).map_or_else(|_| "(not a valid URL)".to_owned(), |url| url.to_string())
    } else {
        value.to_owned()
    }
}
