//! Rights: what the role needs to migrate, and what it should rather not have. docs/roles.md has the roles.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use crate::name::{Name, literal};
use async_trait::async_trait;
use std::fs::OpenOptions;

/// See the module.
pub struct Rights;

#[async_trait]
impl Check for Rights {
    fn id(&self) -> &'static str {
        "rights"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        match patient.dialect() {
            Dialect::Postgres => postgres(patient).await,
            Dialect::Mysql => mysql(patient).await,
            Dialect::Sqlite => Ok(sqlite(patient)),
        }
    }
}

async fn postgres(patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
    let name = patient.journal.name().to_owned();
    let sql = format!(
        "SELECT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), \
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), \
         pg_catalog.current_schema(), COALESCE(pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE'), false), \
         (SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
         FROM pg_catalog.pg_namespace n WHERE nspname = {}), \
         (SELECT pg_catalog.string_agg(x, ', ') FROM (SELECT c.oid::pg_catalog.regclass::text AS x FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') \
         AND nspname !~ '^pg_' AND nspname <> 'information_schema' \
         AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1 LIMIT 5) o)",
        literal(&name, Dialect::Postgres)
    );
    let rows = patient.ask(&sql).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let role = Name::new(&patient.identity.user).readable(Dialect::Postgres);
    let database = Name::new(&patient.identity.database).readable(Dialect::Postgres);
    let mut seen = Vec::new();
    if row.get(4).is_none() && !row.is_true(1) {
        seen.push(Seen::problem(
            format!("role {role} may not make the schema `{name}` of the history"),
            format!("GRANT CREATE ON DATABASE {database} TO {role};"),
        ));
    } else if row.get(4).is_some() && !row.is_true(4) {
        let schema = Name::new(&name).readable(Dialect::Postgres);
        seen.push(Seen::problem(
            format!("role {role} may not use the schema {schema} of the history"),
            format!(
                "migrate as the role that made it (`--role`), or: GRANT ALL ON SCHEMA {schema} TO {role};"
            ),
        ));
    }
    match row.get(2) {
        None => seen.push(Seen::warning(
            "no schema of the `search_path` is there: names without one are found nowhere",
            format!("ALTER ROLE {role} SET search_path = public;"),
        )),
        Some(schema) if !row.is_true(3) => {
            let schema = Name::new(schema).readable(Dialect::Postgres);
            seen.push(Seen::problem(
                format!("role {role} may make nothing in the schema {schema}"),
                format!("GRANT CREATE ON SCHEMA {schema} TO {role};"),
            ));
        }
        Some(_) => {}
    }
    if let Some(others) = row.get(5) {
        seen.push(Seen::warning(
            format!("some of what is there belongs to others, who alone can change it: {others}"),
            "migrate as their owner: `--role OWNER` for a role that is a member of it",
        ));
    }
    if seen.is_empty() && row.is_true(0) {
        seen.push(Seen::note(format!("role {role} is a superuser, which no migration needs: docs/roles.md")));
    }
    if seen.is_empty() {
        seen.push(Seen::fine(format!("role {role} may do what migrations need, and is no superuser")));
    }
    Ok(seen)
}

/// What migrations need of a MySQL account, on the database.
const NEEDED: &[&str] =
    &["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES"];

async fn mysql(patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
    let rows = patient.ask("SHOW GRANTS").await?;
    let database = patient.url.database().to_owned();
    let mut granted: Vec<String> = Vec::new();
    let (mut all, mut sees_others) = (false, false);
    for row in &rows {
        let text = row.text(0).to_uppercase();
        let Some((what, on)) = text.strip_prefix("GRANT ").and_then(|text| text.split_once(" ON ")) else {
            continue;
        };
        let on = on.replace(['`', '\\'], "");
        let everywhere = on.starts_with("*.*");
        let here = on.starts_with(&format!("{}.*", database.to_uppercase())) || on.starts_with("%.*");
        all |= (everywhere || here) && what.starts_with("ALL PRIVILEGES");
        sees_others |= everywhere && (what.contains("PROCESS") || what.starts_with("ALL PRIVILEGES"));
        if everywhere || here {
            granted.extend(what.split(',').map(|right| right.trim().to_owned()));
        }
    }
    let missing: Vec<&str> =
        NEEDED.iter().copied().filter(|right| !all && !granted.iter().any(|has| has == right)).collect();
    let user = patient.identity.user.clone();
    let mut seen = Vec::new();
    if !missing.is_empty() {
        let list = missing.join(", ");
        let on = Name::new(&database).readable(Dialect::Mysql);
        seen.push(Seen::problem(
            format!("account `{user}` lacks {list}"),
            format!("GRANT {list} ON {on}.* TO the account; a role that it takes on (`--role`) is not looked at here"),
        ));
    }
    if !sees_others {
        seen.push(Seen::note(format!(
            "account `{user}` lacks PROCESS: who is in the way of a migration cannot be named"
        )));
    }
    if seen.is_empty() {
        seen.push(Seen::fine(format!("account `{user}` may do what migrations need")));
    }
    Ok(seen)
}

/// The file and its folder, in which SQLite makes files beside it.
fn sqlite(patient: &Patient<'_>) -> Vec<Seen> {
    let file = std::path::Path::new(patient.url.database());
    match OpenOptions::new().append(true).open(file) {
        Ok(_) => vec![Seen::fine("the file can be written")],
        Err(error) => vec![Seen::problem(
            format!("the file cannot be written: {error}"),
            "let its owner migrate, or give this user the right to write it and its folder",
        )],
    }
}
