//! How volatile the engines' own functions are.

use super::words;
use crate::dialect::Dialect;
use crate::schema::change::{Call, Volatility};

/// `provolatile = 'v'` in `pg_proc` of PostgreSQL 18, and of the extensions that defaults are taken from
/// (`uuid-ossp`, `pgcrypto`, `pg_uuidv7`, `ulid`).
const POSTGRES_VOLATILE: &str = " clock_timestamp currval lastval nextval random random_normal setseed setval timeofday \
    gen_random_uuid uuidv4 uuidv7 set_config query_to_xml lo_create lo_creat lo_from_bytea lo_import lo_open lo_put \
    lo_get lo_unlink lo_export pg_advisory_lock pg_advisory_xact_lock pg_advisory_unlock pg_try_advisory_lock \
    pg_try_advisory_xact_lock pg_sleep pg_notify pg_backend_pid pg_logical_emit_message pg_terminate_backend \
    pg_cancel_backend pg_stat_get_snapshot_timestamp uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 \
    uuid_generate_v7 gen_random_bytes gen_salt gen_ulid generate_ulid nanoid crypt_random ";
/// `provolatile = 's'`.
const POSTGRES_STABLE: &str = " now transaction_timestamp statement_timestamp current_timestamp current_date \
    current_time localtime localtimestamp current_user current_role session_user user current_catalog current_schema \
    current_schemas current_database current_setting version age to_char to_date to_timestamp to_number to_json \
    to_jsonb json_build_object json_build_array jsonb_build_object jsonb_build_array row_to_json array_to_json \
    array_to_string concat concat_ws format date_trunc date_part extract timezone txid_current pg_current_xact_id \
    txid_current_snapshot inet_client_addr inet_client_port inet_server_addr inet_server_port enum_range enum_first \
    enum_last to_tsvector to_tsquery plainto_tsquery websearch_to_tsquery phraseto_tsquery ts_headline to_regclass \
    to_regtype to_regproc convert_from convert_to json_populate_record jsonb_populate_record json_to_record \
    jsonb_to_record json_to_recordset jsonb_to_recordset json_populate_recordset jsonb_populate_recordset \
    make_timestamptz quote_literal quote_nullable obj_description col_description has_table_privilege pg_typeof \
    pg_get_expr pg_get_serial_sequence pg_relation_size pg_total_relation_size pg_table_is_visible getdatabaseencoding \
    json_agg jsonb_agg json_object_agg jsonb_object_agg xml date timestamptz ";
/// `provolatile = 'i'`, and what the grammar itself evaluates.
const POSTGRES_IMMUTABLE: &str = " abs acos array_agg array_append array_cat array_dims array_fill array_length \
    array_lower array_ndims array_position array_positions array_prepend array_remove array_replace array_upper ascii \
    asin atan atan2 avg bit_length bool_and bool_or box btrim bytea cardinality cbrt ceil ceiling char_length \
    character_length chr circle coalesce cos cot count cube daterange decode degrees dense_rank digest div encode every \
    exp factorial first_value float8 floor gcd generate_series generate_subscripts get_bit get_byte greatest hmac host \
    hostmask initcap int int4range int8range interval isempty isfinite json_array_elements json_array_length json_each \
    json_each_text json_extract_path json_extract_path_text json_object json_object_keys json_typeof \
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_each jsonb_each_text jsonb_extract_path \
    jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_query \
    jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof json_value json_query json_exists json_scalar json_serialize \
    justify_days justify_hours lag last_value lcm lead least left length line ln log log10 lower lower_inc lower_inf \
    lpad lseg ltrim make_date make_interval make_time make_timestamp masklen max md5 min mod netmask network normalize \
    nullif num_nonnulls num_nulls numrange nummultirange octet_length overlay parse_ident path pi point polygon position \
    power quote_ident radians range_merge rank regexp_count regexp_like regexp_match regexp_matches regexp_replace \
    regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right round row row_number rpad \
    rtrim scale set_byte setweight sha224 sha256 sha384 sha512 sign sin split_part sqrt starts_with stddev string_agg \
    string_to_array string_to_table strpos substr substring sum tan text to_hex translate treat trim trim_array trunc \
    tsrange tstzrange ts_rank unistr unnest upper upper_inc upper_inf uuid_nil uuid_ns_dns uuid_ns_url \
    uuid_generate_v3 uuid_generate_v5 variance width_bucket xmlelement xpath tsmultirange tstzmultirange hashtext \
    hashtextextended uuid_extract_timestamp unaccent_immutable crypt varchar numeric boolean bool integer ";

/// Functions of PostgreSQL that take no arguments: one of that name that is given some is somebody's own.
const POSTGRES_WITHOUT_ARGUMENTS: &str = " now transaction_timestamp statement_timestamp version current_database \
    txid_current txid_current_snapshot pg_current_xact_id inet_client_addr inet_client_port inet_server_addr \
    inet_server_port getdatabaseencoding pi uuid_nil uuid_ns_dns uuid_ns_url ";

/// MySQL and MariaDB: another value for each row.
const MYSQL_VOLATILE: &str = " rand uuid uuid_short uuid_v4 uuid_v7 sys_guid sleep last_insert_id row_count found_rows \
    sysdate get_lock release_lock random_bytes nextval lastval setval connection_id load_file ";
/// MySQL and MariaDB: one value for a statement.
const MYSQL_STABLE: &str = " now current_timestamp current_date current_time curdate curtime localtime localtimestamp \
    utc_date utc_time utc_timestamp unix_timestamp current_user user session_user system_user database schema version \
    from_unixtime ";
/// SQLite: another value for each row.
const SQLITE_VOLATILE: &str = " random randomblob changes last_insert_rowid total_changes ";
/// SQLite: one value for a statement (`'now'` is fixed within one).
const SQLITE_STABLE: &str = " current_timestamp current_date current_time date time datetime julianday strftime \
    unixepoch timediff sqlite_version ";

/// How volatile the function is that is called; `Unknown` for one that is not the engine's own.
pub fn volatility(call: &Call, dialect: Dialect) -> Volatility {
    let name = &call.name;
    let own_schema = name.schema.as_ref().is_none_or(|schema| schema.as_str() == "pg_catalog");
    let word = name.name.as_str();
    // Extensions live in any schema: their well-known functions are told by name.
    let lists: &[(&str, Volatility)] = match dialect {
        Dialect::Postgres => &[
            (POSTGRES_VOLATILE, Volatility::Volatile),
            (POSTGRES_STABLE, Volatility::Stable),
            (POSTGRES_IMMUTABLE, Volatility::Immutable),
        ],
        Dialect::Mysql => &[(MYSQL_VOLATILE, Volatility::Volatile), (MYSQL_STABLE, Volatility::Stable)],
        Dialect::Sqlite => &[(SQLITE_VOLATILE, Volatility::Volatile), (SQLITE_STABLE, Volatility::Stable)],
    };
    let found = lists.iter().find(|(list, _)| words::contains(list, word)).map(|(_, volatility)| *volatility);
    match (found, dialect) {
        (Some(_), Dialect::Postgres)
            if call.has_arguments && words::contains(POSTGRES_WITHOUT_ARGUMENTS, word) =>
        {
            Volatility::Unknown
        }
        (Some(volatility), _) if own_schema || volatility == Volatility::Volatile => volatility,
        (_, Dialect::Postgres) => Volatility::Unknown,
        // Here no other function may stand in a default.
        (_, Dialect::Mysql | Dialect::Sqlite) => Volatility::Immutable,
    }
}
