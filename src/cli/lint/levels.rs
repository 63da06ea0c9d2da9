//! Which rules are looked for and how bad each is, as `[lint]` of twostep.toml and the flags say.

use crate::cli::settings::{Origin, SETTINGS, Settings, SettingsError, plain};
use crate::rules::{self, Group, Level, Severity};
use crate::text::nearest;

/// The tables of `[lint]` beside its settings.
const TABLES: [&str; 2] = ["paths", "rules"];

/// What the settings change, in order: a group counts more than `all`, a rule more than its group, and what is said of
/// a path more than what is said of everything.
pub fn levels(settings: &Settings) -> Result<Vec<Level>, SettingsError> {
    let Some(table) = settings.tables.get("lint") else { return Ok(Vec::new()) };
    let origin = settings.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let mut levels = Vec::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(rules) if key == "rules" => {
                levels.splice(0..0, of_table(rules, None, &origin, "lint.rules")?);
            }
            toml::Value::Table(paths) if key == "paths" => {
                for (path, rules) in paths {
                    let place = format!("lint.paths.\"{path}\"");
                    let Some(rules) = rules.as_table() else {
                        return Err(bad(
                            &origin,
                            place,
                            rules,
                            "it is a table of rules and their severities",
                        ));
                    };
                    levels.extend(of_table(rules, Some(path), &origin, &place)?);
                }
            }
            value if TABLES.contains(&key.as_str()) => {
                return Err(bad(&origin, format!("lint.{key}"), value, "it is a table"));
            }
            _ => {
                let known = SETTINGS.iter().filter_map(|setting| setting.key.strip_prefix("lint."));
                return Err(unknown(&origin, &format!("lint.{key}"), key, known.chain(TABLES)));
            }
        }
    }
    Ok(levels)
}

/// The groups of rules that are off by default and wanted.
pub fn groups(settings: &Settings) -> Result<Vec<Group>, SettingsError> {
    let words = settings.text("lint.groups").split([',', ' ']).filter(|word| !word.is_empty());
    let group = |word: &str| {
        Group::from_id(word).ok_or_else(|| SettingsError::BadValue {
            origin: settings.origin("lint.groups").to_string(),
            key: "lint.groups".to_owned(),
            value: word.to_owned(),
            why: format!("it is one of {}", ids()),
        })
    };
    words.map(group).collect()
}

/// `RULE=SEVERITY`, as a flag says it.
pub fn level(text: &str) -> Result<Level, String> {
    let (name, severity) = text.split_once('=').ok_or("it looks like RULE=off|note|warning|error")?;
    if !is_known(name) {
        let near =
            nearest(name, names()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no rule `{name}`{near}"));
    }
    let severity = severity_of(severity).ok_or("it is off, note, warning or error")?;
    Ok(Level { name: name.to_owned(), path: None, severity })
}

/// `levels` for a folder that is shown as `root`: patterns may start at it, or at where the command runs.
pub fn for_folder(levels: &[Level], root: &str) -> Vec<Level> {
    let below = |pattern: &String| {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let rest = pattern.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
        rest.unwrap_or(pattern).to_owned()
    };
    levels.iter().map(|level| Level { path: level.path.as_ref().map(below), ..level.clone() }).collect()
}

fn of_table(
    table: &toml::Table,
    path: Option<&String>,
    origin: &str,
    place: &str,
) -> Result<Vec<Level>, SettingsError> {
    let mut levels = Vec::new();
    for (name, value) in table {
        let key = format!("{place}.{name}");
        if !is_known(name) {
            return Err(unknown(origin, &key, name, names()));
        }
        let Some(severity) = value.as_str().and_then(severity_of) else {
            return Err(bad(origin, key, value, "it is off, note, warning or error"));
        };
        levels.push(Level { name: name.clone(), path: path.cloned(), severity });
    }
    levels.sort_by_key(|level| (level.name != "all", Group::from_id(&level.name).is_none()));
    Ok(levels)
}

/// The severity that `word` says; the inner one is none for `off`.
fn severity_of(word: &str) -> Option<Option<Severity>> {
    if word == "off" { Some(None) } else { Severity::from_id(word).map(Some) }
}

fn names() -> impl Iterator<Item = &'static str> {
    rules::RULES.iter().map(|rule| rule.id).chain(Group::ALL.iter().map(|group| group.id())).chain(["all"])
}

fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

fn ids() -> String {
    Group::ALL.iter().map(|group| group.id()).collect::<Vec<_>>().join(", ")
}

fn unknown<'a>(origin: &str, key: &str, name: &str, known: impl Iterator<Item = &'a str>) -> SettingsError {
    let hint = nearest(name, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    SettingsError::UnknownKey { path: origin.to_owned(), key: key.to_owned(), hint }
}

fn bad(origin: &str, key: String, value: &toml::Value, why: &str) -> SettingsError {
    let value = plain(value);
    SettingsError::BadValue { origin: origin.to_owned(), key, value, why: why.to_owned() }
}

/// Whether the baseline was named, and not only looked for.
pub fn names_baseline(settings: &Settings) -> bool {
    *settings.origin("lint.baseline") != Origin::Default
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings::Surroundings;

    fn settings(toml: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("twostep.toml");
        std::fs::write(&config, toml).unwrap();
        Settings::load(&Surroundings { config: Some(config), ..Surroundings::default() }).unwrap()
    }

    fn shown(toml: &str) -> Result<String, String> {
        let levels = levels(&settings(toml)).map_err(|error| error.to_string())?;
        let shown = |level: &Level| {
            let severity = level.severity.map_or("off", Severity::id);
            format!("{} {}={severity}", level.path.as_deref().unwrap_or("-"), level.name)
        };
        Ok(levels.iter().map(shown).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn what_is_said_last_counts_most() {
        let toml = "[lint]\nfail_on = 'note'\n[lint.paths.'2019*']\ndrop-column = 'off'\n\
            [lint.rules]\ndrop-table = 'note'\nlock = 'warning'\nall = 'error'\n";
        assert_eq!(
            shown(toml).unwrap(),
            "- all=error; - lock=warning; - drop-table=note; 2019* drop-column=off"
        );
    }

    #[test]
    fn wrong_rules_and_severities_are_errors() {
        let wrong = |toml: &str| shown(toml).unwrap_err();
        let end = "unknown key `lint.rules.drop-colum`; did you mean `drop-column`?";
        assert!(wrong("[lint.rules]\ndrop-colum = 'off'\n").ends_with(end));
        assert!(wrong("[lint.rules]\ndrop-column = 'on'\n").contains("cannot be `on`"));
        assert!(wrong("[lint]\nserver = '16'\n").contains("unknown key `lint.server`"));
        assert!(wrong("[lint]\nrules = 1\n").contains("`lint.rules` cannot be `1`"));
        assert!(wrong("[lint.paths]\na = 1\n").contains("cannot be `1`"));
    }

    #[test]
    fn groups_are_a_list_or_words() {
        assert_eq!(
            groups(&settings("[lint]\ngroups = ['style', 'loss']")),
            Ok(vec![Group::Style, Group::Loss])
        );
        assert!(groups(&settings("[lint]\ngroups = 'nice'")).is_err());
    }

    #[test]
    fn patterns_start_at_the_folder_or_where_the_command_runs() {
        let at = |pattern: &str, root: &str| {
            let level = Level { name: "all".to_owned(), path: Some(pattern.to_owned()), severity: None };
            for_folder(&[level], root)[0].path.clone().unwrap()
        };
        assert_eq!(at("db/migrations/2019*", "db/migrations"), "2019*");
        assert_eq!(at("./db/a", "db"), "a");
        assert_eq!(at("2019*", "db"), "2019*");
        assert_eq!(at("dba/x", "db"), "dba/x");
    }
}
