//! What all outputs are written from: findings with the files that they stand in, and what there is to count.

use crate::engine::version::ServerVersion;
use crate::name::hex;
use crate::parallel;
use crate::rules::{Finding, Linted, Severity};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// What lint has found.
#[derive(Debug)]
pub struct Findings {
    /// Each of them, in the order of the files.
    pub items: Vec<Item>,
    /// What there is to count.
    pub summary: Summary,
    /// The servers that was judged for.
    pub servers: Vec<ServerVersion>,
}

/// A finding, with the file that it stands in.
#[derive(Debug)]
pub struct Item {
    /// The finding.
    pub finding: Finding,
    /// The file, as it is shown: from where the command runs, with `/` between its parts.
    pub file: String,
    /// The file's text.
    pub text: Arc<str>,
    /// What tells it from others, also after the lines around it have changed.
    pub fingerprint: String,
}

/// What there is to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many migrations were judged.
    pub migrations: usize,
    /// How many statements they have.
    pub statements: usize,
    /// How many findings an allow has silenced.
    pub allowed: usize,
    /// How many findings the baseline has accepted.
    pub accepted: usize,
}

impl Findings {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { items: Vec::new(), summary: Summary::default(), servers: Vec::new() }
    }

    /// Adds what was found in one folder, whose files are shown as `file` says.
    pub fn add(&mut self, linted: Linted, server: ServerVersion, file: impl Fn(&str) -> String) {
        self.summary.migrations += linted.migrations;
        self.summary.statements += linted.statements;
        self.summary.allowed += linted.allowed;
        if !self.servers.contains(&server) {
            self.servers.push(server);
        }
        let text =
            |finding: &Finding| linted.texts.get(&finding.path).map_or_else(|| Arc::from(""), Arc::clone);
        let digests = parallel::map(&linted.findings, |finding| digest(finding, &text(finding)));
        let mut seen = HashMap::new();
        for (finding, digest) in linted.findings.into_iter().zip(digests) {
            let text = linted.texts.get(&finding.path).map_or_else(|| Arc::from(""), Arc::clone);
            let fingerprint = fingerprint(digest, &mut seen);
            self.items.push(Item { file: file(&finding.path), text, fingerprint, finding });
        }
    }

    /// Adds what was found elsewhere, behind what is here.
    pub fn append(&mut self, other: Findings) {
        self.summary.migrations += other.summary.migrations;
        self.summary.statements += other.summary.statements;
        self.summary.allowed += other.summary.allowed;
        self.summary.accepted += other.summary.accepted;
        let new = other.servers.into_iter().filter(|server| !self.servers.contains(server));
        self.servers.extend(new.collect::<Vec<_>>());
        self.items.extend(other.items);
    }

    /// How many findings are as bad as `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|item| item.finding.severity == severity).count()
    }

    /// What was found, in one line: `1 error, 2 warnings in 3 migrations for PostgreSQL 17; 1 allowed`.
    pub fn headline(&self) -> String {
        let counted =
            |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let found: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .map(|severity| (self.count(severity), severity))
            .filter(|(count, _)| *count > 0)
            .map(|(count, severity)| counted(count, severity.id()))
            .collect();
        let found = if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") };
        let servers = self.servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let mut line = format!("{found} in {} for {servers}", counted(self.summary.migrations, "migration"));
        for (count, word) in [(self.summary.allowed, "allowed"), (self.summary.accepted, "in the baseline")] {
            if count > 0 {
                line.push_str(&format!("; {count} {word}"));
            }
        }
        line
    }

    /// How bad the worst of them is.
    pub fn worst(&self) -> Option<Severity> {
        self.items.iter().map(|item| item.finding.severity).max()
    }
}

impl Default for Findings {
    fn default() -> Self {
        Self::new()
    }
}

/// The rule, the file, the statement and the part of it: blank space does not count.
fn digest(finding: &Finding, text: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [finding.rule.id, &finding.path, &finding.statement, finding.span.of(text)] {
        for word in part.split_whitespace() {
            digest.update(word.as_bytes());
            digest.update(b" ");
        }
        digest.update(b"\0");
    }
    digest.finalize().into()
}

/// The digest, and which of several alike.
fn fingerprint(digest: [u8; 32], seen: &mut HashMap<[u8; 32], usize>) -> String {
    let mut bytes = digest;
    let alike = seen.entry(bytes).or_default();
    if *alike > 0 {
        bytes = Sha256::digest([&bytes[..], &alike.to_be_bytes()].concat()).into();
    }
    *alike += 1;
    hex(&bytes[..16])
}
