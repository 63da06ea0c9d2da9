//! Views: which columns they show, and what they read.

use super::{Apply, Note, Subject};
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    pub(super) fn create_view(&mut self, create: &CreateView) {
        let mut name = self.full_name(&create.name);
        let mut key = self.schema.new_key(&create.name);
        if create.temporary && self.schema.dialect == crate::dialect::Dialect::Postgres {
            name.schema = Some(Schema::temporary());
            key.schema = Some(Schema::temporary());
        }
        let object = if create.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
        let subject = Subject { object, name: key.clone(), of: None };
        let old = self.schema.views.get(&key).cloned();
        if old.as_ref().is_some_and(|old| old.materialized || !create.or_replace)
            || old.is_none()
                && self.schema.relation(&key).is_some_and(|relation| !matches!(relation, Relation::View(_)))
        {
            let differs = old.is_none_or(|old| old.query.text != create.query.text);
            return self.exists(subject, create.if_not_exists, differs);
        }
        let mut columns = self.result_columns(&create.query);
        if !create.columns.is_empty() {
            let named = create.columns.iter().enumerate().map(|(at, name)| {
                let known = columns.as_ref().and_then(|columns| columns.get(at)).cloned();
                let blank = ViewColumn { name: name.clone(), data_type: None, source: None };
                ViewColumn { name: name.clone(), ..known.unwrap_or(blank) }
            });
            columns = Some(named.collect());
        }
        let view = View {
            name,
            materialized: create.materialized,
            columns,
            reads: self.dependencies(&create.query),
            calls: create.query.calls.iter().map(|call| call.name.clone()).collect(),
            query: create.query.clone(),
            options: create.options.clone(),
            indexes: Vec::new(),
            triggers: old.as_ref().map(|old| old.triggers.clone()).unwrap_or_default(),
            populated: create.materialized && !create.no_data,
            created: old.map_or(Some(self.schema.now), |old| old.created),
        };
        self.schema.views.insert(key, Arc::new(view));
    }

    /// What a query reads of each relation: the columns that it names or may name; all of them for `*`.
    fn dependencies(&mut self, query: &Query) -> Vec<Dependency> {
        let stars: Vec<Option<&Name>> = (query.output.iter().flatten())
            .filter_map(|item| match item {
                OutputItem::Star(of) => Some(of.as_ref()),
                OutputItem::Column(_) => None,
            })
            .collect();
        let mut found = Vec::new();
        for name in &query.reads {
            let key = match self.schema.relation_key(name) {
                Some(key) => key,
                // A system catalog is not assumed.
                None if is_system(name) => continue,
                None => match self.table_key(name) {
                    Some(key) => key,
                    None => continue,
                },
            };
            let alias = |of: &Name| {
                *of == name.name
                    || query.aliases.iter().any(|(alias, relation)| alias == of && relation == name)
            };
            let all = stars.iter().any(|star| star.is_none_or(alias));
            let own = self.relation_columns(&key);
            let columns = match own {
                Some(own) => own
                    .into_iter()
                    .map(|column| column.name)
                    .filter(|column| all || query.columns.contains(column))
                    .collect(),
                None => query.columns.clone(),
            };
            found.push(Dependency { relation: key, columns });
        }
        found
    }

    /// The columns of a relation, where all are known.
    fn relation_columns(&self, key: &TableName) -> Option<Vec<ViewColumn>> {
        match self.schema.relation(key)? {
            Relation::Table(table) if table.is_complete() => {
                let shown = table.columns.iter().filter(|column| !column.invisible);
                let column = |column: &Arc<Column>| ViewColumn {
                    name: column.name.clone(),
                    data_type: column.data_type.clone(),
                    source: Some((key.clone(), column.name.clone())),
                };
                Some(shown.map(column).collect())
            }
            Relation::View(view) => {
                let columns = view.columns.as_ref()?;
                let column = |column: &ViewColumn| ViewColumn {
                    name: column.name.clone(),
                    data_type: column.data_type.clone(),
                    source: Some((key.clone(), column.name.clone())),
                };
                Some(columns.iter().map(column).collect())
            }
            Relation::Table(_) | Relation::Sequence(_) => None,
        }
    }

    /// The columns of a query's result, where their names can be told.
    pub(super) fn result_columns(&self, query: &Query) -> Option<Vec<ViewColumn>> {
        self.output_columns(query, &[])
    }

    /// The same, where `outer` is what the queries around it define by `WITH`. Each part is looked at once.
    fn output_columns(&self, query: &Query, outer: &[Defined]) -> Option<Vec<ViewColumn>> {
        let mut scope = outer.to_vec();
        for common in &query.with {
            let columns = self.output_columns(&common.query, &scope);
            scope.push((common.name.clone(), columns.map(|columns| renamed(columns, &common.columns))));
        }
        let items: Vec<(&FromItem, Option<Vec<ViewColumn>>)> =
            query.from.items.iter().map(|item| (item, self.item_columns(item, &scope))).collect();
        let mut columns = Vec::new();
        for item in query.output.as_ref()? {
            match item {
                OutputItem::Star(Some(of)) => {
                    let (_, own) = items.iter().find(|(item, _)| item.is_called(of))?;
                    columns.extend(own.clone()?);
                }
                OutputItem::Star(None) => columns.extend(all_columns(&query.from, &items)?),
                OutputItem::Column(column) => {
                    let source = column
                        .column
                        .as_ref()
                        .and_then(|(of, name)| source_of(query, &items, of.as_ref(), name));
                    let cast = column.data_type.clone();
                    columns.push(ViewColumn {
                        name: column.name.clone()?,
                        data_type: cast
                            .or_else(|| source.as_ref().and_then(|column| column.data_type.clone())),
                        source: source.and_then(|column| column.source),
                    });
                }
            }
        }
        Some(columns)
    }

    /// The columns of one relation of a `FROM`, as its alias names them.
    fn item_columns(&self, item: &FromItem, scope: &[Defined]) -> Option<Vec<ViewColumn>> {
        let columns = match &item.source {
            FromSource::Query(query) => self.output_columns(query, scope)?,
            FromSource::Other => return None,
            FromSource::Relation(name) => {
                let defined =
                    scope.iter().rev().find(|(common, _)| name.schema.is_none() && *common == name.name);
                match defined {
                    Some((_, columns)) => columns.clone()?,
                    None => self.relation_columns(&self.schema.relation_key(name)?)?,
                }
            }
        };
        Some(renamed(columns, &item.columns))
    }

    pub(super) fn refresh(&mut self, name: &TableName, no_data: bool) {
        let key = self.schema.find(name, |key| self.schema.views.contains_key(key));
        if let Some(view) = key.and_then(|key| self.schema.views.get_mut(&key)) {
            Arc::make_mut(view).populated = !no_data;
        }
    }

    pub(super) fn drop_view(&mut self, drop: &DropObject) {
        let Some(key) = self.schema.find(&drop.name, |key| self.schema.views.contains_key(key)) else {
            let subject = super::drop::subject_of(drop);
            let key = self.schema.new_key(&drop.name);
            if self.schema.gone.contains_key(&key) || self.schema.relation_key(&drop.name).is_some() {
                return self.missing(subject, drop.if_exists);
            }
            self.schema.gone.insert(key, self.schema.now);
            return;
        };
        self.remove_view(&key, drop.cascade);
        self.schema.gone.insert(key, self.schema.now);
    }

    /// Takes a view out; views over it go with `CASCADE`.
    pub(super) fn remove_view(&mut self, key: &TableName, cascade: bool) {
        let Some(view) = self.schema.views.remove(key) else { return };
        for index in &view.indexes {
            let index_key = self.index_key(&view.name, &index.name);
            self.schema.index_tables.remove(&index_key);
        }
        let over: Vec<TableName> =
            self.schema.views_of(key).map(|(view, _)| self.schema.new_key(&view.name)).collect();
        for view in over {
            self.dependent_view(&view, cascade);
        }
    }

    pub(super) fn create_view_index(&mut self, create: &CreateIndex) {
        let Some(key) = self.schema.find(&create.table, |key| self.schema.views.contains_key(key)) else {
            return;
        };
        let Some(view) = self.schema.views.get(&key) else { return };
        let full = view.name.clone();
        let labels = super::naming::joined(&super::naming::labels(&create.elements));
        let name =
            create.name.clone().unwrap_or_else(|| self.schema.relation_name(&key, &labels, "idx", false));
        let index_key = self.index_key(&full, &name);
        if self.schema.index_tables.contains_key(&index_key) {
            let subject = Subject { object: ObjectKind::Index, name: index_key, of: Some(key) };
            return self.exists(subject, create.if_not_exists, false);
        }
        let index = self.new_index(create, name);
        self.schema.index_tables.insert(index_key, key.clone());
        if let Some(view) = self.schema.views.get_mut(&key) {
            Arc::make_mut(view).indexes.push(Arc::new(index));
        }
    }

    pub(super) fn drop_view_index(&mut self, view: &TableName, index: &ObjectName) {
        self.schema.index_tables.remove(index);
        if let Some(view) = self.schema.views.get_mut(view) {
            Arc::make_mut(view).indexes.retain(|own| own.name != index.name);
        }
    }

    pub(super) fn rename_view_index(&mut self, view: &TableName, index: &ObjectName, to: &Name) {
        self.schema.index_tables.remove(index);
        let new = ObjectName { schema: index.schema.clone(), name: to.clone() };
        self.schema.index_tables.insert(new, view.clone());
        if let Some(view) = self.schema.views.get_mut(view) {
            for own in &mut Arc::make_mut(view).indexes {
                if own.name == index.name {
                    Arc::make_mut(own).name = to.clone();
                }
            }
        }
    }

    /// `ALTER VIEW … RENAME COLUMN`.
    pub(super) fn rename_view_column(&mut self, key: &TableName, from: &Name, to: &Name) {
        let Some(view) = self.schema.views.get_mut(key) else { return };
        for column in Arc::make_mut(view).columns.iter_mut().flatten() {
            if column.name == *from {
                column.name = to.clone();
            }
        }
    }

    /// Notes the views that call a function which is dropped.
    pub(super) fn views_calling(&mut self, name: &Name, cascade: bool) {
        let calling: Vec<TableName> = (self.schema.views.iter())
            .filter(|(_, view)| view.calls.iter().any(|call| call.name == *name))
            .map(|(key, _)| key.clone())
            .collect();
        for view in calling {
            let Some(found) = self.schema.views.get(&view) else { continue };
            let object = if found.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
            let subject = Subject { object, name: view.clone(), of: None };
            if cascade {
                self.taken(subject);
                self.remove_view(&view, true);
            } else {
                self.note(Note::Blocked(subject));
            }
        }
    }
}

impl FromItem {
    /// Whether `name` stands for it in its query.
    fn is_called(&self, name: &Name) -> bool {
        match (&self.alias, &self.source) {
            (Some(alias), _) => alias == name,
            (None, FromSource::Relation(relation)) => relation.name == *name,
            (None, FromSource::Query(_) | FromSource::Other) => false,
        }
    }
}

/// What a `WITH` defines: a name, and its columns where they are known.
type Defined = (Name, Option<Vec<ViewColumn>>);

/// The columns of `*`: those that `USING` makes one of two come first.
fn all_columns(from: &From, items: &[(&FromItem, Option<Vec<ViewColumn>>)]) -> Option<Vec<ViewColumn>> {
    if from.natural {
        return None;
    }
    let mut all = Vec::new();
    for (_, own) in items {
        all.extend(own.clone()?);
    }
    let merged =
        from.merged.iter().filter_map(|name| all.iter().find(|column| column.name == *name).cloned());
    let mut columns: Vec<ViewColumn> = merged.collect();
    columns.extend(all.into_iter().filter(|column| !from.merged.contains(&column.name)));
    Some(columns)
}

/// The column of a relation that `of.name` is in a query.
fn source_of(
    query: &Query,
    items: &[(&FromItem, Option<Vec<ViewColumn>>)],
    of: Option<&Name>,
    name: &Name,
) -> Option<ViewColumn> {
    let meant = items.iter().filter(|(item, _)| of.is_none_or(|of| item.is_called(of)));
    let mut found = meant.filter_map(|(_, own)| own.as_ref()?.iter().find(|column| column.name == *name));
    let first = found.next();
    // In two relations at once it cannot be told, unless USING makes them one.
    if found.next().is_some() && !query.from.merged.contains(name) { None } else { first.cloned() }
}

/// `columns` under the names that an alias gives to the first of them.
fn renamed(mut columns: Vec<ViewColumn>, names: &[Name]) -> Vec<ViewColumn> {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name = name.clone();
    }
    columns
}

/// Whether a relation is one of the server's own.
pub(super) fn is_system(name: &TableName) -> bool {
    match &name.schema {
        Some(schema) => matches!(
            schema.as_str(),
            "pg_catalog" | "information_schema" | "mysql" | "performance_schema" | "sys"
        ),
        None => name.name.as_str().starts_with("pg_") || name.name.as_str().starts_with("sqlite_"),
    }
}
