//! The statements of real projects: `split` and the reader of large files agree on them, and the spans cover each
//! file. `TWOSTEP_CORPORA` names the folder that holds the projects: PROJECT/ENGINE/….

use std::fs;
use std::path::{Path, PathBuf};
use twostep::dialect::Dialect;
use twostep::sql::reader::{Next, Splitter};
use twostep::sql::split::split;
use twostep::text::Span;

fn sql_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sql_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

/// Offsets and texts of the statements that the reader gives, in chunks of `size` bytes; the last word is what ended
/// it.
fn read(text: &str, dialect: Dialect, size: usize) -> (Vec<(usize, String)>, Next) {
    let mut splitter = Splitter::new(dialect);
    let mut chunks = text.as_bytes().chunks(size);
    let mut statements = Vec::new();
    loop {
        match splitter.pull() {
            Next::Statement(statement) => statements.push((statement.offset, statement.text)),
            Next::Rows(_) | Next::RowsEnd => {}
            Next::NeedMore => match chunks.next() {
                Some(chunk) => splitter.feed(chunk),
                None => splitter.end(),
            },
            end => return (statements, end),
        }
    }
}

#[test]
#[ignore = "needs the projects that TWOSTEP_CORPORA names"]
fn statements_of_real_projects() {
    let corpora = std::env::var("TWOSTEP_CORPORA").expect("TWOSTEP_CORPORA names a folder");
    let (mut files, mut count, mut open) = (0, 0, 0);
    for (folder, dialect) in
        [("postgresql", Dialect::Postgres), ("mysql", Dialect::Mysql), ("sqlite", Dialect::Sqlite)]
    {
        let mut paths = Vec::new();
        for project in fs::read_dir(&corpora).unwrap() {
            sql_files(&project.unwrap().path().join(folder), &mut paths);
        }
        for path in paths {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let split = split(&text, dialect);
            let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
            for statement in &split.statements {
                assert_eq!(statement.leading, Span::new(at, statement.span.start), "{path:?}");
                assert_eq!(statement.span.end, statement.rest.start, "{path:?}");
                at = statement.rest.end;
            }
            assert_eq!(split.tail, Span::new(at, text.len()), "{path:?}");
            let mut expected: Vec<(usize, String)> = split
                .statements
                .iter()
                .map(|statement| (statement.span.start, statement.text.to_owned()))
                .collect();
            if split.unterminated.is_some() {
                expected.pop();
                open += 1;
            }
            for size in [1, 7, 1000] {
                let (found, end) = read(&text, dialect, size);
                assert_eq!(found, expected, "{path:?} in chunks of {size}");
                assert_eq!(end == Next::End, split.unterminated.is_none(), "{path:?}: {end:?}");
            }
            files += 1;
            count += split.statements.len();
        }
    }
    assert!(files > 0, "no file below {corpora}");
    eprintln!("{files} files, {count} statements, {open} files leave something open");
}
