//! What a schema is (`model`), what a statement does to one (`change`), and the one applied to the other (`apply`).

pub mod breaks;
pub mod change;
pub mod map;
pub mod model;
