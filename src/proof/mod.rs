//! Is a deploy what it claims to be? Proved on a scratch database with generated rows: it ends as the plain migration
//! does, old and new code work in between, each step can be taken back, and nothing blocks for longer than a moment.
//! Which migrations are one deploy (`deploy`), what is claimed and what came of it (`verdict`), the databases at each of
//! its stages (`world`), the code at work (`workload`), what its statements hold (`locks`), all of it in order (`judge`),
//! and showing it (`report`).

pub mod deploy;
mod judge;
mod locks;
pub mod report;
mod snapshot;
pub mod verdict;
mod workload;
mod world;

pub use judge::{Known, prove};
