//! What stands in `FROM`: tables, views with what is behind them, functions.

use super::*;

impl Resolver<'_> {
    /// The relation `name` under its alias; it counts as read.
    pub(in crate::evidence) fn relation(&mut self, name: &TableName, alias: Option<Name>) -> Visible {
        let shown = alias.clone().unwrap_or_else(|| name.name.clone());
        if name.schema.is_none()
            && let Some((_, columns)) =
                self.common.iter().rev().find(|(common, _)| self.same(common, &name.name))
        {
            return Visible {
                name: Some(shown),
                relation: None,
                columns: columns.clone(),
                qualified_only: false,
            };
        }
        let (key, columns) = self.relation_columns(name);
        if let Some(key) = &key {
            self.uses.tables.entry(key.clone()).or_default().read = true;
        }
        let relation = if alias.is_none() { key } else { None };
        Visible { name: Some(shown), relation, columns, qualified_only: false }
    }

    /// The full name and the columns of the relation `name`.
    pub(in crate::evidence) fn relation_columns(&mut self, name: &TableName) -> (Option<TableName>, Columns) {
        let key = self.schema.relation_key(name);
        match self.schema.relation(name) {
            Some(Relation::Table(table)) => {
                let key = key.unwrap_or_else(|| table.name.clone());
                let known = table.columns.iter().map(|column| Known {
                    invisible: column.invisible,
                    ..Known::new(
                        column.name.clone(),
                        vec![(key.clone(), column.name.clone())],
                        column.data_type.clone(),
                    )
                });
                let open = if table.is_complete() { Open::No } else { Open::Unsure(key.clone()) };
                let columns = Columns { known: known.collect(), open };
                (Some(key), columns)
            }
            Some(Relation::View(view)) => {
                let key = key.unwrap_or_else(|| view.name.clone());
                let columns = match &view.columns {
                    Some(columns) => {
                        let known = columns.iter().map(|column| {
                            let mut origins = vec![(key.clone(), column.name.clone())];
                            origins.extend(column.source.clone());
                            Known::new(column.name.clone(), origins, column.data_type.clone())
                        });
                        Columns { known: known.collect(), open: Open::No }
                    }
                    None => Columns { known: Vec::new(), open: Open::Unsure(key.clone()) },
                };
                self.behind_view(&key, 0);
                (Some(key), columns)
            }
            Some(Relation::Sequence(_)) => (key, Columns::foreign()),
            None => {
                if !builtin::is_system_relation(name, self.schema.dialect) {
                    let gone = self.schema.find(name, |key| self.schema.gone.get(key).is_some()).is_some();
                    let what = format!("relation \"{name}\" does not exist");
                    if gone || self.schema.opaque == 0 {
                        self.uses.problem(what);
                    } else {
                        self.uses
                            .doubt(format!("no migration that was understood makes the relation `{name}`"));
                    }
                }
                (None, Columns::foreign())
            }
        }
    }

    /// What the view `key` reads is read by whoever reads the view.
    pub(super) fn behind_view(&mut self, key: &TableName, depth: usize) {
        let Some(view) = self.schema.views.get(key).cloned() else { return };
        if depth >= DEPTH_MAX {
            return;
        }
        for read in &view.reads {
            self.uses.tables.entry(read.relation.clone()).or_default().read = true;
            match self.schema.relation(&read.relation) {
                Some(Relation::View(inner)) => {
                    let inner = inner.name.clone();
                    self.behind_view(&inner, depth + 1);
                }
                Some(Relation::Table(table)) => {
                    let table = table.clone();
                    for column in &read.columns {
                        // Names in a view's text are not all columns of this table.
                        if table.column(column).is_some() {
                            self.used(&[(read.relation.clone(), column.clone())], false);
                        }
                    }
                }
                Some(Relation::Sequence(_)) => {}
                None => self
                    .uses
                    .problem(format!("view \"{key}\" needs \"{}\", which does not exist", read.relation)),
            }
        }
    }

    /// The columns of a function in `FROM`.
    pub(super) fn function_columns(&self, name: &ObjectName, source: &Source) -> Columns {
        let dialect = self.schema.dialect;
        if let [routine] = self.schema.routines(name) {
            let out = |mode: ArgumentMode| {
                matches!(mode, ArgumentMode::Out | ArgumentMode::Table | ArgumentMode::InOut)
            };
            let known: Vec<Known> = (routine.definition.arguments.iter())
                .filter(|argument| out(argument.mode))
                .map(|argument| {
                    Known::new(
                        argument.name.clone().unwrap_or_default(),
                        Vec::new(),
                        Some(argument.data_type.clone()),
                    )
                })
                .collect();
            if !known.is_empty() {
                return Columns { known, open: Open::No }.renamed(&source.columns);
            }
            let returns = routine.definition.returns.as_deref().unwrap_or_default();
            let returns = returns.strip_prefix("SETOF ").unwrap_or(returns);
            let mut parts: Vec<Name> = returns.split('.').map(|part| Name::unquoted(part, dialect)).collect();
            let row = TableName { name: parts.pop().unwrap_or_default(), schema: parts.pop() };
            if let Some(table) = self.schema.table(&row) {
                let known = table.columns.iter();
                let known =
                    known.map(|column| Known::new(column.name.clone(), Vec::new(), column.data_type.clone()));
                return Columns { known: known.collect(), open: Open::No }.renamed(&source.columns);
            }
        }
        // One column called as the function or its alias is, or those that the alias lists, or ones we do not know.
        Columns::foreign().renamed(&source.columns)
    }
}
