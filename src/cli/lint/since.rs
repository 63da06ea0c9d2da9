//! What is new or changed since a revision, as git says.

use super::target::Target;
use crate::cli::exit::Exit;
use crate::cli::printer::{Report, visible};
use crate::rules::finding::text;
use crate::source::{Checksum, Kind, LOOSE, Migration, ReadOptions, Script, SourceFile, read};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// What git says of a folder.
struct Changes {
    /// The commit that both the revision and the working tree come from.
    base: String,
    /// Files that it does not have.
    added: BTreeSet<String>,
    /// Files that it has in another text.
    edited: BTreeSet<String>,
}

/// What is new in a folder.
#[derive(Debug, Default)]
pub struct New {
    /// The number of the first new migration.
    pub first: Option<usize>,
    /// The migrations that were edited: each file with the first line that differs.
    pub edited: BTreeMap<String, usize>,
}

/// Leaves of what `target` judges only what is new or changed since `revision`.
pub fn narrow(target: &mut Target, revision: &str, options: &ReadOptions) -> Result<New, Report> {
    let changes = changes(&target.root, revision)?;
    let old = Old::read(target, &changes, options)?;
    let mut new = New::default();
    let mut changed = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (number, migration) in target.folder.migrations.iter().enumerate() {
        let was = old.migrations.iter().find(|old| old.up.path == migration.up.path);
        let up_was = was.map(|old| &old.up.checksum);
        let down_was = was.and_then(|old| old.down.as_ref()).map(|down| &down.checksum);
        let is_new = changes.added.contains(&migration.up.path);
        let is_edited = old.differs(&migration.up, up_was);
        if is_new {
            new.first.get_or_insert(number);
        } else if is_edited && migration.kind != Kind::Repeatable && target.folder.format != LOOSE {
            new.edited.insert(migration.up.path.clone(), old.first_difference(&migration.up));
        }
        if is_new || is_edited {
            changed.insert(migration.up.path.clone());
            numbers.insert(number);
        }
        let is_down_new = |down: &&Script| changes.added.contains(&down.path) || old.differs(down, down_was);
        if let Some(down) = migration.down.as_ref().filter(is_down_new) {
            changed.insert(down.path.clone());
            numbers.insert(number);
        }
    }
    target.chosen.retain(|number| numbers.contains(number));
    if let Some(named) = &target.named {
        changed.retain(|path| named.contains(path));
    }
    target.named = Some(changed);
    Ok(new)
}

/// What the base has where it has something else.
struct Old {
    /// The texts of the files that have changed, by their paths.
    texts: BTreeMap<String, String>,
    /// The migrations as they were; none where they could not be read.
    migrations: Vec<Migration>,
}

impl Old {
    fn read(target: &Target, changes: &Changes, options: &ReadOptions) -> Result<Self, Report> {
        let scripts =
            target.folder.migrations.iter().flat_map(|one| std::iter::once(&one.up).chain(&one.down));
        let mut texts = BTreeMap::new();
        let mut files: BTreeMap<String, SourceFile> = BTreeMap::new();
        for script in scripts {
            let path = &script.path;
            if changes.edited.contains(path) && !texts.contains_key(path) {
                let was = git(&target.root, &["show", &format!("{}:./{path}", changes.base)])?;
                texts.insert(path.clone(), was);
            }
            let text = texts.get(path).map_or_else(|| text(script), |was| Arc::from(was.as_str()));
            files.insert(path.clone(), SourceFile::text(path.clone(), &text));
        }
        let mut migrations = Vec::new();
        if !texts.is_empty() && target.folder.format != LOOSE {
            let files: Vec<SourceFile> = files.into_values().collect();
            migrations = read(&files, Some(target.folder.format), options)
                .map_or_else(|_| Vec::new(), |it| it.migrations);
        }
        Ok(Self { texts, migrations })
    }

    /// Whether `now` does something else than it did, when its checksum was `was`. Line ends do not count.
    fn differs(&self, now: &Script, was: Option<&Checksum>) -> bool {
        self.texts.contains_key(&now.path) && was != Some(&now.checksum)
    }

    /// The first line (from 1) in which the file of `now` differs.
    fn first_difference(&self, now: &Script) -> usize {
        first_difference(self.texts.get(&now.path).map_or("", String::as_str), &text(now))
    }
}

/// The first line (from 1) of `now` that is not as in `old`.
fn first_difference(old: &str, now: &str) -> usize {
    let same = old.lines().zip(now.lines()).take_while(|(old, now)| old == now).count();
    same.min(now.lines().count().saturating_sub(1)) + 1
}

/// What is new or changed in the folder `root` since it and `revision` went apart.
fn changes(root: &Path, revision: &str) -> Result<Changes, Report> {
    let commit = format!("{revision}^{{commit}}");
    // Outside of a repository this says so; asked for a revision that there is not, git is quiet.
    git(root, &["rev-parse", "--git-dir"])?;
    git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
        .map_err(|_| no_revision(revision))?;
    let base = git(root, &["merge-base", revision, "HEAD"]).map_err(|_| no_base(revision))?;
    let base = base.trim().to_owned();
    let listed = git(root, &["diff", "--name-status", "--no-renames", "--relative", "-z", &base, "--", "."])?;
    let untracked = git(root, &["ls-files", "--others", "--exclude-standard", "-z", "--", "."])?;
    let mut changes = Changes { base, added: BTreeSet::new(), edited: BTreeSet::new() };
    let mut parts = listed.split('\0');
    while let (Some(status), Some(path)) = (parts.next(), parts.next()) {
        match status {
            "A" => changes.added.insert(path.to_owned()),
            "D" => false,
            _ => changes.edited.insert(path.to_owned()),
        };
    }
    changes.added.extend(untracked.split('\0').filter(|path| !path.is_empty()).map(str::to_owned));
    Ok(changes)
}

/// What git prints in the folder `root`.
fn git(root: &Path, arguments: &[&str]) -> Result<String, Report> {
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().map_err(|error| {
        failed("git cannot be run").why(error.to_string()).help("install git, or name the new files instead")
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let why = visible(why.trim());
    Err(failed("git cannot say what has changed").why(why).help("name the new files instead of --since"))
}

fn failed(message: &str) -> Report {
    Report::new(Exit::Usage, message).state("nothing was judged, nothing changed")
}

fn no_revision(revision: &str) -> Report {
    failed(&format!("git knows no revision `{}`", visible(revision)))
        .why("what is new is told by comparing with it")
        .help("fetch it first (in CI: a checkout with its history, `fetch-depth: 0`), or correct its name")
}

fn no_base(revision: &str) -> Report {
    failed(&format!("git finds no commit that `{}` and this branch have in common", visible(revision)))
        .why("a shallow clone does not have it")
        .help("fetch the history first (in CI: `fetch-depth: 0`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs() {
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), 2);
        assert_eq!(first_difference("a\n", "a\nb\n"), 2);
        assert_eq!(first_difference("a\nb\n", "a\n"), 1);
        assert_eq!(first_difference("", ""), 1);
    }
}
