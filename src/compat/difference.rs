//! What differs between two schemas, as far as a query can notice.

use crate::evidence::uses::Uses;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::model::Schema;
use std::collections::BTreeSet;

/// What differs between two schemas. Names are full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Tables and views.
    pub relations: BTreeSet<TableName>,
    /// Functions.
    pub routines: BTreeSet<ObjectName>,
    /// Types.
    pub types: BTreeSet<ObjectName>,
    /// The bare names of all of these.
    pub names: BTreeSet<Name>,
}

impl Difference {
    /// What differs between `before` and `after`.
    pub fn between(before: &Schema, after: &Schema) -> Self {
        let mut found = Self::default();
        found
            .relations
            .extend(before.tables.differences(&after.tables).into_iter().map(|(key, ..)| key.clone()));
        found
            .relations
            .extend(before.views.differences(&after.views).into_iter().map(|(key, ..)| key.clone()));
        found
            .routines
            .extend(before.routines.differences(&after.routines).into_iter().map(|(key, ..)| key.clone()));
        found.types.extend(before.types.differences(&after.types).into_iter().map(|(key, ..)| key.clone()));
        // Whoever uses a column of a type that changes may notice.
        for name in &found.types {
            for schema in [before, after] {
                found
                    .relations
                    .extend(schema.columns_of_type(name).map(|(table, _)| schema.new_key(&table.name)));
            }
        }
        // A new foreign key concerns the table that it refers to as well.
        let concerned: Vec<TableName> = found.relations.iter().cloned().collect();
        for key in concerned {
            let constraints = after.tables.get(&key).into_iter().flat_map(|table| &table.constraints);
            found.relations.extend(constraints.filter_map(|constraint| match &constraint.kind {
                crate::schema::change::ConstraintKind::ForeignKey(key) => Some(key.references.clone()),
                _ => None,
            }));
        }
        let all = found.relations.iter().chain(&found.routines).chain(&found.types);
        found.names = all.map(|name| name.name.clone()).collect();
        found
    }

    /// Whether a query that uses `uses` of either schema may notice any of it.
    pub fn touches(&self, uses: &Uses) -> bool {
        uses.tables.keys().any(|name| self.relations.contains(name))
            || uses.routines.keys().any(|name| self.routines.contains(name))
            || uses.types.iter().any(|name| self.types.contains(name))
            || uses.may_use.iter().any(|name| self.names.contains(name))
    }
}
