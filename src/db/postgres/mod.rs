//! PostgreSQL: the engine (`engine`), its sessions (`session`) with their transactions (`transaction`) and the run's lock
//! (`lock`), and what looks at them from outside (`watcher`, `blockers`); how the outcome of a statement outside a
//! transaction is told (`alone`), what a query would give (`describe`), and the server's errors (`error`).

mod alone;
mod blockers;
mod describe;
mod engine;
mod error;
mod lock;
mod session;
mod transaction;
mod watcher;

pub use engine::PostgresEngine;
