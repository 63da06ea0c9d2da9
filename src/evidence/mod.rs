//! What is known of the running code: its queries, and what each uses of a schema (`resolve`, through the names in
//! `scope`, giving `uses`).
//! `model` is the file that all of it is kept in, with what databases say of themselves (`facts`), and why it proves
//! less than it seems to (`gaps`); `sources` is where queries are found, `constants` which of their literals are the
//! schema's own, `literals` what is kept of the others, and `day` counts days.

pub mod constants;
pub mod day;
pub mod facts;
mod gaps;
mod literals;
pub mod model;
pub mod resolve;
mod scope;
pub mod sources;
#[cfg(test)]
mod tests;
pub mod uses;
mod write;
