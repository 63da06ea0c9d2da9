//! A transaction that is known to be still the one that was begun, and commits under a lock that is still held.

use super::engine::PostgresEngine;
use super::session::{DIALECT, PostgresSession};
use crate::db::error::{DbError, FENCE, SWITCHED_ROLE};
use crate::db::session::{Begin, Engine as _, LockKey, Session as _, Transaction};
use crate::name::literal;

/// The setting that marks our transactions.
const MARK: &str = "twostep.transaction";

/// A number that no other transaction of this process has.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Opens one.
pub(super) async fn begin(session: &mut PostgresSession, options: Begin) -> Result<Transaction, DbError> {
    // In a transaction of its own: ours would begin as read-only as the migration before left the session.
    let reset =
        if options.fresh { format!("BEGIN; {} COMMIT; ", session.reset_sql()) } else { String::new() };
    // A setting that ends with its transaction marks it. Asking for the transaction's id would mark it too, but
    // as a query, after which SET TRANSACTION ISOLATION LEVEL is refused.
    let token = format!("{:016x}", random());
    session.mark = format!("\n; SET LOCAL {MARK} = '{token}'");
    let lock = options.lock.as_ref().map_or_else(String::new, |lock| format!("; {lock}"));
    let sql = format!("{reset}{}{}{lock}", PostgresEngine.begin_sql(&options), session.mark);
    session.run(&sql).await?;
    Ok(Transaction { token })
}

/// See [`Session::commit`](crate::db::session::Session::commit).
pub(super) async fn commit(
    session: &mut PostgresSession,
    transaction: &Transaction,
    key: &LockKey,
    journal: &str,
) -> Result<(), DbError> {
    // One message: where a check fails, the rest of the message is not carried out. The cast of a text that is
    // no number is what fails, with our own words in the server's error. A migration may also have switched the
    // role in a way that its text does not show (a DO block, a function). The server reads this once per
    // migration: it is as short as it can be, and CASE asks its conditions in their order.
    let user = session.identity.as_ref().map_or("", |identity| identity.user.as_str());
    let sql = format!(
        "SELECT (CASE WHEN current_user OPERATOR(pg_catalog.<>) {user} \
         THEN pg_catalog.concat({switched}, current_user) \
         WHEN (pg_catalog.current_setting('{MARK}', true) OPERATOR(pg_catalog.=) {token}) IS NOT TRUE \
         THEN {fence} WHEN NOT pg_catalog.pg_advisory_unlock({number}) THEN {fence} \
         WHEN NOT pg_catalog.pg_try_advisory_lock({number}) THEN {fence} \
         ELSE '0' END)::pg_catalog.int4;{journal};COMMIT",
        user = literal(user, DIALECT),
        switched = literal(SWITCHED_ROLE, DIALECT),
        token = literal(&transaction.token, DIALECT),
        fence = literal(FENCE, DIALECT),
        number = key.number(),
    );
    session.run(&sql).await.map(drop)
}
