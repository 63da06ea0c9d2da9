//! What would break, block or lose: one hazard per file, `x.rs` beside its page `x.md`.
//!
//! The page is what `twostep explain` prints and `docs/rules/` holds, and its SQL is the rule's test. A new rule is two
//! files, a line `mod` and a line in [`RULES`]. Beside the rules stand what they have in common:
//!
//! - `allow`: `-- twostep: allow RULE because REASON`;
//! - `columns`: columns and locks as several rules ask for them;
//! - `finding`: a finding, with its place in a file;
//! - `lint`: the judging itself;
//! - `migration`: a migration that is judged;
//! - `options`: which rules are looked for, and how bad each is;
//! - `page`: the page of a rule;
//! - `place`: a change that a rule looks at, with what is known around it;
//! - `prelude`: what most rules use;
//! - `queries`: of which hazards the queries of the running code tell;
//! - `rule`: what a rule is.

pub mod allow;
mod columns;
pub mod finding;
pub mod lint;
pub mod migration;
pub mod options;
pub mod page;
pub mod place;
mod prelude;
mod queries;
pub mod rule;

mod add_check_validating;
mod add_column_generated_stored;
mod add_column_row_shape;
mod add_column_serial_identity;
mod add_column_volatile_default;
mod add_composite_attribute;
mod add_exclusion;
mod add_fk_validating;
mod add_not_null_no_default;
mod add_primary_key;
mod add_unique_constraint;
mod add_unique_index_compat;
mod alter_database_options;
mod alter_extension;
mod alter_function_options;
mod alter_generated_expression;
mod alter_identity;
mod alter_policy;
mod alter_rls;
mod alter_role_options;
mod alter_sequence_values;
mod alter_system_options;
mod alter_view_options;
mod attach_partition;
mod blocking_behind;
mod change_column_type;
mod change_function_signature;
mod char_type;
mod charset_convert;
mod cluster;
mod concurrent_in_transaction;
mod copying_alter;
mod create_if_not_exists_noop;
mod create_index_nonconcurrent;
mod create_policy;
mod create_trigger;
mod creating_enum;
mod deceptive_text;
mod delete_without_where;
mod detach_inheritance;
mod detach_partition_nonconcurrent;
mod dml_in_migration;
mod domain_constraint;
mod down_does_not_reverse;
mod down_loses_data;
mod drop_column;
mod drop_column_drops_constraint;
mod drop_constraint_drops_index;
mod drop_database;
mod drop_default;
mod drop_domain;
mod drop_enum_value;
mod drop_extension;
mod drop_function;
mod drop_generated_expression;
mod drop_index_compat;
mod drop_index_first_invisible;
mod drop_index_nonconcurrent;
mod drop_not_null;
mod drop_policy_rule;
mod drop_schema;
mod drop_sequence;
mod drop_table;
mod drop_table_cascade;
mod drop_trigger;
mod drop_type;
mod drop_view;
mod duplicate_column_assignment;
mod duplicate_index;
mod edited_after_applied;
mod enum_add_value;
mod enum_value_ordering;
mod fk_missing_index;
mod foreign_key_ignored;
mod format_trap;
mod has_foreign_key;
mod identifier_too_long;
mod implicit_commit;
mod instant_limit;
mod invalid_index_left;
mod json_column;
mod missing_down;
mod missing_idle_timeout;
mod missing_lock_timeout;
mod missing_statement_timeout;
mod mixed_ddl_dml;
mod move_tablespace;
mod multiple_alter_same_table;
mod narrow_type;
mod new_write_restriction;
mod not_valid_and_validate_same_tx;
mod parse_error;
mod pg14_cic_corruption;
mod pk_using_index_nullable;
mod prefer_bigint;
mod prefer_identity;
mod prefer_text;
mod prefer_timestamptz;
mod refresh_matview_concurrent_exclusive;
mod refresh_matview_nonconcurrent;
mod refused_algorithm;
mod reindex_nonconcurrent;
mod rename_column;
mod rename_enum_value;
mod rename_object;
mod rename_schema;
mod rename_table;
mod replace_view_function;
mod replica_identity_publication;
mod require_table_schema;
mod revoke_owner;
mod robust_stmts;
mod set_default;
mod set_logged_unlogged;
mod set_not_null_scan;
mod set_schema;
mod sqlite_rename_rewrites;
mod sqlite_unsupported_alter;
mod sqlite_writer_lock;
mod stmt_while_access_exclusive;
mod table_without_pk;
mod timeout_value_wrong;
mod toggle_trigger;
mod transaction_nesting;
mod truncate;
mod truncate_cascade;
mod uncommitted_transaction;
mod unknown_rule;
mod unlogged_table;
mod unread_statement;
mod unused_allow;
mod update_without_where;
mod vacuum_full;
mod validate_constraint_note;
mod wide_lock_window;

pub use finding::Finding;
pub use lint::{Linted, lint};
pub use migration::Runner;
pub use options::{Level, Options};
pub use rule::{Group, Rule, Severity};

/// All rules, in the order of their ids.
pub static RULES: &[&Rule] = &[
    &add_check_validating::RULE,
    &add_column_generated_stored::RULE,
    &add_column_row_shape::RULE,
    &add_column_serial_identity::RULE,
    &add_column_volatile_default::RULE,
    &add_composite_attribute::RULE,
    &add_exclusion::RULE,
    &add_fk_validating::RULE,
    &add_not_null_no_default::RULE,
    &add_primary_key::RULE,
    &add_unique_constraint::RULE,
    &add_unique_index_compat::RULE,
    &alter_database_options::RULE,
    &alter_extension::RULE,
    &alter_function_options::RULE,
    &alter_generated_expression::RULE,
    &alter_identity::RULE,
    &alter_policy::RULE,
    &alter_rls::RULE,
    &alter_role_options::RULE,
    &alter_sequence_values::RULE,
    &alter_system_options::RULE,
    &alter_view_options::RULE,
    &attach_partition::RULE,
    &blocking_behind::RULE,
    &change_column_type::RULE,
    &change_function_signature::RULE,
    &char_type::RULE,
    &charset_convert::RULE,
    &cluster::RULE,
    &concurrent_in_transaction::RULE,
    &copying_alter::RULE,
    &create_if_not_exists_noop::RULE,
    &create_index_nonconcurrent::RULE,
    &create_policy::RULE,
    &create_trigger::RULE,
    &creating_enum::RULE,
    &deceptive_text::RULE,
    &delete_without_where::RULE,
    &detach_inheritance::RULE,
    &detach_partition_nonconcurrent::RULE,
    &dml_in_migration::RULE,
    &domain_constraint::RULE,
    &down_does_not_reverse::RULE,
    &down_loses_data::RULE,
    &drop_column::RULE,
    &drop_column_drops_constraint::RULE,
    &drop_constraint_drops_index::RULE,
    &drop_database::RULE,
    &drop_default::RULE,
    &drop_domain::RULE,
    &drop_enum_value::RULE,
    &drop_extension::RULE,
    &drop_function::RULE,
    &drop_generated_expression::RULE,
    &drop_index_compat::RULE,
    &drop_index_first_invisible::RULE,
    &drop_index_nonconcurrent::RULE,
    &drop_not_null::RULE,
    &drop_policy_rule::RULE,
    &drop_schema::RULE,
    &drop_sequence::RULE,
    &drop_table::RULE,
    &drop_table_cascade::RULE,
    &drop_trigger::RULE,
    &drop_type::RULE,
    &drop_view::RULE,
    &duplicate_column_assignment::RULE,
    &duplicate_index::RULE,
    &edited_after_applied::RULE,
    &enum_add_value::RULE,
    &enum_value_ordering::RULE,
    &fk_missing_index::RULE,
    &foreign_key_ignored::RULE,
    &format_trap::RULE,
    &has_foreign_key::RULE,
    &identifier_too_long::RULE,
    &implicit_commit::RULE,
    &instant_limit::RULE,
    &invalid_index_left::RULE,
    &json_column::RULE,
    &missing_down::RULE,
    &missing_idle_timeout::RULE,
    &missing_lock_timeout::RULE,
    &missing_statement_timeout::RULE,
    &mixed_ddl_dml::RULE,
    &move_tablespace::RULE,
    &multiple_alter_same_table::RULE,
    &narrow_type::RULE,
    &new_write_restriction::RULE,
    &not_valid_and_validate_same_tx::RULE,
    &parse_error::RULE,
    &pg14_cic_corruption::RULE,
    &pk_using_index_nullable::RULE,
    &prefer_bigint::RULE,
    &prefer_identity::RULE,
    &prefer_text::RULE,
    &prefer_timestamptz::RULE,
    &refresh_matview_concurrent_exclusive::RULE,
    &refresh_matview_nonconcurrent::RULE,
    &refused_algorithm::RULE,
    &reindex_nonconcurrent::RULE,
    &rename_column::RULE,
    &rename_enum_value::RULE,
    &rename_object::RULE,
    &rename_schema::RULE,
    &rename_table::RULE,
    &replace_view_function::RULE,
    &replica_identity_publication::RULE,
    &require_table_schema::RULE,
    &revoke_owner::RULE,
    &robust_stmts::RULE,
    &set_default::RULE,
    &set_logged_unlogged::RULE,
    &set_not_null_scan::RULE,
    &set_schema::RULE,
    &sqlite_rename_rewrites::RULE,
    &sqlite_unsupported_alter::RULE,
    &sqlite_writer_lock::RULE,
    &stmt_while_access_exclusive::RULE,
    &table_without_pk::RULE,
    &timeout_value_wrong::RULE,
    &toggle_trigger::RULE,
    &transaction_nesting::RULE,
    &truncate::RULE,
    &truncate_cascade::RULE,
    &uncommitted_transaction::RULE,
    &unknown_rule::RULE,
    &unlogged_table::RULE,
    &unread_statement::RULE,
    &unused_allow::RULE,
    &update_without_where::RULE,
    &vacuum_full::RULE,
    &validate_constraint_note::RULE,
    &wide_lock_window::RULE,
];

/// The rule called `id`.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests;
