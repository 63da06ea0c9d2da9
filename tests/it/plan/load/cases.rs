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
    /// Whether a column that it reads gets another type, so that what is prepared fails once.
    pub changes_type: bool,
}

/// One operation.
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// What is other in the schema: a part of it, and what stands there instead.
    pub schema: (&'static str, &'static str),
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
    Writes { table, column, more: &[], changes_type: false }
}

const SKU: Writes = writes("items", "sku");

const USUAL: Operation = Operation {
    name: "",
    schema: ("", ""),
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
];
