//! What a query says, as far as it matters for what it uses: names in their scopes, without operators and values.

use super::normal::LiteralKind;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::DataType;

/// A column, with what stands before it: `name`, `table.name`, `schema.table.name`.
pub type ColumnPath = Vec<Name>;

/// A statement that reads or changes rows, or a query inside one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What `WITH` defines, in order.
    pub with: Vec<Common>,
    /// `WITH RECURSIVE`.
    pub recursive: bool,
    /// What it does.
    pub body: Body,
    /// `ORDER BY`.
    pub order_by: Vec<Expression>,
    /// `LIMIT`, `OFFSET`.
    pub limits: Vec<Expression>,
}

/// One name that a `WITH` defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// The name.
    pub name: Name,
    /// The names that it gives to its columns.
    pub columns: Vec<Name>,
    /// What it stands for.
    pub query: Query,
}

/// What a query does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Body {
    /// Nothing that is known.
    #[default]
    Nothing,
    /// `SELECT`.
    Select(Box<Select>),
    /// `UNION`, `EXCEPT`, `INTERSECT`.
    Set(Box<Body>, Box<Body>),
    /// A query in parentheses.
    Nested(Box<Query>),
    /// `VALUES`.
    Values(Vec<Vec<Expression>>),
    /// `TABLE name`.
    Table(TableName),
    /// `INSERT`, `REPLACE`.
    Insert(Box<Insert>),
    /// `UPDATE`.
    Update(Box<Update>),
    /// `DELETE`.
    Delete(Box<Delete>),
    /// `MERGE`.
    Merge(Box<Merge>),
}

/// `SELECT`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Select {
    /// The select list.
    pub items: Vec<Item>,
    /// `FROM`, and the right sides of its joins, in order.
    pub from: Vec<Source>,
    /// `WHERE` and `DISTINCT ON`, windows.
    pub clauses: Vec<Expression>,
    /// `GROUP BY` and `HAVING`, which may name what the select list names.
    pub groups: Vec<Expression>,
}

/// One item of a select list or of `RETURNING`.
#[expect(clippy::large_enum_variant, reason = "nearly every item is a value")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A value and its alias.
    Value(Expression, Option<Name>),
    /// `*`, or `t.*` with its qualifier.
    Star(Vec<Name>),
}

/// One relation of a `FROM`, with how it is joined to what stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Its alias.
    pub alias: Option<Name>,
    /// The names that the alias gives to its columns.
    pub columns: Vec<Name>,
    /// It may use what stands before it.
    pub lateral: bool,
    /// Its `ON`.
    pub on: Vec<Expression>,
    /// Its `USING`.
    pub using: Vec<Name>,
    /// `NATURAL`.
    pub natural: bool,
}

/// What stands in a `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// A table, a view, or what a `WITH` defines.
    Relation(TableName),
    /// A query in parentheses.
    Query(Box<Query>),
    /// A function and its arguments.
    Function(ObjectName, Vec<Expression>),
    /// A join in parentheses.
    Joined(Vec<Source>),
    /// Something whose columns are not known.
    Other(Vec<Expression>),
}

/// What is known of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expression {
    /// The columns that it names, outside of its queries.
    pub columns: Vec<ColumnPath>,
    /// `t.*` in it.
    pub stars: Vec<Vec<Name>>,
    /// The functions that it calls, with the number of arguments.
    pub calls: Vec<(ObjectName, usize)>,
    /// The types that it names.
    pub types: Vec<DataType>,
    /// The queries in it.
    pub queries: Vec<Query>,
    /// What its value is.
    pub shape: Shape,
    /// What its value can be: each alternative of a `CASE`.
    pub values: Vec<Value>,
    /// The columns that it compares, or gives to anything else, each with what it compares it with. One that only stands
    /// somewhere, with nothing against it, is not among them.
    pub against: Vec<(ColumnPath, Value)>,
    /// The values that it casts to types.
    pub casts: Vec<(DataType, Value)>,
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Value {
    /// This string.
    Text(String),
    /// This number, as it is written.
    Number(String),
    /// A literal that was taken out of the query.
    Literal(LiteralKind, Option<usize>),
    /// `NULL`.
    Null,
    /// `DEFAULT`.
    Default,
    /// That of this column.
    Column(ColumnPath),
    /// Nothing.
    #[default]
    Unknown,
}

/// What the value of an expression is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shape {
    /// A column, unchanged.
    Column(ColumnPath),
    /// Of this type, with the name that an item without an alias gets.
    Cast(DataType, Option<Name>),
    /// The result of a function.
    Call(Name),
    /// `DEFAULT`.
    Default,
    /// `NULL`.
    Null,
    /// Anything else, with the name that the engine gives to it, where that is known.
    #[default]
    Other,
}

/// `column = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The columns (several with `(a, b) = …`), with their qualifiers.
    pub targets: Vec<ColumnPath>,
    /// The value.
    pub value: Expression,
}

/// `INSERT`, `REPLACE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Insert {
    /// The table.
    pub table: TableName,
    /// Its alias.
    pub alias: Option<Name>,
    /// The columns; empty where none are listed.
    pub columns: Vec<Name>,
    /// Which columns get only `DEFAULT`, by position.
    pub defaults: Vec<bool>,
    /// The rows; none with `DEFAULT VALUES`.
    pub source: Option<Query>,
    /// How many values a row has, where that can be told.
    pub width: Option<usize>,
    /// What it does on a conflict.
    pub conflict: Option<Conflict>,
    /// Whether a row that is refused is no error: `REPLACE`, `INSERT IGNORE`, `INSERT OR …`.
    pub tolerant: bool,
    /// MySQL: the name of the new row.
    pub row_alias: Option<Name>,
    /// `RETURNING`.
    pub returning: Vec<Item>,
}

/// `ON CONFLICT`, `ON DUPLICATE KEY UPDATE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conflict {
    /// The columns whose unique index decides.
    pub columns: Vec<Name>,
    /// Whether that index may be a partial one.
    pub partial: bool,
    /// The constraint that decides.
    pub constraint: Option<Name>,
    /// What is set.
    pub assignments: Vec<Assignment>,
    /// `WHERE`.
    pub clauses: Vec<Expression>,
}

/// `UPDATE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Update {
    /// The table, and on MySQL what it is joined with.
    pub tables: Vec<Source>,
    /// `FROM`.
    pub from: Vec<Source>,
    /// `SET`.
    pub assignments: Vec<Assignment>,
    /// `WHERE`, `ORDER BY`, `LIMIT`.
    pub clauses: Vec<Expression>,
    /// `RETURNING`.
    pub returning: Vec<Item>,
}

/// `DELETE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delete {
    /// MySQL: the names of the tables whose rows go; else those of the first source.
    pub names: Vec<TableName>,
    /// The table, or what `FROM` joins.
    pub from: Vec<Source>,
    /// `USING`.
    pub using: Vec<Source>,
    /// `WHERE`, `ORDER BY`, `LIMIT`.
    pub clauses: Vec<Expression>,
    /// `RETURNING`.
    pub returning: Vec<Item>,
}

/// `MERGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The table.
    pub target: Source,
    /// What it is compared with.
    pub source: Source,
    /// `ON` and the conditions of its branches.
    pub clauses: Vec<Expression>,
    /// The branches.
    pub actions: Vec<MergeAction>,
    /// `RETURNING`.
    pub returning: Vec<Item>,
}

/// One branch of a `MERGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeAction {
    /// `INSERT (columns) VALUES (…)`.
    Insert(Vec<Name>, Vec<Expression>),
    /// `UPDATE SET`.
    Update(Vec<Assignment>),
    /// `DELETE`.
    Delete,
}
