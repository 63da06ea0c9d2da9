//! A database's whole schema as readable text, one text per object: what `db dump` prints and a round trip compares.
//!
//! Canonical: two databases in which every object is the same give the same text, whatever made them. Nothing in it
//! depends on the server's internal ids, on settings of the session or on the order in which objects were made, but
//! for the order of columns. Each engine fills it from its own catalog.

pub mod diff;

use crate::name::{Name, TableName};
use crate::text::deceives;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// What kind of object it is. The order is that of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The variants are the words of SQL; `title` has them.
pub enum CatalogKind {
    Database,
    Schema,
    Extension,
    Language,
    AccessMethod,
    ForeignDataWrapper,
    ForeignServer,
    UserMapping,
    Collation,
    Conversion,
    Domain,
    Type,
    Sequence,
    Table,
    ForeignTable,
    VirtualTable,
    View,
    MaterializedView,
    Function,
    Procedure,
    Aggregate,
    Operator,
    OperatorFamily,
    OperatorClass,
    Cast,
    Transform,
    TextSearchParser,
    TextSearchTemplate,
    TextSearchDictionary,
    TextSearchConfiguration,
    Statistics,
    EventTrigger,
    Event,
    Publication,
    Subscription,
    DefaultPrivileges,
    MemberPrivileges,
}

impl CatalogKind {
    /// All kinds in the order of the text, each with its name in prose.
    const TITLES: &'static [(CatalogKind, &'static str)] = &[
        (CatalogKind::Database, "database"),
        (CatalogKind::Schema, "schema"),
        (CatalogKind::Extension, "extension"),
        (CatalogKind::Language, "language"),
        (CatalogKind::AccessMethod, "access method"),
        (CatalogKind::ForeignDataWrapper, "foreign data wrapper"),
        (CatalogKind::ForeignServer, "foreign server"),
        (CatalogKind::UserMapping, "user mapping"),
        (CatalogKind::Collation, "collation"),
        (CatalogKind::Conversion, "conversion"),
        (CatalogKind::Domain, "domain"),
        (CatalogKind::Type, "type"),
        (CatalogKind::Sequence, "sequence"),
        (CatalogKind::Table, "table"),
        (CatalogKind::ForeignTable, "foreign table"),
        (CatalogKind::VirtualTable, "virtual table"),
        (CatalogKind::View, "view"),
        (CatalogKind::MaterializedView, "materialized view"),
        (CatalogKind::Function, "function"),
        (CatalogKind::Procedure, "procedure"),
        (CatalogKind::Aggregate, "aggregate"),
        (CatalogKind::Operator, "operator"),
        (CatalogKind::OperatorFamily, "operator family"),
        (CatalogKind::OperatorClass, "operator class"),
        (CatalogKind::Cast, "cast"),
        (CatalogKind::Transform, "transform"),
        (CatalogKind::TextSearchParser, "text search parser"),
        (CatalogKind::TextSearchTemplate, "text search template"),
        (CatalogKind::TextSearchDictionary, "text search dictionary"),
        (CatalogKind::TextSearchConfiguration, "text search configuration"),
        (CatalogKind::Statistics, "statistics"),
        (CatalogKind::EventTrigger, "event trigger"),
        (CatalogKind::Event, "event"),
        (CatalogKind::Publication, "publication"),
        (CatalogKind::Subscription, "subscription"),
        (CatalogKind::DefaultPrivileges, "default privileges"),
        (CatalogKind::MemberPrivileges, "privileges in extension"),
    ];

    /// All kinds, in the order of the text.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TITLES.iter().map(|(kind, _)| *kind)
    }

    /// Its name in prose, in lower case.
    pub fn title(self) -> &'static str {
        Self::TITLES[self as usize].1
    }

    /// The kind with this [`title`](Self::title).
    pub fn from_title(title: &str) -> Option<Self> {
        Self::TITLES.iter().find(|(_, known)| *known == title).map(|(kind, _)| *kind)
    }
}

/// Which object it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// What kind of object.
    pub kind: CatalogKind,
    /// Its full name for people: with its schema where the engine has schemas, quoted where it has to be, and with
    /// the argument types where names can be overloaded.
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.title(), self.name)
    }
}

/// What there is to say about one object. Each item is one line, or more where it holds a longer text; nothing that
/// is as usual is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectText {
    /// What it is itself: options, definition, comment.
    pub properties: Vec<String>,
    /// Its columns, in their order.
    pub columns: Vec<String>,
    /// What belongs to it: constraints, indexes, triggers, policies, grants.
    pub parts: Vec<String>,
}

impl ObjectText {
    /// All lines below the object's own, without their common indentation.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.items().flat_map(|item| {
            item.split('\n').enumerate().map(|(number, line)| match (number, line) {
                (0, line) => line.to_owned(),
                (_, "") => String::new(),
                // Deeper than any item's first line, so that no text can be taken for another item.
                (_, line) => format!("  {line}"),
            })
        })
    }

    /// All items.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().chain(&self.columns).chain(&self.parts).map(String::as_str)
    }
}

/// What a catalog leaves out, and what it says only when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogOptions {
    /// Whether owners are named. Without it, a grant to an object's owner says `owner`, so that databases that
    /// different roles have migrated compare equal.
    pub owners: bool,
    /// The name of our own journal, which is left out: a schema where the engine has some, else what the names of its
    /// tables begin with, before an underscore.
    pub journal: Option<Name>,
    /// Schemas that are left out with all that is in them.
    pub excluded_schemas: Vec<Name>,
    /// Tables that are left out with all that belongs to them; one without a schema is left out of every schema.
    pub excluded_tables: Vec<TableName>,
}

impl Default for CatalogOptions {
    /// Leaves out the journal of the default name.
    fn default() -> Self {
        Self {
            owners: false,
            journal: Some(Name::new("twostep")),
            excluded_schemas: Vec::new(),
            excluded_tables: Vec::new(),
        }
    }
}

impl CatalogOptions {
    /// The schemas that are left out, where the journal has one of its own.
    pub fn hidden_schemas(&self) -> impl Iterator<Item = &Name> {
        self.excluded_schemas.iter().chain(&self.journal)
    }

    /// Whether the table `name` in `schema`, both in the server's spelling, is left out.
    pub fn excludes_table(&self, schema: &str, name: &str) -> bool {
        self.excluded_tables.iter().any(|table| {
            table.name.as_str() == name
                && table.schema.as_ref().is_none_or(|excluded| excluded.as_str() == schema)
        })
    }

    /// Whether the table `name` is one of the journal, where that has no schema of its own.
    pub fn is_journal_table(&self, name: &str) -> bool {
        let rest = self.journal.as_ref().and_then(|journal| name.strip_prefix(journal.as_str()));
        rest.is_some_and(|rest| rest.starts_with('_'))
    }
}

/// All objects of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// Each object's text.
    pub objects: BTreeMap<ObjectKey, ObjectText>,
}

impl Catalog {
    /// Whether there is no object at all.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The whole as text: objects in the order of their kinds and names, parted by an empty line.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for (key, object) in &self.objects {
            if !out.is_empty() {
                out.push('\n');
            }
            for line in object_lines(key, object) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out
    }
}

/// The lines of one object as they stand in [`Catalog::to_text`].
fn object_lines(key: &ObjectKey, object: &ObjectText) -> Vec<String> {
    let mut lines = vec![visible(&key.to_string())];
    for line in object.lines() {
        let line = visible(&line);
        lines.push(if line.is_empty() { line } else { format!("  {line}") });
    }
    lines
}

/// `line` with its control characters made visible: a carriage return or an escape sequence in a function's body
/// must neither hide a difference nor reach a terminal.
fn visible(line: &str) -> String {
    if !line.contains(|c: char| deceives(c) && c != '\t') {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 8);
    for character in line.chars() {
        match character {
            '\t' => out.push('\t'),
            // The pictures of the 32 control characters are a block of their own.
            '\0'..='\u{1f}' => {
                out.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'));
            }
            other if deceives(other) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: CatalogKind, name: &str) -> ObjectKey {
        ObjectKey { kind, name: name.to_owned() }
    }

    #[test]
    fn titles_stand_in_the_order_of_the_kinds() {
        for (number, (kind, title)) in CatalogKind::TITLES.iter().enumerate() {
            assert_eq!(*kind as usize, number, "{title}");
            assert_eq!(CatalogKind::from_title(title), Some(*kind));
        }
        assert_eq!(CatalogKind::MemberPrivileges as usize + 1, CatalogKind::TITLES.len());
        assert_eq!(CatalogKind::from_title("tables"), None);
    }

    #[test]
    fn text_is_sorted_by_kind_and_name_and_nests_longer_texts() {
        let mut catalog = Catalog::default();
        assert!(catalog.is_empty());
        assert_eq!(catalog.to_text(), "");
        let table = ObjectText {
            properties: vec!["unlogged".to_owned()],
            columns: vec!["column b integer".to_owned(), "column a text\ncomment: first\n\nlast".to_owned()],
            parts: vec!["constraint t_pkey PRIMARY KEY (b)".to_owned()],
        };
        let function =
            ObjectText { properties: vec!["as\nbegin\r\n\treturn new;".to_owned()], ..ObjectText::default() };
        catalog.objects.insert(key(CatalogKind::Function, "public.f()"), function);
        catalog.objects.insert(key(CatalogKind::Table, "public.t"), table);
        catalog.objects.insert(key(CatalogKind::Schema, "public"), ObjectText::default());
        insta::assert_snapshot!(catalog.to_text(), @r"
        schema public

        table public.t
          unlogged
          column b integer
          column a text
            comment: first

            last
          constraint t_pkey PRIMARY KEY (b)

        function public.f()
          as
            begin␍
            	return new;
        ");
    }

    #[test]
    fn tables_are_excluded_with_and_without_a_schema() {
        let options = CatalogOptions {
            excluded_tables: vec![
                TableName::bare(Name::new("schema_migrations")),
                TableName::qualified(Name::new("app"), Name::new("log")),
            ],
            ..CatalogOptions::default()
        };
        assert!(options.excludes_table("public", "schema_migrations"));
        assert!(options.excludes_table("app", "log"));
        assert!(!options.excludes_table("public", "log"));
        assert!(options.is_journal_table("twostep_run"));
        assert!(!options.is_journal_table("twosteps"));
        assert_eq!(options.hidden_schemas().map(Name::as_str).collect::<Vec<_>>(), ["twostep"]);
    }
}
