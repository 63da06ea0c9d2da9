//! The operations that run under load: the plain migration, and what old and new code write.

/// By which names a version of the code writes.
#[derive(Clone, Copy)]
pub struct Writes {
    /// The table.
    pub table: &'static str,
    /// The column that it writes and reads.
    pub column: &'static str,
    /// What else its inserts give.
    pub more: &'static [(&'static str, &'static str)],
    /// What else it sends in each round, where `{key}` is the owner of the row that it has just written.
    pub also: &'static [&'static str],
    /// Whether a column that it reads gets another type, so that what is prepared fails once.
    pub changes_type: bool,
}

/// One operation.
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// What is other in the schema: a part of it, and what stands there instead.
    pub schema: (&'static str, &'static str),
    /// What there is beside it.
    pub beside: &'static str,
    /// What else the rows that are there give: columns, and their values for row `n`.
    pub seed: (&'static str, &'static str),
    /// The plain migration.
    pub plain: &'static str,
    /// The running code.
    pub old: Writes,
    /// The code that is deployed.
    pub new: Writes,
    /// Whether what old code wrote is found by the new names.
    pub old_is_kept: bool,
    /// Whether what new code wrote is found by the old names behind a way back.
    pub new_is_kept_by_a_way_back: bool,
    /// What a person does before the way back, as the plan's note says.
    pub before_the_way_back: &'static str,
    /// Whether there is something before the contract.
    pub first_steps: bool,
}

const fn writes(table: &'static str, column: &'static str) -> Writes {
    Writes { table, column, more: &[], also: &[], changes_type: false }
}

const SKU: Writes = writes("items", "sku");

const USUAL: Operation = Operation {
    name: "",
    schema: ("", ""),
    beside: "",
    seed: ("", ""),
    plain: "",
    old: SKU,
    new: SKU,
    old_is_kept: true,
    new_is_kept_by_a_way_back: true,
    before_the_way_back: "",
    first_steps: true,
};

/// What new code that knows another column gives beside it.
const WITH_SKU: &[(&str, &str)] = &[("sku", "'s'")];

/// Rows of another table that point to the row.
const LINES: &[&str] = &[
    "insert into lines (item, note) select id, '{key}' from items where owner = '{key}'",
    "select lines.note from lines join items on items.id = lines.item where owner = '{key}'",
];

/// A table with partitions, of which the table may become one.
const STOCK: &str = "CREATE TABLE stock (LIKE items) PARTITION BY LIST (owner_id); \
                     CREATE TABLE stock_2 PARTITION OF stock FOR VALUES IN (2);";

/// The same, of which it is one.
const ATTACHED: &str = "CREATE TABLE stock (LIKE items) PARTITION BY LIST (owner_id); \
                        ALTER TABLE stock ATTACH PARTITION items FOR VALUES IN (1);";

/// Reads and writes through the table with partitions.
const FROM_STOCK: &[&str] = &[
    "select sku from stock where owner = '{key}'",
    "update stock set note = note where owner_id = 1 and owner = '{key}'",
];

/// All of them.
pub const ALL: &[Operation] = &[
    Operation {
        name: "rename a column",
        plain: "ALTER TABLE items RENAME COLUMN sku TO code;",
        new: writes("items", "code"),
        ..USUAL
    },
    Operation {
        name: "rename a table",
        plain: "ALTER TABLE items RENAME TO goods;",
        new: writes("goods", "sku"),
        ..USUAL
    },
    Operation {
        name: "change a type",
        plain: "ALTER TABLE items ALTER COLUMN hits TYPE bigint;",
        old: Writes { changes_type: true, ..SKU },
        new: Writes { changes_type: true, ..SKU },
        ..USUAL
    },
    Operation {
        name: "add a required column",
        plain: "ALTER TABLE items ADD COLUMN label text; UPDATE items SET label = upper(sku); ALTER TABLE items ALTER COLUMN label SET NOT NULL;",
        new: Writes { column: "label", more: WITH_SKU, ..SKU },
        old_is_kept: false,
        new_is_kept_by_a_way_back: false,
        ..USUAL
    },
    Operation {
        name: "add a column with a volatile default",
        plain: "ALTER TABLE items ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
        ..USUAL
    },
    Operation { name: "add a serial column", plain: "ALTER TABLE items ADD COLUMN number serial;", ..USUAL },
    Operation {
        name: "set not null, with a fill",
        plain: "UPDATE items SET legacy = 'none' WHERE legacy IS NULL; ALTER TABLE items ALTER COLUMN legacy SET NOT NULL;",
        new: Writes { more: &[("legacy", "'l'")], ..SKU },
        ..USUAL
    },
    Operation {
        name: "set not null, without a fill",
        plain: "ALTER TABLE items ALTER COLUMN price SET NOT NULL;",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "drop a column",
        schema: ("legacy text", "legacy text NOT NULL"),
        plain: "ALTER TABLE items DROP COLUMN legacy;",
        old: Writes { column: "legacy", more: WITH_SKU, ..SKU },
        old_is_kept: false,
        new_is_kept_by_a_way_back: false,
        before_the_way_back: "update items set legacy = 'filled' where legacy is null",
        ..USUAL
    },
    Operation {
        name: "drop a default",
        plain: "ALTER TABLE items ALTER COLUMN price DROP DEFAULT;",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "add constraints",
        plain: "ALTER TABLE items ADD CONSTRAINT long CHECK (length(sku) > 0); \
                ALTER TABLE items ADD CONSTRAINT owned FOREIGN KEY (owner_id) REFERENCES owners; \
                ALTER TABLE items ADD CONSTRAINT items_both UNIQUE (owner, sku);",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "add a primary key",
        schema: ("id bigserial PRIMARY KEY", "id bigserial NOT NULL"),
        plain: "ALTER TABLE items ADD PRIMARY KEY (id);",
        first_steps: false,
        ..USUAL
    },
    Operation { name: "create an index", plain: "CREATE INDEX items_price ON items (price, note);", ..USUAL },
    Operation { name: "drop an index", plain: "DROP INDEX items_sku;", first_steps: false, ..USUAL },
    Operation {
        name: "rename a value of an enum",
        // A default of the old label is not planned.
        schema: ("feels mood DEFAULT 'bad'", "feels mood"),
        plain: "ALTER TYPE mood RENAME VALUE 'bad' TO 'poor';",
        new: Writes { more: &[("feels", "'poor'")], ..SKU },
        ..USUAL
    },
    Operation { name: "drop a table", plain: "DROP TABLE unused;", first_steps: false, ..USUAL },
    Operation {
        name: "widen a key that others point to",
        schema: ("id bigserial PRIMARY KEY", "id serial PRIMARY KEY"),
        beside: "CREATE TABLE lines (id serial PRIMARY KEY, item int NOT NULL REFERENCES items ON DELETE CASCADE, note text); \
                 CREATE INDEX lines_item ON lines (item);",
        plain: "ALTER TABLE items ALTER COLUMN id TYPE bigint; ALTER TABLE lines ALTER COLUMN item TYPE bigint; \
                ALTER SEQUENCE items_id_seq AS bigint;",
        old: Writes { also: LINES, ..SKU },
        new: Writes { also: LINES, ..SKU },
        ..USUAL
    },
    Operation {
        name: "move a table to another schema",
        beside: "CREATE SCHEMA shop;",
        plain: "ALTER TABLE items SET SCHEMA shop;",
        new: writes("shop.items", "sku"),
        ..USUAL
    },
    Operation {
        name: "turn a serial column into an identity",
        plain: "ALTER TABLE items ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE items_id_seq; \
                ALTER TABLE items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "add an identity",
        schema: ("note text, owner_id", "note text, number bigint NOT NULL, owner_id"),
        seed: (", number", ", n"),
        plain: "ALTER TABLE items ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY;",
        old: Writes { more: &[("number", "(random() * 1e9)::bigint")], ..SKU },
        ..USUAL
    },
    Operation {
        name: "attach a partition",
        beside: STOCK,
        plain: "ALTER TABLE stock ATTACH PARTITION items FOR VALUES IN (1);",
        new: Writes { also: FROM_STOCK, ..SKU },
        ..USUAL
    },
    Operation {
        name: "detach a partition",
        beside: ATTACHED,
        plain: "ALTER TABLE stock DETACH PARTITION items;",
        old: Writes { also: FROM_STOCK, ..SKU },
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "add a composite foreign key",
        beside: "CREATE TABLE prices (owner_id int, price int, UNIQUE (owner_id, price)); INSERT INTO prices VALUES (1, 1);",
        plain: "ALTER TABLE items ADD CONSTRAINT priced FOREIGN KEY (owner_id, price) REFERENCES prices (owner_id, price);",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "add a foreign key to the table itself",
        schema: ("note text, owner_id", "note text, parent bigint DEFAULT 1, owner_id"),
        plain: "ALTER TABLE items ADD CONSTRAINT below FOREIGN KEY (parent) REFERENCES items (id);",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "add a unique constraint",
        plain: "ALTER TABLE items ADD CONSTRAINT items_note UNIQUE (note, sku, id);",
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "drop a view",
        beside: "CREATE VIEW cheap AS SELECT id, owner, sku FROM items WHERE price < 2;",
        plain: "DROP VIEW cheap;",
        old: Writes { also: &["select sku from cheap where owner = '{key}'"], ..SKU },
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "drop a function",
        beside: "CREATE FUNCTION shouted(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)';",
        plain: "DROP FUNCTION shouted(text);",
        old: Writes { also: &["select shouted(sku) from items where owner = '{key}'"], ..SKU },
        first_steps: false,
        ..USUAL
    },
    Operation {
        name: "drop a type",
        beside: "CREATE TYPE size AS ENUM ('s', 'l');",
        plain: "DROP TYPE size;",
        old: Writes { also: &["select 's'::size, sku from items where owner = '{key}'"], ..SKU },
        first_steps: false,
        ..USUAL
    },
    Operation { name: "rebuild an index", plain: "REINDEX INDEX items_sku;", ..USUAL },
    Operation {
        name: "make an index anew",
        plain: "DROP INDEX items_sku; CREATE INDEX items_sku ON items (sku, note);",
        ..USUAL
    },
    Operation {
        name: "several changes at once",
        plain: "ALTER TABLE items RENAME COLUMN sku TO code; ALTER TABLE items ADD COLUMN label text; \
                UPDATE items SET label = 'l' || id; ALTER TABLE items ALTER COLUMN label SET NOT NULL; \
                CREATE INDEX items_label ON items (label);",
        new: Writes { more: &[("label", "'given'")], ..writes("items", "code") },
        ..USUAL
    },
];
