//! Does every down undo its up, and does the whole chain build the same database twice? Asked of a scratch database:
//! what was found (`verdict`), running a migration as `migrate` and `rollback` would (`apply`), the database that it is
//! tried on (`bench`), what rows there are (`rows`) and making some (`fill`), each migration by itself (`judge`), all of them in a row (`chain`),
//! the whole of it (`run`), and showing it (`report`). Beside it: what queries come to at each stage of a deploy (`stages`).

pub mod allow;
pub mod apply;
pub(crate) mod bench;
mod chain;
pub(crate) mod fill;
mod judge;
pub mod prerequisite;
pub mod report;
pub(crate) mod rows;
pub mod run;
pub mod stages;
pub mod verdict;
