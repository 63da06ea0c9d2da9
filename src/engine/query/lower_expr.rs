//! Expressions and names of sqlparser's tree, as what they name.

use super::lower::Reader;
use super::lower_value::{compared, values};
use super::tree::{Expression, Shape, Value};
use crate::dialect::Dialect;
use crate::engine::read::cursor::Cursor;
use crate::name::{Name, ObjectName};
use crate::schema::change::DataType;
use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Visit, Visitor};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// `ident` as the engine stores it.
pub(super) fn name(ident: &ast::Ident, dialect: Dialect) -> Name {
    if ident.quote_style.is_some() {
        Name::new(ident.value.clone())
    } else {
        Name::unquoted(&ident.value, dialect)
    }
}

/// The parts of a dotted name.
pub(super) fn parts(of: &ast::ObjectName, dialect: Dialect) -> Vec<Name> {
    of.0.iter().filter_map(|part| part.as_ident()).map(|ident| name(ident, dialect)).collect()
}

/// A dotted name as that of an object.
pub(super) fn object(of: &ast::ObjectName, dialect: Dialect) -> ObjectName {
    let mut parts = parts(of, dialect);
    let name = parts.pop().unwrap_or_default();
    ObjectName { schema: parts.pop(), name }
}

/// A type in the engine's canonical spelling.
pub(super) fn data_type(of: &ast::DataType, dialect: Dialect) -> DataType {
    let text = of.to_string();
    let mut cursor = Cursor::new(&text, dialect);
    let read = match dialect {
        Dialect::Postgres => crate::engine::postgres::lower::types::data_type(&mut cursor),
        Dialect::Mysql | Dialect::Sqlite => return DataType::plain(&text.to_lowercase()),
    };
    read.unwrap_or_else(|_| DataType::plain(&text.to_lowercase()))
}

/// What is known of `expr`.
pub(super) fn expression(reader: &Reader<'_>, expr: &Expr) -> Expression {
    let mut walk = Walk::new(reader);
    // A column that stands alone has nothing against it.
    walk.alone(expr);
    // It never breaks off.
    let _: ControlFlow<()> = expr.visit(&mut walk);
    let mut found = walk.found;
    found.shape = shape(expr, reader.dialect);
    found.values = values(reader, expr);
    if found.shape == Shape::Default {
        found.columns.clear();
    }
    found
}

/// What is known of anything with expressions in it.
pub(super) fn all_of(reader: &Reader<'_>, of: &impl Visit) -> Expression {
    let mut walk = Walk::new(reader);
    let _: ControlFlow<()> = of.visit(&mut walk);
    walk.found
}

fn shape(expr: &Expr, dialect: Dialect) -> Shape {
    match expr {
        Expr::Identifier(ident)
            if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") =>
        {
            Shape::Default
        }
        Expr::Identifier(ident) => Shape::Column(vec![name(ident, dialect)]),
        Expr::CompoundIdentifier(path) => {
            Shape::Column(path.iter().map(|part| name(part, dialect)).collect())
        }
        Expr::Nested(inner) => shape(inner, dialect),
        Expr::Value(value) if value.value == ast::Value::Null => Shape::Null,
        Expr::Cast { expr, data_type: to, .. } => {
            let to = data_type(to, dialect);
            let inner = match shape(expr, dialect) {
                Shape::Column(path) => path.last().cloned(),
                Shape::Cast(_, name) => name,
                Shape::Call(name) => Some(name),
                Shape::Default | Shape::Null | Shape::Other => None,
            };
            let name = inner.or_else(|| Some(Name::new(to.name.clone())));
            Shape::Cast(to, name)
        }
        Expr::Function(function) => Shape::Call(object(&function.name, dialect).name),
        Expr::Case { .. } => Shape::Call(Name::new("case")),
        Expr::Exists { .. } => Shape::Call(Name::new("exists")),
        Expr::Array(_) => Shape::Call(Name::new("array")),
        Expr::Extract { .. } => Shape::Call(Name::new("extract")),
        Expr::Substring { .. } => Shape::Call(Name::new("substring")),
        Expr::Position { .. } => Shape::Call(Name::new("position")),
        Expr::Trim { .. } => Shape::Call(Name::new("btrim")),
        _ => Shape::Other,
    }
}

/// Collects what stands in an expression outside of its queries, and those queries.
struct Walk<'a> {
    reader: &'a Reader<'a>,
    found: Expression,
    /// How many queries we are in.
    depth: usize,
    /// Expressions that are names of fields or arguments, not columns: by where they stand in memory.
    skip: HashSet<*const Expr>,
    /// Columns of which it is known what stands against them: by where they stand in memory.
    told: HashSet<*const Expr>,
}

impl<'a> Walk<'a> {
    fn new(reader: &'a Reader<'a>) -> Self {
        Self { reader, found: Expression::default(), depth: 0, skip: HashSet::new(), told: HashSet::new() }
    }

    /// Notes that nothing stands against `expr`, if that is a column.
    fn alone(&mut self, expr: &Expr) {
        if let Some((column, _)) = self.column(expr) {
            self.told.insert(column);
        }
    }

    /// The column that `expr` is, and where it stands in memory.
    fn column(&self, expr: &Expr) -> Option<(*const Expr, Vec<Name>)> {
        match expr {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => match shape(expr, self.reader.dialect) {
                Shape::Column(path) => Some((std::ptr::from_ref(expr), path)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Notes what stands against the columns that `expr` compares.
    fn compare(&mut self, expr: &Expr) {
        for (side, others) in compared(expr) {
            let Some((at, path)) = self.column(side) else { continue };
            self.told.insert(at);
            for other in others {
                let against = other.map_or_else(|| vec![Value::Unknown], |other| values(self.reader, other));
                self.found.against.extend(against.into_iter().map(|value| (path.clone(), value)));
            }
        }
    }

    /// Notes a column; what stands against it is not known where nothing around it has told that.
    fn named(&mut self, expr: &Expr, path: Vec<Name>) {
        if !self.told.contains(&std::ptr::from_ref(expr)) {
            self.found.against.push((path.clone(), Value::Unknown));
        }
        self.found.columns.push(path);
    }

    fn function(&mut self, function: &ast::Function) {
        let dialect = self.reader.dialect;
        let count = match &function.args {
            FunctionArguments::None => 0,
            FunctionArguments::Subquery(_) => 1,
            FunctionArguments::List(list) => {
                for argument in &list.args {
                    let value = match argument {
                        FunctionArg::ExprNamed { name, arg, .. } => {
                            self.skip.insert(std::ptr::from_ref(name));
                            arg
                        }
                        FunctionArg::Named { arg, .. } | FunctionArg::Unnamed(arg) => arg,
                    };
                    if let FunctionArgExpr::QualifiedWildcard(of) = value {
                        self.found.stars.push(parts(of, dialect));
                    }
                }
                list.args.len()
            }
        };
        self.found.calls.push((object(&function.name, dialect), count));
    }
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.found.queries.push(self.reader.query(query));
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth > 0 || self.skip.contains(&std::ptr::from_ref(expr)) {
            return ControlFlow::Continue(());
        }
        let dialect = self.reader.dialect;
        self.compare(expr);
        match expr {
            Expr::Identifier(ident) if ident.quote_style == Some('\'') => {}
            Expr::Identifier(ident) => self.named(expr, vec![name(ident, dialect)]),
            Expr::CompoundIdentifier(path) => {
                self.named(expr, path.iter().map(|part| name(part, dialect)).collect());
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                for access in access_chain {
                    if let ast::AccessExpr::Dot(field) = access {
                        self.skip.insert(std::ptr::from_ref(field));
                    }
                }
            }
            Expr::QualifiedWildcard(of, _) => self.found.stars.push(parts(of, dialect)),
            Expr::Cast { expr: inner, data_type: to, .. } => {
                let to = data_type(to, dialect);
                let values = values(self.reader, inner);
                self.found.casts.extend(values.into_iter().map(|value| (to.clone(), value)));
                self.found.types.push(to);
            }
            Expr::TypedString(typed) => {
                let to = data_type(&typed.data_type, dialect);
                let value = super::lower_value::value(self.reader, &typed.value);
                self.found.casts.push((to.clone(), value));
                self.found.types.push(to);
            }
            Expr::MatchAgainst { columns, .. } => {
                self.found.columns.extend(columns.iter().map(|column| parts(column, dialect)));
            }
            Expr::Function(function) => self.function(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
