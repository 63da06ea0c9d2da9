//! Each operation on MariaDB, and on MySQL where a server is named: what its plan leaves, and what works in between.

use super::Case;
use super::others::{Deployment, check, each_mysql};

const ITEMS: &str = "CREATE TABLE items (id bigint AUTO_INCREMENT PRIMARY KEY, sku varchar(40) NOT NULL, \
                     state varchar(20) DEFAULT 'new', price int, weight float NOT NULL DEFAULT 1, UNIQUE KEY sku (sku), KEY state_price (state, price));";
const ROWS: &str = "insert into items (sku, price) with recursive s (i) as (select 1 union all select i + 1 from s where i < 900) \
                    select concat('sku ', i), i from s";

#[track_caller]
fn on_each(case: &Case<'_>) {
    each_mysql(|fresh| check(&|| Some(fresh()), case));
}

fn items<'a>(plain: &'a str, between: &'a [(&'a str, &'a str)], after: &'a [(&'a str, &'a str)]) -> Case<'a> {
    Case { schema: ITEMS, rows: ROWS, plain, between, after, ..Case::default() }
}

#[test]
fn rename_column() {
    let between = [
        (
            "delete from items where sku like 'old%' or sku like 'new%'; insert into items (sku) values ('old'); select sku, code from items where sku = 'old'",
            "old\told",
        ),
        (
            "insert into items (code) values ('new'); select sku, code from items where sku = 'new'",
            "new\tnew",
        ),
        (
            "update items set code = 'new 2' where code = 'new'; select sku from items where code = 'new 2'",
            "new 2",
        ),
        (
            "update items set sku = 'old 2' where sku = 'old'; select code from items where sku = 'old 2'",
            "old 2",
        ),
        (
            "update items set code = 'NEW 2' where code = 'new 2'; select binary sku from items where code = 'new 2'",
            "NEW 2",
        ),
        (
            "update items set price = 0 where code = 'new 2'; select sku, code from items where price = 0",
            "NEW 2\tNEW 2",
        ),
        (
            "insert into items (code) values ('old 2') on duplicate key update price = 7; select price from items where sku = 'old 2'",
            "7",
        ),
        ("select count(*) from items where not (sku <=> code)", "0"),
    ];
    let after = [("select count(*) from items where code in ('NEW 2', 'old 2')", "2")];
    on_each(&items("ALTER TABLE items RENAME COLUMN sku TO code;", &between, &after));
}

#[test]
fn rename_column_with_a_constant_default() {
    let between = [
        (
            "delete from items where sku in ('a', 'b', 'c', 'd', 'e', 'f'); insert into items (sku) values ('a'); select state, status from items where sku = 'a'",
            "new\tnew",
        ),
        (
            "insert into items (sku, state) values ('b', null); select status is null from items where sku = 'b'",
            "1",
        ),
        (
            "insert into items (sku, status) values ('c', null); select state is null from items where sku = 'c'",
            "1",
        ),
        (
            "insert into items (sku, status) values ('d', default); select state from items where sku = 'd'",
            "new",
        ),
        ("insert into items (sku, state) values ('e', 'x'); select status from items where sku = 'e'", "x"),
        ("insert into items (sku, status) values ('f', 'y'); select state from items where sku = 'f'", "y"),
    ];
    let plain = "ALTER TABLE items CHANGE COLUMN state status varchar(20) DEFAULT 'new';";
    on_each(&items(plain, &between, &[]));
}

#[test]
fn rename_of_a_default_in_another_character_set() {
    let case = Case {
        schema: "CREATE TABLE t (id int PRIMARY KEY, mood varchar(9) CHARACTER SET latin1 DEFAULT 'né') DEFAULT CHARSET latin1;",
        plain: "ALTER TABLE t RENAME COLUMN mood TO state;",
        between: &[
            ("delete from t; insert into t (id, mood) values (1, 'x'); select mood, state from t", "x\tx"),
            ("insert into t (id, state) values (2, 'NÉ'); select mood from t where id = 2", "NÉ"),
            ("insert into t (id) values (3); select mood, state from t where id = 3", "né\tné"),
        ],
        ..Case::default()
    };
    on_each(&case);
}

#[test]
fn rename_in_a_table_that_has_it_all() {
    let case = Case {
        schema: "CREATE TABLE owners (id int PRIMARY KEY, `a key` varchar(10) UNIQUE);
            CREATE TABLE `the Items` (a int, `B b` varchar(20), doc text, notes json, mood enum('it''s ok', 'so so') NOT NULL DEFAULT 'so so',
                owner int NOT NULL COMMENT 'whose', parent varchar(10), amount decimal(10, 2), seen timestamp NULL DEFAULT CURRENT_TIMESTAMP,
                gen int GENERATED ALWAYS AS (a + 1) STORED, `raw` varbinary(20), ratio double,
                PRIMARY KEY (a, `B b`), CONSTRAINT whose FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE CASCADE,
                CONSTRAINT up FOREIGN KEY (parent) REFERENCES owners (`a key`), KEY several (owner, parent(3), amount DESC)) COMMENT 'all of it';
            CREATE TABLE parts (a int, b varchar(20), FOREIGN KEY (a, b) REFERENCES `the Items` (a, `B b`));
            CREATE TRIGGER m_touch BEFORE INSERT ON `the Items` FOR EACH ROW SET NEW.amount = 1;
            CREATE TRIGGER m_change BEFORE UPDATE ON `the Items` FOR EACH ROW SET NEW.amount = 2;
            CREATE TABLE audit (a int);
            CREATE TRIGGER m_audit AFTER UPDATE ON `the Items` FOR EACH ROW BEGIN IF NOT @twostep_backfill <=> 1 THEN INSERT INTO audit VALUES (NEW.a); END IF; END;",
        rows: "insert into owners values (1, 'x'); insert into `the Items` (a, `B b`, doc, owner, parent, `raw`, ratio) \
               with recursive s (i) as (select 1 union all select i + 1 from s where i < 900) \
               select i, concat('b''', i), '{\"a\": 1}', 1, 'x', unhex(md5(i)), i / 7 from s",
        plain: "ALTER TABLE `the Items` RENAME COLUMN doc TO document;
            ALTER TABLE `the Items` RENAME COLUMN mood TO `the mood`, RENAME COLUMN owner TO owner_id;
            ALTER TABLE `the Items` CHANGE seen seen_at timestamp NULL DEFAULT CURRENT_TIMESTAMP, RENAME COLUMN ratio TO share, RENAME COLUMN `raw` TO bytes;",
        between: &[
            // What is filled is not touched otherwise.
            ("select distinct amount from `the Items` where a > 0", "1.00"),
            ("select count(*) from audit where a > 0", "0"),
            ("delete from `the Items` where a < 0; insert into `the Items` (a, `B b`, owner) values (-1, 'x', 1); select `the mood`, owner_id, seen_at = seen, document is null from `the Items` where a < 0", "so so\t1\t1\t1"),
            ("update `the Items` set share = 0.25, bytes = x'00ff', document = '[]' where a < 0; select ratio, hex(`raw`), doc, mood, `the mood`, amount from `the Items` where a < 0", "0.25\t00FF\t[]\tso so\tso so\t2.00"),
            ("insert into `the Items` (a, `B b`, owner_id, seen_at) values (-2, 'x', 1, null); select owner, seen is null from `the Items` where a = -2", "1\t1"),
            ("select count(*) from `the Items` where not (owner <=> owner_id and share <=> ratio and bytes <=> `raw` and cast(doc as binary) <=> cast(document as binary))", "0"),
        ],
        after: &[
            ("delete from audit; update `the Items` set bytes = 'x' where a = -2; select amount from `the Items` where a = -2", "2.00"),
            ("select a from audit", "-2"),
        ],
        ..Case::default()
    };
    on_each(&case);
}

#[test]
fn rename_of_json() {
    on_each(&Case {
        schema: "CREATE TABLE items (id int PRIMARY KEY, doc json);",
        rows: "insert into items values (1, '[1]'), (2, null)",
        plain: "ALTER TABLE items RENAME COLUMN doc TO document;",
        between: &[(
            "delete from items where id = 3; insert into items (id, document) values (3, '{}'); select doc from items where id = 3",
            "{}",
        )],
        ..Case::default()
    });
}

#[test]
fn own_triggers_that_a_backfill_would_fire_are_named() {
    each_mysql(|fresh| {
        let refused = |trigger: &str| {
            let schema = format!(
                "CREATE TABLE log (n int); CREATE TABLE items (id int PRIMARY KEY, sku varchar(40), touched int); {trigger};"
            );
            let plain = "ALTER TABLE items RENAME COLUMN sku TO code;";
            let deployment =
                Deployment::new(Some(fresh()), &Case { schema: &schema, plain, ..Case::default() });
            deployment.twostep(&["plan", "--server-version", &deployment.database.version]).expect(1).stderr
        };
        let said = refused(
            "CREATE TRIGGER lower_it BEFORE INSERT ON items FOR EACH ROW SET NEW.sku = lower(NEW.sku)",
        );
        assert!(said.contains("the trigger lower_it names `sku`"), "{said}");
        for audit in [
            "CREATE TRIGGER audit AFTER UPDATE ON items FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
            "CREATE TRIGGER audit BEFORE UPDATE ON items FOR EACH ROW BEGIN IF NEW.touched > 1 THEN DELETE FROM log; END IF; END",
            "CREATE TRIGGER audit BEFORE UPDATE ON items FOR EACH ROW SET @written = NEW.id",
        ] {
            let said = refused(audit);
            assert!(said.contains("the trigger audit fires for each row that is filled"), "{said}");
            assert!(said.contains("while @twostep_backfill is 1"), "{said}");
        }
    });
}

#[test]
fn add_required_columns() {
    let between = [
        (
            "delete from items where sku = 'old'; insert into items (sku) values ('old'); select amount, kind, label from items where sku = 'old'",
            "0\tit's a\tOLDnew",
        ),
        ("select count(*) from items where label is null or kind <> 'it''s a'", "0"),
    ];
    let plain = "ALTER TABLE items ADD COLUMN amount int NOT NULL COMMENT 'how many' AFTER sku, ADD COLUMN (kind enum('it''s a', 'b') NOT NULL, label varchar(80) NOT NULL);";
    let case = Case {
        fill: Some("items.label=concat(upper(sku), coalesce(items.state, ''))"),
        ..items(plain, &between, &[])
    };
    on_each(&case);
    let between =
        [("insert into items (sku) values (concat('old', uuid())); select distinct note from items", "none")];
    let case = Case {
        fill: Some("items.note='none'"),
        one_way: true,
        ..items("ALTER TABLE items ADD COLUMN note text NOT NULL;", &between, &[])
    };
    on_each(&case);
}

#[test]
fn computed_default() {
    let after = [("select count(distinct token) from items", "900")];
    let plain = "ALTER TABLE items ADD COLUMN token varchar(36) NOT NULL DEFAULT (uuid()) COMMENT 'it';";
    on_each(&Case { single: true, ..items(plain, &[], &after) });
}

#[test]
fn set_not_null() {
    let between = [(
        "delete from items where sku = 'old'; insert into items (sku, state) values ('old', null); select state from items where sku = 'old'",
        "none",
    )];
    let plain = "UPDATE items SET state = 'none' WHERE state IS NULL; ALTER TABLE items MODIFY state varchar(20) NOT NULL DEFAULT 'new';";
    on_each(&items(plain, &between, &[]));
    on_each(&items("ALTER TABLE items MODIFY price int NOT NULL;", &[], &[]));
}

#[test]
fn rename_table() {
    let case = Case {
        schema: "CREATE TABLE acct (id int AUTO_INCREMENT PRIMARY KEY, email varchar(50) UNIQUE, boss int, FOREIGN KEY (boss) REFERENCES acct (id));
            CREATE TABLE mails (id int PRIMARY KEY, acct int, FOREIGN KEY (acct) REFERENCES acct (id));
            CREATE TRIGGER lower_it BEFORE INSERT ON acct FOR EACH ROW SET NEW.email = lower(NEW.email);",
        rows: "insert into acct (email) values ('a')",
        plain: "RENAME TABLE acct TO users;",
        between: &[
            ("delete from users where email in ('b', 'c'); insert into users (email) values ('B'); select last_insert_id() > 1", "1"),
            ("insert into acct (email) values ('c'); select count(*) from users", "3"),
            ("insert into users (email) values ('a') on duplicate key update boss = 1; select boss from acct where email = 'a'", "1"),
        ],
        ..Case::default()
    };
    on_each(&case);
}

#[test]
fn change_of_type() {
    let between = [
        ("update items set price = 7 where sku = 'sku 1'; select price from items where sku = 'sku 1'", "7"),
        (
            "delete from items where sku = 'old'; insert into items (sku, price) values ('old', -5); select price, price_new from items where sku = 'old'",
            "-5\t-5",
        ),
        ("select count(*) from items where not (price <=> price_new)", "0"),
    ];
    let plain_down = "ALTER TABLE items MODIFY price int, MODIFY sku varchar(40) NOT NULL, MODIFY weight float NOT NULL DEFAULT 1;";
    let after = [(
        "insert into items (sku, price) values ('large', 5000000000); select price from items where sku = 'large'",
        "5000000000",
    )];
    let plain = "ALTER TABLE items MODIFY price bigint COMMENT 'in cents', MODIFY sku varchar(400) NOT NULL, MODIFY weight double NOT NULL DEFAULT 1;";
    on_each(&Case { plain_down, one_way: true, ..items(plain, &between, &after) });
}

#[test]
fn change_of_a_type_that_has_no_default() {
    let case = Case {
        schema: "CREATE TABLE posts (id int PRIMARY KEY, body text NOT NULL, at datetime NOT NULL);",
        rows: "insert into posts values (1, 'a', '2026-01-01 00:00:00'), (2, 'B', '2026-01-02 00:00:00')",
        plain: "ALTER TABLE posts MODIFY body mediumtext NOT NULL, MODIFY at datetime(3) NOT NULL;",
        plain_down: "ALTER TABLE posts MODIFY body text NOT NULL, MODIFY at datetime NOT NULL;",
        between: &[(
            "delete from posts where id = 3; insert into posts (id, body, at) values (3, 'c', '2026-01-03 00:00:00'); select body_new, at_new from posts where id = 3",
            "c\t2026-01-03 00:00:00.000",
        )],
        after: &[(
            "insert into posts values (4, 'd', '2026-01-03 00:00:00.125'); select count(*) from posts where body <> ''",
            "4",
        )],
        one_way: true,
        ..Case::default()
    };
    on_each(&case);
}

#[test]
fn what_the_server_does_by_itself_is_asked_for() {
    let plain = "ALTER TABLE items ADD COLUMN note varchar(10), ADD INDEX (price), ALTER COLUMN state SET DEFAULT 'x', MODIFY price int NULL DEFAULT 3;
        CREATE INDEX by_weight ON items (weight);
        ALTER TABLE items ADD COLUMN one int, ADD COLUMN two int;
        CREATE TABLE more (id int PRIMARY KEY);";
    let case = Case { single: true, ..items(plain, &[], &[]) };
    on_each(&case);
    each_mysql(|fresh| {
        let deployment = Deployment::new(Some(fresh()), &case);
        let shown = deployment.plan(&case);
        assert!(
            shown.contains("+ALTER TABLE items ADD COLUMN note varchar(10), ALGORITHM=INSTANT;"),
            "{shown}"
        );
        assert!(
            shown.contains("+ALTER TABLE items ADD COLUMN one int, ADD COLUMN two int, ALGORITHM=INSTANT;"),
            "{shown}"
        );
        let build = if deployment.database.version.contains("Maria") { "NOCOPY" } else { "INPLACE" };
        assert!(
            shown.contains(&format!("+ALTER TABLE items ADD INDEX (price), ALGORITHM={build}, LOCK=NONE;")),
            "{shown}"
        );
        assert!(
            shown
                .contains(&format!("+CREATE INDEX by_weight ON items (weight) ALGORITHM={build} LOCK=NONE;")),
            "{shown}"
        );
    });
}

#[test]
fn drop_columns() {
    let schema = "CREATE TABLE items (id int PRIMARY KEY, a int NOT NULL, b varchar(20) CHARACTER SET latin1 NOT NULL, c int NOT NULL, d text NOT NULL, e date NOT NULL, f int, KEY ab (a, b), UNIQUE KEY c (c));";
    let case = Case {
        schema,
        rows: "insert into items values (1, 1, 'b', 1, 'd', '2026-01-01', 1)",
        plain: "ALTER TABLE items DROP COLUMN a, DROP COLUMN b; ALTER TABLE items DROP COLUMN c; ALTER TABLE items DROP d, DROP e; ALTER TABLE items DROP f;",
        between: &[
            (
                "delete from items where id > 1; insert into items (id) values (2), (3); select count(*) from items",
                "3",
            ),
            (
                "insert into items values (4, 1, 'b', 2, 'd', '2026-01-01', 1); select count(*) from items",
                "4",
            ),
        ],
        one_way: true,
        ..Case::default()
    };
    on_each(&case);
}

#[test]
fn what_a_definition_says_of_a_column_comes_back_with_it() {
    let schema = "CREATE TABLE items (id int PRIMARY KEY, a int COMMENT 'it''s \\\\ a', b varchar(9) COMMENT 'b', c int NOT NULL DEFAULT 1 COMMENT 'c');";
    let case = Case { schema, rows: "insert into items (id) values (1)", ..Case::default() };
    on_each(&Case { plain: "ALTER TABLE items DROP COLUMN a;", ..case });
    on_each(&Case { plain: "ALTER TABLE items MODIFY c int NOT NULL COMMENT 'more';", ..case });
    on_each(&Case { plain: "ALTER TABLE items MODIFY b varchar(20);", single: true, ..case });
}

#[test]
fn drop_objects() {
    let schema = "CREATE TABLE owners (id int PRIMARY KEY); CREATE TABLE notes (id int PRIMARY KEY, owner int, text varchar(90), KEY text (text(10)), FOREIGN KEY (owner) REFERENCES owners (id));
        CREATE TABLE more (id int PRIMARY KEY, name varchar(9), KEY name (name)); CREATE VIEW seen AS SELECT id FROM notes;";
    let plain = "DROP VIEW seen; DROP INDEX name ON more; ALTER TABLE more DROP COLUMN name; DROP TABLE IF EXISTS notes, owners;";
    let plain_down = "CREATE TABLE owners (id int PRIMARY KEY); CREATE TABLE notes (id int PRIMARY KEY, owner int, text varchar(90), KEY text (text(10)), FOREIGN KEY (owner) REFERENCES owners (id));
        ALTER TABLE more ADD COLUMN name varchar(9), ADD KEY name (name); CREATE VIEW seen AS SELECT id FROM notes;";
    on_each(&Case {
        schema,
        plain,
        plain_down,
        between: &[("select count(*) from seen", "0")],
        ..Case::default()
    });
    let plain = "ALTER TABLE more DROP INDEX name;";
    on_each(&Case { schema, plain, ..Case::default() });
}

#[test]
fn constraints() {
    let schema = "CREATE TABLE owners (id int PRIMARY KEY, code varchar(9) UNIQUE); CREATE TABLE notes (id int PRIMARY KEY, owner int, code varchar(9), slug varchar(20));";
    let plain = "ALTER TABLE notes ADD CONSTRAINT whose FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE CASCADE, ADD UNIQUE KEY slug (slug);
        ALTER TABLE notes ADD FOREIGN KEY (code) REFERENCES owners (code);
        CREATE UNIQUE INDEX both_of ON notes (owner, slug);";
    let rows = "insert into owners values (1, 'a'); insert into notes values (1, 1, 'a', 'x'), (2, null, null, null)";
    let case = Case { schema, rows, plain, one_way: true, ..Case::default() };
    on_each(&case);
    each_mysql(|fresh| {
        let deployment = Deployment::new(Some(fresh()), &case);
        deployment.plan(&case);
        deployment.database.sql("insert into notes values (3, 99, null, 'z')");
        deployment.twostep(&["migrate"]).expect(0);
        let said = deployment.twostep(&["migrate", "--contract", "now"]).expect(3).stderr;
        assert!(said.contains("no row for owner"), "{said}");
        deployment.database.sql("delete from notes where owner = 99");
        deployment.twostep(&["migrate", "--contract", "now"]).expect(0);
        deployment.database.try_sql("insert into notes values (3, 99, null, 'z')").unwrap_err();
    });
}

/// In between, a foreign key stands at any time.
#[test]
fn a_foreign_key_that_takes_the_place_of_another() {
    let schema = "CREATE TABLE owners (id int PRIMARY KEY);
        CREATE TABLE notes (id int PRIMARY KEY, owner int, CONSTRAINT old FOREIGN KEY (owner) REFERENCES owners (id));
        CREATE TABLE tags (id int PRIMARY KEY, owner int, CONSTRAINT old_tag FOREIGN KEY (owner) REFERENCES owners (id));";
    let rows =
        "insert into owners values (1), (2); insert into notes values (1, 1); insert into tags values (1, 2)";
    let plain = "ALTER TABLE notes DROP FOREIGN KEY old;
        ALTER TABLE notes ADD CONSTRAINT new FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE CASCADE;
        ALTER TABLE tags DROP FOREIGN KEY old_tag, ADD CONSTRAINT new_tag FOREIGN KEY (owner) REFERENCES owners (id);";
    let case = Case { schema, rows, plain, ..Case::default() };
    on_each(&case);
    each_mysql(|fresh| {
        let deployment = Deployment::new(Some(fresh()), &case);
        let said = deployment.plan(&case);
        assert!(said.contains("`ALTER TABLE notes DROP FOREIGN KEY old` waits for the contract"), "{said}");
        deployment.twostep(&["migrate"]).expect(0);
        deployment.database.try_sql("insert into notes values (2, 99)").unwrap_err();
        deployment.database.try_sql("insert into tags values (2, 99)").unwrap_err();
        deployment.twostep(&["migrate", "--contract", "now"]).expect(0);
        deployment.database.try_sql("insert into notes values (2, 99)").unwrap_err();
        deployment.database.try_sql("insert into tags values (2, 99)").unwrap_err();
        deployment.database.sql("delete from owners where id = 1");
    });
}

/// The same where the new one has the old one's name.
#[test]
fn a_foreign_key_that_is_added_again_under_its_name() {
    let schema = "CREATE TABLE owners (id int PRIMARY KEY);
        CREATE TABLE notes (id int PRIMARY KEY, owner int, CONSTRAINT whose FOREIGN KEY (owner) REFERENCES owners (id));
        CREATE TABLE tags (id int PRIMARY KEY, owner int, KEY by_owner (owner), CONSTRAINT tagged FOREIGN KEY (owner) REFERENCES owners (id));";
    let rows =
        "insert into owners values (1), (2); insert into notes values (1, 1); insert into tags values (1, 2)";
    let plain = "ALTER TABLE notes DROP FOREIGN KEY whose;
        ALTER TABLE notes ADD CONSTRAINT whose FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE CASCADE;
        ALTER TABLE tags DROP FOREIGN KEY tagged;
        ALTER TABLE tags ADD CONSTRAINT tagged FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE CASCADE;";
    let case = Case { schema, rows, plain, ..Case::default() };
    on_each(&case);
    each_mysql(|fresh| {
        let deployment = Deployment::new(Some(fresh()), &case);
        let said = deployment.plan(&case);
        assert!(said.contains("`ALTER TABLE notes DROP FOREIGN KEY whose` waits for the contract"), "{said}");
        deployment.twostep(&["migrate"]).expect(0);
        deployment.database.try_sql("insert into notes values (2, 99)").unwrap_err();
        deployment.database.try_sql("insert into tags values (2, 99)").unwrap_err();
        deployment.database.try_sql("delete from owners where id = 1").unwrap_err();
        deployment.twostep(&["migrate", "--contract", "now"]).expect(0);
        deployment.database.try_sql("insert into notes values (2, 99)").unwrap_err();
        deployment.database.try_sql("insert into tags values (2, 99)").unwrap_err();
        deployment.database.sql("delete from owners");
    });
}

#[test]
fn what_copies_is_refused_with_the_command_that_does_it() {
    each_mysql(|fresh| {
        let refused = |plain: &str| {
            let schema = "CREATE TABLE `it's` (id int AUTO_INCREMENT PRIMARY KEY, n int, s varchar(9)); CREATE TABLE other (id int PRIMARY KEY, n int);";
            let deployment = Deployment::new(Some(fresh()), &Case { schema, plain, ..Case::default() });
            let version = deployment.database.version.clone();
            (
                deployment.twostep(&["plan", "--server-version", &version]).expect(1).stderr,
                version.contains("Maria"),
            )
        };
        let (said, maria) = refused("ALTER TABLE `it's` MODIFY id bigint\n  AUTO_INCREMENT;");
        assert!(said.contains("pt-online-schema-change --host=HOST --user=USER --ask-pass --alter='MODIFY id bigint AUTO_INCREMENT' --execute 'D=DATABASE,t=it'\\''s'"), "{said}");
        let ghost = "gh-ost --host=HOST --user=USER --ask-pass --database=DATABASE --table='it'\\''s' --alter='MODIFY id bigint AUTO_INCREMENT' --execute";
        assert_eq!(said.contains(ghost), !maria, "{said}");
        assert!(said.contains("LOCK=SHARED on"), "{said}");
        let (said, _) = refused("ALTER TABLE other ADD CONSTRAINT positive CHECK (n > 0);");
        assert!(
            said.contains("--alter='ADD CONSTRAINT positive CHECK (n > 0)' --execute D=DATABASE,t=other"),
            "{said}"
        );
        let (said, _) = refused("ALTER TABLE `it's` MODIFY s int;");
        assert!(said.contains("no code works with both types"), "{said}");
        assert!(
            refused("CREATE FULLTEXT INDEX words ON `it's` (s);")
                .0
                .contains("--alter='ADD FULLTEXT INDEX words (s)'")
        );
        let (said, _) = refused("ALTER TABLE other ADD COLUMN day date NOT NULL;");
        assert!(said.contains("--fill \"other.day=…\""), "{said}");
    });
}
