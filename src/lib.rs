//! Zero-downtime SQL migrations: run them under a lock, tell which would break or block the running code, and
//! write the two steps that do not. The folders are layers; ARCHITECTURE.md says what each may use.

pub mod analysis;
pub mod cli;
pub mod compat;
pub mod db;
pub mod dialect;
pub mod doctor;
pub mod engine;
pub mod evidence;
pub mod files;
mod migrator;
pub mod name;
pub mod parallel;
pub mod plan;
pub mod proof;
pub mod report;
pub mod roundtrip;
pub mod rules;
pub mod run;
pub mod schema;
pub mod source;
pub mod sql;
pub mod text;

pub use migrator::{Migrator, MigratorError, NotReady};
