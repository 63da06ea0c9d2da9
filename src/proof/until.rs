//! What holds only from the contract on, so that new code before it meets something else: defaults that the contract
//! sets, numbers that go on where those of the plain migration begin anew, rows of a partition that is still attached.
//! What a deploy is compared with is brought to the same, so that nothing is compared less.

use super::judge::Judge;
use super::reference::{Codes, Reference, snapshot};
use super::snapshot::Snapshot;
use super::workload;
use crate::dialect::Dialect;
use crate::name::{Name, TableName, plain_literal};
use crate::roundtrip::apply::Applier;
use crate::roundtrip::fill::tables::Table;
use crate::roundtrip::run::RoundtripError;
use crate::schema::change::{Expr, Generation};
use crate::schema::model::{Column, Schema};
use std::collections::BTreeSet;

/// It, of one deploy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Until {
    /// Columns whose default is another one until the contract: what sets that one, and the last one.
    defaults: Vec<(String, String)>,
    /// Columns whose numbers the server gives in another way at the end: table and column.
    numbered: Vec<(TableName, Name)>,
    /// The names of the partitions that are detached, of their tables, and of their siblings.
    detached: BTreeSet<String>,
    /// What has to be known of it.
    notes: Vec<String>,
}

impl Until {
    /// Of a deploy that leads from `start` by `first`, which its first steps leave, to `end`.
    fn of(start: &Schema, first: &Schema, end: &Schema) -> Self {
        let mut until = Self::default();
        for table in end.tables.values() {
            for column in &table.columns {
                let in_table = |schema: &Schema| -> Option<Column> {
                    Some(Column::clone(schema.table(&table.name)?.column(&column.name)?))
                };
                if let Some(mut before) = in_table(first) {
                    before.default =
                        before.default.or_else(|| default_of_real(start, end, &table.name, column));
                    until.add_default(&table.name, &before, column);
                }
                let becomes_numbered = |before: Column| {
                    matches!(column.generation, Some(Generation::Identity(_)))
                        && !matches!(before.generation, Some(Generation::Identity(_)))
                };
                if in_table(start).is_some_and(becomes_numbered) {
                    until.numbered.push((table.name.clone(), column.name.clone()));
                }
            }
        }
        for table in start.tables.values() {
            let Some(of) = &table.partition_of else { continue };
            if end.table(&table.name).is_some_and(|table| table.partition_of.is_none()) {
                let siblings = start.children_of(&of.parent).map(|one| &one.name);
                let names = siblings.chain([&of.parent]).map(|name| name.name.as_str().to_owned());
                until.detached.extend(names);
            }
        }
        until
    }

    fn add_default(&mut self, table: &TableName, before: &Column, end: &Column) {
        let text = |column: &Column| {
            column.default.as_ref().filter(|one| !one.is_null).map(|one| one.text.trim().to_owned())
        };
        let (old, Some(new)) = (text(before), text(end)) else { return };
        if old.as_ref() == Some(&new) || before.generation.is_some() || end.generation.is_some() {
            return;
        }
        let sql = format!("ALTER TABLE {} ALTER COLUMN {}", sql(table), quoted(&end.name));
        let set = |default: Option<String>| match default {
            Some(default) => format!("{sql} SET DEFAULT {default}"),
            None => format!("{sql} DROP DEFAULT"),
        };
        self.defaults.push((set(old), set(Some(new))));
        self.notes.push(format!(
            "{table}.{} has its new default from the contract on: until then an INSERT that leaves it out gets what it got before",
            end.name.as_str()
        ));
    }
}

/// The default that an INSERT gets which leaves out the copy that `column` is until the contract: that of the column whose
/// name goes.
fn default_of_real(start: &Schema, end: &Schema, table: &TableName, column: &Column) -> Option<Expr> {
    let (was, is) = (start.table(table)?, end.table(table)?);
    if was.column(&column.name).is_some() {
        return None;
    }
    let gone = was.columns.iter().filter(|one| is.column(&one.name).is_none());
    let mut defaults: Vec<Expr> = gone.filter_map(|one| one.default.clone()).collect();
    let own = column.default.as_ref().map(|one| one.text.trim());
    let same = defaults.iter().position(|one| Some(one.text.trim()) == own);
    match (same, defaults.len()) {
        (Some(at), _) => Some(defaults.swap_remove(at)),
        (None, 1) => defaults.pop(),
        (None, _) => None,
    }
}

/// A name as SQL of PostgreSQL, the only engine on which there is any of this.
fn quoted(name: &Name) -> String {
    name.quoted(Dialect::Postgres)
}

fn sql(name: &TableName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

/// The sequence behind a column, as SQL.
fn sequence(table: &TableName, column: &Name) -> String {
    format!(
        "pg_catalog.pg_get_serial_sequence({}, {})",
        plain_literal(&sql(table)),
        plain_literal(column.as_str())
    )
}

impl Judge<'_> {
    /// What new code meets before the contract and not behind it.
    pub(super) fn look_until(&mut self) {
        let (dialect, first, count) =
            (self.world.bench.place.dialect(), self.deploy.first_steps(), self.world.parts.len());
        if dialect != Dialect::Postgres || count == 0 {
            return;
        }
        let (start, _) = self.schemas(0, dialect);
        let (before_last, end) = self.schemas(count - 1, dialect);
        let middle = match first {
            0 => start.clone(),
            // Where there is no contract, the first steps end it.
            all if all == count => end.clone(),
            some if some == count - 1 => before_last,
            some => self.schemas(some, dialect).0,
        };
        self.until = Until::of(&start, &middle, &end);
        for note in self.until.notes.clone() {
            self.note(note);
        }
    }

    /// New code's writes, where an INSERT that gives no column at all gives a default: the view that has a table's new name
    /// until the contract takes no other one on MySQL.
    pub(super) fn as_views_take_it(
        &mut self,
        mut writes: Vec<String>,
        old: &[Table],
        new: &[Table],
    ) -> Vec<String> {
        for table in new.iter().filter(|table| old.iter().all(|other| other.name != table.name)) {
            let empty = format!("INSERT INTO {} () VALUES ()", table.name);
            let Some(column) = table.columns.first() else { continue };
            let column = Name::new(&column.name).quoted(Dialect::Mysql);
            for write in writes.iter_mut().filter(|write| **write == empty) {
                *write = format!("INSERT INTO {} ({column}) VALUES (DEFAULT)", table.name);
                self.note(format!("until the contract `{empty}` is refused, since {} is a view", table.name));
            }
        }
        writes
    }

    /// What lets the numbers of a database go on where they stand in that of `applier`, for columns that are numbered
    /// anew.
    pub(super) async fn numbers(&self, applier: &mut Applier) -> Vec<String> {
        let mut all = Vec::new();
        for (table, column) in &self.until.numbered {
            let sequence = sequence(table, column);
            let ask = format!("SELECT pg_catalog.pg_sequence_last_value({sequence}::pg_catalog.regclass)");
            // There is none yet where the column is a plain one.
            let Ok(rows) = applier.session().query(&ask).await else { continue };
            if let Some(last) = rows.first().and_then(|row| row.get(0)) {
                all.push(format!("SELECT pg_catalog.setval({sequence}, {last})"));
            }
        }
        all
    }

    /// New code's writes behind the plain migration, where what holds only from the contract on is as before it.
    pub(super) async fn new_writes(&self, applier: &mut Applier, codes: &Codes, numbers: &[String]) {
        let (before, behind): (Vec<String>, Vec<String>) = self.until.defaults.iter().cloned().unzip();
        for writes in [numbers, &before, &codes.new.writes, &behind, &codes.common] {
            let _ = workload::send(applier.session(), writes).await;
        }
    }

    /// Whether what `found` has of the table is what the plain migration gives where the numbers of columns that are
    /// numbered anew go on as the deploy's did.
    pub(super) async fn is_numbered_on(
        &mut self,
        reference: &Reference,
        found: &Snapshot,
        table: &str,
        numbers: &[String],
    ) -> Result<bool, RoundtripError> {
        if numbers.is_empty() {
            return Ok(false);
        }
        let mut applier = self.world.at(0).await?;
        let _ = workload::send(applier.session(), &reference.codes.old.writes).await;
        self.apply_reference(&mut applier, reference).await?;
        self.new_writes(&mut applier, &reference.codes, numbers).await;
        let rows = snapshot(&mut applier).await?;
        self.world.bench.remove(applier).await?;
        Ok(rows.is_same(found, table, &reference.unlike))
    }

    /// What was said against new code's writes, but that a partition which is still attached takes no row of another one.
    pub(super) fn not_of_a_partition(&mut self, said: Vec<String>) -> Vec<String> {
        if self.deploy.first_steps() > 0 || self.until.detached.is_empty() {
            return said;
        }
        let is_bound = |said: &String| said.contains("violates partition constraint");
        let (bound, others): (Vec<String>, Vec<String>) = said.into_iter().partition(is_bound);
        if !bound.is_empty() {
            self.note("until the contract what is detached takes no rows outside of its bounds".to_owned());
        }
        others
    }

    /// Whether the table has a partition that is detached, or is one, and has what all code has written before the plain
    /// migration: until a contract alone, new code meets what the old one does.
    pub(super) async fn is_still_attached(
        &mut self,
        reference: &Reference,
        found: &Snapshot,
        table: &str,
    ) -> Result<bool, RoundtripError> {
        let plain = table.replace('"', "");
        let bare = plain.rsplit_once('.').map_or(plain.as_str(), |(_, bare)| bare);
        if self.deploy.first_steps() > 0 || !self.until.detached.contains(bare) {
            return Ok(false);
        }
        let mut applier = self.world.at(0).await?;
        let codes = &reference.codes;
        for writes in [&codes.old.writes, &codes.new.writes, &codes.common] {
            let _ = workload::send(applier.session(), writes).await;
        }
        self.apply_reference(&mut applier, reference).await?;
        let rows = snapshot(&mut applier).await?;
        self.world.bench.remove(applier).await?;
        Ok(rows.is_same(found, table, &reference.unlike))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;

    fn schema(sql: &str) -> Schema {
        let mut schema = Schema::new(Dialect::Postgres);
        for change in sql.split_inclusive(';').flat_map(|one| engine::lower(one, Dialect::Postgres)) {
            crate::schema::apply::apply(&mut schema, &change);
        }
        schema
    }

    #[test]
    fn what_is_no_other_default_counts_for_nothing() {
        let start = schema("CREATE TABLE t (a int DEFAULT 1, b int, c serial, d int NOT NULL);");
        let until = Until::of(&start, &start, &start);
        assert_eq!(until, Until::default());
        let end = schema(
            "CREATE TABLE t (a int DEFAULT 2, b int DEFAULT 3, c int NOT NULL GENERATED ALWAYS AS IDENTITY, d int);",
        );
        let until = Until::of(&start, &start, &end);
        let set = |text: &str| format!("ALTER TABLE \"public\".\"t\" ALTER COLUMN {text}");
        assert_eq!(until.defaults[0].0, set("\"a\" SET DEFAULT 1"));
        assert_eq!(until.defaults[1].0, set("\"b\" DROP DEFAULT"));
        assert_eq!((until.defaults.len(), until.numbered.len()), (2, 1));
    }

    /// An INSERT that leaves out a copy gets what the column itself gives.
    #[test]
    fn a_renamed_column_has_the_default_of_before() {
        let start = schema("CREATE TABLE t (a int NOT NULL DEFAULT 1);");
        let first = schema("CREATE TABLE t (a int NOT NULL DEFAULT 1, b int);");
        let of = |end: &str| Until::of(&start, &first, &schema(end)).defaults;
        assert_eq!(of("CREATE TABLE t (b int NOT NULL DEFAULT 1);"), []);
        let (old, _) = of("CREATE TABLE t (b int NOT NULL DEFAULT 2);").remove(0);
        assert!(old.ends_with("\"b\" SET DEFAULT 1"), "{old}");
    }
}
