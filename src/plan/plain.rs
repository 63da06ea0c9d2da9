//! The plain migration that a deploy stands for, kept as comments in its first file: what it is proved against.

use super::fills::Filled;
use crate::source::{Body, Migration, Script};

/// What a line of it begins with.
const MARGIN: &str = "-- |";
/// The directive above it.
const DIRECTIVE: &str = "stands-for";

/// The comment lines that keep the plain migration, with what `--fill` says beside it; none where its text has no place in
/// comments.
pub(super) fn kept(migration: &Migration, filled: &Filled) -> Vec<String> {
    let text = match &migration.up.body {
        Body::Sql { file, span } => span.of(file).to_owned(),
        Body::Statements { statements, .. } => {
            statements.iter().map(|statement| format!("{};\n", statement.text)).collect()
        }
        Body::LargeFile { .. } | Body::Program { .. } => return Vec::new(),
    };
    let slug = crate::source::slug(&migration.name);
    // Of some tools' files there is only the number.
    let name = if slug.is_empty() { migration.version.to_string() } else { slug };
    let mut lines = vec![format!("-- twostep: {DIRECTIVE} {name}")];
    if !migration.up.transaction && !text.contains("twostep: no-transaction") {
        lines.push(format!("{MARGIN} -- twostep: no-transaction"));
    }
    let text = text.trim();
    let end = if filled.behind.is_empty() || text.ends_with(';') { "" } else { ";" };
    let text = format!("{text}{end}");
    // What stands above the first statement holds for the file.
    let is_above = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with("--");
    let (above, below): (Vec<&str>, Vec<&str>) =
        (text.lines().take_while(is_above).collect(), text.lines().skip_while(is_above).collect());
    let said = |all: &[String]| -> Vec<String> {
        all.iter().flat_map(|sql| ["-- what --fill says".to_owned(), sql.clone()]).collect()
    };
    let (front, behind) = (said(&filled.before), said(&filled.behind));
    let front = above.into_iter().chain(front.iter().map(String::as_str));
    let all = front.chain(below).chain(behind.iter().map(String::as_str));
    lines.extend(all.map(|line| format!("{MARGIN} {}", line.trim_end()).trim_end().to_owned()));
    lines
}

/// Name and text of the plain migration that `script` says it stands for.
pub fn stands_for(script: &Script) -> Option<(String, String)> {
    let directive = script.directives.iter().find(|directive| directive.name == DIRECTIVE)?;
    let name = directive.words.first()?.clone();
    let file = match &script.body {
        Body::Sql { file, .. } | Body::Statements { file, .. } => file,
        Body::LargeFile { .. } | Body::Program { .. } => return None,
    };
    // A directive's place may be that of a part of the file: what counts is where it stands.
    let lines = file.lines().skip_while(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() < 3 || !words[..words.len() - 1].ends_with(&[DIRECTIVE])
    });
    let text: Vec<&str> = lines
        .skip(1)
        .map_while(|line| line.trim_start().strip_prefix(MARGIN))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    (!text.is_empty()).then(|| (name, format!("{}\n", text.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{ReadOptions, SourceFile, read};

    fn only(name: &str, text: &str) -> Migration {
        let files = [SourceFile::text(name, text)];
        read(&files, Some("twostep"), &ReadOptions::default()).unwrap().migrations.remove(0)
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let text = "-- why\nALTER TABLE t\n  RENAME a TO b;\n\nCREATE FUNCTION f() RETURNS text AS $$ -- x\n  select '--' $$ LANGUAGE sql;\n";
        let plain = only("1_rename_a.up.sql", text);
        let head = kept(&plain, &Filled::default()).join("\n");
        let first =
            only("1_rename_a_expand.up.sql", &format!("-- twostep: phase expand\n{head}\n\nselect 1;"));
        let (name, found) = stands_for(&first.up).unwrap();
        assert_eq!(name, "rename_a");
        assert_eq!(found, text);
        assert_eq!(stands_for(&plain.up), None);
    }

    #[test]
    fn what_fill_says_stands_around_it() {
        let plain = only("1_i.up.sql", "-- why\nALTER TABLE t ALTER a SET NOT NULL, ADD b int NOT NULL");
        let filled = Filled {
            before: vec!["UPDATE t SET a = 1 WHERE a IS NULL;".to_owned()],
            behind: vec!["UPDATE t SET b = a;".to_owned()],
        };
        let lines = kept(&plain, &filled).join("\n");
        let expect = "-- twostep: stands-for i\n-- | -- why\n-- | -- what --fill says\n-- | UPDATE t SET a = 1 WHERE a IS NULL;\n\
            -- | ALTER TABLE t ALTER a SET NOT NULL, ADD b int NOT NULL;\n-- | -- what --fill says\n-- | UPDATE t SET b = a;";
        assert_eq!(lines, expect);
    }

    #[test]
    fn a_plain_migration_without_a_transaction_says_so() {
        let plain = only("1_i.up.sql", "-- twostep: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);");
        let lines = kept(&plain, &Filled::default());
        assert_eq!(lines.iter().filter(|line| line.contains("no-transaction")).count(), 1);
    }
}
