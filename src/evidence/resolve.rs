//! Which tables and columns a query uses, and what comes out of it, told from a schema alone.
//!
//! Names are looked up as the engines do, through aliases, `WITH`, subqueries, views, `*`, `USING` and `NATURAL`. What
//! cannot be told is a doubt with its reason, never a guess.

use super::scope::{Columns, Found, Frame, Known, Open, Origin, Visible};
use super::uses::{ColumnUse, ResultColumn, TableUse, Uses, Verb};
use crate::engine::query::tree::*;
use crate::engine::query::{Unread, builtin};
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{ArgumentMode, DataType};
use crate::schema::model::{Relation, Schema, same};

/// How deep queries may stand in each other.
const DEPTH_MAX: usize = 64;

/// What `query` uses of `schema`.
pub fn resolve(query: &Result<Query, Unread>, schema: &Schema) -> Uses {
    let query = match query {
        Ok(query) => query,
        Err(unread) => {
            return Uses {
                verb: Verb::Unknown,
                doubts: vec![unread.reason.clone()],
                may_use: unread.names.clone(),
                ..Uses::default()
            };
        }
    };
    let mut run =
        Resolver { schema, uses: Uses::default(), frames: Vec::new(), common: Vec::new(), depth: 0 };
    run.uses.verb = verb(&query.body);
    let output = run.query(query);
    if output.open == Open::No {
        let column = |known: Known| ResultColumn {
            name: (!known.name.as_str().is_empty()).then_some(known.name),
            data_type: known.data_type,
            sources: known.origins,
        };
        run.uses.result = Some(output.known.into_iter().map(column).collect());
    }
    run.uses
}

fn verb(body: &Body) -> Verb {
    match body {
        Body::Insert(_) => Verb::Insert,
        Body::Update(_) => Verb::Update,
        Body::Delete(_) => Verb::Delete,
        Body::Merge(_) => Verb::Merge,
        Body::Nothing
        | Body::Select(_)
        | Body::Set(..)
        | Body::Nested(_)
        | Body::Values(_)
        | Body::Table(_) => Verb::Select,
    }
}

/// One query being resolved.
pub(super) struct Resolver<'a> {
    pub(super) schema: &'a Schema,
    pub(super) uses: Uses,
    /// The relations that can be named, outermost query first.
    pub(super) frames: Vec<Frame>,
    /// What the `WITH`s around define.
    common: Vec<(Name, Columns)>,
    depth: usize,
}

impl Resolver<'_> {
    pub(super) fn same(&self, one: &Name, other: &Name) -> bool {
        same(one, other, self.schema.dialect)
    }

    /// The columns that come out of `query`.
    pub(super) fn query(&mut self, query: &Query) -> Columns {
        if self.depth >= DEPTH_MAX {
            self.uses.doubt("its queries stand too deep in each other".to_owned());
            return Columns::foreign();
        }
        self.depth += 1;
        let outside = self.common.len();
        for table in &query.with {
            let columns = self.common_table(table, query.recursive);
            self.common.push((table.name.clone(), columns));
        }
        let output = self.body(&query.body, &query.order_by);
        for limit in &query.limits {
            self.expression(limit);
        }
        self.common.truncate(outside);
        self.depth -= 1;
        output
    }

    fn common_table(&mut self, table: &Common, recursive: bool) -> Columns {
        if recursive && let Body::Set(first, _) = &table.query.body {
            // What the first part gives is what the second part, and everyone else, sees.
            let outside = self.common.len();
            for inner in &table.query.with {
                let columns = self.common_table(inner, table.query.recursive);
                self.common.push((inner.name.clone(), columns));
            }
            let columns = self.body(first, &[]).renamed(&table.columns);
            self.common.push((table.name.clone(), columns.clone()));
            self.query(&table.query);
            self.common.truncate(outside);
            return columns;
        }
        self.query(&table.query).renamed(&table.columns)
    }

    fn body(&mut self, body: &Body, order_by: &[Expression]) -> Columns {
        match body {
            Body::Nothing => Columns::default(),
            Body::Select(select) => self.select(select, order_by),
            Body::Nested(query) => {
                let output = self.query(query);
                self.order_by_output(order_by, &output);
                output
            }
            Body::Set(left, right) => {
                let mut output = self.body(left, &[]);
                let other = self.body(right, &[]);
                for (one, two) in output.known.iter_mut().zip(other.known) {
                    if one.data_type != two.data_type {
                        one.data_type = None;
                    }
                    one.origins.extend(two.origins);
                }
                self.order_by_output(order_by, &output);
                output
            }
            Body::Values(rows) => {
                for value in rows.iter().flatten() {
                    self.expression(value);
                }
                let width = rows.first().map_or(0, Vec::len);
                let column = |at: usize| Known::new(Name::new(format!("column{}", at + 1)), Vec::new(), None);
                Columns { known: (0..width).map(column).collect(), open: Open::No }
            }
            Body::Table(name) => {
                let frame = Frame { sources: vec![self.relation(name, None)] };
                self.frames.push(frame);
                let output = self.items(&[Item::Star(Vec::new())]);
                self.frames.pop();
                output
            }
            Body::Insert(insert) => self.insert(insert),
            Body::Update(update) => self.update(update),
            Body::Delete(delete) => self.delete(delete),
            Body::Merge(merge) => self.merge(merge),
        }
    }

    /// `ORDER BY` behind a set operation, which can only name what comes out.
    fn order_by_output(&mut self, order_by: &[Expression], output: &Columns) {
        let named = Visible { name: None, relation: None, columns: output.clone(), qualified_only: false };
        self.frames.push(Frame { sources: vec![named] });
        for by in order_by {
            self.expression(by);
        }
        self.frames.pop();
    }

    fn select(&mut self, select: &Select, order_by: &[Expression]) -> Columns {
        self.frames.push(Frame::default());
        for source in &select.from {
            self.source(source);
        }
        for clause in &select.clauses {
            self.expression(clause);
        }
        let output = self.items(&select.items);
        // `GROUP BY` and `ORDER BY` may name columns of the result.
        for by in select.groups.iter().chain(order_by) {
            self.expression_or_output(by, &output);
        }
        self.frames.pop();
        output
    }

    fn expression_or_output(&mut self, by: &Expression, output: &Columns) {
        let is_output = |path: &ColumnPath| match path.as_slice() {
            [name] => output.known.iter().any(|known| self.same(&known.name, name)),
            _ => false,
        };
        let mut rest = by.clone();
        rest.columns.retain(|path| !is_output(path));
        self.expression(&rest);
    }

    /// Resolves `on`, `using` and the relation itself in the innermost frame.
    pub(super) fn source(&mut self, source: &Source) {
        let right_from = self.innermost().sources.len();
        let alias = source.alias.clone();
        match &source.kind {
            SourceKind::Joined(inner) if alias.is_none() => {
                for one in inner {
                    self.source(one);
                }
            }
            SourceKind::Joined(inner) => {
                self.frames.push(Frame::default());
                for one in inner {
                    self.source(one);
                }
                let columns = self.items(&[Item::Star(Vec::new())]);
                self.frames.pop();
                self.add(Visible {
                    name: alias,
                    relation: None,
                    columns: columns.renamed(&source.columns),
                    qualified_only: false,
                });
            }
            SourceKind::Relation(name) => {
                let mut visible = self.relation(name, alias);
                visible.columns = visible.columns.renamed(&source.columns);
                self.add(visible);
            }
            SourceKind::Query(query) => {
                let beside = (!source.lateral).then(|| std::mem::take(self.innermost()));
                let columns = self.query(query).renamed(&source.columns);
                if let Some(beside) = beside {
                    *self.innermost() = beside;
                }
                self.add(Visible { name: alias, relation: None, columns, qualified_only: false });
            }
            SourceKind::Function(name, arguments) => {
                for argument in arguments {
                    self.expression(argument);
                }
                self.call(name, arguments.len());
                let columns = self.function_columns(name, source);
                let name = alias.or_else(|| Some(name.name.clone()));
                self.add(Visible { name, relation: None, columns, qualified_only: false });
            }
            SourceKind::Other(inner) => {
                for one in inner {
                    self.expression(one);
                }
                self.add(Visible {
                    name: alias,
                    relation: None,
                    columns: Columns::foreign(),
                    qualified_only: false,
                });
            }
        }
        self.join(source, right_from);
    }

    fn join(&mut self, source: &Source, right_from: usize) {
        let mut names = source.using.clone();
        if source.natural {
            let (left, right) = self.innermost().sources.split_at(right_from);
            let all = |sources: &[Visible]| -> Vec<Name> {
                let known = sources.iter().flat_map(|source| &source.columns.known);
                known.filter(|known| !known.merged).map(|known| known.name.clone()).collect()
            };
            let (left, right) = (all(left), all(right));
            let open = self.innermost().sources.iter().any(|source| source.columns.open != Open::No);
            names =
                left.into_iter().filter(|name| right.iter().any(|other| self.same(name, other))).collect();
            if open {
                self.uses.doubt("a natural join with a relation whose columns are not all known".to_owned());
            }
        }
        let dialect = self.schema.dialect;
        for name in names {
            match self.innermost().merge(|other| same(&name, other, dialect), right_from) {
                Some(origins) => self.used(&origins, false),
                None if self.innermost().sources.iter().any(|source| source.columns.open != Open::No) => {
                    self.uses
                        .doubt(format!("not both sides of the join are known to have the column `{name}`"));
                }
                None => self
                    .uses
                    .problem(format!("column \"{name}\" specified in USING does not exist on both sides")),
            }
        }
        for on in &source.on {
            self.expression(on);
        }
    }

    fn innermost(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    pub(super) fn add(&mut self, visible: Visible) {
        self.innermost().sources.push(visible);
    }

    /// The relation `name` under its alias; it counts as read.
    pub(super) fn relation(&mut self, name: &TableName, alias: Option<Name>) -> Visible {
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
    pub(super) fn relation_columns(&mut self, name: &TableName) -> (Option<TableName>, Columns) {
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
    fn behind_view(&mut self, key: &TableName, depth: usize) {
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
    fn function_columns(&self, name: &ObjectName, source: &Source) -> Columns {
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

    /// The columns that a select list gives.
    pub(super) fn items(&mut self, items: &[Item]) -> Columns {
        let mut output = Columns::default();
        for item in items {
            match item {
                Item::Value(value, alias) => {
                    let origins = self.expression(value);
                    let (name, data_type) = self.described(value);
                    let name = alias.clone().or(name).unwrap_or_default();
                    output.known.push(Known::new(name, origins, data_type));
                }
                Item::Star(qualifier) => self.star(qualifier, &mut output),
            }
        }
        output
    }

    /// The name and the type that the engine gives to a value.
    fn described(&self, value: &Expression) -> (Option<Name>, Option<DataType>) {
        match &value.shape {
            Shape::Column(path) => {
                let found = self.lookup(path);
                (path.last().cloned(), found.and_then(|known| known.data_type.clone()))
            }
            Shape::Cast(data_type, name) => (name.clone(), Some(data_type.clone())),
            Shape::Call(name) => (Some(name.clone()), None),
            Shape::Default | Shape::Null => (None, None),
            Shape::Other => match value.queries.as_slice() {
                [_] if value.columns.is_empty() => (None, None),
                _ => (None, None),
            },
        }
    }

    /// `*` or `qualifier.*`.
    fn star(&mut self, qualifier: &[Name], output: &mut Columns) {
        let sources: Vec<Visible> = match qualifier.last() {
            None => {
                let frame = self.frames.last().cloned().unwrap_or_default();
                frame.sources.into_iter().filter(|source| !source.qualified_only).collect()
            }
            Some(_) => match self.visible(qualifier) {
                Some(source) => vec![source.clone()],
                None => {
                    let name = qualifier.last().map(ToString::to_string).unwrap_or_default();
                    // PostgreSQL also expands a column of a composite type.
                    let is_column = qualifier.len() == 1 && self.lookup(qualifier).is_some();
                    if !is_column {
                        self.uses.problem(format!("missing FROM-clause entry for table \"{name}\""));
                    }
                    output.open = Open::Foreign;
                    return;
                }
            },
        };
        let qualified = !qualifier.is_empty();
        for source in sources {
            match &source.columns.open {
                Open::No => {}
                Open::Foreign => output.open = Open::Foreign,
                Open::Unsure(relation) => {
                    self.uses.stars.insert(relation.clone());
                    output.open = Open::Unsure(relation.clone());
                }
            }
            for known in &source.columns.known {
                if known.invisible || (known.merged && !qualified) {
                    continue;
                }
                for (relation, _) in &known.origins {
                    self.uses.stars.insert(relation.clone());
                }
                self.used(&known.origins, false);
                output.known.push(Known { merged: false, ..known.clone() });
            }
        }
    }

    /// The relation that a qualifier names, innermost first.
    pub(super) fn visible(&self, qualifier: &[Name]) -> Option<&Visible> {
        let (name, schema) = match qualifier {
            [name] => (name, None),
            [.., schema, name] => (name, Some(schema)),
            [] => return None,
        };
        let fits = |source: &&Visible| {
            source.name.as_ref().is_some_and(|known| self.same(known, name))
                && schema.is_none_or(|schema| {
                    let own = source.relation.as_ref().and_then(|relation| relation.schema.as_ref());
                    own.is_some_and(|own| self.same(own, schema))
                })
        };
        self.frames.iter().rev().find_map(|frame| frame.sources.iter().find(fits))
    }

    /// The column that a path names, if it is known.
    pub(super) fn lookup(&self, path: &[Name]) -> Option<&Known> {
        match path {
            [name] => {
                self.frames.iter().rev().find_map(|frame| match frame.bare(|other| self.same(other, name)) {
                    Found::One(known) => Some(known),
                    Found::Ambiguous | Found::Unsure(_) | Found::Foreign | Found::None => None,
                })
            }
            [qualifier @ .., name] => {
                let columns = &self.visible(qualifier)?.columns;
                columns.known.iter().find(|known| self.same(&known.name, name))
            }
            [] => None,
        }
    }

    /// Resolves what stands in `expression`; gives the columns that its value is made of.
    pub(super) fn expression(&mut self, expression: &Expression) -> Vec<Origin> {
        let mut origins = Vec::new();
        for path in &expression.columns {
            for origin in self.column(path) {
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        }
        for qualifier in &expression.stars {
            self.star(qualifier, &mut Columns::default());
        }
        for (name, arguments) in &expression.calls {
            self.call(name, *arguments);
        }
        for data_type in &expression.types {
            let name = data_type.object_name();
            if let Some(found) = self.schema.user_type(&name) {
                self.uses.types.insert(found.name.clone());
            }
        }
        for query in &expression.queries {
            for known in self.query(query).known {
                origins.extend(known.origins);
            }
        }
        origins
    }

    fn call(&mut self, name: &ObjectName, arguments: usize) {
        if let Some(routine) = self.schema.routines(name).first() {
            self.uses.routines.insert(routine.name.clone(), arguments);
        }
    }

    /// Resolves a column; gives what it is made of.
    fn column(&mut self, path: &[Name]) -> Vec<Origin> {
        let found = match path {
            [name] => self.bare(name),
            [qualifier @ .., name] => self.qualified(qualifier, name),
            [] => return Vec::new(),
        };
        match found {
            Ok(origins) => {
                self.used(&origins, false);
                origins
            }
            Err(Some(problem)) => {
                self.uses.problem(problem);
                Vec::new()
            }
            Err(None) => Vec::new(),
        }
    }

    fn bare(&mut self, name: &Name) -> Result<Vec<Origin>, Option<String>> {
        let dialect = self.schema.dialect;
        let (mut unsure, mut foreign, mut any) = (Vec::new(), false, false);
        for frame in self.frames.iter().rev() {
            any |= !frame.sources.is_empty();
            match frame.bare(|other| same(other, name, dialect)) {
                Found::One(known) => return Ok(known.origins.clone()),
                Found::Ambiguous => return Err(Some(format!("column reference \"{name}\" is ambiguous"))),
                Found::Unsure(relations) => unsure.extend(relations),
                Found::Foreign => foreign = true,
                Found::None => {}
            }
        }
        let whole_row = self.visible(std::slice::from_ref(name)).is_some();
        if whole_row && builtin::has_whole_rows(dialect) {
            self.star(std::slice::from_ref(name), &mut Columns::default());
            return Err(None);
        }
        if builtin::is_system_column(name, dialect) && any || builtin::may_be_a_value(name, dialect) {
            return Err(None);
        }
        match unsure.as_slice() {
            [only] if !foreign => Ok(vec![(only.clone(), name.clone())]),
            [] if foreign => Err(None),
            [] => Err(Some(format!("column \"{name}\" does not exist"))),
            many => {
                let all = many.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
                self.uses.doubt(format!(
                    "the column `{name}` can be one of {all}, whose columns are not all known"
                ));
                Ok(many.iter().map(|one| (one.clone(), name.clone())).collect())
            }
        }
    }

    fn qualified(&mut self, qualifier: &[Name], name: &Name) -> Result<Vec<Origin>, Option<String>> {
        let dialect = self.schema.dialect;
        let shown = qualifier.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let Some(visible) = self.visible(qualifier) else {
            return Err(Some(format!("missing FROM-clause entry for table \"{shown}\"")));
        };
        if let Some(known) = visible.columns.known.iter().find(|known| same(&known.name, name, dialect)) {
            return Ok(known.origins.clone());
        }
        if builtin::is_system_column(name, dialect) {
            return Err(None);
        }
        match &visible.columns.open {
            Open::Foreign => Err(None),
            Open::Unsure(relation) => Ok(vec![(relation.clone(), name.clone())]),
            // `row.function`, as PostgreSQL allows.
            Open::No if !self.schema.routines(&ObjectName::bare(name.clone())).is_empty() => {
                self.call(&ObjectName::bare(name.clone()), 1);
                Err(None)
            }
            Open::No => Err(Some(format!("column {shown}.{name} does not exist"))),
        }
    }

    /// Notes that columns are read, or written.
    pub(super) fn used(&mut self, origins: &[Origin], write: bool) {
        for origin in origins {
            let found: &mut ColumnUse = self.uses.columns.entry(origin.clone()).or_default();
            if write {
                found.write = true;
            } else {
                found.read = true;
            }
        }
    }

    pub(super) fn table_use(&mut self, key: &TableName) -> &mut TableUse {
        self.uses.tables.entry(key.clone()).or_default()
    }
}
