//! Which tables and columns a query uses, and what comes out of it, told from a schema alone.
//!
//! Names are looked up as the engines do, through aliases, `WITH`, subqueries, views, `*`, `USING` and `NATURAL`. What
//! cannot be told is a doubt with its reason, never a guess.

mod names;
mod relations;

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

    /// The type that the function of the schema called `name` returns, if there is one such, and it returns one value.
    fn returned(&self, name: &Name) -> Option<DataType> {
        const OTHERS: &[&str] = &["setof", "table", "table(", "record", "trigger", "void"];
        let [routine] = self.schema.routines(&ObjectName::bare(name.clone())) else { return None };
        let returns = routine.definition.returns.as_deref()?;
        let first = returns.split_whitespace().next()?;
        (!OTHERS.iter().any(|word| first.eq_ignore_ascii_case(word))).then(|| DataType::plain(returns))
    }

    /// The name and the type that the engine gives to a value.
    fn described(&self, value: &Expression) -> (Option<Name>, Option<DataType>) {
        match &value.shape {
            Shape::Column(path) => {
                let found = self.lookup(path);
                (path.last().cloned(), found.and_then(|known| known.data_type.clone()))
            }
            Shape::Cast(data_type, name) => (name.clone(), Some(data_type.clone())),
            Shape::Call(name) => (Some(name.clone()), self.returned(name)),
            Shape::Default | Shape::Null => (None, None),
            Shape::Other => (None, None),
        }
    }

    /// Resolves what stands in `expression`; gives the columns that its value is made of.
    pub(super) fn expression(&mut self, expression: &Expression) -> Vec<Origin> {
        let mut origins = Vec::new();
        for path in &expression.columns {
            let found = self.column(path);
            for (_, value) in expression.against.iter().filter(|(of, _)| of == path) {
                self.against(path, &found, value);
            }
            for origin in found {
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
        for (data_type, value) in &expression.casts {
            if let Some(found) = self.schema.user_type(&data_type.object_name()) {
                self.uses.casts.insert((found.name.clone(), value.clone()));
            }
        }
        for query in &expression.queries {
            for known in self.query(query).known {
                origins.extend(known.origins);
            }
        }
        origins
    }

    /// Notes what the column that `path` names, made of `origins`, is compared with.
    fn against(&mut self, path: &[Name], origins: &[Origin], value: &Value) {
        let data_type = self.lookup(path).and_then(|known| known.data_type.clone());
        for (relation, column) in origins {
            let own =
                self.schema.tables.get(relation).and_then(|table| table.column(column)?.data_type.clone());
            // What was computed from the column is another value.
            let value = if own.is_some() && own == data_type { value.clone() } else { Value::Unknown };
            self.uses.columns.entry((relation.clone(), column.clone())).or_default().against.insert(value);
        }
    }

    fn call(&mut self, name: &ObjectName, arguments: usize) {
        if let Some(routine) = self.schema.routines(name).first() {
            self.uses.routines.insert(routine.name.clone(), arguments);
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
