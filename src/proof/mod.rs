//! Is a deploy what it claims to be? Proved on a scratch database with generated rows: it ends as the plain migration
//! does, old and new code work in between, each step can be taken back, and nothing blocks for longer than a moment.
//! Which migrations are one deploy (`deploy`), what is claimed and what came of it (`verdict`), and showing it (`report`).
//! All of it in order (`judge`): its stages (`stages`) with what their statements hold (`locks`) and which prepared
//! statements they break (`stars`), what it is compared with (`reference`) and what holds only from the contract on
//! (`until`), old and new code in between (`at_work`), and
//! the ways back (`ways_back`). On databases of each stage (`world`), with statements that code may send (`workload`), and
//! with their rows (`snapshot`).

mod at_work;
pub mod deploy;
mod judge;
mod locks;
mod reference;
pub mod report;
mod snapshot;
mod stages;
mod stars;
mod until;
pub mod verdict;
mod ways_back;
mod workload;
mod world;

pub use judge::{Known, prove};
