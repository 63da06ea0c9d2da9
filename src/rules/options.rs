//! Which rules are looked for, and how bad each is where.

use super::migration::Runner;
use super::rule::{Group, Rule, Severity};
use crate::compat::running::Running;
use crate::engine::version::ServerVersion;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How migrations are judged.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server that they are for.
    pub server: ServerVersion,
    /// Whether somebody has said so, and it is not just the usual one.
    pub is_server_known: bool,
    /// Who runs them.
    pub runner: Runner,
    /// Groups that are looked for beside the usual ones.
    pub groups: Vec<Group>,
    /// What the settings change, in order; a later one counts more.
    pub levels: Vec<Level>,
    /// Where the newest migrations reach the database in one deploy: the number of the first of them in its folder.
    pub deploy_from: Option<usize>,
    /// The files that were edited after they may have been applied, each with the first line (from 1) that differs.
    pub edited: BTreeMap<String, usize>,
    /// The queries of the running code, where they are known.
    pub running: Option<Arc<Running>>,
}

impl Options {
    /// The usual rules for `server`.
    pub fn new(server: ServerVersion) -> Self {
        Self {
            server,
            is_server_known: false,
            runner: Runner::default(),
            groups: Vec::new(),
            levels: Vec::new(),
            deploy_from: None,
            edited: BTreeMap::new(),
            running: None,
        }
    }

    /// How bad a finding of `rule` in the file `path` is; none where the rule is off there.
    pub fn severity(&self, rule: &Rule, path: &str) -> Option<Severity> {
        let usual = rule.group != Group::Style || self.groups.contains(&rule.group);
        let start = usual.then_some(rule.severity);
        let fitting = self.levels.iter().filter(|level| level.is_about(rule, path));
        fitting.fold(start, |_, level| level.severity)
    }

    /// Whether a setting says how bad `rule` is in the file `path`: then that counts, whatever a draft says.
    pub fn is_set(&self, rule: &Rule, path: &str) -> bool {
        self.levels.iter().any(|level| level.is_about(rule, path))
    }
}

/// A setting: how bad a rule, or all of a group, is, in all files or in some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The rule's id or the group's; `all` for every rule.
    pub name: String,
    /// The files that it is about, as a pattern with `*`; none for all.
    pub path: Option<String>,
    /// How bad it is; none for off.
    pub severity: Option<Severity>,
}

impl Level {
    fn is_about(&self, rule: &Rule, path: &str) -> bool {
        let named = self.name == rule.id || self.name == rule.group.id() || self.name == "all";
        named && self.path.as_deref().is_none_or(|pattern| fits(pattern, path))
    }
}

/// Whether `path` fits `pattern`, in which `*` stands for anything, also for folders.
pub fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("2019*", "20190101_a.up.sql"));
        assert!(fits("*_data*.sql", "a/1_data_b.sql"));
        assert!(fits("1.sql", "1.sql"));
        assert!(!fits("1.sql", "11.sql"));
        assert!(!fits("2019*.down.sql", "2019.up.sql"));
        assert!(fits("*", ""));
    }
}
