//! The lexer of the three dialects: words, literals, comments and operators with their byte spans.
//!
//! It is total: every text has tokens, what is not closed is a token of its own kind, and nothing panics. It reads
//! each byte a bounded number of times, keeps no stack and allocates nothing.
//! Rules: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>,
//! <https://dev.mysql.com/doc/refman/8.4/en/language-structure.html>, <https://sqlite.org/syntax/comment-syntax.html>
//! and <https://sqlite.org/lang_keywords.html>.

use super::lexer::Lexer;
use crate::dialect::Dialect;
use crate::text::Span;

/// One token. Blank space between tokens is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier in quotes: `"a"`, `U&"a"`, `` `a` ``, `[a]`.
    QuotedWord,
    /// A string in quotes, with its prefix: `'a'`, `E'a'`, `U&'a'`, `B'1'`, `X'1f'`, `N'a'`; MySQL's `"a"` too.
    String,
    /// A dollar-quoted string: `$$ … $$`, `$body$ … $body$`.
    DollarString,
    /// A number.
    Number,
    /// A parameter: `$1`, `?`, `?1`, `:name`; `@name` and `$name` on SQLite.
    Param,
    /// A MySQL variable (`@name`, `@@global`), or the host of an account (`@localhost`).
    Variable,
    /// An operator of one or more characters, `::`, `:=` and `=>` among them.
    Operator,
    /// One of `( ) [ ] { } , ; . :`.
    Punct(u8),
    /// `-- …`, on MySQL `# …` too; without its line end.
    LineComment,
    /// `/* … */`, also a hint `/*+ … */`.
    BlockComment,
    /// The start of MySQL's `/*! … */` or `/*!80013 … */`, whose contents are SQL.
    ExecutableOpen,
    /// The end of it.
    ExecutableClose,
    /// What the mysql client was told with `DELIMITER`, where that is not `;`.
    Delimiter,
    /// `\g` or `\G`, by which the mysql client ends a statement too.
    ClientGo,
    /// What was opened and reaches to the end of the text.
    Unterminated(Unclosed),
    /// A character that no token starts with: a backslash, a control character.
    Other,
}

/// What was opened and not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclosed {
    /// A string.
    String,
    /// An identifier in quotes.
    QuotedWord,
    /// A dollar quote.
    DollarString,
    /// A block comment.
    Comment,
}

impl Token {
    /// The token's text.
    pub fn text(self, source: &str) -> &str {
        self.span.of(source)
    }

    /// Whether it is the word `word`, in any case. A quoted word never is.
    pub fn is_word(self, source: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(source).eq_ignore_ascii_case(word)
    }

    /// Whether it is the character `punct`.
    pub fn is_punct(self, punct: u8) -> bool {
        self.kind == TokenKind::Punct(punct)
    }

    /// Whether it is a comment, closed or not.
    pub fn is_comment(self) -> bool {
        matches!(
            self.kind,
            TokenKind::LineComment | TokenKind::BlockComment | TokenKind::Unterminated(Unclosed::Comment)
        )
    }
}

/// The tokens of `text`, comments among them.
pub fn tokens(text: &str, dialect: Dialect) -> Tokens<'_> {
    Tokens { bytes: text.as_bytes(), lexer: Lexer::new(dialect) }
}

/// The tokens of `text` that mean something to the server: all but comments.
pub fn significant(text: &str, dialect: Dialect) -> impl Iterator<Item = Token> + '_ {
    tokens(text, dialect).filter(|token| !token.is_comment())
}

/// Iterator over the tokens of a text.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    bytes: &'a [u8],
    lexer: Lexer,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.lexer.next(self.bytes, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens as `Kind:text`, and whatever else must hold of every text.
    fn check(dialect: Dialect, text: &str, expect: &str) {
        let mut at = 0;
        let mut found = Vec::new();
        for token in tokens(text, dialect) {
            assert!(token.span.start >= at && token.span.end > token.span.start, "{token:?} in {text:?}");
            assert!(text[at..token.span.start].trim().is_empty(), "skipped text in {text:?}");
            at = token.span.end;
            let kind = match token.kind {
                TokenKind::Punct(_) => String::new(),
                TokenKind::Unterminated(unclosed) => format!("Unterminated{unclosed:?}:"),
                kind => format!("{kind:?}:"),
            };
            found.push(format!("{kind}{}", token.text(text)));
        }
        assert!(text[at..].trim().is_empty(), "skipped text at the end of {text:?}");
        assert_eq!(found.join(" "), expect, "{text:?}");
    }

    #[test]
    fn strings_of_postgres() {
        let check = |text: &str, expect: &str| check(Dialect::Postgres, text, expect);
        check("'a''b' 'c\\'", "String:'a''b' String:'c\\'");
        check("E'a\\'b' e'c'", "String:E'a\\'b' String:e'c'");
        check("U&'a' U&\"b\" u&c", "String:U&'a' QuotedWord:U&\"b\" Word:u Operator:& Word:c");
        check("B'01' X'1f' N'x' be'x'", "String:B'01' String:X'1f' String:N'x' Word:be String:'x'");
        check("\"a\"\"b\" \"c;", "QuotedWord:\"a\"\"b\" UnterminatedQuotedWord:\"c;");
        check("'it", "UnterminatedString:'it");
    }

    /// A string on the next line goes on with the one before, and takes its escapes.
    #[test]
    fn escape_strings_go_on_over_lines() {
        let check = |text: &str, expect: &str| check(Dialect::Postgres, text, expect);
        check("E'a'\n 'b\\';' ;", "String:E'a' String:'b\\';' ;");
        check("E'a' 'b\\';", "String:E'a' String:'b\\' ;");
        check("E'a' -- c\n 'b\\';'", "String:E'a' LineComment:-- c String:'b\\';'");
        check("E'a',\n 'b\\';", "String:E'a' , String:'b\\' ;");
        check("'a'\n 'b\\';", "String:'a' String:'b\\' ;");
    }

    #[test]
    fn dollars_of_postgres() {
        let check = |text: &str, expect: &str| check(Dialect::Postgres, text, expect);
        check("$$a;$b$c$$", "DollarString:$$a;$b$c$$");
        check("$x$ $$ $y$ $x$ $1", "DollarString:$x$ $$ $y$ $x$ Param:$1");
        check("a$b$c $d", "Word:a$b$c Other:$ Word:d");
        check("$1$a$ $ä$ö$ä$", "Param:$1$a$ DollarString:$ä$ö$ä$");
        check("$a$ $b$", "UnterminatedDollarString:$a$ $b$");
    }

    #[test]
    fn comments() {
        check(Dialect::Postgres, "a--b\r\nc", "Word:a LineComment:--b Word:c");
        check(Dialect::Postgres, "/*a/*b*/c*/d", "BlockComment:/*a/*b*/c*/ Word:d");
        check(Dialect::Postgres, "/*/ */ /* /* */", "BlockComment:/*/ */ UnterminatedComment:/* /* */");
        check(Dialect::Sqlite, "/*a/*b*/c", "BlockComment:/*a/*b*/ Word:c");
        check(Dialect::Sqlite, "--", "LineComment:--");
        check(
            Dialect::Mysql,
            "a--b # c\n--\td",
            "Word:a Operator:- Operator:- Word:b LineComment:# c LineComment:--\td",
        );
        check(
            Dialect::Mysql,
            "/*!50003 a*/ /*M! b */ /*+ c */ 2*/**/3",
            "ExecutableOpen:/*!50003 Word:a ExecutableClose:*/ ExecutableOpen:/*M! Word:b ExecutableClose:*/ \
             BlockComment:/*+ c */ Number:2 Operator:* BlockComment:/**/ Number:3",
        );
    }

    #[test]
    fn quotes_of_the_others() {
        check(
            Dialect::Mysql,
            "\"a\\\"b\" `c``d` 'e\\'f'",
            "String:\"a\\\"b\" QuotedWord:`c``d` String:'e\\'f'",
        );
        check(Dialect::Sqlite, "[a]]b `c` \"d\"", "QuotedWord:[a] ] Word:b QuotedWord:`c` QuotedWord:\"d\"");
        check(Dialect::Sqlite, "'a\\' [b", "String:'a\\' UnterminatedQuotedWord:[b");
    }

    #[test]
    fn numbers() {
        let check = |text: &str, expect: &str| check(Dialect::Postgres, text, expect);
        check("1 1.5 .5 1e-3 1E5.x", "Number:1 Number:1.5 Number:.5 Number:1e-3 Number:1E5 . Word:x");
        check("1..10 0x1F 1_000 t.1", "Number:1 . . Number:10 Number:0x1F Number:1_000 Word:t . Number:1");
    }

    #[test]
    fn operators_and_parameters() {
        check(Dialect::Postgres, "a<-1", "Word:a Operator:< Operator:- Number:1");
        check(Dialect::Postgres, "a @>-- c", "Word:a Operator:@> LineComment:-- c");
        check(
            Dialect::Postgres,
            "a ?| b::c :d x[1:e]",
            "Word:a Operator:?| Word:b Operator::: Word:c Param::d Word:x [ Number:1 : Word:e ]",
        );
        check(
            Dialect::Mysql,
            "a->>'$.x' <=> ? := @b",
            "Word:a Operator:->> String:'$.x' Operator:<=> Param:? Operator::= Variable:@b",
        );
        check(
            Dialect::Mysql,
            "root@localhost @@x 1st l:loop",
            "Word:root Variable:@localhost Variable:@@x Word:1st Word:l : Word:loop",
        );
        check(
            Dialect::Sqlite,
            "?1 :a @b $c a||b",
            "Param:?1 Param::a Param:@b Param:$c Word:a Operator:|| Word:b",
        );
    }
}
