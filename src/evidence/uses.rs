//! What one query uses of a schema.

use crate::engine::query::tree::Value;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::DataType;
use std::collections::{BTreeMap, BTreeSet};

/// What a query does, at its outermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Verb {
    /// It reads.
    #[default]
    Select,
    /// It inserts.
    Insert,
    /// It updates.
    Update,
    /// It deletes.
    Delete,
    /// It merges.
    Merge,
    /// It could not be read.
    Unknown,
}

/// How a query uses a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableUse {
    /// It reads rows.
    pub read: bool,
    /// It inserts rows.
    pub insert: bool,
    /// It updates rows.
    pub update: bool,
    /// It deletes rows.
    pub delete: bool,
}

/// How a query uses a column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnUse {
    /// It reads it, also by `*`.
    pub read: bool,
    /// It sets it.
    pub write: bool,
    /// It sets it to `NULL`, whatever its parameters are.
    pub null: bool,
    /// What it sets it to. That of the column itself is left out.
    pub values: BTreeSet<Value>,
    /// What it compares it with.
    pub against: BTreeSet<Value>,
}

/// An `INSERT` into a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertUse {
    /// The table, by its full name.
    pub table: TableName,
    /// The columns that get a value, in order.
    pub columns: Vec<Name>,
    /// Whether the query names them; else they are the table's first ones.
    pub listed: bool,
    /// Whether it says what to do with a row that is refused.
    pub conflict: bool,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name, where the engine does not make one up.
    pub name: Option<Name>,
    /// Its type, where it is that of a column or a cast.
    pub data_type: Option<DataType>,
    /// The columns that it is made of.
    pub sources: Vec<(TableName, Name)>,
}

/// What one query uses of one schema. Names of relations are full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// What it does.
    pub verb: Verb,
    /// Tables and views, also those behind views.
    pub tables: BTreeMap<TableName, TableUse>,
    /// Columns, also those behind views.
    pub columns: BTreeMap<(TableName, Name), ColumnUse>,
    /// Relations of which it reads `*`, or whole rows.
    pub stars: BTreeSet<TableName>,
    /// Rows that it inserts.
    pub inserts: Vec<InsertUse>,
    /// Functions of the schema that it calls, and with how many arguments.
    pub routines: BTreeMap<ObjectName, usize>,
    /// Types of the schema that it names.
    pub types: BTreeSet<ObjectName>,
    /// What it casts to types of the schema.
    pub casts: BTreeSet<(ObjectName, Value)>,
    /// The columns of its result; none where they cannot be told.
    pub result: Option<Vec<ResultColumn>>,
    /// Why the server would refuse it.
    pub problems: Vec<String>,
    /// Why what is said here may be wrong.
    pub doubts: Vec<String>,
    /// Where it could not be read: the names in it, each of which it may use.
    pub may_use: Vec<Name>,
}

impl Uses {
    /// Whether everything that it uses is known.
    pub fn is_certain(&self) -> bool {
        self.doubts.is_empty()
    }

    /// Whether it uses, or may use, the column `column` of `table` (its full name).
    pub fn uses_column(&self, table: &TableName, column: &Name) -> bool {
        self.columns.contains_key(&(table.clone(), column.clone()))
            || (self.may_use.contains(&table.name) && self.may_use.contains(column))
    }

    /// Whether it uses, or may use, `relation` (its full name).
    pub fn uses_relation(&self, relation: &TableName) -> bool {
        self.tables.contains_key(relation) || self.may_use.contains(&relation.name)
    }

    pub(super) fn problem(&mut self, what: String) {
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    pub(super) fn doubt(&mut self, what: String) {
        if !self.doubts.contains(&what) {
            self.doubts.push(what);
        }
    }
}
