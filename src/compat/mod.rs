//! The running code's queries against each schema of a deploy: the schemas (`stages`), what differs (`difference`), what
//! that means for one query (`judge`, with `constraints` and `labels`, by what it writes: `values`), for all queries and
//! stages (`matrix`), for lint (`running`), for a contract that waits (`gate`), beside what a server said (`verify`), and
//! how it is written (`report`).

mod constraints;
pub mod difference;
pub mod gate;
pub mod judge;
mod labels;
pub mod matrix;
pub mod report;
pub mod running;
pub mod stages;
#[cfg(test)]
mod tests;
mod values;
pub mod verify;
