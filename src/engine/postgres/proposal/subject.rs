//! What a proposal is about: a table as the migration names it, and what the schema knows of it.

use super::{id, sql};
use crate::dialect::Dialect;
use crate::engine::proposal::{Action, Given, Missing, Proposal, Stage};
use crate::engine::update::replace_columns;
use crate::engine::version::Number;
use crate::name::{Name, TableName};
use crate::schema::apply::apply;
use crate::schema::change::{Change, DataType, Nullability};
use crate::schema::model::{Column, Schema, Table, TableConstraint, stored};
use std::sync::Arc;

/// The table that a proposal is about.
pub(super) struct Subject<'a> {
    pub(super) schema: &'a Schema,
    pub(super) name: &'a TableName,
    pub(super) table: Option<&'a Table>,
    pub(super) version: Number,
    pub(super) given: &'a Given,
    pub(super) change: &'a Change,
}

impl<'a> Subject<'a> {
    pub fn new(
        schema: &'a Schema,
        name: &'a TableName,
        version: Number,
        given: &'a Given,
        change: &'a Change,
    ) -> Self {
        Self { schema, name, table: schema.table(name).map(|table| &**table), version, given, change }
    }

    /// The table, ready to be put into SQL, as the statement names it.
    pub fn sql(&self) -> String {
        sql(self.name)
    }

    pub fn column(&self, name: &Name) -> Option<&'a Column> {
        self.table.and_then(|table| table.column(name)).map(|column| &**column)
    }

    /// Whether the column may not be NULL.
    pub fn is_required(&self, name: &Name) -> bool {
        self.column(name).is_some_and(|column| column.nullability == Nullability::NotNull)
            || self.table.and_then(Table::primary_key).is_some_and(|key| key.columns().contains(name))
    }

    /// Whether the column's default from a sequence goes in the same migration, and it becomes an identity.
    pub fn is_renumbered(&self, name: &Name) -> bool {
        let key = self.schema.relation_key(self.name);
        self.given.renumbered.iter().any(|(table, column)| Some(table) == key.as_ref() && column == name)
    }

    /// A name for something of ours: the table's, then `suffix`.
    pub fn named(&self, suffix: &str) -> Name {
        named(&self.name.name, suffix)
    }

    /// A name beside the table: that of a function or a sequence.
    pub fn beside(&self, suffix: &str) -> String {
        self.in_schema(&self.named(suffix))
    }

    /// `name` in the schema of the table, as the statement names that.
    pub fn in_schema(&self, name: &Name) -> String {
        sql(&TableName { schema: self.name.schema.clone(), name: name.clone() })
    }

    /// The type of a column, where it is known.
    pub fn type_of(&self, name: &Name) -> String {
        let known = self.column(name).and_then(|column| column.data_type.as_ref());
        known.map_or_else(|| "…".to_owned(), |known| data_type(known, self.schema))
    }

    /// The type of a column with its collation.
    pub fn full_type_of(&self, name: &Name) -> String {
        let collation = self.column(name).and_then(|column| column.collation.as_deref());
        let of_type = self.type_of(name);
        collation.map_or(of_type.clone(), |collation| format!("{of_type} COLLATE {}", quoted(collation)))
    }

    /// The expression `text` over a row, in a trigger: columns are those of `NEW`.
    pub fn over_new(&self, text: &str) -> String {
        let columns: Vec<Name> = self
            .table
            .map_or_else(Vec::new, |table| table.columns.iter().map(|one| one.name.clone()).collect());
        replace_columns(text, Dialect::Postgres, &self.name.name, &columns, |column| {
            format!("NEW.{}", id(column))
        })
    }

    /// The schema behind the change.
    pub fn after(&self) -> Schema {
        let mut after = self.schema.clone();
        apply(&mut after, self.change);
        after
    }

    /// The constraints that the change brings, with the names that the server gives them.
    pub fn new_constraints(&self) -> Vec<Arc<TableConstraint>> {
        let after = self.after();
        let Some(table) = after.table(self.name) else { return Vec::new() };
        let known = |one: &Arc<TableConstraint>| {
            self.table.is_some_and(|table| table.constraint(&one.name).is_some())
        };
        table.constraints.iter().filter(|one| !known(one)).cloned().collect()
    }

    /// The partitions of the table, as the schema knows them.
    pub fn partitions(&self) -> Vec<Arc<Table>> {
        let Some(table) = self.table.filter(|table| table.partition_by.is_some()) else { return Vec::new() };
        self.schema.children_of(&table.name).cloned().collect()
    }

    /// The partitions that hold the rows of the table, at any depth.
    pub fn leaves(&self) -> Vec<Arc<Table>> {
        let (mut leaves, mut open) = (Vec::new(), self.partitions());
        open.reverse();
        while let Some(next) = open.pop() {
            if next.partition_by.is_some() {
                open.extend(self.schema.children_of(&next.name).cloned());
            } else {
                leaves.push(next);
            }
        }
        leaves
    }

    /// Whether rows of the table live in partitions.
    pub fn is_partitioned(&self) -> bool {
        self.table.is_some_and(|table| table.partition_by.is_some())
    }

    /// An UPDATE of all rows that satisfy `condition`, by the table's key.
    pub fn batch(&self, proposal: &mut Proposal, about: &str, set: &str, condition: &str) {
        let key = self.key();
        if key.is_empty() {
            let why = match self.table.filter(|table| table.is_complete()) {
                Some(_) => format!(
                    "`{}` has no primary key and no unique key without NULL, so that its rows cannot be filled in chunks",
                    self.sql()
                ),
                None => format!("`{}` is not made by any migration: its key is not known", self.sql()),
            };
            proposal.missing.push(Missing::Other(why));
        }
        let sql = format!("UPDATE {} SET {set} WHERE {condition}", self.sql());
        proposal.expand.push(Stage::Backfill { action: Action::new(about, sql), key });
    }

    /// The columns of a key that no two rows share and that is never NULL.
    pub fn key(&self) -> Vec<Name> {
        self.table.map_or_else(Vec::new, crate::engine::key_of)
    }

    /// Says why there is no plan where the schema does not know enough of the table, or rows of it cannot be written
    /// by a trigger.
    pub fn must_be_known(&self, proposal: &mut Proposal) {
        let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
        let name = self.sql();
        match self.table {
            None => missing(format!("no migration makes `{name}`: what it is made of is not known")),
            Some(table) if !table.is_complete() => {
                missing(format!("no migration makes `{name}`: what it is made of is not known"));
            }
            Some(_) => {}
        }
    }

    /// Says why there is no plan that needs triggers on the table.
    pub fn must_take_triggers(&self, proposal: &mut Proposal) {
        self.must_be_known(proposal);
        let Some(table) = self.table else { return };
        let name = self.sql();
        let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
        let inherits = self.schema.children_of(&table.name).any(|child| child.partition_of.is_none());
        if inherits {
            missing(format!("tables inherit from `{name}`, and its triggers do not fire for their rows"));
        }
        if table.partition_of.is_some() {
            missing(format!("`{name}` is a partition: plan the change for the table that it is a part of"));
        }
        let outside = table.triggers.iter().find(|trigger| {
            let (definition, name) = (&trigger.definition, trigger.definition.name.as_str());
            definition.timing == "BEFORE"
                && definition.for_each_row
                && (name.as_bytes() <= b"!twostep".as_slice() || name.as_bytes() >= b"~twostep".as_slice())
        });
        if let Some(trigger) = outside {
            missing(format!(
                "the trigger `{}` of `{name}` fires before or behind the ones of a plan, which sort by their names",
                trigger.definition.name.as_str()
            ));
        }
    }
}

/// `first_suffix`, cut to the length of a name; what is cut differs by its hash.
pub(super) fn named(first: &Name, suffix: &str) -> Name {
    const LIMIT: usize = 63;
    let whole = format!("{}_{suffix}", first.as_str());
    if whole.len() <= LIMIT {
        return Name::new(whole);
    }
    let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let tail = format!("_{:08x}", hash >> 32);
    let cut = stored(&Name::new(whole), Dialect::Postgres);
    let end = (0..=LIMIT - tail.len()).rev().find(|at| cut.as_str().is_char_boundary(*at)).unwrap_or(0);
    Name::new(format!("{}{tail}", &cut.as_str()[..end]))
}

/// A type as SQL: the name of one that a migration has made is quoted where it must be.
pub(super) fn data_type(data_type: &DataType, schema: &Schema) -> String {
    let object = data_type.object_name();
    if data_type.schema.is_none() && schema.user_type(&object).is_none() {
        return data_type.to_string();
    }
    let arguments = match data_type.arguments.as_slice() {
        [] => String::new(),
        some => format!("({})", some.join(",")),
    };
    format!("{}{arguments}{}", sql(&object), if data_type.dimensions > 0 { "[]" } else { "" })
}

/// A collation, whose name most often needs quotes.
pub(super) fn quoted(collation: &str) -> String {
    let part = |part: &str| Name::new(part).quoted(Dialect::Postgres);
    match collation.split_once('.') {
        Some((schema, name)) if !collation.starts_with('"') => format!("{}.{}", part(schema), part(name)),
        _ if collation.starts_with('"') => collation.to_owned(),
        _ => part(collation),
    }
}
