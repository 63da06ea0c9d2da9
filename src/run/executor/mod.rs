//! Does what the machine commands, and tells it what came of it.
//!
//! A run goes from command to command (`run`), and what it knows meanwhile stands in one place (`state`). It opens its
//! connections (`connection`), looks at what is to be done (`look`), takes the lock (`lock`), and writes that it begins,
//! later how it ended (`own_row`).
//!
//! A unit runs in a transaction (`transaction`; `outliving` where that does not hold all of it), or alone between an
//! intent and its outcome (`alone`; `aftermath` where it failed, or nobody knows). What runs is statements
//! (`statements`), a file that is read as it runs (`large`), chunks of rows (`chunks`) or a program (`program`), in a
//! session as the migration has to find it (`session`), watched while the server is at it (`watched`). What is written of
//! it in the journal is in `record`, in the table of another tool in `mirror`.
//!
//! A failure becomes an event of the machine in `failure`; `waiting` is for locks that others have.

mod aftermath;
mod alone;
mod chunks;
mod connection;
mod failure;
mod large;
mod lock;
mod look;
mod mirror;
mod outliving;
mod own_row;
mod program;
mod record;
mod run;
mod session;
mod state;
mod statements;
mod transaction;
mod waiting;
mod watched;

pub use connection::EarlySession;
pub use run::{Finished, RunOptions, RunReport, run, shown};
