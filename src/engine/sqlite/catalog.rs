//! SQLite's catalog as readable text: what to ask (`query`), and the catalog that the rows make (`assemble`).
//!
//! SQLite keeps the text of every `CREATE` statement, and its own `ALTER` edits that text. So the text is read here:
//! its pragmas know neither checks, collations, names of constraints nor what happens on a conflict. What comes out
//! does not depend on quotes, letter case, blanks, comments, or on whether a constraint stood at its column.

mod canonical;
mod table;

use crate::dialect::Dialect;
use crate::name::Name;
use crate::schema::catalog::{Catalog, CatalogKind, CatalogOptions, ObjectKey, ObjectText};
use crate::sql::phrase::Phrase;
use std::collections::BTreeMap;

const DIALECT: Dialect = Dialect::Sqlite;

/// The statement that reads the catalog of a library of `version_number` (`3035`). Each row has the type, the name,
/// the table that it belongs to, and the statement that made it; what the library made by itself is left out.
pub fn query(version_number: i64) -> String {
    // Tables in which a virtual table keeps its rows are known since 3.37:
    // https://sqlite.org/pragma.html#pragma_table_list
    let shadows = if version_number >= 3037 {
        " AND (type <> 'table' OR name NOT IN \
         (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'))"
    } else {
        ""
    };
    format!(
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema \
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~'{shadows}"
    )
}

/// The catalog that the rows of [`query`] make.
pub fn assemble(rows: &[Vec<Option<String>>], options: &CatalogOptions) -> Catalog {
    let column = |row: &'_ [Option<String>], index: usize| -> String {
        row.get(index).cloned().flatten().unwrap_or_default()
    };
    let mut catalog = Catalog::default();
    // By the name of the table or view, so that they find it whatever comes first.
    let mut parts: BTreeMap<String, Vec<(u8, String, String)>> = BTreeMap::new();
    let mut keys: BTreeMap<String, ObjectKey> = BTreeMap::new();
    for row in rows {
        let (kind, name, of, sql) = (column(row, 0), column(row, 1), column(row, 2), column(row, 3));
        if options.is_journal_table(&of) || options.excludes_table("main", &of) {
            continue;
        }
        let shown = Name::new(&name).shown(DIALECT);
        match kind.as_str() {
            "table" | "view" => {
                let (kind, text) = relation(&sql);
                let key = ObjectKey { kind, name: shown };
                keys.insert(of, key.clone());
                catalog.objects.insert(key, text);
            }
            "index" => parts.entry(of).or_default().push((0, name, index(&sql, &shown))),
            "trigger" => parts.entry(of).or_default().push((1, name, trigger(&sql, &shown))),
            _ => {}
        }
    }
    for (of, mut parts) in parts {
        let Some(object) = keys.get(&of).and_then(|key| catalog.objects.get_mut(key)) else { continue };
        parts.sort_unstable();
        object.parts.extend(parts.into_iter().map(|(.., text)| text));
    }
    catalog
}

/// A table of either sort, or a view.
fn relation(sql: &str) -> (CatalogKind, ObjectText) {
    let mut phrase = Phrase::new(sql, DIALECT);
    let properties_of = |property| ObjectText { properties: vec![property], ..ObjectText::default() };
    if after_name(&mut phrase, "virtual table") {
        // What a module is told is its own language, so it stays as it is but for the blanks.
        let words: Vec<&str> = canonical::rest(&phrase).split_whitespace().collect();
        return (CatalogKind::VirtualTable, properties_of(words.join(" ")));
    }
    if after_name(&mut phrase, "view") {
        return (CatalogKind::View, properties_of(canonical::lines(canonical::rest(&phrase))));
    }
    after_name(&mut phrase, "table");
    let text = table::read(&mut phrase).unwrap_or_else(|| {
        // Not a form that we know: its whole text stands for it.
        properties_of(canonical::line(sql))
    });
    (CatalogKind::Table, text)
}

/// `CREATE UNIQUE INDEX i ON t (…) WHERE …`, without the table, which is said already.
fn index(sql: &str, name: &str) -> String {
    let mut phrase = Phrase::new(sql, DIALECT);
    let unique = if phrase.sees("create unique") { "unique " } else { "" };
    if !after_name(&mut phrase, "unique index") {
        after_name(&mut phrase, "index");
    }
    let _ = phrase.eats("on") && phrase.table().is_some();
    format!("index {name} {unique}{}", canonical::line(canonical::rest(&phrase)))
}

/// `CREATE TRIGGER x BEFORE INSERT ON t BEGIN … END`.
fn trigger(sql: &str, name: &str) -> String {
    let mut phrase = Phrase::new(sql, DIALECT);
    after_name(&mut phrase, "trigger");
    format!("trigger {name} {}", canonical::lines(canonical::rest(&phrase)))
}

/// Whether `phrase`, at its start, is a `CREATE` of `what`; if so, goes behind the name of what is made.
fn after_name(phrase: &mut Phrase<'_>, what: &str) -> bool {
    let mut ahead = phrase.clone();
    ahead.eats("create");
    let _ = ahead.eats("temp") || ahead.eats("temporary");
    if !ahead.eats(what) {
        return false;
    }
    ahead.eats("if not exists");
    let named = ahead.table().is_some();
    *phrase = ahead;
    named
}
