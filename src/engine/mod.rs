//! All knowledge of dialects: one folder per engine, and the questions that the runner asks of any of them.

pub mod postgres;
mod runner;
pub mod words;

pub use runner::{
    LockMode, LockRequest, SessionChange, TransactionControl, may_run_in_transaction, relations_locked,
    session_change, table_made, touches_rows_only, transaction_control,
};
