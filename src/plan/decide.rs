//! What becomes of each statement of a migration: it is kept, taken apart, or there is no plan.

use crate::analysis::{Applied, Step};
use crate::engine;
use crate::engine::effects::Session;
use crate::engine::proposal::{Action, Given, Missing, Proposal, Stage, Undo};
use crate::engine::update::update_parts;
use crate::engine::version::ServerVersion;
use crate::name::{Name, TableName};
use crate::schema::breaks::{BreaksOlder, breaks_older};
use crate::schema::change::{
    Change, ChangeKind, Nullability, SettingScope, TableAction, TransactionControl, TypeAction, Via,
};
use crate::schema::model::Schema;

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
    /// It is done in two steps.
    TwoSteps(Box<Proposal>),
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

/// What is known while the statements of one migration are decided.
pub(super) struct Deciding<'a> {
    /// The number of the migration.
    pub migration: usize,
    pub server: ServerVersion,
    pub given: &'a Given,
    /// Columns that a change before takes apart, so that a later one meets another schema.
    pub touched: Vec<(TableName, Option<Name>)>,
    /// What cannot be taken back as it stands.
    pub limits: Vec<String>,
}

impl Deciding<'_> {
    /// The decisions on the changes of `step`; `text` gives what one change of several says.
    pub fn step(&mut self, step: &Step) -> Result<Vec<Decision>, Refusal> {
        let changes = &step.changes;
        let refuse =
            |what: String, help: &str| Refusal { statement: step.at.statement, what, help: help.to_owned() };
        if let Some(inner) = changes.iter().find(|one| one.change.via != Via::Statement) {
            return Err(refuse(
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
        let refuse =
            |what: String, help: &str| Refusal { statement: step.at.statement, what, help: help.to_owned() };
        match &change.kind {
            ChangeKind::Transaction(control) => {
                return of_control(control).map_err(|what| refuse(what, "take it out"));
            }
            ChangeKind::SetVariable(set) if set.scope != SettingScope::Server => {
                if ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]
                    .contains(&set.name.as_str())
                {
                    return Ok(Decision::Leave);
                }
                return Err(refuse(
                    format!("`{text}` holds for the statements behind it, which become several migrations"),
                    "write names with their schemas, and take it out",
                ));
            }
            ChangeKind::Harmless { .. } => return Ok(Decision::Leave),
            ChangeKind::Opaque(opaque) => {
                return Err(refuse(
                    format!("what `{}` does is not known: {}", short(text), opaque.why),
                    "leave it in a migration of its own",
                ));
            }
            _ => {}
        }
        let (table, columns) = target(change, before);
        self.is_untouched(&table, &columns)
            .map_err(|what| refuse(what, "plan the two as migrations of their own, one after the other"))?;
        if self.is_new(&table, before) || self.makes_new(change, before) {
            return self.kept(change, before, text, step, true);
        }
        if let Some(proposal) = engine::propose(change, text, before, self.server, self.given) {
            if let Some(missing) = proposal.missing.first() {
                return Err(match missing {
                    Missing::Fill(column) => {
                        let shown = format!(
                            "{}.{}",
                            table.as_ref().map_or("", |table| table.name.as_str()),
                            column.as_str()
                        );
                        refuse(
                            format!("what `{shown}` shall hold in the rows that are there is not said"),
                            &format!(
                                "say it as an expression over the row: --fill \"{shown}=…\", or with an UPDATE in the migration"
                            ),
                        )
                    }
                    Missing::Other(why) => {
                        refuse(format!("no plan for `{}`: {why}", short(text)), &self.lock(change, before))
                    }
                    Missing::Tool { why, commands } => {
                        let mut help = self.lock(change, before);
                        commands.iter().for_each(|command| help.push_str(&format!("\n{command}")));
                        refuse(format!("no plan for `{}`: {why}", short(text)), &help)
                    }
                });
            }
            let all = matches!(
                &change.kind,
                ChangeKind::AlterTable(alter) if matches!(alter.action, TableAction::RenameTable { .. })
            );
            let fills = |stage: &Stage| matches!(stage, Stage::Backfill { .. });
            let pending = !proposal.contract.is_empty() || proposal.expand.iter().any(fills);
            if let Some(table) = table.filter(|_| pending) {
                // Where a table is made anew, all of it is what is pending.
                let anew = engine::alters_little(before.dialect);
                if anew {
                    self.touched.push((table, None));
                } else {
                    self.touch(table, if all { Vec::new() } else { columns }, change);
                }
            }
            return Ok(Decision::TwoSteps(Box::new(proposal)));
        }
        if let ChangeKind::Update(update) = &change.kind {
            return self.update(update, before, text).map_err(|(what, help)| refuse(what, &help));
        }
        let effects = engine::effects(change, before, self.server, Session::default());
        let is_type = matches!(&change.kind, ChangeKind::AlterTable(alter) if matches!(alter.action, TableAction::SetType { .. }));
        if !is_type && breaks_older([change]) != BreaksOlder::No || !effects.is_instant() {
            let lock = self.lock(change, before);
            return Err(refuse(format!("no online way is planned yet for `{}`", short(text)), &lock));
        }
        self.kept(change, before, text, step, false)
    }

    /// A change that goes as it stands; what is made in this migration goes with what it is in.
    fn kept(
        &mut self,
        change: &Change,
        before: &Schema,
        text: &str,
        step: &Step,
        new: bool,
    ) -> Result<Decision, Refusal> {
        let undo = engine::undo(change, before, self.server);
        let inside = new && !matches!(change.kind, ChangeKind::CreateTable(_) | ChangeKind::CreateView(_));
        let undo = match (undo, inside) {
            (_, true) => Undo::Nothing,
            (Some(undo), false) => undo,
            (None, false) => {
                return Err(Refusal {
                    statement: step.at.statement,
                    what: format!("what takes `{}` back is not known", short(text)),
                    help: "leave it in a migration of its own, with its down".to_owned(),
                });
            }
        };
        if undo == Undo::Nothing && !inside && !matches!(change.kind, ChangeKind::Analyze { .. }) {
            self.limits.push(format!("a rollback leaves what `{}` did: it does no harm", short(text)));
        }
        let about = match &change.kind {
            ChangeKind::AlterTable(alter) if matches!(alter.action, TableAction::SetType { .. }) => {
                "No row is written or read; prepared statements that select the column fail once."
            }
            _ => "As it was: older code does not see it.",
        };
        let sql =
            if new { text.to_owned() } else { engine::explicit(text, &[(change, before)], self.server) };
        let action = Action { about: about.to_owned(), sql, undo, prepared: false };
        let apart = matches!(change.kind, ChangeKind::AlterType { action: TypeAction::AddValue { .. }, .. });
        Ok(if apart { Decision::Apart(action) } else { Decision::Keep(action) })
    }

    fn update(
        &self,
        update: &crate::schema::change::Update,
        before: &Schema,
        text: &str,
    ) -> Result<Decision, (String, String)> {
        let help = || {
            "write it as UPDATE … SET … WHERE … of one table, with what it reads in sub-queries".to_owned()
        };
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
        let action = Action::new("In chunks, while the application runs.", text);
        Ok(Decision::Backfill { action, key })
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

    /// Whether nothing before has taken apart what the change is about.
    fn is_untouched(&self, table: &Option<TableName>, columns: &[Name]) -> Result<(), String> {
        let Some(table) = table else { return Ok(()) };
        for (touched, column) in &self.touched {
            if touched.name == table.name && column.as_ref().is_none_or(|column| columns.contains(column)) {
                let shown = column.as_ref().map_or_else(
                    || touched.name.as_str().to_owned(),
                    |column| format!("{}.{}", touched.name.as_str(), column.as_str()),
                );
                return Err(format!(
                    "`{shown}` is changed a second time, after a change that takes two steps"
                ));
            }
        }
        Ok(())
    }

    fn touch(&mut self, table: TableName, columns: Vec<Name>, change: &Change) {
        if let ChangeKind::AlterTable(alter) = &change.kind
            && let TableAction::RenameTable { to } = &alter.action
        {
            self.touched.push((TableName { schema: table.schema.clone(), name: to.name.clone() }, None));
        }
        if let ChangeKind::AlterTable(alter) = &change.kind
            && matches!(
                alter.action,
                TableAction::AddColumn { .. }
                    | TableAction::SetNotNull { .. }
                    | TableAction::AddConstraint { .. }
                    | TableAction::AddIndex(_)
                    | TableAction::DropIndex { .. }
            )
        {
            return;
        }
        if matches!(change.kind, ChangeKind::CreateIndex(_) | ChangeKind::Reindex(_)) {
            return;
        }
        if columns.is_empty() {
            self.touched.push((table, None));
        } else {
            self.touched.extend(columns.into_iter().map(|column| (table.clone(), Some(column))));
        }
    }
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
    Action { about: kept[0].about.clone(), sql, undo, prepared: false }
}

fn of_control(control: &TransactionControl) -> Result<Decision, String> {
    match control {
        TransactionControl::Begin | TransactionControl::Commit { chain: false } => Ok(Decision::Leave),
        other => Err(format!("a migration with {other:?} in it cannot be taken apart")),
    }
}

/// What a change is about: a table with its full name, and its columns.
fn target(change: &Change, before: &Schema) -> (Option<TableName>, Vec<Name>) {
    let full = |name: &TableName| before.relation_key(name).unwrap_or_else(|| before.new_key(name));
    match &change.kind {
        ChangeKind::AlterTable(alter) => (Some(full(&alter.table)), columns(&alter.action)),
        ChangeKind::CreateIndex(create) => {
            let columns = create.elements.iter().flat_map(|element| element.expr.columns.clone()).collect();
            (Some(full(&create.table)), columns)
        }
        ChangeKind::Update(update) => (Some(full(&update.table)), update.set.clone()),
        ChangeKind::Insert(insert) => (Some(full(&insert.table)), insert.columns.clone()),
        ChangeKind::Delete(delete) => (Some(full(&delete.table)), Vec::new()),
        ChangeKind::Drop(drop) => (Some(full(&drop.name)), Vec::new()),
        ChangeKind::CreateTrigger(create) => (Some(full(&create.table)), create.update_of.clone()),
        ChangeKind::CreateTable(create) => (Some(full(&create.table)), Vec::new()),
        _ => (None, Vec::new()),
    }
}

fn columns(action: &TableAction) -> Vec<Name> {
    match action {
        TableAction::AddColumn { column, .. } => vec![column.name.clone()],
        TableAction::RenameColumn { from, to, .. } => vec![from.clone(), to.clone()],
        TableAction::ChangeColumn { from, column, .. } => vec![from.clone(), column.name.clone()],
        TableAction::AddIndex(create) => {
            create.elements.iter().flat_map(|element| element.expr.columns.clone()).collect()
        }
        TableAction::DropColumn { column, .. }
        | TableAction::SetType { column, .. }
        | TableAction::SetNotNull { column }
        | TableAction::DropNotNull { column }
        | TableAction::SetDefault { column, .. }
        | TableAction::DropDefault { column }
        | TableAction::AddIdentity { column, .. }
        | TableAction::SetIdentity { column, .. }
        | TableAction::DropIdentity { column, .. } => vec![column.clone()],
        TableAction::AddConstraint { constraint, .. } => {
            use crate::schema::change::ConstraintKind;
            match &constraint.kind {
                ConstraintKind::Check(expr) => expr.columns.clone(),
                ConstraintKind::ForeignKey(key) => key.columns.clone(),
                ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.columns.clone(),
                ConstraintKind::NotNull(column) => vec![column.clone()],
                ConstraintKind::Exclude(_) => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// What the migration itself fills: an UPDATE of one column, without a second one, that is made NOT NULL behind it. Gives the
/// fills, and the statements that are them.
pub(super) fn own_fills(steps: &[Step]) -> (Given, Vec<usize>) {
    let mut given = Given::default();
    let mut statements = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let [applied] = step.changes.as_slice() else { continue };
        let ChangeKind::Update(update) = &applied.change.kind else { continue };
        let dialect = applied.before.dialect;
        let Some(parts) = update_parts(&step.sql, dialect) else { continue };
        let Some((column, expression)) = parts.only_assignment(&step.sql, dialect) else { continue };
        let Some(table) = applied.before.relation_key(&update.table) else { continue };
        let writes = |step: &Step| {
            step.changes.iter().any(|one| match &one.change.kind {
                ChangeKind::Update(update) => {
                    update.set.contains(&column)
                        && one.before.relation_key(&update.table).as_ref() == Some(&table)
                }
                _ => false,
            })
        };
        let requires = |step: &Step| {
            step.changes.iter().any(|one| match &one.change.kind {
                ChangeKind::AlterTable(alter) => {
                    is_required(&alter.action, &column)
                        && one.before.relation_key(&alter.table).as_ref() == Some(&table)
                }
                _ => false,
            })
        };
        if steps.iter().filter(|step| writes(step)).count() == 1 && steps[at..].iter().any(requires) {
            given.fills.push((table, column, expression.to_owned()));
            statements.push(at);
        }
    }
    (given, statements)
}

/// Whether an action makes `column` NOT NULL.
fn is_required(action: &TableAction, column: &Name) -> bool {
    match action {
        TableAction::SetNotNull { column: of } => of == column,
        TableAction::ChangeColumn { from, column: to, .. } => {
            from == column && to.name == *column && to.nullability == Nullability::NotNull
        }
        _ => false,
    }
}

/// A `--fill`: `table.column=expression`.
pub fn parse_fill(text: &str, schema: &Schema) -> Result<(TableName, Name, String), String> {
    let wrong = || format!("`{text}` is not of the form table.column=expression");
    let (names, expression) = text.split_once('=').ok_or_else(wrong)?;
    let dialect = schema.dialect;
    let name = |part: &str| {
        let part = part.trim();
        if part.starts_with(['"', '`']) {
            engine::update::unquoted(part)
        } else {
            Name::unquoted(part, dialect)
        }
    };
    let parts: Vec<&str> = names.split('.').collect();
    let (table, column) = match parts.as_slice() {
        [table, column] => (TableName::bare(name(table)), name(column)),
        [of, table, column] => (TableName::qualified(name(of), name(table)), name(column)),
        _ => return Err(wrong()),
    };
    if expression.trim().is_empty() {
        return Err(wrong());
    }
    let table = schema.relation_key(&table).unwrap_or_else(|| schema.new_key(&table));
    Ok((table, column, expression.trim().to_owned()))
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
