//! What most rules use.

pub use super::migration::{Judged, Runner};
pub use super::place::Place;
pub use super::rule::{At, Draft, Group, Rule, Severity};
pub use crate::engine::effects::{RelationEffect, Role, Work};
pub use crate::engine::{ALL_ENGINES, MYSQL, POSTGRES, POSTGRES_AND_MYSQL, POSTGRES_AND_SQLITE};
pub use crate::name::{Name, ObjectName, TableName};
pub use crate::schema::apply::{Note, Subject};
pub use crate::schema::change::*;
pub use crate::schema::model::*;
