//! What the server makes of a query, without running it.

use super::error::from_sqlx;
use super::session::{DIALECT, PostgresSession};
use crate::db::error::DbError;
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Executor, SqlSafeStr as _, Statement as _, TypeInfo as _,
};

/// See [`Session::describe`](crate::db::session::Session::describe).
pub(super) async fn describe(
    session: &mut PostgresSession,
    sql: &str,
) -> Result<Vec<(String, String)>, DbError> {
    // The driver takes one statement only, and keeps what it has prepared.
    session.connection.clear_cached_statements().await.map_err(|error| from_sqlx(error, ""))?;
    let prepared = session.connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
    let statement = prepared.map_err(|error| from_sqlx(error, sql))?;
    let column =
        |column: &sqlx::postgres::PgColumn| (column.name().to_owned(), column.type_info().name().to_owned());
    let columns = statement.columns().iter().map(column).collect();
    let parameters = match statement.parameters() {
        Some(sqlx::Either::Left(types)) => types.len(),
        Some(sqlx::Either::Right(count)) => count,
        None => 0,
    };
    // Some of it is refused only when it is planned: ON CONFLICT without its index.
    let plan = generic_plan(sql, parameters);
    if let Some(plan) = plan
        && let Err(error) = session.connection.execute(sqlx::raw_sql(AssertSqlSafe(plan.as_str()))).await
    {
        // No transaction takes a prepared statement back. It is not there where it was what failed.
        let _ = session.connection.execute(sqlx::raw_sql("DEALLOCATE twostep_look")).await;
        return Err(from_sqlx(error, &plan));
    }
    Ok(columns)
}

/// What plans the one query `sql` for parameters of any value; none where it is no statement that is planned.
fn generic_plan(sql: &str, parameters: usize) -> Option<String> {
    const PLANNED: &[&str] = &["select", "insert", "update", "delete", "merge", "values", "with", "table"];
    let first = crate::sql::lex::significant(sql, DIALECT).find(|token| !token.is_punct(b'('))?;
    if !PLANNED.iter().any(|word| first.is_word(sql, word)) {
        return None;
    }
    let values = vec!["NULL"; parameters].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    Some(format!(
        "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE twostep_look AS {sql}\n; \
         EXPLAIN EXECUTE twostep_look{values}; DEALLOCATE twostep_look"
    ))
}
