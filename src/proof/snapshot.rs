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

    /// Whether a value looks like a moment of some clock.
    pub(super) fn has_times(&self) -> bool {
        let is_time = |value: &String| {
            let digits = |from: usize, to: usize| {
                value.get(from..to).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
            };
            let at = usize::from(value.starts_with('"'));
            digits(at, at + 4) && digits(at + 5, at + 7) && value[at..].matches(':').count() >= 2
        };
        self.0.values().flatten().any(|row| row.values().flatten().any(is_time))
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

    /// Whether each row of the table is as a whole the one of `one` or that of one of `others`, and none of them is missing
    /// or there twice. Rows are told apart by a column that tells them apart in `one` and has the same values here, and no
    /// others in those of `others` that are asked; a table without such a column has no row of which it could be said.
    pub(super) fn is_between(
        &self,
        table: &str,
        one: &Snapshot,
        others: &[&Snapshot],
        unlike: &BTreeSet<ColumnPlace>,
    ) -> bool {
        let (own, one) = (self.of(table), one.of(table));
        let others: Vec<&[RowValues]> = others.iter().map(|other| other.of(table)).collect();
        let counts = |column: &String| !unlike.contains(&(table.to_owned(), column.clone()));
        let is_key = |column: &&String| {
            let all = values(one, column);
            counts(column) && are_distinct(&all) && values(own, column) == all
        };
        let is_one_of_all = |key: &String| {
            let all = values(one, key);
            // Rows that cannot be written there are missing; where others have come, the column tells nothing.
            let is_same =
                |rows: &&&[RowValues]| values(rows, key).iter().all(|value| all.binary_search(value).is_ok());
            let others: Vec<&[RowValues]> = others.iter().filter(is_same).copied().collect();
            own.iter().all(|row| {
                let here = text(row, &counts);
                let same = |other: &&RowValues| other.get(key) == row.get(key);
                std::iter::once(&one)
                    .chain(&others)
                    .any(|rows| rows.iter().find(same).is_some_and(|row| text(row, &counts) == here))
            })
        };
        columns(one).into_iter().filter(is_key).any(is_one_of_all)
    }

    /// Whether `now` differs in the table in nothing but NULLs, which are filled there with what they became in `filled`.
    pub(super) fn is_only_filled(
        &self,
        now: &Snapshot,
        filled: &Snapshot,
        table: &str,
        unlike: &BTreeSet<ColumnPlace>,
    ) -> bool {
        let (before, now, filled) = (self.of(table), now.of(table), filled.of(table));
        let counts = |column: &String| !unlike.contains(&(table.to_owned(), column.clone()));
        let key = columns(before).into_iter().find(|column| {
            let all = values(before, column);
            let same = |rows: &[RowValues]| values(rows, column) == all;
            counts(column) && are_distinct(&all) && same(now) && same(filled)
        });
        let Some(key) = key else { return false };
        let is_filled = |row: &RowValues| {
            let same = |other: &&RowValues| other.get(key) == row.get(key);
            let (Some(old), Some(made)) = (before.iter().find(same), filled.iter().find(same)) else {
                return false;
            };
            row.iter().filter(|(column, _)| counts(column)).all(|(column, value)| {
                old.get(column) == Some(value)
                    || old.get(column) == Some(&None) && made.get(column) == Some(value)
            })
        };
        now.iter().all(is_filled)
    }

    /// The columns of the table that are new since `before` and number its rows, of those that `may_number` them: distinct
    /// whole numbers, which no column held that is gone.
    pub(super) fn numbered(
        &self,
        table: &str,
        before: &Snapshot,
        may_number: &dyn Fn(&str) -> bool,
    ) -> BTreeSet<ColumnPlace> {
        let (own, before) = (self.of(table), before.of(table));
        let known = columns(before);
        if known.is_empty() {
            return BTreeSet::new();
        }
        let own_columns = columns(own);
        let gone: Vec<&String> =
            known.iter().filter(|column| !own_columns.contains(**column)).copied().collect();
        let numbers_rows = |column: &&String| {
            let all = values(own, column);
            let came_from = |gone: &&String| values(before, gone).iter().all(|value| all.contains(value));
            may_number(column) && are_numbers(&all) && !gone.iter().any(came_from)
        };
        let new = own_columns.iter().filter(|column| !known.contains(**column)).copied();
        new.filter(numbers_rows).map(|column| (table.to_owned(), column.clone())).collect()
    }

    /// Whether the table differs from that of `other` in nothing but in which row has which number in `numbered`. The
    /// numbers of a sequence may have gaps.
    pub(super) fn is_renumbered(
        &self,
        other: &Snapshot,
        table: &str,
        unlike: &BTreeSet<ColumnPlace>,
        numbered: &BTreeSet<ColumnPlace>,
    ) -> bool {
        let all = numbered.union(unlike).cloned().collect();
        let is_numbered = |(_, column): &ColumnPlace| are_numbers(&values(other.of(table), column));
        !numbered.is_empty()
            && numbered.iter().all(is_numbered)
            && !self.differences(other, &all).iter().any(|one| one.table == table)
    }

    /// Whether the table has the same rows in `other`, and the same columns.
    pub(super) fn is_same(&self, other: &Snapshot, table: &str, unlike: &BTreeSet<ColumnPlace>) -> bool {
        columns(self.of(table)) == columns(other.of(table))
            && !self.differences(other, unlike).iter().any(|one| one.table == table)
    }

    fn of(&self, table: &str) -> &[RowValues] {
        self.0.get(table).map_or(&[], Vec::as_slice)
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
            found.push(Difference { table: table.clone(), left, right });
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

/// The columns that the rows have.
fn columns(rows: &[RowValues]) -> BTreeSet<&String> {
    rows.iter().flat_map(BTreeMap::keys).collect()
}

/// Whether sorted values tell rows apart.
fn are_distinct(values: &[Option<&str>]) -> bool {
    values.iter().all(Option::is_some) && values.windows(2).all(|pair| pair[0] != pair[1])
}

/// Whether sorted values are whole numbers that tell rows apart.
fn are_numbers(values: &[Option<&str>]) -> bool {
    are_distinct(values) && values.iter().flatten().all(|value| value.parse::<u64>().is_ok())
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
    fn values_in_other_rows_are_other_rows() {
        let one = snapshot(&[&[("a", "1"), ("b", "x")], &[("a", "2"), ("b", "y")]]);
        let swapped = snapshot(&[&[("a", "1"), ("b", "y")], &[("a", "2"), ("b", "x")]]);
        let other = snapshot(&[&[("a", "1"), ("b", "x")], &[("a", "2"), ("b", "z")]]);
        let none = BTreeSet::new();
        assert_eq!(one.differences(&one.clone(), &none), []);
        assert_eq!(
            one.differences(&swapped, &none)[0].lines(),
            "@@ rows of t @@\n-a=1 b=x\n-a=2 b=y\n+a=1 b=y\n+a=2 b=x\n"
        );
        let found = one.differences(&other, &none);
        assert_eq!(found[0].lines(), "@@ rows of t @@\n-a=2 b=y\n+a=2 b=z\n");
        let unlike = one.columns_unlike(&other);
        assert_eq!(unlike, BTreeSet::from([("t".to_owned(), "b".to_owned())]));
        assert_eq!(one.differences(&other, &unlike), []);
    }

    #[test]
    fn only_what_a_new_column_numbers_may_be_in_other_rows() {
        let before = snapshot(&[&[("a", "x"), ("old", "5")], &[("a", "y"), ("old", "6")]]);
        let end =
            snapshot(&[&[("a", "x"), ("n", "1"), ("new", "5")], &[("a", "y"), ("n", "2"), ("new", "6")]]);
        let numbered = end.numbered("t", &before, &|_| true);
        assert_eq!(numbered, BTreeSet::from([("t".to_owned(), "n".to_owned())]), "`new` is `old`");
        assert_eq!(end.numbered("t", &before, &|_| false), BTreeSet::new());
        let is_renumbered =
            |rows: &[&[(&str, &str)]]| end.is_renumbered(&snapshot(rows), "t", &BTreeSet::new(), &numbered);
        assert!(is_renumbered(&[
            &[("a", "x"), ("n", "2"), ("new", "5")],
            &[("a", "y"), ("n", "1"), ("new", "6")]
        ]));
        assert!(
            !is_renumbered(&[
                &[("a", "x"), ("n", "2"), ("new", "6")],
                &[("a", "y"), ("n", "1"), ("new", "5")]
            ]),
            "what was renamed is in another row"
        );
        assert!(
            !is_renumbered(&[
                &[("a", "x"), ("n", "2"), ("new", "5")],
                &[("a", "y"), ("n", "2"), ("new", "6")]
            ]),
            "a number that two rows have"
        );
    }

    #[test]
    fn a_row_may_be_written_before_or_behind() {
        let before =
            snapshot(&[&[("a", "1"), ("b", "x"), ("c", "p")], &[("a", "2"), ("b", "y"), ("c", "p")]]);
        let behind =
            snapshot(&[&[("a", "1"), ("b", "z"), ("c", "q")], &[("a", "2"), ("b", "w"), ("c", "q")]]);
        let none = BTreeSet::new();
        let between = |rows: &[&[(&str, &str)]]| snapshot(rows).is_between("t", &before, &[&behind], &none);
        let (first, second) =
            (&[("a", "1"), ("b", "z"), ("c", "q")][..], &[("a", "2"), ("b", "y"), ("c", "p")][..]);
        assert!(between(&[first, second]), "one behind, one before");
        assert!(!between(&[&[("a", "1"), ("b", "z"), ("c", "p")], second]), "half of each");
        assert!(!between(&[first]), "one is lost");
        assert!(!between(&[first, first]), "one is there twice, and the other is lost");
        assert!(!between(&[first, second, second]), "one too many");
        let unkeyed = snapshot(&[&[("c", "p")], &[("c", "p")]]);
        assert!(!unkeyed.is_between("t", &unkeyed, &[&unkeyed], &none), "no row can be told from another");
    }

    #[test]
    fn a_null_that_is_filled_is_told_from_another_value() {
        let row = |id: &str, value: Option<&str>| -> RowValues {
            [("a", Some(id)), ("b", value)]
                .map(|(column, value)| (column.to_owned(), value.map(str::to_owned)))
                .into()
        };
        let of = |rows: &[RowValues]| Snapshot(BTreeMap::from([("t".to_owned(), rows.to_vec())]));
        let before = of(&[row("1", None), row("2", Some("x"))]);
        let filled = of(&[row("1", Some("none")), row("2", Some("y"))]);
        let is_filled = |rows: &[RowValues]| before.is_only_filled(&of(rows), &filled, "t", &BTreeSet::new());
        assert!(is_filled(&[row("1", Some("none")), row("2", Some("x"))]));
        assert!(!is_filled(&[row("1", Some("other")), row("2", Some("x"))]), "filled with something else");
        assert!(!is_filled(&[row("1", None), row("2", Some("y"))]), "a value is another one");
        assert!(!is_filled(&[row("1", Some("none"))]), "a row is lost");
    }

    #[test]
    fn a_table_that_lost_its_rows_is_seen() {
        let one = snapshot(&[&[("a", "1")]]);
        let found = one.differences(&Snapshot::default(), &BTreeSet::new());
        assert_eq!(found[0].lines(), "@@ rows of t @@\n-a=1\n");
    }
}
