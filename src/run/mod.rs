//! Bringing a database to where a release needs it: what is to be done (`pending`, `contracts`, `rollback`), the statements of it
//! (`script`), what happens next (`machine`, pure), doing it (`executor`), and what is remembered (`journal`). What another tool has done is
//! taken over by `adopt`; `gate` looks who still needs what a contract takes away.

pub mod activity;
pub mod adopt;
pub mod contention;
pub mod contracts;
pub mod error;
pub mod executor;
mod fault;
pub mod gate;
pub mod journal;
pub(crate) mod large;
pub mod limits;
pub mod machine;
pub(crate) mod others;
pub mod pace;
pub mod pending;
pub mod preview;
pub(crate) mod program;
pub mod rollback;
pub mod script;
pub mod seed;
pub mod signal;
pub mod task;
mod watch;
