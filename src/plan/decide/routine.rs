//! Functions and triggers that name a column which the same migration renames, retypes or drops: which of them wait for
//! the contract, and which need another order.

use super::{Deciding, Decision, Refusal, one_transaction, refusal, short};
use crate::analysis::{Step, statement_text};
use crate::dialect::Dialect;
use crate::engine;
use crate::engine::proposal::{Action, Back, Copied, Given, Proposal, Stage};
use crate::engine::update::unquoted;
use crate::name::{Name, TableName};
use crate::plan::concern::part;
use crate::schema::change::{
    Change, ChangeKind, CreateRoutine, CreateTrigger, ObjectKind, RoutineKind, TableAction,
};
use crate::schema::model::{Routine, Schema, signature};
use crate::sql::lex::{Token, TokenKind, significant};
use std::sync::Arc;

/// A column that is another one behind the contract.
pub(in crate::plan) struct Unsettled {
    table: TableName,
    /// What the table is called in the migration.
    tables: Vec<Name>,
    column: Name,
    becomes: Becomes,
}

/// What becomes of a column.
#[derive(PartialEq, Eq)]
enum Becomes {
    Renamed(Name),
    Retyped,
    Dropped,
}

/// The columns of tables from before the migration that `steps` rename, retype or drop.
pub(in crate::plan) fn unsettled(given: &Given, steps: &[Step]) -> Vec<Unsettled> {
    let Some(first) = steps.first() else { return Vec::new() };
    let mut all: Vec<Unsettled> = Vec::new();
    for one in &given.apart {
        let becomes = match one.copied {
            Copied::Renamed => Becomes::Renamed(one.copy.clone()),
            Copied::Retyped => Becomes::Retyped,
        };
        let tables = vec![one.table.name.clone()];
        all.push(Unsettled { table: one.table.clone(), tables, column: one.column.clone(), becomes });
    }
    for one in steps.iter().flat_map(|step| &step.changes) {
        let Some((alter, action)) = one.change.table_action() else { continue };
        let Some(table) = one.before.relation_key(&alter.table) else { continue };
        match action {
            TableAction::DropColumn { column, .. }
                if first.before.table(&table).is_some_and(|known| known.column(column).is_some()) =>
            {
                let tables = vec![table.name.clone()];
                all.push(Unsettled { table, tables, column: column.clone(), becomes: Becomes::Dropped });
            }
            TableAction::RenameTable { to } => {
                let is_it = |one: &&mut Unsettled| one.tables.contains(&table.name);
                all.iter_mut().filter(is_it).for_each(|one| one.tables.push(to.name.clone()));
            }
            _ => {}
        }
    }
    all
}

/// Whether `text` has the word.
fn has_word(text: &str, word: &Name) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|one| one.eq_ignore_ascii_case(word.as_str()))
}

impl Unsettled {
    /// Whether `text` has one of the column's names.
    fn is_named_in(&self, text: &str) -> bool {
        let new = match &self.becomes {
            Becomes::Renamed(new) => has_word(text, new),
            Becomes::Retyped | Becomes::Dropped => false,
        };
        new || has_word(text, &self.column)
    }

    /// Whether a routine may be about the column: its text names both it and its table, or it is called for the table's rows.
    fn is_about(&self, routine: &CreateRoutine, text: &str, schema: &Schema) -> bool {
        let called = || {
            schema.table(&self.table).is_some_and(|table| {
                table.triggers.iter().any(|trigger| calls(&trigger.definition, routine, schema))
            })
        };
        let of_table = self.tables.iter().any(|table| has_word(text, table));
        self.is_named_in(text) && (of_table || is_of_triggers(routine) && called())
    }
}

/// Whether `trigger` calls `routine`.
fn calls(trigger: &CreateTrigger, routine: &CreateRoutine, schema: &Schema) -> bool {
    trigger.function.as_ref().is_some_and(|name| schema.new_key(name) == schema.new_key(&routine.name))
}

fn is_of_triggers(routine: &CreateRoutine) -> bool {
    routine.returns.as_deref() == Some("trigger")
}

/// Whether the server keeps what the body stands on, and not only its text.
fn is_bound(routine: &CreateRoutine) -> bool {
    let first = routine.body.text.split_whitespace().next().unwrap_or_default();
    routine.language.as_deref() != Some("plpgsql")
        && (first.eq_ignore_ascii_case("return")
            || routine.body.text.to_ascii_lowercase().starts_with("begin atomic"))
}

/// Whether `new` is `old` with other names of columns and tables.
fn is_renamed(old: &str, new: &str, names: &[(&Name, &Name)], dialect: Dialect) -> bool {
    let tokens = |text| -> Vec<Token> { significant(text, dialect).collect() };
    let (before, after) = (tokens(old), tokens(new));
    let name = |token: &Token, text: &str| match token.kind {
        TokenKind::QuotedWord => unquoted(token.text(text)),
        _ => Name::unquoted(token.text(text), dialect),
    };
    let is_same = |(one, other): (&Token, &Token)| {
        if one.text(old) == other.text(new) {
            return true;
        }
        let words = [TokenKind::Word, TokenKind::QuotedWord];
        let (was, is) = (name(one, old), name(other, new));
        words.contains(&one.kind)
            && words.contains(&other.kind)
            && (was == is || names.contains(&(&was, &is)))
    };
    before.len() == after.len() && before.iter().zip(&after).all(is_same)
}

impl Deciding<'_> {
    /// What becomes of a function or trigger that names a column which is another one behind the contract.
    pub(super) fn names_unsettled(
        &self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
    ) -> Result<Option<Decision>, Refusal> {
        if !one_transaction(before) || self.unsettled.is_empty() {
            return Ok(None);
        }
        match &change.kind {
            ChangeKind::CreateRoutine(create) => self.of_routine(step, create, before, text),
            ChangeKind::CreateTrigger(create) => self.of_trigger(step, create, before, text).map(|()| None),
            _ => Ok(None),
        }
    }

    fn of_routine(
        &self,
        step: &Step,
        create: &CreateRoutine,
        before: &Schema,
        text: &str,
    ) -> Result<Option<Decision>, Refusal> {
        let there = there(create, before);
        let old = there.map(|one| one.definition.body.text.as_str());
        let both = format!("{text}\n{}", old.unwrap_or_default());
        let about: Vec<&Unsettled> =
            self.unsettled.iter().filter(|one| one.is_about(create, &both, before)).collect();
        let Some(first) = about.first() else { return Ok(None) };
        let shown = format!("{}.{}", first.table.name.as_str(), first.column.as_str());
        let retypes = about.iter().any(|one| one.becomes == Becomes::Retyped);
        let Some(old) = old else {
            // Its text is looked at when it is called: the copy has the new name from the first step on.
            if is_of_triggers(create) || !is_bound(create) && !retypes {
                return Ok(None);
            }
            return Err(refusal(
                step,
                format!(
                    "`{}` is about `{shown}`, which is taken apart until the contract, and the new code needs it before",
                    short(text)
                ),
                "make it in a migration of its own, behind this one",
            ));
        };
        if is_of_triggers(create) {
            // Until the contract the old type is the column's, for it as for all code.
            if about.iter().all(|one| one.becomes == Becomes::Retyped) {
                return Ok(None);
            }
            let names: Vec<(&Name, &Name)> = (about.iter())
                .filter_map(|one| match &one.becomes {
                    Becomes::Renamed(new) => Some((&one.column, new)),
                    Becomes::Retyped | Becomes::Dropped => None,
                })
                .chain(about.iter().flat_map(|one| one.tables[1..].iter().map(|new| (&one.tables[0], new))))
                .collect();
            let drops = about.iter().any(|one| one.becomes == Becomes::Dropped);
            if !drops && !is_renamed(old, &create.body.text, &names, before.dialect) {
                return Err(refusal(
                    step,
                    format!(
                        "`{}` does something else than the function there with `{shown}`, which is taken apart until the \
                         contract: until then its rows would be without that",
                        short(text)
                    ),
                    "let it do the new thing under the old name in a migration of its own, in front of this one, and here only \
                     what the other name asks for",
                ));
            }
        }
        self.waits(step, create, before, text, &shown).map(Some)
    }

    /// A function that is replaced in the moment in which the column is the new one.
    fn waits(
        &self,
        step: &Step,
        create: &CreateRoutine,
        before: &Schema,
        text: &str,
        shown: &str,
    ) -> Result<Decision, Refusal> {
        let Some(old) = self.replaced(create, before) else {
            return Err(refusal(
                step,
                format!("what takes `{}` back is not known", short(text)),
                "let an earlier migration say what the function is before",
            ));
        };
        let back = Action::new("As it was.", old);
        Ok(Decision::WithContract(Box::new(Proposal {
            contract: vec![Stage::Together(vec![Action::new(
                "As it was, in the moment in which the column is the new one.",
                text,
            )])],
            back: Back::Stages(vec![Stage::Together(vec![back])]),
            limits: vec![format!(
                "`{}` waits for the contract, with `{shown}`: until then old and new code meet the function as it is",
                short(text)
            )],
            ..Proposal::default()
        })))
    }

    /// What makes the routine again that `create` replaces; none where it replaces none, or no migration says what it was.
    pub(super) fn replaced(&self, create: &CreateRoutine, before: &Schema) -> Option<String> {
        let there = there(create, before).filter(|_| create.or_replace)?;
        if there.name != before.new_key(&create.name) || create.kind == RoutineKind::Aggregate {
            return None;
        }
        let made = there.replaced.or(there.created)?;
        let script = &self.folder.migrations.get(made.migration)?.up;
        let text = statement_text(script, before.dialect, made.statement)?;
        match engine::lower(&text, before.dialect).as_slice() {
            [Change { kind: ChangeKind::CreateRoutine(found), .. }]
                if found.name.name == create.name.name
                    && signature(&found.arguments) == signature(&create.arguments) =>
            {
                if found.or_replace {
                    return Some(text);
                }
                let (word, rest) = text.split_at_checked("CREATE".len())?;
                word.eq_ignore_ascii_case("CREATE").then(|| format!("{word} OR REPLACE{rest}"))
            }
            _ => None,
        }
    }

    /// A trigger that is not there yet must not wait: the rows of the new code would be without what it does.
    fn of_trigger(
        &self,
        step: &Step,
        create: &CreateTrigger,
        before: &Schema,
        text: &str,
    ) -> Result<(), Refusal> {
        let Some(key) = before.relation_key(&create.table) else { return Ok(()) };
        let own = part(ObjectKind::Trigger, &create.name, &key);
        let was_there = create.or_replace || self.touched.iter().any(|one| one.of == own);
        let functions = create.function.as_ref().map_or(&[][..], |name| before.routines(name));
        let looks = |column: &Name| {
            create.update_of.contains(column)
                || create.when.as_ref().is_some_and(|when| has_word(&when.text, column))
        };
        let meets = |one: &&Unsettled| {
            one.tables.contains(&key.name)
                && match &one.becomes {
                    Becomes::Renamed(new) => {
                        let named = |routine: &Arc<Routine>| one.is_named_in(&routine.definition.body.text);
                        looks(new) || functions.iter().any(named)
                    }
                    Becomes::Retyped => looks(&one.column),
                    Becomes::Dropped => false,
                }
        };
        match self.unsettled.iter().find(meets).filter(|_| !was_there) {
            None => Ok(()),
            Some(one) => Err(refusal(
                step,
                format!(
                    "`{}` looks at `{}.{}`, which is taken apart until the contract: until then rows would be without what it \
                     makes of them",
                    short(text),
                    one.table.name.as_str(),
                    one.column.as_str()
                ),
                "make it in a migration of its own, in front of this one for the column as it is, or behind it",
            )),
        }
    }

    /// An UPDATE must not be the only one that reads a column which the migration drops: what older code writes to it behind
    /// the UPDATE would be lost.
    pub(super) fn reads_what_goes(
        &self,
        step: &Step,
        table: Option<&TableName>,
        text: &str,
    ) -> Result<(), Refusal> {
        let goes = |one: &&Unsettled| {
            one.becomes == Becomes::Dropped && table == Some(&one.table) && has_word(text, &one.column)
        };
        let Some(one) = self.unsettled.iter().find(goes) else { return Ok(()) };
        Err(refusal(
            step,
            format!(
                "`{}` reads `{}.{}`, which is dropped: what older code writes to it until then would be lost",
                short(text),
                one.table.name.as_str(),
                one.column.as_str()
            ),
            "make what it sets NOT NULL here, so that a trigger fills it until the contract, or drop the column in a later \
             migration, behind an UPDATE of what is still missing",
        ))
    }

    /// Whether a change must not meet the rows that the plan writes: a trigger that would fire for them, the function of
    /// one, or rows that are put into a table behind an `UPDATE` of it.
    pub(super) fn follows_rows(&self, change: &Change, before: &Schema) -> bool {
        let is_filled =
            |name: &TableName| before.relation_key(name).is_some_and(|key| self.filled.contains(&key));
        match &change.kind {
            ChangeKind::CreateTrigger(create) => is_filled(&create.table),
            ChangeKind::Insert(insert) => is_filled(&insert.table),
            ChangeKind::CreateRoutine(create) => {
                is_of_triggers(create) && {
                    let tables = self.filled.iter().filter_map(|name| before.table(name));
                    let mut triggers = tables.flat_map(|table| &table.triggers);
                    triggers.any(|trigger| calls(&trigger.definition, create, before))
                }
            }
            _ => false,
        }
    }
}

/// The routine that `create` replaces.
fn there<'s>(create: &CreateRoutine, before: &'s Schema) -> Option<&'s Arc<Routine>> {
    let types = signature(&create.arguments);
    before.routines(&create.name).iter().find(|one| one.signature() == types)
}
