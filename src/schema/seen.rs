//! What has ever been in a schema, so that what was never there need not be looked for in all of its tables.
//!
//! Names are put in and never taken out: what is not here is certainly not there, and what is here must be looked for.

use super::change::ConstraintKind;
use super::map::Map;
use super::model::{Schema, Table, View};
use crate::name::{ObjectName, TableName};
use std::sync::Arc;

/// Names that things of a schema have, or once had.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Constraints, with the schema of their table.
    constraints: Map<ObjectName, ()>,
    /// Tables that a foreign key points to.
    referenced: Map<TableName, ()>,
    /// Tables that have partitions, or that others inherit from.
    parents: Map<TableName, ()>,
    /// Relations that a view reads.
    read: Map<TableName, ()>,
}

/// It is a shortcut and says nothing about the schema itself.
impl PartialEq for Seen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Seen {}

impl Seen {
    /// Whether a constraint called `name` may be there.
    pub fn constraint(&self, name: &ObjectName) -> bool {
        self.constraints.contains_key(name)
    }

    /// Whether a foreign key may point to `table`.
    pub fn referenced(&self, table: &TableName) -> bool {
        self.referenced.contains_key(table)
    }

    /// Whether `table` may have partitions or children.
    pub fn parent(&self, table: &TableName) -> bool {
        self.parents.contains_key(table)
    }

    /// Whether any table may have partitions or children.
    pub fn any_parent(&self) -> bool {
        !self.parents.is_empty()
    }

    /// Whether a view may read `relation`.
    pub fn read(&self, relation: &TableName) -> bool {
        self.read.contains_key(relation)
    }

    /// `table` gets a partition or a child.
    pub fn add_parent(&mut self, table: &TableName) {
        self.parents.insert(table.clone(), ());
    }

    /// Takes in `table`, of which `before` has been taken in already.
    fn add_table(&mut self, key: &TableName, before: Option<&Arc<Table>>, table: &Table) {
        let known = before.map_or(&[][..], |before| &before.constraints);
        let kept = known.iter().zip(&table.constraints).take_while(|(one, other)| Arc::ptr_eq(one, other));
        for constraint in &table.constraints[kept.count()..] {
            let name = ObjectName { schema: key.schema.clone(), name: constraint.name.clone() };
            self.constraints.insert(name, ());
            if let ConstraintKind::ForeignKey(foreign) = &constraint.kind {
                self.referenced.insert(foreign.references.clone(), ());
            }
        }
        let of = table.partition_of.iter().map(|of| &of.parent);
        for parent in of.chain(&table.inherits) {
            self.parents.insert(parent.clone(), ());
        }
    }

    fn add_view(&mut self, view: &View) {
        for read in &view.reads {
            self.read.insert(read.relation.clone(), ());
        }
    }
}

impl Schema {
    /// Takes in what a change has made of the tables and views that were there before.
    pub(super) fn remember(
        &mut self,
        tables: &Map<TableName, Arc<Table>>,
        views: &Map<TableName, Arc<View>>,
    ) {
        for (key, before, now) in tables.differences(&self.tables) {
            if let Some(now) = now {
                self.seen.add_table(key, before, now);
            }
        }
        for (_, _, now) in views.differences(&self.views) {
            if let Some(now) = now {
                self.seen.add_view(now);
            }
        }
    }
}
