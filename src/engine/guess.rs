//! Which dialect a text is written in, where nobody says: told by the words that only one of them has.

use crate::dialect::Dialect;
use crate::sql::lex::{TokenKind, tokens};

/// Words that stand in the SQL of one engine and not in that of the others.
const WORDS: &[(&str, Dialect)] = &[
    ("auto_increment", Dialect::Mysql),
    ("datetime", Dialect::Mysql),
    ("engine", Dialect::Mysql),
    ("longtext", Dialect::Mysql),
    ("mediumtext", Dialect::Mysql),
    ("tinyint", Dialect::Mysql),
    ("unsigned", Dialect::Mysql),
    ("autoincrement", Dialect::Sqlite),
    ("pragma", Dialect::Sqlite),
    ("rowid", Dialect::Sqlite),
    ("bigserial", Dialect::Postgres),
    ("bytea", Dialect::Postgres),
    ("citext", Dialect::Postgres),
    ("concurrently", Dialect::Postgres),
    ("extension", Dialect::Postgres),
    ("inet", Dialect::Postgres),
    ("jsonb", Dialect::Postgres),
    ("owner", Dialect::Postgres),
    ("plpgsql", Dialect::Postgres),
    ("serial", Dialect::Postgres),
    ("timestamptz", Dialect::Postgres),
    ("uuid", Dialect::Postgres),
];

/// How many bytes of all texts together are looked at.
const BYTES_MAX: usize = 256 * 1024;

/// The dialect that `texts` are most likely in; none where nothing in them tells.
pub fn guess<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<Dialect> {
    let mut counts = [(Dialect::Postgres, 0_usize), (Dialect::Mysql, 0), (Dialect::Sqlite, 0)];
    let mut bytes = 0;
    for text in texts {
        bytes += text.len();
        for dialect in dialects_told(text) {
            let count = counts.iter_mut().find(|(known, _)| *known == dialect);
            count.expect("all dialects are counted").1 += 1;
        }
        if bytes > BYTES_MAX {
            break;
        }
    }
    let (dialect, most) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let alone = counts.iter().filter(|(_, count)| *count == most).count() == 1;
    (most > 0 && alone).then_some(dialect)
}

/// The dialect that each telling word of `text` tells.
fn dialects_told(text: &str) -> impl Iterator<Item = Dialect> + '_ {
    // The lexer of PostgreSQL reads the words of all three; to it a backtick is an operator.
    tokens(text, Dialect::Postgres).filter_map(move |token| {
        let word = token.text(text);
        match token.kind {
            TokenKind::Word => {
                WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, dialect)| *dialect)
            }
            TokenKind::DollarString => Some(Dialect::Postgres),
            TokenKind::Operator if word.contains('`') => Some(Dialect::Mysql),
            TokenKind::Operator if word == "::" => Some(Dialect::Postgres),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_known_by_its_words() {
        let told = |text: &str| guess([text]).map(Dialect::id);
        assert_eq!(told("create table `a` (`id` int unsigned auto_increment) engine=InnoDB"), Some("mysql"));
        assert_eq!(told("create table a (id integer primary key autoincrement)"), Some("sqlite"));
        assert_eq!(told("create table a (id bigserial, b jsonb default '{}'::jsonb)"), Some("postgres"));
        assert_eq!(told("alter table a drop column b -- `x` serial"), None);
    }
}
