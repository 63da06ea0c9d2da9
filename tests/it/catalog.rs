//! Catalogs as text, read from real servers: every kind of object and every attribute of it is in the text, and
//! nothing that is not part of the schema.

mod mariadb;
mod mysql;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use twostep::db::session::{ConnectOptions, Session};
use twostep::db::url::DatabaseUrl;
use twostep::db::{self, catalog};
use twostep::schema::catalog::{Catalog, CatalogOptions};

/// A connection whose futures are waited for one by one.
struct Connection {
    runtime: tokio::runtime::Runtime,
    session: Box<dyn Session>,
}

impl Connection {
    fn open(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = DatabaseUrl::parse(url).unwrap();
        let options = ConnectOptions { create_if_missing: true, ..ConnectOptions::default() };
        let session = runtime.block_on(db::connect(&url, &options)).unwrap();
        Self { runtime, session }
    }

    fn run(&mut self, sql: &str) {
        self.runtime
            .block_on(self.session.run(sql))
            .unwrap_or_else(|error| panic!("{error}\n{}\nin: {sql}", error.notes.join("\n")));
    }

    /// The first value of the first row.
    fn value(&mut self, sql: &str) -> String {
        let rows = self.runtime.block_on(self.session.query(sql)).unwrap();
        rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default()
    }

    fn version(&mut self) -> i64 {
        self.runtime.block_on(self.session.identity()).unwrap().version_number
    }

    fn catalog_with(&mut self, options: &CatalogOptions) -> Catalog {
        self.runtime.block_on(catalog::read(&mut *self.session, options)).unwrap()
    }

    fn catalog(&mut self) -> Catalog {
        self.catalog_with(&CatalogOptions::default())
    }

    fn text(&mut self) -> String {
        self.catalog().to_text()
    }
}

/// A file below `fixtures/catalog`.
fn fixture(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fixtures", "catalog", name].iter().collect()
}

/// Fails where `text` is not the fixture `name`; writes it there instead where `UPDATE_FIXTURES` is set.
fn assert_fixture(name: &str, text: &str) {
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(path(name), text).unwrap();
        return;
    }
    let expected = fixture(name);
    let diff = similar::TextDiff::from_lines(expected.as_str(), text);
    assert!(
        expected == text,
        "the catalog is not fixtures/catalog/{name} (UPDATE_FIXTURES=1 writes it anew):\n{}",
        diff.unified_diff().context_radius(2)
    );
}

/// Runs each statement and its inverse: the first has to change the text of the catalog, the second to restore it.
fn assert_each_is_seen(connection: &mut Connection, changes: &[(&str, &str)]) {
    let before = connection.text();
    let mut failures = Vec::new();
    for (change, inverse) in changes {
        connection.run(change);
        if connection.text() == before {
            failures.push(format!("not seen: {change}"));
        }
        connection.run(inverse);
        let after = connection.text();
        if after != before {
            let diff = similar::TextDiff::from_lines(before.as_str(), after.as_str());
            panic!(
                "not restored by `{inverse}` after `{change}`:\n{}",
                diff.unified_diff().context_radius(1)
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs each statement: none of them may change the text.
fn assert_none_is_seen(connection: &mut Connection, statements: &[&str]) {
    let before = connection.text();
    for statement in statements {
        connection.run(statement);
        assert_eq!(connection.text(), before, "seen: {statement}");
    }
}
