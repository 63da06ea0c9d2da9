//! Expressions, types and queries: their source text, and the facts about them that rules ask for.

use crate::name::{Name, ObjectName, TableName};
use crate::text::Span;
use std::fmt;

/// What the server may assume of a function's result (<https://www.postgresql.org/docs/current/xfunc-volatility.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Volatility {
    /// The same for the same arguments, forever.
    Immutable,
    /// The same within one statement (`now()`).
    Stable,
    /// Another one for each row (`random()`, `gen_random_uuid()`, `nextval()`).
    Volatile,
    /// Calls a function that is not the server's own: look it up in the schema.
    Unknown,
}

/// A function call inside an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function; `current_timestamp` and its like are calls too.
    pub name: ObjectName,
    /// Its arguments that are string literals, without their quotes (`nextval('users_id_seq')`).
    pub literals: Vec<String>,
    /// Whether it is given any arguments.
    pub has_arguments: bool,
}

/// An expression: its source text and what rules need to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// As it stands in the statement.
    pub text: String,
    /// Where it stands in the statement.
    pub span: Span,
    /// The functions that it calls.
    pub calls: Vec<Call>,
    /// Names in it that can be columns, in order, each once.
    pub columns: Vec<Name>,
    /// The value, where it is one literal (with or without a cast): without quotes.
    pub literal: Option<String>,
    /// Whether it is the literal `NULL` (with or without a cast).
    pub is_null: bool,
    /// The most volatile of what it calls; `Immutable` where it calls nothing.
    pub volatility: Volatility,
    /// Columns that are not null wherever it is true (`a IS NOT NULL AND …`): what `SET NOT NULL` can rely on.
    pub requires_not_null: Vec<Name>,
    /// Whether it reads a table.
    pub has_query: bool,
}

impl Expr {
    /// Whether its value is the same for every row and every run: literals, operators and casts only.
    pub fn is_constant(&self) -> bool {
        self.calls.is_empty() && self.columns.is_empty() && !self.has_query
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A data type in its engine's canonical spelling; `Display` gives what the catalog shows
/// (PostgreSQL: `format_type`, MySQL: `COLUMN_TYPE`, SQLite: as written).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataType {
    /// The schema of a type that is not built in, where the text names one.
    pub schema: Option<Name>,
    /// Base name: `integer`, `character varying`, `timestamp with time zone`, `my_enum`, ….
    pub name: String,
    /// Length, precision and scale, fields of an interval, or the labels of a MySQL `ENUM` or `SET`.
    pub arguments: Vec<String>,
    /// Number of array dimensions; 0 for a plain value.
    pub dimensions: u8,
    /// MySQL `UNSIGNED`.
    pub unsigned: bool,
}

impl DataType {
    /// A built-in type without arguments, by its canonical name.
    pub fn plain(name: &str) -> Self {
        Self { schema: None, name: name.to_owned(), arguments: Vec::new(), dimensions: 0, unsigned: false }
    }

    /// The name of the type as an object of a schema, for a type that is not built in.
    pub fn object_name(&self) -> ObjectName {
        ObjectName { schema: self.schema.clone(), name: Name::new(self.name.clone()) }
    }

    /// The argument at `index` as a number.
    pub fn number(&self, index: usize) -> Option<i64> {
        self.arguments.get(index)?.parse().ok()
    }

    /// Whether it is the plain (not array) type `name`, whatever its arguments.
    pub fn is(&self, name: &str) -> bool {
        self.dimensions == 0 && self.schema.is_none() && self.name == name
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        let arguments = match self.arguments.as_slice() {
            [] => String::new(),
            some => format!("({})", some.join(",")),
        };
        // `timestamp(3) with time zone`: the arguments follow the first word.
        match self.name.split_once(' ') {
            Some((first, rest)) if matches!(first, "timestamp" | "time") && rest.ends_with("time zone") => {
                write!(f, "{first}{arguments} {rest}")?;
            }
            _ => write!(f, "{}{arguments}", self.name)?,
        }
        if self.unsigned {
            f.write_str(" unsigned")?;
        }
        // The catalog of PostgreSQL does not know how many dimensions were declared.
        if self.dimensions > 0 {
            f.write_str("[]")?;
        }
        Ok(())
    }
}

/// A column of a query's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name, where the text tells it.
    pub name: Option<Name>,
    /// The qualifier and column that it passes on unchanged, if it is a plain column.
    pub column: Option<(Option<Name>, Name)>,
    /// Its type, where it ends with a cast.
    pub data_type: Option<DataType>,
}

/// One item of a select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputItem {
    /// One column.
    Column(OutputColumn),
    /// `*`, or `t.*` with its qualifier.
    Star(Option<Name>),
}

/// One relation of a `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromItem {
    /// Its alias.
    pub alias: Option<Name>,
    /// The names that the alias gives to its columns.
    pub columns: Vec<Name>,
    /// What it is.
    pub source: FromSource,
}

/// What stands in a `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromSource {
    /// A table, a view, or what a `WITH` defines.
    Relation(TableName),
    /// A query in parentheses.
    Query(Box<Query>),
    /// A function, `VALUES`, `XMLTABLE`, …: its columns are not known.
    Other,
}

/// The `FROM` of a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct From {
    /// Its relations in order.
    pub items: Vec<FromItem>,
    /// Columns that `USING` makes one of two.
    pub merged: Vec<Name>,
    /// Whether a `NATURAL JOIN` makes one of two columns wherever names agree.
    pub natural: bool,
}

/// One name that a `WITH` defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonTable {
    /// The name.
    pub name: Name,
    /// The names that it gives to its columns.
    pub columns: Vec<Name>,
    /// What it stands for.
    pub query: Query,
}

/// A query inside a statement (of a view, `CREATE TABLE AS`, `INSERT … SELECT`, …).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// As it stands in the statement.
    pub text: String,
    /// Where it stands in the statement.
    pub span: Span,
    /// The relations that it reads, without the names that its own `WITH` defines, each once.
    pub reads: Vec<TableName>,
    /// Aliases of relations in its own `FROM`: alias and relation.
    pub aliases: Vec<(Name, TableName)>,
    /// The functions that it calls, each once.
    pub calls: Vec<Call>,
    /// Names in it that can be columns, each once: whoever drops one of these from a relation that is read must look.
    pub columns: Vec<Name>,
    /// The outermost select list, where it could be read.
    pub output: Option<Vec<OutputItem>>,
    /// The `FROM` of that select list.
    pub from: From,
    /// What its `WITH` defines.
    pub with: Vec<CommonTable>,
}
