//! The statements that read and change rows: sqlparser's tree to our own.

use super::digest::opened;
use super::lower_expr::{all_of, expression, name, object, parts};
use super::normal::{Literal, normalize};
use super::plainer::plainer;
use super::tree::*;
use crate::dialect::Dialect;
use crate::engine::read::words;
use crate::name::{Name, TableName};
use crate::sql::lex::{Token, TokenKind, significant};
use sqlparser::ast;
use sqlparser::dialect::{Dialect as ParserDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// What begins statements that are no queries and still use a table.
const USES: &[&str] = &["truncate", "lock", "refresh"];

/// Longer statements are not parsed: a tree that deep is not worth its stack.
const TOKENS_MAX: usize = 20_000;

/// A statement that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Why.
    pub reason: String,
    /// Whether it was understood, and is no statement that reads or changes rows.
    pub is_other: bool,
    /// Each name in it that may be that of a table, a column or anything else, each once.
    pub names: Vec<Name>,
}

/// What the one statement `text` reads and writes.
///
/// # Errors
/// The parser does not understand it, or it is no statement that reads or changes rows; with the names in it.
pub fn lower(text: &str, dialect: Dialect) -> Result<Query, Unread> {
    lower_with(text, dialect, &[])
}

/// [`lower`], where something is known of the literals that were taken out of `text`.
///
/// # Errors
/// As there.
pub fn lower_with(text: &str, dialect: Dialect, literals: &[Literal]) -> Result<Query, Unread> {
    let unread = |reason: String| Unread { reason, is_other: false, names: names(text, dialect) };
    let mut tokens = significant(text, dialect);
    if tokens.nth(TOKENS_MAX).is_some() {
        return Err(unread(format!("it is longer than {TOKENS_MAX} words")));
    }
    let parser = parser_of(dialect);
    // `TABLE name` is short for this, and the parser takes it only in parentheses.
    let table = significant(text, dialect).next().filter(|first| first.is_word(text, "table"));
    let longer = table.map(|first| format!("SELECT * FROM{}", &text[first.span.end..]));
    let text = longer.as_deref().unwrap_or(text);
    let plain = plainer(text, dialect);
    let text = plain.as_ref().map_or(text, |plain| plain.text.as_str());
    let digest = opened(text, dialect);
    let text = digest.as_ref().map_or(text, |digest| digest.text.as_str());
    let written = Parser::parse_sql(parser, text);
    // Another text has its parameters elsewhere.
    let literals = if written.is_ok() { literals } else { &[] };
    let parsed = written
        .or_else(|_| Parser::parse_sql(parser, &normalize(text, dialect)))
        .or_else(|error| match without_options(text, dialect) {
            Some(copy) => Parser::parse_sql(parser, copy),
            None => Err(error),
        })
        .map_err(|error| unread(format!("it was not understood: {error}")))?;
    let [statement] = parsed.as_slice() else {
        return Err(unread(format!("it holds {} statements", parsed.len())));
    };
    let partial = plain.as_ref().is_some_and(|plain| plain.partial);
    let reader = Reader { dialect, literals, marks: marks(text, dialect, literals), partial };
    let first = significant(text, dialect).next();
    let is_use = first.is_some_and(|first| USES.iter().any(|word| first.is_word(text, word)));
    let other = || Unread { is_other: !is_use, ..unread("it neither reads nor changes rows".to_owned()) };
    let mut query = reader.statement(statement).ok_or_else(other)?;
    if let Body::Insert(insert) = &mut query.body
        && digest.is_some_and(|digest| digest.is_guess)
    {
        insert.width = None;
    }
    Ok(query)
}

/// The parser's own dialect.
pub(super) fn parser_of(dialect: Dialect) -> &'static dyn ParserDialect {
    match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Mysql => &MySqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
    }
}

/// Where the parameters without a number stand in `text`: line and column, both from 1, as the parser counts them.
fn marks(text: &str, dialect: Dialect, literals: &[Literal]) -> Vec<(u64, u64)> {
    if dialect == Dialect::Postgres || literals.is_empty() {
        return Vec::new();
    }
    let (mut line, mut column, mut end) = (1, 1, 0);
    let mut found = Vec::new();
    for token in significant(text, dialect).filter(|token| token.kind == TokenKind::Param) {
        for character in text[end..token.span.start].chars() {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        found.push((line, column));
        end = token.span.start;
    }
    found
}

/// The `COPY` of `text` without the options behind what it reads from or writes to.
fn without_options(text: &str, dialect: Dialect) -> Option<&str> {
    let tokens: Vec<Token> = significant(text, dialect).collect();
    if !tokens.first()?.is_word(text, "copy") {
        return None;
    }
    let mut depth = 0_usize;
    for pair in tokens.windows(2) {
        if pair[0].is_punct(b'(') {
            depth += 1;
        } else if pair[0].is_punct(b')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && (pair[0].is_word(text, "from") || pair[0].is_word(text, "to")) {
            return Some(&text[..pair[1].span.end]);
        }
    }
    None
}

/// Every name in `text`.
fn names(text: &str, dialect: Dialect) -> Vec<Name> {
    let mut found: Vec<Name> = significant(text, dialect)
        .filter_map(|token| {
            let word = token.text(text);
            match token.kind {
                TokenKind::Word if !words::is_reserved(word, dialect) => Some(Name::unquoted(word, dialect)),
                TokenKind::QuotedWord => Some(crate::engine::read::literal::quoted_name(word)),
                _ => None,
            }
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Reads a tree of the parser.
pub(super) struct Reader<'a> {
    pub(super) dialect: Dialect,
    /// What is known of literals that became parameters.
    pub(super) literals: &'a [Literal],
    /// Where parameters without a number stand.
    pub(super) marks: Vec<(u64, u64)>,
    /// Whether a partial index may decide its `ON CONFLICT`.
    pub(super) partial: bool,
}

impl Reader<'_> {
    fn statement(&self, statement: &ast::Statement) -> Option<Query> {
        let body = match statement {
            ast::Statement::Query(query) => return Some(self.query(query)),
            ast::Statement::Call(function) => {
                let call = ast::Expr::Function(function.clone());
                let items = vec![Item::Value(expression(self, &call), None)];
                Body::Select(Box::new(Select { items, ..Select::default() }))
            }
            ast::Statement::Copy { source, to, .. } => match (source, to) {
                (ast::CopySource::Query(query), _) => return Some(self.query(query)),
                (ast::CopySource::Table { table_name, columns }, true) => self.copy_out(table_name, columns),
                (ast::CopySource::Table { table_name, columns }, false) => Body::Insert(Box::new(Insert {
                    table: object(table_name, self.dialect),
                    columns: columns.iter().map(|column| self.name(column)).collect(),
                    ..Insert::default()
                })),
            },
            other => self.write(other)?,
        };
        Some(Query { body, ..Query::default() })
    }

    fn copy_out(&self, table: &ast::ObjectName, columns: &[ast::Ident]) -> Body {
        let column =
            |ident: &ast::Ident| Item::Value(expression(self, &ast::Expr::Identifier(ident.clone())), None);
        let mut items: Vec<Item> = columns.iter().map(column).collect();
        if items.is_empty() {
            items.push(Item::Star(Vec::new()));
        }
        let from = vec![source(SourceKind::Relation(object(table, self.dialect)), None)];
        Body::Select(Box::new(Select { items, from, ..Select::default() }))
    }

    fn write(&self, statement: &ast::Statement) -> Option<Body> {
        Some(match statement {
            ast::Statement::Insert(insert) => Body::Insert(Box::new(self.insert(insert)?)),
            ast::Statement::Update(update) => Body::Update(Box::new(self.update(update))),
            ast::Statement::Delete(delete) => Body::Delete(Box::new(self.delete(delete))),
            ast::Statement::Merge(merge) => Body::Merge(Box::new(self.merge(merge))),
            _ => return None,
        })
    }

    fn name(&self, ident: &ast::Ident) -> Name {
        name(ident, self.dialect)
    }

    fn expressions<'e>(&self, of: impl IntoIterator<Item = &'e ast::Expr>) -> Vec<Expression> {
        of.into_iter().map(|expr| expression(self, expr)).collect()
    }

    pub(super) fn query(&self, query: &ast::Query) -> Query {
        let with = query.with.iter().flat_map(|with| &with.cte_tables).map(|table| Common {
            name: self.name(&table.alias.name),
            columns: table.alias.columns.iter().map(|column| self.name(&column.name)).collect(),
            query: self.query(&table.query),
        });
        let order_by = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(ast::OrderByKind::Expressions(by)) => self.expressions(by.iter().map(|by| &by.expr)),
            Some(ast::OrderByKind::All(_)) | None => Vec::new(),
        };
        let mut limits = Vec::new();
        if let Some(limit) = &query.limit_clause {
            limits.push(all_of(self, limit));
        }
        if let Some(quantity) = query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()) {
            limits.push(expression(self, quantity));
        }
        Query {
            recursive: query.with.as_ref().is_some_and(|with| with.recursive),
            with: with.collect(),
            body: self.body(&query.body),
            order_by,
            limits,
        }
    }

    fn body(&self, body: &ast::SetExpr) -> Body {
        match body {
            ast::SetExpr::Select(select) => Body::Select(Box::new(self.select(select))),
            ast::SetExpr::Query(query) => Body::Nested(Box::new(self.query(query))),
            ast::SetExpr::SetOperation { left, right, .. } => {
                Body::Set(Box::new(self.body(left)), Box::new(self.body(right)))
            }
            ast::SetExpr::Values(values) => {
                Body::Values(values.rows.iter().map(|row| self.expressions(&row.content)).collect())
            }
            ast::SetExpr::Table(table) => Body::Table(TableName {
                schema: table.schema_name.as_deref().map(|schema| Name::unquoted(schema, self.dialect)),
                name: Name::unquoted(table.table_name.as_deref().unwrap_or_default(), self.dialect),
            }),
            ast::SetExpr::Insert(statement)
            | ast::SetExpr::Update(statement)
            | ast::SetExpr::Delete(statement)
            | ast::SetExpr::Merge(statement) => self.write(statement).unwrap_or_default(),
        }
    }

    fn select(&self, select: &ast::Select) -> Select {
        let mut clauses = self.expressions(&select.selection);
        if let Some(ast::Distinct::On(on)) = &select.distinct {
            clauses.extend(self.expressions(on));
        }
        clauses.extend(select.named_window.iter().map(|window| all_of(self, window)));
        let mut groups = Vec::new();
        if let ast::GroupByExpr::Expressions(by, _) = &select.group_by {
            groups.extend(self.expressions(by));
        }
        groups.extend(self.expressions(&select.having));
        Select { items: self.items(&select.projection), from: self.sources(&select.from), clauses, groups }
    }

    fn items(&self, items: &[ast::SelectItem]) -> Vec<Item> {
        items
            .iter()
            .map(|item| match item {
                ast::SelectItem::UnnamedExpr(expr) => Item::Value(expression(self, expr), None),
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    Item::Value(expression(self, expr), Some(self.name(alias)))
                }
                ast::SelectItem::ExprWithAliases { expr, .. } => Item::Value(expression(self, expr), None),
                ast::SelectItem::QualifiedWildcard(of, _) => match of {
                    ast::SelectItemQualifiedWildcardKind::ObjectName(of) => {
                        Item::Star(parts(of, self.dialect))
                    }
                    ast::SelectItemQualifiedWildcardKind::Expr(expr) => {
                        Item::Value(expression(self, expr), None)
                    }
                },
                ast::SelectItem::Wildcard(_) => Item::Star(Vec::new()),
            })
            .collect()
    }

    fn returning(&self, items: Option<&Vec<ast::SelectItem>>) -> Vec<Item> {
        items.map(|items| self.items(items)).unwrap_or_default()
    }

    fn sources(&self, from: &[ast::TableWithJoins]) -> Vec<Source> {
        from.iter().flat_map(|one| self.joined(one)).collect()
    }

    fn joined(&self, one: &ast::TableWithJoins) -> Vec<Source> {
        let mut found = vec![self.factor(&one.relation)];
        for join in &one.joins {
            let mut right = self.factor(&join.relation);
            match constraint(&join.join_operator) {
                Some(ast::JoinConstraint::On(on)) => right.on.push(expression(self, on)),
                Some(ast::JoinConstraint::Using(names)) => {
                    right.using = names.iter().filter_map(|one| parts(one, self.dialect).pop()).collect();
                }
                Some(ast::JoinConstraint::Natural) => right.natural = true,
                Some(ast::JoinConstraint::None) | None => {}
            }
            found.push(right);
        }
        found
    }

    fn factor(&self, factor: &ast::TableFactor) -> Source {
        let (kind, alias, lateral) = match factor {
            ast::TableFactor::Table { name, alias, args: None, .. } => {
                (SourceKind::Relation(object(name, self.dialect)), alias, false)
            }
            ast::TableFactor::Table { name, alias, args: Some(args), .. } => {
                let args = args.args.iter().map(|arg| all_of(self, arg)).collect();
                (SourceKind::Function(object(name, self.dialect), args), alias, true)
            }
            ast::TableFactor::Derived { lateral, subquery, alias, .. } => {
                (SourceKind::Query(Box::new(self.query(subquery))), alias, *lateral)
            }
            ast::TableFactor::Function { name, args, alias, .. } => {
                let args = args.iter().map(|arg| all_of(self, arg)).collect();
                (SourceKind::Function(object(name, self.dialect), args), alias, true)
            }
            ast::TableFactor::UNNEST { alias, array_exprs, .. } => {
                let unnest = TableName::bare(Name::new("unnest"));
                (SourceKind::Function(unnest, self.expressions(array_exprs)), alias, true)
            }
            ast::TableFactor::NestedJoin { table_with_joins, alias } => {
                (SourceKind::Joined(self.joined(table_with_joins)), alias, true)
            }
            other => {
                return Source {
                    lateral: true,
                    ..source(SourceKind::Other(vec![all_of(self, other)]), None)
                };
            }
        };
        let mut found = source(kind, alias.as_ref().map(|alias| self.name(&alias.name)));
        found.lateral = lateral;
        found.columns =
            alias.iter().flat_map(|alias| &alias.columns).map(|column| self.name(&column.name)).collect();
        found
    }

    fn assignments(&self, assignments: &[ast::Assignment]) -> Vec<Assignment> {
        assignments
            .iter()
            .map(|one| Assignment {
                targets: match &one.target {
                    ast::AssignmentTarget::ColumnName(column) => vec![parts(column, self.dialect)],
                    ast::AssignmentTarget::Tuple(columns) => {
                        columns.iter().map(|column| parts(column, self.dialect)).collect()
                    }
                },
                value: expression(self, &one.value),
            })
            .collect()
    }

    fn insert(&self, insert: &ast::Insert) -> Option<Insert> {
        let ast::TableObject::TableName(table) = &insert.table else { return None };
        let set = self.assignments(&insert.assignments);
        let mut columns: Vec<Name> =
            insert.columns.iter().filter_map(|column| parts(column, self.dialect).pop()).collect();
        columns.extend(set.iter().flat_map(|one| &one.targets).filter_map(|path| path.last().cloned()));
        let mut source = insert.source.as_ref().map(|query| self.query(query));
        if !set.is_empty() {
            let row = set.into_iter().map(|one| one.value).collect();
            source = Some(Query { body: Body::Values(vec![row]), ..Query::default() });
        }
        let (mut width, mut defaults) = (None, Vec::new());
        match source.as_ref().map(|query| &query.body) {
            Some(Body::Values(rows)) => {
                width = rows.first().map(Vec::len);
                let all =
                    |at: usize| rows.iter().all(|row| row.get(at).is_some_and(|e| e.shape == Shape::Default));
                defaults = (0..width.unwrap_or(0)).map(all).collect();
            }
            Some(Body::Select(select)) if !select.items.iter().any(|item| matches!(item, Item::Star(_))) => {
                width = Some(select.items.len());
            }
            _ => {}
        }
        Some(Insert {
            table: object(table, self.dialect),
            alias: insert.table_alias.as_ref().map(|alias| self.name(&alias.alias)),
            columns,
            defaults,
            source,
            width,
            conflict: insert.on.as_ref().map(|on| self.conflict(on)),
            tolerant: insert.ignore || insert.replace_into || insert.or.is_some(),
            row_alias: insert.insert_alias.as_ref().map(|alias| object(&alias.row_alias, self.dialect).name),
            returning: self.returning(insert.returning.as_ref()),
        })
    }

    fn conflict(&self, on: &ast::OnInsert) -> Conflict {
        let mut found = Conflict { partial: self.partial, ..Conflict::default() };
        match on {
            ast::OnInsert::DuplicateKeyUpdate(assignments) => {
                found.assignments = self.assignments(assignments)
            }
            ast::OnInsert::OnConflict(conflict) => {
                match &conflict.conflict_target {
                    Some(ast::ConflictTarget::Columns(columns)) => {
                        found.columns = columns.iter().map(|column| self.name(column)).collect();
                    }
                    Some(ast::ConflictTarget::OnConstraint(name)) => {
                        found.constraint = Some(object(name, self.dialect).name);
                    }
                    None => {}
                }
                if let ast::OnConflictAction::DoUpdate(update) = &conflict.action {
                    found.assignments = self.assignments(&update.assignments);
                    found.clauses = self.expressions(&update.selection);
                }
            }
            // Other dialects of the parser have their own.
            _ => {}
        }
        found
    }

    fn update(&self, update: &ast::Update) -> Update {
        let from = match &update.from {
            Some(ast::UpdateTableFromKind::BeforeSet(from) | ast::UpdateTableFromKind::AfterSet(from)) => {
                self.sources(from)
            }
            None => Vec::new(),
        };
        let mut clauses = self.expressions(&update.selection);
        clauses.extend(self.expressions(update.order_by.iter().map(|by| &by.expr)));
        clauses.extend(self.expressions(&update.limit));
        Update {
            tables: self.joined(&update.table),
            from,
            assignments: self.assignments(&update.assignments),
            clauses,
            returning: self.returning(update.returning.as_ref()),
        }
    }

    fn delete(&self, delete: &ast::Delete) -> Delete {
        let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
        let mut clauses = self.expressions(&delete.selection);
        clauses.extend(self.expressions(delete.order_by.iter().map(|by| &by.expr)));
        clauses.extend(self.expressions(&delete.limit));
        Delete {
            names: delete.tables.iter().map(|table| object(table, self.dialect)).collect(),
            from: self.sources(from),
            using: delete.using.as_ref().map(|using| self.sources(using)).unwrap_or_default(),
            clauses,
            returning: self.returning(delete.returning.as_ref()),
        }
    }

    fn merge(&self, merge: &ast::Merge) -> Merge {
        let mut clauses = vec![expression(self, &merge.on)];
        let mut actions = Vec::new();
        for clause in &merge.clauses {
            clauses.extend(self.expressions(&clause.predicate));
            match &clause.action {
                ast::MergeAction::Insert(insert) => {
                    let columns = insert.columns.iter().filter_map(|one| parts(one, self.dialect).pop());
                    let values = match &insert.kind {
                        ast::MergeInsertKind::Values(values) => {
                            values.rows.iter().flat_map(|row| self.expressions(&row.content)).collect()
                        }
                        ast::MergeInsertKind::Row | ast::MergeInsertKind::Wildcard => Vec::new(),
                    };
                    actions.push(MergeAction::Insert(columns.collect(), values));
                }
                ast::MergeAction::Update(update) => {
                    if let ast::MergeUpdateKind::Set(set) = &update.kind {
                        actions.push(MergeAction::Update(self.assignments(set)));
                    }
                }
                ast::MergeAction::Delete { .. } => actions.push(MergeAction::Delete),
                ast::MergeAction::DoNothing { .. } => {}
            }
        }
        let returning = match &merge.output {
            Some(
                ast::OutputClause::Returning { select_items, .. }
                | ast::OutputClause::Output { select_items, .. },
            ) => self.items(select_items),
            None => Vec::new(),
        };
        Merge {
            target: self.factor(&merge.table),
            source: self.factor(&merge.source),
            clauses,
            actions,
            returning,
        }
    }
}

fn source(kind: SourceKind, alias: Option<Name>) -> Source {
    Source {
        kind,
        alias,
        columns: Vec::new(),
        lateral: false,
        on: Vec::new(),
        using: Vec::new(),
        natural: false,
    }
}

/// What a join demands.
fn constraint(operator: &ast::JoinOperator) -> Option<&ast::JoinConstraint> {
    use ast::JoinOperator::*;
    match operator {
        Join(on) | Inner(on) | Left(on) | LeftOuter(on) | Right(on) | RightOuter(on) | FullOuter(on)
        | CrossJoin(on) | Semi(on) | LeftSemi(on) | RightSemi(on) | Anti(on) | LeftAnti(on)
        | RightAnti(on) | StraightJoin(on) => Some(on),
        AsOf { constraint, .. } => Some(constraint),
        CrossApply | OuterApply | ArrayJoin | LeftArrayJoin | InnerArrayJoin => None,
    }
}
