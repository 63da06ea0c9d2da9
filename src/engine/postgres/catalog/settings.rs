//! The settings under which the catalog is read, so that its text does not depend on those of the session.

/// What the server's texts depend on, and the value that the catalog is read with. `pg_dump` does the same, but for
/// the time zone, which it leaves in the texts of defaults.
const SETTINGS: &[(&str, &str)] = &[
    // Every name that is not the system's own is written with its schema. A temporary table called like a system
    // catalog is not taken for it.
    ("search_path", "pg_catalog, pg_temp"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
    // These queries run for less time than it takes to compile, to start a worker, or to look for a better order of
    // joins; and catalogs without statistics are taken to be large.
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("join_collapse_limit", "1"),
    ("enable_mergejoin", "off"),
];

/// Sets them until the end of the transaction, or of the message where none is open, and keeps what they were.
pub(super) fn enter() -> String {
    // Nothing here may depend on a search path that is not known yet.
    let values: Vec<String> = SETTINGS.iter().map(|(name, value)| format!("('{name}', '{value}')")).collect();
    format!(
        "SELECT 'setting', pg_catalog.set_config({}, pg_catalog.current_setting(name), true), \
         pg_catalog.set_config(name, value, true) FROM (VALUES {}) AS s(name, value)",
        kept_name("s.name"),
        values.join(", ")
    )
}

/// Puts back what they were. Where a transaction was open before, its settings would change otherwise.
pub(super) fn leave() -> String {
    let names: Vec<String> = SETTINGS.iter().map(|(name, _)| format!("('{name}')")).collect();
    format!(
        "SELECT 'setting', pg_catalog.set_config(s.name, pg_catalog.current_setting({}), true) \
         FROM (VALUES {}) AS s(name)",
        kept_name("s.name"),
        names.join(", ")
    )
}

/// An expression for the name of the setting of ours that keeps the value of another.
fn kept_name(name: &str) -> String {
    format!("'twostep.kept_' OPERATOR(pg_catalog.||) {name}")
}
