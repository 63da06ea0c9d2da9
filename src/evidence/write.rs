//! What `INSERT`, `UPDATE`, `DELETE` and `MERGE` write.

use super::resolve::Resolver;
use super::scope::{Columns, Frame, Known, Open, Origin, Visible};
use super::uses::{InsertUse, TableUse};
use crate::engine::query::builtin;
use crate::engine::query::tree::*;
use crate::name::{Name, TableName};
use crate::schema::change::{ConstraintKind, Generation};
use crate::schema::model::{Relation, Table};
use std::sync::Arc;

impl Resolver<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Columns {
        if let Some(source) = &insert.source {
            self.query(source);
        }
        let (key, columns) = self.relation_columns(&insert.table);
        if let Some(key) = &key {
            self.table_use(key).insert = true;
        }
        let written = self.inserted(key.as_ref(), &columns, insert);
        if let Some(key) = &key {
            let names = written.iter().map(|known| known.name.clone()).collect();
            self.inserted_row(key, names, insert);
        }
        let name = insert.alias.clone().unwrap_or_else(|| insert.table.name.clone());
        let target = Visible {
            name: Some(name),
            relation: key.clone(),
            columns: columns.clone(),
            qualified_only: false,
        };
        self.frames.push(Frame { sources: vec![target] });
        for pseudo in ["excluded", "old", "new"].map(Name::new).into_iter().chain(insert.row_alias.clone()) {
            // Unless the table itself is called so.
            if self.visible(std::slice::from_ref(&pseudo)).is_none() {
                self.add(Visible {
                    name: Some(pseudo),
                    relation: None,
                    columns: columns.clone(),
                    qualified_only: true,
                });
            }
        }
        if let Some(conflict) = &insert.conflict {
            self.conflict(key.as_ref(), conflict);
        }
        let output = self.items(&insert.returning);
        self.frames.pop();
        output
    }

    /// The columns that an `INSERT` gives values to.
    fn inserted(&mut self, key: Option<&TableName>, columns: &Columns, insert: &Insert) -> Vec<Known> {
        let shown: Vec<&Known> = columns.known.iter().filter(|known| !known.invisible).collect();
        let mut written = Vec::new();
        if insert.columns.is_empty() {
            let width = insert.width.unwrap_or(if insert.source.is_some() { shown.len() } else { 0 });
            let all = builtin::insert_gives_all_columns(self.schema.dialect);
            if columns.open == Open::No && (width > shown.len() || all && width > 0 && width != shown.len()) {
                self.uses.problem(format!(
                    "INSERT gives {width} values, but \"{}\" has {} columns",
                    insert.table,
                    shown.len()
                ));
            }
            written.extend(shown.into_iter().take(width).cloned());
            if let Some(key) = key
                && insert.source.is_some()
            {
                self.uses.stars.insert(key.clone());
            }
        }
        for name in &insert.columns {
            match (columns.known.iter().find(|known| self.same(&known.name, name)), &columns.open) {
                (Some(known), _) => written.push(known.clone()),
                (None, Open::Unsure(relation)) => {
                    written.push(Known::new(name.clone(), vec![(relation.clone(), name.clone())], None));
                }
                (None, Open::Foreign) => {}
                (None, Open::No) => self.uses.problem(format!(
                    "column \"{name}\" of relation \"{}\" does not exist",
                    insert.table.name
                )),
            }
        }
        for (at, known) in written.iter().enumerate() {
            self.used(&known.origins, true);
            let rows = given(insert, at);
            let is_null = rows.iter().any(|values| values.as_slice() == [Value::Null]);
            self.sets(&known.origins, &rows.concat(), is_null);
        }
        written
    }

    /// Notes what the column that is made of `origins` is set to, and whether that is surely `NULL` in a row.
    fn sets(&mut self, origins: &[Origin], values: &[Value], is_null: bool) {
        for (relation, column) in origins.iter().filter(|_| is_null) {
            self.uses.columns.entry((relation.clone(), column.clone())).or_default().null = true;
        }
        for value in values {
            let value = match value {
                // Its own value, or the one that was to be inserted.
                Value::Column(path) => match self.lookup(path) {
                    Some(known) if origins.iter().any(|origin| known.origins.contains(origin)) => continue,
                    Some(_) | None => Value::Unknown,
                },
                value => value.clone(),
            };
            for (relation, column) in origins {
                let used = self.uses.columns.entry((relation.clone(), column.clone())).or_default();
                used.values.insert(value.clone());
            }
        }
    }

    /// Notes a row that is inserted into `key`, and what the server refuses in it.
    fn inserted_row(&mut self, key: &TableName, columns: Vec<Name>, insert: &Insert) {
        let (listed, conflict) = (!insert.columns.is_empty(), insert.conflict.is_some() || insert.tolerant);
        let defaults = &insert.defaults;
        if let Some(table) = self.schema.tables.get(key).cloned() {
            for (at, name) in columns.iter().enumerate() {
                if !defaults.get(at).copied().unwrap_or(false) {
                    self.not_generated(&table, name, true);
                }
            }
        }
        self.uses.inserts.push(InsertUse { table: key.clone(), columns, listed, conflict });
    }

    /// A column that the server computes takes no value.
    fn not_generated(&mut self, table: &Table, column: &Name, insert: bool) {
        let Some(column) = table.column(column) else { return };
        let refused = match &column.generation {
            Some(Generation::Expression { .. }) => true,
            Some(Generation::Identity(identity)) => identity.always,
            Some(Generation::Serial | Generation::AutoIncrement) | None => false,
        };
        if refused {
            let what = if insert {
                "cannot insert a non-DEFAULT value into"
            } else {
                "can only be updated to DEFAULT:"
            };
            self.uses.problem(format!("{what} column \"{}\" of \"{}\"", column.name, table.name));
        }
    }

    fn conflict(&mut self, key: Option<&TableName>, conflict: &Conflict) {
        if let Some(table) = key.and_then(|key| self.schema.tables.get(key)).cloned() {
            for name in &conflict.columns {
                self.used(&[(table.name.clone(), name.clone())], false);
            }
            if table.is_complete() {
                self.arbiter(&table, conflict);
            }
        }
        self.assignments(&conflict.assignments, 1);
        if let Some(key) = key
            && !conflict.assignments.is_empty()
        {
            self.table_use(key).update = true;
        }
        for clause in &conflict.clauses {
            self.expression(clause);
        }
    }

    /// `ON CONFLICT` needs the index or the constraint that it names.
    fn arbiter(&mut self, table: &Arc<Table>, conflict: &Conflict) {
        if let Some(name) = &conflict.constraint
            && table.constraint(name).is_none()
        {
            self.uses.problem(format!("constraint \"{name}\" for table \"{}\" does not exist", table.name));
        }
        if conflict.columns.is_empty() {
            return;
        }
        let fits = |columns: &[&Name]| {
            columns.len() == conflict.columns.len()
                && conflict
                    .columns
                    .iter()
                    .all(|wanted| columns.iter().any(|column| table.same(column, wanted)))
        };
        let by_index = (table.indexes.iter())
            .filter(|index| index.unique && (conflict.partial || index.predicate.is_none()))
            .any(|index| index.plain_columns().is_some_and(|columns| fits(&columns)));
        let by_key = table.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                fits(&key.columns.iter().collect::<Vec<_>>())
            }
            ConstraintKind::Check(_)
            | ConstraintKind::ForeignKey(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => false,
        });
        if !by_index && !by_key {
            self.uses.problem(
                "there is no unique or exclusion constraint matching the ON CONFLICT specification"
                    .to_owned(),
            );
        }
    }

    /// Resolves assignments to the first `targets` sources of the innermost frame.
    fn assignments(&mut self, assignments: &[Assignment], targets: usize) {
        for one in assignments {
            if one.value.shape != Shape::Default {
                self.expression(&one.value);
            }
            let of_one = if one.targets.len() == 1 { one.value.values.as_slice() } else { &[Value::Unknown] };
            for path in &one.targets {
                self.target(path, targets, &one.value.shape, of_one);
            }
        }
    }

    fn target(&mut self, path: &[Name], targets: usize, value: &Shape, values: &[Value]) {
        let sources: Vec<Visible> = self
            .frames
            .last()
            .map(|frame| frame.sources.iter().take(targets).cloned().collect())
            .unwrap_or_default();
        let qualified = match path {
            [.., table, column] => sources
                .iter()
                .find(|source| source.name.as_ref().is_some_and(|name| self.same(name, table)))
                .map(|source| (source, column)),
            _ => None,
        };
        // Without its table's name, and then perhaps with that of a field.
        let Some(first) = path.first() else { return };
        let has = |source: &&Visible| source.columns.known.iter().any(|known| self.same(&known.name, first));
        let chosen = qualified.or_else(|| sources.iter().find(has).map(|source| (source, first)));
        let (source, column) = match (chosen, sources.as_slice()) {
            (Some(chosen), _) => chosen,
            (None, [only]) => (only, first),
            (None, many) => {
                let unsure = many.iter().find(|source| source.columns.open != Open::No);
                match unsure.or(many.first()) {
                    Some(source) => (source, first),
                    None => return,
                }
            }
        };
        match (source.columns.known.iter().find(|known| self.same(&known.name, column)), &source.columns.open)
        {
            (Some(known), _) => self.written(&known.origins, value, values),
            (None, Open::Unsure(relation)) => {
                self.written(&[(relation.clone(), column.clone())], value, values);
            }
            (None, Open::Foreign) => {}
            (None, Open::No) => {
                let table = source.name.clone().unwrap_or_default();
                self.uses.problem(format!("column \"{column}\" of relation \"{table}\" does not exist"));
            }
        }
    }

    fn written(&mut self, origins: &[Origin], value: &Shape, values: &[Value]) {
        self.used(origins, true);
        self.sets(origins, values, values == [Value::Null]);
        let default = *value == Shape::Default;
        for (relation, column) in origins {
            let TableUse { update, .. } = self.table_use(relation);
            *update = true;
            if let Some(table) = self.schema.tables.get(relation).cloned()
                && !default
            {
                self.not_generated(&table, column, false);
            }
        }
    }

    pub(super) fn update(&mut self, update: &Update) -> Columns {
        self.frames.push(Frame::default());
        for source in &update.tables {
            self.source(source);
        }
        let targets = self.frames.last().map_or(0, |frame| frame.sources.len());
        for source in &update.from {
            self.source(source);
        }
        self.assignments(&update.assignments, targets);
        for clause in &update.clauses {
            self.expression(clause);
        }
        let output = self.returning(&update.returning);
        self.frames.pop();
        output
    }

    /// `RETURNING`, which may also name the row before and after.
    fn returning(&mut self, items: &[Item]) -> Columns {
        if items.is_empty() {
            return Columns::default();
        }
        let first = self.frames.last().and_then(|frame| frame.sources.first()).cloned();
        for pseudo in ["old", "new"].map(Name::new) {
            if let Some(first) = &first
                && self.visible(std::slice::from_ref(&pseudo)).is_none()
            {
                let columns = first.columns.clone();
                self.add(Visible { name: Some(pseudo), relation: None, columns, qualified_only: true });
            }
        }
        self.items(items)
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Columns {
        self.frames.push(Frame::default());
        let mut names = delete.names.clone();
        for source in &delete.using {
            self.source(source);
        }
        for (at, source) in delete.from.iter().enumerate() {
            let SourceKind::Relation(name) = &source.kind else {
                self.source(source);
                continue;
            };
            // MySQL: `DELETE FROM alias USING table AS alias`.
            let is_known = source.alias.is_none() && self.visible(std::slice::from_ref(&name.name)).is_some();
            if delete.names.is_empty() && (at == 0 || is_known) {
                names.push(TableName::bare(source.alias.clone().unwrap_or_else(|| name.name.clone())));
            }
            if !is_known || delete.using.is_empty() {
                self.source(source);
            }
        }
        for name in names {
            let key = self.deleted(&name);
            if let Some(key) = key {
                self.table_use(&key).delete = true;
            }
        }
        for clause in &delete.clauses {
            self.expression(clause);
        }
        // The table itself stands first for `RETURNING`.
        let output = self.returning(&delete.returning);
        self.frames.pop();
        output
    }

    /// The full name of the relation that `name`, an alias or a table, stands for.
    fn deleted(&self, name: &TableName) -> Option<TableName> {
        let visible = self.visible(std::slice::from_ref(&name.name))?;
        (visible.relation.clone())
            .or_else(|| {
                visible
                    .columns
                    .known
                    .first()
                    .and_then(|known| known.origins.first())
                    .map(|(key, _)| key.clone())
            })
            .or_else(|| match self.schema.relation(name) {
                Some(Relation::Table(_) | Relation::View(_)) => self.schema.relation_key(name),
                Some(Relation::Sequence(_)) | None => None,
            })
    }

    pub(super) fn merge(&mut self, merge: &Merge) -> Columns {
        self.frames.push(Frame::default());
        self.source(&merge.target);
        self.source(&merge.source);
        for clause in &merge.clauses {
            self.expression(clause);
        }
        let key = match &merge.target.kind {
            SourceKind::Relation(name) => self.schema.relation_key(name),
            _ => None,
        };
        for action in &merge.actions {
            match action {
                MergeAction::Update(assignments) => self.assignments(assignments, 1),
                MergeAction::Delete => {
                    if let Some(key) = &key {
                        self.table_use(key).delete = true;
                    }
                }
                MergeAction::Insert(columns, values) => {
                    for value in values {
                        self.expression(value);
                    }
                    let insert = Insert {
                        table: key.clone().unwrap_or_default(),
                        columns: columns.clone(),
                        width: Some(values.len()),
                        source: Some(Query { body: Body::Values(vec![values.clone()]), ..Query::default() }),
                        defaults: values.iter().map(|value| value.shape == Shape::Default).collect(),
                        ..Insert::default()
                    };
                    let target = self.frames.last().and_then(|frame| frame.sources.first()).cloned();
                    if let (Some(key), Some(target)) = (&key, target) {
                        self.table_use(key).insert = true;
                        let written = self.inserted(Some(key), &target.columns, &insert);
                        let names = written.into_iter().map(|known| known.name).collect();
                        self.inserted_row(key, names, &insert);
                    }
                }
            }
        }
        let output = self.items(&merge.returning);
        self.frames.pop();
        output
    }
}

/// What an `INSERT` gives to the column at the place `at`: of each row what it can be.
fn given(insert: &Insert, at: usize) -> Vec<Vec<Value>> {
    let unknown = || vec![Value::Unknown];
    match insert.source.as_ref().map(|source| &source.body) {
        Some(Body::Values(rows)) => {
            let of = |row: &Vec<Expression>| row.get(at).map_or_else(unknown, |value| value.values.clone());
            rows.iter().map(of).collect()
        }
        Some(Body::Select(select)) => {
            // Behind a `*` nobody knows which item is the column's.
            let items: Vec<&Item> = select.items.iter().take(at + 1).collect();
            let is_plain = items.len() == at + 1 && items.iter().all(|item| matches!(item, Item::Value(..)));
            match items.last() {
                Some(Item::Value(value, _)) if is_plain => vec![value.values.clone()],
                Some(_) | None => vec![unknown()],
            }
        }
        Some(_) | None => vec![unknown()],
    }
}
