//! What a schema is (`model`, with `seen` to find things in it), what a statement does to one (`change`), the one applied to the other (`apply`), what
//! tells two schemas apart (`compare`, on texts without their spelling, `canonical`), and a database's own schema as readable text (`catalog`).

pub mod apply;
pub mod breaks;
mod canonical;
pub mod catalog;
pub mod change;
pub mod compare;
pub mod map;
pub mod model;
pub mod seen;
