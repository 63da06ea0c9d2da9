//! The rows of a database at a moment, and how those of another moment differ.

use crate::db::error::DbError;
use crate::db::session::Session;
use crate::roundtrip::rows::{self, RowValues};
use std::collections::{BTreeMap, BTreeSet};

/// How many rows of a table a difference shows.
const SHOWN: usize = 3;

/// A column of a table.
pub(super) type ColumnPlace = (String, String);

/// The rows of all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<String, Vec<RowValues>>);

impl Snapshot {
    pub(super) async fn take(session: &mut dyn Session) -> Result<Self, DbError> {
        Ok(Self(rows::values(session).await?))
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether the table has rows. Names are compared without their quotes.
    pub(super) fn holds(&self, table: &str) -> bool {
        let plain = |name: &str| name.replace('"', "");
        self.0.keys().any(|name| plain(name) == plain(table))
    }

    /// The columns whose values are not those of `other`: what the clock or chance fills.
    pub(super) fn columns_unlike(&self, other: &Snapshot) -> BTreeSet<ColumnPlace> {
        let mut found = BTreeSet::new();
        let none = Vec::new();
        for (table, rows) in &self.0 {
            let others = other.0.get(table).unwrap_or(&none);
            for column in rows.iter().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>() {
                if values(rows, column) != values(others, column) {
                    found.insert((table.clone(), column.clone()));
                }
            }
        }
        found
    }

    /// Whether each row of the table is one of `one` or of `other`, and there are as many: what was written in between
    /// may count as written before or behind.
    pub(super) fn is_between(
        &self,
        table: &str,
        one: &Snapshot,
        other: &Snapshot,
        unlike: &BTreeSet<ColumnPlace>,
    ) -> bool {
        let none = Vec::new();
        let of = |snapshot: &Snapshot| -> Vec<String> {
            let rows = snapshot.0.get(table).unwrap_or(&none);
            let counts = |column: &String| !unlike.contains(&(table.to_owned(), column.clone()));
            rows.iter().map(|row| text(row, &counts)).collect()
        };
        let (own, one, other) = (of(self), of(one), of(other));
        own.len() == one.len() && own.iter().all(|row| one.contains(row) || other.contains(row))
    }

    /// What is not the same in `other`, a line each, where columns in `unlike` do not count; of two rows, columns that
    /// only one of them has do not either.
    pub(super) fn differences(&self, other: &Snapshot, unlike: &BTreeSet<ColumnPlace>) -> Vec<Difference> {
        let tables: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let none = Vec::new();
        let mut found = Vec::new();
        for table in tables {
            let (rows, others) = (self.0.get(table).unwrap_or(&none), other.0.get(table).unwrap_or(&none));
            let known = |rows: &[RowValues]| -> BTreeSet<String> {
                rows.iter().flat_map(BTreeMap::keys).cloned().collect()
            };
            let (here, there) = (known(rows), known(others));
            let counts = |column: &String| {
                (here.is_empty() || there.is_empty() || here.contains(column) && there.contains(column))
                    && !unlike.contains(&(table.clone(), column.clone()))
            };
            let (left, right) = surplus(rows, others, &counts);
            if left.is_empty() && right.is_empty() {
                continue;
            }
            let columns: Vec<String> = here.union(&there).filter(|column| counts(column)).cloned().collect();
            let moved = columns.iter().filter(|column| values(rows, column) == values(others, column));
            let is_order_only = rows.len() == others.len() && moved.count() == columns.len();
            found.push(Difference { table: table.clone(), left, right, is_order_only });
        }
        found
    }
}

/// What is different about a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) table: String,
    /// Rows that only the first has.
    left: Vec<String>,
    /// Rows that only the second has.
    right: Vec<String>,
    /// Each column holds the same values, in other rows.
    pub(super) is_order_only: bool,
}

impl Difference {
    /// It as lines: `-` the first, `+` the second.
    pub(super) fn lines(&self) -> String {
        let mut out = format!("@@ rows of {} @@\n", self.table);
        for (sign, rows) in [('-', &self.left), ('+', &self.right)] {
            for row in rows.iter().take(SHOWN) {
                out.push_str(&format!("{sign}{row}\n"));
            }
            if rows.len() > SHOWN {
                out.push_str(&format!("{sign}… and {} more\n", rows.len() - SHOWN));
            }
        }
        out
    }
}

/// The values of a column, sorted.
fn values<'a>(rows: &'a [RowValues], column: &str) -> Vec<Option<&'a str>> {
    let mut all: Vec<Option<&str>> = rows.iter().map(|row| row.get(column)?.as_deref()).collect();
    all.sort_unstable();
    all
}

/// A row as text.
fn text(row: &RowValues, counts: &dyn Fn(&String) -> bool) -> String {
    let parts: Vec<String> = row
        .iter()
        .filter(|(column, _)| counts(column))
        .map(|(column, value)| format!("{column}={}", value.as_deref().unwrap_or("NULL")))
        .collect();
    parts.join(" ")
}

/// The rows that only one side has, as text.
fn surplus(
    rows: &[RowValues],
    others: &[RowValues],
    counts: &dyn Fn(&String) -> bool,
) -> (Vec<String>, Vec<String>) {
    let mut balance: BTreeMap<String, i64> = BTreeMap::new();
    rows.iter().for_each(|row| *balance.entry(text(row, counts)).or_default() += 1);
    others.iter().for_each(|row| *balance.entry(text(row, counts)).or_default() -= 1);
    let side = |wanted: i64| {
        let mut out = Vec::new();
        for (row, count) in &balance {
            for _ in 0..(count * wanted).max(0) {
                out.push(row.clone());
            }
        }
        out
    };
    (side(1), side(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(rows: &[&[(&str, &str)]]) -> Snapshot {
        let row = |cells: &&[(&str, &str)]| {
            cells.iter().map(|(column, value)| ((*column).to_owned(), Some((*value).to_owned()))).collect()
        };
        Snapshot(BTreeMap::from([("t".to_owned(), rows.iter().map(row).collect())]))
    }

    #[test]
    fn values_in_other_rows_are_told_from_other_values() {
        let one = snapshot(&[&[("a", "1"), ("b", "x")], &[("a", "2"), ("b", "y")]]);
        let swapped = snapshot(&[&[("a", "1"), ("b", "y")], &[("a", "2"), ("b", "x")]]);
        let other = snapshot(&[&[("a", "1"), ("b", "x")], &[("a", "2"), ("b", "z")]]);
        let none = BTreeSet::new();
        assert_eq!(one.differences(&one.clone(), &none), []);
        assert!(one.differences(&swapped, &none)[0].is_order_only);
        let found = one.differences(&other, &none);
        assert!(!found[0].is_order_only);
        assert_eq!(found[0].lines(), "@@ rows of t @@\n-a=2 b=y\n+a=2 b=z\n");
        let unlike = one.columns_unlike(&other);
        assert_eq!(unlike, BTreeSet::from([("t".to_owned(), "b".to_owned())]));
        assert_eq!(one.differences(&other, &unlike), []);
    }

    #[test]
    fn a_row_may_be_written_before_or_behind() {
        let before = snapshot(&[&[("a", "1"), ("b", "x")], &[("a", "2"), ("b", "y")]]);
        let behind = snapshot(&[&[("a", "1"), ("b", "z")], &[("a", "3"), ("b", "y")]]);
        let none = BTreeSet::new();
        let between = |rows: &[&[(&str, &str)]]| snapshot(rows).is_between("t", &before, &behind, &none);
        assert!(between(&[&[("a", "1"), ("b", "z")], &[("a", "2"), ("b", "y")]]));
        assert!(!between(&[&[("a", "1"), ("b", "w")], &[("a", "2"), ("b", "y")]]));
        assert!(!between(&[&[("a", "1"), ("b", "z")]]));
    }

    #[test]
    fn a_table_that_lost_its_rows_is_seen() {
        let one = snapshot(&[&[("a", "1")]]);
        let found = one.differences(&Snapshot::default(), &BTreeSet::new());
        assert_eq!(found[0].lines(), "@@ rows of t @@\n-a=1\n");
    }
}
