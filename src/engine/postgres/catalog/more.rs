//! The kinds of objects that most databases lack: whether there are any, and the statements that read them.
//!
//! To plan a query costs the server more than to find that there is nothing, so these are sent in a second message,
//! where the first has found some.

use super::{Context, FIRST_USER_OID, relations, routines, types, world};

/// What shows that a system catalog holds something for us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It has rows, or had some: most databases have none.
    Size,
    /// More of its rows depend on something than those of extensions: its objects live in schemas.
    Dependencies,
    /// It has more rows of users than those of extensions.
    Count,
    /// The rows of the first message say so.
    Rows,
}

/// A system catalog, how it is seen whether it is needed, and the statement that reads it.
type More = (&'static str, Found, fn(&Context) -> String);

/// All of them.
const MORE: &[More] = &[
    ("pg_aggregate", Found::Rows, routines::aggregates),
    ("pg_operator", Found::Dependencies, routines::operators),
    ("pg_opfamily", Found::Dependencies, routines::families),
    ("pg_opclass", Found::Dependencies, routines::classes),
    ("pg_type", Found::Rows, types::other_types),
    ("pg_collation", Found::Dependencies, types::collations),
    ("pg_conversion", Found::Dependencies, types::conversions),
    ("pg_cast", Found::Count, types::casts),
    ("pg_transform", Found::Size, types::transforms),
    ("pg_policy", Found::Size, relations::policies),
    ("pg_inherits", Found::Size, relations::inheritance),
    ("pg_foreign_table", Found::Size, relations::foreign_tables),
    ("pg_language", Found::Count, world::languages),
    ("pg_am", Found::Count, world::access_methods),
    ("pg_foreign_data_wrapper", Found::Size, world::foreign_data_wrappers),
    ("pg_foreign_server", Found::Size, world::foreign_servers),
    ("pg_user_mapping", Found::Size, world::user_mappings),
    ("pg_statistic_ext", Found::Size, world::statistics),
    ("pg_event_trigger", Found::Size, world::event_triggers),
    ("pg_publication", Found::Size, world::publications),
    ("pg_subscription", Found::Size, world::subscriptions),
    ("pg_default_acl", Found::Size, world::default_privileges),
    ("pg_db_role_setting", Found::Size, world::database_settings),
    ("pg_seclabel", Found::Size, world::labels),
    ("pg_ts_config", Found::Dependencies, world::text_search_configurations),
    ("pg_ts_dict", Found::Dependencies, world::text_search_dictionaries),
    ("pg_ts_parser", Found::Dependencies, world::text_search_parsers),
    ("pg_ts_template", Found::Dependencies, world::text_search_templates),
    ("pg_init_privs", Found::Rows, world::member_privileges),
];

/// Whether `class` has objects that matter, of which `members` are an extension's; `count` is what the row says.
pub(super) fn is_needed(class: &str, count: i64, members: usize) -> bool {
    let found = MORE.iter().find(|(known, ..)| *known == class).map(|(_, found, _)| *found);
    match found {
        Some(Found::Dependencies | Found::Count) => usize::try_from(count).is_ok_and(|all| all > members),
        Some(Found::Size | Found::Rows) => true,
        None => false,
    }
}

/// The statements that read `class`.
pub(super) fn statement(class: &str, context: &Context) -> Option<String> {
    MORE.iter().find(|(known, ..)| *known == class).map(|(.., statement)| statement(context))
}

/// The statements that find out.
pub(super) fn probes() -> Vec<String> {
    let list = |wanted| {
        let names: Vec<&str> =
            MORE.iter().filter(|(_, found, _)| *found == wanted).map(|(class, ..)| *class).collect();
        format!("'{{{}}}'::regclass[]", names.join(","))
    };
    let counts = MORE.iter().filter(|(_, found, _)| *found == Found::Count).map(|(class, ..)| {
        format!(
            " UNION ALL SELECT 'more', NULL, '{class}'::regclass, NULL, (SELECT count(*) FROM {class} \
             WHERE oid >= {FIRST_USER_OID})"
        )
    });
    vec![
        format!(
            "SELECT 'more', NULL, class, NULL, 1 FROM unnest({}) AS class WHERE pg_relation_size(class) > 0",
            list(Found::Size)
        ),
        format!(
            "SELECT 'more', NULL, classid::regclass, NULL, count(DISTINCT objid) FROM pg_depend \
             WHERE classid = ANY ({}) AND objid >= {FIRST_USER_OID} GROUP BY classid{}",
            list(Found::Dependencies),
            counts.collect::<String>()
        ),
        // An access list on what may be an extension's.
        ["pg_class WHERE relacl", "pg_proc WHERE proacl", "pg_namespace WHERE nspacl"]
            .map(|from| {
                let class = from.split(' ').next().unwrap_or_default();
                format!(
                    "SELECT 'acl', NULL, '{class}', oid FROM {from} IS NOT NULL AND oid >= {FIRST_USER_OID}"
                )
            })
            .join(" UNION ALL "),
    ]
}
