//! A file of SQL that no format claims: a migration by itself, of which nobody knows what stands before it.

use super::format::{Folder, ReadOptions};
use super::one_piece::{controls_transaction, refusing};
use super::reading::{Reading, text, versioned};
use super::{SourceFile, SourceProblem};
use crate::dialect::Dialect;
use crate::sql::split::split;

/// What a folder of such files has as its format.
pub const LOOSE: &str = "sql";

/// The file as the only migration of a folder. It runs in one transaction, unless a statement of it cannot, or it
/// begins one itself.
pub fn read_loose(file: &SourceFile, options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
    let dialect = options.dialect.unwrap_or(Dialect::Postgres);
    let mut reading = Reading::default();
    if let Some(mut script) = reading.sql_file(file) {
        let text = text(file).unwrap_or("");
        let begins = || split(text, dialect).statements.iter().any(|one| controls_transaction(one.text));
        if script.transaction && (refusing(text, dialect).is_some() || begins()) {
            script.transaction = false;
        }
        reading.migrations.push(versioned(String::new(), &file.path, script, None));
    }
    reading.finish(LOOSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in_transaction(text: &str) -> bool {
        let folder = read_loose(&SourceFile::text("a.sql", text), &ReadOptions::default()).unwrap();
        folder.migrations[0].up.transaction
    }

    #[test]
    fn a_file_says_by_itself_whether_it_has_a_transaction() {
        assert!(is_in_transaction("create table a (i int); drop table b;"));
        assert!(!is_in_transaction("create table a (i int); create index concurrently i on a (i);"));
        assert!(!is_in_transaction("begin; create table a (i int); commit;"));
        assert!(!is_in_transaction("-- twostep: no-transaction\ncreate table a (i int);"));
    }
}
