//! Which words are reserved, so that none of them is taken for a name.

use crate::dialect::Dialect;

/// Words that cannot name a table or a column: `R` and `T` of `pg_get_keywords()`
/// (<https://www.postgresql.org/docs/current/sql-keywords-appendix.html>).
const POSTGRES: &str = " all analyse analyze and any array as asc asymmetric authorization binary both case cast \
    check collate collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except \
    false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull \
    join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order \
    outer overlaps placing primary references returning right select session_user similar some symmetric table \
    tablesample then to trailing true union unique user using variadic verbose when where window with ";

/// <https://dev.mysql.com/doc/refman/8.4/en/keywords.html>, without those that MariaDB lets stand as names and that
/// real schemas use (`rank`, `groups`, `system`, `function`, `window`, `rows`, `lateral`, `row_number`, …).
const MYSQL: &str = " add all alter analyze and as asc before between both by call cascade case change check \
    collate column condition constraint continue convert create cross current_date current_time current_timestamp \
    current_user cursor database databases declare default delayed delete desc describe deterministic distinct \
    distinctrow div drop dual each else elseif enclosed escaped except exists exit explain false fetch for force \
    foreign from fulltext grant group having if ignore in index inner inout insert intersect interval into is \
    iterate join key keys kill leading leave left like limit lines load localtime localtimestamp lock loop match mod \
    natural not null on optimize option optionally or order out outer outfile primary procedure purge range read \
    references regexp release rename repeat replace require restrict return revoke right rlike schema schemas \
    select separator set show spatial sql starting straight_join table terminated then to trailing trigger true undo \
    union unique unlock unsigned update usage use using values when where while with write xor zerofill ";

/// What SQLite's parser takes for nothing but the keyword (<https://sqlite.org/lang_keywords.html>, without those
/// that fall back to names).
const SQLITE: &str = " add all alter and as autoincrement between case check collate commit constraint create \
    default deferrable delete distinct drop else escape exists foreign from group having in index insert intersect \
    into is isnull join limit not notnull null on or order primary references returning select set table then to \
    transaction union unique update using values when where ";

/// Whether `word` is reserved.
pub fn is_reserved(word: &str, dialect: Dialect) -> bool {
    let list = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MYSQL,
        Dialect::Sqlite => SQLITE,
    };
    contains(list, word)
}

/// Whether `list`, words with a blank before and behind each, holds `word` in lower case.
pub fn contains(list: &str, word: &str) -> bool {
    // No keyword is longer.
    let mut lowered = [b' '; 40];
    let Some(room) = lowered.get_mut(1..word.len() + 1) else { return false };
    if word.is_empty() || word.len() > 38 || !word.is_ascii() {
        return false;
    }
    room.copy_from_slice(word.as_bytes());
    room.make_ascii_lowercase();
    // Built from ASCII just above.
    std::str::from_utf8(&lowered[..word.len() + 2]).is_ok_and(|padded| list.contains(padded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_in_any_case() {
        assert!(is_reserved("SELECT", Dialect::Postgres));
        assert!(is_reserved("with", Dialect::Postgres));
        assert!(!is_reserved("sel", Dialect::Postgres));
        assert!(!is_reserved("", Dialect::Postgres));
        assert!(!is_reserved("name", Dialect::Postgres));
        assert!(is_reserved("Key", Dialect::Mysql));
        assert!(!is_reserved("a_rather_long_name_that_is_no_keyword", Dialect::Mysql));
    }
}
