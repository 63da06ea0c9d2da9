//! What other tools for phased migrations get wrong, each by its name: measured there, and right here. Those with numbers
//! were found in pgroll (SQL from its source, replayed on PostgreSQL 15), R1 to R15 were measured with reshape 0.11.2.
//!
//! | what goes wrong there | the test |
//! |---|---|
//! | 1: a NOT NULL check is there before its trigger, and old code's writes fail | `writes::trap_1_…` |
//! | 2: a column goes before its trigger, and every write fails | `writes::trap_2_…` |
//! | 3, R4: an update of another column overwrites what new code wrote | `writes::trap_3_and_r4_…` |
//! | 4, R5: which code writes is told by the text of `search_path` | `writes::trap_4_and_r5_…` |
//! | 5: a trigger that cannot be made goes unseen, and rows are filled without it | `writes::trap_5_…` |
//! | 6: a column is replaced inside other words and in literals | `shapes::trap_6_…` |
//! | 7: copies of indexes lose expressions, operator classes, order, collation, INCLUDE | `shapes::trap_7_…` |
//! | 8: the columns of a composite foreign key are paired wrongly | `shapes::trap_8_…` |
//! | 9: a backfill writes the key, which GENERATED ALWAYS refuses | `shapes::trap_9_…` |
//! | 10, R9: an index build has a lock timeout, is tried again and "already exists" | `runs::trap_10_and_r9_…` |
//! | 11, R10, R11: a run that was interrupted cannot go on, or says that it is done | `runs::trap_11_r10_and_r11_…`, `killed::…` |
//! | 12, R12: who may use the old name may not use the new one | `shapes::trap_12_and_r12_…` |
//! | 13: chunks have another size than the documentation says | `runs::trap_13_…` |
//! | R1: new code's writes fail while the contract is applied | `writes::r1_…` (a change of type, and NOT NULL) |
//! | R2: old code's writes fail while the first step is taken back | `writes::r2_…` |
//! | R3: a table is scanned under a lock that everybody waits for | `runs::r3_…` |
//! | R6: a foreign key is gone behind a change of type | `shapes::r6_and_r7_…` |
//! | R7: a unique column's change of type ends half-way | `shapes::r6_and_r7_…` |
//! | R8: views, policies, statistics, generated columns go with CASCADE | `shapes::r8_…` |
//! | R13: a key that is an identity cannot be changed | `shapes::r13_…` |
//! | R14: a backfill is slow, and doubles the table | `runs::r14_…` |
//! | R15: how long old code's writes take while the first step comes (right there too) | `writes::r15_…` |

mod runs;
mod shapes;
mod writes;

use super::{Case, Deployment};
use crate::client::Client;
use crate::servers;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ORDERS: &str = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, state text NOT NULL DEFAULT 'pending');";
const ROWS: &str = "insert into orders (name) select 'n' || n from generate_series(1, 20000) n";
const RENAME: Case<'static> = Case {
    schema: ORDERS,
    rows: ROWS,
    plain: "ALTER TABLE orders RENAME COLUMN state TO status;",
    ..Case::NONE
};

/// A key that is an identity, another column and a foreign key get another type.
const WIDER: Case<'static> = Case {
    schema: "CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, hits int NOT NULL DEFAULT 0);
        CREATE TABLE lines (id bigserial PRIMARY KEY, order_id int NOT NULL REFERENCES orders ON DELETE CASCADE, n int);",
    rows: "insert into orders (name) select 'n' || n from generate_series(1, 5000) n; insert into lines (order_id, n) select id, 1 from orders",
    plain: "ALTER TABLE orders ALTER COLUMN id TYPE bigint, ALTER COLUMN hits TYPE bigint; ALTER TABLE lines ALTER COLUMN order_id TYPE bigint;",
    moves_columns: true,
    ..Case::NONE
};

/// The deployment of `case`, up to its contract.
fn expanded<'s>(server: &'s servers::Postgres, case: &Case<'_>) -> Deployment<'s> {
    let deployment = Deployment::new(server, case);
    deployment.plan(case);
    deployment.twostep(&["migrate"]).expect(0);
    deployment
}

/// What code at work has met.
struct Met {
    failures: Vec<String>,
    /// The longest that a message took.
    longest: Duration,
}

/// Runs `sql` over and over while `act` does its work. `{n}` is a number that is new each time.
fn meanwhile(url: &str, sql: &str, act: impl FnOnce()) -> Met {
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, url, sql) = (Arc::clone(&stop), url.to_owned(), sql.to_owned());
    let client = std::thread::spawn(move || {
        let mut client = Client::connect(&url, "code");
        let mut met = Met { failures: Vec::new(), longest: Duration::ZERO };
        let mut number = 0;
        while !stopped.load(Ordering::Relaxed) {
            number += 1;
            let started = Instant::now();
            met.failures.extend(client.try_run(&sql.replace("{n}", &number.to_string())).err());
            met.longest = met.longest.max(started.elapsed());
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(number > 10, "the client had no time");
        met
    });
    act();
    stop.store(true, Ordering::Relaxed);
    client.join().expect("the client ends")
}
