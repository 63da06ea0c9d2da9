//! The names that servers make up for constraints, indexes and sequences.

use super::super::change::IndexElement;
use super::super::model::Schema;
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};

/// Longest name of PostgreSQL, in bytes.
const LIMIT: usize = 63;

/// `first_second_label`, where the longer of the two is cut until all fits (`makeObjectName` of PostgreSQL).
fn object_name(first: &str, second: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!second.is_empty());
    let room = LIMIT.saturating_sub(overhead);
    let (mut one, mut two) = (first.len(), second.len());
    while one + two > room {
        if one > two {
            one -= 1;
        } else {
            two -= 1;
        }
    }
    let cut = |text: &str, length: usize| {
        let end = (0..=length).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text[..end].to_owned()
    };
    let (one, two) = (cut(first, one), cut(second, two));
    if two.is_empty() { format!("{one}_{label}") } else { format!("{one}_{two}_{label}") }
}

impl Schema {
    /// Whether a relation or an index in the schema of `table` is called `name`.
    fn is_relation(&self, table: &TableName, name: &str) -> bool {
        let key = ObjectName { schema: table.schema.clone(), name: Name::new(name) };
        self.tables.contains_key(&key)
            || self.views.contains_key(&key)
            || self.sequences.contains_key(&key)
            || self.index_tables.contains_key(&key)
    }

    /// Whether a constraint in the schema of `table` is called `name`.
    fn is_constraint(&self, table: &TableName, name: &str) -> bool {
        let full = ObjectName { schema: table.schema.clone(), name: Name::new(name) };
        // What this very statement has made so far is in its own table, unless that has partitions or children.
        if !self.seen.any_parent() && !self.seen.constraint(&full) {
            let own = self.tables.get(table);
            return own.is_some_and(|own| own.constraints.iter().any(|one| one.name.as_str() == name));
        }
        let in_schema = self.tables.iter().filter(|(key, _)| key.schema == table.schema);
        in_schema.flat_map(|(_, table)| &table.constraints).any(|constraint| constraint.name.as_str() == name)
    }

    /// A name for a new relation of the table with the key `table`: an index (`for_constraint`: of a constraint) or
    /// a sequence (`ChooseRelationName`).
    pub(super) fn relation_name(
        &self,
        table: &TableName,
        second: &str,
        label: &str,
        for_constraint: bool,
    ) -> Name {
        let taken =
            |name: &str| self.is_relation(table, name) || for_constraint && self.is_constraint(table, name);
        self.free_name(table.name.as_str(), second, label, taken)
    }

    /// A name for a new constraint of the table with the key `table` (`ChooseConstraintName`).
    pub(super) fn constraint_name(&self, table: &TableName, second: &str, label: &str) -> Name {
        self.free_name(table.name.as_str(), second, label, |name| self.is_constraint(table, name))
    }

    fn free_name(&self, first: &str, second: &str, label: &str, taken: impl Fn(&str) -> bool) -> Name {
        let mut name = object_name(first, second, label);
        let mut number = 0usize;
        while taken(&name) {
            number += 1;
            name = object_name(first, second, &format!("{label}{number}"));
        }
        Name::new(name)
    }
}

/// Columns joined as in the names of indexes and foreign keys (`ChooseIndexNameAddition`).
pub(super) fn joined<'a>(columns: impl IntoIterator<Item = &'a Name>) -> String {
    let mut out = String::new();
    for column in columns {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(column.as_str());
        if out.len() >= LIMIT {
            break;
        }
    }
    out
}

/// The labels of an index's elements, each made unique (`ChooseIndexColumnNames`): `expr`, `expr1`, ….
pub(super) fn labels(elements: &[IndexElement]) -> Vec<Name> {
    let mut labels: Vec<Name> = Vec::new();
    for element in elements {
        let mut label = element.label.clone();
        let mut number = 0usize;
        while labels.contains(&label) {
            number += 1;
            label = Name::new(format!("{}{number}", element.label));
        }
        labels.push(label);
    }
    labels
}

/// The first of `name`, `name_2`, `name_3`, … that is free: how MySQL names an index after its first column.
pub(super) fn mysql_index_name(column: &Name, taken: impl Fn(&Name) -> bool) -> Name {
    let mut name = column.clone();
    let mut number = 1usize;
    // An index cannot be called like the primary key.
    while taken(&name) || name.as_str().eq_ignore_ascii_case("primary") {
        number += 1;
        name = Name::new(format!("{column}_{number}"));
    }
    name
}

/// `prefixN` with the first number above all that are used.
pub(super) fn numbered<'a>(prefix: &str, used: impl Iterator<Item = &'a Name>) -> Name {
    let number = |name: &Name| name.as_str().strip_prefix(prefix)?.parse::<u64>().ok();
    let last = used.filter_map(number).max().unwrap_or(0);
    Name::new(format!("{prefix}{}", last + 1))
}

/// Whether the engine names indexes in the schema (PostgreSQL, SQLite) or in their table (MySQL).
pub(super) fn indexes_live_in_schema(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => true,
        Dialect::Mysql => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        assert_eq!(object_name("t", "a", "key"), "t_a_key");
        assert_eq!(object_name("t", "", "pkey"), "t_pkey");
        // As PostgreSQL 15 names them.
        let (table, column) = ("a".repeat(50), "b".repeat(30));
        let cut = format!("{}_{}_fkey", "a".repeat(29), "b".repeat(28));
        assert_eq!(object_name(&table, &column, "fkey"), cut);
        assert_eq!(object_name(&table, "ccccccccc", "check"), format!("{}_ccccccccc_check", "a".repeat(47)));
        assert_eq!(object_name(&"ä".repeat(40), "", "pkey"), format!("{}_pkey", "ä".repeat(29)));
    }

    #[test]
    fn mysql_counts_from_two() {
        let used = [Name::new("a"), Name::new("a_2")];
        assert_eq!(mysql_index_name(&Name::new("a"), |name| used.contains(name)).as_str(), "a_3");
        assert_eq!(numbered("t_ibfk_", [Name::new("t_ibfk_2"), Name::new("x")].iter()).as_str(), "t_ibfk_3");
    }
}
