//! The two steps that do without harm what a hazardous change does: what the first release brings, what the code must
//! do, what the second release takes away. For the very table and column that the change is about. What `lint` shows
//! and what `plan` writes is this.

pub mod about;

use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::ForeignKeyAction;
use crate::schema::model::Index;
use std::sync::Arc;

/// Two steps instead of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// The first step, in order: it works with the code that is running, and with the new one.
    pub expand: Vec<Stage>,
    /// What the code must do before the second step is deployed.
    pub code: String,
    /// The second step, once no older code runs.
    pub contract: Vec<Stage>,
    /// What takes the second step back, to where the first one ended.
    pub back: Back,
    /// What has no online way, or is not quite the same.
    pub limits: Vec<String>,
    /// What is not known, so that the statements cannot be run as they stand.
    pub missing: Vec<Missing>,
}

/// What takes a contract back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Back {
    /// There is nothing to take back.
    #[default]
    Nothing,
    /// These statements.
    Stages(Vec<Stage>),
    /// Only the author of the migration can know: what its own down does.
    Authors,
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// What a column shall hold in rows that do not give it.
    Fill(Name),
    /// Anything else, as a sentence that says why there is no plan.
    Other(String),
    /// There is no plan, for the same kind of reason, but there are tools that do it.
    Tool {
        /// Why, as a sentence.
        why: String,
        /// Their command lines, with placeholders for what is not known.
        commands: Vec<String>,
    },
}

/// Statements that are run together, or one that is run in a way of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// One transaction, each statement of which only changes the catalog.
    Together(Vec<Action>),
    /// By itself: it scans or builds under a lock that nobody feels, and must hold no other lock meanwhile.
    Alone(Action),
    /// An `UPDATE` that is run in chunks of rows, by the columns of a key.
    Backfill {
        /// The update.
        action: Action,
        /// The key.
        key: Vec<Name>,
    },
}

impl Stage {
    /// Its statements in order.
    pub fn actions(&self) -> &[Action] {
        match self {
            Stage::Together(actions) => actions,
            Stage::Alone(action) | Stage::Backfill { action, .. } => std::slice::from_ref(action),
        }
    }
}

/// One statement of a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it is for, one line.
    pub about: String,
    /// The statement, without a `;`.
    pub sql: String,
    /// What takes it back.
    pub undo: Undo,
    /// Whether all that it would have to read or build is there already, so that it is done in a moment.
    pub prepared: bool,
    /// Whether it only carries over what nobody but the database knows: rights, comments, statistics.
    pub carries: bool,
    /// Whether triggers of the table may ask, while it runs, whether it is this that writes the rows.
    pub told: bool,
}

/// What takes a statement back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Nothing: what takes back a statement before it takes this one back too, or it leaves nothing behind.
    Nothing,
    /// Statements for the transaction that takes back its neighbours.
    Together(Vec<String>),
    /// Statements that must each run by themselves.
    Alone(Vec<String>),
}

impl Action {
    /// A statement that leaves nothing behind.
    pub fn new(about: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            sql: sql.into(),
            undo: Undo::Nothing,
            prepared: false,
            carries: false,
            told: false,
        }
    }

    /// The same, as one that only carries over what nobody but the database knows.
    #[must_use]
    pub fn carrying(mut self) -> Self {
        self.carries = true;
        self
    }

    /// The same, for which others have done all that takes long.
    #[must_use]
    pub fn prepared(mut self) -> Self {
        self.prepared = true;
        self
    }

    /// The same, taken back by `sql`.
    #[must_use]
    pub fn undone_by(mut self, sql: impl Into<String>) -> Self {
        self.undo = Undo::Together(vec![sql.into()]);
        self
    }

    /// The same, taken back by statements that each run by themselves.
    #[must_use]
    pub fn undone_alone_by(mut self, sql: Vec<String>) -> Self {
        self.undo = Undo::Alone(sql);
        self
    }

    /// What drops the trigger that it makes, if it makes one.
    fn trigger_drop(&self) -> Option<&String> {
        match &self.undo {
            Undo::Together(sql) => sql.first().filter(|sql| sql.starts_with("DROP TRIGGER")),
            Undo::Nothing | Undo::Alone(_) => None,
        }
    }
}

/// What drops the triggers that `made` makes, the first with `text`.
pub fn stopped(made: &[Action], text: &str) -> Vec<Action> {
    let drops = made.iter().filter_map(Action::trigger_drop);
    drops.enumerate().map(|(at, sql)| Action::new(if at == 0 { text } else { "" }, sql.clone())).collect()
}

/// What a foreign key does `when` its other row goes or changes (`ON DELETE`, `ON UPDATE`), with a space in front;
/// nothing where it does what it does without a word.
pub fn foreign_key_action(when: &str, action: ForeignKeyAction) -> String {
    let word = match action {
        ForeignKeyAction::NoAction => return String::new(),
        ForeignKeyAction::Restrict => "RESTRICT",
        ForeignKeyAction::Cascade => "CASCADE",
        ForeignKeyAction::SetNull => "SET NULL",
        ForeignKeyAction::SetDefault => "SET DEFAULT",
    };
    format!(" {when} {word}")
}

impl Proposal {
    /// Says that there is no plan where `fill` is no expression over the row alone, which is all that a trigger knows.
    pub fn must_fill_from_the_row(&mut self, fill: &str) {
        if fill.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "select") {
            self.missing.push(Missing::Other(format!(
                "`{fill}` reads another table, and is no value that a trigger computes from the row: give one with --fill"
            )));
        }
    }
}

/// What is known beyond the schema when a plan is made.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// What columns shall hold in rows that do not give them: table (full name), column, expression over the row.
    pub fills: Vec<(TableName, Name, String)>,
    /// Columns whose default from a sequence of theirs the same migration drops, and that it makes identities then.
    pub renumbered: Vec<(TableName, Name)>,
    /// Indexes that the same migration drops and makes anew under their names, with the full names of their tables, as they
    /// were.
    pub rebuilt: Vec<(TableName, Arc<Index>)>,
    /// Functions that the same migration replaces, with their full names.
    pub replaced: Vec<ObjectName>,
    /// Columns that the same migration takes apart, in order: what stands over several of them belongs to the last.
    pub apart: Vec<Apart>,
}

/// A column that has a copy from the first step on until the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The full name of its table.
    pub table: TableName,
    /// Its name before the change.
    pub column: Name,
    /// The name of its copy.
    pub copy: Name,
    /// What the copy is for.
    pub copied: Copied,
}

/// What a copy of a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It has the name that the column gets.
    Renamed,
    /// It has the type that the column gets, and takes its place.
    Retyped,
}

impl Given {
    /// The index `name` of the table with the full name `table` as it was, where it is made anew.
    pub fn rebuilt(&self, table: &TableName, name: &Name) -> Option<&Index> {
        let found = self.rebuilt.iter().find(|(of, index)| of == table && index.name == *name);
        found.map(|(_, index)| &**index)
    }

    /// What `column` of the table with the full name `table` is filled with.
    pub fn fill(&self, table: &TableName, column: &Name) -> Option<&str> {
        let found = self.fills.iter().find(|(of, name, _)| of == table && name == column);
        found.map(|(_, _, expression)| expression.as_str())
    }
}

impl Proposal {
    /// What the first step does before rows are written: statements that end with `;`.
    pub fn expand_lines(&self) -> Vec<String> {
        lines(self.split_expand().0)
    }

    /// What the first step does with the rows, and what proves it.
    pub fn backfill_lines(&self) -> Vec<String> {
        lines(self.split_expand().1)
    }

    /// What the second step does.
    pub fn contract_lines(&self) -> Vec<String> {
        lines(&self.contract)
    }

    fn split_expand(&self) -> (&[Stage], &[Stage]) {
        let fills = |stage: &Stage| matches!(stage, Stage::Backfill { .. });
        let split = self.expand.iter().position(fills).unwrap_or(self.expand.len());
        self.expand.split_at(split)
    }

    /// As text for people: both migrations, with what has to happen between them. What only carries over rights and
    /// the like is named, not shown.
    pub fn text(&self) -> String {
        let mut out = String::new();
        part(&mut out, "1. expand, with this release:", &shown_lines(self.split_expand().0));
        part(&mut out, "2. backfill, in batches:", &self.backfill_lines());
        if !self.code.is_empty() {
            out.push_str("-- then, in the code:\n");
            self.code.lines().for_each(|line| out.push_str(&format!("--    {line}\n")));
        }
        part(&mut out, "last, contract, once no older code runs:", &shown_lines(&self.contract));
        for limit in &self.limits {
            out.push_str(&format!("-- note: {limit}\n"));
        }
        for missing in &self.missing {
            match missing {
                Missing::Fill(_) => {}
                Missing::Other(why) => out.push_str(&format!("-- note: {why}\n")),
                Missing::Tool { why, commands } => {
                    out.push_str(&format!("-- note: {why}\n"));
                    commands.iter().for_each(|command| out.push_str(&format!("--    {command}\n")));
                }
            }
        }
        out.truncate(out.trim_end().len());
        out
    }
}

fn part(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("-- {title}\n"));
    lines.iter().for_each(|line| out.push_str(&format!("{line}\n")));
}

/// The statements of `stages` as SQL, with BEGIN and COMMIT around what belongs together.
fn lines(stages: &[Stage]) -> Vec<String> {
    written(stages, |action| format!("{};", action.sql))
}

/// The same for people.
fn shown_lines(stages: &[Stage]) -> Vec<String> {
    written(stages, |action| match action.carries {
        true => format!("-- {} `twostep plan` writes the statement.", action.about),
        false => format!("{};", action.sql),
    })
}

fn written(stages: &[Stage], line: impl Fn(&Action) -> String) -> Vec<String> {
    let mut out = Vec::new();
    for stage in stages {
        let together = matches!(stage, Stage::Together(actions) if actions.len() > 1);
        if together {
            out.push("BEGIN;".to_owned());
        }
        out.extend(stage.actions().iter().map(&line));
        if together {
            out.push("COMMIT;".to_owned());
        }
    }
    out
}
