//! Scratch databases: made for one run, never the one that is migrated, and removed in any case. Where they are made
//! (`place`), whose they are (`owner`), and a server of our own from the binaries on the machine (`private`).

mod owner;
mod place;
mod private;

pub use owner::{Life, Owner};
pub use place::{Place, ScratchError, Wish};
