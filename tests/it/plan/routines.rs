//! Functions and triggers beside the columns that they name: they change in the same moment, or another order is asked for.

use super::refused::refusal;
use super::{Case, check};

/// A table whose rows a trigger writes, and a function that reads them.
const POSTS: &str = "CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL, slug text, hits int NOT NULL DEFAULT 0);
    CREATE FUNCTION tidied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := trim(NEW.title); NEW.slug := lower(NEW.title); RETURN NEW; END $$;
    CREATE TRIGGER tidied BEFORE INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION tidied();
    CREATE FUNCTION titles() RETURNS SETOF text LANGUAGE sql AS 'SELECT title FROM posts ORDER BY id LIMIT 1';";

const ROWS: &str = "insert into posts (id, title) select n, ' Title ' || n from generate_series(1, 2000) n";

/// What `tidied` is with another name.
const RENAMED: &str = "CREATE OR REPLACE FUNCTION tidied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.headline := trim(NEW.headline);
    NEW.slug := lower(NEW.headline); RETURN NEW; END $$;";

#[test]
fn functions_are_replaced_with_the_column_that_they_name() {
    let rename = "ALTER TABLE posts RENAME COLUMN title TO headline;";
    let titles = "CREATE OR REPLACE FUNCTION titles() RETURNS SETOF text LANGUAGE sql AS 'SELECT headline FROM posts ORDER BY id LIMIT 1';";
    let case = Case {
        schema: POSTS,
        rows: ROWS,
        between: &[
            ("select titles()", "Title 1"),
            (
                "insert into posts (id, title) values (0, ' Old '); select headline, slug from posts where id = 0",
                "Old|old",
            ),
            (
                "update posts set title = ' Older ' where id = 0; select headline, slug from posts where id = 0",
                "Older|older",
            ),
            (
                "insert into posts (id, headline) values (-1, ' New '); select title, slug from posts where id = -1",
                "New|new",
            ),
            (
                "update posts set headline = ' Newer ' where id = -1; select title, headline, slug from posts where id = -1",
                "Newer|Newer|newer",
            ),
        ],
        after: &[
            ("select titles()", "Newer"),
            (
                "update posts set headline = ' Last ' where id = 0; select headline, slug from posts where id = 0",
                "Last|last",
            ),
        ],
        moves_copies: true,
        ..Case::default()
    };
    check(&Case { plain: &format!("{rename} {RENAMED} {titles}"), ..case });
    // A body in plpgsql is looked at when it is called, so that it may be replaced first.
    check(&Case { plain: &format!("{RENAMED} {rename} {titles}"), ..case });
}

#[test]
fn a_function_no_longer_writes_a_column_when_that_is_dropped() {
    check(&Case {
        schema: POSTS,
        rows: ROWS,
        plain: "CREATE OR REPLACE FUNCTION tidied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := trim(NEW.title); RETURN NEW; END $$;
            ALTER TABLE posts DROP COLUMN slug;",
        between: &[("insert into posts (id, title) values (0, ' A '); select title, slug from posts where id = 0", "A|a")],
        after: &[("insert into posts (id, title) values (-1, ' B '); select title from posts where id = -1", "B")],
        moves_columns: true,
        ..Case::default()
    });
}

#[test]
fn a_function_that_names_nothing_of_it_is_replaced_at_first_and_comes_back() {
    check(&Case {
        schema: POSTS,
        rows: ROWS,
        plain: "ALTER TABLE posts RENAME COLUMN hits TO views;
            CREATE OR REPLACE FUNCTION titles() RETURNS SETOF text LANGUAGE sql AS 'SELECT upper(title) FROM posts ORDER BY id LIMIT 1';",
        between: &[("select titles()", "TITLE 1")],
        moves_copies: true,
        ..Case::default()
    });
}

#[test]
fn a_trigger_that_comes_behind_rows_does_not_meet_them() {
    let log = "CREATE TABLE posts (id int PRIMARY KEY, title text, kind text); CREATE TABLE log (id int, said text);";
    let logged = "CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id, TG_OP); RETURN NEW; END $$;
        CREATE TRIGGER logged AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION logged(); COMMENT ON TRIGGER logged ON posts IS 'who';";
    let rows = "insert into posts select n, 'a' || n from generate_series(1, 2000) n";
    let rename = "ALTER TABLE posts RENAME COLUMN title TO headline;";
    let update = "UPDATE posts SET kind = 'b' WHERE kind IS NULL;";
    for plain in [format!("{rename} {logged}"), format!("{update} {logged} {rename}")] {
        check(&Case { schema: log, rows, plain: &plain, ..Case::default() });
    }
}

#[test]
fn what_would_be_lost_until_the_contract_is_refused() {
    let cases = [
        (
            "ALTER TABLE posts RENAME COLUMN title TO headline; CREATE OR REPLACE FUNCTION tidied() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.headline := upper(NEW.headline); RETURN NEW; END $$;",
            "under the old name in a migration of its own, in front of this one",
        ),
        (
            "ALTER TABLE posts RENAME COLUMN title TO headline; CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.headline := upper(NEW.headline); RETURN NEW; END $$; \
             CREATE TRIGGER loud BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION loud();",
            "`CREATE TRIGGER loud BEFORE INSERT ON posts FOR EACH ROW …` looks at `posts.title`",
        ),
        (
            "ALTER TABLE posts RENAME COLUMN title TO headline; CREATE TRIGGER again BEFORE UPDATE ON posts FOR EACH ROW \
             WHEN (NEW.headline IS NULL) EXECUTE FUNCTION tidied();",
            "in front of this one for the column as it is, or behind it",
        ),
        (
            "ALTER TABLE posts ALTER COLUMN hits TYPE bigint; CREATE TRIGGER again BEFORE UPDATE OF hits ON posts FOR EACH ROW \
             EXECUTE FUNCTION tidied();",
            "in front of this one for the column as it is, or behind it",
        ),
        (
            "ALTER TABLE posts RENAME COLUMN hits TO views; CREATE FUNCTION seen() RETURNS bigint RETURN (SELECT sum(views) FROM posts);",
            "make it in a migration of its own, behind this one",
        ),
        (
            "ALTER TABLE posts ADD COLUMN name text; UPDATE posts SET name = title || slug; ALTER TABLE posts DROP COLUMN slug;",
            "what older code writes to it until then would be lost",
        ),
    ];
    for (plain, expected) in cases {
        let said = refusal(POSTS, plain);
        assert!(said.contains(expected), "{plain}\n{said}");
    }
}
