//! `twostep doctor`: what stands in the way of a migration before it is run. One file per check, and the list of all of them;
//! each says what it saw and what to do. Everything here only reads.

mod check;
mod connection;
mod disk;
mod history;
mod invalid_indexes;
mod lock;
mod long_transactions;
mod pooler;
mod prepared;
mod read_only;
mod replication;
mod rights;
mod settings;
mod tls;
mod unvalidated;
mod version;

pub use check::{Check, Level, Patient, Seen};

/// The checks, in the order in which they are made. A new one is a file, a line above and a line here.
pub static CHECKS: &[&dyn Check] = &[
    &connection::Connection,
    &version::Version,
    &tls::Tls,
    &pooler::Pooler,
    &read_only::ReadOnly,
    &rights::Rights,
    &history::OfTwostep,
    &lock::Lock,
    &long_transactions::LongTransactions,
    &prepared::Prepared,
    &invalid_indexes::InvalidIndexes,
    &unvalidated::Unvalidated,
    &replication::Replication,
    &disk::Disk,
    &settings::Settings,
];
