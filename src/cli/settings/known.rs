//! Which settings there are: keys, variables, shapes and defaults.

/// What a setting's value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// A duration: `250ms`, `30s`, `5m`, `1h`.
    Duration,
    /// One of a few words.
    Choice(&'static [&'static str]),
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its key in `twostep.toml`; a dot stands for a table.
    pub key: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// What its value must look like.
    pub shape: Shape,
    /// Its value when nothing sets it; empty where there is none.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// All settings, as `twostep config` lists them. A new one is a line here.
pub static SETTINGS: &[Setting] = &[
    setting("database_url", "DATABASE_URL", Shape::Text, "", "the database that is migrated"),
    setting(
        "direct_url",
        "TWOSTEP_DIRECT_URL",
        Shape::Text,
        "",
        "the same database past its pooler; used instead of database_url by what migrates",
    ),
    setting("migrations", "TWOSTEP_MIGRATIONS", Shape::Text, "migrations", "folder of the migrations"),
    setting(
        "source_format",
        "TWOSTEP_SOURCE_FORMAT",
        Shape::Text,
        "",
        "format of the migrations; found out from the files where it is empty",
    ),
    setting("seeds", "TWOSTEP_SEEDS", Shape::Text, "seeds", "folder of the seed files"),
    setting(
        "journal",
        "TWOSTEP_JOURNAL",
        Shape::Text,
        "twostep",
        "schema (PostgreSQL) or table prefix of the history",
    ),
    setting(
        "scratch_url",
        "TWOSTEP_SCRATCH_URL",
        Shape::Text,
        "",
        "server on which scratch databases may be made; a private one is started where it is empty",
    ),
    setting("role", "TWOSTEP_ROLE", Shape::Text, "", "role that migrations run as (SET ROLE)"),
    setting("release", "TWOSTEP_RELEASE", Shape::Text, "", "id of the release, best its commit"),
    setting(
        "lock_timeout",
        "TWOSTEP_LOCK_TIMEOUT",
        Shape::Duration,
        "100ms",
        "longest time that a statement of a migration stands in a lock's queue before it steps back",
    ),
    setting(
        "lock_deadline",
        "TWOSTEP_LOCK_DEADLINE",
        Shape::Duration,
        "60s",
        "how long a migration tries again to get its locks",
    ),
    setting(
        "run_deadline",
        "TWOSTEP_RUN_DEADLINE",
        Shape::Duration,
        "5m",
        "how long to wait for another run to finish",
    ),
    setting(
        "statement_timeout",
        "TWOSTEP_STATEMENT_TIMEOUT",
        Shape::Duration,
        "0s",
        "longest time for one statement; 0s for none",
    ),
    setting(
        "connect_timeout",
        "TWOSTEP_CONNECT_TIMEOUT",
        Shape::Duration,
        "10s",
        "longest time for one connection",
    ),
    setting(
        "wait",
        "TWOSTEP_WAIT",
        Shape::Duration,
        "0s",
        "how long to wait for a database that is not there yet",
    ),
    setting(
        "out_of_order",
        "TWOSTEP_OUT_OF_ORDER",
        Shape::Choice(&["warn", "error", "allow"]),
        "warn",
        "what to do with a new migration that stands before an applied one",
    ),
    setting(
        "backfills",
        "TWOSTEP_BACKFILLS",
        Shape::Choice(&["run", "leave"]),
        "run",
        "whether migrate fills rows in chunks itself, or leaves them to `twostep backfill`, and exits with 4 until then",
    ),
    setting(
        "mirror_history",
        "TWOSTEP_MIRROR_HISTORY",
        Shape::Choice(&["adopted", "yes", "no"]),
        "adopted",
        "whether the table of the tool that was adopted from is kept in step: yes, no, or as `adopt` was told",
    ),
    setting(
        "log",
        "TWOSTEP_LOG",
        Shape::Choice(&["auto", "text", "logfmt", "json"]),
        "auto",
        "form of the log on stderr: text on a terminal, else logfmt",
    ),
    setting(
        "lint.engine",
        "TWOSTEP_LINT_ENGINE",
        Shape::Choice(&["postgres", "mysql", "sqlite"]),
        "",
        "engine that lint judges for; told by the database URL or the files where it is empty",
    ),
    setting(
        "lint.server_version",
        "TWOSTEP_LINT_SERVER_VERSION",
        Shape::Text,
        "",
        "version of the server that lint judges for, as in 16, 8.0.35 or mariadb 10.11",
    ),
    setting(
        "lint.fail_on",
        "TWOSTEP_LINT_FAIL_ON",
        Shape::Choice(&["error", "warning", "note", "never"]),
        "error",
        "how bad a finding must be for lint to exit with 1",
    ),
    setting(
        "lint.groups",
        "TWOSTEP_LINT_GROUPS",
        Shape::Text,
        "",
        "groups of rules that are off by default: style",
    ),
    setting(
        "lint.runner",
        "TWOSTEP_LINT_RUNNER",
        Shape::Choice(&["twostep", "other"]),
        "twostep",
        "who runs the migrations: another tool sets no lock_timeout and tries nothing again",
    ),
    setting(
        "lint.baseline",
        "TWOSTEP_LINT_BASELINE",
        Shape::Text,
        "twostep.baseline.json",
        "file of findings that are accepted, if it is there",
    ),
];

const fn setting(
    key: &'static str,
    env: &'static str,
    shape: Shape,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { key, env, shape, default, about }
}
