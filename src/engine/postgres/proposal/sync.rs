//! Two columns that hold the same for as long as old and new code run: triggers in both directions.
//!
//! One trigger fires before the table's own and takes over what new code wrote, one behind them and takes over what
//! they and old code made of it. Whether a column changed is asked of its bytes, since IS DISTINCT FROM misses what
//! compares equal and is not (citext, 1.0 and 1.00) and fails for json.

use super::subject::Subject;
use super::{id, own_triggers};
use crate::engine::proposal::Action;
use crate::name::Name;
use crate::schema::change::Nullability;

/// A column and its copy under another name.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    /// The column itself.
    pub real: &'a Name,
    /// Its copy.
    pub copy: &'a Name,
    /// The name that the new code uses: what triggers and functions are called after.
    pub new: &'a Name,
}

/// Whether two values are the same to the byte, as SQL.
pub(super) fn same(one: &str, other: &str) -> String {
    format!("ROW({one})::record OPERATOR(pg_catalog.*=) ROW({other})::record")
}

/// Whether two values differ in any byte, as SQL.
pub(super) fn differ(one: &str, other: &str) -> String {
    format!("ROW({one})::record OPERATOR(pg_catalog.*<>) ROW({other})::record")
}

impl Pair<'_> {
    /// The bodies of the two functions.
    fn functions(&self, subject: &Subject<'_>, create: &str) -> [String; 2] {
        let (real, copy) = (id(self.real), id(self.copy));
        let (into, out) = self.function_names(subject);
        let given = match self.default(subject) {
            // Which of both an INSERT gave is told by the default.
            Some(default) => differ(
                &format!("NEW.{copy}"),
                &format!("({default})::{}", subject.type_of(self.original(subject))),
            ),
            None => format!("NOT (NEW.{copy} IS NOT DISTINCT FROM NULL)"),
        };
        let changed = differ(&format!("NEW.{copy}"), &format!("OLD.{copy}"));
        let original = self.original(subject);
        let called = |name: &Name| match name == original {
            true => Some(self.real.clone()),
            false => Some(name.clone()).filter(|name| name != self.copy),
        };
        let taken_back = own_triggers::taken_back(subject, &called);
        [
            format!(
                "{create} {into}() RETURNS trigger LANGUAGE plpgsql AS $twostep$\nBEGIN\n  IF TG_OP = 'INSERT' THEN\n    \
                 IF {given} THEN NEW.{real} := NEW.{copy}; END IF;\n  ELSIF {changed} THEN\n    NEW.{real} := NEW.{copy};\n  \
                 END IF;\n  RETURN NEW;\nEND $twostep$"
            ),
            format!(
                "{create} {out}() RETURNS trigger LANGUAGE plpgsql AS $twostep$\nBEGIN\n{taken_back}  NEW.{copy} := NEW.{real};\n  \
                 RETURN NEW;\nEND $twostep$"
            ),
        ]
    }

    /// The statements that keep both equal, for one transaction.
    pub fn start(&self, subject: &Subject<'_>) -> Vec<Action> {
        let table = subject.sql();
        let (into, out) = self.function_names(subject);
        let (first, last) = self.triggers();
        let [function_in, function_out] = self.functions(subject, "CREATE FUNCTION");
        let (real, copy) = (id(self.real), id(self.copy));
        let trigger = |name: &Name, function: &str| {
            let name = id(name);
            (
                format!(
                    "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
                ),
                format!("DROP TRIGGER {name} ON {table}"),
            )
        };
        let (create_first, drop_first) = trigger(&first, &into);
        let (create_last, drop_last) = trigger(&last, &out);
        let mut actions = vec![
            Action::new(format!("What is written to {copy} goes to {real}, where it changed."), function_in)
                .undone_by(format!("DROP FUNCTION {into}()")),
            Action::new(format!("{copy} is always what {real} is."), function_out)
                .undone_by(format!("DROP FUNCTION {out}()")),
            Action::new("Fires before all other triggers, so that they see the value.", create_first)
                .undone_by(drop_first),
            Action::new("Fires behind all others, so that it takes what they made of it.", create_last)
                .undone_by(drop_last),
        ];
        if let Some(default) = self.default(subject) {
            actions.push(Action::new(
                format!("By its default an INSERT that does not give {copy} is told."),
                format!("ALTER TABLE {table} ALTER COLUMN {copy} SET DEFAULT {default}"),
            ));
        }
        actions
    }

    /// The functions anew, for names that were exchanged in the same transaction.
    pub fn exchange(&self, subject: &Subject<'_>) -> Vec<Action> {
        let [into, out] = self.functions(subject, "CREATE OR REPLACE FUNCTION");
        let (real, copy) = (id(self.real), id(self.copy));
        vec![
            Action::new(format!("What is written to {copy} goes to {real}, where it changed."), into),
            Action::new(format!("{copy} is always what {real} is."), out),
        ]
    }

    /// The statements that end it, for the transaction that takes one of the columns away.
    pub fn stop(&self, subject: &Subject<'_>) -> Vec<Action> {
        let table = subject.sql();
        let (into, out) = self.function_names(subject);
        let (first, last) = self.triggers();
        vec![
            Action::new(
                "No code uses the old name any more.",
                format!("DROP TRIGGER {} ON {table}", id(&first)),
            ),
            Action::new("", format!("DROP TRIGGER {} ON {table}", id(&last))),
            Action::new("", format!("DROP FUNCTION {into}(), {out}()")),
        ]
    }

    fn triggers(&self) -> (Name, Name) {
        let called = |front: &str| super::subject::named(&Name::new(front), self.new.as_str());
        (called("!twostep_in"), called("~twostep_out"))
    }

    fn function_names(&self, subject: &Subject<'_>) -> (String, String) {
        (
            subject.beside(&format!("{}_in", self.new.as_str())),
            subject.beside(&format!("{}_out", self.new.as_str())),
        )
    }

    /// The column that the schema knows.
    fn original(&self, subject: &Subject<'_>) -> &Name {
        if subject.column(self.real).is_some() { self.real } else { self.copy }
    }

    /// The default of a nullable column, where it is the same for the whole transaction.
    fn default(&self, subject: &Subject<'_>) -> Option<String> {
        let column = subject.column(self.original(subject))?;
        let default = column.default.as_ref().filter(|default| !default.is_null)?;
        let constant = crate::engine::postgres::effects::volatility(default, subject.schema)
            < crate::schema::change::Volatility::Volatile;
        (constant && column.nullability != Nullability::NotNull).then(|| default.text.clone())
    }
}
