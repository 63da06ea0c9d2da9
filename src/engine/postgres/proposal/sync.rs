//! Two columns that hold the same for as long as old and new code run: triggers in both directions.
//!
//! One trigger fires before the table's own and takes over what new code wrote, one behind them and takes over what
//! they and old code made of it. Whether a column changed is asked of its bytes, since IS DISTINCT FROM misses what
//! compares equal and is not (citext, 1.0 and 1.00) and fails for json.

use super::{Subject, id};
use crate::name::Name;
use crate::schema::change::Nullability;

/// How the value of one column becomes that of the other.
pub(super) struct Pair<'a> {
    /// The column that there is.
    pub old: &'a Name,
    /// The new one.
    pub new: &'a Name,
    /// An expression for the new value; `NEW.old` is the old one.
    pub up: String,
    /// An expression for the old value; `NEW.new` is the new one.
    pub down: String,
}

impl Pair<'_> {
    /// The statements that keep both equal, for one transaction.
    pub fn start(&self, subject: &Subject<'_>) -> Vec<String> {
        let (table, old, new) = (subject.sql(), id(self.old), id(self.new));
        let (into, out) = self.functions(subject);
        let (up, down) = (&self.up, &self.down);
        let changed = |column: &str| {
            format!("ROW(NEW.{column})::record OPERATOR(pg_catalog.*<>) ROW(OLD.{column})::record")
        };
        let given = match self.constant_default(subject) {
            // Which of both an INSERT gave is told by the default.
            Some(default) => format!(
                "ROW(NEW.{new})::record OPERATOR(pg_catalog.*<>) ROW(({default})::{})::record",
                subject.type_of(self.old)
            ),
            None => format!("NOT (NEW.{new} IS NOT DISTINCT FROM NULL)"),
        };
        let mut statements = vec![
            format!(
                "CREATE FUNCTION {into}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  IF TG_OP = 'INSERT' THEN\n    IF {given} THEN NEW.{old} := {down}; END IF;\n  ELSIF {} THEN\n    NEW.{old} := {down};\n  END IF;\n  RETURN NEW;\nEND $$;",
                changed(&new)
            ),
            format!(
                "CREATE FUNCTION {out}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN NEW.{new} := {up}; RETURN NEW; END $$;"
            ),
            format!(
                "CREATE TRIGGER \"!twostep_in\" BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {into}();"
            ),
            format!(
                "CREATE TRIGGER \"~twostep_out\" BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {out}();"
            ),
        ];
        if let Some(default) = self.constant_default(subject) {
            statements.push(format!("ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {default};"));
        }
        statements
    }

    /// The statements that end it, for the transaction that takes one of the columns away.
    pub fn stop(&self, subject: &Subject<'_>) -> Vec<String> {
        let table = subject.sql();
        let (into, out) = self.functions(subject);
        vec![
            format!("DROP TRIGGER \"!twostep_in\" ON {table};"),
            format!("DROP TRIGGER \"~twostep_out\" ON {table};"),
            format!("DROP FUNCTION {into}(), {out}();"),
        ]
    }

    /// The UPDATE of one batch that fills the new column.
    pub fn fill(&self, subject: &Subject<'_>) -> String {
        let (old, new) = (id(self.old), id(self.new));
        let value = self.up.replace(&format!("NEW.{old}"), &old);
        subject.batch(&format!("{new} = {value}"), &format!("{new} IS NULL AND {old} IS NOT NULL"))
    }

    fn functions(&self, subject: &Subject<'_>) -> (String, String) {
        (subject.beside(&format!("{}_in", self.new)), subject.beside(&format!("{}_out", self.new)))
    }

    /// The default of a nullable column, where it is the same for the whole transaction.
    fn constant_default(&self, subject: &Subject<'_>) -> Option<String> {
        let column = subject.column(self.old)?;
        let default = column.default.as_ref().filter(|default| !default.is_null)?;
        let constant = default.calls.is_empty() && column.nullability != Nullability::NotNull;
        (constant && self.up == format!("NEW.{}", id(self.old))).then(|| default.text.clone())
    }
}
