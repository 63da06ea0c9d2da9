//! What a proposal for MySQL, MariaDB or SQLite is about: a table as the migration names it, and what the schema knows
//! of it.

use super::{Action, Given, Missing, Proposal, Stage};
use crate::dialect::Dialect;
use crate::engine::update::replace_columns;
use crate::engine::version::ServerVersion;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{Change, Generation, Nullability};
use crate::schema::model::{Column, Index, Schema, Table};

/// The table that a proposal is about.
pub struct About<'a> {
    /// The schema before the change.
    pub schema: &'a Schema,
    /// The table, as the statement names it.
    pub name: &'a TableName,
    /// What the schema knows of it.
    pub table: Option<&'a Table>,
    /// The server that it is for.
    pub server: ServerVersion,
    /// What is known beyond the schema.
    pub given: &'a Given,
    /// The change.
    pub change: &'a Change,
    /// The text that the change stands in.
    pub text: &'a str,
}

impl<'a> About<'a> {
    /// Whose rules hold.
    pub fn dialect(&self) -> Dialect {
        self.schema.dialect
    }

    /// A name as people write it in SQL.
    pub fn id(&self, name: &Name) -> String {
        name.readable(self.dialect())
    }

    /// A name of an object as people write it in SQL, with its schema where it was given one.
    pub fn sql_of(&self, name: &ObjectName) -> String {
        match &name.schema {
            Some(schema) => format!("{}.{}", self.id(schema), self.id(&name.name)),
            None => self.id(&name.name),
        }
    }

    /// The table, ready to be put into SQL, as the statement names it.
    pub fn sql(&self) -> String {
        self.sql_of(self.name)
    }

    /// `name` in the schema of the table, as the statement names that.
    pub fn beside(&self, name: &Name) -> String {
        self.sql_of(&TableName { schema: self.name.schema.clone(), name: name.clone() })
    }

    /// `names` as people write them in SQL.
    pub fn ids<'n>(&self, names: impl IntoIterator<Item = &'n Name>) -> String {
        names.into_iter().map(|name| self.id(name)).collect::<Vec<_>>().join(", ")
    }

    /// What the schema knows of a column.
    pub fn column(&self, name: &Name) -> Option<&'a Column> {
        self.table.and_then(|table| table.column(name)).map(|column| &**column)
    }

    /// Whether the column may not be NULL.
    pub fn is_required(&self, name: &Name) -> bool {
        self.column(name).is_some_and(|column| column.nullability == Nullability::NotNull)
            || self.is_in_key(name)
    }

    /// Whether the column is one of the primary key's.
    pub fn is_in_key(&self, name: &Name) -> bool {
        self.table.and_then(Table::primary_key).is_some_and(|key| key.columns().contains(name))
    }

    /// Whether the server numbers the column.
    pub fn is_numbered(&self, name: &Name) -> bool {
        let generation = self.column(name).and_then(|column| column.generation.as_ref());
        matches!(generation, Some(Generation::AutoIncrement | Generation::Serial | Generation::Identity(_)))
    }

    /// A name for something of ours: the table's, then `suffix`.
    pub fn named(&self, suffix: &str) -> Name {
        named(&self.name.name, suffix, self.dialect())
    }

    /// The text of a part of the change's statement.
    pub fn text_of(&self, span: crate::text::Span) -> &'a str {
        span.of(self.text).trim()
    }

    /// What the schema knows the table by, which need not be how the server spells its name.
    pub fn key(&self) -> TableName {
        self.schema.relation_key(self.name).unwrap_or_else(|| self.schema.new_key(self.name))
    }

    /// What the given fill for a column is.
    pub fn fill(&self, column: &Name) -> Option<&'a str> {
        self.given.fill(&self.key(), column)
    }

    /// The expression `text` over a row, in a trigger: columns are those of `NEW`.
    pub fn over_new(&self, text: &str) -> String {
        let columns: Vec<Name> = self
            .table
            .map_or_else(Vec::new, |table| table.columns.iter().map(|one| one.name.clone()).collect());
        replace_columns(text, self.dialect(), &self.name.name, &columns, |column| {
            format!("NEW.{}", self.id(column))
        })
    }

    /// Whether a column that the server numbers is in the expression `text`: no trigger in front of an INSERT knows it.
    pub fn reads_number(&self, text: &str) -> bool {
        let numbered =
            self.table.iter().flat_map(|table| &table.columns).find(|one| self.is_numbered(&one.name));
        numbered.is_some_and(|column| {
            let columns = std::slice::from_ref(&column.name);
            let mark = |_: &Name| "\u{1}".to_owned();
            replace_columns(text, self.dialect(), &self.name.name, columns, mark).contains('\u{1}')
        })
    }

    /// The indexes that a column is in, but those of keys.
    pub fn indexes_of(&self, column: &'a Name) -> impl Iterator<Item = &'a Index> {
        let indexes = self.table.map_or(&[][..], |table| &table.indexes).iter().map(|index| &**index);
        indexes.filter(move |index| index.uses(column) && !index.primary)
    }

    /// An UPDATE of all rows that satisfy `condition`, by the table's key, as a stage.
    pub fn batch(&self, proposal: &mut Proposal, about: &str, set: &str, condition: &str) {
        let key = self.table.map_or_else(Vec::new, crate::engine::key_of);
        if key.is_empty() && self.table.is_some_and(Table::is_complete) {
            proposal.missing.push(Missing::Other(format!(
                "`{}` has no primary key and no unique key without NULL, so that its rows cannot be filled in chunks",
                self.sql()
            )));
        }
        let sql = format!("UPDATE {} SET {set} WHERE {condition}", self.sql());
        proposal.expand.push(Stage::Backfill { action: Action::new(about, sql), key });
    }

    /// Says why there is no plan where the schema does not know enough of the table.
    pub fn must_be_known(&self, proposal: &mut Proposal) {
        if self.table.is_none_or(|table| !table.is_complete()) {
            proposal.missing.push(Missing::Other(format!(
                "no migration makes `{}`: what it is made of is not known",
                self.sql()
            )));
        }
    }
}

/// `first_suffix`, cut to the length of a name; what is cut differs by its hash.
pub fn named(first: &Name, suffix: &str, dialect: Dialect) -> Name {
    let limit = match dialect {
        Dialect::Postgres => 63,
        Dialect::Mysql => 64,
        Dialect::Sqlite => usize::MAX,
    };
    let whole = format!("{}_{suffix}", first.as_str());
    if whole.chars().count() <= limit {
        return Name::new(whole);
    }
    let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let tail = format!("_{:08x}", hash >> 32);
    let front: String = whole.chars().take(limit - tail.len()).collect();
    Name::new(format!("{front}{tail}"))
}

/// Whether `text` is a single literal: a value that is the same for all rows.
pub fn is_literal(text: &str, dialect: Dialect) -> bool {
    use crate::sql::lex::{TokenKind, significant};
    let tokens: Vec<_> = significant(text, dialect).collect();
    let words = ["true", "false"];
    match tokens.as_slice() {
        [one] => match one.kind {
            TokenKind::Number | TokenKind::String => true,
            TokenKind::Word => words.iter().any(|word| one.is_word(text, word)),
            _ => false,
        },
        [sign, number] => ["-", "+"].contains(&sign.text(text)) && number.kind == TokenKind::Number,
        _ => false,
    }
}

/// A column's definition as it is written, but that it may be NULL.
pub fn nullable(definition: &str, dialect: Dialect) -> String {
    let tokens: Vec<_> = crate::sql::lex::significant(definition, dialect).collect();
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_punct(b'(') {
            depth += 1;
        } else if token.is_punct(b')') {
            depth = depth.saturating_sub(1);
        }
        let next = tokens.get(at + 1).filter(|next| next.is_word(definition, "null"));
        if let Some(next) = next
            && depth == 0
            && token.is_word(definition, "not")
        {
            return format!("{}NULL{}", &definition[..token.span.start], &definition[next.span.end..]);
        }
    }
    definition.to_owned()
}
