//! What is configured, and where each value came from: `twostep.toml`, then the environment, then the flags.

mod known;

pub use known::{SETTINGS, Setting, Shape};

use crate::run::adopt::mirror::MirrorWish;
use crate::run::limits::parse_duration;
use crate::run::pending::{Backfills, OutOfOrder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is looked for in the working directory.
pub const FILE_NAME: &str = "twostep.toml";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A `.env` file.
    EnvFile(PathBuf),
    /// A flag.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) | Origin::EnvFile(path) => write!(f, "{}", path.display()),
            Origin::Environment(name) => write!(f, "${name}"),
            Origin::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        why: String,
    },
    /// The file is no TOML.
    #[error("{path} is not valid TOML")]
    Malformed {
        /// The file.
        path: String,
        /// The parser's words.
        why: String,
    },
    /// A key that nothing knows.
    #[error("{path}: unknown key `{key}`{hint}")]
    UnknownKey {
        /// The file.
        path: String,
        /// The key.
        key: String,
        /// The nearest known one.
        hint: String,
    },
    /// A value that cannot be used.
    #[error("{origin}: `{key}` cannot be `{value}`")]
    BadValue {
        /// Where it came from.
        origin: String,
        /// The setting.
        key: String,
        /// The value.
        value: String,
        /// What it must be.
        why: String,
    },
}

/// The world that settings are read from, so that it can be another one in tests.
#[derive(Debug, Default, Clone)]
pub struct Surroundings {
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The configuration file that was named, if one was.
    pub config: Option<PathBuf>,
    /// The `.env` file to read, if any.
    pub env_file: Option<PathBuf>,
    /// Values given by flags, by key.
    pub flags: Vec<(&'static str, String)>,
}

/// All settings with their values.
#[derive(Debug, Clone)]
pub struct Settings {
    values: BTreeMap<&'static str, (String, Origin)>,
    /// Values for the placeholders of formats that have them: `[variables]`.
    pub variables: BTreeMap<String, String>,
    /// The tables of the file that belong to a command of their own (`[lint]`, …), as they stand there.
    pub tables: BTreeMap<String, toml::Table>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Whether the process runs on a platform, where nobody watches.
    pub platform: Option<&'static str>,
}

/// Tables of the file that a command reads by itself.
const TABLES: &[&str] = &["lint", "roundtrip"];

/// Variables by which platforms are known.
const PLATFORMS: &[&str] = &["DYNO", "KUBERNETES_SERVICE_HOST", "CI"];

/// Variables in which platforms give the commit of a release, the first that is set.
const COMMITS: &[&str] = &[
    "HEROKU_SLUG_COMMIT",
    "HEROKU_BUILD_COMMIT",
    "SOURCE_VERSION",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "FLY_IMAGE_REF",
    "GIT_COMMIT",
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
];

impl Settings {
    /// Reads everything.
    pub fn load(surroundings: &Surroundings) -> Result<Self, SettingsError> {
        let environment = &surroundings.environment;
        let mut settings = Self {
            values: SETTINGS.iter().map(|s| (s.key, (s.default.to_owned(), Origin::Default))).collect(),
            variables: BTreeMap::new(),
            tables: BTreeMap::new(),
            file: None,
            platform: PLATFORMS
                .iter()
                .copied()
                .find(|name| environment.get(*name).is_some_and(|v| !v.is_empty())),
        };
        let named = surroundings.config.clone();
        let file = named.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
        if named.is_some() || file.exists() {
            settings.read_file(&file)?;
        }
        if let Some(commit) =
            COMMITS.iter().copied().find(|name| environment.get(*name).is_some_and(|v| !v.is_empty()))
        {
            settings.set("release", environment[commit].clone(), Origin::Environment(commit.to_owned()))?;
        }
        let from_file = surroundings.env_file.as_deref().map(read_env_file).transpose()?.unwrap_or_default();
        for setting in SETTINGS {
            if let Some(value) = environment.get(setting.env).filter(|value| !value.is_empty()) {
                settings.set(setting.key, value.clone(), Origin::Environment(setting.env.to_owned()))?;
            } else if let (Some(value), Some(path)) = (from_file.get(setting.env), &surroundings.env_file) {
                settings.set(setting.key, value.clone(), Origin::EnvFile(path.clone()))?;
            }
        }
        for (key, value) in &surroundings.flags {
            let flag = key.rsplit('.').next().unwrap_or(key).replace('_', "-");
            settings.set(key, value.clone(), Origin::Flag(flag))?;
        }
        Ok(settings)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| SettingsError::Unreadable { path: shown.clone(), why: error.to_string() })?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| SettingsError::Malformed {
            path: shown.clone(),
            why: error.to_string().trim().replace('\n', " "),
        })?;
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) if key == "variables" => {
                    for (name, value) in inner {
                        self.variables.insert(name, plain(&value));
                    }
                }
                toml::Value::Table(inner) if TABLES.contains(&key.as_str()) => {
                    self.read_table(key, inner, &Origin::File(path.to_owned()))?;
                }
                value if SETTINGS.iter().any(|setting| setting.key == key) => {
                    self.set(&key, plain(&value), Origin::File(path.to_owned()))?;
                }
                _ => {
                    let known =
                        SETTINGS.iter().map(|s| s.key).chain(TABLES.iter().copied()).chain(["variables"]);
                    let hint = crate::text::nearest(&key, known)
                        .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                    return Err(SettingsError::UnknownKey { path: shown, key, hint });
                }
            }
        }
        self.file = Some(path.to_owned());
        Ok(())
    }

    /// A command's own table: its settings, and what the command reads by itself.
    fn read_table(&mut self, name: String, table: toml::Table, origin: &Origin) -> Result<(), SettingsError> {
        let mut own = toml::Table::new();
        for (key, value) in table {
            let full = format!("{name}.{key}");
            if SETTINGS.iter().any(|setting| setting.key == full) {
                self.set(&full, plain(&value), origin.clone())?;
            } else {
                own.insert(key, value);
            }
        }
        self.tables.insert(name, own);
        Ok(())
    }

    fn set(&mut self, key: &str, value: String, origin: Origin) -> Result<(), SettingsError> {
        let setting =
            SETTINGS.iter().find(|setting| setting.key == key).expect("only keys of the list are ever set");
        let wrong = match setting.shape {
            Shape::Text => None,
            Shape::Duration => parse_duration(&value).err(),
            Shape::Choice(choices) if choices.contains(&value.as_str()) => None,
            Shape::Choice(choices) => Some(format!("it is one of {}", choices.join(", "))),
        };
        if let Some(why) = wrong {
            return Err(SettingsError::BadValue {
                origin: origin.to_string(),
                key: key.to_owned(),
                value,
                why,
            });
        }
        self.values.insert(setting.key, (value, origin));
        Ok(())
    }

    /// The value of `key`; empty where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(value, _)| value)
    }

    /// The value of `key`, if there is one.
    pub fn optional(&self, key: &str) -> Option<&str> {
        Some(self.text(key)).filter(|value| !value.is_empty())
    }

    /// Where the value of `key` came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.values.get(key).map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// The duration that `key` holds.
    pub fn duration(&self, key: &str) -> Duration {
        parse_duration(self.text(key)).expect("durations were checked when they were set")
    }

    /// Whether the old tool's table is kept in step.
    pub fn mirror_history(&self) -> MirrorWish {
        match self.text("mirror_history") {
            "yes" => MirrorWish::Yes,
            "no" => MirrorWish::No,
            _ => MirrorWish::AsAdopted,
        }
    }

    /// What `migrate` does with backfills.
    pub fn backfills(&self) -> Backfills {
        match self.text("backfills") {
            "leave" => Backfills::Leave,
            _ => Backfills::Run,
        }
    }

    /// What to do with migrations that are out of order.
    pub fn out_of_order(&self) -> OutOfOrder {
        match self.text("out_of_order") {
            "error" => OutOfOrder::Error,
            "allow" => OutOfOrder::Allow,
            _ => OutOfOrder::Warn,
        }
    }
}

/// A TOML value as a setting's text.
pub fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(value) => value.to_string(),
        toml::Value::Datetime(moment) => moment.to_string(),
        toml::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        toml::Value::Table(_) => "(a table)".to_owned(),
    }
}

/// `NAME=value` lines, with `#` comments, `export` and quotes, as development tools write them.
fn read_env_file(path: &Path) -> Result<BTreeMap<String, String>, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|error| SettingsError::Unreadable {
        path: path.display().to_string(),
        why: error.to_string(),
    })?;
    let line = |line: &str| {
        let line = line.trim().strip_prefix("export ").unwrap_or(line.trim());
        let (name, value) = line.split_once('=')?;
        let value = value.trim();
        let unquoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or_else(|| value.split(" #").next().unwrap_or(value).trim_end());
        (!name.starts_with('#')).then(|| (name.trim().to_owned(), unquoted.to_owned()))
    };
    Ok(text.lines().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(
        toml: &str,
        environment: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join(FILE_NAME);
        std::fs::write(&config, toml).expect("a file");
        Settings::load(&Surroundings {
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            config: Some(config),
            env_file: None,
            flags: flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect(),
        })
    }

    #[test]
    fn flags_win_over_the_environment_over_the_file() {
        let toml = "migrations = 'a'\njournal = 'j'\nlock_timeout = '1s'\n";
        let settings =
            load(toml, &[("TWOSTEP_MIGRATIONS", "b"), ("TWOSTEP_JOURNAL", "k")], &[("migrations", "c")])
                .unwrap();
        assert_eq!(settings.text("migrations"), "c");
        assert_eq!(settings.origin("migrations").to_string(), "--migrations");
        assert_eq!(settings.text("journal"), "k");
        assert_eq!(settings.duration("lock_timeout"), Duration::from_secs(1));
        assert_eq!(settings.origin("seeds"), &Origin::Default);
    }

    #[test]
    fn wrong_keys_and_values_are_errors() {
        let wrong = |toml: &str| format!("{:?}", load(toml, &[], &[]).expect_err("a wrong file"));
        assert!(wrong("migration = 'a'").contains("did you mean `migrations`?"));
        assert!(wrong("lock_timeout = 'soon'").contains("duration like"));
        assert!(wrong("out_of_order = 'maybe'").contains("warn, error, allow"));
        assert!(wrong("a = [").contains("Malformed"));
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        assert!(
            parse_duration("5").is_err() && parse_duration("").is_err() && parse_duration("-1s").is_err()
        );
        assert!(parse_duration("99999999999999999999h").is_err());
    }

    #[test]
    fn the_commit_of_the_platform_is_the_release() {
        let settings = load("", &[("HEROKU_SLUG_COMMIT", "abc"), ("DYNO", "release.1")], &[]).unwrap();
        assert_eq!(settings.text("release"), "abc");
        assert_eq!(settings.platform, Some("DYNO"));
    }
}
