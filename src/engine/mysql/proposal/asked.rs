//! How a change is asked for by its words: `ALGORITHM=` and `LOCK=`, so that the server refuses what it cannot do so
//! instead of keeping others waiting (<https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl.html>).

use crate::engine::effects::{Algorithm, Effects, Session};
use crate::engine::mysql::effects::{statement_effects, words};
use crate::engine::proposal::Action;
use crate::engine::version::{Product, ServerVersion};
use crate::schema::change::{Change, ChangeKind, ObjectKind};
use crate::schema::model::Schema;

/// The words that ask for no more than the server needs; none where it has no choice, or keeps writes waiting for as
/// long as there are rows.
fn clause(effects: &Effects, server: ServerVersion) -> Option<Vec<String>> {
    let (needed, target) = (effects.algorithm?, effects.target()?);
    if target.lock.blocks_writes && target.work.grows_with_rows() {
        return None;
    }
    let algorithm = match needed {
        // LOCK= is no word for what takes no time.
        Algorithm::Instant => return Some(vec!["ALGORITHM=INSTANT".to_owned()]),
        Algorithm::Nocopy if server.product == Product::Mariadb => "NOCOPY",
        Algorithm::Nocopy | Algorithm::Inplace => "INPLACE",
        Algorithm::Copy => "COPY",
    };
    Some(vec![format!("ALGORITHM={algorithm}"), "LOCK=NONE".to_owned()])
}

/// `text`, a statement of these `changes`, with what it needs said in words; as it is where nothing can be said, or its
/// author has.
pub fn explicit(text: &str, changes: &[(&Change, &Schema)], server: ServerVersion) -> String {
    let Some((first, _)) = changes.first() else { return text.to_owned() };
    if words(first) != (None, None) {
        return text.to_owned();
    }
    let Some(clause) = clause(&statement_effects(changes, server, Session::default()), server) else {
        return text.to_owned();
    };
    let text = text.trim().trim_end_matches(';').trim_end();
    match &first.kind {
        ChangeKind::AlterTable(alter) if alter.object == ObjectKind::Table => {
            // `RENAME TABLE` is no `ALTER TABLE`, and operations on partitions take no words.
            let is_alter = text.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("alter"));
            if is_alter { format!("{text}, {}", clause.join(", ")) } else { text.to_owned() }
        }
        ChangeKind::CreateIndex(_) => format!("{text} {}", clause.join(" ")),
        // MariaDB's takes no words.
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Index && server.product == Product::Mariadb => {
            let name = |name: &crate::name::Name| name.readable(crate::dialect::Dialect::Mysql);
            let table = drop.on.as_ref().map_or_else(String::new, |on| match &on.schema {
                Some(schema) => format!("{}.{}", name(schema), name(&on.name)),
                None => name(&on.name),
            });
            format!("ALTER TABLE {table} DROP INDEX {}, {}", name(&drop.name.name), clause.join(", "))
        }
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Index => format!("{text} {}", clause.join(" ")),
        _ => text.to_owned(),
    }
}

/// The statement `sql` with what it needs said in words.
pub(super) fn asked(sql: &str, before: &Schema, server: ServerVersion) -> String {
    let changes = super::super::lower::lower(sql);
    let changes: Vec<(&Change, &Schema)> = changes.iter().map(|change| (change, before)).collect();
    explicit(sql, &changes, server)
}

/// The words that a statement like `like` needs, as they stand behind it.
pub(super) fn words_for(like: &str, before: &Schema, server: ServerVersion) -> String {
    asked(like, before, server).strip_prefix(like).unwrap_or("").to_owned()
}

/// An action that runs `sql` with what it needs said in words.
pub(super) fn action(about: impl Into<String>, sql: &str, before: &Schema, server: ServerVersion) -> Action {
    Action::new(about, asked(sql, before, server))
}
