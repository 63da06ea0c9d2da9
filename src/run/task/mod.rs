//! What a run has to do (`agenda`), as tasks (`one`) that apply (`up`; `held` where they have to wait) or take back
//! (`down`), and their pieces as the machine sees them (`unit`). Pure.

mod agenda;
mod down;
mod held;
mod one;
mod unit;
mod up;

pub use agenda::{Agenda, Author, Goal, agenda};
pub use down::{downs_wanted, stored_down};
pub use one::{Direction, Task, kind_id, label};
pub use unit::{UnitRef, statement_count, units};
