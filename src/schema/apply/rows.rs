//! What statements about rows and sessions change in the model: whether tables hold rows, and where names are looked for.

use super::Apply;
use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::*;

impl Apply<'_> {
    /// Rows are written into `name`.
    pub(super) fn filled(&mut self, name: &TableName) {
        let Some(key) = self.used_key(name) else { return };
        if self.schema.tables.get(&key).is_some_and(|table| table.rows == Rows::Empty) {
            self.edit(&key, |table| table.rows = Rows::Some);
        }
    }

    /// A statement reads or changes rows of `name`.
    pub(super) fn used(&mut self, name: &TableName) {
        self.used_key(name);
    }

    /// The key of a table whose rows are used; views and CTEs are none.
    fn used_key(&mut self, name: &TableName) -> Option<TableName> {
        if self.schema.view(name).is_some() {
            return None;
        }
        self.table_key(name)
    }

    pub(super) fn deleted(&mut self, delete: &Delete) {
        if delete.bounded { self.used(&delete.table) } else { self.emptied(&delete.table) }
    }

    /// All rows of `name` are gone.
    pub(super) fn emptied(&mut self, name: &TableName) {
        let Some(key) = self.used_key(name) else { return };
        // What was there before this history may get rows from the running code at any time.
        if self.schema.tables.get(&key).is_some_and(|table| table.origin == Origin::Created) {
            self.edit(&key, |table| table.rows = Rows::Empty);
        }
    }

    /// `SET search_path`, `USE database`.
    pub(super) fn set_variable(&mut self, set: &SetVariable) {
        let path = match (self.schema.dialect, set.name.as_str()) {
            (Dialect::Postgres, "search_path") => path(&set.values),
            (Dialect::Mysql, "database") => {
                set.values.iter().map(|name| self.schema.fold(&Name::new(name))).collect()
            }
            _ => return,
        };
        for schema in &path {
            // A schema that nothing has made is taken to exist.
            if !self.schema.schemas.contains_key(schema) && !schema.as_str().is_empty() {
                self.schema.schemas.insert(schema.clone(), None);
            }
        }
        self.schema.search_path =
            if set.values.is_empty() { [Name::new("public")].into() } else { path.into() };
    }
}

/// The schemas of a `search_path`; `"$user"` is the schema of a role that no one knows here.
fn path(values: &[String]) -> Vec<Name> {
    let parts = values.iter().flat_map(|value| value.split(','));
    let names =
        parts.map(|part| part.trim().trim_matches('"')).filter(|part| *part != "$user" && !part.is_empty());
    names.map(Name::new).collect()
}
