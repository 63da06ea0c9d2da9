//! What becomes of each statement of a migration: it is kept, taken apart, or there is no plan.

mod behind;
mod kinds;
mod referred;
mod routine;
mod successor;

use super::concern::{Concern, concerns, target};
use crate::analysis::{Applied, Step};
use crate::engine;
use crate::engine::effects::Session;
use crate::engine::proposal::{Action, Given, Missing, Proposal, Stage, Undo};
use crate::engine::update::update_parts;
use crate::engine::version::ServerVersion;
use crate::name::{Name, TableName};
use crate::schema::apply::Note;
use crate::schema::breaks::{BreaksOlder, breaks_older};
use crate::schema::change::{
    Change, ChangeKind, InsertRows, RowSecurity, SettingScope, TableAction, TransactionControl, TypeAction,
    Via,
};
use crate::schema::model::{Dependency, Schema};
use crate::source::Folder;
use behind::{ONE_AFTER_THE_OTHER, shown};
use kinds::*;
pub(super) use routine::{Unsettled, unsettled};
pub(super) use successor::{AddedKey, Waiting, added_keys};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("statement {}: {what}", .statement + 1)]
pub struct Refusal {
    /// The statement, from 0.
    pub statement: usize,
    /// Why, one line that stands alone.
    pub what: String,
    /// What remains to be done.
    pub help: String,
}

/// What becomes of a change.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// It goes with the first step as it stands.
    Keep(Action),
    /// As it stands, but in a transaction of its own.
    Apart(Action),
    /// As it stands, but behind the rows that are written in chunks, which it must not meet.
    BehindRows(Action),
    /// It is done in two steps.
    TwoSteps(Box<Proposal>),
    /// It goes with the contract of the others, and comes back behind all of them.
    WithContract(Box<Proposal>),
    /// Rows are written in chunks.
    Backfill {
        /// The update.
        action: Action,
        /// The key that it goes by.
        key: Vec<Name>,
    },
    /// The runner does what it is for.
    Leave,
}

impl Decision {
    /// Whether the statement is good where it stands.
    pub fn stays(&self) -> bool {
        match self {
            Decision::Keep(_) | Decision::Apart(_) | Decision::Leave => true,
            Decision::BehindRows(_)
            | Decision::TwoSteps(_)
            | Decision::WithContract(_)
            | Decision::Backfill { .. } => false,
        }
    }
}

/// What is known while the statements of one migration are decided.
pub(super) struct Deciding<'a> {
    /// The number of the migration.
    pub migration: usize,
    pub folder: &'a Folder,
    pub server: ServerVersion,
    pub given: &'a Given,
    /// What a change before takes apart, so that a later one meets another schema until the contract.
    pub touched: Vec<Concern>,
    /// The columns that are other ones behind the contract.
    pub unsettled: Vec<Unsettled>,
    /// What views read that stay until the contract.
    pub read_by_views: Vec<Dependency>,
    /// The tables whose rows are written in chunks.
    pub filled: Vec<TableName>,
    /// Whether something waits for those rows.
    pub follows: bool,
    /// The foreign keys that the migration adds.
    pub added_keys: Vec<AddedKey>,
    /// Foreign keys that are dropped once those that take their place are there.
    pub waiting: Vec<Waiting>,
    /// What cannot be taken back as it stands.
    pub limits: Vec<String>,
    /// Why there is no plan, unless the migration can stay as it is.
    pub unless_whole: Vec<Refusal>,
}

impl Deciding<'_> {
    /// The decisions on the changes of `step`; `text` gives what one change of several says.
    pub fn step(&mut self, step: &Step) -> Result<Vec<Decision>, Refusal> {
        let changes = &step.changes;
        if let Some(inner) = changes.iter().find(|one| one.change.via != Via::Statement) {
            return Err(refusal(
                step,
                format!(
                    "`{}` does what stands in a block or a function, which cannot be taken apart",
                    title(inner, step)
                ),
                "write its statements by themselves, or leave it in a migration of its own",
            ));
        }
        let mut decisions = Vec::new();
        for applied in changes {
            let text = step.text_of(&applied.change);
            decisions.push(self.change(step, applied, &text)?);
        }
        let kept: Option<Vec<&Action>> = decisions
            .iter()
            .map(|decision| match decision {
                Decision::Keep(action) => Some(action),
                _ => None,
            })
            .collect();
        let all: Vec<(&Change, &Schema)> = changes.iter().map(|one| (&one.change, &one.before)).collect();
        // Several that take a moment each may together need more.
        let at_once = engine::statement_effects(&all, self.server, Session::default()).is_instant();
        if let Some(kept) =
            kept.filter(|kept| kept.len() > 1 && (at_once || engine::rolls_back_schema(step.before.dialect)))
        {
            let new = changes.iter().all(|one| self.is_new(&target(&one.change, &one.before).0, &one.before));
            let sql = if new { step.sql.to_string() } else { engine::explicit(&step.sql, &all, self.server) };
            return Ok(vec![Decision::Keep(whole(sql, &kept))]);
        }
        Ok(decisions)
    }

    fn change(&mut self, step: &Step, applied: &Applied, text: &str) -> Result<Decision, Refusal> {
        let (change, before) = (&applied.change, &applied.before);
        if let Some(decision) = self.of_session(step, change, text)? {
            return Ok(decision);
        }
        if is_about_nothing(applied) {
            self.limits.push(format!("`{}` finds nothing to do: no migration has made it", short(text)));
            return Ok(Decision::Leave);
        }
        if let Some(decision) = self.names_unsettled(step, change, before, text)? {
            return Ok(decision);
        }
        let (table, columns) = target(change, before);
        if let Some(touched) = self.taken_apart(&concerns(change, before), is_of_whole(change)) {
            if !one_transaction(before) {
                let what = format!(
                    "`{}` is changed a second time, after a change that takes two steps",
                    shown(&touched)
                );
                return Err(refusal(step, what, ONE_AFTER_THE_OTHER));
            }
            return self.behind(step, change, before, text, &touched);
        }
        if self.is_new(&table, before) || self.makes_new(change, before) {
            self.refers_to_no_later_key(step, change, before, text)?;
            return self.kept(step, change, before, text, true);
        }
        if let Some(decision) = self.waits_for_successor(step, change, before, text)? {
            return Ok(decision);
        }
        if let Some(mut proposal) = self.proposal(step, change, before, text, self.given)? {
            self.drop_predecessor(step, change, before, text, &mut proposal)?;
            let fills = |stage: &Stage| matches!(stage, Stage::Backfill { .. });
            if proposal.expand.iter().any(fills) {
                self.filled.extend(table.clone());
            }
            let pending = !proposal.contract.is_empty() || proposal.expand.iter().any(fills);
            // Where a table is made anew, all of it is what is pending.
            if engine::alters_little(before.dialect) {
                let whole = table.filter(|_| pending).map(|of| Concern { of, columns: Vec::new() });
                self.touched.extend(whole);
            } else if pending {
                self.touch(table, columns, change, before);
            }
            return Ok(Decision::TwoSteps(Box::new(proposal)));
        }
        if let ChangeKind::Update(update) = &change.kind {
            let (action, key) =
                backfill(update, before, text).map_err(|(what, help)| refusal(step, what, &help))?;
            self.reads_what_goes(step, table.as_ref(), text)?;
            self.filled.extend(table);
            return Ok(Decision::Backfill { action, key });
        }
        if !self.may_be_kept(change, before, text) {
            let lock = self.lock(change, before);
            return Err(refusal(step, format!("no online way is planned yet for `{}`", short(text)), &lock));
        }
        if let Some(read) = self.read_until_contract(change, before) {
            return self.behind(step, change, before, text, &read);
        }
        self.kept(step, change, before, text, false)
    }

    /// What settings, transactions and statements that change nothing come to.
    fn of_session(&mut self, step: &Step, change: &Change, text: &str) -> Result<Option<Decision>, Refusal> {
        Ok(Some(match &change.kind {
            ChangeKind::Transaction(control) => {
                of_control(control).map_err(|what| refusal(step, what, "take it out"))?
            }
            ChangeKind::SetVariable(set) if set.scope != SettingScope::Server => {
                let own = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"];
                if !own.contains(&set.name.as_str()) {
                    self.unless_whole.push(refusal(
                        step,
                        format!(
                            "`{text}` holds for the statements behind it, which become several migrations"
                        ),
                        "write names with their schemas, and take it out",
                    ));
                }
                Decision::Leave
            }
            ChangeKind::Harmless { .. } | ChangeKind::LockTable(_) => Decision::Leave,
            ChangeKind::Opaque(opaque) => {
                return Err(refusal(
                    step,
                    format!("what `{}` does is not known: {}", short(text), opaque.why),
                    "leave it in a migration of its own",
                ));
            }
            _ => return Ok(None),
        }))
    }

    /// The two steps of a change; none where it needs none, or none are known.
    fn proposal(
        &self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
        given: &Given,
    ) -> Result<Option<Proposal>, Refusal> {
        let Some(proposal) = engine::propose(change, text, before, self.server, given) else {
            return Ok(None);
        };
        let Some(missing) = proposal.missing.first() else { return Ok(Some(proposal)) };
        Err(match missing {
            Missing::Fill(column) => {
                let table = target(change, before).0;
                let shown =
                    format!("{}.{}", table.as_ref().map_or("", |table| table.name.as_str()), column.as_str());
                refusal(
                    step,
                    format!("what `{shown}` shall hold in the rows that are there is not said"),
                    &format!(
                        "say it as an expression over the row: --fill \"{shown}=…\", or with an UPDATE in the migration"
                    ),
                )
            }
            Missing::Other(why) => {
                refusal(step, format!("no plan for `{}`: {why}", short(text)), &self.lock(change, before))
            }
            Missing::Tool { why, commands } => {
                let mut help = self.lock(change, before);
                commands.iter().for_each(|command| help.push_str(&format!("\n{command}")));
                refusal(step, format!("no plan for `{}`: {why}", short(text)), &help)
            }
        })
    }

    /// Whether a change for which no two steps are known is good as it stands.
    fn may_be_kept(&mut self, change: &Change, before: &Schema, text: &str) -> bool {
        if is_of_rows(change) || is_concurrent(change) {
            return true;
        }
        let effects = engine::effects(change, before, self.server, Session::default());
        if !effects.is_instant() {
            return false;
        }
        let cheap_type = matches!(
            &change.kind,
            ChangeKind::AlterTable(alter) if matches!(alter.action, TableAction::SetType { .. })
        );
        if cheap_type || breaks_older([change]) == BreaksOlder::No {
            return true;
        }
        if is_met_by_older_code(change) {
            self.limits.push(format!(
                "older code meets what `{}` does as soon as the first step is applied: it must work with it",
                short(text)
            ));
            return true;
        }
        false
    }

    /// A change that goes as it stands; what is made in this migration goes with what it is in.
    fn kept(
        &mut self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
        new: bool,
    ) -> Result<Decision, Refusal> {
        let replaced = match &change.kind {
            ChangeKind::CreateRoutine(create) => self.replaced(create, before),
            _ => None,
        };
        let undo = (engine::undo(change, before, self.server))
            .or_else(|| replaced.map(|text| Undo::Together(vec![text])));
        let inside = new && !matches!(change.kind, ChangeKind::CreateTable(_) | ChangeKind::CreateView(_));
        let undo = match (undo, inside) {
            (_, true) => Undo::Nothing,
            (Some(undo), false) => {
                if undo == Undo::Nothing && !matches!(change.kind, ChangeKind::Analyze { .. }) {
                    self.limits.push(left_behind(text));
                }
                undo
            }
            (None, false) => {
                self.unless_whole.push(refusal(
                    step,
                    format!("what takes `{}` back is not known", short(text)),
                    "leave it in a migration of its own, with its down",
                ));
                Undo::Nothing
            }
        };
        let about = match &change.kind {
            ChangeKind::AlterTable(alter) if matches!(alter.action, TableAction::SetType { .. }) => {
                "No row is written or read; prepared statements that select the column fail once."
            }
            _ => "As it was: older code does not see it.",
        };
        let sql =
            if new { text.to_owned() } else { engine::explicit(text, &[(change, before)], self.server) };
        let action = Action { undo, ..Action::new(about, sql) };
        if self.follows && (is_of_rows(change) || is_of_triggers(change)) || self.follows_rows(change, before)
        {
            self.follows = true;
            return Ok(Decision::BehindRows(action));
        }
        Ok(if is_alone(change, text, before) { Decision::Apart(action) } else { Decision::Keep(action) })
    }

    /// The lock of a change, for who has to choose a time for it.
    fn lock(&self, change: &Change, before: &Schema) -> String {
        let effects = engine::effects(change, before, self.server, Session::default());
        let mut parts = effects.relations.iter().filter_map(|effect| {
            let blocked = effect.lock.blocked()?;
            Some(format!("{} on `{}`: {blocked} wait {}", effect.lock, effect.relation, effect.work.during()))
        });
        let first = parts.next();
        match first {
            Some(first) => {
                let all: Vec<String> = std::iter::once(first).chain(parts).collect();
                format!("run as it is it takes {}", all.join("; "))
            }
            None => "leave it in a migration of its own".to_owned(),
        }
    }

    /// Whether the table was made by this migration.
    fn is_new(&self, table: &Option<TableName>, before: &Schema) -> bool {
        let created = table.as_ref().and_then(|table| before.table(table)).and_then(|table| table.created);
        created.is_some_and(|created| created.migration == self.migration)
    }

    fn makes_new(&self, change: &Change, before: &Schema) -> bool {
        matches!(&change.kind, ChangeKind::CreateTable(create) if before.relation(&create.table).is_none())
    }
}

/// Whether a migration's changes of one thing can be put into one transaction, each without making the table anew.
pub(super) fn one_transaction(schema: &Schema) -> bool {
    engine::rolls_back_schema(schema.dialect) && !engine::alters_little(schema.dialect)
}

fn refusal(step: &Step, what: String, help: &str) -> Refusal {
    Refusal { statement: step.at.statement, what, help: help.to_owned() }
}

/// What is said of a statement that nothing takes back.
fn left_behind(text: &str) -> String {
    format!("a rollback leaves what `{}` did: it does no harm", short(text))
}

/// An UPDATE as a backfill, or why it is none and what helps.
fn backfill(
    update: &crate::schema::change::Update,
    before: &Schema,
    text: &str,
) -> Result<(Action, Vec<Name>), (String, String)> {
    let help =
        || "write it as UPDATE … SET … WHERE … of one table, with what it reads in sub-queries".to_owned();
    if update_parts(text, before.dialect).is_none() {
        return Err((format!("`{}` cannot be run in chunks of rows", short(text)), help()));
    }
    let Some(table) = before.table(&update.table) else {
        return Err((format!("`{}` is not made by any migration", update.table), help()));
    };
    let key = engine::key_of(table);
    if key.is_empty() {
        return Err((
            format!(
                "`{}` has no primary key and no unique key without NULL, so that its rows cannot be written in chunks",
                update.table
            ),
            "give the table a key".to_owned(),
        ));
    }
    Ok((Action::new("In chunks, while the application runs.", text), key))
}

/// One action for a statement all of whose changes are kept.
fn whole(sql: String, kept: &[&Action]) -> Action {
    let mut together = Vec::new();
    let mut alone = Vec::new();
    for action in kept.iter().rev() {
        match &action.undo {
            Undo::Nothing => {}
            Undo::Together(sql) => together.extend(sql.iter().cloned()),
            Undo::Alone(sql) => alone.extend(sql.iter().cloned()),
        }
    }
    let undo = match (together.is_empty(), alone.is_empty()) {
        (true, true) => Undo::Nothing,
        (_, true) => Undo::Together(together),
        (_, false) => {
            alone.extend(together);
            Undo::Alone(alone)
        }
    };
    Action { undo, ..Action::new(kept[0].about.clone(), sql) }
}

fn of_control(control: &TransactionControl) -> Result<Decision, String> {
    match control {
        TransactionControl::Begin | TransactionControl::Commit { chain: false } => Ok(Decision::Leave),
        other => Err(format!("a migration with {other:?} in it cannot be taken apart")),
    }
}

fn title(applied: &Applied, step: &Step) -> String {
    short(applied.change.span.of(&step.sql))
}

/// The first words of a statement.
pub(super) fn short(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.len() + word.len() > 60 {
            out.push_str(" …");
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
