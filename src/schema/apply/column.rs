//! Columns: made, dropped, and everything `ALTER COLUMN` does to one.

use super::{Apply, Note};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use crate::text::Span;
use std::sync::Arc;

impl Apply<'_> {
    /// A column of which nothing is known but its name.
    pub(super) fn blank_column(&self, name: Name) -> Column {
        Column {
            name: stored(&name, self.schema.dialect),
            data_type: None,
            nullability: Nullability::Unstated,
            default: None,
            generation: None,
            on_update: None,
            collation: None,
            charset: None,
            comment: None,
            invisible: false,
            inherited: false,
            created: Some(self.schema.now),
        }
    }

    /// The column that `def` describes; a `serial` or identity gets its sequence.
    pub(super) fn new_column(&mut self, def: &ColumnDef, key: &TableName, table: &TableName) -> Column {
        let filled = matches!(def.generation, Some(Generation::Serial | Generation::Identity(_)));
        let mut column = Column {
            data_type: def.data_type.clone(),
            nullability: match def.nullability {
                Nullability::NotNull => Nullability::NotNull,
                Nullability::Null => Nullability::Null,
                Nullability::Unstated if filled => Nullability::NotNull,
                Nullability::Unstated => Nullability::Null,
            },
            default: def.default.clone().filter(|default| !default.is_null),
            generation: def.generation.clone(),
            on_update: def.on_update.clone(),
            collation: def.collation.clone(),
            charset: def.charset.clone(),
            comment: def.comment.clone().filter(|comment| !comment.is_empty()),
            invisible: def.invisible,
            ..self.blank_column(def.name.clone())
        };
        match &def.generation {
            Some(Generation::Serial) => {
                let options =
                    SequenceOptions { data_type: def.data_type.clone(), ..SequenceOptions::default() };
                let sequence = self.own_sequence(key, table, &column.name, options, false);
                column.default = Some(nextval(&sequence, &self.schema.search_path));
            }
            Some(Generation::Identity(identity)) => {
                let mut options = identity.options.clone();
                options.data_type = options.data_type.or_else(|| def.data_type.clone());
                self.own_sequence(key, table, &column.name, options, true);
            }
            Some(Generation::AutoIncrement | Generation::Expression { .. }) | None => {}
        }
        column
    }

    /// Makes the sequence of a column; its full name.
    fn own_sequence(
        &mut self,
        key: &TableName,
        table: &TableName,
        column: &Name,
        options: SequenceOptions,
        identity: bool,
    ) -> ObjectName {
        let name = match &options.name {
            Some(name) => self.full_name(name),
            None => ObjectName {
                schema: table.schema.clone(),
                name: self.schema.relation_name(key, column.as_str(), "seq", false),
            },
        };
        let sequence = Sequence {
            name: name.clone(),
            options,
            owned_by: Some((key.clone(), column.clone())),
            identity,
            created: Some(self.schema.now),
        };
        self.schema.sequences.insert(name.clone(), Arc::new(sequence));
        name
    }

    /// Does `action` if it is about a column; whether it is.
    pub(super) fn column_action(&mut self, key: &TableName, only: bool, action: &TableAction) -> bool {
        match action {
            TableAction::AddColumn { column, if_not_exists, position } => {
                self.add_column(key, column, *if_not_exists, position);
            }
            TableAction::DropColumn { column, if_exists, cascade } => {
                self.drop_column(key, column, *if_exists, *cascade);
            }
            TableAction::RenameColumn { from, to, if_exists } => {
                self.rename_column(key, from, to, *if_exists)
            }
            TableAction::ChangeColumn { from, column, position, if_exists } => {
                self.change_column(key, from, column, position.as_ref(), *if_exists);
            }
            TableAction::SetType { column, data_type, collation, .. } => {
                self.on_column(key, only, column, |column| {
                    column.data_type = Some(data_type.clone());
                    column.collation.clone_from(collation);
                });
            }
            TableAction::SetNotNull { column } => {
                self.on_column(key, only, column, |column| column.nullability = Nullability::NotNull);
            }
            TableAction::DropNotNull { column } => {
                self.on_column(key, only, column, |column| column.nullability = Nullability::Null);
                self.drop_not_null_constraint(key, column);
            }
            TableAction::SetDefault { column, default } => {
                let default = Some(default.clone()).filter(|default| !default.is_null);
                self.on_column(key, only, column, |column| {
                    column.default.clone_from(&default);
                    forget_serial(column);
                });
            }
            TableAction::DropDefault { column } => {
                self.on_column(key, only, column, |column| {
                    column.default = None;
                    forget_serial(column);
                });
            }
            TableAction::AddIdentity { column, identity } => {
                let Some(table) = self.schema.tables.get(key) else { return true };
                let (name, type_of) =
                    (table.name.clone(), table.column(column).and_then(|column| column.data_type.clone()));
                let options = SequenceOptions { data_type: type_of, ..identity.options.clone() };
                self.own_sequence(key, &name, column, options, true);
                self.on_column(key, true, column, |column| {
                    column.generation = Some(Generation::Identity(identity.clone()));
                });
            }
            TableAction::SetIdentity { column, always, .. } => {
                self.on_column(key, true, column, |column| {
                    if let (Some(Generation::Identity(identity)), Some(always)) =
                        (&mut column.generation, always)
                    {
                        identity.always = *always;
                    }
                });
            }
            TableAction::DropIdentity { column, .. } => {
                self.on_column(key, true, column, |column| {
                    if matches!(column.generation, Some(Generation::Identity(_))) {
                        column.generation = None;
                    }
                });
                self.drop_sequences_of(key, Some(column));
            }
            TableAction::SetExpression { column, expr } => {
                self.on_column(key, only, column, |column| {
                    if let Some(Generation::Expression { expr: old, .. }) = &mut column.generation {
                        *old = expr.clone();
                    }
                });
            }
            TableAction::DropExpression { column, .. } => {
                self.on_column(key, only, column, |column| column.generation = None);
            }
            TableAction::SetColumnVisible { column, visible } => {
                self.on_column(key, only, column, |column| column.invisible = !visible);
            }
            TableAction::SetStatistics { column }
            | TableAction::SetStorage { column, .. }
            | TableAction::SetCompression { column }
            | TableAction::SetColumnOptions { column } => self.on_column(key, only, column, |_| {}),
            _ => return false,
        }
        true
    }

    /// Changes a column, also of the partitions and children. One that is not there is refused; in a table whose
    /// columns are not all known it is taken to exist.
    fn on_column(&mut self, key: &TableName, only: bool, name: &Name, change: impl Fn(&mut Column)) {
        if !self.assume_column(key, name) {
            let subject = self.part(ObjectKind::Column, name, key);
            return self.missing(subject, false);
        }
        let mut tables = vec![key.clone()];
        while let Some(key) = tables.pop() {
            if !only {
                tables.extend(self.children(&key));
            }
            self.edit(&key, |table| {
                if let Some(at) = table.column_at(name) {
                    change(Arc::make_mut(&mut table.columns[at]));
                }
            });
        }
    }

    /// Whether the table has the column `name`; one whose columns are not all known has it from now on.
    pub(super) fn assume_column(&mut self, key: &TableName, name: &Name) -> bool {
        let Some(table) = self.schema.tables.get(key) else { return false };
        if table.column(name).is_some() {
            return true;
        }
        if table.is_complete() {
            return false;
        }
        let column = Column { created: None, ..self.blank_column(name.clone()) };
        self.edit(key, |table| table.columns.push(Arc::new(column)));
        true
    }

    fn add_column(
        &mut self,
        key: &TableName,
        def: &ColumnDef,
        if_not_exists: bool,
        position: &ColumnPosition,
    ) {
        let Some(table) = self.schema.tables.get(key) else { return };
        if let Some(old) = table.column(&def.name) {
            let differs = old.data_type.is_some() && old.data_type != def.data_type;
            let subject = self.part(ObjectKind::Column, &def.name, key);
            return self.exists(subject, if_not_exists, differs);
        }
        let full = table.name.clone();
        let column = Arc::new(self.new_column(def, key, &full));
        let place = Arc::clone(&column);
        self.edit(key, |table| {
            let at = self::position(table, position);
            table.columns.insert(at, place);
        });
        for child in self.descendants(key) {
            let own = Arc::new(Column { inherited: true, ..Column::clone(&column) });
            self.edit(&child, |table| {
                if table.column(&own.name).is_none() {
                    table.columns.push(own);
                }
            });
        }
        for constraint in &def.constraints {
            self.add_constraint(key, constraint);
        }
    }

    /// All partitions and children of a table, at any depth.
    pub(super) fn descendants(&self, key: &TableName) -> Vec<TableName> {
        let mut found: Vec<TableName> = Vec::new();
        let mut open = vec![key.clone()];
        while let Some(next) = open.pop() {
            for child in self.children(&next) {
                if !found.contains(&child) {
                    open.push(child.clone());
                    found.push(child);
                }
            }
        }
        found
    }

    /// MySQL `CHANGE` and `MODIFY`: the column is defined anew; keys written with it are added.
    fn change_column(
        &mut self,
        key: &TableName,
        from: &Name,
        def: &ColumnDef,
        position: Option<&ColumnPosition>,
        if_exists: bool,
    ) {
        if !self.assume_column(key, from) {
            let subject = self.part(ObjectKind::Column, from, key);
            return self.missing(subject, if_exists);
        }
        if *from != def.name {
            self.rename_column(key, from, &def.name, false);
        }
        let Some(table) = self.schema.tables.get(key) else { return };
        let full = table.name.clone();
        let primary = table
            .primary_key()
            .is_some_and(|key| key.columns().iter().any(|column| table.same(column, &def.name)));
        let old = table.column(&def.name).cloned();
        let mut column = self.new_column(def, key, &full);
        column.created = old.as_ref().and_then(|old| old.created);
        if primary {
            column.nullability = Nullability::NotNull;
        }
        self.edit(key, |table| {
            let Some(at) = table.column_at(&def.name) else { return };
            table.columns[at] = Arc::new(column);
            if let Some(position) = position {
                let column = table.columns.remove(at);
                let to = self::position(table, position);
                table.columns.insert(to, column);
            }
        });
        for constraint in &def.constraints {
            self.add_constraint(key, constraint);
        }
    }

    fn drop_column(&mut self, key: &TableName, name: &Name, if_exists: bool, cascade: bool) {
        if !self.assume_column(key, name) {
            let subject = self.part(ObjectKind::Column, name, key);
            return self.missing(subject, if_exists);
        }
        self.views_over_column(key, name, cascade);
        for child in std::iter::once(key.clone()).chain(self.descendants(key)) {
            self.drop_uses_of_column(&child, name, cascade);
            self.drop_sequences_of(&child, Some(name));
            self.edit(&child, |table| {
                if let Some(at) = table.column_at(name) {
                    table.columns.remove(at);
                }
            });
        }
    }

    /// Views that name a column which is dropped: they go with `CASCADE`, else the server refuses.
    fn views_over_column(&mut self, key: &TableName, name: &Name, cascade: bool) {
        let dialect = self.schema.dialect;
        let uses =
            |dependency: &Dependency| dependency.columns.iter().any(|column| same(column, name, dialect));
        let views: Vec<TableName> = self
            .schema
            .views_of(key)
            .filter(|(_, read)| uses(read))
            .map(|(view, _)| view.name.clone())
            .collect();
        for view in views {
            self.dependent_view(&view, cascade);
        }
    }

    /// A view that depends on what is dropped. MySQL and SQLite leave it behind, broken.
    pub(super) fn dependent_view(&mut self, view: &TableName, cascade: bool) {
        if self.schema.dialect != Dialect::Postgres {
            return;
        }
        let Some(found) = self.schema.views.get(view) else { return };
        let object = if found.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
        let subject = super::Subject { object, name: view.clone(), of: None };
        if cascade {
            self.taken(subject);
            self.remove_view(view, true);
        } else {
            self.note(Note::Blocked(subject));
        }
    }
}

/// Where a new column goes.
fn position(table: &Table, position: &ColumnPosition) -> usize {
    match position {
        ColumnPosition::Last => table.columns.len(),
        ColumnPosition::First => 0,
        ColumnPosition::After(name) => table.column_at(name).map_or(table.columns.len(), |at| at + 1),
    }
}

/// A column whose default is no longer its sequence is not `serial` any more.
fn forget_serial(column: &mut Column) {
    if column.generation == Some(Generation::Serial) {
        column.generation = None;
    }
}

/// `nextval('sequence'::regclass)`, with the schema where `search_path` does not tell it.
pub(super) fn nextval(sequence: &ObjectName, search_path: &[Name]) -> Expr {
    let shown = match &sequence.schema {
        Some(schema) if !search_path.contains(schema) => sequence.to_string(),
        _ => sequence.name.to_string(),
    };
    Expr {
        text: format!("nextval('{shown}'::regclass)"),
        span: Span::default(),
        calls: vec![Call {
            name: ObjectName::bare(Name::new("nextval")),
            literals: vec![shown],
            has_arguments: true,
        }],
        columns: Vec::new(),
        literal: None,
        is_null: false,
        volatility: Volatility::Volatile,
        requires_not_null: Vec::new(),
        has_query: false,
    }
}
